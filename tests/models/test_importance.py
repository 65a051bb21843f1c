from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.importance import dependence, groups_of, importances

REFERENCE: Any = SimpleNamespace(level=SimpleNamespace(slope=2.0))


class Additive:
    """A model whose risk is a tenth of ``orders_30d`` plus ``spend_30d``."""

    feature_names_in_ = ("orders_30d", "spend_30d", "spend_90d")

    def __init__(self) -> None:
        self.members_ = SimpleNamespace(contributions=lambda X, reference: X.to_numpy(np.float64))

    def predict_proba(self, X: pd.DataFrame, *, reference: object) -> np.ndarray[Any, Any]:
        risk = X["orders_30d"].to_numpy() / 10 + X["spend_30d"].to_numpy()
        return np.column_stack([1 - risk, risk])


MODEL: Any = Additive()
X = pd.DataFrame(
    {
        "orders_30d": [1.0, 1.0, 3.0, 3.0],
        "spend_30d": [0.1, 0.3, 0.1, 0.3],
        "spend_90d": [-0.1, -0.3, -0.1, -0.3],
    }
)
CHURNED, RISK = [0, 1, 1, 1], [0.2, 0.4, 0.4, 0.6]


def test_a_feature_counts_by_how_far_it_moves_the_logit() -> None:
    found = importances(MODEL, X, reference=REFERENCE).features
    told = dict(zip(found["feature"], found["mean_contribution"], strict=True))
    assert told["orders_30d"] == pytest.approx(4.0)  # slope 2 times the mean of 1, 1, 3, 3
    assert told["spend_90d"] == pytest.approx(0.4)
    assert found["feature"].iloc[0] == "orders_30d"


def test_features_of_a_theme_that_undo_each_other_move_nothing() -> None:
    themes = importances(MODEL, X, reference=REFERENCE).themes.set_index("theme")["mean_contribution"]
    assert themes["spend"] == pytest.approx(0.0)
    assert themes["frequency"] == pytest.approx(4.0)


def test_dependence_sets_observed_beside_promised_and_alone() -> None:
    rows = pd.DataFrame(dependence(MODEL, X, CHURNED, RISK, "orders_30d", reference=REFERENCE))
    assert rows["value"].tolist() == [1.0, 3.0]
    assert rows["n"].tolist() == [2, 2]
    assert rows["observed"].tolist() == [0.5, 1.0]
    assert rows["promised"].tolist() == pytest.approx([0.3, 0.5])
    # Everybody put to one order: a tenth plus the mean spend of .2; put to three: .3 + .2.
    assert rows["alone"].tolist() == pytest.approx([0.3, 0.5])


def test_a_withheld_customer_stands_for_several_in_the_dependence() -> None:
    low, _ = dependence(MODEL, X, CHURNED, RISK, "orders_30d", reference=REFERENCE, weight=[3, 1, 1, 1])
    assert low["observed"] == pytest.approx(0.25)
    assert low["promised"] == pytest.approx((3 * 0.2 + 0.4) / 4)


def test_customers_without_the_feature_come_last_and_have_no_value() -> None:
    missing = X.assign(orders_30d=[1.0, np.nan, 3.0, 3.0])
    rows = dependence(
        MODEL, missing.fillna({"spend_30d": 0}), CHURNED, RISK, "orders_30d", reference=REFERENCE
    )
    assert [row["value"] for row in rows] == [1.0, 3.0, None]
    assert rows[-1]["n"] == 1


@given(
    values=st.lists(st.one_of(st.integers(-3, 3).map(float), st.just(float("nan"))), min_size=1, max_size=60)
)
def test_groups_hold_every_row_once_and_never_part_equals(values: list[float]) -> None:
    numbers = np.array(values)
    groups = groups_of(numbers, most=4)
    assert sorted(np.concatenate(groups).tolist()) == list(range(len(values)))
    known = [numbers[rows] for rows in groups if not np.isnan(numbers[rows]).any()]
    assert len(known) <= 4
    assert all(before.max() < after.min() for before, after in pairwise(known))
    assert all(np.isnan(numbers[rows]).all() for rows in groups[len(known) :])
