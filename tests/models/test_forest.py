"""Our own sum of boosted trees: to the bit what LightGBM says of the same rows."""

from functools import cache

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.boosting import Boosting
from models.forest import Forest

# One tree: f0 above 2 goes right to -1; else f1 above .1 gives 3, up to .1 gives 5, missing as decided below.
TEXT = """tree

Tree=0
num_leaves=3
num_cat=0
split_feature=0 1
threshold=2 0.1
decision_type={decision} {decision}
left_child=1 -1
right_child=-2 -3
leaf_value=5 -1 3

end of trees
"""


def booster_of(leaves: int, *, rounds: int = 12, gaps: float = 0.1, seed: int = 0) -> lgb.Booster:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(3_000, 6)).round(1)  # ties: many rows lie on the very bound of a question
    values[rng.random(values.shape) < gaps] = np.nan
    label = np.nan_to_num(values[:, 0]) * np.nan_to_num(values[:, 1]) + rng.normal(size=len(values)) > 0
    how = {
        "objective": "binary",
        "num_leaves": leaves,
        "min_data_in_leaf": 2,
        "verbose": -1,
        "num_threads": 1,
    }
    return lgb.train(how, lgb.Dataset(values, label), rounds)


@cache
def eight_leaves() -> tuple[lgb.Booster, str]:
    booster = booster_of(8)
    return booster, booster.model_to_string()


@cache
def bounds_of(booster: lgb.Booster) -> np.ndarray:
    return booster.trees_to_dataframe()["threshold"].dropna().to_numpy(np.float32)


def rows_near_bounds(booster: lgb.Booster, rows: int, seed: int) -> np.ndarray:
    rng, bounds = np.random.default_rng(seed), bounds_of(booster)
    known = np.concatenate([bounds, np.nextafter(bounds, np.float32(np.inf)), [0, np.nan, np.inf, -np.inf]])
    return rng.choice(known.astype(np.float32), (rows, booster.num_feature()))


def test_rows_fall_into_the_leaf_worked_by_hand() -> None:
    forest = Forest.of(TEXT.format(decision=2))
    assert forest is not None
    rows = [
        [2, 0.2],
        [2, 0],
        [2.1, 0],
        [2, np.float32(0.1)],
        [2, np.nextafter(np.float32(0.1), np.float32(0))],
    ]
    assert forest.total(np.array(rows, dtype=np.float32)).tolist() == [3, 5, -1, 3, 5]


@pytest.mark.parametrize(("decision", "missing"), [(10, 5), (8, -1), (2, 5), (0, 5)])
def test_missing_goes_where_the_question_sends_it(decision: int, missing: float) -> None:
    forest = Forest.of(TEXT.format(decision=decision))
    assert forest is not None
    assert forest.total(np.full((1, 2), np.nan, dtype=np.float32)).tolist() == [missing]


@pytest.mark.parametrize("decision", [1, 4])
def test_categories_and_zeros_taken_for_missing_stay_with_lightgbm(decision: int) -> None:
    assert Forest.of(TEXT.format(decision=decision)) is None


@pytest.mark.parametrize("leaves", [2, 8, 17, 64])
@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_sums_are_those_of_lightgbm_to_the_bit(leaves: int, gaps: float) -> None:
    booster = booster_of(leaves, gaps=gaps)
    forest, rows = Forest.of(booster.model_to_string()), rows_near_bounds(booster, 3_000, seed=leaves)
    assert forest is not None
    assert max(len(tree.values) for tree in forest.trees) == leaves
    assert forest.total(rows).tobytes() == booster.predict(rows, raw_score=True).tobytes()


@given(seed=st.integers(0, 10**6), rows=st.integers(1, 40))
@settings(max_examples=20)
def test_any_few_rows_fall_as_in_lightgbm(seed: int, rows: int) -> None:
    booster, text = eight_leaves()
    forest, values = Forest.of(text), rows_near_bounds(booster, rows, seed)
    assert forest is not None
    assert forest.total(values).tobytes() == booster.predict(values, raw_score=True).tobytes()


def test_leaves_that_say_a_slope_stay_with_lightgbm() -> None:
    assert Forest.of(TEXT.format(decision=2)) is not None
    assert Forest.of(TEXT.format(decision=2).replace("\n\nend", "\nis_linear=1\n\nend")) is None


def test_trees_too_wide_for_a_word_stay_with_lightgbm() -> None:
    wide = booster_of(65, rounds=1)
    rows = rows_near_bounds(wide, 1_500, seed=1)
    assert Forest.of(wide.model_to_string()) is None
    assert (Boosting(0.0, wide.model_to_string()).logit(rows) == wide.predict(rows, raw_score=True)).all()


def test_tree_without_a_question_says_one_number() -> None:
    flat = lgb.train(
        {"objective": "binary", "verbose": -1}, lgb.Dataset(np.zeros((9, 1)), np.arange(9) % 2), 1
    )
    forest, rows = Forest.of(flat.model_to_string()), np.zeros((3, 1), dtype=np.float32)
    assert forest is not None
    assert (forest.total(rows) == flat.predict(rows, raw_score=True)).all()


def test_many_rows_score_as_few_at_a_time() -> None:
    booster, text = eight_leaves()
    rows, model = rows_near_bounds(booster, 2_500, seed=4), Boosting(0.25, text)
    few = [model.logit(rows[at : at + 500]) for at in range(0, len(rows), 500)]
    assert model.logit(rows).tobytes() == np.concatenate(few).tobytes()
