"""Requests in the simulated shop: opened, answered, solved, reopened, rated, each known in its time."""

import numpy as np
import pytest

from pipeline.shop.baskets import DAY, Orders
from pipeline.shop.behaviour import DayOfLife, Mood
from pipeline.shop.draws import Draws
from pipeline.shop.influences import untouched, works
from pipeline.shop.people import first_people
from pipeline.shop.settings import ShopSettings
from pipeline.shop.tickets import INSTANTS, REASONS, TICKETS, Tickets, opened, shown, vexed
from pipeline.shop.timelines import versions

N, DAY_NO, LUCK = 4_000, 20_000, Draws(3)
PEOPLE = first_people(ShopSettings(customers=N), LUCK, DAY_NO)
PEOPLE["signed_up_on"] = DAY_NO - 1_000


def bought(*, disappointed: bool) -> tuple[DayOfLife, Orders]:
    went_wrong = np.full(N, disappointed)
    mood = Mood(np.ones(N, np.bool_), np.full(N, 0.75), np.zeros(N), np.full(N, DAY_NO))
    orders = Orders(
        np.arange(N), np.ones(N, np.int64), np.full(N, DAY_NO * DAY + DAY // 2), went_wrong, np.zeros(N)
    )
    return DayOfLife(np.ones(N, np.bool_), np.ones(N, np.int8), went_wrong, mood), orders


def tickets_of(*, disappointed: bool) -> Tickets:
    lived, orders = bought(disappointed=disappointed)
    return opened(PEOPLE, lived, orders, day=DAY_NO, draws=LUCK)


def ticket(**fields: float) -> Tickets:
    row = np.zeros(1, TICKETS)
    for name, value in fields.items():
        row[name] = value
    return row


def test_most_disappointed_customers_complain_at_once() -> None:
    tickets = tickets_of(disappointed=True)
    complaints = tickets[tickets["reason"] == REASONS.index("complaint")]
    assert len(complaints) / N == pytest.approx(0.65, abs=0.03)
    assert (complaints["opened_at"] == DAY_NO * DAY + DAY // 2 + 900_000_000).all()


def test_orders_that_went_well_bring_delivery_questions_only() -> None:
    reasons = np.bincount(tickets_of(disappointed=False)["reason"], minlength=4) / N
    assert reasons[REASONS.index("complaint")] == 0
    assert reasons[REASONS.index("delivery")] == pytest.approx(0.03, abs=0.01)


def test_newcomers_ask_how_to_more_often() -> None:
    people = PEOPLE.copy()
    people["signed_up_on"][: N // 2] = DAY_NO - 10
    lived, orders = bought(disappointed=False)
    asked = np.concatenate(
        [opened(people, lived, orders, day=day, draws=LUCK) for day in range(DAY_NO, DAY_NO + 40)]
    )
    asked = asked[asked["reason"] == REASONS.index("how_to")]
    new = (asked["customer"] < N // 2).sum()
    assert new / (len(asked) - new) == pytest.approx(0.006 / 0.0007, rel=0.35)


def test_a_ticket_is_answered_then_solved_then_rated() -> None:
    tickets = tickets_of(disappointed=True)
    assert (tickets["opened_at"] < tickets["first_reply_at"]).all()
    assert (tickets["first_reply_at"] < tickets["solved_at"]).all()
    reopened = tickets[tickets["reopened_at"] > 0]
    assert len(reopened) / len(tickets) == pytest.approx(0.15, abs=0.03)
    assert (reopened["solved_at"] < reopened["reopened_at"]).all()
    assert (reopened["reopened_at"] < reopened["solved_again_at"]).all()
    rated = tickets[tickets["rated_at"] > 0]
    assert (rated["rated_at"] > np.maximum(rated["solved_at"], rated["solved_again_at"])).all()
    assert set(rated["csat"]) == {1, 2, 3, 4, 5}


def test_slow_answers_are_rated_worse() -> None:
    tickets = tickets_of(disappointed=True)
    quick = tickets["solved_at"] - tickets["opened_at"] < DAY
    assert tickets["csat"][quick].mean() > tickets["csat"][~quick].mean() + 1


def test_files_show_a_reopened_ticket_open_until_solved_again() -> None:
    days = {"opened_at": 1, "first_reply_at": 1, "solved_at": 3, "reopened_at": 5, "solved_again_at": 8}
    row = ticket(**{name: day * DAY + 7 for name, day in days.items()}, rated_at=9 * DAY, csat=4)
    seen = {day: shown(versions(row, INSTANTS, day)) for day in (1, 3, 5, 8, 9)}
    assert [int(seen[day]["solved_at"][0]) // DAY for day in seen] == [0, 3, 3, 8, 8]
    assert [int(seen[day]["reopened_at"][0]) // DAY for day in seen] == [0, 0, 5, 5, 5]
    assert np.isnan([seen[day]["csat"][0] for day in (1, 3, 5, 8)]).all()
    assert seen[9]["csat"][0] == 4


def test_an_open_ticket_works_until_it_is_solved() -> None:
    new = ticket(opened_at=100 * DAY, solved_at=103 * DAY + 5)
    until = vexed(untouched(1), new, new=new, day=100)
    assert [bool(works(until, "open_ticket", day)[0]) for day in (101, 103, 104)] == [True, True, False]


@pytest.mark.parametrize(("stars", "force"), [(1, "bad_rating"), (2, "bad_rating"), (5, "good_rating")])
def test_a_rating_works_from_the_day_it_is_given(stars: int, force: str) -> None:
    rated = ticket(opened_at=90 * DAY, rated_at=100 * DAY + 5, csat=stars)
    until = vexed(untouched(1), rated, new=rated[:0], day=99)
    assert not works(until, force, 101)[0]
    assert works(vexed(until, rated, new=rated[:0], day=100), force, 101)[0]
