"""A simulation of both randomisations: what may be compared with what, and what may not."""

from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from actions.experiment.control import UNTOUCHED, ControlSettings, SaltPeriod, draw_below
from actions.learning.effects import Effects
from actions.plan import make_plan
from actions.rules.eligibility import Eligibility
from tests.actions.made_up import NIGHT, action

SALTS = 40
CUSTOMERS = 3_000
SAVES = {"mail": 0.10, "gift": 0.30, "nagging": -0.15}
"""What each action truly does, as a share of the leavers."""


ACTIONS = tuple(
    action(name, contact_cost=cost) for name, cost in {"mail": 4.0, "gift": 7.0, "nagging": 4.0}.items()
)


@dataclass(frozen=True)
class Base:
    """Customers whose chance of leaving under every action is known, and the beliefs about it."""

    customers: pd.DataFrame
    rules: Eligibility
    effects: Effects
    truth: npt.NDArray[np.float64]

    @classmethod
    def made_up(cls) -> "Base":
        rng = np.random.default_rng(3)
        risk, ids = rng.beta(2, 3, CUSTOMERS), [f"c{number:04d}" for number in range(CUSTOMERS)]
        customers = pd.DataFrame(
            {
                "customer_id": ids,
                "unit": ids,
                "churn_risk": risk,
                "risk_source": "model",
                "margin": np.exp(rng.normal(4, 0.5, CUSTOMERS)),
            }
        )
        blocked = (rng.random((CUSTOMERS, 3)) < 0.3).astype(np.uint32)
        channels = np.zeros(blocked.shape, dtype=np.int8)
        rules = Eligibility(pd.Index(ids), ACTIONS, (), blocked, channels, ())
        belief = np.outer(risk, [0.12, 0.2, 0.1]).astype(np.float32)
        cells = np.full(CUSTOMERS, "risk_low|value_lower")
        effects = Effects(cells, belief, belief / 2, tuple(SAVES), ("prior",) * 3)
        return cls(customers, rules, effects, np.outer(risk, list(SAVES.values())))


@dataclass(frozen=True)
class Reading:
    """Difference of churn without and with an action, its standard error, and what truly holds for those sent."""

    difference: float
    error: float
    truth: float

    @classmethod
    def of(cls, without: npt.NDArray[np.bool_], sent: npt.NDArray[np.bool_], truth: float) -> "Reading":
        error = np.sqrt(without.var() / len(without) + sent.var() / len(sent))
        return cls(float(without.mean() - sent.mean()), float(error), truth)

    @property
    def surprise(self) -> float:
        """Standard errors between reading and truth."""
        return (self.difference - self.truth) / self.error


def lived(base: Base, salt: str, rng: np.random.Generator) -> pd.DataFrame:
    """Plan a night under a salt, let everybody live through what follows, and tell it customer by customer."""
    period = SaltPeriod(salt=salt, valid_from=NIGHT, valid_to=date(2027, 1, 1))
    control = ControlSettings(salts=(period,), global_share=0.15)
    plan = make_plan(base.customers, base.rules, base.effects, as_of=NIGHT, control=control, budget=None)
    rows = base.customers[["customer_id", "churn_risk"]].merge(
        plan.frame.drop(columns="churn_risk"), how="left"
    )
    effect = np.zeros(len(rows))
    for column, name in enumerate(SAVES):
        effect += np.where(rows["action"] == name, base.truth[:, column], 0.0)
    churned = rng.random(len(rows)) < rows["churn_risk"] - effect
    units = base.customers["unit"].tolist()
    held = control.global_control(units, as_of=NIGHT)
    held |= draw_below(units, control.untouched_share, salt=salt, purpose=UNTOUCHED)
    return rows.assign(effect=effect, churned=churned, eligible=base.rules.mask.any(axis=1), held=held)


@cache
def readings() -> dict[str, list[Reading]]:
    """Plan the same base under many salts and read each night action by action, and against all held out."""
    base, rng = Base.made_up(), np.random.default_rng(5)
    found: dict[str, list[Reading]] = {name: [] for name in (*SAVES, "all eligible held out")}
    for number in range(SALTS):
        rows = lived(base, f"s{number}", rng)
        for name in SAVES:
            planned = rows[rows["planned_action"] == name]
            sent, withheld = planned[planned["arm"] == "sent"], planned[planned["arm"] == "control"]
            found[name].append(
                Reading.of(withheld["churned"].to_numpy(), sent["churned"].to_numpy(), sent["effect"].mean())
            )
        sent, held_out = rows[rows["arm"] == "sent"], rows[rows["eligible"] & rows["held"]]
        found["all eligible held out"].append(
            Reading.of(held_out["churned"].to_numpy(), sent["churned"].to_numpy(), sent["effect"].mean())
        )
    return found


@pytest.mark.parametrize("name", SAVES)
def test_planned_and_withheld_recovers_the_effect_on_those_sent(name: str) -> None:
    surprises = np.array([reading.surprise for reading in readings()[name]])
    assert abs(surprises.mean()) < 3 / np.sqrt(SALTS)
    assert (np.abs(surprises) < 1.96).mean() >= 0.84  # 95 % less three standard deviations of 40 readings
    mean = {
        what: np.mean([getattr(each, what) for each in readings()[name]]) for what in ("difference", "truth")
    }
    assert np.sign(mean["difference"]) == np.sign(mean["truth"]) == np.sign(SAVES[name])


def test_all_eligible_held_out_are_no_comparison() -> None:
    # The optimiser sends to those at high risk: they leave more often than the eligible do, helped or not.
    found = readings()["all eligible held out"]
    assert np.mean([reading.truth for reading in found]) > 0.03
    assert np.mean([reading.difference for reading in found]) < -0.05
    assert np.mean([abs(reading.surprise) < 1.96 for reading in found]) <= 0.05
