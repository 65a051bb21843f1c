"""Who counts as left and who as won back where customers have contracts, worked by hand."""

from datetime import date
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pytest

from features.labels import build_labels
from features.lapses import last_fees
from features.population import subscribers_seen
from features.visibility import Moment
from pipeline.config import load_config
from pipeline.measuring.windows import lived
from pipeline.run import Run
from tables.calendar import NEVER, BusinessCalendar, OutcomeRule
from tables.history import History
from tests.features.conftest import MemoryHistory, instant, random_tables

ROOT = Path(__file__).parents[2]
NIGHT, READ = date(2025, 3, 1), date(2025, 6, 1)
STAYS, LEAVES = 0, 1


def row(begun: str, ended: str = "", known: str = "", until: str = "") -> tuple[int, ...]:
    """Return ``at, ended_at, known_at, superseded_at`` of a subscription; known from its start where not given."""
    at, end, told, replaced = (
        instant(f"{day} 12:00") if day else NEVER for day in (begun, ended, known, until)
    )
    return at, end, told if known else at, replaced


CONTRACTS = {
    "is subscribed throughout": (STAYS, [row("2024-01-01")]),
    "ends and stays away": (LEAVES, [row("2024-01-01", "2025-03-10")]),
    "ends and comes back after the grace": (LEAVES, [row("2024-01-01", "2025-03-10"), row("2025-03-20")]),
    "had ended and is won back": (STAYS, [row("2024-01-01", "2025-02-01"), row("2025-03-20")]),
    "had ended, is won back and ends again": (
        LEAVES,
        [row("2024-01-01", "2025-02-01"), row("2025-03-20", "2025-04-10")],
    ),
    "had ended and stays away": (LEAVES, [row("2024-01-01", "2025-02-01")]),
    "had ended and comes back after the window": (
        LEAVES,
        [row("2024-01-01", "2025-02-01"), row("2025-05-01")],
    ),
    "had ended before the night, which did not know it": (
        LEAVES,
        [
            row("2024-01-01", until="2025-03-05"),
            row("2024-01-01", "2025-02-20", known="2025-03-05"),
            row("2025-03-20"),
        ],
    ),
    "comes back, as is known too late": (
        LEAVES,
        [row("2024-01-01", "2025-02-01"), row("2025-03-20", known="2025-06-01")],
    ),
}


@pytest.fixture(scope="module")
def history() -> History:
    columns = ["customer", "at", "ended_at", "known_at", "superseded_at", "mrr"]
    rows = [(name, *told, 10.0) for name, (_, contracts) in CONTRACTS.items() for told in contracts]
    frame = pd.DataFrame(rows, columns=columns)
    return cast(History, MemoryHistory({"subscriptions": frame}, names=[*CONTRACTS]))


def test_who_was_without_a_contract_stays_by_having_one_at_the_end(history: History) -> None:
    run = Run(load_config(ROOT / "configs/ravenstack.yaml", {}), now=0)  # 60 days, no grace
    starts = pd.DataFrame({"customer": range(len(CONTRACTS)), "planned_on": pd.Timestamp(NIGHT)})
    found = lived(run, history, starts, as_of=READ)
    assert dict(zip(CONTRACTS, found["churned"], strict=True)) == {
        name: churned for name, (churned, _) in CONTRACTS.items()
    }


def test_the_last_fee_is_that_of_the_end_known_by_the_night(history: History) -> None:
    rows = history.read("subscriptions", 0, ["ended_at", "mrr"])
    found = last_fees(rows, Moment.of(NIGHT, BusinessCalendar("UTC")))
    assert {name for name, fee in zip(CONTRACTS, found, strict=True) if fee == 10} == {
        "had ended and is won back",
        "had ended, is won back and ends again",
        "had ended and stays away",
        "had ended and comes back after the window",
        "comes back, as is known too late",
    }
    assert set(found) == {0, 10}


@pytest.mark.parametrize("seed", range(5))
def test_whom_the_night_saw_with_a_contract_is_whom_labels_watch(seed: int) -> None:
    rng, rule = np.random.default_rng(seed), OutcomeRule(horizon_days=10, grace_days=2)
    history = MemoryHistory(random_tables(rng, [f"c{number}" for number in range(12)]))
    day, calendar = date(2025, 2, 20), BusinessCalendar("UTC")
    (labels,) = build_labels(
        cast(History, history), as_of=[day], calendar=calendar, rule=rule, known_before=None
    )
    seen = subscribers_seen(history.read("subscriptions", 0, ["ended_at"]), Moment.of(day, calendar))
    assert labels.frame["customer"].tolist() == np.flatnonzero(seen).tolist()
