"""What actions cost: booked where the channel reported it, else expected."""

from datetime import date
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.catalogue import NONE, load_catalogue
from actions.rules.contacts import NOT_DELIVERED, OWN_TEAM, REPORT_WITHIN_DAYS
from features.visibility import Moment, select_rows
from pipeline.run import Run
from tables.calendar import DAY
from tables.history import History
from tables.rows import MONEY_SCALE, Codes, Rows

_KEYS = ["customer", "action"]


def sent_costs(run: Run, history: History, plans: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """List what was sent, with what it cost as known by a date.

    A report counts for the last sending of its action in the week before. A delivered contact booked at 0
    is taken as not booked, for that is how a missing cost is stored.

    Args:
        run: the run.
        history: the validated history.
        plans: rows of plans: ``customer`` (key), ``as_of, action, expected_cost``.
        as_of: reports known at its midnight or later do not count.

    Returns:
        One row per sending: ``customer``, ``as_of``, ``cost`` (currency units; expected where nothing was
        booked) and ``price_cut``, the part of it by which the customer's order was cheaper.
    """
    sent = plans[plans["action"] != NONE].reset_index(drop=True)
    cost = sent["expected_cost"].to_numpy(np.float64).copy()
    cut = np.zeros(len(sent))
    booked = _booked(run, history, sent, as_of=as_of)
    catalogue = load_catalogue(run.config.actions.catalogue)
    contact = {action.id: action.contact_cost for action in catalogue.actions.values()}
    discounts = [action.id for action in catalogue.actions.values() if action.kind == "discount"]
    cost[booked.index] = booked
    own = sent["action"].map(contact).fillna(0.0).to_numpy()[booked.index]
    is_discount = sent["action"].isin(discounts).to_numpy()[booked.index]
    cut[booked.index] = np.where(is_discount, np.maximum(booked - own, 0.0), 0.0)
    return sent[["customer", "as_of"]].assign(cost=cost, price_cut=cut)


def _booked(run: Run, history: History, sent: pd.DataFrame, *, as_of: date) -> pd.Series:
    """Return the booked cost of each sending that was reported on, by its position."""
    reports = _reports(run, history, as_of=as_of)
    midnights = {stamp: run.calendar.midnight(stamp.date()) for stamp in sent["as_of"].unique()}
    at = sent["as_of"].map(midnights).astype(np.int64)
    right = sent[_KEYS].assign(action=sent["action"].astype(object), sent_at=at, row=sent.index)
    week = REPORT_WITHIN_DAYS * DAY
    found = pd.merge_asof(
        reports.sort_values("sent_at"), right.sort_values("sent_at"), on="sent_at", by=_KEYS, tolerance=week
    )
    found = found.dropna(subset="row").astype({"row": np.int64})
    return found.groupby("row")["cost"].sum()


def _reports(run: Run, history: History, *, as_of: date) -> pd.DataFrame:
    """Return ``customer, action, sent_at, cost`` of our contacts whose cost is known."""
    empty = {"customer": np.empty(0, np.int64), "action": np.empty(0, dtype=object)}
    parts = [pd.DataFrame({**empty, "sent_at": np.empty(0, np.int64), "cost": np.empty(0)})]
    if history.has("contacts") and {"cost", "team", "action"} <= set(history.columns("contacts")):
        moment = Moment.of(as_of, run.calendar)
        parts += [_of_bucket(history, bucket, moment) for bucket in range(history.buckets)]
    return pd.concat(parts, ignore_index=True).astype({"action": object})


def _of_bucket(history: History, bucket: int, moment: Moment) -> pd.DataFrame:
    columns = [name for name in ("cost", "team", "action", "status") if name in history.columns("contacts")]
    rows = history.read("contacts", bucket, columns)
    rows = select_rows(rows, moment.sees(rows) & _says(rows, "team", OWN_TEAM))
    cost, action = np.asarray(rows.columns["cost"]) / MONEY_SCALE, cast(Codes, rows.columns["action"])
    content = {
        "customer": rows.customer.astype(np.int64) * history.buckets + bucket,
        "action": np.array([*action.labels, None], dtype=object)[action.codes],
        "sent_at": rows.at,
        "cost": cost,
    }
    return pd.DataFrame(content)[_says(rows, "status", NOT_DELIVERED) | (cost > 0)]


def _says(rows: Rows, name: str, text: str) -> npt.NDArray[np.bool_]:
    """Mark the rows whose text is this one; none where the column was never delivered."""
    column = rows.columns.get(name)
    if not isinstance(column, Codes) or text not in column.labels:
        return np.zeros(len(rows), dtype=bool)
    return np.asarray(column.codes == column.labels.index(text))
