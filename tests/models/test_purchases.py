import numpy as np
import pandas as pd
import pytest

from models.purchases import Purchases
from tables.errors import SchemaError

FEATURES = pd.DataFrame(
    {
        "purchase_days_total": [3.0, 1, 0],
        "days_first_to_last_order": [14.0, 0, np.nan],
        "tenure_days": [28.0, 7, np.nan],
        "spend_per_purchase_day": [20.0, 5, np.nan],
    },
    dtype=np.float32,
)


def test_days_become_weeks_and_repeats() -> None:
    purchases = Purchases.of(FEATURES)
    assert purchases.frequency.tolist() == [2, 0, 0]
    assert purchases.recency.tolist() == [2, 0, 0]
    assert purchases.age.tolist() == [4, 1, 0]
    assert purchases.bought.tolist() == [True, True, False]


def test_chosen_customers_keep_their_numbers() -> None:
    chosen = Purchases.of(FEATURES).where(np.array([False, True, False]))
    assert (chosen.days.tolist(), chosen.spend.tolist()) == ([1], [5])


def test_missing_column_is_named() -> None:
    with pytest.raises(SchemaError, match=r"features: no column 'tenure_days'; found"):
        Purchases.of(FEATURES.drop(columns="tenure_days"))
