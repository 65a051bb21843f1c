"""The page of a what-if: two plans side by side, and what either would bring at other budgets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from markupsafe import Markup

from pipeline.pages.page import fill
from pipeline.pages.picture import Picture, across_axis, legend, legend_height, upwards_axis
from pipeline.pages.svg import Canvas, Scale, dot, figure, line, path, together, words

_ROOM = 0.06


class Compared(Protocol):
    """One figure of both plans, as text."""

    @property
    def name(self) -> str:
        """What it counts."""

    @property
    def present(self) -> str:
        """As configured."""

    @property
    def asked(self) -> str:
        """As asked."""

    @property
    def difference(self) -> str:
        """The second less the first."""


@dataclass(frozen=True)
class WhatIfPage:
    """Everything the page says."""

    business: str
    as_of: str
    changes: Sequence[str]
    headline: str
    claim: str
    figures: Sequence[Compared]
    actions: Sequence[Compared]
    scarce: Sequence[tuple[str, Sequence[str]]]
    picture: Picture
    curve: Sequence[Mapping[str, float]]
    notes: Sequence[str]


def render_whatif(page: WhatIfPage) -> str:
    """Return the page as HTML that opens without a network."""
    return fill("whatif.html.j2", page)


def money_curve(
    curve: Sequence[Mapping[str, float]],
    *,
    unit: str,
    currency: str,
    budgets: Mapping[str, float],
    rules_differ: bool,
) -> Picture:
    """Draw expected profit against budget, for the present rules and those asked for.

    Args:
        curve: rows of ``budget``, ``present`` and ``asked``, ascending by budget.
        unit: what the horizontal axis counts.
        currency: of the profit.
        budgets: amounts to mark, by what they are.
        rules_differ: whether the plans differ in more than money.
    """
    names = (
        {"present": "as configured", "asked": "as asked"} if rules_differ else {"present": "as configured"}
    )
    top = legend_height(names) + 34
    canvas = Canvas(480, 270 + top, left=62, right=22, top=top)
    profits = [row[name] for row in curve for name in names]
    low, high = min(0.0, *profits), max(0.0, *profits)
    across = Scale(curve[0]["budget"], curve[-1]["budget"], canvas.left, canvas.end)
    up = Scale(low, high + (_ROOM * (high - low) or 1), canvas.base, canvas.top)
    shapes = [*(legend(names) if rules_differ else []), *across_axis(across, canvas, unit, ",.0f")]
    shapes += [*upwards_axis(up, canvas, ",.0f"), *_marks(across, canvas, budgets)]
    for place, name in enumerate(names):
        spots = [(across(row["budget"]), up(row[name])) for row in curve]
        shapes.append(path(f"line-{place}", spots))
        for row, (x, y) in zip(curve, spots, strict=True):
            hint = f"{row['budget']:,.0f}: {row[name]:,.2f} {currency}"
            shapes.append(dot(f"tone-{place}", x, y, hint=hint, radius=3.5))
    title = "Expected profit of one night against the budget"
    note = (
        f"In {currency}, with customers chosen by the mean beliefs, so that budgets compare. The plans beside are made "
        "as on the night itself: whom they choose is drawn from the beliefs, so that what is unsure gets tried, and "
        "they expect less than the line. What earlier nights of the period have spent is taken off each budget, and "
        "the night gets an even share of the rest. Where the line is flat, more money finds nobody on whom it would "
        "pay; whom chance leaves out to compare may move it a little."
    )
    return Picture(title, note, figure(title, together(shapes), canvas))


def _marks(across: Scale, canvas: Canvas, budgets: Mapping[str, float]) -> list[Markup]:
    """Mark budgets by lines, the words of the smaller one higher, away from the nearer end."""
    shapes = []
    told = {amount: name for name, amount in reversed(list(budgets.items()))}
    for place, (amount, name) in enumerate(sorted(told.items(), reverse=True)):
        x = across(amount)
        beside, anchor = (4, "start") if 2 * x < canvas.left + canvas.end else (-4, "end")
        shapes.append(line("mark", x, canvas.top - 14 * place, x, canvas.base))
        label = f"{name}: {amount:,.0f}"
        shapes.append(words(x + beside, canvas.top - 4 - 14 * place, label, anchor=anchor))
    return shapes
