"""Sources that hold one column per attribute, taken apart into one source per attribute."""

from collections.abc import Iterator, Mapping, Sequence

from tables.errors import ConfigError
from tables.sources import Source
from tables.validity import problems_of

Sources = Mapping[str, Sequence[Source]]


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
