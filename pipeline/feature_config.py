"""The part of the configuration that shapes features: windows, the words of the business, tables left aside."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from features.builder import Builder
from features.builders import BUILDERS
from features.settings import Attribute, FeatureSettings, same_names
from tables.sources import Source
from tables.validity import problems_of

_FeatureTable = Literal[
    "lines",
    "returns",
    "contacts",
    "customers",
    "events",
    "tickets",
    "surveys",
    "subscriptions",
    "loyalty",
    "offers",
    "calendar",
    "attributes",
]


def _are_names(texts: tuple[str, ...]) -> tuple[str, ...]:
    alike = same_names(texts)
    if alike:
        raise ValueError(f"texts become names and must differ in letters or digits; not so {alike}")
    return texts


_Words = Annotated[tuple[str, ...], AfterValidator(_are_names)]


class FeatureConfig(BaseModel):
    """Look-back windows (days), the words of the business, waiting targets (hours), tables without features."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    windows: tuple[Annotated[int, Field(ge=1, le=1460)], ...] = (7, 30, 90, 180, 365)
    event_types: _Words = ()
    ticket_reasons: _Words = ()
    offer_kinds: _Words = ()
    loyalty_tiers: _Words = ()
    reply_target_hours: float = Field(default=1.0, gt=0)
    solve_target_hours: float = Field(default=72.0, gt=0)
    without: tuple[_FeatureTable, ...] = ()

    def settings(self, sources: Mapping[str, Sequence[Source]], *, horizon_days: int) -> FeatureSettings:
        """Return the settings of the features: the words written here and those that the sources tell.

        Args:
            sources: sources per table; constant event types and declared attributes come from them.
            horizon_days: length of the outcome window.

        Raises:
            ConfigError: if words give the same name or an attribute is declared in two ways.
        """
        constants = (source.constants.get("type") for source in sources.get("events", ()))
        attributes = (
            Attribute(name, () if isinstance(kind, str) else kind)
            for source in sources.get("attributes", ())
            for name, kind in source.values.items()
        )
        return FeatureSettings(
            horizon_days=horizon_days,
            windows=self.windows,
            event_types=tuple(dict.fromkeys((*self.event_types, *filter(None, constants)))),
            ticket_reasons=self.ticket_reasons,
            offer_kinds=self.offer_kinds,
            loyalty_tiers=self.loyalty_tiers,
            attributes=tuple(dict.fromkeys(attributes)),
            reply_target_hours=self.reply_target_hours,
            solve_target_hours=self.solve_target_hours,
        )

    def builders(self, sources: Mapping[str, Sequence[Source]]) -> tuple[Builder, ...]:
        """List the builders that look at none of the tables left aside; that of sign-ups where they are mapped."""
        aside = set(self.without)
        if not any("signed_up_at" in source.filled() for source in sources.get("customers", ())):
            aside.add("customers")
        return tuple(builder for builder in BUILDERS if not aside & set(builder.needs))


def check_sources(sources: Mapping[str, Sequence[Source]], features: FeatureConfig) -> None:
    """Refuse events of which nobody says what types they hold, and attributes that do not say when they held.

    Raises:
        ValidationError: with the place of each such source.
    """
    problems = [
        _at(table, place, problem)
        for table, found in sources.items()
        for place, source in enumerate(found)
        for problem in (*problems_of(table, source), *_untold_types(table, source, features))
    ]
    if problems:
        raise ValidationError.from_exception_data("Config", problems)


def _untold_types(table: str, source: Source, features: FeatureConfig) -> Iterator[str]:
    told = features.event_types or "events" in features.without or "type" in source.constants
    if table == "events" and not told:
        yield (
            "types of events become names of features, and none is named. List them in features.event_types, "
            "write a constant type, or put events into features.without."
        )


def _at(table: str, place: int, problem: str) -> InitErrorDetails:
    # A message that holds braces would be taken for a template.
    message = PydanticCustomError("source", "{problem}", {"problem": problem})
    return InitErrorDetails(type=message, loc=("sources", table, place), input={})
