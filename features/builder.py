"""What a feature builder declares about itself: its tables, how far it looks back, when it has no value."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from features.settings import YEAR, FeatureSettings
from features.view import Features


def everything(_: FeatureSettings) -> tuple[int, ...]:
    """Look at the whole past only."""
    return ()


def windows(settings: FeatureSettings) -> tuple[int, ...]:
    """Look back over each of the windows in use."""
    return settings.windows


def year(_: FeatureSettings) -> tuple[int, ...]:
    """Look back over a year."""
    return (YEAR,)


def windows_and_year(settings: FeatureSettings) -> tuple[int, ...]:
    """Look back over each of the windows in use and over a year."""
    return (*settings.windows, YEAR)


def seasons(settings: FeatureSettings) -> tuple[int, ...]:
    """Look at lagged outcome windows and at last year's season."""
    return (*settings.lag_edges, *settings.last_year_edges)


@dataclass(frozen=True)
class Builder:
    """One function from views to features, with what it declares about itself.

    Attributes:
        name: name of the builder, for messages.
        compute: the function; takes one view per table in order, and the settings by keyword.
        needs: tables in the order of the function's arguments, each with the columns it cannot do without.
        days_before: days before ``as_of`` at which its windows begin or end; empty where it looks at the
            whole past only.
        missing: pattern of feature names -> when such a feature has no value; all others always have one.
        uses: columns it reads where a table has them.
    """

    name: str
    compute: Callable[..., Features]
    needs: Mapping[str, tuple[str, ...]]
    days_before: Callable[[FeatureSettings], tuple[int, ...]] = everything
    missing: Mapping[str, str] = field(default_factory=dict)
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def columns(self, table: str, stored: Iterable[str]) -> tuple[str, ...]:
        """List the columns to read of a table, given those it has."""
        extra = tuple(column for column in self.uses.get(table, ()) if column in set(stored))
        return (*self.needs.get(table, ()), *extra)
