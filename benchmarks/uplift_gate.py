"""Measure how often the gate lets an uplift model serve, rightly and wrongly: ``uplift_gate.py [RUNS]``.

20,000 settled units of one action, a sixth withheld, in worlds whose true effects are known; today's rule is the belief
by cell. A model that serves is right where those it finds worth most are truly worth more than as many by that rule.
Writes ``benchmarks/results/uplift_gate.json``.
"""

import json
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits

from actions.catalogue import Action
from actions.learning.believing import LearningSettings
from actions.learning.effects import MODEL, EffectCells
from benchmarks.run import RESULTS
from models.uplift.gate import Stakes, by_worth, decide
from models.uplift.out_of_fold import out_of_fold
from pipeline.learning.uplift import cell_rule

Floats = npt.NDArray[np.float64]

UNITS, WITHHELD, SHARE, RUNS = 20_000, 0.15 / 0.95, 0.3, 12
MAIL = Action.model_validate(
    {
        "id": "mail",
        "carries_out": ("activation",),
        "trigger": "orders_total > 0",
        "channel": "email",
        "kind": "content",
        "contact_cost": 0.5,
        "prior_save": 0.12,
        "prior_save_sd": 0.06,
        "cooldown_days": 7,
        "wording": {"en": "Hello"},
    }
)
WORLDS: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "helps nobody": lambda risk, _: 0 * risk,
    "helps all alike": lambda risk, _: 0.03 + 0 * risk,
    "helps as risk, as cells believe": lambda risk, _: 0.15 * risk,
    "helps some a little more": lambda _, x: 0.03 + 0.02 * np.tanh(1.5 * x[:, 3]),
    "helps some much more": lambda _, x: 0.03 + 0.05 * np.tanh(1.5 * x[:, 3]),
    "helps those of small margin": lambda _, x: 0.04 - 0.05 * np.tanh(1.2 * x[:, 2]),
    "helps most, harms the others": lambda _, x: np.where(x[:, 3] > 0.3, 0.08, -0.05),
}
"""By name, the effect by risk and features: the margin follows feature 2, the risk features 0 and 1."""


class Judged(NamedTuple):
    """One verdict.

    Attributes:
        serves: whether the model serves.
        gain: what it would truly earn above today's rule, currency units per 1,000 customers.
    """

    serves: bool
    gain: float


def judged(world: str, seed: int) -> Judged:
    """Draw the units of a world and let the gate judge the model trained on them."""
    rng = np.random.default_rng([seed, *world.encode()])
    X = rng.normal(size=(UNITS, 8)).astype(np.float32)
    risk = expit(-1.4 + 0.7 * X[:, 0] + 0.4 * X[:, 1]).astype(np.float64)
    margin = 60 * np.exp(0.6 * X[:, 2] + 0.3 * X[:, 4]).astype(np.float64)
    effect = WORLDS[world](risk, X.astype(np.float64))
    sent = rng.random(UNITS) >= WITHHELD
    stayed = (rng.random(UNITS) >= np.clip(risk - effect * sent, 0, 1)).astype(np.float64)
    score = expit(logit(risk) + rng.normal(0, 0.3, UNITS))
    units = units_of(sent, stayed, score, margin)
    with threadpool_limits(1):
        chance = np.tile([WITHHELD, 1 - WITHHELD], (UNITS, 1))
        seen = out_of_fold(X, stayed, sent.astype(np.int64), chance, np.arange(UNITS), seed=seed)
        today = seen.learnt(cell_rule(units, MAIL, LearningSettings()))
        stakes = Stakes(SHARE, margin, MAIL.contact_cost, today)
        by_model, by_rule = by_worth(seen, stakes)
        gain = ((by_model - by_rule)[:, 1] * effect * margin).mean()
        return Judged(decide(seen, stakes, seed=seed).serves, 1_000 * float(gain))


def units_of(sent: npt.NDArray[np.bool_], stayed: Floats, score: Floats, margin: Floats) -> pd.DataFrame:
    """Return settled units as evidence reads them."""
    customers = pd.DataFrame({"churn_risk": score, "risk_source": MODEL, "margin": margin})
    return customers.assign(
        action=MAIL.id,
        arm=np.where(sent, "sent", "control"),
        withheld_share=WITHHELD,
        cell=EffectCells.fit(customers).of(customers),
        salt="s",
        unit=np.arange(len(sent)),
        churned=1 - stayed,
        cost=MAIL.contact_cost * sent,
    )


def main(runs: int) -> int:
    """Judge every world, print and write how often a model served, and return 0."""
    found = {}
    print(f"{'the action':36s}{'serves':>8s}{'rightly':>9s}{'wrongly':>9s}{'gain of all':>13s}{'kept':>8s}")
    for world in WORLDS:
        told = Parallel(n_jobs=2)(delayed(judged)(world, seed) for seed in range(runs))
        serves, gain = (np.array(each) for each in zip(*told, strict=True))
        found[world] = {
            "serves": float(serves.mean()),
            "rightly": float((serves & (gain > 0)).mean()),
            "wrongly": float((serves & (gain <= 0)).mean()),
            "gain_of_all_models": float(gain.mean()),
            "gain_of_those_that_serve": float((gain * serves).mean()),
        }
        shares = "".join(f"{100 * found[world][name]:{width}.0f} %" for name, width in WIDTHS.items())
        print(f"{world:36s}{shares}{gain.mean():13.0f}{(gain * serves).mean():8.0f}", flush=True)
    RESULTS.mkdir(exist_ok=True)
    answer = {"runs": runs, "units": UNITS, "share": SHARE, "worlds": found}
    (RESULTS / "uplift_gate.json").write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
    return 0


WIDTHS = {"serves": 6, "rightly": 7, "wrongly": 7}

if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS))
