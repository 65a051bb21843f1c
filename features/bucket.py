"""One bucket of customers at several snapshot dates: who belongs to each, and what is visible of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt

from features.announced import Announced
from features.edges import Edges
from features.index import SnapshotIndex
from features.population import Population, Reading
from features.view import AsOfView
from features.visibility import (
    Customers,
    Moment,
    differing_customers,
    is_current,
    select_customers,
    select_rows,
    unsettled_rows,
)
from tables.calendar import BusinessCalendar
from tables.history import History
from tables.rows import Rows

Keep = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.bool_]]

# What is told of a customer makes nobody one: a static attribute holds since ever, long before the customer came.
_TOLD_OF = "attributes"


@dataclass(frozen=True)
class Part:
    """Customers of one date whose visible rows one set of indexes shows.

    Attributes:
        moment: the snapshot date.
        indexes: an index per table.
        selected: positions of the customers in those indexes.
        customers: positions of the same customers in the bucket.
        watched: whether each of them belongs to the population.
        announced: days to come, by table that belongs to no customer.
    """

    moment: Moment
    indexes: Mapping[str, SnapshotIndex]
    selected: Customers
    customers: Customers
    watched: npt.NDArray[np.bool_]
    announced: Mapping[str, Announced] = field(default_factory=dict)

    def views(self) -> dict[str, AsOfView]:
        """Return a view of every table for the customers of this part."""
        return {
            table: AsOfView(index, as_of=self.moment.as_of, selected=self.selected)
            for table, index in self.indexes.items()
        }


class Bucket:
    """The rows of one bucket and the populations of its snapshot dates."""

    def __init__(
        self,
        tables: Mapping[str, Rows],
        *,
        keys: npt.NDArray[np.int64],
        as_of: Sequence[date],
        readings: Mapping[str, Reading],
        calendar: BusinessCalendar,
        population: Population | None,
        with_others: bool,
        announced: Mapping[str, Rows],
    ) -> None:
        """Index the current rows once for all dates.

        Args:
            tables: rows per table; the customers of all tables carry the same numbers.
            keys: global key of each customer.
            as_of: snapshot dates.
            readings: windows per table.
            calendar: business calendar.
            population: who is watched; with nothing given, everybody with a visible row in any of the tables.
            with_others: show everybody with a visible row, those who are not watched too.
            announced: rows of tables that belong to no customer.
        """
        self.keys = keys
        self._announced = announced
        self._calendar = calendar
        self._readings = readings
        self._population = population
        self._with_others = with_others
        self._moments = tuple(Moment.of(day, calendar) for day in sorted(set(as_of)))
        self._tables = tables
        self._unsettled = {name: unsettled_rows(rows, calendar) for name, rows in tables.items()}
        current = {name: select_rows(rows, is_current(rows)) for name, rows in tables.items()}
        self._indexes = self._index(current, [moment.as_of for moment in self._moments])

    @classmethod
    def read(
        cls,
        history: History,
        bucket: int,
        *,
        as_of: Sequence[date],
        readings: Mapping[str, Reading],
        calendar: BusinessCalendar,
        population: Population | None,
        with_others: bool = False,
        keep: Keep | None = None,
        announced: Mapping[str, Rows] | None = None,
    ) -> "Bucket":
        """Read the tables of one bucket; ``keep`` says by global key whose rows to go on with."""
        tables: dict[str, Rows] = {}
        keys = np.zeros(0, dtype=np.int64)
        for name, reading in readings.items():
            rows = history.read(name, bucket, reading.columns)
            keys = np.arange(rows.customers, dtype=np.int64) * history.buckets + bucket
            if keep is not None:
                kept = np.flatnonzero(keep(keys))
                rows, keys = select_customers(rows, kept), keys[kept]
            tables[name] = rows
        return cls(
            tables,
            keys=keys,
            as_of=as_of,
            readings=readings,
            calendar=calendar,
            population=population,
            with_others=with_others,
            announced=announced or {},
        )

    def _index(self, tables: Mapping[str, Rows], days: Sequence[date]) -> dict[str, SnapshotIndex]:
        indexes = {}
        for name, rows in tables.items():
            edges = Edges.of(days, days_before=self._readings[name].days_before, calendar=self._calendar)
            indexes[name] = SnapshotIndex.of(rows, edges=edges, calendar=self._calendar)
        return indexes

    def populations(self) -> Iterator[tuple[Moment, tuple[Part, ...]]]:
        """Yield each date with its customers, in parts that share indexes.

        Nearly everybody's visible rows are the current rows before the date. For the few others, who have a
        row that came late or was corrected, indexes are built from exactly the rows visible at the date.
        """
        for moment in self._moments:
            differing = self._differing(moment)
            regular = np.setdiff1d(np.arange(len(self.keys)), differing, assume_unique=True)
            parts = [self._part(moment, self._indexes, regular, regular)]
            if len(differing):
                visible = {
                    name: select_customers(select_rows(rows, moment.sees(rows)), differing)
                    for name, rows in self._tables.items()
                }
                exact = self._index(visible, [moment.as_of])
                parts.append(self._part(moment, exact, np.arange(len(differing)), differing))
            yield moment, tuple(parts)

    @property
    def most_snapshots(self) -> int:
        """Return how many rows the populations of all dates have at most."""
        return len(self.keys) * len(self._moments)

    def _differing(self, moment: Moment) -> Customers:
        found = [differing_customers(rows, moment) for rows in self._unsettled.values()]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)

    def _part(
        self,
        moment: Moment,
        indexes: Mapping[str, SnapshotIndex],
        selected: Customers,
        customers: Customers,
    ) -> Part:
        everybody = Part(moment, indexes, selected, customers, np.ones(len(selected), dtype=bool))
        views = everybody.views()
        watched = everybody.watched if self._population is None else self._population.watched(views)
        shown = watched
        if self._with_others or self._population is None:
            shown = np.any([view.count() > 0 for name, view in views.items() if name != _TOLD_OF], axis=0)
        announced = {
            name: Announced.of(rows, moment, self._calendar) for name, rows in self._announced.items()
        }
        return Part(moment, indexes, selected[shown], customers[shown], watched[shown], announced)
