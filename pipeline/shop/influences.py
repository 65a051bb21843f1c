"""What everything that happens to customers truly does to them, as nobody in a real shop knows it.

A force works on one customer from the day after its cause until a day that is known when it begins. All
forces of a customer multiply: each is a factor on the daily hazard of leaving and one on the order rate.
Other happenings move nothing and only *tell* of what does: how warm a customer still feels about the shop,
or how satisfied they are. Two kinds, opened and clicked mails, neither move nor tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.shop.draws import Floats, Integers
from pipeline.shop.effects import Influence

FOR_EVER = 2**31 - 1
WARMTH_ON_LEAVING = 0.6
"""One standard deviation colder multiplies the hazard of leaving by ``exp`` of this."""


@dataclass(frozen=True)
class Force:
    """What one happening does.

    Attributes:
        table: where the happening is written down.
        leaving: factor on the daily hazard of leaving, 1 for none.
        ordering: factor on the order rate, 1 for none.
        days: how long it works; 0 where it works for as long as the thing itself lasts.
        tells_of: the hidden trait that drives it and that it so tells of.
    """

    table: str
    leaving: float = 1.0
    ordering: float = 1.0
    days: int = 0
    tells_of: str = ""


INFLUENCES: Mapping[str, Force] = MappingProxyType(
    {
        "session": Force("events", tells_of="warmth"),
        "app_use": Force("events", tells_of="warmth"),
        "email_open": Force("events"),
        "email_click": Force("events"),
        "page_error": Force("events", leaving=2.5, days=21),
        "slow_page": Force("events", leaving=1.5, days=14),
        "community": Force("events", leaving=0.5, days=120),
        "review": Force("events", tells_of="satisfaction"),
        "mention": Force("events", tells_of="satisfaction"),
        "referral": Force("events", tells_of="warmth"),
        "open_ticket": Force("tickets", leaving=3.0),
        "bad_rating": Force("tickets", leaving=3.0, days=45),
        "good_rating": Force("tickets", leaving=0.7, days=45),
        "complaint": Force("tickets", tells_of="satisfaction"),
        "survey": Force("surveys", tells_of="satisfaction, warmth"),
        "discount_offer": Force("offers", ordering=2.5),
        "bundle_offer": Force("offers", ordering=1.8),
        "news_offer": Force("offers"),
        "membership": Force("loyalty", leaving=0.35),
        "gold_tier": Force("loyalty", leaving=0.6),
        "points_expiring": Force("loyalty", ordering=1.6),
        "delivery_plan": Force("subscriptions", leaving=0.25, ordering=1.3),
        "promotion": Force("calendar", ordering=1.8, days=4),
        "holiday": Force("calendar", ordering=0.5, days=1),
    }
)
FORCES = tuple(name for name, force in INFLUENCES.items() if (force.leaving, force.ordering) != (1, 1))

Until = npt.NDArray[np.int32]
"""Day before which each force of ``FORCES`` works on each customer, shape (customers, forces)."""


def untouched(customers: int) -> Until:
    """Return customers on whom nothing works yet."""
    return np.zeros((customers, len(FORCES)), np.int32)


def begun(
    until: Until, force: str, customer: Integers, day: int, ends_on: Integers | int | None = None
) -> Until:
    """Let a force work on some customers from tomorrow on; one that works already works on until the later end.

    Args:
        until: what works now.
        force: one of ``FORCES``.
        customer: on whom; repetitions are fine.
        day: today.
        ends_on: day before which it works; after the force's own days if not given.
    """
    after = until.copy()
    ends = day + 1 + INFLUENCES[force].days if ends_on is None else ends_on
    np.maximum.at(after[:, FORCES.index(force)], customer, np.asarray(ends, np.int32))
    return after


def stopped(until: Until, force: str, customer: Integers) -> Until:
    """Let a force work no longer on some customers."""
    after = until.copy()
    after[customer, FORCES.index(force)] = 0
    return after


def moved(actions: Influence, until: Until, day: int) -> Influence:
    """Add to what the shop's actions do what all forces do to each customer on one day."""
    logs = np.log([[INFLUENCES[name].leaving, INFLUENCES[name].ordering] for name in FORCES])
    factors = np.exp((until > day) @ logs)
    return replace(
        actions, leaving=actions.leaving * factors[:, 0], ordering=actions.ordering * factors[:, 1]
    )


def works(until: Until, force: str, day: int) -> npt.NDArray[np.bool_]:
    """Tell on whom a force works today."""
    return np.asarray(until[:, FORCES.index(force)] > day)


def cooled(warmth: Floats) -> Floats:
    """Return the factor on the hazard of leaving that goes with a customer's warmth; 1 on average.

    Examples:
        >>> cooled(np.array([0.3, -0.7])).round(2).tolist()
        [0.7, 1.27]
    """
    return np.asarray(np.exp(-WARMTH_ON_LEAVING * (warmth + WARMTH_ON_LEAVING / 2)))


def true_influences() -> pd.DataFrame:
    """Tabulate what every kind of happening truly does.

    Returns:
        One row per happening: ``table``, ``happening``, the factors ``leaving`` and ``ordering``, ``days``
        they last (0 for as long as the thing itself) and ``tells_of``, the hidden trait it tells of; a
        happening with both factors 1 that tells of nothing has no influence at all.
    """
    rows = [
        {
            "table": force.table,
            "happening": name,
            "leaving": force.leaving,
            "ordering": force.ordering,
            "days": force.days,
            "tells_of": force.tells_of,
        }
        for name, force in INFLUENCES.items()
    ]
    return pd.DataFrame(rows)
