"""What customers do besides buying: sessions, app use, mail opens, errors met, reviews written."""

import numpy as np

from features.ratios import ratio
from features.settings import YEAR, FeatureSettings, slug
from features.view import AsOfView, Features

_USES = ("session", "app_use")
_ERRORS = ("page_error", "slow_page")
_USE_DAYS = 30
_SILENT_DAYS = 90
_TREND = (30, 90)

# A sentiment so near zero is neither: Hutto, Gilbert, VADER (ICWSM 2014), cut the same scale of -1 to 1 there.
_NEUTRAL = 0.05
_POSITIVE = {"review": (4.0, 5.0), "mention": (_NEUTRAL, 1.0)}
_NEGATIVE = {"review": (1.0, 2.0), "mention": (-1.0, -_NEUTRAL)}


def event_days(settings: FeatureSettings) -> tuple[int, ...]:
    """List the days before ``as_of`` at which windows over events begin."""
    return (*settings.windows, _USE_DAYS, _SILENT_DAYS)


def _listed(settings: FeatureSettings, words: tuple[str, ...]) -> list[str]:
    return [kind for kind in settings.event_types if slug(kind) in words]


def events(events: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count the events of each listed type and say how long ago, how evenly and how increasingly they came.

    Args:
        events: events as known at the snapshot; needs ``type``.
        settings: look-back lengths and the types; others give nothing, whenever they first appear.

    Returns:
        Per customer and type ``{type}_events_total``, ``{type}_events_{w}d``, ``days_since_last_{type}_event``
        (missing without one), ``{type}_silent_share_90d``, the share of the last 90 days without one, and
        ``{type}_events_30d_over_90d``, the share of 90 days' events that fell into the last 30 (missing
        without one; where both windows are in use).
    """
    features: Features = {}
    for kind in settings.event_types:
        of_kind, name = events.where("type", kind), slug(kind)
        features[f"{name}_events_total"] = of_kind.count()
        for window in settings.windows:
            features[f"{name}_events_{window}d"] = of_kind.count(window)
        features[f"days_since_last_{name}_event"] = of_kind.days_since_last()
        features[f"{name}_silent_share_{_SILENT_DAYS}d"] = (
            1 - of_kind.active_days(_SILENT_DAYS) / _SILENT_DAYS
        )
        if set(_TREND) <= set(settings.windows):
            short, long = (of_kind.count(window) for window in _TREND)
            features[f"{name}_events_{_TREND[0]}d_over_{_TREND[1]}d"] = ratio(short, long)
    return features


def uses(events: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say how much a customer uses the shop or the product: sessions and app use together.

    Args:
        events: events as known at the snapshot; needs ``type``.
        settings: the types in use; without session and app use there is nothing to say.

    Returns:
        Per customer ``uses_total``, ``uses_30d`` and ``use_days_share_30d``, the share of the last 30 local
        days with any.
    """
    kinds = _listed(settings, _USES)
    if not kinds:
        return {}
    used = events.where_any("type", kinds)
    return {
        "uses_total": used.count(),
        f"uses_{_USE_DAYS}d": used.count(_USE_DAYS),
        f"use_days_share_{_USE_DAYS}d": used.active_days(_USE_DAYS) / _USE_DAYS,
    }


def errors(events: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count page errors and slow pages together, ``errors_{w}d``; arguments as for ``uses``."""
    kinds = _listed(settings, _ERRORS)
    if not kinds:
        return {}
    views = [events.where("type", kind) for kind in kinds]
    return {
        f"errors_{window}d": np.sum([view.count(window) for view in views], axis=0)
        for window in settings.windows
    }


def opinions(events: AsOfView, *, settings: FeatureSettings) -> Features:
    """Tell praise from complaint in reviews (1 to 5) and mentions elsewhere (sentiment from -1 to 1).

    Args:
        events: events as known at the snapshot; needs ``type`` and ``value``.
        settings: the types in use.

    Returns:
        Per customer and type ``{type}_value_last`` (missing without one), ``positive_{type}s_365d`` and
        ``negative_{type}s_365d``: reviews from 4 and up to 2, mentions from .05 and up to -.05.

    Source:
        Hutto, Gilbert (2014), VADER: A parsimonious rule-based model for sentiment analysis.
    """
    features: Features = {}
    for kind in _listed(settings, tuple(_POSITIVE)):
        of_kind, name = events.where("type", kind), slug(kind)
        features[f"{name}_value_last"] = of_kind.last("value")
        features[f"positive_{name}s_{YEAR}d"] = of_kind.count_within("value", *_POSITIVE[name], YEAR)
        features[f"negative_{name}s_{YEAR}d"] = of_kind.count_within("value", *_NEGATIVE[name], YEAR)
    return features
