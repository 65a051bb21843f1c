"""The explicit list of feature builders: what each needs, how far it looks back, when it has no value."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from features.breadth import categories, products
from features.contacts import contacts, redemptions
from features.habits import habits
from features.prices import baskets, discounts, order_values, quantities
from features.returns import returned_value, returns
from features.rfm import rfm, tenure
from features.rhythm import decayed, gap_lengths, lagged_outcomes, last_purchase_days, own_hazard
from features.settings import YEAR, FeatureSettings
from features.trend import trend
from features.view import Features

_NEVER_BOUGHT = "the customer never bought"
_ONE_DAY = "fewer than two purchase days"
_NO_LINE = "no order line"


def _windows(settings: FeatureSettings) -> tuple[int, ...]:
    return settings.windows


def _year(_: FeatureSettings) -> tuple[int, ...]:
    return (YEAR,)


def _everything(_: FeatureSettings) -> tuple[int, ...]:
    return ()


def _seasons(settings: FeatureSettings) -> tuple[int, ...]:
    return (*settings.lag_edges, *settings.last_year_edges)


@dataclass(frozen=True)
class Builder:
    """One function from views to features, with what it declares about itself.

    Attributes:
        name: name of the builder, for messages.
        compute: the function; takes one view per table in order, and the settings by keyword.
        needs: tables in the order of the function's arguments, each with the columns it cannot do without.
        days_before: days before ``as_of`` at which its windows begin or end; empty where it looks at the
            whole past only.
        missing: pattern of feature names -> when such a feature has no value; all others always have one.
        uses: columns it reads where a table has them.
    """

    name: str
    compute: Callable[..., Features]
    needs: Mapping[str, tuple[str, ...]]
    days_before: Callable[[FeatureSettings], tuple[int, ...]] = _everything
    missing: Mapping[str, str] = field(default_factory=dict)
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def columns(self, table: str, stored: Iterable[str]) -> tuple[str, ...]:
        """List the columns to read of a table, given those it has."""
        extra = tuple(column for column in self.uses.get(table, ()) if column in set(stored))
        return (*self.needs.get(table, ()), *extra)


BUILDERS: tuple[Builder, ...] = (
    Builder(
        "rfm",
        rfm,
        needs={"orders": ("amount",)},
        days_before=_windows,
        missing={"days_since_last_order": _NEVER_BOUGHT},
    ),
    Builder(
        "tenure",
        tenure,
        needs={"orders": ()},
        days_before=_year,
        missing={
            "days_since_first_order": _NEVER_BOUGHT,
            "tenure_days": _NEVER_BOUGHT,
            "days_first_to_last_order": _NEVER_BOUGHT,
            "purchase_days_per_tenure_day": _NEVER_BOUGHT,
        },
    ),
    Builder(
        "gap_lengths",
        gap_lengths,
        needs={"orders": ()},
        missing={
            "gap_days_*": _ONE_DAY + ", or fewer gaps than the statistic needs",
            "days_since_last_*": _ONE_DAY,
            "days_since_last_over_tenure": _NEVER_BOUGHT,
        },
    ),
    Builder("own_hazard", own_hazard, needs={"orders": ()}),
    Builder(
        "last_purchase_days",
        last_purchase_days,
        needs={"orders": ()},
        missing={"days_since_purchase_day_*": "fewer purchase days than the name says"},
    ),
    Builder("decayed", decayed, needs={"orders": ("amount",)}),
    Builder(
        "lagged_outcomes",
        lagged_outcomes,
        needs={"orders": ()},
        days_before=_seasons,
        missing={"purchase_days_season*": "the customer had not bought before that window's end"},
    ),
    Builder(
        "trend",
        trend,
        needs={"orders": ("amount",)},
        days_before=_windows,
        missing={"*_over_*": "nothing in the longer window"},
    ),
    Builder(
        "order_values",
        order_values,
        needs={"orders": ("amount",)},
        missing={
            "mean_order_value": _NEVER_BOUGHT,
            "order_value_*": _NEVER_BOUGHT + ", or fewer than two orders for the spread",
            "spend_per_purchase_day": _NEVER_BOUGHT,
        },
    ),
    Builder(
        "discounts",
        discounts,
        needs={"orders": ("amount", "discount")},
        days_before=_year,
        missing={"discount_share*": "no price paid in the window"},
    ),
    Builder(
        "quantities",
        quantities,
        needs={"orders": ("quantity",)},
        missing={"quantity_per_order": _NEVER_BOUGHT},
    ),
    Builder(
        "baskets",
        baskets,
        needs={"orders": ("lines", "products")},
        missing={"*_per_order": _NEVER_BOUGHT},
    ),
    Builder(
        "habits",
        habits,
        needs={"orders": ()},
        missing={"*": _NEVER_BOUGHT},
    ),
    Builder(
        "products",
        products,
        needs={"lines": ("product_id",)},
        days_before=_windows,
        missing={"*_over_*": "nothing in the longer window", "product_*_share": _NO_LINE},
    ),
    Builder(
        "categories",
        categories,
        needs={"lines": ("category",)},
        days_before=_windows,
        missing={"category_top_share": _NO_LINE},
    ),
    Builder(
        "returns",
        returns,
        needs={"returns": (), "orders": ()},
        days_before=_windows,
        missing={"days_since_last_return": "nothing returned", "last_order_returned": _NEVER_BOUGHT},
    ),
    Builder(
        "returned_value",
        returned_value,
        needs={"returns": ("amount",), "orders": ("amount",)},
        days_before=_year,
        missing={"return_share": "nothing spent"},
    ),
    Builder(
        "contacts",
        contacts,
        needs={"contacts": ()},
        days_before=_windows,
        missing={"days_since_last_contact": "never contacted"},
        uses={"contacts": ("arm",)},
    ),
    Builder(
        "redemptions",
        redemptions,
        needs={"contacts": ("redeemed_at",)},
        missing={"contacts_redeemed_share": "never contacted"},
        uses={"contacts": ("arm",)},
    ),
)
"""Every builder; those whose tables or columns a history lacks are left out."""


def usable_builders(
    columns: Mapping[str, tuple[str, ...]], builders: Iterable[Builder] = BUILDERS
) -> tuple[Builder, ...]:
    """List the builders whose tables and columns are there.

    Args:
        columns: stored columns of each table that a history has.
        builders: candidates, in the order of their features.
    """
    return tuple(
        builder
        for builder in builders
        if all(table in columns and set(need) <= set(columns[table]) for table, need in builder.needs.items())
    )
