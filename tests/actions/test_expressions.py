import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.expressions import Expression, column_values
from tables.errors import ConfigError

COLUMNS = {
    "orders": np.array([1, 2, 3], dtype=np.int64),
    "gap": np.array([0.5, np.nan, 2.0], dtype=np.float32),
    "returned": np.array([1.0, np.nan, 0.0]),
    "segment": pd.Series(["new", None, "loyal"]),
    "vip": np.array([True, False, True]),
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("orders >= 2", [0, 1, 1]),
        ("1 < orders <= 2", [0, 1, 0]),
        ("gap > 1", [0, 0, 1]),
        ("gap != 2", [1, 0, 0]),
        ("not gap > 1", [1, 1, 0]),
        ("missing(gap)", [0, 1, 0]),
        ("missing(segment) or vip", [1, 1, 1]),
        ("returned", [1, 0, 0]),
        ("not returned", [0, 1, 1]),
        ("vip == True", [1, 0, 1]),
        ("segment == 'loyal'", [0, 0, 1]),
        ("segment != 'loyal'", [1, 0, 0]),
        ("segment in ['new', 'lost']", [1, 0, 0]),
        ("segment not in ['new']", [0, 0, 1]),
        ("orders in [1, -3, 3]", [1, 0, 1]),
        ("gap not in [2]", [1, 0, 0]),
        ("orders + gap * 2 - 1 == 1", [1, 0, 0]),
        ("gap / (orders - 3) < 1", [1, 0, 0]),
        ("-orders <= -3", [0, 0, 1]),
        ("orders > gap and vip", [1, 0, 1]),
        ("True", [1, 1, 1]),
        ("False or orders == 1", [1, 0, 0]),
        ("1 < 2", [1, 1, 1]),
    ],
)
def test_conditions_hold_where_they_should(text: str, holds: list[int]) -> None:
    assert Expression.parse(text).evaluate(COLUMNS).tolist() == [bool(each) for each in holds]


def test_only_named_columns_are_listed() -> None:
    assert Expression.parse("missing(a) or b > c / 2 and d in ['e']").columns == {"a", "b", "c", "d"}


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=1),
    text=st.recursive(
        st.sampled_from(
            ["a > b", "a == 2", "a * 2 - b <= 3", "-a < b < 4", "b in [1, -2]", "a not in [0, 3]"]
        ),
        lambda inner: (
            st.builds("({}) and ({})".format, inner, inner)
            | st.builds("({}) or ({})".format, inner, inner)
            | st.builds("not ({})".format, inner)
        ),
        max_leaves=6,
    ),
)
def test_agrees_with_python_on_present_numbers(rows: list[tuple[int, int]], text: str) -> None:
    columns = {"a": np.array([a for a, _ in rows]), "b": np.array([b for _, b in rows])}
    expected = [bool(eval(text, {}, {"a": a, "b": b})) for a, b in rows]
    assert Expression.parse(text).evaluate(columns).tolist() == expected


@pytest.mark.parametrize("comparison", ["<", "<=", ">", ">=", "==", "!="])
def test_no_comparison_with_a_missing_value_holds(comparison: str) -> None:
    columns = {"a": np.array([np.nan, np.nan]), "b": np.array([np.nan, 1.0])}
    assert not Expression.parse(f"a {comparison} b").evaluate(columns).any()


def test_a_column_without_any_value_matches_nothing() -> None:
    columns = {"a": pd.Series([None, None], dtype=object)}
    assert not Expression.parse("a == 'x' or a == 1 or a in ['y'] or a").evaluate(columns).any()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("absent > 1 and orders > 1", r"no columns \['absent'\]. Use one of \['gap', 'orders'"),
        ("orders == 'x'", "text is compared with a number"),
        ("segment == 1", "text is compared with a number"),
        ("orders in ['x']", "text is compared with a number"),
        ("segment < segment", "texts have no order"),
        ("segment and vip", "a text stands where a number or flag is needed"),
        ("segment + 1 > 2", "a text stands where a number or flag is needed"),
    ],
)
def test_columns_that_do_not_fit_are_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Expression.parse(text).evaluate(COLUMNS)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pd.Series([True, None], dtype="boolean"), [1.0, np.nan]),
        (pd.Series([True, None], dtype=object), [1.0, np.nan]),
        (pd.Series([1, None], dtype="Int64"), [1.0, np.nan]),
        ([1, 2.5], [1.0, 2.5]),
    ],
)
def test_numbers_and_flags_become_floats(column: object, values: list[float]) -> None:
    np.testing.assert_array_equal(column_values(column), values)


@pytest.mark.parametrize("kind", ["str", "category", object])
def test_texts_of_any_type_compare_alike(kind: str) -> None:
    columns = {"s": pd.Series(["x", None, "y"]).astype(kind)}
    assert Expression.parse("s != 'x'").evaluate(columns).tolist() == [False, False, True]


def test_dates_are_refused() -> None:
    with pytest.raises(ConfigError, match="a column of datetime64 cannot be compared"):
        column_values(pd.Series(pd.to_datetime(["2025-01-01"])))
