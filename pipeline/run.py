"""What every step of one run shares: the configuration, the moment, the lock, and where to report progress."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Self

from features.visibility import Moment
from pipeline.config import Config
from tables.calendar import BusinessCalendar, OutcomeRule
from tables.errors import LockError
from tables.history import History
from tables.lock import WorkspaceLock


@dataclass(frozen=True)
class Run:
    """One run of the command line.

    Attributes:
        config: the business.
        now: instant of the run; only tells whether a date lies in the future.
        progress: called with one short sentence when a step begins.
        secret_file: where the pseudonym secret lies, if not in the workspace.
        held: the workspace's lock while the run holds it.
        learns_from: features a model is trained on; all there are where empty.
    """

    config: Config
    now: int
    progress: Callable[[str], None] = lambda _: None
    secret_file: Path | None = None
    held: WorkspaceLock | None = None
    learns_from: tuple[str, ...] = ()

    @property
    def workspace(self) -> Path:
        """Folder that holds everything of this business."""
        return self.config.workspace

    @property
    def history_root(self) -> Path:
        """Folder of the validated history."""
        return self.workspace / "history"

    @property
    def calendar(self) -> BusinessCalendar:
        """The calendar of the business."""
        return self.config.calendar()

    @property
    def rule(self) -> OutcomeRule:
        """The rule by which snapshots are labelled."""
        return self.config.churn.rule()

    def first_day(self, history: History) -> date:
        """Return the day of the first order, with contracts of the first subscription."""
        return self.calendar.day_of(history.first_at(self.rule.table))

    def newest_day(self, history: History) -> date:
        """Return the day of the newest order, with contracts of the newest subscription."""
        return self.calendar.day_of(history.newest_at(self.rule.table))

    def newest_day_seen(self, history: History, *, as_of: date) -> date:
        """Return the day of the newest order (with contracts: subscription) that a night sees.

        It lies before the night. Rows that came in later change nothing, so an old night made again finds the same.
        """
        moment, newest = Moment.of(as_of, self.calendar), 0
        yesterday = self.calendar.midnight(as_of - timedelta(days=1))
        for bucket in range(history.buckets):
            rows = history.read(self.rule.table, bucket)
            newest = max(newest, int(rows.at[moment.sees(rows)].max(initial=0)))
            if newest >= yesterday:  # no later day can be seen
                break
        return self.calendar.day_of(newest)

    @property
    def lock(self) -> WorkspaceLock:
        """The held workspace.

        Raises:
            LockError: if this run does not hold it.
        """
        if self.held is None:
            raise LockError(f"{self.workspace}: this step needs the workspace; it is not held.")
        return self.held

    @contextmanager
    def locked(self, purpose: str) -> Iterator[Self]:
        """Hold the workspace for a block; a second run at the same time gets a ``LockError``."""
        with WorkspaceLock(self.workspace, purpose=purpose) as lock:
            yield replace(self, held=lock)
