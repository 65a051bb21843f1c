"""Who is drawn as one: customers who live together, and those who brought each other.

What one of them gets the others hear of; split between the arms they would blur the difference.
"""

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from actions.experiment.control import Cluster
from tables.errors import SchemaError


def units_of(
    customers: pd.DataFrame,
    clusters: Collection[Cluster],
    *,
    kept: Mapping[str, str] | pd.Series | None = None,
) -> pd.Series:
    """Name the unit of each customer.

    Args:
        customers: ``customer_id``, and where known ``household_id`` and ``referred_by`` (a customer id).
        clusters: ``household`` joins the members of one household, ``referral`` those who brought each other,
            over any number of steps. A unit of referrals is named after where it began, so that whoever joins
            it changes nobody's unit.
        kept: unit by customer id of those who keep theirs, whatever has become known since.

    Returns:
        One name per row: ``household`` and its id, or a customer id.

    Raises:
        SchemaError: if referrals are to join customers and nobody says who referred whom.

    Examples:
        >>> rows = {"customer_id": ["ann", "bob", "cid"], "household_id": ["h1", "h1", None],
        ...         "referred_by": [None, None, "bob"]}
        >>> units_of(pd.DataFrame(rows), ["household"]).tolist()
        ['household h1', 'household h1', 'cid']
        >>> units_of(pd.DataFrame(rows), ["household", "referral"]).tolist()
        ['household h1', 'household h1', 'household h1']
    """
    units = customers["customer_id"].astype(object)
    if "household" in clusters and "household_id" in customers:
        household = customers["household_id"].astype(object)
        units = ("household " + household).where(household.notna(), units)
    if "referral" in clusters:
        if "referred_by" not in customers:
            raise SchemaError.missing_column("referred_by", table="customers", found=customers.columns)
        units = _joined(customers, units)
    if kept is not None and len(kept):
        units = customers["customer_id"].map(kept).astype(object).fillna(units)
    return units.astype("str").rename("unit")


def _joined(customers: pd.DataFrame, units: pd.Series) -> pd.Series:
    """Give all units that referrals connect the name of the one that nobody of them referred."""
    referrer = customers["referred_by"].astype(object)
    brought = referrer.notna().to_numpy()
    unit_of_id = pd.Series(units.to_numpy(), index=customers["customer_id"].to_numpy())
    source = referrer[brought].map(unit_of_id).fillna(referrer[brought])
    codes, names = pd.factorize(pd.concat([units, source]), sort=True)
    child, parent = codes[: len(units)][brought], codes[len(units) :]
    edges = coo_array((np.ones(len(child), np.int8), (child, parent)), shape=(len(names), len(names)))
    cluster = connected_components(edges, directed=False)[1]
    return pd.Series(
        np.asarray(names)[_origins(child, parent, cluster)[codes[: len(units)]]], index=units.index
    )


def _origins(
    child: npt.NDArray[np.intp], parent: npt.NDArray[np.intp], cluster: npt.NDArray[np.int32]
) -> npt.NDArray[np.intp]:
    """Return for each unit where its cluster began: the first in order that was not referred, or of all in a ring."""
    is_referred = np.zeros(len(cluster), dtype=bool)
    is_referred[child[child != parent]] = True
    order = np.lexsort((np.arange(len(cluster)), is_referred, cluster))
    begins = np.unique(cluster[order], return_index=True)[1]
    return np.asarray(order[begins][cluster])
