"""All gaps of a table sorted by customer and length, from which quantiles are read."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

_BIN_BITS = 16
_CUSTOMER_BITS = 17  # leaves 31 bits for a gap, 68 years of seconds


@dataclass(frozen=True)
class OrderedGaps:
    """Gaps sorted by customer and length, each with the bin of the row that ends it."""

    gaps: npt.NDArray[np.int32]
    bins: npt.NDArray[np.uint16]

    @classmethod
    def of(
        cls, customer: npt.NDArray[np.int32], gaps: npt.NDArray[np.int32], bins: npt.NDArray[np.uint16]
    ) -> Self:
        """Sort gaps, as one number of 64 bits each where they fit, which is several times faster."""
        if len(customer) and int(customer[-1]) >= 1 << _CUSTOMER_BITS:
            order = np.lexsort((gaps, customer))
            return cls(gaps[order], bins[order])
        packed = customer.astype(np.uint64) << np.uint64(64 - _CUSTOMER_BITS)
        packed |= gaps.astype(np.uint64) << np.uint64(_BIN_BITS)
        packed |= bins
        packed.sort()
        gap_mask = np.uint64((1 << (64 - _CUSTOMER_BITS - _BIN_BITS)) - 1)
        return cls(((packed >> np.uint64(_BIN_BITS)) & gap_mask).astype(np.int32), packed.astype(np.uint16))
