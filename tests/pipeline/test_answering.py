"""Where customers answer: only by what tells of a channel, lately, and known by the night."""

from datetime import date
from pathlib import Path

import pytest

from pipeline.answering import event_answers
from tables.calendar import BusinessCalendar
from tables.history import History
from tables.ingest import ingest
from tables.sources import IngestSettings, Source

UTC = BusinessCalendar("UTC")
NIGHT = date(2025, 7, 1)
EVENTS = """customer_id,type,occurred_at,known_at
ann,email_click,2025-06-30,2025-06-30
ann,email_click,2025-06-29,2025-06-29
ann,app_use,2025-06-28,2025-06-28
ann,email_click,2025-07-01,2025-07-01
ann,email_click,2025-06-30T10:00,2025-07-02
bob,app_use,2025-01-02,2025-01-02
bob,app_use,2025-01-01,2025-01-01
cyd,email_open,2025-06-30,2025-06-30
cyd,session,2025-06-30,2025-06-30
"""


def history(folder: Path, table: str, content: str) -> History:
    file = folder / f"{table}.csv"
    file.write_text(content)
    columns = {column: column for column in content.splitlines()[0].split(",")}
    ingest(
        {table: [Source(path=str(file), columns=columns)]},
        root=folder / "history",
        calendar=UTC,
        now=UTC.midnight(date(2030, 1, 1)),
        settings=IngestSettings(threads=1, customers_per_bucket=2),
    )
    return History.open(folder / "history")


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (NIGHT, [("ann", "email", 2), ("ann", "in_app", 1), ("bob", "in_app", 1)]),
        (date(2025, 6, 29), [("ann", "in_app", 1), ("bob", "in_app", 2)]),
        (date(2025, 1, 1), []),
    ],
)
def test_clicks_and_uses_known_by_the_night_count(
    tmp_path: Path, as_of: date, expected: list[tuple[str, str, int]]
) -> None:
    found = event_answers(history(tmp_path, "events", EVENTS), as_of=as_of, calendar=UTC)
    assert found is not None
    assert sorted(found.itertuples(index=False, name=None)) == expected


def test_without_events_nobody_is_known_to_answer(tmp_path: Path) -> None:
    tickets = "customer_id,ticket_id,opened_at\nann,1,2025-02-01\n"
    assert event_answers(history(tmp_path, "tickets", tickets), as_of=NIGHT, calendar=UTC) is None
