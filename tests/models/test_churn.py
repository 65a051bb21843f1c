"""The whole model on a small shop with a known hazard: calibrated, pure per row, stored exactly, guarded."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.base import clone

from models.churn import ChurnModel
from models.reference import DateReference, Frames
from tables.errors import DataError, LeakageError, RegistryError, SchemaError

HORIZON = 28
DATES = [date(2025, 1, 1) + timedelta(days=HORIZON * step) for step in range(5)]
LEVELS = (-0.4, -0.2, 0.0, -0.2, -0.3)


@dataclass(frozen=True)
class Shop:
    """Snapshots of a shop in which churn follows lateness and a level that moves from date to date."""

    rows: pd.DataFrame

    @property
    def X(self) -> pd.DataFrame:
        return self.rows.drop(columns=["as_of", "customer", "churned", "hazard"])

    def at(self, day: date) -> "Shop":
        return Shop(self.rows[self.rows["as_of"] == day])

    def before(self, day: date) -> "Shop":
        return Shop(self.rows[self.rows["as_of"] < day])


def shop(customers: int = 700, seed: int = 0) -> Shop:
    rng = np.random.default_rng(seed)
    frames = []
    for day, level in zip(DATES, LEVELS, strict=True):
        lateness = rng.normal(size=customers)
        hazard = expit(-1 + level + 1.2 * lateness)
        days = 2 + rng.poisson(3, customers)
        tenure = rng.integers(120, 400, customers)
        silence = np.clip(30 + 20 * lateness, 1, 100).astype(int)
        frames.append(
            pd.DataFrame(
                {
                    "as_of": day,
                    "customer": np.arange(customers),
                    "churned": rng.random(customers) < hazard,
                    "hazard": hazard,
                    "purchase_days_total": days,
                    "days_first_to_last_order": tenure - silence,
                    "tenure_days": tenure,
                    "days_since_last_order": silence,
                    "lateness": lateness,
                    "gap_days_median": np.where(days > 3, rng.gamma(3, 7, customers), np.nan),
                }
            )
        )
    return Shop(pd.concat(frames, ignore_index=True))


def fit(rows: Shop, *, earlier: ChurnModel | None = None, **settings: int) -> ChurnModel:
    model = ChurnModel(**{"horizon_days": HORIZON, "folds": 3, "max_rounds": 60} | settings)
    return model.fit(
        rows.X,
        rows.rows["churned"],
        as_of=rows.rows["as_of"],
        customer=rows.rows["customer"],
        earlier=earlier,
    )


SHOP = shop()
LAST = SHOP.at(DATES[-1])


@pytest.fixture(scope="module")
def model() -> ChurnModel:
    return fit(SHOP.before(DATES[-1]))


@pytest.fixture(scope="module")
def reference(model: ChurnModel) -> DateReference:
    open_level = DateReference.fit(LAST.X, as_of=DATES[-1], horizon_days=HORIZON)
    return model.calibrate_predict(LAST.X, reference=open_level)[0]


def test_known_hazard_is_recovered_out_of_time(model: ChurnModel, reference: DateReference) -> None:
    risk = model.predict_proba(LAST.X, reference=reference)[:, 1]
    hazard = LAST.rows["hazard"].to_numpy()
    assert np.corrcoef(risk, hazard)[0, 1] > 0.97
    assert np.abs(risk - hazard).mean() < 0.06
    assert risk.mean() == pytest.approx(hazard.mean(), abs=0.05)


def test_mean_risk_is_the_level_forecast(model: ChurnModel, reference: DateReference) -> None:
    assert reference.level is not None
    risk = model.predict_proba(LAST.X, reference=reference)
    assert risk[:, 1].mean() == pytest.approx(reference.level.level, abs=1e-9)
    assert risk.sum(axis=1) == pytest.approx(np.ones(len(risk)))
    assert reference.level.level_check == DATES[-2].isoformat()


def test_a_row_scores_the_same_in_any_company(model: ChurnModel, reference: DateReference) -> None:
    together = model.predict_proba(LAST.X, reference=reference)
    order = np.random.default_rng(0).permutation(len(LAST.X))
    shuffled = model.predict_proba(LAST.X.iloc[order], reference=reference)
    assert np.array_equal(shuffled, together[order])
    for row in (0, 17, 400):
        alone = model.predict_proba(LAST.X.iloc[[row]], reference=reference)
        assert np.array_equal(alone[0], together[row])


def test_level_is_the_same_bucket_by_bucket(model: ChurnModel, reference: DateReference) -> None:
    buckets = [LAST.X.iloc[:100], LAST.X.iloc[100:]]
    open_level = DateReference.fit(buckets, as_of=DATES[-1], horizon_days=HORIZON)
    assert model.calibrate_predict(buckets, reference=open_level)[0].level == reference.level


def test_one_pass_gives_what_two_passes_give(model: ChurnModel, reference: DateReference) -> None:
    open_level = DateReference.fit(LAST.X, as_of=DATES[-1], horizon_days=HORIZON)
    levelled, risk = model.calibrate_predict(LAST.X, reference=open_level)
    assert levelled == reference
    assert np.array_equal(risk, model.predict_proba(LAST.X, reference=reference)[:, 1])


def test_mean_risk_of_many_comes_from_a_sample_by_key(
    model: ChurnModel, reference: DateReference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.churn._ROWS_FOR_A_MEAN", 200)
    monkeypatch.setattr("models.churn._ROWS_AT_A_TIME", 64)
    open_level = DateReference.fit(LAST.X, as_of=DATES[-1], horizon_days=HORIZON)
    order = np.random.default_rng(1).permutation(len(LAST.X))
    sampled, risk = model.calibrate_predict(LAST.X, reference=open_level)
    shuffled, again = model.calibrate_predict(LAST.X.iloc[order], reference=open_level)
    assert sampled.level is not None
    assert reference.level is not None
    assert sampled.level.uncorrected != reference.level.uncorrected
    assert sampled.level.uncorrected == pytest.approx(reference.level.uncorrected, abs=0.03)
    assert shuffled.level is not None
    assert shuffled.level.level == pytest.approx(sampled.level.level, abs=1e-12)
    assert again == pytest.approx(risk[order], abs=1e-12)


def test_saved_model_scores_the_same_and_saves_the_same_bytes(
    model: ChurnModel, reference: DateReference, tmp_path: Path
) -> None:
    model.save(tmp_path / "first")
    again = ChurnModel.load(tmp_path / "first")
    again.save(tmp_path / "second")
    scores = [each.predict_proba(LAST.X, reference=reference) for each in (model, again)]
    assert np.array_equal(*scores)
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
    assert again.get_params() == model.get_params()
    assert again.calibrate_predict(LAST.X, reference=reference)[0] == reference


def test_training_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    few = SHOP.at(DATES[0])
    for name in ("first", "second"):
        fit(few, max_rounds=10).save(tmp_path / name)
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


def test_threads_leave_no_mark_on_the_model(tmp_path: Path) -> None:
    few = SHOP.at(DATES[0])
    for threads in (1, 2):
        fit(few, max_rounds=10, threads=threads).save(tmp_path / str(threads))
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_single_training_date_has_no_level_check(model: ChurnModel) -> None:
    alone = fit(SHOP.at(DATES[0]), max_rounds=10)
    open_level = DateReference.fit(LAST.X, as_of=DATES[-1], horizon_days=HORIZON)
    level = alone.calibrate_predict(LAST.X, reference=open_level)[0].level
    assert level is not None
    assert (level.level_check, level.series_weight, level.slope) == ("none", 0.5, 1.0)


def test_a_model_of_the_date_before_tries_the_level(model: ChurnModel, tmp_path: Path) -> None:
    before = fit(SHOP.before(DATES[-2]))
    fit(SHOP.before(DATES[-1]), earlier=before).save(tmp_path / "tried")
    model.save(tmp_path / "whole")
    assert contents(tmp_path / "tried") == contents(tmp_path / "whole")
    fewer_dates = fit(Shop(SHOP.rows[SHOP.rows["as_of"].isin(DATES[1:3])]))
    tried = fit(SHOP.before(DATES[-1]), earlier=fewer_dates).level_check_
    assert tried is not None
    assert tried.as_of == DATES[-2]
    other = fit(SHOP.before(DATES[-2]), max_rounds=2)
    assert fit(SHOP.before(DATES[-1]), earlier=other).level_check_ == model.level_check_


def test_a_model_that_knows_the_outcome_tries_nothing(model: ChurnModel) -> None:
    with pytest.raises(LeakageError, match=f"level at {DATES[-2]} cannot be tried .* up to {DATES[-1]}"):
        fit(SHOP.before(DATES[-1]), earlier=model)


def test_clone_keeps_the_settings_and_drops_the_fit(model: ChurnModel) -> None:
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "members_")


def test_reasons_name_the_cause_in_words(model: ChurnModel, reference: DateReference) -> None:
    latest = LAST.X.assign(lateness=0.0).iloc[[0]].assign(lateness=2.5, days_since_last_order=80.0)
    [reasons] = model.reasons(latest, reference=reference)
    assert reasons[0].feature in {"lateness", "days_since_last_order"}
    assert 0 < reasons[0].share <= 1


def test_too_early_a_date_is_leakage(model: ChurnModel) -> None:
    early = DATES[-1] - timedelta(days=1)
    open_level = DateReference.fit(LAST.X, as_of=early, horizon_days=HORIZON)
    with pytest.raises(LeakageError, match=f"{early} cannot be scored; outcomes up to {DATES[-1]}"):
        model.calibrate_predict(LAST.X, reference=open_level)


def test_other_columns_are_shown_as_a_difference(model: ChurnModel, reference: DateReference) -> None:
    with pytest.raises(SchemaError, match=r"missing \['lateness'\], unexpected \['lates'\]"):
        model.predict_proba(LAST.X.rename(columns={"lateness": "lates"}), reference=reference)


def test_order_of_columns_does_not_matter(model: ChurnModel, reference: DateReference) -> None:
    turned = LAST.X[LAST.X.columns[::-1]]
    assert np.array_equal(
        model.predict(turned, reference=reference), model.predict(LAST.X, reference=reference)
    )


def test_reference_without_level_cannot_score(model: ChurnModel) -> None:
    open_level = DateReference.fit(LAST.X, as_of=DATES[-1], horizon_days=HORIZON)
    with pytest.raises(DataError, match="no level to score with"):
        model.predict_proba(LAST.X, reference=open_level)


def test_a_date_without_customers_is_refused(model: ChurnModel, reference: DateReference) -> None:
    nobody: tuple[Frames, ...] = (LAST.X.iloc[:0], [], [LAST.X.iloc[:0]])
    for frames in nobody:
        with pytest.raises(DataError, match=f"nobody to score at {DATES[-1]}; found 0"):
            model.calibrate_predict(frames, reference=reference)


def test_one_class_only_is_refused_with_advice() -> None:
    rows = SHOP.at(DATES[0]).rows.assign(churned=False)
    with pytest.raises(DataError, match=r"one class only: all 700 rows stayed\. Choose another horizon"):
        fit(Shop(rows))


def test_too_few_customers_are_refused_with_advice() -> None:
    with pytest.raises(DataError, match=r"20 customers with .* Widen `active_within_days`"):
        fit(Shop(SHOP.rows[SHOP.rows["customer"] < 20]))


def test_all_problems_of_the_rows_are_reported_together() -> None:
    rows = SHOP.at(DATES[0])
    with pytest.raises(DataError, match=r"labels other than 0 and 1, such as \[2.0.*; weights below 0"):
        ChurnModel(horizon_days=HORIZON).fit(
            rows.X,
            np.full(700, 2),
            as_of=rows.rows["as_of"],
            customer=rows.rows["customer"],
            weight=np.full(700, -1.0),
        )


def test_words_among_the_features_are_refused() -> None:
    rows = SHOP.at(DATES[0])
    with pytest.raises(SchemaError, match=r"columns that are not numbers; found \['region'\]"):
        fit(Shop(rows.rows.assign(region="north")))


def test_missing_file_of_a_model_is_named(model: ChurnModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    (tmp_path / "ridge.json").unlink()
    with pytest.raises(RegistryError, match=r"ridge\.json: file of the model not found"):
        ChurnModel.load(tmp_path)


def test_model_of_another_format_is_refused(model: ChurnModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    about = tmp_path / "model.json"
    about.write_text(about.read_text().replace('"format": 2', '"format": 99'))
    with pytest.raises(RegistryError, match="a model of format 99; this version reads 2"):
        ChurnModel.load(tmp_path)
