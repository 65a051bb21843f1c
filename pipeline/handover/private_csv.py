"""CSV files for other systems: read by their owner alone, and by no spreadsheet as formulas."""

import csv
import hashlib
import io
import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from tables.storage import replacing

_READ_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARK = "'"


def plain_cell(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula.

    Examples:
        >>> plain_cell("=1+2"), plain_cell("ann"), plain_cell("'=1")
        ("'=1+2", 'ann', "''=1")

    Source: OWASP, "CSV Injection".
    """
    return f"{_MARK}{text}" if text.startswith((*_READ_AS_FORMULA, _MARK)) else text


def cell_text(cell: str) -> str:
    """Return the text behind a cell that :func:`plain_cell` wrote.

    Examples:
        >>> cell_text("'=1+2"), cell_text("ann"), cell_text("''=1"), cell_text("'tis")
        ('=1+2', 'ann', "'=1", "'tis")
    """
    return cell[1:] if cell.startswith(_MARK) and plain_cell(cell[1:]) == cell else cell


def plain_csv(rows: pd.DataFrame) -> str:
    """Return rows as CSV whose texts no spreadsheet runs; numbers stay numbers, missing values become empty."""
    texts = [name for name in rows.columns if not pd.api.types.is_numeric_dtype(rows[name])]
    plain = rows.assign(**{name: rows[name].fillna("").astype(str).map(plain_cell) for name in texts})
    return str(plain.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL))


def write_private_csv(rows: pd.DataFrame, path: Path) -> str:
    """Write rows as :func:`plain_csv` gives them, into a file that only its owner may read.

    Args:
        rows: texts and numbers, in the order to write.
        path: where the file appears once it is complete.

    Returns:
        SHA-256 of the file, in hexadecimal.

    Raises:
        StorageError: if the disk is full or may not be written.
    """
    return write_private(plain_csv(rows), path)


def write_private(text: str, path: Path) -> str:
    """Write a text that only its owner may ever read; returns and errors as for ``write_private_csv``."""
    content = text.encode()
    with replacing(path) as unfinished:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)  # a file left by a run that was killed keeps its mode otherwise
            file.write(content)
    return hashlib.sha256(content).hexdigest()


def numbered_rows(text: str) -> tuple[Sequence[str], list[tuple[int, list[str]]]]:
    r"""Take a CSV text apart: its header, and each row with the line on which it ends; blank lines are skipped.

    Examples:
        >>> numbered_rows("a,b\n1,2\n\n3,'=4\n")
        (['a', 'b'], [(2, ['1', '2']), (4, ['3', '=4'])])
    """
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(reader, [])]
    return header, [(reader.line_num, [cell_text(cell.strip()) for cell in row]) for row in reader if row]
