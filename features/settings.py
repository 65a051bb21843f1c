"""What the features look at: window lengths, the horizon, and the words of the business."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tables.errors import ConfigError

LAGGED_HORIZONS = 6
YEAR = 365

_NO_WORD = re.compile(r"\W+")
_KEYS = ("customer", "customer_id", "as_of", "churned")


def slug(text: str) -> str:
    """Turn a text of the business into a part of a feature's name.

    Examples:
        >>> slug("offer-viewed"), slug(" Gold (2 years) ")
        ('offer_viewed', 'gold_2_years')
    """
    return _NO_WORD.sub("_", text.lower()).strip("_")


def same_names(texts: Iterable[str]) -> list[str]:
    """List the texts that give no name of their own: that of an earlier one, or none at all.

    Examples:
        >>> same_names(["offer-viewed", "Offer viewed", "--", "open"])
        ['Offer viewed', '--']
    """
    seen = {""}
    found = []
    for text in texts:
        found += [text] if slug(text) in seen else []
        seen.add(slug(text))
    return found


@dataclass(frozen=True)
class Attribute:
    """Something an outside source says of a customer.

    Attributes:
        name: name of the attribute.
        values: texts it may hold, each a feature of its own; without any, it is a number.
    """

    name: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class FeatureSettings:
    """Lengths and words that shape the features of every customer.

    Attributes:
        horizon_days: length of the outcome window; lagged own labels and the hazard use the same length.
        windows: look-back lengths in days, shortest first.
        event_types: types of events that give features.
        ticket_reasons: reasons of tickets that give features of their own.
        offer_kinds: kinds of offers that give features of their own.
        loyalty_tiers: tiers of the loyalty programme, lowest first.
        attributes: attributes that give features.
        reply_target_hours: so long a ticket may wait for its first reply.
        solve_target_hours: so long a ticket may wait for its solution.
    """

    horizon_days: int
    windows: tuple[int, ...] = (7, 30, 90, 180, 365)
    event_types: tuple[str, ...] = ()
    ticket_reasons: tuple[str, ...] = ()
    offer_kinds: tuple[str, ...] = ()
    loyalty_tiers: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    reply_target_hours: float = 1.0
    solve_target_hours: float = 72.0

    def __post_init__(self) -> None:
        problems = [*self._wrong_lengths(), *self._wrong_words()]
        if problems:
            raise ConfigError.of_all(problems)

    def _wrong_lengths(self) -> list[str]:
        problems = []
        if self.horizon_days < 1:
            problems.append(
                f"features: horizon_days must be at least 1; found {self.horizon_days}. Give whole days."
            )
        if not self.windows or min(self.windows) < 1 or list(self.windows) != sorted(set(self.windows)):
            problems.append(
                f"features: windows must be distinct whole days, shortest first; found {self.windows}. "
                "Write for example 7, 30, 90."
            )
        problems += [
            f"features: {name} must be above 0; found {hours:g}. Give hours."
            for name, hours in self._targets().items()
            if not hours > 0
        ]
        return problems

    def _targets(self) -> dict[str, float]:
        return {
            "reply_target_hours": self.reply_target_hours,
            "solve_target_hours": self.solve_target_hours,
        }

    def _wrong_words(self) -> list[str]:
        problems = [
            f"features: {name}: texts must differ in letters or digits, as they become names; "
            f"found {', '.join(map(repr, same_names(texts)))}. Rename them."
            for name, texts in self._words().items()
            if same_names(texts)
        ]
        taken = sorted({attribute.name for attribute in self.attributes if slug(attribute.name) in _KEYS})
        if taken:
            problems.append(f"features: attributes: {taken} name keys of every table. Rename them.")
        return problems

    def _words(self) -> Mapping[str, Iterable[str]]:
        return {
            "event_types": self.event_types,
            "ticket_reasons": self.ticket_reasons,
            "offer_kinds": self.offer_kinds,
            "loyalty_tiers": self.loyalty_tiers,
            "attributes": [attribute.name for attribute in self.attributes],
            **{f"values of {attribute.name}": attribute.values for attribute in self.attributes},
        }

    @property
    def lag_edges(self) -> tuple[int, ...]:
        """Days before ``as_of`` at which the lagged own outcome windows begin and end, nearest first.

        Examples:
            >>> FeatureSettings(horizon_days=28).lag_edges
            (0, 28, 56, 84, 112, 140, 168)
        """
        return tuple(self.horizon_days * lag for lag in range(LAGGED_HORIZONS + 1))

    @property
    def last_year_edges(self) -> tuple[int, int, int]:
        """Days before ``as_of``: a horizon before this season last year, its start, its end.

        The season cannot reach past ``as_of``: with a horizon above a year it ends there.

        Examples:
            >>> FeatureSettings(horizon_days=28).last_year_edges
            (393, 365, 337)
        """
        return YEAR + self.horizon_days, YEAR, max(YEAR - self.horizon_days, 0)
