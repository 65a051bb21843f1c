"""What other systems report on contacts: one CSV file of deliveries and redemptions, read as texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from pipeline.handover.contact_ids import contact_id, night_of
from pipeline.handover.private_csv import cell_text
from tables.errors import DataError, SchemaError
from tables.mending import MENDED, Row, header_of, read_rows

COLUMNS = (
    "contact_id",
    "customer_id",
    "action",
    "valid_on",
    "status",
    "delivered_at",
    "redeemed_at",
    "cost",
)
"""What a file may hold; other columns are not read, and never kept."""

_BY_PLAN = ("customer_id", "action", "valid_on")


@dataclass(frozen=True)
class Reports:
    """The rows of one file, as texts.

    Attributes:
        path: where the file lies.
        tells_redemptions: whether it has a column of redemptions, so that an empty one means none so far.
        rows: the columns of ``COLUMNS``, empty where the file lacks one; ``line``, on which the row ends;
            ``fault``, a name of ``FAULTS`` where its text is broken; and ``name``, the contact it speaks of, empty
            where it names none.
    """

    path: Path
    tells_redemptions: bool
    rows: pd.DataFrame

    @property
    def nights(self) -> set[date]:
        """Return the nights whose contacts are reported on."""
        return {night for name in set(self.rows["name"]) if (night := night_of(name)) is not None}


def read_reports(path: Path) -> Reports:
    """Read a CSV file of deliveries and redemptions.

    Raises:
        DataError: if it is empty or cannot be read, or its header is no text in UTF-8.
        SchemaError: if it does not say which contact it speaks of, or what became of it.
    """
    try:
        header = [name.strip() for name in header_of(path, MENDED, table="deliveries")]
        _check_header(header, path)
        rows = list(read_rows(path, MENDED, width=len(header)))
    except OSError as error:
        raise DataError(f"{path}: cannot be read; {error}. Deliver a CSV file in UTF-8.") from error
    content = {name: _column(name, header, rows) for name in COLUMNS}
    texts = pd.DataFrame(
        {"line": [row.line for row in rows], "fault": [row.fault for row in rows], **content}
    )
    by_plan = zip(*(texts[name] for name in _BY_PLAN), strict=True)
    names = [given or _named(*plan) for given, plan in zip(texts["contact_id"], by_plan, strict=True)]
    return Reports(path, "redeemed_at" in header, texts.assign(name=names))


def _check_header(header: Sequence[str], path: Path) -> None:
    if not header:
        raise DataError(f"{path} is empty. Deliver a file with a header and rows.")
    if len(header) == 1 and ";" in header[0]:
        raise SchemaError(
            f"{path}: its columns look separated by semicolons. Save it with commas between them."
        )
    problems = []
    if "status" not in header:
        problems.append(str(SchemaError.missing_column("status", table=str(path), found=header)))
    if "contact_id" not in header and not set(_BY_PLAN) <= set(header):
        problems.append(
            f"{path}: nothing says which contact a row speaks of; found {sorted(header)}. Give contact_id, as the "
            f"exported list has it, or {', '.join(_BY_PLAN)}."
        )
    if problems:
        raise SchemaError("\n".join(problems))


def _column(name: str, header: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """Return a column's cells; a row that is short, as a spreadsheet may leave it, is empty there."""
    place = header.index(name) if name in header else len(header)
    return [cell_text(row.fields[place].strip()) if place < len(row.fields) else "" for row in rows]


def _named(customer_id: str, action: str, valid_on: str) -> str:
    try:
        return contact_id(customer_id, action, date.fromisoformat(valid_on))
    except ValueError:
        return ""
