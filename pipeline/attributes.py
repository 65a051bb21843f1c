"""Rows of the history by customer id, as they were known at a date: attributes, consents, contacts."""

from collections.abc import Collection
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.visibility import Moment
from tables.calendar import NEVER, BusinessCalendar
from tables.contracts import Kind, kind_of, since_of, time_of
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
    history: History,
    table: str,
    *,
    as_of: date,
    calendar: BusinessCalendar,
    columns: Collection[str] | None = None,
) -> pd.DataFrame | None:
    """Return a table's rows visible at a date, under the column names of its contract.

    Args:
        history: the validated history.
        table: name of a table with customers.
        as_of: rows that happened or became known at or after it are left out, and of the others what waits
            for an instant at or after it, so that a night caught up late sees what it would have seen.
        calendar: where its midnight lies.
        columns: content to read, where the table has it; all of it if not given. A value that waits for an
            instant needs that column too.

    Returns:
        ``customer_id``, the contract's time column and ``at`` (both instants), and the content; money in
        currency units, missing texts and flags as missing, instants that are missing or had not come as
        ``NEVER``. Sorted by customer and time within a bucket.
        Nothing where the history has no such table.
    """
    if not history.has(table):
        return None
    names = [name for name in history.columns(table) if columns is None or name in columns]
    parts = [
        _visible(history.read(table, bucket, names), history.customer_ids(bucket), as_of, calendar)
        for bucket in range(history.buckets)
    ]
    return pd.concat(parts, ignore_index=True)


def _visible(
    rows: Rows, customer_ids: npt.NDArray[Any], as_of: date, calendar: BusinessCalendar
) -> pd.DataFrame:
    moment = Moment.of(as_of, calendar)
    seen = moment.sees(rows)
    content = {name: _known(rows, name, moment.midnight)[seen] for name in rows.columns}
    frame = pd.DataFrame({"customer_id": customer_ids[rows.customer[seen]], "at": rows.at[seen], **content})
    return frame.assign(**{time_of(rows.table): frame["at"]})


def _known(rows: Rows, name: str, midnight: int) -> npt.NDArray[Any]:
    """Return a column without the values whose instant had not come; without that column none had."""
    values, since = _values(rows, name), since_of(rows.table).get(name)
    if since is None:
        return values
    has_come = (
        np.asarray(rows.columns[since]) < midnight if since in rows.columns else np.zeros(len(rows), bool)
    )
    missing = NEVER if kind_of(rows.table, name) is Kind.INSTANT else None
    return np.asarray(np.where(has_come, values, np.array(missing, dtype=values.dtype)))


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
