"""What commands get from outside: the environment, the instant, and where steps are shown."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.run import Run
    from pipeline.training.snapshot_config import SnapshotConfig

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Desk:
    """The outside of one call of the command line.

    Attributes:
        environment: variables; those that limit threads are set before anything heavy starts.
        now: microseconds since 1970-01-01 UTC.
        progress: called with one short sentence when a step begins.
    """

    environment: MutableMapping[str, str]
    now: int
    progress: Callable[[str], None]

    def config(self, path: Path, **variables: str) -> "Config":
        """Load a configuration; further variables go before those of the environment."""
        from pipeline.config import load_config

        return load_config(path, {**self.environment, **variables})

    def snapshot(self, path: Path) -> "SnapshotConfig | None":
        """Load the configuration of a ready-made snapshot; nothing where the file describes a business."""
        from pipeline.config import is_snapshot, load_as
        from pipeline.training.snapshot_config import SnapshotConfig

        if not is_snapshot(path):
            return None
        config = load_as(SnapshotConfig, path, self.environment)
        self._limit_threads(config.threads)
        return config

    def run(self, path: Path, **variables: str) -> "Run":
        """Start a run of the business that a configuration describes; ``variables`` as for ``config``."""
        from pipeline.run import Run

        config = self.config(path, **variables)
        self._limit_threads(config.threads)
        secret = self.environment.get("KEEPWELL_SECRET_FILE")
        return Run(
            config=config,
            now=self.now,
            secret_file=Path(secret) if secret else None,
            progress=self.progress,
        )

    def today(self, config: "Config") -> date:
        """Return the day it is where the business is."""
        from zoneinfo import ZoneInfo

        instant = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=self.now)
        return instant.astimezone(ZoneInfo(config.time_zone)).date()

    def _limit_threads(self, threads: int) -> None:
        # LightGBM, BLAS and DuckDB fight over cores otherwise: 84 s against 7 s measured.
        for name in _THREADS:
            self.environment.setdefault(name, str(threads))
