"""What features mean to people, in English, Chinese and Lithuanian: one module per language, one list of topics."""

import math
import re
from collections.abc import Mapping
from typing import Literal

from models.wordings.en import ENGLISH
from models.wordings.language import Language, fields_of
from models.wordings.lt import LITHUANIAN
from models.wordings.topics import DERIVED, theme_of, topic_of
from models.wordings.zh import CHINESE
from tables.errors import ConfigError

LanguageCode = Literal["en", "zh", "lt"]
LANGUAGES: Mapping[str, Language] = {each.code: each for each in (ENGLISH, CHINESE, LITHUANIAN)}

_FADING = re.compile(r"(?P<of>.+)_fading_(?P<days>\d+)d")
_TREND = re.compile(r"(?P<of>.+)_(?P<short>\d+d)_over_(?P<long>\d+d)")


def language_of(code: str) -> Language:
    """Return the words of a language.

    Raises:
        ConfigError: there are none.
    """
    if code not in LANGUAGES:
        raise ConfigError(
            f"language: no words in {code!r}; found {', '.join(LANGUAGES)}. Choose one of these."
        )
    return LANGUAGES[code]


def sentence(feature: str, values: Mapping[str, float], *, language: str = "en", currency: str = "") -> str:
    """Put one feature of one customer into words.

    Args:
        feature: name of the feature.
        values: features of the customer, at least those that ``figures_of`` lists; NaN where missing.
        language: code of the language.
        currency: unit of money, where it is to be told.

    Returns:
        A clause with the customer's own figures.

    Weights that fade with age mean nothing to people: the plain window nearest in length is told instead.

    >>> sentence("orders_30d_over_90d", {"orders_30d": 1.0, "orders_90d": 9.0, "orders_30d_over_90d": 0.11})
    '1 order in the last 30 days against 9 in 90'
    >>> sentence("days_since_last_order", {"days_since_last_order": 74.0, "gap_days_median": 21.0}, language="lt")
    'jau 74 dienas be užsakymo; paprastai perka kas 21 dieną'
    """
    told = _plain(feature, values)
    found, figures = topic_of(told), _figures(told, values)
    words = {
        name: float(text) if text.isdigit() and name != "text" else text
        for name, text in found.groups.items()
    }
    return language_of(language).tell(found.topic.name, figures | words, currency=currency)


def figures_of(feature: str, values: Mapping[str, float]) -> dict[str, float]:
    """Take from all features of a customer those that a feature's sentences may tell.

    >>> figures_of("days_since_last_order", {"days_since_last_order": 74.0, "orders_30d": 0.0})
    {'days_since_last_order': 74.0}
    """
    plain = _plain(feature, values)
    told = {name for each in ENGLISH.sentences[topic_of(plain).topic.name] for name in fields_of(each)}
    beside = {source for name, (source, _) in DERIVED.items() if name in told}
    wanted = {feature, plain, *told, *beside, *_within(plain).values()}
    return {name: value for name, value in values.items() if name in wanted}


def _plain(feature: str, values: Mapping[str, float]) -> str:
    """Name the plain window next in length to a fading one, the feature itself where there is none."""
    fading = _FADING.fullmatch(feature)
    if fading is None:
        return feature
    windows = [
        int(name[len(fading["of"]) + 1 : -1])
        for name in values
        if re.fullmatch(rf"{fading['of']}_\d+d", name)
    ]
    if not windows:
        return feature
    nearest = min(sorted(windows), key=lambda days: abs(math.log(days / int(fading["days"]))))
    return f"{fading['of']}_{nearest}d"


def _within(feature: str) -> dict[str, str]:
    """Name the features of both windows of a trend."""
    trend = _TREND.fullmatch(feature)
    return (
        {} if trend is None else {f"in_{each}": f"{trend['of']}_{trend[each]}" for each in ("short", "long")}
    )


def _figures(feature: str, values: Mapping[str, float]) -> dict[str, float | str]:
    known = {name: value for name, value in values.items() if not math.isnan(value)}
    told: dict[str, float | str] = dict(known)
    if feature in known:
        value = known[feature]
        told |= (
            {"value": value}
            | ({"above": value} if value > 0 else {})
            | ({"below": -value} if value < 0 else {})
        )
    told |= {name: work_out(known[source]) for name, (source, work_out) in DERIVED.items() if source in known}
    return told | {name: known[source] for name, source in _within(feature).items() if source in known}


__all__ = ["LANGUAGES", "Language", "LanguageCode", "figures_of", "language_of", "sentence", "theme_of"]
