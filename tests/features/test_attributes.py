"""Hand-worked values of attributes with a validity, and of the time since the sign-up."""

import numpy as np
import pandas as pd
import pytest

from features.settings import Attribute

DECLARED = (Attribute("age"), Attribute("Home town", ("Vilnius", "New York")))
LOG = (
    ("ann", "2024-01-01", "age", 40.0, None),
    ("ann", "2025-02-01", "age", 41.0, None),
    ("ann", "2025-03-01", "age", 42.0, None),
    ("ann", "2025-01-01", "Home town", np.nan, "New York"),
    ("ann", "2025-01-01", "shoe size", 39.0, None),
    ("bob", "2025-01-01", "Home town", np.nan, "Riga"),
    ("cyd", "2025-01-01", "Home town", np.nan, None),
)


@pytest.fixture
def row_of(memory, table, row_for):
    def row(customer):
        orders = table(*((name, "2025-01-01") for name in ("ann", "bob", "cyd", "dan")))
        attributes = table(*LOG, columns=["name", "number", "text"])
        return row_for(memory({"orders": orders, "attributes": attributes}), customer, attributes=DECLARED)

    return row


def test_the_last_valid_number_is_told(row_of) -> None:
    assert row_of("ann").age == 41
    assert np.isnan(row_of("bob").age)
    assert "shoe_size" not in row_of("ann")


def test_texts_are_told_apart_as_declared(row_of) -> None:
    names = ["home_town_is_vilnius", "home_town_is_new_york"]
    assert row_of("ann")[names].tolist() == [0, 1]
    assert row_of("bob")[names].tolist() == [0, 0]
    assert row_of("cyd")[names].isna().all()
    assert row_of("dan")[names].isna().all()


def test_sign_up_has_an_age_where_known(memory, table, row_for) -> None:
    customers = table(("ann", "2025-02-19 12:00"), ("bob", "1970-01-01"), ("cyd", "2025-03-01"))
    orders = table(*((name, "2025-02-20") for name in ("ann", "bob", "cyd")))
    history = memory({"orders": orders, "customers": customers})
    assert row_for(history, "ann").days_since_sign_up == 9.5
    assert pd.isna(row_for(history, "bob").days_since_sign_up)
    assert pd.isna(row_for(history, "cyd").days_since_sign_up)


def test_an_attribute_alone_makes_nobody_a_customer(memory, table, row_for) -> None:
    orders = table(("ann", "2025-02-20"), ("bob", "2025-03-02"))
    attributes = table(
        ("ann", "1970-01-01", "age", 40.0, None),
        ("bob", "1970-01-01", "age", 50.0, None),
        columns=["name", "number", "text"],
    )
    history = memory({"orders": orders, "attributes": attributes})
    assert row_for(history, "ann", attributes=DECLARED).age == 40
    with pytest.raises(KeyError):
        row_for(history, "bob", attributes=DECLARED)
