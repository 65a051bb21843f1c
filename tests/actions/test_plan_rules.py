"""No plan breaks a rule, whatever the night: the order of customers, limits, masks, arms and control."""

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from actions.allocation.limit_settings import LimitSettings
from actions.assignments import ARMS, WITHHELD
from actions.experiment.control import ControlSettings, keyed_uniforms, share_of_others
from tests.actions.made_up import GIFT, MAIL, NIGHT, OFFER, action, base, plan_of, salted


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(40)))
def test_the_order_of_customers_changes_nothing(order: list[int]) -> None:
    customers, control = base(40, households=2), salted("s", global_share=0.2, withheld_share=0.3)
    blocked = np.random.default_rng(1).random((40, 3)) < 0.4
    options: dict[str, Any] = {
        "control": control,
        "budget": 60.0,
        "shared": LimitSettings(discount_share=0.3),
    }
    straight = plan_of(customers, MAIL, OFFER, GIFT, blocked=blocked, **options)
    mixed = plan_of(customers.iloc[order], MAIL, OFFER, GIFT, blocked=blocked[order], **options)
    assert_frame_equal(straight.frame, mixed.frame)
    assert straight.certificate == mixed.certificate


@st.composite
def nights(draw: st.DrawFn) -> dict[str, Any]:
    size = draw(st.integers(1, 60))
    places = st.none() | st.integers(0, 6)
    return {
        "customers": base(size, seed=draw(st.integers(0, 99)), households=draw(st.integers(1, 3))),
        "actions": (
            action("mail", capacity_per_night=draw(places), prior_save=draw(st.floats(-0.2, 0.5))),
            action("call", "service", contact_cost=draw(st.floats(0, 9)), capacity_per_night=draw(places)),
            action("offer", "discount", prior_save=0.4, capacity_per_night=draw(places)),
        ),
        "blocked": np.random.default_rng(draw(st.integers(0, 99))).random((size, 3)) < draw(st.floats(0, 1)),
        "control": salted(
            draw(st.sampled_from("abcdef")),
            global_share=draw(st.floats(0, 0.5)),
            withheld_share=draw(st.floats(0, 0.5)),
            exploration_share=draw(st.floats(0, 0.5)),
        ),
        "unsure": draw(st.booleans()),
        "budget": draw(st.none() | st.floats(0, 60)),
        "channels": np.random.default_rng(draw(st.integers(0, 99))).integers(0, 3, (size, 3), dtype=np.int8),
        "shared": LimitSettings(
            discount_share=draw(st.none() | st.floats(0, 1)), most_actions=draw(st.integers(1, 3))
        ),
    }


@settings(max_examples=40, deadline=None)
@given(nights())
def test_no_plan_breaks_budget_places_mask_or_control(night: dict[str, Any]) -> None:
    customers, actions = night.pop("customers"), night.pop("actions")
    plan = plan_of(customers, *actions, **dict(night))
    frame, sent = plan.frame, plan.frame[plan.frame["action"] != "none"]
    assert plan.certificate.feasible
    assert plan.certificate.bound >= plan.certificate.primal - 1e-6
    if night["budget"] is not None:
        assert sent["expected_cost"].sum() <= night["budget"] + 1e-6
    for column, offered in enumerate(actions):
        places = offered.capacity_per_night
        assert places is None or (sent["action"] == offered.id).sum() <= places
        for chosen in ("planned_action", "action"):
            who = frame.loc[frame[chosen] == offered.id, "customer_id"]
            assert not night["blocked"][customers["customer_id"].isin(who), column].any()
    cap = night["shared"].discount_share
    assert cap is None or (sent["action"] == "offer").sum() <= cap.most * len(sent) + 1e-6
    for together in (["customer_id", "action"], ["customer_id", "channel"]):
        assert not sent.duplicated(together).any()
    assert frame["customer_id"].value_counts().max() <= night["shared"].most_actions or frame.empty
    assert frame.sort_values(["customer_id", "planned_action"], kind="stable").index.equals(frame.index)
    check_arms(frame, customers, night["control"])
    assert night["unsure"] or (frame.loc[frame["arm"] != "explored", "expected_value"] >= 0).all()


def check_arms(frame: pd.DataFrame, customers: pd.DataFrame, control: ControlSettings) -> None:
    """Hold every row against what the draws say of its unit."""
    units = customers["unit"].tolist()
    held = customers.loc[control.global_control(units, as_of=NIGHT), "customer_id"]
    in_control = frame["customer_id"].isin(held)
    assert set(held) <= set(frame["customer_id"])
    assert (in_control == (frame["arm"] == "global_control")).all()
    assert set(frame.loc[in_control, "action"]) <= {"call", "none"}
    assert set(frame["arm"]) <= set(ARMS)
    assert (frame["action"] == "none").equals(
        frame["arm"].isin(WITHHELD) | (frame["planned_action"] == "none")
    )
    explored = frame[frame["arm"] == "explored"]
    for column in ("planned_action", "action"):
        assert set(explored[column]) <= {
            "mail",
            "offer",
        }  # a call is service: never replaced, never a replacement
    drawn = ~in_control & (frame["planned_action"] != "call")
    salt, own = control.salts[0].salt, share_of_others(control.withheld_share)
    untouched, exploring = (
        keyed_uniforms(frame["unit"], salt=salt, purpose=purpose) < share
        for purpose, share in (("untouched", control.untouched_share), ("explore", control.exploration_share))
    )
    denied = np.array(
        [
            keyed_uniforms([unit], salt=salt, purpose=f"withhold {name}")[0] < own
            for unit, name in zip(frame["unit"], frame["planned_action"], strict=True)
        ],
        dtype=bool,
    )
    assert frame.loc[drawn & untouched, "arm"].eq("untouched").all()
    assert frame.loc[drawn & ~untouched & denied, "arm"].eq("control").all()
    sent = drawn & ~untouched & ~denied
    assert frame.loc[sent & exploring, "arm"].eq("explored").all()
    assert frame.loc[sent & ~exploring, "arm"].eq("sent").all()
    assert frame["choice_share"].between(0, 1).all()
    assert frame["propensity"].between(0, 1).all()
