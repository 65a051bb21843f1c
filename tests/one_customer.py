"""One customer and some actions, checked against the rules on one night."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from actions.catalogue import Action, Catalogue
from actions.rules.contacts import LEDGER_COLUMNS
from actions.rules.eligibility import Eligibility, eligibility
from actions.rules.settings import Rules
from tables.calendar import DAY, NEVER, BusinessCalendar

TONIGHT = date(2025, 6, 10)
CALENDAR = BusinessCalendar("Europe/Vilnius")
MIDNIGHT = CALENDAR.midnight(TONIGHT)
AGREES = {
    "customer_id": "ann",
    "channel": "email",
    "purpose": "marketing",
    "given_at": 0,
    "withdrawn_at": NEVER,
}


def action(name: str = "note", **changes: Any) -> Action:
    """Return a plain action."""
    kind = changes.get("kind", "content")
    discount = (
        {"incentive_cost": 1, "redeem_rate": 0.5, "customer_cap_per_year": 9} if kind == "discount" else {}
    )
    plain = {
        "id": name, "carries_out": ["messaging"], "trigger": "True", "channel": "email", "kind": kind,
        "contact_cost": 0, "prior_save": 0.1, "prior_save_sd": 0.1, "cooldown_days": 5, "wording": {"en": "x"},
    }  # fmt: skip
    return Action.model_validate({**plain, **discount, **changes})


def contacted(days_ago: float, **changes: Any) -> dict[str, Any]:
    """Return one of our contacts, so many days before the night."""
    row = {
        "customer_id": "ann", "team": "keepwell", "channel": "email", "purpose": "marketing", "action": "other",
        "arm": "sent", "delivery": "confirmed", "sent_at": MIDNIGHT - round(days_ago * DAY),
    }  # fmt: skip
    return {**row, **changes}


def checked(
    *actions: Action,
    customer: dict[str, Any] | None = None,
    rules: Rules | None = None,
    contacts: list[dict[str, Any]] | None = None,
    consents: list[dict[str, Any]] | None = None,
    tickets: list[dict[str, Any]] | None = None,
    offers: list[dict[str, Any]] | None = None,
    answers: list[tuple[str, str, int]] | None = None,
    in_control: bool = False,
) -> Eligibility:
    """Check one customer."""
    return eligibility(
        pd.DataFrame([{"customer_id": "ann", **(customer or {})}]),
        catalogue=Catalogue.of(actions),
        rules=rules or Rules(own_gap_days=0),
        as_of=TONIGHT,
        calendar=CALENDAR,
        global_control=np.array([in_control]),
        contacts=pd.DataFrame(contacts or [], columns=list(LEDGER_COLUMNS)),
        consents=pd.DataFrame([AGREES] if consents is None else consents, columns=list(AGREES)),
        tickets=None if tickets is None else pd.DataFrame(tickets),
        offers=None if offers is None else pd.DataFrame(offers),
        answers=pd.DataFrame(answers or [], columns=["customer_id", "channel", "answers"]),
    )


def reasons(*args: Any, **given: Any) -> tuple[str, ...]:
    """Return why the customer may not get the first action."""
    return checked(*(args or (action(),)), **given).explain(0, 0)


def ticket(**changes: Any) -> list[dict[str, Any]]:
    """Return one open ticket."""
    plain = {"customer_id": "ann", "opened_at": MIDNIGHT - DAY, "solved_at": NEVER, "reopened_at": NEVER}
    return [{**plain, "channel": "chat", **changes}]
