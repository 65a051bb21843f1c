"""What a date says about everybody: exact moments, BG/NBD, edges, and JSON that keeps every digit."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.level import LevelForecast
from models.reference import DateReference
from tables.errors import DataError, SchemaError

DAY = date(2025, 3, 1)


def population(customers: int = 200, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    days = 1 + rng.poisson(2, customers)
    tenure = rng.integers(60, 400, customers)
    span = np.where(days > 1, (tenure * rng.random(customers)).astype(int), 0)
    return pd.DataFrame(
        {
            "purchase_days_total": days.astype(np.float32),
            "days_first_to_last_order": span.astype(np.float32),
            "tenure_days": tenure.astype(np.float32),
            "days_since_last_order": (tenure - span).astype(np.float32),
            "orders_total": days.astype(np.float32),
            "spend_total": rng.gamma(2, 30, customers).astype(np.float32),
            "gap_days_mean": np.where(days > 1, span / np.maximum(days - 1, 1), np.nan).astype(np.float32),
        }
    )


def reference(frames: pd.DataFrame | list[pd.DataFrame]) -> DateReference:
    return DateReference.fit(frames, as_of=DAY, horizon_days=28)


def test_moments_of_three_values_worked_by_hand() -> None:
    frame = population().assign(extra=np.float32(np.nan))
    frame.loc[[0, 1, 2], "extra"] = np.expm1([1.0, 2.0, 3.0]).astype(np.float32)
    moments = reference(frame).moments["extra"]
    assert (moments.mean, moments.sd) == pytest.approx((2.0, np.sqrt(2 / 3)), abs=1e-4)
    assert moments.missing == pytest.approx(197 / 200)


def test_scores_standardise_on_the_log_scale() -> None:
    frame = population()
    scores = reference(frame).standardise(frame, ["spend_total", "gap_days_mean"])
    assert np.nanmean(scores, axis=0) == pytest.approx([0, 0], abs=1e-3)
    assert np.nanstd(scores, axis=0) == pytest.approx([1, 1], abs=1e-3)
    assert np.isnan(scores[:, 1]).sum() == frame["gap_days_mean"].isna().sum()


def test_constant_feature_scores_zero_not_infinity() -> None:
    frame = population().assign(same=np.float32(5))
    assert (reference(frame).standardise(frame, ["same"]) == 0).all()


@settings(max_examples=4, deadline=None)
@given(st.permutations(range(40)), st.integers(1, 39))
def test_neither_order_nor_buckets_change_the_reference(order: list[int], cut: int) -> None:
    frame = population(40)
    shuffled = frame.iloc[order]
    assert reference([shuffled.iloc[:cut], shuffled.iloc[cut:]]).to_json() == reference(frame).to_json()


def test_bgnbd_is_fitted_on_everybody_who_bought() -> None:
    everybody = population(400)
    active = everybody[everybody["days_since_last_order"] < 90]
    alone = reference(active)
    among_all = DateReference.fit(active, as_of=DAY, horizon_days=28, purchases=everybody)
    assert among_all.customers == alone.customers == len(active)
    assert among_all.bgnbd == reference(everybody).bgnbd
    assert among_all.mean_no_purchase > alone.mean_no_purchase  # the lapsed ones tell that people leave


def test_mean_no_purchase_averages_the_rows() -> None:
    frame = population()
    fitted = reference(frame)
    assert fitted.mean_no_purchase == pytest.approx(fitted.no_purchase(frame).mean())


def test_contracts_have_no_bgnbd_and_need_no_orders() -> None:
    tenure = population()[["tenure_days"]]
    fitted = DateReference.fit(tenure, as_of=DAY, horizon_days=28, leaves_by_silence=False)
    assert (fitted.bgnbd, fitted.mean_no_purchase, fitted.rfm_edges) == (None, 0.5, {})
    assert DateReference.from_json(fitted.to_json()) == fitted
    with pytest.raises(DataError, match="no BG/NBD; found none, for customers here leave by notice"):
        fitted.no_purchase(tenure)


def test_contracts_beside_orders_keep_the_rfm_edges() -> None:
    everybody = population()
    fitted = DateReference.fit(everybody, as_of=DAY, horizon_days=28, leaves_by_silence=False)
    assert fitted.rfm_edges == reference(everybody).rfm_edges


def test_json_brings_back_every_digit() -> None:
    fitted = reference(population())
    level = LevelForecast(0.1 + 0.2, 0.3, 1 / 3, 2 / 3, 0.5, 1.1, -0.7, "2025-01-01")
    for each in (fitted, fitted.with_level(level)):
        again = DateReference.from_json(each.to_json())
        assert again == each
        assert again.to_json() == each.to_json()


def test_missing_purchase_column_is_named_with_a_near_miss() -> None:
    frame = population().rename(columns={"tenure_days": "tenure_day"})
    with pytest.raises(SchemaError, match=r"no column 'tenure_days'.*Did you mean 'tenure_day'"):
        reference(frame)


def test_infinite_values_are_refused_by_name() -> None:
    frame = population()
    frame.loc[3, "spend_total"] = np.inf
    with pytest.raises(DataError, match=r"infinite values; found in \['spend_total'\]"):
        reference(frame)


def test_nobody_in_the_population_is_an_error() -> None:
    with pytest.raises(DataError, match="no customers in the population"):
        reference(population().head(0))


def test_feature_unknown_to_the_reference_is_named() -> None:
    fitted = replace(reference(population()), moments={})
    with pytest.raises(SchemaError, match="no column 'spend_total'"):
        fitted.standardise(population(), ["spend_total"])
