"""The probabilistic member: one coefficient on the BG/NBD logit, the steadiest where customers are few."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logit

from models.pool import TrainingPool
from models.reference import DateReference
from models.ridge import fit_logistic

Array = npt.NDArray[np.float64]

# What BG/NBD needs, with the silence as customers and analysts see it: reasons then speak of it.
READ = ("purchase_days_total", "days_since_last_order", "tenure_days")

_SUREST = 1e-4  # a customer of daily purchases is alive to 1e-30 by BG/NBD, and leaves all the same
_INTERCEPT_PENALTY = 1e-3


@dataclass(frozen=True)
class PriorLogit:
    """A factor on the BG/NBD logit of no purchase in the horizon, relative to the date's.

    Attributes:
        coefficient: the factor; 1 takes BG/NBD at its word.
    """

    coefficient: float

    def logit(self, X: pd.DataFrame, reference: DateReference) -> Array:
        """Return each row's logit relative to its date; a row's value does not depend on the others."""
        return self.coefficient * _relative(X, reference)

    def contributions(self, X: pd.DataFrame, reference: DateReference) -> Array:
        """Return what each feature adds to the logit against the date's typical customer; ``(rows, features)``.

        Exact Shapley values over the three columns in ``READ``; all other features add nothing.
        """
        parts = pd.DataFrame(0.0, index=X.index, columns=X.columns)
        for name in READ:
            others = [each for each in READ if each != name]
            for size in range(len(READ)):
                share = 1 / (len(READ) * math.comb(len(others), size))
                for known in combinations(others, size):
                    joined = self.logit(_typical_but({*known, name}, X, reference), reference)
                    parts[name] += share * (joined - self.logit(_typical_but(known, X, reference), reference))
        return np.asarray(parts)


class FittedPrior(NamedTuple):
    """The member, and every training row's logit, free of its date's level."""

    model: PriorLogit
    out_of_fold: Array


def fit_prior(pool: TrainingPool, references: Mapping[date, DateReference]) -> FittedPrior:
    """Fit the coefficient on all rows, with an intercept per date.

    Args:
        pool: training rows.
        references: the reference of every date in the pool, each with BG/NBD.

    Returns:
        The member and its logits relative to the fixed effect of the date. One coefficient fitted on all rows
        serves as out of fold: it cannot remember anybody.
    """
    dates = len(pool.dates)
    relative = np.empty(len(pool.y))
    for code, day in enumerate(pool.dates):
        rows = pool.date_code == code
        relative[rows] = _relative(pool.X.loc[rows], references[day])
    intercepts = (pool.date_code[:, None] == np.arange(dates)).astype(np.float64)
    fitted = fit_logistic(
        np.column_stack([relative, intercepts]),
        pool.y,
        weight=pool.weight,
        offset=pool.offsets(),
        penalty=np.append(0.0, np.full(dates, _INTERCEPT_PENALTY)),
    )
    model = PriorLogit(max(float(fitted[0]), 0.0))
    return FittedPrior(model, model.coefficient * relative + fitted[1:][pool.date_code])


def _relative(X: pd.DataFrame, reference: DateReference) -> Array:
    rows = X[list(READ)].astype(np.float64)
    to_last = (rows["tenure_days"] - rows["days_since_last_order"]).clip(lower=0)
    risk = reference.no_purchase(rows.assign(days_first_to_last_order=to_last))
    return np.asarray(logit(np.clip(risk, _SUREST, 1 - _SUREST)) - logit(reference.mean_no_purchase))


def _typical_but(known: Collection[str], X: pd.DataFrame, reference: DateReference) -> pd.DataFrame:
    """Keep the columns that are known and put what the date's typical customer has for the others."""
    typical = reference.typical()
    return X[list(READ)].assign(**{name: typical[name] for name in READ if name not in known})
