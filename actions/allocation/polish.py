"""The last per mille of a small plan: the choices in doubt, decided exactly."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix, vstack

from actions.allocation.choices import Choice
from actions.allocation.limits import Floats
from actions.allocation.problem import Indices, Problem, Rows

_PAIRS = 1_500
_NODES = 200


def polish(problem: Problem, taken: Indices, choice: Choice, *, missing: float) -> Indices:
    """Decide anew, exactly, among the choices that the prices leave nearly equal.

    In a plan of a few hundred assignments one place left free may cost tenths of a per cent. A choice that
    lags behind its customer's best by more than the whole plan is missing cannot be part of a better plan;
    of the others the 1,500 closest to a tie are decided by HiGHS branch and bound, with a limit on nodes,
    not seconds, so that the same input gives the same plan. All other customers keep what they have.

    Args:
        problem: who could get what.
        taken: (customers, slots), a plan within the limits, -1 for a free slot.
        choice: what customers take at prices near the best.
        missing: bound less value of the plan, in money.

    Returns:
        A plan within the limits, worth at least as much.
    """
    rows, columns = _open_pairs(problem, taken, choice, missing=missing)
    if not len(rows):
        return taken
    customers, position = np.unique(rows, return_inverse=True)
    decided = taken.copy()
    decided[customers] = -1
    found = milp(
        -problem.values[rows, columns].astype(np.float64),
        constraints=_rules(problem, rows, position, columns, left=_left(problem, decided)),
        integrality=np.ones(len(rows)),
        bounds=Bounds(0, 1),
        options={"node_limit": _NODES},
    )
    if found.x is None:
        return taken
    chosen = found.x > 0.5
    rows, columns = rows[chosen], columns[chosen]
    slot = np.arange(len(rows)) - np.searchsorted(rows, rows)
    decided[rows, slot] = columns
    better = problem.worth(decided) > problem.worth(taken)
    return decided if better and problem.limits.hold(problem.counts(decided)) else taken


def _left(problem: Problem, taken: Indices) -> Floats:
    return problem.limits.slack(problem.counts(taken))


def _open_pairs(problem: Problem, taken: Indices, choice: Choice, *, missing: float) -> tuple[Rows, Rows]:
    """List the pairs worth a second thought, with all that their customers have or would take."""
    here = np.arange(len(taken))[:, None]
    left = problem.less_price(slice(None), problem.limits.price(choice.prices))
    lag = _lag(problem, left, choice)
    ranked = np.sort(lag[np.isfinite(lag)])
    near = lag <= min(missing, ranked[min(len(ranked), _PAIRS) - 1])
    is_open = near.any(axis=1)
    for plan in (taken, choice.taken):
        own = np.zeros((len(near), near.shape[1] + 1), dtype=bool)
        own[here, plan] = True
        near |= own[:, :-1]
    rows, columns = np.nonzero(near & is_open[:, None])
    return rows, columns


def _lag(problem: Problem, left: Floats, choice: Choice) -> Floats:
    """How much a customer loses, at the prices, by turning one pair of what they would take around."""
    own = np.zeros((len(left), left.shape[1] + 1), dtype=bool)
    own[np.arange(len(left))[:, None], choice.taken] = True
    least = np.where(choice.taken >= 0, choice.reduced, 0.0).min(axis=1)[:, None]
    replaced = np.broadcast_to(least, left.shape).copy()
    if problem.channels is not None:
        for slot, column in enumerate(choice.taken.T):
            rival = problem.channels == problem.channels[np.arange(len(left)), column][:, None]
            rival &= (column >= 0)[:, None]
            replaced[rival] = np.broadcast_to(choice.reduced[:, slot, None], left.shape)[rival]
    return np.where(own[:, :-1], left, replaced - left)


def _rules(problem: Problem, rows: Rows, position: Rows, columns: Rows, *, left: Floats) -> LinearConstraint:
    """One row per customer, per customer and channel, per customer's discounts, and per shared rule."""
    limits = problem.limits
    shared = csr_matrix(limits.weights[:, problem.groups[rows], columns])
    blocks = [_at_most_one(position), shared]
    most = [np.full(blocks[0].shape[0], problem.most_actions, dtype=np.float64), left]
    if problem.channels is not None:
        channels = problem.channels[rows, columns].astype(np.intp)
        _, owner = np.unique(position * (channels.max() + 1) + channels, return_inverse=True)
        offered = np.where(limits.discounts[columns], position, position.max() + 1 + np.arange(len(rows)))
        _, offered = np.unique(offered, return_inverse=True)
        for block in (_at_most_one(owner), _at_most_one(offered)):
            blocks.append(block)
            most.append(np.ones(block.shape[0]))
    return LinearConstraint(vstack(blocks).tocsr(), ub=np.concatenate(most))


def _at_most_one(owners: npt.NDArray[np.intp]) -> csr_matrix:
    return csr_matrix((np.ones(len(owners)), (owners, np.arange(len(owners)))))
