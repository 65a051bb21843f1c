"""RFM scores from 1 to 5 with ties kept together, and the eleven segments everybody knows by name.

Edges are fitted once a date over everybody and stored; a score is then a pure function of one customer's
values and the edges.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tables.errors import SchemaError

SCORES = 5
NEVER_BOUGHT = "never_bought"
SEGMENTS = (
    "champions",
    "loyal",
    "potential_loyalist",
    "new",
    "promising",
    "need_attention",
    "about_to_sleep",
    "at_risk",
    "cannot_lose_them",
    "hibernating",
    "lost",
)

# Rows: recency score 1 (long ago) to 5 (just now). Columns: standing 1 to 5, see ``segment_names``.
_GRID = np.array(
    [
        ["lost", "lost", "at_risk", "at_risk", "cannot_lose_them"],
        ["hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose_them"],
        ["about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"],
        ["promising", "potential_loyalist", "potential_loyalist", "loyal", "loyal"],
        ["new", "potential_loyalist", "potential_loyalist", "champions", "champions"],
    ],
    dtype=object,
)

Scores = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class RfmScores:
    """Scores of customers, one position each; 0 for somebody who never bought.

    Attributes:
        recency: 5 = bought most recently.
        frequency: 5 = most orders.
        monetary: 5 = highest spend.
    """

    recency: Scores
    frequency: Scores
    monetary: Scores


@dataclass(frozen=True, slots=True)
class RfmEdges:
    """Where one date's customers part into groups, as near to fifths as ties allow.

    Attributes:
        days_since_last_order: highest value of each group but the last, ascending.
        orders_total: likewise.
        spend_total: likewise. Four edges make five groups; fewer edges mean fewer than five distinct values.
    """

    days_since_last_order: tuple[float, ...]
    orders_total: tuple[float, ...]
    spend_total: tuple[float, ...]

    @classmethod
    def fit(cls, days_since_last: npt.ArrayLike, orders: npt.ArrayLike, spend: npt.ArrayLike) -> Self:
        """Fit the edges on everybody at one date.

        Args:
            days_since_last: days since the last order; missing for customers who never bought.
            orders: number of orders so far.
            spend: spend so far, currency units.
        """
        bought = np.isfinite(np.asarray(days_since_last, dtype=np.float64))
        parts = [np.asarray(values, dtype=np.float64)[bought] for values in (days_since_last, orders, spend)]
        return cls(*map(tied_edges, parts))

    def score(self, days_since_last: npt.ArrayLike, orders: npt.ArrayLike, spend: npt.ArrayLike) -> RfmScores:
        """Score customers against the edges.

        Args:
            days_since_last: days since the last order; missing for customers who never bought.
            orders: number of orders so far.
            spend: spend so far, currency units.

        Returns:
            Scores 1 to 5, the lowest group always 1 and the highest 5; with fewer than five groups they are
            spread evenly (two groups: 1 and 5; a single one: 3). 0 where the customer never bought.

        >>> edges = RfmEdges(days_since_last_order=(10, 20, 30, 40), orders_total=(1,), spend_total=())
        >>> edges.score([5, 99], [1, 2], [7, 7])
        RfmScores(recency=array([5, 1], dtype=int8), frequency=array([1, 5], dtype=int8), \
monetary=array([3, 3], dtype=int8))
        """
        bought = np.isfinite(np.asarray(days_since_last, dtype=np.float64))
        recency = SCORES + 1 - _scores(days_since_last, self.days_since_last_order)
        frequency, monetary = _scores(orders, self.orders_total), _scores(spend, self.spend_total)
        return RfmScores(
            *(np.where(bought, each, 0).astype(np.int8) for each in (recency, frequency, monetary))
        )

    def to_json(self) -> str:
        """Write the edges as JSON; numbers keep every digit."""
        return json.dumps(asdict(self), sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what ``to_json`` wrote."""
        return cls(**{name: tuple(edges) for name, edges in json.loads(text).items()})


def tied_edges(values: npt.ArrayLike) -> tuple[float, ...]:
    """Part values into up to five groups of about equal size without splitting equal values.

    Each edge is the distinct value whose cumulated share comes nearest to its fifth, given that every group
    keeps at least one distinct value: edges never coincide, as quantiles do where half the base bought once.

    Args:
        values: one number a customer; missing ones are left out.

    Returns:
        Highest value of each group but the last, ascending: four edges, or one less than distinct values.

    >>> tied_edges([1, 1, 1, 1, 1, 1, 2, 3, 4, 9])  # quantiles would give 1, 1, 1, 3
    (1.0, 2.0, 3.0, 4.0)
    >>> tied_edges([1, 1, 1, 2])
    (1.0,)
    """
    known = np.asarray(values, dtype=np.float64)
    distinct, counts = np.unique(known[np.isfinite(known)], return_counts=True)
    groups = min(SCORES, len(distinct))
    share = np.cumsum(counts) / max(counts.sum(), 1)
    edges: list[int] = []
    for group in range(1, groups):
        first = edges[-1] + 1 if edges else 0
        beyond = len(distinct) - (groups - group)
        edges.append(first + int(np.argmin(np.abs(share[first:beyond] - group / groups))))
    return tuple(float(distinct[edge]) for edge in edges)


def segment_names(scores: RfmScores) -> npt.NDArray[np.object_]:
    """Name the segment of each customer.

    The grid has the recency score on one side and the *standing* on the other: the mean of frequency and
    monetary score, a half rounded to the side of frequency, so that money alone makes nobody loyal.

    Args:
        scores: scores of 1 to 5, 0 for customers who never bought.

    Returns:
        One of ``SEGMENTS`` each, ``NEVER_BOUGHT`` where the scores are 0.

    >>> rows = np.array([[5, 1, 5, 0], [5, 5, 1, 0], [4, 5, 2, 0]], dtype=np.int8)
    >>> list(segment_names(RfmScores(*rows)))
    ['champions', 'cannot_lose_them', 'new', 'never_bought']
    """
    bought = scores.recency > 0
    standing = (scores.frequency + scores.monetary + (scores.frequency > scores.monetary)) // 2
    names = _GRID[np.where(bought, scores.recency, 1) - 1, np.where(bought, standing, 1) - 1]
    return np.where(bought, names, NEVER_BOUGHT)


def segments_of(features: pd.DataFrame, edges: RfmEdges | Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """Score and name the customers of one date.

    Args:
        features: ``days_since_last_order``, ``orders_total`` and ``spend_total`` per customer.
        edges: edges of the date, or their values by column; none at all where nobody could buy.

    Returns:
        ``recency_score``, ``frequency_score``, ``monetary_score`` (0 to 5) and ``segment``, indexed as
        ``features``; 0 and ``NEVER_BOUGHT`` without edges.

    Raises:
        SchemaError: one of the three columns is missing.
    """
    columns = tuple(RfmEdges.__dataclass_fields__)
    if not edges:
        nobody = np.zeros(len(features), dtype=np.int8)
        return _named(RfmScores(nobody, nobody, nobody), features.index)
    for column in columns:
        if column not in features.columns:
            raise SchemaError.missing_column(column, table="features", found=features.columns)
    if not isinstance(edges, RfmEdges):
        edges = RfmEdges(**{column: tuple(edges[column]) for column in columns})
    scores = edges.score(*(features[column].to_numpy(dtype=np.float64) for column in columns))
    return _named(scores, features.index)


def _named(scores: RfmScores, index: pd.Index) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "recency_score": scores.recency,
            "frequency_score": scores.frequency,
            "monetary_score": scores.monetary,
            "segment": segment_names(scores),
        },
        index=index,
    )


def _scores(values: npt.ArrayLike, edges: Sequence[float]) -> npt.NDArray[np.int64]:
    borders, known = (np.asarray(each, dtype=np.float64) for each in (edges, values))
    group = np.searchsorted(borders, known, side="left")
    return _spread(len(edges) + 1)[group]


def _spread(groups: int) -> npt.NDArray[np.int64]:
    """Return the score of each group: 1 to 5, evenly; the middle for a single one."""
    if groups == 1:
        return np.array([(SCORES + 1) // 2])
    return np.rint(np.linspace(1, SCORES, groups)).astype(np.int64)
