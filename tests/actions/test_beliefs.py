"""From prior to posterior: worked by hand, shared among cells, never less sure than before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.learning.beliefs import Belief, least_surprising, loss_chance, prior_belief, updated
from actions.learning.evidence import Observed

SCORED = np.array([True, True, False])


def said(cells: list[int], effect: list[float], variance: list[float]) -> Observed:
    one = np.ones(3)
    return Observed(
        np.array(cells, dtype=np.intp), np.array(effect), np.diag(variance), one, one, one, 0.0, 0.0, 80, 20
    )


def test_the_prior_keeps_the_owners_mean_and_spread() -> None:
    belief = prior_belief(np.array([0.1, 0.2, 0.0]), np.array([0.1, 0.2, 0.01]), SCORED, together=0.5)
    np.testing.assert_allclose(belief.sd, [0.1, 0.2, 0.01])
    np.testing.assert_allclose(belief.covariance[0], [0.01, 0.5 * 0.1 * 0.2, 0.0])


def test_outcomes_of_one_cell_move_its_likes_alone() -> None:
    before = prior_belief(np.full(3, 0.1), np.full(3, 0.1), SCORED, together=0.5)
    after = updated(before, said([0], [0.3], [0.01]))
    # As sure as the belief: half the way where seen, half of that where half is shared, none elsewhere.
    np.testing.assert_allclose(after.mean, [0.2, 0.15, 0.1])
    np.testing.assert_allclose(after.sd**2, [0.005, 0.01 - 0.005**2 / 0.02, 0.01])


def test_many_outcomes_undo_belief_and_sign() -> None:
    before = prior_belief(np.full(3, 0.1), np.full(3, 0.1), SCORED, together=0.5)
    after = updated(before, said([0, 1], [-0.05, -0.05], [1e-8, 1e-8]))
    np.testing.assert_allclose(after.mean[:2], -0.05, atol=1e-5)
    assert updated(before, said([], [], [])) is before


def test_cells_hang_together_as_far_as_outcomes_show() -> None:
    mean, sd = np.full((6, 3), 0.0), np.full((6, 3), 0.1)
    alike = [said([0, 1], [value, value], [1e-4] * 2) for value in (-0.2, 0.2, 0.1, -0.1, 0.15, -0.15)]
    apart = [said([0, 1], [value, -value], [1e-4] * 2) for value in (-0.2, 0.2, 0.1, -0.1, 0.15, -0.15)]
    shares = [least_surprising(mean, sd, SCORED, seen)[0].covariance[0, 1] / 0.01 for seen in (alike, apart)]
    assert shares == pytest.approx([0.8, 0.2])


def test_a_sure_profit_or_loss_has_no_doubt() -> None:
    assert (loss_chance(1.0, 0.0), loss_chance(-1.0, 0.0)) == (0.0, 1.0)


effects, doubts = st.floats(-0.5, 0.5), st.floats(1e-4, 0.1)


@given(st.lists(st.tuples(effects, doubts), min_size=3, max_size=3), effects, doubts, st.floats(0, 1))
def test_outcomes_never_make_a_belief_less_sure(
    believed: list[tuple[float, float]], effect: float, variance: float, together: float
) -> None:
    mean, sd = np.array(believed).T
    before: Belief = prior_belief(mean, sd, SCORED, together=together)
    after = updated(before, said([1], [effect], [variance]))
    assert (np.diag(after.covariance) <= np.diag(before.covariance) + 1e-12).all()
    low, high = sorted((float(mean[1]), effect))
    assert low - 1e-9 <= after.mean[1] <= high + 1e-9
