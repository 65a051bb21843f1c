"""Snapshots of the history as tables: everybody at one date, and the labelled past for training."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.build import FeatureSettings, build_features
from features.builder import Builder
from features.labels import build_labels
from features.lapses import last_fees
from features.population import population_of
from features.visibility import Moment
from models.level import LevelSeries
from models.reference import DateReference
from models.weighted import unless_even
from pipeline.run import Run
from pipeline.treated import TreatedRows, count_rows
from tables.history import History

KEYS = ("customer", "as_of")
_OF_PURCHASES = ("rfm", "tenure")
"""Builders of all that the level of a past date is forecast from."""
Keep = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class Training:
    """Labelled snapshots of past dates.

    Attributes:
        features: one row per snapshot, feature columns only.
        churned: int8, 1 where the customer left by the end of the outcome window.
        as_of: snapshot date per row.
        customer: customer key per row.
        references: what each date says about everybody.
        series: churn share of every date over the whole population.
        rows_before_cap: snapshots there were before ``max_rows`` dropped customers.
        weight: how often each row counts, as that of a customer whose action was withheld; nothing where every
            row counts once.
        treated: what was done with the snapshots of treated customers; nothing where nobody asked.
    """

    features: pd.DataFrame
    churned: npt.NDArray[np.int8]
    as_of: npt.NDArray[np.object_]
    customer: npt.NDArray[np.int64]
    references: Mapping[date, DateReference]
    series: LevelSeries
    rows_before_cap: int
    weight: npt.NDArray[np.float64] | None = None
    treated: TreatedRows | None = None


@dataclass(frozen=True)
class DateFrame:
    """Everybody with a visible row at one date.

    Attributes:
        as_of: the date.
        customer: customer key per row.
        features: feature columns, one row per customer.
        in_population: whether the churn model applies: an order within ``active_within_days``, with contracts
            a running subscription.
        reference: what the date says about everybody.
        last_fee: with contracts: fee of each row's subscriptions that ended last, currency units a month, 0 where
            none did; no model learns from it. Nothing where it was not asked for.
    """

    as_of: date
    customer: npt.NDArray[np.int64]
    features: pd.DataFrame
    in_population: npt.NDArray[np.bool_]
    reference: DateReference
    last_fee: npt.NDArray[np.float64] | None = None

    @property
    def population(self) -> pd.DataFrame:
        """Features of the customers the churn model applies to, indexed by their key."""
        return self.features[self.in_population].set_axis(self.customer[self.in_population])


def feature_settings(run: Run) -> FeatureSettings:
    """Return the settings of the features for this business."""
    return run.config.feature_settings()


def feature_builders(run: Run) -> tuple[Builder, ...]:
    """List the builders whose tables are to give features."""
    return run.config.features.builders(run.config.sources)


def date_frame(run: Run, history: History, as_of: date) -> DateFrame:
    """Build the features of every customer with a visible row at a date, sorted by key."""
    frame, in_population = _features(run, history, [as_of], None)
    columns = frame.columns.difference(KEYS, sort=False)
    reference = _reference(run, frame, in_population, as_of)
    customer = frame["customer"].to_numpy()
    fees = _last_fees(run, history, customer, as_of) if run.rule.is_contract else None
    return DateFrame(as_of, customer, frame[columns], in_population, reference, fees)


def _last_fees(
    run: Run, history: History, customer: npt.NDArray[np.int64], as_of: date
) -> npt.NDArray[np.float64]:
    moment, fees = Moment.of(as_of, run.calendar), np.zeros(history.customers)
    for bucket in range(history.buckets):
        rows = history.read("subscriptions", bucket, ["ended_at", "mrr"])
        fees[bucket :: history.buckets] = last_fees(rows, moment)
    return fees[customer]


def training(run: Run, history: History, *, until: date) -> Training:
    """Build the labelled snapshots whose outcomes were settled and known at the midnight of a day.

    Args:
        run: the run.
        history: the validated history.
        until: no outcome window ends, settled, after this midnight, and no label uses a row known later.
    """
    dates = run.rule.training_dates(until, run.first_day(history))
    labels = labelled(run, history, dates, known_before=run.calendar.known_cutoff(until))
    counted = count_rows(run, history, labels)
    labels = labels.assign(weight=counted.weight)
    frame, in_population = _features(run, history, dates, cap_customers(run, history, len(labels)))
    outcome = frame[list(KEYS)].merge(labels, on=list(KEYS), how="left")[["churned", "weight"]]
    references = _references(run, frame, in_population)  # whoever was treated later was there all the same
    kept = (outcome["weight"] > 0).to_numpy()
    rows = frame[kept]
    return Training(
        features=rows[[*_learnt(run, rows)]].reset_index(drop=True),
        churned=outcome.loc[kept, "churned"].to_numpy(np.int8),
        as_of=rows["as_of"].dt.date.to_numpy(),
        customer=rows["customer"].to_numpy(np.int64),
        references=references,
        series=_series(labels, references),
        rows_before_cap=len(labels),
        weight=unless_even(outcome.loc[kept, "weight"]),
        treated=counted.facts,
    )


def _learnt(run: Run, rows: pd.DataFrame) -> Sequence[str]:
    return run.learns_from or rows.columns.difference(KEYS, sort=False)


def level_series(run: Run, history: History, known: LevelSeries, *, until: date) -> LevelSeries:
    """Extend a model's series of churn shares by the dates settled since, as they were known at a midnight."""
    first_day, until = run.days_seen(history, as_of=until)
    dates = run.rule.training_dates(until, first_day)
    newer = [day for day in dates if not known.as_of or day > known.as_of[-1]]
    if not newer:
        return known
    labels = labelled(run, history, newer, known_before=run.calendar.known_cutoff(until))
    labels = labels.assign(weight=count_rows(run, history, labels).weight)
    keep = cap_customers(run, history, len(labels))
    purchases = [builder for builder in feature_builders(run) if builder.name in _OF_PURCHASES]
    frame, in_population = _features(run, history, newer, keep, purchases)
    more = _series(labels, _references(run, frame, in_population))
    return LevelSeries(
        known.as_of + more.as_of,
        known.customers + more.customers,
        known.churn_rate + more.churn_rate,
        known.mean_no_purchase + more.mean_no_purchase,
    )


def labelled(run: Run, history: History, dates: Sequence[date], *, known_before: int | None) -> pd.DataFrame:
    """Return ``customer, as_of, churned`` of the population at each date."""
    blocks = build_labels(
        history, as_of=dates, calendar=run.calendar, rule=run.rule, known_before=known_before
    )
    return pd.concat([block.frame for block in blocks], ignore_index=True)


def cap_customers(run: Run, history: History, rows: int) -> Keep | None:
    """Return which customers to keep so that about ``max_rows`` snapshots remain, or nothing to keep all.

    Whole customers are kept or dropped, by a hash of their id and the seed, so that adding others changes
    nothing.
    """
    most = run.config.model.max_rows
    if rows <= most:
        return None
    chosen = np.zeros(history.customers, dtype=np.bool_)
    limit = int(2**64 * most / rows)
    key = str(run.config.seed).encode()
    for bucket in range(history.buckets):
        for at, customer_id in enumerate(map(str, history.customer_ids(bucket))):
            digest = hashlib.blake2b(customer_id.encode(), key=key, digest_size=8).digest()
            chosen[at * history.buckets + bucket] = int.from_bytes(digest, "big") < limit

    def keep(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        return np.asarray(chosen[keys])

    return keep


def _features(
    run: Run,
    history: History,
    dates: Sequence[date],
    keep: Keep | None,
    builders: Sequence[Builder] | None = None,
) -> tuple[pd.DataFrame, npt.NDArray[np.bool_]]:
    """Return everybody's features, sorted by customer and date, and who of them is watched."""
    blocks = build_features(
        history,
        as_of=dates,
        calendar=run.calendar,
        settings=feature_settings(run),
        population=population_of(run.rule),
        with_others=True,
        keep=keep,
        builders=feature_builders(run) if builders is None else builders,
    )
    frame = pd.concat([block.frame.assign(is_watched=block.watched) for block in blocks], ignore_index=True)
    frame = frame.sort_values(list(KEYS), ignore_index=True)
    return frame, frame.pop("is_watched").to_numpy()


def _references(
    run: Run, frame: pd.DataFrame, in_population: npt.NDArray[np.bool_]
) -> dict[date, DateReference]:
    # Early on a date may have nobody to watch, and so nothing to learn from.
    watched = frame["as_of"].isin(frame.loc[in_population, "as_of"].unique())
    return {
        stamp.date(): _reference(run, group, in_population[group.index], stamp.date())
        for stamp, group in frame[watched].groupby("as_of")
    }


def _reference(
    run: Run, frame: pd.DataFrame, in_population: npt.NDArray[np.bool_], as_of: date
) -> DateReference:
    has_orders = "purchase_days_total" in frame
    return DateReference.fit(
        frame.loc[in_population, frame.columns.difference(KEYS, sort=False)],
        as_of=as_of,
        horizon_days=run.config.churn.horizon_days,
        purchases=frame[frame["purchase_days_total"].to_numpy() > 0] if has_orders else None,
        leaves_by_silence=not run.rule.is_contract,
    )


def _series(labels: pd.DataFrame, references: Mapping[date, DateReference]) -> LevelSeries:
    weight = labels["weight"]
    terms = {"weight": weight, "churned": weight * labels["churned"], "square": weight**2}
    sums = pd.DataFrame(terms).groupby(labels["as_of"]).sum()
    sums = sums[sums["weight"] > 0]
    days = [stamp.date() for stamp in sums.index]
    return LevelSeries(
        as_of=tuple(days),
        customers=tuple(map(float, sums["weight"] ** 2 / sums["square"])),  # as many as would tell as much
        churn_rate=tuple(map(float, sums["churned"] / sums["weight"])),
        mean_no_purchase=tuple(references[day].mean_no_purchase for day in days),
    )
