"""What the workbench found: candidates by kind, the proposals, and the same as JSON and as tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from features.silences import Silences, day_quantile
from features.tallies import Span
from pipeline.config import ChurnSettings
from pipeline.defining.candidates import Candidate
from pipeline.defining.proposing import Proposal

ROUND_DAYS = (3, 7, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365)
_QUANTILES = (0.5, 0.75, 0.9, 0.95)


@dataclass(frozen=True)
class Kind:
    """All candidates of one way to say who churned.

    Attributes:
        name: inactivity, rhythm or contract.
        candidates: from short to long.
        silences: how long customers stay away.
        proposal: the one this log speaks for, and why.
    """

    name: str
    candidates: Sequence[Candidate]
    silences: Silences
    proposal: Proposal

    def answer(self) -> dict[str, Any]:
        """Return what the JSON says of the kind."""
        return {
            "candidates": [each.answer(self.silences) for each in self.candidates],
            "proposal": self.proposal.answer(),
        }

    @property
    def span(self) -> Span:
        """The log of the kind's table."""
        return self.candidates[0].span

    def log(self) -> dict[str, Any]:
        """Return what the JSON says of the log and of the silences in it."""
        ended, broken = self.silences.ended, self.silences.broken_within()
        return {
            "first_day": self.span.first_day.isoformat(),
            "until": self.span.until.isoformat(),
            "days": self.span.days,
            "customers": self.candidates[0].customers,
            "follow_up_days": self.span.follow_up_days,
            "silences_ended": int(ended.sum()),
            "silences_still_open": int(self.silences.still_silent.sum()),
            "gap_days_quantiles": {f"{share:.0%}": day_quantile(ended, share) for share in _QUANTILES},
            "gap_days_counts": {str(day): int(count) for day, count in enumerate(ended) if count},
            "back_within_days": {str(day): float(broken[day]) for day in ROUND_DAYS if day < len(broken)},
        }


@dataclass(frozen=True)
class Workbench:
    """Everything the workbench found in one log.

    Attributes:
        business: name of the business.
        as_of: the date of the look; later rows were not used.
        configured: what the configuration says today.
        kinds: what was tried, the configured kind first.
    """

    business: str
    as_of: date
    configured: ChurnSettings
    kinds: Sequence[Kind]

    def answer(self) -> dict[str, Any]:
        """Return what ``keepwell define --json`` prints and keeps."""
        return {
            "as_of": self.as_of.isoformat(),
            "configured": self.configured.model_dump(exclude_none=True),
            "logs": {kind.span.table: kind.log() for kind in self.kinds},
            **{kind.name: kind.answer() for kind in self.kinds},
        }

    def lines(self) -> str:
        """Return what was found as tables for people."""
        told: list[str] = []
        for kind in self.kinds:
            head = f"{kind.name:12}{'definition':>31}{'dates':>8}{'churn':>8}{'over the dates':>17}{'false churn':>13}"
            told += [head, *(_line(each, kind.proposal) for each in kind.candidates)]
            told += [f"{kind.proposal.headline} {kind.proposal.why}", ""]
        return "\n".join(told).rstrip()


def _line(candidate: Candidate, proposal: Proposal) -> str:
    marks = ["configured"] if candidate.is_configured else []
    marks += ["proposed"] if candidate is proposal.candidate else []
    rates = candidate.rates
    spread = f"{min(rates):.1%} - {max(rates):.1%}" if rates else "-"
    rate, false = (_share(value) for value in (candidate.churn_rate, candidate.false_churn_share))
    return (
        f"{candidate.name:>43}{len(candidate.tallies):8}{rate:>8}{spread:>17}{false:>13}  {', '.join(marks)}"
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
