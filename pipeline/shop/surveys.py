"""What customers say when asked: would they recommend the shop, are they pleased, are they loyal."""

import numpy as np
import numpy.typing as npt

from pipeline.shop.behaviour import DayOfLife
from pipeline.shop.draws import Draws
from pipeline.shop.events import moments, stars
from pipeline.shop.people import People

KINDS = ("nps", "csat", "cli")
_TURNS = np.array([0, 1, 0, 2])
_EVERY_DAYS = 30
_ANSWERED = 0.35

SURVEYS = np.dtype([("customer", "i4"), ("kind", "i1"), ("at", "i8"), ("score", "f8")])
"""One answer: 0 to 10 for nps, 1 to 5 for csat, mean of three answers 1 to 6 for cli."""
Surveys = npt.NDArray[np.void]


def answers(people: People, lived: DayOfLife, *, day: int, draws: Draws) -> Surveys:
    """Draw the day's answers: each customer is asked every month, in turn for nps, csat, nps, cli."""
    numbers = np.arange(len(people))
    asked = numbers[lived.present & ((numbers + day) % _EVERY_DAYS == 0)]
    customer = asked[draws.uniform("answer", asked, day) < _ANSWERED]
    given = np.zeros(len(customer), SURVEYS)
    given["customer"] = customer
    given["kind"] = _TURNS[(customer + day) // _EVERY_DAYS % len(_TURNS)]
    given["at"] = moments(people, customer, day, draws, "answer time")
    pleased = lived.mood.satisfaction[customer] + 0.13 * lived.mood.warmth[customer]
    pleased = pleased + 0.08 * draws.normal("mood of answer", customer, day)
    scales = (
        np.clip(np.round(1 + 10 * pleased), 0, 10),
        stars(pleased),
        np.clip(np.round(3 * (1 + 5 * pleased)) / 3, 1, 6),
    )
    given["score"] = np.select([given["kind"] == kind for kind in range(len(KINDS))], scales)
    return given
