"""Groups of customers whose treatment is audited: attributes that nothing else may read."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from pipeline.attributes import history_table
from pipeline.regions import regions
from pipeline.run import Run
from tables.history import History

REGION = "region"
NOT_KNOWN = "not known"
SMALL = "small groups"
LEAST_CUSTOMERS = 20
"""Smaller groups are put together: their rates would say little, and something of single customers."""


def audited_groups(
    run: Run, history: History, customers: pd.Series, *, as_of: date
) -> Mapping[str, pd.Series]:
    """Tell the group of each customer by each audited attribute, the region first where one is told.

    Args:
        run: the run; ``report.audit_groups`` names columns of customers, and attributes.
        history: the validated history.
        customers: their ids, each once.
        as_of: rows known later are left out.

    Returns:
        One text per customer and attribute; ``not known`` where nothing was told, ``small groups`` where fewer than
        twenty share it.
    """
    names = tuple(dict.fromkeys((REGION, *run.config.report.audit_groups)))
    told = _newest(history_table(history, "customers", as_of=as_of, calendar=run.calendar, columns=names))
    columns = ("name", "text")
    attributes = history_table(history, "attributes", as_of=as_of, calendar=run.calendar, columns=columns)
    found = {}
    for name in names:
        if name in told:
            found[name] = customers.map(told[name])
        elif attributes is not None and (attributes["name"] == name).any():
            found[name] = customers.map(_newest(attributes[attributes["name"] == name])["text"])
        elif name == REGION and (of_orders := _regions(run, history, customers, as_of)) is not None:
            found[name] = of_orders
    return {name: _large(_named(texts)) for name, texts in found.items()}


def _newest(rows: pd.DataFrame | None) -> pd.DataFrame:
    """Return each customer's last row, indexed by the id."""
    if rows is None:
        return pd.DataFrame()
    return rows.drop_duplicates("customer_id", keep="last").set_index("customer_id")


def _regions(run: Run, history: History, customers: pd.Series, as_of: date) -> pd.Series | None:
    keys = np.array([history.customer_key(name) for name in customers], dtype=np.int64)
    told = regions(run, history, keys, as_of=as_of)
    return None if told is None else pd.Series(told, index=customers.index)


def _named(values: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values):  # a flag
        values = values.map({0.0: "no", 1.0: "yes"})
    return values.astype(object).where(values.notna(), NOT_KNOWN)


def _large(names: pd.Series) -> pd.Series:
    counts = names.map(names.value_counts())
    return names.mask((counts < LEAST_CUSTOMERS) & (names != NOT_KNOWN), SMALL)
