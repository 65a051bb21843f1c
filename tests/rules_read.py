"""The rules read out one by one, for one customer and one action at a time, and worlds to try them on."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from actions.catalogue import Action
from actions.rules.reasons import Reason
from actions.rules.settings import ChannelCap, Rules
from tables.calendar import HOUR, NEVER, BusinessCalendar

TONIGHT = date(2025, 4, 2)  # the clocks went forward three days before
CALENDAR = BusinessCalendar("Europe/Vilnius")
NAMES = ("ann", "bob", "cid", "dan")
ACTIONS = ("note", "offer", "bundle", "call")
DISCOUNTS = ("offer", "bundle")
CONSENT_COLUMNS = ["customer_id", "channel", "purpose", "given_at", "withdrawn_at"]
TICKET_COLUMNS = ["customer_id", "opened_at", "solved_at", "reopened_at", "channel"]
OFFER_COLUMNS = ["customer_id", "starts_at", "ends_at", "completed_at", "reward"]
ANSWER_COLUMNS = ["customer_id", "channel", "answers"]
PERSONAL = ("email", "sms", "push", "in_app", "chat", "phone", "post")
ARRIVED = ("confirmed", "assumed", "awaited", "withheld")
Row = dict[str, Any]
Table = list[Row]

instants = st.integers(-4, 400).map(
    lambda days: CALENDAR.midnight(TONIGHT - timedelta(days=days))
) | st.integers(-48, 24 * 100).map(lambda hours: CALENDAR.midnight(TONIGHT) - hours * HOUR)
names = st.sampled_from([*NAMES, "eve"])
channels = st.sampled_from(["email", "sms", "phone"])
flags = st.sampled_from([True, False, False, False, False])
maybe = st.just(NEVER) | instants
customers = st.lists(
    st.fixed_dictionaries(
        {
            "region": st.sampled_from(["LT", "CN", None]), "orders": st.integers(0, 3), "is_minor": flags,
            "is_vulnerable": flags, "in_complaint": flags, "objects_to_profiling": flags,
            "preferred_channel": channels | st.none(), "global_control": flags,
        }
    ),
    min_size=1, max_size=4,
)  # fmt: skip
contacts = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": names, "sent_at": instants, "team": st.sampled_from(["keepwell", "crm", None]),
            "channel": channels | st.none(), "purpose": st.sampled_from(["marketing", "service"]),
            "action": st.sampled_from([*ACTIONS, "newsletter", None]), "arm": st.none(), "redeemed_at": maybe,
            "delivery": st.sampled_from(["confirmed", "assumed", "awaited", "withheld", "not_delivered"]),
        }
    ),
    max_size=10,
)  # fmt: skip
consents = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": names, "channel": channels, "given_at": instants, "withdrawn_at": maybe,
            "purpose": st.sampled_from(["marketing", "marketing", "profiling"]),
        }
    ),
    max_size=10,
)  # fmt: skip
tickets = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": names, "opened_at": instants, "solved_at": maybe, "reopened_at": maybe,
            "channel": channels | st.none(),
        }
    ),
    max_size=3,
)  # fmt: skip
offers = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": names, "starts_at": instants, "ends_at": maybe, "completed_at": maybe,
            "reward": st.sampled_from([0.0, 5.0]),
        }
    ),
    max_size=3,
)  # fmt: skip
answers = st.lists(
    st.fixed_dictionaries({"customer_id": names, "channel": channels, "answers": st.integers(1, 3)}),
    max_size=4,
)
caps = st.none() | st.integers(0, 2)
quiet = st.sampled_from([(TONIGHT,), (TONIGHT - timedelta(days=1), TONIGHT + timedelta(days=2))])
all_rules = st.builds(
    Rules,
    consent=st.sampled_from(["required", "assumed"]),
    any_team_gap_days=st.integers(0, 10),
    own_gap_days=st.integers(0, 10),
    channel_caps=st.dictionaries(channels, st.builds(ChannelCap, per_7d=caps, per_30d=caps, per_90d=caps)),
    default_channel=channels,
    discounts_per_customer_year=st.integers(0, 3),
    discount_runs_days=st.integers(0, 60),
    quiet_days=st.dictionaries(st.sampled_from(["LT", "all"]), quiet, max_size=1),
)


@st.composite
def an_action(draw: st.DrawFn, name: str, kind: str) -> Action:
    """Draw one action of the catalogue."""
    begin = draw(
        st.none() | st.sampled_from([TONIGHT - timedelta(days=3), TONIGHT, TONIGHT + timedelta(days=1)])
    )
    length = draw(st.none() | st.integers(1, 5))
    money = {"incentive_cost": 1, "redeem_rate": 0.1} if kind == "discount" else {}
    routes = ["email", "sms", "preferred", "ticket", ["sms", "email"], ["phone", "email", "sms"]]
    return Action.model_validate(
        {
            "id": name, "carries_out": ["messaging"], "kind": kind, "contact_cost": 0, **money,
            "trigger": draw(st.sampled_from(["True", "orders >= 2"])), "channel": draw(st.sampled_from(routes)),
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


def midnight(tonight: date = TONIGHT, days_ago: int = 0) -> int:
    """Return the local midnight so many days before a night."""
    return CALENDAR.midnight(tonight - timedelta(days=days_ago))


def rows_of(table: Table | None, name: str) -> Table:
    """Return one customer's rows."""
    return [row for row in table or [] if row["customer_id"] == name]


@dataclass(frozen=True)
class Judge:
    """One customer on one night, and what the rules say of each action.

    Attributes:
        tonight: the night.
        rules: the settings.
        person: the customer's row.
        contacts: the customer's contacts of all teams, with what we planned, sent or withheld.
        consents: the customer's consents; None where the business has no such table.
        tickets: the customer's tickets.
        offers: the customer's offers of all teams.
        answers: the customer's counts of answers by events.
    """

    tonight: date
    rules: Rules
    person: Row
    contacts: Table
    consents: Table | None
    tickets: Table
    offers: Table
    answers: Table

    def broken(self, action: Action, channel: str) -> Reason:
        """Return every rule that an action over a channel would break."""
        broken = self._of_person() | self._of_action(action) | self._of_channel(action, channel)
        return broken | (self._of_marketing() if action.purpose == "marketing" else Reason(0))

    def channel(self, action: Action) -> str:
        """Return over which channel an action goes."""
        opened = [row for row in self.tickets if self._is_open(row)]
        if action.channel == ("ticket",) and opened:
            newest = max(row["opened_at"] for row in opened)
            told = [row for row in opened if row["opened_at"] == newest][-1]["channel"]
            if told:
                return str(told)
        listed: tuple[str, ...] = action.channel
        if listed[0] in {"preferred", "ticket"}:
            first = self.rules.default_channel
            listed = (first, *(channel for channel in PERSONAL if channel != first))
        return max(listed, key=lambda channel: self._taste(action, channel))

    def _taste(self, action: Action, channel: str) -> tuple[bool, bool, int]:
        is_open = not self._of_channel(action, channel)
        answers = sum(row["answers"] for row in self.answers if row["channel"] == channel)
        redeemed = [row for row in self.contacts if self._within(row["redeemed_at"], 180)]
        answers += sum(self._within(row["sent_at"], 365) and row["channel"] == channel for row in redeemed)
        return is_open, channel == self.person["preferred_channel"], answers

    def _within(self, instant: int, days: int) -> bool:
        return midnight(self.tonight, days) <= instant < midnight(self.tonight)

    def _count(self, days: int, **wanted: Any) -> int:
        """Count contacts of the last days whose columns are among the wanted values."""
        return sum(
            self._within(row["sent_at"], days) and all(row[key] in values for key, values in wanted.items())
            for row in self.contacts
        )

    def _agreement(self, rows: Table) -> tuple[bool, bool]:
        """Return whether the last word is yes, and whether there was a no."""
        now = midnight(self.tonight)
        refusals = [row["withdrawn_at"] for row in rows if row["withdrawn_at"] < now]
        given = [row["given_at"] for row in rows if row["given_at"] < now <= row["withdrawn_at"]]
        return bool(given) and (not refusals or max(given) > max(refusals)), bool(refusals)

    def _is_open(self, row: Row) -> bool:
        now = midnight(self.tonight)
        reopened = row["solved_at"] <= row["reopened_at"] < now
        return bool(row["opened_at"] < now and (row["solved_at"] >= now or reopened))

    def _of_person(self) -> Reason:
        person, days = self.person, self.rules.quiet_days
        quiet = {*days.get("all", ()), *days.get(person["region"] or "-", ())}
        words = [row for row in self.consents or [] if row["purpose"] == "profiling"]
        agreed, refused = self._agreement(words)
        found = {
            Reason.MINOR: person["is_minor"],
            Reason.VULNERABLE: person["is_vulnerable"],
            Reason.COMPLAINT: person["in_complaint"],
            Reason.PROFILING: person["objects_to_profiling"] or (refused and not agreed),
            Reason.QUIET_DAY: self.tonight in quiet,
            Reason.OTHER_TEAM: self._count(
                self.rules.any_team_gap_days, team=("crm", None), delivery=ARRIVED
            ),
        }
        return _all(found)

    def _of_marketing(self) -> Reason:
        ours = self._count(self.rules.own_gap_days, team=("keepwell",), purpose=("marketing",))
        found = {
            Reason.OPEN_TICKET: any(self._is_open(row) for row in self.tickets),
            Reason.OWN_GAP: ours,
            Reason.GLOBAL_CONTROL: self.person["global_control"],
        }
        return _all(found)

    def _of_action(self, action: Action) -> Reason:
        night, given = self.tonight, self._count(365, action=(action.id,))
        found = {
            Reason.TRIGGER: action.trigger.text != "True" and self.person["orders"] < 2,
            Reason.NOT_VALID_TODAY: (action.valid_from and action.valid_from > night)
            or (action.valid_to and action.valid_to <= night),
            Reason.REGION: action.regions and self.person["region"] not in action.regions,
            Reason.COOLDOWN: self._count(action.cooldown_days, action=(action.id,)),
            Reason.ACTION_CAP: given >= (action.customer_cap_per_year or 999),
        }
        if action.kind == "discount":
            found[Reason.ON_DISCOUNT] = self._has_discount()
            most = self.rules.discounts_per_customer_year
            found[Reason.DISCOUNT_CAP] = self._count(365, action=DISCOUNTS) >= most
        return _all(found)

    def _has_discount(self) -> bool:
        days, now = self.rules.discount_runs_days, midnight(self.tonight)
        redeemed = [
            row
            for row in self.contacts
            if self._within(row["sent_at"], 365) and self._within(row["redeemed_at"], days)
        ]
        if any(row["team"] != "keepwell" or row["action"] in DISCOUNTS for row in redeemed):
            return True
        for row in self.offers:
            end = row["ends_at"]
            fresh = end < NEVER or row["starts_at"] >= midnight(self.tonight, days)
            runs = row["starts_at"] < now < end and row["completed_at"] >= now and fresh
            if row["reward"] > 0 and (runs or self._within(row["completed_at"], days)):
                return True
        return self._count(days, action=DISCOUNTS) > 0

    def _of_channel(self, action: Action, channel: str) -> Reason:
        cap = self.rules.channel_caps.get(channel, ChannelCap())  # type: ignore[call-overload]
        limits = ((7, cap.per_7d), (30, cap.per_30d), (90, cap.per_90d))
        full = any(
            most is not None and self._count(days, channel=(channel,), delivery=ARRIVED) >= most
            for days, most in limits
        )
        agrees = self.rules.consent == "assumed"
        if self.consents is not None:
            rows = [row for row in self.consents if row["purpose"] == "marketing"]
            agrees = self._agreement([row for row in rows if row["channel"] == channel])[0]
        refused = action.purpose == "marketing" and not agrees
        return _all({Reason.CHANNEL_CAP: full, Reason.CONSENT: refused})


def _all(found: dict[Reason, Any]) -> Reason:
    broken = Reason(0)
    for reason, is_so in found.items():
        broken |= reason if is_so else Reason(0)
    return broken
