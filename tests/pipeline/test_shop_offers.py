"""The marketing team's offers in the simulated shop: they run, are viewed, and are completed by orders."""

import numpy as np
import pytest

from pipeline.shop.baskets import DAY, Orders
from pipeline.shop.draws import Draws
from pipeline.shop.influences import untouched, works
from pipeline.shop.offers import OFFER_KINDS, OFFERS, Offers, completed, made, spent, tempting
from pipeline.shop.people import first_people
from pipeline.shop.settings import ShopSettings

SETTINGS, LUCK, DAY_NO = ShopSettings(customers=5_000, offers_per_day=0.2), Draws(3), 20_000
PEOPLE = first_people(SETTINGS, LUCK, DAY_NO)
NONE_RUNNING = np.empty(0, OFFERS)


def offer(kind: str, *, viewed_at: int = 100 * DAY, completed_at: int = 0) -> Offers:
    return np.array([(0, OFFER_KINDS.index(kind), 100 * DAY, 107 * DAY, viewed_at, completed_at, 0)], OFFERS)


def order(at: int) -> Orders:
    one = np.ones(1, np.int64)
    return Orders(0 * one, one, at * one, np.zeros(1, np.bool_), np.zeros(1))


def start_all(is_alive: bool) -> Offers:
    alive = np.full(len(PEOPLE), is_alive)
    return made(PEOPLE, alive, NONE_RUNNING, day=DAY_NO, draws=LUCK, settings=SETTINGS)


def test_offers_start_at_the_set_rate_and_run_whole_weeks() -> None:
    offers = start_all(is_alive=True)
    assert len(offers) / len(PEOPLE) == pytest.approx(0.2, abs=0.02)
    weeks = (offers["ends_at"] // DAY - DAY_NO) / 7
    assert set(weeks) == {1, 2, 3}
    assert np.bincount(offers["kind"]) / len(offers) == pytest.approx([1 / 3] * 3, abs=0.05)


def test_those_who_left_view_fewer_offers() -> None:
    here, gone = start_all(is_alive=True), start_all(is_alive=False)
    assert (here["viewed_at"] > 0).mean() == pytest.approx(0.75, abs=0.04)
    assert (gone["viewed_at"] > 0).mean() == pytest.approx(0.2, abs=0.04)
    assert here["customer"].tolist() == gone["customer"].tolist()
    seen = here[here["viewed_at"] > 0]
    assert ((seen["starts_at"] < seen["viewed_at"]) & (seen["viewed_at"] < seen["ends_at"])).all()


def test_nobody_has_two_offers_at_a_time() -> None:
    first = start_all(is_alive=True)
    alive = np.ones(len(PEOPLE), np.bool_)
    second = made(PEOPLE, alive, first, day=DAY_NO, draws=LUCK, settings=SETTINGS)
    assert not len(second)


@pytest.mark.parametrize(
    ("kind", "viewed_at", "spend", "is_completed"),
    [
        ("discount", 100 * DAY, 2_000, True),
        ("discount", 100 * DAY, 1_999, False),
        ("bundle", 100 * DAY, 3_000, True),
        ("news", 100 * DAY, 90_000, False),
        ("discount", 0, 90_000, False),
        ("discount", 102 * DAY + 1, 90_000, False),
    ],
)
def test_an_order_completes_a_viewed_offer_it_meets(
    kind: str, viewed_at: int, spend: int, is_completed: bool
) -> None:
    after = completed(offer(kind, viewed_at=viewed_at), order(102 * DAY), np.array([float(spend)]))
    assert after["completed_at"].tolist() == [102 * DAY if is_completed else 0]


def test_a_completed_offer_is_not_completed_again() -> None:
    done = offer("discount", completed_at=101 * DAY)
    after = completed(done, order(102 * DAY), np.array([9_000.0]))
    assert after["completed_at"].tolist() == [101 * DAY]


def test_an_offer_tempts_from_its_first_day_until_completed() -> None:
    until = tempting(untouched(1), offer("bundle"), 100)
    assert [bool(works(until, "bundle_offer", day)[0]) for day in (100, 106, 107)] == [True, True, False]
    done = spent(until, offer("bundle", completed_at=103 * DAY + 9), 103)
    assert not works(done, "bundle_offer", 104)[0]


def test_an_offer_of_mere_news_tempts_nobody() -> None:
    assert not tempting(untouched(1), offer("news"), 100).any()
