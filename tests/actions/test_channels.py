"""Over which channel an action goes: asked for, answered on, first of the list; open ones before closed ones."""

import pytest

from actions.catalogue import CHANNELS
from actions.rules.settings import Rules
from tables.calendar import DAY
from tests.one_customer import AGREES, MIDNIGHT, action, checked, contacted, ticket

AGREES_TO_SMS = {**AGREES, "channel": "sms"}


@pytest.mark.parametrize(
    ("stated", "answers", "consents", "channel"),
    [
        ("sms", {"chat": 9}, ["sms", "chat"], "sms"),
        ("pigeon", {"chat": 2, "sms": 1}, ["sms", "chat"], "chat"),
        (None, {"chat": 2, "email": 2}, ["chat", "email"], "email"),
        (None, {}, ["push", "sms"], "push"),
        (None, {}, ["chat", "sms"], "sms"),
        ("sms", {"chat": 1}, ["email", "chat"], "chat"),
        ("post", {}, ["email", "post"], "post"),
        (None, {}, [], "push"),
        ("sms", {}, [], "sms"),
    ],
)
def test_the_preferred_channel_is_stated_answered_or_default(
    stated: str | None, answers: dict[str, int], consents: list[str], channel: str
) -> None:
    found = checked(
        action(channel="preferred"),
        customer={"preferred_channel": stated},
        answers=[("ann", over, count) for over, count in answers.items()],
        consents=[{**AGREES, "channel": agreed} for agreed in consents],
        rules=Rules(own_gap_days=0, default_channel="push"),
    )
    assert CHANNELS[found.channels[0, 0]] == channel
    assert found.explain(0, 0) == (() if channel in consents else ("no consent for the channel",))


@pytest.mark.parametrize(
    ("stated", "used_up", "channel", "expected"),
    [
        (None, [], "email", ()),
        ("sms", [], "sms", ()),
        ("phone", [], "email", ()),
        (None, ["email"], "sms", ()),
        ("sms", ["sms"], "email", ()),
        (None, ["email", "sms"], "email", ("channel used up",)),
        ("sms", ["email", "sms"], "sms", ("channel used up",)),
    ],
)
def test_one_of_several_channels_is_picked(
    stated: str | None, used_up: list[str], channel: str, expected: tuple[str, ...]
) -> None:
    found = checked(
        action(channel=["email", "sms"]),
        customer={"preferred_channel": stated},
        consents=[AGREES, AGREES_TO_SMS],
        rules=Rules.model_validate(
            {"own_gap_days": 0, "channel_caps": {over: {"per_7d": 0} for over in used_up}}
        ),
    )
    assert CHANNELS[found.channels[0, 0]] == channel
    assert found.explain(0, 0) == expected


def test_what_was_redeemed_tells_where_a_customer_answers() -> None:
    note, consents = action(channel=["email", "sms"]), [AGREES, AGREES_TO_SMS]
    redeemed = contacted(100, channel="sms", redeemed_at=MIDNIGHT - 90 * DAY)
    assert CHANNELS[checked(note, consents=consents, contacts=[redeemed]).channels[0, 0]] == "sms"
    twice_by_mail = [("ann", "email", 2), ("eve", "sms", 9)]
    found = checked(note, consents=consents, contacts=[redeemed], answers=twice_by_mail)
    assert CHANNELS[found.channels[0, 0]] == "email"


def test_service_picks_among_channels_without_consent() -> None:
    found = checked(action(kind="service", channel=["phone", "chat"]), consents=[])
    assert (CHANNELS[found.channels[0, 0]], found.explain(0, 0)) == ("phone", ())


def test_a_ticket_is_answered_on_its_own_channel() -> None:
    note = action(channel="ticket", kind="service")
    older = ticket(channel="phone", opened_at=MIDNIGHT - 5 * DAY)
    assert CHANNELS[checked(note, tickets=ticket() + older).channels[0, 0]] == "chat"
    assert CHANNELS[checked(note, tickets=ticket(channel=None)).channels[0, 0]] == "email"
    assert CHANNELS[checked(note).channels[0, 0]] == "email"
