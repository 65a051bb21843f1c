"""Choices in doubt, decided exactly; choices without doubt, kept."""

import numpy as np
import pytest

from actions.allocation.choices import choose
from actions.allocation.limits import Limits
from actions.allocation.polish import polish
from actions.allocation.problem import Problem

VALUES = np.array([[6, 5], [5, 3], [4, 4]], dtype=np.float32)
LIMITS = Limits.of(["call", "mail"], cost={"call": 3.0, "mail": 2.0}, budget=7.0)
THREE = Problem(VALUES, LIMITS, np.zeros(3, np.int8), None, 1)


def polished(plan: list[int], *, price: float, missing: float) -> list[int]:
    taken = np.array(plan, dtype=np.int16)[:, None]
    return polish(THREE, taken, choose(THREE, np.array([price])), missing=missing).ravel().tolist()


def test_a_place_left_free_is_found_by_exchange() -> None:
    # Three mails cost 6 and bring 12; one call and two mails cost 7 and bring 14 when the call goes second.
    assert polished([1, 1, 1], price=1.5, missing=5.0) == [1, 0, 1]


@pytest.mark.parametrize(("price", "missing"), [(0.0, -1.0), (1.5, 100.0)])
def test_the_best_plan_stays_in_doubt_or_without(price: float, missing: float) -> None:
    assert polished([1, 0, 1], price=price, missing=missing) == [1, 0, 1]


def test_one_channel_never_gets_two_actions() -> None:
    # Both actions go by mail: a second one is no way to use the money that is left.
    mail = np.zeros((3, 2), dtype=np.int8)
    two_each = Problem(VALUES, LIMITS, np.zeros(3, np.int8), mail, 2)
    taken = np.array([[1, -1], [1, -1], [1, -1]], dtype=np.int16)
    found = polish(two_each, taken, choose(two_each, np.array([1.5])), missing=5.0)
    assert np.sort(found, axis=1).tolist() == [[-1, 1], [-1, 0], [-1, 1]]
