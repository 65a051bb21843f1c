"""Watch an uplift model come into service and leave it where the truth is known: ``uplift_live.py [CUSTOMERS]``.

One action, a quarter of a year between nights, other customers on every night. At first it helps half of the customers
only, and no cell tells which; from the third night on it helps all alike and there is nothing to tell apart. Nights
are believed, planned, drawn and published, and each is followed by a retraining's trial, by the code that does so in
service; only scores and orders are made up. Writes ``benchmarks/results/uplift_live.json``.
"""

import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.catalogue import load_catalogue
from actions.learning.effects import MODEL, UPLIFT, EffectCells
from actions.plan import Plan, make_plan
from actions.rules.eligibility import Eligibility
from benchmarks.run import RESULTS
from pipeline.config import load_config
from pipeline.learning.tonight import beliefs_tonight
from pipeline.learning.uplift import PLANNED_FEATURES, UpliftModels, learn_uplift
from pipeline.retrain_folder import settle, stage
from pipeline.run import Run
from pipeline.salts import keep_salts, used_salts
from pipeline.steps import ingested
from tables.calendar import DAY
from tables.publish import Publication
from tables.storage import write_table

CUSTOMERS, FEATURES, EVIDENCE = 30_000, 8, 20_000
FIRST, EVERY, SETTLED = date(2025, 1, 15), timedelta(days=91), timedelta(days=21)
NIGHTS, ALIKE_FROM = 5, 2
HELPED, MEAN, COST, REACHED = 0.16, 0.06, 0.5, 0.75
CUTS = EffectCells(risk_cuts=(0.2, 0.35), margin_cut=60.0)
CONFIG = """\
workspace: {folder}/work
time_zone: UTC
threads: 1
sources:
  orders:
    path: {folder}/orders-*.csv
    grain: order
    columns: {{customer_id: who, order_id: order, ordered_at: at, amount: amount}}
churn: {{horizon_days: 7, active_within_days: 42}}
actions:
  catalogue: {folder}/actions.yaml
  budget: {{amount: 10}}
  learning: {{uplift_from_units: {evidence}}}
"""
CATALOGUE = f"""\
actions:
  mail:
    carries_out: [activation]
    trigger: orders_total > 0
    channel: email
    kind: content
    contact_cost: {COST}
    prior_save: 0.2
    prior_save_sd: 0.1
    cooldown_days: 7
    wording: {{en: Hello}}
"""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cohort:
    """The customers of one night, by how much the action helps each, and what they are like."""

    customers: pd.DataFrame
    features: pd.DataFrame
    effect: Floats

    @classmethod
    def of(cls, night: int, customers: int) -> "Cohort":
        """Draw them: risk and margin follow two features, the effect another."""
        rng = np.random.default_rng(night)
        values = rng.normal(size=(customers, FEATURES)).astype(np.float32)
        features = pd.DataFrame(values, columns=[f"feature_{place}" for place in range(FEATURES)])
        drawn = pd.DataFrame(
            {
                "customer_id": [f"c{night}-{place:06d}" for place in range(customers)],
                "unit": [f"u{night}-{place:06d}" for place in range(customers)],
                "churn_risk": 0.2 + 0.25 / (1 + np.exp(-values[:, 0])),
                "risk_source": MODEL,
                "margin": 60 * np.exp(0.5 * values[:, 1]),
            }
        )
        effect = np.full(customers, MEAN) if night >= ALIKE_FROM else HELPED * (values[:, 2] > 0)
        return cls(drawn, features, effect.astype(np.float64))


@dataclass(frozen=True)
class Told:
    """One night and its retraining: what was believed that night, what it was worth, what the trial came to.

    Attributes:
        as_of: the night.
        uses_model: whether effects were those of a model.
        worth: true worth of those sent, currency units per 1,000 customers.
        best: the same of as many, best first by the truth.
        serves: whether the trial of the retraining after it lets a model serve.
        words: why.
    """

    as_of: str
    uses_model: bool
    worth: float
    best: float
    serves: bool
    words: str


def open_to_all(cohort: Cohort, run: Run) -> Eligibility:
    """Let everybody have the action: rules are shown elsewhere."""
    actions = tuple(load_catalogue(run.config.actions.catalogue).actions.values())
    shape = (len(cohort.customers), len(actions))
    ids = pd.Index(cohort.customers["customer_id"])
    return Eligibility(ids, actions, (), np.zeros(shape, np.uint32), np.zeros(shape, np.int8), ())


def write_orders(folder: Path, name: str, day: date, who: pd.Series) -> None:
    """Write one order of each of some customers on a day."""
    rows = pd.DataFrame({"who": who, "order": name + who, "at": day.isoformat(), "amount": 20})
    rows.to_csv(folder / f"orders-{name}.csv", index=False)


def live(folder: Path, *, customers: int, evidence: int) -> list[Told]:
    """Go through all nights and retrainings."""
    (folder / "shop.yaml").write_text(CONFIG.format(folder=folder, evidence=evidence))
    (folder / "actions.yaml").write_text(CATALOGUE)
    config = load_config(folder / "shop.yaml", {})
    with Run(config=config, now=30_000 * DAY).locked("live") as run:
        return [
            one_night(run, folder, Cohort.of(place, customers), FIRST + place * EVERY)
            for place in range(NIGHTS)
        ]


def one_night(run: Run, folder: Path, cohort: Cohort, as_of: date) -> Told:
    """Believe, plan, draw and publish one night; wait for its outcomes, and try a model."""
    rng, who = np.random.default_rng(as_of.toordinal()), cohort.customers["customer_id"]
    write_orders(folder, f"{as_of}-before", as_of - timedelta(days=5), who)
    plan, level = planned(run, cohort, as_of)
    rows = plan.frame[plan.frame["action"] != "none"]
    sent = who.isin(rows["customer_id"]).to_numpy()
    risk = cohort.customers["churn_risk"].to_numpy() - cohort.effect * sent
    write_orders(folder, f"{as_of}-after", as_of + timedelta(days=3), who[rng.random(len(who)) >= risk])
    learnt_on = as_of + SETTLED
    write_orders(folder, f"{as_of}-last", learnt_on - timedelta(days=1), who[:1])
    learnt = retrained(run, learnt_on)
    told = learnt.decisions.get("mail", {"serves": False, "words": "not tried: too few units."})
    worth = cohort.effect * cohort.customers["margin"].to_numpy() - COST
    of_all = 1_000 / len(worth)
    return Told(
        as_of.isoformat(),
        level == UPLIFT,
        float(worth[sent].sum() * of_all),
        float(np.sort(worth)[::-1][: sent.sum()].sum() * of_all),
        told["serves"],
        told["words"],
    )


def planned(run: Run, cohort: Cohort, as_of: date) -> tuple[Plan, str]:
    """Publish a night's plan and features, and say on what its effects rest."""
    eligible, cells = open_to_all(cohort, run), CUTS.of(cohort.customers)
    history, control = ingested(run, as_of=as_of), run.config.actions.control
    salts = used_salts(run, as_of)
    beliefs = beliefs_tonight(run, history, cohort.customers, cohort.features, eligible, cells, as_of=as_of)
    plan = make_plan(
        cohort.customers,
        eligible,
        beliefs.effects,
        as_of=as_of,
        control=control,
        budget=REACHED * COST * len(cohort.customers),
        seed=run.config.seed,
    )
    keep_salts(run, salts)
    known = pd.concat([cohort.customers[["customer_id"]], cohort.features], axis=1)
    facts = {
        "summary": plan.summary,
        "blocked": {str(action): dict(row) for action, row in eligible.counts().iterrows()},
    }
    with Publication(run.lock, as_of) as night:
        write_table(plan.frame.assign(is_later_model=False), night.table("plan"))
        write_table(known, night.table(PLANNED_FEATURES))
        night.publish(facts=json.loads(json.dumps(facts, default=int)), timings={})
    return plan, beliefs.told[0].level


def retrained(run: Run, as_of: date) -> UpliftModels:
    """Try a model on all that has settled, and leave it where nights look for it."""
    history = ingested(run, as_of=as_of)
    learnt = learn_uplift(run, history, load_catalogue(run.config.actions.catalogue), as_of=as_of)
    settle(stage(run.workspace, as_of, {"card.json": "{}", **learnt.files()}), run.workspace, as_of)
    return learnt


def main(customers: int) -> int:
    """Run everything, print and write it; return 0 if the model came and went as it should, else 1."""
    with tempfile.TemporaryDirectory() as folder:
        found = live(Path(folder), customers=customers, evidence=EVIDENCE)
    serves = [told.serves for told in found]
    holds = serves[ALIKE_FROM - 1] and not serves[-1]
    RESULTS.mkdir(exist_ok=True)
    answer = {"customers": customers, "holds": holds, "nights": [asdict(told) for told in found]}
    (RESULTS / "uplift_live.json").write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
    for told in found:
        believed = "model" if told.uses_model else "cells"
        print(f"{told.as_of}  {believed:6s}{told.worth:8.0f} of {told.best:5.0f}  {told.words}")
    print(f"promoted while effects differ, demoted once they do not: {'holds' if holds else 'MISSED'}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS))
