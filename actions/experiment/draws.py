"""What chance decides about a night's plan: who is control, what is withheld, who explores, and what they get."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import numpy.typing as npt

from actions.allocation.limits import Counts, Limits
from actions.allocation.problem import Codes, Rows
from actions.catalogue import Action
from actions.experiment.control import (
    EXPLORE,
    UNTOUCHED,
    WITHHOLD,
    ControlSettings,
    draw_below,
    keyed_uniforms,
    share_of_others,
)
from actions.experiment.exploration import Flags, Offers, Pairs


@dataclass(frozen=True)
class Sending:
    """What the draws make of the planned pairs.

    Attributes:
        pairs: what is planned.
        column: (pairs,), the action that is sent, -1 where it is withheld.
        explored: (pairs,), whether chance picked the action.
        propensity: (pairs,), chance of what happened to the pair, its arm and its action, in the draws that
            decided it.
    """

    pairs: Pairs
    column: Codes
    explored: Flags
    propensity: npt.NDArray[np.float64]

    def take(self, kept: Flags) -> "Sending":
        """Return some of the pairs."""
        return Sending(self.pairs.take(kept), self.column[kept], self.explored[kept], self.propensity[kept])

    def counts(self, limits: Limits) -> Counts:
        """Count what is sent per region and action."""
        sent = self.column >= 0
        return limits.count(self.column[sent], self.pairs.groups[sent])


@dataclass(frozen=True)
class Draws:
    """The draws of a night, one flag per customer.

    Attributes:
        salt: the salt that decided.
        in_global: in the control of the whole programme.
        units: unit of each customer.
        untouched: everything that is planned is withheld.
        explores: what is not withheld may be replaced by what chance picks.
        control: the shares drawn.
    """

    salt: str
    in_global: Flags
    units: Sequence[str]
    untouched: Flags
    explores: Flags
    control: ControlSettings

    @classmethod
    def of(cls, units: Sequence[str], control: ControlSettings, *, as_of: date) -> Self:
        """Draw for the unit of each customer."""
        salt = control.period_of(as_of).salt
        untouched = draw_below(units, control.untouched_share, salt=salt, purpose=UNTOUCHED)
        explores = draw_below(units, control.exploration_share, salt=salt, purpose=EXPLORE)
        in_global = control.global_control(units, as_of=as_of)
        return cls(salt, in_global, units, untouched, explores, control)

    def pairs(self, rows: Rows, columns: Codes, groups: Codes, actions: Sequence[Action]) -> Pairs:
        """Tell which planned pairs chance decides about: randomised actions outside the global control.

        Args:
            rows: (pairs,), positions of the customers.
            columns: (pairs,), positions of their planned actions.
            groups: (customers,), position of each customer's region in the limits.
            actions: the active actions.
        """
        randomised = np.array([action.randomise for action in actions], dtype=bool)
        return Pairs(rows, columns, groups[rows], randomised[columns] & ~self.in_global[rows])

    def send(
        self,
        pairs: Pairs,
        offers: Offers,
        actions: Sequence[Action],
        customer_ids: Sequence[str],
        *,
        as_of: date,
    ) -> Sending:
        """Withhold, replace or leave each planned pair.

        Whether a unit is untouched, is denied an action, or explores is fixed for the salt's period; the action
        that takes the place of another is drawn anew for each customer and night, by a number of each action's own.

        Args:
            pairs: what is planned.
            offers: among which actions chance may choose.
            actions: the active actions.
            customer_ids: id of each customer of the base.
            as_of: the night.
        """
        untouched = pairs.randomised & self.untouched[pairs.rows]
        withheld = untouched | (pairs.randomised & self._denied(pairs, actions))
        explored = pairs.randomised & self.explores[pairs.rows] & ~withheld
        drawn = np.flatnonzero(explored[offers.first])
        column = np.where(withheld, -1, pairs.columns)
        if len(drawn):
            who = [customer_ids[row] for row in pairs.rows[offers.first[drawn]]]
            purposes = [f"explored action {as_of} {action.id}" for action in actions]
            uniforms = [keyed_uniforms(who, salt=self.salt, purpose=purpose) for purpose in purposes]
            column[offers.first[drawn]] = offers.take(drawn).drawn(np.column_stack(uniforms))
        choices = np.ones(len(pairs))
        choices[offers.first] = offers.choices
        chance = self._chance(withheld, explored, choices)
        chance[untouched] = self.control.untouched_share
        fixed = np.where(self.in_global[pairs.rows], self.control.global_share, 1.0)
        return Sending(pairs, column, explored, np.where(pairs.randomised, chance, fixed))

    def _denied(self, pairs: Pairs, actions: Sequence[Action]) -> Flags:
        """Draw for each unit and action apart, so that whoever is denied one may get the others."""
        denied = np.zeros(len(pairs), dtype=bool)
        share = share_of_others(self.control.withheld_share)
        for column in np.unique(pairs.columns[pairs.randomised]):
            at = np.flatnonzero(pairs.columns == column)
            units = [self.units[row] for row in pairs.rows[at]]
            uniforms = keyed_uniforms(units, salt=self.salt, purpose=f"{WITHHOLD} {actions[column].id}")
            denied[at] = uniforms < share
        return denied

    def _chance(
        self, withheld: Flags, explored: Flags, choices: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        held, exploring = self.control.withheld_share, self.control.exploration_share
        sent = (1 - held) * np.where(explored, exploring / choices, 1 - exploring)
        return np.where(withheld, held - self.control.untouched_share, sent)
