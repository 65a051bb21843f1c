"""Running the notebooks as docs/reading.md says: fresh kernels, top to bottom, into one HTML file each."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
_WARNED = 'data-mime-type="application/vnd.jupyter.stderr"'


def execute(workspace: Path, folder: Path) -> dict[str, str]:
    """Execute all notebooks in a folder; return their HTML by name. A cell that fails or warns fails the test."""
    place = folder / "notebooks"
    shutil.copytree(ROOT / "notebooks", place)
    [commands] = re.findall(r"```console\n(.*?)```", (ROOT / "docs/reading.md").read_text(), flags=re.DOTALL)
    for command in commands.splitlines():
        _run(command, folder, KEEPWELL_WORKSPACE=str(workspace.resolve()), OMP_NUM_THREADS="1")
    pages = {page.stem: page.read_text() for page in sorted(place.glob("*.html"))}
    assert [name for name, html in pages.items() if _WARNED in html] == []
    return pages


def _run(command: str, folder: Path, **variables: str) -> None:
    program, *words = shlex.split(command)
    told = subprocess.run(
        [Path(sys.executable).with_name(Path(program).name), *_expanded(words, folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, **variables},
    )
    assert told.returncode == 0, f"{command}: {told.stderr[-3000:]}"


def _expanded(words: list[str], folder: Path) -> list[str | Path]:
    return [each for word in words for each in (sorted(folder.glob(word)) if "*" in word else [word])]
