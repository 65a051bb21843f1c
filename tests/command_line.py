"""The command line as tests call it: in this process, or as a user starts it."""

import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from resource import RLIMIT_FSIZE, setrlimit
from unittest.mock import patch

from pipeline.cli import run

ROOT = Path(__file__).parents[1]
# A small shop and a small model: the commands are tested, not the recipe.
SMALL = {
    "KEEPWELL__DEMO__SHOP__CUSTOMERS": "600",
    "KEEPWELL__MODEL__MAX_ROUNDS": "60",
    "KEEPWELL__MODEL__MAX_ROWS": "5000",
    "KEEPWELL__MODEL__FOLDS": "3",
}

Told = subprocess.CompletedProcess[str]


def keepwell(*words: str | Path, cwd: Path = ROOT, **variables: str) -> Told:
    """Run a command in this process: the second or two that Python needs to start are saved."""
    said, complained = StringIO(), StringIO()
    told = [str(word) for word in words]
    with (
        patch.dict(os.environ, variables),
        chdir(cwd),
        redirect_stdout(said),
        redirect_stderr(complained),
    ):
        code = run(told)
    return subprocess.CompletedProcess(told, code, said.getvalue(), complained.getvalue())


def started_keepwell(
    *words: str | Path, cwd: Path = ROOT, most_bytes: int | None = None, **variables: str
) -> Told:
    """Start a command as a user does, in a process of its own.

    ``most_bytes`` stands for a full disk: no file of the run may grow beyond it.
    """
    full = None if most_bytes is None else partial(setrlimit, RLIMIT_FSIZE, (most_bytes, most_bytes))
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **variables},
        preexec_fn=full,
    )
