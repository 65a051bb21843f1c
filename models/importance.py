"""What a trained model looks at: how far each feature moves risks, and how churn runs along a feature."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.churn import ChurnModel
from models.columns import evenly_spread
from models.evaluation import Row, wilson
from models.reference import DateReference
from models.weighted import effective_rows, weights_of
from models.wordings import theme_of

Array = npt.NDArray[np.float64]

_BINS = 8
_ASKED = 300  # exact contributions cost milliseconds a row


class Importances(NamedTuple):
    """How far features move the logit of the risk, largest first.

    Attributes:
        features: ``feature``, ``theme``, ``mean_contribution`` (mean absolute change of the logit).
        themes: ``theme``, ``mean_contribution``; features of a theme are added before the mean, for they move
            together and may undo each other.
    """

    features: pd.DataFrame
    themes: pd.DataFrame


def importances(
    model: ChurnModel, X: pd.DataFrame, *, reference: DateReference, most: int = _ASKED
) -> Importances:
    """Say which features, and which themes, move risks most.

    Args:
        model: the model.
        X: features of a date's population.
        reference: the date's reference with its level.
        most: how many customers to ask, evenly spread over the rows.
    """
    asked = X.iloc[evenly_spread(len(X), most)][list(model.feature_names_in_)].astype(np.float32)
    slope = 1.0 if reference.level is None else reference.level.slope
    moved = pd.DataFrame(slope * model.members_.contributions(asked, reference), columns=asked.columns)
    themes = pd.Series({name: theme_of(name) for name in moved.columns})
    features = _largest_first(moved.abs().mean(), "feature")
    features.insert(1, "theme", themes.loc[features["feature"]].to_numpy())
    return Importances(features, _largest_first(moved.T.groupby(themes).sum().T.abs().mean(), "theme"))


def dependence(
    model: ChurnModel,
    X: pd.DataFrame,
    y: npt.ArrayLike,
    risk: npt.ArrayLike,
    feature: str,
    *,
    reference: DateReference,
    weight: npt.ArrayLike | None = None,
    most: int = _ASKED,
) -> list[Row]:
    """Follow churn along one feature: what happened, what was promised, and what this feature does alone.

    Args:
        model: the model.
        X: features of a date's population.
        y: labels of it, 1 = churned.
        risk: churn risk of each row.
        feature: the feature to follow.
        reference: the date's reference with its level.
        weight: how many customers each row stands for; one where not given.
        most: how many customers are put to each value for ``alone``, evenly spread over the rows.

    Returns:
        One row per group of customers with like values, lowest first, those without the feature last:
        ``value`` (median; missing for these), ``n`` (rows), ``observed`` with its 95 % interval ``low`` and ``high``,
        ``promised`` (mean risk of the group), ``alone`` (mean risk of customers of all groups when put to that
        value, all other features as they are).

    Source: Friedman (2001), "Greedy function approximation", section 8.2, for ``alone``.
    """
    labels, p = np.asarray(y, dtype=np.float64), np.asarray(risk, dtype=np.float64)
    values, w = X[feature].to_numpy(np.float64), weights_of(weight, len(p))
    asked = X.iloc[evenly_spread(len(X), most)]
    rows: list[Row] = []
    for inside in groups_of(values):
        value = float(np.median(values[inside]))
        told, observed = effective_rows(w[inside]), float(np.average(labels[inside], weights=w[inside]))
        low, high = wilson(observed * told, told)
        put = model.predict_proba(asked.assign(**{feature: value}), reference=reference)[:, 1]
        row: Row = {"value": None if np.isnan(value) else value, "n": len(inside)}
        row |= {"observed": observed, "low": low, "high": high}
        promised = float(np.average(p[inside], weights=w[inside]))
        rows.append(row | {"promised": promised, "alone": float(put.mean())})
    return rows


def groups_of(values: Array, *, most: int = _BINS) -> list[npt.NDArray[np.int64]]:
    """Part rows into groups of like values, lowest first; equal values stay together, missing ones come last.

    Args:
        values: one number per row.
        most: most groups of rows that have a value.

    >>> [rows.tolist() for rows in groups_of(np.array([5.0, 1.0, 1.0, np.nan, 9.0]), most=2)]
    [[1, 2], [0, 4], [3]]
    """
    known = np.flatnonzero(~np.isnan(values))
    found = np.flatnonzero(np.isnan(values))
    parts: list[npt.NDArray[np.int64]] = []
    if len(known):
        edges = np.unique(np.quantile(values[known], np.arange(1, most) / most, method="lower"))
        bins = np.searchsorted(edges, values[known], side="left")
        parts = [known[bins == each] for each in np.unique(bins)]
    return [*parts, *([found] if len(found) else [])]


def _largest_first(moved: pd.Series, name: str) -> pd.DataFrame:
    told = moved.rename_axis(name).rename("mean_contribution").reset_index()
    return told.sort_values("mean_contribution", ascending=False, kind="stable", ignore_index=True)
