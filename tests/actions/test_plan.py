"""Tonight's plan: control before everything, blind withholding, exploration, and limits that hold."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from actions.assignments import COLUMNS
from actions.catalogue import CHANNELS
from actions.experiment.control import UNTOUCHED, WITHHOLD, keyed_uniforms
from actions.plan import make_plan
from tables.errors import BudgetError, DataError, SchemaError
from tests.actions.made_up import (
    CALL,
    GIFT,
    MAIL,
    NIGHT,
    NO_CONTROL,
    OFFER,
    action,
    base,
    plan_of,
    prior_effects,
    rules_for,
    salted,
)


def test_each_customer_gets_the_action_worth_most() -> None:
    # Effects are saves of .1 and .3 of a risk of .5: worth 5 - .2 and 15 - 5 at a margin of 100.
    two = base(2).assign(churn_risk=0.5, risk_source="model", margin=[100.0, 20.0])
    frame = plan_of(two, MAIL, GIFT).frame
    assert frame["planned_action"].tolist() == ["gift", "mail"]
    assert frame["action"].tolist() == ["gift", "mail"]
    assert frame["expected_value"].tolist() == pytest.approx([10.0, 0.8], rel=1e-5)
    assert frame["expected_cost"].tolist() == pytest.approx([5.0, 0.2])
    assert frame["effect_mean"].tolist() == pytest.approx([0.15, 0.05], rel=1e-5)
    assert frame["choice_share"].tolist() == [1.0, 1.0]
    assert frame["propensity"].tolist() == [1.0, 1.0]


def test_columns_and_types_are_fixed_even_when_empty() -> None:
    for plan in (plan_of(base(0), MAIL), plan_of(base(5), GIFT, blocked=np.ones((5, 1))), plan_of(base(3))):
        assert plan.frame.empty
        assert {name: str(kind) for name, kind in plan.frame.dtypes.items()} == COLUMNS
        assert (plan.certificate.bound, plan.certificate.gap) == (0.0, 0.0)


def test_global_control_gets_service_but_no_marketing() -> None:
    customers = base(400)
    control = salted("s", global_share=0.3, withheld_share=0.5)
    held = control.global_control(customers["unit"].tolist(), as_of=NIGHT)
    frame = plan_of(customers, MAIL, CALL, control=control).frame
    in_control = frame[frame["arm"] == "global_control"]
    assert in_control["customer_id"].tolist() == customers.loc[held, "customer_id"].tolist()
    assert set(in_control["action"]) == {"call", "none"}
    assert set(in_control["propensity"]) == {0.3}
    assert (in_control["action"] == in_control["planned_action"]).all()


def test_service_actions_are_never_withheld_unless_opted_in() -> None:
    control = salted("s", global_share=0.1, withheld_share=0.5)
    frame = plan_of(base(300), CALL, control=control).frame
    assert "control" not in set(frame["arm"])
    measured = action("call", "service", prior_save=0.15, randomise=True)
    frame = plan_of(base(300), measured, control=control).frame
    assert "control" in set(frame["arm"])
    in_control = frame[frame["arm"] == "global_control"]
    assert "call" in set(in_control["action"])
    assert (in_control["action"] == in_control["planned_action"]).all()


def test_withheld_rows_keep_their_plan_and_send_nothing() -> None:
    control = salted("s", global_share=0.0, withheld_share=0.25)
    customers = base(2_000)
    frame = plan_of(customers, MAIL, control=control).frame
    withheld, untouched = (frame[frame["arm"] == arm] for arm in ("control", "untouched"))
    everything = keyed_uniforms(frame["unit"], salt="s", purpose=UNTOUCHED) < 0.0625
    mail = keyed_uniforms(frame["unit"], salt="s", purpose=f"{WITHHOLD} mail") < 0.1875 / 0.9375
    assert ((frame["arm"] == "untouched").to_numpy() == everything).all()
    assert ((frame["arm"] == "control").to_numpy() == mail & ~everything).all()
    assert set(withheld["action"]) == {"none"}
    assert set(withheld["planned_action"]) == {"mail"}
    assert (set(withheld["propensity"]), set(untouched["propensity"])) == ({0.1875}, {0.0625})
    assert set(frame.loc[frame["arm"] == "sent", "propensity"]) == {0.75}
    assert (len(withheld) + len(untouched)) / len(frame) == pytest.approx(0.25, abs=0.04)


def test_one_action_is_withheld_whatever_becomes_of_another() -> None:
    customers = base(4_000)
    control = salted("s", global_share=0.0, withheld_share=0.4, exploration_share=0.0)
    arms = {
        name: plan_of(customers, action(name), control=control).frame.set_index("customer_id")["arm"]
        for name in ("mail", "letter")
    }
    both = pd.concat(arms, axis=1).dropna()
    assert ((both["mail"] == "untouched") == (both["letter"] == "untouched")).all()
    apart = both[both["mail"] != "untouched"]
    held = apart == "control"
    assert held["letter"][held["mail"]].mean() == pytest.approx(
        held["letter"][~held["mail"]].mean(), abs=0.05
    )


def test_the_optimiser_is_blind_to_who_is_withheld() -> None:
    customers, scarce = base(600), action("gift", "reward", contact_cost=5.0, prior_save=0.3)
    options: dict[str, Any] = {"budget": 900.0}
    one = plan_of(
        customers, MAIL, scarce, control=salted("one", global_share=0, withheld_share=0.3), **options
    )
    two = plan_of(
        customers, MAIL, scarce, control=salted("two", global_share=0, withheld_share=0.3), **options
    )
    assert one.certificate.bound == two.certificate.bound
    assert one.certificate.primal == two.certificate.primal
    assert one.certificate.planned_use == two.certificate.planned_use
    assert one.frame["arm"].tolist() != two.frame["arm"].tolist()


def test_planning_is_scaled_so_that_sending_uses_the_budget() -> None:
    control = salted("s", global_share=0.0, withheld_share=0.2)
    gift = action("gift", "reward", contact_cost=5.0, prior_save=0.5, capacity_per_night=100)
    plan = plan_of(base(2_000), gift, control=control, budget=400.0)
    assert plan.certificate.planned_limits == {"budget": 500.0, "capacity:gift": 125.0}
    assert plan.certificate.sent_limits == {"budget": 400.0, "capacity:gift": 100.0}
    assert plan.certificate.sent_use["budget"] == pytest.approx(400.0, rel=0.15)


def test_places_of_service_actions_are_not_scaled() -> None:
    control = salted("s", global_share=0.0, withheld_share=0.2)
    call = action("call", "service", contact_cost=3.0, prior_save=0.5, capacity_per_night=10)
    certificate = plan_of(base(200), call, control=control, budget=30.0).certificate
    assert certificate.planned_limits["capacity:call"] == 10.0
    assert certificate.sent_use == {"budget": 30.0, "capacity:call": 10.0}


def test_an_unlucky_draw_removes_the_least_of_both_arms() -> None:
    # Of ten planned, eight may be sent; this salt withholds nobody, so two must go: the least two.
    customers = base(10).assign(churn_risk=0.5, risk_source="model", margin=np.arange(100.0, 200.0, 10))
    control = next(
        salted(f"s{number}", global_share=0.0, withheld_share=0.2)
        for number in range(1000)
        if all(
            (keyed_uniforms(customers["unit"], salt=f"s{number}", purpose=purpose) >= 0.2).all()
            for purpose in (UNTOUCHED, f"{WITHHOLD} mail")
        )
    )
    plan = plan_of(customers, action("mail", capacity_per_night=8), control=control)
    assert plan.frame["customer_id"].tolist() == customers["customer_id"].tolist()[2:]
    assert plan.certificate.removed == 2
    assert plan.certificate.sent_use == {"capacity:mail": 8.0}
    assert plan.certificate.feasible


def test_an_explored_row_tells_of_the_action_sent() -> None:
    # A mail of .2 brings .05 * 100 - .2, a note of .1 brings .025 * 100 - .1; all mails are planned.
    customers = base(400).assign(churn_risk=0.5, risk_source="model", margin=100.0)
    note = action("note", contact_cost=0.1, prior_save=0.05, channel="sms")
    control = salted("s", global_share=0.0, withheld_share=0.2, exploration_share=0.5)
    frame = plan_of(customers, MAIL, note, control=control).frame
    assert set(frame["planned_action"]) == {"mail"}
    explored = frame[frame["arm"] == "explored"]
    assert len(explored) / len(frame) == pytest.approx(0.4, abs=0.07)
    assert set(explored["propensity"]) == {0.2}
    assert set(frame.loc[frame["arm"] == "sent", "propensity"]) == {0.4}
    told = explored.groupby("action")[["expected_value", "expected_cost", "effect_mean"]].agg(["min", "max"])
    assert told.loc["mail"].tolist() == pytest.approx([4.8, 4.8, 0.2, 0.2, 0.05, 0.05], rel=1e-5)
    assert told.loc["note"].tolist() == pytest.approx([2.4, 2.4, 0.1, 0.1, 0.025, 0.025], rel=1e-5)


def test_what_is_uncertain_gets_tried_and_told_by_its_mean() -> None:
    # Gifts are believed to lose 2 a piece, with so much doubt that some of the draws are for them.
    customers = base(400).assign(churn_risk=0.5, risk_source="model", margin=100.0)
    gift = action("gift", "reward", contact_cost=5.0, prior_save=0.06, prior_save_sd=0.1)
    control = salted("s", global_share=0.0, withheld_share=0.2)
    assert plan_of(customers, gift, control=control).frame.empty
    assert plan_of(customers, gift, unsure=True).frame.empty  # nobody is withheld: trying would teach nothing
    frame = plan_of(customers, gift, unsure=True, control=control).frame
    assert set(frame["expected_value"].round(4)) == {-2.0}
    share = len(frame) / len(customers)
    assert frame["choice_share"].nunique() == 1
    assert 0.2 < share < 0.6
    assert share == pytest.approx(frame["choice_share"].iloc[0], abs=0.08)


def test_resolved_channels_are_written_beside_the_action() -> None:
    customers = base(2).assign(churn_risk=0.5, risk_source="model", margin=100.0)
    rules = rules_for(customers, action("mail", channel="preferred"))
    rules = replace(
        rules, channels=np.array([[CHANNELS.index("sms")], [CHANNELS.index("push")]], dtype=np.int8)
    )
    effects = prior_effects(customers, rules.actions, np.array(["risk_low|value_lower"] * 2))
    plan = make_plan(customers, rules, effects, as_of=NIGHT, control=NO_CONTROL, budget=None)
    assert plan.frame["channel"].tolist() == ["sms", "push"]


def test_the_same_input_gives_the_same_bytes() -> None:
    control = salted("s")
    plans = [plan_of(base(500), MAIL, OFFER, GIFT, control=control, budget=300.0) for _ in range(2)]
    assert plans[0].frame.to_parquet(index=False) == plans[1].frame.to_parquet(index=False)
    assert plans[0].certificate.to_json() == plans[1].certificate.to_json()
    assert plans[0].summary == plans[1].summary


def test_customers_twice_and_unusable_numbers_are_refused() -> None:
    customers = base(4)
    customers["customer_id"] = ["a", "a", "b", "c"]
    customers["churn_risk"] = [0.1, 0.2, 1.5, np.nan]
    customers["margin"] = [1.0, -1.0, 1.0, 1.0]
    with pytest.raises(DataError) as caught:
        plan_of(customers, MAIL, effects=prior_effects(base(4), [MAIL], np.array(["source_x"] * 4)))
    assert str(caught.value).splitlines() == [
        "plan: customer_id twice; found 1 customers, such as ['a']. Correct the scores.",
        "plan: churn_risk outside 0 to 1; found 2 customers, such as ['b', 'c']. Correct the scores.",
        "plan: margin negative or missing; found 1 customers, such as ['a']. Correct the scores.",
    ]


def test_a_missing_column_is_named_with_its_near_miss() -> None:
    customers = base(3)
    effects = prior_effects(customers, [MAIL], np.array(["source_x"] * 3))
    with pytest.raises(SchemaError, match=r"no column 'margin'.*Did you mean 'margins'"):
        plan_of(customers.rename(columns={"margin": "margins"}), MAIL, effects=effects)


def test_rows_of_other_customers_are_refused() -> None:
    customers = base(3)
    effects = prior_effects(customers, [MAIL], np.array(["source_x"] * 3))
    rules = rules_for(customers.iloc[::-1], MAIL)
    with pytest.raises(SchemaError, match="or other customers"):
        make_plan(customers, rules, effects, as_of=NIGHT, control=NO_CONTROL, budget=None)


def test_a_negative_budget_is_refused() -> None:
    with pytest.raises(BudgetError, match=r"budget: -5\.0"):
        plan_of(base(3), MAIL, budget=-5.0)
