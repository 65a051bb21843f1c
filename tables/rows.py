"""One bucket of one table in memory: columns sorted by customer and time, strings as codes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MONEY_SCALE = 10_000
"""Money and quantities are stored as whole numbers of ten-thousandths, so that sums are exact."""
MOST_STORED = 10**11 * MONEY_SCALE
"""Larger amounts and quantities are mistakes: nine thousand of this size still add up in 64 bits."""


@dataclass(frozen=True)
class Codes:
    """A text column: one small number per row, and the text each number stands for.

    Attributes:
        codes: int32, position in ``labels``; -1 where the text is missing.
        labels: distinct texts in sorted order.
    """

    codes: npt.NDArray[np.int32]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """One table of one bucket, sorted by ``(customer, at)``.

    Attributes:
        table: name of the table.
        customers: number of customers in the bucket; local indices run from 0 to ``customers - 1``.
        customer: int32, local index of each row's customer.
        at: int64, instant at which the row's fact happened.
        known_at: int64, instant from which the fact was known.
        superseded_at: int64, instant from which a correction replaced the row, ``NEVER`` if none did.
        columns: the content; fixed-point int64 for money and quantity, ``Codes`` for text.
    """

    table: str
    customers: int
    customer: npt.NDArray[np.int32]
    at: npt.NDArray[np.int64]
    known_at: npt.NDArray[np.int64]
    superseded_at: npt.NDArray[np.int64]
    columns: Mapping[str, npt.NDArray[np.generic] | Codes]

    def __len__(self) -> int:
        return len(self.at)
