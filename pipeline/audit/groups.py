"""Groups of customers whose treatment is audited: attributes that nothing else may read."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.attributes import history_table
from pipeline.audit.settings import dates_among
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
        run: the run; ``report.audit_groups`` names columns of customers, and attributes, with the limits of
            bands where they are numbers or dates.
        history: the validated history.
        customers: their ids, each once.
        as_of: rows known later are left out.

    Returns:
        One text per customer and attribute; ``not known`` where nothing was told, ``small groups`` where fewer than
        twenty share it. A number is told by its band, a date by the band of the whole years since then.
    """
    groups = run.config.report.audit_groups
    names = tuple(dict.fromkeys((REGION, *groups)))
    told = _newest(history_table(history, "customers", as_of=as_of, calendar=run.calendar, columns=names))
    columns = ("name", "text", "number")
    attributes = history_table(history, "attributes", as_of=as_of, calendar=run.calendar, columns=columns)
    found = {}
    for name in names:
        if name in told:
            found[name] = customers.map(told[name])
        elif attributes is not None and (attributes["name"] == name).any():
            rows, limits = _newest(attributes[attributes["name"] == name]), groups.get(name, ())
            if name in dates_among(run.config.sources):
                rows["number"] = years_since(rows["number"], as_of)
            found[name] = customers.map(banded(rows["number"], limits) if limits else rows["text"])
        elif name == REGION and (of_orders := _regions(run, history, customers, as_of)) is not None:
            found[name] = of_orders
    return {name: _grouped(values, band_names(groups.get(name, ()))) for name, values in found.items()}


def band_names(limits: Sequence[float]) -> list[str]:
    """Name the bands between limits, each of which is the least value of its own band.

    >>> band_names([18, 30, 65])
    ['below 18', '18 to below 30', '30 to below 65', '65 and above']
    """
    if not limits:
        return []
    between = [f"{least:g} to below {end:g}" for least, end in pairwise(limits)]
    return [f"below {limits[0]:g}", *between, f"{limits[-1]:g} and above"]


def banded(values: pd.Series, limits: Sequence[float]) -> pd.Series:
    """Name the band that each value lies in; missing where there is none.

    >>> banded(pd.Series([17.5, 18, 64, 65, np.nan]), [18, 65]).tolist()
    ['below 18', '18 to below 65', '18 to below 65', '65 and above', nan]
    """
    names = np.array(band_names(limits), dtype=object)
    places = np.searchsorted(limits, values.fillna(limits[0]), side="right")
    return pd.Series(names[places], values.index).where(values.notna())


def years_since(days: pd.Series, as_of: date) -> pd.Series:
    """Count the whole years from a day to a date.

    Args:
        days: days since 1970-01-01.
        as_of: the date.

    >>> born = pd.Series(np.array(["2000-06-02", "2000-06-03"], "datetime64[D]").astype(float))
    >>> years_since(born, date(2026, 6, 2)).tolist()
    [26, 25]
    """
    born = pd.to_datetime(days, unit="D").dt
    is_ahead = 100 * born.month + born.day > 100 * as_of.month + as_of.day
    return as_of.year - born.year - is_ahead


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


def _grouped(values: pd.Series, bands: Sequence[str]) -> pd.Series:
    """Name the groups: bands in their order, then all others by name."""
    names = _large(_named(values))
    return names.astype(pd.CategoricalDtype([*bands, *sorted(set(names) - set(bands))]))


def _large(names: pd.Series) -> pd.Series:
    counts = names.map(names.value_counts())
    return names.mask((counts < LEAST_CUSTOMERS) & (names != NOT_KNOWN), SMALL)
