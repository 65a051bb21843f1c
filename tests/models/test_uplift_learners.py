"""Every learner finds a large difference between two groups, under even and uneven arms."""

import numpy as np
import pytest
from sklearn.base import clone

from models.uplift.learners import LEARNERS, TLearner, UpliftLearner
from models.uplift.logistic import ArmLogit

ROWS = 2_000


def drawn(seed: int, chance: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features, outcome, arm and true effects: arm 1 helps where the first feature is positive, arm 2 nobody."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(ROWS, 3)).astype(np.float32)
    X[::10, 1] = np.nan
    arm = rng.choice(len(chance), ROWS, p=chance)
    effects = np.column_stack([0.3 * (X[:, 0] > 0), np.zeros(ROWS)])[:, : len(chance) - 1]
    effect = np.column_stack([np.zeros(ROWS), effects])[np.arange(ROWS), arm]
    return X, (rng.random(ROWS) < 0.3 + effect).astype(float), arm, effects


@pytest.mark.parametrize("kind", LEARNERS.values(), ids=LEARNERS)
@pytest.mark.parametrize("chance", [[0.5, 0.5], [0.2, 0.5, 0.3]], ids=["two arms", "three uneven arms"])
def test_learner_tells_the_helped_from_the_rest(kind: type[UpliftLearner], chance: list[float]) -> None:
    X, y, arm, truth = drawn(0, chance)
    effect = kind(seed=1).fit(X, y, arm, chance).predict(X)
    assert effect.shape == truth.shape
    helped = truth[:, 0] > 0
    # Few trees of few leaves draw effects in, the X-learner twice.
    assert 0.1 < effect[helped, 0].mean() - effect[~helped, 0].mean() < 0.4
    assert effect.mean(axis=0) == pytest.approx(truth.mean(axis=0), abs=0.06)


@pytest.mark.parametrize("kind", LEARNERS.values(), ids=LEARNERS)
def test_learner_survives_storage_and_clones_without_its_fit(kind: type[UpliftLearner]) -> None:
    X, y, arm, _ = drawn(1, [0.5, 0.5])
    fitted = kind(seed=3).fit(X, y, arm, [0.5, 0.5])
    again = kind.from_plain(fitted.to_plain())
    assert np.array_equal(again.predict(X), fitted.predict(X))
    assert again.to_plain() == fitted.to_plain() == clone(fitted).fit(X, y, arm, [0.5, 0.5]).to_plain()


def test_one_row_is_predicted_as_among_many() -> None:
    X, y, arm, _ = drawn(2, [0.5, 0.5])
    for kind in LEARNERS.values():
        fitted = kind(seed=0).fit(X, y, arm, [0.5, 0.5])
        assert fitted.predict(X[:1])[0] == fitted.predict(X)[0]


def test_arms_are_regressed_apart() -> None:
    X, y, arm, _ = drawn(3, [0.5, 0.5])
    expected = TLearner(seed=0).fit(X, y, arm, [0.5, 0.5]).outcomes(X)
    changed = np.where(arm == 0, 1 - y, y)
    other = TLearner(seed=0).fit(X, changed, arm, [0.5, 0.5]).outcomes(X)
    assert np.array_equal(expected[:, 1], other[:, 1])
    assert not np.array_equal(expected[:, 0], other[:, 0])


def test_feature_without_spread_or_value_changes_no_probability() -> None:
    X, y, arm, _ = drawn(4, [0.5, 0.5])
    X[:, 1], X[:, 2] = 7.0, np.nan
    fitted = ArmLogit.of_arms(X, y, arm, arms=2)[1]
    moved = X.copy()
    moved[:, 1] = 5.0
    assert fitted.flagged == (2,)
    assert np.allclose(fitted.predict(moved), fitted.predict(X))
