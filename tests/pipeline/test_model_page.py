import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from pipeline.pages.model_page import training_report
from pipeline.pages.model_pictures import along_features, feature_said, inside_groups
from pipeline.pages.model_words import Card, summarise


def metrics(name: str, auc: float, log_loss: float) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name}
    for metric, value in {
        "auc": auc, "average_precision": 0.6, "log_loss": log_loss, "brier": 0.2, "ece": 0.02,
        "lift_at_10pct": 2.0, "emp": 5.0,
    }.items():  # fmt: skip
        row |= {metric: value, f"{metric}_low": value - 0.02, f"{metric}_high": value + 0.02}
    return row


def group(slicing: str, name: str, *, n: int, left: float, promised: float) -> dict[str, Any]:
    found = metrics(name, 0.7, 0.5) if n >= 50 else dict.fromkeys(metrics("", 0.7, 0.5))
    return found | {"slicing": slicing, "slice": name, "n": n, "churn_rate": left, "mean_risk": promised}


BIN = {"n": 100, "mean_predicted": 0.4, "observed": 0.41, "low": 0.3, "high": 0.5}
# All that an evaluation alone leaves: every other part of a card may be missing.
LEAST: dict[str, Any] = {
    "as_of": "2026-04-16",
    "horizon_days": 45,
    "n": 1000,
    "churn_rate": 0.4,
    "constant_log_loss": 0.673,
    "models": [metrics("keepwell", 0.8, 0.5), metrics("logistic_rich", 0.79, 0.52)],
    "calibration": [BIN],
}
CARD: dict[str, Any] = LEAST | {
    "business": "corner shop",
    "definition": "no order in 45 days",
    "trained_for": "2026-06-01",
    "trained_through": "2026-05-31",
    "version": 3,
    "promoted": True,
    "level": {
        "judged": {"as_of": "2026-04-16", "promised": 0.41, "level": 0.41, "own": 0.4, "series": 0.42,
                   "series_weight": 0.5},
        "next": {"as_of": "2026-06-01", "level": 0.38, "own": 0.37, "series": 0.39, "series_weight": 0.5},
    },
    "slices": [
        group("segment", "loyal", n=500, left=0.2, promised=0.21),
        group("segment", "at_risk", n=400, left=0.6, promised=0.75),
        group("tenure", "under 90 days", n=20, left=0.5, promised=0.5),
    ],
    "series": [
        {"as_of": "2026-03-01", "customers": 900, "churned": 0.35, "expected": 0.36, "forecast": None},
        {"as_of": "2026-04-16", "customers": 1000, "churned": 0.4, "expected": 0.39, "forecast": 0.37},
        {"as_of": "2026-06-01", "customers": 1100, "churned": None, "expected": 0.38, "forecast": 0.39},
    ],
    "themes": [{"theme": "silence", "mean_contribution": 0.9}, {"theme": "offers", "mean_contribution": 0.0}],
    "importance": [{"feature": "orders_30d_over_90d", "theme": "frequency", "mean_contribution": 0.4}],
    "dependence": [
        {"feature": "spend_30d", "theme": "spend", "value": 0.5, "n": 500, "observed": 0.5, "low": 0.4, "high": 0.6,
         "promised": 0.52, "alone": 0.42},
        {"feature": "spend_30d", "theme": "spend", "value": None, "n": 500, "observed": 0.3, "low": 0.2, "high": 0.4,
         "promised": 0.31, "alone": 0.38},
    ],
    "calibration_by_segment": [{"slicing": "segment", "slice": "loyal", **BIN}],
    "members": {"prior": 0.4, "boosting": 0.6},
    "treated": {
        "policy": "untreated",
        "training": {"rows": 1200, "dropped": 34, "weighted": 5, "left_in": 0, "churn_rate": 0.4,
                     "churn_rate_of_all": 0.39},
        "words": ["34 snapshots left out"],
    },
    "leaks": {"words": ["no leak found"], "alone": [{"feature": "spend_30d", "auc": 0.71}]},
    "challenge": {
        "decision": "challenger",
        "words": ["The challenger wins."],
        "rows": [{"metric": "log_loss", "champion": 0.52, "challenger": 0.5, "difference": -0.02,
                  "low": -0.03, "high": -0.01}],
    },
    "ablation": [{"name": "without ridge", "metric": "auc", "difference": 0.004, "low": 0.001, "high": 0.007}],
}  # fmt: skip


def with_models(*models: Mapping[str, Any]) -> Card:
    return CARD | {"models": list(models)}


def with_promise(promised: float) -> Card:
    return CARD | {"level": {"judged": {"promised": promised}}}


@pytest.mark.parametrize(
    ("card", "verdict", "is_good"),
    [
        (CARD, "Yes: the order of customers and the percentages both held.", True),
        (with_promise(0.46), "Yes for the order of customers; take the percentages with care.", True),
        (
            with_models(metrics("keepwell", 0.8, 0.5), metrics("days_since_last_order", 0.82, 0.6)),
            "With care: a simpler way, days since the last order alone, ordered customers at least as well.",
            False,
        ),
        (
            with_models(metrics("keepwell", 0.8, 0.5) | {"auc_low": 0.7, "auc_high": 0.9}),
            "With care: 1,000 customers are too few to tell how good it is.",
            False,
        ),
        (
            with_models(metrics("keepwell", 0.51, 0.6)),
            "No: it does no better than one number for everybody.",
            False,
        ),
        (
            with_models(metrics("keepwell", 0.8, 0.7)),
            "No: it does no better than one number for everybody.",
            False,
        ),
    ],
)
def test_the_verdict_follows_order_level_and_rivals(card: Card, verdict: str, is_good: bool) -> None:
    told = summarise(card)
    assert (told.verdict, told.is_good) == (verdict, is_good)


def test_a_rival_with_better_percentages_is_named() -> None:
    rivals = (metrics("days_since_last_order", 0.79, 0.6), metrics("bgnbd_no_purchase", 0.7, 0.45))
    told = summarise(with_models(metrics("keepwell", 0.8, 0.5), *rivals)).trust
    assert any("had better percentages (log loss 0.450 against 0.500)" in words for words in told)


def test_a_level_three_points_off_is_no_fault() -> None:
    assert summarise(with_promise(0.43)).is_good
    assert not any("The level" in words for words in summarise(with_promise(0.43)).not_at)
    assert "The level: risks ran 6 points too low" in summarise(with_promise(0.34)).not_at[0]


def test_a_group_outside_its_interval_is_named_with_figures() -> None:
    [furthest] = [words for words in summarise(CARD).not_at if words.startswith("Furthest off")]
    assert furthest == "Furthest off: at risk (75% promised, 60% of 400 left)."


def test_leaning_on_the_prior_is_said() -> None:
    said = "40% of the order rests on BG/NBD as a prior"
    assert any(said in words for words in summarise(CARD).trust)
    assert not any(said in words for words in summarise(LEAST).trust)


def test_every_part_of_the_card_is_told() -> None:
    text = training_report(CARD)
    for words in (
        "corner shop", "Version 3, promoted, trained for 2026-06-01", "80 of 100", "2.0 times", "no order in 45 days",
        "for 2026-06-01 the model foresees 38.0%", "how long they have been silent", "orders 30 days over 90 days",
        "34 snapshots left out", "no leak found", "The challenger wins.", "-0.0200", "without ridge", "+0.0040",
        "BG/NBD as a prior", "tenure under 90 days (fewer than 50 customers)",
    ):  # fmt: skip
        assert words in text
    assert text.count("<svg") == 7  # rivals, tenths, drift, themes, segments, one feature, one group
    assert "offers that run" not in text  # a kind of feature that moves nothing


def test_what_the_card_lacks_is_said_in_words() -> None:
    text = training_report(LEAST)
    for words in (
        "This card holds no groups.", "This card does not say what each member weighs.",
        "This card does not say how they were handled.", "This card holds no check for leaks.",
        "No other recipe was in service", "Not run for this card", "This card does not say what the model looks at.",
    ):  # fmt: skip
        assert words in text
    assert text.count("<svg") == 2


def test_words_from_outside_are_escaped_everywhere() -> None:
    bad = "<script>alert(1)</script>"
    row = CARD["dependence"][0] | {"feature": bad}
    text = training_report(
        CARD
        | {"business": bad, "definition": bad, "leaks": {"words": [bad]}, "dependence": [row]}
        | {"slices": [group("region", bad, n=500, left=0.2, promised=0.5)]}
    )
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 6


def test_the_report_names_no_address() -> None:
    assert re.findall(r"https?://|src=|href=|@import|url\(", training_report(CARD)) == []


def test_features_are_written_with_their_windows_in_days() -> None:
    assert feature_said("days_since_last_order") == "days since last order"
    assert feature_said("purchase_days_270_to_360d_ago") == "purchase days 270 to 360 days ago"


def test_customers_without_a_feature_stand_apart_from_the_line() -> None:
    svg = along_features(pd.DataFrame(CARD["dependence"])).svg
    assert svg.count("<circle") == 4  # a dot and a ring for each of two groups
    [line] = re.findall(r'class="alone" points="([^"]*)"', svg)
    assert len(line.split()) == 1
    assert ">none</text>" in svg


def test_each_group_has_its_own_small_picture() -> None:
    rows = [{"slicing": "segment", "slice": name, **BIN} for name in ("loyal", "loyal", "new")]
    picture = inside_groups(pd.DataFrame(rows))
    assert picture.svg.count("<svg") == 2
    assert "segment, 200 customers" in picture.svg
