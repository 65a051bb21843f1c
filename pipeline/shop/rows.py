"""The rows of a day or of a whole history as the shop's own systems would export them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.shop.baskets import DAY, PRODUCTS_PER_CATEGORY, Lines
from pipeline.shop.contacts import ARMS, NEWSLETTER, Contacts
from pipeline.shop.draws import Integers
from pipeline.shop.effects import ACTIONS, TRUE_EFFECTS
from pipeline.shop.people import CONTACT_CHANNELS, LANGUAGES, REGIONS, SHOP_CHANNELS, People
from pipeline.shop.state import ShopState

_SIGN_UP_HOUR = 5


@dataclass(frozen=True)
class DayRows:
    """What the files of one or more days hold; instants are local times without a zone.

    Attributes:
        orders: one row per version of an order's line; returned lines have negative amounts.
        contacts: one row per version of a contact, ours (team ``keepwell``) and another team's.
        customers: one row per customer who signed up.
        consents: one row per consent given at sign-up.
    """

    orders: pd.DataFrame
    contacts: pd.DataFrame
    customers: pd.DataFrame
    consents: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables by name."""
        return {
            "orders": self.orders,
            "contacts": self.contacts,
            "customers": self.customers,
            "consents": self.consents,
        }


def customer_ids(numbers: Integers) -> pd.Series:
    """Spell customers' numbers as the shop's ids.

    Examples:
        >>> customer_ids(np.array([42])).to_list()
        ['C0000042']
    """
    return _ids("C", numbers, width=7)


def tables_of(state: ShopState, lines: Lines, contacts: Contacts, *, first_customer: int) -> DayRows:
    """Spell out rows as tables.

    Args:
        state: the shop after the rows' last day.
        lines: lines that became known.
        contacts: log rows.
        first_customer: number of the first customer to list in ``customers`` and ``consents``.
    """
    numbers = np.arange(first_customer, len(state.people))
    new = state.people[first_customer:]
    return DayRows(
        orders=_orders(lines, state.people),
        contacts=_contacts(contacts),
        customers=_customers(numbers, new),
        consents=_consents(numbers, new),
    )


def _orders(lines: Lines, people: People) -> pd.DataFrame:
    lines = np.sort(lines, order=["known_at", "customer", "order_no", "line_no", "amount"])
    order = (lines["day"].astype(np.int64) * 10_000_000 + lines["customer"]) * 10 + lines["order_no"]
    product = lines["product"].astype(np.int64)
    return pd.DataFrame(
        {
            "customer_id": customer_ids(lines["customer"]),
            "order_id": _ids("O", order, width=13),
            "line_no": lines["line_no"].astype(np.int64),
            "ordered_at": _times(lines["at"]),
            "amount": lines["amount"] / 100,
            "quantity": lines["quantity"].astype(np.int64),
            "discount": lines["discount"] / 100,
            "product_id": _ids("P", product, width=3),
            "category": _ids("category ", product // PRODUCTS_PER_CATEGORY, width=2),
            "channel": np.array(SHOP_CHANNELS, object)[people["shop_channel"][lines["customer"]]],
            "region": np.array(REGIONS, object)[people["region"][lines["customer"]]],
            "cost": lines["cost"] / 100,
            "is_return": lines["is_return"],
            "known_at": _times(lines["known_at"]),
        }
    )


def _contacts(log: Contacts) -> pd.DataFrame:
    log = np.sort(log, order=["known_at", "customer", "action"])
    ours = log["action"] != NEWSLETTER
    channels = np.array([*(effect.channel for effect in TRUE_EFFECTS.values()), "email"], object)
    is_service = np.array([*(effect.kind == "service" for effect in TRUE_EFFECTS.values()), False])
    number = (log["sent_at"] // DAY * 10_000_000 + log["customer"]) * 100 + log["action"] + 1
    return pd.DataFrame(
        {
            "contact_id": _ids("M", number, width=14),
            "customer_id": customer_ids(log["customer"]),
            "sent_at": _times(log["sent_at"]),
            "team": np.where(ours, "keepwell", "newsletter").astype(object),
            "channel": channels[log["action"]],
            "purpose": np.where(is_service[log["action"]], "service", "marketing").astype(object),
            "action": np.array([*ACTIONS, "newsletter"], object)[log["action"]],
            "arm": pd.Series(np.where(ours, np.array(ARMS, object)[log["arm"]], None), dtype="str"),
            "redeemed_at": _times(log["redeemed_at"]).where(log["redeemed_at"] > 0),
            "cost": log["cost"] / 100,
            "status": np.where(log["is_delivered"], "delivered", "not_delivered").astype(object),
            "known_at": _times(log["known_at"]),
        }
    )


def _customers(numbers: Integers, people: People) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": customer_ids(numbers),
            "signed_up_at": _sign_up_times(people),
            "region": np.array(REGIONS, object)[people["region"]],
            "language": np.array(LANGUAGES, object)[people["language"]],
            "preferred_channel": np.array(CONTACT_CHANNELS, object)[people["preferred_channel"]],
            "household_id": _ids("H", people["household"], width=7),
            "is_vulnerable": people["is_vulnerable"],
            "is_minor": people["is_minor"],
            "in_complaint": people["in_complaint"],
        }
    )


def _consents(numbers: Integers, people: People) -> pd.DataFrame:
    customer, channel = np.nonzero(people["consents"])
    return pd.DataFrame(
        {
            "customer_id": customer_ids(numbers[customer]),
            "channel": np.array(CONTACT_CHANNELS, object)[channel],
            "purpose": np.full(len(customer), "marketing", object),
            "given_at": _sign_up_times(people[customer]),
        }
    )


def _sign_up_times(people: People) -> pd.Series:
    return _times(people["signed_up_on"].astype(np.int64) * DAY + _SIGN_UP_HOUR * DAY // 24)


def _times(instants: npt.NDArray[np.int64]) -> pd.Series:
    return pd.Series(instants.astype("datetime64[us]"))


def _ids(prefix: str, numbers: Integers, *, width: int) -> pd.Series:
    digits = pc.utf8_lpad(pa.array(numbers.astype(np.int64)).cast(pa.string()), width, "0")
    return pd.Series(pc.binary_join_element_wise(pa.scalar(prefix), digits, "").to_pandas())
