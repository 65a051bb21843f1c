import numpy as np
import pytest

from models.evaluation import (
    calibration_table,
    evaluate_models,
    evaluate_slices,
    paired_differences,
    tenure_bands,
)
from models.metrics import auc
from tables.errors import DataError


def contest(n: int = 300) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(11)
    risk = rng.beta(2, 4, n)
    churned = (rng.random(n) < risk).astype(int)
    return churned, {"knows": risk, "guesses": rng.random(n)}, np.arange(n)


def test_rows_hold_the_contract_keys() -> None:
    rows = evaluate_models(*contest(), seed=0)
    asked = {
        "name",
        "auc",
        "auc_low",
        "auc_high",
        "average_precision",
        "log_loss",
        "brier",
        "ece",
        "lift_at_10pct",
        "emp",
    }
    assert [row["name"] for row in rows] == ["knows", "guesses"]
    assert asked <= set(rows[0])
    assert all(row["auc_low"] < row["auc"] < row["auc_high"] for row in rows)


def test_same_seed_gives_the_same_rows() -> None:
    assert evaluate_models(*contest(), seed=4) == evaluate_models(*contest(), seed=4)


def test_better_model_wins_the_paired_comparison() -> None:
    rows = {row["metric"]: row for row in paired_differences(*contest(), seed=0, challenger="knows")}
    assert rows["auc"]["name"] == "guesses"
    assert rows["auc"]["low"] > 0
    assert rows["log_loss"]["high"] < 0
    assert rows["log_loss"]["share_above"] == 0


def test_model_does_not_differ_from_itself() -> None:
    churned, predictions, customer = contest()
    twins = {"one": predictions["knows"], "two": predictions["knows"]}
    for row in paired_differences(churned, twins, customer, 0, challenger="one"):
        assert row["difference"] == row["low"] == row["high"] == 0


def test_slices_partition_the_customers() -> None:
    churned, predictions, customer = contest()
    region = np.array(["north", "south", None], dtype=object)[np.arange(300) % 3]
    rows = evaluate_slices(churned, predictions["knows"], customer, {"region": region}, 0)
    assert [(row["slice"], row["n"]) for row in rows] == [("north", 100), ("south", 100)]
    assert rows[0]["churn_rate"] == pytest.approx(churned[::3].mean())
    assert rows[0]["auc_low"] < rows[0]["auc"] < rows[0]["auc_high"]


def test_slice_of_one_class_shows_counts_only() -> None:
    churned, predictions, customer = contest()
    rows = evaluate_slices(churned, predictions["knows"], customer, {"outcome": churned.astype(str)}, 0)
    assert [row["auc"] for row in rows] == [None, None]
    assert [row["churn_rate"] for row in rows] == [0, 1]


def test_tenure_borders_belong_to_the_later_band() -> None:
    assert list(tenure_bands([89, 90, 365, 730])) == [
        "under 90 days",
        "90 to 364 days",
        "1 year",
        "2 years and more",
    ]


def test_calibration_bins_hold_equal_counts() -> None:
    churned, predictions, _ = contest()
    rows = calibration_table(churned, predictions["knows"])
    assert [row["n"] for row in rows] == [30] * 10
    assert sum(row["observed"] * row["n"] for row in rows) == pytest.approx(churned.sum())
    assert all(0 <= row["low"] <= row["observed"] <= row["high"] <= 1 for row in rows)


def test_weighted_rows_count_as_often_as_they_weigh() -> None:
    churned, predictions, customer = contest()
    weight = np.where(customer % 3, 1, 4)
    rows = evaluate_models(churned, predictions, customer, 0, weight=weight)
    again = evaluate_models(
        *(np.repeat(churned, weight), _each(predictions, weight)), np.repeat(customer, weight), 0
    )
    for one, two in zip(rows, again, strict=True):
        for name in ("auc", "auc_low", "auc_high", "log_loss", "log_loss_low", "emp", "lift_at_10pct_high"):
            assert one[name] == pytest.approx(two[name])


def test_weights_enter_differences_slices_and_calibration() -> None:
    churned, predictions, customer = contest()
    weight = np.where(churned, 3.0, 1.0)
    region = np.array(["north", "south"])[customer % 2]
    row, *_ = paired_differences(churned, predictions, customer, 0, challenger="knows", weight=weight)
    assert row["difference"] == pytest.approx(
        auc(churned, predictions["knows"]) - auc(churned, predictions["guesses"])
    )
    slices = evaluate_slices(churned, predictions["knows"], customer, {"region": region}, 0, weight=weight)
    assert [row["n"] for row in slices] == [150, 150]
    assert slices[0]["churn_rate"] == pytest.approx(np.average(churned[::2], weights=weight[::2]))
    bins = calibration_table(churned, predictions["knows"], weight=weight)
    assert sum(row["n"] for row in bins) == 300
    assert bins[-1]["observed"] > calibration_table(churned, predictions["knows"])[-1]["observed"]
    assert all(0 <= row["low"] <= row["observed"] <= row["high"] <= 1 for row in bins)


def test_unusable_weights_are_refused() -> None:
    with pytest.raises(DataError, match="3 weights for 2 labels; 2 weights not above 0 or not finite"):
        evaluate_models([0, 1], {"m": [0.5, 0.5]}, [1, 2], 0, weight=[1.0, 0.0, np.nan])


def _each(predictions: dict[str, np.ndarray], times: np.ndarray) -> dict[str, np.ndarray]:
    return {name: np.repeat(risk, times) for name, risk in predictions.items()}


def test_all_problems_are_reported_together() -> None:
    with pytest.raises(
        DataError, match=r"one class only .0 churners among 2.; 3 customers for 2 labels; m: 1 prob"
    ):
        evaluate_models([0, 0], {"m": [0.5, np.nan]}, [1, 2, 3], 0)


def test_foreign_labels_and_shapes_are_refused() -> None:
    with pytest.raises(DataError, match=r"labels other than 0 and 1; m: shape \(1,\) for 2 labels"):
        evaluate_models([0, 2], {"m": [0.5]}, [1, 2], 0)


def test_unknown_challenger_is_named() -> None:
    with pytest.raises(DataError, match=r"no predictions of 'keepwell'; found \['guesses', 'knows'\]"):
        paired_differences(*contest(), seed=0, challenger="keepwell")
