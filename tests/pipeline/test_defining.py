"""The workbench: dates with complete outcomes only, honest about the log's end, one proposal with its reason."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from features.definitions import Contract, Inactivity, Rhythm
from features.silences import Silences
from features.tallies import Span, Tally
from pipeline.cli import keepwell
from pipeline.config import load_config
from pipeline.defining.candidates import Candidate, dates_of
from pipeline.defining.defining import define
from pipeline.defining.proposing import propose
from pipeline.run import Run
from tables.calendar import BusinessCalendar, OutcomeRule
from tables.errors import DataError
from tests import contract_shop
from tests.small_shop import ACTIONS, SHOP

UTC = BusinessCalendar("UTC")
FIRST = date(2025, 1, 1)
AS_OF = date(2026, 1, 1)
CONFIG = (
    "name: <Corner> shop\n"
    + SHOP.replace("UTC", "Europe/Vilnius")
    + "churn: {{horizon_days: 30, active_within_days: 60}}\n"
    + ACTIONS
)


def span(days: int = 300, follow_up_days: int = 60) -> Span:
    return Span("orders", FIRST, FIRST + timedelta(days=days), 0, follow_up_days, UTC)


def silent(horizon: int, *counts: tuple[int, int, int], of: Span | None = None) -> Candidate:
    """A fixed number of days, with (population, churned, returned) per date, newest first."""
    rule, of = OutcomeRule(horizon_days=horizon, active_within_days=2 * horizon), of or span()
    tallies = {
        day: Tally(watched, 0, churned, returned, {"not active": 10})
        for day, (watched, churned, returned) in zip(dates_of(rule, of), counts, strict=False)
    }
    return Candidate(Inactivity(rule), of, tallies, customers=1_000, is_configured=False)


def coming_back(*days: int) -> Silences:
    """Silences that ended after so many days, all of them."""
    ended = np.bincount(days)
    return Silences(ended, np.zeros_like(ended))


def test_false_churn_counts_only_dates_with_log_enough_left() -> None:
    # Windows of 30 days close 0, 37, 74, ... days before the end; 60 days are left after the third alone.
    found = silent(30, (400, 200, 0), (400, 200, 0), (400, 200, 150))
    assert found.churn_rate == 0.5
    assert found.false_churn_share == 0.75
    assert found.answer(coming_back(5))["false_churn_dates"] == 1
    assert [each["returned"] for each in found.answer(coming_back(5))["by_date"]] == [None, None, 150]


def test_false_churn_is_missing_where_the_log_is_short() -> None:
    found = silent(30, (400, 200, 99))
    assert found.false_churn_share is None
    assert found.problems() == [
        "only 1 complete outcome, 2 are needed",
        "false churn not measured: no date has 60 days of log after its window",
    ]


def test_a_log_too_short_for_any_outcome_says_by_how_much() -> None:
    found = silent(120, of=span(days=350))
    assert found.problems() == ["no outcome is complete: the log is 10 days too short"]
    assert found.left_out() == {"outcome not yet complete": 1_000}


def test_everybody_is_watched_or_left_out_for_a_reason() -> None:
    found = silent(30, (400, 200, 0))
    assert found.left_out() == {"not active": 10, "outcome not yet complete": 590}


def test_the_shortest_window_that_most_returns_fit_in_is_proposed() -> None:
    weeks = silent(14, *6 * [(400, 300, 120)])
    month = silent(30, *2 * [(400, 200, 0)], *3 * [(400, 200, 80)])
    found = propose("inactivity", [weeks, month], coming_back(*3 * [10], 20, 100))
    assert found.candidate is month  # a fortnight holds three of five returns, a month four
    assert "80% of those who come back within 120 days" in found.why
    assert "40% come back in the 60 days after" in found.why
    assert "After 14 days it is 60%" in found.why


def test_silence_that_never_means_goodbye_is_said_so() -> None:
    month = silent(30, *2 * [(400, 200, 0)], *3 * [(400, 200, 180)])
    found = propose("inactivity", [month], coming_back(10))
    assert found.candidate is month
    assert "still 90%" in found.why
    assert "seldom means goodbye" in found.why


def test_nothing_is_proposed_from_too_few_customers() -> None:
    few = silent(30, *5 * [(60, 20, 1)])
    found = propose("inactivity", [few], coming_back(10))
    assert found.candidate is None
    assert "only 20 customers left at the newest date, 50 are needed" in found.why


def test_days_of_grace_keep_false_alarms_to_one_in_ten() -> None:
    def ended(grace: int, returned: int) -> Candidate:
        rule = OutcomeRule(horizon_days=30, grace_days=grace)
        tallies = {day: Tally(400, 0, 100, returned) for day in dates_of(rule, span())}
        return Candidate(Contract(rule), span(), tallies, 1_000, is_configured=grace == 0)

    found = propose("contract", [ended(0, 30), ended(7, 9), ended(30, 2)], coming_back(5))
    assert found.candidate is not None
    assert found.candidate.name == "30 days, 7 days of grace"


@given(
    days=st.integers(1, 900), horizon=st.integers(1, 200), gap=st.integers(0, 20), settle=st.integers(0, 20)
)
def test_outcomes_are_complete_and_never_overlap(days: int, horizon: int, gap: int, settle: int) -> None:
    rule = OutcomeRule(horizon_days=horizon, active_within_days=2 * horizon, gap_days=gap, settle_days=settle)
    found = dates_of(rule, span(days))
    assert len(found) <= 8
    assert all(rule.complete_on(day) <= FIRST + timedelta(days=days) for day in found)
    assert all(day - timedelta(days=2 * horizon) >= FIRST for day in found)
    assert all((later - day).days >= horizon for later, day in pairwise(found))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose customers buy every week or two until they leave for good; a few pause for two months."""
    folder, rng = tmp_path_factory.mktemp("shop"), np.random.default_rng(11)
    rows = ["who,order,at,amount"]
    for customer in range(360):
        day, leaves = int(rng.integers(0, 200)), rng.geometric(1 / 150)
        begun = day
        while day < min(365, begun + leaves):
            rows.append(f"c{customer},o{len(rows)},{FIRST + timedelta(days=day)} 10:00,5")
            day += int(rng.integers(50, 70)) if rng.random() < 0.03 else int(rng.integers(4, 15))
    rows.append(f"last,o{len(rows)},{AS_OF} 09:00,5")
    (folder / "orders.csv").write_text("\n".join(rows) + "\n")
    (folder / "shop.yaml").write_text(CONFIG.format(folder=folder))
    return folder


def told(shop: Path, *words: str) -> dict[str, Any]:
    answer = CliRunner().invoke(keepwell, ["define", "-c", str(shop / "shop.yaml"), "--json", *words])
    assert answer.exit_code == 0, answer.output
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def names(candidates: Sequence[dict[str, Any]]) -> list[str]:
    return [each["name"] for each in candidates]


def test_the_command_keeps_its_answer_as_json_and_page(shop: Path) -> None:
    found = told(shop, "--as-of", "2026-01-02")
    page = Path(found.pop("page"))
    kept = page.with_name("definitions.json").read_text()
    assert json.loads(kept) == found
    assert names(found["inactivity"]["candidates"])[:4] == ["7 days", "14 days", "21 days", "30 days"]
    for kind in ("inactivity", "rhythm"):
        assert found[kind]["proposal"]["name"] in names(found[kind]["candidates"])
        for each in found[kind]["candidates"]:
            watched = each["by_date"][0]["population"] if each["by_date"] else 0
            assert (
                watched + sum(each["left_out_at_newest_date"].values())
                == found["logs"]["orders"]["customers"]
            )
    html = page.read_text()
    assert "&lt;Corner&gt; shop" in html
    assert found["inactivity"]["proposal"]["why"] in html
    assert "<script" not in html
    assert "http" not in html
    assert told(shop, "--as-of", "2026-01-02")["page"] == str(page)
    assert (page.read_text(), page.with_name("definitions.json").read_text()) == (html, kept)


def test_rows_after_the_date_change_nothing(shop: Path) -> None:
    early = told(shop, "--as-of", "2025-10-01", "--days", "20,30")
    rows = (shop / "orders.csv").read_text().splitlines()
    shorter = shop / "shorter"
    shorter.mkdir()
    cut = [row for row in rows[1:] if row.split(",")[2] < "2025-10-01"]
    cut.append("last,o0,2025-10-01 09:00,5")
    (shorter / "orders.csv").write_text("\n".join([rows[0], *cut]) + "\n")
    (shorter / "shop.yaml").write_text(CONFIG.format(folder=shorter))
    again = told(shorter, "--as-of", "2025-10-01", "--days", "20,30")
    assert {**early, "page": ""} == {**again, "page": ""}


def test_a_window_longer_than_the_log_is_listed_with_its_reason(shop: Path) -> None:
    found = told(shop, "--as-of", "2026-01-02", "--days", "5000")
    (only,) = found["inactivity"]["candidates"]
    assert only["churn_rate"] is None
    assert "days too short" in only["problems"][0]
    assert found["inactivity"]["proposal"]["name"] is None
    assert "no outcome is complete" in Path(found["page"]).read_text()


def test_lengths_that_are_no_days_are_wrong_usage(shop: Path) -> None:
    answer = CliRunner().invoke(keepwell, ["define", "-c", str(shop / "shop.yaml"), "--days", "30,-1"])
    assert answer.exit_code == 2
    assert "are no whole days from 1 on; write them as 30,60,90" in answer.output


def test_a_log_of_days_is_refused_with_advice(shop: Path) -> None:
    run = Run(config=load_config(shop / "shop.yaml", {}), now=2**60)
    with run.locked("test") as run, pytest.raises(DataError, match=r"orders of 12 days or more.*span 9 days"):
        define(run, as_of=FIRST + timedelta(days=10))


def test_contracts_are_tried_with_several_days_of_grace(tmp_path: Path) -> None:
    contracts, uses = contract_shop.drawn(customers=1_200)
    config = contract_shop.write(tmp_path, contracts, uses.head(1))
    run = Run(config=config, now=BusinessCalendar("Europe/Vilnius").midnight(contract_shop.AS_OF))
    with run.locked("test") as run:
        found = define(run, as_of=contract_shop.AS_OF)
    tried = names(found["contract"]["candidates"])
    assert "30 days, 5 days of grace" in tried
    assert "30 days, 60 days of grace" in tried
    grace = {
        each["grace_days"]: each for each in found["contract"]["candidates"] if each["horizon_days"] == 30
    }
    # A fifth of those who end are back 40 days later: a grace of 60 days takes them for what they are.
    assert grace[5]["false_churn_share"] > 0.1
    assert grace[60]["false_churn_share"] == 0
    assert found["contract"]["proposal"]["grace_days"] == 60


def test_a_rhythm_has_a_name_of_its_own() -> None:
    rule = OutcomeRule(horizon_days=60, active_within_days=60)
    found = Candidate(Rhythm(rule, 1.5), span(), {}, 5, is_configured=False)
    assert found.name == "1.5 times the own usual gap"
