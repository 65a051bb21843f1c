"""The population and churn of Online Retail II that the evidence counts."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.build import FeatureSettings, build_features
from features.labels import build_labels
from features.population import Buyers
from tables.calendar import BusinessCalendar, OutcomeRule
from tables.history import History
from tables.ingest import ingest
from tables.sources import IngestSettings, Source

LONDON = BusinessCalendar("Europe/London")
AS_OF = date(2011, 9, 10)
RULE = OutcomeRule(horizon_days=90, active_within_days=180)


@pytest.fixture(scope="module")
def online_retail(real_data, tmp_path_factory) -> History:
    source = Source.model_validate(
        {
            "path": f"{real_data}/online_retail_ii/*.parquet",
            "grain": "line",
            "columns": {
                "customer_id": "Customer ID",
                "order_id": "Invoice",
                "ordered_at": "InvoiceDate",
                "product_id": "StockCode",
                "quantity": "Quantity",
                "unit_price": "Price",
            },
            "filters": [
                {"name": "no_customer", "column": "Customer ID", "not_null": True},
                {"name": "price_not_positive", "column": "Price", "above": 0},
                {"name": "no_product", "column": "StockCode", "matches": "^[0-9]{5}"},
            ],
            "returns": [
                {"name": "cancellation", "column": "Invoice", "starts_with": "C"},
                {"name": "negative_quantity", "column": "Quantity", "at_most": 0},
            ],
            "duplicates": "drop",
        }
    )
    root = tmp_path_factory.mktemp("history")
    now = LONDON.midnight(date(2012, 1, 1))
    ingest({"orders": [source]}, root=root, calendar=LONDON, now=now, settings=IngestSettings())
    return History.open(root)


@pytest.mark.real
def test_population_and_churn_match_the_count(online_retail) -> None:
    blocks = build_labels(online_retail, as_of=[AS_OF], calendar=LONDON, rule=RULE, known_before=None)
    labels = pd.concat([block.frame for block in blocks])
    assert len(labels) == 2783
    assert labels["churned"].mean() == pytest.approx(0.382, abs=5e-4)


@pytest.mark.real
def test_features_equal_sums_over_the_orders(online_retail) -> None:
    dates = (date(2010, 9, 10), date(2011, 3, 14), AS_OF)
    settings = FeatureSettings(horizon_days=90)
    blocks = build_features(
        online_retail, as_of=dates, calendar=LONDON, settings=settings, population=Buyers(180)
    )
    frame = pd.concat([block.frame for block in blocks])
    assert not np.isinf(frame.drop(columns="as_of").to_numpy()).any()
    rows = [online_retail.read("orders", bucket, ("amount",)) for bucket in range(online_retail.buckets)]
    orders = pd.concat(
        pd.DataFrame(
            {
                "customer": part.customer.astype(np.int64) * online_retail.buckets + bucket,
                "at": part.at,
                "amount": part.columns["amount"] / 10_000,
            }
        )
        for bucket, part in enumerate(rows)
    )
    for as_of in dates:
        end, start = LONDON.midnight(as_of), LONDON.midnight(as_of - pd.Timedelta(days=90))
        recent = (
            orders[(orders["at"] < end) & (orders["at"] >= start)]
            .groupby("customer")["amount"]
            .agg(["size", "sum"])
        )
        mine = frame[frame["as_of"] == pd.Timestamp(as_of)].set_index("customer")
        expected = recent.reindex(mine.index, fill_value=0)
        np.testing.assert_array_equal(mine["orders_90d"], expected["size"])
        np.testing.assert_allclose(mine["spend_90d"], expected["sum"], rtol=1e-6, atol=1e-6)
