from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.btyd import BGNBD
from models.metrics import METRICS, auc
from models.reference import DateReference
from models.rivals import CONTRACT_RIVALS, RIVALS, contest_at, disjoint_dates, left_out, predict_rivals
from tables.errors import DataError, SchemaError

DATES = [date(2025, 1, 1), date(2025, 1, 16), date(2025, 1, 31), date(2025, 2, 15), date(2025, 3, 2)]
AS_OF = date(2025, 3, 2)
YEARS = ("2009_2010", "2010_2011")
MEASURED = ("auc", "average_precision", "log_loss", "ece")


def reference(horizon_days: int = 30) -> DateReference:
    return DateReference(
        as_of=AS_OF,
        horizon_days=horizon_days,
        customers=1,
        moments={},
        bgnbd=BGNBD(r=0.6, alpha=6.0, a=0.8, b=2.5),
        mean_no_purchase=0.5,
        rfm_edges={},
    )


def population(n: int, *, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Customers who churn the likelier the longer they have been silent and the fewer orders they made."""
    rng = np.random.default_rng(seed)
    orders = rng.integers(1, 12, n)
    tenure = rng.integers(60, 400, n)
    span = np.where(orders > 1, np.floor(tenure * rng.random(n)), 0)
    silent = tenure - span + rng.random(n)
    features = pd.DataFrame(
        {
            "days_since_last_order": silent,
            "orders_total": orders,
            "spend_total": orders * rng.gamma(5, 10, n),
            "days_since_first_order": tenure + 0.5,
            "purchase_days_total": orders,
            "days_first_to_last_order": span,
            "tenure_days": tenure,
            "gap_days_median": np.where(orders > 1, span / np.maximum(orders - 1, 1), np.nan),
        }
    ).astype(np.float32)
    risk = 1 / (1 + np.exp(-(np.log(silent + 1) - 0.25 * orders - 2)))
    return features, (rng.random(n) < risk).astype(np.int8)


def training(n: int = 300) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    parts = [population(n, seed=seed) for seed in range(len(DATES) - 1)]
    features = pd.concat([part[0] for part in parts], ignore_index=True)
    as_of = np.repeat(np.array(DATES[:-1], dtype=object), n)
    return features, np.concatenate([part[1] for part in parts]), as_of


def predicted(*rows: Any, **told: Any) -> dict[str, np.ndarray]:
    """The risk by every rival; the arguments are those of a contest."""
    return predict_rivals(contest_at(*rows, **told))


def test_dates_lie_one_horizon_apart() -> None:
    chosen = disjoint_dates(np.array(DATES, dtype=object), until=AS_OF, horizon_days=30)
    assert chosen.astype(object).tolist() == [date(2025, 1, 1), date(2025, 1, 31)]


def test_dates_too_near_the_evaluation_are_left_out() -> None:
    chosen = disjoint_dates(np.array(DATES, dtype="datetime64[s]"), until=AS_OF, horizon_days=31)
    assert chosen.astype(object).tolist() == [date(2025, 1, 16)]


def test_every_rival_ranks_better_than_chance() -> None:
    scored, churned = population(800, seed=99)
    predictions = predicted(*training(), scored, reference=reference())
    assert list(predictions) == list(RIVALS)
    for name, risk in predictions.items():
        assert ((risk > 0) & (risk < 1)).all(), name
        assert auc(churned, risk) > 0.6, name


def test_names_follow_the_contract() -> None:
    assert list(RIVALS) == [
        "lightgbm_plain",
        "logistic_rich",
        "logistic_rfmt",
        "bgnbd_no_purchase",
        "days_since_last_order",
    ]


def test_same_seed_gives_the_same_predictions() -> None:
    scored, _ = population(200, seed=98)
    once, again = (predicted(*training(), scored, reference=reference(), seed=5) for _ in range(2))
    assert all(np.array_equal(once[name], again[name]) for name in RIVALS)


def test_overlapping_snapshots_change_nothing() -> None:
    features, churned, as_of = training()
    apart = np.isin(as_of, [DATES[0], DATES[2]])
    scored, _ = population(200, seed=97)
    everything = predicted(features, churned, as_of, scored, reference=reference())
    restricted = predicted(features[apart], churned[apart], as_of[apart], scored, reference=reference())
    assert all(np.array_equal(everything[name], restricted[name]) for name in RIVALS)


def test_single_training_date_is_enough() -> None:
    features, churned, as_of = training()
    only = as_of == DATES[2]
    scored, truth = population(400, seed=96)
    predictions = predicted(features[only], churned[only], as_of[only], scored, reference=reference())
    assert auc(truth, predictions["lightgbm_plain"]) > 0.6


def test_one_variable_rival_keeps_the_order_of_silence() -> None:
    scored, _ = population(200, seed=95)
    risk = predicted(*training(), scored, reference=reference())["days_since_last_order"]
    assert (np.diff(risk[np.argsort(scored["days_since_last_order"])]) >= 0).all()


def test_bgnbd_rival_is_the_probability_of_silence() -> None:
    scored, _ = population(50, seed=94)
    risk = predicted(*training(), scored, reference=reference())["bgnbd_no_purchase"]
    weeks = scored.astype(float)[["days_first_to_last_order", "tenure_days"]] / 7
    expected = reference().bgnbd.no_purchase_probability(
        scored["purchase_days_total"] - 1, weeks["days_first_to_last_order"], weeks["tenure_days"], 30 / 7
    )
    assert risk == pytest.approx(expected, abs=1e-6)


def test_rivals_by_silence_are_left_out_with_contracts() -> None:
    contract = replace(reference(), bgnbd=None)
    features, churned, as_of = training()
    ages = {"days_since_last_order": "days_since_subscription_start"}
    scored, _ = population(50, seed=93)
    names = list(
        predicted(features.rename(columns=ages), churned, as_of, scored.rename(columns=ages), reference=contract)
    )  # fmt: skip
    assert names == list(CONTRACT_RIVALS) == ["lightgbm_plain", "logistic_rich", "subscription_age"]
    assert left_out(contract) == ("logistic_rfmt", "bgnbd_no_purchase", "days_since_last_order")
    assert left_out(reference()) == ()


def test_a_weighted_row_teaches_like_its_copies() -> None:
    features, churned, as_of = training()
    weight = np.where(churned, 3, 1)
    scored, _ = population(100, seed=92)
    weighed = predicted(features, churned, as_of, scored, reference=reference(), weight=weight)
    copies = np.repeat(np.arange(len(weight)), weight)
    copied = predicted(features.iloc[copies], churned[copies], as_of[copies], scored, reference=reference())
    for name in ("logistic_rich", "logistic_rfmt", "days_since_last_order"):
        assert weighed[name] == pytest.approx(copied[name], abs=1e-3)
    plain = predicted(features, churned, as_of, scored, reference=reference())["lightgbm_plain"]
    assert weighed["lightgbm_plain"].mean() > plain.mean() + 0.1


def test_no_date_early_enough_is_refused() -> None:
    features, churned, as_of = training(20)
    with pytest.raises(DataError, match="no training date 365 days before 2025-03-02; found 4 dates"):
        predicted(features, churned, as_of, features, reference=reference(365))


def test_one_class_is_refused() -> None:
    features, churned, as_of = training(20)
    with pytest.raises(DataError, match="found 0 churners in 40 training rows"):
        predicted(features, np.zeros_like(churned), as_of, features, reference=reference())


def test_missing_column_is_named() -> None:
    features, churned, as_of = training(60)
    short = features.drop(columns="spend_total")
    with pytest.raises(SchemaError, match="no column 'spend_total'"):
        predicted(short, churned, as_of, short, reference=reference())


def online_retail(folder: Path) -> pd.DataFrame:
    """Orders of Online Retail II as customer, time and amount; returns and the overlap of both files left out."""
    older, newer = (pd.read_parquet(folder / f"online_retail_ii/year_{years}.parquet") for years in YEARS)
    lines = pd.concat([older[older["InvoiceDate"] < "2010-12-01"], newer]).dropna(subset="Customer ID")
    bought = (
        (lines["Quantity"] > 0) & (lines["Price"] > 0) & ~lines["Invoice"].astype(str).str.startswith("C")
    )
    sold = lines[bought].assign(amount=lambda rows: rows["Quantity"] * rows["Price"])
    by_order = sold.groupby(["Customer ID", "Invoice"], as_index=False)
    return by_order.agg(at=("InvoiceDate", "min"), amount=("amount", "sum"))


def at(orders: pd.DataFrame, as_of: date) -> tuple[pd.DataFrame, pd.Series]:
    """Return features of everybody known at a date, and whether each one buys nothing in the next 90 days."""
    now = pd.Timestamp(as_of)
    past = orders[orders["at"] < now].assign(day=lambda rows: rows["at"].dt.normalize())
    of = past.groupby("Customer ID")
    features = pd.DataFrame(
        {
            "days_since_last_order": (now - of["at"].max()) / pd.Timedelta("1D"),
            "orders_total": of.size(),
            "spend_total": of["amount"].sum(),
            "days_since_first_order": (now - of["at"].min()) / pd.Timedelta("1D"),
            "purchase_days_total": of["day"].nunique(),
            "days_first_to_last_order": (of["day"].max() - of["day"].min()).dt.days,
            "tenure_days": (now - of["day"].min()).dt.days,
        }
    )
    later = orders[(orders["at"] >= now) & (orders["at"] < now + pd.Timedelta(days=90))]
    return features, ~features.index.to_series().isin(later["Customer ID"])


@pytest.mark.real
def test_published_rivals_of_online_retail_are_reproduced(real_data: Path) -> None:
    orders, until = online_retail(real_data), date(2011, 9, 10)
    days = [until - timedelta(days=90 * back) for back in (5, 4, 3, 2, 1)]
    parts = [(day, *at(orders, day)) for day in (*days, until)]
    active = [(day, X[X["days_since_last_order"] <= 180], y) for day, X, y in parts]
    labels = [y.loc[X.index].to_numpy(dtype=np.int8) for _, X, y in active]
    as_of = np.concatenate([np.repeat(day, len(X)) for day, X, _ in active[:-1]])
    fitted = DateReference.fit(active[-1][1], as_of=until, horizon_days=90, purchases=parts[-1][1])
    training_rows = pd.concat([X for _, X, _ in active[:-1]]), np.concatenate(labels[:-1]), as_of
    predictions = predicted(*training_rows, active[-1][1], reference=fitted)
    found = {name: [METRICS[key](labels[-1], risk) for key in MEASURED] for name, risk in predictions.items()}
    assert len(labels[-1]) == 2787
    assert found["days_since_last_order"] == pytest.approx([0.655, 0.531, 0.684, 0.151], abs=1e-3)
    assert found["logistic_rfmt"] == pytest.approx([0.752, 0.635, 0.581, 0.079], abs=1e-3)
    assert found["bgnbd_no_purchase"] == pytest.approx([0.760, 0.649, 0.581, 0.095], abs=1e-3)
