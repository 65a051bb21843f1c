"""What a user does wrong: each is one clear line and its exit code, and what was published stays untouched."""

import re
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from pipeline.config import load_config
from tables.history import History
from tables.ingest import ingest
from tables.lock import WorkspaceLock
from tables.publish import Publication
from tables.storage import write_table
from tests.command_line import Told, keepwell
from tests.pipeline.conftest import run_keepwell

HEADER = "customer_id,order_id,ordered_at,amount,currency"
FIRST = date(2025, 1, 1)
CONFIG = """\
workspace: {folder}/workspace
time_zone: Europe/Vilnius
seed: 7
sources:
  orders:
    path: {folder}/orders/*.csv
    grain: order
    columns: {{customer_id: customer_id, order_id: order_id, ordered_at: ordered_at, amount: amount,
      currency: currency}}
churn: {{horizon_days: 30, active_within_days: 60}}
actions:
  catalogue: {folder}/actions.yaml
  budget: {{amount: 10, per: night}}
"""
CATALOGUE = """\
actions:
  note:
    carries_out: [messaging]
    trigger: orders_total > 0
    channel: email
    kind: content
    contact_cost: 0.5
    prior_save: 0.05
    prior_save_sd: 0.02
    cooldown_days: 30
    wording: {en: Hello}
"""
PROGRESS = re.compile(r"\[ *\d+\.\d s\] ")


class Shop:
    """A small business on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.workspace, self.config = folder, folder / "workspace", folder / "shop.yaml"
        self.config.write_text(CONFIG.format(folder=folder))
        (folder / "actions.yaml").write_text(CATALOGUE)

    def deliver(self, name: str, *lines: str) -> None:
        path = self.folder / "orders" / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text()
        assert old in text
        (self.folder / name).write_text(text.replace(old, new))

    def open(self) -> None:
        """Take the delivered files in and publish a night, without the command line."""
        config = load_config(self.config, {})
        now = config.calendar().midnight(date(2026, 11, 21))
        history, settings = self.workspace / "history", config.ingest
        ingest(config.sources, root=history, calendar=config.calendar(), now=now, settings=settings)
        with WorkspaceLock(self.workspace) as lock, Publication(lock, FIRST) as night:
            write_table(pd.DataFrame({"customer_id": ["c1"], "churn_risk": [0.5]}), night.table("scores"))
            night.publish(facts={}, timings={})

    def published(self) -> dict[str, bytes]:
        """Return all that readers see, by path: the published nights, and the digest of the history."""
        folders = (self.workspace / name for name in ("nights", "scores", "plan", "reports"))
        files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
        seen = {str(path.relative_to(self.workspace)): path.read_bytes() for path in files}
        assert "nights/as_of=2025-01-01.json" in seen
        return {**seen, "history": History.open(self.workspace / "history").digest.encode()}

    def run(self, *words: str | Path) -> Told:
        command, *options = words
        return keepwell(command, "-c", self.config, *options)

    def refused(self, *words: str | Path) -> tuple[int, str]:
        """Run a command that must fail, check what holds of every failure, return its code and its line."""
        before = self.published()
        told = self.run(*words)
        complaint = [line for line in told.stderr.splitlines() if not PROGRESS.match(line)]
        assert "Traceback" not in told.stderr
        assert len(complaint) == 1, told.stderr
        assert told.stdout == ""
        assert self.published() == before
        return told.returncode, complaint[0]


def orders(customers: int, days: int, every: int = 5) -> list[str]:
    """Rows of customers who all come back in the same rhythm, a day apart from each other."""
    return [
        f"c{customer},{customer}-{day},{FIRST + timedelta(days=day)}T10:00,9.5,EUR"
        for customer in range(customers)
        for day in range(customer % every, days, every)
    ]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A business whose first files were taken in, with one night published."""
    found = Shop(tmp_path)
    found.deliver("1", HEADER, *orders(20, 20))
    found.open()
    return found


ROW = "c1,x,2025-02-01,9.5,EUR"
FILES = {
    "wrong columns": (
        ["customer,order_id,ordered_at,amount,currency", ROW],
        r"2.csv: no column 'customer_id'; found .*'customer'.*Did you mean 'customer'",
    ),
    "empty file": ([], r"2.csv is empty"),
    "header only": ([HEADER], r"2.csv has no rows under its header"),
    "text in amounts": (
        [HEADER, ROW, "c1,y,2025-02-01,a lot,EUR"],
        r"1 of 2 rows are bad, .*; unreadable_amount 1; for example 2.csv row 2",
    ),
    "bad dates, nobody's row": (
        [HEADER, ROW, "c1,y,soon,9.5,EUR", "c1,z,2199-01-01,9.5,EUR", ",y,2025-02-01,9.5,EUR"],
        r"3 of 4 .*future_ordered_at 1, missing_customer_id 1, unreadable_ordered_at 1; .*2.csv row 2, 2.csv row 3",
    ),
    "two currencies": ([HEADER, "c1,y,2025-02-01,9.5,USD"], r"of one currency; found \['EUR', 'USD'\]"),
    "no text": (["\x00\x01\xff"], r"2.csv: no columns 'customer_id', "),
}


@pytest.mark.slow
@pytest.mark.parametrize(("lines", "said"), FILES.values(), ids=FILES)
def test_a_bad_file_is_one_line_and_three(shop: Shop, lines: list[str], said: str) -> None:
    shop.deliver("2", *lines)
    code, line = shop.refused("ingest")
    assert code == 3
    assert re.search(said, line), line


@pytest.mark.slow
def test_a_mended_file_is_taken_in_after_all(shop: Shop) -> None:
    shop.deliver("2", HEADER, "c1,y,2025-02-01,a lot,EUR")
    assert shop.refused("ingest")[0] == 3
    shop.deliver("2", HEADER, ROW)
    told = shop.run("ingest")
    assert told.returncode == 0
    assert "generation 2" in told.stdout


@pytest.mark.slow
def test_a_missing_source_is_one_line_and_three(shop: Shop) -> None:
    shop.edit("shop.yaml", "orders/*.csv", "ordres/*.csv")
    code, line = shop.refused("ingest")
    assert code == 3
    assert "ordres/*.csv. Check the path" in line


@pytest.mark.slow
def test_a_wrong_configuration_is_a_line_a_fault_and_two(shop: Shop) -> None:
    shop.edit("shop.yaml", "Europe/Vilnius", "Europe/Wilnius")
    shop.edit("shop.yaml", "grain: order", "grain: oder")
    shop.edit("shop.yaml", "horizon_days: 30", "horizon_days: soon")
    shop.edit("shop.yaml", "seed: 7", "sead: 7")
    before = shop.published()
    told = shop.run("retrain")
    assert (told.returncode, told.stdout) == (2, "")
    assert [line.removeprefix(f"{shop.config}:") for line in told.stderr.splitlines()] == [
        "2: time_zone: no such time zone; use an IANA name such as Europe/London; found 'Europe/Wilnius'",
        "3: sead: there is no such key (did you mean seed)",
        "7: sources.orders.grain: input should be 'order' or 'line'; found 'oder' (did you mean order)",
        "10: churn.horizon_days: input should be a valid integer, unable to parse string as an integer; "
        "found 'soon'",
    ]
    assert shop.published() == before


@pytest.mark.slow
def test_a_place_that_cannot_be_written_is_seven(shop: Shop) -> None:
    code, line = shop.refused("features", "--as-of", "2025-01-15", "--out", shop.config / "out.parquet")
    assert code == 7
    assert "out.parquet: the machine refused it" in line
    shop.edit("shop.yaml", f"workspace: {shop.workspace}", f"workspace: {shop.config}/workspace")
    code, line = shop.refused("ingest")
    assert code == 7
    assert "workspace: the machine refused it" in line


@pytest.mark.slow
def test_a_night_without_any_model_is_two(shop: Shop) -> None:
    code, line = shop.refused("nightly", "--as-of", "2025-01-20")
    assert code == 2
    assert "Run `keepwell retrain` first" in line


@pytest.mark.slow
def test_a_history_too_short_names_the_earliest_date(tmp_path: Path) -> None:
    # Half of 60 days of history, one outcome of 30 days to learn from, one more to be judged by.
    shop = Shop(tmp_path)
    shop.deliver("1", HEADER, *orders(20, 91))
    shop.open()
    code, line = shop.refused("retrain", "--as-of", "2025-04-01")
    assert code == 3
    assert "Evaluate at 2025-03-02 or retrain as of 2025-04-02 at the earliest" in line
    code, line = shop.refused("retrain", "--as-of", "2025-04-02")
    assert "too few customers" in line  # the date itself is fine


@pytest.mark.slow
def test_too_few_customers_are_one_line_and_three(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.deliver("1", HEADER, *orders(20, 200, every=9))
    shop.open()
    code, line = shop.refused("retrain", "--as-of", "2025-07-19")
    assert code == 3
    assert "too few customers; found 20, needs 200" in line


@pytest.mark.slow
def test_one_class_only_is_one_line_and_three(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.deliver("1", HEADER, *orders(210, 200, every=9))
    shop.open()
    code, line = shop.refused("retrain", "--as-of", "2025-07-19")
    assert code == 3
    assert re.search(r"one class only: all \d+ rows stayed", line), line


@pytest.mark.slow
def test_an_unknown_key_of_an_action_stops_the_night(demo: Path, tmp_path: Path) -> None:
    catalogue = tmp_path / "actions.yaml"
    catalogue.write_text(CATALOGUE.replace("channel:", "chanel:"))
    words = ("nightly", "-c", "configs/demo.yaml", "--as-of", "2026-06-03")
    told = run_keepwell(demo, *words, KEEPWELL__ACTIONS__CATALOGUE=str(catalogue))
    assert told.returncode == 2
    assert "actions.note.chanel: there is no such key (did you mean channel)" in told.stderr
    assert not (demo / "nights/as_of=2026-06-03.json").exists()
