"""The shop's customers: traits that last, drawn once per customer from the customer's own luck."""

import numpy as np
import numpy.typing as npt

from pipeline.shop.draws import Draws, Floats, Integers
from pipeline.shop.settings import ShopSettings

REGIONS = ("britain", "china", "lithuania")
LANGUAGES = ("en", "zh", "lt")
CONTACT_CHANNELS = ("email", "sms", "push", "phone", "post")
CONSENT_CHANNELS = (*CONTACT_CHANNELS, "in_app", "audience")
SHOP_CHANNELS = ("web", "app", "store")
LOYALTIES = ("value", "price", "reward", "discount")
CATEGORIES = 24
FAVOURITES = 3

_REGION_SHARES = (0.4, 0.35, 0.25)
_LANGUAGE_SHARES = ((0.9, 0.06, 0.04), (0.08, 0.92, 0.0), (0.12, 0.0, 0.88))
_CONTACT_SHARES = (0.6, 0.15, 0.15, 0.05, 0.05)
_SHOP_SHARES = (0.5, 0.3, 0.2)
_LOYALTY_SHARES = (0.3, 0.25, 0.2, 0.25)
CONSENT_SHARES = (0.75, 0.4, 0.35, 0.3, 0.5, 0.6, 0.3)
_OLDEST_SIGN_UP_DAYS = 720
_VISIT_SHAPE = 3.0
_SOCIABLE = 0.2

PEOPLE = np.dtype(
    [
        ("signed_up_on", "i4"),
        ("order_rate", "f8"),
        ("regularity", "f8"),
        ("restlessness", "f8"),
        ("contentment", "f8"),
        ("loyalty", "i1"),
        ("discount_share", "f8"),
        ("favourites", "i1", (FAVOURITES,)),
        ("hour", "f8"),
        ("region", "i1"),
        ("language", "i1"),
        ("preferred_channel", "i1"),
        ("shop_channel", "i1"),
        ("household", "i4"),
        ("is_vulnerable", "?"),
        ("is_minor", "?"),
        ("in_complaint", "?"),
        ("has_newsletter", "?"),
        ("consents", "?", (len(CONSENT_CHANNELS),)),
        ("visit_rate", "f8"),
        ("trouble", "f8"),
        ("reads_mail", "f8"),
        ("is_sociable", "?"),
    ]
)
People = npt.NDArray[np.void]


def first_people(settings: ShopSettings, draws: Draws, first_day: int) -> People:
    """Draw the customers who signed up in the two years before the first day."""
    numbers = np.arange(settings.customers)
    ages = 1 + np.floor(draws.uniform("sign-up", numbers) * _OLDEST_SIGN_UP_DAYS)
    return _drawn(settings, draws, numbers, first_day - ages.astype(np.int32))


def newcomers(settings: ShopSettings, draws: Draws, known: int, day: int) -> People:
    """Draw the customers who sign up on one day; ``known`` customers came before them."""
    arrivals = draws.poisson("arrivals", day, settings.customers * settings.new_customers_per_year / 365)
    return _drawn(settings, draws, np.arange(known, known + arrivals), np.full(arrivals, day, np.int32))


def _drawn(settings: ShopSettings, draws: Draws, numbers: Integers, signed_up_on: Integers) -> People:
    people = np.empty(len(numbers), PEOPLE)
    people["signed_up_on"] = signed_up_on
    people["order_rate"] = draws.gamma(
        "order rate", numbers, shape=settings.order_rate_shape, mean=settings.orders_per_day
    )
    people["regularity"] = draws.uniform("regularity", numbers)
    people["restlessness"] = np.exp(0.8 * draws.normal("restlessness", numbers))
    people["contentment"] = 0.55 + 0.4 * draws.uniform("contentment", numbers)
    people["loyalty"] = _choice(draws.uniform("loyalty", numbers), _LOYALTY_SHARES)
    habit = np.array([0.05, 0.3, 0.15, 0.6])[people["loyalty"]]
    people["discount_share"] = habit * (0.5 + draws.uniform("discounts", numbers))
    for place in range(FAVOURITES):
        chosen = draws.uniform("favourite", numbers, number=place)
        people["favourites"][:, place] = np.floor(chosen**1.5 * CATEGORIES)
    people["hour"] = 14 + 3 * draws.normal("hour", numbers)
    people["visit_rate"] = draws.gamma("visits", numbers, shape=_VISIT_SHAPE, mean=settings.visits_per_day)
    people["trouble"] = np.exp(0.6 * draws.normal("trouble", numbers) - 0.18)
    people["reads_mail"] = draws.uniform("reads mail", numbers) ** 2
    people["is_sociable"] = draws.uniform("sociable", numbers) < _SOCIABLE
    _draw_attributes(people, draws, numbers)
    return people


def _draw_attributes(people: People, draws: Draws, numbers: Integers) -> None:
    people["region"] = _choice(draws.uniform("region", numbers), _REGION_SHARES)
    spoken = np.cumsum(_LANGUAGE_SHARES, axis=1)[people["region"]]
    people["language"] = (draws.uniform("language", numbers)[:, None] >= spoken[:, :-1]).sum(axis=1)
    people["preferred_channel"] = _choice(draws.uniform("contact channel", numbers), _CONTACT_SHARES)
    people["shop_channel"] = _choice(draws.uniform("shop channel", numbers), _SHOP_SHARES)
    shares_home = draws.uniform("household", numbers // 2) < 0.2
    people["household"] = np.where(shares_home, numbers - numbers % 2, numbers)
    for flag, share in (
        ("is_vulnerable", 0.01),
        ("is_minor", 0.005),
        ("in_complaint", 0.01),
        ("has_newsletter", 0.6),
    ):
        people[flag] = draws.uniform(flag, numbers) < share
    for place, share in enumerate(CONSENT_SHARES):
        people["consents"][:, place] = draws.uniform("consent", numbers, number=place) < share


def _choice(uniform: Floats, shares: tuple[float, ...]) -> Integers:
    return np.searchsorted(np.cumsum(shares)[:-1], uniform, side="right")
