"""The world of an action beside the shop that happens: the truth that measured effects are held against."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.shop.settings import ShopSettings
from pipeline.shop.spelling import customer_ids
from pipeline.shop.stepper import advance, simulate_history
from pipeline.shop.worlds import live_in_all, true_effects
from tables.errors import DataError

FIRST, NIGHTS, CUSTOMERS = date(2025, 3, 1), 12, 400
SHOP = ShopSettings(customers=CUSTOMERS, first_day=date(2024, 12, 1))
NUMBERS = np.arange(CUSTOMERS)
GETS_GIFT, GETS_SURVEY = NUMBERS // 4 % 2 == 0, NUMBERS // 8 % 2 == 0


def plan(day: date) -> pd.DataFrame:
    """Plan a gift for every fourth customer and a survey for the next one, each withheld from half of them."""
    parts = []
    for action, turn, gets in (("surprise_gift", 0, GETS_GIFT), ("survey_invite", 1, GETS_SURVEY)):
        number = np.arange((day.day + turn) % 4, CUSTOMERS, 4)
        sent = gets[number]
        rows = {"customer_id": customer_ids(number), "as_of": pd.Timestamp(day), "planned_action": action}
        arms = {"action": np.where(sent, action, "none"), "arm": np.where(sent, "sent", "control")}
        parts.append(pd.DataFrame({**rows, **arms, "propensity": 0.5}))
    note = (
        parts[0]
        .iloc[[0]]
        .assign(customer_id="C0000399", planned_action="thank_you_note", action="thank_you_note")
    )
    return pd.concat([*parts, note.assign(arm="sent", propensity=1.0)], ignore_index=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve nights of the shop and of its worlds."""
    made = tmp_path_factory.mktemp("worlds")
    state, _ = simulate_history(SHOP, until=FIRST, seed=3)
    for passed in range(NIGHTS):
        tonight = plan(FIRST + timedelta(days=passed))
        live_in_all(made, state, tonight)
        state, _ = advance(state, tonight)
    return made


def world(folder: Path, name: str) -> np.ndarray:
    days = [FIRST + timedelta(days=passed) for passed in range(NIGHTS)]
    return np.array([np.load(folder / name / f"{day}.npy")[:CUSTOMERS] for day in days])


def test_there_is_a_world_for_each_action_that_can_be_withheld(folder: Path) -> None:
    found = sorted(path.name for path in folder.iterdir())
    assert found == ["happened", "surprise_gift", "survey_invite"]


def test_a_gift_turned_around_helps_those_denied_it(folder: Path) -> None:
    happened, turned = world(folder, "happened"), world(folder, "surprise_gift")
    gained = turned.sum(axis=0) - happened.sum(axis=0)
    assert gained[~GETS_GIFT].sum() > 0 > gained[GETS_GIFT].sum()


def test_truth_is_the_action_alone_though_others_are_sent(folder: Path) -> None:
    def effect(action: str, gets: np.ndarray) -> float:
        rows = {"customer_id": customer_ids(NUMBERS), "action": action, "is_sent": gets}
        units = pd.DataFrame(rows).assign(planned_on=pd.Timestamp(FIRST))
        return float(true_effects(folder, units, horizon=NIGHTS).mean())

    assert effect("surprise_gift", GETS_GIFT) > 0.02
    assert effect("survey_invite", GETS_SURVEY) < 0  # it tires them, whatever gifts they get


def test_a_day_lived_through_is_not_lived_again(folder: Path) -> None:
    before = world(folder, "happened")
    state, _ = simulate_history(SHOP, until=FIRST, seed=3)
    live_in_all(folder, state, plan(FIRST))
    assert np.array_equal(world(folder, "happened"), before)


def test_days_to_come_are_refused(folder: Path) -> None:
    row = {
        "customer_id": "C0000000",
        "action": "surprise_gift",
        "is_sent": True,
        "planned_on": pd.Timestamp(FIRST),
    }
    with pytest.raises(DataError, match="this day has not passed in that world"):
        true_effects(folder, pd.DataFrame([row]), horizon=NIGHTS + 1)
