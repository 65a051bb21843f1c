"""One feature alone that knows too much is named; honest ones are not."""

import numpy as np
import pandas as pd
import pytest

from models.leaks import Separation, _each_auc, _in_order, separation
from models.metrics import auc

NAMES = [f"orders_{days}d" for days in range(1, 13)]


def business(seed: int, rows: int = 600) -> tuple[pd.DataFrame, np.ndarray]:
    """Twelve honest features that each tell a little."""
    rng = np.random.default_rng(seed)
    churned = (rng.random(rows) < 0.4).astype(int)
    values = {name: rng.normal(0.25 * churned, 1) for name in NAMES}
    values[NAMES[0]][rng.random(rows) < 0.3] = np.nan
    return pd.DataFrame(values), churned


def looked_at(trusted: tuple[str, ...] = (), **leaks: float) -> Separation:
    """Plant features that say the outcome, some share of it told the wrong way."""
    parts = []
    for seed in (1, 2):
        X, y = business(seed)
        rng = np.random.default_rng(seed + 10)
        for name, wrong in leaks.items():
            X[name] = np.where(rng.random(len(y)) < wrong, 1 - y, y) + 0.05 * rng.normal(size=len(y))
        parts += [X, y]
    X, y, X_test, y_test = parts
    return separation(X, y, X_test, y_test, seed=7, trusted=trusted)


def test_honest_features_together_say_more_than_the_strongest() -> None:
    found = looked_at()
    assert found.suspicious == ()
    assert 0.5 < float(found.alone[0]["auc"] or 0) < found.rest + 0.1


def test_a_feature_that_says_the_outcome_is_named() -> None:
    found = looked_at(spend_next_30d=0.0)
    assert found.suspicious == ("spend_next_30d",)
    assert float(found.alone[0]["auc"] or 0) > 0.99


def test_a_noisy_leak_under_two_names_is_named_twice() -> None:
    assert set(looked_at(leaked_1=0.05, leaked_2=0.05).suspicious) == {"leaked_1", "leaked_2"}


def test_a_leak_that_bends_both_ways_is_seen() -> None:
    X, y = business(1)
    X_test, y_test = business(2)
    for frame, churned in ((X, y), (X_test, y_test)):
        frame["distance"] = np.where(churned == 1, 0.0, np.where(np.arange(len(churned)) % 2, 5.0, -5.0))
    assert separation(X, y, X_test, y_test, seed=7).suspicious == ("distance",)


def test_a_leak_that_is_missing_or_not_is_seen() -> None:
    X, y = business(1)
    X_test, y_test = business(2)
    for frame, churned in ((X, y), (X_test, y_test)):
        frame["days_to_next_order"] = np.where(churned == 1, np.nan, 3.0)
    assert separation(X, y, X_test, y_test, seed=7).suspicious == ("days_to_next_order",)


def test_a_last_day_seen_that_moves_on_with_time_is_named() -> None:
    (X, y), (X_test, y_test) = (
        (X.assign(last_seen=day + np.where(y == 1, -30.0, 30.0) + np.arange(len(y)) % 20), y)
        for day, (X, y) in ((19_000, business(1)), (19_400, business(2)))
    )
    assert separation(X, y, X_test, y_test, seed=7).suspicious == ("last_seen",)


def test_a_trusted_feature_is_not_suspicious() -> None:
    assert looked_at(trusted=("days_to_renewal",), days_to_renewal=0.0).suspicious == ()


def test_a_strong_honest_offer_is_not_suspicious() -> None:
    assert looked_at(offers_running=0.2).suspicious == ()


@pytest.mark.parametrize("names", [1, 10, 11, 30])
def test_a_leak_under_many_names_is_seen(names: int) -> None:
    found = looked_at(**{f"leaked_{number}": 0.03 for number in range(names)})
    assert found.suspicious
    assert all(name.startswith("leaked_") for name in found.suspicious)


def test_a_leak_beside_one_honest_feature_is_named() -> None:
    (X, y), (X_test, y_test) = ((frame[NAMES[:1]].assign(leaked=y), y) for frame, y in map(business, (1, 2)))
    assert separation(X, y, X_test, y_test, seed=7).suspicious == ("leaked",)


def many_types(seed: int, strongest: float, others: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Types of event written down too early for some churners, one of them for others than the rest."""
    X, y = business(seed, rows=3000)
    rng = np.random.default_rng(seed + 10)
    told = [strongest] + others * [0.5]
    flags = {f"type_{at}": rng.random(len(y)) < np.where(y, share, 0.1) for at, share in enumerate(told)}
    return X.assign(**flags).astype(float), y


def test_a_rest_near_perfection_is_itself_suspicious() -> None:
    found = separation(*many_types(1, 0.5, 24), *many_types(2, 0.5, 24), seed=7)
    assert found.rest > 0.97
    assert max(float(row["auc"] or 0) for row in found.alone) < 0.85
    assert len(found.suspicious) == 10 and all(name.startswith("type_") for name in found.suspicious)


def test_a_leaking_table_is_left_out_whole() -> None:
    sources = {f"type_{at}": "events" for at in range(15)}
    parts = *many_types(1, 0.97, 14), *many_types(2, 0.97, 14)
    assert separation(*parts, seed=7).suspicious == ()
    found = separation(*parts, seed=7, sources=sources)
    assert found.rest < 0.75
    assert found.suspicious == ("type_0",)


def test_a_trusted_feature_lets_the_rest_be_high() -> None:
    parts = [business(seed) for seed in (1, 2)]
    X, X_test = (X.assign(renewal=y, honest=np.arange(len(y)) % 7) for X, y in parts)
    found = separation(X, parts[0][1], X_test, parts[1][1], seed=7, trusted=("renewal",))
    assert found.rest > 0.97 and found.suspicious == ()


def test_all_features_at_once_are_judged_as_one_by_one() -> None:
    X, churned = business(3, rows=60)
    X = X.round(1).assign(unknown=np.nan, never=0.0)
    whole = X.fillna(X.median()).fillna(0.0)
    one_by_one = [auc(churned, whole[name]) for name in X]
    assert _each_auc(churned, whole) == pytest.approx(one_by_one, abs=1e-12)
    assert _in_order(churned, X) == pytest.approx([max(found, 1 - found) for found in one_by_one], abs=1e-12)
    assert _in_order(churned, X)[-2:].tolist() == [0.5, 0.5]
