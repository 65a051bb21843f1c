import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import ROOT, keepwell, started_keepwell

COMMANDS = (
    "init",
    "ingest",
    "define",
    "features",
    "evaluate",
    "leaderboard",
    "tune",
    "whatif",
    "power",
    "retrain",
    "rollback",
    "nightly",
    "export",
    "deliveries",
    "measure",
    "demo",
    "example",
    "who",
    "doctor",
    "config",
)


def test_help_lists_every_command() -> None:
    told = started_keepwell("--help")
    assert told.returncode == 0
    for command in COMMANDS:
        assert f"  {command}" in told.stdout


def test_starting_imports_nothing_heavy() -> None:
    heavy = "{'pandas', 'numpy', 'sklearn', 'lightgbm', 'mlflow', 'duckdb', 'pydantic', 'rich'}"
    code = f"import sys, pipeline.cli; print(sorted({heavy} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_what_libraries_print_stays_out_of_the_answer() -> None:
    code = (
        "import os, click, pipeline.cli as cli\n"
        "cli.keepwell = lambda **_: (os.write(1, b'remark'), click.echo('{}'))[1]\n"
        "cli.main()"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (told.stdout, told.stderr) == ("{}\n", "remark")


def test_a_mistake_of_ours_is_one_object_and_a_traceback() -> None:
    code = (
        "import sys, pipeline.cli as cli\n"
        "def fail(**_): raise KeyError('seed')\n"
        "cli.keepwell, sys.argv = fail, ['keepwell', 'nightly', '--json']\n"
        "cli.main()"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (told.returncode, json.loads(told.stdout)) == (1, {"error": "KeyError: 'seed'", "exit_code": 1})
    assert told.stderr.startswith("Traceback")


def test_an_unknown_option_is_wrong_usage() -> None:
    assert started_keepwell("nightly", "--nonsense").returncode == 2


def test_a_date_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    told = started_keepwell("nightly", "-c", tmp_path / "shop.yaml", "--as-of", "21.11.2026")
    assert told.returncode == 2
    assert "write it as 2026-11-21" in told.stderr


def test_a_missing_configuration_is_one_line_and_two(tmp_path: Path) -> None:
    told = started_keepwell("nightly", "-c", tmp_path / "shop.yaml")
    assert told.returncode == 2
    assert told.stderr.count("\n") == 1
    assert "there is no such file" in told.stderr


def test_a_failure_is_one_object_for_machines(tmp_path: Path) -> None:
    told = keepwell("retrain", "-c", tmp_path / "shop.yaml", "--json")
    assert json.loads(told.stdout)["exit_code"] == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    assert started_keepwell(command, "--help").returncode == 0


def test_wrong_usage_is_one_object_for_machines() -> None:
    told = keepwell("nightly", "--nonsense", "--json")
    assert told.returncode == 2
    assert json.loads(told.stdout)["exit_code"] == 2


def test_a_doctor_who_finds_something_says_so_by_its_code(tmp_path: Path) -> None:
    text = (ROOT / "configs/demo.yaml").read_text()
    (tmp_path / "shop.yaml").write_text(text.replace("${KEEPWELL__WORKSPACE:-workspaces/demo}", "nowhere"))
    told = keepwell("doctor", "-c", "shop.yaml", cwd=tmp_path)
    assert told.returncode == 2
    assert "FAIL  source orders" in told.stdout
