"""The crontab of the docs runs what it says it runs."""

import os
import re
import subprocess
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
LINE = re.compile(r"^(?P<when>(?:\S+\s+){5})(?P<command>\S.*)$")
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def jobs() -> list[tuple[list[str], str]]:
    text = (DOCS / "keepwell.cron").read_text()
    found = [LINE.match(line) for line in text.splitlines() if line and line[0] not in "#SK"]
    return [(match["when"].split(), match["command"]) for match in found if match]


def test_the_page_shows_the_crontab_as_it_is() -> None:
    assert (DOCS / "keepwell.cron").read_text() in (DOCS / "schedule.md").read_text()


def test_it_runs_nightly_every_night_and_retrain_every_week() -> None:
    when = {re.search(r"keepwell (\w+)", command)[1]: fields for fields, command in jobs()}  # type: ignore[index]
    assert when["nightly"][2:] == ["*", "*", "*"]
    assert when["retrain"][2:] == ["*", "*", "0"]
    assert int(when["retrain"][1]) < int(when["nightly"][1])


def test_every_field_of_time_is_one_cron_knows() -> None:
    for fields, _ in jobs():
        for field, (low, high) in zip(fields, RANGES, strict=True):
            assert field == "*" or low <= int(field) <= high


@pytest.mark.parametrize("name", ["retrain", "nightly"])
def test_each_line_calls_the_command_with_the_configuration(name: str, tmp_path: Path) -> None:
    """Run the line as cron does: /bin/sh, an almost empty environment, another working directory."""
    home = tmp_path / "keepwell home"
    (home / ".venv/bin").mkdir(parents=True)
    stand_in = home / ".venv/bin/keepwell"
    stand_in.write_text('#!/bin/sh\necho "$PWD: $@"\n')
    stand_in.chmod(0o755)
    command = next(command for _, command in jobs() if f"keepwell {name}" in command)
    environment = {"KEEPWELL_HOME": str(home), "KEEPWELL_CONFIG": "my shop.yaml", "PATH": os.defpath}
    subprocess.run(["/bin/sh", "-c", command], env=environment, cwd=tmp_path, check=True)
    assert (home / f"{name}.log").read_text() == f"{home}: {name} -c my shop.yaml\n"
