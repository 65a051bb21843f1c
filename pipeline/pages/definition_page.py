"""The page of the workbench: which definition of churn this log speaks for, and what every other one would do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from features.definitions import RHYTHM_SHARE
from features.silences import Silences
from features.tallies import Span
from pipeline.config import ChurnSettings
from pipeline.defining.candidates import Candidate
from pipeline.defining.workbench import Kind, Workbench
from pipeline.pages import pictures
from pipeline.pages.page import fill
from pipeline.pages.picture import Picture, across_axis, upwards_axis
from pipeline.pages.svg import Canvas, Scale, figure, line, path, together, words

_TITLES = {
    "inactivity": "Silent for a fixed number of days",
    "rhythm": "Late against the own rhythm",
    "contract": "Subscription ended and not renewed",
}
_MEANINGS = {
    "inactivity": (
        "Watched is who bought within the population's window; churned is who then places no order in the outcome "
        "window."
    ),
    "rhythm": (
        "A customer's usual gap is the number of days that {share:.0%} of the own gaps between purchase days do not "
        "exceed. Watched is who has a rhythm and is not late yet; churned is who stays silent for more than so many "
        "usual gaps. Nobody is waited for longer than {longest} days. Late after: the middle customer, and between "
        "which days eight of ten lie."
    ),
    "contract": (
        "Watched is who is subscribed; churned is whose subscription ends by the end of the outcome window and is not "
        "followed by another within the days of grace."
    ),
}

_COLUMNS = {
    "population": "Watched",
    "one_order": "With one order only",
    "churned": "Churned",
    "returned": "Came back later",
}


@dataclass(frozen=True)
class CandidateRow:
    """One definition, its figures as words."""

    name: str
    marks: str
    dates: str
    churn: str
    spread: str
    false_churn: str
    beside: str
    left_out: Sequence[tuple[str, str]]
    problems: Sequence[str]
    by_date: Sequence[Sequence[str]]


@dataclass(frozen=True)
class KindPart:
    """One way to say who churned."""

    title: str
    meaning: str
    headline: str
    why: str
    rule: str
    beside: str
    columns: Sequence[str]
    rows: Sequence[CandidateRow]
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class DefinitionPage:
    """Everything the page says."""

    business: str
    as_of: str
    about: str
    headline: str
    why: str
    is_configured: bool
    honesty: Sequence[str]
    kinds: Sequence[KindPart]


def render_definitions(bench: Workbench) -> str:
    """Return the page as HTML that opens without a network."""
    first = bench.kinds[0]
    span, chosen = first.candidates[0].span, first.proposal.candidate
    is_configured = chosen is not None and chosen.is_configured
    page = DefinitionPage(
        business=bench.business,
        as_of=bench.as_of.isoformat(),
        about=f"{first.candidates[0].customers:,} customers, {span.table} from {_day(span.first_day)} to "
        f"{_day(span.until)}. The configuration says: {_configured(bench.configured)}.",
        headline=first.proposal.headline,
        why=f"{first.proposal.why} {_as_configured(first)}".rstrip(),
        is_configured=is_configured,
        honesty=_honesty(span),
        kinds=[_part(kind) for kind in bench.kinds],
    )
    return fill("definitions.html.j2", page)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _configured(churn: ChurnSettings) -> str:
    if churn.kind == "contract":
        return f"subscription ended within {churn.horizon_days} days, {churn.grace_days} days of grace"
    return f"no order for {churn.horizon_days} days, of those who bought in the {churn.active_within_days} days before"


def _as_configured(kind: Kind) -> str:
    """Say what the configured definition does where another is proposed."""
    chosen = kind.proposal.candidate
    found = next((each for each in kind.candidates if each.is_configured and each is not chosen), None)
    if found is None or found.false_churn_share is None:
        return ""
    return (
        f"As configured, {found.name}: {_share(found.churn_rate)} of the watched are called churned, and "
        f"{_share(found.false_churn_share)} of them come back."
    )


def _honesty(span: Span) -> list[str]:
    return [
        "Every outcome window counted here is complete: it ends, settled, by the last midnight of the log. Dates are a "
        "whole window or more apart, so no outcome is counted twice.",
        f"False churn is the share of those called churned who come back in the {span.follow_up_days} days after their "
        "window, the same for every definition. It is measured only at dates with that much log left after the "
        "window; where there is none it is not measured. Who comes back even later is not seen.",
        "Each definition is tried at dates of its own: a long window has fewer of them, and other seasons. The range "
        "of its churn rate over the dates tells how much season there is.",
    ]


def _part(kind: Kind) -> KindPart:
    span = kind.candidates[0].span
    longest = kind.candidates[0].rule.horizon_days
    drawn = [_bars(kind.candidates)]
    if kind.name != "rhythm":
        drawn += _silence_pictures(kind, span)
    return KindPart(
        title=_TITLES[kind.name],
        meaning=_MEANINGS[kind.name].format(share=RHYTHM_SHARE, longest=longest),
        headline=kind.proposal.headline,
        why=kind.proposal.why,
        rule=kind.proposal.rule,
        beside={"inactivity": "One order only", "rhythm": "Late after", "contract": "Back by then"}[
            kind.name
        ],
        columns=[_COLUMNS[name] for name in _columns(kind)],
        rows=[_row(each, kind) for each in kind.candidates],
        pictures=[picture for picture in drawn if picture is not None],
    )


def _row(candidate: Candidate, kind: Kind) -> CandidateRow:
    told = candidate.answer(kind.silences)
    rates = candidate.rates
    window = told["active_within_days"]
    marks = ["configured"] if candidate.is_configured else []
    marks += ["proposed"] if candidate is kind.proposal.candidate else []
    return CandidateRow(
        name=candidate.name + (f", of those active in the {window} before" if window else ""),
        marks=", ".join(marks),
        dates=str(told["dates"]),
        churn=_share(candidate.churn_rate),
        spread=f"{min(rates):.0%} to {max(rates):.0%}" if rates else "-",
        false_churn=_false_churn(candidate, told["false_churn_customers"]),
        beside=_beside(candidate, told["one_order_share"], told["share_of_returns"]),
        left_out=[(reason, f"{count:,}") for reason, count in told["left_out_at_newest_date"].items()],
        problems=told["problems"],
        by_date=[
            [each["as_of"], *(_count(each[name]) for name in _columns(kind))] for each in told["by_date"]
        ],
    )


def _columns(kind: Kind) -> list[str]:
    """List what a date counts; subscribers without an order are no one-time buyers."""
    return [name for name in _COLUMNS if name != "one_order" or kind.name != "contract"]


def _count(value: int | None) -> str:
    return "not measured" if value is None else f"{value:,}"


def _false_churn(candidate: Candidate, customers: int) -> str:
    share = candidate.false_churn_share
    return "not measured" if share is None else f"{share:.1%} of {customers:,}"


def _beside(candidate: Candidate, one_order: float | None, returns: float | None) -> str:
    """Say what only this kind has: one-time buyers, own limits, or how many pauses the grace covers."""
    if candidate.definition.kind == "inactivity":
        return _share(one_order)
    if candidate.definition.kind == "contract":
        return _share(returns)
    if not candidate.population:
        return "-"
    low, middle, high = (candidate.own_limit_days(share) for share in (0.1, 0.5, 0.9))
    return f"{middle} days ({low} to {high})"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _bars(candidates: Sequence[Candidate]) -> Picture | None:
    rows = pd.DataFrame(
        [(each.name, each.churn_rate, each.false_churn_share) for each in candidates],
        columns=["name", "churn_rate", "false_churn_share"],
    ).dropna()
    if rows.empty:
        return None
    return pictures.bars(
        rows,
        "name",
        {"churn_rate": "called churned, of the watched", "false_churn_share": "of them come back later"},
        title="Churn and false churn",
        note="definitions whose false churn is not measured are left out",
        form=".0%",
    )


def _silence_pictures(kind: Kind, span: Span) -> list[Picture | None]:
    """Draw how long customers stay away: those who came back, and everybody with those still away."""
    chosen = kind.proposal.candidate or kind.candidates[0]
    is_contract = chosen.rule.is_contract
    mark = chosen.rule.grace_days or 0 if is_contract else chosen.rule.horizon_days
    said = f"{mark} days"
    lengths = np.flatnonzero(kind.silences.ended)
    if not len(lengths):
        return []
    counts = pd.DataFrame({"days": lengths, "gaps": kind.silences.ended[lengths]})
    between = "subscriptions" if is_contract else "purchase days"
    histogram = pictures.columns(
        counts, "days", "gaps", title=f"Gaps between {between} of one customer", unit="days", mark=mark,
        mark_label=said, note="number of gaps that ended; the longest hundredth stands in the last column",
    )  # fmt: skip
    return [histogram, _return_curve(kind.silences, 2 * span.follow_up_days, mark=mark, said=said)]


def _return_curve(silences: Silences, days: int, *, mark: int, said: str) -> Picture:
    broken = silences.broken_within()[: days + 1]
    canvas = Canvas(480, 250, left=52, right=14)
    across = Scale(0, max(len(broken) - 1, 1), canvas.left, canvas.end)
    up = Scale(0, 1, canvas.base, canvas.top)
    shapes = [*across_axis(across, canvas, "days of silence", ",.0f"), *upwards_axis(up, canvas, ".0%")]
    shapes.append(path("line-0", [(across(day), up(share)) for day, share in enumerate(broken)]))
    shapes.append(line("mark", across(mark), canvas.top, across(mark), canvas.base))
    shapes.append(words(across(mark) + 5, canvas.base - 8, said))
    title = "Share of silences that are broken"
    note = "Kaplan-Meier: silences still open at the end of the log count as long as they were watched"
    return Picture(title, note, figure(title, together(shapes), canvas))
