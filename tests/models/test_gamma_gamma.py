from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime

from models.gamma_gamma import GammaGamma, _mean_value_log_likelihood
from tables.errors import DataError


@pytest.mark.real
def test_published_estimates_of_cdnow_are_reproduced(real_data: Path) -> None:
    rows = pd.read_parquet(real_data / "cdnow_tenth/cdnow_tenth_transactions_clvtools.parquet")
    days = rows[rows["Date"] <= "1997-09-30"].groupby(["Id", "Date"], as_index=False)["Price"].sum()
    again = days[days["Date"] > days.groupby("Id")["Date"].transform("min")]
    repeats = again.groupby("Id")["Price"].agg(["size", "mean"])
    fitted = GammaGamma.fit(repeats["size"], repeats["mean"])
    assert len(repeats) == 946
    assert (fitted.p, fitted.q, fitted.v) == pytest.approx((6.25, 3.74, 15.44), abs=5e-3)
    assert fitted.correlation == pytest.approx(0.114, abs=5e-4)


def test_gradient_agrees_with_finite_differences() -> None:
    rng = np.random.default_rng(1)
    x, m = rng.integers(1, 9, 100).astype(float), rng.gamma(3, 10, 100)
    logs = np.log([4.0, 3.0, 12.0])
    numeric = approx_fprime(logs, lambda at: _mean_value_log_likelihood(np.exp(at), x, m)[0], 1e-7)
    assert _mean_value_log_likelihood(np.exp(logs), x, m)[1] == pytest.approx(numeric, abs=1e-5)


def test_simulated_parameters_come_back() -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(1, 12, 5_000)
    m = rng.gamma(6.0 * x) / rng.gamma(4.0, 1 / 15.0, 5_000) / x
    fitted = GammaGamma.fit(x, m)
    assert fitted.q == pytest.approx(4.0, rel=0.1)
    # p and v trade places in small samples; their product, which sets the mean, does not
    assert fitted.p * fitted.v == pytest.approx(6.0 * 15.0, rel=0.15)
    assert fitted.expected_value(0, 0) == pytest.approx(6.0 * 15.0 / 3.0, rel=0.03)


def test_much_evidence_beats_the_mean_of_everybody() -> None:
    fitted = GammaGamma(p=6.25, q=3.74, v=15.44)
    new, some, many = fitted.expected_value([0, 1, 10_000], [np.nan, 100, 100])
    assert new == pytest.approx(6.25 * 15.44 / 2.74)
    assert new < some < many == pytest.approx(100, rel=1e-3)


def test_currency_changes_the_scale_alone() -> None:
    rng = np.random.default_rng(3)
    x, m = rng.integers(1, 9, 500), rng.gamma(3, 10, 500) * rng.gamma(4, 0.25, 500)
    euros, cents = GammaGamma.fit(x, m), GammaGamma.fit(x, 100 * m)
    assert (cents.p, cents.q, cents.v) == pytest.approx((euros.p, euros.q, 100 * euros.v), rel=1e-4)


def test_too_few_repeaters_are_refused() -> None:
    with pytest.raises(DataError, match="too few customers; 1 of 3 came back"):
        GammaGamma.fit([0, 2, 3], [5, 8, 0])


def test_equal_values_have_no_maximum() -> None:
    with pytest.raises(DataError, match="Gamma-Gamma: no maximum of the likelihood"):
        GammaGamma.fit([1, 2, 3], [10, 10, 10])
