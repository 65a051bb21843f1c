"""Plans in memory: what is asked for, what comes of it, and that nothing of the workspace changes."""

import hashlib
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from actions.catalogue import load_catalogue
from pipeline.commands.analyst import whatif
from pipeline.config import load_config
from pipeline.pages.whatif_page import money_curve
from pipeline.run import Run
from pipeline.whatif import situation as situations
from pipeline.whatif.outcome import Outcome, action_lines, figure_lines
from pipeline.whatif.question import Question
from pipeline.whatif.situation import situation
from tables.errors import ConfigError
from tests.pipeline.conftest import run_keepwell

DEMO = Path("configs/demo.yaml")
PRESENT = Outcome(200.0, 350.0, 600, 110, 190.0, 3.4, 0.001, ("One more EUR ...",), {"call": {"sent": 5}})
ASKED = Outcome(300.0, 360.0, 700, 130, 250.0, 3.9, 0.0, (), {"call": {"sent": 1}, "offer": {"sent": 9}})


def as_configured(tmp_path: Path, **variables: str) -> Run:
    return Run(config=load_config(DEMO, {"KEEPWELL__WORKSPACE": str(tmp_path), **variables}), now=0)


def files_of(folder: Path) -> dict[str, str]:
    """Every file with its digest and the time of its last change."""
    return {
        str(path): f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mtime_ns}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_question_becomes_a_changed_configuration(tmp_path: Path) -> None:
    question = Question(
        budget=2000,
        capacity={"service_recovery_call": 60},
        prior={"personal_offer": (0.08, 0.03), "survey_invite": (-0.01,)},
        threshold=0.3,
        without=("price_review",),
    )
    run = as_configured(tmp_path)
    changed = question.asked_of(run, tmp_path).config.actions
    before, after = (load_catalogue(each.catalogue).actions for each in (run.config.actions, changed))
    assert (changed.budget.amount, changed.budget.per) == (2000, "week")
    assert list(after) == [name for name in before if name != "price_review"]
    assert after["service_recovery_call"].capacity_per_night == 60
    offer, survey = after["personal_offer"], after["survey_invite"]
    assert (offer.prior_save, offer.prior_save_sd) == (0.08, 0.03)
    assert (survey.prior_save, survey.prior_save_sd) == (-0.01, before["survey_invite"].prior_save_sd)
    assert offer.trigger.text == f"({before['personal_offer'].trigger.text}) and churn_risk >= 0.3"
    assert run.config.actions.budget.amount == 1500


def test_a_team_keeps_the_actions_that_are_left(tmp_path: Path) -> None:
    calls = "{hours_per_night: 4, minutes_per_contact: {service_recovery_call: 12, price_review: 20}}"
    reviews = "{hours_per_night: 1, minutes_per_contact: {price_review: 20}}"
    run = as_configured(tmp_path, KEEPWELL__ACTIONS__TEAMS=f"{{calls: {calls}, reviews: {reviews}}}")
    teams = Question(without=("price_review",)).asked_of(run, tmp_path).config.actions.teams
    assert {name: team.minutes_per_contact for name, team in teams.items()} == {
        "calls": {"service_recovery_call": 12}
    }


def test_a_team_gets_the_hours_asked_for(tmp_path: Path) -> None:
    desk = "{desk: {hours_per_night: 4, minutes_per_contact: {price_review: 20}}}"
    run = as_configured(tmp_path, KEEPWELL__ACTIONS__TEAMS=desk)
    question = Question(hours={"desk": 12.0})
    (team,) = question.asked_of(run, tmp_path).config.actions.teams.values()
    assert (team.hours_per_night, team.minutes_per_contact) == (12, {"price_review": 20})
    assert question.words(run) == ["desk has 12 hours for the night instead of 4."]
    assert question.changes_rules
    with pytest.raises(ConfigError, match=r"--hours: there is no team 'dest' \(did you mean desk\)"):
        Question(hours={"dest": 1.0}).asked_of(run, tmp_path)


def test_what_is_taken_away_may_be_said_more_than_once() -> None:
    context = whatif.make_context("whatif", ["-c", "a", "--without", "b,c", "--without", "d"])
    assert context.params["without"] == ("b", "c", "d")


def test_every_change_is_said_in_words(tmp_path: Path) -> None:
    question = Question(budget=2000, capacity={"call": 60}, prior={"offer": (0.08, 0.03)}, threshold=0.3)
    assert question.words(as_configured(tmp_path)) == [
        "The budget is 2,000.00 EUR per week instead of 1,500.00.",
        "At most 60 customers a night get call.",
        "offer is believed to save 8.0% of those who would leave, give or take 3.0%.",
        "Only customers with a churn risk of 30% and more get anything.",
    ]
    assert question.changes_rules and not Question(budget=1).changes_rules


def test_all_that_is_not_there_is_named_at_once(tmp_path: Path) -> None:
    question = Question(capacity={"calls": 1}, prior={"personal_ofer": (0.1,)}, without=("nothing",))
    with pytest.raises(ConfigError, match=r"--capacity: there is no action 'calls'") as error:
        question.asked_of(as_configured(tmp_path), tmp_path)
    assert "'personal_ofer' (did you mean personal_offer)" in str(error.value)
    assert "--without: there is no action 'nothing'" in str(error.value)


def test_a_value_no_action_can_take_names_no_scratch_file(tmp_path: Path) -> None:
    question = Question(prior={"personal_offer": (2.0,)})
    with pytest.raises(ConfigError, match=r"^whatif: actions\.personal_offer\.prior_save: ") as error:
        question.asked_of(as_configured(tmp_path), tmp_path)
    assert str(tmp_path) not in str(error.value)


def test_taking_every_action_away_points_to_the_budget(tmp_path: Path) -> None:
    run = as_configured(tmp_path)
    everything = tuple(load_catalogue(run.config.actions.catalogue).actions)
    with pytest.raises(ConfigError, match="Ask for --budget 0 to treat nobody"):
        Question(without=everything).asked_of(run, tmp_path)


def test_half_a_customer_is_no_capacity() -> None:
    with pytest.raises(ConfigError, match="--capacity of call is no whole number of customers") as error:
        Question.of(
            budget=None, capacity=[("call", (1.5,))], hours=[("desk", (-1.0,))], prior=[], threshold=None,
            without=(), catalogue=None,
        )  # fmt: skip
    assert "--hours of desk are below none" in str(error.value)


def test_two_plans_are_told_side_by_side() -> None:
    told = {line.name: (line.present, line.asked, line.difference) for line in
            figure_lines(PRESENT, ASKED, currency="EUR")}  # fmt: skip
    assert told["expected profit, EUR"] == ("350.00", "360.00", "+10.00")
    assert told["customers who get something"] == ("600", "700", "+100")
    assert told["certified gap"] == ("0.10%", "0.00%", "-0.10%")
    assert [(line.name, line.present, line.asked, line.difference) for line in action_lines(PRESENT, ASKED)] == [
        ("call", "5", "1", "-4"),
        ("offer", "0", "9", "+9"),
    ]  # fmt: skip


def test_the_curve_marks_both_budgets_and_escapes_words() -> None:
    curve = [{"budget": 100.0 * at, "present": 9.0 * at, "asked": 8.0 * at} for at in range(5)]
    drawn = money_curve(
        curve,
        unit="budget per <week>",
        currency="EUR",
        budgets={"configured": 100, "asked": 300},
        rules_differ=True,
    )
    assert drawn.svg.count("<polyline") == 2
    assert "configured: 100" in drawn.svg and "asked: 300" in drawn.svg and "&lt;week&gt;" in drawn.svg
    alone = money_curve(
        curve, unit="budget", currency="EUR", budgets={"configured": 100, "asked": 100}, rules_differ=False
    )
    assert alone.svg.count("<polyline") == 1 and "asked: " not in alone.svg


@pytest.fixture(scope="module")
def asked(demo_made: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A question to the demo, its page, and the workspace's files before and after."""
    page, before = tmp_path_factory.mktemp("whatif") / "page.html", files_of(demo_made)
    words = ("--budget", "200", "--out", page, "--json")
    told = run_keepwell(demo_made, "whatif", "-c", DEMO, *words)
    assert told.returncode == 0, told.stderr
    return {
        "before": before,
        "after": files_of(demo_made),
        "page": page.read_text(),
        **json.loads(told.stdout),
    }


@pytest.mark.slow
def test_asking_changes_no_file_of_the_workspace(asked: dict[str, Any]) -> None:
    assert asked["before"] == asked["after"]


@pytest.mark.slow
def test_the_present_plan_is_the_published_one(asked: dict[str, Any], demo_answer: dict[str, Any]) -> None:
    assert asked["as_of"] == demo_answer["as_of"] and asked["notes"] == []
    assert asked["present"]["expected_cost"] == pytest.approx(demo_answer["cost"])
    assert asked["present"]["withheld"] == demo_answer["withheld"]


@pytest.mark.slow
def test_less_money_is_spent_and_reaches_fewer(asked: dict[str, Any]) -> None:
    present, other = asked["present"], asked["asked"]
    assert other["expected_cost"] <= other["money"] < present["money"]
    assert other["customers"] < present["customers"]


@pytest.mark.slow
def test_the_curve_by_mean_beliefs_lies_above_both_plans(asked: dict[str, Any]) -> None:
    rows = {row["budget"]: row for row in asked["curve"]}
    assert 8 <= len(rows) <= 12 and list(rows) == sorted(rows)
    assert rows[1500]["present"] > asked["present"]["expected_profit"]
    assert rows[200]["present"] > asked["asked"]["expected_profit"]
    profits = np.array([row["present"] for row in rows.values()])
    assert profits[0] < profits[2]
    # Chance still leaves some out, others by budget; beside that no budget brings less than a smaller one.
    assert (profits >= 0.9 * np.maximum.accumulate(profits)).all()


@pytest.mark.slow
def test_the_page_shows_both_plans_and_no_customer(asked: dict[str, Any]) -> None:
    page = asked["page"]
    assert re.findall(r"https?://|<script|src=", page) == []
    assert "The budget is 200.00 EUR per week instead of 1,500.00." in page
    assert page.count("<polyline") == 1 and "configured: 1,500" in page and "asked: 200" in page
    assert yaml.safe_load(DEMO.read_text())["name"] in page


def test_a_night_before_the_newest_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(situations, "published_dates", lambda _: (date(2026, 6, 1), date(2026, 6, 2)))
    with pytest.raises(ConfigError, match="2026-06-01 lies before 2026-06-02, which is published"):
        situation(as_configured(tmp_path), as_of=date(2026, 6, 1), today=date(2026, 6, 3))
