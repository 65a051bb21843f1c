"""Choices in doubt, decided exactly; choices without doubt, kept."""

import numpy as np

from actions.limits import Limits
from actions.polish import polish

VALUES = np.array([[6, 5], [5, 3], [4, 4]], dtype=np.float32)
LIMITS = Limits.of(["call", "mail"], cost={"call": 3.0, "mail": 2.0}, budget=7.0)


def test_a_place_left_free_is_found_by_exchange() -> None:
    # Three mails cost 6 and bring 12; one call and two mails cost 7 and bring 14 when the call goes second.
    mails = np.array([1, 1, 1], dtype=np.int32)
    better = polish(VALUES, LIMITS, mails, np.array([1.5]), missing=5.0)
    assert better.tolist() == [1, 0, 1]


def test_without_doubt_the_plan_is_kept() -> None:
    best = np.array([1, 0, 1], dtype=np.int32)
    kept = polish(VALUES, LIMITS, best, np.array([0.0]), missing=-1.0)
    assert kept.tolist() == best.tolist()


def test_a_plan_that_is_best_stays_as_it_is() -> None:
    best = np.array([1, 0, 1], dtype=np.int32)
    kept = polish(VALUES, LIMITS, best, np.array([1.5]), missing=100.0)
    assert kept.tolist() == best.tolist()
