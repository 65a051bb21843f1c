"""How much a customer was written to, by any team."""

from features.ratios import ratio
from features.settings import FeatureSettings
from features.view import AsOfView, Features


def contacts(contacts: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count past contacts and say when the last one was.

    Args:
        contacts: every team's messages as known at the snapshot; those withheld as controls never count.
        settings: look-back lengths.

    Returns:
        Per customer ``contacts_total``, ``contacts_{w}d`` and ``days_since_last_contact`` (missing without
        one).
    """
    sent = contacts.where_not("arm", "control") if contacts.has("arm") else contacts
    features: Features = {
        "contacts_total": sent.count(),
        "days_since_last_contact": sent.days_since_last(),
    }
    for window in settings.windows:
        features[f"contacts_{window}d"] = sent.count(window)
    return features


def redemptions(contacts: AsOfView, *, settings: FeatureSettings) -> Features:
    """Say how often a customer took up what a contact offered.

    Args:
        contacts: every team's messages as known at the snapshot; needs ``redeemed_at``.
        settings: not used; every builder takes them.

    Returns:
        Per customer ``contacts_redeemed_share``, redemptions before ``as_of`` over contacts; missing without
        a contact.
    """
    sent = contacts.where_not("arm", "control") if contacts.has("arm") else contacts
    return {"contacts_redeemed_share": ratio(sent.retimed("redeemed_at").count(), sent.count())}
