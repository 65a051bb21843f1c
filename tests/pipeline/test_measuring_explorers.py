"""Units that explore are sent other actions than the rest: they are no controls of those sent as planned."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from actions.allocation.limits import Limits
from actions.experiment.control import ControlSettings, freeze, salts_to_json
from actions.experiment.draws import Draws, Sending
from actions.experiment.exploration import open_offers
from pipeline.measuring.outcomes import _named
from tables.storage import write_text
from tests.actions.made_up import action

SIZE = 4_000
IDS = [f"c{number}" for number in range(SIZE)]
NAMES = ["idle", "gift", "call"]
ACTIONS = [action(name) for name in NAMES]
SETTINGS = ControlSettings(exploration_share=0.3)


def sending(planned: int, night: date) -> tuple[Draws, Sending]:
    """Plan one action for everybody."""
    draws = Draws.of(IDS, SETTINGS, as_of=night)
    limits = Limits.of(NAMES, cost=dict.fromkeys(NAMES, 1.0), budget=None)
    pairs = draws.pairs(np.arange(SIZE), np.full(SIZE, planned), np.zeros(SIZE, dtype=np.int8), ACTIONS)
    may, channels = np.ones((SIZE, 3), dtype=bool), np.zeros((SIZE, 3), dtype=np.int8)
    offers = open_offers(pairs, may, channels, limits, control=SETTINGS, cost=np.ones(3), budget=None)
    return draws, draws.send(pairs, offers, ACTIONS, IDS, as_of=night)


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Name the units of an idle action, with what they were sent of another one a week later."""
    folder, first, second = tmp_path_factory.mktemp("explorers"), date(2026, 1, 5), date(2026, 1, 12)
    write_text(salts_to_json(freeze((), SETTINGS, as_of=first)), Path(folder, "control", "salts.json"))
    draws, sent = sending(0, first)
    arms = np.where(sent.column < 0, "control", np.where(sent.explored, "explored", "sent"))
    rows = {"customer_id": IDS, "unit": IDS, "salt": "2026H1", "planned_action": "idle", "action": "idle"}
    named = pd.DataFrame({**rows, "arm": arms, "as_of": pd.Timestamp(first), "propensity": sent.propensity})
    named = named.assign(gift=sending(1, second)[1].column == 1, explores=draws.explores)
    return _named(cast(Any, SimpleNamespace(workspace=folder)), named[~draws.untouched & ~draws.in_global])


def test_whoever_explores_is_no_control_of_those_who_do_not(units: pd.DataFrame) -> None:
    explores = units.groupby("arm")["explores"].agg(["min", "max"])
    assert explores["min"].to_dict() == explores["max"].to_dict()
    assert explores["min"].to_dict() == {
        "control": False,
        "sent": False,
        "explored": True,
        "explorer_control": True,
    }


def test_both_arms_of_an_action_have_had_the_same_of_others(units: pd.DataFrame) -> None:
    arms = units.groupby("arm")["gift"].agg(["mean", "size"])
    # Of the units that do not explore, .15 / .95 are denied the gift too, by a draw of its own.
    for arm in ("sent", "control"):
        noise = (0.16 * 0.84 / arms.loc[arm, "size"]) ** 0.5
        assert arms.loc[arm, "mean"] == pytest.approx(0.8 / 0.95, abs=4 * noise)
    assert arms.loc["explorer_control", "mean"] < 0.5
    compared = units[units["arm"].isin(["sent", "control"])]
    held = compared["withheld_share"].unique()
    assert held == pytest.approx([0.15 / 0.95])
    assert (compared["arm"] == "control").mean() == pytest.approx(held[0], abs=0.03)
