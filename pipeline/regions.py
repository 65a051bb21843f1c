"""Where customers live, as it was known at a date."""

from datetime import date

import numpy as np
import numpy.typing as npt

from features.visibility import Moment
from pipeline.run import Run
from tables.history import History
from tables.rows import Codes

TOLD_BY = ("orders", "customers")
"""Tables that may tell a region; what a later one tells wins."""


def regions(
    run: Run, history: History, customer: npt.NDArray[np.int64], *, as_of: date
) -> npt.NDArray[np.object_] | None:
    """Return the region of each customer by the newest row visible at a date.

    Args:
        run: the run.
        history: the validated history.
        customer: customer keys.
        as_of: the date.

    Returns:
        Names, missing where none was told; nothing where no table tells regions.
    """
    tables = [name for name in TOLD_BY if history.has(name) and "region" in history.columns(name)]
    if not tables:
        return None
    everybody = np.full(history.customers, None, dtype=object)
    moment = Moment.of(as_of, run.calendar)
    for bucket in range(history.buckets):
        for table in tables:
            rows = history.read(table, bucket, ("region",))
            region = rows.columns["region"]
            if not isinstance(region, Codes):
                continue
            told = np.flatnonzero(moment.sees(rows) & (region.codes >= 0))
            keys = rows.customer[told].astype(np.int64) * history.buckets + bucket
            everybody[keys] = np.array(region.labels, dtype=object)[
                region.codes[told]
            ]  # the newest comes last
    return everybody[customer]
