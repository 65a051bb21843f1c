from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.catalogue import Action, Catalogue
from actions.rules.contacts import LEDGER_COLUMNS, contact_ledger
from tables.calendar import DAY, HOUR, NEVER, BusinessCalendar
from tables.errors import SchemaError

TONIGHT = date(2025, 3, 31)  # the first midnight after the clocks went forward
CALENDAR = BusinessCalendar("Europe/Vilnius")
MIDNIGHT = CALENDAR.midnight(TONIGHT)


def action(name: str, kind: str) -> Action:
    return Action.model_validate(
        {
            "id": name, "carries_out": ["messaging"], "trigger": "True", "channel": "email", "kind": kind,
            "contact_cost": 0, "prior_save": 0.1, "prior_save_sd": 0.1, "cooldown_days": 5, "wording": {"en": "x"},
        }
    )  # fmt: skip


CATALOGUE = Catalogue.of([action("note", "content"), action("call", "service")])


def plan(day: date, *rows: tuple[str, str, str, str]) -> pd.DataFrame:
    columns = ["customer_id", "action", "planned_action", "arm"]
    return pd.DataFrame(list(rows), columns=columns).assign(as_of=pd.Timestamp(day), channel="email")


def contact(customer: str, sent_at: int, team: str, **more: Any) -> dict[str, Any]:
    return {"customer_id": customer, "sent_at": sent_at, "team": team, "channel": "email", **more}


def ledger(contacts: list[dict[str, Any]] | None, *plans: pd.DataFrame) -> pd.DataFrame:
    table = None if contacts is None else pd.DataFrame(contacts)
    return contact_ledger(table, plans, as_of=TONIGHT, calendar=CALENDAR, catalogue=CATALOGUE)


def days_ago(days: int) -> date:
    return TONIGHT - timedelta(days=days)


def test_sent_withheld_and_explored_rows_all_count() -> None:
    night = plan(
        days_ago(2),
        ("ann", "note", "note", "sent"),
        ("bob", "none", "note", "control"),
        ("cid", "call", "note", "explored"),
        ("dan", "none", "none", "global_control"),
    )
    rows = ledger(None, night)
    assert rows["customer_id"].tolist() == ["ann", "bob", "cid"]
    assert rows["action"].tolist() == ["note", "note", "call"]
    assert rows["purpose"].tolist() == ["marketing", "marketing", "service"]
    assert rows["delivery"].tolist() == ["awaited", "withheld", "awaited"]
    assert (rows["sent_at"] == CALENDAR.midnight(days_ago(2))).all()
    assert (rows["team"] == "keepwell").all()


@pytest.mark.parametrize(
    ("days", "delivery"), [(1, "awaited"), (6, "awaited"), (7, "assumed"), (30, "assumed")]
)
def test_silence_for_seven_days_is_taken_as_delivered(days: int, delivery: str) -> None:
    # Seven local days across the change of clocks are an hour short of 7 x 24.
    rows = ledger(None, plan(days_ago(days), ("ann", "note", "note", "sent")))
    assert rows["delivery"].tolist() == [delivery]


@pytest.mark.parametrize(
    ("status", "delivery"), [("delivered", "confirmed"), ("not_delivered", "not_delivered")]
)
def test_a_report_counts_once_with_its_assignment(status: str, delivery: str) -> None:
    sent_at = CALENDAR.midnight(days_ago(10)) + 9 * HOUR
    report = contact("ann", sent_at, "keepwell", action="note", status=status)
    rows = ledger([report], plan(days_ago(10), ("ann", "note", "note", "sent")))
    assert rows["delivery"].tolist() == [delivery]
    assert rows["sent_at"].tolist() == [CALENDAR.midnight(days_ago(10))]


def test_one_arrival_outweighs_failed_attempts() -> None:
    sent_at = CALENDAR.midnight(days_ago(10))
    reports = [
        contact("ann", sent_at + hours * HOUR, "keepwell", action="note", status=status)
        for hours, status in ((1, "not_delivered"), (2, "delivered"), (3, "not_delivered"))
    ]
    rows = ledger(reports, plan(days_ago(10), ("ann", "note", "note", "sent")))
    assert rows["delivery"].tolist() == ["confirmed"]


def test_the_first_redemption_is_told_by_the_reports() -> None:
    sent_at = CALENDAR.midnight(days_ago(10))
    reports = [
        contact("ann", sent_at + hours * HOUR, "keepwell", action="note", redeemed_at=redeemed)
        for hours, redeemed in ((1, MIDNIGHT - 5), (2, None), (3, MIDNIGHT - 7))
    ]
    crm = contact("bob", sent_at, "crm", redeemed_at=MIDNIGHT - 3)
    nights = [plan(days_ago(days), ("ann", "note", "note", "sent")) for days in (20, 10)]
    rows = ledger([*reports, crm, contact("bob", sent_at, "crm")], *nights)
    assert rows["redeemed_at"].tolist() == [MIDNIGHT - 3, NEVER, NEVER, MIDNIGHT - 7]
    for others in (None, [crm]):
        assert ledger(others, *nights)["redeemed_at"].tolist()[-2:] == [NEVER, NEVER]


def test_a_withheld_row_stays_withheld_whatever_is_reported() -> None:
    report = contact(
        "ann", CALENDAR.midnight(days_ago(3)) + 1, "keepwell", action="note", status="not_delivered"
    )
    rows = ledger([report], plan(days_ago(3), ("ann", "none", "note", "control")))
    assert rows["delivery"].tolist() == ["withheld"]


def test_reports_of_no_assignment_count_themselves() -> None:
    early = contact("ann", CALENDAR.midnight(days_ago(11)), "keepwell", action="note")
    other_action = contact("ann", CALENDAR.midnight(days_ago(10)), "keepwell", action="call")
    rows = ledger([early, other_action], plan(days_ago(10), ("ann", "note", "note", "sent")))
    assert rows["delivery"].tolist() == ["confirmed", "confirmed", "assumed"]


def test_each_report_speaks_of_the_last_assignment_before_it() -> None:
    plans = [plan(days_ago(days), ("ann", "note", "note", "sent")) for days in (20, 15)]
    report = contact(
        "ann", CALENDAR.midnight(days_ago(14)), "keepwell", action="note", status="not_delivered"
    )
    assert ledger([report], *plans)["delivery"].tolist() == ["assumed", "not_delivered"]


def test_other_teams_contacts_are_kept_as_they_are() -> None:
    rows = ledger(
        [contact("ann", MIDNIGHT - DAY, "crm", action="note", purpose="marketing", arm=None)],
        plan(days_ago(1), ("ann", "note", "note", "sent")),
    )
    assert rows["team"].tolist() == ["crm", "keepwell"]
    assert rows["delivery"].tolist() == ["confirmed", "awaited"]


def test_nothing_from_tonight_or_later_is_in_the_ledger() -> None:
    contacts = [contact("ann", MIDNIGHT + late, "crm") for late in (-1, 0, 1)]
    plans = [plan(TONIGHT + timedelta(days=late), ("bob", "note", "note", "sent")) for late in (-1, 0, 1)]
    rows = ledger(contacts, *plans)
    assert rows["sent_at"].tolist() == [MIDNIGHT - 1, CALENDAR.midnight(days_ago(1))]


def test_no_contacts_and_no_plans_give_an_empty_ledger() -> None:
    for rows in (ledger(None), ledger(None, plan(days_ago(1)))):
        assert rows.empty
        assert list(rows.columns) == list(LEDGER_COLUMNS)


@pytest.mark.parametrize("column", ["customer_id", "sent_at"])
def test_contacts_without_a_needed_column_are_refused(column: str) -> None:
    contacts = pd.DataFrame([contact("ann", 0, "crm")]).drop(columns=column)
    with pytest.raises(SchemaError, match=f"contacts: no column '{column}'"):
        contact_ledger(contacts, [], as_of=TONIGHT, calendar=CALENDAR, catalogue=CATALOGUE)


def test_plans_without_a_needed_column_are_refused() -> None:
    with pytest.raises(SchemaError, match="plan: no column 'planned_action'"):
        ledger(None, plan(days_ago(1), ("a", "note", "note", "sent")).drop(columns="planned_action"))


@settings(deadline=None, max_examples=30)
@given(
    sent=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(-3, 20), st.booleans()), unique=True, max_size=8
    ),
    reported=st.lists(
        st.tuples(
            st.sampled_from("abc"), st.integers(-3, 30), st.booleans(), st.sampled_from(["keepwell", "crm"])
        ),
        max_size=8,
    ),
    seed=st.integers(0, 99),
)
def test_every_assignment_stands_once_whatever_is_reported(
    sent: list[tuple[str, int, bool]], reported: list[tuple[str, int, bool, str]], seed: int
) -> None:
    plans = [
        plan(days_ago(days), (who, "note" if is_sent else "none", "note", "sent" if is_sent else "control"))
        for who, days, is_sent in sent
    ]
    contacts = [
        contact(
            who, MIDNIGHT - days * DAY, team, action="note", status="delivered" if ok else "not_delivered"
        )
        for who, days, ok, team in reported
    ]
    rows = ledger(contacts or None, *plans)
    own = rows[rows["delivery"].isin(["assumed", "awaited", "withheld"]) | (rows["arm"].notna())]
    assert sorted(own["customer_id"]) == sorted(who for who, days, _ in sent if days > 0)
    assert (rows["team"] == "crm").sum() == sum(team == "crm" and days > 0 for _, days, _, team in reported)
    assert (rows["sent_at"] < MIDNIGHT).all()
    shuffled = [plans[place] for place in np.random.default_rng(seed).permutation(len(plans))]
    again = ledger(contacts[::-1] or None, *shuffled)
    key = list(LEDGER_COLUMNS)
    pd.testing.assert_frame_equal(
        rows.sort_values(key, ignore_index=True), again.sort_values(key, ignore_index=True), check_dtype=False
    )
