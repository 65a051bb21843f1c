"""CSV files for other systems: read by their owner alone, and by no spreadsheet as formulas."""

import csv
import hashlib
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
    with replacing(path, private=True) as unfinished:
        unfinished.write_bytes(content)
    return hashlib.sha256(content).hexdigest()
