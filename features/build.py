"""From history to one row of numbers per customer and snapshot date."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.bucket import Bucket, Keep, Part, Reading
from features.builders import BUILDERS, Builder, usable_builders
from features.edges import Edges
from features.index import SnapshotIndex
from features.memory import ReusedPages
from features.settings import FeatureSettings
from features.view import AsOfView, Features
from tables.calendar import BusinessCalendar
from tables.contracts import DECLARED, ORDER_TABLES, Kind, kind_of
from tables.errors import SchemaError
from tables.history import History
from tables.rows import Codes, Rows

__all__ = ["FeatureBlock", "FeatureSettings", "build_bucket", "build_features", "feature_names"]

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class FeatureBlock:
    """The feature rows of one bucket.

    Attributes:
        bucket: number of the bucket.
        frame: ``customer`` (global key, int64), ``as_of`` (datetime64[s]) and float32 features, sorted by
            ``(as_of, customer)``.
    """

    bucket: int
    frame: pd.DataFrame


def build_features(
    history: History,
    *,
    as_of: Sequence[date],
    calendar: BusinessCalendar,
    settings: FeatureSettings,
    active_within_days: int | None = None,
    keep: Keep | None = None,
    builders: Iterable[Builder] = BUILDERS,
) -> Iterator[FeatureBlock]:
    """Compute every usable feature, bucket by bucket; memory holds one bucket at a time.

    Args:
        history: the stored tables.
        as_of: snapshot dates, in any order.
        calendar: business calendar; says what was known when.
        settings: windows and horizon.
        active_within_days: population = customers with an order visible in the last so many days; without
            it, customers with a row visible at the date in any table.
        keep: says by global key which customers to compute at all.
        builders: candidates; those whose tables or columns are absent are left out.

    Yields:
        One block per bucket, in order.
    """
    pages = ReusedPages()
    for bucket in range(history.buckets):
        yield build_bucket(
            history,
            bucket,
            as_of=as_of,
            calendar=calendar,
            settings=settings,
            active_within_days=active_within_days,
            keep=keep,
            builders=builders,
            pages=pages,
        )


def build_bucket(
    history: History,
    bucket: int,
    *,
    as_of: Sequence[date],
    calendar: BusinessCalendar,
    settings: FeatureSettings,
    active_within_days: int | None = None,
    keep: Keep | None = None,
    builders: Iterable[Builder] = BUILDERS,
    pages: ReusedPages | None = None,
) -> FeatureBlock:
    """Compute the features of one bucket, so that buckets can be spread over processes or machines.

    Arguments are those of ``build_features``; ``pages`` carries the memory of a bucket before, if any.
    """
    usable = usable_builders(_stored_columns(history), builders)
    rows = Bucket.read(
        history,
        bucket,
        as_of=as_of,
        readings=_readings(history, usable, settings, active_within_days),
        calendar=calendar,
        active_within_days=active_within_days,
        keep=keep,
    )
    names = _names(usable, settings)
    table = (pages or ReusedPages()).uninitialised((len(names), rows.most_snapshots))
    return FeatureBlock(bucket, _frame(rows, usable, names, settings, table))


def feature_names(
    history: History, settings: FeatureSettings, builders: Iterable[Builder] = BUILDERS
) -> tuple[str, ...]:
    """List the features that this history gives, in the order of their columns."""
    return _names(usable_builders(_stored_columns(history), builders), settings)


def _stored_columns(history: History) -> dict[str, tuple[str, ...]]:
    customer_tables = [name for name, table in DECLARED.items() if table.has_customer and name != "orders"]
    return {name: history.columns(name) for name in (*ORDER_TABLES, *customer_tables) if history.has(name)}


def _readings(
    history: History,
    builders: Sequence[Builder],
    settings: FeatureSettings,
    active_within_days: int | None,
) -> dict[str, Reading]:
    """Say what to read: the builders' tables, the orders, and for an open population all the others."""
    stored = _stored_columns(history)
    readings = {}
    for table, columns in stored.items():
        users = [builder for builder in builders if table in builder.needs]
        if not users and table != "orders" and active_within_days is not None:
            continue
        needed = dict.fromkeys(column for user in users for column in user.columns(table, columns))
        days = {day for user in users for day in user.days_before(settings)}
        if table == "orders" and active_within_days is not None:
            days.add(active_within_days)
        readings[table] = Reading(tuple(needed), tuple(sorted(days)))
    return readings


def _names(builders: Sequence[Builder], settings: FeatureSettings) -> tuple[str, ...]:
    """Ask every builder for its names by showing it tables without rows."""
    names: list[str] = []
    for builder in builders:
        views = {table: _empty_view(table, builder, settings) for table in builder.needs}
        names += _compute(builder, views, settings)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SchemaError(f"features: names must differ; found {twice} from two builders. Rename one.")
    return tuple(names)


def _empty_view(table: str, builder: Builder, settings: FeatureSettings) -> AsOfView:
    calendar = BusinessCalendar("UTC")
    none = np.zeros(0, dtype=np.int64)
    text = Codes(np.zeros(0, dtype=np.int32), ())
    columns: dict[str, npt.NDArray[np.generic] | Codes] = {
        name: text if kind_of(table, name) is Kind.TEXT else none for name in builder.columns(table, ())
    }
    rows = Rows(table, 0, none.astype(np.int32), none, none, none, columns)
    edges = Edges.of([_EPOCH], days_before=builder.days_before(settings), calendar=calendar)
    return AsOfView(SnapshotIndex.of(rows, edges=edges, calendar=calendar), as_of=_EPOCH, selected=none)


def _compute(builder: Builder, views: Mapping[str, AsOfView], settings: FeatureSettings) -> Features:
    return builder.compute(*(views[table] for table in builder.needs), settings=settings)


def _frame(
    bucket: Bucket,
    builders: Sequence[Builder],
    names: Sequence[str],
    settings: FeatureSettings,
    table: npt.NDArray[np.float32],
) -> pd.DataFrame:
    """Fill a table, in which one feature's values of all dates lie together, as the frame wants them."""
    customers: list[npt.NDArray[np.int64]] = []
    days: list[npt.NDArray[np.datetime64]] = []
    filled = 0
    for moment, parts in bucket.populations():
        positions = np.concatenate([part.customers for part in parts])
        order = np.argsort(positions, kind="stable")
        block = table[:, filled : filled + len(order)]
        _fill(block, parts, builders, settings)
        if len(parts) > 1:
            block[:] = block[:, order]
        customers.append(bucket.keys[positions[order]])
        days.append(np.full(len(order), np.datetime64(moment.as_of, "s")))
        filled += len(order)
    frame = pd.DataFrame(table[:, :filled].T, columns=list(names), copy=False)
    frame.insert(0, "as_of", np.concatenate(days))
    frame.insert(0, "customer", np.concatenate(customers))
    return frame


def _fill(
    block: npt.NDArray[np.float32],
    parts: Sequence[Part],
    builders: Sequence[Builder],
    settings: FeatureSettings,
) -> None:
    begin = 0
    for part in parts:
        views, end = part.views(), begin + len(part.selected)
        features = (_compute(builder, views, settings) for builder in builders)
        for row, values in enumerate(chain.from_iterable(named.values() for named in features)):
            block[row, begin:end] = values
        begin = end
