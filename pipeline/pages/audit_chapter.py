"""The chapter on how groups of customers are treated."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from pipeline.pages.picture import said_as

if TYPE_CHECKING:
    from pipeline.audit.auditing import Audit, GroupRate


@dataclass(frozen=True)
class AuditRate:
    """A share in words, and whether it differs from the other customers' by more than chance."""

    share: str
    interval: str
    differs: bool


@dataclass(frozen=True)
class AuditRow:
    """One group."""

    attribute: str
    group: str
    customers: str
    risk: str
    rates: Sequence[AuditRate]


@dataclass(frozen=True)
class AuditChapter:
    """Groups beside each other, and what the marks mean; ``measures`` head the columns of rates."""

    words: str
    measures: Sequence[str]
    rows: Sequence[AuditRow]


def audit_chapter(audit: "Audit") -> AuditChapter:
    """Put an audit into words."""
    measures = tuple(dict.fromkeys(rate.measure for rate in audit.rates))
    groups = groupby(audit.rates, key=lambda rate: (rate.attribute, rate.group))
    rows = [_row(list(rates)) for _, rates in groups]
    return AuditChapter(_words(audit), measures, rows)


def _words(audit: "Audit") -> str:
    if not audit.rates:
        return (
            "No source tells a region or another attribute to compare by. Map one, and name it in "
            "report.audit_groups."
        )
    found = sum(rate.beyond_chance for rate in audit.rates)
    differences = "No difference is" if not found else f"{found} difference{'s are' if found > 1 else ' is'}"
    return (
        f"Share of each group reached in the {audit.window_days} days up to tonight, with 95 % intervals. "
        f"{differences} larger than chance explains (marked: below 5 % over all groups of an attribute, each against "
        "all other customers). A mark tells no cause: groups also differ in risk, value and consent. Attributes named "
        "in report.audit_groups are read for this table alone and give no features."
    )


def _row(rates: Sequence["GroupRate"]) -> AuditRow:
    first = rates[0]
    return AuditRow(
        attribute=said_as(first.attribute),
        group=first.group,
        customers=f"{first.customers:,}",
        risk=f"{first.mean_churn_risk:.0%}",
        rates=[
            AuditRate(f"{rate.rate:.1%}", f"{rate.low:.1%} to {rate.high:.1%}", rate.beyond_chance)
            for rate in rates
        ],
    )
