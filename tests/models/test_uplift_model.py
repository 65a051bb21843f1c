"""The model of one action: what it says, when it may serve, how it is kept."""

import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from benchmarks.uplift import QINI_GOAL, TOP_GOAL, WOMENS, read_mails
from models import bootstrap
from models.uplift.gate import (
    MODEL,
    RESPONSE,
    RISK,
    Stakes,
    by_worth,
    decide,
    gain_over_single,
    rankings_of,
)
from models.uplift.line import Line
from models.uplift.metrics import Trial, gain_curve
from models.uplift.model import FittedUplift, UpliftModel, fit_uplift
from models.uplift.out_of_fold import OutOfFold
from models.uplift.policies import Experiment, chances
from tables.errors import RegistryError, SchemaError

SENT = 0.8


class Units(NamedTuple):
    """Planned units of one action: features, what became of them, and by how much it helped."""

    X: pd.DataFrame
    churned: np.ndarray
    treated: np.ndarray
    reduction: np.ndarray


def planned(seed: int, rows: int, *, helped: float, others: float) -> Units:
    """Draw units of which every other is helped; who is at risk has nothing to do with it."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        rng.normal(size=(rows, 4)),
        columns=["orders_90d", "spend_90d", "days_since_last_order", "tickets_30d"],
    )
    reduction = np.where(X["orders_90d"] > 0, helped, others)
    treated = rng.random(rows) < SENT
    risk = 0.5 + 0.1 * np.tanh(X["spend_90d"]) - reduction * treated
    return Units(X, (rng.random(rows) < risk).astype(int), treated, reduction)


@pytest.fixture(scope="module")
def served() -> tuple[Units, FittedUplift]:
    units = planned(0, 4_000, helped=0.25, others=-0.05)
    return units, fit_uplift(units.X, units.churned, units.treated, SENT, seed=0)


def test_model_that_finds_whom_it_helps_serves(served: tuple[Units, FittedUplift]) -> None:
    units, (model, decision) = served
    assert model is not None and decision.serves
    assert "The uplift model serves: Qini" in decision.words
    assert decision.gain is not None and decision.gain.low > 0
    # One contact costs nothing and a customer is worth 1 each: worth is customers kept, today's rule is chance.
    assert decision.worth is not None and decision.above_today is not None
    assert decision.worth.low > decision.above_today.value > 0
    assert {MODEL, RESPONSE, RISK} < {row.ranking for row in decision.rankings}
    uplift = model.uplift(units.X)
    assert np.corrcoef(uplift, units.reduction)[0, 1] > 0.8
    assert uplift.mean() == pytest.approx(units.reduction.mean(), abs=0.05)
    assert uplift[units.reduction < 0].mean() < 0.05


def test_standard_error_grows_with_distance_from_the_average(served: tuple[Units, FittedUplift]) -> None:
    units, (model, _) = served
    assert model is not None
    uplift, error = model.uplift_and_error(units.X)
    distance = np.abs(uplift - model.line.average)
    assert error.min() == pytest.approx(model.line.average_error, rel=0.01)
    assert np.array_equal(np.argsort(error, kind="stable"), np.argsort(distance, kind="stable"))


def test_model_read_from_text_says_the_same(served: tuple[Units, FittedUplift]) -> None:
    units, (model, _) = served
    assert model is not None
    read = UpliftModel.from_json(json.dumps(json.loads(model.to_json()), sort_keys=True))
    reordered = units.X[units.X.columns[::-1]]
    assert np.array_equal(read.uplift(reordered), model.uplift(units.X))
    assert len(read.uplift(reordered[:0])) == 0
    assert read.to_json() == model.to_json()
    with pytest.raises(RegistryError, match=r"format 1 is read here; found 0\. Retrain"):
        UpliftModel.from_json(model.to_json().replace('"format": 1', '"format": 0'))


def test_other_features_than_those_of_the_training_are_refused(served: tuple[Units, FittedUplift]) -> None:
    units, (model, _) = served
    assert model is not None
    with pytest.raises(SchemaError, match=r"uplift model: other features .* missing \['spend_90d'\]"):
        model.uplift(units.X.drop(columns="spend_90d"))
    with pytest.raises(SchemaError, match="columns that are not numbers"):
        fit_uplift(units.X.assign(region="LT"), units.churned, units.treated, SENT, seed=0)


def test_action_that_helps_all_alike_gets_no_model() -> None:
    units = planned(1, 2_800, helped=0.1, others=0.1)
    model, decision = fit_uplift(units.X, units.churned, units.treated, SENT, seed=0)
    assert model is None and not decision.serves
    assert "its Qini is not above 0 for sure" in decision.words
    assert "its best 30% are no better for sure than 30% at random" in decision.words
    told = decision.as_dict()
    assert set(told["rankings"][0]["qini"]) == {"value", "low", "high"} == set(told["gain"])


@pytest.mark.parametrize(
    ("rows", "churned", "chance", "words"),
    [
        (600, [1, 0], 0.8, "found 300 treated rows where 500 are needed"),
        (2_000, [1, 1], 0.8, "found 0 treated rows of the rarer outcome where 50 are needed"),
        (2_000, [1, 0], 0.99, "found an arm drawn with a chance of 0.01 where 0.02 is needed"),
    ],
)
def test_too_little_evidence_is_refused_in_words(
    rows: int, churned: list[int], chance: float, words: str
) -> None:
    X = pd.DataFrame({"orders_90d": np.arange(rows, dtype=float)})
    outcome, treated = np.tile(churned, rows // 2), np.arange(rows) % 4 < 2
    model, decision = fit_uplift(X, outcome, treated, chance, seed=0)
    assert model is None
    assert decision.words == f"The uplift model does not serve: {words}."


def test_only_the_rows_asked_for_are_judged() -> None:
    X = pd.DataFrame({"orders_90d": np.arange(4_000.0)})
    newest = np.arange(4_000) >= 3_200
    found = fit_uplift(X, np.tile([1, 0], 2_000), np.arange(4_000) % 4 < 2, 0.5, seed=0, judged=newest)
    assert "found 400 treated rows where 500 are needed" in found.decision.words


def seen_by(score: np.ndarray, effect: np.ndarray, seed: int = 0) -> OutOfFold:
    """Rows of a trial of a known effect, as if a model had given them a score."""
    rng, rows = np.random.default_rng(seed), len(score)
    arm = rng.integers(0, 2, rows)
    stayed = (rng.random(rows) < 0.4 + effect * arm).astype(float)
    expected = np.tile([0.4, 0.4 + effect.mean()], (rows, 1))
    trial = Experiment(stayed, arm, chances([0.5, 0.5], rows), expected, np.arange(rows))
    return OutOfFold({"score": score[:, None]}, trial, np.arange(rows) // 4 % 2)


def test_a_model_that_earns_less_than_the_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for draws in ("MOST_DRAWS", "_FEWEST_DRAWS"):
        monkeypatch.setattr(bootstrap, draws, 40)
    rng = np.random.default_rng(0)
    one, other = rng.random(4_000) < 0.5, rng.random(4_000) < 0.5
    effect = 0.05 + 0.1 * one + 0.25 * other
    seen = seen_by(0.1 * one, effect)
    by_chance = Stakes(0.25, np.full(4_000, 60.0), 2.0, np.zeros(4_000))
    by_other = replace(by_chance, today=0.25 * other.astype(np.float64))
    better, worse = (decide(seen, stakes, seed=0) for stakes in (by_chance, by_other))
    assert better.serves and not worse.serves
    assert "the 25% worth most earn less than as many by today's rule" in worse.words
    # A quarter of the customers, 275 of 1,000 kept of them: 60 each, and 2 for each contact.
    assert better.worth is not None and better.worth == worse.worth
    assert better.worth.low < 0.25 * (0.275 * 60 - 2) < better.worth.high
    assert better.above_today is not None and worse.above_today is not None
    assert better.above_today.low < 0.25 * 0.05 * 60 < better.above_today.high
    assert worse.above_today.low < 0.25 * (0.275 - 0.35) * 60 < worse.above_today.high


def test_who_is_worth_most_need_not_be_helped_most() -> None:
    score = np.tile([0.6, 0.4, 0.1, 0.0], 500)
    stakes = Stakes(0.25, np.tile([1.0, 10.0, 1.0, 20.0], 500), 0.0, np.ones(2_000))
    by_model, by_rule = by_worth(seen_by(score, score), stakes)
    # Worth by the model: about .6, 4, .1 and 0; by a rule that believes the same of all: the margin.
    assert by_model[:4, 1].tolist() == [0, 1, 0, 0]
    assert by_rule[:4, 1].tolist() == [0, 0, 0, 1]


def test_a_rule_learns_from_other_folds_alone() -> None:
    seen = seen_by(np.zeros(10), np.zeros(10))
    told = seen.learnt(lambda known: np.full(10, seen.fold[known].mean()))
    assert told.tolist() == (1 - seen.fold).tolist()
    assert seen.take(seen.fold == 1).experiment.unit.tolist() == [4, 5, 6, 7]


def test_scores_that_spread_twice_too_far_are_halved() -> None:
    rng = np.random.default_rng(0)
    score, fold = rng.normal(size=(20_000, 1)), rng.integers(0, 5, 20_000)
    arm = rng.integers(0, 2, 20_000)
    outcome = 0.1 * arm + 0.5 * score[:, 0] * arm + rng.normal(0, 0.1, 20_000)
    rows = Experiment(outcome, arm, chances([0.5, 0.5], 20_000), np.zeros((20_000, 2)), np.arange(20_000))
    line = Line.fit(OutOfFold({"score": score}, rows, fold))
    assert abs(line.slope - 0.5) < 3 * line.slope_error < 0.1
    assert abs(line.average - 0.1) < 3 * line.average_error < 0.05
    assert Line.fit(OutOfFold({"score": -score}, rows, fold)).slope == 0


def test_a_policy_must_beat_the_arm_hardest_to_beat() -> None:
    rng = np.random.default_rng(0)
    rows, helped = 6_000, rng.random(6_000) < 0.5
    truth = np.column_stack([np.full(rows, 0.2), 0.2 + 0.4 * helped, np.full(rows, 0.5)])
    arm = rng.integers(0, 3, rows)
    outcome = (rng.random(rows) < truth[np.arange(rows), arm]).astype(float)
    experiment = Experiment(outcome, arm, chances(np.full(3, 1 / 3), rows), truth, np.arange(rows))
    seen = OutOfFold({"truth": truth[:, 1:] - truth[:, :1]}, experiment, np.zeros(rows, int))
    gain = gain_over_single(seen, 0.5)
    assert gain.low < 0.5 * 0.1 < gain.high  # half treated: .4 each instead of the .3 of arm 2 for anybody
    assert gain.high < 0.5 * 0.2  # arm 1 for anybody would have been beaten by this much


def test_level_of_a_fold_does_not_touch_ranks() -> None:
    rows = Experiment(np.zeros(4), np.zeros(4, int), chances([0.5, 0.5], 4), np.zeros((4, 2)), np.arange(4))
    seen = OutOfFold({"score": np.zeros((4, 1))}, rows, np.array([0, 0, 1, 1]))
    assert seen.ranked(np.array([1.0, 2.0, 30.0, 20.0])).tolist() == [0.5, 1.0, 1.0, 0.5]


@pytest.mark.real
def test_uplift_beats_the_risk_ranking_on_the_mail_experiment(real_data: Path) -> None:
    mails = read_mails(real_data).against_none(WOMENS)
    trial = Trial.of(mails.visited, mails.arm, 0.5)
    curves = {name: gain_curve(rank, trial) for name, rank in rankings_of(mails.out_of_fold(0)).items()}
    assert curves[MODEL].qini >= QINI_GOAL
    assert (
        curves[MODEL].uplift_of_top(0.3) >= TOP_GOAL - 0.002
    )  # one split strays that far; the benchmark takes five
    assert curves[RISK].qini < 0.002
    assert curves[RISK].uplift_of_top(0.3) < 0.055
