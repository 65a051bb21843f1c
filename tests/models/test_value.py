from datetime import date

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from models.btyd import BGNBD
from models.gamma_gamma import GammaGamma
from models.purchases import Purchases
from models.reference import DateReference
from models.settings import ValueSettings
from models.value import (
    SpendModel,
    customer_values,
    discounted_purchases,
    purchases_kept,
)
from tables.errors import DataError, SchemaError

BASE = BGNBD(r=0.6, alpha=6.0, a=0.8, b=2.5)
UNDISCOUNTED = ValueSettings(annual_discount=0, margin_months=12)
YEAR = 365.25 / 7


def reference(base: BGNBD = BASE, horizon_days: int = 90) -> DateReference:
    return DateReference(
        as_of=date(2025, 1, 1),
        horizon_days=horizon_days,
        customers=1,
        moments={},
        bgnbd=base,
        mean_no_purchase=0.5,
        rfm_edges={},
    )


def one(days: float, recency: float, age: float) -> Purchases:
    return Purchases(*(np.array([value]) for value in (days, recency, age, 50.0)))


def features(customers: int, *, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    days = rng.integers(1, 12, customers).astype(float)
    tenure = rng.integers(30, 700, customers).astype(float)
    span = np.where(days > 1, np.floor(tenure * rng.random(customers)), 0)
    spend = rng.gamma(6 * days) / rng.gamma(4, 1 / 15, customers) / days
    return pd.DataFrame(
        {
            "purchase_days_total": days,
            "days_first_to_last_order": span,
            "tenure_days": tenure,
            "spend_per_purchase_day": spend,
        }
    )


def test_undiscounted_months_add_up_to_the_year() -> None:
    customer = one(4, 20, 30)
    expected = BASE.expected_purchases(YEAR, 3, 20, 30)
    assert discounted_purchases(BASE, customer, settings=UNDISCOUNTED) == pytest.approx(expected)


def test_later_contribution_counts_less() -> None:
    customer = one(4, 20, 30)
    one_month = ValueSettings(margin_months=1, annual_discount=0.10)
    month = BASE.expected_purchases(YEAR / 12, 3, 20, 30) / 1.1 ** (1 / 12)
    assert discounted_purchases(BASE, customer, settings=one_month) == pytest.approx(month)


def test_mixture_of_both_cases_is_the_whole() -> None:
    customer, horizon = one(4, 20, 30), 8.0
    whole = discounted_purchases(BASE, customer, settings=UNDISCOUNTED)
    given_none = BASE.expected_purchases(YEAR - horizon, 3, 20, 30 + horizon)
    none = BASE.no_purchase_probability(3, 20, 30, horizon)
    given_order = given_none + purchases_kept(BASE, customer, horizon=horizon, settings=UNDISCOUNTED)
    assert none * given_none + (1 - none) * given_order == pytest.approx(whole)


def test_kept_purchases_match_simulated_customers() -> None:
    rng, customers, horizon = np.random.default_rng(3), 120_000, 13.0
    rate, leave = rng.gamma(0.6, 1 / 6, customers), rng.beta(0.8, 2.5, customers)
    now, alive = np.zeros(customers), np.ones(customers, dtype=bool)
    early, total = np.zeros(customers), np.zeros(customers)
    while alive.any():
        now[alive] += rng.exponential(1 / rate[alive])
        alive &= now <= YEAR
        total[alive] += 1
        early[alive & (now <= horizon)] += 1
        alive[alive] = rng.random(alive.sum()) > leave[alive]
    difference = total[early > 0].mean() - total[early == 0].mean()
    kept = purchases_kept(BASE, one(1, 0, 0), horizon=horizon, settings=UNDISCOUNTED)[0]
    assert kept == pytest.approx(difference, rel=0.03)


def test_horizon_beyond_the_months_keeps_whole_expectation() -> None:
    customer, settings = one(4, 20, 30), ValueSettings(margin_months=1, annual_discount=0)
    kept = purchases_kept(BASE, customer, horizon=13.0, settings=settings)
    expected = BASE.expected_purchases(YEAR / 12, 3, 20, 30)
    assert kept == pytest.approx(expected / (1 - BASE.no_purchase_probability(3, 20, 30, 13.0)))


def test_margins_are_never_negative_and_capped() -> None:
    values = customer_values(features(400), reference=reference(), settings=ValueSettings())
    cap = values.fitted.margin_cap
    assert (values.margin >= 0).all()
    assert values.margin.max() == cap
    assert (values.margin == cap).sum() == 2  # the best two of 400 lie above the 99.5th percentile
    assert (values.clv > 0).all()


def test_contribution_rate_scales_margin_and_clv() -> None:
    half, whole = (
        customer_values(features(200), reference=reference(), settings=ValueSettings(contribution_rate=rate))
        for rate in (0.5, 1.0)
    )
    assert whole.margin == pytest.approx(2 * half.margin)
    assert whole.clv == pytest.approx(2 * half.clv)


def test_customer_who_never_bought_is_worth_nothing_yet() -> None:
    everyone = features(200)
    everyone.loc[5] = [0.0, np.nan, np.nan, np.nan]
    values = customer_values(everyone, reference=reference(), settings=ValueSettings())
    assert (values.margin[5], values.clv[5]) == (0, 0)
    assert np.isfinite(values.margin).all()


def test_independent_spend_uses_gamma_gamma() -> None:
    fitted = SpendModel.fit(Purchases.of(features(800)))
    assert isinstance(fitted.gamma_gamma, GammaGamma)
    assert abs(fitted.gamma_gamma.correlation) < 0.3


def test_dependent_spend_shrinks_own_means() -> None:
    everyone = features(400)
    everyone["spend_per_purchase_day"] *= everyone["purchase_days_total"] ** 2
    fitted = SpendModel.fit(Purchases.of(everyone))
    own = everyone["spend_per_purchase_day"].to_numpy()
    expected = fitted.expected(Purchases.of(everyone))
    assert fitted.gamma_gamma is None
    assert fitted.shrink_days > 0
    assert (np.abs(expected - fitted.mean) < np.abs(own - fitted.mean) + 1e-9).all()


def test_spread_of_simulated_means_is_recovered() -> None:
    rng = np.random.default_rng(8)
    days = rng.integers(1, 10, 4_000).astype(float)
    spend = 100 + rng.normal(0, 10, 4_000) + rng.normal(0, 30, 4_000) / np.sqrt(days)
    purchases = Purchases(days, np.zeros(4_000), np.full(4_000, 9.0), spend)
    assert SpendModel.fit(purchases).shrink_days == pytest.approx(900 / 100, rel=0.25)


def test_equal_spend_is_expected_again() -> None:
    flat = features(50).assign(spend_per_purchase_day=20.0)
    values = customer_values(flat, reference=reference(), settings=ValueSettings())
    assert np.isfinite(values.margin).all()
    assert values.fitted.spend.expected(Purchases.of(flat)) == pytest.approx(np.full(50, 20.0), rel=0.01)


def test_base_without_buyers_is_refused() -> None:
    nobody = features(3).assign(purchase_days_total=0.0)
    with pytest.raises(DataError, match="value: no customer with a purchase; found 0"):
        customer_values(nobody, reference=reference(), settings=ValueSettings())


def test_missing_purchase_column_is_named() -> None:
    with pytest.raises(SchemaError, match="no column 'tenure_days'"):
        customer_values(
            features(3).drop(columns="tenure_days"), reference=reference(), settings=ValueSettings()
        )


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValidationError, match="contribution_rate"):
        ValueSettings(contribution_rate=1.2)
