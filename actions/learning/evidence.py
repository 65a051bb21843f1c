"""What settled outcomes say about each action: those sent against those from whom it was withheld."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.catalogue import Action
from actions.regions import region_weights

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

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
_SELECTION = np.array([0.0, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05])
_EXPECTED_SELECTION = 0.01


def tally(units: pd.DataFrame, actions: Sequence[Action]) -> pd.DataFrame:
    """Add up settled units by action, cell and salt; tallies of different units may be added.

    A household counts once, with the mean of its members. Left out are units that got an action drawn
    uniformly, which value whole policies, and actions that nobody could be denied.

    Args:
        units: settled units: ``action`` (the planned one), ``arm``, ``withheld_share``, ``cell``, ``salt``,
            ``unit``, ``churned``, ``churn_risk``, ``margin``, ``cost`` (currency units), and ``region``
            where an action weighs regions.
        actions: the catalogue's actions; outcomes of others are dropped.

    Returns:
        Index ``KEYS``, columns ``SUMS``: per arm the units, those of them who churned, their predicted risk
        and their cost; over both arms margin, region weight and squared cost.
    """
    column = pd.Index([action.id for action in actions]).get_indexer(units["action"])
    drawn = units["arm"].isin([_SENT, _CONTROL]) & (units["withheld_share"] > 0)
    known = (column >= 0) & drawn.to_numpy(dtype=bool)
    rows, column = units[known], column[known]
    weights = region_weights(actions, rows)
    rows = rows.assign(weight=weights[np.arange(len(rows)), column].astype(np.float64))
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
        variance: (seen,), its sampling variance.
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
    variance: Floats
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
    that differs from one period to the next must not pass for an effect.

    Args:
        tallied: result of ``tally``.
        actions: ids.
        cells: names of the cells.
        rates: (cells,), expected churn without action, 0 to 1.

    Returns:
        One value per action.
    """
    action = pd.Index(actions).get_indexer(tallied.index.get_level_values("action"))
    rows = tallied[action >= 0]
    cell = pd.Index(cells).get_indexer(rows.index.get_level_values("cell"))
    place, _ = pd.factorize(pd.MultiIndex.from_arrays([cell, rows.index.get_level_values("salt")]))
    sums = {name: rows[name].to_numpy(dtype=np.float64) for name in SUMS}
    sent, withheld = sums["sent"], sums["withheld"]
    churned = sums["sent_churned"] + sums["withheld_churned"]
    rate = (churned + PRIOR_UNITS * rates[cell]) / (sent + withheld + PRIOR_UNITS)
    spread = rate * (1 - rate)
    above = (sums["withheld_churned"] - sums["withheld_risk"]) / np.maximum(withheld, 1)
    untreated, doubt = _shrunk_controls(above, withheld, spread, place)
    sums["effect"] = untreated - (sums["sent_churned"] - sums["sent_risk"]) / np.maximum(sent, 1)
    sums["precision"] = (sent > 0) / (doubt + spread / np.maximum(sent, 1))
    of = action[action >= 0]
    return tuple(
        _of_action({name: each[of == a] for name, each in sums.items()}, cell[of == a], len(cells))
        for a in range(len(actions))
    )


def _of_action(sums: Mapping[str, Floats], cell: Places, cells: int) -> Observed:
    def per_cell(values: Floats) -> Floats:
        return np.bincount(cell, values, cells).astype(np.float64)

    sent, withheld, precision = sums["sent"], sums["withheld"], sums["precision"]
    units, total = per_cell(sent + withheld), per_cell(precision)
    seen, some = np.flatnonzero(total > 0), np.maximum(units, 1)
    weight = np.where(units > 0, per_cell(sums["weight"]) / some, 1.0)
    return Observed(
        cells=seen,
        effect=per_cell(precision * sums["effect"])[seen] / total[seen] / weight[seen],
        variance=1 / total[seen] / weight[seen] ** 2,
        units=units,
        margin=per_cell(sums["margin"]) / some,
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


def _shrunk_controls(above: Floats, withheld: Floats, spread: Floats, place: Places) -> tuple[Floats, Floats]:
    """Estimate the untreated churn beyond prediction behind each action, and the variance of the estimate.

    Its own controls say it without bias but are few; the controls of other actions in the same cell and period
    differ from them by how the optimiser selected. How much they differ is learnt from the controls themselves.
    """
    own = withheld / spread
    selection = _selection_variance(above, withheld, spread, place)
    weight = np.where(withheld > 0, 1 / (spread / np.maximum(withheld, 1) + selection), 0.0)
    others = np.bincount(place, weight)[place] - weight
    told = np.bincount(place, weight * above)[place] - weight * above
    is_told = others > 1e-9 * weight
    borrowed = np.where(is_told, 1 / (1 / np.where(is_told, others, 1.0) + selection), 0.0)
    total = own + borrowed
    elsewhere = told / np.where(is_told, others, 1.0)
    known = np.where(total > 0, total, 1.0)
    return (own * above + borrowed * elsewhere) / known, np.where(total > 0, 1 / known, np.inf)


def _selection_variance(above: Floats, withheld: Floats, spread: Floats, place: Places) -> float:
    """Average the variance between the controls of different actions over its restricted likelihood.

    Source: Patterson and Thompson, Recovery of inter-block information, Biometrika 58 (1971), for one way.
    """
    some = withheld > 0
    if not some.any():
        return 0.0
    above, noise = above[some], spread[some] / withheld[some]
    place, _ = pd.factorize(place[some])
    told = np.empty(len(_SELECTION))
    for at, selection in enumerate(_SELECTION):
        weight = 1 / (noise + selection**2)
        total = np.bincount(place, weight)
        left = above - (np.bincount(place, weight * above) / total)[place]
        told[at] = 0.5 * (np.log(weight).sum() - np.log(total).sum() - (weight * left**2).sum())
    told -= _SELECTION / _EXPECTED_SELECTION
    chance = np.exp(told - told.max())
    return float(chance @ _SELECTION**2 / chance.sum())
