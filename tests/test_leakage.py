"""Nothing that happens or becomes known later reaches a feature or a training label, all the way from the files."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from features.population import Buyers, Subscribers
from tests.command_line import keepwell
from tests.drawn_rows import AS_OF, MIDNIGHT, Delivery, Row, a_row
from tests.drawn_shop import (
    CONTRACTS,
    NAMES,
    TRAINED_ON,
    Files,
    anchored,
    shop,
    some,
    split,
    turned_out_otherwise,
    with_another_future,
)

# Every example ingests files, about half a second each: few of them, and no search for a smaller one.
few = settings(
    max_examples=3,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
fewer = settings(few, max_examples=2)
seeds = st.integers(0, 10**9)
offsets = st.sampled_from([0, 5])  # hours after midnight up to which facts may become known
Shops = Callable[..., Files]


@pytest.fixture
def files(tmp_path_factory: pytest.TempPathFactory) -> Shops:
    """Begin an empty history in a fresh folder, however often one test asks."""
    return lambda *args, **kwargs: Files(tmp_path_factory.mktemp("shop"), *args, **kwargs)


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert len(expected) > 0
    assert_frame_equal(found, expected, check_exact=True)
    numbers = expected.select_dtypes(np.number).columns
    assert found[numbers].to_numpy().tobytes() == expected[numbers].to_numpy().tobytes()


def visible_and_hidden(
    rng: np.random.Generator, hours: float, first_day: int = -60
) -> tuple[Delivery, Delivery]:
    """Draw a shop with much of its future known, and part what the snapshot sees from what it must not."""
    cutoff = MIDNIGHT + timedelta(hours=hours)
    found = some(rng, with_another_future(rng, anchored(shop(rng, first_day=first_day)), cutoff))
    parts = {table: split(rows, cutoff) for table, rows in found.items()}
    return {table: part[0] for table, part in parts.items()}, {
        table: part[1] for table, part in parts.items()
    }


def both(first: Delivery, second: Delivery) -> Delivery:
    return {table: [*rows, *second[table]] for table, rows in first.items()}


def line(order: str, number: int, days: int, amount: int, known: int | None = None, **content: object) -> Row:
    """One order line of ann, days from the snapshot's midnight."""
    plain = {"product_id": "p", "category": "x", "discount": 0, "quantity": 1, "cost": 1, "shipping": 0,
             "channel": "web", "region": "LT"}  # fmt: skip
    own = {"order_id": order, "line_no": number, "amount": amount, "is_return": 0, **content}
    at = MIDNIGHT + timedelta(days=days)
    return Row("ann", at, None if known is None else MIDNIGHT + timedelta(days=known), {**plain, **own})


def test_a_line_at_midnight_or_known_then_is_hidden(files: Shops) -> None:
    seen = [line("A", 1, -9, 10)]
    late = [line("A", 2, 0, 20, known=-5), line("B", 1, -3, 40, known=0), line("A", 1, -9, 80, known=0)]
    history = files().take_in({"orders": [*seen, *late]})
    tonight, tomorrow = history.features(AS_OF, AS_OF + timedelta(days=1))["spend_total"]
    assert (tonight, tomorrow) == (10, 80 + 20 + 40)


def test_a_row_without_known_time_is_known_before_its_correction(files: Shops) -> None:
    history = files().take_in({"orders": [line("A", 1, -9, 10), line("A", 1, -9, 80, known=3)]})
    features = history.features(AS_OF, AS_OF + timedelta(days=4))
    assert features["spend_total"].tolist() == [10, 80]


def test_the_first_return_adds_no_feature_to_the_past(files: Shops) -> None:
    before = files().take_in({"orders": [line("A", 1, -9, 10)]})
    after = files().take_in({"orders": [line("A", 1, -9, 10), line("R", 1, 2, 5, is_return=1)]})
    assert before.features()["returns_90d"].tolist() == [0]
    assert_same(after.features(), before.features())
    before.take_in({"orders": [line("R", 1, 2, 5, is_return=1)]})
    assert_same(before.features(AS_OF + timedelta(days=3)), after.features(AS_OF + timedelta(days=3)))


@few
@given(seed=seeds, hours=offsets)
def test_another_future_of_every_table_changes_no_feature(files: Shops, seed: int, hours: int) -> None:
    rng = np.random.default_rng(seed)
    found = anchored(shop(rng))
    other = with_another_future(rng, found, MIDNIGHT + timedelta(hours=hours))
    first, second = (files(hours).take_in(delivery) for delivery in (found, other))
    assert_same(second.features(), first.features())
    for population in (Buyers(20), Subscribers()):
        assert_same(second.features(population=population), first.features(population=population))


@few
@given(seed=seeds, hours=offsets)
def test_the_future_changes_nothing_on_whichever_night_it_comes(files: Shops, seed: int, hours: int) -> None:
    visible, hidden = visible_and_hidden(np.random.default_rng(seed), hours)
    nightly = files(hours).take_in(visible)
    before = nightly.features()
    for half in (0, 1):
        nightly.take_in({table: rows[half::2] for table, rows in hidden.items()})
    assert_same(nightly.features(), before)
    assert_same(files(hours).take_in(both(visible, hidden)).features(), before)


@few
@given(seed=seeds, hours=offsets)
def test_late_files_without_known_times_change_no_past_night(files: Shops, seed: int, hours: int) -> None:
    rng = np.random.default_rng(seed)
    past = some(rng, anchored(shop(rng, last_day=-7)), without=["calendar"])
    late = shop(rng, (*NAMES, "new"), mark="late")
    late = {table: late[table] for table in past}
    history = files(hours)
    cutoff = history.calendar.known_cutoff(AS_OF)
    history.take_in(past, with_known=False, known_cutoff=cutoff)
    before = history.features(AS_OF, *TRAINED_ON)
    history.take_in(late, with_known=False, known_cutoff=cutoff)
    assert_same(history.features(AS_OF, *TRAINED_ON), before)


@fewer
@given(seed=seeds, hours=offsets)
def test_what_is_known_after_an_evaluation_changes_no_training(files: Shops, seed: int, hours: int) -> None:
    rng = np.random.default_rng(seed)
    visible, hidden = visible_and_hidden(rng, 0, first_day=-40)
    newest = {
        "orders": [line("newest", 1, 1, 1)],
        "subscriptions": [a_row(rng, "subscriptions", "ann", "n", 1, 2)],
    }
    first = files(hours).take_in(visible).take_in(newest)
    before = trained_on(first)
    second = files(hours).take_in(both(turned_out_otherwise(rng, visible), hidden))
    first.take_in(hidden)
    for history in (first, second):
        for found, expected in zip(trained_on(history), before, strict=True):
            assert_same(found, expected)


def trained_on(history: Files) -> tuple[pd.DataFrame, ...]:
    """Features and the labels of both kinds of churn that an evaluation at the snapshot trains on."""
    return history.features(*TRAINED_ON), history.labels(), history.labels(CONTRACTS)


@fewer
@given(seed=seeds)
def test_order_of_rows_in_the_files_changes_nothing(files: Shops, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = some(rng, anchored(shop(rng)))
    mixed = {table: [rows[at] for at in rng.permutation(len(rows))] for table, rows in found.items()}
    first, second = (files().take_in(delivery) for delivery in (found, mixed))
    assert_same(second.features(AS_OF, *TRAINED_ON), first.features(AS_OF, *TRAINED_ON))


@fewer
@given(seed=seeds, limit=st.integers(1, 4))
def test_more_customers_and_buckets_change_nobody_else(files: Shops, seed: int, limit: int) -> None:
    rng = np.random.default_rng(seed)
    found = some(rng, anchored(shop(rng)), without=["calendar"])
    drawn = shop(rng, ("aaa", "bab", "zzz"), mark="other")
    others = {table: drawn[table] for table in found}
    alone = files().take_in(found).features(AS_OF, *TRAINED_ON)
    bucketed = files(customers_per_bucket=limit).take_in(found)
    assert bucketed.history.buckets > 1
    assert_same(bucketed.features(AS_OF, *TRAINED_ON), alone)
    crowd = files(customers_per_bucket=limit).take_in(both(found, others)).features(AS_OF, *TRAINED_ON)
    others_left_out = crowd[crowd["customer"].isin({*NAMES, "zoe"})].reset_index(drop=True)
    assert len(others_left_out) < len(crowd)
    assert_same(others_left_out, alone)


CONFIG = """\
workspace: {folder}/workspace
time_zone: Europe/Vilnius
sources:
  orders:
    path: {folder}/orders/*.csv
    columns: {{customer_id: customer_id, order_id: order_id, line_no: line_no, ordered_at: ordered_at,
      amount: amount, known_at: known_at, is_return: is_return}}
  subscriptions:
    path: {folder}/subscriptions/*.csv
    columns: {{customer_id: customer_id, subscription_id: subscription_id, started_at: started_at, plan: plan,
      mrr: mrr, renews_at: renews_at, ended_at: ended_at, known_at: known_at}}
churn: {{horizon_days: 7, active_within_days: 14}}
actions: {{catalogue: configs/actions.yaml, budget: {{amount: 10, per: night}}}}
"""


@pytest.mark.slow
def test_the_command_line_exports_the_same_features_later(tmp_path: Path) -> None:
    visible, hidden = visible_and_hidden(np.random.default_rng(5), 0)
    (tmp_path / "shop.yaml").write_text(CONFIG.format(folder=tmp_path))
    exported = []
    for night, rows in enumerate((visible, hidden)):
        for table in ("orders", "subscriptions"):
            Files(tmp_path).write(table, rows[table], name=str(night))
        out = tmp_path / f"{night}.parquet"
        words = ("features", "-c", tmp_path / "shop.yaml", "--as-of", str(AS_OF), "--out", out)
        told = keepwell(*words)
        assert told.returncode == 0, told.stderr
        exported.append(out.read_bytes())
    assert exported[0] == exported[1]
