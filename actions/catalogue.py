"""What the business can do for a customer: declared in YAML, checked as a whole, frozen."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core.core_schema import ValidationInfo

from actions.expressions import Expression
from actions.strategies import STRATEGIES
from tables.yaml_lines import nearest, read_yaml

NONE = "none"
"""Doing nothing: an option in every plan, declared nowhere."""

Channel = Literal["email", "sms", "phone", "push", "in_app", "post", "chat", "audience"]
Route = Literal[Channel, "preferred", "ticket"]
Kind = Literal["service", "content", "reward", "discount", "values"]
Purpose = Literal["marketing", "service"]
Language = Literal["en", "zh", "lt"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
_SHOWN_NAME = re.compile(r"[a-z][a-z0-9_]*")


def _routes(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _condition(value: object) -> Expression:
    if isinstance(value, Expression):
        return value
    if not isinstance(value, str):
        raise ValueError("a trigger is a text such as `orders_total == 1`")  # noqa: TRY004 - pydantic reports it
    return Expression.parse(value)


Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Effect = Annotated[float, Field(ge=-1, le=1)]
Spread = Annotated[float, Field(gt=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=10)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Condition = Annotated[
    Expression, BeforeValidator(_condition), PlainSerializer(lambda condition: condition.text)
]


class Action(BaseModel):
    """One thing the business can do for a customer.

    Attributes:
        id: its name in plans and reports.
        carries_out: the strategies behind it, names of ``STRATEGIES``.
        trigger: whom it suits, a condition on feature columns.
        channel: how it reaches the customer: one channel, or several of which :mod:`actions.rules.channels` picks one
            for each customer; ``preferred`` stands for all of them, ``ticket`` for that of the open ticket.
        kind: what it offers.
        purpose: ``service`` needs no marketing consent and reaches the global control; only actions of
            kind service may claim it.
        contact_cost: paid for each contact, currency units.
        incentive_cost: paid for each redemption, currency units.
        redeem_rate: share of the contacted who redeem, those who would have stayed anyway included.
        prior_save: believed relative reduction of churn, 0.05 being 5 % fewer leavers; negative where the
            action is believed to drive customers away.
        prior_save_sd: standard deviation of that belief.
        prior_effect_lapsed: believed absolute reduction of churn among customers the churn model does not
            score.
        prior_effect_lapsed_sd: standard deviation of that belief.
        capacity_per_night: the most customers who can get it in one night; None for no limit.
        cooldown_days: the same customer does not get it again in so many days.
        customer_cap_per_year: the most times one customer gets it in 365 days; discounts must set it.
        randomise: whether a random share is withheld to measure the effect.
        regions: the only regions where it may be used; None for everywhere.
        region_weights: by region, what the believed effect and its spread are multiplied by; 1 elsewhere.
        wording: what it says, by language; English at least.
        valid_from: first day on which it may be used.
        valid_to: first day on which it may no longer be used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    id: str
    carries_out: tuple[str, ...] = Field(min_length=1)
    trigger: Condition
    channel: Annotated[tuple[Route, ...], BeforeValidator(_routes)]
    kind: Kind
    purpose: Purpose
    contact_cost: Money
    incentive_cost: Money = 0.0
    redeem_rate: Annotated[Share, Field(validate_default=True)] = 0.0
    prior_save: Effect
    prior_save_sd: Spread
    prior_effect_lapsed: Effect = 0.0
    prior_effect_lapsed_sd: Spread = 0.01
    capacity_per_night: int | None = Field(default=None, ge=0)
    cooldown_days: int = Field(ge=1, le=365)
    customer_cap_per_year: int | None = Field(default=None, ge=1, validate_default=True)
    randomise: bool
    regions: tuple[str, ...] | None = Field(default=None, min_length=1)
    region_weights: Mapping[str, Weight] = {}
    wording: Mapping[Language, Text]
    valid_from: date | None = None
    valid_to: date | None = None

    @model_validator(mode="before")
    @classmethod
    def _defaults_by_kind(cls, entry: Any) -> Any:
        if not isinstance(entry, dict):
            return entry
        purpose = entry.get("purpose", "service" if entry.get("kind") == "service" else "marketing")
        return {"purpose": purpose, "randomise": purpose != "service", **entry}

    @field_validator("id")
    @classmethod
    def _plain_and_free(cls, name: str) -> str:
        if name == NONE:
            raise ValueError("`none` is always there and cannot be declared. Remove it")
        if not _SHOWN_NAME.fullmatch(name):
            raise ValueError("an id consists of small letters, digits and `_`")
        return name

    @field_validator("carries_out")
    @classmethod
    def _known_strategies(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [f"{name}{nearest(name, list(STRATEGIES))}" for name in names if name not in STRATEGIES]
        if unknown:
            raise ValueError(f"unknown strategies: {', '.join(unknown)}")
        return names

    @field_validator("channel")
    @classmethod
    def _channels_to_choose_from(cls, routes: tuple[Route, ...]) -> tuple[Route, ...]:
        if not routes or len(routes) != len(set(routes)):
            raise ValueError("a list names at least one channel, and each once")
        if len(routes) > 1 and not set(routes) <= set(CHANNELS):
            raise ValueError("`preferred` and `ticket` stand alone; a list holds channels only")
        return routes

    @field_validator("purpose")
    @classmethod
    def _service_is_no_pretext(cls, purpose: Purpose, info: ValidationInfo) -> Purpose:
        kind = info.data.get("kind", "service")
        if purpose == "service" and kind != "service":
            raise ValueError(f"a {kind} needs marketing consent; its purpose cannot be service")
        return purpose

    @field_validator("redeem_rate")
    @classmethod
    def _incentive_and_rate_together(cls, rate: float, info: ValidationInfo) -> float:
        cost = info.data.get("incentive_cost", rate)
        if (rate > 0) != (cost > 0):
            raise ValueError("incentive_cost and redeem_rate go together: both above 0 or neither")
        if rate == 0 and info.data.get("kind") == "discount":
            raise ValueError("a discount costs: it needs incentive_cost and redeem_rate above 0")
        return rate

    @field_validator("customer_cap_per_year")
    @classmethod
    def _discounts_are_capped(cls, cap: int | None, info: ValidationInfo) -> int | None:
        if cap is None and info.data.get("kind") == "discount":
            raise ValueError("a discount needs a cap per customer and year")
        return cap

    @field_validator("wording")
    @classmethod
    def _english_at_least(cls, wording: Mapping[Language, str]) -> Mapping[Language, str]:
        if "en" not in wording:
            raise ValueError("the English wording `en` is missing; other languages fall back to it")
        return wording

    @field_validator("valid_to")
    @classmethod
    def _ends_after_it_begins(cls, end: date | None, info: ValidationInfo) -> date | None:
        begin = info.data.get("valid_from")
        if begin and end and end <= begin:
            raise ValueError(f"must lie after valid_from, {begin}; it is the first day without the action")
        return end

    def said_in(self, language: str | None) -> str:
        """Return what the action says in a language; in English where it has no such wording."""
        known = [each for each in self.wording if each == language]
        return self.wording[known[0] if known else "en"]

    def is_valid_on(self, day: date) -> bool:
        """Tell whether the action may be used on a day: ``valid_from <= day < valid_to``."""
        return (self.valid_from or date.min) <= day < (self.valid_to or date.max)


@dataclass(frozen=True)
class Dormant:
    """An action that cannot be used tonight, and why."""

    action: Action
    reason: str


class Catalogue(BaseModel):
    """All actions of the business, in the order of their file; ``none`` is implied.

    Attributes:
        actions: by id.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    actions: Mapping[str, Action] = Field(min_length=1)

    @field_validator("actions", mode="before")
    @classmethod
    def _ids_from_keys(cls, entries: Any) -> Any:
        if not isinstance(entries, dict):
            return entries
        return {
            name: {"id": name, **entry} if isinstance(entry, dict) else entry
            for name, entry in entries.items()
        }

    @field_validator("actions")
    @classmethod
    def _ids_are_keys(cls, actions: Mapping[str, Action]) -> Mapping[str, Action]:
        other = [name for name, action in actions.items() if action.id != name]
        if other:
            raise ValueError(f"the id of an action is its key; remove `id` from {', '.join(other)}")
        return actions

    @classmethod
    def of(cls, actions: Iterable[Action]) -> Self:
        """Collect actions made in code."""
        return cls.model_construct(actions={action.id: action for action in actions})

    def split(self, columns: Iterable[str]) -> tuple[tuple[Action, ...], tuple[Dormant, ...]]:
        """Separate the actions whose triggers can be evaluated from those that must wait for data.

        Args:
            columns: the columns there are tonight.

        Returns:
            The active actions and the dormant ones, each in the order of the catalogue.
        """
        there = set(columns)
        waiting = {
            action.id: _what_is_absent(action, there)
            for action in self.actions.values()
            if action.trigger.columns - there
        }
        active = tuple(action for action in self.actions.values() if action.id not in waiting)
        return active, tuple(Dormant(self.actions[name], why) for name, why in waiting.items())


def load_catalogue(path: Path) -> Catalogue:
    """Read a catalogue of actions.

    Args:
        path: YAML with one key ``actions``, below it one entry per action id.

    Raises:
        ConfigError: if anything in it is wrong; all problems at once, each with its line.
    """
    return read_yaml(path).validated(Catalogue)


def _what_is_absent(action: Action, there: set[str]) -> str:
    absent = sorted(action.trigger.columns - there)
    names = ", ".join(f"`{name}`" for name in absent)
    # A high bar: a feature that does not exist yet is the usual case, a slip of the pen the rare one.
    near = [match for name in absent for match in get_close_matches(name, there, n=1, cutoff=0.9)]
    hint = f" (did you mean {', '.join(near)})" if near else ""
    verb = "is" if len(absent) == 1 else "are"
    return f"trigger names {names}, which {verb} not among tonight's features{hint}"
