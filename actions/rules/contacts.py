"""One ledger of who was contacted: the contacts of every team, and every assignment of earlier nights.

A customer whose action was withheld is treated as if it had been sent, so that both arms of the comparison
leave the pool alike. What a channel reports back may only tell that a message did not arrive.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from actions.catalogue import NONE, Catalogue
from tables.calendar import DAY, NEVER, BusinessCalendar
from tables.errors import SchemaError

OWN_TEAM = "keepwell"
CONFIRMED = "confirmed"
ASSUMED = "assumed"
AWAITED = "awaited"
WITHHELD = "withheld"
NOT_DELIVERED = "not_delivered"
REPORT_WITHIN_DAYS = 7
"""A channel that has not reported back so long after the night is taken to have delivered."""

LEDGER_COLUMNS = (
    "customer_id",
    "sent_at",
    "team",
    "channel",
    "purpose",
    "action",
    "arm",
    "redeemed_at",
    "delivery",
)
_PLAN_COLUMNS = ("customer_id", "as_of", "action", "planned_action", "arm", "channel")


def contact_ledger(
    contacts: pd.DataFrame | None,
    plans: Sequence[pd.DataFrame],
    *,
    as_of: date,
    calendar: BusinessCalendar,
    catalogue: Catalogue,
) -> pd.DataFrame:
    """Put together all contacts before a night.

    Args:
        contacts: every team's messages: ``customer_id, sent_at`` (instant) and where known ``team, channel,
            purpose, action, arm, redeemed_at, status`` (``not_delivered`` for a message that failed). Rows of the team
            ``keepwell`` report on the plans' assignments and count once with them.
        plans: the plans of earlier nights, ``customer_id, as_of, action, planned_action, arm, channel``;
            an assignment counts from the midnight of its ``as_of``.
        as_of: the night; only what was sent before its midnight is in the ledger.
        calendar: where midnights lie.
        catalogue: gives the purpose of planned actions; one that it no longer holds counts as marketing.

    Returns:
        Columns ``LEDGER_COLUMNS``, the contacts in their order, then the plans. ``delivery`` is
        ``confirmed``, ``assumed`` (sent, and no report within seven days), ``awaited`` (no report yet),
        ``withheld`` or ``not_delivered``; ``redeemed_at`` is ``NEVER`` where nothing was redeemed. A row
        without a team counts as another team's.

    Raises:
        SchemaError: if a table lacks a column.
    """
    tonight = calendar.midnight(as_of)
    reported = _reported(contacts, before=tonight)
    planned = _planned(plans, calendar, catalogue, before=tonight)
    is_own = reported["team"] == OWN_TEAM
    matches = _match(planned, reported[is_own])
    week_ago = calendar.midnight(as_of - timedelta(days=REPORT_WITHIN_DAYS))
    told = matches.groupby("assignment").agg(arrived=("arrived", "any"), redeemed_at=("redeemed_at", "min"))
    planned = planned.assign(
        delivery=_delivery(planned, told["arrived"], assumed_until=week_ago),
        redeemed_at=told["redeemed_at"].reindex(planned.index, fill_value=NEVER),
    )
    kept = reported[~is_own | ~reported.index.isin(matches["report"])]
    parts = [part[list(LEDGER_COLUMNS)] for part in (kept, planned) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else kept[list(LEDGER_COLUMNS)]


def _reported(contacts: pd.DataFrame | None, *, before: int) -> pd.DataFrame:
    if contacts is None:
        instants = {name: np.empty(0, dtype=np.int64) for name in ("sent_at", "redeemed_at")}
        return pd.DataFrame(instants).reindex(columns=list(LEDGER_COLUMNS))
    for column in ("customer_id", "sent_at"):
        if column not in contacts.columns:
            raise SchemaError.missing_column(column, table="contacts", found=contacts.columns)
    rows = contacts[contacts["sent_at"] < before].reset_index(drop=True)
    rows = rows.reindex(columns=[*LEDGER_COLUMNS[:-1], "status"])
    failed = rows["status"] == NOT_DELIVERED
    instants = rows[["sent_at", "redeemed_at"]].astype("Int64").fillna(NEVER).astype(np.int64)
    delivery = np.where(failed, NOT_DELIVERED, CONFIRMED)
    return rows.assign(**instants, delivery=delivery).drop(columns="status")


def _planned(
    plans: Sequence[pd.DataFrame], calendar: BusinessCalendar, catalogue: Catalogue, *, before: int
) -> pd.DataFrame:
    """List the assignments of earlier nights with the action that was sent or withheld."""
    parts = [_assignments(plan, calendar) for plan in plans if len(plan)]
    if not parts:
        return _reported(None, before=before).assign(is_sent=False)
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[rows["sent_at"] < before].reset_index(drop=True)
    purposes = {action.id: action.purpose for action in catalogue.actions.values()}
    return rows.assign(team=OWN_TEAM, purpose=rows["action"].map(purposes).fillna("marketing"))


def _assignments(plan: pd.DataFrame, calendar: BusinessCalendar) -> pd.DataFrame:
    for column in _PLAN_COLUMNS:
        if column not in plan.columns:
            raise SchemaError.missing_column(column, table="plan", found=plan.columns)
    is_sent = plan["action"] != NONE
    rows = plan[is_sent | (plan["planned_action"] != NONE)]
    is_sent = is_sent.loc[rows.index]
    nights = pd.to_datetime(rows["as_of"])
    midnights = {night: calendar.midnight(night.date()) for night in nights.unique()}
    return pd.DataFrame(
        {
            "customer_id": rows["customer_id"],
            "sent_at": nights.map(midnights).astype(np.int64),
            "channel": rows["channel"].astype(object),
            "action": rows["action"].where(is_sent, rows["planned_action"]).astype(object),
            "arm": rows["arm"].astype(object),
            "is_sent": is_sent,
        }
    )


def _match(planned: pd.DataFrame, reports: pd.DataFrame) -> pd.DataFrame:
    """Find for each report the assignment it speaks of: the last one of its action in the week before.

    Returns:
        One row per report that was used: ``report`` and ``assignment`` (index labels), ``arrived`` and
        ``redeemed_at``.
    """
    keys = ["customer_id", "action"]
    left = reports[[*keys, "sent_at", "redeemed_at"]].assign(
        report=reports.index, arrived=reports["delivery"] == CONFIRMED
    )
    right = planned[[*keys, "sent_at"]].assign(assignment=planned.index)
    left, right = (part.astype(dict.fromkeys(keys, object)).sort_values("sent_at") for part in (left, right))
    week = REPORT_WITHIN_DAYS * DAY
    found = pd.merge_asof(left, right, on="sent_at", by=keys, tolerance=week).dropna(subset="assignment")
    return found.astype({"assignment": np.int64})[["report", "assignment", "arrived", "redeemed_at"]]


def _delivery(planned: pd.DataFrame, arrived: pd.Series, *, assumed_until: int) -> pd.Series:
    is_old = planned["sent_at"] <= assumed_until
    delivery = pd.Series(np.where(is_old, ASSUMED, AWAITED), index=planned.index, dtype=object)
    delivery.loc[arrived.index] = np.where(arrived, CONFIRMED, NOT_DELIVERED)
    return delivery.where(planned["is_sent"], WITHHELD)
