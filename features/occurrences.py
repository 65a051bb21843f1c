"""How a row compares with the same customer's other rows: repeated values, distance from the first."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.index import SnapshotIndex, Sums, running_sums

_NEVER_AGAIN = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class Occurrences:
    """For each row, which occurrence of its value it is and when the same customer has that value next.

    Attributes:
        seen: int32, 1 for the first row of a customer with this value, 2 for the second; 0 where missing.
        next_bin: number of window edges at or before the next such row; the largest number if none follows.
    """

    seen: npt.NDArray[np.int32]
    next_bin: npt.NDArray[np.uint16]

    @classmethod
    def of(cls, index: SnapshotIndex, column: str) -> "Occurrences":
        """Find the repetitions of a column's values within each customer."""
        codes = index.columns.codes(column)
        order = _by_customer_and_value(index, codes)
        customer, value = index.customer[order], codes[order]
        again = (customer[1:] == customer[:-1]) & (value[1:] == value[:-1])
        number = np.arange(len(order), dtype=np.int32)
        start = np.where(np.concatenate([[True], ~again])[: len(order)], number, 0)
        run = number - np.maximum.accumulate(start) + 1
        following = np.full(len(order), _NEVER_AGAIN, dtype=np.uint16)
        following[:-1][again] = index.bins[order[1:]][again]
        seen, next_bin = np.empty_like(run), np.empty_like(following)
        seen[order], next_bin[order] = run, following
        missing = codes < 0
        seen[missing], next_bin[missing] = 0, 0
        return cls(seen, next_bin)

    def most(self, index: SnapshotIndex) -> npt.NDArray[np.int64]:
        """Return the largest occurrence number among the rows of the same customer up to each row."""
        step = int(self.seen.max(initial=0)) + 1
        base = index.customer.astype(np.int64) * step
        return np.maximum.accumulate(base + self.seen) - base


@dataclass(frozen=True)
class Deviations:
    """A column's distance from each customer's own first value.

    Attributes:
        sums: exact running sums of the distances.
        squares: squared distance of each row.
    """

    sums: Sums
    squares: npt.NDArray[np.float64]

    @classmethod
    def of(cls, index: SnapshotIndex, column: str) -> "Deviations":
        """Measure the distances of a column of whole or fixed-point numbers."""
        values = index.columns.numbers(column).astype(np.int64)
        distance = values - values[index.first[index.customer]]
        return cls(running_sums(distance), distance.astype(np.float64) ** 2)


def _by_customer_and_value(
    index: SnapshotIndex, codes: npt.NDArray[np.signedinteger]
) -> npt.NDArray[np.intp]:
    order = np.argsort(_narrow(codes), kind="stable")
    return order[np.argsort(_narrow(index.customer[order]), kind="stable")]


def _narrow(codes: npt.NDArray[np.signedinteger]) -> npt.NDArray[np.signedinteger] | npt.NDArray[np.uint16]:
    """Shift to 16 bits where the values fit: numpy sorts those by radix, several times faster."""
    if not len(codes):
        return codes
    lowest = codes.min()
    if int(codes.max()) - int(lowest) > np.iinfo(np.uint16).max:
        return codes
    narrow: npt.NDArray[np.uint16] = (codes - lowest).astype(np.uint16)
    return narrow
