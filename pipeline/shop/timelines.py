"""Records whose fields come to be known one after the other: a ticket is opened, answered, solved, rated.

A record's instants may be drawn as soon as it begins. The shop's file of a day carries a new version of
each record to which something happened that day, and in it nothing that lies after the day.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.shop.baskets import DAY

Records = npt.NDArray[np.void]
"""Structured rows whose instants are microseconds of local time since 1970-01-01, 0 while they have none."""


def versions(records: Records, instants: Sequence[str], day: int) -> Records:
    """Return the records to which something happened on a day, as they stood at its end.

    Args:
        records: rows with the fields ``instants`` and ``known_at``.
        instants: fields that become known when they come, the record's beginning among them.
        day: day number.
    """
    begins, ends = day * DAY, (day + 1) * DAY
    times = np.stack([records[name] for name in instants])
    reached = np.where(times < ends, times, 0)
    happened = (reached >= begins).any(axis=0)
    told = records[happened].copy()
    for name, values in zip(instants, reached, strict=True):
        told[name] = values[happened]
    told["known_at"] = reached.max(axis=0, initial=0)[happened]
    return told


def unfinished(records: Records, instants: Sequence[str], day: int) -> npt.NDArray[np.bool_]:
    """Mark records to which something will still happen after a day."""
    return np.asarray((np.stack([records[name] for name in instants]) >= (day + 1) * DAY).any(axis=0))
