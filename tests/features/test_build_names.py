"""What features are called: names, rules for what is missing, settings that cannot be."""

from fnmatch import fnmatch

import numpy as np
import pytest

from features.build import feature_names
from features.builder import Builder
from features.builders import BUILDERS, usable_builders
from features.settings import FeatureSettings
from tables.errors import ConfigError, SchemaError
from tests.features.all_built import AS_OF, NAMES, SETTINGS, build


def test_every_missing_rule_names_a_feature(memory, shop) -> None:
    history = memory(shop(np.random.default_rng(0), NAMES))
    for builder in BUILDERS:
        names = feature_names(history, SETTINGS, [builder])
        assert all(any(fnmatch(name, rule) for name in names) for rule in builder.missing), builder.name


def test_builders_of_absent_tables_are_left_out(memory, shop) -> None:
    tables = shop(np.random.default_rng(0), NAMES)
    orders = {"orders": tables["orders"].drop(columns=["discount", "lines"])}
    names = feature_names(memory(orders), SETTINGS)
    assert "orders_30d" in names
    assert not {"products_total", "returns_90d", "contacts_30d", "discount_share", "lines_per_order"} & set(
        names
    )
    assert {builder.name for builder in BUILDERS} - {
        builder.name for builder in usable_builders({"orders": ("amount",)})
    } >= {"products", "returns", "contacts", "discounts", "quantities"}


def test_names_that_other_rooms_rely_on_exist(memory, shop) -> None:
    names = feature_names(memory(shop(np.random.default_rng(0), NAMES)), SETTINGS)
    assert len(set(names)) == len(names)
    assert set(names) >= {
        "days_since_last_order",
        "days_since_first_order",
        "orders_total",
        "spend_total",
        "orders_90d",
        "spend_30d",
        "purchase_days_total",
        "days_first_to_last_order",
        "tenure_days",
        "gap_days_mean",
        "gap_days_median",
        "gap_days_last",
        "days_since_last_over_own_gap",
        "discount_share",
        "mean_order_value",
        "returns_90d",
        "return_share",
        "products_total",
        "categories_total",
        "last_order_returned",
        "contacts_30d",
        "days_since_last_contact",
        "spend_per_purchase_day",
    }


def test_an_undeclared_window_is_refused(memory, table) -> None:
    def eager(orders, *, settings):
        return {"orders_45d": orders.count(45)}

    history = memory({"orders": table(("ann", "2025-02-01", 1.0), columns=["amount"])})
    with pytest.raises(SchemaError, match="no window edge 45 days before"):
        build(history, AS_OF, builders=(Builder("eager", eager, needs={"orders": ()}),))


def test_two_builders_may_not_share_a_name(memory, table) -> None:
    def twice(orders, *, settings):
        return {"orders_total": orders.count()}

    history = memory({"orders": table(("ann", "2025-02-01", 1.0), columns=["amount"])})
    with pytest.raises(SchemaError, match="names must differ"):
        build(history, AS_OF, builders=(*BUILDERS, Builder("twice", twice, needs={"orders": ()})))


def test_settings_report_every_problem_together() -> None:
    with pytest.raises(ConfigError, match=r"(?s)horizon_days must be at least 1.*windows must be distinct"):
        FeatureSettings(horizon_days=0, windows=(30, 7))
