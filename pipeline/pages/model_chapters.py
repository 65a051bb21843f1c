"""The chapters of a model card in words and tables: data, definitions, figures, how it was made, limits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.pages import profit_chapter
from pipeline.pages.model_pictures import feature_said
from pipeline.pages.model_words import MEMBERS, Card, group_said, model_said, theme_said
from pipeline.pages.picture import said_as

_METRICS = {
    "auc": "AUC",
    "average_precision": "Average precision",
    "log_loss": "Log loss",
    "brier": "Brier",
    "ece": "ECE",
    "lift_at_10pct": "Lift at 10 %",
    "emp": "EMPC",
}
_JOINED = "\N{NO-BREAK SPACE}"  # an interval stays on one line, below its value where room is short
_POLICIES = {
    "untreated": "Risk means: if nothing is done. Snapshots of customers who were sent an action in the outcome window "
    "are left out, and those from whom chance withheld one count for both.",
    "all": "Every snapshot counts, whatever was sent: risk means under the actions of the past.",
    "control_only": "Only customers in the global control count: risk means without marketing actions.",
}
_TREATED = {
    "rows": "snapshots",
    "dropped": "left out",
    "weighted": "counted more than once",
    "capped": "of these cut to the largest weight",
    "left_in": "treated and left in",
    "churn_rate_of_all": "share that left, all counted once",
    "churn_rate": "share that left, as counted",
    "log_loss_of_all": "log loss, all counted once",
    "log_loss": "log loss, as counted",
}
_ABLATED = ("auc", "log_loss")
_FEATURES = 20


@dataclass(frozen=True)
class Chapter:
    """One chapter of the card.

    Attributes:
        heading: what it is about.
        sentences: in words.
        columns: heads of the table; none for a table of facts.
        rows: cells of the table.
        is_open: whether it is shown unfolded.
    """

    heading: str
    sentences: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    is_open: bool = False


def chapters(card: Card) -> list[Chapter]:
    """Write every chapter; one whose figures the card lacks says so."""
    return [
        Chapter("Limits", _limits(card), is_open=True),
        Chapter("Data, population and definitions", rows=[*_data(card)]),
        _models(card),
        _slices(card),
        _profit(card),
        _members(card),
        _treated(card),
        _leaks(card),
        _challenge(card),
        _ablation(card),
        _features(card),
    ]


def _limits(card: Card) -> list[str]:
    told = [
        "Meant for choosing, night by night, whom to win back within a budget. Not meant for credit, prices, or "
        "refusing service, and it explains no one's motives.",
        f"Judged at one date ({card['as_of']}): the luck of one outcome window of {card['horizon_days']} days is in "
        "every figure here. Intervals cover the luck of the customers, not that of the season.",
    ]
    if card.get("level_check") == "none":
        told.append("The forecast of the level could not be tried at an earlier date: too little history.")
    active = card.get("population", {}).get("active_within_days")
    if active:
        told.append(f"It says nothing of customers without an order in the last {active} days.")
    small = [group_said(row) for row in card.get("slices", ()) if row["auc"] is None]
    if small:
        told.append(
            f"Too small, or of one outcome only, to be judged: {', '.join(small)} (fewer than 50 customers)."
        )
    return told


def _data(card: Card) -> Iterator[tuple[str, str]]:
    window, people = card.get("window", {}), card.get("population", {})
    yield "Left means", str(card.get("definition", "not kept in this card"))
    yield "Horizon", f"{card['horizon_days']} days"
    if window:
        yield "History", f"{window['first_day']} to {window['newest_day']}, days in {window['time_zone']}"
        yield (
            "Snapshots trained on",
            f"{window['dates']} dates, {window['first_snapshot']} to {window['newest_snapshot']}",
        )
    if people:
        yield (
            "Rows trained on",
            f"{people['snapshots']:,} of {people['snapshots_before_cap']:,}, of {people['customers']:,} customers; "
            f"{people['churn_rate']:.1%} left",
        )
        yield "Features", f"{people['features']:,}"
        yield "Customers watched at the training", f"{people['watched']:,}"
    yield "Judged", f"{card['n']:,} customers at {card['as_of']}; {card['churn_rate']:.1%} left"
    yield "Log loss of one number for everybody", f"{card['constant_log_loss']:.4f}"
    for name, what in (("judged", "Level foreseen for the judged date"), ("next", "Level foreseen now")):
        level = card.get("level", {}).get(name, {})
        if "level" in level:
            yield (
                what,
                f"{level['level']:.1%}: {level['own']:.1%} by the model, {level['series']:.1%} by past shares, which "
                f"weigh {level['series_weight']:.0%}",
            )


def _models(card: Card) -> Chapter:
    told = [
        "In brackets 95 % intervals over resampled customers. Trained on the same past, judged on the same customers."
    ]
    if card.get("left_out"):
        told.append(
            f"Left out, for nobody leaves by silence here: {', '.join(map(model_said, card['left_out']))}."
        )
    rows = [
        [model_said(row["name"]), *(_with_interval(row, metric) for metric in _METRICS)]
        for row in card["models"]
    ]
    return Chapter("Metrics, beside every rival", told, ["Model", *_METRICS.values()], rows)


def _slices(card: Card) -> Chapter:
    heading = "Metrics inside groups"
    if not card.get("slices"):
        return Chapter(heading, ["This card holds no groups."])
    rows = [
        [
            group_said(row),
            f"{row['n']:,}",
            f"{row['churn_rate']:.1%}",
            f"{row['mean_risk']:.1%}",
            _with_interval(row, "auc"),
            _with_interval(row, "log_loss"),
        ]
        for row in card["slices"]
    ]
    return Chapter(heading, (), ["Group", "Customers", "Left", "Promised", "AUC", "Log loss"], rows)


def _profit(card: Card) -> Chapter:
    heading, found = "Whom it pays to contact", card.get("profit")
    if not found:
        return Chapter(heading, ["This card does not say."])
    table = profit_chapter.rows(found)
    return Chapter(heading, profit_chapter.sentences(found), profit_chapter.HEAD if table else (), table)


def _members(card: Card) -> Chapter:
    heading = "What the model is made of"
    if "members" not in card:
        return Chapter(heading, ["This card does not say what each member weighs."])
    rows = [
        [MEMBERS.get(name, said_as(name)), f"{share:.0%}"]
        for name, share in sorted(card["members"].items(), key=lambda each: -each[1])
    ]
    return Chapter(
        heading, ["What each member weighs in the order of customers."], ["Member", "Weight"], rows
    )


def _treated(card: Card) -> Chapter:
    heading, found = "Customers who got an action", card.get("treated")
    if not found:
        return Chapter(heading, ["This card does not say how they were handled."])
    parts = {name: facts for name, facts in found.items() if isinstance(facts, Mapping)}
    words = [
        _POLICIES.get(found["policy"], f"Policy: {said_as(found['policy'])}."),
        *map(_sentence, found.get("words", ())),
    ]
    if not any(facts[name] for facts in parts.values() for name in ("dropped", "weighted", "left_in")):
        return Chapter(heading, words)
    rows = [
        [said, *(_share_or_count(facts.get(name)) for facts in parts.values())]
        for name, said in _TREATED.items()
    ]
    return Chapter(heading, words, ["", *map(said_as, parts)], rows)


def _leaks(card: Card) -> Chapter:
    heading, found = "Does a feature see the future?", card.get("leaks")
    if not found:
        return Chapter(heading, ["This card holds no check for leaks."])
    rows = [[feature_said(row["feature"]), f"{row['auc']:.3f}"] for row in found.get("alone", ())]
    return Chapter(heading, found.get("words", ()), ["Strongest features alone", "AUC"] if rows else (), rows)


def _challenge(card: Card) -> Chapter:
    heading, found = "Against the recipe in service", card.get("challenge")
    if not found:
        words = card.get("recipe_words") or ["No other recipe was in service, or it was the same."]
        return Chapter(heading, words)
    rows = [
        [
            _METRICS.get(row["metric"], said_as(row["metric"])),
            *(_number(row.get(side)) for side in ("champion", "challenger")),
            *_difference(row),
        ]
        for row in found.get("rows", ())
    ]
    head = ["Measure", "Champion", "Challenger", "Difference", "95 % interval"] if rows else ()
    words = card.get("recipe_words") or found.get("words") or [f"Decision: {found['decision']}."]
    return Chapter(heading, words, head, rows)


def _ablation(card: Card) -> Chapter:
    heading, found = "What each ingredient is worth", card.get("ablation")
    if not found:
        return Chapter(
            heading, ["Not run for this card; `keepwell evaluate --ablate` takes each one away in turn."]
        )
    apart = {(row["name"], row["metric"]): "{} [{}]".format(*_difference(row)) for row in found}
    names = dict.fromkeys(row["name"] for row in found)
    rows = [
        [said_as(name), *(apart.get((name, metric), "not tried") for metric in _ABLATED)] for name in names
    ]
    words = (
        "The full recipe less the changed one, with 95 % intervals: an AUC above 0, or a log loss below, speaks for "
        "the full one."
    )
    return Chapter(heading, [words], ["Recipe", *(_METRICS[metric] for metric in _ABLATED)], rows)


def _difference(row: Card) -> tuple[str, str]:
    ends = "unknown" if row.get("low") is None else f"{row['low']:+.4f}{_JOINED}to{_JOINED}{row['high']:+.4f}"
    return f"{row['difference']:+.4f}", ends


def _features(card: Card) -> Chapter:
    rows = [
        [feature_said(row["feature"]), theme_said(row["theme"]), f"{row['mean_contribution']:.3f}"]
        for row in card.get("importance", ())[:_FEATURES]
    ]
    words = "The strongest features by the mean absolute change of the logit of the risk. Features that say nearly "
    told = (
        words + "the same share their weight." if rows else "This card does not say what the model looks at."
    )
    return Chapter("The strongest features", [told], ["Feature", "Kind", "Moves"] if rows else (), rows)


def _with_interval(row: Card, metric: str) -> str:
    if row.get(metric) is None:
        return "too few"
    digits = 2 if metric in ("lift_at_10pct", "emp") else 3
    low, high = row.get(f"{metric}_low"), row.get(f"{metric}_high")
    interval = "" if low is None or high is None else f" [{low:.{digits}f},{_JOINED}{high:.{digits}f}]"
    return f"{row[metric]:.{digits}f}{interval}"


def _sentence(told: str) -> str:
    return f"{told[:1].upper()}{told[1:].rstrip('.')}."


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"


def _share_or_count(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
