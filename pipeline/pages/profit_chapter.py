"""Whom it would have paid to contact: the profit curve of a training's card, and the thresholds of every action."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.pages.picture import Picture, across_axis, legend, legend_height, said_as, upwards_axis
from pipeline.pages.svg import Canvas, Scale, figure, line, path, together, words

Profit = Mapping[str, Any]

_MOST = 10
_PER = 1000
_LINES = {"by_gain": "those first who promise most", "by_risk": "the riskiest first"}
_RULES = {
    "half": "Above 50 %",
    "threshold": "Above it",
    "own": "Above own",
    "best": "Best cut",
    "everybody": "Everybody",
}
HEAD = ("Action", "Pays from", "EMPC", *_RULES.values())


def sentences(profit: Profit) -> list[str]:
    """Say what the figures are and what they are not."""
    told = [
        f"Money in {profit['currency']} per 1,000 customers judged, as they really left or stayed. Keeping a customer "
        f"is worth {profit['mean_margin']:,.2f} on average; costs and the share of leavers an action saves are the "
        "catalogue's, which are beliefs. Every action is looked at alone, as if anybody might get it: triggers, "
        "rules, capacity and budget are the plan's business.",
        "Contacting pays where the risk lies above (d + f) / (g (m - d) + d): f the contact, d the incentives redeemed "
        "per contact, g the share of leavers saved, m what the customer is worth (Verbraken, Verbeke, Baesens 2013). "
        "The own threshold takes each customer's own m. Columns tell the profit of contacting those above 50 %, above "
        "that threshold, above their own one, the best cut of the riskiest, known afterwards, and everybody; in "
        "brackets the share contacted.",
    ]
    if not _paying(profit):
        told.append("No action would have paid: treating nobody was right.")
    return told


def rows(profit: Profit) -> list[list[str]]:
    """Write one row per action, the most profitable first."""
    return [
        [
            said_as(row["action"]),
            "never" if row["threshold"] is None else f"{row['threshold']:.1%}",
            f"{_PER * row['emp']:,.0f}",
            *(f"{_PER * row[f'profit_{rule}']:,.0f} ({row[f'share_{rule}']:.0%})" for rule in _RULES),
        ]
        for row in profit["actions"][:_MOST]
    ]


def curve(profit: Profit) -> Picture | None:
    """Draw profit against the share contacted for the most profitable action, where one pays."""
    if not _paying(profit):
        return None
    best, found = profit["actions"][0], profit["curve"]
    top = legend_height(_LINES) + 36
    canvas = Canvas(480, 270 + top, left=62, right=22, top=top)
    profits = {name: _PER * np.asarray(found[name], dtype=np.float64) for name in _LINES}
    low, high = (float(pick(np.concatenate(list(profits.values())))) for pick in (np.min, np.max))
    low = max(low, -high)  # contacting everybody may lose so much that nothing else is seen
    across, up = Scale(0, 1, canvas.left, canvas.end), Scale(low, 1.05 * high, canvas.base, canvas.top)
    shapes = [*legend(_LINES), *across_axis(across, canvas, "share of the customers contacted", ".0%")]
    shapes += [*upwards_axis(up, canvas, ",.0f"), *_marks(best, across, canvas)]
    for place, values in enumerate(profits.values()):
        spots = [
            (across(share), up(value))
            for share, value in zip(np.linspace(0, 1, len(values)), values, strict=True)
            if value >= low
        ]
        shapes.append(path(f"line-{place}", spots))
    title = f"What {said_as(best['action'])} would have earned"
    return Picture(title, _note(profit), figure(title, together(shapes), canvas))


def _note(profit: Profit) -> str:
    best, currency = profit["actions"][0], profit["currency"]
    half, threshold, own, most = (
        f"{_PER * best[f'profit_{rule}']:,.0f}" for rule in ("half", "threshold", "own", "best")
    )
    least = "never reached" if best["threshold"] is None else f"{best['threshold']:.0%}"
    return (
        f"Profit in {currency} per 1,000 customers. Contacting whoever is above 50 % would have earned {half}, above "
        f"the profit threshold ({least}) {threshold}, above each customer's own one {own}; no cut of the riskiest "
        f"earns more than {most}."
    )


def _marks(best: Mapping[str, Any], across: Scale, canvas: Canvas) -> Sequence[Any]:
    """Mark how many the two thresholds contact, the name of the smaller share higher."""
    shapes = []
    told = ((best["share_half"], "risk above 50 %"), (best["share_threshold"], "profit threshold"))
    for place, (share, said) in enumerate(sorted(told, reverse=True)):
        x, y = across(share), canvas.top - 4 - 14 * place
        beside, anchor = (4, "start") if share < 0.5 else (-4, "end")
        shapes += [line("mark", x, y, x, canvas.base), words(x + beside, y, said, anchor=anchor)]
    return shapes


def _paying(profit: Profit) -> bool:
    return bool(profit["actions"]) and profit["actions"][0]["profit_own"] > 0
