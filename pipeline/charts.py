"""Pictures as inline SVG: drawn from numbers, coloured by the page's style sheet, readable without a network."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 640, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 28, 16, 40


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
    most = max([*counts, 1])
    wide = (_WIDTH - _LEFT - _RIGHT) / len(counts)
    bars = []
    for place, count in enumerate(counts):
        tall = (_HEIGHT - _TOP - _BOTTOM) * count / most
        risky = "risky" if (place + 0.5) / len(counts) >= mark else "calm"
        low, high = place / len(counts), (place + 1) / len(counts)
        bars.append(
            f'<rect class="{risky}" x="{_LEFT + place * wide + 1:.1f}" y="{_HEIGHT - _BOTTOM - tall:.1f}" '
            f'width="{wide - 2:.1f}" height="{tall:.1f}"><title>{low:.0%} to {high:.0%}: {count:,} customers'
            "</title></rect>"
        )
    line = _x(mark)
    marker = (
        f'<line class="mark" x1="{line:.1f}" x2="{line:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
        f'<text x="{line + 5:.1f}" y="{_TOP + 10}">{escape(mark_label)}</text>'
    )
    scale = f'<text x="{_LEFT - 6}" y="{_TOP + 10}" text-anchor="end">{most:,}</text>'
    return _figure(title, "".join(bars) + marker + scale + _risk_axis("churn risk"))


def calibration(bins: Sequence[Bin], *, title: str) -> Markup:
    """Draw predicted risk against the share that churned; points on the diagonal are right.

    Args:
        bins: groups of customers by predicted risk.
        title: what a screen reader says.
    """
    diagonal = f'<line class="grid" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>'
    points = []
    for each in bins:
        x = _x(each.predicted)
        points.append(
            f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" y1="{_y(each.low):.1f}" y2="{_y(each.high):.1f}"/>'
            f'<circle class="point" cx="{x:.1f}" cy="{_y(each.observed):.1f}" r="5"><title>predicted '
            f"{each.predicted:.1%}, churned {each.observed:.1%} of {each.customers:,}</title></circle>"
        )
    scale = "".join(
        f'<text x="{_LEFT - 6}" y="{_y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>'
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{_y(share):.1f}" y2="{_y(share):.1f}"/>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    return _figure(title, scale + diagonal + "".join(points) + _risk_axis("predicted risk"))


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _risk_axis(label: str) -> str:
    base = _HEIGHT - _BOTTOM
    ticks = "".join(
        f'<text x="{_x(share):.1f}" y="{base + 16}" text-anchor="middle">{share:.0%}</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    axis = f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{base}" y2="{base}"/>'
    name = f'<text x="{_x(0.5):.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(label)}</text>'
    return axis + ticks + name


def _figure(title: str, content: str) -> Markup:
    # Every text inside was escaped or formatted from a number above.
    picture = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">{content}</svg>'
    return Markup(picture)  # noqa: S704
