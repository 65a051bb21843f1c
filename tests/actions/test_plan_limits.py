"""Whole plans under shared limits: what is sent keeps hours, caps and floors, whoever is withheld or explores."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.allocation.feasibility import broken_rules
from actions.allocation.limit_settings import LimitSettings
from actions.plan import Plan
from actions.value import expected_cost
from tables.errors import GateError
from tests.actions.made_up import CALL, GIFT, MAIL, OFFER, action, base, plan_of, salted

COUPON = action("coupon", "discount", prior_save=0.15, capacity_per_night=8)
ACTIONS = (MAIL, CALL, OFFER, GIFT, COUPON)
DISCOUNTS = frozenset({"offer", "coupon"})


def broken_by(plan: Plan, customers: pd.DataFrame, budget: float, shared: LimitSettings) -> list[str]:
    """Judge what a plan sends by plain counting."""
    sent = plan.frame[plan.frame["action"] != "none"].merge(customers[["customer_id", "region"]])
    return broken_rules(
        sent,
        cost={action.id: expected_cost(action) for action in ACTIONS},
        budget=budget,
        capacity={"coupon": 8},
        discounts=DISCOUNTS,
        shared=shared,
    )


@settings(max_examples=15, deadline=None)
@given(
    salt=st.sampled_from("abcdefgh"),
    withheld=st.sampled_from([0.0, 0.2, 0.5]),
    exploring=st.sampled_from([0.0, 0.3]),
    budget=st.floats(5, 100),
    share=st.floats(0, 1),
    measure=st.sampled_from(["contacts", "money"]),
    floor=st.sampled_from([0.0, 0.2, 0.5]),
    hours=st.floats(0, 2),
    most=st.integers(1, 3),
    seed=st.integers(0, 9),
)
def test_no_plan_breaks_a_shared_limit(
    salt: str,
    withheld: float,
    exploring: float,
    budget: float,
    share: float,
    measure: str,
    floor: float,
    hours: float,
    most: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    customers = base(60, seed=seed, households=2).assign(region=rng.choice(["IS", "LT"], 60, p=[0.2, 0.8]))
    shared = LimitSettings(
        discount_share={"of": measure, "most": share},
        region_floors={"IS": floor},
        teams={"desk": {"hours_per_night": hours, "minutes_per_contact": {"call": 15, "gift": 5}}},
        most_actions=most,
    )
    options: dict[str, Any] = {"budget": budget, "shared": shared, "seed": seed}
    plan = plan_of(
        customers,
        *ACTIONS,
        control=salted(salt, global_share=0.1, withheld_share=withheld, exploration_share=exploring),
        channels=rng.integers(0, 3, (60, 5)).astype(np.int8),
        **options,
    )
    assert not broken_by(plan, customers, budget, shared)
    assert plan.certificate.feasible
    assert plan.certificate.bound >= plan.certificate.primal - 1e-6
    planned = plan.frame.loc[plan.frame["planned_action"] != "none", "customer_id"]
    assert planned.value_counts().max() <= most or planned.empty


def test_two_actions_give_a_customer_two_rows() -> None:
    customers = base(3).assign(churn_risk=0.5, risk_source="model", margin=100.0)
    channels = np.tile(np.array([[0, 2]], dtype=np.int8), (3, 1))
    plan = plan_of(customers, MAIL, CALL, channels=channels, shared=LimitSettings(most_actions=2))
    assert plan.frame["customer_id"].tolist() == ["c00000", "c00000", "c00001", "c00001", "c00002", "c00002"]
    assert plan.frame["planned_action"].tolist() == ["call", "mail"] * 3
    assert plan.frame["channel"].tolist() == ["phone", "email"] * 3


def test_a_floor_nobody_can_meet_closes_the_night() -> None:
    customers = base(10).assign(region=["IS", *["LT"] * 9])
    blocked = np.zeros((10, 1), dtype=bool)
    blocked[0] = True
    with pytest.raises(GateError, match=r"IS is to get a share .* none of its 1 customers"):
        plan_of(customers, MAIL, blocked=blocked, shared=LimitSettings(region_floors={"IS": 0.1}))
