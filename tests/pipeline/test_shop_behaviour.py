"""How the simulated customers live from day to day."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pipeline.shop.behaviour import Mood, hazard, live, mood_of, order_rate, season
from pipeline.shop.draws import Draws
from pipeline.shop.effects import Influence
from pipeline.shop.influences import WARMTH_ON_LEAVING
from pipeline.shop.people import People, first_people
from pipeline.shop.settings import ShopSettings

AUTUMN = 20_438 - 91  # a quarter of a turn before the peak in mid-December
SETTINGS = ShopSettings(customers=4)
USUAL = -WARMTH_ON_LEAVING / 2  # the warmth at which the hazard is what it is on average
NOTHING = Influence(np.ones(4), np.ones(4), np.zeros(4), np.zeros(4))


def settled_people() -> People:
    people = first_people(SETTINGS, Draws(1), AUTUMN)
    people["signed_up_on"] = AUTUMN - 100_000
    people["restlessness"] = 1
    people["contentment"] = 0.75
    people["order_rate"] = 0.1
    return people


def calm(last_order_on: int = AUTUMN) -> Mood:
    return Mood(np.ones(4, np.bool_), np.full(4, 0.75), np.full(4, USUAL), np.full(4, last_order_on))


def test_orders_peak_in_december_and_on_saturdays() -> None:
    december, june = 20_438, 20_438 - 182
    assert season(december, 0.2) / season(june, 0.2) == pytest.approx(1.2 / 0.8, rel=1e-3)
    saturday, monday = 20_442, 20_444
    assert season(saturday, 0.0) / season(monday, 0.0) == pytest.approx(1.25 / 0.9)


def test_a_settled_content_customer_leaves_at_the_set_rate() -> None:
    chance = hazard(settled_people(), calm(), AUTUMN, NOTHING, SETTINGS)
    assert chance == pytest.approx(np.full(4, SETTINGS.leaving_per_day), rel=1e-2)


def test_newcomers_leave_four_times_as_often() -> None:
    people = settled_people()
    people["signed_up_on"] = [AUTUMN, AUTUMN, AUTUMN - 100_000, AUTUMN - 100_000]
    chance = hazard(people, calm(), AUTUMN, NOTHING, SETTINGS)
    assert chance[0] / chance[2] == pytest.approx(4, rel=1e-2)


def test_discontent_raises_the_hazard_by_its_exponent() -> None:
    angry = replace(calm(), satisfaction=np.full(4, 0.25))
    ratio = hazard(settled_people(), angry, AUTUMN, NOTHING, SETTINGS) / hazard(
        settled_people(), calm(), AUTUMN, NOTHING, SETTINGS
    )
    assert ratio == pytest.approx(np.full(4, math.exp(1.5)), rel=1e-2)


def test_regular_customers_order_when_they_are_due() -> None:
    people = settled_people()
    people["regularity"] = [0, 1, 1, 1]
    mood = replace(calm(), last_order_on=AUTUMN - np.array([5, 0, 10, 90]))
    rate = order_rate(people, mood, AUTUMN, NOTHING, SETTINGS) / season(AUTUMN, SETTINGS.season_strength)
    assert rate == pytest.approx([0.1, 0.0, 0.1 * math.pi / 2, 0.1 * math.pi])


def test_those_who_left_order_nothing_and_return_only_by_luck() -> None:
    gone = replace(calm(AUTUMN - 90), is_alive=np.zeros(4, np.bool_))
    settings = SETTINGS.model_copy(update={"returning_per_day": 0.0})
    for day in range(AUTUMN, AUTUMN + 60):
        lived = live(settled_people(), gone, day, NOTHING, draws=Draws(1), settings=settings)
        assert not lived.orders.any()
        assert not lived.mood.is_alive.any()
    certain = replace(NOTHING, returning=np.ones(4))
    back = live(settled_people(), gone, AUTUMN, certain, draws=Draws(1), settings=settings)
    assert back.mood.is_alive.all()


def test_shares_of_leaving_match_the_hazard() -> None:
    settings = ShopSettings(customers=20_000, leaving_per_day=0.05)
    people = first_people(settings, Draws(4), AUTUMN)
    mood = mood_of(people, Draws(4), first_number=0, day=AUTUMN)
    quiet = Influence(np.ones(20_000), np.ones(20_000), np.zeros(20_000), np.zeros(20_000))
    lived = live(people, mood, AUTUMN, quiet, draws=Draws(4), settings=settings)
    expected = hazard(people, replace(lived.mood, is_alive=mood.is_alive), AUTUMN, quiet, settings)
    assert 1 - lived.mood.is_alive.mean() == pytest.approx(expected.mean(), abs=0.006)


def test_an_order_starts_the_next_gap() -> None:
    people = settled_people()
    people["order_rate"] = [1e9, 1e9, 1e-9, 1e-9]
    lived = live(people, calm(AUTUMN - 7), AUTUMN, NOTHING, draws=Draws(1), settings=SETTINGS)
    assert (lived.orders > 0).tolist() == [True, True, False, False]
    assert lived.mood.last_order_on.tolist() == [AUTUMN, AUTUMN, AUTUMN - 7, AUTUMN - 7]


def test_those_who_grow_cold_leave_more_often() -> None:
    cold = replace(calm(), warmth=np.full(4, USUAL - 1))
    ratio = hazard(settled_people(), cold, AUTUMN, NOTHING, SETTINGS) / hazard(
        settled_people(), calm(), AUTUMN, NOTHING, SETTINGS
    )
    assert ratio == pytest.approx(np.full(4, math.exp(WARMTH_ON_LEAVING)), rel=1e-2)


def test_a_contact_wakes_those_alone_who_grew_cold() -> None:
    mood = replace(calm(), warmth=np.array([-0.1, -2.0, 0.1, 2.0]))
    certain = replace(NOTHING, waking=np.ones(4))
    chance = hazard(settled_people(), mood, AUTUMN, certain, SETTINGS)
    quiet = hazard(settled_people(), mood, AUTUMN, NOTHING, SETTINGS)
    assert chance[:2].tolist() == [1, 1]
    assert (chance[2:] == quiet[2:]).all()


def test_warmth_wanders_around_zero_and_is_forgotten() -> None:
    settings = ShopSettings(customers=4_000, leaving_per_day=1e-9)
    people = first_people(settings, Draws(4), AUTUMN)
    mood = first = mood_of(people, Draws(4), first_number=0, day=AUTUMN)
    quiet = Influence(np.ones(4_000), np.ones(4_000), np.zeros(4_000), np.zeros(4_000))
    for day in range(AUTUMN, AUTUMN + 35):
        mood = live(people, mood, day, quiet, draws=Draws(4), settings=settings).mood
    assert mood.warmth.mean() == pytest.approx(0, abs=0.06)
    assert mood.warmth.std() == pytest.approx(1, abs=0.05)
    # After one time constant of 35 days a correlation of exp(-1) is left.
    assert np.corrcoef(first.warmth, mood.warmth)[0, 1] == pytest.approx(math.exp(-1), abs=0.05)
