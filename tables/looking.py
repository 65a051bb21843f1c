"""A look at a source before any ingest: does it open, is everything mapped there, what would be bad?"""

import tempfile
from pathlib import Path

from tables.attributes import attribute_by_attribute
from tables.calendar import BusinessCalendar
from tables.counting import describe, too_many_bad
from tables.deliveries import Run, read_file
from tables.errors import DataError
from tables.files import find_files
from tables.manifest import Manifest
from tables.report import SourceReport
from tables.sources import IngestSettings, Source
from tables.workroom import workroom

_ROWS = 1_000


def look_at(
    table: str, source: Source, *, calendar: BusinessCalendar, now: int, settings: IngestSettings
) -> str:
    """Read the first rows of a source's last file, by name, and tell what an ingest would make of them.

    Args:
        table: the table it delivers.
        source: as configured.
        calendar: business zone for times without one.
        now: the present instant; later dates are mistakes.
        settings: limits.

    Returns:
        Files found, the file looked at, and how many of its first rows are bad and why.

    Raises:
        ConfigError: if the source says not from when its values were known.
        SchemaError: if columns are missing or hold another kind of value.
        DataError: if there is no file, the last one is empty or unreadable, or too many of the rows are bad.
    """
    files = find_files(source.path, table=table)
    with tempfile.TemporaryDirectory() as folder, workroom(Path(folder), settings) as (connection, room):
        run = Run(
            connection, room, room, calendar, now, settings, Manifest(), progress=lambda _: None, first=_ROWS
        )
        parts = attribute_by_attribute({table: [source]})[table]
        reports = [_report(run, table, part, files[-1]) for part in parts]
    bad: dict[str, int] = {}
    for reason, rows in (pair for report in reports for pair in report.quarantined.items()):
        bad[reason] = max(rows, bad.get(reason, 0))  # of several attributes: their rows are the same
    told = ", ".join(f"{reason} {rows:,}" for reason, rows in sorted(bad.items())) or "none bad"
    return f"{source.path}, {len(files):,} files; first {reports[0].rows:,} rows of {files[-1].name}: {told}"


def _report(run: Run, table: str, source: Source, path: Path) -> SourceReport:
    parsed, counts = read_file(run, table, source, path)
    report = describe([parsed], [counts])
    problem = too_many_bad(run.connection, report, [parsed], run.settings.bad_row_limit)
    if problem:
        raise DataError(problem)
    return report
