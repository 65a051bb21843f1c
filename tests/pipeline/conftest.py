"""One demo workspace for all tests that need a trained, published business; made once, copied by each."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from resource import RLIMIT_FSIZE, setrlimit

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]
SMALL = {
    "KEEPWELL__DEMO__SHOP__CUSTOMERS": "600",
    "KEEPWELL__MODEL__MAX_ROUNDS": "60",
    "KEEPWELL__MODEL__MAX_ROWS": "5000",
    "KEEPWELL__MODEL__FOLDS": "3",
}

Keepwell = Callable[..., subprocess.CompletedProcess[str]]


def run_keepwell(
    workspace: Path, *words: str | Path, most_bytes: int | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does, in the project's folder, on a small demo workspace.

    ``most_bytes`` stands for a full disk: no file of the run may grow beyond it.
    """
    full = None if most_bytes is None else partial(setrlimit, RLIMIT_FSIZE, (most_bytes, most_bytes))
    environment: Mapping[str, str] = {
        **os.environ,
        **SMALL,
        "KEEPWELL__WORKSPACE": str(workspace),
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment,
        preexec_fn=full,
    )


@pytest.fixture(scope="session")
def demo_made(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The workspace of ``keepwell demo``, made by whichever test process comes first."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    workspace = shared / "demo"
    with FileLock(shared / "demo.lock"):
        if not (shared / "demo.json").exists():
            told = run_keepwell(workspace, "demo", "--json")
            assert told.returncode == 0, told.stderr
            (shared / "demo.json").write_text(told.stdout)
    return workspace


@pytest.fixture
def demo_answer(demo_made: Path) -> dict[str, object]:
    """What ``keepwell demo --json`` printed."""
    found: dict[str, object] = json.loads(demo_made.with_name("demo.json").read_text())
    return found


@pytest.fixture
def demo(demo_made: Path, tmp_path: Path) -> Path:
    """A copy of the demo workspace that a test may change."""
    workspace = tmp_path / "workspace"
    shutil.copytree(demo_made, workspace)
    return workspace
