"""The flow of ``keepwell power``: what a night's control groups could show, before anything is sent."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pipeline.pages.power_chapter import PowerRow, power_chapter
from pipeline.planning import plan_night
from pipeline.run import Run
from pipeline.whatif.situation import situation

_POWER = (
    "compared",
    "compared_before",
    "explained",
    "believed_effect",
    "detectable_effect",
    "detectable_so_far",
    "nights_to_detect",
)
_HEADINGS = PowerRow("action", "new", "before", "believed", "tonight", "so far", "nights")


def power(run: Run, *, as_of: date | None, today: date) -> Mapping[str, Any]:
    """Plan a night in memory and tell what its comparisons could show; nothing is published or kept.

    Args:
        run: the run; it need not hold the workspace.
        as_of: the night; the newest published one if not given, today where there is none.
        today: the day it is.

    Returns:
        ``as_of``, ``nights_left`` of the salt, ``total``, ``actions`` and ``programme`` with units compared and
        effects as absolute differences of churn, and ``text``.
    """
    night = situation(run, as_of=as_of, today=today)
    planned = plan_night(run, night.history, night.scored, as_of=night.as_of, cells=night.cells)
    summary = planned.plan.summary
    chapter = power_chapter(summary)
    return {
        "as_of": night.as_of.isoformat(),
        "nights_left": summary["nights_left"],
        "total": {name: summary["total"][name] for name in _POWER},
        "actions": [
            {name: row[name] for name in ("action", "planned", "withheld", *_POWER)}
            for row in summary["actions"]
            if row["compared"]
        ],
        "programme": summary["programme"],
        "text": "\n".join([f"{night.as_of}: {chapter.words}", *map(_line, [_HEADINGS, *chapter.rows])]),
    }


def _line(row: PowerRow) -> str:
    figures = (row.new, row.before, row.believed, row.detectable, row.detectable_so_far, row.nights)
    return f"  {row.action:26}" + "".join(f"{figure:>15}" for figure in figures)
