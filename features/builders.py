"""Every feature builder in one list, and which of them a history can serve."""

from collections.abc import Iterable, Mapping

from features.builder import Builder
from features.engagement_builders import ENGAGEMENT
from features.purchase_builders import PURCHASE

BUILDERS: tuple[Builder, ...] = (*PURCHASE, *ENGAGEMENT)
"""Every builder; those whose tables or columns a history lacks are left out."""


def usable_builders(
    columns: Mapping[str, tuple[str, ...]], builders: Iterable[Builder] = BUILDERS
) -> tuple[Builder, ...]:
    """List the builders whose tables and columns are there.

    Args:
        columns: stored columns of each table that a history has.
        builders: candidates, in the order of their features.
    """
    return tuple(
        builder
        for builder in builders
        if all(table in columns and set(need) <= set(columns[table]) for table, need in builder.needs.items())
    )
