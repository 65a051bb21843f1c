from dataclasses import replace
from datetime import date

import pytest

from pipeline.config import GateSettings
from pipeline.gates import Vitals, check_gates
from tables.errors import GateError

BEFORE = Vitals(date(2026, 6, 1), date(2026, 5, 31), 1_000, 0.30, 0.2, (500, 300, 200), 1)
TONIGHT = replace(BEFORE, as_of=date(2026, 6, 2), newest_order_on=date(2026, 6, 1), level=0.31)
RETRAINED = (date(2026, 6, 1), 0.30)


def check(tonight: Vitals, before: Vitals | None = BEFORE, *, accept_level: bool = False) -> None:
    check_gates(tonight, GateSettings(), before=before, retrained=RETRAINED, accept_level=accept_level)


def test_a_night_like_the_one_before_passes() -> None:
    check(TONIGHT)


def test_stale_orders_close_the_gate() -> None:
    with pytest.raises(GateError, match="the newest order is of 2026-05-20"):
        check(replace(TONIGHT, newest_order_on=date(2026, 5, 20)))


def test_stale_contracts_close_the_gate_by_their_name() -> None:
    stale = replace(TONIGHT, newest_order_on=date(2026, 5, 20))
    with pytest.raises(GateError, match=r"newest subscription is of 2026-05-20.*Deliver newer subscriptions"):
        check_gates(
            stale,
            GateSettings(),
            before=None,
            retrained=RETRAINED,
            accept_level=False,
            watched_by="subscription",
        )


def test_half_the_customers_gone_closes_the_gate() -> None:
    with pytest.raises(GateError, match="499 customers watched, 1,000 on 2026-06-01"):
        check(replace(TONIGHT, customers=499))


def test_everybody_at_risk_closes_the_gate() -> None:
    with pytest.raises(GateError, match="97% of the customers are at risk"):
        check(replace(TONIGHT, at_risk=0.97))


def test_drifted_scores_close_the_gate_unless_the_model_changed() -> None:
    drifted = replace(TONIGHT, risks=(100, 200, 700))
    with pytest.raises(GateError, match="the scores drifted by"):
        check(drifted)
    check(replace(drifted, model_version=2))


def test_a_moved_level_closes_the_gate_until_accepted() -> None:
    moved = replace(TONIGHT, level=0.36)
    with pytest.raises(GateError, match=r"the forecast churn rate is 0.360, it was 0.300 on 2026-06-01"):
        check(moved)
    check(moved, accept_level=True)


def test_days_between_nights_allow_a_larger_step() -> None:
    check(replace(TONIGHT, as_of=date(2026, 6, 3), newest_order_on=date(2026, 6, 2), level=0.39))


def test_a_first_night_compares_with_the_forecast_at_retraining() -> None:
    with pytest.raises(GateError, match=r"it was 0.300 on 2026-06-01"):
        check(replace(TONIGHT, level=0.40), before=None)


def test_all_closed_gates_are_named_together() -> None:
    with pytest.raises(GateError) as caught:
        check(replace(TONIGHT, customers=10, at_risk=0.99, level=0.9))
    assert str(caught.value).count("gate 2026-06-02") == 3
