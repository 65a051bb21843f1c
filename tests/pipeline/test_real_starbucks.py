"""Offers of a real event log against figures that plain pandas computes from the raw rows."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.build import build_features
from pipeline.config import Config, load_config
from tables.calendar import DAY
from tables.history import History
from tables.ingest import ingest

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
AS_OF = date(2018, 1, 23)
HOUR = 22 * 24  # of the log at AS_OF
TABLES = {"offers", "events", "attributes"}


@pytest.fixture(scope="module")
def config(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Config:
    variables = {"KEEPWELL_DATA": str(real_data), "KEEPWELL__WORKSPACE": str(tmp_path_factory.mktemp("work"))}
    return load_config(ROOT / "configs/starbucks.yaml", variables)


@pytest.fixture(scope="module")
def features(config: Config) -> pd.DataFrame:
    """Features of all tables but the purchases, by customer id."""
    root, calendar = config.workspace / "history", config.calendar()
    ingest(config.sources, root=root, calendar=calendar, now=20_000 * DAY, settings=config.ingest)
    history = History.open(root)
    builders = [
        builder for builder in config.features.builders(config.sources) if TABLES & set(builder.needs)
    ]
    blocks = build_features(
        history, as_of=[AS_OF], calendar=calendar, settings=config.feature_settings(), builders=builders
    )
    frame = pd.concat([block.frame for block in blocks], ignore_index=True)
    ids = np.concatenate([history.customer_ids(bucket) for bucket in range(history.buckets)])
    return frame.set_index(pd.Index(ids[frame["customer"]], name="customer_id")).sort_index()


@pytest.fixture(scope="module")
def log(real_data: Path) -> pd.DataFrame:
    return pd.read_parquet(real_data / "starbucks/events_merged.parquet")


@pytest.fixture(scope="module")
def received(log: pd.DataFrame) -> pd.DataFrame:
    """Offers before the date, with what became of each before it and while it ran; hours of the log."""
    offers = log[(log["event"] == "offer-received") & (log["time"] < HOUR)].reset_index(drop=True)
    offers["ends"] = offers["time"] + 24 * offers["duration"]
    for event in ("offer-viewed", "offer-completed"):
        rows = log.loc[log["event"] == event, ["customer_id", "offer_id", "time"]]
        pairs = (
            offers[["customer_id", "offer_id", "time", "ends"]]
            .reset_index()
            .merge(rows.rename(columns={"time": "at"}), on=["customer_id", "offer_id"])
        )
        inside = pairs[(pairs["time"] <= pairs["at"]) & (pairs["at"] < pairs["ends"]) & (pairs["at"] < HOUR)]
        offers[event] = inside.groupby("index")["at"].min()
    offers["runs"] = (offers["ends"] > HOUR) & offers["offer-completed"].isna()
    return offers


def per_customer(values: pd.Series, offers: pd.DataFrame, features: pd.DataFrame) -> np.ndarray:
    return (
        values.astype(float)
        .groupby(offers["customer_id"])
        .sum()
        .reindex(features.index, fill_value=0)
        .to_numpy()
    )


def test_running_offers_agree_with_plain_pandas(features: pd.DataFrame, received: pd.DataFrame) -> None:
    running = received["runs"]
    expected = {
        "offers_total": running.notna(),
        "offers_7d": received["time"] >= HOUR - 7 * 24,
        "offers_running": running,
        "offers_running_viewed": running & received["offer-viewed"].notna(),
        "offer_reward_running": received["reward"].where(running, 0),
        "offer_difficulty_running": received["difficulty"].where(running, 0),
    } | {f"offers_running_{kind}": running & (received["offer_type"] == kind)
         for kind in ("bogo", "discount", "informational")}  # fmt: skip
    for name, values in expected.items():
        assert np.array_equal(features[name], per_customer(values, received, features)), name
    assert len(received) == 63_512
    assert running.sum() > 10_000


def test_shares_of_offers_agree_with_plain_pandas(features: pd.DataFrame, received: pd.DataFrame) -> None:
    total = per_customer(received["time"] >= 0, received, features)
    for name, event in {
        "offers_viewed_share": "offer-viewed",
        "offers_completed_share": "offer-completed",
    }.items():
        known = per_customer(received[event].notna(), received, features)
        share = np.divide(known, total, out=np.full(len(total), np.nan), where=total > 0)
        assert np.allclose(features[name], share, equal_nan=True), name


def test_events_of_offers_agree_with_plain_pandas(features: pd.DataFrame, log: pd.DataFrame) -> None:
    for event in ("offer-received", "offer-viewed", "offer-completed"):
        rows = log[(log["event"] == event) & (log["time"] < HOUR)]
        name, by = event.replace("-", "_"), rows.groupby("customer_id")["time"]
        since = (HOUR - by.max().reindex(features.index)) / 24
        assert np.array_equal(
            features[f"{name}_events_total"], by.size().reindex(features.index, fill_value=0)
        )
        assert np.allclose(features[f"days_since_last_{name}_event"], since, equal_nan=True)


def test_attributes_of_the_profile_arrive(features: pd.DataFrame, real_data: Path) -> None:
    profile = pd.read_parquet(real_data / "starbucks/profile.parquet").set_index("id").reindex(features.index)
    days = (profile["became_member_on"] - pd.Timestamp("1970-01-01")) / pd.Timedelta("1D")
    assert np.allclose(features["income"], profile["income"], equal_nan=True)
    assert np.array_equal(features["became_member_on"], days)
