"""The tables besides orders, contacts and customers as the shop's own systems would export them."""

import numpy as np
import pandas as pd

from pipeline.shop.baskets import DAY
from pipeline.shop.events import TYPES, Events
from pipeline.shop.loyalty import TIERS, Balances
from pipeline.shop.offers import OFFER_KINDS, Offers, worth
from pipeline.shop.people import REGIONS
from pipeline.shop.promotions import Calendar
from pipeline.shop.spelling import customer_ids, daily_ids, sorted_by, times, words
from pipeline.shop.subscriptions import PLANS, Subscriptions
from pipeline.shop.surveys import KINDS, Surveys
from pipeline.shop.tickets import REASONS, TICKET_CHANNELS, Tickets

_CHANNELS = ("web", "app", "email", "email", "web", "web", "community", "web", "social", "web")


def events_table(events: Events) -> pd.DataFrame:
    """Spell out events, sorted by time."""
    events = sorted_by(events, "at", "customer", "type")
    return pd.DataFrame(
        {
            "event_id": daily_ids("E", events["customer"], events["at"], events["type"]),
            "customer_id": customer_ids(events["customer"]),
            "type": words(TYPES, events["type"]),
            "channel": words(_CHANNELS, events["type"]),
            "occurred_at": times(events["at"]),
            "value": events["value"].round(2),
        }
    )


def tickets_table(tickets: Tickets) -> pd.DataFrame:
    """Spell out versions of tickets, sorted by when they became known."""
    tickets = sorted_by(tickets, "known_at", "customer", "opened_at")
    instants = ("opened_at", "first_reply_at", "solved_at", "reopened_at", "rated_at")
    return pd.DataFrame(
        {
            "ticket_id": daily_ids("T", tickets["customer"], tickets["opened_at"]),
            "customer_id": customer_ids(tickets["customer"]),
            "channel": words(TICKET_CHANNELS, tickets["channel"]),
            "reason": words(REASONS, tickets["reason"]),
            **{name: times(tickets[name]) for name in instants},
            "csat": tickets["csat"],
            "known_at": times(tickets["known_at"]),
        }
    )


def surveys_table(surveys: Surveys) -> pd.DataFrame:
    """Spell out answers, sorted by time."""
    surveys = sorted_by(surveys, "at", "customer")
    return pd.DataFrame(
        {
            "survey_id": daily_ids("S", surveys["customer"], surveys["at"]),
            "customer_id": customer_ids(surveys["customer"]),
            "kind": words(KINDS, surveys["kind"]),
            "answered_at": times(surveys["at"]),
            "score": surveys["score"].round(2),
        }
    )


def offers_table(offers: Offers) -> pd.DataFrame:
    """Spell out versions of offers, sorted by when they became known."""
    offers = sorted_by(offers, "known_at", "customer", "starts_at")
    reward, difficulty = worth(offers["kind"])
    return pd.DataFrame(
        {
            "offer_id": daily_ids("F", offers["customer"], offers["starts_at"]),
            "customer_id": customer_ids(offers["customer"]),
            "kind": words(OFFER_KINDS, offers["kind"]),
            "starts_at": times(offers["starts_at"]),
            "ends_at": times(offers["ends_at"]),
            "viewed_at": times(offers["viewed_at"]),
            "completed_at": times(offers["completed_at"]),
            "reward": reward / 100,
            "difficulty": difficulty / 100,
            "known_at": times(offers["known_at"]),
        }
    )


def loyalty_table(balances: Balances) -> pd.DataFrame:
    """Spell out points balances, sorted by time."""
    balances = sorted_by(balances, "at", "customer")
    return pd.DataFrame(
        {
            "customer_id": customer_ids(balances["customer"]),
            "valid_from": times(balances["at"]),
            "tier": words(TIERS, balances["tier"]),
            "points": balances["points"].astype(np.int64),
            "expires_at": times(balances["expires_on"].astype(np.int64) * DAY),
        }
    )


def subscriptions_table(rows: Subscriptions) -> pd.DataFrame:
    """Spell out versions of subscriptions, sorted by when they became known."""
    rows = sorted_by(rows, "known_at", "customer", "started_at")
    return pd.DataFrame(
        {
            "subscription_id": daily_ids("D", rows["customer"], rows["started_at"]),
            "customer_id": customer_ids(rows["customer"]),
            "plan": words(PLANS, rows["plan"]),
            "started_at": times(rows["started_at"]),
            "ended_at": times(rows["ended_at"]),
            "renews_at": times(rows["renews_at"]),
            "mrr": rows["mrr"] / 100,
            "known_at": times(rows["known_at"]),
        }
    )


def calendar_table(calendar: Calendar) -> pd.DataFrame:
    """Spell out the days of the regions' calendars, in the order of their announcement."""
    return pd.DataFrame(
        {
            "date": times(calendar["on"].astype(np.int64) * DAY),
            "region": words(REGIONS, calendar["region"]),
            "kind": np.where(calendar["is_promotion"], "promotion", "holiday").astype(object),
            "known_at": times(calendar["known_on"].astype(np.int64) * DAY),
        }
    )
