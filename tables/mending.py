"""CSV files that DuckDB refuses, made readable: one kind of line end, and broken rows told apart from good ones."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tables.errors import DataError
from tables.sources import CsvFormat

BECAUSE, TEXT = "unreadable because", "unreadable row"
"""The columns a mended copy adds: which fault a row has, and what its line says; empty for good rows."""

FAULTS: Mapping[str, str] = {
    "not_utf8": "Save the file as UTF-8.",
    "backslash_quote": 'Where quotes are written as \\", say `csv: {escape: "\\\\"}`.',
    "stray_quote": "Inside quotes, double a quote; close every quote.",
    "too_many_fields": "Put quotes around text that holds the delimiter.",
}
"""What can be wrong with a row as text, and what to do about it."""

MENDED = CsvFormat()
"""How a mended copy is written, whatever the file was."""

_MOST_LINES = 100  # a text of more lines is taken for a quote that nobody closed


class Row(NamedTuple):
    """One row of a CSV file, the header among them.

    Attributes:
        line: the line on which it ends, counted from 1; of one with a stray quote, its first.
        fields: its values, no more than the header has; none where it is broken.
        fault: what is wrong with it, a name of ``FAULTS``; empty for a good row.
        text: what a broken row says.
    """

    line: int
    fields: list[str]
    fault: str = ""
    text: str = ""


class _Lines:
    """Lines that can be given back: after a broken row, reading goes on with the next line."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._waiting: deque[str] = deque()
        self.taken = 0

    def next(self) -> str | None:
        line = self._waiting.popleft() if self._waiting else next(self._lines, None)
        self.taken += line is not None
        return line

    def give_back(self, lines: Sequence[str]) -> None:
        self.taken -= len(lines)
        self._waiting.extendleft(reversed(lines))


def header_of(path: Path, form: CsvFormat, *, table: str) -> list[str]:
    """Return the names in the first line of a CSV file.

    Raises:
        DataError: if it cannot be read as UTF-8 text, or its quotes are broken.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            names = next((names for names in _reader(file, form) if names), [])
            "".join(names).encode()
            return names
    except (UnicodeEncodeError, csv.Error) as error:
        raise DataError(
            f"{table}: {path}: the header is no line of UTF-8 text with closed quotes. "
            "Save the file as UTF-8 and mend its first line."
        ) from error


def mend(path: Path, form: CsvFormat, target: Path, *, table: str, first: int | None = None) -> None:
    """Copy a CSV file so that DuckDB reads every good row, wherever the broken ones lie.

    All line ends become one kind, inside quotes too. A broken row keeps its place, without values: its line stands
    in the column ``TEXT`` and its fault, a name of ``FAULTS``, in ``BECAUSE``.

    Args:
        path: the file.
        form: how it is written.
        target: where the copy goes, written as ``MENDED``.
        table: the table it delivers, for the message.
        first: rows to copy; all of them where not given.

    Raises:
        DataError: if the header cannot be read.
    """
    header = header_of(path, form, table=table)
    with target.open("w", encoding="utf-8", errors="replace", newline="") as copy:
        writer = csv.writer(copy, lineterminator="\n")
        writer.writerow([*header, BECAUSE, TEXT])
        for row in islice(read_rows(path, form, width=len(header)), first):
            missing = [""] * (len(header) - len(row.fields))
            writer.writerow([*row.fields, *missing, row.fault, row.text])


def read_rows(path: Path, form: CsvFormat, *, width: int) -> Iterator[Row]:
    """Yield the rows under the header of a CSV file, broken ones too; blank lines are none.

    Args:
        path: the file, of any kind of line ends.
        form: how it is written.
        width: columns of the header; empty fields beyond them do not count.
    """
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        lines = _Lines(file)
        yield from islice(_rows(lines, form, width), 1, None)


def _rows(lines: _Lines, form: CsvFormat, width: int) -> Iterator[Row]:
    while (first := lines.next()) is not None:
        if first.strip():
            yield _row(first, lines, form, width)


def _row(first: str, lines: _Lines, form: CsvFormat, width: int) -> Row:
    taken = [first]

    def as_needed() -> Iterator[str]:
        yield first
        while len(taken) < _MOST_LINES and (line := lines.next()) is not None:
            taken.append(line)
            yield line

    try:
        fields = next(_reader(as_needed(), form))
    except csv.Error:
        lines.give_back(taken[1:])
        return _broken(lines.taken, "stray_quote", first, form, width)
    if any(field.strip() for field in fields[width:]):
        return _broken(lines.taken, "too_many_fields", "".join(taken), form, width)
    if not _is_text("".join(taken)):
        return _broken(lines.taken, "not_utf8", "".join(taken), form, width)
    return Row(lines.taken, fields[:width])


def _broken(line: int, fault: str, text: str, form: CsvFormat, width: int) -> Row:
    if not _is_text(text):
        fault = "not_utf8"
    elif '\\"' in text and _reads_with_backslashes(text, form, width):
        fault = "backslash_quote"
    return Row(line, [], fault, text.rstrip("\n"))


def _reads_with_backslashes(text: str, form: CsvFormat, width: int) -> bool:
    try:
        (fields,) = _reader(text.splitlines(keepends=True), form.model_copy(update={"escape": "\\"}))
    except (csv.Error, ValueError):
        return False
    return len(fields) <= width


def _is_text(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True


def _reader(lines: Iterable[str], form: CsvFormat) -> Iterator[list[str]]:
    doubled = form.escape == '"'
    return csv.reader(
        lines,
        delimiter=form.delimiter,
        doublequote=doubled,
        escapechar=None if doubled else form.escape,
        strict=True,
    )
