"""What the page of a night is made of, ready to print."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.pages.audit_chapter import AuditChapter
from pipeline.pages.beliefs_chapter import BeliefsChapter
from pipeline.pages.page import Figure, fill
from pipeline.pages.power_chapter import PowerChapter
from pipeline.pages.rules_chapter import RuledRow


@dataclass(frozen=True)
class Bar:
    """One line of a bar picture; ``percent`` of the full width."""

    label: str
    value: str
    percent: float


@dataclass(frozen=True)
class ActionRow:
    """One action of tonight's plan."""

    name: str
    channel: str
    planned: str
    sent: str
    explored: str
    withheld: str
    cost: str
    kept: str


@dataclass(frozen=True)
class Why:
    """One reason for a risk, and what would change it."""

    sentence: str
    change: str


@dataclass(frozen=True)
class CustomerRow:
    """One valuable customer at risk."""

    pseudonym: str
    segment: str
    risk: str
    value: str
    action: str
    reasons: Sequence[Why]


@dataclass(frozen=True)
class Mover:
    """A customer whose risk moved much since the night before."""

    pseudonym: str
    before: str
    after: str
    direction: str


@dataclass(frozen=True)
class SegmentRow:
    """One segment of the base."""

    name: str
    customers: str
    risk: str
    value: str


@dataclass(frozen=True)
class ModelRow:
    """One model of the champion's evaluation."""

    name: str
    auc: str
    interval: str
    log_loss: str
    ece: str
    lift: str


@dataclass(frozen=True)
class Resting:
    """An action that cannot be used tonight, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class NightPage:
    """Everything a night's page says, in words and pictures ready to print."""

    business: str
    as_of: str
    definition: str
    model_version: str
    trained_through: str
    later_model: bool
    figures: Sequence[Figure]
    beliefs: BeliefsChapter
    power: PowerChapter
    plan_words: str
    actions: Sequence[ActionRow]
    certificate: str
    previous: str
    changes: Sequence[Figure]
    movers: Sequence[Mover]
    left_out: Sequence[Bar]
    spread_words: str
    histogram: Markup
    calibration_words: str
    calibration: Markup
    language: str
    customers: Sequence[CustomerRow]
    reasons: Sequence[Bar]
    segments: Sequence[SegmentRow]
    audit: AuditChapter
    ruled: Sequence[RuledRow]
    dormant: Sequence[Resting]
    evaluation_words: str
    models: Sequence[ModelRow]
    facts: Sequence[Figure]


def render(page: NightPage) -> str:
    """Return the page as HTML that opens without a network."""
    return fill("night.html.j2", page)
