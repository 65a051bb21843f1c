"""The rules that no optimisation may break, as a mask over all pairs of customer and action."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.catalogue import CHANNELS, Action, Catalogue, Dormant
from actions.expressions import Truths, column_values
from actions.rules.channels import Reach, answer_counts
from actions.rules.reasons import REASONS, Reason, reasons_in
from actions.rules.settings import EVERYWHERE, Rules
from actions.rules.standing import (
    ChannelCodes,
    Night,
    PastContacts,
    marketing_consents,
    open_tickets,
    profiling_objections,
    running_discounts,
)
from tables.calendar import BusinessCalendar

Blocks = npt.NDArray[np.uint32]
_YEAR = 365


@dataclass(frozen=True)
class Eligibility:
    """Who may get what tonight, and why not.

    Attributes:
        customer_ids: the customers, one per row of the arrays.
        actions: the active actions, one per column of the arrays; ``none`` is not among them.
        dormant: the actions whose triggers tonight's columns cannot answer.
        blocked: (n, A) uint32, the reasons of each pair as a bit field of ``Reason``; 0 where it is allowed.
        channels: (n, A) int8, the channel over which the action would go, a position in ``CHANNELS``.
        notes: what the reader of the counts must know, such as the absence of all consents.
    """

    customer_ids: pd.Index
    actions: tuple[Action, ...]
    dormant: tuple[Dormant, ...]
    blocked: Blocks
    channels: ChannelCodes
    notes: tuple[str, ...]

    @cached_property
    def mask(self) -> npt.NDArray[np.bool_]:
        """(n, A), row by row in memory: whether the pair is allowed."""
        return np.ascontiguousarray(self.blocked == 0)

    def explain(self, row: int, column: int) -> tuple[str, ...]:
        """Return the reasons why a customer may not get an action; nothing where they may."""
        return reasons_in(int(self.blocked[row, column]))

    def in_the_way(self, row: int) -> tuple[str, ...]:
        """Return what stands between a customer and every action that would suit; nothing where one is allowed."""
        bits = self.blocked[row]
        suited = bits[(bits & np.uint32(Reason.TRIGGER)) == 0]
        if not len(suited):
            return ("no action fits",)
        return () if (suited == 0).any() else reasons_in(int(np.bitwise_or.reduce(suited)))

    def counts(self) -> pd.DataFrame:
        """Count the pairs per action.

        Returns:
            One row per active action; ``eligible``, then one column per reason. A pair with several reasons
            counts under each.
        """
        rows = {}
        for column, action in enumerate(self.actions):
            blocked = self.blocked[:, column]
            found = {words: _count(blocked, reason) for reason, words in REASONS.items()}
            rows[action.id] = {"eligible": int(np.count_nonzero(blocked == 0)), **found}
        columns = ["eligible", *REASONS.values()]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns)

    def barriers(self) -> pd.DataFrame:
        """Count per action the customers it would suit, and what stands in their way.

        Returns:
            One row per active action; ``suited`` (its trigger is met), ``allowed`` of them, then one column per
            other reason. A customer with several reasons counts under each.
        """
        rows = {}
        for column, action in enumerate(self.actions):
            bits = self.blocked[:, column]
            suited = bits[(bits & np.uint32(Reason.TRIGGER)) == 0]
            found = {words: _count(suited, reason) for reason, words in REASONS.items()}
            del found[REASONS[Reason.TRIGGER]]
            rows[action.id] = {"suited": len(suited), "allowed": int(np.count_nonzero(suited == 0)), **found}
        columns = [
            "suited",
            "allowed",
            *(words for reason, words in REASONS.items() if reason != Reason.TRIGGER),
        ]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns)

    def left_out(self) -> pd.Series:
        """Count customers whom some action would suit and who may get none, by what stands in the way.

        Returns:
            One count per reason; a customer counts under every reason that blocks an action whose trigger
            is met. ``no action fits`` counts those for whom no trigger is met at all.
        """
        suits = np.zeros(len(self.customer_ids), dtype=bool)
        allowed = np.zeros_like(suits)
        barriers = np.zeros(len(self.customer_ids), dtype=np.uint32)
        for column in range(len(self.actions)):
            blocked = self.blocked[:, column]
            met = (blocked & np.uint32(Reason.TRIGGER)) == 0
            suits |= met
            allowed |= blocked == 0
            barriers |= np.where(met, blocked, np.uint32(0))
        barred = barriers[suits & ~allowed]
        found = {words: _count(barred, reason) for reason, words in REASONS.items()}
        del found[REASONS[Reason.TRIGGER]]
        return pd.Series({"no action fits": int(np.count_nonzero(~suits)), **found})


def eligibility(
    customers: pd.DataFrame,
    *,
    catalogue: Catalogue,
    rules: Rules,
    as_of: date,
    calendar: BusinessCalendar,
    global_control: npt.NDArray[np.bool_],
    contacts: pd.DataFrame,
    consents: pd.DataFrame | None = None,
    tickets: pd.DataFrame | None = None,
    offers: pd.DataFrame | None = None,
    answers: pd.DataFrame | None = None,
) -> Eligibility:
    """Apply every rule to every pair of customer and action.

    Args:
        customers: one row per customer with ``customer_id``; used where present: ``region``,
            ``preferred_channel``, the flags ``is_minor``, ``is_vulnerable``, ``in_complaint``,
            ``objects_to_profiling``, and every column that a trigger names.
        catalogue: the actions.
        rules: the settings.
        as_of: the night.
        calendar: where its midnights lie; a rule about the last d days means ``[as_of - d, as_of)``.
        global_control: (n,), who is left without marketing on purpose.
        contacts: the ledger of :func:`actions.rules.contacts.contact_ledger`.
        consents: ``customer_id, channel, purpose, given_at, withdrawn_at``; None if the business has none.
        tickets: ``customer_id, opened_at, solved_at, reopened_at, channel``; None if it has none.
        offers: ``customer_id, starts_at, ends_at, completed_at, reward`` of every team; None if it has none.
        answers: ``customer_id, channel, answers``, counts by events; None if it has none.

    Raises:
        SchemaError: if a table lacks a column.
        DataError: if a customer stands there twice.
    """
    active, dormant = catalogue.split(customers.columns)
    night = Night(customers, as_of, calendar)
    check = _Check(night, rules, catalogue, PastContacts(contacts, night))
    check.read_consents(consents)
    check.read_tickets(tickets)
    check.read_offers(offers)
    check.hold_back(global_control)
    reach = check.reach(answers)
    blocked = np.zeros((len(night), len(active)), dtype=np.uint32, order="F")
    channels = np.zeros((len(night), len(active)), dtype=np.int8, order="F")
    names = frozenset[str]().union(*(action.trigger.columns for action in active))
    columns = {"customer_id": night.index, **{name: column_values(customers[name]) for name in sorted(names)}}
    for column, action in enumerate(active):
        channels[:, column] = reach.channel_of(action)
        blocked[:, column] = check.blocks(action, channels[:, column])
        _mark(blocked[:, column], ~action.trigger.evaluate(columns), Reason.TRIGGER)
    notes = _notes(rules, consents is not None, "region" in customers.columns, active)
    return Eligibility(night.index, active, dormant, blocked, channels, notes)


class _Check:
    """All rules for one night; what holds for a customer, a purpose or a channel is worked out once."""

    def __init__(self, night: Night, rules: Rules, catalogue: Catalogue, past: PastContacts) -> None:
        self.night, self.rules, self.past = night, rules, past
        discounts = [action.id for action in catalogue.actions.values() if action.kind == "discount"]
        self.everybody = self._everybody()
        self.discount = self._discount(discounts)
        self.marketing = np.zeros(len(night), dtype=np.uint32)
        _mark(self.marketing, past.marketed(rules.own_gap_days), Reason.OWN_GAP)
        self.full = self._full_channels()
        self.ticket_channel = np.full(len(night), -1, dtype=np.int8)

    def _everybody(self) -> Blocks:
        night = self.night
        bits = np.zeros(len(night), dtype=np.uint32)
        _mark(bits, night.flag("is_minor"), Reason.MINOR)
        _mark(bits, night.flag("is_vulnerable"), Reason.VULNERABLE)
        _mark(bits, night.flag("in_complaint"), Reason.COMPLAINT)
        _mark(bits, night.flag("objects_to_profiling"), Reason.PROFILING)
        _mark(bits, self.past.by_other_teams(self.rules.any_team_gap_days), Reason.OTHER_TEAM)
        quiet = [region for region, days in self.rules.quiet_days.items() if night.as_of in days]
        _mark(bits, np.full(len(night), EVERYWHERE in quiet) | self._in_regions(quiet), Reason.QUIET_DAY)
        return bits

    def _discount(self, discounts: list[str]) -> Blocks:
        bits = np.zeros(len(self.night), dtype=np.uint32)
        days = self.rules.discount_runs_days
        running = (self.past.assigned(discounts, days=days) > 0) | self.past.redeemed(discounts, days=days)
        _mark(bits, running, Reason.ON_DISCOUNT)
        given = self.past.assigned(discounts, days=_YEAR)
        _mark(bits, given >= self.rules.discounts_per_customer_year, Reason.DISCOUNT_CAP)
        return bits

    def _full_channels(self) -> npt.NDArray[np.bool_]:
        full = np.zeros((len(self.night), len(CHANNELS)), dtype=bool)
        for name, cap in self.rules.channel_caps.items():
            channel = CHANNELS.index(name)
            for days, most in cap.limits().items():
                full[:, channel] |= self.past.at_cap(channel, days=days, most=most)
        return full

    def read_consents(self, consents: pd.DataFrame | None) -> None:
        if consents is not None:
            self.consent = marketing_consents(consents, self.night)
            _mark(self.everybody, profiling_objections(consents, self.night), Reason.PROFILING)
        else:
            assumed = self.rules.consent == "assumed"
            self.consent = np.full((len(self.night), len(CHANNELS)), assumed)

    def read_tickets(self, tickets: pd.DataFrame | None) -> None:
        if tickets is not None:
            is_open, self.ticket_channel = open_tickets(tickets, self.night)
            _mark(self.marketing, is_open, Reason.OPEN_TICKET)

    def read_offers(self, offers: pd.DataFrame | None) -> None:
        if offers is not None:
            running = running_discounts(offers, self.night, runs_days=self.rules.discount_runs_days)
            _mark(self.discount, running, Reason.ON_DISCOUNT)

    def hold_back(self, global_control: Truths) -> None:
        _mark(self.marketing, global_control, Reason.GLOBAL_CONTROL)

    def reach(self, answers: pd.DataFrame | None) -> Reach:
        return Reach(
            stated=self.night.channel("preferred_channel"),
            answers=answer_counts(answers, self.past, self.night),
            consent=self.consent,
            full=self.full,
            ticket=self.ticket_channel,
            default=self.rules.default_channel,
        )

    def blocks(self, action: Action, channel: ChannelCodes) -> Blocks:
        """Return the bits of every rule but the trigger."""
        bits = self.everybody.copy()
        pair = channel[:, None].astype(np.intp)
        _mark(bits, np.take_along_axis(self.full, pair, axis=1)[:, 0], Reason.CHANNEL_CAP)
        if action.purpose == "marketing":
            bits |= self.marketing
            _mark(bits, ~np.take_along_axis(self.consent, pair, axis=1)[:, 0], Reason.CONSENT)
        if action.kind == "discount":
            bits |= self.discount
        if not action.is_valid_on(self.night.as_of):
            _mark(bits, slice(None), Reason.NOT_VALID_TODAY)
        if action.regions is not None:
            _mark(bits, ~self._in_regions(action.regions), Reason.REGION)
        _mark(bits, self.past.assigned([action.id], days=action.cooldown_days) > 0, Reason.COOLDOWN)
        if action.customer_cap_per_year is not None:
            given = self.past.assigned([action.id], days=_YEAR)
            _mark(bits, given >= action.customer_cap_per_year, Reason.ACTION_CAP)
        return bits

    def _in_regions(self, regions: Sequence[str]) -> Truths:
        if "region" not in self.night.customers or not regions:
            return np.zeros(len(self.night), dtype=bool)
        return np.asarray(self.night.customers["region"].isin(list(regions)), dtype=bool)


def _notes(rules: Rules, has_consents: bool, has_region: bool, active: Sequence[Action]) -> tuple[str, ...]:
    notes = []
    if not has_consents and rules.consent == "required":
        notes.append("there is no table of consents and consent is required: no marketing action is allowed")
    if not has_consents and rules.consent == "assumed":
        notes.append("there is no table of consents: consent to marketing is assumed for everybody")
    bound = [action.id for action in active if action.regions is not None]
    if not has_region and bound:
        notes.append(f"regions of customers are unknown: nobody may get {', '.join(bound)}")
    return tuple(notes)


def _mark(bits: Blocks, where: Truths | slice, reason: Reason) -> None:
    bits[where] |= np.uint32(reason)


def _count(bits: Blocks, reason: Reason) -> int:
    return int(np.count_nonzero(bits & np.uint32(reason)))
