"""A history as it stood at one instant: whatever came later can change nothing that is made from it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tables.calendar import NEVER
from tables.contracts import DECLARED, Kind, kind_of, since_of
from tables.errors import DataError
from tables.history import History
from tables.rows import Codes, Rows

_MISSING: dict[Kind, float] = {
    Kind.MONEY: 0,
    Kind.QUANTITY: 0,
    Kind.COUNT: 0,
    Kind.FLAG: -1,
    Kind.INSTANT: NEVER,
    Kind.NUMBER: np.nan,
}


class CutHistory(History):
    """A history without what happened or became known later, as if it had been written at that instant.

    Rows that came later are gone, later corrections are undone, and what a row tells only from an instant on,
    such as how a ticket was rated, is missing where that instant had not come. What had been replaced by then is
    still there, for earlier dates saw it.
    """

    @classmethod
    def of(cls, history: History, *, midnight: int, known_cutoff: int) -> Self:
        """Cut a history.

        Args:
            history: the stored tables.
            midnight: instant before which rows must have happened.
            known_cutoff: instant before which they must have been known.
        """
        cut = cls(history.root, history._manifest)
        cut._midnight, cut._known_cutoff = midnight, known_cutoff
        return cut

    def _read(self, table: str, bucket: int, columns: Sequence[str]) -> Rows:
        since = {name: since_of(table)[name] for name in columns if name in since_of(table)}
        stored = set(self.columns(table))
        rows = super()._read(table, bucket, [*columns, *(set(since.values()) & stored - set(columns))])
        seen = rows.known_at < self._known_cutoff
        if table not in DECLARED or DECLARED[table].has_customer:  # days to come are announced
            seen &= rows.at < self._midnight
        come = {
            name: np.asarray(rows.columns[instant])[seen] < self._midnight
            for name, instant in since.items()
            if instant in rows.columns
        }
        return replace(
            rows,
            customer=rows.customer[seen],
            at=rows.at[seen],
            known_at=rows.known_at[seen],
            superseded_at=_replaced_by(self._known_cutoff, rows.superseded_at[seen]),
            columns={
                name: _known(_picked(rows.columns[name], seen), kind_of(table, name), come.get(name))
                for name in columns
            },
        )

    def _find_span(self, table: str) -> tuple[int | None, int | None]:
        seen = self._read_span(table)
        if None in seen and self.has(table):
            asked = np.datetime64(self._midnight, "us")
            raise DataError(
                f"history: no {table} from before {asked} UTC were known by then. Name a later date."
            )
        return seen

    _midnight: int = NEVER
    _known_cutoff: int = NEVER


def _replaced_by(instant: int, superseded_at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Undo the corrections that became known at an instant or later."""
    return np.where(superseded_at < instant, superseded_at, NEVER)


def _picked(values: npt.NDArray[Any] | Codes, rows: npt.NDArray[np.bool_]) -> npt.NDArray[Any] | Codes:
    return Codes(values.codes[rows], values.labels) if isinstance(values, Codes) else values[rows]


def _known(
    values: npt.NDArray[Any] | Codes, kind: Kind, come: npt.NDArray[np.bool_] | None
) -> npt.NDArray[Any] | Codes:
    """Return a column without the values whose instant had not come."""
    if come is None:
        return values
    if isinstance(values, Codes):
        return Codes(np.where(come, values.codes, np.int32(-1)).astype(np.int32), values.labels)
    return np.where(come, values, np.array(_MISSING[kind], dtype=values.dtype))
