"""What differs between customers who leave by silence and customers who leave by notice, all in one place."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.contract_value import FEE, subscriber_values
from models.reference import DateReference
from models.settings import ValueSettings
from models.value import CustomerValues, customer_values
from pipeline.snapshots import DateFrame
from tables.calendar import OutcomeRule

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_FRESH_DAYS = 60
_LATE = 1.5


class ChurnKind(Protocol):
    """One way of leaving.

    Attributes:
        watched_by: what the rows are called that say who is there.
        age: feature with the days since the newest of them.
        worth: feature by which customers are parted into fifths of value, currency units.
        grouping: column of the scores by which the page groups customers.
    """

    watched_by: str
    age: str
    worth: str
    grouping: str

    def definition(self) -> str:
        """Say in words who churned."""

    def lifecycles(self, frame: DateFrame) -> npt.NDArray[np.object_]:
        """Say where each customer stands."""

    def foreseen(self, frame: DateFrame) -> Mask:
        """Mark who lies outside the population and whose silence BG/NBD can foresee."""

    def values(
        self, frame: DateFrame, risk: Floats, *, reference: DateReference, settings: ValueSettings
    ) -> CustomerValues:
        """Value everybody at the frame's date, given everybody's risk."""


class Silence:
    """Nobody gives notice: who has not ordered for long has left."""

    watched_by = "order"
    age = "days_since_last_order"
    worth = "spend_total"
    grouping = "segment"

    def __init__(self, horizon_days: int, active_within_days: int) -> None:
        self._horizon_days = horizon_days
        self._active_within_days = active_within_days

    def definition(self) -> str:
        """Say in words who churned."""
        return (
            f"no order in the {self._horizon_days} days from that date, among customers with an order in the "
            f"{self._active_within_days} days before it"
        )

    def lifecycles(self, frame: DateFrame) -> npt.NDArray[np.object_]:
        """Say where each customer stands: new, active, at_risk (late), lapsed, returned or never_bought.

        Late is more than one and a half of the customer's own usual pause; returned is a pause longer than
        ``active_within_days`` before the last order; new is a first order within 60 days.
        """
        features = frame.features
        late = features["days_since_last_over_own_gap"].to_numpy() > _LATE
        returned = features["gap_days_last"].to_numpy() > self._active_within_days
        fresh = features["days_since_first_order"].to_numpy() < _FRESH_DAYS
        return np.select(
            [~_bought(features), ~frame.in_population, late, returned, fresh],
            ["never_bought", "lapsed", "at_risk", "returned", "new"],
            default="active",
        ).astype(object)

    def foreseen(self, frame: DateFrame) -> Mask:
        """Mark the customers who bought and lapsed."""
        return _bought(frame.features) & ~frame.in_population

    def values(
        self, frame: DateFrame, risk: Floats, *, reference: DateReference, settings: ValueSettings
    ) -> CustomerValues:
        """Value everybody by the purchases BG/NBD foresees; it knows the risk by itself."""
        return customer_values(frame.features, reference=reference, settings=settings)


class Contract:
    """Customers give notice: whose subscription ended and was not renewed has left."""

    watched_by = "subscription"
    age = "days_since_subscription_start"
    worth = FEE
    grouping = "lifecycle"

    def __init__(self, horizon_days: int, grace_days: int) -> None:
        self._horizon_days = horizon_days
        self._grace_days = grace_days

    def definition(self) -> str:
        """Say in words who churned."""
        grace = (
            f"within {self._grace_days} day{'s' * (self._grace_days != 1)}"
            if self._grace_days
            else "on the same day"
        )
        return (
            f"the subscription ends in the {self._horizon_days} days from that date and no other one runs or begins "
            f"{grace}, among customers with a running subscription"
        )

    def lifecycles(self, frame: DateFrame) -> npt.NDArray[np.object_]:
        """Say where each customer stands: new, active, at_risk (overdue), lapsed, returned or never_subscribed.

        Overdue is a renewal date that has passed; returned is a pause between two subscriptions; new is a
        first subscription within 60 days.
        """
        features = frame.features
        overdue = np.zeros(len(features), dtype=bool)
        if "days_to_renewal" in features:
            overdue = features["days_to_renewal"].to_numpy() < 0
        returned = features["subscription_pauses"].to_numpy() > 0
        fresh = features["days_since_first_subscription"].to_numpy() < _FRESH_DAYS
        return np.select(
            [features["subscriptions_total"].to_numpy() == 0, ~frame.in_population, overdue, returned, fresh],
            ["never_subscribed", "lapsed", "at_risk", "returned", "new"],
            default="active",
        ).astype(object)

    def foreseen(self, frame: DateFrame) -> Mask:
        """Mark nobody: what a former subscriber will do next, nothing here foresees."""
        return np.zeros(len(frame.features), dtype=bool)

    def values(
        self, frame: DateFrame, risk: Floats, *, reference: DateReference, settings: ValueSettings
    ) -> CustomerValues:
        """Value subscribers by their fee for as long as their risk lets them stay, former ones by their last fee."""
        return subscriber_values(
            frame.features,
            risk,
            subscribed=frame.in_population,
            last_fee=0.0 if frame.last_fee is None else frame.last_fee,
            horizon_days=self._horizon_days,
            settings=settings,
        )


def kind_of(rule: OutcomeRule) -> ChurnKind:
    """Return how customers leave under a churn definition."""
    if rule.active_within_days is None:
        return Contract(rule.horizon_days, rule.grace_days or 0)
    return Silence(rule.horizon_days, rule.active_within_days)


def _bought(features: pd.DataFrame) -> Mask:
    return np.asarray(features["purchase_days_total"].to_numpy() > 0)
