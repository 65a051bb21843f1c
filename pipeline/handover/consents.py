"""Who still agrees on the day of the hand-over: a consent withdrawn after the night was planned counts."""

import numpy as np
import pandas as pd

from actions.catalogue import Catalogue
from actions.expressions import Truths
from actions.rules.settings import Rules
from actions.rules.standing import Night, channel_codes, marketing_consents, profiling_objections


def still_allowed(
    sent: pd.DataFrame,
    night: Night,
    consents: pd.DataFrame | None,
    *,
    catalogue: Catalogue,
    rules: Rules,
) -> Truths:
    """Tell which planned contacts may still be made.

    Args:
        sent: ``customer_id, action, channel`` of each contact.
        night: their customers, as known by now.
        consents: consents, as known by now; nothing where there is no such table.
        catalogue: tells which actions are marketing.
        rules: what the absence of consents means.

    Returns:
        One truth per row of ``sent``: nobody who objects to profiling is contacted, and nobody gets marketing
        over a channel without consent for it.
    """
    customer = night.positions(sent["customer_id"])
    objects = night.flag("objects_to_profiling")
    if consents is None:
        agreed = np.full(len(sent), rules.consent == "assumed")
    else:
        objects = objects | profiling_objections(consents, night)
        agreed = marketing_consents(consents, night)[customer, channel_codes(sent["channel"])]
    purposes = {action.id: action.purpose for action in catalogue.actions.values()}
    is_service = (sent["action"].map(purposes) == "service").to_numpy(dtype=bool)
    return np.asarray((is_service | agreed) & ~objects[customer])
