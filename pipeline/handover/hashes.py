"""Contact data as advertising platforms match it: normalised, then hashed, so that no address leaves."""

import hashlib
import re

from pipeline.handover.settings import PhonePlan

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")
_SEPARATORS = re.compile(r"\(0\)|[^0-9+A-Za-z]")


def normalised_email(text: str) -> str:
    """Trim an address and write it in small letters; empty where it is none.

    Examples:
        >>> normalised_email("  Ann@Shop.LT "), normalised_email("ann at shop")
        ('ann@shop.lt', '')
    """
    address = text.strip().lower()
    return address if _EMAIL.fullmatch(address) else ""


def normalised_phone(text: str, plan: PhonePlan | None = None) -> str:
    """Write a telephone number as E.164: ``+``, country code, number; empty where that cannot be told.

    Args:
        text: the number as somebody typed it.
        plan: how numbers of the customer's region are written; without it only numbers that begin with ``+``
            or ``00`` can be told.

    Examples:
        >>> normalised_phone("+370 (612) 34-567"), normalised_phone("0037061234567")
        ('+37061234567', '+37061234567')
        >>> normalised_phone("0612 34567", PhonePlan(code="370")), normalised_phone("0612 34567")
        ('+37061234567', '')

    Source: ITU-T recommendation E.164.
    """
    digits = _SEPARATORS.sub("", text)
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    elif plan and not digits.startswith("+"):
        digits = f"+{plan.code}{digits.removeprefix(plan.trunk)}"
    return digits if _E164.fullmatch(digits) else ""


def hashed(text: str) -> str:
    """Return the SHA-256 of a normalised text in hexadecimal, and nothing for nothing.

    Examples:
        >>> hashed("")
        ''
        >>> hashed("ann@shop.lt")[:16]
        '8dfe7a93d7e10120'
    """
    return hashlib.sha256(text.encode()).hexdigest() if text else ""
