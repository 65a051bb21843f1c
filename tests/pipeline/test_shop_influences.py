"""What happens to customers moves them by known factors, for as long as it lasts."""

import numpy as np
import pytest

from pipeline.shop.effects import Influence
from pipeline.shop.events import TYPES
from pipeline.shop.influences import (
    FOR_EVER,
    FORCES,
    INFLUENCES,
    begun,
    moved,
    stopped,
    true_influences,
    untouched,
    works,
)

NO_ACTION = Influence(np.ones(2), np.ones(2), np.zeros(2), np.zeros(2))
FIRST = np.array([0])


def test_a_force_works_from_the_next_day_until_its_end() -> None:
    until = begun(untouched(2), "page_error", FIRST, day=100)
    assert [bool(works(until, "page_error", day)[0]) for day in (101, 121, 122)] == [True, True, False]
    assert not works(until, "page_error", 101)[1]


def test_forces_multiply_each_other_and_the_actions() -> None:
    until = begun(untouched(2), "page_error", FIRST, day=100)
    until = begun(until, "delivery_plan", FIRST, day=100, ends_on=FOR_EVER)
    actions = Influence(np.array([0.5, 1.0]), np.array([1.0, 1.5]), np.zeros(2), np.zeros(2))
    today = moved(actions, until, 101)
    assert today.leaving == pytest.approx([0.5 * 2.5 * 0.25, 1.0])
    assert today.ordering == pytest.approx([1.3, 1.5])
    assert moved(NO_ACTION, until, 10_000).leaving == pytest.approx([0.25, 1.0])


def test_repeating_a_force_prolongs_it_and_adds_nothing() -> None:
    until = begun(untouched(2), "slow_page", np.array([0, 0]), day=100)
    until = begun(until, "slow_page", FIRST, day=105)
    assert moved(NO_ACTION, until, 106).leaving[0] == pytest.approx(1.5)
    assert works(until, "slow_page", 119)[0]
    assert not works(until, "slow_page", 120)[0]
    assert not works(stopped(until, "slow_page", FIRST), "slow_page", 106)[0]


def test_the_table_tells_what_moves_tells_or_does_nothing() -> None:
    table = true_influences().set_index("happening")
    moves = (table["leaving"] != 1) | (table["ordering"] != 1)
    assert set(table.index[moves]) == set(FORCES)
    idle = table[~moves & (table["tells_of"] == "")]
    assert set(idle.index) == {"email_open", "email_click", "news_offer"}
    assert not (moves & (table["tells_of"] != "")).any()
    assert set(TYPES) == set(table.index[table["table"] == "events"])


def test_everything_that_ends_by_itself_says_when() -> None:
    lasting = {"open_ticket", "discount_offer", "bundle_offer", "membership", "gold_tier"}
    lasting |= {"points_expiring", "delivery_plan"}
    assert {name for name in FORCES if not INFLUENCES[name].days} == lasting
