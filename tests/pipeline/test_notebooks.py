"""The notebooks run, show what they promise, and hold no logic."""

import ast
import re
from pathlib import Path

import pytest

from tests.notebook_runs import NOTEBOOKS, execute

LOGIC = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.AsyncFor, ast.While, ast.If,
    ast.IfExp, ast.Try, ast.With, ast.comprehension, ast.Match,
)  # fmt: skip


def test_there_are_three_notebooks_in_the_order_of_reading() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["01_data_health", "02_model_review", "03_tonight"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_header_lets_jupyter_open_it_as_a_notebook(notebook: Path) -> None:
    header = notebook.read_text().split("# ---\n")[1]
    assert "#       format_name: percent\n" in header
    assert "#     language: python\n" in header


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_code_cells_hold_no_logic(notebook: Path) -> None:
    tree = ast.parse(notebook.read_text())
    assert [node.lineno for node in ast.walk(tree) if isinstance(node, LOGIC)] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_of_code_follows_words(notebook: Path) -> None:
    cells = notebook.read_text().split("\n# %%")[1:]
    assert cells[0].startswith(" [markdown]")
    assert sum(cell.startswith(" [markdown]") for cell in cells) >= len(cells) / 3


@pytest.mark.slow
def test_they_run_on_the_demo_and_draw_their_pictures(demo_made: Path, tmp_path: Path) -> None:
    pages = execute(demo_made, tmp_path)
    drawn = {name: html.count('<figure class="keepwell-picture">') for name, html in pages.items()}
    called = {path.stem: re.findall(r"^(?:model_)?pictures\.", path.read_text(), re.M) for path in NOTEBOOKS}
    assert drawn == {name: len(calls) for name, calls in called.items()}
