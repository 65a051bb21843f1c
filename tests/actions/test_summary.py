"""The plan in figures: hand-worked."""

import json
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from actions.catalogue import Action
from actions.experiment.control import ControlSettings, draw_below
from actions.experiment.power import detectable_effect
from actions.summary import summarise
from tests.actions.made_up import action

CONTROL = ControlSettings(global_share=0.2, withheld_share=0.5, exploration_share=0.0)
NIGHT = date(2026, 11, 21)
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


def summary_of(
    *actions: Action, frame: pd.DataFrame = FRAME, earlier: pd.DataFrame | None = None
) -> dict[str, Any]:
    return summarise(frame, BASE, actions, CONTROL, IN_GLOBAL, as_of=NIGHT, earlier=earlier)


def test_every_customer_is_counted_in_one_arm() -> None:
    summary = summary_of(action("mail", "content"))
    assert summary["customers"] == 8
    assert summary["arms"] == {
        "sent": 3,
        "control": 1,
        "untouched": 0,
        "explored": 0,
        "global_control": 2,
        "none": 2,
    }
    json.dumps(summary, allow_nan=False)


def test_only_what_is_sent_costs_and_keeps() -> None:
    actions = [action("mail", "content"), action("call", "service")]
    mail, call = summary_of(*actions)["actions"]
    assert (mail["planned"], mail["sent"], mail["withheld"]) == (3, 2, 1)
    assert mail["cost"] == pytest.approx(0.4)
    assert mail["expected_kept"] == pytest.approx(0.3)
    assert mail["expected_value"] == 5.0
    assert mail["believed_effect"] == pytest.approx(0.2)
    # the score takes off var(.3, .5, .4) / (.4 * .6) = 1/36 of the variance
    assert mail["explained"] == pytest.approx(1 / 36)
    assert mail["detectable_effect"] == pytest.approx(
        detectable_effect(0.4, treated=2, control=1, explained=1 / 36)
    )
    # Of .875 not untouched .375 withheld: z^2 p (1 - p) (35 / 36) (1 / .4286 + 1 / .5714) / effect^2
    # = 7.849 * .2333 * 4.083 / .04 = 187 units, three a night
    assert mail["nights_to_detect"] == 63
    assert (call["planned"], call["sent"], call["cost"]) == (2, 2, 12.0)
    assert call["detectable_effect"] is None


def test_an_action_without_plan_counts_nothing() -> None:
    (idle,) = summary_of(action("gift", "reward"))["actions"]
    assert (idle["planned"], idle["cost"], idle["nights_to_detect"]) == (0, 0.0, None)


def test_units_of_one_household_count_once_for_power() -> None:
    paired = FRAME.assign(unit=["h", "h", "c", "d", "e", "f"])
    (mail,) = summary_of(action("mail", "content"), frame=paired)["actions"]
    assert mail["compared"] == 2
    assert mail["detectable_effect"] == detectable_effect(
        0.35, treated=1, control=1, explained=mail["explained"]
    )


def test_a_unit_planned_before_brings_nothing_new() -> None:
    rows = [("a", "mail", "sent"), ("b", "call", "sent"), ("z", "mail", "control"), ("z", "mail", "control")]
    earlier = pd.DataFrame([*rows, ("x", "mail", "explored")], columns=["unit", "planned_action", "arm"])
    (mail,) = summary_of(action("mail", "content"), earlier=earlier)["actions"]
    assert (mail["compared"], mail["compared_before"]) == (2, 2)
    explained = pytest.approx(0.0025 / (0.45 * 0.55))  # of b and c, at .5 and .4
    assert mail["explained"] == explained
    assert mail["detectable_so_far"] == detectable_effect(
        0.45, treated=2, control=2, explained=mail["explained"]
    )


def test_explored_customers_are_sent_but_not_compared() -> None:
    explored = FRAME.assign(arm=FRAME["arm"].mask(FRAME["customer_id"] == "b", "explored"))
    summary = summary_of(action("mail", "content"), frame=explored)
    (mail,) = summary["actions"]
    assert (mail["sent"], mail["explored"], mail["withheld"], mail["compared"]) == (2, 1, 1, 2)
    assert summary["arms"]["explored"] == 1
    assert summary["nights_left"] == 41


def test_a_withheld_unit_that_explores_is_not_compared() -> None:
    control = CONTROL.model_copy(update={"exploration_share": 0.5})
    explores = draw_below(list("abcdef"), 0.5, salt=control.period_of(NIGHT).salt, purpose="explore")
    mail = FRAME.assign(planned_action="mail", propensity=0.5, arm=["control"] * 6)
    summary = summarise(
        mail, BASE, [action("mail", "content")], control, IN_GLOBAL, as_of=NIGHT, earlier=mail[:3]
    )
    (told,) = summary["actions"]
    assert (told["withheld"], told["compared_before"]) == (6, 3 - explores[:3].sum())
    assert told["compared"] == 3 - explores[3:].sum()
    assert 0 < explores[:3].sum() + explores[3:].sum() < 6


def test_all_actions_together_are_compared_with_those_left_alone() -> None:
    alone = FRAME.assign(arm=FRAME["arm"].mask(FRAME["customer_id"] == "b", "untouched"))
    rows = [
        ("z", "mail", "untouched"),
        ("y", "mail", "control"),
        ("y", "call", "sent"),
        ("x", "call", "sent"),
    ]
    earlier = pd.DataFrame(rows, columns=["unit", "planned_action", "arm"])
    total = summary_of(action("mail", "content"), action("call", "service"), frame=alone, earlier=earlier)[
        "total"
    ]
    # New are a, b and c, of whom b is left alone; before were z, who is, and y. Service is never withheld.
    assert (total["planned"], total["compared"], total["compared_before"]) == (5, 3, 2)
    so_far = detectable_effect(0.4, treated=3, control=2, explained=total["explained"])
    assert total["detectable_so_far"] == pytest.approx(so_far)


def test_programme_compares_global_control_with_the_rest() -> None:
    programme = summary_of()["programme"]
    assert programme == {
        "control": 2,
        "others": 6,
        "explained": 0.0,
        "detectable_effect": detectable_effect(0.4, treated=6, control=2),
    }


def test_an_empty_base_has_an_empty_summary() -> None:
    summary = summarise(FRAME.iloc[:0], BASE.iloc[:0], [], CONTROL, IN_GLOBAL[:0], as_of=NIGHT)
    assert summary["customers"] == 0
    assert summary["programme"]["detectable_effect"] is None
