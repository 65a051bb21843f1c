"""Every command of the README and the docs does what it says."""

import re
import shlex
import subprocess
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline.shop.settings import ShopSettings
from pipeline.shop.stepper import simulate_history
from tests.command_line import keepwell, started_keepwell

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# A small model: the commands are tested here, not the recipe.
SMALL = {"KEEPWELL__MODEL__MAX_ROUNDS": "40", "KEEPWELL__MODEL__FOLDS": "3"}


def console_lines() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def words_of(command: str) -> list[str]:
    program, *words = shlex.split(command)
    assert program.endswith("keepwell")
    return words


def write_orders(path: Path) -> None:
    """Write a shop's orders up to yesterday, as a newcomer would have them: no known time, no returns flag."""
    today = date.today()
    settings = ShopSettings(customers=600, first_day=today - timedelta(days=540))
    _, rows = simulate_history(settings, until=today, seed=3)
    orders = rows.orders  # read by name below
    query = (
        "select customer_id, order_id, min(ordered_at) as ordered_at, round(sum(amount), 2) as amount "
        "from orders where not is_return group by all order by ordered_at, order_id"
    )
    assert len(orders)
    duckdb.sql(query).write_csv(str(path))


def test_every_make_target_named_in_a_document_exists() -> None:
    named = {
        target
        for file in DOCUMENTS
        for target in re.findall(r"(?:`|^)make ([a-z][a-z-]*)", file.read_text(), flags=re.MULTILINE)
    }
    for target in sorted(named):
        told = subprocess.run(["make", "-n", target], capture_output=True, text=True, check=False, cwd=ROOT)
        assert told.returncode == 0, f"make {target}: {told.stderr}"


def test_make_demo_and_make_test_set_up_and_run_the_whole() -> None:
    for target, command in (
        ("demo", "keepwell demo"),
        ("test", "pytest"),
        ("notebooks", "jupyter lab notebooks"),
    ):
        told = subprocess.run(["make", "-n", target], capture_output=True, text=True, check=True, cwd=ROOT)
        assert command in told.stdout


def test_every_subcommand_named_in_a_document_exists() -> None:
    named = {word for file in DOCUMENTS for word in re.findall(r"\bkeepwell ([a-z]+)\b", file.read_text())}
    told = keepwell("--help").stdout
    known = set(re.findall(r"^  ([a-z]+) ", told, flags=re.MULTILINE))
    assert named <= known


@pytest.mark.slow
def test_your_own_data_in_three_steps(tmp_path: Path) -> None:
    write_orders(tmp_path / "orders.csv")
    steps = [line for line in console_lines() if "keepwell " in line and not line.startswith("crontab")]
    assert [shlex.split(line)[1] for line in steps] == ["init", "retrain", "nightly"]
    for line in steps:
        told = started_keepwell(*words_of(line), cwd=tmp_path, **SMALL)
        assert told.returncode == 0, f"{line}\n{told.stderr}"
    pages = list((tmp_path / "workspaces/orders/reports").glob("as_of=*/*/index.html"))
    assert len(pages) == 1
    check_what_comes_then(tmp_path)


def check_what_comes_then(folder: Path) -> None:
    """Run the commands of the table on the night just published; of outcomes there are none yet."""
    text = (ROOT / "README.md").read_text()
    commands = re.findall(r"^\|[^|]*\| `(keepwell [^`]+)` \|", text, flags=re.MULTILINE)
    assert [shlex.split(line)[1] for line in commands] == [
        "export",
        "deliveries",
        "power",
        "measure",
        "whatif",
    ]
    for line in commands:
        if "deliveries" in line:
            sent, *others = (folder / "lists/email.csv").read_text().splitlines()
            assert others
            (folder / "log.csv").write_text(
                "\n".join([f"{sent},status", *(f"{row},delivered" for row in others)])
            )
        told = keepwell(*words_of(line), cwd=folder, **SMALL)
        if "measure" in line:
            assert told.returncode == 3, f"{line}\n{told.stderr}"
            assert "no planned action's outcome is settled" in told.stderr
        else:
            assert told.returncode == 0, f"{line}\n{told.stderr}"
