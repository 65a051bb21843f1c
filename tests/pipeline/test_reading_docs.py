"""docs/reading.md names every frame and every picture there is, and its three lines give a frame."""

import inspect
import re
from pathlib import Path
from typing import get_type_hints

import pandas as pd
import pytest

from pipeline.pages import pictures
from pipeline.reading import Workspace
from pipeline.reading.model import ModelReader
from pipeline.reading.night import NightReader
from pipeline.reading.past import PastReader

TEXT = (Path(__file__).parents[2] / "docs/reading.md").read_text()
READERS = {"workspace": Workspace, "night": NightReader, "model": ModelReader, "past": PastReader}


def frames_of(reader: type) -> dict[str, str]:
    methods = inspect.getmembers(reader, inspect.isfunction)
    return {
        name: method.__doc__ or ""
        for name, method in methods
        if name[0] != "_" and get_type_hints(method).get("return") is pd.DataFrame
    }


@pytest.mark.parametrize("name", READERS)
def test_every_frame_is_documented_and_no_other(name: str) -> None:
    rows = "".join(line for line in TEXT.splitlines() if line.startswith("| `"))
    assert set(re.findall(rf"`{name}\.(\w+)\(", rows)) == set(frames_of(READERS[name]))


@pytest.mark.parametrize("name", READERS)
def test_every_frame_tells_its_columns(name: str) -> None:
    for words in frames_of(READERS[name]).values():
        assert "``" in words or "published" in words


def test_every_picture_is_documented() -> None:
    drawn = {
        name
        for name, picture in inspect.getmembers(pictures, inspect.isfunction)
        if picture.__module__ == pictures.__name__
    }
    assert drawn <= set(re.findall(r"`(\w+)`", TEXT))


def test_the_three_lines_give_a_frame(
    demo_made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "workspaces").mkdir()
    (tmp_path / "workspaces/demo").symlink_to(demo_made)
    monkeypatch.chdir(tmp_path)
    *lines, last = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)[0].strip().splitlines()
    known: dict[str, object] = {}
    exec("\n".join(lines), known)
    assert len(eval(last, known)) > 0
