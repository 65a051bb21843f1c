"""The last per mille of a small plan: the choices in doubt, decided exactly."""

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix, vstack

from actions.limits import Floats, Limits
from actions.prices import Indices, Values

_PAIRS = 1_500
_NODES = 200


def polish(values: Values, limits: Limits, action: Indices, prices: Floats, *, missing: float) -> Indices:
    """Decide anew, exactly, among the choices that the prices leave nearly equal.

    In a plan of a few hundred assignments one place left free may cost tenths of a per cent. A choice that
    lags behind its customer's best by more than the whole plan is missing cannot be part of a better plan;
    of the others the 1,500 closest to a tie are decided by HiGHS branch and bound, with a limit on nodes,
    not seconds, so that the same input gives the same plan. All other customers keep what they have.

    Args:
        values: (customers, actions), minus infinity where a pair may not be.
        limits: what all assignments share.
        action: a plan within the limits.
        prices: (rules,), prices near the best.
        missing: bound less value of the plan, in money.

    Returns:
        A plan within the limits, worth at least as much.
    """
    rows, columns = _open_pairs(values, limits, action, prices, missing=missing)
    if not len(rows):
        return action
    customers, position = np.unique(rows, return_inverse=True)
    decided = action.copy()
    decided[customers] = -1
    given = np.bincount(decided[decided >= 0], minlength=len(limits.actions))
    found = milp(
        -values[rows, columns].astype(np.float64),
        constraints=_rules(limits, position, columns, left=limits.slack(given)),
        integrality=np.ones(len(rows)),
        bounds=Bounds(0, 1),
        options={"node_limit": _NODES},
    )
    if found.x is None:
        return action
    taken = found.x > 0.5
    decided[rows[taken]] = columns[taken]
    return decided if _is_better(values, limits, decided, action) else action


def _open_pairs(
    values: Values, limits: Limits, action: Indices, prices: Floats, *, missing: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """List the pairs worth a second thought of every customer who has more than one choice left."""
    left = np.hstack([values - prices @ limits.weights, np.zeros((len(values), 1))])
    lag = left.max(axis=1, keepdims=True) - left
    finite = np.sort(lag[np.isfinite(lag)])
    near = lag <= min(missing, finite[min(len(finite), len(values) + _PAIRS) - 1])
    near[np.arange(len(values)), action] = True
    open_rows = near.sum(axis=1) > 1
    rows, columns = np.nonzero(near[:, :-1] & open_rows[:, None])
    return rows, columns


def _rules(
    limits: Limits, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp], *, left: Floats
) -> LinearConstraint:
    one_each = csr_matrix((np.ones(len(rows)), (rows, np.arange(len(rows)))))
    shared = csr_matrix(limits.weights[:, columns])
    most = np.concatenate([np.ones(one_each.shape[0]), left])
    return LinearConstraint(vstack([one_each, shared]).tocsr(), ub=most)


def _is_better(values: Values, limits: Limits, new: Indices, old: Indices) -> bool:
    counts = np.bincount(new[new >= 0], minlength=len(limits.actions))
    return limits.hold(counts) and _total(values, new) > _total(values, old)


def _total(values: Values, action: Indices) -> float:
    given = np.flatnonzero(action >= 0)
    return float(values[given, action[given]].sum(dtype=np.float64))
