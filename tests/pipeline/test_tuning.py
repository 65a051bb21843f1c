"""A search is repeatable, never ends worse than it began, sees no outcome it may not, and writes what it found."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from models.settings import ONE_POLICY, BoostingSettings
from pipeline.config import load_config
from pipeline.run import Run
from pipeline.steps import ingested
from pipeline.training.search import Tried, ranking_loss, search
from pipeline.training.tuning import Budget, _risk, development_trials, tune
from tables.calendar import DAY
from tables.errors import ConfigError
from tests.small_shop import ACTIONS, SHOP

RNG = np.random.default_rng(3)
TRUTH = RNG.normal(size=400)
CHURNED = (RNG.random(400) < expit(TRUTH)).astype(np.int8)
FIRST, WEEKS = date(2025, 1, 1), 7
CONFIG = (
    "# my shop\n"
    + SHOP
    + """\
churn: {{horizon_days: 7, active_within_days: 14}}
model: {{folds: 2, max_rounds: 15, least_customers: 50, recipe: {{members: [boosting]}}}}
features: {{windows: [7, 14]}}
registry: {{tracking_uri: "http://127.0.0.1:9", retries: 0}}
"""
    + ACTIONS
)


def searched(seed: int, trials: int = 12) -> list[Tried]:
    """Search where risks are the truth, the noisier the further the leaves are from 16."""
    losses = [ranking_loss(CHURNED)] * 2

    def risks(settings: BoostingSettings, position: int) -> np.ndarray[Any, Any]:
        noise = np.random.default_rng(position).normal(size=400)
        return np.asarray(expit(TRUTH + 0.3 * abs(settings.num_leaves - 16) * noise))

    said = tuple(risks(ONE_POLICY, position) for position in range(2))
    reached = tuple(loss(risk) for loss, risk in zip(losses, said, strict=True))
    configured = Tried(ONE_POLICY, reached, said, is_whole=True)
    return search(losses, risks, configured, seed=seed, minutes=1, trials=trials)


def test_the_same_seed_tries_the_same_settings() -> None:
    first, again, other = ([one.settings for one in searched(seed)] for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_search_finds_leaves_nearer_the_best() -> None:
    tried = searched(1, trials=25)
    best = min((one for one in tried if one.is_whole), key=lambda one: one.loss)
    assert tried[0].settings == ONE_POLICY
    assert abs(best.settings.num_leaves - 16) <= 2
    assert best.loss < tried[0].loss


def test_hopeless_trials_are_given_up_early() -> None:
    given_up = [one for one in searched(1, trials=25) if not one.is_whole]
    assert given_up
    assert {len(one.losses) for one in given_up} == {1}


def test_level_of_the_risks_does_not_matter_to_a_trial() -> None:
    loss = ranking_loss(CHURNED)
    assert loss(expit(TRUTH)) == pytest.approx(loss(expit(TRUTH - 2)), abs=1e-6)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose customers buy each at a rate of their own."""
    folder, rng = tmp_path_factory.mktemp("tune"), np.random.default_rng(5)
    orders = ["who,order,at,amount"]
    for customer in range(150):
        often = rng.random()
        for week in range(WEEKS):
            if rng.random() < often:
                day = FIRST + timedelta(days=7 * week + int(rng.integers(7)))
                orders.append(f"c{customer},{week},{day},{rng.integers(5, 50)}")
    (folder / "orders.csv").write_text("\n".join([*orders, ""]))
    (folder / "shop.yaml").write_text(CONFIG.format(folder=folder))
    return folder / "shop.yaml"


@pytest.fixture(scope="module")
def answer(shop: Path) -> dict[str, Any]:
    run, out = Run(config=load_config(shop, {}), now=30_000 * DAY), shop.with_name("found.yaml")
    with run.locked("test") as held, pytest.MonkeyPatch.context() as patch:
        # Every trial half knows the answer, so that something better is found for sure.
        patch.setattr(
            "pipeline.training.tuning._risk", lambda run, trial, settings: (trial.risk + trial.churned) / 2
        )
        found = tune(held, shop, as_of=date(2025, 2, 19), out=out, budget=Budget(5, 3))
    return json.loads(json.dumps(dict(found)))


def test_dates_searched_on_are_settled_before_the_untouched_one(answer: dict[str, Any]) -> None:
    untouched = date.fromisoformat(answer["untouched"])
    assert untouched == date(2025, 2, 11)  # the log ends on the 18th
    assert answer["dates"][0] == "2025-02-03"  # the newest order before it is of the 10th
    assert all(date.fromisoformat(day) + timedelta(days=7) <= untouched for day in answer["dates"])
    assert answer["trials"] == 3


def test_found_configuration_is_the_given_one_with_other_settings(shop: Path, answer: dict[str, Any]) -> None:
    found, given = load_config(Path(answer["out"]), {}), load_config(shop, {})
    assert found.model.boosting.model_dump() == answer["best"]["settings"]
    boosting = found.model.model_copy(update={"boosting": given.model.boosting})
    assert found.model_copy(update={"model": boosting}) == given
    assert answer["best"]["log_loss"] < answer["configured"]["log_loss"]
    assert answer["difference"]["difference"] < 0


def test_what_was_found_is_kept_when_the_server_is_down(shop: Path, answer: dict[str, Any]) -> None:
    assert not answer["logged"]
    assert Path(answer["out"]) == shop.with_name("found.yaml")


def test_trial_of_the_same_settings_says_the_same(shop: Path) -> None:
    run = Run(config=load_config(shop, {}), now=30_000 * DAY)
    with run.locked("test") as held:
        (trial, *_) = development_trials(held, ingested(held), date(2025, 1, 29))
        same, other = (
            _risk(held, trial, settings) for settings in (ONE_POLICY, BoostingSettings(num_leaves=2))
        )
    assert np.array_equal(same, trial.risk)
    assert not np.array_equal(other, trial.risk)


def test_an_existing_file_is_not_written_over(shop: Path) -> None:
    run = Run(config=load_config(shop, {}), now=30_000 * DAY)
    with run.locked("test") as held, pytest.raises(ConfigError, match="the file exists already"):
        tune(held, shop, as_of=date(2025, 2, 19), out=shop, budget=Budget(5, 1))
