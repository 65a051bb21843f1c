"""Churn without action: own controls alone, helped where all agree, left to themselves where they differ."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.learning import controls
from actions.learning.controls import Controls

Floats = np.ndarray


def seen(above: Floats, noise: Floats | float) -> Controls:
    """Controls of every action (rows) in every place (columns)."""
    action, place = np.divmod(np.arange(above.size), above.shape[1])
    return Controls(above.ravel(), np.broadcast_to(noise, above.shape).ravel().copy(), action, place)


def test_an_action_alone_is_told_by_its_own_controls() -> None:
    mean, covariance = seen(np.array([[0.2, -0.1]]), 0.01).untreated()
    np.testing.assert_allclose(mean, [0.2, -0.1], atol=1e-12)
    np.testing.assert_allclose(covariance, 0.01 * np.eye(2), atol=1e-12)


def test_controls_that_agree_help_each_other() -> None:
    mean, covariance = seen(np.full((12, 4), 0.05), 0.003).untreated()
    np.testing.assert_allclose(mean, 0.05)
    assert (np.diag(covariance) < 0.003 / 3).all()


def test_actions_that_differ_everywhere_speak_for_themselves() -> None:
    # Every other action's controls churn 10 points more in all cells; of one cell alone each knows but 4 points.
    above = np.tile([[0.0], [0.1]], (6, 4))
    mean, covariance = seen(above, 0.04**2).untreated()
    np.testing.assert_allclose(mean, above.ravel(), atol=0.015)
    errors = covariance[:4, :4] / covariance[0, 0]
    assert (errors[0, 1:] > 0.3).all()


def test_who_has_no_controls_is_told_by_the_others() -> None:
    rows = seen(np.array([[0.1], [0.1], [0.0]]), np.array([[1e-4], [1e-4], [np.inf]]))
    mean, covariance = rows.untreated()
    assert mean[2] == pytest.approx(0.1)
    assert covariance[2, 2] > 2 * covariance[0, 0]


def test_a_fit_is_what_conditioning_on_all_controls_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, apart = np.random.default_rng(3), 0.02
    monkeypatch.setattr(controls, "_APART", (apart,))
    rows = seen(rng.normal(0, 0.05, (4, 3)), rng.uniform(1e-4, 1e-2, (4, 3)))
    of_action, of_place = (np.equal.outer(number, number) for number in (rows.action, rows.place))
    before = apart**2 * (of_action + np.eye(12)) + 1e4 * of_place
    gain = np.linalg.solve(before + np.diag(rows.noise), before).T
    mean, covariance = rows.untreated()
    np.testing.assert_allclose(mean, gain @ rows.above, atol=1e-6)
    np.testing.assert_allclose(covariance, (before - gain @ before) * of_action, atol=1e-6)


levels, doubts = st.floats(-0.5, 0.5), st.floats(1e-5, 0.2)


@settings(max_examples=25)
@given(st.lists(st.tuples(levels, doubts), min_size=6, max_size=6), levels)
def test_a_common_level_moves_every_mean_alike(told: list[tuple[float, float]], level: float) -> None:
    above, noise = np.array(told).T.reshape(2, 3, 2)
    mean, covariance = seen(above, noise).untreated()
    moved, same = seen(above + level, noise).untreated()
    np.testing.assert_allclose(moved, mean + level, atol=1e-7)
    np.testing.assert_allclose(same, covariance, atol=1e-7)
    assert (np.linalg.eigvalsh(covariance) > 0).all()
