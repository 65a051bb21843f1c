"""`keepwell measure`: read what settled outcomes say, write it down and put it on a page."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from actions.measurement.reading import Reading
from pipeline.measuring.results import Results, results_of
from pipeline.pages.picture import said_as
from pipeline.pages.results_page import results_page
from pipeline.run import Run
from pipeline.steps import ingested
from tables.errors import ConfigError, DataError
from tables.publish import published_dates
from tables.storage import write_text


def measure(run: Run, *, as_of: date, today: date) -> Mapping[str, Any]:
    """Read what planned actions did by a date, and write ``results/as_of=D``; arguments and errors as ``measured``.

    The same date gives the same bytes again: only what a night of that date would know counts.
    """
    return written(run, measured(run, as_of=as_of, today=today))


def measured(run: Run, *, as_of: date, today: date) -> Results:
    """Read what planned actions did by a date.

    Args:
        run: the run, holding the workspace.
        as_of: the date.
        today: the day it is; a later date has no outcomes.

    Raises:
        ConfigError: if the date lies in the future.
        DataError: if no planned action's outcome is settled; names the earliest date.
    """
    if as_of > today:
        raise ConfigError(f"measure: {as_of} has not begun, today is {today}. Name an earlier --as-of.")
    history = ingested(run, as_of=as_of)
    run.progress(f"measure {as_of}: what came of every planned action")
    results = results_of(run, history, as_of=as_of)
    if results is None:
        raise DataError(_nothing_settled(run, as_of))
    return results


def written(run: Run, results: Results) -> Mapping[str, Any]:
    """Write results down and put them on a page; return what ``keepwell measure`` prints."""
    answer = results.answer()
    folder = run.workspace / "results" / f"as_of={results.as_of}"
    page = folder / "index.html"
    write_text(json.dumps(answer, indent=1, allow_nan=False) + "\n", folder / "results.json")
    write_text(results_page(answer, business=run.config.name, currency=run.config.currency), page)
    return {**answer, "page": str(page), "text": f"{table(results, run.config.currency)}\nPage: {page}"}


def _nothing_settled(run: Run, as_of: date) -> str:
    nights = published_dates(run.workspace)
    where = f"measure: no planned action's outcome is settled and known by {as_of}"
    if not nights:
        return f"{where}; found no published night. Run `keepwell nightly` first."
    earliest = run.rule.complete_on(nights[0]) + timedelta(days=1)
    return (
        f"{where}; the first night was published for {nights[0]}, and its outcome window is over and its rows are in "
        f"by {earliest}. Measure as of {earliest} or later, with {run.rule.table} until then."
    )


def table(results: Results, currency: str) -> str:
    """Return the readings as a table for people."""
    head = f"{'':36}{'sent':>8}{'withheld':>10}{'fewer leave':>13}{'95 %, every night':>21}{'profit':>12}"
    parts: list[tuple[str, Sequence[Reading]]] = [
        ("everybody planned for against those left alone", [results.total]),
        ("actions, sent against withheld", results.actions),
        ("segments, against those left alone", results.segments),
        ("regions, against those left alone", results.regions),
        ("policies", results.policies),
        ("the whole base against the global control, by salt", results.programme),
    ]
    first, last = results.planned
    lines = [
        f"{results.as_of}: {len(results.units):,} planned actions of {results.customers:,} customers are settled, "
        f"planned from {first} to {last}; points of churn, profit in {currency} of all sent",
        head,
    ]
    for title, readings in parts:
        lines += [title] if title and readings else []
        lines += [_line(each) for each in readings]
    lines += [results.caution] if results.caution else []
    for action, chance in results.stopped.items():
        lines.append(f"{said_as(action)} is stopped: it loses money with a chance of {chance:.0%}")
    return "\n".join(lines)


def _line(reading: Reading) -> str:
    told = reading.answer()
    stayed, profit = told.get("stayed", {}), told.get("total", {}).get("profit", {})
    low, high = stayed.get("sequence") or (None, None)
    between = "" if low is None or high is None else f"{100 * max(low, -1):+.1f} to {100 * min(high, 1):+.1f}"
    return (
        f"  {said_as(reading.name):34.34}{reading.sent:8,}{reading.control:10,}"
        f"{_points(stayed.get('difference')):>13}{between:>21}{_money(profit.get('estimate')):>12}  {reading.words}"
    )


def _points(difference: float | None) -> str:
    return "" if difference is None else f"{100 * difference:+.1f}"


def _money(amount: float | None) -> str:
    return "" if amount is None else f"{amount:+,.0f}"
