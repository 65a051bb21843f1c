"""The power of a plan in words, on the night's page and from the command line."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

import pipeline.power
from pipeline.pages.power_chapter import power_chapter

MAIL = {
    "action": "thank_you_note",
    "planned": 110,
    "withheld": 20,
    "compared": 100,
    "compared_before": 300,
    "explained": 0.25,
    "believed_effect": 0.02,
    "detectable_effect": 0.1234,
    "detectable_so_far": 0.0617,
    "nights_to_detect": 41,
}
NOTHING = dict.fromkeys(MAIL, None) | {"action": "call", "compared": 0, "compared_before": 0}
SUMMARY: dict[str, Any] = {
    "actions": [NOTHING, MAIL],
    "total": MAIL,
    "programme": {"control": 50, "others": 950, "explained": 0.25, "detectable_effect": 0.071},
    "nights_left": 28,
}


def test_words_tell_tonight_so_far_and_what_is_needed() -> None:
    words = power_chapter(SUMMARY).words
    for told in (
        "100 newly compared households or single customers could show an effect of 12.3 points of churn or more",
        "takes off 25% of the variance",
        "With the 300 of earlier nights it is 6.2 points.",
        "The believed effect of 2.0 points needs about 41 such nights; the salt has 28 left.",
        "The global control of 50 households or single customers can show 7.1 points",
    ):
        assert told in words


def test_only_actions_with_new_units_have_a_row() -> None:
    (row,) = power_chapter(SUMMARY).rows
    assert (row.action, row.new, row.before, row.nights) == ("thank you note", "100", "300", "41")
    assert (row.believed, row.detectable, row.detectable_so_far) == (
        "2.0 points",
        "12.3 points",
        "6.2 points",
    )


@pytest.mark.parametrize(("needed", "told"), [(None, "never"), (0, "0"), (3_651, "out of reach")])
def test_nights_that_nobody_waits_are_out_of_reach(needed: int | None, told: str) -> None:
    assert power_chapter(SUMMARY | {"actions": [MAIL | {"nights_to_detect": needed}]}).rows[0].nights == told


def test_a_plan_without_control_promises_nothing() -> None:
    chapter = power_chapter(
        SUMMARY | {"total": NOTHING, "programme": SUMMARY["programme"] | {"detectable_effect": None}}
    )
    assert chapter.words == "Tonight's plan has no control group large enough to compare with."


def test_power_is_told_for_a_night_that_is_only_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = SimpleNamespace(plan=SimpleNamespace(summary=SUMMARY))
    night = SimpleNamespace(as_of=date(2026, 6, 3), history=None, scored=None, cells=None)
    monkeypatch.setattr(pipeline.power, "situation", lambda run, as_of, today: night)
    monkeypatch.setattr(pipeline.power, "plan_night", lambda *night, **when: plan)
    told = pipeline.power.power(SimpleNamespace(), as_of=None, today=date(2026, 6, 3))
    assert told["total"]["detectable_effect"] == 0.1234
    assert [row["action"] for row in told["actions"]] == ["thank_you_note"]
    assert told["text"].startswith("2026-06-03: Tonight's 100 newly compared")
    assert told["text"].splitlines()[-1].split() == (
        "thank_you note 100 300 2.0 points 12.3 points 6.2 points 41".replace("_", " ").split()
    )
