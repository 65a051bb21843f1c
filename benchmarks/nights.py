"""Measure ninety nights in a row, each adding 0.3 % of the first load's rows: ``nights.py [SCRATCH]``.

Writes ``benchmarks/results/nights.json`` in the form of ``run.py``: for nights 1, 30, 60 and 90 the CPU seconds
of taking the night in and of reading what features need (the least of three), peak memory, bytes on disk per row
and files, each beside the same of one rebuild from all files up to that night; each of these is a process of its
own. One row in fifty comes three nights late, one order in twenty corrects an earlier one, and new customers come
all the time.
"""

import json
import resource
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.generate import write_shop
from benchmarks.run import RESULTS, ROOT, Cost, Figure, print_figure, run_python
from benchmarks.tasks import CALENDAR, THREADS
from tables.history import History
from tables.ingest import ingest
from tables.manifest import Manifest, read_manifest
from tables.sources import IngestSettings, Source

CUSTOMERS = 20_000
NIGHTS = 90
TOLD = (1, 30, 60, 90)
SHARE_PER_NIGHT = 0.003
SHARE_LATE, NIGHTS_LATE, SHARE_CORRECTING = 0.02, 3, 0.05
GOALS = {"seconds": 0.5, "read": 3.0, "peak": 1.1, "bytes_per_row": 1.25, "files": 6.0}
WRITTEN_GOAL = 12.0
READS = 3
_COLUMNS = {
    "orders": (
        *("customer_id", "order_id", "ordered_at", "amount", "discount", "quantity", "category"),
        "is_return",
    ),
    "events": ("customer_id", "occurred_at", "type"),
}
_TIMES = {"orders": "ordered_at", "events": "occurred_at"}


@dataclass(frozen=True)
class State:
    """A history after a night: what it cost, what reading it costs, and what lies on disk."""

    taken_in: Cost
    read: Cost
    rows: int
    files: dict[str, int]

    @property
    def bytes_per_row(self) -> float:
        """Bytes of the current generation per stored row."""
        return sum(self.files.values()) / self.rows


def write_nights(folder: Path, customers: int, nights: int) -> None:
    """Write a first load, ``000.parquet``, and the nights after it for orders and events.

    Args:
        folder: gets a folder per table.
        customers: number of customers over all nights.
        nights: number of nights after the first load.
    """
    write_shop(folder / "whole", customers)
    rng = np.random.default_rng(nights)
    for name, time_column in _TIMES.items():
        rows = pq.read_table(folder / "whole" / name)
        rows = rows.take(pc.sort_indices(rows.column(time_column)))
        first = round(rows.num_rows / (1 + SHARE_PER_NIGHT * nights))
        edges = np.linspace(first, rows.num_rows, nights + 1).astype(np.int64)
        night = np.searchsorted(edges, np.arange(rows.num_rows), side="right")
        is_late = (night > 0) & (rng.random(rows.num_rows) < SHARE_LATE)
        night = np.minimum(night + NIGHTS_LATE * is_late, nights)
        (folder / name).mkdir()
        for number in range(nights + 1):
            found = rows.filter(pa.array(night == number))
            if name == "orders" and number:
                found = pa.concat_tables([found, _corrections(rows.slice(0, edges[number - 1]), found, rng)])
            pq.write_table(found, folder / name / f"{number:03d}.parquet")


def _corrections(earlier: pa.Table, night: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Give some earlier orders another amount."""
    count = max(1, round(SHARE_CORRECTING * night.num_rows))
    found = earlier.take(pa.array(rng.choice(earlier.num_rows, count, replace=False)))
    amount = pa.array(np.round(rng.lognormal(3.2, 0.6, count), 2))
    return found.set_column(found.column_names.index("amount"), "amount", amount)


def take_in(shop: Path, root: Path, first: int, last: int) -> int:
    """Ingest the files of some nights at once and return the number of customers."""
    sources = {
        table: [
            Source(
                path=str(shop / table / f"{night:03d}.parquet"),
                grain="order",
                columns={name: name for name in names},
            )
            for night in range(first, last + 1)
        ]
        for table, names in _COLUMNS.items()
    }
    now = CALENDAR.midnight(date(2026, 1, 2))
    settings = IngestSettings(threads=THREADS)
    return ingest(sources, root=root, calendar=CALENDAR, now=now, settings=settings).customers


def take_each(shop: Path, root: Path, first: int, last: int) -> int:
    """Ingest one night after the other and return the bytes of all files written."""
    written = 0
    for night in range(first, last + 1):
        before = _files(root)
        take_in(shop, root, night, night)
        written += _bytes_written(before, _files(root))
    return written


def read_all(root: Path) -> int:
    """Read of every row what features may need, all but its order's id, and return the number of rows."""
    history = History.open(root)
    return sum(
        len(history.read(table, bucket, [name for name in history.columns(table) if name != "order_id"]))
        for table in history.tables()
        for bucket in range(history.buckets)
    )


def main(scratch: Path) -> int:
    """Measure all nights and return 0 if every goal holds, else 1."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    write_nights(scratch / "shop", CUSTOMERS, NIGHTS)
    nightly, rebuilt, written, done = {}, {}, 0, 0
    _measured("take", scratch / "shop", scratch / "nightly", 0, 0)
    for night in TOLD:
        if done < night - 1:
            written += _measured("take-each", scratch / "shop", scratch / "nightly", done + 1, night - 1)[1]
        before, done = _files(scratch / "nightly"), night
        cost, _ = _measured("take", scratch / "shop", scratch / "nightly", night, night)
        nightly[night] = _state(cost, scratch / "nightly")
        written += _bytes_written(before, nightly[night].files)
        rebuild, _ = _measured("take", scratch / "shop", scratch / f"rebuilt-{night}", 0, night)
        rebuilt[night] = _state(rebuild, scratch / f"rebuilt-{night}")
    figures = judged(nightly, rebuilt) | judged_growth(nightly, written / NIGHTS)
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({name: asdict(figure) for name, figure in figures.items()}, indent=1)
    (RESULTS / "nights.json").write_text(text + "\n", encoding="utf-8")
    for name, figure in figures.items():
        print_figure(name, figure)
    return 0 if all(figure.holds for figure in figures.values()) else 1


def judged(nightly: dict[int, State], rebuilt: dict[int, State]) -> dict[str, Figure]:
    """Compare the history after each of the told nights with one rebuilt from all files up to it."""
    figures = {}
    for night, state in nightly.items():
        other = rebuilt[night]
        pairs = {
            "seconds": (state.taken_in.cpu_seconds, other.taken_in.cpu_seconds, "CPU s"),
            "read": (state.read.cpu_seconds, other.read.cpu_seconds, "CPU s"),
            "peak": (state.taken_in.peak_gb, other.taken_in.peak_gb, "GB"),
            "bytes_per_row": (state.bytes_per_row, other.bytes_per_row, "bytes"),
            "files": (float(len(state.files)), float(len(other.files)), "files"),
        }
        for name, (value, reference, unit) in pairs.items():
            figures[f"night_{night}_{name}"] = _figure(value, reference, unit, "rebuild", GOALS[name])
    return figures


def judged_growth(nightly: dict[int, State], written: float) -> dict[str, Figure]:
    """Compare the last night with the first, and what a night writes on average with the rows it adds."""
    first, last = nightly[min(nightly)], nightly[max(nightly)]
    added = (last.rows - first.rows) / (max(nightly) - min(nightly)) * first.bytes_per_row
    return {
        "written_per_night": _figure(written, added, "bytes", "bytes of the rows added", WRITTEN_GOAL),
        "peak_growth": _figure(last.taken_in.peak_gb, first.taken_in.peak_gb, "GB", "night 1", GOALS["peak"]),
    }


def _figure(value: float, reference: float, unit: str, what: str, goal: float) -> Figure:
    ratio = value / reference
    described = f"{what}: {reference:.3f} {unit}"
    return Figure(round(value, 3), unit, described, round(ratio, 2), goal, ratio <= goal)


def _state(cost: Cost, root: Path) -> State:
    reads = [_measured("read", root) for _ in range(READS)]
    read, rows = min(reads, key=lambda found: found[0].cpu_seconds)
    return State(cost, read, rows, _files(root))


def _files(root: Path) -> dict[str, int]:
    """Return the size of each file of the current generation."""
    manifest = read_manifest(root) or Manifest()
    return {file: (root / file).stat().st_size for file in manifest.referenced()}


def _bytes_written(before: Mapping[str, int], after: Mapping[str, int]) -> int:
    return sum(size for file, size in after.items() if file not in before)


def _measured(task: str, *arguments: Path | int) -> tuple[Cost, int]:
    answer = json.loads(run_python(["-m", "benchmarks.nights", task, *map(str, arguments)]).splitlines()[-1])
    return Cost(**answer["cost"]), answer["count"]


def _work(task: str, *arguments: str) -> None:
    """Do one measured piece of work and print what it took, imports excluded."""
    began = time.process_time()
    if task == "read":
        count = read_all(Path(*arguments))
    else:
        shop, root, first, last = arguments
        take = take_in if task == "take" else take_each
        count = take(Path(shop), Path(root), int(first), int(last))
    cpu = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"cost": asdict(Cost(cpu, peak)), "count": count}))


if __name__ == "__main__":
    if sys.argv[1:2] in (["take"], ["take-each"], ["read"]):
        _work(*sys.argv[1:])
    else:
        sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "benchmarks" / "work" / "nights"))
