"""What the maximum-likelihood models share: arrays of one length, and a search that knows when it failed."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from tables.errors import DataError

Array = npt.NDArray[np.float64]

_FURTHEST_LOG = 12.0  # exp(12) = 160,000: a parameter out there has run away, the data do not hold it


def same_length(*values: npt.ArrayLike) -> tuple[Array, ...]:
    """Return every value as a float array of one shape; single numbers are repeated."""
    columns = (np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in values)
    return tuple(np.broadcast_arrays(*columns))


def most_likely(
    log_likelihood: Callable[[Array], tuple[float, Array]],
    starts: Sequence[tuple[float, ...]],
    *,
    penalty: float,
    names: tuple[str, ...],
    where: str,
) -> list[float]:
    """Maximise a mean log-likelihood over positive parameters.

    Args:
        log_likelihood: value at the parameters, and its gradient in their natural logs.
        starts: logs to start from; the best end wins.
        penalty: weight of the sum of squared logs; 0 is plain maximum likelihood.
        names: names of the parameters, for the message.
        where: name of the model, for the message.

    Returns:
        The parameters themselves, each above 0.

    Raises:
        DataError: a parameter ran to its bound, so the likelihood has no maximum.
    """

    def loss(logs: Array) -> tuple[float, Array]:
        value, slope = log_likelihood(np.exp(logs))
        return penalty * float(logs @ logs) - value, 2 * penalty * logs - slope

    bounds = [(-_FURTHEST_LOG, _FURTHEST_LOG)] * len(names)
    tight = {"maxiter": 500, "ftol": 1e-14, "gtol": 1e-8}
    found = [
        minimize(loss, np.array(start), jac=True, method="L-BFGS-B", bounds=bounds, options=tight)
        for start in starts
    ]
    best: Array = min(found, key=lambda result: float(result.fun)).x
    # Without a penalty the slope towards infinity fades, and the search may stop a little short of the bound.
    beyond = _FURTHEST_LOG - (1e-6 if penalty else 1.0)
    runaway = [
        f"{name} {np.exp(log):.3g}" for name, log in zip(names, best, strict=True) if not abs(log) < beyond
    ]
    if runaway:
        raise DataError(
            f"{where}: no maximum of the likelihood; found {', '.join(runaway)} at the bound. "
            "Fit on more customers, on some who came back, or with a penalty of 1e-4."
        )
    return [float(value) for value in np.exp(best)]
