"""Who may get which action: each rule alone, worked by hand on one customer."""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from actions.catalogue import Catalogue
from actions.rules.contacts import LEDGER_COLUMNS
from actions.rules.eligibility import eligibility
from actions.rules.settings import ChannelCap, Rules
from tables.calendar import DAY, NEVER
from tables.errors import DataError, SchemaError
from tests.one_customer import (
    AGREES,
    CALENDAR,
    MIDNIGHT,
    TONIGHT,
    action,
    checked,
    contacted,
    reasons,
    ticket,
)


def test_a_willing_customer_may_get_a_fitting_action() -> None:
    found = checked(action())
    assert found.mask.tolist() == [[True]]
    assert found.explain(0, 0) == ()


def test_a_trigger_that_is_not_met_blocks() -> None:
    late = action(trigger="gap > 1.5")
    assert reasons(late, customer={"gap": 1.0}) == ("trigger not met",)
    assert reasons(late, customer={"gap": np.nan}) == ("trigger not met",)
    assert reasons(late, customer={"gap": 2.0}) == ()


def test_an_action_outside_its_dates_is_blocked() -> None:
    assert reasons(action(valid_to=TONIGHT)) == ("action not valid today",)
    assert reasons(action(valid_from=TONIGHT)) == ()


@pytest.mark.parametrize(
    ("region", "expected"),
    [("LT", ()), ("CN", ("not offered in the region",)), (None, ("not offered in the region",))],
)
def test_an_allow_list_keeps_other_regions_out(region: str | None, expected: tuple[str, ...]) -> None:
    assert reasons(action(regions=("LT", "LV")), customer={"region": region}) == expected


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({}, True),
        ({"channel": "sms"}, False),
        ({"purpose": "service"}, False),
        ({"customer_id": "bob"}, False),
        ({"given_at": MIDNIGHT}, False),
        ({"withdrawn_at": MIDNIGHT - 1}, False),
        ({"withdrawn_at": MIDNIGHT}, True),
        ({"withdrawn_at": None}, True),
    ],
)
def test_marketing_needs_consent_for_the_channel(changes: dict[str, Any], allowed: bool) -> None:
    found = reasons(consents=[{**AGREES, **changes}])
    assert found == (() if allowed else ("no consent for the channel",))


def test_a_withdrawal_ends_every_earlier_consent() -> None:
    withdrawn = {**AGREES, "given_at": 5, "withdrawn_at": 10}
    assert reasons(consents=[AGREES, withdrawn]) == ("no consent for the channel",)
    assert reasons(consents=[AGREES, withdrawn, {**AGREES, "given_at": 11}]) == ()


def test_service_needs_no_consent() -> None:
    assert reasons(action(kind="service"), consents=[]) == ()


@pytest.mark.parametrize(("consent", "allowed"), [("required", False), ("assumed", True)])
def test_without_a_table_of_consents_the_rules_decide(consent: Any, allowed: bool) -> None:
    found = eligibility(
        pd.DataFrame({"customer_id": ["ann"]}),
        catalogue=Catalogue.of([action(), action("call", kind="service")]),
        rules=Rules(own_gap_days=0, consent=consent),
        as_of=TONIGHT,
        calendar=CALENDAR,
        global_control=np.array([False]),
        contacts=pd.DataFrame(columns=list(LEDGER_COLUMNS)),
    )
    assert found.mask.tolist() == [[allowed, True]]
    assert ("assumed for everybody" in found.notes[0]) == allowed


def test_objecting_to_profiling_stops_all_targeting() -> None:
    objection = {**AGREES, "purpose": "profiling", "channel": None, "given_at": 0, "withdrawn_at": 5}
    for kind in ("content", "service"):
        assert reasons(action(kind=kind), consents=[AGREES, objection]) == ("objected to profiling",)
    again = {**objection, "given_at": 6, "withdrawn_at": NEVER}
    assert reasons(consents=[AGREES, objection, again]) == ()
    assert reasons(consents=[AGREES, {**objection, "withdrawn_at": MIDNIGHT}]) == ()


@pytest.mark.parametrize(
    ("flag", "reason"),
    [
        ("is_minor", "minor"),
        ("is_vulnerable", "vulnerable"),
        ("in_complaint", "in a complaint procedure"),
        ("objects_to_profiling", "objected to profiling"),
    ],
)
def test_those_who_need_protection_are_masked(flag: str, reason: str) -> None:
    assert reasons(action(kind="service"), customer={flag: True}) == (reason,)
    for absent in (False, None, -1, 0):
        assert reasons(customer={flag: absent}) == ()


@pytest.mark.parametrize(
    ("changes", "is_open"),
    [
        ({}, True),
        ({"opened_at": MIDNIGHT}, False),
        ({"solved_at": MIDNIGHT - 1}, False),
        ({"solved_at": MIDNIGHT}, True),
        ({"solved_at": MIDNIGHT - 2, "reopened_at": MIDNIGHT - 1}, True),
        ({"solved_at": MIDNIGHT - 1, "reopened_at": MIDNIGHT - 2}, False),
        ({"customer_id": "bob"}, False),
    ],
)
def test_an_open_ticket_allows_only_service(changes: dict[str, Any], is_open: bool) -> None:
    assert reasons(tickets=ticket(**changes)) == (("open ticket",) if is_open else ())
    assert reasons(action(kind="service"), tickets=ticket(**changes)) == ()


def test_a_solved_ticket_allows_personal_offers_again() -> None:
    for days in (0.5, 14, 15):
        solved = ticket(opened_at=MIDNIGHT - 20 * DAY, solved_at=MIDNIGHT - round(days * DAY))
        assert reasons(action("offer", kind="discount"), tickets=solved) == ()


@pytest.mark.parametrize(("days", "blocked"), [(0.1, True), (3, True), (3.01, False)])
def test_another_teams_contact_blocks_for_the_gap(days: float, blocked: bool) -> None:
    found = reasons(rules=Rules(own_gap_days=0, any_team_gap_days=3), contacts=[contacted(days, team="crm")])
    assert found == (("contacted by another team",) if blocked else ())
    assert reasons(contacts=[contacted(days)]) == ()


def test_a_failed_delivery_tires_nobody() -> None:
    failed = {"delivery": "not_delivered"}
    rules = Rules(own_gap_days=0, channel_caps={"email": ChannelCap(per_7d=1)})
    assert reasons(rules=rules, contacts=[contacted(1, team="crm", **failed), contacted(1, **failed)]) == ()


@pytest.mark.parametrize("delivery", ["not_delivered", "withheld", "awaited", "assumed"])
def test_every_assignment_keeps_its_cooldown(delivery: str) -> None:
    contacts = [contacted(4, action="note", delivery=delivery)]
    assert reasons(contacts=contacts) == ("had the action lately",)


@pytest.mark.parametrize(
    ("window", "days", "blocked"),
    [
        ("per_7d", 7, True),
        ("per_7d", 7.1, False),
        ("per_30d", 29, True),
        ("per_90d", 89, True),
        ("per_90d", 91, False),
    ],
)
def test_channel_caps_count_withheld_contacts_too(window: str, days: float, blocked: bool) -> None:
    rules = Rules(
        own_gap_days=0, channel_caps={"email": ChannelCap.model_validate({window: 2})}, any_team_gap_days=0
    )
    two = [contacted(days, delivery="withheld"), contacted(days, team="crm")]
    assert reasons(rules=rules, contacts=two) == (("channel used up",) if blocked else ())
    assert reasons(rules=rules, contacts=two[:1]) == ()
    assert reasons(action(channel="sms", kind="service"), rules=rules, contacts=two) == ()


@pytest.mark.parametrize(("days", "blocked"), [(5, True), (5.1, False)])
def test_the_same_action_waits_for_its_cooldown(days: float, blocked: bool) -> None:
    found = reasons(contacts=[contacted(days, action="note")])
    assert found == (("had the action lately",) if blocked else ())


@pytest.mark.parametrize(("where", "blocked"), [("LT", True), ("all", True), ("CN", False)])
def test_quiet_days_hold_in_their_region(where: str, blocked: bool) -> None:
    rules = Rules(own_gap_days=0, quiet_days={where: (TONIGHT,)})
    found = reasons(action(kind="service"), rules=rules, customer={"region": "LT"})
    assert found == (("quiet day in the region",) if blocked else ())
    assert reasons(rules=Rules(own_gap_days=0, quiet_days={where: (TONIGHT - timedelta(days=1),)})) == ()


def test_nobody_on_a_discount_gets_another() -> None:
    offers = (action("offer", kind="discount"), action("bundle", kind="discount"), action("note"))
    found = checked(*offers, contacts=[contacted(20, action="bundle")])
    assert [found.explain(0, each) for each in range(3)] == [("already on a discount",)] * 2 + [()]


def test_discounts_of_other_teams_count_too() -> None:
    offers = (action("offer", kind="discount"), action("note"))
    running = {"customer_id": "ann", "starts_at": MIDNIGHT - DAY, "reward": 5.0}
    assert checked(*offers, offers=[running]).mask.tolist() == [[False, True]]
    assert checked(*offers, offers=[{**running, "customer_id": "bob"}]).mask.all()
    redeemed = contacted(40, team="crm", action="coupon", redeemed_at=MIDNIGHT - 20 * DAY)
    assert checked(*offers, contacts=[redeemed]).explain(0, 0) == ("already on a discount",)


def test_discounts_of_the_year_run_out() -> None:
    offers = (action("offer", kind="discount"), action("bundle", kind="discount"))
    rules = Rules(own_gap_days=0, discounts_per_customer_year=2)
    past = [contacted(100, action="bundle"), contacted(365, action="offer")]
    assert reasons(*offers, rules=rules, contacts=past) == ("discounts of the year used up",)
    assert reasons(*offers, rules=rules, contacts=[past[0], contacted(366, action="offer")]) == ()


def test_discounts_that_sleep_tonight_still_count() -> None:
    dormant = action("bundle", kind="discount", trigger="absent > 1")
    found = reasons(action("offer", kind="discount"), dormant, contacts=[contacted(20, action="bundle")])
    assert found == ("already on a discount",)


def test_an_action_runs_out_for_the_year() -> None:
    twice = action(customer_cap_per_year=2)
    past = [contacted(100, action="note"), contacted(365, action="note")]
    assert reasons(twice, contacts=past) == ("action used up for the year",)
    assert reasons(twice, contacts=past[:1]) == ()


def test_the_global_control_gets_service_only() -> None:
    found = checked(action(), action("call", kind="service"), in_control=True)
    assert [found.explain(0, each) for each in range(2)] == [("in the global control",), ()]


def test_contacts_from_tonight_on_do_not_count() -> None:
    assert reasons(contacts=[contacted(0, action="note", team="crm"), contacted(-1, action="note")]) == ()


def test_a_customer_twice_is_refused() -> None:
    with pytest.raises(DataError, match="customers: 1 ids stand there twice, such as \\['ann'\\]"):
        eligibility(
            pd.DataFrame({"customer_id": ["ann", "ann"]}),
            catalogue=Catalogue.of([action()]),
            rules=Rules(own_gap_days=0),
            as_of=TONIGHT,
            calendar=CALENDAR,
            global_control=np.zeros(2, dtype=bool),
            contacts=pd.DataFrame(columns=list(LEDGER_COLUMNS)),
        )


def test_tables_without_needed_columns_are_refused() -> None:
    with pytest.raises(SchemaError, match="tickets: no column 'solved_at'"):
        reasons(tickets=[{"customer_id": "ann", "opened_at": 0}])


@pytest.mark.parametrize(("days", "blocked"), [(0.1, True), (7, True), (7.01, False)])
@pytest.mark.parametrize("delivery", ["confirmed", "withheld"])
def test_our_own_marketing_makes_room_for_a_week(days: float, blocked: bool, delivery: str) -> None:
    contacts = [contacted(days, action="other", purpose="marketing", delivery=delivery)]
    assert reasons(rules=Rules(), contacts=contacts) == (("had another action lately",) if blocked else ())


def test_our_own_service_note_blocks_no_marketing() -> None:
    contacts = [contacted(1, action="other", purpose="service")]
    assert reasons(rules=Rules(), contacts=contacts) == ()
    marketing = [contacted(1, action="other", purpose="marketing")]
    assert reasons(action(kind="service"), rules=Rules(), contacts=marketing) == ()
