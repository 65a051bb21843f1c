"""Why: the strongest reasons of the customers somebody will ask about, never of the whole base."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from models.churn import ChurnModel
from models.reasons import Reason
from models.wordings import LANGUAGES
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


def with_reasons(plan: pd.DataFrame, reasons: Reasons, *, language: str, currency: str) -> pd.DataFrame:
    """Add ``reason_1`` to ``reason_3`` in words, their themes and the risks without them to a plan.

    Where there are fewer, words are empty and risks missing.
    """
    columns: dict[str, pd.Series] = {}
    for place in range(REASONS):
        found = [reasons.get(customer_id, ())[place : place + 1] for customer_id in plan["customer_id"]]
        words = ["".join(one.sentence(language, currency=currency) for one in each) for each in found]
        themes = ["".join(one.theme for one in each) for each in found]
        without = [each[0].risk_without if each else np.nan for each in found]
        columns |= {
            f"reason_{place + 1}": pd.Series(words, index=plan.index, dtype="str"),
            f"theme_{place + 1}": pd.Series(themes, index=plan.index, dtype="str"),
            f"risk_without_{place + 1}": pd.Series(without, index=plan.index, dtype="float64"),
        }
    return plan.assign(**columns)


def reasons_json(reasons: Reasons, *, currency: str) -> str:
    """Write the reasons of some customers in every language, one customer a line, for other programs."""
    lines = [
        f"{json.dumps(customer_id)}: {json.dumps([_told(one, currency) for one in found], ensure_ascii=False)}"
        for customer_id, found in sorted(reasons.items())
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _told(reason: Reason, currency: str) -> dict[str, object]:
    return {
        "theme": reason.theme,
        "feature": reason.feature,
        "share": reason.share,
        "churn_risk": reason.risk,
        "risk_without": reason.risk_without,
        "sentence": {code: reason.sentence(code, currency=currency) for code in LANGUAGES},
        "change": {code: reason.change(code) for code in LANGUAGES},
    }
