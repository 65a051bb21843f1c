"""The files an ingest has not seen before: found, parsed, counted, and refused all together if need be."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import duckdb

from tables.calendar import BusinessCalendar
from tables.contracts import DECLARED
from tables.counting import FileCounts, count_file, describe, too_many_bad
from tables.errors import DataError
from tables.files import (
    SourceFile,
    digest_of,
    find_files,
    is_csv,
    lines_inside_quotes,
    open_file,
    unreadable,
)
from tables.manifest import Manifest
from tables.mending import mend
from tables.parsed import ParsedFile, parse
from tables.report import IngestReport
from tables.sources import IngestSettings, Source

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Delivery:
    """A source's new file, parsed and counted."""

    table: str
    parsed: ParsedFile
    counts: FileCounts
    place: str
    identity: str


@dataclass
class Run:
    """What all steps of one ingest share.

    Attributes:
        first: rows of each file to look at; all of them where not given.
    """

    connection: duckdb.DuckDBPyConnection
    root: Path
    temporary: Path
    calendar: BusinessCalendar
    now: int
    settings: IngestSettings
    previous: Manifest
    progress: Progress
    report: IngestReport = field(default_factory=lambda: IngestReport(changed=False))
    digests: dict[Path, str] = field(default_factory=dict)
    first: int | None = None

    @property
    def generation(self) -> int:
        """Number of the generation in the making."""
        return self.previous.generation + 1

    def digest(self, path: Path) -> str:
        """Digest a source file, once however many sources read it."""
        if path not in self.digests:
            self.digests[path] = digest_of(path)
        return self.digests[path]


def find_deliveries(run: Run, sources: Mapping[str, Sequence[Source]]) -> list[Delivery]:
    """Open, parse and count every file not taken in before.

    Raises:
        DataError: naming every source with too many bad rows, and mixed currencies.
        SchemaError: if columns are missing.
    """
    deliveries: list[Delivery] = []
    problems: list[str] = []
    for name in sorted(sources):
        for source in sources[name]:
            found = list(_new_files(run, name, source))
            deliveries += found
            problems += _judge(run, found)
    problems += _currency_problems(run.previous, deliveries)
    if problems:
        raise DataError("\n".join(problems))
    return deliveries


def _new_files(run: Run, name: str, source: Source) -> Iterator[Delivery]:
    for path in find_files(source.path, table=name):
        digest = run.digest(path)
        place, identity = _place_of_file(name, source, path), _identity_of_file(run, name, source, digest)
        newest = run.previous.newest.get(place)
        if identity in (run.previous.files if newest is None else (newest,)):
            continue
        run.progress(f"{name}: reading {path.name}")
        parsed, counts = read_file(run, name, source, path)
        _check_quotes(run, parsed, counts.rows)
        known = _known_since(run, name) if source.static else None
        parsed = replace(parsed, is_clean=counts.bad == 0, known_since=known)
        yield Delivery(name, parsed, counts, place, identity)


def _known_since(run: Run, name: str) -> int:
    """Return since when static rows are known: ever at the table's first load, later since the ingest before.

    What comes later must not change what an earlier snapshot showed.
    """
    return (run.previous.stamp or 0) if name in run.previous.tables else 0


def read_file(run: Run, name: str, source: Source, path: Path) -> tuple[ParsedFile, FileCounts]:
    """Parse and count a file; of CSV that DuckDB refuses, a mended copy in which broken rows are bad ones.

    Raises:
        SchemaError: if columns are missing.
        DataError: if the file is empty, or cannot be read at all.
    """
    where, digest = f"{name}: {path}", run.digest(path)
    opening = partial(open_file, run.connection, source, path, digest, table=name, first=run.first)
    try:
        return _counted(run, name, source, opening())
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        if not is_csv(path, source):
            raise unreadable(where, error) from error
    run.progress(
        f"{name}: {path.name} is no plain CSV; reading it with line ends alike and broken rows aside"
    )
    copy = run.temporary / f"{_place_of_file(name, source, path)}.csv"
    mend(path, source.csv, copy, table=name, first=run.first)
    try:
        return _counted(run, name, source, opening(mended=copy))
    except duckdb.Error as error:
        raise unreadable(where, error) from error


def _counted(run: Run, name: str, source: Source, file: SourceFile) -> tuple[ParsedFile, FileCounts]:
    parsed = parse(run.connection, DECLARED[name], source, file, calendar=run.calendar, now=run.now)
    return parsed, count_file(run.connection, parsed)


def _check_quotes(run: Run, parsed: ParsedFile, rows: int) -> None:
    """Refuse a file of which a stray quote swallowed more than the share of bad rows that is allowed."""
    swallowed = lines_inside_quotes(parsed.source, parsed.file, rows)
    if swallowed > run.settings.bad_row_limit * (rows + swallowed):
        raise DataError(
            f"{parsed.table.name}: {parsed.file.path}: {swallowed} of {rows + swallowed} lines lie inside quotes; "
            f"allowed is a share of {run.settings.bad_row_limit:g}. "
            "Close or double the stray quote, or raise bad_row_limit."
        )


def _mapping(source: Source) -> str:
    return source.model_dump_json(exclude={"path", "lookups"}, exclude_defaults=True, by_alias=True)


def _place_of_file(name: str, source: Source, path: Path) -> str:
    """Digest where a file lies and how it is read; what it holds is another question."""
    return hashlib.sha256(f"{name} {_mapping(source)} {path}".encode()).hexdigest()


def _identity_of_file(run: Run, name: str, source: Source, digest: str) -> str:
    """Digest a file together with how it is read: a changed mapping reads it again."""
    lookups = [
        (
            run.digest(find_files(lookup.path, table=name)[0]),
            sorted(lookup.on.items()),
            sorted(lookup.columns.items()),
        )
        for lookup in source.lookups
    ]
    return hashlib.sha256(f"{name} {_mapping(source)} {lookups} {digest}".encode()).hexdigest()


def _judge(run: Run, found: Sequence[Delivery]) -> list[str]:
    if not found:
        return []
    files = [delivery.parsed for delivery in found]
    report = describe(files, [delivery.counts for delivery in found])
    run.report.sources.append(report)
    problem = too_many_bad(run.connection, report, files, run.settings.bad_row_limit)
    return [problem] if problem else []


def _currency_problems(previous: Manifest, deliveries: Sequence[Delivery]) -> list[str]:
    named = {value for delivery in deliveries for value in delivery.counts.currencies if value}
    if previous.currency:
        named.add(previous.currency)
    if len(named) < 2:
        return []
    return [
        f"currency: money in one history must be of one currency; found {sorted(named)}. "
        "Convert the amounts, or filter the rows of the others."
    ]
