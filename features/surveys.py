"""What customers answered when asked: whether they would recommend, how content they are, how loyal."""

from features.settings import FeatureSettings
from features.view import AsOfView, Features

# Ratings of tickets are called csat too, hence the longer name.
_KINDS = {"nps": "nps", "csat": "csat_survey", "cli": "cli"}


def surveys(answers: AsOfView, *, settings: FeatureSettings) -> Features:
    """Tell the last answer of each kind of survey, its age and its change.

    Args:
        answers: answers as known at the snapshot; needs ``kind`` (nps, csat, cli) and ``score``.
        settings: not used; every builder takes them.

    Returns:
        Per customer ``surveys_total`` and ``days_since_last_survey`` over all kinds, and for each of ``nps``,
        ``csat_survey`` and ``cli`` the ``_last`` score in the survey's own unit, ``_last_age_days``, and
        ``_change``, the last score less the one before; missing with fewer answers than that.
    """
    features: Features = {
        "surveys_total": answers.count(),
        "days_since_last_survey": answers.days_since_last(),
    }
    for kind, name in _KINDS.items():
        of_kind = answers.where("kind", kind)
        last = of_kind.last("score")
        features[f"{name}_last"] = last
        features[f"{name}_last_age_days"] = of_kind.days_since_last()
        features[f"{name}_change"] = last - of_kind.last("score", 2)
    return features
