"""The loyalty programme of the simulated shop: joining, earning, redeeming, expiring, rising."""

import numpy as np
import pytest

from pipeline.shop.baskets import DAY, Orders
from pipeline.shop.draws import Draws
from pipeline.shop.influences import untouched, works
from pipeline.shop.loyalty import ACCOUNTS, TIERS, Accounts, Balances, bound, earned, expired
from pipeline.shop.people import LOYALTIES, first_people
from pipeline.shop.settings import ShopSettings

N, DAY_NO, LUCK = 4_000, 20_000, Draws(3)
PEOPLE = first_people(ShopSettings(customers=N), LUCK, DAY_NO)


def accounts(points: int = 0, earned_points: int = 0, *, is_member: bool = True) -> Accounts:
    rows = np.zeros(N, ACCOUNTS)
    rows["is_member"], rows["points"], rows["earned"] = is_member, points, earned_points
    rows["expires_on"] = DAY_NO + 100 if points else 0
    return rows


def day_of_orders(before: Accounts, cents: int) -> tuple[Accounts, Balances]:
    orders = Orders(
        np.arange(N), np.ones(N, np.int64), np.full(N, DAY_NO * DAY), np.zeros(N, np.bool_), np.zeros(N)
    )
    return earned(before, PEOPLE, orders, np.full(N, float(cents)), day=DAY_NO, draws=LUCK)


def test_reward_lovers_join_more_often_and_are_welcomed() -> None:
    after, rows = day_of_orders(accounts(is_member=False), cents=1_250)
    is_keen = PEOPLE["loyalty"] == LOYALTIES.index("reward")
    assert after["is_member"][is_keen].mean() == pytest.approx(0.25 * 0.7, abs=0.03)
    assert after["is_member"][~is_keen].mean() == pytest.approx(0.25 * 0.3, abs=0.015)
    assert set(rows["points"]) == {12 + 20}  # a point per whole currency unit, and twenty of welcome
    assert sorted(rows["customer"]) == np.flatnonzero(after["is_member"]).tolist()


def test_members_earn_and_their_points_last_longer() -> None:
    after, rows = day_of_orders(accounts(points=50, earned_points=290), cents=1_999)
    assert set(after["points"]) == {69}
    assert set(after["expires_on"]) == {DAY_NO + 150}
    assert {TIERS[place] for place in rows["tier"]} == {"silver"}  # 290 + 19 points ever earned


def test_redeeming_shows_as_a_fall_before_the_rise() -> None:
    after, rows = day_of_orders(accounts(points=230), cents=1_000)
    redeemed = after["points"] == 230 - 200 + 10
    assert redeemed.mean() == pytest.approx(0.35, abs=0.03)
    assert set(after["points"][~redeemed]) == {240}
    one = rows[rows["customer"] == np.flatnonzero(redeemed)[0]]
    assert np.sort(one, order="at")["points"].tolist() == [30, 40]


def test_points_expire_on_their_day_and_not_before() -> None:
    before = accounts(points=50)
    assert len(expired(before, DAY_NO + 99)[1]) == 0
    after, rows = expired(before, DAY_NO + 100)
    assert not after["points"].any()
    assert set(rows["points"]) == {0}
    assert set(rows["at"]) == {(DAY_NO + 100) * DAY}
    assert set(rows["expires_on"]) == {0}
    assert after["is_member"].all()


def test_membership_and_gold_bind_from_the_next_day_on() -> None:
    outside, inside = accounts(is_member=False), accounts(points=10, earned_points=950)
    until = bound(untouched(N), outside, inside, DAY_NO)
    assert works(until, "membership", DAY_NO + 1).all()
    assert works(until, "gold_tier", DAY_NO + 5_000).all()
    silver = accounts(points=10, earned_points=400)
    assert not works(bound(untouched(N), outside, silver, DAY_NO), "gold_tier", DAY_NO + 1).any()


def test_points_about_to_expire_press_until_they_are_used() -> None:
    soon = accounts(points=50)
    soon["expires_on"] = DAY_NO + 15
    until = bound(untouched(N), soon, soon, DAY_NO)
    assert works(until, "points_expiring", DAY_NO + 14).all()
    assert not works(until, "points_expiring", DAY_NO + 15).any()
    renewed = soon.copy()
    renewed["expires_on"] = DAY_NO + 150
    assert not works(bound(until, soon, renewed, DAY_NO + 3), "points_expiring", DAY_NO + 4).any()
