"""What an action is worth: prevented churn in money, less all its costs."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.catalogue import Action
from actions.value import action_values, expected_cost


def costing(contact: float, incentive: float = 0.0, rate: float = 0.0) -> Action:
    prices = SimpleNamespace(contact_cost=contact, incentive_cost=incentive, redeem_rate=rate)
    return cast(Action, prices)


def test_value_is_effect_times_margin_less_cost() -> None:
    effect = np.array([[0.1, 0.2], [0.1, -0.2]], dtype=np.float32)
    eligible = np.array([[True, False], [True, True]])
    actions = [costing(1.0), costing(0.5, incentive=10.0, rate=0.3)]
    values = action_values(effect, np.array([50.0, 20.0]), actions, eligible)
    np.testing.assert_allclose(values, [[4.0, -np.inf], [1.0, -7.5]], rtol=1e-6)
    assert values.dtype == np.float32


@given(contact=st.floats(0, 100), incentive=st.floats(0, 100), rate=st.floats(0, 1))
def test_redemptions_of_loyal_customers_are_paid_too(contact: float, incentive: float, rate: float) -> None:
    nobody_saved = action_values(
        np.zeros((1, 1), dtype=np.float32),
        np.array([1000.0]),
        [costing(contact, incentive, rate)],
        np.ones((1, 1), dtype=bool),
    )
    assert nobody_saved[0, 0] == pytest.approx(-(contact + rate * incentive), rel=1e-5, abs=1e-6)
    assert expected_cost(costing(contact, incentive, rate)) >= contact


def test_rows_beyond_one_chunk_are_valued_alike() -> None:
    rows = 70_000
    effect = np.full((rows, 1), 0.5, dtype=np.float32)
    values = action_values(
        effect, np.arange(rows, dtype=float), [costing(1.0)], np.ones((rows, 1), dtype=bool)
    )
    np.testing.assert_allclose(values[:, 0], np.arange(rows) * 0.5 - 1, rtol=1e-6)
