"""A business without orders from its files to a plan and a page, and nothing later in what it learns from."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from pandas.testing import assert_frame_equal

from pipeline.config import load_config
from pipeline.flows import NightOptions, nightly
from pipeline.handover.exporting import export
from pipeline.measuring.measuring import measure
from pipeline.run import Run
from pipeline.snapshots import date_frame, training
from pipeline.steps import ingested
from pipeline.training.retraining import retrain
from tables.calendar import BusinessCalendar
from tables.publish import Manifest, published
from tables.storage import read_table
from tests.contract_shop import AS_OF, DAYS, FIRST, drawn, run_of, write


class Made(NamedTuple):
    """What retraining and a night brought."""

    run: Run
    trained: dict[str, Any]
    night: dict[str, Any]
    manifest: Manifest


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Made:
    """The business, trained and published by whichever test process comes first."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "contracts"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            folder.mkdir()
            with run_of(write(folder, *drawn())).locked("test") as held:
                trained = retrain(held, as_of=AS_OF)
                night = nightly(held, as_of=AS_OF, options=NightOptions(today=AS_OF))
            (folder / "answers.json").write_text(json.dumps([trained, night]))
    run = run_of(load_config(folder / "contracts.yaml", {}))
    manifest = published(run.workspace, AS_OF)
    assert manifest is not None
    return Made(run, *json.loads((folder / "answers.json").read_text()), manifest)


@pytest.mark.slow
def test_contracts_are_evaluated_without_rivals_by_silence(made: Made) -> None:
    evaluation = made.trained["evaluation"]
    assert [model["name"] for model in evaluation["models"]] == [
        "keepwell",
        "lightgbm_plain",
        "logistic_rich",
        "subscription_age",
    ]
    assert evaluation["left_out"] == ["logistic_rfmt", "bgnbd_no_purchase", "days_since_last_order"]
    assert "left out, for nobody leaves by silence here: logistic_rfmt" in made.trained["text"]
    assert evaluation["models"][0]["auc"] > 0.6  # who uses little leaves sooner
    assert made.trained["promoted"]


@pytest.mark.slow
def test_everybody_with_a_contract_is_scored_and_valued(made: Made) -> None:
    scores = read_table(made.manifest.table("scores"))
    subscribed = scores["risk_source"] == "model"
    assert set(scores["risk_source"]) == {"model", "population_rate"}
    assert set(scores.loc[subscribed, "lifecycle"]) == {"new", "active", "returned"}
    assert set(scores.loc[~subscribed, "lifecycle"]) == {"lapsed"}
    assert (scores.loc[subscribed, "margin"] > 0).all()
    assert (scores.loc[~subscribed, "margin"] > 0).all()  # by the last fee
    assert (scores.loc[~subscribed, "clv"] == 0).all()
    assert (scores.loc[~subscribed, "churn_risk"] == made.night["level"]).all()
    assert set(scores["segment"]) == {"never_bought"}
    assert made.night["customers"] == subscribed.sum()


@pytest.mark.slow
def test_the_plan_reaches_subscribers_and_the_page_says_what_left_means(made: Made) -> None:
    plan = read_table(made.manifest.table("plan"))
    assert made.night["sent"] == (plan["action"] != "none").sum() > 0
    page = made.manifest.report("index.html").read_text()
    assert "the subscription ends in the 30 days from that date" in page
    assert "newest subscription seen" in page
    assert "nobody leaves by silence here" in page
    assert "never bought" not in page


@pytest.mark.slow
def test_a_win_back_is_planned_handed_over_and_measured(made: Made, tmp_path: Path) -> None:
    plan = read_table(made.manifest.table("plan"))
    won = plan[plan["planned_action"] == "win_back_message"].set_index("customer_id")
    assert set(won["risk_source"]) == {"population_rate"}
    assert won["expected_value"].tolist() == pytest.approx(
        (won["effect_mean"] * won["margin"] - 0.10).tolist()
    )
    folder, shop = tmp_path / "shop", made.run.workspace.parent
    shutil.copytree(shop, folder)
    settings = folder / "contracts.yaml"
    settings.write_text(settings.read_text().replace(str(shop), str(folder)))
    run = run_of(load_config(settings, {}))
    with run.locked("test") as held:
        export(held, as_of=AS_OF, today=AS_OF, out=folder / "out")
    letters = pd.read_csv(folder / "out/email.csv").query("action == 'win_back_message'")
    assert sorted(letters["customer_id"]) == won.index[won["action"] == "win_back_message"].tolist()

    sent = won.index[won["arm"] == "sent"]
    back = sent[: len(sent) // 2]
    began = [f"{name},small,30,back {name},2025-11-20 10:00:00," for name in back]
    with (folder / "subscriptions.csv").open("a") as rows:
        rows.write("\n".join([*began, "somebody else,small,30,later,2025-12-20 10:00:00,", ""]))
    day = AS_OF + timedelta(days=51)
    later = Run(config=run.config, now=BusinessCalendar("UTC").midnight(day + timedelta(days=1)))
    with later.locked("test") as held:
        found = measure(held, as_of=day, today=day)
    reading = next(each for each in found["actions"] if each["name"] == "win_back_message")
    assert reading["stayed"]["control_mean"] == 0  # nobody withheld came back
    assert reading["stayed"]["difference"] == pytest.approx(len(back) / len(sent))


@pytest.mark.slow
def test_the_same_night_again_changes_nothing(made: Made) -> None:
    with made.run.locked("test") as held:
        again = nightly(held, as_of=AS_OF, options=NightOptions(today=AS_OF))
    assert again["changed"] is False


def test_another_future_changes_neither_watched_features_nor_labels(tmp_path: Path) -> None:
    contracts, uses = drawn(seed=5, customers=80)
    contracts, days, rng = contracts.assign(known=0), 200, np.random.default_rng(1)
    later = contracts["ended"] >= days
    moved = days + rng.integers(0, DAYS, len(contracts))
    other = contracts.assign(ended=np.where(later, moved, contracts["ended"]))
    other = other[(other["started"] < days) | (rng.random(len(other)) < 0.5)]
    seen = []
    for name, rows in {"one": contracts, "other": other}.items():
        folder = tmp_path / name
        folder.mkdir()
        run = run_of(write(folder, rows.drop(columns="known"), uses[uses["occurred"] < days]))
        seen.append(_seen(run, days))
    for first, second in zip(*seen, strict=True):
        assert len(first) > 0
        assert_frame_equal(second, first)


def test_a_date_with_nobody_to_watch_is_left_out_of_training(tmp_path: Path) -> None:
    contracts, uses = drawn(seed=5, customers=80)
    alone = contracts.head(1).assign(customer_id="first", started=0, ended=5)
    rows = pd.concat([alone, contracts[contracts["started"] >= 150]], ignore_index=True)
    run = run_of(write(tmp_path, rows, uses[uses["occurred"] >= 150]))
    with run.locked("test") as held:
        history = ingested(held)
        known = training(held, history, until=held.newest_day(history))
    assert set(known.references) == set(known.as_of) == set(known.series.as_of)
    assert min(known.references) > FIRST + timedelta(days=150)


def _seen(run: Run, days: int) -> tuple[pd.DataFrame, ...]:
    """Return what a date shows and what is learnt at it, by customer id."""
    day = (pd.Timestamp("2025-01-01") + pd.Timedelta(days=days)).date()
    with run.locked("test") as held:
        history = ingested(held)
        frame, known = date_frame(held, history, day), training(held, history, until=day)
    ids = history.customer_ids(0)
    shown = frame.features.assign(customer=ids[frame.customer], watched=frame.in_population)
    learnt = known.features.assign(customer=ids[known.customer], as_of=known.as_of, churned=known.churned)
    return shown.reset_index(drop=True), learnt
