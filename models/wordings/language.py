"""How one language tells figures: number forms, decimals, shares, money, and the words for the business's texts."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

_SMALL = 10  # below it one decimal is told, from it on none
_SMALL_MONEY = 100
_FURTHEST_DATE = 100_000  # days from 1970, the year 2243


class Noun(NamedTuple):
    """How one thing is counted.

    Attributes:
        forms: in the order of the language's ``form``; ``{}`` stands for the number.
        exactly: what is said of a certain number instead, such as ``no orders``.
    """

    forms: Sequence[str]
    exactly: Mapping[float, str]


@dataclass(frozen=True)
class Language:
    """The words of one language.

    Attributes:
        code: its ISO 639-1 code.
        form: which of a noun's forms goes with a number as it is written.
        nouns: how things are counted.
        sentences: per topic its sentences; of these the first whose figures the customer has.
        themes: the word for each theme.
        words: words for texts that many businesses use, such as types of events.
        weekdays: on which weekday, Monday first.
        change: what would change the risk; tells ``risk`` and ``without``.
        no_change: the same where both are written alike.
        decimal: mark before the decimals.
        thousands: mark between thousands.
        percent: how a share is written; ``{}`` stands for the number.
    """

    code: str
    form: Callable[[float], int]
    nouns: Mapping[str, Noun]
    sentences: Mapping[str, Sequence[str]]
    themes: Mapping[str, str]
    words: Mapping[str, str]
    weekdays: Sequence[str]
    change: str
    no_change: str
    decimal: str = "."
    thousands: str = ","
    percent: str = "{}%"

    def tell(self, topic: str, words: Mapping[str, "float | str"], *, currency: str = "") -> str:
        """Tell a topic by its first sentence whose figures are there.

        Args:
            topic: name of the topic.
            words: figures of the customer (a missing one is left out) and texts of the business.
            currency: unit of money, where it is to be told.
        """
        template = next(each for each in self.sentences[topic] if fields_of(each) <= words.keys())
        return self._filled(template, words, currency)

    def tell_change(self, *, risk: float, without: float) -> str:
        """Tell what the risk would be without a reason; both in [0, 1]."""
        seen = _Figure(risk, self, "").percent() != _Figure(without, self, "").percent()
        return self._filled(self.change if seen else self.no_change, {"risk": risk, "without": without}, "")

    def text(self, name: str) -> str:
        """Return the word for a text of the business, the text itself where there is none."""
        return self.words.get(name, name.replace("_", " "))

    def _filled(self, template: str, words: Mapping[str, "float | str"], currency: str) -> str:
        figures = {
            name: self.text(word) if isinstance(word, str) else _Figure(word, self, currency)
            for name, word in words.items()
        }
        return template.format_map(figures)


class _Figure:
    """A number that a template writes in the way its format names."""

    def __init__(self, value: float, language: Language, currency: str) -> None:
        self.value = value
        self.language = language
        self.currency = currency

    def __format__(self, how: str) -> str:
        ways: Mapping[str, Callable[[], str]] = {
            "": self._number,
            "if": str,
            "exact": self._exact,
            "percent": self.percent,
            "money": self._money,
            "weekday": self._weekday,
            "clock": self._clock,
            "date": self._date,
        }
        return ways[how]() if how in ways else self._counted(how)

    def _number(self) -> str:
        return self._written(self.value, 0 if abs(self._rounded()) >= _SMALL else 1)

    def _exact(self) -> str:
        return self._written(self.value, 2)

    def percent(self) -> str:
        percent = 100 * self.value
        return self.language.percent.format(self._written(percent, 1 if abs(percent) < _SMALL else 0))

    def _money(self) -> str:
        whole = abs(self.value) >= _SMALL_MONEY or round(self.value, 2) == round(self.value)
        amount = self._written(self.value, 0) if whole else self._written(self.value, 2, cut=False)
        return f"{amount} {self.currency}".strip()

    def _weekday(self) -> str:
        return self.language.weekdays[round(self.value) % len(self.language.weekdays)]

    def _clock(self) -> str:
        return f"{round(self.value) % 24}:00"

    def _date(self) -> str:
        if abs(self.value) > _FURTHEST_DATE:  # the business calls something else so
            return self._exact()
        return (date(1970, 1, 1) + timedelta(days=round(self.value))).isoformat()

    def _counted(self, noun: str) -> str:
        count = self._rounded()
        forms = self.language.nouns[noun]
        form = forms.exactly.get(count, forms.forms[self.language.form(abs(count))])
        return form.format(self._number())

    def _rounded(self) -> float:
        return round(self.value) if abs(self.value) >= _SMALL else round(self.value, 1)

    def _written(self, value: float, decimals: int, *, cut: bool = True) -> str:
        text = f"{round(value, decimals) + 0.0:,.{decimals}f}"  # adding 0 turns -0 into 0
        whole, _, part = text.partition(".")
        if cut:
            part = part.rstrip("0")
        mark = self.language.decimal if part else ""
        return f"{whole.replace(',', self.language.thousands)}{mark}{part}"


@cache
def fields_of(template: str) -> frozenset[str]:
    """List the figures and texts that a template names.

    >>> sorted(fields_of("{orders_30d:orders} in the last {window:last_days}"))
    ['orders_30d', 'window']
    """
    return frozenset(re.findall(r"{(\w+)", template))


def block(text: str) -> dict[str, tuple[str, ...]]:
    r"""Read lines of a name and its alternatives; an indented line goes on with the one before.

    >>> block("rating: rated {value} | never rated\n  | rates\n  nothing")
    {'rating': ('rated {value}', 'never rated', 'rates nothing')}
    """
    lines = re.sub(r"\n +", " ", text.strip()).split("\n")
    named = (line.partition(": ") for line in lines)
    return {name: tuple(alternatives.split(" | ")) for name, _, alternatives in named}


def single(text: str) -> dict[str, str]:
    """Read lines of a name and a word."""
    return {name: word for name, (word,) in block(text).items()}


def nouns_of(text: str) -> dict[str, Noun]:
    """Read lines of a noun and its forms; a number and ``=`` go before what is said of exactly that number.

    >>> nouns_of("orders: order | orders | 0 = no orders")["orders"]
    Noun(forms=('{} order', '{} orders'), exactly={0.0: 'no orders'})
    """
    return {name: _noun(forms) for name, forms in block(text).items()}


def _noun(told: Sequence[str]) -> Noun:
    exact = [each.partition(" = ") for each in told if " = " in each]
    forms = [each if "{}" in each else f"{{}} {each}" for each in told if " = " not in each]
    return Noun(tuple(forms), {float(number): words for number, _, words in exact})
