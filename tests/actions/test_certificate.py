"""The certificate of a plan, in figures and in a manager's words."""

import json
from dataclasses import replace

import numpy as np
import pytest

from actions.allocation.allocate import allocate
from actions.allocation.certificate import AtMean, Certificate
from actions.allocation.limit_settings import LimitSettings
from actions.allocation.limits import Limits
from tests.actions.made_up import GIFT, action, base, plan_of, salted


def test_certificate_tells_planned_from_sent() -> None:
    limits = Limits.of(
        ["mail", "call"],
        cost={"mail": 1.0, "call": 2.0},
        budget=100.0,
        capacity={"call": 1},
        shared=LimitSettings(discount_share=0.5),
    )
    found = allocate(np.array([[1, 4], [2, 5]], dtype=np.float32), limits)
    proof = Certificate.of(found, AtMean(6.0, found), tonight=limits, sent=np.array([[0, 1]]), removed=0)
    assert proof.planned_use == {"budget": 3.0, "capacity:call": 1.0, "discount_share": -1.0}
    assert proof.sent_use == {"budget": 2.0, "capacity:call": 1.0, "discount_share": -0.5}
    assert proof.feasible
    assert json.loads(proof.to_json())["bound"] == proof.bound >= proof.primal == 6.0


PLAIN = Certificate(
    primal=99.0,
    bound=100.0,
    gap=0.01,
    prices={},
    believed_value=99.0,
    believed_best=99.0,
    believed_bound=100.0,
    believed_prices={},
    planned_limits={},
    planned_use={},
    sent_limits={},
    sent_use={},
    out_of_reach={},
    removed=0,
    feasible=True,
)


def test_prices_are_worded_dearest_first() -> None:
    prices = {
        "budget": 0.5,
        "capacity:call": 12.0,
        "capacity:mail": 0.001,
        "discount_share": 2.0,
        "discount_money": 0.25,
        "hours:calls": 31.0,
        "region_floor:IS": 6.0,
    }
    assert replace(PLAIN, believed_prices=prices).sentences(currency="EUR") == (
        "One more hour of calls tonight would be worth 31.00 EUR.",
        "One more place for call tonight would be worth 12.00 EUR.",
        "One contact fewer promised to IS would bring 6.00 EUR.",
        "One more discount than the cap allows would be worth 2.00 EUR.",
        "One more EUR of budget tonight would be worth 0.50 EUR.",
        "One more EUR of discounts than the cap allows would be worth 0.25 EUR.",
        "No plan of contacts that each pay for themselves is worth more than 1.01% above this one "
        "within the same limits.",
    )


def test_what_nobody_could_get_is_named_with_what_lacks() -> None:
    limits = Limits.of(
        ["mail", "call", "gift"],
        cost={"mail": 0.1, "call": 6.0, "gift": 1.0},
        budget=3.5,
        capacity={"gift": 0},
        shared=LimitSettings(teams={"desk": {"hours_per_night": 0.25, "minutes_per_contact": {"call": 30}}}),
    )
    assert limits.out_of_reach().tolist() == [False, True, True]
    assert replace(PLAIN, out_of_reach=limits.lacking()).sentences(currency="EUR")[:2] == (
        "Not even one customer could get call tonight; it would take 2.5 EUR of budget and 0.25 hours of desk more.",
        "Not even one customer could get gift tonight; it would take 1 places more.",
    )
    told = replace(PLAIN, out_of_reach={"call": {"hours:desk": 1 / 3}}).sentences(currency="EUR")
    assert "it would take 0.33 hours of desk more." in told[0]


def test_money_is_told_as_believed_and_the_gap_as_drawn() -> None:
    # Drawn values 200 of at most 202 are no money: the same pairs are worth 80 by the mean, the best ones 92.5.
    drawn = replace(PLAIN, primal=200.0, bound=202.0, prices={"hours:calls": 50.0})
    told = replace(drawn, believed_value=80.0, believed_best=92.5, believed_prices={"hours:calls": 9.0})
    assert told.sentences(currency="EUR") == (
        "One more hour of calls tonight would be worth 9.00 EUR (believed).",
        "Trying what is uncertain costs 12.50 EUR tonight (believed): all that is planned, withheld included, "
        "is believed to be worth 80.00 EUR, the best plan by that belief within the same limits 92.50 EUR.",
        "By the effects drawn tonight, no plan of contacts that each pay for themselves is worth more than 1.00% "
        "above this one within the same limits.",
    )
    unknown = replace(drawn, believed_value=80.0, believed_best=None, believed_bound=None)
    assert unknown.sentences()[0].endswith("is not worked out for so many customers.")


def test_a_bound_a_hair_below_tells_no_negative_gap() -> None:
    free = Limits.of(["mail"], cost={"mail": 1.0})
    found = allocate(np.array([[4]], dtype=np.float32), free)
    below = replace(found, bound=found.primal - 1e-7, gap=-1e-7)
    proof = Certificate.of(below, AtMean(4.0, below), tonight=free, sent=np.array([[1]]), removed=0)
    assert proof.sentences() == (
        "No plan of contacts that each pay for themselves is worth more than 0.00% above this one "
        "within the same limits.",
    )
    assert f"{proof.gap:.2%}" == "0.00%" and proof.believed_bound == proof.bound == 4.0


CALLS = action("call", contact_cost=1.0, prior_save=0.15, prior_save_sd=0.15)
SCARCE = salted("s", global_share=0.0, withheld_share=0.2)


def desk(hours: float) -> LimitSettings:
    return LimitSettings(
        teams={"calls": {"hours_per_night": hours, "minutes_per_contact": {"call": 12, "gift": 6}}}
    )


@pytest.mark.parametrize("is_unsure", [False, True])
def test_a_price_is_what_one_more_hour_brings_in_believed_money(is_unsure: bool) -> None:
    # Four of five planned pairs are sent, so an hour of sending is worth four fifths of what it adds to the plan;
    # each hour adds less than the one before, so the price lies between the last hour's worth and the next one's.
    proofs = [
        plan_of(base(2_000), CALLS, GIFT, shared=desk(hours), control=SCARCE, unsure=is_unsure).certificate
        for hours in (39, 40, 41)
    ]
    fewer, here, more = (proof.believed_best or 0.0 for proof in proofs)
    price = proofs[1].believed_prices["hours:calls"]
    assert 59 < 0.8 * (more - here) <= price <= 0.8 * (here - fewer) < 67
    told = f"One more hour of calls tonight would be worth {price:.2f} EUR"
    assert proofs[1].sentences(currency="EUR")[0].startswith(told)


def test_certain_beliefs_need_no_second_plan() -> None:
    proof = plan_of(base(400), CALLS, GIFT, shared=desk(8), control=SCARCE).certificate
    assert (proof.believed_value, proof.believed_best, proof.believed_bound) == (
        proof.primal,
        proof.primal,
        proof.bound,
    )
    assert proof.believed_prices == proof.prices
    assert not any("believed" in sentence or "drawn" in sentence for sentence in proof.sentences())


def test_trying_what_is_uncertain_is_paid_in_believed_value() -> None:
    certain, drawn = (
        plan_of(base(400), CALLS, GIFT, shared=desk(8), control=SCARCE, unsure=unsure).certificate
        for unsure in (False, True)
    )
    assert drawn.primal > certain.primal > drawn.believed_value
    assert drawn.believed_best == pytest.approx(certain.primal)
    assert drawn.believed_prices == pytest.approx(certain.prices, rel=1e-4)  # their search began elsewhere
    assert drawn.believed_bound == pytest.approx(certain.bound)
