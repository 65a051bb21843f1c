"""The audit of a night: how often each group is contacted and offered discounts, and what chance does not explain."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import fisher_exact

from actions.catalogue import NONE, Action
from models.evaluation import wilson
from pipeline.audit.groups import audited_groups
from pipeline.run import Run
from tables.history import History
from tables.publish import published, published_dates
from tables.storage import read_table

WINDOW_DAYS = 30
CONTACTED, DISCOUNTED = "contacted", "offered a discount"
_CHANCE = 0.05
_COLUMNS = ("customer_id", "action")

Reached = Mapping[str, npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class GroupRate:
    """How often one group was reached, beside all other customers.

    Attributes:
        attribute: what the customers are grouped by.
        group: the value they share.
        measure: what is counted: customers contacted, or offered a discount, in the window.
        customers: customers of the group.
        mean_churn_risk: their mean risk; groups at more risk are contacted more.
        reached: how many of them were reached.
        rate: share of them; ``low`` and ``high`` are its 95 % interval.
        rate_of_others: share of all customers outside the group; missing where there are none.
        p_value: chance of a difference at least so large if the group did not matter; Fisher's exact test.
        beyond_chance: whether it lies below 5 %, over all groups of the attribute and both measures together.
    """

    attribute: str
    group: str
    measure: str
    customers: int
    mean_churn_risk: float
    reached: int
    rate: float
    low: float
    high: float
    rate_of_others: float | None
    p_value: float
    beyond_chance: bool


@dataclass(frozen=True)
class Audit:
    """The audit of a night.

    Attributes:
        as_of: the night.
        window_days: days over which contacts count, the night's own among them.
        rates: one row per group and measure.
    """

    as_of: date
    window_days: int
    rates: Sequence[GroupRate]

    def to_json(self) -> str:
        """Write the audit for other programs."""
        content = {**asdict(self), "as_of": self.as_of.isoformat()}
        return json.dumps(content, indent=1, allow_nan=False) + "\n"


def audit_night(
    run: Run,
    history: History,
    scores: pd.DataFrame,
    plan: pd.DataFrame,
    actions: Iterable[Action],
    *,
    as_of: date,
) -> Audit:
    """Compare how often the groups of the base were reached in the month up to a night, its plan included.

    Args:
        run: the run.
        history: the validated history.
        scores: ``customer_id, churn_risk`` of everybody, each once.
        plan: ``customer_id, action`` of the night.
        actions: the catalogue; an action that has left it counts as no discount.
        as_of: the night.
    """
    sent = pd.concat([plan[list(_COLUMNS)], *_sent_before(run, as_of)], ignore_index=True)
    sent = sent[sent["action"] != NONE]
    discounts = [action.id for action in actions if action.kind == "discount"]
    offered = sent.loc[sent["action"].isin(discounts), "customer_id"]
    reached = {
        CONTACTED: scores["customer_id"].isin(sent["customer_id"]).to_numpy(),
        DISCOUNTED: scores["customer_id"].isin(offered).to_numpy(),
    }
    groups = audited_groups(run, history, scores["customer_id"], as_of=as_of)
    rates = [
        rate
        for name, group in groups.items()
        for rate in group_rates(name, group, scores["churn_risk"], reached)
    ]
    return Audit(as_of, WINDOW_DAYS, rates)


def _sent_before(run: Run, as_of: date) -> list[pd.DataFrame]:
    begin = as_of - timedelta(days=WINDOW_DAYS)
    nights = [day for day in published_dates(run.workspace) if begin < day < as_of]
    manifests = [found for day in nights if (found := published(run.workspace, day)) is not None]
    return [read_table(each.table("plan"), _COLUMNS) for each in manifests]


def group_rates(attribute: str, group: pd.Series, churn_risk: pd.Series, reached: Reached) -> list[GroupRate]:
    """Set the rates of each group of an attribute beside those of everybody else.

    Args:
        attribute: name of the attribute.
        group: the group of each customer.
        churn_risk: the risk of each customer.
        reached: by measure, whether each customer was reached.

    Returns:
        Groups by name, or in the order of their categories, each with every measure.

    Examples:
        >>> group = pd.Series(["LT", "LT", "LT", "CN"])
        >>> rates = group_rates("region", group, group.eq("LT") * 0.4, {"contacted": np.array([1, 1, 0, 0], bool)})
        >>> [(each.group, each.reached, round(each.rate, 2), each.rate_of_others) for each in rates]
        [('CN', 0, 0.0, 0.6666666666666666), ('LT', 2, 0.67, 0.0)]
    """
    columns = {"group": group.array, "risk": churn_risk.to_numpy(), **reached}
    counts = (
        pd.DataFrame(columns)
        .groupby("group", observed=True)
        .agg(
            customers=("risk", "size"),
            mean_churn_risk=("risk", "mean"),
            **{measure: (measure, "sum") for measure in reached},
        )
    )
    line = _CHANCE / max(len(counts) * len(reached), 1)
    everybody = counts.sum()
    rates = []
    for name, row in counts.iterrows():
        for measure in reached:
            table = _two_by_two(row, everybody, measure)
            rates.append(_rate(attribute, str(name), measure, float(row["mean_churn_risk"]), table, line))
    return rates


Table = tuple[tuple[int, int], tuple[int, int]]


def _two_by_two(row: pd.Series, everybody: pd.Series, measure: str) -> Table:
    """Count the reached and the others, of a group and outside of it."""
    hits, n = int(row[measure]), int(row["customers"])
    all_hits, all_n = int(everybody[measure]), int(everybody["customers"])
    return (hits, n - hits), (all_hits - hits, all_n - n - (all_hits - hits))


def _rate(attribute: str, group: str, measure: str, risk: float, table: Table, line: float) -> GroupRate:
    (hits, missed), (other_hits, other_missed) = table
    others = other_hits + other_missed
    low, high = wilson(hits, hits + missed)
    p_value = float(fisher_exact(table).pvalue) if others else 1.0
    return GroupRate(
        attribute=attribute,
        group=group,
        measure=measure,
        customers=hits + missed,
        mean_churn_risk=risk,
        reached=hits,
        rate=hits / (hits + missed),
        low=low,
        high=high,
        rate_of_others=other_hits / others if others else None,
        p_value=p_value,
        beyond_chance=p_value < line,
    )
