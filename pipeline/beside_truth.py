"""What was measured in the simulated shop beside what is true there."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd

from actions.assignments import CONTROL, SENT
from pipeline.measuring.measuring import measured, written
from pipeline.pages.picture import said_as
from pipeline.run import Run
from pipeline.shop.worlds import true_effects
from tables.publish import published, published_dates


def beside_truth(run: Run, *, first: date, as_of: date) -> Mapping[str, Any]:
    """Measure, and set the true difference of the same customers beside every measured one.

    Args:
        run: the run of a simulated shop, holding the workspace.
        first: its first published night.
        as_of: the date of the measurement.

    Returns:
        ``answer``: ``beside_truth``, one row per action: ``action``, ``sent`` and ``control`` (customers),
        ``measured`` with ``low`` and ``high`` (95 %), and ``true``: shares of customers, positive where fewer leave;
        and ``stopped``, by action the first night that its outcomes kept it out. ``lines`` say the same for
        people, with the page of the results; or from which night on there will be something to say.
    """
    settled_on = run.rule.complete_on(first) + timedelta(days=1)
    if as_of < settled_on:
        nights = (settled_on - first).days + 1
        hint = f"From night {nights} on (--nights {nights}) it sets what was measured beside the truth."
        return {"answer": {"beside_truth": [], "stopped": {}}, "lines": [hint]}
    results = measured(run, as_of=as_of, today=as_of)
    told, units = written(run, results), results.units
    truth = _true_effects(run, units[(units["withheld_share"] > 0) & units["arm"].isin((SENT, CONTROL))])
    rows = [_row(reading, truth[reading["name"]]) for reading in told["actions"] if reading["name"] in truth]
    stopped = _stopped(run)
    lines = [*_lines(rows), *map(_stop, stopped.items()), f"Results: {told['page']}"]
    return {"answer": {"beside_truth": rows, "stopped": stopped}, "lines": lines}


def _stopped(run: Run) -> dict[str, str]:
    """Tell the first night that left an action out for its outcomes, of those that the newest night leaves out."""
    since: dict[str, str] = {}
    for day in published_dates(run.workspace):
        night = published(run.workspace, day)
        out = {row["action"] for row in night.facts["beliefs"] if row["stopped"]} if night else set()
        since = {name: since.get(name, day.isoformat()) for name in sorted(out)}
    return since


def _true_effects(run: Run, units: pd.DataFrame) -> dict[str, float]:
    opens = units["planned_on"] + pd.Timedelta(days=run.rule.gap_days)
    drawn = units.assign(planned_on=opens, is_sent=units["arm"] == SENT)
    found = true_effects(run.workspace / "shop/worlds", drawn, run.rule.horizon_days)
    return {str(action): float(effect) for action, effect in found.groupby(units["action"]).mean().items()}


def _row(reading: Mapping[str, Any], true: float) -> dict[str, Any]:
    stayed = reading.get("stayed", {})
    low, high = stayed.get("interval") or (None, None)
    return {
        "action": reading["name"],
        "sent": reading["sent_customers"],
        "control": reading["control_customers"],
        "measured": stayed.get("difference"),
        "low": low,
        "high": high,
        "true": true,
    }


def _lines(rows: list[dict[str, Any]]) -> list[str]:
    head = f"{'points of churn saved':28}{'sent':>7}{'withheld':>10}{'measured':>10}{'95 % interval':>18}{'true':>8}"
    return [head, *map(_line, rows)]


def _stop(stopped: tuple[str, str]) -> str:
    name, since = stopped
    return f"{said_as(name)} is stopped since {since}: its outcomes say that it loses money."


def _line(row: Mapping[str, Any]) -> str:
    measured = "" if row["measured"] is None else f"{100 * row['measured']:+.1f}"
    between = "" if row["low"] is None else f"{100 * row['low']:+.1f} to {100 * row['high']:+.1f}"
    name = said_as(row["action"])
    return (
        f"{name:28}{row['sent']:7,}{row['control']:10,}{measured:>10}{between:>18}{100 * row['true']:+8.1f}"
    )
