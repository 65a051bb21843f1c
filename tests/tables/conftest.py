"""A small shop on disk: write a delivery as CSV, take it in, read back who bought what and when it was known."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tables.calendar import NEVER, BusinessCalendar
from tables.history import History
from tables.ingest import ingest
from tables.report import IngestReport
from tables.rows import MONEY_SCALE, Codes
from tables.sources import IngestSettings, Source


def instant(text: str) -> int:
    """Return microseconds of an ISO time, UTC where it names no zone."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp()) * 1_000_000


NOW = instant("2030-01-01")


class Shop:
    """Deliveries and history of one test, under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "history"
        self.calendar = BusinessCalendar("UTC")
        self.settings = IngestSettings(threads=1)

    def deliver(self, name: str, header: str, *rows: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([header, *rows]) + "\n")
        return path

    def source(self, pattern: str, header: str, **parts: object) -> Source:
        columns = {name: name for name in header.split(",")}
        return Source.model_validate({"path": str(self.folder / pattern), "columns": columns, **parts})

    def ingest(
        self, sources: Mapping[str, Sequence[Source]], *, known_cutoff: str | None = None, now: int = NOW
    ) -> IngestReport:
        return ingest(
            sources,
            root=self.root,
            calendar=self.calendar,
            now=now,
            settings=self.settings,
            known_cutoff=instant(known_cutoff) if known_cutoff else None,
        )

    def facts(self, table: str, *columns: str) -> list[tuple[object, ...]]:
        """Return (customer, at, known, end, column...) of every version, in stored order per bucket."""
        history = History.open(self.root)
        found: list[tuple[object, ...]] = []
        for bucket in range(history.buckets):
            rows = history.read(table, bucket, columns)
            ids = history.customer_ids(bucket)
            content = [_plain(rows.columns[name], name) for name in columns]
            for position in range(len(rows)):
                times = (rows.at[position], rows.known_at[position], rows.superseded_at[position])
                values = [column[position] for column in content]
                found.append((ids[rows.customer[position]], *map(day, times), *values))
        return found

    def visible(self, table: str, as_of: str, *columns: str) -> list[tuple[object, ...]]:
        """Return what a snapshot may see, without its times, in sorted order."""
        cutoff = as_of
        return sorted(
            (row[0], *row[4:])
            for row in self.facts(table, *columns)
            if str(row[1]) < cutoff and str(row[2]) < cutoff <= str(row[3])
        )


def day(value: int) -> str:
    """Show an instant as text; ``never`` sorts after every date."""
    if value == NEVER:
        return "never"
    text = datetime.fromtimestamp(int(value) / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M")
    return text.removesuffix(" 00:00")


def _plain(values: object, name: str) -> list[object]:
    if isinstance(values, Codes):
        return [values.labels[code] if code >= 0 else None for code in values.codes]
    assert hasattr(values, "tolist")
    listed = values.tolist()
    return (
        [value / MONEY_SCALE for value in listed]
        if name in {"amount", "quantity", "discount", "cost", "shipping"}
        else listed
    )


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)
