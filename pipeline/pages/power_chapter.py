"""What tonight's control groups will be able to show: said before anybody looks at an outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.pages.picture import said_as

_MOST_NIGHTS = 3_650


@dataclass(frozen=True)
class PowerRow:
    """What the comparison of one action's sent and withheld units can show."""

    action: str
    new: str
    before: str
    believed: str
    detectable: str
    detectable_so_far: str
    nights: str


@dataclass(frozen=True)
class PowerChapter:
    """The power of a night's comparisons, in words and by action."""

    words: str
    rows: Sequence[PowerRow]


def power_chapter(summary: Mapping[str, Any]) -> PowerChapter:
    """Put the power of a plan into words.

    Args:
        summary: of the plan, as ``actions.summary.summarise`` returns it.
    """
    compared = [row for row in summary["actions"] if row["compared"]]
    rows = [_row(row) for row in sorted(compared, key=lambda row: (-row["compared"], row["action"]))]
    return PowerChapter(" ".join([*_total(summary), *_programme(summary["programme"])]), rows)


def _total(summary: Mapping[str, Any]) -> Sequence[str]:
    total = summary["total"]
    if total["detectable_effect"] is None:
        return ["Tonight's plan has no control group large enough to compare with."]
    words = [
        f"Tonight's {total['compared']:,} newly compared households or single customers could show an effect of "
        f"{_points(total['detectable_effect'])} of churn or more (minimum detectable effect, 80 % power) of all "
        f"actions together, against those of them who are left alone, read beside the churn score, which "
        f"takes off {total['explained']:.0%} of the variance where it is calibrated."
    ]
    if total["compared_before"]:
        words.append(
            f"With the {total['compared_before']:,} of earlier nights it is {_points(total['detectable_so_far'])}."
        )
    nights = total["nights_to_detect"]
    if nights:
        needs = (
            f"about {nights:,} such nights"
            if nights <= _MOST_NIGHTS
            else "more nights than anybody will wait"
        )
        words.append(
            f"The believed effect of {_points(total['believed_effect'])} needs {needs}; the salt has "
            f"{summary['nights_left']:,} left."
        )
    return words


def _programme(programme: Mapping[str, Any]) -> Sequence[str]:
    if programme["detectable_effect"] is None:
        return []
    return [
        f"The global control of {programme['control']:,} households or single customers can show "
        f"{_points(programme['detectable_effect'])} for the programme as a whole."
    ]


def _row(row: Mapping[str, Any]) -> PowerRow:
    return PowerRow(
        action=said_as(row["action"]),
        new=f"{row['compared']:,}",
        before=f"{row['compared_before']:,}",
        believed=_points(row["believed_effect"]),
        detectable=_detectable(row["detectable_effect"]),
        detectable_so_far=_detectable(row["detectable_so_far"]),
        nights=_nights(row["nights_to_detect"]),
    )


def _detectable(effect: float | None) -> str:
    if effect is None:
        return "no comparison"
    return "nothing yet" if effect > 1 else _points(effect)


def _nights(needed: int | None) -> str:
    if needed is None:
        return "never"
    return f"{needed:,}" if needed <= _MOST_NIGHTS else "out of reach"


def _points(effect: float) -> str:
    return f"{100 * effect:.1f} points"
