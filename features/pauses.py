"""Times in which a customer had nothing running, between the end of everything before and the next start."""

import numpy as np
import numpy.typing as npt

from features.index import SnapshotIndex
from tables.calendar import Instants


def pause_lengths(index: SnapshotIndex, until: str) -> Instants:
    """Return how long nothing ran before each row's start; 0 where something did and at a first row.

    The ends are read before their time, yet nothing of them shows early: a row's pause is above 0 only if all
    rows before it ended before it started, and 0 whichever later end one of them has.

    Args:
        index: rows of a table, timed by their start.
        until: the instant at which a row ends.

    Returns:
        Microseconds, one per row.
    """
    latest = _latest_before(index.customer, index.moments(until))
    is_later = ~index.starts_run(index.customer)
    lengths = np.zeros(len(index), dtype=np.int64)
    lengths[is_later] = np.maximum(index.at[is_later] - latest[is_later], 0)
    return lengths


def _latest_before(customer: npt.NDArray[np.int32], ends: Instants) -> Instants:
    """Return the latest end among the rows before, down to the customer's first; unspecified at a first row."""
    moments, ranks = np.unique(ends, return_inverse=True)
    # One running maximum for all: a later customer's smallest rank lies above an earlier one's largest.
    above = customer.astype(np.int64) * len(moments)
    so_far = np.maximum.accumulate(above + ranks)
    latest = np.zeros(len(ends), dtype=np.int64)
    latest[1:] = moments[(so_far[:-1] - above[:-1])]
    return latest
