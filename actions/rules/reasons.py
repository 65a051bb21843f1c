"""Why a customer may not get an action: one bit each, so that a blocked pair carries all its reasons."""

from collections.abc import Mapping
from enum import IntFlag
from types import MappingProxyType


class Reason(IntFlag):
    """One rule that blocks a pair of customer and action."""

    TRIGGER = 1 << 0
    NOT_VALID_TODAY = 1 << 1
    REGION = 1 << 2
    CONSENT = 1 << 3
    PROFILING = 1 << 4
    MINOR = 1 << 5
    VULNERABLE = 1 << 6
    COMPLAINT = 1 << 7
    OPEN_TICKET = 1 << 8
    OTHER_TEAM = 1 << 9
    CHANNEL_CAP = 1 << 10
    COOLDOWN = 1 << 11
    QUIET_DAY = 1 << 12
    ON_DISCOUNT = 1 << 13
    DISCOUNT_CAP = 1 << 14
    ACTION_CAP = 1 << 15
    GLOBAL_CONTROL = 1 << 16
    OWN_GAP = 1 << 17
    STOPPED = 1 << 18


REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.TRIGGER: "trigger not met",
        Reason.NOT_VALID_TODAY: "action not valid today",
        Reason.REGION: "not offered in the region",
        Reason.CONSENT: "no consent for the channel",
        Reason.PROFILING: "objected to profiling",
        Reason.MINOR: "minor",
        Reason.VULNERABLE: "vulnerable",
        Reason.COMPLAINT: "in a complaint procedure",
        Reason.OPEN_TICKET: "open ticket",
        Reason.OTHER_TEAM: "contacted by another team",
        Reason.CHANNEL_CAP: "channel used up",
        Reason.COOLDOWN: "had the action lately",
        Reason.QUIET_DAY: "quiet day in the region",
        Reason.ON_DISCOUNT: "already on a discount",
        Reason.DISCOUNT_CAP: "discounts of the year used up",
        Reason.ACTION_CAP: "action used up for the year",
        Reason.GLOBAL_CONTROL: "in the global control",
        Reason.OWN_GAP: "had another action lately",
        Reason.STOPPED: "action stopped by its outcomes",
    }
)
"""The words for each reason, in the order in which they are shown."""


def reasons_in(bits: int) -> tuple[str, ...]:
    """Put a bit field into words.

    Examples:
        >>> reasons_in(int(Reason.CONSENT | Reason.COOLDOWN))
        ('no consent for the channel', 'had the action lately')
        >>> reasons_in(0)
        ()
    """
    return tuple(words for reason, words in REASONS.items() if bits & reason)
