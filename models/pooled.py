"""Models judged over several dates: each metric is taken within a date and averaged, customers are resampled.

A customer watched at many dates is drawn or left out at all of them alike, so intervals do not take ten looks at
one customer for ten customers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.bootstrap import RankedRisks, customer_weights, draws_for, interval, share_above
from models.evaluation import Row, check_evaluable
from models.metrics import METRICS, Array
from models.weighted import weights_of
from tables.errors import DataError

Draws = Mapping[str, Array]


@dataclass(frozen=True)
class Outcome:
    """What came after one date, and what each model had said of it.

    Attributes:
        churned: labels, 1 = churned.
        customer: customer of each row.
        predictions: churn risk by name of the model; the same names at every date.
        weight: how many customers each row stands for; one where not given.
        profit: by name of the model what acting on it brought in each row, currency units; empty where nobody asks.
    """

    churned: npt.NDArray[np.generic]
    customer: npt.NDArray[np.generic]
    predictions: Mapping[str, Array]
    weight: Array | None = None
    profit: Mapping[str, Array] = field(default_factory=dict)


def pooled_metrics(outcomes: Sequence[Outcome], seed: int, drawn: Draws | None = None) -> list[Row]:
    """Score every model at every date and average over the dates.

    Args:
        outcomes: one per date, all with the same models.
        seed: seed of the bootstrap.
        drawn: what ``pooled_draws`` gave for the same outcomes and seed, where it was called already.

    Returns:
        One row a model, as ``evaluate_models`` returns them; of one date exactly those.

    Raises:
        DataError: as ``evaluate_models``, at any date.
    """
    _check(outcomes)
    drawn = drawn or pooled_draws(outcomes, seed)
    rows: list[Row] = []
    for name in outcomes[0].predictions:
        row: Row = {"name": name}
        for column, (metric, value) in enumerate(METRICS.items()):
            low, high = interval(drawn[name][:, column])
            row |= {metric: _mean(outcomes, name, value), f"{metric}_low": low, f"{metric}_high": high}
        rows.append(row)
    return rows


def pooled_differences(
    outcomes: Sequence[Outcome], seed: int, *, challenger: str, drawn: Draws | None = None
) -> list[Row]:
    """Compare one model with each other one over several dates, customers resampled for both alike.

    Args:
        outcomes: one per date, all with the same models.
        seed: seed of the bootstrap.
        challenger: name of the model whose advantage is measured.
        drawn: as for ``pooled_metrics``.

    Returns:
        One row per other model and metric, as ``paired_differences`` returns them.

    Raises:
        DataError: as ``evaluate_models``, or no model of the challenger's name.
    """
    _check(outcomes)
    if challenger not in outcomes[0].predictions:
        raise DataError(
            f"evaluation: no predictions of {challenger!r}; found {sorted(outcomes[0].predictions)}. Name one of them."
        )
    drawn = drawn or pooled_draws(outcomes, seed)
    rows: list[Row] = []
    for name in drawn:
        if name == challenger:
            continue
        apart = drawn[challenger] - drawn[name]
        for column, (metric, value) in enumerate(METRICS.items()):
            low, high = interval(apart[:, column])
            found = _mean(outcomes, challenger, value) - _mean(outcomes, name, value)
            row: Row = {"name": name, "metric": metric, "difference": found, "low": low, "high": high}
            rows.append(row | {"share_above": share_above(apart[:, column])})
    return rows


def pooled_draws(outcomes: Sequence[Outcome], seed: int) -> Draws:
    """Return, by name of the model, every metric averaged over the dates under the same resampled customers."""
    ranked = [
        {name: RankedRisks.of(date.churned, risk) for name, risk in date.predictions.items()}
        for date in outcomes
    ]
    own = [weights_of(date.weight, len(date.churned)) for date in outcomes]
    borders = np.cumsum([len(weight) for weight in own])[:-1]
    customers = np.concatenate([date.customer for date in outcomes])
    rows: dict[str, list[Array]] = {name: [] for name in ranked[0]}
    for weight in customer_weights(customers, seed=seed, draws=draws_for(len(customers))):
        counted = [drawn * each for drawn, each in zip(np.split(weight, borders), own, strict=True)]
        for name, values in rows.items():
            at_dates = [risks[name].weighed(w) for risks, w in zip(ranked, counted, strict=True)]
            values.append(np.mean(at_dates, axis=0))
    return {name: np.stack(values) for name, values in rows.items()}


def profit_difference(outcomes: Sequence[Outcome], seed: int, *, challenger: str, champion: str) -> Row:
    """Compare what acting on two models brought, averaged over the dates, customers resampled for both alike.

    Whom either chose is taken as given: what is resampled is who they were.

    Args:
        outcomes: one per date, with the profits of both.
        seed: seed of the bootstrap.
        challenger: name of the model whose advantage is measured.
        champion: name of the other one.

    Returns:
        ``difference`` in currency units a date, and its 95 % interval ``low``, ``high``.
    """
    gains = [
        weights_of(date.weight, len(date.churned)) * (date.profit[challenger] - date.profit[champion])
        for date in outcomes
    ]
    gain = np.concatenate(gains) / len(outcomes)
    customers = np.concatenate([date.customer for date in outcomes])
    drawn = customer_weights(customers, seed=seed, draws=draws_for(len(customers)))
    low, high = interval(np.array([weight @ gain for weight in drawn]))
    return {"difference": float(gain.sum()), "low": low, "high": high}


def _mean(outcomes: Sequence[Outcome], name: str, value: Callable[..., float]) -> float:
    return float(
        np.mean([value(date.churned, date.predictions[name], weight=date.weight) for date in outcomes])
    )


def _check(outcomes: Sequence[Outcome]) -> None:
    if not outcomes:
        raise DataError("evaluation: no date to judge at; found none. Choose an earlier evaluation date.")
    for date in outcomes:
        check_evaluable(date.churned, date.predictions, date.customer, date.weight)
    names = {tuple(date.predictions) for date in outcomes}
    if len(names) > 1:
        raise DataError(
            f"evaluation: dates with different models; found {sorted(names)}. Score the same models at every date."
        )
