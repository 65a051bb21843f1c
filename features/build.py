"""From history to one row of numbers per customer and snapshot date."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.announced import Announced
from features.bucket import Bucket, Keep, Part
from features.builder import Builder
from features.builders import BUILDERS, usable_builders
from features.edges import Edges
from features.index import SnapshotIndex
from features.memory import ReusedPages
from features.population import Population, Reading
from features.settings import FeatureSettings
from features.view import AsOfView, Features
from tables.calendar import BusinessCalendar
from tables.contracts import DECLARED, ORDER_TABLES, Kind, kind_of
from tables.errors import SchemaError
from tables.history import History
from tables.rows import Codes, Rows

__all__ = [
    "FeatureBlock",
    "FeatureSettings",
    "build_bucket",
    "build_features",
    "feature_names",
    "feature_sources",
]

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class FeatureBlock:
    """The feature rows of one bucket.

    Attributes:
        bucket: number of the bucket.
        frame: ``customer`` (global key, int64), ``as_of`` (datetime64[s]) and float32 features, sorted by
            ``(as_of, customer)``.
        watched: whether the customer of each row belongs to the population of its date.
    """

    bucket: int
    frame: pd.DataFrame
    watched: npt.NDArray[np.bool_]


def build_features(
    history: History,
    *,
    as_of: Sequence[date],
    calendar: BusinessCalendar,
    settings: FeatureSettings,
    population: Population | None = None,
    with_others: bool = False,
    keep: Keep | None = None,
    builders: Iterable[Builder] = BUILDERS,
) -> Iterator[FeatureBlock]:
    """Compute every usable feature, bucket by bucket; memory holds one bucket at a time.

    Args:
        history: the stored tables.
        as_of: snapshot dates, in any order.
        calendar: business calendar; says what was known when.
        settings: windows and horizon.
        population: who is watched at a date; without it, everybody with a row visible in any table.
        with_others: give rows to everybody with a visible row, those who are not watched too.
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
            population=population,
            with_others=with_others,
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
    population: Population | None = None,
    with_others: bool = False,
    keep: Keep | None = None,
    builders: Iterable[Builder] = BUILDERS,
    pages: ReusedPages | None = None,
) -> FeatureBlock:
    """Compute the features of one bucket, so that buckets can be spread over processes or machines.

    Arguments are those of ``build_features``; ``pages`` carries the memory of a bucket before, if any.
    """
    usable, names = _usable(history, builders, settings)
    rows = Bucket.read(
        history,
        bucket,
        as_of=as_of,
        readings=_readings(history, usable, settings, population, with_others=with_others),
        announced=_announced(history, usable),
        calendar=calendar,
        population=population,
        with_others=with_others,
        keep=keep,
    )
    table = (pages or ReusedPages()).uninitialised((len(names), rows.most_snapshots))
    return FeatureBlock(bucket, *_frame(rows, usable, names, settings, table))


def feature_names(
    history: History, settings: FeatureSettings, builders: Iterable[Builder] = BUILDERS
) -> tuple[str, ...]:
    """List the features that this history gives, in the order of their columns."""
    return _usable(history, builders, settings)[1]


def feature_sources(
    history: History, settings: FeatureSettings, builders: Iterable[Builder] = BUILDERS
) -> dict[str, str]:
    """Say by feature which table it comes from; all that ingest makes of order sources counts as orders."""
    return {
        name: "orders" if set(builder.needs) & set(ORDER_TABLES) else next(iter(builder.needs))
        for builder in _usable(history, builders, settings)[0]
        for name in _names(builder, settings)
    }


def _usable(
    history: History, builders: Iterable[Builder], settings: FeatureSettings
) -> tuple[tuple[Builder, ...], tuple[str, ...]]:
    """List the builders whose tables and columns are there and whose settings ask for any feature; and all names."""
    found = usable_builders(_stored_columns(history), builders)
    named = [(builder, names) for builder in found if (names := _names(builder, settings))]
    every = [name for _, names in named for name in names]
    twice = sorted({name for name in every if every.count(name) > 1})
    if twice:
        raise SchemaError(f"features: names must differ; found {twice} from two builders. Rename one.")
    return tuple(builder for builder, _ in named), tuple(every)


def _stored_columns(history: History) -> dict[str, tuple[str, ...]]:
    tables = (*ORDER_TABLES, *(name for name in DECLARED if name != "orders"))
    return {name: history.columns(name) for name in tables if history.has(name)}


def _is_announced(table: str) -> bool:
    return table in DECLARED and not DECLARED[table].has_customer


def _announced(history: History, builders: Sequence[Builder]) -> dict[str, Rows]:
    """Read the tables that belong to no customer; their rows lie in the first bucket."""
    needed = {
        table: builder.columns(table, history.columns(table))
        for builder in builders
        for table in builder.needs
        if _is_announced(table)
    }
    return {table: history.read(table, 0, columns) for table, columns in needed.items()}


def _readings(
    history: History,
    builders: Sequence[Builder],
    settings: FeatureSettings,
    population: Population | None,
    *,
    with_others: bool,
) -> dict[str, Reading]:
    """Say what to read: what builders and population ask for, and for an open population every table."""
    asked = {} if population is None else population.readings
    stored = {**_stored_columns(history), **{table: history.columns(table) for table in asked}}
    readings = {}
    for table, columns in stored.items():
        if _is_announced(table):
            continue
        users = [builder for builder in builders if table in builder.needs]
        if not users and table not in asked and population is not None and not with_others:
            continue
        needed = dict.fromkeys(column for user in users for column in user.columns(table, columns))
        days = {day for user in users for day in user.days_before(settings)}
        readings[table] = Reading(tuple(needed), tuple(sorted(days))).with_(asked.get(table, Reading()))
    return readings


def _names(builder: Builder, settings: FeatureSettings) -> tuple[str, ...]:
    """Ask a builder for its names by showing it tables without rows."""
    views = {table: _empty_view(table, builder, settings) for table in builder.needs}
    return tuple(_compute(builder, views, settings))


def _empty_view(table: str, builder: Builder, settings: FeatureSettings) -> AsOfView | Announced:
    if _is_announced(table):
        return Announced()
    calendar = BusinessCalendar("UTC")
    none = np.zeros(0, dtype=np.int64)
    text = Codes(np.zeros(0, dtype=np.int32), ())
    columns: dict[str, npt.NDArray[np.generic] | Codes] = {
        name: text if kind_of(table, name) is Kind.TEXT else none for name in builder.columns(table, ())
    }
    rows = Rows(table, 0, none.astype(np.int32), none, none, none, columns)
    edges = Edges.of([_EPOCH], days_before=builder.days_before(settings), calendar=calendar)
    return AsOfView(SnapshotIndex.of(rows, edges=edges, calendar=calendar), as_of=_EPOCH, selected=none)


def _compute(
    builder: Builder, views: Mapping[str, AsOfView | Announced], settings: FeatureSettings
) -> Features:
    return builder.compute(*(views[table] for table in builder.needs), settings=settings)


def _frame(
    bucket: Bucket,
    builders: Sequence[Builder],
    names: Sequence[str],
    settings: FeatureSettings,
    table: npt.NDArray[np.float32],
) -> tuple[pd.DataFrame, npt.NDArray[np.bool_]]:
    """Fill a table, in which one feature's values of all dates lie together, as the frame wants them."""
    customers: list[npt.NDArray[np.int64]] = []
    days: list[npt.NDArray[np.datetime64]] = []
    watched: list[npt.NDArray[np.bool_]] = []
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
        watched.append(np.concatenate([part.watched for part in parts])[order])
        filled += len(order)
    frame = pd.DataFrame(table[:, :filled].T, columns=list(names), copy=False)
    frame.insert(0, "as_of", np.concatenate(days))
    frame.insert(0, "customer", np.concatenate(customers))
    return frame, np.concatenate(watched)


def _fill(
    block: npt.NDArray[np.float32],
    parts: Sequence[Part],
    builders: Sequence[Builder],
    settings: FeatureSettings,
) -> None:
    begin = 0
    for part in parts:
        views: dict[str, AsOfView | Announced] = {**part.views(), **part.announced}
        end = begin + len(part.selected)
        features = (_compute(builder, views, settings) for builder in builders)
        for row, values in enumerate(chain.from_iterable(named.values() for named in features)):
            block[row, begin:end] = values
        begin = end
