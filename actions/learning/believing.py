"""What is believed of each action tonight: the owner's word, what outcomes made of it, and what is stopped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from actions.catalogue import Action
from actions.learning.beliefs import Belief, least_surprising, loss_chance, updated
from actions.learning.controls import Floats
from actions.learning.effects import EVIDENCE, MODEL, PRIOR, UPLIFT, Effects, Level, cell_priors, is_scored
from actions.learning.evidence import PRIOR_UNITS, Observed, control_rates, observe
from actions.regions import region_weights
from actions.value import expected_cost

Uplift = tuple[Floats, Floats]
"""Absolute reduction of churn of each customer by one action, and its standard deviation."""

_COST_SHARE, _COST_FLOOR = 0.5, 0.1
"""How far the catalogue's cost may be off: a share of it plus so many currency units."""


class LearningSettings(BaseModel):
    """When outcomes count, when they stop an action, and when a model of single customers is tried.

    Attributes:
        evidence_from_units: settled units, sent and withheld, from which on an action's outcomes count; below
            it the owner's belief stands alone.
        stop_above_loss_chance: chance of a loss per contact above which an action is no longer used.
        uplift_from_units: settled units from which on a retraining tries to tell single customers apart.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    evidence_from_units: int = Field(default=100, ge=2)
    stop_above_loss_chance: float = Field(default=0.9, gt=0.5, le=1)
    uplift_from_units: int = Field(default=20_000, ge=1_000)


@dataclass(frozen=True)
class ActionBelief:
    """What is believed of one action on average over its units, or over those who may get it tonight.

    Attributes:
        action: id.
        level: what the belief rests on.
        sent: settled units sent.
        withheld: settled units from whom it was withheld.
        effect: absolute reduction of churn.
        sd: standard deviation of that belief.
        profit: expected profit of a contact, currency units; missing where no unit has settled.
        loss_chance: chance that the profit is below zero, doubt about its cost included; missing where no
            unit has settled.
        stopped: whether outcomes say that it loses money.
    """

    action: str
    level: Level
    sent: int
    withheld: int
    effect: float
    sd: float
    profit: float | None
    loss_chance: float | None
    stopped: bool


@dataclass(frozen=True)
class CellBeliefs:
    """Beliefs of every action in every cell, and the outcomes behind them.

    Attributes:
        cells: names.
        after: belief of each action.
        seen: outcomes of each action.
        level: what each belief rests on.
    """

    cells: tuple[str, ...]
    after: tuple[Belief, ...]
    seen: tuple[Observed, ...]
    level: tuple[Level, ...]


def cell_beliefs(
    tallied: pd.DataFrame,
    actions: Sequence[Action],
    settings: LearningSettings,
    *,
    expected: Mapping[str, float],
) -> CellBeliefs:
    """Add what outcomes say to what the owner believes.

    Args:
        tallied: settled units, added up by ``tally``.
        actions: the actions.
        settings: when outcomes count.
        expected: mean predicted risk of the cells that have no settled unit yet.
    """
    sums = tallied.groupby(level="cell").sum()
    risk = (sums["sent_risk"] + sums["withheld_risk"]) / (sums["sent"] + sums["withheld"])
    by_cell = {**expected, **{str(cell): float(value) for cell, value in risk.items()}}
    cells = tuple(sorted(by_cell))
    rates = control_rates(tallied, cells, np.array([by_cell[cell] for cell in cells]))
    mean, sd = cell_priors(cells, rates, actions)
    seen = observe(tallied, [action.id for action in actions], cells, rates)
    level = tuple(_level(one, settings) for one in seen)
    before = least_surprising(mean.T, sd.T, is_scored(cells), seen)
    after = tuple(
        belief if what == PRIOR else updated(belief, one)
        for belief, one, what in zip(before, seen, level, strict=True)
    )
    return CellBeliefs(cells, after, seen, level)


def verdicts(
    beliefs: CellBeliefs,
    actions: Sequence[Action],
    settings: LearningSettings,
    *,
    open_to: npt.NDArray[np.float64] | None = None,
) -> tuple[ActionBelief, ...]:
    """Sum up each action over its cells, and say which ones outcomes stop.

    An action is stopped if the chance of a loss per contact exceeds the limit and the outcomes by themselves
    show a loss too: the owner's belief alone never stops an action.

    Args:
        beliefs: of all actions.
        actions: the actions.
        settings: the limit.
        open_to: (cells, actions), customers who may get each action tonight: the average of a belief that no
            outcome has touched is over them; over all cells alike where not given.
    """
    places = len(beliefs.cells)
    asked = np.ones((places, len(actions))) if open_to is None else open_to
    each = zip(actions, beliefs.after, beliefs.seen, beliefs.level, asked.T, strict=True)
    return tuple(_verdict(*one, settings) for one in each)


@dataclass(frozen=True)
class Beliefs:
    """What is believed tonight.

    Attributes:
        effects: per customer and action.
        told: per action, in the order of the columns of ``effects``.
    """

    effects: Effects
    told: tuple[ActionBelief, ...]

    @property
    def stopped(self) -> npt.NDArray[np.bool_]:
        """Tell which actions outcomes have stopped."""
        return np.array([one.stopped for one in self.told], dtype=bool)


def believed(
    customers: pd.DataFrame,
    actions: Sequence[Action],
    cells: npt.NDArray[np.str_],
    tallied: pd.DataFrame,
    settings: LearningSettings,
    *,
    eligible: npt.NDArray[np.bool_],
    uplifts: Mapping[str, Uplift] = MappingProxyType({}),
) -> Beliefs:
    """Bring the owner's beliefs, the settled outcomes and the models of single customers together.

    Args:
        customers: ``churn_risk`` (probability), ``risk_source`` and, where regions weigh differently,
            ``region``.
        actions: in the order of the columns of the result.
        cells: cell of each customer.
        tallied: settled units, added up by ``tally``; none on the first nights.
        settings: when outcomes count and when they stop an action.
        eligible: (customers, actions), who may get what tonight.
        uplifts: by action id, effects of single customers where a model may tell them; they hold for
            customers scored by the churn model, like those the model learnt from.
    """
    codes, names = pd.factorize(cells, sort=True)
    risk = customers["churn_risk"].to_numpy(dtype=np.float64)
    here = np.bincount(codes, minlength=len(names))
    expected = dict(zip(map(str, names), np.bincount(codes, risk, len(names)) / here, strict=True))
    beliefs = cell_beliefs(tallied, actions, settings, expected=expected)
    place = pd.Index(beliefs.cells).get_indexer(names)
    shape = (len(actions), len(beliefs.cells))
    mean = np.array([belief.mean for belief in beliefs.after]).reshape(shape).T[place]
    sd = np.array([belief.sd for belief in beliefs.after]).reshape(shape).T[place]
    weights = region_weights(actions, customers)
    means, sds = mean.astype(np.float32)[codes] * weights, sd.astype(np.float32)[codes] * weights
    scored = (customers["risk_source"] == MODEL).to_numpy()
    open_to = np.zeros((len(beliefs.cells), len(actions)))
    for column, action in enumerate(actions):
        open_to[place, column] = np.bincount(codes[eligible[:, column]], minlength=len(names))
        if action.id in uplifts:
            relative = weights[scored, column] / _mean_weight(beliefs.seen[column], beliefs.cells)
            means[scored, column], sds[scored, column] = (
                each[scored] * relative for each in uplifts[action.id]
            )
    told = verdicts(beliefs, actions, settings, open_to=open_to)
    told = tuple(replace(one, level=UPLIFT) if one.action in uplifts else one for one in told)
    ids, levels = tuple(one.action for one in told), tuple(one.level for one in told)
    return Beliefs(Effects(np.asarray(cells), means, sds, ids, levels), told)


def believed_cost(action: Action, seen: Observed, level: Level) -> tuple[float, float]:
    """Return what a contact is believed to cost, and the standard deviation of that belief, currency units.

    The catalogue's expected cost is believed give or take half of it plus .10. Once outcomes count, what the
    sent cost more than the withheld moves it: normal shrinkage by the variance of that difference, in which
    the redemptions the catalogue expects weigh as much as ``PRIOR_UNITS`` units.

    Args:
        action: what the catalogue says of it.
        seen: its outcomes.
        level: what its effect rests on; below evidence the catalogue's word stands.
    """
    expected = expected_cost(action)
    sd = _COST_SHARE * expected + _COST_FLOOR
    if level == PRIOR or not np.isfinite(seen.cost):
        return expected, sd
    units = seen.sent + seen.withheld
    redeemed = action.redeem_rate * (1 - action.redeem_rate) * action.incentive_cost**2
    spread = (units * seen.cost_spread + PRIOR_UNITS * redeemed) / (units + PRIOR_UNITS)
    gain = sd**2 / (sd**2 + spread * (1 / seen.sent + 1 / seen.withheld))
    return expected + gain * (seen.cost - expected), float(sd * np.sqrt(1 - gain))


def _mean_weight(seen: Observed, cells: Sequence[str]) -> float:
    """Return the mean region weight of the units that the churn model scored, 1 where there is none."""
    units = seen.units * is_scored(cells)
    return float(_shares(units) @ seen.weight) if units.any() else 1.0


def _verdict(
    action: Action, belief: Belief, seen: Observed, level: Level, asked: Floats, settings: LearningSettings
) -> ActionBelief:
    share = _shares(seen.units if seen.units.any() else asked)
    effect, sd = belief.of_total(share)
    if not seen.units.any():
        return ActionBelief(action.id, level, seen.sent, seen.withheld, effect, sd, None, None, False)
    worth = share * seen.margin * seen.weight
    kept, spread = belief.of_total(worth)
    cost, doubt = believed_cost(action, seen, level)
    chance = loss_chance(kept - cost, float(np.hypot(spread, doubt)))
    worth_alone = _shares(seen.units[seen.cells]) * (seen.margin * seen.weight)[seen.cells]
    alone = float(worth_alone @ seen.effect)
    stopped = level != PRIOR and chance > settings.stop_above_loss_chance and alone < cost
    return ActionBelief(action.id, level, seen.sent, seen.withheld, effect, sd, kept - cost, chance, stopped)


def _shares(counts: Floats) -> Floats:
    total = counts.sum()
    return counts / total if total else np.full(len(counts), 1 / max(len(counts), 1))


def _level(seen: Observed, settings: LearningSettings) -> Level:
    enough = seen.sent + seen.withheld >= settings.evidence_from_units
    return EVIDENCE if enough and len(seen.cells) else PRIOR
