"""Why a customer is at risk: the themes that raise the risk most, each in one sentence."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.wordings import WORDINGS, Wording

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


_FALLBACK = "{name}: {value}"
_SINGULAR = re.compile(
    r"(?<![\d.])1 "
    r"(purchase days|orders|products|categories|lines|months|days|tickets|complaints|offers|reviews|mentions|errors|"
    r"times|hours|points)\b"
)


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
    words |= {"value": words[feature]} if feature in words else {}
    words |= {name: text.replace("_", " ") for name, text in groups.items()}
    for template in wording.sentences:
        filled = template
        for window in ("short", "long"):
            filled = filled.replace(window.upper(), f"{groups.get(window)}d")
        if _fields(filled) <= words.keys():
            return _SINGULAR.sub(_singular, filled.format(**words))
    return _FALLBACK.format(name=feature.replace("_", " "), value=_Number(values[feature]))


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


def _wording(feature: str) -> Wording:
    for wording in WORDINGS:
        if re.fullmatch(wording.pattern, feature):
            return wording
    return Wording(re.escape(feature), "other", ())


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
