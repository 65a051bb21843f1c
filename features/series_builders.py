"""The builders over series of events, answers and states, and over the calendar."""

from features.attributes import number_attributes, sign_up, text_attributes
from features.builder import Builder, windows, year
from features.events import errors, event_days, events, opinions, uses
from features.holidays import holidays
from features.loyalty import expiry, membership, points, tiers
from features.surveys import surveys

_NO_EVENT = "the customer has no such event"
_NO_MEMBER = "the customer is no member"

SERIES: tuple[Builder, ...] = (
    Builder(
        "events",
        events,
        needs={"events": ("type",)},
        days_before=event_days,
        missing={
            "days_since_last_*_event": _NO_EVENT,
            "*_events_30d_over_90d": _NO_EVENT + " in the longer window",
        },
    ),
    Builder("uses", uses, needs={"events": ("type",)}, days_before=event_days),
    Builder("errors", errors, needs={"events": ("type",)}, days_before=windows),
    Builder(
        "opinions",
        opinions,
        needs={"events": ("type", "value")},
        days_before=year,
        missing={"*_value_last": _NO_EVENT + ", or the last one has no value"},
    ),
    Builder(
        "surveys",
        surveys,
        needs={"surveys": ("kind", "score")},
        missing={
            "days_since_last_survey": "the customer never answered",
            "*_last": "the customer never answered that kind",
            "*_last_age_days": "the customer never answered that kind",
            "*_change": "the customer answered that kind less than twice",
        },
    ),
    Builder("membership", membership, needs={"loyalty": ()}),
    Builder(
        "points",
        points,
        needs={"loyalty": ("points",)},
        days_before=year,
        missing={"points_balance": _NO_MEMBER + ", or the last row states no points"},
    ),
    Builder(
        "expiry",
        expiry,
        needs={"loyalty": ("expires_at",)},
        missing={"points_days_to_expiry": _NO_MEMBER + ", or no points are about to expire"},
    ),
    Builder(
        "tiers",
        tiers,
        needs={"loyalty": ("tier",)},
        missing={"days_since_tier_change": _NO_MEMBER},
    ),
    Builder(
        "holidays",
        holidays,
        needs={"orders": (), "calendar": ("kind",)},
        missing={"days_to_next_*": "none is announced for everybody or the region of the last order"},
        uses={"orders": ("region",), "calendar": ("region",)},
    ),
    Builder(
        "number_attributes",
        number_attributes,
        needs={"attributes": ("name", "number")},
        missing={"*": "no value is valid yet"},
    ),
    Builder(
        "text_attributes",
        text_attributes,
        needs={"attributes": ("name", "text")},
        missing={"*": "no value is valid yet"},
    ),
    Builder(
        "sign_up",
        sign_up,
        needs={"customers": ()},
        missing={"days_since_sign_up": "the sign-up is unknown or yet to come"},
    ),
)
"""Builders over what happens again and again, what holds for a while, and what is announced."""
