"""The few numbers that purchase models need of a customer, taken from the feature columns."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.likelihood import Array
from tables.errors import SchemaError

DAYS_PER_WEEK = 7.0
_COLUMNS = ("purchase_days_total", "days_first_to_last_order", "tenure_days", "spend_per_purchase_day")


@dataclass(frozen=True, slots=True)
class Purchases:
    """Purchase days of customers up to one snapshot, one position a customer.

    Attributes:
        days: distinct local days with a purchase, 0 for somebody who never bought.
        recency: weeks from the first to the last purchase day.
        age: weeks from the first purchase day to the snapshot.
        spend: mean spend of a purchase day, currency units; missing where there is none.
    """

    days: Array
    recency: Array
    age: Array
    spend: Array

    @classmethod
    def of(cls, features: pd.DataFrame) -> Self:
        """Read the four feature columns.

        Args:
            features: rows of one snapshot date with ``purchase_days_total``, ``days_first_to_last_order``,
                ``tenure_days`` and ``spend_per_purchase_day``; missing for customers who never bought.

        Raises:
            SchemaError: a column is missing.
        """
        for column in _COLUMNS:
            if column not in features.columns:
                raise SchemaError.missing_column(column, table="features", found=features.columns)
        days, span, tenure, spend = (features[column].to_numpy(dtype=np.float64) for column in _COLUMNS)
        days = np.nan_to_num(days)
        weeks = [np.where(days > 0, value, 0.0) / DAYS_PER_WEEK for value in (span, tenure)]
        return cls(days, weeks[0], weeks[1], spend)

    @property
    def bought(self) -> npt.NDArray[np.bool_]:
        """Whether the customer ever bought; the purchase models know nothing of the others."""
        return self.days > 0

    @property
    def frequency(self) -> Array:
        """Purchase days after the first one, 0 also for those who never bought."""
        return np.maximum(self.days - 1, 0)

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Purchases":
        """Return the chosen customers only."""
        return Purchases(self.days[chosen], self.recency[chosen], self.age[chosen], self.spend[chosen])
