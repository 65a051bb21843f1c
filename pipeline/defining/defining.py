"""The churn-definition workbench: candidates tried on the past of this very log, and which one it speaks for."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from features.definitions import Contract, Definition, Inactivity, Rhythm
from features.tallies import Span, Tried, try_definitions
from pipeline.config import ChurnSettings
from pipeline.defining.candidates import candidates_of, dates_of
from pipeline.defining.proposing import propose
from pipeline.defining.workbench import ROUND_DAYS, Kind, Workbench
from pipeline.pages.definition_page import render_definitions
from pipeline.run import Run
from pipeline.steps import ingested
from tables.calendar import OutcomeRule
from tables.errors import DataError
from tables.history import History
from tables.storage import write_text

USUAL_GAPS = (1.0, 2.0, 3.0, 4.0, 6.0)
GRACE_DAYS = (0, 7, 14, 30, 60, 90)
_LEAST_LOG_DAYS = 12
_LIKE = 0.1  # a round length that close to the configured one would say the same


def define(run: Run, *, as_of: date, days: Sequence[int] = ()) -> Mapping[str, Any]:
    """Try every definition on the log up to a date, and keep the answer as JSON and as a page.

    Args:
        run: the run, holding the workspace.
        as_of: nothing that happened or was known from this day's midnight on is used.
        days: lengths of the outcome window to try; round ones that the log allows if none are given.

    Raises:
        DataError: if the log is too short for any outcome.
    """
    bench = look(run, run.as_known(ingested(run), as_of=as_of), as_of=as_of, days=days)
    folder = run.workspace / "definitions" / f"as_of={as_of}"
    answer, page = bench.answer(), folder / "index.html"
    write_text(json.dumps(answer, indent=2) + "\n", folder / "definitions.json")
    write_text(render_definitions(bench), page)
    return {**answer, "page": str(page), "text": f"{bench.lines()}\nPage: {page}"}


def look(run: Run, history: History, *, as_of: date, days: Sequence[int] = ()) -> Workbench:
    """Try every definition that the tables of a history allow; arguments as for ``define``."""
    spans = {table: _span(run, history, table, as_of, days) for table in _TABLES if _tells(history, table)}
    kinds = [
        kind
        for table, span in spans.items()
        if span.days >= _LEAST_LOG_DAYS
        for kind in _TABLES[table](run, history, span, sorted(set(days)) or _lengths(span.days, run))
    ]
    _check_tried(run, spans)
    kinds.sort(key=lambda kind: kind.name != run.config.churn.kind)
    return Workbench(run.config.name, as_of, run.config.churn, kinds)


def _tells(history: History, table: str) -> bool:
    return history.has(table) and (table == "orders" or "ended_at" in history.columns(table))


def _check_tried(run: Run, spans: Mapping[str, Span]) -> None:
    span = spans.get(run.rule.table)
    if span is None or span.days < _LEAST_LOG_DAYS:
        found = "there are none" if span is None else f"they span {max(span.days, 0)} days up to {span.until}"
        raise DataError(
            f"define: {run.rule.table} of {_LEAST_LOG_DAYS} days or more are needed to see anybody leave and come "
            f"back; {found}. Bring a longer log, or name a later --as-of."
        )


def _of_orders(run: Run, history: History, span: Span, lengths: Sequence[int]) -> list[Kind]:
    churn, longest = run.config.churn, lengths[-1]
    per_horizon = (churn.active_within_days or 2 * churn.horizon_days) / churn.horizon_days
    inactive = [
        Inactivity(_rule(churn, each, active_within_days=round(each * per_horizon))) for each in lengths
    ]
    paced = [Rhythm(_rule(churn, longest, active_within_days=longest), times) for times in USUAL_GAPS]
    tried = _try(run, history, span, [*inactive, *paced])
    return [_kind("inactivity", inactive, tried, span, run), _kind("rhythm", paced, tried, span, run)]


def _of_subscriptions(run: Run, history: History, span: Span, lengths: Sequence[int]) -> list[Kind]:
    churn = run.config.churn
    grace = churn.grace_days or 0
    ended = [Contract(_rule(churn, each, grace_days=grace)) for each in lengths]
    horizon = churn.horizon_days if churn.horizon_days in lengths else lengths[0]
    others = (each for each in GRACE_DAYS if each != grace and each <= lengths[-1])
    ended += [Contract(_rule(churn, horizon, grace_days=each)) for each in others]
    ended.sort(key=lambda each: (each.rule.horizon_days, each.rule.grace_days or 0))
    return [_kind("contract", ended, _try(run, history, span, ended), span, run)]


def _try(run: Run, history: History, span: Span, definitions: Sequence[Definition]) -> Tried:
    run.progress(f"define: {len(definitions)} definitions on {span.days:,} days of {span.table}")
    return try_definitions(history, {each: dates_of(each.rule, span) for each in definitions}, span)


def _kind(name: str, definitions: Sequence[Definition], tried: Tried, span: Span, run: Run) -> Kind:
    candidates = candidates_of(definitions, tried, span, run.rule)
    return Kind(name, candidates, tried.silences, propose(name, candidates, tried.silences))


def _rule(churn: ChurnSettings, horizon_days: int, **windows: int) -> OutcomeRule:
    return OutcomeRule(
        horizon_days=horizon_days, gap_days=churn.gap_days, settle_days=churn.settle_days, **windows
    )


def _span(run: Run, history: History, table: str, as_of: date, days: Sequence[int]) -> Span:
    calendar = run.calendar
    first, until = (calendar.day_of(at) for at in (history.first_at(table), history.newest_at(table)))
    longest = max(days, default=0) or _lengths((until - first).days, run)[-1]
    follow_up = min(longest, (until - first).days // 4)
    return Span(table, first, until, calendar.midnight(as_of), follow_up, calendar)


def _lengths(log_days: int, run: Run) -> list[int]:
    """List round lengths between a hundredth and a quarter of the log, and the configured one."""
    configured = run.config.churn.horizon_days
    fitting = [each for each in ROUND_DAYS if log_days / 100 <= each <= log_days / 4]
    return sorted({each for each in fitting if abs(each - configured) > _LIKE * configured} | {configured})


_TABLES = {"orders": _of_orders, "subscriptions": _of_subscriptions}
