from datetime import date

import numpy as np
import pandas as pd
import pytest

from actions.catalogue import CHANNELS
from actions.rules.contacts import LEDGER_COLUMNS
from actions.rules.standing import Night, PastContacts, marketing_consents, open_tickets, running_discounts
from tables.calendar import HOUR, NEVER, BusinessCalendar
from tables.errors import SchemaError

# On 30 March 2025 the clocks in Vilnius went forward: that local day has 23 hours.
CALENDAR = BusinessCalendar("Europe/Vilnius")


def night(as_of: date = date(2025, 3, 31), **columns: list[object]) -> Night:
    return Night(pd.DataFrame({"customer_id": ["ann", "bob"], **columns}), as_of, CALENDAR)


def test_days_before_the_night_begin_at_local_midnights() -> None:
    assert night().midnight() - night().midnight(1) == 23 * HOUR
    assert night().midnight(1) - night().midnight(2) == 24 * HOUR


def test_flags_are_no_where_absent_or_missing() -> None:
    assert night(vip=[True, None]).flag("vip").tolist() == [True, False]
    assert night(vip=[-1, 1]).flag("vip").tolist() == [False, True]
    assert night().flag("vip").tolist() == [False, False]


def test_a_contact_counts_in_the_local_day_it_fell_in() -> None:
    rows = pd.DataFrame([dict.fromkeys(LEDGER_COLUMNS)]).assign(
        customer_id="bob", team="crm", action="note", delivery="confirmed", channel="email"
    )
    for hours, within in ((23, True), (23.1, False)):
        sent_at = night().midnight() - round(hours * HOUR)
        past = PastContacts(rows.assign(sent_at=sent_at), night())
        assert past.by_other_teams(1).tolist() == [False, within]
        assert past.at_cap(0, days=1, most=1).tolist() == [False, within]
        assert past.assigned(["note"], days=1).tolist() == [0, int(within)]


def contact(**changes: object) -> pd.DataFrame:
    plain = {"customer_id": "bob", "sent_at": night().midnight(20), "team": "crm", "channel": "sms"}
    plain |= {"action": "note", "delivery": "confirmed", "redeemed_at": night().midnight(5)}
    return pd.DataFrame([{**dict.fromkeys(LEDGER_COLUMNS), **plain, **changes}])


@pytest.mark.parametrize(
    ("changes", "days", "expected"),
    [
        ({}, 5, True),
        ({}, 4, False),
        ({"redeemed_at": NEVER}, 5, False),
        ({"redeemed_at": None}, 5, False),
        ({"team": "keepwell"}, 5, False),
        ({"team": "keepwell", "action": "offer"}, 5, True),
    ],
)
def test_what_other_teams_gave_counts_when_redeemed(
    changes: dict[str, object], days: int, expected: bool
) -> None:
    past = PastContacts(contact(**changes), night())
    assert past.redeemed(["offer"], days=days).tolist() == [False, expected]


def test_redemptions_are_answers_over_their_channel() -> None:
    counts = PastContacts(contact(), night()).redeemed_over(5)
    assert np.argwhere(counts).tolist() == [[1, CHANNELS.index("sms")]]
    assert not PastContacts(contact(channel="pigeon"), night()).redeemed_over(5).any()
    assert not PastContacts(contact(), night()).redeemed_over(4).any()


@pytest.mark.parametrize(
    ("begin", "end", "completed", "reward", "has_discount"),
    [
        (40, -10, None, 5.0, True),
        (40, -10, None, 0.0, False),
        (40, -10, None, None, True),
        (40, 0, None, 5.0, False),
        (0, -10, None, 5.0, False),
        (40, -10, 31, 5.0, False),
        (40, 20, 30, 5.0, True),
        (30, None, None, 5.0, True),
        (31, None, None, 5.0, False),
    ],
)
def test_an_offer_is_a_discount_while_it_runs_and_when_used(
    begin: int, end: int | None, completed: int | None, reward: float | None, has_discount: bool
) -> None:
    moments = {"starts_at": begin, "ends_at": end, "completed_at": completed}
    row = {name: None if days is None else night().midnight(days) for name, days in moments.items()}
    row |= {"customer_id": "bob"} if reward is None else {"customer_id": "bob", "reward": reward}
    found = running_discounts(pd.DataFrame([row]), night(), runs_days=30)
    assert found.tolist() == [False, has_discount]


def test_consents_stand_per_channel() -> None:
    rows = pd.DataFrame(
        {"customer_id": ["bob", "eve"], "channel": "sms", "purpose": "marketing", "given_at": 0}
    )
    granted = marketing_consents(rows, night())
    assert np.argwhere(granted).tolist() == [[1, CHANNELS.index("sms")]]


def test_tickets_without_a_channel_column_are_still_open() -> None:
    rows = pd.DataFrame({"customer_id": ["bob"], "opened_at": [0], "solved_at": [np.nan]})
    is_open, channel = open_tickets(rows, night())
    assert is_open.tolist() == [False, True]
    assert channel.tolist() == [-1, -1]


@pytest.mark.parametrize("column", ["channel", "purpose", "given_at"])
def test_consents_without_a_needed_column_are_refused(column: str) -> None:
    rows = pd.DataFrame({"customer_id": ["bob"], "channel": "sms", "purpose": "marketing", "given_at": 0})
    with pytest.raises(SchemaError, match=f"consents: no column '{column}'"):
        marketing_consents(rows.drop(columns=column), night())


def test_customers_without_ids_are_refused() -> None:
    with pytest.raises(SchemaError, match="customers: no column 'customer_id'"):
        Night(pd.DataFrame({"id": [1]}), date(2025, 1, 1), CALENDAR)
