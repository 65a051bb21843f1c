"""What outside sources say of customers, as valid at the snapshot; and how long they have been signed up."""

import numpy as np

from features.ratios import set_missing
from features.settings import FeatureSettings, slug
from features.view import AsOfView, Features


def number_attributes(attributes: AsOfView, *, settings: FeatureSettings) -> Features:
    """Tell the last valid value of each declared number, ``{name}``; dates are days since 1970-01-01.

    Args:
        attributes: values as known at the snapshot; needs ``name`` and ``number``.
        settings: the declared attributes.
    """
    return {
        slug(attribute.name): attributes.where("name", attribute.name).last("number")
        for attribute in settings.attributes
        if not attribute.values
    }


def text_attributes(attributes: AsOfView, *, settings: FeatureSettings) -> Features:
    """Tell which of its declared texts each attribute holds.

    Args:
        attributes: values as known at the snapshot; needs ``name`` and ``text``.
        settings: the declared attributes and their texts.

    Returns:
        Per customer, attribute and text ``{name}_is_{text}``: 1 where that is the last valid value, 0 where
        it is another; missing where there is none.
    """
    features: Features = {}
    for attribute in settings.attributes:
        of_name = attributes.where("name", attribute.name)
        for text in attribute.values:
            holds = of_name.last_is("text", text).astype(np.float64)
            set_missing(holds, ~of_name.last_given("text"))
            features[f"{slug(attribute.name)}_is_{slug(text)}"] = holds
    return features


def sign_up(customers: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say how long a customer has been signed up, ``days_since_sign_up``.

    Args:
        customers: customers as known at the snapshot, timed by ``signed_up_at``; the instant 0, 1970-01-01,
            stands for an unknown one.
        settings: not used; every builder takes them.

    Returns:
        Elapsed seconds / 86,400 per customer; missing where the sign-up is unknown or yet to come.
    """
    is_known = customers.last("signed_up_at") != 0
    return {"days_since_sign_up": np.where(is_known, customers.days_since_last(), np.nan)}
