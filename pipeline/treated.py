"""Customers who were sent an action: what their outcomes may teach about leaving without one.

A model that learns from treated customers takes those at risk for safe. Whoever was sent an action after a
snapshot is therefore left out of it, and whoever was planned for one that chance withheld counts for both.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.assignments import EXPLORED, GLOBAL_CONTROL, SENT, UNTOUCHED, WITHHELD
from actions.experiment.control import UNTOUCHED_PART, share_of_others, untouched_share
from models.metrics import log_loss
from models.settings import Treated
from pipeline.run import Run
from tables.calendar import OutcomeRule
from tables.errors import DataError
from tables.history import History
from tables.publish import published, published_dates
from tables.storage import read_tables

MOST_WEIGHT = 20.0
"""So many customers a withheld one stands for at most, lest a few rows decide."""

_STAY: Mapping[Treated, str] = {
    "untreated": "nothing of the kind was withheld",
    "control_only": "there was no global control",
    "all": "`model.treated` keeps all",
}
_COLUMNS = ("customer_id", "as_of", "planned_action", "arm", "propensity", "salt")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TreatedRows:
    """What was done with the snapshots of treated customers.

    Attributes:
        rows: labelled snapshots there were.
        dropped: snapshots left out.
        weighted: snapshots that count more than once, for those left out.
        capped: weighted snapshots whose weight was cut to ``MOST_WEIGHT``.
        left_in: snapshots that count although their customer was sent an action: it is never withheld, no
            control existed yet, or the policy says so.
        churn_rate_of_all: share that churned where every snapshot counts once.
        churn_rate: share that churned as the snapshots count.
        log_loss_of_all: log loss of the model where every snapshot counts once; of an evaluation alone.
        log_loss: log loss of the model as the snapshots count.
    """

    rows: int
    dropped: int
    weighted: int
    capped: int
    left_in: int
    churn_rate_of_all: float
    churn_rate: float
    log_loss_of_all: float | None = None
    log_loss: float | None = None

    def answer(self) -> dict[str, int | float]:
        """Return the facts as JSON values."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def touched(self) -> bool:
        """Whether anybody was treated, or counts for who was."""
        return self.dropped + self.weighted + self.left_in > 0

    def words(self, policy: Treated) -> str:
        """Say what was done, and what it changed."""
        told = (
            f"{self.dropped:,} of {self.rows:,} snapshots left out as treated, {self.weighted:,} withheld ones weigh "
            f"more ({self.capped:,} cut to {MOST_WEIGHT:g}); churn rate {self.churn_rate:.2%} instead of "
            f"{self.churn_rate_of_all:.2%}"
        )
        if self.log_loss is not None:
            told += f", log loss {self.log_loss:.4f} instead of {self.log_loss_of_all:.4f}"
        if self.left_in:
            told += f"; {self.left_in:,} treated ones stay: {_STAY[policy]}"
        return told


@dataclass(frozen=True)
class Counted:
    """How often each labelled snapshot counts.

    Attributes:
        weight: per row of the labels; 0 leaves the row out.
        facts: what was done with the treated.
    """

    weight: Floats
    facts: TreatedRows

    @classmethod
    def of(cls, labels: pd.DataFrame, weight: Floats, *, left_in: int) -> Self:
        """Cap the weights and sum up what they do to labelled snapshots."""
        counts = np.minimum(weight, MOST_WEIGHT)
        churned = labels["churned"].to_numpy(np.float64)
        facts = TreatedRows(
            rows=len(labels),
            dropped=int((weight == 0).sum()),
            weighted=int((weight > 1).sum()),
            capped=int((weight > MOST_WEIGHT).sum()),
            left_in=left_in,
            churn_rate_of_all=_share(churned, np.ones(len(labels))),
            churn_rate=_share(churned, counts),
        )
        return cls(counts, facts)

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        """Mark the rows that count."""
        return np.asarray(self.weight > 0)

    def judged(self, churned: npt.ArrayLike, risk: npt.ArrayLike) -> TreatedRows:
        """Add to the facts what they do to the log loss of a model.

        Args:
            churned: labels of all rows.
            risk: churn risk of all rows, those left out included.

        Raises:
            DataError: if no row is left to judge by.
        """
        if not self.kept.any():
            raise DataError(
                f"evaluation: nobody is left to judge by; found {len(self.weight)} customers, all left out as treated. "
                "Choose another date, or another policy under model.treated."
            )
        return replace(
            self.facts,
            log_loss_of_all=log_loss(churned, risk),
            log_loss=log_loss(churned, risk, weight=self.weight),
        )


def count_rows(run: Run, history: History, labels: pd.DataFrame) -> Counted:
    """Tell how often each labelled snapshot counts, given what the published nights did.

    Args:
        run: the run.
        history: the validated history.
        labels: ``customer`` (key), ``as_of`` and ``churned`` per snapshot.
    """
    days = [stamp.date() for stamp in labels["as_of"].unique()]
    assigned = assignments(run, history, days)
    return counted(labels, assigned, policy=run.config.model.treated, rule=run.rule)


def assignments(run: Run, history: History, days: Sequence[date]) -> pd.DataFrame:
    """Read what the nights between some dates and the end of their outcome windows assigned.

    Returns:
        One row per planned or controlled customer and night: ``customer`` (key; who was erased since is left
        out), ``night``, ``planned_action``, ``arm``, ``propensity`` and ``salt``.
    """
    windows = [(day, run.rule.outcome_window(day)[1]) for day in days]
    plans = []
    for night in published_dates(run.workspace):
        inside = any(opens <= night < closes for opens, closes in windows)
        if inside and (manifest := published(run.workspace, night)) is not None:
            plans.append(manifest.table("plan"))
    rows = read_tables(plans, _COLUMNS) if plans else pd.DataFrame(columns=list(_COLUMNS))
    keys = rows["customer_id"].map(
        {each: history.customer_key(each) for each in rows["customer_id"].unique()}
    )
    rows = rows.assign(customer=keys, night=rows["as_of"]).dropna(subset="customer")
    return rows[["customer", "night", "planned_action", "arm", "propensity", "salt"]].astype(
        {"customer": np.int64}
    )


def counted(labels: pd.DataFrame, assigned: pd.DataFrame, *, policy: Treated, rule: OutcomeRule) -> Counted:
    """Tell how often each labelled snapshot counts.

    Args:
        labels: ``customer``, ``as_of`` and ``churned`` per snapshot.
        assigned: what the nights assigned, as ``assignments`` returns it.
        policy: ``untreated`` leaves out who was sent an action that chance might have withheld, and counts who
            was planned and withheld 1 / chance of that times for each salt period; ``control_only`` counts the global
            control alone; ``all`` counts everybody once. Where a date's nights had no such control, all its
            rows count once.
        rule: where the outcome windows lie.
    """
    weight, left_in = np.ones(len(labels)), 0
    for stamp in labels["as_of"].unique():
        during = _during(assigned, stamp, rule)
        if during.empty:
            continue
        at = np.flatnonzero(labels["as_of"] == stamp)
        customer = pd.Index(labels["customer"].to_numpy()[at])
        weight[at] = _POLICIES[policy](customer, during)
        sent = during.loc[during["arm"].isin((SENT, EXPLORED)), "customer"]
        left_in += int((customer.isin(sent) & (weight[at] > 0)).sum())
    return Counted.of(labels, weight, left_in=left_in)


def treated_answer(policy: Treated, parts: Mapping[str, TreatedRows | None]) -> dict[str, Any]:
    """Return what was done with the treated as JSON values.

    Args:
        policy: ``model.treated`` of the configuration.
        parts: the facts of ``training``, ``evaluation``, ...

    Returns:
        ``policy``, the facts by name, and ``words``: all of it in sentences.
    """
    known = {name: facts for name, facts in parts.items() if facts is not None}
    words = [f"{name}: {facts.words(policy)}" for name, facts in known.items() if facts.touched]
    none = "no snapshot's customer was planned for an action before its outcome was settled"
    return {
        "policy": policy,
        **{name: facts.answer() for name, facts in known.items()},
        "words": words or [none],
    }


def _share(churned: Floats, weight: Floats) -> float:
    return float(churned @ weight / weight.sum()) if weight.any() else 0.0


def _during(assigned: pd.DataFrame, stamp: Any, rule: OutcomeRule) -> pd.DataFrame:
    """Keep what was assigned from a snapshot to the end of its outcome window."""
    closes = pd.Timestamp(rule.outcome_window(stamp.date())[1])
    return assigned[(assigned["night"] >= stamp) & (assigned["night"] < closes)]


def _everybody(customer: pd.Index, during: pd.DataFrame) -> Floats:
    return np.ones(len(customer))


def _untreated(customer: pd.Index, during: pd.DataFrame) -> Floats:
    withheld = during[during["arm"].isin(WITHHELD)].drop_duplicates(["customer", "salt", "planned_action"])
    if withheld.empty:
        return np.ones(len(customer))
    # What chance could not have withheld (service, a share of 0) has a propensity of 1.
    treated = during["arm"].isin((SENT, EXPLORED)) & (during["propensity"] < 1)
    times = (1 / _chance_of_nothing(withheld)).groupby("customer").prod().round(9)  # dust of sums of shares
    weight = np.array(times.reindex(customer).fillna(1.0), dtype=np.float64)
    weight[customer.isin(during.loc[treated, "customer"])] = 0
    return weight


def _chance_of_nothing(withheld: pd.DataFrame) -> pd.Series:
    """Return the chance that all planned actions of a customer and salt are withheld, as they were."""
    part = np.where(withheld["arm"] == UNTOUCHED, UNTOUCHED_PART, 1 - UNTOUCHED_PART)
    shares = (withheld["propensity"] / part).groupby([withheld["customer"], withheld["salt"]])
    share, actions = shares.first(), shares.size()
    untouched = untouched_share(share)
    return untouched + (1 - untouched) * share_of_others(share) ** actions


def _control_only(customer: pd.Index, during: pd.DataFrame) -> Floats:
    """Keep who was in the global control of every salt period."""
    control = during[during["arm"] == GLOBAL_CONTROL]
    if control.empty:
        return np.ones(len(customer))
    periods = control.groupby("customer")["salt"].nunique().reindex(customer).fillna(0)
    return np.array(periods == control["salt"].nunique(), dtype=np.float64)


_POLICIES: Mapping[Treated, Callable[[pd.Index, pd.DataFrame], Floats]] = {
    "untreated": _untreated,
    "all": _everybody,
    "control_only": _control_only,
}
