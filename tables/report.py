"""What an ingest did, per source, in numbers a person can check."""

import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class FilterCount:
    """Rows one filter does not want.

    Attributes:
        matches: rows of the source that fail this filter, whatever else they fail.
        removed: rows for which it is the first filter they fail.
    """

    matches: int
    removed: int


@dataclass
class SourceReport:
    """What became of one source's rows.

    Attributes:
        table: table it delivers.
        path: the source's path as configured.
        files: files read in this run.
        rows: rows read.
        filters: counts per named filter.
        returns: rows kept as returns.
        quarantined: rows put aside per reason; a row may have several.
        bad_rows: rows put aside.
        quarantine_files: where they lie, relative to the history's folder.
    """

    table: str
    path: str
    files: int = 0
    rows: int = 0
    filters: dict[str, FilterCount] = field(default_factory=dict)
    returns: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    bad_rows: int = 0
    quarantine_files: list[str] = field(default_factory=list)


@dataclass
class TableReport:
    """What became of one table's rows, over all its sources.

    Attributes:
        within_files: exact repetitions within a file that were dropped.
        within_files_amount: their amount, currency units.
        across_files: rows dropped because an earlier file, or the history, already holds them.
        across_files_amount: their amount, currency units.
        replaced: rows whose key a later row of the same file carries.
        corrections: rows that supersede an earlier version.
        closed: stored rows whose validity ended.
        appended: rows written, per stored table.
    """

    within_files: int = 0
    within_files_amount: float = 0.0
    across_files: int = 0
    across_files_amount: float = 0.0
    replaced: int = 0
    corrections: int = 0
    closed: int = 0
    appended: dict[str, int] = field(default_factory=dict)


@dataclass
class IngestReport:
    """What an ingest read, dropped, put aside and wrote.

    Attributes:
        changed: whether there is a new generation.
        generation: the current generation.
        digest: digest of its content.
        customers: number of known customers.
        buckets: number of buckets.
        first_order_at: earliest order, microseconds UTC.
        newest_order_at: latest order, microseconds UTC.
        sources: one entry per source with new files.
        tables: one entry per table with new files.
    """

    changed: bool
    generation: int = 0
    digest: str = ""
    customers: int = 0
    buckets: int = 0
    first_order_at: int | None = None
    newest_order_at: int | None = None
    sources: list[SourceReport] = field(default_factory=list)
    tables: dict[str, TableReport] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)
