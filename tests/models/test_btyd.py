from dataclasses import astuple
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

from models.btyd import BGNBD, _count_alike, _mean_log_likelihood
from tables.errors import DataError

PUBLISHED = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)


def simulate(customers: int, *, seed: int, ahead: float = 0.0) -> tuple[np.ndarray, ...]:
    """Draw a base with r .6, alpha 6, a .8, b 2.5; with ``ahead``, purchases of the weeks after, too."""
    rng = np.random.default_rng(seed)
    rate, leave = rng.gamma(0.6, 1 / 6, customers), rng.beta(0.8, 2.5, customers)
    age = rng.uniform(10, 104, customers)
    count, last, now, later = (np.zeros(customers) for _ in range(4))
    alive = np.ones(customers, dtype=bool)
    while alive.any():
        now[alive] += rng.exponential(1 / rate[alive])
        alive &= now <= age + ahead
        past = alive & (now <= age)
        count[past] += 1
        last[past] = now[past]
        later[alive & ~past] += 1
        alive[alive] = rng.random(alive.sum()) > leave[alive]
    return (count, last, age, later) if ahead else (count, last, age)


@pytest.mark.real
def test_published_estimates_of_cdnow_are_reproduced(real_data: Path) -> None:
    rows = pd.read_parquet(real_data / "cdnow_tenth/cdnow_customers_summary.parquet")
    base = BGNBD.fit(rows["frequency"], rows["recency"], rows["T"])
    assert (base.r, base.alpha, base.a, base.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=5e-4)
    assert base.log_likelihood == pytest.approx(-9582.4, abs=0.05)
    assert base.expected_purchases(39, 2, 30.43, 38.86) == pytest.approx(1.226, abs=5e-4)


def test_published_parameters_give_the_published_expectation() -> None:
    assert PUBLISHED.expected_purchases(39, [2], [30.43], [38.86]) == pytest.approx(1.226, abs=1e-3)


def test_likelihood_of_one_buyer_matches_paper() -> None:
    base = _count_alike(*(np.array([value]) for value in (1.0, 2.0, 3.0, 1.0)))
    value, _ = _mean_log_likelihood(np.array([1.0, 1.0, 1.0, 1.0]), base)
    # B(1,2)/B(1,1) * 1/4^2 + B(2,1)/B(1,1) * 1/3^2, each times G(2)/G(1) = 1: 1/2 (1/16 + 1/9)
    assert np.exp(value) == pytest.approx((1 / 16 + 1 / 9) / 2)


def test_gradient_agrees_with_finite_differences() -> None:
    base = _count_alike(*simulate(200, seed=1), np.ones(200))
    logs = np.log([0.5, 3.0, 1.2, 2.0])
    numeric = approx_fprime(logs, lambda at: _mean_log_likelihood(np.exp(at), base)[0], 1e-7)
    assert _mean_log_likelihood(np.exp(logs), base)[1] == pytest.approx(numeric, abs=1e-5)


def test_simulated_parameters_come_back() -> None:
    base = BGNBD.fit(*simulate(8_000, seed=2))
    assert (base.r, base.alpha) == pytest.approx((0.6, 6.0), rel=0.1)
    assert base.a / (base.a + base.b) == pytest.approx(0.8 / 3.3, rel=0.1)


def test_weights_stand_for_repeated_customers() -> None:
    x, last, age = (values[:300] for values in simulate(300, seed=3))
    weight = np.arange(300) % 3
    repeated = [np.repeat(values, weight) for values in (x, last, age)]
    weighed, plain = BGNBD.fit(x, last, age, weight), BGNBD.fit(*repeated)
    assert astuple(weighed) == pytest.approx(astuple(plain), rel=1e-5)


def test_unit_of_time_changes_alpha_alone() -> None:
    x, last, age = simulate(500, seed=4)
    weeks, days = BGNBD.fit(x, last, age), BGNBD.fit(x, last * 7, age * 7)
    assert (days.r, days.a, days.b) == pytest.approx((weeks.r, weeks.a, weeks.b), rel=1e-4)
    assert days.alpha == pytest.approx(7 * weeks.alpha, rel=1e-4)


def test_predictions_match_what_simulated_customers_do() -> None:
    count, last, age, later = simulate(20_000, seed=5, ahead=13.0)
    base = BGNBD(0.6, 6.0, 0.8, 2.5)
    for group in (count == 0, count == 1, count > 1, last < age - 26):
        state, bought = (count[group], last[group], age[group]), later[group]
        error = bought.std() / np.sqrt(len(bought))
        assert base.expected_purchases(13, *state).mean() == pytest.approx(bought.mean(), abs=3 * error)
        silent = base.no_purchase_probability(*state, 13).mean()
        assert silent == pytest.approx((bought == 0).mean(), abs=1.5 / np.sqrt(len(bought)))


@pytest.mark.parametrize("a", [0.3, 1.0, 1.0 + 1e-9, 2.7])
def test_expected_purchases_add_up_over_time(a: float) -> None:
    base = BGNBD(r=0.6, alpha=6.0, a=a, b=1.4)
    first, both = base.expected_purchases([4, 9], 3, 10, 12)
    assert 0 < first < both
    tiny = base.expected_purchases(1e-4, 3, 10, 12)[0] / 1e-4
    rate = 3.6 / 18 * base.alive_probability(3, 10, 12)[0]
    assert tiny == pytest.approx(rate, rel=1e-3)


def test_drop_out_free_base_expects_rate_times_time() -> None:
    base = BGNBD(r=2, alpha=10, a=1e-7, b=1)
    assert base.expected_purchases(7, 4, 5, 20) == pytest.approx((2 + 4) / (10 + 20) * 7, rel=1e-4)


@settings(max_examples=100, deadline=None)
@given(
    logs=st.tuples(*[st.floats(-3, 3)] * 4),
    x=st.integers(0, 2_000),
    last=st.floats(0, 1),
    age=st.floats(0.1, 500),
    periods=st.floats(0, 200),
)
def test_predictions_stay_possible_for_any_customer(
    logs: tuple[float, ...], x: int, last: float, age: float, periods: float
) -> None:
    base = BGNBD(*np.exp(logs))
    newest = age * last if x else 0.0
    silent = base.no_purchase_probability(x, newest, age, periods)[0]
    expected = base.expected_purchases(periods, x, newest, age)[0]
    assert 0 <= silent <= 1
    assert np.isfinite(expected)
    assert 1 - silent <= expected + 1e-6


@pytest.mark.parametrize("apart", [0.0, 1.0, 2.0])
def test_whole_difference_of_parameters_overflows_nowhere(apart: float) -> None:
    exactly, nearly = (BGNBD(0.14 + apart + by, 1.0, 0.14, 1.0) for by in (0.0, 1e-6))
    state = [98, 99, 120, 900], 0.1, 0.11
    found = exactly.expected_purchases(10, *state)
    assert found == pytest.approx(nearly.expected_purchases(10, *state), rel=1e-4)


def test_one_time_buyers_alone_have_no_maximum() -> None:
    rows = [0] * 50, [0] * 50, np.linspace(1, 40, 50)
    with pytest.raises(DataError, match=r"BG/NBD: no maximum of the likelihood; found alpha .* at the bound"):
        BGNBD.fit(*rows)
    assert BGNBD.fit(*rows, penalty=1e-4).no_purchase_probability(0, 0, 10, 4)[0] > 0.9


@pytest.mark.parametrize("x", [[1], [500, 500, 500], [0]])
def test_weak_penalty_fits_smallest_bases(x: list[int]) -> None:
    last = [2.0 if count else 0.0 for count in x]
    base = BGNBD.fit(x, last, [5.0] * len(x), penalty=1e-4)
    assert np.isfinite([base.r, base.alpha, base.a, base.b]).all()


def test_all_problems_of_input_are_reported_together() -> None:
    with pytest.raises(
        DataError, match=r"1 rows with .* infinite, 1 rows with a frequency.*, 1 rows with a recency beyond"
    ):
        BGNBD.fit([np.nan, -1, 2], [0, 0, 9], [5, 5, 5])


def test_empty_base_and_timeless_base_are_refused() -> None:
    with pytest.raises(DataError, match="found no customers"):
        BGNBD.fit([], [], [])
    with pytest.raises(DataError, match="no time between"):
        BGNBD.fit([0, 0], [0, 0], [0, 0])
