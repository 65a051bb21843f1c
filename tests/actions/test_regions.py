"""Weights by region on the belief about an action."""

import pandas as pd
import pytest

from actions.catalogue import Action
from actions.regions import region_weights


def action(name: str, **changes: object) -> Action:
    plain = {
        "id": name, "carries_out": ["messaging"], "trigger": "True", "channel": "email", "kind": "content",
        "contact_cost": 0, "prior_save": 0.1, "prior_save_sd": 0.1, "cooldown_days": 5, "wording": {"en": "x"},
    }  # fmt: skip
    return Action.model_validate({**plain, **changes})


NOTE = action("note", region_weights={"LT": 1.2, "CN": 0.0})
CALL = action("call")


def test_weights_follow_the_region_of_each_customer() -> None:
    customers = pd.DataFrame({"region": ["CN", "LT", None, "IS"]})
    assert region_weights([NOTE, CALL], customers).tolist() == [
        [0.0, 1.0], [pytest.approx(1.2), 1.0], [1.0, 1.0], [1.0, 1.0],
    ]  # fmt: skip


@pytest.mark.parametrize("actions", [[CALL], [NOTE]])
def test_without_weights_or_regions_nothing_changes(actions: list[Action]) -> None:
    column = {"region": ["LT", "LT"]} if actions == [CALL] else {"customer_id": ["ann", "bob"]}
    assert region_weights(actions, pd.DataFrame(column)).tolist() == [[1.0], [1.0]]
