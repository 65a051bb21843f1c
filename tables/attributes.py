"""Sources that hold one column per attribute: checked, and taken apart into one source per attribute."""

from collections.abc import Iterator, Mapping, Sequence

from tables.contracts import since_of
from tables.errors import ConfigError
from tables.sources import Source

Sources = Mapping[str, Sequence[Source]]

_STATIC = ("attributes", "calendar")
_ROW = ("customer_id", "valid_from", "known_at")


def attribute_by_attribute(sources: Sources) -> dict[str, tuple[Source, ...]]:
    """Take sources of attributes apart: each of the new ones reads one attribute of the same files.

    Args:
        sources: sources per declared table.

    Raises:
        ConfigError: naming every source that does not say when its rows were known.
    """
    problems = [
        f"sources.{table}[{place}]: {problem}"
        for table, found in sources.items()
        for place, source in enumerate(found)
        for problem in problems_of(table, source)
    ]
    if problems:
        raise ConfigError.of_all(problems)
    return {
        table: tuple(part for source in found for part in (_parts(source) if source.values else (source,)))
        for table, found in sources.items()
    }


def problems_of(table: str, source: Source) -> list[str]:
    """Say what is wrong with the values and the validity of a source.

    Args:
        table: the declared table it delivers.
        source: as configured.
    """
    problems = []
    if source.values and table != "attributes":
        problems.append("values belong to sources of attributes. Move the source there or drop values.")
    if source.static and table not in _STATIC:
        problems.append(f"static holds for {' and '.join(_STATIC)} alone. Map the times of the rows instead.")
    if table == "attributes":
        problems += _attribute_problems(source)
    problems += _later_problems(table, source)
    if table == "calendar" and source.static == ("known_at" in source.columns):
        problems.append(
            "a date to come shows once it was announced, and the source says not when, or in two ways. Map "
            "known_at, or write `static: true` for dates known ever since, such as public holidays."
        )
    return problems


def _later_problems(table: str, source: Source) -> Iterator[str]:
    """Refuse columns that are filled in or move on later, where nothing says when or of which row."""
    for column, moment in since_of(table).items():
        if column in source.filled() and moment not in source.filled():
            yield (
                f"{column} without {moment}, the time from which it is known, tells nothing. "
                f"Map {moment}, or drop {column}."
            )
    if table == "contacts" and "redeemed_at" in source.filled() and "contact_id" not in source.filled():
        yield (
            "redeemed_at is filled in later, and without contact_id that later row would count as one contact more. "
            "Map contact_id, or drop redeemed_at."
        )
    if table == "subscriptions" and "renews_at" in source.columns and "known_at" not in source.columns:
        yield (
            "renews_at moves on at each renewal, and its date of today would tell an earlier snapshot who stayed. "
            "Map known_at, to the start where it never moves, or drop renews_at."
        )


def _attribute_problems(source: Source) -> Iterator[str]:
    if not source.values:
        yield "no values; name each attribute with number, date or the list of its texts under values."
    if source.static == ("valid_from" in source.columns):
        yield (
            "today's value would be the future of an earlier snapshot; the source says not from when values hold, "
            "or in two ways. Map valid_from, or write `static: true` for what never changes."
        )
    others = sorted({*source.columns, *source.constants} - set(_ROW))
    if others:
        yield f"columns are {', '.join(_ROW)} alone; found {others}. Write attributes under values."


def _parts(source: Source) -> Iterator[Source]:
    for name, kind in source.values.items():
        column = "number" if isinstance(kind, str) else "text"
        yield source.model_copy(
            update={
                "columns": {**source.columns, column: name},
                "constants": {"name": name},
                "values": {name: kind},
            }
        )
