"""Features of every table for a few customers at three dates."""

from datetime import date

import pandas as pd

from features.build import build_features
from features.settings import Attribute, FeatureSettings
from tables.calendar import BusinessCalendar
from tests.features.conftest import EVENT_TYPES

AS_OF = date(2025, 3, 1)
DATES = (date(2025, 2, 9), date(2025, 3, 1), date(2025, 4, 20))
UTC = BusinessCalendar("UTC")
WORDS = {
    "event_types": EVENT_TYPES,
    "ticket_reasons": ("complaint",),
    "offer_kinds": ("bogo",),
    "loyalty_tiers": ("silver", "gold"),
    "attributes": (Attribute("age"), Attribute("gender", ("F", "M"))),
}
SETTINGS = FeatureSettings(horizon_days=28, **WORDS)
NAMES = ("ann", "bob", "cyd", "dan", "eve", "fay")


def build(history, *as_of, calendar=UTC, **options):
    blocks = build_features(
        history,
        as_of=as_of or DATES,
        calendar=calendar,
        settings=options.pop("settings", SETTINGS),
        **options,
    )
    frames = [block.frame for block in blocks]
    return pd.concat(frames).sort_values(["as_of", "customer"], ignore_index=True)
