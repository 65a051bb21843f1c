"""The delivery plan of the simulated shop: started by an order, renewed, changed, ended, started again."""

import numpy as np
import pytest

from pipeline.shop.baskets import DAY, Orders, lines_of, ship, spend_of
from pipeline.shop.draws import Draws
from pipeline.shop.influences import untouched, works
from pipeline.shop.people import SHOP_CHANNELS, first_people
from pipeline.shop.settings import ShopSettings
from pipeline.shop.subscriptions import PLANS, SUBSCRIPTIONS, Subscriptions, relieved, renewed, subscribed

N, DAY_NO, LUCK = 20_000, 20_000, Draws(3)
ORDERS = Orders(
    np.arange(N), np.ones(N, np.int64), np.full(N, DAY_NO * DAY + 5), np.zeros(N, np.bool_), np.zeros(N)
)
NONE_RUNNING = np.empty(0, SUBSCRIPTIONS)


def running(plan: str) -> Subscriptions:
    rows = np.zeros(N, SUBSCRIPTIONS)
    rows["customer"], rows["plan"] = np.arange(N), PLANS.index(plan)
    rows["started_at"], rows["renews_at"], rows["mrr"] = (DAY_NO - 30) * DAY, DAY_NO * DAY + 7, 590
    return rows


def test_few_buyers_subscribe_and_former_ones_more_often() -> None:
    new = subscribed(NONE_RUNNING, np.zeros(N, np.bool_), ORDERS, day=DAY_NO, draws=LUCK)
    again = subscribed(NONE_RUNNING, np.ones(N, np.bool_), ORDERS, day=DAY_NO, draws=LUCK)
    assert len(new) / N == pytest.approx(0.02, abs=0.003)
    assert len(again) / N == pytest.approx(0.04, abs=0.004)
    assert (new["renews_at"] - new["started_at"]).tolist() == [
        365 * DAY if plan else 30 * DAY for plan in new["plan"].tolist()
    ]


def test_who_has_a_plan_starts_no_other() -> None:
    had_one = np.ones(N, np.bool_)
    assert not len(subscribed(running("monthly"), had_one, ORDERS, day=DAY_NO, draws=LUCK))


@pytest.mark.parametrize(
    ("plan", "is_alive", "share"),
    [("monthly", True, 0.07), ("yearly", True, 0.25), ("monthly", False, 0.7)],
)
def test_a_renewal_ends_some_and_most_of_those_who_left(plan: str, is_alive: bool, share: float) -> None:
    after, changed = renewed(running(plan), np.full(N, is_alive), day=DAY_NO, draws=LUCK)
    still = set(after["customer"].tolist())
    ended = changed[(changed["ended_at"] > 0) & ~np.isin(changed["customer"], list(still))]
    assert len(ended) / N == pytest.approx(share, abs=0.012)
    assert set(ended["ended_at"]) == {DAY_NO * DAY + 7}
    assert not ended["renews_at"].any()


def test_a_change_of_plan_ends_one_and_starts_another() -> None:
    after, changed = renewed(running("monthly"), np.ones(N, np.bool_), day=DAY_NO, draws=LUCK)
    other = changed[changed["started_at"] == DAY_NO * DAY + 7]
    assert len(other) / N == pytest.approx(0.93 * 0.04, abs=0.005)
    assert {PLANS[plan] for plan in other["plan"]} == {"yearly"}
    old = changed[(changed["ended_at"] > 0) & np.isin(changed["customer"], other["customer"])]
    assert old["ended_at"].tolist() == other["started_at"].tolist()
    assert len(np.unique(after["customer"])) == len(after)


def test_nothing_changes_before_the_renewal_is_due() -> None:
    rows = running("monthly")
    after, changed = renewed(rows, np.ones(N, np.bool_), day=DAY_NO - 1, draws=LUCK)
    assert len(changed) == 0
    assert after.tolist() == rows.tolist()


def test_a_plan_binds_until_it_ends() -> None:
    new = subscribed(NONE_RUNNING, np.ones(N, np.bool_), ORDERS, day=DAY_NO, draws=LUCK)
    until = relieved(untouched(N), new=new, changed=NONE_RUNNING, day=DAY_NO)
    assert np.flatnonzero(works(until, "delivery_plan", DAY_NO + 900)).tolist() == new["customer"].tolist()
    ended = new.copy()
    ended["ended_at"] = (DAY_NO + 30) * DAY
    assert not relieved(until, new=NONE_RUNNING, changed=ended, day=DAY_NO + 30).any()


def test_subscribers_large_orders_and_stores_ship_free() -> None:
    people = first_people(ShopSettings(customers=N), LUCK, DAY_NO)
    lines = lines_of(ORDERS, people, DAY_NO, LUCK)
    spend = spend_of(lines, ORDERS)
    is_free = np.arange(N) % 5 == 0
    shipped = ship(lines, ORDERS, people, spend, is_free)
    paid = np.bincount(shipped["customer"], weights=shipped["shipping"])
    in_store = people["shop_channel"] == SHOP_CHANNELS.index("store")
    expected = np.where((spend < 4_000) & ~is_free & ~in_store, 390, 0)
    assert paid.tolist() == expected.tolist()
    assert np.bincount(lines["customer"], weights=lines["amount"]).tolist() == spend.tolist()
