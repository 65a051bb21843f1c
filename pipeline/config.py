"""The configuration: one strict YAML file, overridable by the environment, wrong in all places at once or right."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from zoneinfo import available_timezones

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from actions.allocation.budget import BudgetSettings
from actions.allocation.limit_settings import LimitSettings
from actions.experiment.control import ControlSettings
from actions.learning.believing import LearningSettings
from actions.rules.settings import Rules
from features.settings import FeatureSettings
from models.settings import ModelSettings, ValueSettings
from models.tracking import RegistrySettings
from models.wordings import LanguageCode
from pipeline.audit.settings import AuditGroups, check_groups, without_audited
from pipeline.board.settings import BoardSettings
from pipeline.feature_config import FeatureConfig, check_sources
from pipeline.handover.settings import HandoverSettings
from pipeline.shop.settings import ShopSettings
from tables.calendar import BusinessCalendar, OutcomeRule
from tables.errors import ConfigError
from tables.sources import IngestSettings, Source
from tables.yaml_lines import Document, Key, Place, dotted, place_of, read_yaml

PREFIX = "KEEPWELL__"
Kind = TypeVar("Kind", bound=BaseModel)
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("no such time zone; use an IANA name such as Europe/London")
    return name


def _listed(value: object) -> object:
    return [value] if isinstance(value, Mapping) else value


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChurnSettings(_Section):
    """What counts as churned, and when an outcome is settled (days)."""

    kind: Literal["inactivity", "contract"] = "inactivity"
    horizon_days: int = Field(ge=1, le=730)
    active_within_days: int | None = Field(default=None, ge=1, le=1460)
    grace_days: int | None = Field(default=None, ge=0, le=365)
    gap_days: int = Field(default=0, ge=0, le=365)
    settle_days: int = Field(default=0, ge=0, le=365)
    known_offset_hours: float = Field(default=0.0, ge=0, lt=24)

    def rule(self) -> OutcomeRule:
        """Return the rule by which snapshots are labelled."""
        return OutcomeRule(
            horizon_days=self.horizon_days,
            active_within_days=self.active_within_days,
            gap_days=self.gap_days,
            settle_days=self.settle_days,
            grace_days=self.grace_days,
        )

    @model_validator(mode="after")
    def _says_who_is_watched(self) -> Self:
        needed, other = ("grace_days", "active_within_days")
        if self.kind == "inactivity":
            needed, other = other, needed
        if getattr(self, needed) is None:
            raise ValueError(f"kind {self.kind} needs {needed}")
        if getattr(self, other) is not None:
            raise ValueError(f"kind {self.kind} has no use for {other}; leave it out")
        return self


class ActionConfig(LimitSettings):
    """What may be spent on whom tonight."""

    catalogue: Path
    budget: BudgetSettings
    control: ControlSettings = ControlSettings()
    rules: Rules = Rules()
    learning: LearningSettings = LearningSettings()


class GateSettings(_Section):
    """How far a night may stray from the nights before it and still be published."""

    fresh_within_days: int = Field(default=3, ge=1)
    volume_drop: float = Field(default=0.5, gt=0, le=1)
    max_level_step: float = Field(default=0.05, gt=0, le=1)
    score_drift: float = Field(default=0.25, gt=0)
    most_at_risk: float = Field(default=0.95, gt=0, le=1)


class RetrainingSettings(_Section):
    """At how many past dates a changed recipe meets the champion's, and which features are known to be in time."""

    test_dates: int = Field(default=3, ge=1, le=12)
    # With yearly contracts everybody leaves at a renewal, whose date is agreed beforehand.
    trusted_features: tuple[str, ...] = ("days_to_renewal",)


class ReportSettings(_Section):
    """What the page calls at risk, how many customers it lists, the language of its reasons, whom it compares."""

    at_risk_above: float = Field(default=0.5, gt=0, lt=1)
    listed_customers: int = Field(default=20, ge=1, le=200)
    language: LanguageCode = "en"
    audit_groups: AuditGroups = {}


class DemoSettings(_Section):
    """The simulated shop of ``keepwell demo``."""

    as_of: date
    shop: ShopSettings


class Config(_Section):
    """One business: where its data lies, what churn means to it, what it may spend."""

    name: str = Field(default="our customers", min_length=1, max_length=80)
    workspace: Path
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    currency: str = Field(default="EUR", min_length=1, max_length=8)
    seed: int = Field(default=7, ge=0)
    threads: int = Field(default=2, ge=1, le=64)
    sources: Mapping[str, Annotated[tuple[Source, ...], BeforeValidator(_listed)]]
    ingest: IngestSettings = IngestSettings()
    churn: ChurnSettings
    features: FeatureConfig = FeatureConfig()
    model: ModelSettings = ModelSettings()
    value: ValueSettings = ValueSettings()
    registry: RegistrySettings = RegistrySettings()
    actions: ActionConfig
    gates: GateSettings = GateSettings()
    retraining: RetrainingSettings = RetrainingSettings()
    report: ReportSettings = ReportSettings()
    handover: HandoverSettings = HandoverSettings()
    leaderboard: BoardSettings = BoardSettings()
    demo: DemoSettings | None = None

    def calendar(self) -> BusinessCalendar:
        """Return the calendar of the business."""
        return BusinessCalendar(self.time_zone, self.churn.known_offset_hours)

    def feature_settings(self) -> FeatureSettings:
        """Return the settings of the features for this business."""
        settings = self.features.settings(self.sources, horizon_days=self.churn.horizon_days)
        return without_audited(settings, self.report.audit_groups)

    @model_validator(mode="after")
    def _delivers_who_is_watched(self) -> Self:
        if self.churn.kind == "contract":
            sources = self.sources.get("subscriptions", ())
            lacking = sorted(
                {"ended_at", "mrr"} - frozenset().union(*(source.filled() for source in sources))
            )
            if lacking:
                raise ValueError(
                    f"churn.kind contract needs a source `subscriptions` that fills {' and '.join(lacking)}"
                )
            if "subscriptions" in self.features.without:
                raise ValueError(
                    "churn.kind contract values customers by their subscriptions; features.without names them. "
                    "Drop them there; `evaluate --without subscriptions` tells what they are worth"
                )
        elif "orders" not in self.sources:
            raise ValueError(
                "churn.kind inactivity needs a source `orders`; without orders choose `contract`"
            )
        return self

    @model_validator(mode="after")
    def _names_what_gives_features(self) -> Self:
        check_sources(self.sources, self.features)
        check_groups(self.report.audit_groups, self.sources)
        self.feature_settings()
        return self


def load_config(path: Path, environment: Mapping[str, str]) -> Config:
    """Read, override, expand and validate a configuration.

    Args:
        path: the YAML file.
        environment: variables; ``KEEPWELL__SECTION__KEY`` replaces a key, the others fill ``${VAR}``.

    Raises:
        ConfigError: with every problem of file and environment, one line each.
    """
    if is_snapshot(path):
        raise ConfigError(
            f"{path}: a ready-made snapshot has no dates, so nothing can be retrained or planned from it. "
            "Give it to `evaluate` or `leaderboard`."
        )
    return load_as(Config, path, environment)


def is_snapshot(path: Path) -> bool:
    """Say whether a file describes a ready-made snapshot, one table with a label, and not a business."""
    return "snapshot" in read_yaml(path).content


def load_as(kind: type[Kind], path: Path, environment: Mapping[str, str]) -> Kind:
    """Read a configuration of some kind; arguments and errors are those of ``load_config``."""
    document = read_yaml(path)
    places = _override(document, environment)
    problems: list[tuple[Place, str]] = []
    expanded = _expand(document.content, (), environment, places, problems)
    whole = replace(document, content=expanded, places=places, problems=(*document.problems, *problems))
    return whole.validated(kind)


def _override(document: Document, environment: Mapping[str, str]) -> dict[Key, Place]:
    """Set keys by variables; what a variable sets stands no longer in a line of the file."""
    places: dict[Key, Place] = dict(document.places)
    for name in sorted(environment):
        if not name.startswith(PREFIX):
            continue
        key: Key = tuple(
            int(part) if part.isdigit() else part.lower() for part in name.removeprefix(PREFIX).split("__")
        )
        value = _put(document.content, key, environment[name], name)
        places = {known: place for known, place in places.items() if known[: len(key)] != key}
        places |= dict.fromkeys(_keys_in(value, key), name)
    return places


def _keys_in(value: Any, path: Key) -> Iterator[Key]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield from _keys_in(below, (*path, key))


def _put(content: Any, key: Key, text: str, name: str) -> Any:
    for part in key[:-1]:
        if isinstance(content, list) and isinstance(part, int) and part < len(content):
            content = content[part]
        elif isinstance(content, dict):
            content = content.setdefault(part, {})
    if not isinstance(content, dict):
        raise ConfigError(f"{name}: there is no such key to override. Name sections by __ and keys by name.")
    try:
        content[key[-1]] = yaml.safe_load(text)
    except yaml.YAMLError:
        content[key[-1]] = text
    return content[key[-1]]


def _expand(
    value: Any,
    path: Key,
    environment: Mapping[str, str],
    places: Mapping[Key, Place],
    problems: list[tuple[Place, str]],
) -> Any:
    """Fill ``${VAR}`` and ``${VAR:-default}`` in every text."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        filled = {key: _expand(inner, (*path, key), environment, places, problems) for key, inner in items}
        return filled if isinstance(value, dict) else list(filled.values())
    if not isinstance(value, str):
        return value

    def fill(match: re.Match[str]) -> str:
        found = environment.get(match["name"]) or match["default"]
        if found is None:
            what = f"{dotted(path)}: variable {match['name']} is not set. Set it or write a default"
            problems.append((place_of(path, places), what))
        return found or ""

    return _VARIABLE.sub(fill, value)
