"""A night killed at any moment: readers go on seeing what was published before, and the next run mends the rest."""

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from time import sleep

import pytest

from pipeline.shop.files import write_day
from pipeline.shop.state import ShopState
from pipeline.shop.stepper import advance
from tables.history import History
from tables.publish import published, published_dates
from tables.storage import TEMPORARY, read_table
from tests.command_line import ROOT, SMALL
from tests.pipeline.conftest import run_keepwell

pytestmark = pytest.mark.slow

FIRST, SECOND, THIRD = date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 3)
NIGHTLY = ("nightly", "-c", "configs/demo.yaml", "--as-of", str(THIRD))
MOMENTS = (
    ("orders: splitting", 0.0),
    ("orders: bucket", 0.02),
    ("publishing", 0.0),
    ("model version", 0.0),
    (": score", 0.3),
    (": plan", 0.0),
    (": reasons, page, publish", 0.0),
    (": reasons, page, publish", 0.3),
)
"""A word of a line of progress, and seconds after it."""


def let_a_day_pass(workspace: Path) -> None:
    """Carry out the last published plan in the simulated shop and deliver the day's rows."""
    manifest = published(workspace, SECOND)
    assert manifest is not None
    state = ShopState.load(workspace / "shop/state")
    assert state.day == SECOND
    state, rows = advance(state, read_table(manifest.table("plan")))
    assert write_day(workspace / "shop", rows, SECOND)


def kill_nightly(workspace: Path, word: str, seconds: float) -> bool:
    """Start the night and kill it some time after a line of progress; say whether it was still at work."""
    command = [sys.executable, "-m", "pipeline", *NIGHTLY]
    environment = {**os.environ, **SMALL, "KEEPWELL__WORKSPACE": str(workspace)}
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **streams, text=True, cwd=ROOT, env=environment) as night:
        assert night.stderr is not None
        found = any(word in line for line in night.stderr)
        sleep(seconds)
        night.kill()
    return found and night.returncode != 0


def seen(workspace: Path) -> dict[str, bytes]:
    """Read everything that the manifests of the published nights name, as a reader would."""
    found = {}
    for day in published_dates(workspace):
        manifest = published(workspace, day)
        assert manifest is not None
        assert manifest.damaged() == ()
        found[str(day)] = manifest.to_json().encode()
        found |= {file.path: (workspace / file.path).read_bytes() for file in manifest.files}
    return found


def unfinished(workspace: Path) -> list[Path]:
    """List the temporary files and folders under a workspace."""
    marks = (TEMPORARY, ".ingest-")
    return [path for path in workspace.rglob("*") if path.name.startswith(marks) or path.suffix == ".new"]


def test_a_killed_night_leaves_the_old_state_and_is_mended(demo: Path, tmp_path: Path) -> None:
    let_a_day_pass(demo)
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(demo, undisturbed)
    before, generation = seen(demo), History.open(demo / "history").generation
    for word, seconds in MOMENTS:
        assert kill_nightly(demo, word, seconds) or seconds > 0, word  # a fast machine may be done by then
        now = seen(demo)
        if THIRD not in published_dates(demo):
            assert now == before, word
        assert {path: now[path] for path in before} == before, word
        history = History.open(demo / "history")
        assert history.generation in {generation, generation + 1}, word
        for table in history.tables():
            history.read(table, 0, history.columns(table))
    for workspace in (demo, undisturbed):
        told = run_keepwell(workspace, *NIGHTLY)
        assert told.returncode == 0, told.stderr
        assert published_dates(workspace) == (FIRST, SECOND, THIRD)
        assert unfinished(workspace) == []
    assert seen(demo) == seen(undisturbed)
    salts = [(workspace / "control/salts.json").read_bytes() for workspace in (demo, undisturbed)]
    assert salts[0] == salts[1]
