from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.segments import (
    NEVER_BOUGHT,
    SEGMENTS,
    RfmEdges,
    RfmScores,
    segment_names,
    segments_of,
    tied_edges,
)
from tables.errors import SchemaError

ALL = np.array(list(product(range(1, 6), repeat=3)), dtype=np.int8)


def name(recency: int, frequency: int, monetary: int) -> str:
    scores = (np.array([each], dtype=np.int8) for each in (recency, frequency, monetary))
    return str(segment_names(RfmScores(*scores))[0])


def test_every_combination_has_one_of_eleven_names() -> None:
    names = segment_names(RfmScores(*ALL.T))
    assert len(names) == 125
    assert set(names) == set(SEGMENTS)
    assert len(SEGMENTS) == 11


@pytest.mark.parametrize(
    ("scores", "segment"),
    [
        ((5, 5, 5), "champions"),
        ((4, 5, 5), "loyal"),
        ((5, 2, 3), "potential_loyalist"),
        ((5, 1, 1), "new"),
        ((4, 1, 2), "promising"),
        ((3, 3, 3), "need_attention"),
        ((3, 1, 1), "about_to_sleep"),
        ((2, 4, 4), "at_risk"),
        ((1, 5, 5), "cannot_lose_them"),
        ((2, 1, 2), "hibernating"),
        ((1, 1, 1), "lost"),
    ],
)
def test_typical_customers_get_the_usual_name(scores: tuple[int, int, int], segment: str) -> None:
    assert name(*scores) == segment


def test_half_of_standing_goes_to_frequency() -> None:
    assert name(5, 1, 2) == "new"
    assert name(5, 2, 1) == "potential_loyalist"
    assert name(1, 4, 5) == "at_risk"
    assert name(1, 5, 4) == "cannot_lose_them"


def test_five_equal_groups_without_ties() -> None:
    assert tied_edges(range(1, 101)) == (20, 40, 60, 80)


def test_base_of_one_time_buyers_keeps_five_groups() -> None:
    orders = np.repeat([1, 2, 3, 4, 7, 20], [600, 150, 100, 80, 50, 20])
    edges = RfmEdges(days_since_last_order=(), orders_total=tied_edges(orders), spend_total=())
    scores = edges.score(np.ones(1000), orders, np.ones(1000)).frequency
    assert edges.orders_total == (1, 2, 3, 4)
    assert np.bincount(scores).tolist() == [0, 600, 150, 100, 80, 70]


def test_few_distinct_values_spread_over_the_scores() -> None:
    days, orders, spend = [10.0, 20, 30, 40, 50], [1, 1, 1, 2, 3], [9, 9, 9, 9, 9]
    edges = RfmEdges.fit(days, orders, spend)
    scores = edges.score(days, orders, spend)
    assert scores.recency.tolist() == [5, 4, 3, 2, 1]
    assert scores.frequency.tolist() == [1, 1, 1, 3, 5]
    assert scores.monetary.tolist() == [3] * 5


def test_customer_who_never_bought_has_no_score() -> None:
    edges = RfmEdges.fit([1.0, 2, 3, 4, 5, np.nan], [1, 2, 3, 4, 5, 0], [1, 2, 3, 4, 5, 0])
    scores = edges.score([np.nan], [0], [0])
    assert (scores.recency[0], scores.frequency[0], scores.monetary[0]) == (0, 0, 0)
    assert segment_names(scores)[0] == NEVER_BOUGHT
    assert edges.orders_total == (1, 2, 3, 4)


@settings(max_examples=200, deadline=None)
@given(values=st.lists(st.integers(0, 12), min_size=1, max_size=60))
def test_edges_split_no_ties_and_never_coincide(values: list[int]) -> None:
    edges = tied_edges(values)
    assert len(edges) == min(5, len(set(values))) - 1
    assert list(edges) == sorted(set(edges))
    spend = RfmEdges(days_since_last_order=(), orders_total=(), spend_total=edges)
    scores = spend.score(np.ones(len(values)), np.ones(len(values)), values).monetary
    by_value = {value: set(scores[np.array(values) == value].tolist()) for value in set(values)}
    assert all(len(found) == 1 for found in by_value.values())
    assert len(set(scores.tolist())) == len(edges) + 1
    ordered = [by_value[value].pop() for value in sorted(by_value)]
    assert ordered == sorted(ordered)


@settings(max_examples=50, deadline=None)
@given(values=st.lists(st.floats(0, 1e6, width=32), min_size=5, max_size=40))
def test_stored_edges_score_alike(values: list[float]) -> None:
    edges = RfmEdges.fit(values, values, values)
    again = RfmEdges.from_json(edges.to_json())
    assert again == edges
    assert again.to_json() == edges.to_json()


def test_table_takes_edges_by_column() -> None:
    features = pd.DataFrame(
        {"days_since_last_order": [3.0, 80], "orders_total": [9, 1], "spend_total": [900.0, 10]}, index=[7, 4]
    )
    by_column = {
        "days_since_last_order": (10.0, 20.0, 30.0, 40.0),
        "orders_total": (1.0, 2.0, 3.0, 4.0),
        "spend_total": (50.0, 100.0, 200.0, 400.0),
    }
    table = segments_of(features, by_column)
    assert table["segment"].tolist() == ["champions", "lost"]
    assert table.index.tolist() == [7, 4]
    assert table[["recency_score", "frequency_score", "monetary_score"]].iloc[1].tolist() == [1, 1, 1]


def test_without_edges_nobody_ever_bought() -> None:
    table = segments_of(pd.DataFrame({"seats": [3.0, 5.0]}, index=[7, 4]), {})
    assert table["segment"].tolist() == ["never_bought", "never_bought"]
    assert (table[["recency_score", "frequency_score", "monetary_score"]] == 0).all(axis=None)


def test_missing_column_is_named_with_its_near_miss() -> None:
    with pytest.raises(SchemaError, match=r"no column 'orders_total'.* Did you mean 'order_total'"):
        segments_of(pd.DataFrame({"days_since_last_order": [1.0], "order_total": [1]}), RfmEdges((), (), ()))
