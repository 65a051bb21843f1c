"""A small business of contracts and no orders: who uses little leaves sooner, and some come back."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.config import Config, load_config
from pipeline.run import Run
from tables.calendar import BusinessCalendar

FIRST, AS_OF = date(2025, 1, 1), date(2025, 11, 1)
DAYS = (AS_OF - FIRST).days
CONFIG = """\
name: Contracts
workspace: {folder}/workspace
time_zone: Europe/Vilnius
threads: 1
sources:
  subscriptions:
    path: {folder}/subscriptions.csv
    columns: {{customer_id: customer_id, subscription_id: subscription_id, started_at: started_at,
      ended_at: ended_at, plan: plan, mrr: mrr}}
  events:
    path: {folder}/events.csv
    columns: {{customer_id: customer_id, event_id: event_id, occurred_at: occurred_at}}
    constants: {{type: app_use}}
churn: {{kind: contract, horizon_days: 30, grace_days: 5}}
model: {{folds: 2, max_rounds: 20}}
report: {{at_risk_above: 0.2}}
actions:
  catalogue: configs/actions.yaml
  budget: {{amount: 20, per: night}}
  rules: {{consent: assumed}}
"""


def drawn(seed: int = 3, customers: int = 320) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw subscriptions and uses; days count from the first one, an end beyond the last day is yet to come."""
    rng = np.random.default_rng(seed)
    contracts, uses = [], []
    for number in range(customers):
        name, keen, begin = f"c{number:03d}", rng.random() < 0.5, int(rng.integers(0, DAYS))
        while begin < DAYS:
            end = begin + 1 + int(rng.geometric(1 / 400 if keen else 1 / 60))
            contracts.append((name, begin, end, rng.choice(["small", "large"]), int(rng.integers(10, 60))))
            days = np.arange(begin, min(end, DAYS))
            uses += [(name, day) for day in days[rng.random(len(days)) < (0.5 if keen else 0.1)]]
            # Most stay away; of the others some renew within the grace, some come back when it is over.
            begin = end + int(rng.choice([1, 4, 40, 10_000], p=[0.1, 0.1, 0.2, 0.6]))
    return (
        pd.DataFrame(contracts, columns=["customer_id", "started", "ended", "plan", "mrr"]),
        pd.DataFrame(uses, columns=["customer_id", "occurred"]),
    )


def write(folder: Path, contracts: pd.DataFrame, uses: pd.DataFrame, *, ends_until: int = DAYS) -> Config:
    """Write the files and the configuration; ends from a day on are not written down yet."""

    def at(days: pd.Series) -> pd.Series:
        return pd.to_datetime(FIRST) + pd.to_timedelta(days, unit="D") + pd.Timedelta("10h")

    told = contracts["ended"].where(contracts["ended"] < ends_until)
    contracts.assign(
        subscription_id=[f"s{number}" for number in range(len(contracts))],
        started_at=at(contracts["started"]),
        ended_at=at(told),
    ).drop(columns=["started", "ended"]).to_csv(folder / "subscriptions.csv", index=False)
    uses.assign(
        event_id=[f"e{number}" for number in range(len(uses))], occurred_at=at(uses["occurred"])
    ).drop(columns="occurred").to_csv(folder / "events.csv", index=False)
    (folder / "contracts.yaml").write_text(CONFIG.format(folder=folder))
    return load_config(folder / "contracts.yaml", {})


def run_of(config: Config) -> Run:
    """Return a run on the morning of the night."""
    return Run(config=config, now=BusinessCalendar("UTC").midnight(AS_OF + timedelta(days=1)))
