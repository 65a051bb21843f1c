"""To which groups units belonged on the night they were first planned."""

from datetime import date
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.catalogue import NONE
from features.visibility import Moment
from pipeline.regions import TOLD_BY
from pipeline.run import Run
from tables.history import History
from tables.publish import published
from tables.rows import Codes, Rows
from tables.storage import read_table


def with_groups(run: Run, history: History, units: pd.DataFrame) -> pd.DataFrame:
    """Add ``segment`` and ``region`` of each unit, as known on its first planned night; ``none`` where unknown.

    A region that an order told later would part those who came back from those who did not.
    """
    nights = {stamp: rows.index for stamp, rows in units.groupby("planned_on")}
    segment = pd.Series(NONE, index=units.index)
    for stamp, rows in nights.items():
        manifest = published(run.workspace, _day(stamp))
        if manifest is not None:
            scores = read_table(manifest.table("scores"), ("customer_id", "segment"))
            told = units.loc[rows, "customer_id"].map(scores.set_index("customer_id")["segment"])
            segment[rows] = told.fillna(NONE)
    return units.assign(segment=segment, region=regions_then(run, history, units))


def _day(stamp: object) -> date:
    night: date = pd.Timestamp(str(stamp)).date()
    return night


def regions_then(run: Run, history: History, units: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Return the region told by the newest row visible on each unit's night; what a later table tells wins.

    Args:
        run: the run.
        history: the validated history.
        units: ``customer`` (key) and ``planned_on``.

    Returns:
        Names, ``none`` where unknown.
    """
    found = np.full(len(units), NONE, dtype=object)
    customer, nights = units["customer"].to_numpy(np.int64), units["planned_on"].to_numpy()
    tables = [name for name in TOLD_BY if history.has(name) and "region" in history.columns(name)]
    for table, bucket in product(tables, range(history.buckets)):
        rows = history.read(table, bucket, ("region",))
        here = np.flatnonzero(customer % history.buckets == bucket)
        for stamp in np.unique(nights[here]):
            at = here[nights[here] == stamp]
            told = _newest(rows, Moment.of(_day(stamp), run.calendar))[customer[at] // history.buckets]
            found[at] = np.where(pd.isna(told), found[at], told)
    return found


def _newest(rows: Rows, moment: Moment) -> npt.NDArray[np.object_]:
    """Return the region of each customer of a bucket by the newest visible row, missing where none tells it."""
    told, region = np.full(rows.customers, None, dtype=object), rows.columns["region"]
    if isinstance(region, Codes):
        seen = moment.sees(rows) & (region.codes >= 0)
        told[rows.customer[seen]] = np.array(region.labels, dtype=object)[region.codes[seen]]
    return told
