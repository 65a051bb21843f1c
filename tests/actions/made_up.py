"""Made-up actions, customers and rules, and plans of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.catalogue import Action
from actions.experiment.control import ControlSettings, SaltPeriod
from actions.learning.believing import LearningSettings, believed
from actions.learning.effects import Effects
from actions.learning.evidence import KEYS, SUMS
from actions.plan import Plan, make_plan
from actions.rules.eligibility import Eligibility

NIGHT = date(2026, 11, 21)
NO_CONTROL = ControlSettings(global_share=0.0, withheld_share=0.0, exploration_share=0.0)


def action(name: str = "mail", kind: str = "content", **changes: object) -> Action:
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
    customers: pd.DataFrame,
    *actions: Action,
    blocked: npt.NDArray[np.bool_] | None = None,
    channels: npt.NDArray[np.int8] | None = None,
) -> Eligibility:
    shape = (len(customers), len(actions))
    bits = np.zeros(shape, dtype=np.uint32) if blocked is None else blocked.astype(np.uint32)
    routes = np.zeros(shape, dtype=np.int8) if channels is None else channels
    return Eligibility(pd.Index(customers["customer_id"]), actions, (), bits, routes, ())


def prior_effects(customers: pd.DataFrame, actions: Sequence[Action], cells: npt.NDArray[np.str_]) -> Effects:
    """Return what is believed while no outcome has settled."""
    nothing = pd.DataFrame(0.0, index=pd.MultiIndex.from_tuples([], names=KEYS), columns=SUMS)
    everybody = np.ones((len(customers), len(actions)), dtype=bool)
    return believed(customers, actions, cells, nothing, LearningSettings(), eligible=everybody).effects


def certain(effects: Effects) -> Effects:
    """Take the spread out of beliefs, so that draws from them are their means."""
    return replace(effects, sd=np.zeros_like(effects.sd))


def plan_of(customers: pd.DataFrame, *actions: Action, **options: Any) -> Plan:
    rules = rules_for(
        customers, *actions, blocked=options.pop("blocked", None), channels=options.pop("channels", None)
    )
    cells = np.where(customers["risk_source"] == "model", "risk_low|value_lower", "source_bgnbd")
    effects = options.pop("effects", None) or prior_effects(customers, actions, cells)
    if not options.pop("unsure", False):
        effects = certain(effects)
    return make_plan(
        customers, rules, effects, **{"as_of": NIGHT, "control": NO_CONTROL, "budget": None, **options}
    )


def salted(salt: str, **shares: float) -> ControlSettings:
    period = SaltPeriod(salt=salt, valid_from=date(2026, 1, 1), valid_to=date(2027, 1, 1))
    return ControlSettings(salts=(period,), **{"exploration_share": 0.0, **shares})
