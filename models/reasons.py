"""Why a customer is at risk: the themes that raise the risk most, each in one sentence."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reason:
    """One theme that raises a customer's risk.

    Attributes:
        theme: what it is about, such as ``silence`` or ``spend``; features of a theme move together, so their
            contributions are added.
        feature: the feature of the theme that contributes most.
        contribution: what the theme adds to the logit of the risk, above 0.
        share: its part of all that raises this customer's risk, in (0, 1].
        sentence: the reason in English, with the customer's own numbers.
    """

    theme: str
    feature: str
    contribution: float
    share: float
    sentence: str


class _Wording(NamedTuple):
    pattern: str  # of the feature's whole name; its groups may be named in the sentences
    theme: str
    sentences: tuple[str, ...]  # the first whose numbers the customer has


_SILENCE = (
    "no order for {days_since_last_order} days; usually every {gap_days_median}",
    "bought on one day only, {days_since_last_order} days ago",
)
_WORDINGS = (
    _Wording(
        r"days_since_last_return|returns?_.*|returned_.*", "returns", ("{returns_total} lines returned",)
    ),
    _Wording(r"last_order_returned", "returns", ("the last order came back, wholly or in part",)),
    _Wording(
        r".*contact.*", "contacts", ("last written to {days_since_last_contact} days ago", "never written to")
    ),
    _Wording(
        r"tenure_days|days_since_first_order|days_first_to_last_order",
        "tenure",
        ("a customer for {tenure_days} days",),
    ),
    _Wording(r"days_since_.*|gaps?_.*|own_.*", "silence", _SILENCE),
    _Wording(
        r"(orders|purchase_days)_(?P<short>\d+)d_over_(?P<long>\d+)d",
        "frequency",
        ("{orders_SHORT} orders in the last {short} days against {orders_LONG} in {long}",),
    ),
    _Wording(
        r"purchase_days_(?P<near>\d+)_to_(?P<far>\d+)d_ago",
        "frequency",
        ("{value} purchase days {near} to {far} days ago",),
    ),
    _Wording(r"orders_(?P<window>\d+)d", "frequency", ("{value} orders in the last {window} days",)),
    _Wording(
        r"purchase_days_(?P<window>\d+)d", "frequency", ("{value} purchase days in the last {window} days",)
    ),
    _Wording(
        r"active_months_(?P<window>\d+)d",
        "frequency",
        ("active in {value} months of the last {window} days",),
    ),
    _Wording(r"orders_.*|purchase_days_.*", "frequency", ("{orders_total} orders in {tenure_days} days",)),
    _Wording(
        r"spend_(?P<short>\d+)d_over_(?P<long>\d+)d",
        "spend",
        ("spent {spend_SHORT} in the last {short} days against {spend_LONG} in {long}",),
    ),
    _Wording(r"spend_(?P<window>\d+)d", "spend", ("spent {value} in the last {window} days",)),
    _Wording(
        r"max_order_value_(?P<window>\d+)d", "spend", ("largest order of the last {window} days {value}",)
    ),
    _Wording(
        r"(spend|mean_order|order_value|max_order)_.*",
        "spend",
        ("{mean_order_value} per order, the last one {order_value_last}",),
    ),
    _Wording(r"products_(?P<window>\d+)d", "breadth", ("{value} products in the last {window} days",)),
    _Wording(r"categories_(?P<window>\d+)d", "breadth", ("{value} categories in the last {window} days",)),
    _Wording(
        r"(products|product|categories|category|lines|quantity)_.*",
        "breadth",
        ("{products_total} products in all", "{categories_total} categories in all"),
    ),
    _Wording(r"discount_share.*", "discount", ("discounts were {discount_share:%} of the price",)),
    _Wording(
        r"weekend_share|weekday_entropy|last_order_weekday|order_hour_mean",
        "habits",
        ("weekdays and hours of the orders",),
    ),
)
_FALLBACK = "{name}: {value}"
_SINGULAR = re.compile(r"(?<![\d.])1 (purchase days|orders|products|categories|lines|months|days)\b")


def strongest_reasons(X: pd.DataFrame, contributions: Array, *, top: int) -> list[tuple[Reason, ...]]:
    """Pick, per customer, the themes that raise the risk most.

    Args:
        X: features of the customers.
        contributions: what each feature adds to the logit, of the shape of ``X``.
        top: most reasons per customer.

    Returns:
        Per row its reasons, strongest first; none for a customer whose risk nothing raises.

    >>> X = pd.DataFrame({"days_since_last_order": [74.0], "gap_days_median": [21.0], "spend_30d": [0.0]})
    >>> [[reason]] = strongest_reasons(X, np.array([[0.6, 0.3, -0.1]]), top=3)
    >>> reason.theme, round(reason.contribution, 2), reason.sentence
    ('silence', 0.9, 'no order for 74 days; usually every 21')
    """
    features = [str(name) for name in X.columns]
    themes = [_wording(name).theme for name in features]
    rows = X.to_numpy(np.float64)
    return [
        _reasons_of(dict(zip(features, row.tolist(), strict=True)), themes, parts, top)
        for row, parts in zip(rows, contributions, strict=True)
    ]


def sentence(feature: str, values: Mapping[str, float]) -> str:
    """Put one feature of one customer into words.

    Args:
        feature: name of the feature.
        values: all features of the customer; NaN where missing.

    Returns:
        An English clause; the feature's name and value where no sentence is written for it.

    >>> sentence("orders_30d_over_90d" , {"orders_30d": 1.0, "orders_90d": 9.0, "orders_30d_over_90d": 0.11})
    '1 order in the last 30 days against 9 in 90'
    >>> sentence("shoe_size", {"shoe_size": 43.5})
    'shoe size: 43.5'
    """
    wording = _wording(feature)
    groups = _groups(wording.pattern, feature)
    known = {name: value for name, value in values.items() if not math.isnan(value)}
    words: dict[str, object] = {name: _Number(value) for name, value in known.items()}
    words["value"] = _Number(values[feature])
    words |= groups | {"name": feature.replace("_", " ")}
    for template in (*wording.sentences, _FALLBACK):
        filled = template
        for window in ("short", "long"):
            filled = filled.replace(window.upper(), f"{groups.get(window)}d")
        if _fields(filled) <= words.keys():
            return _SINGULAR.sub(_singular, filled.format(**words))
    return str(words["name"])


def _reasons_of(values: Mapping[str, float], themes: list[str], parts: Array, top: int) -> tuple[Reason, ...]:
    features = list(values)
    by_theme: dict[str, float] = {}
    strongest: dict[str, int] = {}
    for position, theme in enumerate(themes):
        by_theme[theme] = by_theme.get(theme, 0.0) + float(parts[position])
        if parts[position] >= parts[strongest.setdefault(theme, position)]:
            strongest[theme] = position
    raising = {theme: total for theme, total in by_theme.items() if total > 0}
    ranked = sorted(raising, key=lambda theme: (-raising[theme], theme))[:top]
    return tuple(
        Reason(
            theme=theme,
            feature=features[strongest[theme]],
            contribution=raising[theme],
            share=raising[theme] / sum(raising.values()),
            sentence=sentence(features[strongest[theme]], values),
        )
        for theme in ranked
    )


def _singular(many: re.Match[str]) -> str:
    return "1 category" if many[1] == "categories" else many[0].removesuffix("s")


def _wording(feature: str) -> _Wording:
    for wording in _WORDINGS:
        if re.fullmatch(wording.pattern, feature):
            return wording
    return _Wording(re.escape(feature), "other", ())


def _groups(pattern: str, feature: str) -> dict[str, str]:
    found = re.fullmatch(pattern, feature)
    return {} if found is None else found.groupdict()


def _fields(template: str) -> set[str]:
    return set(re.findall(r"{(\w+)", template))


class _Number(float):
    """A float that is written the way people write numbers: whole where large, one decimal where small."""

    def __format__(self, spec: str) -> str:
        if spec == "%":
            return f"{float(self):.0%}"
        if math.isnan(self):
            return "not known"
        return f"{float(self):.0f}" if abs(self) >= 100 else f"{float(self):.1f}".removesuffix(".0")
