import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation import evaluate_models, paired_differences
from models.pooled import Outcome, pooled_differences, pooled_metrics
from tables.errors import DataError

SEED = 3


def outcome(n: int, *, seed: int, shift: float = 0.0) -> Outcome:
    rng = np.random.default_rng(seed)
    risk = rng.random(n)
    churned = (rng.random(n) < risk).astype(np.int8)
    churned[:2] = 0, 1
    noise = np.clip(risk + rng.normal(0, 0.3, n), 0, 1)
    ours = np.clip(risk + shift, 0, 1)
    return Outcome(churned, np.arange(n), {"ours": ours, "other": noise})


def test_mean_of_two_dates_is_worked_by_hand() -> None:
    people = np.arange(4)
    right = Outcome(np.array([1, 0, 1, 0]), people, {"one": np.array([0.9, 0.1, 0.8, 0.2])})
    tied = Outcome(np.array([1, 0, 1, 0]), people, {"one": np.array([0.5, 0.5, 0.5, 0.5])})
    (row,) = pooled_metrics([right, tied], SEED)
    assert row["auc"] == pytest.approx((1.0 + 0.5) / 2)
    assert row["log_loss"] == pytest.approx((-np.log([0.9, 0.8]).mean() + np.log(2)) / 2)


def test_one_date_gives_what_an_evaluation_gives() -> None:
    one = outcome(300, seed=1)
    assert pooled_metrics([one], SEED) == evaluate_models(one.churned, one.predictions, one.customer, SEED)
    assert pooled_differences([one], SEED, challenger="ours") == paired_differences(
        one.churned, one.predictions, one.customer, SEED, challenger="ours"
    )


def test_a_level_missed_both_ways_is_not_made_up() -> None:
    high, low = outcome(800, seed=1, shift=0.1), outcome(800, seed=2, shift=-0.1)
    ours = pooled_metrics([high, low], SEED)[0]
    assert float(ours["ece"] or 0) > 0.07


def test_the_same_customers_again_tell_nothing_new() -> None:
    one = outcome(300, seed=1)
    once, often = (pooled_metrics([one] * times, SEED)[0] for times in (1, 3))
    assert often["auc_high"] == pytest.approx(once["auc_high"])
    assert often["auc_low"] == pytest.approx(once["auc_low"])


@settings(max_examples=3)
@given(st.permutations(range(3)))
def test_the_order_of_dates_changes_nothing(order: list[int]) -> None:
    dates = [outcome(30, seed=seed) for seed in range(3)]
    straight, shuffled = pooled_metrics(dates, SEED), pooled_metrics([dates[at] for at in order], SEED)
    for row, other in zip(straight, shuffled, strict=True):
        assert row["auc"] == pytest.approx(other["auc"])


def test_what_cannot_be_pooled_is_refused() -> None:
    one = outcome(60, seed=1)
    with pytest.raises(DataError, match="dates with different models"):
        pooled_metrics([one, Outcome(one.churned, one.customer, {"ours": one.predictions["ours"]})], SEED)
    with pytest.raises(DataError, match="no date to judge at"):
        pooled_metrics([], SEED)
    with pytest.raises(DataError, match="no predictions of 'theirs'"):
        pooled_differences([one], SEED, challenger="theirs")


def test_weights_act_like_repeated_customers_in_draws() -> None:
    one = outcome(60, seed=1)
    weight = np.random.default_rng(0).integers(1, 9, 60)
    alike = {name: np.repeat(risk, weight) for name, risk in one.predictions.items()}
    repeated = Outcome(np.repeat(one.churned, weight), np.repeat(one.customer, weight), alike)
    counted = Outcome(one.churned, one.customer, one.predictions, weight.astype(float))
    for row, other in zip(pooled_metrics([counted], SEED), pooled_metrics([repeated], SEED), strict=True):
        assert row == pytest.approx(other)


def test_draws_without_one_class_are_not_counted() -> None:
    # one churner among six: a third of the draws leave the customer out and have no figures
    risk = np.linspace(0.1, 0.6, 6)
    one = Outcome(np.array([0, 0, 0, 0, 0, 1]), np.arange(6), {"ours": risk, "other": risk[::-1].copy()})
    shares = {row["metric"]: row["share_above"] for row in pooled_differences([one], SEED, challenger="ours")}
    assert shares["auc"] == 1.0 and shares["log_loss"] == 0.0
    alone = paired_differences(one.churned, one.predictions, one.customer, SEED, challenger="ours")
    assert {row["metric"]: row["share_above"] for row in alone} == shares
