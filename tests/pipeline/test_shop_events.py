"""What customers do between orders in the simulated shop, and what they say when asked."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.shop.baskets import DAY, Orders
from pipeline.shop.behaviour import DayOfLife, Mood
from pipeline.shop.contacts import newsletter
from pipeline.shop.draws import Draws
from pipeline.shop.events import TYPES, Events, events_of, touched
from pipeline.shop.influences import untouched, works
from pipeline.shop.people import SHOP_CHANNELS, first_people
from pipeline.shop.settings import ShopSettings
from pipeline.shop.surveys import KINDS, Surveys, answers

N, DAY_NO, LUCK = 4_000, 20_000, Draws(3)
PEOPLE = first_people(ShopSettings(customers=N), LUCK, DAY_NO)
NOBODY = Orders(*(np.zeros(0, kind) for kind in ("i8", "i8", "i8", "?", "f8")))


def lived(*, warmth: float = 0.0, satisfaction: float = 0.75, present: bool = True) -> DayOfLife:
    mood = Mood(np.full(N, present), np.full(N, satisfaction), np.full(N, warmth), np.full(N, DAY_NO))
    return DayOfLife(np.full(N, present), np.zeros(N, np.int8), np.zeros(N, np.bool_), mood)


def days_of_events(days: int, today: DayOfLife, orders: Orders = NOBODY) -> Events:
    return np.concatenate(
        [
            events_of(PEOPLE, today, orders, newsletter(PEOPLE, day), day=day, draws=LUCK)
            for day in range(DAY_NO, DAY_NO + days)
        ]
    )


def number(events: Events, *types: str) -> int:
    return int(np.isin(events["type"], [TYPES.index(each) for each in types]).sum())


def test_visits_follow_warmth_and_nearly_stop_after_leaving() -> None:
    usual, warm, gone = (
        number(days_of_events(30, today), "session", "app_use")
        for today in (lived(), lived(warmth=1.0), lived(present=False))
    )
    assert usual / (30 * N) == pytest.approx(0.08, rel=0.1)  # the settings' visits_per_day
    assert warm / usual == pytest.approx(np.exp(0.6), rel=0.1)
    assert gone / usual == pytest.approx(0.15, rel=0.15)


def test_mail_is_read_alike_by_those_who_left() -> None:
    here, gone = (
        days_of_events(28, today) for today in (lived(warmth=2.0), lived(warmth=-2.0, present=False))
    )
    assert number(here, "email_open") == number(gone, "email_open") > 500
    assert number(here, "email_click") == number(gone, "email_click") > 100


def test_an_order_placed_online_comes_with_a_visit() -> None:
    customer = np.arange(N)
    at = np.full(N, DAY_NO * DAY + DAY // 2)
    orders = Orders(customer, np.ones(N, np.int64), at, np.zeros(N, np.bool_), np.zeros(N))
    events = events_of(PEOPLE, lived(), orders, newsletter(PEOPLE, DAY_NO), day=DAY_NO, draws=LUCK)
    visits = events[np.isin(events["type"], [TYPES.index("session"), TYPES.index("app_use")])]
    online = np.flatnonzero(PEOPLE["shop_channel"] != SHOP_CHANNELS.index("store"))
    assert set(online) <= set(visits["customer"])
    uses_app = PEOPLE["shop_channel"][visits["customer"]] == SHOP_CHANNELS.index("app")
    assert (uses_app == (visits["type"] == TYPES.index("app_use"))).all()
    assert (visits["at"][np.isin(visits["customer"], online)] == at[0] - 600_000_000).all()


def test_errors_and_meetings_work_on_whom_they_befall() -> None:
    events = days_of_events(1, lived())
    until = touched(untouched(N), events, DAY_NO)
    for force in ("page_error", "slow_page", "community"):
        befallen = np.unique(events["customer"][events["type"] == TYPES.index(force)])
        assert np.flatnonzero(works(until, force, DAY_NO + 1)).tolist() == befallen.tolist()
        assert len(befallen) > 3


def test_the_content_speak_well_and_the_angry_badly() -> None:
    tones = {}
    for satisfaction in (0.25, 0.9):
        events = days_of_events(60, lived(satisfaction=satisfaction))
        tones[satisfaction] = events["value"][events["type"] == TYPES.index("mention")]
    assert tones[0.25].mean() == pytest.approx(-0.5, abs=0.06)
    assert tones[0.9].mean() > 0.6
    assert np.abs(tones[0.9]).max() <= 1


def test_events_stay_within_their_day() -> None:
    events = events_of(PEOPLE, lived(), NOBODY, newsletter(PEOPLE, DAY_NO), day=DAY_NO, draws=LUCK)
    assert (events["at"] // DAY == DAY_NO).all()


def answers_of(today: DayOfLife) -> Surveys:
    days = range(DAY_NO, DAY_NO + 240)
    return np.concatenate([answers(PEOPLE, today, day=day, draws=LUCK) for day in days])


def test_everybody_is_asked_in_turn_every_month() -> None:
    given = answers_of(lived())
    assert len(given) == pytest.approx(N * 8 * 0.35, rel=0.05)  # 8 turns in 240 days, 35 % answer
    shares = np.bincount(given["kind"]) / len(given)
    assert shares == pytest.approx([0.5, 0.25, 0.25], abs=0.02)
    assert not len(answers_of(lived(present=False)))


def test_scores_keep_to_their_scales_and_tell_satisfaction() -> None:
    happy = lived(satisfaction=0.9)
    happy = replace(happy, mood=replace(happy.mood, warmth=np.linspace(-3, 3, N)))
    means = {}
    for name, given in (("angry", answers_of(lived(satisfaction=0.2))), ("happy", answers_of(happy))):
        for place, kind in enumerate(KINDS):
            scores = given["score"][given["kind"] == place]
            low, high = {"nps": (0, 10), "csat": (1, 5), "cli": (1, 6)}[kind]
            assert low <= scores.min()
            assert scores.max() <= high
            means[name, kind] = scores.mean()
    assert means["angry", "nps"] == pytest.approx(3, abs=0.1)  # 1 + 10 x 0.2
    assert all(means["happy", kind] > means["angry", kind] + 1.5 for kind in KINDS)
