"""The page of a measurement: what actions did, how sure that is, what it earned, and what learning it cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipeline.pages.intervals_picture import intervals_picture, points, points_between
from pipeline.pages.page import Figure, fill
from pipeline.pages.picture import said_as

_TOO_FEW = "too_few"


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
    too_few: str


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
    findings: Sequence[str]
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
        "All actions together, against those left alone, by the segment of the first planned night.",
    ),
    "regions": (
        "Region by region",
        "All actions together, against those left alone, by the region known on the first planned night.",
    ),
    "policies": (
        "Does choosing pay?",
        "For a few customers chance picked the action among those they might get. The first line is what any action "
        "does against being left alone, the second what choosing adds to that.",
    ),
    "programme": (
        "The whole programme",
        "Everybody known on the first night of the control period, contacted or not, against the global control that "
        "gets no marketing at all: churn in the newest settled window, money since the first night.",
    ),
}
_ALONE = ("Not left alone", "Left alone")
_ARMS = {
    "segments": _ALONE,
    "regions": _ALONE,
    "policies": ("The one", "The other"),
    "programme": ("The rest", "Global control"),
}
_IN_ORDER = ("policies", "programme")


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
        findings=_findings(answer, currency),
        is_good=total["verdict"] == "keeps",
        ratio=_ratio(total),
        figures=_figures(total, currency),
        chapters=[_chapter(name, answer[name]) for name in _CHAPTERS if answer[name]],
        beliefs=[_belief(row) for row in answer["beliefs"]],
        never_withheld=never,
        currency=currency,
    )
    return fill("results.html.j2", page)


def _chapter(name: str, rows: Sequence[Mapping[str, Any]]) -> Chapter:
    title, told = _CHAPTERS[name]
    ordered = rows if name in _IN_ORDER else sorted(rows, key=lambda row: -row["sent_customers"])
    arms = _ARMS.get(name, ("Sent", "Withheld"))
    shown = [row for row in ordered if row["verdict"] != _TOO_FEW]
    few = [
        f"{said_as(row['name'])} ({row['sent_customers']:,} and {row['control_customers']:,})"
        for row in ordered
        if row["verdict"] == _TOO_FEW
    ]
    picture = intervals_picture(shown, title=title)
    return Chapter(title, told, arms, picture, [_row(row) for row in shown], ", ".join(few))


def _row(row: Mapping[str, Any]) -> ReadingRow:
    stayed, total = row.get("stayed", {}), row.get("total", {})
    tones = {"keeps": "down", "drives_away": "up", "blocked": "up"}
    return ReadingRow(
        name=said_as(row["name"]),
        sent=f"{row['sent_customers']:,}",
        withheld=f"{row['control_customers']:,}",
        fewer=points(stayed.get("difference")),
        between=points_between(stayed.get("sequence")),
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
        effect=f"{points(row['effect'])} ± {100 * row['sd']:.1f}",
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
        f"{headline}. Of {total['sent_customers']:,} customers planned for and not left alone, "
        f"{abs(kept['estimate']):,.0f} {than} stayed than would have without "
        f"({_between(kept, '{:+,.0f}')} for one look at 95 %)."
    )


def _findings(answer: Mapping[str, Any], currency: str) -> list[str]:
    """Say what was shown of single actions, and which of them stop, worst first."""
    stopped = sorted((row for row in answer["beliefs"] if row["stopped"]), key=lambda row: row["profit"])
    found = [answer["caution"]] if answer["caution"] else []
    found += [
        f"Stopped: {said_as(row['action'])}. It is believed to lose {-row['profit']:,.2f} {currency} a contact (chance "
        f"of a loss: {row['loss_chance']:.0%}): of 100 customers sent it {abs(100 * row['effect']):.1f} "
        f"{'more leave' if row['effect'] < 0 else 'fewer leave, which does not pay for it'}."
        for row in stopped
    ]
    shown = {"drives_away": "Shown to drive customers away", "keeps": "Shown to keep customers"}
    for verdict, words in shown.items():
        names = [said_as(row["name"]) for row in answer["actions"] if row["verdict"] == verdict]
        found += [f"{words}: {', '.join(names)}."] if names else []
    return found


def _ratio(total: Mapping[str, Any]) -> str:
    ratio = total["sample_ratio"]
    units = ratio["control"] + ratio["treated"]
    judged = (
        "Something else than chance parted them: nothing may be read."
        if ratio["is_blocked"]
        else "That is as chance would have it."
    )
    return (
        f"Of {units:,} planned units {ratio['control']:,} are left alone; {ratio['expected_control']:,.0f} were to be "
        f"expected (p = {ratio['p']:.2g}; below .001 blocks the reading). {judged}"
    )


def _figures(total: Mapping[str, Any], currency: str) -> list[Figure]:
    counts = [
        Figure(f"{total['sent_customers']:,}", "customers were planned for and not left alone"),
        Figure(
            f"{total['control_customers']:,}", "were planned for and sent nothing of it at all, to compare"
        ),
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
            f"{currency}: price of leaving them alone; that of withholding single actions stands with each",
        ),
    ]
    return [*counts, *(each for each in money if each.value)]


def _between(amount: Mapping[str, float | None], form: str = "{:,.0f}") -> str:
    low, high = amount.get("low"), amount.get("high")
    return "" if low is None or high is None else f"{form.format(low)} to {form.format(high)}"


def _amount(amount: Mapping[str, float | None]) -> str:
    estimate = amount.get("estimate")
    return "" if estimate is None else f"{round(estimate):+,}"
