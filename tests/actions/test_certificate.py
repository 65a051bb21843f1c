"""The certificate of a plan, in figures and in a manager's words."""

import json
from dataclasses import replace

import numpy as np

from actions.allocation.allocate import allocate
from actions.allocation.certificate import Certificate
from actions.allocation.limit_settings import LimitSettings
from actions.allocation.limits import Limits


def test_certificate_tells_planned_from_sent() -> None:
    limits = Limits.of(
        ["mail", "call"],
        cost={"mail": 1.0, "call": 2.0},
        budget=100.0,
        capacity={"call": 1},
        shared=LimitSettings(discount_share=0.5),
    )
    found = allocate(np.array([[1, 4], [2, 5]], dtype=np.float32), limits)
    proof = Certificate.of(found, tonight=limits, sent=np.array([[0, 1]]), removed=0)
    assert proof.planned_use == {"budget": 3.0, "capacity:call": 1.0, "discount_share": -1.0}
    assert proof.sent_use == {"budget": 2.0, "capacity:call": 1.0, "discount_share": -0.5}
    assert proof.feasible
    assert json.loads(proof.to_json())["bound"] == proof.bound >= proof.primal == 6.0


PLAIN = Certificate(
    primal=99.0,
    bound=100.0,
    gap=0.01,
    prices={},
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
    assert replace(PLAIN, prices=prices).sentences(currency="EUR") == (
        "One more hour of calls tonight would be worth 31.00 EUR.",
        "One more place for call tonight would be worth 12.00 EUR.",
        "One contact fewer owed to region IS would be worth 6.00 EUR.",
        "One more discount than the cap allows would be worth 2.00 EUR.",
        "One more EUR of budget tonight would be worth 0.50 EUR.",
        "One more EUR of discounts than the cap allows would be worth 0.25 EUR.",
        "No plan within the same limits is worth more than 1.01% above this one.",
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
