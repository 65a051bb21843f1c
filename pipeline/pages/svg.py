"""The few shapes that pictures are drawn of, as SVG text; every word given is escaped, every place is a number."""

import math
from dataclasses import dataclass

from markupsafe import Markup, escape


@dataclass(frozen=True)
class Canvas:
    """Where a picture is drawn, in units of its own.

    Attributes:
        width: of the whole picture.
        height: of the whole picture.
        left: margin.
        right: margin.
        top: margin.
        bottom: margin.
    """

    width: float = 640
    height: float = 260
    left: float = 52
    right: float = 28
    top: float = 16
    bottom: float = 40

    @property
    def base(self) -> float:
        """Height at which the horizontal axis lies."""
        return self.height - self.bottom

    @property
    def end(self) -> float:
        """Right end of the horizontal axis."""
        return self.width - self.right

    def x(self, share: float) -> float:
        """Return the place of a share of the horizontal axis."""
        return self.left + share * (self.end - self.left)

    def y(self, share: float) -> float:
        """Return the place of a share of the vertical axis."""
        return self.base - share * (self.base - self.top)


@dataclass(frozen=True)
class Scale:
    """A straight line from values to places.

    Attributes:
        low: value at ``start``.
        high: value at ``end``.
        start: first place.
        end: last place.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return the round values to mark.

        Examples:
            >>> Scale(0, 83, 0, 1).ticks()
            [0.0, 20.0, 40.0, 60.0, 80.0]
        """
        return ticks(self.low, self.high)


def ticks(low: float, high: float, *, about: int = 5) -> list[float]:
    """Choose round values between two others, a step of 1, 2 or 5 times a power of ten apart.

    Examples:
        >>> ticks(0.71, 0.86)
        [0.75, 0.8, 0.85]
        >>> ticks(0, 1200)
        [0.0, 500.0, 1000.0]
    """
    rough = (high - low) / about
    power = 10 ** math.floor(math.log10(rough))
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(float(each * step), 12) for each in range(first, last + 1)]


def words(x: float, y: float, said: str, *, anchor: str = "start", kind: str = "") -> Markup:
    """Write words at a place."""
    shape = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
    return shape.format(kind, x, y, anchor, said)


def box(kind: str, x: float, y: float, width: float, height: float, *, hint: str = "") -> Markup:
    """Draw a filled box; the hint shows under the pointer."""
    shape = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">{}</rect>')
    return shape.format(kind, x, y, max(width, 0), max(height, 0), _hint(hint))


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """Draw a straight line."""
    shape = Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
    return shape.format(kind, x1, y1, x2, y2)


def dot(kind: str, x: float, y: float, *, hint: str = "", radius: float = 4.5) -> Markup:
    """Draw a dot; the hint shows under the pointer."""
    shape = Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}">{}</circle>')
    return shape.format(kind, x, y, radius, _hint(hint))


def path(kind: str, places: list[tuple[float, float]]) -> Markup:
    """Draw a line through many places."""
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return Markup('<polyline class="{}" points="{}"/>').format(kind, joined)


def together(shapes: list[Markup]) -> Markup:
    """Put shapes on top of each other, the last in front."""
    return Markup().join(shapes)


def figure(title: str, content: str, canvas: Canvas) -> Markup:
    """Close a picture.

    Args:
        title: what a screen reader says.
        content: shapes whose words are escaped.
        canvas: where they were drawn.
    """
    size = f"0 0 {canvas.width:g} {canvas.height:g}"
    # Every text inside was escaped or formatted from a number.
    picture = f'<svg viewBox="{size}" role="img" aria-label="{escape(title)}">{content}</svg>'
    return Markup(picture)  # noqa: S704


def _hint(hint: str) -> Markup:
    return Markup("<title>{}</title>").format(hint) if hint else Markup()
