"""What the history holds, as it was known at a date, and what was put aside on the way in."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.visibility import Moment
from pipeline.attributes import history_table
from tables.calendar import NEVER, BusinessCalendar
from tables.contracts import DECLARED, ORDER_TABLES, Kind, kind_of
from tables.errors import SchemaError
from tables.history import History
from tables.manifest import Manifest
from tables.rows import Rows

_SINCE_EVER = 0  # a row that holds since ever has no day of its own
_DROPPED = (
    ("within_files", "repeated within a file"),
    ("across_files", "already delivered by an earlier file"),
)


@dataclass(frozen=True)
class PastReader:
    """The history at a date: only what happened before it and was known before its cutoff.

    Attributes:
        history: the validated rows.
        manifest: what the current generation consists of.
        as_of: the date.
    """

    history: History
    manifest: Manifest
    as_of: date

    @property
    def calendar(self) -> BusinessCalendar:
        """Where this business's midnights lie."""
        return BusinessCalendar(self.manifest.time_zone, self.manifest.known_offset_hours)

    def tables(self) -> pd.DataFrame:
        """Say how much there is.

        Returns:
            One row a table of customers' rows: ``table``, ``rows``, ``customers`` (with at least one row),
            ``first_on``, ``last_on`` (local days; missing without rows that have a time).
        """
        return pd.DataFrame([self._table_summary(table) for table in self._of_customers()])

    def table(self, name: str) -> pd.DataFrame:
        """Return the rows of a table.

        Args:
            name: one of ``tables()``.

        Returns:
            ``customer_id`` and the table's columns, sorted by both customer and time; money in currency
            units, instants in the business time zone, missing where not known yet. Contact fields are not
            among them.

        Raises:
            SchemaError: if there is no such table of customers' rows.
        """
        known = self._of_customers()
        calendar = self.calendar
        rows = (
            history_table(self.history, name, as_of=self.as_of, calendar=calendar) if name in known else None
        )
        if rows is None:
            raise SchemaError(
                f"history: no table {name!r} of customers' rows; found {list(known)}. Name one of them."
            )
        own = DECLARED["orders" if name in ORDER_TABLES else name].time
        instants = [own, *(each for each in rows if _is_instant(name, each))]
        return rows.drop(columns="at").assign(**{each: self._local(rows[each]) for each in instants})

    def rows_per_day(self) -> pd.DataFrame:
        """Count the rows of each day, so that a delivery that failed shows as a hole.

        Returns:
            ``table``, ``day``, ``rows``: every day from a table's first to its last, days without rows
            included; rows without a time are left out.
        """
        counted = [self._per_day(table) for table in self._of_customers() if table != "lines"]
        return pd.concat(counted, ignore_index=True)

    def pauses(self) -> pd.DataFrame:
        """Count the days between a customer's neighbouring purchase days.

        Returns:
            One row per length, shortest first: ``gap_days``, ``pauses`` (how many were so long) and
            ``share_at_most`` (share of all pauses so long or shorter). Pauses that have not ended are not
            among them.
        """
        lengths = np.concatenate([self._gap_days(bucket) for bucket in range(self.history.buckets)])
        gap_days, pauses = np.unique(lengths, return_counts=True)
        share = np.cumsum(pauses) / max(pauses.sum(), 1)
        return pd.DataFrame({"gap_days": gap_days, "pauses": pauses, "share_at_most": share})

    def ingests(self) -> pd.DataFrame:
        """Say what each ingest read.

        Returns:
            One row per ingest and source with new files: ``generation``, ``table``, ``files``, ``rows`` (read),
            ``returns`` (kept as returns), ``filtered`` (rows the configuration does not want) and
            ``bad_rows`` (put into quarantine).
        """
        return pd.DataFrame(
            [
                {
                    "generation": report["generation"],
                    **{name: source[name] for name in ("table", "files", "rows", "returns")},
                    "filtered": sum(count["removed"] for count in source["filters"].values()),
                    "bad_rows": source["bad_rows"],
                }
                for report in self._reports()
                for source in report["sources"]
            ]
        )

    def put_aside(self) -> pd.DataFrame:
        """Say which rows did not come in as they were delivered, and why.

        Returns:
            One row per table, kind and reason over all ingests, most rows first: ``table``, ``kind``
            (``filter``, ``quarantine``, ``repetition`` or ``correction``), ``reason``, ``rows``, ``amount``
            (currency units; missing where it is not counted). A quarantined row may have several reasons.
            The rows themselves are not readable here: they lie as delivered, contact fields included.
        """
        found = [row for report in self._reports() for row in _put_aside(report)]
        columns = ["table", "kind", "reason", "rows", "amount"]
        told = pd.DataFrame(found, columns=columns)
        summed = told.groupby(columns[:3], as_index=False).agg(
            rows=("rows", "sum"), amount=("amount", lambda amounts: amounts.sum(min_count=1))
        )
        return summed.sort_values("rows", ascending=False, kind="stable", ignore_index=True)

    def _of_customers(self) -> tuple[str, ...]:
        return tuple(
            name
            for name in self.history.tables()
            if name in ORDER_TABLES or (name in DECLARED and DECLARED[name].has_customer)
        )

    def _reports(self) -> list[dict[str, Any]]:
        folder = self.history.root / "reports"
        reports = [json.loads(path.read_text()) for path in sorted(folder.glob("ingest-*.json"))]
        return [each for each in reports if each["generation"] <= self.manifest.generation]

    def _visible(self, table: str, bucket: int) -> tuple[Rows, npt.NDArray[np.bool_]]:
        rows = self.history.read(table, bucket)
        return rows, Moment.of(self.as_of, self.calendar).sees(rows)

    def _table_summary(self, table: str) -> dict[str, object]:
        count, customers, times = 0, 0, []
        for bucket in range(self.history.buckets):
            rows, seen = self._visible(table, bucket)
            count += int(seen.sum())
            customers += len(np.unique(rows.customer[seen]))
            times += [rows.at[seen & (rows.at > _SINCE_EVER)]]
        days = self.calendar.local_days(np.concatenate(times)).astype("datetime64[D]")
        ends = [days.min(), days.max()] if len(days) else [pd.NaT, pd.NaT]
        first, last = map(pd.Timestamp, ends)
        return {"table": table, "rows": count, "customers": customers, "first_on": first, "last_on": last}

    def _per_day(self, table: str) -> pd.DataFrame:
        days = []
        for bucket in range(self.history.buckets):
            rows, seen = self._visible(table, bucket)
            days.append(self.calendar.local_days(rows.at[seen & (rows.at > _SINCE_EVER)]))
        numbers = np.concatenate(days)
        first = int(numbers.min()) if len(numbers) else 0
        counts = np.bincount(numbers - first) if len(numbers) else np.empty(0, np.int64)
        stamps = (first + np.arange(len(counts))).astype("datetime64[D]").astype("datetime64[s]")
        return pd.DataFrame({"table": table, "day": stamps, "rows": counts})

    def _gap_days(self, bucket: int) -> npt.NDArray[np.int64]:
        if not self.history.has("orders"):
            return np.empty(0, np.int64)
        rows, seen = self._visible("orders", bucket)
        customer, day = rows.customer[seen], self.calendar.local_days(rows.at[seen])
        gaps = np.diff(day)[customer[1:] == customer[:-1]]
        return np.asarray(gaps[gaps > 0])

    def _local(self, instants: pd.Series) -> pd.Series:
        known = instants.where((instants != NEVER) & (instants > _SINCE_EVER))
        stamps = pd.to_datetime(known.astype("Int64"), unit="us", utc=True)
        return stamps.dt.tz_convert(self.manifest.time_zone)


def _is_instant(table: str, column: str) -> bool:
    own = {"customer_id", "at", DECLARED["orders" if table in ORDER_TABLES else table].time}
    return column not in own and kind_of(table, column) is Kind.INSTANT


def _put_aside(report: dict[str, Any]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for source in report["sources"]:
        table = source["table"]
        found += [
            {"table": table, "kind": "filter", "reason": reason, "rows": count["removed"], "amount": None}
            for reason, count in source["filters"].items()
        ]
        found += [
            {"table": table, "kind": "quarantine", "reason": reason, "rows": rows, "amount": None}
            for reason, rows in source["quarantined"].items()
        ]
    for table, counts in report["tables"].items():
        found += [
            {"table": table, "kind": "repetition", "reason": words, "rows": counts[name],
             "amount": counts[f"{name}_amount"]}
            for name, words in _DROPPED
        ]  # fmt: skip
        corrected = counts["corrections"] + counts["replaced"]
        words = "replaced by a later version of the row"
        found.append(
            {"table": table, "kind": "correction", "reason": words, "rows": corrected, "amount": None}
        )
    return [each for each in found if each["rows"]]
