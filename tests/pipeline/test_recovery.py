"""Features recover what truly drives the simulated shop's customers away, and find nothing where there is nothing.

A model of orders, contacts and returns says how likely each customer is to leave. A second one may correct it,
without and with the features of one more table. A gain is the fall of the log loss on later dates, with a
standard error over customers. The level of each date is given to both: the product forecasts it apart.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.special import expit

from features.build import build_features, feature_names
from features.builders import BUILDERS
from features.labels import build_labels
from features.population import population_of
from features.settings import FeatureSettings
from pipeline.config import Config, load_config
from pipeline.shop.files import write_history
from pipeline.shop.influences import true_influences
from pipeline.shop.settings import ShopSettings
from pipeline.shop.stepper import simulate_history
from tables.history import History
from tables.ingest import ingest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
UNTIL = date(2026, 6, 1)
HORIZON = 28
STEP = timedelta(days=15)
TRAINED, TESTED = 12, 6
KEYS = ["customer", "as_of"]
ENGAGEMENT = ("events", "tickets", "surveys", "offers", "loyalty", "subscriptions", "calendar")
DECOYS = ("email_open", "email_click")

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Gain:
    """Fall of the mean log loss and its standard error."""

    mean: float
    error: float


@dataclass(frozen=True)
class Recovery:
    """Labelled snapshots, those to be tested, the risk as orders tell it, and the columns each table adds."""

    snapshots: pd.DataFrame
    tested: Flags
    plain: Floats
    added: dict[str, list[str]]

    def gain(self, table: str) -> Gain:
        """Say what a table's features add to the risk told by orders, contacts and returns."""
        fall = self._loss([]) - self._loss(self.added[table])
        sums = pd.Series(fall).groupby(self.snapshots["customer"].to_numpy()[self.tested]).sum()
        return Gain(float(fall.mean()), float(sums.std() * np.sqrt(len(sums)) / len(fall)))

    def _loss(self, columns: list[str]) -> Floats:
        inputs, churned = self.snapshots[columns].assign(plain=self.plain), self.snapshots["churned"]
        model = booster(n_estimators=60, num_leaves=8, min_child_samples=100)
        model.fit(inputs[~self.tested], churned[~self.tested], init_score=self.plain[~self.tested])
        scores = self.plain[self.tested] + model.predict(inputs[self.tested], raw_score=True)
        return loss_within_dates(
            scores, churned[self.tested].to_numpy(), self.snapshots["as_of"][self.tested]
        )


def loss_within_dates(scores: Floats, churned: npt.NDArray[np.integer], as_of: pd.Series) -> Floats:
    """Return each row's log loss once every date's mean risk equals its churn rate; the level is not asked for."""
    centred = scores.copy()
    for day in as_of.unique():
        rows = (as_of == day).to_numpy()
        centred[rows] += brentq(excess, -5, 5, args=(scores[rows], churned[rows].mean()))
    return np.logaddexp(0, np.where(churned, -centred, centred))


def excess(shift: float, scores: Floats, rate: float) -> float:
    return float(expit(scores + shift).mean() - rate)


def booster(**settings: float) -> lgb.LGBMClassifier:
    return lgb.LGBMClassifier(
        learning_rate=0.05,
        max_bin=63,
        reg_lambda=5,
        random_state=1,
        n_jobs=1,
        deterministic=True,
        force_row_wise=True,
        verbose=-1,
        **settings,
    )


def plain_scores(snapshots: pd.DataFrame, columns: list[str], tested: Flags) -> Floats:
    """Return logits from the given columns; no model has seen the customer it speaks of, nor the tested dates."""
    fold = snapshots["customer"].to_numpy() % 3
    scores = np.zeros(len(snapshots))
    for each in range(3):
        known, unseen = ~tested & (fold != each), fold == each
        model = booster(n_estimators=120, num_leaves=12, min_child_samples=60, colsample_bytree=0.3)
        model.fit(snapshots.loc[known, columns], snapshots.loc[known, "churned"])
        scores[unseen] = model.predict(snapshots.loc[unseen, columns], raw_score=True)
    return scores


def shop_history(folder: Path) -> tuple[Config, History]:
    settings = ShopSettings(customers=4_500, offers_per_day=0.04)
    write_history(folder / "shop", simulate_history(settings, UNTIL, seed=8)[1])
    config = load_config(ROOT / "configs/demo.yaml", {"KEEPWELL__WORKSPACE": str(folder)})
    calendar, root = config.calendar(), folder / "history"
    ingest(config.sources, root=root, calendar=calendar, now=calendar.midnight(UNTIL), settings=config.ingest)
    return config, History.open(root)


def snapshots_of(config: Config, history: History, settings: FeatureSettings) -> pd.DataFrame:
    rule = replace(config.churn.rule(), horizon_days=HORIZON)
    newest = UNTIL - timedelta(days=rule.settled_days + 2)
    tested = [newest - STEP * turn for turn in range(TESTED)]
    known = [tested[-1] - timedelta(days=rule.settled_days) - STEP * turn for turn in range(TRAINED)]
    calendar = config.calendar()
    features = build_features(
        history,
        as_of=known + tested,
        calendar=calendar,
        settings=settings,
        population=population_of(rule),
    )
    labels = build_labels(history, as_of=known + tested, calendar=calendar, rule=rule, known_before=None)
    return pd.concat([block.frame for block in features]).merge(
        pd.concat([block.frame for block in labels]), on=KEYS
    )


@pytest.fixture(scope="module")
def recovery(tmp_path_factory: pytest.TempPathFactory) -> Recovery:
    config, history = shop_history(tmp_path_factory.mktemp("shop"))
    settings = replace(config.feature_settings(), horizon_days=HORIZON)
    snapshots = snapshots_of(config, history, settings)
    added = {
        table: list(feature_names(history, settings, [each for each in BUILDERS if table in each.needs]))
        for table in ENGAGEMENT
    }
    named = {name for names in added.values() for name in names}
    added["decoys"] = [name for name in added["events"] if any(decoy in name for decoy in DECOYS)]
    plain = [name for name in snapshots if name not in {*named, *KEYS, "churned"}]
    tested = (snapshots["as_of"] > np.sort(snapshots["as_of"].unique())[TRAINED - 1]).to_numpy()
    return Recovery(snapshots, tested, plain_scores(snapshots, plain, tested), added)


@pytest.mark.parametrize("table", ["events", "tickets", "surveys", "offers", "loyalty", "subscriptions"])
def test_a_table_that_tells_of_leaving_improves_the_forecast(recovery: Recovery, table: str) -> None:
    influence = true_influences().query("table == @table")
    assert ((influence["leaving"] != 1) | (influence["ordering"] != 1) | (influence["tells_of"] != "")).any()
    found = recovery.gain(table)
    assert found.mean > 2 * found.error > 0, found


def test_a_decoy_improves_nothing_beyond_noise(recovery: Recovery) -> None:
    influence = true_influences().set_index("happening").loc[list(DECOYS)]
    assert (influence[["leaving", "ordering"]] == 1).all(axis=None)
    assert not influence["tells_of"].any()
    assert len(recovery.added["decoys"]) > 10
    found = recovery.gain("decoys")
    assert abs(found.mean) < 2 * found.error, found
