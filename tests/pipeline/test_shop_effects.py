"""What the actions truly do in the simulated shop."""

import numpy as np
import pytest

from pipeline.shop.draws import Draws
from pipeline.shop.effects import (
    ACTIONS,
    EFFECTS,
    HIGHEST_RETURNING,
    LOWEST_LEAVING,
    TRUE_EFFECTS,
    Effects,
    influence,
    started,
    true_effects,
)
from pipeline.shop.people import LOYALTIES, first_people
from pipeline.shop.settings import ShopSettings

PEOPLE = first_people(ShopSettings(customers=2), Draws(1), 20_000)
PEOPLE["loyalty"] = [LOYALTIES.index("discount"), LOYALTIES.index("value")]
NONE_RUNNING = np.empty(0, EFFECTS)


def sent(*pairs: tuple[int, str]) -> Effects:
    rows = [(customer, ACTIONS.index(action), 0, 0, 20_030, False) for customer, action in pairs]
    return np.array(rows, EFFECTS)


def test_an_offer_moves_discount_buyers_more() -> None:
    running, new = started(NONE_RUNNING, sent((0, "personal_offer"), (1, "personal_offer")))
    today = influence(running, new, PEOPLE)
    assert today.returning == pytest.approx([0.14 * 1.6, 0.14 * 0.2])
    assert today.leaving == pytest.approx([0.65**1.6, 0.65**0.2])
    assert today.ordering == pytest.approx([1.4**1.6, 1.4**0.2])


def test_repeating_a_running_action_adds_nothing() -> None:
    running, _ = started(NONE_RUNNING, sent((0, "personal_offer")))
    again, new = started(running, sent((0, "personal_offer")))
    assert len(again) == 1
    assert influence(again, new, PEOPLE).returning.tolist() == [0, 0]


def test_all_actions_together_stay_within_the_caps() -> None:
    everything = sent(*((0, action) for action in ACTIONS))
    today = influence(*started(NONE_RUNNING, everything), PEOPLE)
    assert today.leaving[0] == LOWEST_LEAVING
    assert today.returning[0] == HIGHEST_RETURNING
    assert today.leaving[1] == 1


def test_some_actions_do_nothing_and_one_does_harm() -> None:
    table = true_effects().groupby("action")[["leaving", "ordering", "returning"]].mean()
    idle = table[(table["leaving"] == 1) & (table["ordering"] == 1) & (table["returning"] == 0)]
    assert set(idle.index) == {"ambassador_invite", "charity_match", "self_service_guide"}
    assert table.index[table["leaving"] > 1].tolist() == ["survey_invite"]
    waking = true_effects().set_index(["action", "loyalty"])["waking"]
    assert waking["community_invite", "price"] == pytest.approx(0.4 * 0.8)
    assert (waking.drop("community_invite") == 0).all()


def test_an_invitation_wakes_on_the_day_it_arrives() -> None:
    running, new = started(NONE_RUNNING, sent((1, "community_invite")))
    assert influence(running, new, PEOPLE).waking.tolist() == pytest.approx([0, 0.4 * 1.2])
    assert influence(running, new[:0], PEOPLE).waking.tolist() == [0, 0]


def test_every_action_costs_money_to_send() -> None:
    assert min(effect.contact_cost for effect in TRUE_EFFECTS.values()) > 0
    assert len(true_effects()) == len(ACTIONS) * len(LOYALTIES)
