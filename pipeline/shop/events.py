"""What customers do between orders: they look in, meet trouble, read mail, meet others, speak well or ill."""

import numpy as np
import numpy.typing as npt

from pipeline.shop.baskets import DAY, SECOND, Orders
from pipeline.shop.behaviour import DayOfLife
from pipeline.shop.contacts import Contacts
from pipeline.shop.draws import Draws, Floats, Integers
from pipeline.shop.influences import Until, begun
from pipeline.shop.people import SHOP_CHANNELS, People

TYPES = (
    "session",
    "app_use",
    "email_open",
    "email_click",
    "page_error",
    "slow_page",
    "community",
    "review",
    "mention",
    "referral",
)
_FORCES = ("page_error", "slow_page", "community")
_VISITS_WHEN_GONE = 0.15
_VISITS_PER_WARMTH = 0.6
_ERRORS = 0.04
_SLOW_PAGES = 0.06
_CLICKS = 0.25
_MEETINGS_PER_DAY = 0.015
_REVIEWS = 0.06
_ANGRY_REVIEWS = 0.2
_MENTIONS_PER_DAY = 0.0015
_REFERRALS_PER_DAY = 0.0012
_MINUTE = 60 * SECOND

EVENTS = np.dtype([("customer", "i4"), ("type", "i1"), ("at", "i8"), ("value", "f8")])
"""One event; ``value`` is the stars of a review or the sentiment of a mention, else missing."""
Events = npt.NDArray[np.void]


def events_of(
    people: People, lived: DayOfLife, orders: Orders, mails: Contacts, *, day: int, draws: Draws
) -> Events:
    """Draw the events of one day.

    Args:
        people: everybody.
        lived: who is present, how warm and how satisfied.
        orders: the day's orders; one placed online belongs to a visit.
        mails: the day's newsletter.
        day: today.
        draws: the shop's luck.
    """
    visits = _visits(people, lived, orders, day, draws)
    parts = [visits, *_troubles(visits, people, day, draws), *_read(mails, people, day, draws)]
    parts += [_meetings(people, lived, day, draws), _reviews(lived, orders, day, draws)]
    return np.concatenate([*parts, *_words(people, lived, day, draws)])


def touched(until: Until, events: Events, day: int) -> Until:
    """Let the day's events work on those whom they befell."""
    for force in _FORCES:
        until = begun(until, force, events["customer"][events["type"] == TYPES.index(force)], day)
    return until


def moments(
    people: People, customer: Integers, day: int, draws: Draws, purpose: str
) -> npt.NDArray[np.int64]:
    """Draw when in the day something happens: between 06:00 and 23:30, often at the customer's usual hour."""
    hour = people["hour"][customer] + 3 * draws.normal(purpose, customer, day)
    return np.asarray(day * DAY + np.round(np.clip(hour, 6, 23.5) * 3600).astype(np.int64) * SECOND)


def _visits(people: People, lived: DayOfLife, orders: Orders, day: int, draws: Draws) -> Events:
    numbers = np.arange(len(people))
    keenness = np.exp(_VISITS_PER_WARMTH * lived.mood.warmth) * np.where(lived.present, 1, _VISITS_WHEN_GONE)
    looks_in = draws.uniform("visit", numbers, day) < -np.expm1(-people["visit_rate"] * keenness)
    is_online = people["shop_channel"][orders.customer] != SHOP_CHANNELS.index("store")
    first = is_online & (orders.order_no == 1)
    looks_in[orders.customer[first]] = True
    customer = np.flatnonzero(looks_in)
    at = np.zeros(len(people), np.int64)
    at[customer] = moments(people, customer, day, draws, "visit time")
    at[orders.customer[first]] = orders.at[first] - 10 * _MINUTE
    visits = _events("session", customer, at[customer])
    visits["type"] += people["shop_channel"][customer] == SHOP_CHANNELS.index("app")
    return visits


def _troubles(visits: Events, people: People, day: int, draws: Draws) -> tuple[Events, ...]:
    customer, trouble = visits["customer"], people["trouble"][visits["customer"]]
    failed = draws.uniform("page error", customer, day) < _ERRORS * trouble
    slow = draws.uniform("slow page", customer, day) < _SLOW_PAGES * trouble
    return (
        _events("page_error", customer[failed], visits["at"][failed] + 2 * _MINUTE),
        _events("slow_page", customer[slow], visits["at"][slow] + _MINUTE),
    )


def _read(mails: Contacts, people: People, day: int, draws: Draws) -> tuple[Events, ...]:
    customer = mails["customer"]
    opened = draws.uniform("open mail", customer, day) < people["reads_mail"][customer]
    wait = np.floor(draws.uniform("open later", customer, day) * 390).astype(np.int64) * _MINUTE
    clicked = opened & (draws.uniform("click", customer, day) < _CLICKS)
    return (
        _events("email_open", customer[opened], (mails["sent_at"] + wait)[opened]),
        _events("email_click", customer[clicked], (mails["sent_at"] + wait)[clicked] + _MINUTE),
    )


def _meetings(people: People, lived: DayOfLife, day: int, draws: Draws) -> Events:
    sociable = np.flatnonzero(lived.present & people["is_sociable"])
    comes = sociable[draws.uniform("community", sociable, day) < _MEETINGS_PER_DAY]
    return _events("community", comes, moments(people, comes, day, draws, "community time"))


def _reviews(lived: DayOfLife, orders: Orders, day: int, draws: Draws) -> Events:
    first = orders.order_no == 1
    customer, angry = orders.customer[first], orders.disappointed[first]
    speaks = draws.uniform("review", customer, day) < np.where(angry, _ANGRY_REVIEWS, _REVIEWS)
    pleased = lived.mood.satisfaction[customer] + 0.15 * draws.normal("stars", customer, day)
    return _events(
        "review", customer[speaks], orders.at[first][speaks] + 20 * _MINUTE, stars(pleased[speaks])
    )


def _words(people: People, lived: DayOfLife, day: int, draws: Draws) -> tuple[Events, ...]:
    present = np.flatnonzero(lived.present)
    mentions = present[draws.uniform("mention", present, day) < _MENTIONS_PER_DAY]
    tone = 2 * lived.mood.satisfaction[mentions] - 1 + 0.4 * draws.normal("tone", mentions, day)
    keen = _REFERRALS_PER_DAY * np.exp(lived.mood.warmth[present])
    refers = present[draws.uniform("referral", present, day) < keen]
    return (
        _events(
            "mention", mentions, moments(people, mentions, day, draws, "mention time"), np.clip(tone, -1, 1)
        ),
        _events("referral", refers, moments(people, refers, day, draws, "referral time")),
    )


def stars(pleased: Floats) -> Floats:
    """Return the stars, 1 to 5, that somebody gives who is pleased so much, 0 to 1.

    Examples:
        >>> stars(np.array([0.1, 0.5, 0.95])).tolist()
        [1.0, 3.0, 5.0]
    """
    return np.asarray(np.clip(np.round(0.6 + 4.6 * pleased), 1, 5))


def _events(kind: str, customer: Integers, at: Integers, value: Floats | float = np.nan) -> Events:
    events = np.zeros(len(customer), EVENTS)
    events["customer"], events["type"] = customer, TYPES.index(kind)
    events["at"], events["value"] = at, value
    return events
