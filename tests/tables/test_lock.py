"""One run at a time in a workspace."""

import subprocess
import sys
from pathlib import Path

import pytest

from tables.errors import LockError, StorageError
from tables.lock import WorkspaceLock


def test_a_second_run_is_told_who_holds_the_workspace(tmp_path: Path) -> None:
    with WorkspaceLock(tmp_path, purpose="keepwell nightly"):
        with pytest.raises(
            LockError, match=r"in use; held by keepwell nightly \(process \d+\)\. Wait"
        ) as caught:
            WorkspaceLock(tmp_path).__enter__()
        assert caught.value.exit_code == 4


def test_an_unsigned_lock_is_still_refused(tmp_path: Path) -> None:
    with WorkspaceLock(tmp_path):
        (tmp_path / "workspace.holder.json").write_text("half a l")
        with pytest.raises(LockError, match="held by another run"), WorkspaceLock(tmp_path):
            pass


def test_leaving_the_block_frees_the_workspace(tmp_path: Path) -> None:
    first = WorkspaceLock(tmp_path / "new")
    with first:
        assert first.is_held
    with WorkspaceLock(tmp_path / "new") as second:
        assert second.is_held
        assert not first.is_held
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["workspace.lock"]


def test_a_killed_run_frees_the_workspace_at_once(tmp_path: Path) -> None:
    script = f"""
import os, signal
from pathlib import Path
from tables.lock import WorkspaceLock
with WorkspaceLock(Path({str(tmp_path)!r}), purpose="keepwell retrain"):
    print("held", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (run.stdout, run.returncode) == ("held\n", -9), run.stderr
    with WorkspaceLock(tmp_path) as lock:
        assert lock.is_held


def test_taking_the_lock_removes_what_killed_runs_left(tmp_path: Path) -> None:
    (tmp_path / ".tmp-publish-1" / "scores").mkdir(parents=True)
    (tmp_path / "nights").mkdir()
    (tmp_path / "nights" / ".tmp-1-as_of=2025-01-31.json").touch()
    (tmp_path / "nights" / "as_of=2025-01-30.json").touch()
    with WorkspaceLock(tmp_path):
        assert not (tmp_path / ".tmp-publish-1").exists()
        assert [path.name for path in (tmp_path / "nights").iterdir()] == ["as_of=2025-01-30.json"]


def test_a_refused_run_removes_nothing_of_the_living_one(tmp_path: Path) -> None:
    with WorkspaceLock(tmp_path):
        (tmp_path / ".tmp-publish-1").mkdir()
        with pytest.raises(LockError, match="in use"), WorkspaceLock(tmp_path):
            pass
        assert (tmp_path / ".tmp-publish-1").is_dir()


def test_a_workspace_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(StorageError, match="the machine refused it"),
        WorkspaceLock(tmp_path / "file" / "shop"),
    ):
        pass
