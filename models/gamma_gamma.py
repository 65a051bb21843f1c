"""Gamma-Gamma: how much a customer's next purchase is worth.

Source: Fader, Hardie (2013), "The Gamma-Gamma model of monetary value".
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, gammaln

from models.likelihood import Array, most_likely, same_length
from tables.errors import DataError


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """How much a purchase is worth: each customer's mean differs, purchases scatter around it.

    A purchase is Gamma(``p``, rate nu) with nu drawn from Gamma(``q``, rate ``v``), independent of how often
    the customer buys. The model holds only where that independence does: look at ``correlation``.

    Attributes:
        p: shape of one customer's purchases.
        q: shape of the differences between customers, above 1 (else the mean over customers is infinite).
        v: rate parameter of these differences, in currency units.
        correlation: Pearson correlation of frequency and mean value among the customers fitted on; 0 when
            either is the same for everybody.
        log_likelihood: natural log of the likelihood of the customers fitted on.
    """

    p: float
    q: float
    v: float
    correlation: float = 0.0
    log_likelihood: float = float("nan")

    @classmethod
    def fit(cls, frequency: npt.ArrayLike, mean_value: npt.ArrayLike, *, penalty: float = 0.0) -> Self:
        """Estimate the three parameters from customers who came back.

        Args:
            frequency: purchases that ``mean_value`` averages; rows with 0 are left out.
            mean_value: mean value of these purchases, currency units; rows not above 0 are left out.
            penalty: as in ``models.btyd.BGNBD.fit``, with values scaled to mean 1.

        Returns:
            The fitted model, its ``v`` in the unit of ``mean_value``.

        Raises:
            DataError: fewer than two customers came back, or a parameter ran to its bound, or ``q`` is not
                above 1.

        Source: Fader, Hardie (2013), equation 1a.
        """
        x, m = same_length(frequency, mean_value)
        kept = (x > 0) & (m > 0) & np.isfinite(m)
        if kept.sum() < 2:
            raise DataError(
                f"Gamma-Gamma: too few customers; {kept.sum()} of {len(x)} came back with a value above 0. "
                "Use the mean value per purchase instead."
            )
        x, m = x[kept], m[kept]
        scale = float(m.mean())

        p, q, v = most_likely(
            lambda parameters: _mean_value_log_likelihood(parameters, x, m / scale),
            [(1.8, 1.4, 1.1), (0.0, 0.7, 0.0)],
            penalty=penalty,
            names=("p", "q", "v"),
            where="Gamma-Gamma",
        )
        if q <= 1:
            raise DataError(
                f"Gamma-Gamma: the mean value over customers is infinite; found q {q:.3f}, not above 1. "
                "Use the mean value per purchase instead."
            )
        value, _ = _mean_value_log_likelihood(np.array([p, q, v * scale]), x, m)
        return cls(p, q, v * scale, _correlation(x, m), value * len(x))

    def expected_value(self, frequency: npt.ArrayLike, mean_value: npt.ArrayLike) -> Array:
        """Return the expected value of a future purchase: own mean and everybody's, weighed by evidence.

        Args:
            frequency: purchases that ``mean_value`` averages, 0 or more.
            mean_value: their mean, currency units; ignored where ``frequency`` is 0 (may be missing there).

        Returns:
            Currency units per purchase, shape ``(n,)``.

        >>> GammaGamma(p=2, q=3, v=10).expected_value([0, 2], [0, 20]).round(2)  # 20 / 2; 100 / 6
        array([10.  , 16.67])
        """
        x, m = same_length(frequency, mean_value)
        total = np.where(x > 0, x * np.where(x > 0, m, 0.0), 0.0)
        return self.p * (self.v + total) / (self.p * x + self.q - 1)


def _mean_value_log_likelihood(parameters: Array, x: Array, m: Array) -> tuple[float, Array]:
    """Return the mean log-likelihood and its gradient in the logs of p, q, v."""
    p, q, v = parameters
    shape, log_rate = p * x + q, np.log(v + x * m)
    value = gammaln(shape) - gammaln(p * x) - gammaln(q) + q * np.log(v) - shape * log_rate
    value += (p * x - 1) * np.log(m) + p * x * np.log(x)
    by_p = x * (digamma(shape) - digamma(p * x) + np.log(m * x) - log_rate)
    by_q = digamma(shape) - digamma(q) + np.log(v) - log_rate
    by_v = q / v - shape / (v + x * m)
    return float(value.mean()), np.array([by_p.mean(), by_q.mean(), by_v.mean()]) * parameters


def _correlation(x: Array, m: Array) -> float:
    if np.ptp(x) == 0 or np.ptp(m) == 0:
        return 0.0
    return float(np.corrcoef(x, m)[0, 1])
