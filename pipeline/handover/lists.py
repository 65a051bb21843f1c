"""What each channel gets of a plan: one row per contact, or only hashes where an advertising platform reads it."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from actions.catalogue import Catalogue
from actions.rules.settings import Rules
from features.visibility import is_current, select_rows
from pipeline.handover.contact_ids import contact_ids
from pipeline.handover.hashes import hashed, normalised_email, normalised_phone
from pipeline.handover.settings import HandoverSettings
from tables.history import History
from tables.rows import Codes

AUDIENCE = "audience"
CONTACT_COLUMNS = (
    "contact_id",
    "customer_id",
    "action",
    "language",
    "wording",
    "valid_on",
    "send_from_hour",
    "send_until_hour",
    "offer",
    "incentive",
    "churn_risk",
)
AUDIENCE_COLUMNS = ("action", "email_sha256", "phone_sha256")
_RISK_DIGITS = 4


def contact_list(sent: pd.DataFrame, catalogue: Catalogue, rules: Rules, *, as_of: date) -> pd.DataFrame:
    """Write down what a channel must know of each contact.

    Args:
        sent: ``customer_id, action, churn_risk, language, region`` of each contact.
        catalogue: wordings and incentives.
        rules: hours in which something may be sent.
        as_of: the night; a contact is valid on this day only.

    Returns:
        The columns ``CONTACT_COLUMNS``, in the order of ``sent``: the wording in the customer's language where
        the action has one, in English elsewhere; hours of the business's clock, from and before; ``offer`` and
        ``incentive`` (currency units for each redemption) where the action gives something.
    """
    actions = [catalogue.actions[name] for name in sent["action"]]
    spoken = [_language(text) for text in sent["language"]]
    windows = [rules.send_window(region) for region in sent["region"]]
    gives = [action.incentive_cost > 0 for action in actions]
    content = {
        "contact_id": contact_ids(sent["customer_id"], sent["action"], as_of),
        "customer_id": sent["customer_id"],
        "action": sent["action"],
        "language": [
            language if language in action.wording else "en"
            for language, action in zip(spoken, actions, strict=True)
        ],
        "wording": [action.said_in(language) for language, action in zip(spoken, actions, strict=True)],
        "valid_on": as_of.isoformat(),
        "send_from_hour": [begin for begin, _ in windows],
        "send_until_hour": [end for _, end in windows],
        "offer": [action.kind if given else "" for action, given in zip(actions, gives, strict=True)],
        "incentive": [
            action.incentive_cost if given else np.nan for action, given in zip(actions, gives, strict=True)
        ],
        "churn_risk": sent["churn_risk"].round(_RISK_DIGITS),
    }
    return pd.DataFrame(content, columns=list(CONTACT_COLUMNS), index=sent.index)


def _language(text: str | None) -> str:
    """Return the language of a tag such as ``lt-LT``; English where none is told."""
    return text.replace("_", "-").split("-")[0].strip().lower() if isinstance(text, str) else "en"


def audience_list(sent: pd.DataFrame, fields: pd.DataFrame, settings: HandoverSettings) -> pd.DataFrame:
    """Hash the contact data of customers whom an advertising platform is to find.

    Args:
        sent: ``customer_id, action, region`` of each contact.
        fields: ``customer_id, email, phone`` as customers gave them, one row per customer.
        settings: how national telephone numbers are written.

    Returns:
        The columns ``AUDIENCE_COLUMNS``, sorted and without repetitions, so that their order tells nothing;
        customers without usable contact data are left out.
    """
    rows = sent.merge(fields, on="customer_id", how="left").fillna({"email": "", "phone": ""})
    plans = [settings.phones.get(region) for region in rows["region"]]
    phones = [normalised_phone(*pair) for pair in zip(rows["phone"], plans, strict=True)]
    hashes = rows.assign(
        email_sha256=[hashed(normalised_email(text)) for text in rows["email"]],
        phone_sha256=[hashed(text) for text in phones],
    )[list(AUDIENCE_COLUMNS)]
    found = hashes[(hashes["email_sha256"] != "") | (hashes["phone_sha256"] != "")]
    return found.drop_duplicates().sort_values(list(AUDIENCE_COLUMNS), ignore_index=True)


def contact_fields(history: History, customers: pd.Series) -> pd.DataFrame:
    """Read the addresses of some customers as they are known by now; no other module may.

    Returns:
        ``customer_id, email, phone``, one row per customer with contact data; empty texts where a field is
        missing.
    """
    there = history.contact_columns("customers") if history.has("customers") else ()
    names = [name for name in ("email", "phone") if name in there]
    nobody = pd.DataFrame(columns=["customer_id", "email", "phone"], dtype=str)
    if not names:
        return nobody
    parts = [_of_bucket(history, bucket, names, set(customers)) for bucket in range(history.buckets)]
    return pd.concat([nobody, *parts], ignore_index=True).fillna("")


def _of_bucket(history: History, bucket: int, names: Sequence[str], wanted: set[str]) -> pd.DataFrame:
    rows = history.read_contacts("customers", bucket, names)
    rows = select_rows(rows, is_current(rows))
    texts = {
        name: np.array([*column.labels, ""], dtype=object)[column.codes]
        for name, column in rows.columns.items()
        if isinstance(column, Codes)
    }
    found = pd.DataFrame({"customer_id": history.customer_ids(bucket)[rows.customer], **texts})
    return found[found["customer_id"].isin(wanted)].drop_duplicates("customer_id", keep="last")
