"""The plan in figures, and its certificate in words: hand-worked."""

import json

import numpy as np
import pandas as pd
import pytest

from actions.allocate import allocate
from actions.catalogue import Action
from actions.certificate import Certificate
from actions.control import ControlSettings
from actions.limits import Limits
from actions.power import detectable_effect
from actions.summary import summarise

CONTROL = ControlSettings(global_share=0.2, withheld_share=0.5)
ROWS = [
    ("a", "mail", "mail", "sent", 0.5, 0.3, 0.1, 2.0, 0.2),
    ("b", "mail", "mail", "sent", 0.5, 0.5, 0.2, 3.0, 0.2),
    ("c", "mail", "none", "control", 0.5, 0.4, 0.3, 4.0, 0.2),
    ("d", "call", "call", "sent", 1.0, 0.4, 0.1, 1.0, 6.0),
    ("e", "none", "none", "global_control", 0.2, 0.4, 0.0, 0.0, 0.0),
    ("f", "call", "call", "global_control", 0.2, 0.4, 0.1, 1.0, 6.0),
]
NAMES = ["customer_id", "planned_action", "action", "arm", "propensity", "churn_risk", "effect_mean"]
FRAME = pd.DataFrame(ROWS, columns=[*NAMES, "expected_value", "expected_cost"])
FRAME["unit"] = FRAME["customer_id"]
BASE = pd.DataFrame({"customer_id": list("abcdefgh"), "unit": list("abcdefgh"), "churn_risk": 0.4})
IN_GLOBAL = np.array([name in "ef" for name in "abcdefgh"])


def action(name: str, kind: str) -> Action:
    entry = {
        "id": name,
        "carries_out": ("activation",),
        "trigger": "orders_total > 0",
        "channel": "email",
        "kind": kind,
        "contact_cost": 0.2,
        "prior_save": 0.1,
        "prior_save_sd": 0.05,
        "cooldown_days": 7,
        "wording": {"en": "Hello"},
    }
    return Action.model_validate(entry)


def test_every_customer_is_counted_in_one_arm() -> None:
    summary = summarise(FRAME, BASE, [action("mail", "content")], CONTROL, IN_GLOBAL)
    assert summary["customers"] == 8
    assert summary["arms"] == {"sent": 3, "control": 1, "explored": 0, "global_control": 2, "none": 2}
    json.dumps(summary, allow_nan=False)


def test_only_what_is_sent_costs_and_keeps() -> None:
    actions = [action("mail", "content"), action("call", "service")]
    mail, call = summarise(FRAME, BASE, actions, CONTROL, IN_GLOBAL)["actions"]
    assert (mail["planned"], mail["sent"], mail["withheld"]) == (3, 2, 1)
    assert mail["cost"] == pytest.approx(0.4)
    assert mail["expected_kept"] == pytest.approx(0.3)
    assert mail["expected_value"] == 5.0
    assert mail["believed_effect"] == pytest.approx(0.2)
    assert mail["detectable_effect"] == detectable_effect(0.4, treated=2, control=1)
    # 4 z^2 p (1 - p) / effect^2 = 4 * 7.849 * .24 / .04 = 188.4 units, three a night
    assert mail["nights_to_detect"] == 63
    assert (call["planned"], call["sent"], call["cost"]) == (2, 2, 12.0)
    assert call["detectable_effect"] is None


def test_an_action_without_plan_counts_nothing() -> None:
    (idle,) = summarise(FRAME, BASE, [action("gift", "reward")], CONTROL, IN_GLOBAL)["actions"]
    assert (idle["planned"], idle["cost"], idle["nights_to_detect"]) == (0, 0.0, None)


def test_units_of_one_household_count_once_for_power() -> None:
    paired = FRAME.assign(unit=["h", "h", "c", "d", "e", "f"])
    (mail,) = summarise(paired, BASE, [action("mail", "content")], CONTROL, IN_GLOBAL)["actions"]
    assert mail["detectable_effect"] == detectable_effect(0.35, treated=1, control=1)


def test_programme_compares_global_control_with_the_rest() -> None:
    programme = summarise(FRAME, BASE, [], CONTROL, IN_GLOBAL)["programme"]
    assert programme == {
        "control": 2,
        "others": 6,
        "detectable_effect": detectable_effect(0.4, treated=6, control=2),
    }


def test_an_empty_base_has_an_empty_summary() -> None:
    summary = summarise(FRAME.iloc[:0], BASE.iloc[:0], [], CONTROL, IN_GLOBAL[:0])
    assert summary["customers"] == 0
    assert summary["programme"]["detectable_effect"] is None


def certificate() -> Certificate:
    limits = Limits.of(
        ["mail", "call"],
        cost={"mail": 1.0, "call": 2.0},
        budget=100.0,
        capacity={"call": 1},
        discount_share=0.5,
    )
    found = allocate(np.array([[1, 4], [2, 5]], dtype=np.float32), limits)
    return Certificate.of(found, tonight=limits, sent=found.action[found.action == 1], removed=0)


def test_certificate_tells_planned_from_sent() -> None:
    proof = certificate()
    assert proof.planned_use == {"budget": 3.0, "capacity:call": 1.0, "discount_share": -1.0}
    assert proof.sent_use == {"budget": 2.0, "capacity:call": 1.0, "discount_share": -0.5}
    assert proof.feasible
    assert json.loads(proof.to_json())["bound"] == proof.bound >= proof.primal == 6.0


def test_prices_are_worded_dearest_first() -> None:
    proof = Certificate(
        primal=99.0,
        bound=100.0,
        gap=0.01,
        prices={"budget": 0.5, "capacity:call": 31.0, "discount_share": 2.0, "capacity:mail": 0.001},
        planned_limits={},
        planned_use={},
        sent_limits={},
        sent_use={},
        removed=0,
        feasible=True,
    )
    assert proof.sentences(currency="EUR") == (
        "One more place for call tonight would be worth 31.00 EUR.",
        "One more discount than the cap allows would be worth 2.00 EUR.",
        "One more EUR of budget tonight would be worth 0.50 EUR.",
        "No plan within the same limits is worth more than 1.01% above this one.",
    )
