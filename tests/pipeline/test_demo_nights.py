"""Many nights of the simulated shop: what was measured stands beside the truth of the same customers."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline import beside_truth
from pipeline import demo as flow
from pipeline.config import load_config
from pipeline.run import Run
from tables.publish import published_dates
from tests.command_line import ROOT
from tests.pipeline.conftest import run_keepwell

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


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The demo in a folder that holds nothing, at a noon far behind its nights."""
    config = load_config(ROOT / "configs/demo.yaml", {"KEEPWELL__WORKSPACE": str(tmp_path)})
    return Run(config=config, now=int(datetime(2027, 1, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000)


def test_models_are_trained_anew_each_month(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    trained, nights = [], {date(2026, 6, 1)}

    def retrain(_: Run, *, as_of: date) -> dict[str, str]:
        trained.append(as_of)
        return {"text": f"trained {as_of}"}

    def nightly(_: Run, *, as_of: date, **__: object) -> dict[str, object]:
        nights.add(as_of)
        return {"text": "", "page": ""}

    stands_for = {
        "_open": lambda *_: None,
        "_let_days_pass": lambda *_, **__: None,
        "published": lambda _, day: day if day in nights else None,
        "retrain": retrain,
        "nightly": nightly,
        "beside_truth": lambda *_, **__: {"answer": {}, "lines": []},
    }
    for name, stand_in in stands_for.items():
        monkeypatch.setattr(flow, name, stand_in)
    text = flow.demo(run, nights=65)["text"]
    assert trained == [date(2026, 7, 1), date(2026, 8, 1)]  # the first night had been published before
    assert text.startswith("trained 2026-07-01\ntrained 2026-08-01\n")
    assert max(nights) == date(2026, 8, 4)


def test_a_stopped_action_is_told_since_its_last_stop(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {1: ["a", "b"], 2: ["b"], 3: ["a", "b"]}

    def published(_: Path, day: date) -> SimpleNamespace:
        beliefs = [{"action": name, "stopped": name in found[day.day]} for name in ("a", "b", "c")]
        return SimpleNamespace(facts={"beliefs": beliefs})

    monkeypatch.setattr(beside_truth, "published_dates", lambda _: [date(2026, 7, day) for day in found])
    monkeypatch.setattr(beside_truth, "published", published)
    assert beside_truth._stopped(run) == {"a": "2026-07-03", "b": "2026-07-01"}


@pytest.mark.slow
def test_settled_nights_are_held_against_the_truth(tmp_path: Path) -> None:
    told = run_keepwell(tmp_path, "demo", "--nights", "9", "--json", **QUICK)
    assert told.returncode == 0, told.stderr
    assert len(published_dates(tmp_path)) == 9
    rows = json.loads(told.stdout)["beside_truth"]
    assert sum(row["control"] for row in rows) > 0
    # So few customers show nothing; what is true of them is known all the same.
    assert any(row["true"] for row in rows)
    assert all(-1 <= row["true"] <= 1 for row in rows)
    assert json.loads(told.stdout)["stopped"] == {}
    assert (tmp_path / "results/as_of=2026-06-09/index.html").exists()


@pytest.mark.slow
def test_the_demo_says_when_there_will_be_a_truth(demo: Path) -> None:
    told = run_keepwell(demo, "demo")
    assert told.returncode == 0, told.stderr
    assert "From night 47 on (--nights 47) it sets what was measured beside the truth." in told.stdout


@pytest.mark.slow
def test_nights_that_have_not_come_are_refused(tmp_path: Path) -> None:
    told = run_keepwell(tmp_path, "demo", "--nights", "4000", **QUICK)
    assert told.returncode == 2
    assert "demo: night 4000 would be 2037-05-13, today is" in told.stderr
