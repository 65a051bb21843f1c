import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from actions.catalogue import Action, Catalogue, load_catalogue
from actions.strategies import STRATEGIES
from tables.errors import ConfigError

SHIPPED = Path(__file__).parents[2] / "configs" / "actions.yaml"
PLAIN: dict[str, Any] = {
    "carries_out": ["messaging"],
    "trigger": "orders_total >= 2",
    "channel": "email",
    "kind": "content",
    "contact_cost": 0.1,
    "prior_save": 0.02,
    "prior_save_sd": 0.01,
    "cooldown_days": 30,
    "wording": {"en": "Hello."},
}


def action(name: str = "note", **changes: Any) -> Action:
    return Action(id=name, **{**PLAIN, **changes})


def complaints(folder: Path, **entries: Any) -> list[str]:
    file = folder / "actions.yaml"
    file.write_text(yaml.safe_dump({"actions": entries}, sort_keys=False))
    with pytest.raises(ConfigError) as caught:
        load_catalogue(file)
    return [line.removeprefix(f"{file}:") for line in str(caught.value).splitlines()]


def test_ships_every_action_of_the_domain() -> None:
    assert list(load_catalogue(SHIPPED).actions) == [
        "service_recovery_call", "detractor_follow_up", "proactive_support", "ticket_progress_note",
        "delivery_promise_note", "thank_you_note", "self_service_guide", "onboarding_tutorial",
        "community_invite", "personal_recommendation", "replenishment_reminder", "win_back_message",
        "ambassador_invite", "survey_invite", "social_audience", "charity_match", "loyalty_enrolment",
        "points_bonus", "points_expiry_reminder", "tier_upgrade", "early_access", "membership_trial",
        "referral_reward", "surprise_gift", "personal_offer", "bundle_offer", "price_review",
    ]  # fmt: skip


def test_every_strategy_has_an_action_in_the_shipped_catalogue() -> None:
    carried = {name for each in load_catalogue(SHIPPED).actions.values() for name in each.carries_out}
    assert carried == set(STRATEGIES)


def test_shipped_kinds_follow_the_domain() -> None:
    kinds = Counter(each.kind for each in load_catalogue(SHIPPED).actions.values())
    assert kinds == {"service": 6, "content": 9, "values": 1, "reward": 8, "discount": 3}


def test_every_shipped_action_speaks_three_languages() -> None:
    wordings = [each.wording for each in load_catalogue(SHIPPED).actions.values()]
    assert {tuple(wording) for wording in wordings} == {("en", "zh", "lt")}
    assert len({text for wording in wordings for text in wording.values()}) == 3 * len(wordings)


def test_a_language_without_wording_falls_back_to_english() -> None:
    note = action(wording={"en": "Hello.", "lt": "Labas."})
    assert [note.said_in(language) for language in ("lt", "zh", "fr", None)] == [
        "Labas.", "Hello.", "Hello.", "Hello.",
    ]  # fmt: skip


def test_shipped_actions_may_take_several_channels() -> None:
    several = {each.id: each.channel for each in load_catalogue(SHIPPED).actions.values() if each.channel[1:]}
    assert several == {
        "proactive_support": ("phone", "chat"), "self_service_guide": ("email", "in_app"),
        "points_bonus": ("email", "push"), "personal_offer": ("email", "sms"),
    }  # fmt: skip


def test_shipped_service_actions_are_never_withheld() -> None:
    for each in load_catalogue(SHIPPED).actions.values():
        assert each.randomise == (each.kind != "service") == (each.purpose == "marketing")


def test_purpose_and_randomisation_follow_the_kind() -> None:
    service = action(kind="service")
    assert (service.purpose, service.randomise) == ("service", False)
    assert action(kind="service", randomise=True).randomise
    assert (action().purpose, action().randomise) == ("marketing", True)


def test_dormant_actions_say_which_feature_is_absent() -> None:
    catalogue = Catalogue.of(
        [action("now"), action("later", trigger="csat_last < 2 or nps_last < 6 and order > 1")]
    )
    active, dormant = catalogue.split(["orders_total", "order", "region"])
    assert [each.id for each in active] == ["now"]
    assert dormant[0].action.id == "later"
    assert dormant[0].reason == (
        "trigger names `csat_last`, `nps_last`, which are not among tonight's features"
    )


def test_a_misspelt_feature_is_suggested() -> None:
    _, dormant = Catalogue.of([action(trigger="orders_totl > 1")]).split(["orders_total"])
    assert dormant[0].reason.endswith("is not among tonight's features (did you mean orders_total)")


def test_validity_is_half_open() -> None:
    spring = action(valid_from=date(2025, 3, 1), valid_to=date(2025, 6, 1))
    days = (date(2025, 2, 28), date(2025, 3, 1), date(2025, 5, 31), date(2025, 6, 1))
    assert [spring.is_valid_on(day) for day in days] == [False, True, True, False]


@settings(deadline=None)
@given(
    begin=st.none() | st.dates(),
    length=st.none() | st.integers(1, 400),
    day=st.dates(date(1, 1, 2), date(9998, 1, 1)),
)
def test_an_action_is_valid_only_inside_its_dates(begin: date | None, length: int | None, day: date) -> None:
    end = None if length is None else (begin or date(2025, 1, 1))
    if end is not None and end.year < 9990:
        end += timedelta(days=length or 0)
    if begin and end and end <= begin:
        return
    expected = (begin is None or begin <= day) and (end is None or day < end)
    assert action(valid_from=begin, valid_to=end).is_valid_on(day) == expected


def test_all_problems_come_at_once_with_lines(tmp_path: Path) -> None:
    wrong = {**PLAIN, "channel": "emial", "prior_save_sd": 0, "trigger": "orders_total > open('x')"}
    del wrong["contact_cost"], wrong["prior_save"]
    assert complaints(tmp_path, note=wrong, other={**PLAIN, "cots": 1}) == [
        "2: actions.note.contact_cost: is required and missing",
        "2: actions.note.prior_save: is required and missing",
        "5: actions.note.trigger: \"orders_total > open('x')\", character 16: a call is not allowed. Allowed "
        "are column names, numbers, quoted texts, True, False, + - * /, comparisons, `x in [...]`, and, or, "
        "not, missing(x); found \"orders_total > open('x')\"",
        "6: actions.note.channel: input should be 'email', 'sms', 'phone', 'push', 'in_app', 'post', 'chat', "
        "'audience', 'preferred' or 'ticket'; found 'emial' (did you mean email)",
        "8: actions.note.prior_save_sd: input should be greater than 0; found 0",
        "22: actions.other.cots: there is no such key; allowed are capacity_per_night, carries_out, channel, "
        "contact_cost, cooldown_days, customer_cap_per_year, id, incentive_cost, kind, prior_effect_lapsed, "
        "prior_effect_lapsed_sd, prior_save, prior_save_sd, purpose, randomise, redeem_rate, "
        "region_weights, regions, trigger, valid_from, valid_to, wording",
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"carries_out": ["mesaging"]}, r"unknown strategies: mesaging \(did you mean messaging\)"),
        ({"carries_out": []}, "carries_out: tuple should have at least 1 item"),
        ({"kind": "discount"}, "a discount costs: it needs incentive_cost and redeem_rate above 0"),
        ({"kind": "discount", "incentive_cost": 5, "redeem_rate": 0.1}, "a discount needs a cap"),
        ({"incentive_cost": 5}, "incentive_cost and redeem_rate go together"),
        ({"redeem_rate": 0.5}, "incentive_cost and redeem_rate go together"),
        ({"kind": "reward", "purpose": "service"}, "a reward needs marketing consent"),
        ({"contact_cost": -1}, "contact_cost: input should be greater than or equal to 0; found -1"),
        ({"contact_cost": float("nan")}, "contact_cost: input should be"),
        ({"prior_save": 1.5}, "prior_save: input should be less than or equal to 1"),
        ({"cooldown_days": 0}, "cooldown_days: input should be greater than or equal to 1"),
        ({"wording": {"lt": "Labas"}}, "the English wording `en` is missing"),
        ({"wording": {"en": "Hello", "lt": " "}}, "wording.lt: string should have at least 1 character"),
        ({"channel": ["email", "emial"]}, r"channel\[1\]: input should be 'email'.*did you mean email"),
        ({"channel": ["email", "email"]}, "a list names at least one channel, and each once"),
        ({"channel": ["email", "preferred"]}, "`preferred` and `ticket` stand alone"),
        ({"channel": []}, "a list names at least one channel"),
        ({"region_weights": {"LT": -1}}, "region_weights.LT: input should be greater than or equal to 0"),
        ({"wording": {"en": "Hello", "fr": "Salut"}}, r"wording.fr: input should be 'en', 'zh' or 'lt'"),
        ({"valid_from": date(2025, 2, 1), "valid_to": date(2025, 2, 1)}, "must lie after valid_from"),
        ({"trigger": 5}, "a trigger is a text"),
        ({"id": "other"}, "the id of an action is its key; remove `id` from note"),
    ],
)  # fmt: skip
def test_actions_that_cannot_work_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    assert re.search(message, "\n".join(complaints(tmp_path, note={**PLAIN, **changes})))


def test_none_cannot_be_declared(tmp_path: Path) -> None:
    (problem,) = complaints(tmp_path, note=PLAIN, none=PLAIN)
    assert problem.startswith("14: actions.none: `none` is always there and cannot be declared")


def test_an_entry_that_is_no_mapping_is_named(tmp_path: Path) -> None:
    (problem,) = complaints(tmp_path, note=5)
    assert problem.startswith("2: actions.note: must hold keys with values, as in {key: value}; found 5")


def test_an_empty_catalogue_is_refused(tmp_path: Path) -> None:
    assert "at least 1 item" in complaints(tmp_path)[0]


def test_actions_cannot_be_changed_later() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        action().contact_cost = 0.0  # type: ignore[misc]
