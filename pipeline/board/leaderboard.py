"""The leaderboard: every task tried, its figures worked out, the table written."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.board.figures import Figures
from pipeline.board.table import page
from pipeline.board.tasks import Task, dated_task, flat_task
from pipeline.run import Run
from pipeline.training.snapshot_config import SnapshotConfig
from tables.errors import ConfigError
from tables.lock import WorkspaceLock
from tables.storage import write_text

_PURPOSE = "keepwell leaderboard"


def leaderboard(
    tasks: Sequence[Run | SnapshotConfig], *, out: Path | None, progress: Callable[[str], None]
) -> Mapping[str, Any]:
    """Compare our model with its rivals and CatBoost on several tasks.

    Args:
        tasks: businesses with dates, and ready-made snapshots without.
        out: Markdown file to write.
        progress: called with one short sentence when a step begins.

    Raises:
        ConfigError: if two tasks share a workspace.
    """
    shared = [str(place) for place, count in Counter(task.workspace for task in tasks).items() if count > 1]
    if shared:
        raise ConfigError(f"leaderboard: tasks that share a workspace; found {shared}. Give each its own.")
    figures = []
    for task in tasks:
        tried = _tried(task, progress)
        progress(f"leaderboard: {tried.name}, intervals")
        figures.append(Figures.of(tried))
    text = page(figures)
    if out is not None:
        write_text(text, out)
    return {"tasks": [each.answer() for each in figures], "text": text}


def _tried(task: Run | SnapshotConfig, progress: Callable[[str], None]) -> Task:
    if isinstance(task, SnapshotConfig):
        with WorkspaceLock(task.workspace, purpose=_PURPOSE):
            return flat_task(task, progress)
    with task.locked(_PURPOSE) as run:
        return dated_task(run)
