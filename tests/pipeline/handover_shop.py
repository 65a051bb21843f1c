"""A shop of a few customers with a published plan, made in milliseconds: for tests of what is handed over."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd
import yaml

from pipeline.config import Config, load_config
from pipeline.run import Run
from pipeline.steps import ingested
from tables.history import History
from tables.publish import Publication
from tables.storage import write_table

NIGHT = date(2026, 6, 2)
DAY = 86_400_000_000
NOON = 1_780_390_800_000_000  # 2026-06-02 12:00 in Vilnius
WORDING = {"en": "An offer for you.", "lt": "Pasiūlymas Jums."}

CUSTOMERS = """customer_id,signed_up_at,region,language,email,phone,objects_to_profiling
ann,2025-01-01,LT,lt-LT, Ann@Shop.LT ,0612 34567,
bob,2025-01-01,GB,en,bob@shop.uk,+44 (0)7700 900-123,
eve,2025-01-01,LT,zh,,,
=1+2,2025-01-01,,,not an address,0612 34567,
"""
CONSENTS = """customer_id,channel,purpose,given_at,withdrawn_at
ann,email,marketing,2025-01-01,
bob,email,marketing,2025-01-01,
eve,email,marketing,2025-01-01,
=1+2,email,marketing,2025-01-01,
ann,audience,marketing,2025-01-01,
bob,audience,marketing,2025-01-01,
eve,audience,marketing,2025-01-01,
"""
ORDERS = "customer_id,order_id,ordered_at,amount\nann,1,2026-05-01,10\n"


def entry(kind: str, channel: str, **more: object) -> dict[str, object]:
    costs = {"contact_cost": 0.5, "prior_save": 0.05, "prior_save_sd": 0.05, "cooldown_days": 30}
    common = {"carries_out": ["messaging"], "trigger": "orders_total >= 1", "wording": {"en": "Hello."}}
    return {"kind": kind, "channel": channel, **common, **costs, **more}


ACTIONS = {
    "personal_offer": entry(
        "discount", "email", incentive_cost=12.0, redeem_rate=0.2, customer_cap_per_year=2, wording=WORDING
    ),
    "service_call": entry("service", "phone"),
    "social_audience": entry("content", "audience"),
}


@dataclass
class Shop:
    """A folder with sources, configuration and workspace."""

    folder: Path
    changes: dict[str, object] = field(default_factory=dict)
    customers: str = CUSTOMERS
    consents: str = CONSENTS

    def config(self) -> Config:
        files = {"customers": self.customers, "consents": self.consents, "orders": ORDERS}
        sources = {}
        for name, text in files.items():
            (self.folder / f"{name}.csv").write_text(text)
            columns = text.splitlines()[0].split(",")
            sources[name] = {"path": str(self.folder / f"{name}.csv"), "columns": {c: c for c in columns}}
        sources["orders"]["grain"] = "order"
        (self.folder / "actions.yaml").write_text(yaml.safe_dump({"actions": ACTIONS}))
        actions = {"catalogue": str(self.folder / "actions.yaml"), "budget": {"amount": 100}}
        actions["rules"] = {"quiet_hours": {"LT": [21, 8]}}
        content = {
            "workspace": str(self.folder / "workspace"),
            "time_zone": "Europe/Vilnius",
            "churn": {"horizon_days": 30, "active_within_days": 60},
            "handover": {"phones": {"LT": {"code": 370}}},
            "sources": sources,
            "actions": actions,
        }
        for key, value in self.changes.items():
            section = content if "." not in key else content[key.split(".")[0]]
            section[key.split(".")[-1]] = value
        path = self.folder / "shop.yaml"
        path.write_text(yaml.safe_dump(content))
        return load_config(path, {})

    def run(self, now: int = NOON) -> Run:
        return Run(config=self.config(), now=now)

    def history(self) -> History:
        return History.open(self.folder / "workspace/history")

    def publish(self, *rows: tuple[str, str, str, str, str], night: date = NIGHT) -> Run:
        """Take in the sources and publish a plan of rows (customer, planned, action, arm, channel)."""
        run = self.run()
        with run.locked("test") as held:
            ingested(held, as_of=night)
            publish_plan(held, rows, night)
        return run

    def write(self, name: str, *lines: str) -> Path:
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n")
        return path


def publish_plan(run: Run, rows: Sequence[tuple[str, str, str, str, str]], night: date) -> None:
    columns = ["customer_id", "planned_action", "action", "arm", "channel"]
    plan = pd.DataFrame(rows, columns=columns).astype(str).assign(churn_risk=0.123456)
    facts = {"config": "before", "model_version": 3}
    with Publication(run.lock, night) as publication:
        write_table(plan, publication.table("plan"))
        publication.publish(facts=facts, timings={})
