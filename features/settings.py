"""What the features look at: window lengths and the horizon, in days."""

from dataclasses import dataclass

from tables.errors import ConfigError

LAGGED_HORIZONS = 6
YEAR = 365


@dataclass(frozen=True)
class FeatureSettings:
    """Lengths that shape the features of every customer.

    Attributes:
        horizon_days: length of the outcome window; lagged own labels and the hazard use the same length.
        windows: look-back lengths in days, shortest first.
    """

    horizon_days: int
    windows: tuple[int, ...] = (7, 30, 90, 180, 365)

    def __post_init__(self) -> None:
        problems = []
        if self.horizon_days < 1:
            problems.append(
                f"features: horizon_days must be at least 1; found {self.horizon_days}. Give whole days."
            )
        if not self.windows or min(self.windows) < 1 or list(self.windows) != sorted(set(self.windows)):
            problems.append(
                f"features: windows must be distinct whole days, shortest first; found {self.windows}. "
                "Write for example 7, 30, 90."
            )
        if problems:
            raise ConfigError.of_all(problems)

    @property
    def lag_edges(self) -> tuple[int, ...]:
        """Days before ``as_of`` at which the lagged own outcome windows begin and end, nearest first.

        Examples:
            >>> FeatureSettings(horizon_days=28).lag_edges
            (0, 28, 56, 84, 112, 140, 168)
        """
        return tuple(self.horizon_days * lag for lag in range(LAGGED_HORIZONS + 1))

    @property
    def last_year_edges(self) -> tuple[int, int, int]:
        """Days before ``as_of``: a horizon before this season last year, its start, its end.

        The season cannot reach past ``as_of``: with a horizon above a year it ends there.

        Examples:
            >>> FeatureSettings(horizon_days=28).last_year_edges
            (393, 365, 337)
        """
        return YEAR + self.horizon_days, YEAR, max(YEAR - self.horizon_days, 0)
