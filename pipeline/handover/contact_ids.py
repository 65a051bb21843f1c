"""One name per contact of a plan: other systems report on it, and the same contact never gets another."""

import hashlib
import re
from collections.abc import Iterable
from datetime import date

_CONTACT_ID = re.compile(r"kw(\d{8})-[0-9a-f]{16}")


def contact_id(customer_id: str, action: str, as_of: date) -> str:
    """Name the contact of a customer by an action of a night.

    Examples:
        >>> contact_id("ann", "thank_you_note", date(2026, 6, 2))
        'kw20260602-bd7208c8f7b885ca'
    """
    digest = hashlib.blake2b(f"{as_of} {action} {customer_id}".encode(), digest_size=8)
    return f"kw{as_of:%Y%m%d}-{digest.hexdigest()}"


def contact_ids(customer_ids: Iterable[str], actions: Iterable[str], as_of: date) -> list[str]:
    """Name the contact of each customer by the action beside it."""
    return [contact_id(*pair, as_of) for pair in zip(customer_ids, actions, strict=True)]


def night_of(name: str) -> date | None:
    """Return the night a contact belongs to, nothing for a text that names none.

    Examples:
        >>> night_of("kw20260602-bd7208c8f7b885ca"), night_of("M2026"), night_of("kw20269999-bd7208c8f7b885ca")
        (datetime.date(2026, 6, 2), None, None)
    """
    found = _CONTACT_ID.fullmatch(name)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
