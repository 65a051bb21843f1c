"""Thompson draws: spread as the beliefs say, repeatable, and touched by nobody else."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.learning.effects import Effects
from actions.learning.thompson import DRAWS, drawn

NIGHT = date(2026, 6, 1)
UNITS = [f"u{i}" for i in range(4_000)]


def beliefs(mean: list[float], sd: list[float], *, customers: int = len(UNITS), cell: str = "a") -> Effects:
    names = tuple(f"action_{place}" for place in range(len(mean)))

    def all_rows(values: list[float]) -> np.ndarray:
        return np.tile(np.array(values, dtype=np.float32), (customers, 1))

    return Effects(np.full(customers, cell), all_rows(mean), all_rows(sd), names, ("prior",) * len(names))


def test_draws_have_the_mean_and_spread_of_the_belief() -> None:
    found = drawn(beliefs([0.1], [0.05]), UNITS, seed=7, as_of=NIGHT)
    assert found.normals.shape == (DRAWS, 1, 1)
    assert found.normals.mean() == pytest.approx(0.0, abs=1e-6)
    assert found.normals.std() == pytest.approx(1.0, abs=0.02)
    assert found.effect.mean() == pytest.approx(0.1, abs=0.003)


def test_certain_beliefs_are_not_moved_by_draws() -> None:
    effects = beliefs([0.1, -0.2], [0.0, 0.0])
    np.testing.assert_array_equal(drawn(effects, UNITS, seed=7, as_of=NIGHT).effect, effects.mean)


def test_what_can_teach_nothing_stays_at_its_mean() -> None:
    effects = beliefs([0.1, 0.2], [0.05, 0.05])
    found = drawn(effects, UNITS, seed=7, as_of=NIGHT, learns=np.array([True, False]))
    assert found.effect[:, 0].std() > 0.04
    np.testing.assert_array_equal(found.effect[:, 1], effects.mean[:, 1])


def test_a_household_takes_one_draw() -> None:
    found = drawn(beliefs([0.1], [0.05], customers=3), ["h", "h", "other"], seed=7, as_of=NIGHT)
    assert found.effect[0, 0] == found.effect[1, 0] != found.effect[2, 0]


def test_other_customers_and_actions_change_no_draw() -> None:
    alone = drawn(beliefs([0.1], [0.05], customers=2), ["ann", "bob"], seed=7, as_of=NIGHT)
    effects = replace(beliefs([0.3, 0.1], [0.05, 0.05], customers=3), actions=("added", "action_0"))
    effects.cell[2] = "Z"
    more = drawn(effects, ["ann", "bob", "eve"], seed=7, as_of=NIGHT)
    np.testing.assert_array_equal(more.effect[:2, 1:], alone.effect)


def test_every_night_draws_anew() -> None:
    effects = beliefs([0.1], [0.05])
    one = drawn(effects, UNITS, seed=7, as_of=NIGHT).effect
    other = drawn(effects, UNITS, seed=7, as_of=date(2026, 6, 2)).effect
    assert np.corrcoef(one[:, 0], other[:, 0])[0, 1] == pytest.approx(0.0, abs=0.35)
    np.testing.assert_array_equal(one, drawn(effects, UNITS, seed=7, as_of=NIGHT).effect)


def test_customers_spread_as_choice_shares_say() -> None:
    # Twins by belief: each is best in half of the draws; a third action never pays.
    effects = beliefs([0.1, 0.1, 0.1], [0.05, 0.05, 0.001])
    found = drawn(effects, UNITS, seed=7, as_of=NIGHT)
    toll, margin = np.array([5.0, 5.0, 11.0]), np.full(len(UNITS), 100.0)
    worth = found.effect * margin[:, None] - toll
    best = np.where(worth.max(axis=1) > 0, worth.argmax(axis=1), -1)
    share = found.choice_share(
        np.zeros(3, dtype=np.intp),
        np.arange(3),
        margin=margin,
        toll=toll,
        allowed=np.ones(effects.mean.shape, dtype=bool),
    )
    np.testing.assert_allclose(share, [(best == action).mean() for action in range(3)], atol=0.05)
    assert share[2] == 0.0
    assert 0.8 < share.sum() <= 1.0


def test_a_blocked_rival_leaves_its_share() -> None:
    effects = beliefs([0.1, 0.5], [0.001, 0.001], customers=2)
    found = drawn(effects, ["ann", "bob"], seed=7, as_of=NIGHT)
    share = found.choice_share(
        np.array([0, 1]),
        np.array([0, 0]),
        margin=np.array([100.0, 100.0]),
        toll=np.array([[1.0, 1.0], [1.0, 1.0]]),
        allowed=np.array([[True, True], [True, False]]),
    )
    assert share.tolist() == [0.0, 1.0]


def test_one_action_per_channel_shares_the_customer() -> None:
    # Two mails compete for their channel; the call has its own; at most two actions.
    effects = beliefs([0.3, 0.2, 0.1], [0.001] * 3, customers=1)
    found = drawn(effects, ["ann"], seed=7, as_of=NIGHT)
    share = {
        most: found.choice_share(
            np.zeros(3, dtype=np.intp),
            np.arange(3),
            margin=np.array([100.0]),
            toll=np.ones(3),
            allowed=np.ones((1, 3), dtype=bool),
            channels=np.array([[0, 0, 2]], dtype=np.int8),
            most_actions=most,
        ).tolist()
        for most in (1, 2)
    }
    assert share == {1: [1.0, 0.0, 0.0], 2: [1.0, 0.0, 1.0]}


@given(
    st.lists(st.tuples(st.floats(-0.5, 0.5), st.floats(0, 0.5)), min_size=1, max_size=5),
    st.floats(0, 500),
    st.floats(0, 50),
)
def test_choice_shares_of_a_customer_add_up_to_one_at_most(
    pairs: list[tuple[float, float]], margin: float, cost: float
) -> None:
    effects = beliefs([mean for mean, _ in pairs], [sd for _, sd in pairs], customers=1)
    columns = np.arange(len(pairs))
    share = drawn(effects, ["ann"], seed=1, as_of=NIGHT).choice_share(
        np.zeros(len(pairs), dtype=np.intp),
        columns,
        margin=np.array([margin]),
        toll=np.linspace(cost, cost + 1, len(pairs)),
        allowed=np.ones((1, len(pairs)), dtype=bool),
    )
    assert (share >= 0).all()
    assert share.sum() <= 1 + 1e-9
