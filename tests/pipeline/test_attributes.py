"""What a night sees of the history, also when it is caught up weeks later."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from actions.rules.standing import Night, marketing_consents, open_tickets
from pipeline.attributes import history_table
from tables.calendar import NEVER, BusinessCalendar
from tables.history import History
from tables.ingest import ingest
from tables.sources import IngestSettings, Source

UTC = BusinessCalendar("UTC")
TICKETS = "customer_id,ticket_id,opened_at,solved_at,reopened_at,rated_at,csat,channel"
CONSENTS = "customer_id,channel,purpose,given_at,withdrawn_at"


def source(folder: Path, name: str, header: str, *rows: str) -> list[Source]:
    path = folder / f"{name}.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return [Source(path=str(path), columns={column: column for column in header.split(",")})]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """A history taken in at once, long after everything in it happened."""
    folder = tmp_path_factory.mktemp("late")
    tickets = source(
        folder,
        "tickets",
        TICKETS,
        "ann,1,2025-02-01,2025-03-10,,2025-03-11,1,phone",
        "bob,2,2025-02-01,2025-02-03,2025-03-02,2025-02-04,5,email",
        "cyd,3,2025-02-01,2025-02-03,2025-02-20,,,email",
        "dan,4,2025-02-01,2025-03-01,,2025-03-01,2,phone",
    )
    consents = source(folder, "consents", CONSENTS, "ann,email,marketing,2025-01-01,2025-03-05")
    ingest(
        {"tickets": tickets, "consents": consents},
        root=folder / "history",
        calendar=UTC,
        now=UTC.midnight(date(2030, 1, 1)),
        settings=IngestSettings(threads=1),
    )
    return History.open(folder / "history")


def seen(history: History, table: str, as_of: date) -> pd.DataFrame:
    rows = history_table(history, table, as_of=as_of, calendar=UTC)
    assert rows is not None
    return rows.set_index("customer_id").sort_index()


def test_a_backfilled_night_does_not_see_what_came_later(history: History) -> None:
    rows = seen(history, "tickets", date(2025, 3, 1))
    assert rows["solved_at"].tolist() == [
        NEVER,
        *(UTC.midnight(date(2025, 2, 3)),) * 2,
        NEVER,
    ]
    assert (rows["reopened_at"] == NEVER).tolist() == [True, True, False, True]
    assert rows["csat"].dropna().to_dict() == {"bob": 5}
    assert rows["opened_at"].tolist() == rows["at"].tolist()
    assert rows.loc["ann", "channel"] == "phone"
    later = seen(history, "tickets", date(2025, 3, 12))
    assert later["csat"].tolist()[:2] == [1, 5] and later["csat"].iloc[3] == 2
    assert seen(history, "consents", date(2025, 3, 5))["withdrawn_at"].tolist() == [NEVER]
    assert seen(history, "consents", date(2025, 3, 6))["withdrawn_at"].tolist() != [NEVER]


@pytest.mark.parametrize(
    ("as_of", "is_open", "agrees"),
    [
        (date(2025, 2, 10), [True, False, False, True], True),
        (date(2025, 3, 1), [True, False, True, True], True),
        (date(2025, 3, 2), [True, False, True, False], True),
        (date(2025, 3, 12), [False, True, True, False], False),
    ],
)
def test_standing_is_that_of_the_night(
    history: History, as_of: date, is_open: list[bool], agrees: bool
) -> None:
    night = Night(pd.DataFrame({"customer_id": ["ann", "bob", "cyd", "dan"]}), as_of, UTC)
    tickets, consents = (seen(history, name, as_of).reset_index() for name in ("tickets", "consents"))
    assert open_tickets(tickets, night)[0].tolist() == is_open
    assert marketing_consents(consents, night).any(axis=1).tolist() == [agrees, *np.zeros(3, bool)]


def test_a_rating_without_its_time_is_never_seen(tmp_path: Path) -> None:
    header = "customer_id,ticket_id,opened_at,csat,rated_at"
    tickets = source(tmp_path, "tickets", header, "ann,1,2025-02-01,1,")
    ingest(
        {"tickets": tickets},
        root=tmp_path / "history",
        calendar=UTC,
        now=UTC.midnight(date(2030, 1, 1)),
        settings=IngestSettings(threads=1),
    )
    rows = seen(History.open(tmp_path / "history"), "tickets", date(2025, 3, 1))
    assert rows["csat"].isna().tolist() == [True]
