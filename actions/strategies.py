"""The retention strategies an action can carry out, and where each comes from.

Z: twelve strategies of customer retention. M: measuring and improving retention. L: kinds of loyalty.
T: ten tips. S: summary of strategies. A number is the strategy's place in its list.
"""

from collections.abc import Mapping
from types import MappingProxyType

STRATEGIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "activation": ("M",),
        "belonging": ("S6",),
        "causes": ("Z10", "T9"),
        "community": ("Z2",),
        "complaints": ("T4",),
        "cross_sell": ("L6",),
        "discount_loyalty": ("L",),
        "ease_of_use": ("S7",),
        "email_tips": ("T7",),
        "exclusive_offer": ("S8",),
        "expectations": ("T1",),
        "fast_contact": ("Z5", "L4"),
        "feedback_loop": ("L3", "S5"),
        "foresee_trouble": ("Z4",),
        "honesty": ("T10",),
        "human_touch": ("Z3",),
        "interests": ("T8",),
        "keep_it_simple": ("L",),
        "knowledge": ("Z2",),
        "loyalty_programme": ("Z11", "L1", "T2", "S3"),
        "messaging": ("Z6",),
        "paid_membership": ("L",),
        "personalisation": ("Z8", "L5", "S2"),
        "points_programme": ("L",),
        "price_loyalty": ("L",),
        "questions": ("T3",),
        "reason_specific_return": ("Z8",),
        "referral_programme": ("Z12", "L", "M"),
        "reviews_into_advocates": ("M", "L7"),
        "royal_treatment": ("T2",),
        "service": ("L2", "S4"),
        "shared_values": ("L",),
        "social_media": ("T5", "T6"),
        "tiers": ("S3",),
        "voice_of_the_customer": ("Z1",),
    }
)
