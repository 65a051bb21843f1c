"""Thompson sampling: actions are chosen by draws from the beliefs, so that what is uncertain gets tried.

Each night draws the effects of all cells and actions ``DRAWS`` times. Every unit takes one of the draws by
keyed hash, so that the customers of a cell are spread over the actions as their chances of being best say.
A choice made by a draw is worth what the mean says, never what the draw says.

Source: Chapelle and Li, An Empirical Evaluation of Thompson Sampling, NeurIPS 2011.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from actions.experiment.control import keyed_uniforms
from actions.learning.effects import Effects, Matrix

DRAWS = 40
_CHUNK = 65_536

Rows = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Allowed = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Drawn:
    """Effects as drawn tonight: used for choosing, never for reporting.

    Attributes:
        effect: (customers, actions), the effect each customer's draw gives, absolute reduction of churn.
        effects: what was drawn from.
        code: (customers,), place of each customer's cell in ``normals``.
        normals: (draws, cells, actions), how many standard deviations each draw lies from the mean.
    """

    effect: Matrix
    effects: Effects
    code: Rows
    normals: Matrix

    def choice_share(
        self,
        rows: Rows,
        columns: Rows,
        *,
        margin: Floats,
        toll: npt.NDArray[np.floating],
        allowed: Allowed,
        channels: npt.NDArray[np.int8] | None = None,
        most_actions: int = 1,
    ) -> Floats:
        """Tell in which share of the draws each planned pair would have been chosen at tonight's prices.

        No propensity: prices and draws hang together over the whole base.

        Args:
            rows: (pairs,), customer of each planned pair.
            columns: (pairs,), its action.
            margin: (customers,), what keeping the customer is worth, currency units.
            toll: (actions,) or (customers, actions), expected cost plus the prices of what a pair uses,
                currency units.
            allowed: (customers, actions), which pairs may be.
            channels: (customers, actions), code of each pair's channel; given where a customer may get one
                action per channel.
            most_actions: the most actions a customer may get.

        Returns:
            (pairs,), shares from 0 to 1.
        """
        share = np.zeros(len(rows))
        for pairs in _chunks(len(rows)):
            row, column = rows[pairs], columns[pairs]
            mean, sd, code = self.effects.mean[row], self.effects.sd[row], self.code[row]
            dear = np.broadcast_to(toll, self.effect.shape)[row].astype(np.float32)
            may, worth = allowed[row], margin[row, None].astype(np.float32)
            lane = None if channels is None else channels[row]
            for normal in self.normals:
                left = np.where(may, (mean + sd * normal[code]) * worth - dear, -np.inf)
                share[pairs] += _is_chosen(left, column, lane, most_actions)
        return share / len(self.normals)


def drawn(
    effects: Effects, units: Sequence[str], *, seed: int, as_of: date, learns: Allowed | None = None
) -> Drawn:
    """Draw tonight's effects: ``mean + sd * z``, z by unit, cell and action.

    The draws of a pair of cell and action are the midpoints of equally likely parts of the normal
    distribution in random order, so that their mean is the belief's. They depend on the seed, the night and
    the names of cell and action alone: another customer or action changes nothing.

    Args:
        effects: beliefs.
        units: household or customer id per customer; rows of one unit take the same draw.
        seed: of the business.
        as_of: the night.
        learns: (actions,), of which actions outcomes can be compared; the others stay at their mean, since
            trying them would teach nothing. All where not given.

    Examples:
        >>> one, two = np.full((2, 1), 0.1, dtype=np.float32), np.full((2, 1), 0.05, dtype=np.float32)
        >>> beliefs = Effects(np.array(["a", "a"]), one, two, ("mail",), ("prior",))
        >>> drawn(beliefs, ["ann", "bob"], seed=7, as_of=date(2026, 6, 1)).effect.round(3)
        array([[ 0.212],
               [-0.012]], dtype=float32)
    """
    code, names = pd.factorize(effects.cell, sort=True)
    normals = _normals([str(name) for name in names], effects.actions, salt=str(seed), as_of=as_of)
    if learns is not None:
        normals[:, :, ~learns] = 0.0
    taken = keyed_uniforms(units, salt=str(seed), purpose=f"thompson unit {as_of}") * DRAWS
    which = taken.astype(np.intp)
    effect = np.empty_like(effects.mean)
    for rows in _chunks(len(effect)):
        effect[rows] = effects.mean[rows] + effects.sd[rows] * normals[which[rows], code[rows]]
    return Drawn(effect, effects, code.astype(np.intp), normals)


def _normals(cells: Sequence[str], actions: Sequence[str], *, salt: str, as_of: date) -> Matrix:
    keys = (f"{cell} {action} {draw}" for cell in cells for action in actions for draw in range(DRAWS))
    uniforms = keyed_uniforms(keys, salt=salt, purpose=f"thompson draw {as_of}")
    order = uniforms.reshape(len(cells), len(actions), DRAWS).argsort(axis=2, kind="stable")
    midpoints = ndtri((order + 0.5) / DRAWS)
    return np.ascontiguousarray(np.moveaxis(midpoints, 2, 0), dtype=np.float32)


def _is_chosen(
    left: Matrix, column: Rows, lane: npt.NDArray[np.int8] | None, most_actions: int
) -> npt.NDArray[np.bool_]:
    own = np.take_along_axis(left, column[:, None], axis=1)
    gains, better = own[:, 0] > 0, left > own
    if lane is None:
        return np.asarray(gains & ~better.any(axis=1))
    same = lane == np.take_along_axis(lane, column[:, None], axis=1)
    ahead = np.zeros(len(left), dtype=np.int64)
    for channel in np.unique(lane):
        ahead += (better & (lane == channel)).any(axis=1)
    return np.asarray(gains & ~(better & same).any(axis=1) & (ahead < most_actions))


def _chunks(rows: int) -> Iterator[slice]:
    return (slice(start, start + _CHUNK) for start in range(0, rows, _CHUNK))
