"""One demo workspace for all tests that need a trained, published business; made once, copied by each."""

import json
import shutil
from pathlib import Path

import pytest

from tests.command_line import SMALL, Told, keepwell, started_keepwell
from tests.conftest import made_once


def run_keepwell(workspace: Path, *words: str | Path, **variables: str) -> Told:
    """Run a command on a small demo workspace."""
    return keepwell(*words, **SMALL | {"KEEPWELL__WORKSPACE": str(workspace)} | variables)


def make_demo(workspace: Path) -> None:
    told = started_keepwell("demo", "--json", **SMALL, KEEPWELL__WORKSPACE=str(workspace))
    assert told.returncode == 0, told.stderr
    workspace.with_name("demo.json").write_text(told.stdout)


@pytest.fixture(scope="session")
def demo_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of ``keepwell demo``."""
    return made_once(tmp_path_factory, "demo", make_demo)


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
