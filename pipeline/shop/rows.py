"""The rows of a day or of a whole history as the shop's own systems would export them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.shop.baskets import DAY, PRODUCTS_PER_CATEGORY, Lines
from pipeline.shop.contacts import ARMS, NEWSLETTER, Contacts
from pipeline.shop.draws import Integers
from pipeline.shop.effects import ACTIONS, TRUE_EFFECTS
from pipeline.shop.engagement_rows import (
    calendar_table,
    events_table,
    loyalty_table,
    offers_table,
    subscriptions_table,
    surveys_table,
    tickets_table,
)
from pipeline.shop.people import CONSENT_CHANNELS, CONTACT_CHANNELS, LANGUAGES, REGIONS, SHOP_CHANNELS, People
from pipeline.shop.promotions import announced
from pipeline.shop.settings import day_number
from pipeline.shop.spelling import customer_ids, ids, sorted_by, times, words
from pipeline.shop.state import ShopState
from pipeline.shop.ties import Happened

_SIGN_UP_HOUR = 5


@dataclass(frozen=True)
class DayRows:
    """What the files of one or more days hold; instants are local times without a zone.

    Attributes:
        orders: one row per version of an order's line; returned lines have negative amounts.
        contacts: one row per version of a contact, ours (team ``keepwell``) and another team's.
        customers: one row per customer who signed up.
        consents: one row per consent given at sign-up.
        events: one row per event.
        tickets: one row per version of a ticket.
        surveys: one row per answer.
        offers: one row per version of the marketing team's offer.
        loyalty: one row per new points balance.
        subscriptions: one row per version of a subscription to the delivery plan.
        calendar: one row per holiday and first day of a promotion, in the file of its announcement.
    """

    orders: pd.DataFrame
    contacts: pd.DataFrame
    customers: pd.DataFrame
    consents: pd.DataFrame
    events: pd.DataFrame
    tickets: pd.DataFrame
    surveys: pd.DataFrame
    offers: pd.DataFrame
    loyalty: pd.DataFrame
    subscriptions: pd.DataFrame
    calendar: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables by name."""
        return dict(vars(self))


def tables_of(
    state: ShopState,
    lines: Lines,
    contacts: Contacts,
    happened: Happened,
    *,
    first_customer: int,
    first_day: int,
) -> DayRows:
    """Spell out rows as tables.

    Args:
        state: the shop after the rows' last day.
        lines: lines that became known.
        contacts: log rows.
        happened: rows of the other tables.
        first_customer: number of the first customer to list in ``customers`` and ``consents``.
        first_day: first day whose announcements the calendar lists.
    """
    numbers = np.arange(first_customer, len(state.people))
    new = state.people[first_customer:]
    return DayRows(
        orders=_orders(lines, state.people),
        contacts=_contacts(contacts),
        customers=_customers(numbers, new),
        consents=_consents(numbers, new),
        events=events_table(happened.events),
        tickets=tickets_table(happened.tickets),
        surveys=surveys_table(happened.surveys),
        offers=offers_table(happened.offers),
        loyalty=loyalty_table(happened.loyalty),
        subscriptions=subscriptions_table(happened.subscriptions),
        calendar=calendar_table(announced(state.draws, first_day, day_number(state.day))),
    )


def _orders(lines: Lines, people: People) -> pd.DataFrame:
    lines = sorted_by(lines, "known_at", "customer", "order_no", "line_no", "amount")
    order = (lines["day"].astype(np.int64) * 10_000_000 + lines["customer"]) * 10 + lines["order_no"]
    product = lines["product"].astype(np.int64)
    return pd.DataFrame(
        {
            "customer_id": customer_ids(lines["customer"]),
            "order_id": ids("O", order, width=13),
            "line_no": lines["line_no"].astype(np.int64),
            "ordered_at": times(lines["at"]),
            "amount": lines["amount"] / 100,
            "quantity": lines["quantity"].astype(np.int64),
            "discount": lines["discount"] / 100,
            "shipping": lines["shipping"] / 100,
            "product_id": ids("P", product, width=3),
            "category": ids("category ", product // PRODUCTS_PER_CATEGORY, width=2),
            "channel": words(SHOP_CHANNELS, people["shop_channel"][lines["customer"]]),
            "region": words(REGIONS, people["region"][lines["customer"]]),
            "cost": lines["cost"] / 100,
            "is_return": lines["is_return"],
            "known_at": times(lines["known_at"]),
        }
    )


def _contacts(log: Contacts) -> pd.DataFrame:
    log = sorted_by(log, "known_at", "customer", "action")
    ours = log["action"] != NEWSLETTER
    channels = np.array([*(effect.channel for effect in TRUE_EFFECTS.values()), "email"], object)
    is_service = np.array([*(effect.kind == "service" for effect in TRUE_EFFECTS.values()), False])
    number = (log["sent_at"] // DAY * 10_000_000 + log["customer"]) * 100 + log["action"] + 1
    return pd.DataFrame(
        {
            "contact_id": ids("M", number, width=14),
            "customer_id": customer_ids(log["customer"]),
            "sent_at": times(log["sent_at"]),
            "team": np.where(ours, "keepwell", "newsletter").astype(object),
            "channel": channels[log["action"]],
            "purpose": np.where(is_service[log["action"]], "service", "marketing").astype(object),
            "action": np.array([*ACTIONS, "newsletter"], object)[log["action"]],
            "arm": pd.Series(np.where(ours, np.array(ARMS, object)[log["arm"]], None), dtype="str"),
            "redeemed_at": times(log["redeemed_at"]),
            "cost": log["cost"] / 100,
            "status": np.where(log["is_delivered"], "delivered", "not_delivered").astype(object),
            "known_at": times(log["known_at"]),
        }
    )


def _customers(numbers: Integers, people: People) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": customer_ids(numbers),
            "signed_up_at": _sign_up_times(people),
            "region": words(REGIONS, people["region"]),
            "language": words(LANGUAGES, people["language"]),
            "email": customer_ids(numbers).str.lower() + "@example.org",
            "preferred_channel": words(CONTACT_CHANNELS, people["preferred_channel"]),
            "household_id": ids("H", people["household"], width=7),
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
            "channel": words(CONSENT_CHANNELS, channel),
            "purpose": np.full(len(customer), "marketing", object),
            "given_at": _sign_up_times(people[customer]),
        }
    )


def _sign_up_times(people: People) -> pd.Series:
    return times(people["signed_up_on"].astype(np.int64) * DAY + _SIGN_UP_HOUR * DAY // 24)
