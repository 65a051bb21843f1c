"""The mask against the rules written out once more, one customer and one action at a time."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.catalogue import CHANNELS, Action, Catalogue
from actions.contacts import LEDGER_COLUMNS
from actions.eligibility import eligibility
from actions.reasons import Reason, reasons_in
from actions.rules import ChannelCap, Rules
from tables.calendar import DAY, HOUR, NEVER, BusinessCalendar

TONIGHT = date(2025, 4, 2)  # the clocks went forward three days before
CALENDAR = BusinessCalendar("Europe/Vilnius")
NAMES = ("ann", "bob", "cid", "dan")
ACTIONS = ("note", "offer", "bundle", "call")
Table = list[dict[str, Any]]

instants = st.integers(-2, 400).map(
    lambda days: CALENDAR.midnight(TONIGHT - timedelta(days=days))
) | st.integers(-48, 24 * 100).map(lambda hours: CALENDAR.midnight(TONIGHT) - hours * HOUR)
names = st.sampled_from([*NAMES, "eve"])
channels = st.sampled_from(["email", "sms", "phone"])
flags = st.sampled_from([True, False, False, False])
regions = st.sampled_from(["LT", "CN", None])
customers = st.lists(
    st.fixed_dictionaries(
        {
            "region": regions, "orders": st.integers(0, 3), "is_minor": flags, "is_vulnerable": flags,
            "in_complaint": flags, "on_discount": flags, "preferred_channel": channels | st.none(),
            "answers_on_channel": channels | st.none(), "global_control": flags,
        }
    ),
    min_size=1, max_size=4,
)  # fmt: skip
contacts = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": names, "sent_at": instants, "team": st.sampled_from(["keepwell", "crm", None]),
            "channel": channels | st.none(), "purpose": st.sampled_from(["marketing", "service"]),
            "action": st.sampled_from([*ACTIONS, "newsletter", None]), "arm": st.none(),
            "delivery": st.sampled_from(["confirmed", "assumed", "awaited", "withheld", "not_delivered"]),
        }
    ),
    max_size=10,
)  # fmt: skip
consents = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": names, "channel": channels, "given_at": instants,
            "purpose": st.sampled_from(["marketing", "marketing", "profiling"]),
            "withdrawn_at": st.just(NEVER) | instants,
        }
    ),
    max_size=10,
)  # fmt: skip
tickets = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": names, "opened_at": instants, "solved_at": st.just(NEVER) | instants,
            "reopened_at": st.just(NEVER) | instants, "channel": channels | st.none(),
        }
    ),
    max_size=3,
)  # fmt: skip
caps = st.none() | st.integers(0, 2)
all_rules = st.builds(
    Rules,
    consent=st.sampled_from(["required", "assumed"]),
    any_team_gap_days=st.integers(0, 10),
    own_gap_days=st.integers(0, 10),
    channel_caps=st.dictionaries(channels, st.builds(ChannelCap, per_7d=caps, per_30d=caps, per_90d=caps)),
    default_channel=channels,
    discounts_per_customer_year=st.integers(0, 3),
    discount_runs_days=st.integers(0, 60),
    quiet_days=st.dictionaries(
        st.sampled_from(["LT", "all"]), st.sampled_from([(TONIGHT,), (TONIGHT - timedelta(days=1),)])
    ),
)


@st.composite
def an_action(draw: st.DrawFn, name: str, kind: str) -> Action:
    begin = draw(
        st.none() | st.sampled_from([TONIGHT - timedelta(days=3), TONIGHT, TONIGHT + timedelta(days=1)])
    )
    length = draw(st.none() | st.integers(1, 5))
    money = {"incentive_cost": 1, "redeem_rate": 0.1} if kind == "discount" else {}
    return Action.model_validate(
        {
            "id": name, "carries_out": ["messaging"], "kind": kind, "contact_cost": 0, **money,
            "trigger": draw(st.sampled_from(["True", "orders >= 2"])),
            "channel": draw(st.sampled_from(["email", "sms", "preferred", "ticket"])),
            "prior_save": 0, "prior_save_sd": 0.1, "cooldown_days": draw(st.integers(1, 60)),
            "customer_cap_per_year": draw(st.integers(1, 3)), "regions": draw(st.none() | st.just(("LT",))),
            "valid_from": begin, "valid_to": begin and length and begin + timedelta(days=length),
            "wording": {"en": "x"},
        }
    )  # fmt: skip


catalogues = st.tuples(
    an_action("note", "content"), an_action("offer", "discount"), an_action("bundle", "discount"),
    an_action("call", "service"),
)  # fmt: skip


def midnight(days_ago: int = 0) -> int:
    return CALENDAR.midnight(TONIGHT - timedelta(days=days_ago))


def count(rows: Table, days: int, **wanted: Any) -> int:
    """Count contacts of the last days whose columns are among the wanted values."""
    return sum(
        midnight(days) <= row["sent_at"] < midnight()
        and all(row[key] in values for key, values in wanted.items())
        for row in rows
    )


ARRIVED = ("confirmed", "assumed", "awaited", "withheld")


def agreement(rows: Table) -> tuple[bool, bool]:
    """Return whether the last word is yes, and whether there was a no."""
    refusals = [row["withdrawn_at"] for row in rows if row["withdrawn_at"] < midnight()]
    given = [row["given_at"] for row in rows if row["given_at"] < midnight() <= row["withdrawn_at"]]
    return bool(given) and (not refusals or max(given) > max(refusals)), bool(refusals)


def is_open(row: dict[str, Any]) -> bool:
    reopened = row["solved_at"] <= row["reopened_at"] < midnight()
    return row["opened_at"] < midnight() and (row["solved_at"] >= midnight() or reopened)


def route(action: Action, customer: dict[str, Any], open_tickets: Table, rules: Rules) -> str:
    own = customer["preferred_channel"] or customer["answers_on_channel"] or rules.default_channel
    if action.channel == "ticket" and open_tickets:
        newest = max(row["opened_at"] for row in open_tickets)
        return [row for row in open_tickets if row["opened_at"] == newest][-1]["channel"] or own
    return own if action.channel in {"preferred", "ticket"} else action.channel


def broken_by_person(customer: dict[str, Any], rows: Table, consents: Table, rules: Rules) -> Reason:
    quiet = {*rules.quiet_days.get("all", ()), *rules.quiet_days.get(customer["region"] or "-", ())}
    agreed, refused = agreement([row for row in consents if row["purpose"] == "profiling"])
    broken = Reason(0)
    broken |= Reason.MINOR if customer["is_minor"] else broken
    broken |= Reason.VULNERABLE if customer["is_vulnerable"] else broken
    broken |= Reason.COMPLAINT if customer["in_complaint"] else broken
    broken |= Reason.PROFILING if refused and not agreed else broken
    broken |= Reason.QUIET_DAY if TONIGHT in quiet else broken
    others = count(rows, rules.any_team_gap_days, team=("crm", None), delivery=ARRIVED)
    return broken | (Reason.OTHER_TEAM if others else Reason(0))


def broken_by_action(action: Action, customer: dict[str, Any], rows: Table, rules: Rules) -> Reason:
    broken = Reason(0)
    if action.trigger.text != "True" and customer["orders"] < 2:
        broken |= Reason.TRIGGER
    if (action.valid_from and action.valid_from > TONIGHT) or (
        action.valid_to and action.valid_to <= TONIGHT
    ):
        broken |= Reason.NOT_VALID_TODAY
    if action.regions and customer["region"] not in action.regions:
        broken |= Reason.REGION
    if count(rows, action.cooldown_days, action=(action.id,)):
        broken |= Reason.COOLDOWN
    if count(rows, 365, action=(action.id,)) >= (action.customer_cap_per_year or 999):
        broken |= Reason.ACTION_CAP
    if action.kind == "discount":
        discounts = ("offer", "bundle")
        if customer["on_discount"] or count(rows, rules.discount_runs_days, action=discounts):
            broken |= Reason.ON_DISCOUNT
        if count(rows, 365, action=discounts) >= rules.discounts_per_customer_year:
            broken |= Reason.DISCOUNT_CAP
    return broken


def broken_by_channel(
    action: Action, channel: str, rows: Table, consents: Table | None, rules: Rules
) -> Reason:
    broken = Reason(0)
    cap = rules.channel_caps.get(channel, ChannelCap())  # type: ignore[call-overload]
    for days, most in ((7, cap.per_7d), (30, cap.per_30d), (90, cap.per_90d)):
        if most is not None and count(rows, days, channel=(channel,), delivery=ARRIVED) >= most:
            broken |= Reason.CHANNEL_CAP
    if action.purpose == "marketing":
        given = [row for row in consents or [] if row["purpose"] == "marketing" and row["channel"] == channel]
        if not (rules.consent == "assumed" if consents is None else agreement(given)[0]):
            broken |= Reason.CONSENT
    return broken


@settings(deadline=None, max_examples=100)
@given(customers, catalogues, all_rules, contacts, st.none() | consents, st.none() | tickets)
def test_the_mask_agrees_with_the_rules_read_one_by_one(
    people: Table,
    actions: tuple[Action, ...],
    rules: Rules,
    contacts: Table,
    consents: Table | None,
    tickets: Table | None,
) -> None:
    people = [{"customer_id": name, **person} for name, person in zip(NAMES, people, strict=False)]
    found = eligibility(
        pd.DataFrame(people),
        catalogue=Catalogue.of(actions),
        rules=rules,
        as_of=TONIGHT,
        calendar=CALENDAR,
        global_control=np.array([person["global_control"] for person in people]),
        contacts=pd.DataFrame(contacts, columns=list(LEDGER_COLUMNS)),
        consents=consents if consents is None else pd.DataFrame(consents, columns=CONSENT_COLUMNS),
        tickets=tickets if tickets is None else pd.DataFrame(tickets, columns=TICKET_COLUMNS),
    )
    for row, person in enumerate(people):

        def own(table: Table | None, name: str = person["customer_id"]) -> Table:
            return [entry for entry in table or [] if entry["customer_id"] == name]

        opened = [entry for entry in own(tickets) if is_open(entry)]
        for column, action in enumerate(actions):
            channel = route(action, person, opened, rules)
            expected = broken_by_person(person, own(contacts), own(consents), rules)
            expected |= broken_by_action(action, person, own(contacts), rules)
            granted = None if consents is None else own(consents)
            expected |= broken_by_channel(action, channel, own(contacts), granted, rules)
            if action.purpose == "marketing":
                expected |= Reason.OPEN_TICKET if opened else Reason(0)
                ours = count(own(contacts), rules.own_gap_days, team=("keepwell",), purpose=("marketing",))
                expected |= Reason.OWN_GAP if ours else Reason(0)
                expected |= Reason.GLOBAL_CONTROL if person["global_control"] else Reason(0)
            assert found.explain(row, column) == reasons_in(int(expected))
            assert found.mask[row, column] == (expected == Reason(0))
            assert CHANNELS[found.channels[row, column]] == channel


CONSENT_COLUMNS = ["customer_id", "channel", "purpose", "given_at", "withdrawn_at"]
TICKET_COLUMNS = ["customer_id", "opened_at", "solved_at", "reopened_at", "channel"]


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
