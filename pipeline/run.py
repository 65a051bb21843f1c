"""What every step of one run shares: the configuration, the moment, the lock, and where to report progress."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Self

from features.visibility import Moment
from pipeline.config import Config
from tables.calendar import NEVER, BusinessCalendar, OutcomeRule
from tables.cut import CutHistory
from tables.errors import DataError, LockError
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

    def as_known(self, history: History, *, as_of: date) -> History:
        """Return the history as a run of a date sees it; rows that came in later change nothing there."""
        moment = Moment.of(as_of, self.calendar)
        return CutHistory.of(history, midnight=moment.midnight, known_cutoff=moment.known_cutoff)

    def days_seen(self, history: History, *, as_of: date) -> tuple[date, date]:
        """Return the days of the first and of the newest order (with contracts: subscription) that a night sees.

        Both lie before the night and are those of the history ``as_known`` then, mostly from a few of its buckets.

        Raises:
            DataError: if there is none.
        """
        moment, first, newest = Moment.of(as_of, self.calendar), NEVER, 0
        second_day = self.calendar.midnight(self.first_day(history) + timedelta(days=1))
        yesterday = self.calendar.midnight(as_of - timedelta(days=1))
        for bucket in range(history.buckets):
            rows = history.read(self.rule.table, bucket)
            at = rows.at[(rows.at < moment.midnight) & (rows.known_at < moment.known_cutoff)]
            first, newest = min(first, int(at.min(initial=NEVER))), max(newest, int(at.max(initial=0)))
            if first < second_day and newest >= yesterday:  # no other day can be seen
                break
        if first == NEVER:
            raise DataError(f"history: no {self.rule.table} are seen by {as_of}. Name a later date.")
        return self.calendar.day_of(first), self.calendar.day_of(newest)

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
