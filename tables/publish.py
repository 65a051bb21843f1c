"""Publishing a night: readers see the old night or the new one, whole, whatever happens to the run.

Tables and reports are written to a temporary folder of the workspace, flushed, renamed into
``<table>/as_of=D/<digest>/`` and become visible when ``nights/as_of=D.json``, the manifest, is replaced.
Readers go through the manifest; a folder that no manifest names is nobody's.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from tables.errors import DataError, LockError, SchemaError, StorageError
from tables.lock import WorkspaceLock
from tables.storage import TEMPORARY, count_rows, flush, sha256_of, storage, write_text

_REPORTS = "reports"
_MANIFEST = re.compile(r"as_of=(\d{4}-\d{2}-\d{2})\.json")
_RUN_FOLDER = re.compile(r"[0-9a-f]{16}")
_TABLE_NAME = re.compile(r"[a-z][a-z0-9_]*")


class PublishedFile(BaseModel):
    """One file of a night.

    Attributes:
        path: relative to the workspace.
        sha256: of the content, in hexadecimal.
        rows: of a table; missing for a report.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    sha256: str
    rows: int | None = None


class Manifest(BaseModel):
    """What was published for one night.

    Attributes:
        root: folder of the workspace.
        as_of: the night.
        tables: Parquet files by table name.
        reports: pages and lists by file name.
        facts: what the tables were made from: digests of the inputs, model version, level.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    root: Path = Field(exclude=True)
    as_of: date
    tables: dict[str, PublishedFile]
    reports: dict[str, PublishedFile]
    facts: dict[str, Any]

    @property
    def files(self) -> tuple[PublishedFile, ...]:
        """All files of the night, tables first."""
        return (*self.tables.values(), *self.reports.values())

    def table(self, name: str) -> Path:
        """Return where a table lies.

        Raises:
            SchemaError: if the night has no such table.
            StorageError: if it has, but the file is gone.
        """
        return self._find(name, self.tables, "table")

    def report(self, name: str) -> Path:
        """Return where a report lies.

        Raises:
            SchemaError: if the night has no such report.
            StorageError: if it has, but the file is gone.
        """
        return self._find(name, self.reports, "report")

    def to_json(self) -> str:
        """Return the manifest's text: the same content gives the same bytes."""
        return json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True, allow_nan=False) + "\n"

    def damaged(self) -> tuple[str, ...]:
        """List the paths whose file is gone or is not what was published."""
        return tuple(file.path for file in self.files if not _is_whole(self.root, file))

    def _find(self, name: str, files: Mapping[str, PublishedFile], kind: str) -> Path:
        where = _manifest_path(self.root, self.as_of)
        if name not in files:
            raise SchemaError(f"{where}: no {kind} {name!r}; found {sorted(files)}.")
        path = self.root / files[name].path
        if not path.is_file():
            raise StorageError(
                f"{path}: the file is gone; {where} listed it. "
                f"Run `keepwell nightly --as-of {self.as_of}` to make it again, or restore it from a backup."
            )
        return path


@dataclass(frozen=True)
class Published:
    """What publishing did.

    Attributes:
        manifest: the night as readers see it now.
        changed: false when the very same content was there already and nothing was written.
    """

    manifest: Manifest
    changed: bool


def published(root: Path, as_of: date) -> Manifest | None:
    """Return the manifest of a night, or nothing when the night was never published.

    Raises:
        DataError: if the manifest is damaged.
        StorageError: if it may not be read.
    """
    path = _manifest_path(root, as_of)
    try:
        return Manifest.model_validate({**json.loads(path.read_bytes()), "root": root})
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"{path}: may not be read; {error.strerror}. Grant access.") from error
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{path}: not a manifest; {str(error).splitlines()[0].rstrip(':.')}. Restore it from a backup. Without one "
            "copy the workspace, since outcomes are measured by what that night planned; then move this file away "
            f"and run `keepwell nightly --as-of {as_of}`: the same sources, configuration and model plan the same."
        ) from error


def published_dates(root: Path) -> tuple[date, ...]:
    """List the nights that were published, oldest first."""
    names = (path.name for path in (root / "nights").glob("as_of=*.json"))
    return tuple(
        sorted(date.fromisoformat(match[1]) for name in names if (match := _MANIFEST.fullmatch(name)))
    )


class Publication:
    """Stage the files of one night and publish them at once, under the workspace's lock.

    Use as a context manager. Leaving the block without ``publish`` leaves what was published untouched.

    Args:
        lock: the workspace, held.
        as_of: the night.
    """

    def __init__(self, lock: WorkspaceLock, as_of: date) -> None:
        self.root = lock.root
        self.as_of = as_of
        self._lock = lock
        self._staging = lock.root / f"{TEMPORARY}publish-{os.getpid()}"

    def __enter__(self) -> Self:
        """Remove folders that no manifest names and open an empty staging folder.

        Raises:
            LockError: if the workspace is not held.
            StorageError: if the workspace cannot be written.
        """
        if not self._lock.is_held:
            raise LockError(
                f"{self.root}: publishing needs the workspace; it is not held. Take the lock first."
            )
        with storage(self.root):
            _remove_unreferenced(self.root)
            shutil.rmtree(self._staging, ignore_errors=True)
            self._staging.mkdir()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drop whatever was staged and not published."""
        shutil.rmtree(self._staging, ignore_errors=True)

    def table(self, name: str) -> Path:
        """Return where to write a table, for ``write_table``; its folder exists."""
        if not _TABLE_NAME.fullmatch(name) or name == _REPORTS:
            raise SchemaError(
                f"publication: {name!r} cannot name a table; use lower case letters, 0-9 and _."
            )
        return self._place(name, f"{name}.parquet")

    def report(self, name: str) -> Path:
        """Return where to write a page or a list, a file name with its ending; its folder exists."""
        if Path(name).name != name or name.startswith("."):
            raise SchemaError(f"publication: {name!r} cannot name a report; use a file name without folders.")
        return self._place(_REPORTS, name)

    def publish(self, *, facts: Mapping[str, Any], timings: Mapping[str, Any]) -> Published:
        """Make everything staged the published state of the night.

        Args:
            facts: what the tables were made from, as JSON values; the same inputs must give the same facts.
            timings: seconds and other facts of this run alone; kept beside the manifest, never in it.

        Returns:
            The manifest, and whether anything changed.

        Raises:
            StorageError: if the machine refuses; what was published before is then untouched.
        """
        with storage(self.root):
            manifest = self.staged(facts)
            if self._is_published(manifest):
                return Published(manifest, changed=False)
            for area in sorted(self._staging.iterdir()):
                _settle(area, self._target(area))
            write_text(manifest.to_json(), _manifest_path(self.root, self.as_of))
        write_text(json.dumps(dict(timings), indent=1) + "\n", _run_path(self.root, self.as_of))
        return Published(manifest, changed=True)

    def _place(self, area: str, name: str) -> Path:
        with storage(self.root):
            (self._staging / area).mkdir(exist_ok=True)
        return self._staging / area / name

    def _target(self, area: Path) -> Path:
        return self.root / area.name / f"as_of={self.as_of}" / _digest(area)

    def staged(self, facts: Mapping[str, Any]) -> Manifest:
        """Return the manifest that publishing what is staged by now would leave."""
        tables, reports = {}, {}
        for area in sorted(self._staging.iterdir()):
            target = self._target(area).relative_to(self.root)
            for file in sorted(area.iterdir()):
                path, sha256 = (target / file.name).as_posix(), sha256_of(file)
                if area.name == _REPORTS:
                    reports[file.name] = PublishedFile(path=path, sha256=sha256)
                else:
                    tables[file.stem] = PublishedFile(path=path, sha256=sha256, rows=count_rows(file))
        return Manifest(root=self.root, as_of=self.as_of, tables=tables, reports=reports, facts=dict(facts))

    def _is_published(self, manifest: Manifest) -> bool:
        with suppress(FileNotFoundError):
            there = _manifest_path(self.root, self.as_of).read_bytes()
            return there == manifest.to_json().encode() and not manifest.damaged()
        return False


def _settle(area: Path, target: Path) -> None:
    if target.is_dir():
        if _digest(target) == target.name:
            return
        target.rename(area.with_name(f"{TEMPORARY}damaged-{area.name}"))
    for file in sorted(area.iterdir()):
        flush(file)
    flush(area)
    target.parent.mkdir(parents=True, exist_ok=True)
    area.rename(target)
    for folder in (target.parent, target.parent.parent, target.parent.parent.parent):
        flush(folder)


def _digest(folder: Path) -> str:
    lines = [f"{file.name} {sha256_of(file)}\n" for file in sorted(folder.iterdir())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


def _remove_unreferenced(root: Path) -> None:
    used = {(root / file.path).parent for night in _nights(root) for file in night.files}
    for folder in sorted(root.glob("*/as_of=*/*")):
        if _RUN_FOLDER.fullmatch(folder.name) and folder.is_dir() and folder not in used:
            shutil.rmtree(folder)


def _nights(root: Path) -> tuple[Manifest, ...]:
    return tuple(night for day in published_dates(root) if (night := published(root, day)))


def _is_whole(root: Path, file: PublishedFile) -> bool:
    path = root / file.path
    return path.is_file() and sha256_of(path) == file.sha256


def _manifest_path(root: Path, as_of: date) -> Path:
    return root / "nights" / f"as_of={as_of}.json"


def _run_path(root: Path, as_of: date) -> Path:
    return root / "nights" / f"as_of={as_of}.run.json"
