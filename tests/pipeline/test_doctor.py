"""What the doctor sees of a business: who may enter its workspace, and what its sources hold."""

import re
from datetime import date
from pathlib import Path

import pytest

from pipeline.config import load_config
from pipeline.doctor import _business
from pipeline.run import Run
from tables.calendar import BusinessCalendar
from tables.lock import WorkspaceLock
from tables.looking import look_at
from tables.sources import IngestSettings, Source
from tests.pipeline.test_bad_input import HEADER, Shop, orders


def seen(shop: Shop) -> dict[str, tuple[bool, str]]:
    config = load_config(shop.config, {})
    run = Run(config=config, now=config.calendar().midnight(date(2026, 11, 21)))
    return {
        each.check: (each.well, each.seen) for each in _business(run)
    }  # the installation is looked at elsewhere


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    found = Shop(tmp_path)
    found.deliver("1", HEADER, *orders(20, 20))
    return found


@pytest.mark.parametrize(("mode", "well"), [(0o700, True), (0o750, True), (0o755, False), (0o701, False)])
def test_a_workspace_open_to_everybody_is_told(shop: Shop, mode: int, well: bool) -> None:
    shop.workspace.mkdir()
    shop.workspace.chmod(mode)
    found, words = seen(shop)["workspace"]
    assert found is well
    assert ("Run: chmod o= " in words) is not well


def test_a_workspace_of_ours_is_for_its_owner(shop: Shop) -> None:
    with WorkspaceLock(shop.workspace):
        assert shop.workspace.stat().st_mode & 0o777 == 0o700
    assert seen(shop)["workspace"][0]


BAD = {
    "wrong columns": (["customer,order_id", "ann,1"], r"no columns 'customer_id', .*Did you mean 'customer'"),
    "bad rows": (
        [HEADER, "ann,1,2025-01-01,5,EUR", "bob,2,soon,5,EUR", 'cyd,3,2025-01-01,"5" off,EUR'],
        "2 of 3 rows are bad.*; stray_quote 1, unreadable_ordered_at 1; for example 2.csv row 2, 2.csv row 3",
    ),
    "another tongue": (["\x00\x01"], "2.csv: no columns"),
}


@pytest.mark.parametrize(("lines", "told"), BAD.values(), ids=BAD)
def test_a_source_that_cannot_be_taken_in_is_told(shop: Shop, lines: list[str], told: str) -> None:
    shop.deliver("2", *lines)
    well, words = seen(shop)["source orders"]
    assert not well
    assert re.search(told, words), words


def test_a_look_at_attributes_tells_the_worst_of_them(tmp_path: Path) -> None:
    (tmp_path / "told.csv").write_text("who,age,visits\nann,x,1\nbob,x,y\ncyd,30,3\n")
    source = Source.model_validate(
        {
            "path": str(tmp_path / "told.csv"),
            "columns": {"customer_id": "who"},
            "values": {"age": "number", "visits": "number"},
            "static": True,
        }
    )
    lenient = IngestSettings(bad_row_limit=0.9)
    words = look_at("attributes", source, calendar=BusinessCalendar("UTC"), now=2**60, settings=lenient)
    assert words.endswith("first 3 rows of told.csv: unreadable_number 2")


def test_a_look_leaves_no_file_behind(shop: Shop) -> None:
    found = seen(shop)
    assert found["source orders"] == (
        True,
        f"{shop.folder}/orders/*.csv, 1 files; first 80 rows of 1.csv: none bad",
    )
    assert not shop.workspace.exists()
    shop.deliver("2", HEADER, *(f"ann,{row},2025-01-01,5,EUR" for row in range(1_200)))
    assert "first 1,000 rows of 2.csv: none bad" in seen(shop)["source orders"][1]
