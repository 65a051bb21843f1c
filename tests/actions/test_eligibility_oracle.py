"""The mask against the rules written out once more, one customer and one action at a time."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.catalogue import CHANNELS, Action, Catalogue
from actions.rules.contacts import LEDGER_COLUMNS
from actions.rules.eligibility import eligibility
from actions.rules.reasons import Reason, reasons_in
from actions.rules.settings import Rules
from tables.calendar import DAY, NEVER
from tests.rules_read import (
    ANSWER_COLUMNS,
    CALENDAR,
    CONSENT_COLUMNS,
    NAMES,
    OFFER_COLUMNS,
    TICKET_COLUMNS,
    TONIGHT,
    Judge,
    Table,
    all_rules,
    answers,
    catalogues,
    consents,
    contacts,
    customers,
    midnight,
    offers,
    rows_of,
    tickets,
)


@settings(deadline=None, max_examples=100)
@given(
    people=customers,
    actions=catalogues,
    rules=all_rules,
    sent=contacts,
    agreed=st.none() | consents,
    asked=st.none() | tickets,
    given_away=st.none() | offers,
    answered=st.none() | answers,
)
def test_the_mask_agrees_with_the_rules_read_one_by_one(
    people: Table,
    actions: tuple[Action, ...],
    rules: Rules,
    sent: Table,
    agreed: Table | None,
    asked: Table | None,
    given_away: Table | None,
    answered: Table | None,
) -> None:
    people = [{"customer_id": name, **person} for name, person in zip(NAMES, people, strict=False)]
    found = eligibility(
        pd.DataFrame(people),
        catalogue=Catalogue.of(actions),
        rules=rules,
        as_of=TONIGHT,
        calendar=CALENDAR,
        global_control=np.array([person["global_control"] for person in people]),
        contacts=pd.DataFrame(sent, columns=list(LEDGER_COLUMNS)),
        consents=None if agreed is None else pd.DataFrame(agreed, columns=CONSENT_COLUMNS),
        tickets=None if asked is None else pd.DataFrame(asked, columns=TICKET_COLUMNS),
        offers=None if given_away is None else pd.DataFrame(given_away, columns=OFFER_COLUMNS),
        answers=None if answered is None else pd.DataFrame(answered, columns=ANSWER_COLUMNS),
    )
    for row, person in enumerate(people):
        name = person["customer_id"]
        judge = Judge(
            TONIGHT, rules, person, rows_of(sent, name), None if agreed is None else rows_of(agreed, name),
            rows_of(asked, name), rows_of(given_away, name), rows_of(answered, name),
        )  # fmt: skip
        for column, action in enumerate(actions):
            channel = judge.channel(action)
            expected = judge.broken(action, channel)
            assert CHANNELS[found.channels[row, column]] == channel
            assert found.explain(row, column) == reasons_in(int(expected))
            assert found.mask[row, column] == (expected == Reason(0))


@settings(deadline=None, max_examples=30)
@given(people=customers, rows=contacts, actions=catalogues, rules=all_rules, days=st.integers(0, 30))
def test_order_of_rows_and_later_contacts_change_nothing(
    people: Table, rows: Table, actions: tuple[Action, ...], rules: Rules, days: int
) -> None:
    people = [{"customer_id": name, **person} for name, person in zip(NAMES, people, strict=False)]
    later = {
        **dict.fromkeys(LEDGER_COLUMNS),
        "customer_id": "ann",
        "sent_at": midnight() + days * DAY,
        "team": "crm",
        "redeemed_at": NEVER,
    }

    def blocked(customers: Table, contacts: Table) -> list[list[int]]:
        return eligibility(
            pd.DataFrame(customers),
            catalogue=Catalogue.of(actions),
            rules=rules,
            as_of=TONIGHT,
            calendar=CALENDAR,
            global_control=np.array([person["global_control"] for person in customers]),
            contacts=pd.DataFrame(contacts, columns=list(LEDGER_COLUMNS)),
        ).blocked.tolist()

    expected = blocked(people, rows)
    assert blocked(people[::-1], [later, *rows[::-1]]) == expected[::-1]
