"""Pictures as inline SVG: drawn from numbers, coloured by the page's style sheet, readable without a network."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.svg import Canvas, box, dot, figure, line, together, words

PAGE = Canvas()
_SHARES = (0, 0.25, 0.5, 0.75, 1)


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
    shapes = [line("grid", canvas.left, canvas.y(share), canvas.end, canvas.y(share)) for share in _SHARES]
    shapes += [words(canvas.left - 6, canvas.y(share) + 4, f"{share:.0%}", anchor="end") for share in _SHARES]
    shapes.append(line("grid", canvas.x(0), canvas.y(0), canvas.x(1), canvas.y(1)))
    for each in bins:
        x = canvas.x(each.predicted)
        hint = f"predicted {each.predicted:.1%}, churned {each.observed:.1%} of {each.customers:,}"
        shapes.append(line("whisker", x, canvas.y(each.low), x, canvas.y(each.high)))
        shapes.append(dot("point", x, canvas.y(each.observed), hint=hint, radius=5))
    return figure(title, together([*shapes, *_risk_axis("predicted risk", canvas)]), canvas)


def _risk_axis(label: str, canvas: Canvas) -> list[Markup]:
    return [
        line("axis", canvas.left, canvas.base, canvas.end, canvas.base),
        *(words(canvas.x(share), canvas.base + 16, f"{share:.0%}", anchor="middle") for share in _SHARES),
        words(canvas.x(0.5), canvas.height - 6, label, anchor="middle"),
    ]
