"""One reading: what being sent an action did, to churn, to what customers are worth, and after every cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from actions.assignments import CONTROL, SENT
from actions.measurement.difference import LEAST_EVENTS, LEAST_EVENTS_FOR_MONEY, Arms, Difference
from actions.measurement.ratio import SampleRatio, sample_ratio

CAP_QUANTILE = 0.995
"""Above this quantile of both arms together a customer's money is cut, lest a few outliers decide."""
SCALE = 0.1
"""Size of effect, of the whole outcome, for which the intervals of many looks are tightest: 10 points of churn."""
LARGEST_SOUGHT = 0.5
"""An effect on churn above which nobody need be told that it would be found."""

BLOCKED, TOO_FEW, KEEPS, DRIVES_AWAY, NOT_SHOWN = "blocked", "too_few", "keeps", "drives_away", "not_shown"
VERDICTS: Mapping[str, str] = {
    BLOCKED: "cannot be read: chance alone did not part the arms",
    TOO_FEW: f"too few units: of each arm {LEAST_EVENTS} must be expected to leave and {LEAST_EVENTS} to stay",
    KEEPS: "keeps customers",
    DRIVES_AWAY: "drives customers away",
    NOT_SHOWN: "no effect shown yet",
}


@dataclass(frozen=True)
class Reading:
    """What was seen in one group of units.

    Attributes:
        name: the action, segment or region.
        ratio: the sample-ratio check.
        sent: customers that were sent something; of all actions together, whoever was not left alone.
        control: customers from whom it was withheld; of all actions together, whoever was left alone.
        stayed: difference in the share that stayed: the absolute reduction of churn.
        profit: difference in what a customer is worth, less every cost: margin of those who stayed.
        earned: difference in what the outcome window brought, less every cost.
        cost: difference in what was spent on a customer.
        margin: mean margin of a customer, currency units.
        worth: mean of what customers earned in the window, currency units; with ``margin`` the measure of money.
    """

    name: str
    ratio: SampleRatio
    sent: int
    control: int
    stayed: Difference
    profit: Difference
    earned: Difference
    cost: Difference
    margin: float
    worth: float

    @classmethod
    def of(cls, name: str, units: pd.DataFrame) -> Self:
        """Read settled units that were drawn.

        Args:
            name: what they have in common.
            units: ``unit, salt, arm`` (``sent``, ``control`` or another one, which has no part in it),
                ``withheld_share`` (chance of control among these two, above 0), ``churned, churn_risk,
                margin, contribution, cost``.
        """
        rows = units[units["arm"].isin((SENT, CONTROL))]
        drawn = rows.drop_duplicates(["unit", "salt"])
        treated = (rows["arm"] == SENT).to_numpy()
        numbers = {name: rows[name].to_numpy(np.float64) for name in _NUMBERS}
        arms = Arms.drawn(treated, numbers["withheld_share"], rows["unit"].to_numpy())
        stayed, kept = 1 - numbers["churned"], 1 - numbers["churn_risk"]
        margin, earned = _capped(numbers["margin"]), _capped(numbers["contribution"])
        cost = numbers["cost"]
        measure, money = (
            arms.measure if arms.can_tell(stayed == 1, least) else arms.unmeasured
            for least in (LEAST_EVENTS, LEAST_EVENTS_FOR_MONEY)
        )
        return cls(
            name=name,
            ratio=sample_ratio(
                (drawn["arm"] == CONTROL).to_numpy(), drawn["withheld_share"].to_numpy(np.float64)
            ),
            sent=int(treated.sum()),
            control=int((~treated).sum()),
            stayed=measure(stayed, kept),
            profit=money(margin * stayed - cost, margin * kept),
            earned=money(earned - cost, margin * kept),
            cost=measure(cost, np.zeros(len(cost))),
            margin=float(margin.mean()) if len(rows) else 0.0,
            worth=float(earned.mean()) if len(rows) else 0.0,
        )

    @property
    def verdict(self) -> str:
        """Return what may be said, for whoever looks every night."""
        interval = self.stayed.sequence(SCALE)
        if self.ratio.is_blocked:
            return BLOCKED
        if interval is None:
            return TOO_FEW
        if interval[0] > 0:
            return KEEPS
        return DRIVES_AWAY if interval[1] < 0 else NOT_SHOWN

    @property
    def words(self) -> str:
        """Return the verdict, with the detectable effect beside every effect that was not shown."""
        said = VERDICTS[self.verdict]
        if self.verdict == BLOCKED:
            ratio = self.ratio
            return (
                f"{said}; {ratio.control:,} of {ratio.control + ratio.treated:,} units are in control where "
                f"{ratio.expected_control:,.0f} were drawn (p = {ratio.p:.1g})"
            )
        detectable = self.stayed.detectable(SCALE)
        if self.verdict != NOT_SHOWN or detectable is None:
            return said
        if detectable > LARGEST_SOUGHT:
            return f"{said}; with so few units none could be"
        return f"{said}; one of {100 * detectable:.1f} points would be found"

    def answer(self) -> dict[str, Any]:
        """Return the reading as JSON values; of a blocked one the counts alone.

        Effects per customer sent are differences, sent less control; ``total`` is for all customers sent:
        ``kept`` customers, ``profit`` and ``earned`` in currency units, each with the 95 % interval for
        whoever looks once; ``price_of_control`` is the profit forgone with those withheld.
        """
        told: dict[str, Any] = {
            "name": self.name,
            "verdict": self.verdict,
            "words": self.words,
            "sent_customers": self.sent,
            "control_customers": self.control,
            "sample_ratio": self.ratio.answer(),
        }
        if self.verdict == BLOCKED:
            return told
        return {
            **told,
            "stayed": self.stayed.answer(SCALE),
            "profit": self.profit.answer(SCALE * (self.margin or 1.0)),
            "earned": self.earned.answer(SCALE * (self.worth or 1.0)),
            "cost": self.cost.answer(SCALE),
            "total": {
                "kept": _times(self.stayed, self.sent),
                "profit": _times(self.profit, self.sent),
                "earned": _times(self.earned, self.sent),
                "cost": _times(self.cost, self.sent),
            },
            "price_of_control": _times(self.profit, self.control),
        }


_NUMBERS = ("withheld_share", "churned", "churn_risk", "margin", "contribution", "cost")


def _capped(money: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.minimum(money, np.quantile(money, CAP_QUANTILE)) if len(money) else money


def _times(difference: Difference, customers: int) -> dict[str, float | None]:
    interval = difference.interval
    return {
        "estimate": None if difference.estimate is None else difference.estimate * customers,
        "low": None if interval is None else interval[0] * customers,
        "high": None if interval is None else interval[1] * customers,
    }
