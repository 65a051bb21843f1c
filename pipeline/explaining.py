"""Why: the strongest reasons of the customers somebody will ask about, never of the whole base."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from models.churn import ChurnModel
from models.reasons import Reason
from models.reference import DateReference
from pipeline.scoring import MODEL, Scored

REASONS = 3

Reasons = Mapping[str, Sequence[Reason]]


def most_valuable_at_risk(scored: Scored, *, above: float, most: int) -> pd.DataFrame:
    """Return the scores of the customers at risk with the most to lose, most valuable first.

    Args:
        scored: the base.
        above: churn risk above which a customer is at risk.
        most: how many.
    """
    table = scored.table
    at_risk = table[(table["risk_source"] == MODEL) & (table["churn_risk"] > above)]
    value = (at_risk["churn_risk"] * at_risk["margin"]).to_numpy()
    return at_risk.iloc[np.argsort(-value, kind="stable")[:most]]


def explain(model: ChurnModel, scored: Scored, customers: Sequence[str]) -> Reasons:
    """Return the strongest reasons of some customers; those the model does not speak for have none."""
    table = scored.table
    rows = table.index[table["customer_id"].isin(customers) & (table["risk_source"] == MODEL)]
    if len(rows) == 0:
        return {}
    features = scored.features.loc[rows, list(model.feature_names_in_)]
    told = model.reasons(features, reference=scored.reference, top=REASONS)
    return dict(zip(table.loc[rows, "customer_id"], told, strict=True))


def with_reasons(plan: pd.DataFrame, reasons: Reasons) -> pd.DataFrame:
    """Add ``reason_1`` to ``reason_3`` in words, and their themes, to a plan; empty where there are fewer."""
    columns = {
        f"{name}_{place + 1}": pd.Series(
            [_nth(reasons.get(customer_id, ()), place, name) for customer_id in plan["customer_id"]],
            index=plan.index,
            dtype="str",
        )
        for name in ("reason", "theme")
        for place in range(REASONS)
    }
    return plan.assign(**columns)


def _nth(reasons: Sequence[Reason], place: int, name: str) -> str:
    if place >= len(reasons):
        return ""
    return reasons[place].sentence if name == "reason" else reasons[place].theme


def mean_contributions(
    model: ChurnModel, features: pd.DataFrame, *, reference: DateReference
) -> pd.DataFrame:
    """Say how far each feature moves risks up or down, on average over some customers.

    Args:
        model: the model.
        features: feature columns of few customers; exact contributions cost milliseconds a row.
        reference: the date's reference with its level.

    Returns:
        ``feature`` and ``mean_contribution`` (mean absolute change of the logit of the risk), largest first.
    """
    read = features[list(model.feature_names_in_)].astype(np.float32)
    slope = 1.0 if reference.level is None else reference.level.slope
    moved = np.abs(slope * model.members_.contributions(read, reference)).mean(axis=0)
    told = pd.DataFrame({"feature": list(read.columns), "mean_contribution": moved})
    return told.sort_values("mean_contribution", ascending=False, kind="stable", ignore_index=True)
