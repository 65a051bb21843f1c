"""What customers did in outcome windows: who left, and what the others earned the business."""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.labels import stayed, subscribed_at_end
from features.population import population_of, subscribers_seen
from features.visibility import Moment, known_by, select_rows
from pipeline.run import Run
from tables.calendar import DAY
from tables.history import History
from tables.rows import MONEY_SCALE, Rows

Floats = npt.NDArray[np.float64]
_MONTH = DAY * 365.25 / 12


def settled_until(run: Run, history: History, *, as_of: date) -> date:
    """Return the newest night whose outcome a later night may use.

    Its window is over and settled by ``as_of``, and by the day of the newest order (with contracts: of the
    newest subscription) that was known by then: a log that stopped says nothing of who left after it.
    """
    return run.rule.newest_complete(run.days_seen(history, as_of=as_of)[1])


def lived(run: Run, history: History, starts: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """Tell what customers did in the outcome windows of some nights, from rows known by a date.

    Args:
        run: the run.
        history: the validated history.
        starts: ``customer`` (key) and ``planned_on``, the night whose window counts; settled by ``as_of``.
        as_of: rows that a night of this date does not know yet do not count.

    Returns:
        Per row of ``starts``, under its index: ``churned`` (int8, as snapshots are labelled for training; whoever
        was without a contract on the night churned unless there is one when the window closes) and
        ``contribution``, currency units: the share ``value.contribution_rate`` of what was ordered in
        the window less what came back in it, with contracts of the fees of its days.
    """
    churned, earned = np.zeros(len(starts), np.int8), np.zeros(len(starts))
    cutoff = run.calendar.known_cutoff(as_of)
    customer = starts["customer"].to_numpy(np.int64)
    bucket, local = customer % history.buckets, customer // history.buckets
    for each in np.unique(bucket):
        tables = _tables(run, history, int(each), starts[bucket == each])
        known = {name: select_rows(rows, known_by(rows, cutoff)) for name, rows in tables.items()}
        for stamp, rows in starts[bucket == each].groupby("planned_on"):
            night = pd.Timestamp(stamp).date()
            at = starts.index.get_indexer(rows.index)
            stays = _stays(run, tables[run.rule.table], known[run.rule.table], night)
            churned[at] = ~stays[local[at]]
            earned[at] = _earned(run, known, night)[local[at]]
    share = run.config.value.contribution_rate
    return pd.DataFrame({"churned": churned, "contribution": share * earned}, index=starts.index)


def _stays(run: Run, every: Rows, known: Rows, night: date) -> npt.NDArray[np.bool_]:
    """Mark who stayed; of those whom the night saw without a contract, who has one when the window closes."""
    stays = stayed(known, night, run.calendar, run.rule)
    if not run.rule.is_contract:
        return stays
    watched = subscribers_seen(every, Moment.of(night, run.calendar))
    return np.where(watched, stays, subscribed_at_end(known, night, run.calendar, run.rule))


def _tables(run: Run, history: History, bucket: int, starts: pd.DataFrame) -> Mapping[str, Rows]:
    """Read what some customers of a bucket did, every version of every row."""
    reading = {name: list(each.columns) for name, each in population_of(run.rule).readings.items()}
    money = {"subscriptions": "mrr"} if run.rule.is_contract else {"orders": "amount", "returns": "amount"}
    since = 0 if run.rule.is_contract else run.calendar.midnight(starts["planned_on"].min().date())
    tables = {}
    for name, column in money.items():
        if not history.has(name) or column not in history.columns(name):
            continue
        rows = history.read(name, bucket, (*reading.get(name, ()), column))
        wanted = np.zeros(rows.customers, dtype=bool)
        wanted[starts["customer"].to_numpy(np.int64) // history.buckets] = True
        tables[name] = select_rows(rows, wanted[rows.customer] & (rows.at >= since))
    return tables


def _earned(run: Run, tables: Mapping[str, Rows], night: date) -> Floats:
    """Return what each customer of a bucket paid in the outcome window of a night, currency units."""
    opens, closes = (run.calendar.midnight(day) for day in run.rule.outcome_window(night))
    if run.rule.is_contract:
        return _fees(tables["subscriptions"], opens, closes)
    paid = _sum_of(tables["orders"], opens, closes)
    return paid - _sum_of(tables["returns"], opens, closes) if "returns" in tables else paid


def _sum_of(rows: Rows, opens: int, closes: int) -> Floats:
    inside = (rows.at >= opens) & (rows.at < closes)
    amounts = np.asarray(rows.columns["amount"])[inside] / MONEY_SCALE
    return np.bincount(rows.customer[inside], weights=amounts, minlength=rows.customers).astype(np.float64)


def _fees(rows: Rows, opens: int, closes: int) -> Floats:
    """Sum monthly fees over the part of the window in which each subscription ran."""
    ends = np.minimum(np.asarray(rows.columns["ended_at"], dtype=np.int64), closes)
    months = np.maximum(ends - np.maximum(rows.at, opens), 0) / _MONTH
    fees = np.asarray(rows.columns["mrr"]) / MONEY_SCALE * months
    return np.bincount(rows.customer, weights=fees, minlength=rows.customers).astype(np.float64)


def window_days(run: Run) -> timedelta:
    """Return the days from a night to the end of its outcome window."""
    return timedelta(days=run.rule.gap_days + run.rule.horizon_days)
