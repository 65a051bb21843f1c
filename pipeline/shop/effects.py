"""What each action truly does, as nobody in a real shop knows it.

An action works on the hazard of leaving and on the order rate of those who stay for a limited time. On the
day of the contact it may bring back someone who has left, or wake someone who has grown cold: reminded of the
shop, they leave it. How strongly depends on what binds the customer to the shop. Repeating an action while it
still works adds nothing, and all running actions together work no more than the caps allow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.shop.draws import Draws, Floats, Integers
from pipeline.shop.people import LOYALTIES, People

LOWEST_LEAVING = 0.4
HIGHEST_ORDERING = 1.8
HIGHEST_RETURNING = 0.35


@dataclass(frozen=True)
class TrueEffect:
    """The true worth and price of one action.

    Attributes:
        kind: service, content, reward, discount or values.
        channel: how it reaches the customer.
        leaving: factor on the daily hazard of leaving, 1 for none.
        ordering: factor on the order rate, 1 for none.
        returning: chance that a customer who has left comes back at once.
        waking: chance that a customer who has grown cold leaves at once, as a contact may make them (Ascarza,
            Iyengar and Schleicher, The Perils of Proactive Churn Prevention Using Plan Recommendations, Journal
            of Marketing Research 53, 2016).
        days: how long leaving and ordering are moved.
        contact_cost: money per contact sent.
        discount: share taken off the order that redeems it.
        reward: money given at redemption.
        redeemed: chance that an order within ``days`` redeems it.
    """

    kind: str
    channel: str
    leaving: float
    ordering: float
    returning: float
    days: int
    contact_cost: float
    discount: float = 0.0
    reward: float = 0.0
    redeemed: float = 0.0
    waking: float = 0.0


TRUE_EFFECTS: Mapping[str, TrueEffect] = MappingProxyType(
    {
        "ambassador_invite": TrueEffect("content", "email", 1.0, 1.0, 0.0, 30, 0.05),
        "bundle_offer": TrueEffect(
            "discount", "email", 0.8, 1.3, 0.08, 21, 0.05, discount=0.15, redeemed=0.6
        ),
        "charity_match": TrueEffect("values", "email", 1.0, 1.0, 0.0, 30, 0.05, reward=2.0, redeemed=0.3),
        "community_invite": TrueEffect("content", "email", 0.85, 1.0, 0.01, 60, 0.05, waking=0.4),
        "delivery_promise_note": TrueEffect("service", "email", 0.75, 1.05, 0.02, 30, 0.05),
        "detractor_follow_up": TrueEffect("service", "email", 0.6, 1.0, 0.05, 45, 0.5),
        "early_access": TrueEffect("reward", "email", 0.8, 1.2, 0.05, 30, 0.05),
        "loyalty_enrolment": TrueEffect("reward", "email", 0.75, 1.1, 0.03, 90, 0.05),
        "membership_trial": TrueEffect(
            "reward", "email", 0.7, 1.25, 0.04, 30, 0.05, reward=4.0, redeemed=0.4
        ),
        "onboarding_tutorial": TrueEffect("content", "in_app", 0.8, 1.1, 0.02, 45, 0.02),
        "personal_offer": TrueEffect(
            "discount", "email", 0.65, 1.4, 0.14, 30, 0.05, discount=0.2, redeemed=0.7
        ),
        "personal_recommendation": TrueEffect("content", "email", 0.9, 1.2, 0.04, 21, 0.05),
        "points_bonus": TrueEffect("reward", "email", 0.8, 1.2, 0.06, 30, 0.05, reward=3.0, redeemed=0.6),
        "points_expiry_reminder": TrueEffect("reward", "email", 0.95, 1.15, 0.03, 14, 0.05),
        "price_review": TrueEffect("discount", "phone", 0.7, 1.0, 0.05, 60, 4.0, discount=0.1, redeemed=0.8),
        "proactive_support": TrueEffect("service", "phone", 0.7, 1.0, 0.03, 45, 4.0),
        "referral_reward": TrueEffect("reward", "email", 0.95, 1.05, 0.0, 30, 0.05, reward=5.0, redeemed=0.1),
        "replenishment_reminder": TrueEffect("content", "email", 0.95, 1.3, 0.05, 14, 0.05),
        "self_service_guide": TrueEffect("content", "email", 1.0, 1.0, 0.0, 30, 0.05),
        "service_recovery_call": TrueEffect("service", "phone", 0.5, 1.05, 0.12, 60, 4.0),
        "social_audience": TrueEffect("content", "ads", 1.0, 1.0, 0.01, 14, 0.3),
        "surprise_gift": TrueEffect("reward", "post", 0.55, 1.15, 0.1, 60, 12.0),
        "survey_invite": TrueEffect("content", "email", 1.35, 0.9, 0.0, 30, 0.05),
        "thank_you_note": TrueEffect("service", "email", 0.9, 1.0, 0.0, 30, 0.05),
        "ticket_progress_note": TrueEffect("service", "email", 0.85, 1.0, 0.01, 14, 0.05),
        "tier_upgrade": TrueEffect("reward", "email", 0.7, 1.15, 0.05, 60, 0.05),
        "win_back_message": TrueEffect("content", "email", 1.0, 1.1, 0.08, 14, 0.05),
    }
)
ACTIONS = tuple(TRUE_EFFECTS)

_STRENGTHS = {
    "service": (1.0, 1.0, 1.0, 1.0),
    "content": (1.2, 0.8, 1.0, 0.8),
    "reward": (1.0, 0.6, 1.6, 0.8),
    "discount": (0.2, 1.3, 0.8, 1.6),
    "values": (1.0, 1.0, 1.0, 1.0),
}

_STRENGTH = np.array([_STRENGTHS[effect.kind] for effect in TRUE_EFFECTS.values()])

EFFECTS = np.dtype(
    [
        ("customer", "i4"),
        ("action", "i2"),
        ("arm", "i1"),
        ("sent_at", "i8"),
        ("ends_on", "i4"),
        ("is_open", "?"),
    ]
)
Effects = npt.NDArray[np.void]


@dataclass(frozen=True)
class Influence:
    """What all running actions do together today, one value per customer.

    Attributes:
        leaving: factor on the hazard of leaving.
        ordering: factor on the order rate.
        returning: chance that a customer who has left comes back because of today's contact.
        waking: chance that a customer who has grown cold leaves because of it.
    """

    leaving: Floats
    ordering: Floats
    returning: Floats
    waking: Floats


def started(running: Effects, sent: Effects) -> tuple[Effects, Effects]:
    """Add today's delivered actions to those that run.

    Returns:
        The running actions with the new ones, and the new ones. An action that is running already for the
        customer is not started again.
    """
    width = len(ACTIONS)
    key = sent["customer"].astype(np.int64) * width + sent["action"]
    fresh = ~np.isin(key, running["customer"].astype(np.int64) * width + running["action"])
    new = sent[fresh]
    return np.concatenate([running, new]), new


def influence(running: Effects, new: Effects, people: People) -> Influence:
    """Sum up the running actions of each customer within the caps; ``new`` are those that began today."""
    strength = _strength_of(running, people)
    factors = np.log([[TRUE_EFFECTS[a].leaving, TRUE_EFFECTS[a].ordering] for a in ACTIONS])
    moved = factors[running["action"]] * strength[:, None]
    leaving = np.bincount(running["customer"], weights=moved[:, 0], minlength=len(people))
    ordering = np.bincount(running["customer"], weights=moved[:, 1], minlength=len(people))
    return Influence(
        leaving=np.maximum(np.exp(leaving), LOWEST_LEAVING),
        ordering=np.minimum(np.exp(ordering), HIGHEST_ORDERING),
        returning=np.minimum(_at_once("returning", new, people), HIGHEST_RETURNING),
        waking=np.minimum(_at_once("waking", new, people), 1.0),
    )


def delivered(customer: Integers, day: int, draws: Draws, undelivered: float) -> npt.NDArray[np.bool_]:
    """Tell which of the contacts sent today arrive."""
    return np.asarray(draws.uniform("delivery", customer, day) >= undelivered)


def true_effects() -> pd.DataFrame:
    """Tabulate the true effect of every action on every kind of loyalty.

    Returns:
        One row per action and loyalty with the factors on leaving and ordering, the chances of returning and
        of waking, the days the factors last and the costs.
    """
    rows = [
        {
            "action": action,
            "loyalty": loyalty,
            "leaving": effect.leaving**strength,
            "ordering": effect.ordering**strength,
            "returning": min(effect.returning * strength, HIGHEST_RETURNING),
            "waking": min(effect.waking * strength, 1.0),
            "days": effect.days,
            "contact_cost": effect.contact_cost,
        }
        for action, effect in TRUE_EFFECTS.items()
        for loyalty, strength in zip(LOYALTIES, _STRENGTHS[effect.kind], strict=True)
    ]
    return pd.DataFrame(rows)


def _at_once(what: str, new: Effects, people: People) -> Floats:
    """Sum up what today's contacts do to each customer on the spot."""
    chances = np.array([getattr(TRUE_EFFECTS[action], what) for action in ACTIONS])
    chance = chances[new["action"]] * _strength_of(new, people)
    return np.bincount(new["customer"], weights=chance, minlength=len(people)).astype(np.float64)


def _strength_of(effects: Effects, people: People) -> Floats:
    return np.asarray(_STRENGTH[effects["action"], people["loyalty"][effects["customer"]]])
