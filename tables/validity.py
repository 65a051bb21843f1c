"""Whether a source says from when what it tells was known; today's value would be the future of an earlier day."""

from collections.abc import Iterator

from tables.contracts import DECLARED, since_of
from tables.sources import Source
from tables.yaml_lines import nearest

_STATIC = ("attributes", "calendar")
_ROW = ("customer_id", "valid_from", "known_at")


def problems_of(table: str, source: Source) -> list[str]:
    """Say what a source leaves open about when its rows and values were known.

    Args:
        table: the table it delivers.
        source: as configured.
    """
    if table not in DECLARED:
        return [
            f"no such table{nearest(table, sorted(DECLARED)) or f'; tables are {sorted(DECLARED)}'}. Rename it."
        ]
    return [*_misplaced(table, source), *_undated(table, source), *_filled_in_later(table, source)]


def _misplaced(table: str, source: Source) -> Iterator[str]:
    if source.values and table != "attributes":
        yield "values belong to sources of attributes. Move the source there or drop values."
    if source.static and table not in _STATIC:
        yield f"static holds for {' and '.join(_STATIC)} alone. Map the times of the rows instead."
    others = sorted({*source.columns, *source.constants} - set(_ROW))
    if table == "attributes" and others:
        yield f"columns are {', '.join(_ROW)} alone; found {others}. Write attributes under values."
    if table == "attributes" and not source.values:
        yield "no values; name each attribute with number, date or the list of its texts under values."


def _undated(table: str, source: Source) -> Iterator[str]:
    if table == "attributes" and source.static == ("valid_from" in source.columns):
        yield (
            "today's value would be the future of an earlier snapshot; the source says not from when values hold, "
            "or in two ways. Map valid_from, or write `static: true` for what never changes."
        )
    if table == "calendar" and source.static == ("known_at" in source.columns):
        yield (
            "a date to come shows once it was announced, and the source says not when, or in two ways. Map "
            "known_at, or write `static: true` for dates known ever since, such as public holidays."
        )
    if table == "subscriptions" and "renews_at" in source.columns and "known_at" not in source.columns:
        yield (
            "renews_at moves on at each renewal, and its date of today would tell an earlier snapshot who stayed. "
            "Map known_at, to the start where it never moves, or drop renews_at."
        )


def _filled_in_later(table: str, source: Source) -> Iterator[str]:
    """Refuse columns that are filled in later, where nothing says when or in which row."""
    filled = source.filled()
    unkeyed = ", ".join(name for name in DECLARED[table].key if name not in filled)
    for column, moment in since_of(table).items():
        if column not in filled:
            continue
        if moment not in filled:
            yield (
                f"{column} without {moment}, the time from which it is known, tells nothing. "
                f"Map {moment}, or drop {column}."
            )
        if unkeyed:
            yield (
                f"{column} is filled in later, and without {unkeyed} that later row would count as one row more. "
                f"Map {unkeyed}, or drop {column}."
            )
