"""The page of a challenge: which recipe won, by what rule, on which figures, and who would have paid for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipeline.pages.page import fill
from pipeline.pages.picture import said_as
from pipeline.pages.svg import Canvas, Scale, dot, figure, line, together, words

_ROW = 26
_NAMES = 250


@dataclass(frozen=True)
class Compared:
    """One figure of both recipes, ready to print."""

    name: str
    champion: str
    challenger: str
    difference: str
    interval: str
    better_at: str
    verdict: str


@dataclass(frozen=True)
class AtDate:
    """Both recipes at one date, ready to print."""

    as_of: str
    customers: str
    churned: str
    log_loss: str
    profit: str
    calibration: str


@dataclass(frozen=True)
class ChallengePage:
    """Everything the page says."""

    business: str
    as_of: str
    champion_version: int
    won: bool
    overruled: bool
    sentences: Sequence[str]
    rule: Sequence[str]
    compared: Sequence[Compared]
    dates: Sequence[AtDate]
    slices_words: str
    slices: Markup


def challenge_page(answer: Mapping[str, Any], *, business: str, as_of: str) -> str:
    """Return the page of a challenge as HTML that opens without a network.

    Args:
        answer: what ``challenge.json`` holds.
        business: name of the business.
        as_of: date of the retraining.
    """
    page = ChallengePage(
        business=business,
        as_of=as_of,
        champion_version=answer["champion_version"],
        won=answer["decision"] == "challenger",
        overruled=answer.get("overruled", False),
        sentences=answer["words"],
        rule=answer["rule"],
        compared=[_compared(row, dates=len(answer["dates"])) for row in answer["rows"]],
        dates=[_at_date(row) for row in answer["dates"]],
        slices_words=_slices_words(answer["slices"]),
        slices=forest(answer["slices"]),
    )
    return fill("challenge.html.j2", page)


def forest(slices: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw the difference of log loss in each group of customers; left of the line the challenger is better."""
    canvas = Canvas(height=46 + _ROW * len(slices), left=_NAMES, top=8)
    reach = max([0.01, *(abs(row[end]) for row in slices for end in ("low", "high"))]) * 1.05
    scale = Scale(-reach, reach, canvas.left, canvas.end)
    shapes = [line("mark", scale(0), canvas.top, scale(0), canvas.base)]
    for place, row in enumerate(slices):
        y = canvas.top + _ROW * (place + 0.5)
        name = f"{said_as(row['slicing'])}: {said_as(row['slice'])} ({row['n']:,})"
        hint = f"{name}: {row['difference']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]"
        shapes += [
            words(canvas.left - 8, y + 4, name, anchor="end"),
            line("whisker", scale(row["low"]), y, scale(row["high"]), y),
            dot("risky" if row["is_worse"] else "point", scale(row["difference"]), y, hint=hint),
        ]
    for value in scale.ticks():
        shapes.append(words(scale(value), canvas.base + 16, f"{value:+.3g}", anchor="middle"))
    shapes.append(words(canvas.left, canvas.height - 4, "challenger better", anchor="start"))
    shapes.append(words(canvas.end, canvas.height - 4, "champion better", anchor="end"))
    return figure("Difference of log loss by group of customers", together(shapes), canvas)


def _compared(row: Mapping[str, Any], *, dates: int) -> Compared:
    gained = row["difference"] if row["metric"] == "profit" else -row["difference"]
    if row["is_better"]:
        verdict = "shown to be better"
    elif gained >= -row["margin"]:
        verdict = "within the margin"
    else:
        verdict = "worse, perhaps by chance" if row["is_no_worse"] else "worse by more than the margin"
    form = ",.2f" if row["metric"] == "profit" else ".4f"
    return Compared(
        name=row["name"],
        champion=f"{row['champion']:{form}}",
        challenger=f"{row['challenger']:{form}}",
        difference=f"{row['difference']:+{form}}",
        interval=f"{row['low']:+{form}} to {row['high']:+{form}}",
        better_at=f"{row['better_at']} of {dates}",
        verdict=f"{verdict} (margin {row['margin']:.3g})",
    )


def _at_date(row: Mapping[str, Any]) -> AtDate:
    def both(metric: str, form: str = ".4f") -> str:
        return f"{row[f'champion_{metric}']:{form}} / {row[f'challenger_{metric}']:{form}}"

    return AtDate(
        as_of=row["as_of"],
        customers=f"{row['n']:,}",
        churned=f"{row['churn_rate']:.1%}",
        log_loss=both("log_loss"),
        profit=both("profit", ",.2f"),
        calibration=both("ece"),
    )


def _slices_words(slices: Sequence[Mapping[str, Any]]) -> str:
    if not slices:
        return "No group of customers is large enough to be looked at alone."
    worse = [row for row in slices if row["is_worse"]]
    told = f"{len(worse)} would pay for the change." if worse else "None would pay for the change."
    return (
        f"Log loss of the challenger less that of the champion in {len(slices)} groups, all dates together, with 95 % "
        f"intervals; the number of rows stands behind the name. {told}"
    )
