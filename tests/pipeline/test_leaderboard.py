"""The leaderboard keeps what it has tried, sets rivals side by side, and prints a miss as a miss."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.metrics import METRICS
from models.pooled import Outcome
from pipeline.board import tasks
from pipeline.board.figures import Figures
from pipeline.board.leaderboard import leaderboard
from pipeline.board.settings import BoardSettings, Goals
from pipeline.board.table import page
from pipeline.board.tasks import FOLDER, UNCORRECTED, Task, dated_task
from pipeline.config import load_config
from pipeline.run import Run
from pipeline.training.evaluating import OURS
from pipeline.training.flat import NOT_OUT_OF_TIME
from tables.calendar import DAY
from tables.errors import ConfigError
from tests.small_shop import ACTIONS, SHOP

FIRST = date(2025, 1, 1)
CONFIG = (
    "name: A shop\n"
    + SHOP
    + """\
  events:
    path: {folder}/events.csv
    columns: {{customer_id: who, occurred_at: at, type: type}}
churn: {{horizon_days: 7, active_within_days: 14}}
model: {{folds: 3, max_rounds: 20, least_customers: 50}}
features: {{windows: [7, 14], event_types: [visit]}}
leaderboard:
  as_of: {first}
  dates: {dates}
  rivals_without: [events]
  goals: {{auc_above: 0.9, ece: 0.5}}
"""
    + ACTIONS
)


def shop(folder: Path, *, first: str = "2025-02-12", dates: int = 2) -> Run:
    """A shop whose customers buy in a week in which they have visited, and seldom otherwise."""
    rng = np.random.default_rng(5)
    orders, events = ["who,order,at,amount"], ["who,at,type"]
    for week in range(8):
        for customer in range(100):
            day = FIRST + timedelta(days=7 * week)
            visits = rng.random() < 0.5
            if visits and week:
                events.append(f"c{customer},{day - timedelta(days=1)},visit")
            if rng.random() < (0.9 if visits else 0.4):
                bought = day + timedelta(days=int(rng.integers(7)))
                orders.append(f"c{customer},{week},{bought},{rng.integers(5, 50)}")
    folder.mkdir(exist_ok=True)
    (folder / "orders.csv").write_text("\n".join([*orders, ""]))
    (folder / "events.csv").write_text("\n".join([*events, ""]))
    (folder / "shop.yaml").write_text(CONFIG.format(folder=folder, first=first, dates=dates))
    return Run(config=load_config(folder / "shop.yaml", {}), now=30_000 * DAY)


def outcome(ours: list[float], rival: list[float], uncorrected: list[float] | None = None) -> Outcome:
    risks = {OURS: ours, UNCORRECTED: uncorrected or ours, "rival": rival}
    return Outcome(
        np.array([1, 1, 0, 0]), np.arange(4), {name: np.array(risk) for name, risk in risks.items()}
    )


def figures(outcomes: dict[str, Outcome], *, is_out_of_time: bool = True, **goals: float) -> Figures:
    settings = BoardSettings(goals=Goals(**goals), far_goals=Goals(auc=0.99))
    return Figures.of(Task("A shop", "churned means gone", outcomes, is_out_of_time, settings, seed=3))


GOOD = outcome([0.9, 0.8, 0.2, 0.1], [0.9, 0.3, 0.4, 0.1])
BAD = outcome([0.6, 0.4, 0.6, 0.4], [0.9, 0.8, 0.2, 0.1], [0.5, 0.5, 0.5, 0.5])


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw few customers: intervals are tested with the metrics."""
    monkeypatch.setattr("models.pooled.draws_for", lambda rows: 20)


def test_goals_are_those_of_the_first_date() -> None:
    found = {
        each.figure: each for each in figures({"new": GOOD, "old": BAD}, auc=0.8, auc_above=0.2).verdicts()
    }
    assert (found["AUC"].at, found["AUC"].found, found["AUC"].word) == ("new", 1.0, "far goal reached")
    assert found["AUC above the best rival"].found == pytest.approx(0.25)
    assert found["AUC above the best rival"].word == "reached"


def test_the_correction_of_the_level_is_judged_where_it_was_worst() -> None:
    (verdict,) = figures({"new": GOOD, "old": BAD}).verdicts()
    assert verdict.at == "old"
    # -(ln .6 + ln .4) / 2 - ln 2, both for churners and for stayers
    assert verdict.found == pytest.approx(0.0204, abs=1e-4)
    assert verdict.word == "missed"


def test_a_miss_is_printed_as_a_miss() -> None:
    text = page([figures({"new": BAD}, auc=0.9, log_loss=0.1)])
    assert "## Goals: 0 reached, 3 missed" in text
    assert "| A shop | new | AUC | ≥ 0.9 | 0.99 | 0.5000 | **missed** |" in text
    assert NOT_OUT_OF_TIME not in text


def test_what_has_no_dates_is_marked_in_the_table() -> None:
    assert f"**{NOT_OUT_OF_TIME}**" in page([figures({"split 1": GOOD}, is_out_of_time=False)])


def test_tasks_that_share_a_workspace_are_refused(tmp_path: Path) -> None:
    run = shop(tmp_path)
    with pytest.raises(ConfigError, match=r"tasks that share a workspace; found \['.*work'\]"):
        leaderboard([run, run], out=None, progress=lambda _: None)


@pytest.fixture
def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[date]]:
    """Dates tried in ``tmp_path``; the first run is killed at its second date."""
    tried: list[date] = []
    really = tasks.try_at

    def killed(run: Run, history: Any, day: date) -> Any:
        tried.append(day)
        if len(tried) == 2:
            raise KeyboardInterrupt
        return really(run, history, day)

    monkeypatch.setattr(tasks, "try_at", killed)
    monkeypatch.setattr(
        tasks, "_ROOT", tmp_path
    )  # a line of the program changed meanwhile would try all again
    with pytest.raises(KeyboardInterrupt), shop(tmp_path).locked("test") as run:
        dated_task(run)
    yield tried


def test_a_killed_run_goes_on_where_it_stopped(interrupted: list[date], tmp_path: Path) -> None:
    out = tmp_path / "board.md"
    told = leaderboard([shop(tmp_path)], out=out, progress=lambda _: None)
    newest, older = date(2025, 2, 12), date(2025, 2, 5)
    assert interrupted == [newest, older, older]
    assert len(list((tmp_path / "work" / FOLDER).iterdir())) == 2
    (task,) = told["tasks"]
    assert [each["at"] for each in task["tried"]] == [newest.isoformat(), older.isoformat()]
    names = [row["name"] for row in task["models"]]
    assert names[:2] == [OURS, UNCORRECTED]
    assert {"catboost", "bgnbd_no_purchase", "lightgbm_plain without events"} < set(names)
    assert all(np.isfinite(row[metric]) for row in task["models"] for metric in METRICS)
    first = task["tried"][0]["models"]
    lacking = max(
        first[name]["auc"]
        for name in names
        if "without" in name or name.endswith(("rfmt", "purchase", "order"))
    )
    (above,) = [each for each in task["goals"] if each["figure"] == "AUC above the best rival"]
    assert above["found"] == pytest.approx(first[OURS]["auc"] - lacking)
    assert (above["verdict"], out.read_text()) == ("missed", told["text"])


def test_what_another_program_said_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_ROOT", tmp_path)
    before = tasks._digest("recipe")
    assert before == tasks._digest("recipe") != tasks._digest("another recipe")
    (tmp_path / "models").mkdir()
    (tmp_path / "models/churn.py").write_text("SLOPE = 2\n")
    assert tasks._digest("recipe") != before


def test_dates_without_a_past_end_the_row(tmp_path: Path) -> None:
    said: list[str] = []
    run = Run(
        config=shop(tmp_path, first="2025-01-15", dates=9).config, now=30_000 * DAY, progress=said.append
    )
    with run.locked("test") as held:
        assert len(dated_task(held).outcomes) < 3
    assert any("goes back no further" in each for each in said)
