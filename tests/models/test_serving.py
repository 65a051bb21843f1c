"""The registered model as MLflow loads it."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.churn import ChurnModel
from models.reference import DateReference
from models.registry import Registry
from models.tracking import RegistrySettings, known_warnings
from tables.errors import SchemaError

HORIZON = 28
NEWEST = date(2025, 1, 31)


def population(seed: int, customers: int = 300) -> pd.DataFrame:
    """Features of one date; whoever has not bought for long is likelier to churn."""
    rng = np.random.default_rng(seed)
    tenure = rng.integers(60, 400, customers)
    since = rng.integers(0, 60, customers)
    purchases = rng.integers(1, 9, customers)
    return pd.DataFrame(
        {
            "days_since_last_order": since.astype("float32"),
            "purchase_days_total": purchases.astype("float32"),
            "days_first_to_last_order": np.where(purchases > 1, tenure - since, 0).astype("float32"),
            "tenure_days": tenure.astype("float32"),
        }
    )


@pytest.fixture(scope="module")
def trained() -> tuple[ChurnModel, DateReference]:
    dates = [NEWEST - timedelta(HORIZON * back) for back in range(1, 5)]
    frames = [population(seed) for seed in range(len(dates))]
    rows = pd.concat(frames, ignore_index=True)
    churned = np.random.default_rng(9).random(len(rows)) < rows["days_since_last_order"] / 60
    model = ChurnModel(horizon_days=HORIZON, folds=2, max_rounds=20).fit(
        rows,
        churned.astype(int),
        as_of=np.repeat(dates, 300),
        customer=np.tile(np.arange(300), len(dates)),
    )
    tonight = DateReference.fit(population(7), as_of=NEWEST, horizon_days=HORIZON)
    return model, model.calibrate_predict(population(7), reference=tonight)[0]


@pytest.fixture(scope="module")
def served(
    trained: tuple[ChurnModel, DateReference], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    model, reference = trained
    folder = tmp_path_factory.mktemp("served")
    model.save(folder / "saved")
    registry = Registry(folder / "shop", RegistrySettings())
    registry.register(
        folder / "saved",
        reference=reference.to_json(),
        trained_through=NEWEST,
        metrics={},
        params={},
        config_digest="c",
        dataset_digest="d",
    )
    registry.promote(1, promoted_for=NEWEST)
    with known_warnings():
        from mlflow.pyfunc import load_model  # after its environment is prepared

        yield load_model(str(registry.fetch(1, folder / "private").folder))


@pytest.mark.slow
def test_mlflow_serves_the_risk_of_the_saved_model(
    served: Any, trained: tuple[ChurnModel, DateReference]
) -> None:
    model, reference = trained
    customers = population(7).assign(customer_id="ann")
    expected = model.predict_proba(population(7), reference=reference)[:, 1]
    answer = served.predict(customers)
    assert list(answer) == ["churn_risk"]
    np.testing.assert_array_equal(answer["churn_risk"], expected)
    assert 0 < expected.min() < expected.max() < 1


@pytest.mark.slow
def test_columns_may_come_in_any_order(served: Any) -> None:
    customers = population(8)
    pd.testing.assert_frame_equal(served.predict(customers.iloc[:, ::-1]), served.predict(customers))


@pytest.mark.slow
def test_missing_and_wordy_features_are_named_together(served: Any) -> None:
    customers = population(8).drop(columns="tenure_days").assign(purchase_days_total="three")
    message = r"1 of 4 features are missing \['tenure_days'\] and 1 are not numbers \['purchase_days_total'\]"
    with pytest.raises(SchemaError, match=message):
        served.predict(customers)
