"""BG/NBD, "buy till you die": how often customers buy, and whether they are still there.

Four numbers describe a whole customer base, three numbers a customer: ``frequency`` (purchase days after the
first one), ``recency`` (time from the first to the last purchase) and ``age`` (time from the first purchase
to the snapshot), all times in one unit (weeks here).

``1 - alive_probability`` is no churn score: a customer who bought once is alive for certain under this
model. Use ``no_purchase_probability`` of the outcome window instead.

Source: Fader, Hardie, Lee (2005), "Counting your customers the easy way", Marketing Science 24(2).
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, expit, gammaln, hyp2f1

from models.likelihood import Array, most_likely, same_length
from tables.errors import DataError

_UNEQUAL = 1e-9  # where r - a is a whole number, scipy's hyp2f1 overflows from a hundred purchases on
_SINGULAR = 1e-6  # the closed form divides by (a - 1) and has a pole at c = 0: step that far aside


@dataclass(frozen=True, slots=True)
class BGNBD:
    """A customer base under the BG/NBD model.

    Purchases of a living customer are Poisson with a rate drawn from Gamma(``r``, rate ``alpha``); after each
    purchase the customer leaves for good with a probability drawn from Beta(``a``, ``b``).

    Attributes:
        r: shape of the purchase rates, above 0.
        alpha: rate parameter of the purchase rates, in units of time, above 0.
        a: first parameter of the drop-out probabilities, above 0.
        b: second parameter of the drop-out probabilities, above 0.
        log_likelihood: natural log of the likelihood of the customers fitted on, without any penalty.
    """

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float = float("nan")

    @classmethod
    def fit(
        cls,
        frequency: npt.ArrayLike,
        recency: npt.ArrayLike,
        age: npt.ArrayLike,
        weight: npt.ArrayLike | None = None,
        *,
        penalty: float = 0.0,
    ) -> Self:
        """Estimate the four parameters from all customers of a base.

        Args:
            frequency: purchase days after the first, 0 for one-time buyers; shape ``(n,)``.
            recency: time from the first to the last purchase, 0 for one-time buyers; shape ``(n,)``.
            age: time from the first purchase to the snapshot, same unit, at least ``recency``; ``(n,)``.
            weight: how many customers each row stands for; all ones when not given.
            penalty: weight of the sum of squared log-parameters (time scaled to a tenth of the greatest age)
                against the mean log-likelihood. 0 is plain maximum likelihood; 1e-4 keeps small or one-sided
                bases finite (CDNOW: a and b move by 3 %, the log-likelihood by .005).

        Returns:
            The fitted base, its ``alpha`` in the unit of ``age``.

        Raises:
            DataError: the arrays contradict each other, or a parameter ran to its bound (no maximum exists,
                as for a base in which nobody ever came back).

        Source: Fader, Hardie, Lee (2005), equation 6.
        """
        base = _count_alike(*_checked_purchases(frequency, recency, age, weight))
        scale = max(float(base.age.max()) / 10, 1e-9)
        scaled = base._replace(recency=base.recency / scale, age=base.age / scale)

        starts = [(0.0, 0.0, 0.0, 0.0), (-1.6, -0.7, -0.2, 0.9)]
        r, alpha, a, b = most_likely(
            lambda parameters: _mean_log_likelihood(parameters, scaled),
            starts,
            penalty=penalty,
            names=("r", "alpha", "a", "b"),
            where="BG/NBD",
        )
        value, _ = _mean_log_likelihood(np.array([r, alpha * scale, a, b]), base)
        return cls(r, alpha * scale, a, b, value * float(base.weight.sum()))

    def alive_probability(
        self, frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike
    ) -> Array:
        """Return the probability that each customer has not left by the snapshot.

        Args:
            frequency: purchase days after the first.
            recency: time from the first to the last purchase, in the unit of ``alpha``.
            age: time from the first purchase to the snapshot.

        Returns:
            Probability in (0, 1]; exactly 1 for one-time buyers, by construction of the model.

        >>> base = BGNBD(r=1, alpha=1, a=1, b=1)
        >>> base.alive_probability([0, 1], [0, 1], [1, 1])  # odds of having left: none, then a / b = 1
        array([1. , 0.5])
        """
        x, last, age_ = same_length(frequency, recency, age)
        odds = _log_odds_of_having_left(np.array([self.r, self.alpha, self.a, self.b]), x, last, age_)
        return np.asarray(expit(-odds))

    def no_purchase_probability(
        self, frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike, periods: npt.ArrayLike
    ) -> Array:
        """Return the probability that each customer buys nothing in the next ``periods``.

        Either the customer has left, or has not and is silent, the latter with probability
        ((alpha + age) / (alpha + age + periods)) ^ (r + frequency).

        Args:
            frequency: purchase days after the first.
            recency: time from the first to the last purchase, in the unit of ``alpha``.
            age: time from the first purchase to the snapshot.
            periods: length of the window after the snapshot, in the same unit, at least 0.

        Returns:
            Probability in (0, 1], shape ``(n,)``.

        >>> base = BGNBD(r=1, alpha=1, a=1, b=1)
        >>> base.no_purchase_probability([0, 1], [0, 1], [1, 1], 1).round(4)  # 2/3, and 1/2 + 1/2 (2/3)^2
        array([0.6667, 0.7222])
        """
        x, last, age_, ahead = same_length(frequency, recency, age, periods)
        alive = self.alive_probability(x, last, age_)
        silent = np.exp((self.r + x) * (np.log(self.alpha + age_) - np.log(self.alpha + age_ + ahead)))
        return np.asarray(1 - alive * (1 - silent))

    def expected_purchases(
        self, periods: npt.ArrayLike, frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike
    ) -> Array:
        """Return the expected number of purchase days in the next ``periods``.

        Args:
            periods: length of the window after the snapshot, in the unit of ``alpha``, at least 0.
            frequency: purchase days after the first.
            recency: time from the first to the last purchase.
            age: time from the first purchase to the snapshot.

        Returns:
            Expected count, 0 or more, shape ``(n,)``.

        Source: Fader, Hardie, Lee (2005), equation 10, after Euler's transformation of the hypergeometric
            function, which keeps powers of large frequencies from cancelling.

        >>> BGNBD(r=2, alpha=1, a=2, b=1).expected_purchases(2, [0], [0], [1])  # 2 / 1 * (1 - 1/2)
        array([1.])
        """
        ahead, x, last, age_ = same_length(periods, frequency, recency, age)
        a = self.a + _SINGULAR if abs(self.a - 1) < _SINGULAR else self.a
        c = a + self.b + x - 1
        c = np.where(np.abs(c) < _SINGULAR, _SINGULAR, c)
        share = ahead / (self.alpha + age_ + ahead)
        r = self.r + _UNEQUAL if abs(self.r - a - round(self.r - a)) < _UNEQUAL else self.r
        forgone = np.exp((a - 1) * np.log1p(-share)) * hyp2f1(a + self.b - 1 - r, a - 1, c, share)
        expected_if_alive = np.maximum(c / (a - 1) * (1 - forgone), 0)
        return np.asarray(expected_if_alive * self.alive_probability(x, last, age_))


class _Base(NamedTuple):
    """Distinct rows of a base with the number of customers that share each."""

    frequency: Array
    recency: Array
    age: Array
    weight: Array
    levels: Array  # the distinct frequencies
    level_weight: Array  # customers at each level


def _checked_purchases(
    frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike, weight: npt.ArrayLike | None
) -> tuple[Array, ...]:
    columns = same_length(frequency, recency, age, 1.0 if weight is None else weight)
    x, last, age_, count = columns
    broken = {
        "values that are missing or infinite": ~np.isfinite(np.stack(columns)).all(axis=0),
        "a frequency, recency or weight below 0": (x < 0) | (last < 0) | (count < 0),
        "a recency beyond the age": last > age_ + 1e-9,
        "a recency above 0 without a second purchase": (x == 0) & (last > 0),
    }
    problems = [f"{int(rows.sum())} rows with {what}" for what, rows in broken.items() if rows.any()]
    if len(x) == 0 or count.sum() <= 0:
        problems.append("no customers")
    elif columns[2].max() == 0:
        problems.append("no time between the first purchases and the snapshot")
    if problems:
        raise DataError(
            f"BG/NBD: the purchase summary cannot be used; found {', '.join(problems)}. "
            "Count purchase days per customer up to the snapshot, all times in one unit."
        )
    return columns


def _count_alike(x: Array, last: Array, age: Array, weight: Array) -> _Base:
    """Join customers with equal numbers: on a grid of days 1 M customers leave about 0.1 M rows."""
    codes = np.zeros(len(x), dtype=np.int64)
    for column in (x, last, age):
        distinct, code = np.unique(column, return_inverse=True)
        _, codes = np.unique(codes * len(distinct) + code, return_inverse=True)
    _, first = np.unique(codes, return_index=True)
    levels, level_of = np.unique(x, return_inverse=True)
    return _Base(
        x[first],
        last[first],
        age[first],
        np.bincount(codes, weight).astype(np.float64),
        levels,
        np.bincount(level_of, weight).astype(np.float64),
    )


def _log_odds_of_having_left(parameters: Array, x: Array, last: Array, age: Array) -> Array:
    r, alpha, a, b = parameters
    later = np.maximum(x, 1)
    odds = np.log(a) - np.log(b + later - 1) + (r + x) * (np.log(alpha + age) - np.log(alpha + last))
    return np.where(x > 0, odds, -np.inf)


def _mean_log_likelihood(parameters: Array, base: _Base) -> tuple[float, Array]:
    """Return the mean log-likelihood and its gradient in the logs of r, alpha, a, b."""
    r, alpha, a, b = parameters
    x, last, age = base.frequency, base.recency, base.age
    total = base.weight.sum()
    rows, levels, share = base.weight / total, base.levels, base.level_weight / total
    odds = _log_odds_of_having_left(parameters, x, last, age)
    left = expit(odds)
    log_age, log_last = np.log(alpha + age), np.log(alpha + last)
    counted = gammaln(r + levels) - gammaln(r) + r * np.log(alpha)
    stayed = gammaln(a + b) - gammaln(b) + gammaln(b + levels) - gammaln(a + b + levels)
    value = share @ (counted + stayed) + rows @ (np.logaddexp(0, odds) - (r + x) * log_age)
    both = share @ (digamma(a + b) - digamma(a + b + levels))
    gradient = np.array(
        [
            share @ (digamma(r + levels) - digamma(r) + np.log(alpha))
            - rows @ ((1 - left) * log_age + left * log_last),
            r / alpha - rows @ ((r + x) * ((1 - left) / (alpha + age) + left / (alpha + last))),
            both + rows @ left / a,
            both + share @ (digamma(b + levels) - digamma(b)) - rows @ (left / (b + np.maximum(x, 1) - 1)),
        ]
    )
    return float(value), gradient * parameters
