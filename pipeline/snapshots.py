"""Snapshots of the history as tables: everybody at one date, and the labelled past for training."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.build import FeatureSettings, build_features
from features.labels import build_labels
from models.level import LevelSeries
from models.reference import DateReference
from pipeline.run import Run
from tables.calendar import DAY
from tables.history import History

KEYS = ("customer", "as_of")
Keep = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class Training:
    """Labelled snapshots of past dates.

    Attributes:
        features: one row per snapshot, feature columns only.
        churned: int8, 1 where no order came in the outcome window.
        as_of: snapshot date per row.
        customer: customer key per row.
        references: what each date says about everybody.
        series: churn share of every date over the whole population.
        rows_before_cap: snapshots there were before ``max_rows`` dropped customers.
    """

    features: pd.DataFrame
    churned: npt.NDArray[np.int8]
    as_of: npt.NDArray[np.object_]
    customer: npt.NDArray[np.int64]
    references: Mapping[date, DateReference]
    series: LevelSeries
    rows_before_cap: int


@dataclass(frozen=True)
class DateFrame:
    """Everybody with a visible row at one date.

    Attributes:
        as_of: the date.
        customer: customer key per row.
        features: feature columns, one row per customer.
        in_population: whether the churn model applies: an order within ``active_within_days``.
        reference: what the date says about everybody.
    """

    as_of: date
    customer: npt.NDArray[np.int64]
    features: pd.DataFrame
    in_population: npt.NDArray[np.bool_]
    reference: DateReference

    @property
    def population(self) -> pd.DataFrame:
        """Features of the customers the churn model applies to."""
        return self.features[self.in_population]


def feature_settings(run: Run) -> FeatureSettings:
    """Return the settings of the features for this business."""
    return FeatureSettings(windows=run.config.features.windows, horizon_days=run.config.churn.horizon_days)


def date_frame(run: Run, history: History, as_of: date) -> DateFrame:
    """Build the features of every customer with a visible row at a date, sorted by key."""
    frame = _features(run, history, [as_of], None)
    columns = frame.columns.difference(KEYS, sort=False)
    in_population = _is_active(run, frame)
    reference = _reference(run, frame, in_population, as_of)
    return DateFrame(as_of, frame["customer"].to_numpy(), frame[columns], in_population, reference)


def training(run: Run, history: History, *, until: date) -> Training:
    """Build the labelled snapshots whose outcomes were settled and known at the midnight of a day.

    Args:
        run: the run.
        history: the validated history.
        until: no outcome window ends, settled, after this midnight, and no label uses a row known later.
    """
    dates = run.rule.training_dates(until, run.calendar.day_of(history.first_order_at))
    labels = labelled(run, history, dates, known_before=run.calendar.midnight(until))
    keep = cap_customers(run, history, len(labels))
    frame = _features(run, history, dates, keep).merge(labels, on=list(KEYS), how="left")
    in_population = frame["churned"].notna().to_numpy()
    references = _references(run, frame, in_population)
    rows = frame[in_population]
    return Training(
        features=rows[rows.columns.difference([*KEYS, "churned"], sort=False)].reset_index(drop=True),
        churned=rows["churned"].to_numpy(np.int8),
        as_of=rows["as_of"].dt.date.to_numpy(),
        customer=rows["customer"].to_numpy(np.int64),
        references=references,
        series=_series(labels, references),
        rows_before_cap=len(labels),
    )


def level_series(run: Run, history: History, known: LevelSeries, *, until: date) -> LevelSeries:
    """Extend a model's series of churn shares by the dates settled since, as they were known at a midnight."""
    until = min(until, run.calendar.day_of(history.newest_order_at))
    dates = run.rule.training_dates(until, run.calendar.day_of(history.first_order_at))
    newer = [day for day in dates if not known.as_of or day > known.as_of[-1]]
    if not newer:
        return known
    labels = labelled(run, history, newer, known_before=run.calendar.midnight(until))
    keep = cap_customers(run, history, len(labels))
    frame = _features(run, history, newer, keep)
    references = _references(run, frame, _is_active(run, frame))
    more = _series(labels, references)
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


def _features(run: Run, history: History, dates: Sequence[date], keep: Keep | None) -> pd.DataFrame:
    blocks = build_features(
        history, as_of=dates, calendar=run.calendar, settings=feature_settings(run), keep=keep
    )
    frame = pd.concat([block.frame for block in blocks], ignore_index=True)
    return frame.sort_values(list(KEYS), ignore_index=True)


def _is_active(run: Run, frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell who ordered within ``active_within_days``, counted from local midnight to local midnight."""
    within = timedelta(days=run.config.churn.active_within_days)
    longest = {
        stamp: (run.calendar.midnight(stamp.date()) - run.calendar.midnight(stamp.date() - within)) / DAY
        for stamp in frame["as_of"].unique()
    }
    return np.asarray(frame["days_since_last_order"].to_numpy() <= frame["as_of"].map(longest).to_numpy())


def _references(
    run: Run, frame: pd.DataFrame, in_population: npt.NDArray[np.bool_]
) -> dict[date, DateReference]:
    return {
        stamp.date(): _reference(run, group, in_population[group.index], stamp.date())
        for stamp, group in frame.groupby("as_of")
    }


def _reference(
    run: Run, frame: pd.DataFrame, in_population: npt.NDArray[np.bool_], as_of: date
) -> DateReference:
    buyers = frame[frame["purchase_days_total"].to_numpy() > 0]
    return DateReference.fit(
        frame.loc[in_population, frame.columns.difference([*KEYS, "churned"], sort=False)],
        as_of=as_of,
        horizon_days=run.config.churn.horizon_days,
        purchases=buyers,
    )


def _series(labels: pd.DataFrame, references: Mapping[date, DateReference]) -> LevelSeries:
    shares = labels.groupby("as_of")["churned"].agg(["size", "mean"])
    days = [stamp.date() for stamp in shares.index]
    return LevelSeries(
        as_of=tuple(days),
        customers=tuple(map(float, shares["size"])),
        churn_rate=tuple(map(float, shares["mean"])),
        mean_no_purchase=tuple(references[day].mean_no_purchase for day in days),
    )
