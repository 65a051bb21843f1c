"""Rows of the history by customer id, as they were known at a date: attributes, consents, contacts."""

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tables.calendar import BusinessCalendar
from tables.contracts import DECLARED, Kind, kind_of
from tables.history import History
from tables.rows import MONEY_SCALE, Codes, Rows


def customer_ids(history: History, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
    """Return the id behind each customer key."""
    ids = np.empty(len(keys), dtype=object)
    bucket, local = keys % history.buckets, keys // history.buckets
    for each in np.unique(bucket):
        here = bucket == each
        ids[here] = history.customer_ids(int(each))[local[here]]
    return ids


def history_table(
    history: History, table: str, *, as_of: date, calendar: BusinessCalendar
) -> pd.DataFrame | None:
    """Return a table's rows visible at a date, under the column names of its contract.

    Args:
        history: the validated history.
        table: name of a table with customers.
        as_of: rows that happened or became known at or after it are left out.
        calendar: where its midnight lies.

    Returns:
        ``customer_id``, the contract's time column and ``at`` (both instants), and the content; money in
        currency units, missing texts and flags as missing, missing instants as ``NEVER``. Sorted by
        customer and time within a bucket.
        Nothing where the history has no such table.
    """
    if not history.has(table):
        return None
    parts = [
        _visible(
            history.read(table, bucket, history.columns(table)), history.customer_ids(bucket), as_of, calendar
        )
        for bucket in range(history.buckets)
    ]
    return pd.concat(parts, ignore_index=True)


def _visible(
    rows: Rows, customer_ids: npt.NDArray[Any], as_of: date, calendar: BusinessCalendar
) -> pd.DataFrame:
    cutoff = calendar.known_cutoff(as_of)
    seen = (rows.at < calendar.midnight(as_of)) & (rows.known_at < cutoff) & (cutoff <= rows.superseded_at)
    content = {name: _values(rows, name)[seen] for name in rows.columns}
    frame = pd.DataFrame({"customer_id": customer_ids[rows.customer[seen]], "at": rows.at[seen], **content})
    return frame.assign(**{DECLARED[rows.table].time: frame["at"]})


def _values(rows: Rows, name: str) -> npt.NDArray[Any]:
    column = rows.columns[name]
    if isinstance(column, Codes):
        return np.asarray(np.array([*column.labels, None], dtype=object)[column.codes])
    numbers = column.astype(np.float64)
    kind = kind_of(rows.table, name)
    if kind in {Kind.MONEY, Kind.QUANTITY}:
        return numbers / MONEY_SCALE
    if kind is Kind.FLAG:
        return np.where(numbers < 0, np.nan, numbers)
    return column
