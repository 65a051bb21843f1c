"""The report of a training: one self-contained HTML page, told from the model card alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from pipeline.pages import model_pictures as drawn
from pipeline.pages import pictures, profit_chapter
from pipeline.pages.model_chapters import Chapter, chapters
from pipeline.pages.model_words import Card, Judged, Summary, summarise
from pipeline.pages.page import Figure, fill
from pipeline.pages.picture import Picture, said_as

_FEWEST_DRAWN = 50
_THEMES_DRAWN = 8


@dataclass(frozen=True)
class Part:
    """A picture with a heading and how to read it."""

    heading: str
    note: str
    picture: Markup


@dataclass(frozen=True)
class ModelPage:
    """Everything the report says, ready to print."""

    business: str
    trained_for: str
    about: str
    summary: Summary
    answers: Sequence[tuple[str, Sequence[str]]]
    figures: Sequence[Figure]
    parts: Sequence[Part]
    galleries: Sequence[Picture]
    chapters: Sequence[Chapter]


def training_report(card: Mapping[str, Any]) -> str:
    """Return the report of a training as HTML that opens without a network.

    Args:
        card: the model card; what it does not hold, such as an ablation, is said not to be there.
    """
    summary = summarise(card)
    page = ModelPage(
        business=str(card.get("business", "")),
        trained_for=str(card.get("trained_for", card["as_of"])),
        about=_about(card),
        summary=summary,
        answers=[
            ("Can it be trusted?", summary.trust),
            ("What is it good at?", summary.good_at),
            ("Where not?", summary.not_at),
        ],
        figures=_figures(Judged(card)),
        parts=[*_parts(card)],
        galleries=[*_galleries(card)],
        chapters=chapters(card),
    )
    return fill("model.html.j2", page)


def _about(card: Card) -> str:
    version = f"Version {card['version']}" if "version" in card else "The model"
    promoted = {True: ", promoted", False: ", not promoted"}.get(card.get("promoted", ""), "")
    told = [f"{version}{promoted}, trained for {card.get('trained_for', card['as_of'])}"]
    if "trained_through" in card:
        told[0] += f" on outcomes through {card['trained_through']}"
    if "definition" in card:
        told.append(f"Left means: {card['definition']}")
    return ". ".join(told) + "."


def _figures(judged: Judged) -> list[Figure]:
    card, ours = judged.card, judged.ours
    perfect = card.get("ece_when_perfect")
    beside = f"; chance alone gives {100 * perfect[0]:.1f}" if perfect else ""
    return [
        Figure(
            f"{100 * ours['auc']:.0f} of 100",
            f"pairs in the right order (AUC {ours['auc']:.3f}, 95 % interval {ours['auc_low']:.3f} to "
            f"{ours['auc_high']:.3f})",
        ),
        Figure(f"{ours['lift_at_10pct']:.1f} times", "as many leavers in the riskiest tenth as among all"),
        Figure(f"{judged.promised:.1%}", f"promised to leave; {card['churn_rate']:.1%} did"),
        Figure(f"{100 * ours['ece']:.1f} points", f"mean gap of promised and observed, by tenths{beside}"),
        Figure(f"{card['n']:,}", f"customers judged, at {card['as_of']}"),
    ]


def _parts(card: Card) -> Iterator[Part]:
    yield Part(
        "Against simpler ways",
        "The dot says how often the model puts a leaver before a stayer, the line how far chance may be off (95 %). "
        "All were trained on the same past and judged on the same customers.",
        drawn.rivals(card["models"]).svg,
    )
    yield Part(
        "Do the percentages hold?",
        "Each dot is a tenth of the customers. On the diagonal as many left as promised, below it fewer. Lines are "
        "95 % intervals.",
        pictures.calibration(
            _frame(card["calibration"]), title="Promised risk against the share that left"
        ).svg,
    )
    earned = profit_chapter.curve(card["profit"]) if "profit" in card else None
    if earned:
        yield Part(earned.title, earned.note, earned.svg)
    if "series" in card:
        yield Part(
            "How the share that leaves drifts",
            "Each point is a date; no forecast knew what came after its date. " + _drift(card),
            drawn.level(card["series"], _forecasts(card)).svg,
        )
    if card.get("themes"):
        yield Part(
            "What it looks at",
            "How far each kind of feature moves the risk of a customer up or down, on average. None of this says "
            "what causes churn.",
            drawn.themes([row for row in card["themes"] if row["mean_contribution"] > 0][:_THEMES_DRAWN]).svg,
        )
    for slicing in dict.fromkeys(row["slicing"] for row in card.get("slices", ())):
        rows = [row for row in card["slices"] if row["slicing"] == slicing and row["n"] >= _FEWEST_DRAWN]
        if rows:
            yield Part(
                f"Where is it wrong, by {said_as(slicing)}",
                "Dot: the share that left, with its 95 % interval. Ring: the share promised; outside the line the "
                "model is off by more than chance.",
                drawn.groups(rows, slicing).svg,
            )


def _drift(card: Card) -> str:
    shares = [(row["as_of"], row["churned"]) for row in card["series"] if row["churned"] is not None]
    if not shares:
        return "No outcome is known yet."
    (least_on, least), (most_on, most) = (pick(shares, key=lambda each: each[1]) for pick in (min, max))
    told = f"It ran from {least:.1%} ({least_on}) to {most:.1%} ({most_on})"
    level = card.get("level", {}).get("next", {})
    if "level" not in level:
        return f"{told}."
    return f"{told}; for {level['as_of']} the model foresees {level['level']:.1%}."


def _forecasts(card: Card) -> dict[str, float]:
    made = [card.get("level", {}).get(name, {}) for name in ("judged", "next")]
    return {each["as_of"]: each["level"] for each in made if "level" in each}


def _galleries(card: Card) -> Iterator[Picture]:
    if card.get("dependence"):
        yield drawn.along_features(_frame(card["dependence"]))
    if card.get("calibration_by_segment"):
        yield drawn.inside_groups(_frame(card["calibration_by_segment"]))


def _frame(rows: Sequence[Card]) -> pd.DataFrame:
    return pd.DataFrame(list(rows))
