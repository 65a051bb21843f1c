import json
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from models.importance import Importances
from models.level import LevelSeries
from pipeline.pages.model_page import training_report
from pipeline.reading import Workspace
from pipeline.training.model_card import series_rows, strongest_by_theme
from tables.calendar import OutcomeRule

RUN: Any = SimpleNamespace(rule=OutcomeRule(horizon_days=30, active_within_days=90))
NOW: Any = SimpleNamespace(
    as_of=date(2025, 7, 1), customers=120, mean_no_purchase=0.4, level=SimpleNamespace(series=0.41)
)
DATES = tuple(date(2025, 1, 1) + timedelta(days=30 * step) for step in range(5))


def series(*shares: float) -> LevelSeries:
    return LevelSeries(DATES, (100.0,) * 5, shares, (0.3,) * 5)


def test_the_newest_date_has_a_forecast_and_no_outcome() -> None:
    rows = series_rows(RUN, series(0.3, 0.3, 0.3, 0.3, 0.3), NOW)
    assert rows[-1] == {
        "as_of": "2025-07-01",
        "customers": 120,
        "churned": None,
        "expected": 0.4,
        "forecast": 0.41,
    }
    assert rows[0]["forecast"] is None  # nothing was settled by then
    assert rows[1]["forecast"] == pytest.approx(0.3, abs=0.02)


def test_no_forecast_knew_what_was_settled_after_its_date() -> None:
    calm = series_rows(RUN, series(0.3, 0.3, 0.3, 0.3, 0.3), NOW)
    crisis = series_rows(RUN, series(0.3, 0.3, 0.3, 0.9, 0.9), NOW)
    assert [row["forecast"] for row in calm[:4]] == [row["forecast"] for row in crisis[:4]]
    assert crisis[4]["forecast"] > calm[4]["forecast"] + 0.1


def test_contracts_have_no_share_expected_by_purchases() -> None:
    contract: Any = SimpleNamespace(rule=OutcomeRule(horizon_days=30, grace_days=5))
    assert {row["expected"] for row in series_rows(contract, series(*(0.3,) * 5), NOW)} == {None}


def test_pictures_go_to_the_strongest_feature_of_each_theme() -> None:
    features = pd.DataFrame(
        [("a", "silence", 0.5), ("b", "silence", 0.4), ("c", "spend", 0.3), ("d", "use", 0.0)],
        columns=["feature", "theme", "mean_contribution"],
    )
    themes = pd.DataFrame({"theme": ["spend", "silence", "use"], "mean_contribution": [0.9, 0.8, 0.0]})
    assert strongest_by_theme(Importances(features, themes), most=6) == {"c": "spend", "a": "silence"}
    assert strongest_by_theme(Importances(features, themes), most=1) == {"c": "spend"}


@pytest.mark.slow
def test_the_report_of_the_demo_can_be_told_again_from_its_card(demo_made: Path) -> None:
    [folder] = (demo_made / "retrains").glob("as_of=*")
    card, page = json.loads((folder / "card.json").read_text()), (folder / "index.html").read_text()
    assert training_report(card) == page
    assert len(card["dependence"]) >= 6
    assert card["level"]["judged"]["promised"] == pytest.approx(card["level"]["judged"]["level"], abs=1e-6)
    assert [row["as_of"] for row in card["series"]] == sorted(row["as_of"] for row in card["series"])


@pytest.mark.slow
def test_the_card_and_the_report_name_no_customer(demo_made: Path) -> None:
    [folder] = (demo_made / "retrains").glob("as_of=*")
    told = (folder / "card.json").read_text() + (folder / "index.html").read_text()
    customers = Workspace.open(demo_made).night().scores()["customer_id"]
    assert not any(customer in told for customer in customers)


@pytest.mark.slow
def test_the_model_reader_gives_what_the_card_holds(demo_made: Path) -> None:
    model = Workspace.open(demo_made).model()
    assert model.themes()["mean_contribution"].is_monotonic_decreasing
    assert set(model.dependence()["feature"]) <= set(model.features())
    assert {"theme", "feature"} <= set(model.importances())
    assert (model.calibration_by_group()["n"] > 0).all()
