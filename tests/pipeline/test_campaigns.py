"""Whom it would have paid to contact, and what two recipes would have earned in one night."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from actions.rules.eligibility import Eligibility
from models.profit import CampaignEconomics
from pipeline.config import load_config
from pipeline.pages import profit_chapter
from pipeline.run import Run
from pipeline.scoring import Scored
from pipeline.training import night_profit
from pipeline.training.campaigns import campaign, words
from pipeline.training.night_profit import night_profits
from tests.actions.made_up import action

FREE = CampaignEconomics(clv=100, incentive=0, contact=6, alpha=2, beta=8)  # a fifth accept: pays above .3
REFERENCE: Any = SimpleNamespace(as_of=date(2026, 4, 15))
CHURNED = np.array([1, 1, 0, 0])
RISK = np.array([0.8, 0.4, 0.35, 0.1])
MARGIN = np.array([100.0, 200.0, 50.0, 50.0])


def told(**changed: Any) -> dict[str, Any]:
    row = {"action": "free_call", **campaign(CHURNED, RISK, MARGIN, FREE, np.ones(4)), **changed}
    curve = {"action": "free_call", "by_risk": [0.0, 5.0, 2.0], "by_gain": [0.0, 6.0, 2.0]}
    return {"currency": "EUR", "mean_margin": 100.0, "actions": [row], "curve": curve}


def test_each_rule_earns_from_those_it_contacts() -> None:
    found = campaign(CHURNED, RISK, MARGIN, FREE, np.ones(4))
    # a churner brings a fifth of the margin less 6: 14 and 34; a stayer costs 6
    assert found["threshold"] == pytest.approx(0.3)
    assert (found["profit_half"], found["share_half"]) == (pytest.approx(14 / 4), 0.25)
    assert (found["profit_threshold"], found["share_threshold"]) == (pytest.approx(42 / 4), 0.75)
    # own thresholds .3, .15, .6, .6
    assert (found["profit_own"], found["share_own"]) == (pytest.approx(48 / 4), 0.5)
    assert found["profit_everybody"] == pytest.approx(36 / 4)
    assert (found["profit_best"], found["share_best"]) == (pytest.approx(48 / 4), 0.5)


def test_weights_count_customers_as_so_many() -> None:
    found = campaign(CHURNED, RISK, MARGIN, FREE, np.array([3.0, 1.0, 1.0, 1.0]))
    assert found["profit_half"] == pytest.approx(3 * 14 / 6)


def test_a_campaign_dearer_than_any_margin_never_pays() -> None:
    dear = CampaignEconomics(clv=100, incentive=0, contact=60, alpha=2, beta=8)
    found = campaign(CHURNED, RISK, MARGIN, dear, np.ones(4))
    assert (found["threshold"], found["profit_own"], found["profit_best"]) == (None, 0, 0)


def test_one_line_says_whom_it_pays_to_contact() -> None:
    assert words(told()) == (
        "free_call pays from a churn risk of 30.0% on: per 1,000 customers 10,500.00 EUR, by each customer's own "
        "threshold 12,000.00 EUR, from 50 % on 3,500.00 EUR"
    )
    assert "pays for the most valuable alone" in words(told(threshold=None))
    assert words(told(profit_own=0.0)).endswith("treating nobody was right")


def test_the_report_draws_the_curve_and_both_thresholds() -> None:
    drawn = profit_chapter.curve(told())
    assert drawn is not None and drawn.title == "What free call would have earned"
    assert drawn.svg.count("<polyline") == 2 and "profit threshold" in drawn.svg
    assert "above 50 % would have earned 3,500, above the profit threshold (30%) 10,500" in drawn.note
    (row,) = profit_chapter.rows(told())
    assert row[:2] == ["free call", "30.0%"] and row[3] == "3,500 (25%)"
    assert len(row) == len(profit_chapter.HEAD)


def test_where_nothing_pays_the_report_says_so() -> None:
    nothing = told(profit_own=0.0, threshold=None)
    assert profit_chapter.curve(nothing) is None
    assert profit_chapter.sentences(nothing)[-1] == "No action would have paid: treating nobody was right."
    assert profit_chapter.rows(nothing)[0][1] == "never"


def test_one_night_s_money_goes_to_whom_each_recipe_fears_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = np.array(["zoe", "ann", "bob"], dtype=object)  # keys in another order than ids
    risks = {"champion": np.array([0.9, 0.5, 0.2]), "challenger": np.array([0.4, 0.8, 0.3])}
    call = action("call", contact_cost=10.0, prior_save=0.5)
    table = pd.DataFrame({"customer_id": sorted(ids), "churn_risk": 0.5, "margin": [100.0, 70.0, 60.0]})
    replaced: dict[str, Any] = {
        "load_catalogue": lambda _: None,
        "customer_ids": lambda *_: ids,
        "earlier_plans": lambda *_: [],
        "scored_with": lambda *_: Scored(table, table, REFERENCE, (0.3, 0.6), cast(Any, None)),
        "customers_to_plan": lambda _, __, scored, **___: scored.table,
        "allowed_pairs": lambda _, __, customers, *___, **____: Eligibility(
            pd.Index(customers["customer_id"]),
            (call,),
            (),
            np.zeros((3, 1), np.uint32),
            np.zeros((3, 1), np.int8),
            (),
        ),
    }
    for name, stand_in in replaced.items():
        monkeypatch.setattr(night_profit, name, stand_in)
    trial: Any = SimpleNamespace(
        customer=np.arange(3), churned=np.array([0, 1, 0]), judged=None, reference=REFERENCE
    )
    config = load_config(Path("configs/demo.yaml"), {"KEEPWELL__ACTIONS__BUDGET__AMOUNT": "105"})
    found = night_profits(Run(config=config, now=0), cast(Any, None), trial, risks)
    # 105 a week is 15 a night: one call of 10. zoe's .9 * .5 * 60 - 10 beats ann's .5 * .5 * 100 - 10; zoe stayed.
    assert found["champion"].tolist() == [-10, 0, 0]
    assert found["challenger"].tolist() == [0, 40, 0]
