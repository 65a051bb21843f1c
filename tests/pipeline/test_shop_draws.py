"""The luck of the simulated shop belongs to a customer, a day and a purpose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.shop.draws import Draws


def test_draws_fill_the_unit_interval_evenly() -> None:
    values = Draws(3).uniform("order", np.arange(100_000), day=20_000)
    share, _ = np.histogram(values, bins=10, range=(0, 1))
    assert np.abs(share / 100_000 - 0.1).max() < 0.005


@given(seed=st.integers(0, 2**63), customer=st.integers(0, 10**7), day=st.integers(0, 40_000))
def test_a_draw_does_not_depend_on_its_neighbours(seed: int, customer: int, day: int) -> None:
    luck = Draws(seed)
    alone = luck.uniform("leave", np.array([customer]), day)
    assert luck.uniform("leave", np.array([5, customer, 9]), day)[1] == alone[0]


def test_purposes_days_and_numbers_draw_independently() -> None:
    customers, luck = np.arange(50_000), Draws(1)
    base = luck.uniform("order", customers, 20_000)
    others = [
        luck.uniform("leave", customers, 20_000),
        luck.uniform("order", customers, 20_001),
        luck.uniform("order", customers, 20_000, 1),
        luck.uniform("order", customers + 1, 20_000),
        Draws(2).uniform("order", customers, 20_000),
    ]
    assert max(abs(np.corrcoef(base, other)[0, 1]) for other in others) < 0.02


def test_gamma_traits_have_the_mean_asked_for() -> None:
    rates = Draws(5).gamma("order rate", np.arange(50_000), shape=1.6, mean=0.08)
    assert rates.mean() == pytest.approx(0.08, rel=0.02)
    assert rates.var() == pytest.approx(0.08**2 / 1.6, rel=0.05)


def test_counts_of_a_day_repeat_with_the_seed() -> None:
    assert Draws(5).poisson("arrivals", 20_000, 40) == Draws(5).poisson("arrivals", 20_000, 40)
    assert {Draws(5).poisson("arrivals", day, 40) for day in range(9)} != {40}
