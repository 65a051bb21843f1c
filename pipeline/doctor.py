"""Is everything in place? Checks of the installation, and of a configuration's workspace and sources."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.run import Run
from tables.errors import KeepwellError
from tables.sources import Source

_OURS = ("tables", "features", "models", "actions", "pipeline")
_NEEDED = ("duckdb", "lightgbm", "mlflow", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy")
_LEAST_FREE_BYTES = 2 * 1024**3


class Finding(NamedTuple):
    """One check: what was looked at, whether it is well, and what was seen."""

    check: str
    well: bool
    seen: str


def examine(run: Run | None) -> Mapping[str, Any]:
    """Run every check and report all of them, good or bad.

    Args:
        run: a run whose workspace and sources are looked at too; nothing checks the installation alone.
    """
    findings = list(_installation())
    if run is not None:
        findings += _business(run)
    lines = [f"{'ok  ' if each.well else 'FAIL'}  {each.check}: {each.seen}" for each in findings]
    return {
        "well": all(each.well for each in findings),
        "checks": [each._asdict() for each in findings],
        "text": "\n".join(lines),
    }


def _installation() -> Iterator[Finding]:
    owners = packages_distributions()
    for package in _OURS:
        others = sorted(set(owners.get(package, ())) - {"keepwell"})
        seen = f"also owned by {', '.join(others)}; uninstall it" if others else "ours alone"
        yield Finding(f"package {package}", not others, seen)
    for package in _NEEDED:
        yield Finding(package, True, version(package))


def _business(run: Run) -> Iterator[Finding]:
    yield _tried("workspace", lambda: _workspace(run.workspace))
    yield _tried("action catalogue", lambda: _catalogue(run))
    for table, sources in run.config.sources.items():
        for source in sources:
            yield _tried(f"source {table}", partial(_source, run, table, source))
    yield _tried("history", lambda: _history(run))


def _tried(check: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(check, True, look())
    except (KeepwellError, OSError) as error:
        return Finding(check, False, str(error))


def _workspace(folder: Path) -> str:
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise OSError(f"{there}: not a folder this user may write to")
    free = shutil.disk_usage(there).free
    if free < _LEAST_FREE_BYTES:
        raise OSError(f"{there}: only {free / 1024**3:.1f} GiB free; at least 2 are wanted")
    if folder.exists() and folder.stat().st_mode & stat.S_IRWXO:
        raise OSError(
            f"{folder}: every user of this machine may enter, and plans name customers. Run: chmod o= {folder}"
        )
    return f"{folder}, {free / 1024**3:.0f} GiB free"


def _catalogue(run: Run) -> str:
    from actions.catalogue import load_catalogue

    catalogue = load_catalogue(run.config.actions.catalogue)
    return f"{run.config.actions.catalogue}, {len(catalogue.actions)} actions"


def _source(run: Run, table: str, source: Source) -> str:
    from tables.looking import look_at

    return look_at(table, source, calendar=run.calendar, now=run.now, settings=run.config.ingest)


def _history(run: Run) -> str:
    from tables.history import History

    if not run.history_root.exists():
        return "none yet; the first ingest makes it"
    history = History.open(run.history_root)
    return f"generation {history.generation}, {history.customers:,} customers in {history.buckets} buckets"
