"""What the model's risks are worth with the owner's margins and actions: whom it would have paid to contact."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from actions.catalogue import Action, load_catalogue
from models.metrics import Array
from models.profit import (
    CampaignEconomics,
    contact_profits,
    emp,
    own_thresholds,
    profit_curve,
    profit_threshold,
)
from models.weighted import weights_of
from pipeline.run import Run
from pipeline.scoring import margins
from pipeline.snapshots import DateFrame

HALF = 0.5


def campaigns(
    run: Run, frame: DateFrame, churned: npt.NDArray[np.int8], risk: Array, weight: Array | None
) -> dict[str, Any]:
    """Value a campaign of each action alone on the customers of a date, once it is known who left.

    A campaign may go to anybody: triggers, rules, capacity and budget are left out, for this is about the model.

    Args:
        run: the run, whose catalogue and margins count.
        frame: the customers judged, and nobody else.
        churned: labels, 0 or 1, both present.
        risk: churn risk of each customer.
        weight: how many customers each row stands for; one where not given.

    Returns:
        ``currency``, ``mean_margin`` (what keeping a customer is worth, currency units), ``actions`` (one row per
        action believed to save anybody, the most profitable first: ``campaign``) and ``curve`` (of the first of
        them: ``action`` and profit per customer of the base where 0, 1, ... 100 % are contacted, the riskiest first,
        ``by_risk``, or those first who promise most, ``by_gain``).
    """
    margin, counted = margins(run, frame, risk, frame.reference), weights_of(weight, len(risk))
    mean = float(np.average(margin, weights=counted))
    known = {
        action.id: _economics(action, mean)
        for action in load_catalogue(run.config.actions.catalogue).actions.values()
        if 0 < action.prior_save < 1
    }
    rows = [
        {"action": name, **campaign(churned, risk, margin, economics, counted)}
        for name, economics in known.items()
    ]
    rows.sort(key=lambda row: (-row["profit_own"], row["action"]))
    told = {"currency": run.config.currency, "mean_margin": mean, "actions": rows}
    if not rows:
        return told
    best = known[str(rows[0]["action"])]
    profit = contact_profits(churned, margin, best)
    keys = {"by_risk": risk, "by_gain": contact_profits(risk, margin, best)}
    curves = {name: profit_curve(profit, key, weight=counted).round(6).tolist() for name, key in keys.items()}
    return told | {"curve": {"action": rows[0]["action"], **curves}}


def campaign(
    churned: npt.ArrayLike, risk: Array, margin: Array, economics: CampaignEconomics, weight: Array
) -> dict[str, Any]:
    """Value one campaign under different ways to choose whom to contact.

    Args:
        churned: labels, 0 or 1, both present.
        risk: churn risk of each customer.
        margin: what keeping each customer is worth, currency units.
        economics: costs and acceptance, and the mean margin.
        weight: how many customers each row stands for.

    Returns:
        ``threshold`` (churn risk from which contacting a customer of average worth pays; missing if never), ``emp``,
        and per rule the ``share_*`` contacted and the ``profit_*`` per customer of the base, currency units: ``half``
        (a risk above .5), ``threshold``, ``own`` (above each customer's own threshold), ``everybody``, and ``best``
        (the best cut of the ranking by risk, known only afterwards).
    """
    profit = contact_profits(churned, margin, economics)
    threshold = profit_threshold(economics)
    rules = {
        "half": risk > HALF,
        "threshold": risk > threshold,
        "own": risk > own_thresholds(margin, economics),
        "everybody": np.ones(len(risk), dtype=np.bool_),
    }
    curve = profit_curve(profit, risk, weight=weight)
    told: dict[str, Any] = {
        "threshold": threshold if threshold <= 1 else None,
        "emp": emp(churned, risk, economics, weight=weight),
    }
    for name, picked in rules.items():
        told[f"share_{name}"] = float(np.average(picked, weights=weight))
        told[f"profit_{name}"] = float(np.average(picked * profit, weights=weight))
    return told | {
        "share_best": float(np.argmax(curve)) / (len(curve) - 1),
        "profit_best": float(curve.max()),
    }


def _economics(action: Action, margin: float) -> CampaignEconomics:
    return CampaignEconomics.believed(
        clv=margin,
        incentive=action.redeem_rate * action.incentive_cost,
        contact=action.contact_cost,
        save=action.prior_save,
        save_sd=action.prior_save_sd,
    )


def words(profit: Mapping[str, Any]) -> str:
    """Say in one line whom it would have paid to contact."""
    if not profit["actions"] or profit["actions"][0]["profit_own"] <= 0:
        return "no action of the catalogue would have paid here: treating nobody was right"
    best, currency = profit["actions"][0], profit["currency"]
    own, threshold, half = (
        f"{1000 * best[f'profit_{rule}']:,.2f} {currency}" for rule in ("own", "threshold", "half")
    )
    least = best["threshold"]
    pays = (
        "pays for the most valuable alone" if least is None else f"pays from a churn risk of {least:.1%} on"
    )
    return (
        f"{best['action']} {pays}: per 1,000 customers {threshold}, by each customer's own threshold {own}, from 50 % "
        f"on {half}"
    )
