from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.edges import Edges
from tables.calendar import HOUR, BusinessCalendar
from tables.errors import SchemaError

SPRING = date(2025, 4, 2)


def test_edges_are_local_midnights_despite_daylight_saving() -> None:
    edges = Edges.of([SPRING], days_before=[7], calendar=BusinessCalendar("Europe/Vilnius"))
    assert edges.days == (date(2025, 3, 26), SPRING)
    assert np.diff(edges.instants).tolist() == [7 * 24 * HOUR - HOUR]
    assert edges.slot(SPRING, 7) == 0


@given(
    offset=st.integers(-40 * 24 * HOUR, 40 * 24 * HOUR),
    zone=st.sampled_from(["UTC", "Europe/Vilnius", "Asia/Kathmandu", "America/St_Johns"]),
)
def test_bins_equal_a_binary_search(offset, zone) -> None:
    calendar = BusinessCalendar(zone)
    edges = Edges.of([SPRING, date(2025, 3, 30)], days_before=[7, 30], calendar=calendar)
    at = np.concatenate([edges.instants, edges.instants - 1, [calendar.midnight(SPRING) + offset]])
    assert edges.bins(at).tolist() == np.searchsorted(edges.instants, at, side="right").tolist()


def test_midnights_off_the_quarter_hour_still_work() -> None:
    edges = Edges.of([date(1971, 6, 1)], days_before=[1], calendar=BusinessCalendar("Africa/Monrovia"))
    assert edges.bins(np.array([*edges.instants - 1, *edges.instants])).tolist() == [0, 1, 1, 2]


def test_a_missing_edge_says_which_there_are() -> None:
    edges = Edges.of([SPRING], days_before=[7], calendar=BusinessCalendar("UTC"))
    with pytest.raises(SchemaError, match=r"no window edge 8 days before 2025-04-02; found edges \[0, 7\]"):
        edges.slot(SPRING, 8)
