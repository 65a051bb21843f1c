"""Reasons: themes added up, only those without which the whole model sees less risk, the strongest first."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.special import logit

from models.churn import ChurnModel
from models.reasons import Reason, strongest_reasons
from models.reference import DateReference, Moments
from models.wordings import theme_of
from tests.models.test_churn import DATES, HORIZON, LAST, SHOP, fit

X = pd.DataFrame({"orders_30d": [1.0], "orders_90d": [9.0], "spend_30d": [4.0], "tenure_days": [50.0]})
TYPICAL = {"orders_30d": 2.0, "orders_90d": 6.0, "spend_30d": 9.0, "tenure_days": 90.0}


def risk_of(rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """A model in which orders, spend and tenure lower the risk, each by so much a unit."""
    return (
        0.9 - 0.02 * rows["orders_30d"] - 0.01 * rows["spend_30d"] - 0.001 * rows["tenure_days"]
    ).to_numpy()


def reasons_of(*contributions: float, top: int = 3) -> tuple[Reason, ...]:
    [found] = strongest_reasons(X, np.array([contributions]), typical=TYPICAL, risk_of=risk_of, top=top)
    return found


def test_a_theme_adds_what_the_logit_falls_by_without_it() -> None:
    spend, tenure, frequency = reasons_of(0.3, 0.2, 0.4, 0.1)
    drops = [logit(0.79) - logit(less) for less in (0.74, 0.75, 0.77)]
    assert [each.contribution for each in (spend, tenure, frequency)] == pytest.approx(drops)
    assert [each.share for each in (spend, tenure, frequency)] == pytest.approx(np.array(drops) / sum(drops))
    assert frequency.feature == "orders_30d"


def test_the_reason_without_which_risk_is_lowest_comes_first() -> None:
    found = reasons_of(0.5, 0.0, 0.2, 0.1)
    assert [each.theme for each in found] == ["spend", "tenure", "frequency"]
    assert [round(each.risk_without, 2) for each in found] == [0.74, 0.75, 0.77]
    assert found[0].risk == pytest.approx(0.79)
    assert found[0].change() == "without it the risk would be 74% instead of 79%"
    assert (
        found[0].change("lt")
        == "be šios priežasties rizika būtų 74\N{NO-BREAK SPACE}%, o ne 79\N{NO-BREAK SPACE}%"
    )
    assert reasons_of(0.5, 0.0, 0.2, 0.1, top=2) == found[:2]


def test_nothing_that_raises_the_risk_gives_no_reason() -> None:
    told = strongest_reasons(X, np.zeros(X.shape), typical=X.iloc[0].to_dict(), risk_of=risk_of, top=3)
    assert told == [()]


def test_a_theme_that_hardly_moves_the_risk_is_none() -> None:
    typical = TYPICAL | {"spend_30d": 4.1}  # without it .789 instead of .79
    [found] = strongest_reasons(X, np.ones(X.shape), typical=typical, risk_of=risk_of, top=3)
    assert [each.theme for each in found] == ["tenure", "frequency"]


def test_sure_risks_have_reasons_without_a_warning() -> None:
    for risk, typical in ((1.0, 1.0), (1.0, 0.5), (0.0, 0.0)):
        told = strongest_reasons(
            X[["spend_30d"]],
            np.array([[0.5]]),
            typical={"spend_30d": 9.0},
            risk_of=lambda rows, sure=risk, less=typical: np.where(rows["spend_30d"] == 9, less, sure),
            top=1,
        )
        assert [len(found) for found in told] == [int(typical < risk)]


def test_a_feature_that_alone_lowers_nothing_is_not_named() -> None:
    assert [each.theme for each in reasons_of(0.1, 0.5, 0.4, 0.1)] == ["spend", "tenure"]  # named: orders_90d


def test_a_later_order_is_a_later_last_order_too() -> None:
    late = pd.DataFrame(
        {"days_first_to_last_order": [100.0], "tenure_days": [174.0], "days_since_last_order": [74.0]}
    )
    asked: list[pd.DataFrame] = []

    def remembering(rows: pd.DataFrame) -> npt.NDArray[np.float64]:
        asked.append(rows)
        return rows["days_since_last_order"].to_numpy() / 100

    typical = {"days_first_to_last_order": 90.0, "tenure_days": 200.0, "days_since_last_order": 20.0}
    strongest_reasons(late, np.array([[0.0, 0.0, 0.5]]), typical=typical, risk_of=remembering, top=1)
    told = [row for rows in asked for row in rows.to_numpy().tolist()]
    assert [154.0, 174.0, 20.0] in told
    assert [126.0, 200.0, 74.0] in told


def test_typical_is_the_mean_of_the_date_or_missing() -> None:
    rows = LAST.X.assign(gap_days_median=np.nan, lateness=[-1.0, *np.zeros(len(LAST.X) - 1)])
    reference = DateReference.fit(rows, as_of=DATES[-1], horizon_days=HORIZON)
    typical = reference.typical()
    assert reference.moments["gap_days_median"] == Moments(0.0, 0.0, 1.0)
    assert np.isnan(typical["gap_days_median"])
    assert typical["lateness"] == pytest.approx(-np.log(2) / len(rows), rel=0.05)
    expected = np.expm1(np.log1p(rows["tenure_days"]).mean())
    assert typical["tenure_days"] == pytest.approx(expected, rel=1e-4)


@pytest.fixture(scope="module")
def model() -> ChurnModel:
    return fit(SHOP.before(DATES[-1]), max_rounds=30)


@pytest.fixture(scope="module")
def reference(model: ChurnModel) -> DateReference:
    fitted = DateReference.fit(LAST.X, as_of=DATES[-1], horizon_days=HORIZON)
    return model.calibrate_predict(LAST.X, reference=fitted)[0]


def test_putting_a_reason_away_lowers_the_score_as_told(model: ChurnModel, reference: DateReference) -> None:
    customers, typical = LAST.X.head(60), reference.typical()
    risk = model.predict_proba(customers, reference=reference)[:, 1]
    told = model.reasons(customers, reference=reference)
    assert sum(map(len, told)) > 30
    for row, reason in ((row, each) for row, found in enumerate(told) for each in found):
        assert reason.risk == risk[row]
        for away in ([name for name in customers if theme_of(name) == reason.theme], [reason.feature]):
            without = customers.iloc[[row]].astype(np.float64)
            without[away] = [typical[name] for name in away]
            if {"days_since_last_order", "tenure_days"} & set(away):
                without["days_first_to_last_order"] = (
                    without["tenure_days"] - without["days_since_last_order"]
                )
            [[_, less]] = model.predict_proba(without.clip(lower=-9), reference=reference)
            assert less < reason.risk
            assert len(away) == 1 or less == pytest.approx(reason.risk_without, abs=1e-6)
