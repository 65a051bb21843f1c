"""Pictures as inline SVG: drawn from numbers, coloured by the page's style sheet, readable without a network."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.pages.svg import Canvas, Scale, box, dot, figure, line, together, words

PAGE = Canvas()
_SHARES = (0, 0.25, 0.5, 0.75, 1)
_ENDS = (0.04, 0.08, 0.2, 0.4, 1)


@dataclass(frozen=True)
class Bin:
    """One group of customers with like predictions.

    Attributes:
        predicted: mean predicted risk, 0 to 1.
        observed: share that churned, 0 to 1.
        low: lower end of the 95 % interval of ``observed``.
        high: upper end of it.
        customers: size of the group.
    """

    predicted: float
    observed: float
    low: float
    high: float
    customers: int


def histogram(counts: Sequence[int], *, title: str, mark: float, mark_label: str) -> Markup:
    """Draw how many customers have which risk.

    Args:
        counts: customers per equal-width bin of risk from 0 to 1.
        title: what a screen reader says.
        mark: risk at which a vertical line stands.
        mark_label: words beside the line.
    """
    canvas, most = PAGE, max([*counts, 1])
    wide = (canvas.end - canvas.left) / len(counts)
    bars = []
    for place, count in enumerate(counts):
        tall = canvas.base - canvas.y(count / most)
        risky = "risky" if (place + 0.5) / len(counts) >= mark else "calm"
        low, high = place / len(counts), (place + 1) / len(counts)
        hint = f"{low:.0%} to {high:.0%}: {count:,} customers"
        bars.append(box(risky, canvas.left + place * wide + 1, canvas.base - tall, wide - 2, tall, hint=hint))
    at = canvas.x(mark)
    marker = [
        line("mark", at, canvas.top, at, canvas.base),
        words(at + 5, canvas.top + 10, mark_label),
        words(canvas.left - 6, canvas.top + 10, f"{most:,}", anchor="end"),
    ]
    return figure(title, together([*bars, *marker, *_risk_axis("churn risk", canvas)]), canvas)


def calibration(bins: Sequence[Bin], *, title: str, canvas: Canvas = PAGE) -> Markup:
    """Draw predicted risk against the share that churned; points on the diagonal are right.

    Args:
        bins: groups of customers by predicted risk.
        title: what a screen reader says.
        canvas: where to draw.
    """
    most = _end([each.high for each in bins] + [each.predicted for each in bins])
    up = Scale(0, most, canvas.base, canvas.top)
    across = Scale(0, most, canvas.left, canvas.end)
    marks = [(canvas.y(share), f"{share * most:.0%}") for share in _SHARES]
    shapes = [line("grid", canvas.left, y, canvas.end, y) for y, _ in marks]
    shapes += [words(canvas.left - 6, y + 4, said, anchor="end") for y, said in marks]
    shapes.append(line("grid", across(0), up(0), across(most), up(most)))
    for each in bins:
        x = across(each.predicted)
        hint = f"predicted {each.predicted:.1%}, churned {each.observed:.1%} of {each.customers:,}"
        shapes.append(line("whisker", x, up(each.low), x, up(each.high)))
        shapes.append(dot("point", x, up(each.observed), hint=hint, radius=5))
    return figure(title, together([*shapes, *_risk_axis("predicted risk", canvas, most)]), canvas)


def _end(shares: Sequence[float]) -> float:
    """Return where axes end, at a quarter of which is a whole percentage: rare churn would hide in a corner."""
    return next(end for end in _ENDS if end >= max(shares, default=1))


def _risk_axis(label: str, canvas: Canvas, most: float = 1) -> list[Markup]:
    return [
        line("axis", canvas.left, canvas.base, canvas.end, canvas.base),
        *(
            words(canvas.x(share), canvas.base + 16, f"{share * most:.0%}", anchor="middle")
            for share in _SHARES
        ),
        words(canvas.x(0.5), canvas.height - 6, label, anchor="middle"),
    ]
