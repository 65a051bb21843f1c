"""Nights published with a working action: what a training and an evaluation make of those who were sent it."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from actions.experiment.control import draw_below
from models.metrics import log_loss
from models.settings import Recipe, Treated
from pipeline.board import tasks
from pipeline.config import load_config
from pipeline.run import Run
from pipeline.snapshots import labelled, level_series, training
from pipeline.steps import ingested
from pipeline.training import ablating, tuning
from pipeline.training.evaluating import evaluate_at, try_at
from pipeline.treated import assignments, count_rows
from tables.calendar import DAY
from tables.history import History
from tables.publish import Publication, published, published_dates
from tables.storage import read_table, write_table
from tests.small_shop import ACTIONS, SHOP

ROOT = Path(__file__).parents[2]
FIRST, WEEKS, CUSTOMERS = date(2025, 1, 1), 9, 300
EVALUATED = FIRST + timedelta(days=7 * (WEEKS - 1))
CONFIG = (
    SHOP
    + """\
churn: {{horizon_days: 7, active_within_days: 42}}
model: {{folds: 2, max_rounds: 10, least_customers: 50}}
features: {{windows: [7, 14]}}
"""
    + ACTIONS
)


class Shop:
    """A shop whose fading half is planned for every Wednesday: an action makes nearly each of them order that week."""

    def __init__(self, folder: Path) -> None:
        rng, weeks = np.random.default_rng(3), np.arange(WEEKS + 1)
        self.ids = [f"c{at}" for at in range(CUSTOMERS)]
        self.is_sent = ~draw_below(self.ids, 0.2, salt="2025H1", purpose="withhold")
        self.fading = np.arange(CUSTOMERS) % 2 == 0
        luck, self.day = rng.random((CUSTOMERS, len(weeks))), rng.integers(0, 7, (CUSTOMERS, len(weeks)))
        self.alone = luck < np.where(self.fading, 0.3, 0.8)[:, None]
        self.ordered = np.where((self.fading & self.is_sent)[:, None], luck < 0.95, self.alone)
        self.ordered[:, 0] = True
        rows = ["who,order,at,amount"]
        for at, week in zip(*np.nonzero(self.ordered), strict=True):
            day = FIRST + timedelta(days=int(7 * week + self.day[at, week]))
            rows.append(f"c{at},{week},{day},{rng.integers(5, 50)}")
        (folder / "orders.csv").write_text("\n".join([*rows, f"c0,last,{FIRST + timedelta(days=70)},9\n"]))
        (folder / "shop.yaml").write_text(CONFIG.format(folder=folder))

    def plan(self, night: date) -> pd.DataFrame:
        """Plan for the fading, and one erased since."""
        who, sent = np.array(self.ids)[self.fading], self.is_sent[self.fading]
        rows = {
            "customer_id": [*who, "erased"],
            "as_of": pd.Timestamp(night),
            "arm": [*np.where(sent, "sent", "control"), "sent"],
            "propensity": [*np.where(sent, 0.8, 0.15), 0.8],
            "planned_action": "mail",
            "salt": "2025H1",
        }
        return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, Run]:
    folder = tmp_path_factory.mktemp("treated")
    made = Shop(folder)
    run = Run(config=load_config(folder / "shop.yaml", {}), now=30_000 * DAY)
    with run.locked("test") as held:
        ingested(held)
        for week in range(1, WEEKS + 1):
            night = FIRST + timedelta(days=7 * week)
            with Publication(held.lock, night) as publication:
                write_table(made.plan(night), publication.table("plan"))
                publication.publish(facts={}, timings={})
    return made, run


def under(run: Run, policy: Treated) -> Run:
    model = run.config.model.model_copy(update={"treated": policy})
    return Run(config=run.config.model_copy(update={"model": model}), now=run.now)


def test_published_nights_leave_the_treated_out_of_training(shop: tuple[Shop, Run]) -> None:
    made, run = shop
    with run.locked("test") as held:
        history = ingested(held)
        known = training(held, history, until=EVALUATED)
        raw = training(under(held, "all"), history, until=EVALUATED)
    ids = np.array([history.customer_ids(0)[key] for key in known.customer])
    fading, sent = (dict(zip(made.ids, flags, strict=True)) for flags in (made.fading, made.is_sent))
    assert not any(fading[name] and sent[name] for name in ids)
    assert known.weight is not None and known.treated is not None
    assert list(known.weight) == [5 if fading[name] else 1 for name in ids]
    assert raw.weight is None
    assert len(raw.churned) == known.treated.rows == len(known.churned) + known.treated.dropped
    assert set(known.series.as_of) == set(raw.series.as_of)
    assert np.mean(known.series.churn_rate) == pytest.approx(known.treated.churn_rate, abs=0.02)
    assert np.mean(known.series.churn_rate) > np.mean(raw.series.churn_rate) + 0.1
    assert max(known.series.customers) < CUSTOMERS / 2  # so many equal rows would tell as much


def test_published_nights_teach_the_rate_without_action(shop: tuple[Shop, Run]) -> None:
    made, run = shop
    day = EVALUATED
    with run.locked("test") as held:
        history = ingested(held)
        rows = labelled(held, history, [day], known_before=None)
        found = {policy: count_rows(under(held, policy), history, rows) for policy in ("untreated", "all")}
    truth = 1 - made.alone[:, WEEKS - 1].mean()
    assert len(rows) == CUSTOMERS
    assert found["untreated"].facts.churn_rate == pytest.approx(truth, abs=0.06)
    assert found["all"].facts.churn_rate < truth - 0.15


def test_the_level_series_of_a_night_is_weighted_too(shop: tuple[Shop, Run]) -> None:
    _, run = shop
    with run.locked("test") as held:
        history = ingested(held)
        known = training(held, history, until=EVALUATED - timedelta(days=7))
        longer = level_series(held, history, known.series, until=EVALUATED)
        again = training(held, history, until=EVALUATED)
    rates = dict(zip(again.series.as_of, again.series.churn_rate, strict=True))
    newer = [day for day in longer.as_of if day not in known.series.as_of]
    assert newer
    told = dict(zip(longer.as_of, longer.churn_rate, strict=True))
    assert [told[day] for day in newer if day in rates] == [rates[day] for day in newer if day in rates]


def test_an_evaluation_tells_what_leaving_the_treated_out_changed(shop: tuple[Shop, Run]) -> None:
    made, run = shop
    with run.locked("test") as held:
        history = ingested(held)
        trial, evaluation = try_at(held, history, EVALUATED), evaluate_at(held, history, EVALUATED)
    treated = evaluation.answer(7)["treated"]
    sent = int((made.fading & made.is_sent).sum())
    assert treated["policy"] == "untreated"
    assert treated["evaluation"]["dropped"] == sent
    assert evaluation.customers == CUSTOMERS - sent == len(trial.risk) == len(trial.population)
    assert evaluation.churn_rate == treated["evaluation"]["churn_rate"]
    assert treated["evaluation"]["log_loss"] == pytest.approx(evaluation.log_loss)
    assert evaluation.log_loss == log_loss(trial.churned, trial.risk, weight=trial.weight)
    assert treated["evaluation"]["log_loss_of_all"] != evaluation.log_loss
    assert f"treated customers, evaluation: {sent} of {CUSTOMERS} snapshots left out" in evaluation.lines()


def test_variants_take_their_level_from_everybody_too(
    shop: tuple[Shop, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, run = shop
    monkeypatch.setattr(ablating, "shortened", lambda recipe, members: [("the same", recipe)])
    with run.locked("test") as held:
        history = ingested(held)
        trial = try_at(held, history, EVALUATED)
        tuned = tuning._risk(held, trial, held.config.model.boosting)
        full, same, _ = ablating.ablate(held, history, EVALUATED).models
    assert np.array_equal(tuned, trial.risk)
    assert {**same, "name": ""} == {**full, "name": ""}


def test_the_uncorrected_level_is_everybody_s_too(
    shop: tuple[Shop, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, run = shop
    monkeypatch.setattr(tasks, "predict_rivals", lambda contest, rivals: {})
    model = run.config.model.model_copy(update={"recipe": Recipe(level="uncorrected")})
    with run.locked("test") as held:
        history = ingested(held)
        ours = tasks._outcome(held, history, EVALUATED).predictions[tasks.UNCORRECTED]
        config = held.config.model_copy(update={"model": model})
        trial = try_at(replace(held, config=config), history, EVALUATED)
    assert np.array_equal(ours, trial.risk)


def test_a_night_the_product_planned_is_read_as_it_was_meant(demo_made: Path) -> None:
    run = Run(config=load_config(ROOT / "configs/demo.yaml", {"KEEPWELL__WORKSPACE": str(demo_made)}), now=0)
    (night,) = published_dates(run.workspace)[-1:]
    manifest, history = published(run.workspace, night), History.open(run.history_root)
    assert manifest is not None
    plan = read_table(manifest.table("plan")).set_index("customer_id")
    assigned = assignments(run, history, [night])
    assert assigned["arm"].value_counts().to_dict() == plan["arm"].value_counts().to_dict()
    keys = plan.index.map(history.customer_key)
    rows = pd.DataFrame({"customer": keys, "as_of": pd.Timestamp(night), "churned": 0})
    weight = pd.Series(count_rows(run, history, rows).weight, index=plan.index)
    marketing = plan["propensity"] < 1
    assert set(weight[(plan["arm"] == "sent") & marketing]) == {0}
    assert set(weight[plan["arm"] == "control"]) == {1 / run.config.actions.control.withheld_share}
    assert set(weight[(plan["arm"] == "global_control") | ~marketing]) == {1}
