"""Tonight's plan: control before everything, blind withholding, limits that hold, and a true reading."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from actions.assignments import ARMS, COLUMNS
from actions.catalogue import CHANNELS, Action
from actions.control import WITHHOLD, ControlSettings, SaltPeriod, keyed_uniforms
from actions.effects import Effects, prior_effects
from actions.eligibility import Eligibility
from actions.plan import Plan, make_plan
from tables.errors import BudgetError, DataError, SchemaError

NIGHT = date(2026, 11, 21)
NO_CONTROL = ControlSettings(global_share=0.0, withheld_share=0.0)


def action(name: str, kind: str = "content", **changes: object) -> Action:
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
    if kind == "discount":
        entry |= {"incentive_cost": 10.0, "redeem_rate": 0.2, "customer_cap_per_year": 2}
    return Action.model_validate({**entry, **changes})


MAIL = action("mail")
CALL = action("call", "service", contact_cost=3.0, prior_save=0.15)
OFFER = action("offer", "discount", prior_save=0.2)
GIFT = action("gift", "reward", contact_cost=5.0, prior_save=0.3)


def base(customers: int, *, seed: int = 0, households: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": [f"c{number:05d}" for number in range(customers)],
            "unit": [f"h{number // households}" for number in range(customers)],
            "churn_risk": rng.beta(2, 3, customers),
            "risk_source": np.where(rng.random(customers) < 0.8, "model", "bgnbd"),
            "margin": np.exp(rng.normal(4, 1, customers)),
        }
    )


def rules_for(
    customers: pd.DataFrame, *actions: Action, blocked: npt.NDArray[np.bool_] | None = None
) -> Eligibility:
    shape = (len(customers), len(actions))
    bits = np.zeros(shape, dtype=np.uint32) if blocked is None else blocked.astype(np.uint32)
    ids = pd.Index(customers["customer_id"])
    return Eligibility(ids, actions, (), bits, np.zeros(shape, dtype=np.int8), ())


def plan_of(customers: pd.DataFrame, *actions: Action, **options: Any) -> Plan:
    rules = rules_for(customers, *actions, blocked=options.pop("blocked", None))
    cells = np.where(customers["risk_source"] == "model", "risk_low|value_lower", "source_bgnbd")
    effects = options.pop("effects", None) or prior_effects(customers, actions, cells)
    return make_plan(
        customers, rules, effects, **{"as_of": NIGHT, "control": NO_CONTROL, "budget": None, **options}
    )


def salted(salt: str, **shares: float) -> ControlSettings:
    period = SaltPeriod(salt=salt, valid_from=date(2026, 1, 1), valid_to=date(2027, 1, 1))
    return ControlSettings(salts=(period,), **shares)


def test_each_customer_gets_the_action_worth_most() -> None:
    # Effects are saves of .1 and .3 of a risk of .5: worth 5 - .2 and 15 - 5 at a margin of 100.
    two = base(2).assign(churn_risk=0.5, risk_source="model", margin=[100.0, 20.0])
    frame = plan_of(two, MAIL, GIFT).frame
    assert frame["planned_action"].tolist() == ["gift", "mail"]
    assert frame["action"].tolist() == ["gift", "mail"]
    assert frame["expected_value"].tolist() == pytest.approx([10.0, 0.8], rel=1e-5)
    assert frame["expected_cost"].tolist() == pytest.approx([5.0, 0.2])
    assert frame["effect_mean"].tolist() == pytest.approx([0.15, 0.05], rel=1e-5)
    assert frame["effect_sd"].tolist() == pytest.approx([0.05, 0.05], rel=1e-5)
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
    withheld = frame[frame["arm"] == "control"]
    drawn = keyed_uniforms(frame["unit"], salt="s", purpose=WITHHOLD) < 0.25
    assert ((frame["arm"] == "control").to_numpy() == drawn).all()
    assert set(withheld["action"]) == {"none"}
    assert set(withheld["planned_action"]) == {"mail"}
    assert set(withheld["propensity"]) == {0.25}
    assert set(frame.loc[frame["arm"] == "sent", "propensity"]) == {0.75}
    assert len(withheld) / len(frame) == pytest.approx(0.25, abs=0.04)


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
        if (keyed_uniforms(customers["unit"], salt=f"s{number}", purpose=WITHHOLD) >= 0.2).all()
    )
    plan = plan_of(customers, action("mail", capacity_per_night=8), control=control)
    assert plan.frame["customer_id"].tolist() == customers["customer_id"].tolist()[2:]
    assert plan.certificate.removed == 2
    assert plan.certificate.sent_use == {"capacity:mail": 8.0}
    assert plan.certificate.feasible


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


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(40)))
def test_the_order_of_customers_changes_nothing(order: list[int]) -> None:
    customers, control = base(40, households=2), salted("s", global_share=0.2, withheld_share=0.3)
    blocked = np.random.default_rng(1).random((40, 3)) < 0.4
    options: dict[str, Any] = {"control": control, "budget": 60.0, "discount_share": 0.3}
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
        ),
        "budget": draw(st.none() | st.floats(0, 60)),
        "discount_share": draw(st.none() | st.floats(0, 1)),
    }


@settings(max_examples=60, deadline=None)
@given(nights())
def test_no_plan_breaks_budget_places_mask_or_control(night: dict[str, Any]) -> None:
    customers, actions = night.pop("customers"), night.pop("actions")
    blocked, control = night["blocked"], night["control"]
    plan = plan_of(customers, *actions, **night)
    frame, sent = plan.frame, plan.frame[plan.frame["action"] != "none"]
    assert frame["customer_id"].is_unique
    assert frame["customer_id"].is_monotonic_increasing
    assert plan.certificate.feasible
    assert plan.certificate.bound >= plan.certificate.primal - 1e-6
    if night["budget"] is not None:
        assert sent["expected_cost"].sum() <= night["budget"] + 1e-6
    for column, offered in enumerate(actions):
        places = offered.capacity_per_night
        assert places is None or (sent["action"] == offered.id).sum() <= places
        chosen = frame.loc[frame["planned_action"] == offered.id, "customer_id"]
        assert not blocked[customers["customer_id"].isin(chosen), column].any()
    if night["discount_share"] is not None:
        assert (sent["action"] == "offer").sum() <= night["discount_share"] * len(sent) + 1e-6
    held = customers.loc[control.global_control(customers["unit"].tolist(), as_of=NIGHT), "customer_id"]
    in_control = frame["customer_id"].isin(held)
    assert set(held) <= set(frame["customer_id"])
    assert (in_control == (frame["arm"] == "global_control")).all()
    assert set(frame.loc[in_control, "action"]) <= {"call", "none"}
    assert frame.loc[frame["arm"] == "sent", "action"].ne("none").all()
    assert frame.loc[frame["arm"] == "control", "action"].eq("none").all()
    assert set(frame["arm"]) <= set(ARMS)
    assert (frame["expected_value"] >= 0).all()


def test_sent_against_withheld_recovers_the_true_effect() -> None:
    # Gifts go to those at high risk, so a comparison with everybody who got none is nonsense.
    customers, rng = base(40_000, seed=3).assign(risk_source="model"), np.random.default_rng(11)
    truth = (0.25 * customers["churn_risk"]).to_numpy(dtype=np.float32)[:, None]
    effects = Effects(np.full(len(customers), "risk_low|value_lower"), truth, truth / 2)
    control = salted("s", global_share=0.05, withheld_share=0.2)
    frame = plan_of(customers, GIFT, control=control, effects=effects, budget=60_000.0).frame
    got = customers["customer_id"].isin(frame.loc[frame["action"] == "gift", "customer_id"]).to_numpy()
    churned = rng.random(len(customers)) < customers["churn_risk"].to_numpy() - truth[:, 0] * got
    outcome = pd.Series(churned.astype(float), index=customers["customer_id"])
    sent = outcome[frame.loc[frame["arm"] == "sent", "customer_id"]]
    withheld = outcome[frame.loc[frame["arm"] == "control", "customer_id"]]
    error = np.sqrt(sent.var() / len(sent) + withheld.var() / len(withheld))
    true_effect = float(truth[got].mean())
    assert withheld.mean() - sent.mean() == pytest.approx(true_effect, abs=3 * error)
    everybody_else = outcome[~got].mean() - sent.mean()
    assert abs(everybody_else - true_effect) > 3 * error


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
