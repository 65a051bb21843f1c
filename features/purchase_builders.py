"""The builders over orders, lines, returns and contacts: what each needs, looks back on and leaves missing."""

from features.breadth import categories, products
from features.builder import Builder, seasons, windows, year
from features.contacts import contacts, redemptions
from features.habits import habits
from features.prices import baskets, discounts, order_values, quantities, shipping
from features.returns import returned_value, returns
from features.rfm import rfm, tenure
from features.rhythm import decayed, gap_lengths, lagged_outcomes, last_purchase_days, own_hazard
from features.trend import trend

_NEVER_BOUGHT = "the customer never bought"
_ONE_DAY = "fewer than two purchase days"
_NO_LINE = "no order line"

PURCHASE: tuple[Builder, ...] = (
    Builder(
        "rfm",
        rfm,
        needs={"orders": ("amount",)},
        days_before=windows,
        missing={"days_since_last_order": _NEVER_BOUGHT},
    ),
    Builder(
        "tenure",
        tenure,
        needs={"orders": ()},
        days_before=year,
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
        days_before=seasons,
        missing={"purchase_days_season*": "the customer had not bought before that window's end"},
    ),
    Builder(
        "trend",
        trend,
        needs={"orders": ("amount",)},
        days_before=windows,
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
        days_before=year,
        missing={"discount_share*": "no price paid in the window"},
    ),
    Builder("shipping", shipping, needs={"orders": ("shipping",)}, days_before=year),
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
        days_before=windows,
        missing={"*_over_*": "nothing in the longer window", "product_*_share": _NO_LINE},
    ),
    Builder(
        "categories",
        categories,
        needs={"lines": ("category",)},
        days_before=windows,
        missing={"category_top_share": _NO_LINE},
    ),
    Builder(
        "returns",
        returns,
        needs={"returns": (), "orders": ()},
        days_before=windows,
        missing={"days_since_last_return": "nothing returned", "last_order_returned": _NEVER_BOUGHT},
    ),
    Builder(
        "returned_value",
        returned_value,
        needs={"returns": ("amount",), "orders": ("amount",)},
        days_before=year,
        missing={"return_share": "nothing spent"},
    ),
    Builder(
        "contacts",
        contacts,
        needs={"contacts": ()},
        days_before=windows,
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
"""Builders over what was bought and who was written to."""
