"""What data throw at the churn model: features that say nothing, customers twice, dates of one outcome, torn files."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from models.churn import ChurnModel
from models.evaluation import calibration_table, evaluate_models, paired_differences
from models.pool import customer_folds
from models.reference import DateReference
from tables.errors import DataError, RegistryError

HORIZON, FOLDS, CUSTOMERS = 28, 3, 400
DATES = [date(2025, 1, 1) + timedelta(days=HORIZON * step) for step in range(4)]
TONIGHT = DATES[-1]
KEYS = ["as_of", "customer", "churned"]

Change = Callable[[pd.DataFrame], pd.DataFrame]


def drawn() -> pd.DataFrame:
    """Snapshots of a shop in which whoever is late leaves."""
    rng = np.random.default_rng(3)
    frames = []
    for day in DATES:
        late = rng.normal(size=CUSTOMERS)
        silence = np.clip(30 + 20 * late, 1, 100).astype(int)
        tenure = rng.integers(120, 400, CUSTOMERS)
        frames.append(
            pd.DataFrame(
                {
                    "as_of": day,
                    "customer": np.arange(CUSTOMERS),
                    "churned": rng.random(CUSTOMERS) < expit(-0.5 + 1.5 * late),
                    "purchase_days_total": 2 + rng.poisson(3, CUSTOMERS),
                    "days_first_to_last_order": tenure - silence,
                    "tenure_days": tenure,
                    "days_since_last_order": silence,
                    "late": late,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


ROWS = drawn()
LATE = ROWS.loc[ROWS["as_of"] == TONIGHT, "late"].to_numpy()


def trained(rows: pd.DataFrame) -> ChurnModel:
    past = rows[rows["as_of"] < TONIGHT]
    model = ChurnModel(horizon_days=HORIZON, folds=FOLDS, max_rounds=8)
    return model.fit(past.drop(columns=KEYS), past["churned"], as_of=past["as_of"], customer=past["customer"])


def risk_tonight(model: ChurnModel, rows: pd.DataFrame) -> np.ndarray:
    tonight = rows[rows["as_of"] == TONIGHT].drop(columns=KEYS)
    open_level = DateReference.fit(tonight, as_of=TONIGHT, horizon_days=HORIZON)
    return model.calibrate_predict(tonight, reference=open_level)[1]


def check_useful(risk: np.ndarray) -> None:
    assert ((risk > 0) & (risk < 1)).all()
    assert np.corrcoef(risk, LATE)[0, 1] > 0.8


@pytest.fixture(scope="module")
def plain() -> ChurnModel:
    return trained(ROWS)


def test_features_that_say_nothing_do_no_harm() -> None:
    rows = ROWS.assign(
        always_one=1.0,
        never_there=np.nan,
        there_from_tonight_on=np.where(ROWS["as_of"] == TONIGHT, 3.0, np.nan),
        one_until_tonight=np.where(ROWS["as_of"] == TONIGHT, 1e6 * ROWS["late"], 1.0),
        spend=np.where(ROWS["customer"] == 3, 1e30, ROWS["customer"]),  # one amount beyond belief
        balance=np.where(ROWS["customer"] == 4, -1e30, ROWS["customer"]),
    )
    check_useful(risk_tonight(trained(rows), rows))


def test_a_feature_nobody_has_tonight_leaves_a_risk(plain: ChurnModel) -> None:
    risk = risk_tonight(plain, ROWS.assign(late=np.nan))
    assert ((risk > 0) & (risk < 1)).all()
    assert np.corrcoef(risk, LATE)[0, 1] > 0.5  # the silence still tells


@pytest.mark.parametrize("amount", [1e30, -1e30])
def test_an_extreme_amount_moves_no_other_customer(plain: ChurnModel, amount: float) -> None:
    tonight = ROWS[ROWS["as_of"] == TONIGHT].drop(columns=KEYS)
    reference = plain.calibrate_predict(
        tonight, reference=DateReference.fit(tonight, as_of=TONIGHT, horizon_days=HORIZON)
    )[0]
    before = plain.predict_proba(tonight, reference=reference)[:, 1]
    strange = tonight.assign(late=np.where(np.arange(CUSTOMERS) == 7, amount, tonight["late"]))
    after = plain.predict_proba(strange, reference=reference)[:, 1]
    assert np.isfinite(after[7])
    assert np.delete(after, 7).tolist() == np.delete(before, 7).tolist()


@pytest.mark.parametrize("amount", [np.inf, 1e300])
def test_what_no_feature_can_hold_is_refused(amount: float) -> None:
    rows = ROWS.assign(spend=np.where(ROWS["customer"] == 3, amount, 1.0))
    with pytest.raises(DataError, match=r"infinite values; found in \['spend'\]"):
        trained(rows)


def test_a_customer_twice_at_a_date_is_named() -> None:
    with pytest.raises(
        DataError, match=r"found 2 more, such as 5 at 2025-01-01, 6 at 2025-01-01\. Drop the repeated"
    ):
        trained(pd.concat([ROWS, ROWS.loc[5:6]]))


def all_stay_at_a_date(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(churned=rows["churned"] & (rows["as_of"] != DATES[1]))


def all_leave_at_the_newest_date(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(churned=rows["churned"] | (rows["as_of"] == DATES[2]))


def all_stay_in_a_fold(rows: pd.DataFrame) -> pd.DataFrame:
    fold = customer_folds(rows["customer"].to_numpy(), FOLDS, seed=0)
    return rows.assign(churned=rows["churned"] & (fold > 0))


@pytest.mark.parametrize(
    "change", [all_stay_at_a_date, all_leave_at_the_newest_date, all_stay_in_a_fold], ids=lambda f: f.__name__
)
def test_one_class_in_a_part_of_the_rows_is_learnt_from(change: Change) -> None:
    rows = change(ROWS)
    model = trained(rows)
    check_useful(risk_tonight(model, rows))
    assert np.isfinite(model.series_.churn_rate).all()


def test_a_label_given_away_keeps_finite_risks() -> None:
    rows = ROWS.assign(churned=ROWS["late"] > 0, told=(ROWS["late"] > 0) * 1.0)
    risk = risk_tonight(trained(rows), rows)
    assert np.isfinite(risk).all()
    assert risk[LATE > 0].min() > risk[LATE < 0].max()


def test_probabilities_of_nothing_and_all_are_judged() -> None:
    churned = np.array([0, 0, 0, 1, 1, 1] * 20)
    sure = np.array([0.0, 0.0, 1.0, 1.0, 1.0, 0.0] * 20)  # two of six wrong, and sure of it
    told = {"sure": sure, "fair": np.where(sure > 0, 0.7, 0.3)}
    first, _ = evaluate_models(churned, told, np.arange(120), seed=0)
    assert all(np.isfinite(value) for name, value in first.items() if name != "name")
    assert first["brier"] == pytest.approx(2 / 6)
    gains = paired_differences(churned, told, np.arange(120), 0, challenger="fair")
    loss = next(row for row in gains if row["metric"] == "log_loss")
    assert np.isfinite(loss["difference"])
    assert loss["difference"] < -4  # being sure and wrong is dear, but not infinitely so
    predicted = [row["mean_predicted"] for row in calibration_table(churned, sure)]
    assert (predicted[0], predicted[-1]) == (0, 1)


def test_a_date_without_churners_cannot_be_judged() -> None:
    with pytest.raises(DataError, match="one class"):
        evaluate_models(np.zeros(60), {"any": np.full(60, 0.2)}, np.arange(60), seed=0)


@pytest.mark.parametrize(
    "name", ["boosters/ranking.txt", "boosters/level.txt", "calibration.json", "features.json", "ridge.json"]
)
def test_a_torn_file_of_a_model_is_named(plain: ChurnModel, tmp_path: Path, name: str) -> None:
    plain.save(tmp_path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])  # LightGBM would end the process over such trees
    with pytest.raises(RegistryError, match=rf"{name}: not the file that was saved.*or retrain"):
        ChurnModel.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"[]", b"\x00\xff", b'{"format": 2'])
def test_a_model_without_its_own_page_is_refused(plain: ChurnModel, tmp_path: Path, content: bytes) -> None:
    plain.save(tmp_path)
    (tmp_path / "model.json").write_bytes(content)
    with pytest.raises(RegistryError, match=r"model\.json: not (JSON|an object).*or retrain"):
        ChurnModel.load(tmp_path)
