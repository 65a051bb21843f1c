"""Both worlds beside the shop that happens: the truth that measured effects are held against."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.shop.contacts import sent_of
from pipeline.shop.settings import ShopSettings, day_number
from pipeline.shop.spelling import customer_ids
from pipeline.shop.state import ShopState
from pipeline.shop.stepper import live_through, simulate_history
from pipeline.shop.worlds import live_in_both, open_worlds, true_outcomes
from tables.errors import DataError

FIRST, NIGHTS, CUSTOMERS = date(2025, 3, 1), 12, 400
SHOP = ShopSettings(customers=CUSTOMERS, first_day=date(2024, 12, 1))


def plan(day: date) -> pd.DataFrame:
    """Plan a gift for every fourth customer, withheld from every second of them; one note cannot be withheld."""
    number = np.arange(day.day % 4, CUSTOMERS, 4)
    is_sent = number // 4 % 2 == 0
    rows = {
        "customer_id": customer_ids(number),
        "as_of": pd.Timestamp(day),
        "planned_action": "surprise_gift",
        "action": np.where(is_sent, "surprise_gift", "none"),
        "arm": np.where(is_sent, "sent", "control"),
        "propensity": 0.5,
    }
    gifts = pd.DataFrame(rows)
    note = gifts.iloc[[0]].assign(planned_action="thank_you_note", action="thank_you_note", propensity=1.0)
    return pd.concat([gifts, note.assign(arm="sent", customer_id="C0000399")], ignore_index=True)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """Twelve nights of the shop and of both worlds: the folder, and the orders that happened by day."""
    folder = tmp_path_factory.mktemp("worlds")
    state, _ = simulate_history(SHOP, until=FIRST, seed=3)
    open_worlds(folder, state)
    happened = []
    for passed in range(NIGHTS):
        day = FIRST + timedelta(days=passed)
        live_in_both(folder, plan(day), day)
        state, orders = live_through(state, sent_of(plan(day), day_number(day), len(state.people)))
        happened.append(orders[:CUSTOMERS])
    return folder, np.array(happened)


def world(folder: Path, name: str) -> np.ndarray:
    days = [FIRST + timedelta(days=passed) for passed in range(NIGHTS)]
    return np.array([np.load(folder / name / f"{day}.npy")[:CUSTOMERS] for day in days])


def test_the_sent_live_in_one_world_the_withheld_in_the_other(lived: tuple[Path, np.ndarray]) -> None:
    folder, happened = lived
    is_sent = np.arange(CUSTOMERS) // 4 % 2 == 0
    sent, withheld = world(folder, "sent"), world(folder, "withheld")
    assert np.array_equal(happened[:, is_sent], sent[:, is_sent])
    assert np.array_equal(happened[:, ~is_sent], withheld[:, ~is_sent])
    assert sent.sum() > withheld.sum()


def test_what_cannot_be_withheld_is_sent_in_both(lived: tuple[Path, np.ndarray]) -> None:
    folder, _ = lived
    noted = {name: ShopState.load(folder / name).running["customer"] for name in ("sent", "withheld")}
    assert 399 in noted["withheld"]
    assert set(noted["withheld"]) < set(noted["sent"])


def test_a_day_lived_through_is_not_lived_again(lived: tuple[Path, np.ndarray]) -> None:
    folder, _ = lived
    before = world(folder, "sent")
    live_in_both(folder, plan(FIRST), FIRST)
    assert np.array_equal(world(folder, "sent"), before)


def test_outcomes_count_orders_from_the_planned_day_on(lived: tuple[Path, np.ndarray]) -> None:
    folder, _ = lived
    planned = [FIRST, FIRST + timedelta(days=2)]
    units = pd.DataFrame({"customer_id": ["C0000000", "C0000007"], "planned_on": pd.to_datetime(planned)})
    found = true_outcomes(folder, units, horizon=5)
    for name in ("sent", "withheld"):
        orders = world(folder, name)
        wanted = [orders[:5, 0].sum() == 0, orders[2:7, 7].sum() == 0]
        assert found[f"churned_{name}"].tolist() == wanted


def test_days_to_come_are_refused(lived: tuple[Path, np.ndarray]) -> None:
    units = pd.DataFrame({"customer_id": ["C0000000"], "planned_on": [pd.Timestamp(FIRST)]})
    with pytest.raises(DataError, match="this day has not passed in that world"):
        true_outcomes(lived[0], units, horizon=NIGHTS + 1)
