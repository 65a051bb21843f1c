"""Limits that contradict each other or tonight's customers are refused, naming which and by how much."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from actions.allocation.budget import BudgetSettings
from actions.allocation.impossible import refuse_contradictions, refuse_floors_out_of_reach
from actions.allocation.limit_settings import LimitSettings
from actions.allocation.limits import Limits
from actions.allocation.scarcity import region_codes
from actions.catalogue import Action, Catalogue
from tables.errors import BudgetError, ConfigError, GateError

CALL = Action.model_validate(
    {
        "id": "call",
        "carries_out": ("activation",),
        "trigger": "orders_total > 0",
        "channel": "phone",
        "kind": "content",
        "contact_cost": 5.0,
        "prior_save": 0.1,
        "prior_save_sd": 0.05,
        "cooldown_days": 7,
        "wording": {"en": "Hello"},
    }
)
FLOOR = LimitSettings(region_floors={"IS": 0.05})
LIMITS = Limits.of(["call"], cost={"call": 5.0}, budget=20.0, shared=FLOOR)


def test_floors_above_all_contacts_are_refused() -> None:
    with pytest.raises(
        ValidationError, match=r"add up to 1\.2, 0\.2 more than all contacts: IS 0\.5 \+ LT 0\.7"
    ):
        LimitSettings(region_floors={"IS": 0.5, "LT": 0.7})


def test_contradictions_of_the_configuration_are_refused_together() -> None:
    shared = LimitSettings(
        teams={"desk": {"hours_per_night": 0.25, "minutes_per_contact": {"call": 20, "cal": 30}}}
    )
    with pytest.raises(ConfigError) as caught:
        refuse_contradictions(shared, BudgetSettings(amount=3.5), Catalogue.of([CALL]))
    assert str(caught.value).splitlines() == [
        "actions.budget: 3.5 per night is less than the cheapest action costs; call costs 5, 1.5 more. Raise it, "
        "or set 0 to treat nobody.",
        "actions.teams.desk: there is no action 'cal' (did you mean call). Name actions of the catalogue.",
        "actions.teams.desk: 15 minutes a night are less than the shortest contact takes, 20 minutes, 5 more. "
        "Raise hours_per_night, or set 0.",
    ]


def test_nothing_to_spend_is_no_contradiction() -> None:
    idle = LimitSettings(teams={"desk": {"hours_per_night": 0, "minutes_per_contact": {"call": 20}}})
    refuse_contradictions(idle, BudgetSettings(amount=0), Catalogue.of([CALL]))


def test_a_region_without_anybody_to_contact_closes_the_gate() -> None:
    # Of three customers of IS none may get a call; two elsewhere could, and the floor would forbid it.
    groups = np.array([1, 1, 1, 0, 0])
    values = np.array([[-np.inf], [-1], [-np.inf], [4], [2]], dtype=np.float32)
    with pytest.raises(GateError, match=r"IS is to get .* none of its 3 customers .* 2 customers tonight"):
        refuse_floors_out_of_reach(values, groups, LIMITS)


@pytest.mark.parametrize("values", [[-1, -1, -1, -1, -1], [3, -1, -1, 4, 2]])
def test_floors_that_can_be_met_pass(values: list[float]) -> None:
    # With nobody worth a contact anywhere nobody is treated, which is legal.
    groups = np.array([1, 1, 1, 0, 0])
    refuse_floors_out_of_reach(np.array(values, dtype=np.float32)[:, None], groups, LIMITS)


def test_a_floor_for_an_unknown_region_is_refused() -> None:
    customers = pd.DataFrame({"region": ["LT", "FI", None]})
    with pytest.raises(BudgetError, match=r"no customer is of IS; found regions \['FI', 'LT'\]"):
        region_codes(customers, LIMITS)


def test_regions_without_a_floor_count_as_elsewhere() -> None:
    customers = pd.DataFrame({"region": ["LT", "IS", None]})
    assert region_codes(customers, LIMITS).tolist() == [0, 1, 0]
    assert region_codes(customers, Limits.of(["call"], cost={"call": 5.0})).tolist() == [0, 0, 0]
