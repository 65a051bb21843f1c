"""One run at a time in a workspace."""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from tables.errors import LockError
from tables.storage import TEMPORARY, storage


class WorkspaceLock:
    """Hold a workspace; a second run is told who holds it instead of waiting.

    The operating system frees the lock when its process ends, however it ends. Taking it removes what
    killed runs left unfinished: nobody alive can be writing it.

    Attributes:
        root: folder of the workspace, made if absent.
        purpose: what the run does, for the message that a second run gets.
    """

    def __init__(self, root: Path, *, purpose: str = "a run") -> None:
        self.root = root
        self.purpose = purpose
        # The reference matters: an unreferenced FileLock is released as soon as it is collected.
        self._lock = FileLock(root / "workspace.lock", timeout=0, thread_local=False)

    @property
    def is_held(self) -> bool:
        """Whether this object holds the workspace now."""
        return self._lock.is_locked

    def __enter__(self) -> Self:
        """Take the workspace.

        Raises:
            LockError: if another run holds it.
            StorageError: if the folder cannot be written.
        """
        with storage(self.root):
            # Plans and scores name customers: a folder we make is for its owner, one that stands keeps its mode.
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                self._lock.acquire()
            except Timeout:
                raise LockError(self._held_by_another()) from None
            try:
                remove_unfinished(self.root)
                self._holder.write_text(json.dumps({"pid": os.getpid(), "purpose": self.purpose}))
            except BaseException:
                self._lock.release()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the workspace back."""
        with suppress(OSError):
            self._holder.unlink(missing_ok=True)
        self._lock.release()

    @property
    def _holder(self) -> Path:
        return self.root / "workspace.holder.json"

    def _held_by_another(self) -> str:
        holder = "another run"
        # The holder may be between taking the lock and signing it, or already gone.
        with suppress(OSError, ValueError, KeyError, TypeError):
            signed = json.loads(self._holder.read_text())
            holder = f"{signed['purpose']} (process {signed['pid']})"
        return f"{self.root}: this workspace is in use; held by {holder}. Wait until it ends, then run again."


def remove_unfinished(root: Path) -> None:
    """Delete temporary files and folders of killed runs, at most one folder deep."""
    for pattern in (f"{TEMPORARY}*", f"*/{TEMPORARY}*"):
        for path in sorted(root.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
