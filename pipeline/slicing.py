"""Which groups of customers a model is judged in, besides all of them."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.evaluation import tenure_bands
from models.reference import DateReference
from models.segments import segments_of

Labels = npt.NDArray[np.object_]
_SINCE_START = ("days_since_first_order", "days_since_subscription_start")


def slicings(population: pd.DataFrame, reference: DateReference) -> Mapping[str, Labels]:
    """Label the customers of a date by the groups in which the model may be weak.

    Args:
        population: features of the customers the churn model speaks for.
        reference: the date's reference, with the edges of its scores.

    Returns:
        By name of the slicing one label per customer: ``segment`` (RFM), ``tenure`` (band of days since the
        customer's first order, or start of subscription). A slicing whose features are absent is left out.
    """
    found: dict[str, Labels] = {}
    if {"days_since_last_order", "orders_total", "spend_total"} <= set(population.columns):
        segments = segments_of(population, reference.rfm_edges)["segment"]
        found["segment"] = segments.to_numpy(dtype=object)
    start = [name for name in _SINCE_START if name in population.columns]
    if start:
        found["tenure"] = tenure_bands(population[start[0]].to_numpy(np.float64))
    return found
