"""Every ingredient of the recipe can be switched off, and what is off has no part in the risk."""

from copy import copy
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy.special import expit, logit

from models.churn import ChurnModel
from models.members import beside
from models.reference import DateReference
from models.settings import Recipe
from tables.errors import DataError

HORIZON = 28
DATES = [date(2025, 1, 1) + timedelta(days=HORIZON * step) for step in range(4)]


def snapshots(customers: int = 250) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frames = []
    for day, level in zip(DATES, (-1.0, 0.0, 1.0, 0.5), strict=True):
        lateness, tenure = rng.normal(size=customers), rng.integers(120, 400, customers)
        silence = np.clip(30 + 20 * lateness, 1, 100).astype(int)
        rows = {
            "as_of": day,
            "customer": np.arange(customers),
            "churned": rng.random(customers) < expit(level + lateness),
            "purchase_days_total": 2 + rng.poisson(3, customers),
            "days_first_to_last_order": tenure - silence,
            "days_since_last_order": silence,
            "tenure_days": tenure,
            "lateness": lateness,
        }
        frames.append(pd.DataFrame(rows))
    return pd.concat(frames, ignore_index=True)


ROWS = snapshots()
LAST = ROWS[ROWS["as_of"] == DATES[-1]].drop(columns=["as_of", "customer", "churned"])


def fit(recipe: Recipe, *, leaves_by_silence: bool = True) -> ChurnModel:
    known = ROWS[ROWS["as_of"] < DATES[-1]]
    X = known.drop(columns=["as_of", "customer", "churned"])
    references = {
        day: DateReference.fit(
            X[known["as_of"] == day], as_of=day, horizon_days=HORIZON, leaves_by_silence=leaves_by_silence
        )
        for day in DATES[:-1]
    }
    model = ChurnModel(horizon_days=HORIZON, folds=2, max_rounds=10, recipe=recipe)
    return model.fit(
        X, known["churned"], as_of=known["as_of"], customer=known["customer"], references=references
    )


def calibrated(model: ChurnModel) -> DateReference:
    return model.calibrate_predict(
        LAST, reference=DateReference.fit(LAST, as_of=DATES[-1], horizon_days=HORIZON)
    )[0]


@pytest.fixture(scope="module")
def full() -> ChurnModel:
    return fit(Recipe())


def test_full_recipe_weighs_all_three_members(full: ChurnModel) -> None:
    assert list(full.members_.weights) == ["boosting", "ridge", "prior"]
    assert sum(full.members_.weights.values()) == pytest.approx(1)


@pytest.mark.parametrize("left_out", ["boosting", "ridge", "prior"])
def test_member_left_out_is_neither_trained_nor_stored(left_out: str, tmp_path: Path) -> None:
    kept = [name for name in ("boosting", "ridge", "prior") if name != left_out]
    model = fit(Recipe.model_validate({"members": kept}))
    assert getattr(model.members_, left_out) is None
    assert list(model.members_.weights) == kept
    model.save(tmp_path)
    again, reference = ChurnModel.load(tmp_path), calibrated(model)
    assert again.recipe == model.recipe
    assert np.array_equal(
        again.predict_proba(LAST, reference=reference), model.predict_proba(LAST, reference=reference)
    )


def test_equal_stacking_weighs_members_alike() -> None:
    assert fit(Recipe(members=("ridge", "prior"), stacking="equal")).members_.weights == {
        "ridge": 0.5,
        "prior": 0.5,
    }


def test_slope_off_leaves_the_logits_as_they_are(full: ChurnModel) -> None:
    plain = fit(Recipe(slope=False))
    level = calibrated(plain).level
    assert level is not None
    assert (plain.members_.slope, level.slope) == (1.0, 1.0)
    assert full.members_.slope != 1.0


def test_contributions_of_all_members_add_up_to_the_ranking(full: ChurnModel) -> None:
    reference, rows = calibrated(full), LAST.astype(np.float32)
    parts = full.members_.contributions(rows, reference)
    assert parts.shape == LAST.shape
    rest = full.members_.ranking(rows, reference) - parts.sum(axis=1)
    assert rest == pytest.approx(np.full(len(LAST), rest[0]), abs=1e-5)


def test_trees_read_features_within_their_date_too(full: ChurnModel) -> None:
    """A customer as late as others of her date are is no riskier for a date when everybody is late."""
    plain = fit(Recipe(within_date=False))
    late = LAST.assign(lateness=LAST["lateness"] + 2)
    reference = DateReference.fit(late, as_of=DATES[-1], horizon_days=HORIZON)
    for model, moved in ((full, False), (plain, True)):
        trees, scores = model.members_.boosting, reference.standardise(late, list(late))
        assert trees is not None
        read = beside(late, scores) if model.members_.within_date else late.to_numpy(np.float32)
        assert (trees.logit(read).mean() > 0.1) == moved


def test_without_fixed_effects_the_ridge_starts_from_one_share(full: ChurnModel) -> None:
    flat = fit(Recipe(fixed_effects=False)).members_
    assert flat.ridge is not None and full.members_.ridge is not None
    assert flat.ridge.coefficients != full.members_.ridge.coefficients
    assert flat.level_boosting == full.members_.level_boosting  # never had any


def test_each_source_of_the_level_is_the_one_named(full: ChurnModel) -> None:
    told = {}
    for level in ("mixed", "own", "series", "uncorrected"):
        model = copy(full).set_params(recipe=Recipe(level=level))  # no new training
        reference = calibrated(model)
        told[level] = reference.level
        risk = model.predict_proba(LAST, reference=reference)[:, 1]
        assert risk.mean() == pytest.approx(reference.level.level)
    for level in ("own", "series", "uncorrected"):
        assert told[level].level == pytest.approx(getattr(told["mixed"], level))
    weight = told["mixed"].series_weight
    mix = weight * logit(told["mixed"].series) + (1 - weight) * logit(told["mixed"].own)
    assert told["mixed"].level == pytest.approx(expit(mix))


def test_prior_drops_out_where_customers_give_notice() -> None:
    assert list(fit(Recipe(), leaves_by_silence=False).members_.weights) == ["boosting", "ridge"]


def test_prior_alone_is_refused_where_customers_give_notice() -> None:
    with pytest.raises(DataError, match=r"found only `prior`, and no BG/NBD.*Add `boosting` or `ridge`"):
        fit(Recipe(members=("prior",)), leaves_by_silence=False)


def test_a_member_named_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"members names one twice; found \['ridge', 'ridge'\]"):
        Recipe(members=("ridge", "ridge"))
