import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.contract_value import months_kept, months_subscribed, subscriber_values
from models.settings import ValueSettings
from tables.errors import SchemaError

TWO_MONTHS = ValueSettings(margin_months=2, annual_discount=0)
UNCAPPED = ValueSettings(cap_quantile=1)
risks = st.floats(0, 1)


def values(fee, risk, subscribed=None, last_fee=0.0, settings=UNCAPPED):
    return subscriber_values(
        pd.DataFrame({"plan_fee_monthly": np.array(fee, dtype=np.float32)}),
        risk,
        subscribed=np.ones(len(fee), dtype=bool) if subscribed is None else np.array(subscribed),
        last_fee=last_fee,
        horizon_days=60,
        settings=settings,
    )


def test_staying_a_month_against_leaving_in_it() -> None:
    # Half leave in a month: staying brings 1 + (1 - 1/2) / ln 2, leaving 2 (1 - 1/2) / ln 2 - 1.
    staying, leaving = 1 + 0.5 / np.log(2), 1 / np.log(2) - 1
    assert months_kept(0.5, horizon=1, settings=TWO_MONTHS) == pytest.approx(staying - leaving)
    expected = 0.5 * staying + 0.5 * leaving
    assert months_subscribed(0.5, horizon=1, settings=TWO_MONTHS) == pytest.approx(expected)


def test_a_later_month_counts_less_by_its_end() -> None:
    discounted = ValueSettings(margin_months=2, annual_discount=0.5)
    first, second = 1 / 1.5 ** (1 / 12), 1 / 1.5 ** (2 / 12)
    months = months_subscribed(0, horizon=1, settings=discounted)
    assert months == pytest.approx(first + second, abs=1e-5)


def test_a_horizon_beyond_the_months_ends_with_them() -> None:
    # Uniformly lost over four months, seen for two: 2 against 1/4 x 1/2 + 1/4 x 3/2 + 1/2 x 2 = 3/2.
    assert months_kept(0, horizon=4, settings=TWO_MONTHS) == pytest.approx(0.5, abs=1e-5)


def test_margin_is_the_fee_left_after_costs() -> None:
    found = values([100, 50, 100], [0.1, 0.1, 0.3])
    kept = months_kept([0.1, 0.3], horizon=60 / (365.25 / 12), settings=ValueSettings())
    assert found.margin == pytest.approx([30 * kept[0], 15 * kept[0], 30 * kept[1]])
    assert found.clv[0] > found.clv[2]


def test_who_never_subscribed_is_worth_nothing_to_keep() -> None:
    found = values([100, 100], [0.1, 0.1], [True, False])
    assert found.margin[1] == found.clv[1] == 0
    assert found.margin[0] > 0


def test_winning_back_is_worth_what_keeping_that_fee_is() -> None:
    # Nobody leaves: of two months all but half of the 60 days, in which the contract begins at some time.
    settings = ValueSettings(margin_months=2, annual_discount=0, contribution_rate=0.3, cap_quantile=1)
    months = 2 - 60 / (365.25 / 12) / 2
    found = values([100, 0, 0, 0], [0] * 4, [True, False, False, False], [70, 40, 0, 900], settings)
    assert found.margin == pytest.approx([30 * months, 12 * months, 0, 30 * months])  # the last one is capped
    assert found.clv[1:].tolist() == [0, 0, 0]  # not to be expected, unless won back
    assert values([40], [0.2]).margin[0] == values([90, 0], [0.1, 0.2], [True, False], [0, 40]).margin[1]


@given(risk=risks, horizon=st.floats(0.1, 30))
def test_expectation_mixes_staying_and_leaving(risk: float, horizon: float) -> None:
    settings = ValueSettings()
    kept, expected = (
        float(each(risk, horizon=horizon, settings=settings)) for each in (months_kept, months_subscribed)
    )
    assert 0 <= kept <= 12
    assert 0 <= expected <= 12
    # Staying brings what is expected and the part of the difference that risk takes away.
    assert expected + risk * kept <= 12 + 1e-6


def test_a_fee_is_needed() -> None:
    with pytest.raises(SchemaError, match="no column 'plan_fee_monthly'"):
        subscriber_values(
            pd.DataFrame({"seats": [1.0]}),
            [0.1],
            subscribed=np.array([True]),
            horizon_days=60,
            settings=ValueSettings(),
        )
