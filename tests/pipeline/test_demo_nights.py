"""Many nights of the simulated shop: what was measured stands beside the truth of the same customers."""

import json
from pathlib import Path

import pytest

from tables.publish import published_dates
from tests.pipeline.conftest import run_keepwell

pytestmark = pytest.mark.slow

# A week is enough for an outcome here, so that nine nights settle one.
QUICK = {
    "KEEPWELL__DEMO__SHOP__CUSTOMERS": "300",
    "KEEPWELL__CHURN__HORIZON_DAYS": "7",
    "KEEPWELL__MODEL__MAX_ROUNDS": "10",
    "KEEPWELL__MODEL__MAX_ROWS": "3000",
    "KEEPWELL__MODEL__FOLDS": "2",
    "KEEPWELL__MODEL__LEAST_CUSTOMERS": "100",
    "KEEPWELL__MODEL__RECIPE__MEMBERS": "[ridge]",
}


def test_settled_nights_are_held_against_the_truth(tmp_path: Path) -> None:
    told = run_keepwell(tmp_path, "demo", "--nights", "9", "--json", **QUICK)
    assert told.returncode == 0, told.stderr
    assert len(published_dates(tmp_path)) == 9
    rows = json.loads(told.stdout)["beside_truth"]
    assert sum(row["control"] for row in rows) > 0
    # So few customers show nothing; what is true of them is known all the same.
    assert any(row["true"] for row in rows)
    assert all(-1 <= row["true"] <= 1 for row in rows)
    assert (tmp_path / "results/as_of=2026-06-09/index.html").exists()


def test_the_demo_says_when_there_will_be_a_truth(demo: Path) -> None:
    told = run_keepwell(demo, "demo")
    assert told.returncode == 0, told.stderr
    assert "From night 47 on (--nights 47) it sets what was measured beside the truth." in told.stdout


def test_nights_that_have_not_come_are_refused(tmp_path: Path) -> None:
    told = run_keepwell(tmp_path, "demo", "--nights", "4000", **QUICK)
    assert told.returncode == 2
    assert "demo: night 4000 would be 2037-05-13, today is" in told.stderr
