"""The page of a measurement: what actions did, how sure that is, what it earned, and what learning it cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipeline.pages.page import Figure, fill
from pipeline.pages.picture import said_as
from pipeline.pages.svg import Canvas, Scale, dot, figure, line, path, together, words

_ROW, _NARROW = 40, 480
_WIDEST = 0.4  # of a handful of units the interval says nothing, and would flatten all others
_TONES = {"keeps": "tone-3", "drives_away": "tone-1"}


@dataclass(frozen=True)
class ReadingRow:
    """One action or group, ready to print."""

    name: str
    sent: str
    withheld: str
    fewer: str
    between: str
    kept: str
    profit: str
    profit_between: str
    earned: str
    price: str
    words: str
    tone: str


@dataclass(frozen=True)
class Chapter:
    """Readings that belong together."""

    title: str
    words: str
    arms: tuple[str, str]
    picture: Markup
    rows: Sequence[ReadingRow]


@dataclass(frozen=True)
class BeliefRow:
    """What the plan believes of one action, ready to print."""

    name: str
    rests_on: str
    effect: str
    profit: str
    loss: str
    stopped: bool


@dataclass(frozen=True)
class ResultsPage:
    """Everything the page says."""

    business: str
    as_of: str
    planned: str
    claim: str
    is_good: bool
    ratio: str
    figures: Sequence[Figure]
    chapters: Sequence[Chapter]
    beliefs: Sequence[BeliefRow]
    never_withheld: str
    currency: str


_CHAPTERS = {
    "actions": (
        "Action by action",
        "Customers planned for an action and sent it, against customers planned for the same action from whom chance "
        "withheld it. Everybody counts once per action and control period, from the first planned night.",
    ),
    "segments": (
        "Segment by segment",
        "All actions together, by the segment of the first planned night.",
    ),
    "regions": ("Region by region", "All actions together, by the region known on the first planned night."),
    "policies": (
        "Does choosing pay?",
        "For a few customers chance picked the action among those they might get. The first line is what any action "
        "does against none, the second what choosing adds to that.",
    ),
    "programme": (
        "The whole programme",
        "Everybody known on the first night of the control period, contacted or not, against the global control that "
        "gets no marketing at all: churn in the newest settled window, money since the first night.",
    ),
}
_ARMS = {"policies": ("The one", "The other"), "programme": ("The rest", "Global control")}


def results_page(answer: Mapping[str, Any], *, business: str, currency: str) -> str:
    """Return the page of a measurement as HTML that opens without a network.

    Args:
        answer: what ``results.json`` holds.
        business: name of the business.
        currency: of all money.
    """
    total, (first, last) = answer["total"], answer["planned"]
    never = ", ".join(f"{said_as(name)} ({count:,})" for name, count in answer["never_withheld"].items())
    page = ResultsPage(
        business=business,
        as_of=answer["as_of"],
        planned=f"on {first}" if first == last else f"from {first} to {last}",
        claim=_claim(total),
        is_good=total["verdict"] == "keeps",
        ratio=_ratio(total),
        figures=_figures(total, currency),
        chapters=[_chapter(name, answer[name]) for name in _CHAPTERS if answer[name]],
        beliefs=[_belief(row) for row in answer["beliefs"]],
        never_withheld=never,
        currency=currency,
    )
    return fill("results.html.j2", page)


def forest(rows: Sequence[Mapping[str, Any]], *, title: str) -> Markup:
    """Draw how many fewer left in each group, with its interval for many looks; right of the line is better.

    Args:
        rows: readings as in ``results.json``; those without an interval are left out.
        title: what a screen reader says.
    """
    shown = [row for row in rows if row.get("stayed", {}).get("sequence")]
    if not shown:
        return Markup()
    ends = [abs(end) for row in shown for end in row["stayed"]["sequence"]]
    reach = min(_WIDEST, 1.05 * max(ends))
    canvas = Canvas(_NARROW, _ROW * len(shown) + 48, left=12, right=12, top=4, bottom=40)
    scale = Scale(-reach, reach, canvas.left, canvas.end)
    shapes = [line("mark", scale(0), canvas.top, scale(0), canvas.base)]
    for place, row in enumerate(shown):
        shapes += _whisker(row, scale, canvas.top + _ROW * place + 28)
    for value in scale.ticks():
        shapes.append(words(scale(value), canvas.base + 16, f"{100 * value:g}", anchor="middle"))
    unit = "fewer leave, points (to the right: keeps customers)"
    shapes.append(words(canvas.width / 2, canvas.height - 4, unit, anchor="middle"))
    return figure(title, together(shapes), canvas)


def _whisker(row: Mapping[str, Any], scale: Scale, y: float) -> list[Markup]:
    stayed = row["stayed"]
    ends = stayed["sequence"]
    low, high = (min(max(end, scale.low), scale.high) for end in ends)
    middle = min(max(stayed["difference"], scale.low), scale.high)
    hint = f"{_points(stayed['difference'])}, {_points_between(ends)}"
    heads = [
        _head(scale(at), y, to)
        for at, to, is_cut in ((low, 1, ends[0] < low), (high, -1, ends[1] > high))
        if is_cut
    ]
    return [
        words(scale.start, y - 10, f"{said_as(row['name'])}: {_points(stayed['difference'])}"),
        line("whisker", scale(low), y, scale(high), y),
        *heads,
        dot(_TONES.get(row["verdict"], "point"), scale(middle), y, hint=hint),
    ]


def _head(x: float, y: float, to: int) -> Markup:
    """Draw the head of an arrow at an edge beyond which an interval goes on; ``to`` is where its tail lies."""
    return path("whisker head", [(x + 8 * to, y - 5), (x, y), (x + 8 * to, y + 5)])


def _chapter(name: str, rows: Sequence[Mapping[str, Any]]) -> Chapter:
    title, told = _CHAPTERS[name]
    ordered = rows if name in _ARMS else sorted(rows, key=lambda row: -row["sent_customers"])
    arms = _ARMS.get(name, ("Sent", "Withheld"))
    return Chapter(title, told, arms, forest(ordered, title=title), [_row(row) for row in ordered])


def _row(row: Mapping[str, Any]) -> ReadingRow:
    stayed, total = row.get("stayed", {}), row.get("total", {})
    tones = {"keeps": "down", "drives_away": "up", "blocked": "up"}
    return ReadingRow(
        name=said_as(row["name"]),
        sent=f"{row['sent_customers']:,}",
        withheld=f"{row['control_customers']:,}",
        fewer=_points(stayed.get("difference")),
        between=_points_between(stayed.get("sequence")),
        kept=_amount(total.get("kept", {})),
        profit=_amount(total.get("profit", {})),
        profit_between=_between(total.get("profit", {})),
        earned=_amount(total.get("earned", {})),
        price=_amount(row.get("price_of_control", {})),
        words=row["words"],
        tone=tones.get(row["verdict"], ""),
    )


def _belief(row: Mapping[str, Any]) -> BeliefRow:
    levels = {
        "prior": "owner's belief",
        "evidence": "belief and outcomes",
        "uplift": "model of single customers",
    }
    return BeliefRow(
        name=said_as(row["action"]),
        rests_on=levels[row["level"]],
        effect=f"{_points(row['effect'])} ± {100 * row['sd']:.1f}",
        profit=f"{row['profit']:+,.2f}",
        loss=f"{row['loss_chance']:.0%}",
        stopped=row["stopped"],
    )


def _claim(total: Mapping[str, Any]) -> str:
    if total["verdict"] in {"blocked", "too_few"}:
        return f"Nothing can be said yet: {total['words']}."
    said = {"keeps": "The actions keep customers", "drives_away": "The actions drive customers away"}
    headline, kept = said.get(total["verdict"], total["words"].capitalize()), total["total"]["kept"]
    than = "more" if kept["estimate"] >= 0 else "fewer"
    return (
        f"{headline}. Of {total['sent_customers']:,} customers sent something, {abs(kept['estimate']):,.0f} {than} "
        f"stayed than would have without ({_between(kept, '{:+,.0f}')} for one look at 95 %)."
    )


def _ratio(total: Mapping[str, Any]) -> str:
    ratio = total["sample_ratio"]
    units = ratio["control"] + ratio["treated"]
    judged = (
        "Something else than chance parted them: nothing may be read."
        if ratio["is_blocked"]
        else "That is as chance would have it."
    )
    return (
        f"Of {units:,} planned units {ratio['control']:,} are in control; {ratio['expected_control']:,.0f} were to be "
        f"expected (p = {ratio['p']:.2g}; below .001 blocks the reading). {judged}"
    )


def _figures(total: Mapping[str, Any], currency: str) -> list[Figure]:
    counts = [
        Figure(f"{total['sent_customers']:,}", "customers were sent what was planned"),
        Figure(f"{total['control_customers']:,}", "were planned for and left alone to compare"),
    ]
    if "total" not in total:
        return counts
    amounts = total["total"]
    money = [
        Figure(_amount(amounts["kept"]), "customers kept"),
        Figure(_amount(amounts["profit"]), f"{currency}: worth of those kept, less every cost"),
        Figure(_amount(amounts["earned"]), f"{currency}: earned within the window, less every cost"),
        Figure(_amount(amounts["cost"]), f"{currency}: spent more than without actions, incentives included"),
        Figure(
            _amount(total["price_of_control"]),
            f"{currency}: price of the control group, forgone to learn this",
        ),
    ]
    return [*counts, *(each for each in money if each.value)]


def _points(difference: float | None) -> str:
    return "" if difference is None else f"{100 * difference:+.1f}"


def _points_between(ends: Sequence[float] | None) -> str:
    return "" if ends is None else f"{_points(max(ends[0], -1))} to {_points(min(ends[1], 1))}"


def _between(amount: Mapping[str, float | None], form: str = "{:,.0f}") -> str:
    low, high = amount.get("low"), amount.get("high")
    return "" if low is None or high is None else f"{form.format(low)} to {form.format(high)}"


def _amount(amount: Mapping[str, float | None]) -> str:
    estimate = amount.get("estimate")
    return "" if estimate is None else f"{round(estimate):+,}"
