"""Who is drawn as one: households, referrals, and names that stay when others join."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.experiment.units import units_of
from tables.errors import SchemaError

BOTH = ("household", "referral")


def people(*rows: tuple[str, str | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "household_id", "referred_by"], dtype="object")


def units(*rows: tuple[str, str | None, str | None], kept: dict[str, str] | None = None) -> list[str]:
    return units_of(people(*rows), BOTH, kept=kept).tolist()


def test_without_ties_everybody_is_a_unit() -> None:
    assert units_of(pd.DataFrame({"customer_id": ["b", "a"]}), ["household"]).tolist() == ["b", "a"]
    assert units_of(people(("a", "h", None), ("b", "h", "a")), ()).tolist() == ["a", "b"]


def test_referrals_join_over_many_steps() -> None:
    assert units(("z", None, None), ("a", None, "z"), ("b", None, "a"), ("c", None, None)) == [
        "z",
        "z",
        "z",
        "c",
    ]


def test_a_household_and_a_referral_make_one_unit() -> None:
    rows = (("ann", "h", None), ("bob", "h", None), ("cid", None, "bob"))
    assert units(*rows) == ["household h"] * 3


def test_two_brought_by_an_unknown_customer_belong_together() -> None:
    assert units(("a", None, "gone"), ("b", None, "gone")) == ["gone", "gone"]


def test_a_ring_of_referrals_is_one_unit() -> None:
    assert units(("b", None, "a"), ("a", None, "b"), ("c", None, "c")) == ["a", "a", "c"]


def test_who_was_drawn_before_keeps_the_unit() -> None:
    rows = (("ann", "h", None), ("bob", "h", None))
    assert units(*rows, kept={"ann": "ann"}) == ["ann", "household h"]


def test_a_household_that_two_brought_joins_both() -> None:
    rows = (("x", None, None), ("y", None, None), ("a", "h", "x"), ("b", "h", "y"))
    assert units(*rows) == ["x"] * 4


@settings(max_examples=25)
@given(st.lists(st.none() | st.integers(0, 30), min_size=2, max_size=30))
def test_a_newcomer_changes_nobody_and_order_nothing(referrer: list[int | None]) -> None:
    # Whoever brings somebody was there before; names stand in no order of arrival.
    names = [f"c{97 * number % 31:02d}" for number in range(31)]
    rows = [
        (names[number], None, None if by is None or by >= number else names[by])
        for number, by in enumerate(referrer)
    ]
    assert units(*rows)[:-1] == units(*rows[:-1])
    assert units(*rows[::-1])[::-1] == units(*rows)


@pytest.mark.parametrize("clusters", [("household",), ("referral",), BOTH])
def test_an_empty_base_has_no_units(clusters: tuple[str, ...]) -> None:
    assert units_of(people(), clusters).empty


def test_referrals_without_their_column_are_refused() -> None:
    with pytest.raises(SchemaError, match="customers: no column 'referred_by'"):
        units_of(pd.DataFrame({"customer_id": ["a"]}), BOTH)
