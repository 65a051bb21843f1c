"""The independent check of what is sent: plain counting, without a line of the solver's code."""

from collections.abc import Iterator, Mapping

import pandas as pd

from actions.allocation.limit_settings import LimitSettings

_DUST = 1e-6


def broken_rules(
    sent: pd.DataFrame,
    *,
    cost: Mapping[str, float],
    budget: float | None = None,
    capacity: Mapping[str, float] | None = None,
    discounts: frozenset[str] = frozenset(),
    shared: LimitSettings | None = None,
) -> list[str]:
    """Check what is sent against every rule that its contacts share.

    Args:
        sent: one row per contact: ``customer_id``, ``action``, ``channel``; ``region`` where regions have a
            floor.
        cost: expected cost per action, currency units.
        budget: most money; none means no limit.
        capacity: most contacts per action.
        discounts: the actions that count as discounts.
        shared: hours of teams, cap on discounts, floors of regions, most actions for one customer.

    Returns:
        One sentence per broken rule, none when all hold.

    Examples:
        >>> calls = pd.DataFrame({"customer_id": ["ann", "bob"], "action": "call", "channel": "phone"})
        >>> broken_rules(calls, cost={"call": 5.0}, budget=8.0, capacity={"call": 2})
        ['budget: 10.00 spent, 8.00 allowed']
    """
    shared = shared or LimitSettings()
    spent = sent["action"].map(cost).astype(float)
    broken = []
    if budget is not None and spent.sum() > budget + _DUST * max(1.0, budget):
        broken.append(f"budget: {spent.sum():.2f} spent, {budget:.2f} allowed")
    given = sent["action"].value_counts()
    for action, most in sorted((capacity or {}).items()):
        if given.get(action, 0) > most:
            broken.append(f"capacity of {action}: {given[action]} given, {most:g} allowed")
    broken += _of_teams(sent, shared)
    broken += _of_discounts(sent, spent, discounts, shared)
    broken += _of_regions(sent, shared)
    broken += _of_customers(sent, discounts, shared)
    return broken


def _of_teams(sent: pd.DataFrame, shared: LimitSettings) -> Iterator[str]:
    for name, team in sorted(shared.teams.items()):
        minutes = sent["action"].map(team.minutes_per_contact).astype(float).sum()
        if minutes > 60 * team.hours_per_night + _DUST * max(1.0, minutes):
            yield f"hours of {name}: {minutes / 60:.2f} used, {team.hours_per_night:g} there"


def _of_discounts(
    sent: pd.DataFrame, spent: pd.Series, discounts: frozenset[str], shared: LimitSettings
) -> Iterator[str]:
    cap = shared.discount_share
    if cap is None:
        return
    is_discount = sent["action"].isin(discounts)
    counted = spent if cap.of == "money" else pd.Series(1.0, index=sent.index)
    part, whole = counted[is_discount].sum(), counted.sum()
    if part > cap.most * whole + _DUST * max(1.0, whole):
        yield f"discount share: {part:g} of {whole:g} {cap.of} given, {cap.most:.0%} allowed"


def _of_regions(sent: pd.DataFrame, shared: LimitSettings) -> Iterator[str]:
    for region, least in sorted(shared.region_floors.items()):
        there = int((sent["region"] == region).sum())
        if there < least * len(sent) - _DUST:
            yield f"floor of region {region}: {there} of {len(sent)} contacts, {least:.0%} wanted"


def _of_customers(sent: pd.DataFrame, discounts: frozenset[str], shared: LimitSettings) -> Iterator[str]:
    kinds = {
        "actions": (sent["customer_id"].value_counts(), shared.most_actions),
        "actions over one channel": (sent.value_counts(["customer_id", "channel"]), 1),
        "times the same action": (sent.value_counts(["customer_id", "action"]), 1),
        "discounts": (sent.loc[sent["action"].isin(discounts), "customer_id"].value_counts(), 1),
    }
    for what, (counts, most) in kinds.items():
        if (counts > most).any():
            yield f"one customer: up to {counts.max()} {what}, {most} allowed; {(counts > most).sum()} customers"
