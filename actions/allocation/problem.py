"""The question that an allocation answers: values, limits, and what one customer may get together."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from actions.allocation.limits import Limits

Values = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int16]
Rows = npt.NDArray[np.intp]
Codes = npt.NDArray[np.integer]
Real = TypeVar("Real", np.float32, np.float64)

_CHUNK = 16_384


@dataclass(frozen=True)
class Problem:
    """Who could get what, what it is worth, and what all share.

    Attributes:
        values: (customers, actions) in money, minus infinity where a pair may not be.
        limits: what all assignments share.
        groups: (customers,), position of each customer's region in ``limits.regions``.
        channels: (customers, actions), over which channel a pair would go: one customer gets one action per
            channel at most. None where everybody gets one action at most.
        most_actions: most actions for one customer.
    """

    values: Values
    limits: Limits
    groups: Codes
    channels: Codes | None
    most_actions: int

    def take(self, rows: Rows) -> Self:
        """Return the problem of some customers, under the same limits."""
        channels = None if self.channels is None else self.channels[rows]
        return replace(self, values=self.values[rows], groups=self.groups[rows], channels=channels)

    def chunks(self) -> Iterator[slice]:
        """Cut the customers into runs small enough for the processor's cache."""
        return (slice(start, start + _CHUNK) for start in range(0, len(self.values), _CHUNK))

    def less_price(self, rows: slice | Rows, price: npt.NDArray[Real]) -> npt.NDArray[Real]:
        """Return (rows, actions): value less price, a price per region and action."""
        charged = price[0] if len(price) == 1 else price[self.groups[rows]]
        return np.asarray(self.values[rows] - charged)

    def counts(self, taken: Indices) -> npt.NDArray[np.int64]:
        """Count taken actions, (customers, slots) with -1 for a free slot, per region and action."""
        given = taken >= 0
        groups = np.broadcast_to(self.groups[:, None], taken.shape)
        return self.limits.count(taken[given], groups[given])

    def worth(self, taken: Indices) -> float:
        """Return the sum of the values of what is taken."""
        total = 0.0
        for slot in taken.T:
            given = np.flatnonzero(slot >= 0)
            total += float(self.values[given, slot[given]].sum(dtype=np.float64))
        return total
