"""The flow of `keepwell whatif`: plan a night as configured and as asked, and publish neither."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from actions.allocation.budget import BudgetSettings
from pipeline.pages.whatif_page import WhatIfPage, money_curve, render_whatif
from pipeline.planning import Prepared
from pipeline.run import Run
from pipeline.whatif.outcome import Outcome, action_lines, as_text, figure_lines
from pipeline.whatif.question import Question
from pipeline.whatif.situation import Situation, situation
from tables.storage import write_text

_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0)
"""Budgets of the picture, as shares of the configured one."""

_ANY_BUDGET = 100.0  # where nothing may be spent, there is nothing to take shares of
_CLAIM = (
    "Expected figures are what the effects believed tonight make of the plan: the owner's beliefs, and evidence where "
    "there is any. They are no results; keepwell measure tells those."
)


@dataclass(frozen=True)
class Comparison:
    """Both plans, and what either would bring at other budgets.

    Attributes:
        question: what is different.
        present: the plan as configured.
        asked: the plan as asked.
        curve: rows of ``budget``, ``money``, ``present`` and ``asked`` (expected profit of customers chosen by the
            mean beliefs), where a picture was asked for.
        notes: what a reader of the present plan must know.
    """

    question: Question
    present: Outcome
    asked: Outcome
    curve: Sequence[Mapping[str, float]]
    notes: Sequence[str]


def whatif(
    run: Run, question: Question, *, as_of: date | None, today: date, out: Path | None
) -> Mapping[str, Any]:
    """Plan a night as configured and as asked, and set both side by side; the workspace is only read.

    Args:
        run: the run; it need not hold the workspace.
        question: what is to be different.
        as_of: the night; the newest published one if not given.
        today: the day it is.
        out: HTML file to write, with a picture of profit against budget.

    Raises:
        ConfigError: if the question names what there is not, or the night cannot be planned for any more.
    """
    with tempfile.TemporaryDirectory(prefix="keepwell-whatif-") as scratch:
        other = question.asked_of(run, Path(scratch))
        night = situation(run, as_of=as_of, today=today)
        found = _compare(run, other, question, night, with_curve=out is not None)
    if out is not None:
        write_text(render_whatif(_page(run, night.as_of, found)), out)
    return _answer(run, night.as_of, found, out)


def _compare(run: Run, other: Run, question: Question, night: Situation, *, with_curve: bool) -> Comparison:
    run.progress(f"whatif {night.as_of}: the plan as configured, and as asked")
    here = _Way(run, night.prepared(run))
    there = here if question == Question() else _Way(other, night.prepared(other))
    present, asked = here.outcome(), there.outcome()
    curve = _curve(here.by_mean(), there.by_mean(), question) if with_curve else []
    return Comparison(question, present, asked, curve, _notes(run, night, present))


@dataclass(frozen=True)
class _Way:
    """One of the two ways to plan the night, ready for any budget."""

    run: Run
    prepared: Prepared

    @property
    def budget(self) -> BudgetSettings:
        return self.run.config.actions.budget

    def by_mean(self) -> "_Way":
        """Return the same way with customers chosen by the mean beliefs: nothing is drawn to try what is unsure."""
        beliefs = self.prepared.beliefs
        sure = replace(beliefs.effects, sd=np.zeros_like(beliefs.effects.sd))
        return replace(self, prepared=replace(self.prepared, beliefs=replace(beliefs, effects=sure)))

    def outcome(self, amount: float | None = None) -> Outcome:
        """Plan under an amount of money per period, the configured one if none is given."""
        budget = self.budget if amount is None else self.budget.model_copy(update={"amount": amount})
        return Outcome.of(self.prepared.plan(self.run, budget), currency=self.run.config.currency)


def _curve(here: _Way, there: _Way, question: Question) -> list[dict[str, float]]:
    """Plan under a row of budgets, by the present rules and, where they differ, by those asked for."""
    configured, asked_for = here.budget.amount, there.budget.amount
    of = configured or asked_for or _ANY_BUDGET
    rows = []
    for budget in sorted({of * share for share in _SHARES} | {configured, asked_for}):
        here.run.progress(f"whatif: a budget of {budget:,.2f} {here.run.config.currency}")
        present = here.outcome(budget)
        asked = there.outcome(budget) if question.changes_rules else present
        rows.append(
            {"budget": budget, "money": present.money, "present": present.profit, "asked": asked.profit}
        )
    return rows


def _notes(run: Run, night: Situation, present: Outcome) -> list[str]:
    if night.published is None:
        return [f"{night.as_of} is not published; what came in since the last night was not read."]
    total = night.published.facts["summary"]["total"]
    if abs(total["expected_value"] - present.profit) < 0.01 and abs(total["cost"] - present.spend) < 0.01:
        return []
    return [
        f"The published plan expected {total['expected_value']:,.2f} {run.config.currency} for {total['cost']:,.2f}: "
        "the configuration, the catalogue or the evidence has changed since."
    ]


def _page(run: Run, as_of: date, found: Comparison) -> WhatIfPage:
    budget, currency = run.config.actions.budget, run.config.currency
    asked = found.question.budget if found.question.budget is not None else budget.amount
    return WhatIfPage(
        business=run.config.name,
        as_of=as_of.isoformat(),
        changes=found.question.words(run),
        headline=_headline(found, currency),
        claim=_CLAIM,
        figures=figure_lines(found.present, found.asked, currency=currency),
        actions=action_lines(found.present, found.asked),
        scarce=[("As configured", found.present.scarce), ("As asked", found.asked.scarce)],
        picture=money_curve(
            found.curve,
            unit=f"budget per {budget.per}, {currency}",
            currency=currency,
            budgets={"configured": budget.amount, "asked": asked},
            rules_differ=found.question.changes_rules,
        ),
        curve=found.curve,
        notes=found.notes,
    )


def _headline(found: Comparison, currency: str) -> str:
    present, asked = found.present, found.asked
    if found.question == Question():
        return f"The plan as configured is expected to earn {present.profit:,.2f} {currency} for {present.spend:,.2f}."
    return (
        f"Expected profit {asked.profit - present.profit:+,.2f} {currency}, cost {asked.spend - present.spend:+,.2f} "
        f"{currency}, {asked.customers - present.customers:+,} customers."
    )


def _answer(run: Run, as_of: date, found: Comparison, out: Path | None) -> dict[str, Any]:
    return {
        "as_of": as_of.isoformat(),
        "currency": run.config.currency,
        "changes": found.question.words(run),
        "present": found.present.answer(),
        "asked": found.asked.answer(),
        "curve": [dict(row) for row in found.curve],
        "notes": list(found.notes),
        "out": None if out is None else str(out),
        "text": _text(run, as_of, found, out),
    }


def _text(run: Run, as_of: date, found: Comparison, out: Path | None) -> str:
    changes = found.question.words(run)
    differs, present, asked = bool(changes), found.present, found.asked
    lines = [
        *figure_lines(present, asked, currency=run.config.currency),
        *action_lines(present, asked),
    ]
    width = max(len(one.name) for one in lines) + 2
    head = f"{'':{width}}{'as configured':>14}" + (f"{'as asked':>14}{'difference':>14}" if differs else "")
    scarce = ["As configured:", *present.scarce]
    if differs:
        scarce += ["As asked:", *asked.scarce]
    return "\n".join(
        [
            f"{as_of}: plans in memory; nothing is published, nothing in the workspace changes.",
            *changes,
            head,
            *as_text(lines, asked=differs),
            *scarce,
            *(f"note: {note}" for note in found.notes),
            _CLAIM,
            *([f"Page: {out}"] if out else []),
        ]
    )
