"""What outcomes teach in a workspace: features kept, models served by date, demoted, and told on the page."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from actions.catalogue import Catalogue
from actions.learning.believing import ActionBelief, Beliefs, LearningSettings
from actions.learning.effects import Effects
from actions.rules.eligibility import Eligibility
from actions.rules.reasons import Reason
from models.uplift.gate import UpliftDecision
from models.uplift.learners import LEARNERS
from models.uplift.line import Line
from models.uplift.model import FittedUplift, UpliftModel
from pipeline.learning import uplift
from pipeline.learning.tonight import without_stopped
from pipeline.learning.uplift import PLANNED_FEATURES, UpliftModels, uplift_models, uplifts
from pipeline.measuring.outcomes import of_last_year
from pipeline.pages.beliefs_chapter import beliefs_chapter
from pipeline.retrain_folder import settle, stage
from pipeline.run import Run
from tables.calendar import OutcomeRule
from tables.publish import published, published_dates
from tables.storage import read_table
from tests.actions.made_up import action

HURTS = ActionBelief("survey_invite", "evidence", 800, 200, -0.05, 0.01, -5.25, 0.97, True)
TRIED = ActionBelief("points_bonus", "prior", 30, 8, 0.02, 0.01, 0.4, 0.4, False)
UNTRIED = ActionBelief("price_review", "prior", 0, 0, 0.02, 0.01, None, None, False)


def model() -> UpliftModel:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 1)).astype(np.float32)
    arm = (rng.random(200) < 0.5).astype(np.int64)
    kept = (rng.random(200) < 0.5 + 0.2 * arm * (X[:, 0] > 0)).astype(float)
    learners = tuple(kind(seed=0).fit(X, kept, arm, np.array([0.5, 0.5])) for kind in LEARNERS.values())
    return UpliftModel(("orders_90d",), learners, Line(0.1, 1.0, 0.0, 0.01, 0.1))


def told(words: str, **models: UpliftModel) -> str:
    decisions = {name: {"serves": True, "words": words} for name in models}
    return UpliftModels(models, decisions).to_json()


def retrained(root: Path, day: date, **files: str) -> None:
    settle(stage(root, day, {"card.json": "{}", **files}), root, day)


def test_models_survive_writing_and_reading() -> None:
    text = told("serves.", mail=model())
    again = UpliftModels.from_json(text)
    assert again.to_json() == text
    assert again.words == ("mail: serves.",)
    assert again.files() == {"uplift.json": text}
    assert UpliftModels({}, {}).files() == {}


def test_the_newest_retraining_decides_what_serves(tmp_path: Path) -> None:
    retrained(tmp_path, date(2026, 6, 1), **{"uplift.json": told("serves.", mail=model())})
    retrained(tmp_path, date(2026, 6, 8))
    assert not uplift_models(tmp_path, date(2026, 5, 31)).models
    assert set(uplift_models(tmp_path, date(2026, 6, 7)).models) == {"mail"}
    assert not uplift_models(tmp_path, date(2026, 6, 8)).models


def test_a_model_without_its_features_waits() -> None:
    models = UpliftModels({"mail": model()}, {})
    features = pd.DataFrame({"orders_90d": [-1.0, 2.0], "more": [0.0, 0.0]})
    effect, sd = uplifts(models, features)["mail"]
    assert effect[1] > effect[0]
    assert (sd > 0).all()
    assert uplifts(models, features[["more"]]) == {}


def test_units_find_their_features_of_that_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nights = {
        date(2026, 6, 1): pd.DataFrame({"customer_id": ["a", "b"], "orders": [1.0, 2.0], "old": [0.0, 0.0]}),
        date(2026, 6, 2): pd.DataFrame({"customer_id": ["a"], "orders": [3.0]}),
    }

    def of_night(_: Path, night: date) -> Any:
        tables = {PLANNED_FEATURES: None} if night in nights else {}
        return SimpleNamespace(tables=tables, table=lambda _: night)

    monkeypatch.setattr(uplift, "published", of_night)
    monkeypatch.setattr(uplift, "read_table", lambda night: nights[night])
    days = pd.to_datetime(["2026-06-02", "2026-06-01", "2026-06-01", "2026-05-01"])
    units = pd.DataFrame(
        {"customer_id": ["a", "b", "gone", "a"], "planned_on": days, "orders": "of the unit"}
    )
    rows, features = uplift.as_known_then(cast(Any, SimpleNamespace(workspace=tmp_path)), units)
    assert rows["customer_id"].tolist() == ["b", "a"]
    assert features.to_dict("list") == {"orders": [2.0, 3.0]}


def test_an_action_is_tried_once_it_has_enough_units(monkeypatch: pytest.MonkeyPatch) -> None:
    arms = ["sent"] * 800 + ["control"] * 200 + ["explored"] * 300 + ["sent"] * 500
    units = pd.DataFrame(
        {
            "customer_id": [str(place) for place in range(len(arms))],
            "action": "mail",
            "arm": arms,
            "risk_source": ["model"] * 1_300 + ["bgnbd"] * 500,
            "planned_on": pd.Timestamp("2026-05-01"),
            "cell": "risk_low|value_lower",
            "salt": "s",
            "withheld_share": 0.2,
            "churned": 0,
            "churn_risk": 0.3,
            "margin": 50.0,
            "unit": range(len(arms)),
        }
    )
    asked: list[Any] = []

    def fit(X: pd.DataFrame, churned: object, treated: Any, chance: Any, **used: Any) -> FittedUplift:
        asked.append((len(X), int(treated.sum()), sorted(set(chance.round(4)))))
        asked.append((int(used["judged"].sum()), used["share"], used["cost"], set(used["margin"])))
        return FittedUplift(None, UpliftDecision(False, "does not serve", 0.3))

    monkeypatch.setattr(uplift, "units_of_actions", lambda *_, **__: units)
    monkeypatch.setattr(uplift, "as_known_then", lambda _, rows: (rows, rows[["churned"]]))
    monkeypatch.setattr(uplift, "fit_uplift", fit)
    monkeypatch.setattr(uplift, "reached", lambda *_: 0.25)
    for least, tried in ((1_001, {}), (1_000, {"mail": "mail: does not serve"})):
        found = uplift.learn_uplift(
            learning_run(least), cast(Any, None), Catalogue.of([action()]), as_of=date(2026, 6, 1)
        )
        assert found.words == tuple(tried.values())
        assert not found.models
    # Units that explore have no part in it, nor those of another risk source: .8 of the compared are sent.
    assert asked == [(1_000, 800, [0.8]), (1_000, 0.25, 0.2, {50.0})]


def test_units_of_more_than_a_year_ago_teach_nothing() -> None:
    # A window of 60 days, 5 until it is known: on 6 August the newest night that can have settled is that of 2 June.
    run = cast(Run, SimpleNamespace(rule=OutcomeRule(horizon_days=60, active_within_days=90, settle_days=5)))
    units = pd.DataFrame({"planned_on": pd.to_datetime(["2025-06-01", "2025-06-02", "2026-06-02"])})
    assert of_last_year(run, units, as_of=date(2026, 8, 6)).index.tolist() == [1, 2]
    assert of_last_year(run, units, as_of=date(2026, 8, 7)).index.tolist() == [2]


def learning_run(least: int) -> Run:
    learning = LearningSettings(uplift_from_units=least)
    config = SimpleNamespace(seed=7, actions=SimpleNamespace(learning=learning))
    return cast(Run, SimpleNamespace(progress=lambda _: None, config=config, workspace=None))


def test_the_share_reached_is_of_those_it_was_open_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def facts(planned: int, eligible: int) -> Any:
        told = {"summary": {"actions": [{"action": "mail", "planned": planned}]}}
        return SimpleNamespace(
            facts={**told, "blocked": {"mail": {"eligible": eligible} if eligible else {}}}
        )

    nights = {
        date(2026, 6, 1): facts(40, 100),
        date(2026, 6, 2): facts(20, 100),
        date(2026, 6, 3): facts(9, 0),
    }
    monkeypatch.setattr(uplift, "published", lambda _, night: nights[night])
    days = pd.to_datetime(["2026-06-01", "2026-06-02", "2026-06-02", "2026-06-03"])
    units = pd.DataFrame({"planned_on": days})
    assert uplift.reached(learning_run(1_000), units[:3], action()) == 60 / 200
    assert uplift.reached(learning_run(1_000), units[1:3], action()) == 20 / 100
    assert uplift.reached(learning_run(1_000), units[3:], action()) == max(uplift.REACH)


def test_todays_rule_believes_by_cell_what_others_show() -> None:
    rng, count = np.random.default_rng(0), 4_000
    upper, sent = np.arange(count) % 2 == 1, rng.random(count) < 0.8
    units = pd.DataFrame(
        {
            "action": "mail",
            "arm": np.where(sent, "sent", "control"),
            "withheld_share": 0.2,
            "cell": np.where(upper, "risk_low|value_upper", "risk_low|value_lower"),
            "salt": "s",
            "unit": np.arange(count),
            "churned": (rng.random(count) < 0.4 - 0.3 * (sent & upper)).astype(int),
            "churn_risk": 0.4,
            "margin": 50.0,
            "cost": 0.2,
        }
    )
    known, unsure = np.arange(count) < 3_000, action(prior_save_sd=0.4)
    told = uplift.cell_rule(units, unsure, LearningSettings())(known)
    assert told[upper].min() == told[upper].max() == pytest.approx(0.3, abs=0.06)
    assert told[~upper] == pytest.approx(np.zeros(count // 2), abs=0.06)
    changed = units.assign(churned=np.where(known, units["churned"], 1))
    assert np.array_equal(uplift.cell_rule(changed, unsure, LearningSettings())(known), told)


def test_a_stopped_action_is_open_to_nobody() -> None:
    eligible = Eligibility(
        customer_ids=pd.Index(["a", "b"]),
        actions=(action(), action("offer")),
        dormant=(),
        blocked=np.array([[0, 0], [0, int(Reason.CONSENT)]], dtype=np.uint32),
        channels=np.zeros((2, 2), dtype=np.int8),
        notes=(),
    )
    zeros = np.zeros((2, 2), dtype=np.float32)
    effects = Effects(np.array(["x", "x"]), zeros, zeros, ("mail", "offer"), ("evidence", "prior"))
    left = without_stopped(eligible, Beliefs(effects, (replace(HURTS, action="mail"), UNTRIED)))
    assert left.mask.tolist() == [[False, True], [False, False]]
    assert left.explain(1, 0) == ("action stopped by its outcomes",)
    assert left.explain(1, 1) == ("no consent for the channel",)


def test_nights_keep_the_features_of_those_drawn(demo_made: Path) -> None:
    night = published_dates(demo_made)[-1]
    manifest = published(demo_made, night)
    assert manifest is not None
    plan, kept = read_table(manifest.table("plan")), read_table(manifest.table(PLANNED_FEATURES))
    drawn = plan[plan["arm"].isin(["sent", "control", "explored"]) & (plan["propensity"] < 1)]
    assert kept["customer_id"].tolist() == sorted(drawn["customer_id"].unique())
    assert set(map(str, kept.dtypes.iloc[1:])) == {"float32"}
    assert {row["level"] for row in manifest.facts["beliefs"]} == {"prior"}


def test_the_page_tells_what_each_belief_rests_on() -> None:
    chapter = beliefs_chapter((TRIED, UNTRIED, HURTS), kept=3.25, money=lambda amount: f"{amount:.2f} EUR")
    assert chapter.claim.startswith("Effects of 1 actions rest on settled outcomes")
    assert "keep 3.2 customers" in chapter.claim
    assert chapter.words.endswith("Stopped, for they most likely lose money: survey invite.")
    assert [row.action for row in chapter.rows] == ["survey invite", "points bonus"]
    first = chapter.rows[0]
    assert (first.effect, first.interval, first.profit) == ("-5.0 points", "-7.0 to -3.0", "-5.25 EUR")
    assert (first.rests_on, first.loss_chance, first.is_stopped) == ("outcomes", "97%", True)
    nothing = beliefs_chapter((UNTRIED,), kept=0.0, money=str)
    assert nothing.claim.startswith("Effects of the actions are beliefs the owner wrote")
    assert nothing.words == "No outcome has settled yet: every action rests on the owner's word."
