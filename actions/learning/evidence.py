"""What settled outcomes say about each action: those sent against those from whom it was withheld."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from actions.catalogue import Action
from actions.learning.controls import Controls, Floats, Places
from actions.regions import region_weights

KEYS = ["action", "cell", "salt"]
SUMS = [
    "sent",
    "sent_churned",
    "sent_risk",
    "withheld",
    "withheld_churned",
    "withheld_risk",
    "margin",
    "weight",
    "sent_cost",
    "withheld_cost",
    "cost_square",
]
PRIOR_UNITS = 50.0
"""So many units' worth is the predicted risk when the churn of a cell is estimated."""

_SENT, _CONTROL = "sent", "control"
_LEAST_RATE = 0.001


def tally(units: pd.DataFrame, actions: Sequence[Action]) -> pd.DataFrame:
    """Add up settled units by action, cell and salt; tallies of different units may be added.

    A household counts once, with the mean of its members. Left out are units that got an action drawn
    uniformly, which value whole policies, and actions that nobody could be denied. Actions no longer in the
    catalogue stay in: their controls tell of the cells they share with others.

    Args:
        units: settled units: ``action`` (the planned one), ``arm``, ``withheld_share``, ``cell``, ``salt``,
            ``unit``, ``churned``, ``churn_risk``, ``margin``, ``cost`` (currency units), and ``region``
            where an action weighs regions.
        actions: the catalogue's actions, for the weights of regions.

    Returns:
        Index ``KEYS``, columns ``SUMS``: per arm the units, those of them who churned, their predicted risk
        and their cost; over both arms margin, region weight and squared cost.
    """
    rows = units[units["arm"].isin([_SENT, _CONTROL]) & (units["withheld_share"] > 0)]
    column = pd.Index([action.id for action in actions]).get_indexer(rows["action"])
    # The last column, taken by -1, is for actions no longer there.
    weights = np.column_stack([region_weights(actions, rows), np.ones(len(rows))])
    rows = rows.assign(weight=weights[np.arange(len(rows)), column])
    measured = ["churned", "churn_risk", "margin", "weight", "cost"]
    means = rows.groupby([*KEYS, "arm", "unit"])[measured].mean().reset_index()
    sent = (means["arm"] == _SENT).to_numpy(dtype=np.float64)
    content = {
        "sent": sent,
        "sent_churned": sent * means["churned"],
        "sent_risk": sent * means["churn_risk"],
        "withheld": 1 - sent,
        "withheld_churned": (1 - sent) * means["churned"],
        "withheld_risk": (1 - sent) * means["churn_risk"],
        "margin": means["margin"],
        "weight": means["weight"],
        "sent_cost": sent * means["cost"],
        "withheld_cost": (1 - sent) * means["cost"],
        "cost_square": means["cost"] ** 2,
    }
    return means[KEYS].assign(**content).groupby(KEYS)[SUMS].sum().astype(np.float64)


def control_rates(tallied: pd.DataFrame, cells: Sequence[str], expected: Floats) -> Floats:
    """Return the churn without action of each cell: predicted at first, that of the controls as they mature.

    Args:
        tallied: result of ``tally``.
        cells: names of the cells.
        expected: (cells,), mean predicted risk; it weighs as much as ``PRIOR_UNITS`` controls.

    Examples:
        >>> index = pd.MultiIndex.from_tuples([("call", "a", "2026H1")], names=KEYS)
        >>> rows = pd.DataFrame({"withheld": [150.0], "withheld_churned": [30.0]}, index=index)
        >>> control_rates(rows, ["a", "b"], np.array([0.4, 0.4]))
        array([0.25, 0.4 ])
    """
    controls = tallied.groupby(level="cell")[["withheld", "withheld_churned"]].sum()
    known = controls.reindex(list(cells)).fillna(0.0).to_numpy()
    return np.asarray((known[:, 1] + PRIOR_UNITS * expected) / (known[:, 0] + PRIOR_UNITS))


@dataclass(frozen=True)
class Observed:
    """What the outcomes of one action say, cell by cell.

    Attributes:
        cells: (seen,), places of the cells in which outcomes can be compared.
        effect: (seen,), absolute reduction of churn, as for a customer of region weight 1.
        covariance: (seen, seen), of its errors.
        units: (cells,), settled units of both arms.
        margin: (cells,), mean worth of keeping one of them, currency units; 0 where there is none.
        weight: (cells,), their mean region weight; 1 where there is none.
        cost: what a unit sent the action cost more than one from whom it was withheld, currency units;
            missing where there is no such unit.
        cost_spread: variance of a unit's cost within its arm, squared currency units.
        sent: units sent.
        withheld: units withheld.
    """

    cells: Places
    effect: Floats
    covariance: Floats
    units: Floats
    margin: Floats
    weight: Floats
    cost: float
    cost_spread: float
    sent: int
    withheld: int


def observe(
    tallied: pd.DataFrame, actions: Sequence[str], cells: Sequence[str], rates: Floats
) -> tuple[Observed, ...]:
    """Compare the sent with the withheld of each action in each cell.

    Outcomes are compared beyond the predicted risk, which takes off chance differences between the arms.
    The variance counts the churn of both arms with the weight of ``PRIOR_UNITS`` units of the cell's rate: a
    handful of units who all stayed are no certainty. Salts are compared each for itself: a share of withheld
    that differs from one period to the next must not pass for an effect. Controls of other actions in the same
    cell and period count as far as the controls of all actions agree.

    Args:
        tallied: result of ``tally``.
        actions: ids.
        cells: names of the cells.
        rates: (cells,), expected churn without action, 0 to 1.

    Returns:
        One value per action.
    """
    named, periods = (tallied.index.get_level_values(level) for level in ("action", "salt"))
    cell = pd.Index(cells).get_indexer(tallied.index.get_level_values("cell"))
    place, _ = pd.factorize(pd.MultiIndex.from_arrays([cell, periods]))
    sums = {name: tallied[name].to_numpy(dtype=np.float64) for name in SUMS}
    known = np.bincount(place, sums["withheld"])[place] > 0
    some = {name: each[known] for name, each in sums.items()}
    effect, covariance = _compared(some, pd.factorize(named[known])[0], place[known], rates[cell[known]])
    found = []
    for action in actions:
        mine = np.asarray(named == action)
        compared = np.flatnonzero(mine[known] & (some["sent"] > 0))
        told = _by_cell(cell[known][compared], effect[compared], covariance[np.ix_(compared, compared)])
        found.append(
            _observed({name: each[mine] for name, each in sums.items()}, cell[mine], len(cells), *told)
        )
    return tuple(found)


def _compared(
    sums: Mapping[str, Floats], action: Places, place: Places, rates: Floats
) -> tuple[Floats, Floats]:
    """Return what the sent of each row did better than untreated, and the covariance of its errors."""
    sent, withheld = sums["sent"], sums["withheld"]
    churned = sums["sent_churned"] + sums["withheld_churned"] + PRIOR_UNITS * rates
    rate = np.clip(churned / (sent + withheld + PRIOR_UNITS), _LEAST_RATE, 1 - _LEAST_RATE)
    spread = rate * (1 - rate)
    above = (sums["withheld_churned"] - sums["withheld_risk"]) / np.maximum(withheld, 1)
    noise = np.where(withheld > 0, spread / np.maximum(withheld, 1), np.inf)
    untreated, doubt = Controls(above, noise, action, pd.factorize(place)[0]).untreated()
    treated = (sums["sent_churned"] - sums["sent_risk"]) / np.maximum(sent, 1)
    return untreated - treated, doubt + np.diag(spread / np.maximum(sent, 1))


def _by_cell(cell: Places, effect: Floats, covariance: Floats) -> tuple[Places, Floats, Floats]:
    """Bring the salts of each cell together by generalised least squares."""
    seen, at = np.unique(cell, return_inverse=True)
    of_cell = np.eye(len(seen))[at]
    weighed = np.linalg.solve(covariance, of_cell)
    together = np.linalg.inv(weighed.T @ of_cell)
    return seen, together @ (weighed.T @ effect), np.asarray(together, dtype=np.float64)


def _observed(
    sums: Mapping[str, Floats], cell: Places, cells: int, seen: Places, effect: Floats, covariance: Floats
) -> Observed:
    def per_cell(values: Floats) -> Floats:
        return np.bincount(cell, values, cells).astype(np.float64)

    sent, withheld = sums["sent"], sums["withheld"]
    units = per_cell(sent + withheld)
    weight = np.where(units > 0, per_cell(sums["weight"]) / np.maximum(units, 1), 1.0)
    return Observed(
        cells=seen,
        effect=effect / weight[seen],
        covariance=covariance / np.outer(weight[seen], weight[seen]),
        units=units,
        margin=per_cell(sums["margin"]) / np.maximum(units, 1),
        weight=weight,
        cost=_ratio(sums["sent_cost"], sent) - _ratio(sums["withheld_cost"], withheld),
        cost_spread=_within(sums),
        sent=round(sent.sum()),
        withheld=round(withheld.sum()),
    )


def _ratio(total: Floats, count: Floats) -> float:
    return float(total.sum() / count.sum()) if count.any() else float("nan")


def _within(sums: Mapping[str, Floats]) -> float:
    """Return the variance of a unit's cost around the mean of its arm."""
    arms = [(sums[f"{arm}_cost"].sum(), sums[arm].sum()) for arm in ("sent", "withheld")]
    between = sum(cost**2 / max(count, 1) for cost, count in arms)
    return float(max(sums["cost_square"].sum() - between, 0.0) / max(sum(count for _, count in arms), 1))
