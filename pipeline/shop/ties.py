"""What ties customers to the shop or drives them away, and how one day changes it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from pipeline.shop.baskets import Orders
from pipeline.shop.behaviour import DayOfLife
from pipeline.shop.contacts import Contacts
from pipeline.shop.draws import Draws, Floats
from pipeline.shop.effects import Influence
from pipeline.shop.events import Events, events_of, touched
from pipeline.shop.influences import Until, moved, untouched
from pipeline.shop.loyalty import ACCOUNTS, Accounts, Balances, bound, earned, expired
from pipeline.shop.offers import OFFER_INSTANTS, OFFERS, Offers, completed, made, spent, tempting
from pipeline.shop.people import People
from pipeline.shop.promotions import day_of_calendar
from pipeline.shop.settings import ShopSettings
from pipeline.shop.subscriptions import SUBSCRIPTIONS, Subscriptions, relieved, renewed, subscribed
from pipeline.shop.surveys import Surveys, answers
from pipeline.shop.tickets import INSTANTS, TICKETS, Tickets, opened, shown, vexed
from pipeline.shop.timelines import unfinished, versions


@dataclass(frozen=True)
class Ties:
    """What the shop carries about its customers besides their traits and moods.

    Attributes:
        until: day before which each force works on each customer.
        tickets: tickets to which something will still happen.
        offers: offers that have not ended.
        accounts: everybody's loyalty account.
        subscriptions: subscriptions that run.
        had_plan: who has ever subscribed.
    """

    until: Until
    tickets: Tickets
    offers: Offers
    accounts: Accounts
    subscriptions: Subscriptions
    had_plan: npt.NDArray[np.bool_]

    @classmethod
    def none(cls, customers: int) -> Self:
        """Return customers with whom the shop has nothing yet."""
        return cls(
            until=untouched(customers),
            tickets=np.empty(0, TICKETS),
            offers=np.empty(0, OFFERS),
            accounts=np.zeros(customers, ACCOUNTS),
            subscriptions=np.empty(0, SUBSCRIPTIONS),
            had_plan=np.zeros(customers, np.bool_),
        )

    @classmethod
    def of(cls, arrays: dict[str, npt.NDArray[np.generic]]) -> Self:
        """Read what :meth:`arrays` wrote."""
        return cls(
            until=arrays["until"].astype(np.int32),
            tickets=arrays["tickets"].astype(TICKETS),
            offers=arrays["offers"].astype(OFFERS),
            accounts=arrays["accounts"].astype(ACCOUNTS),
            subscriptions=arrays["subscriptions"].astype(SUBSCRIPTIONS),
            had_plan=arrays["had_plan"].astype(np.bool_),
        )

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return everything as plain arrays by name."""
        return dict(vars(self))

    def joined_by(self, newcomers: int) -> Self:
        """Add customers with whom the shop has nothing yet."""
        return replace(
            self,
            until=np.concatenate([self.until, untouched(newcomers)]),
            accounts=np.concatenate([self.accounts, np.zeros(newcomers, ACCOUNTS)]),
            had_plan=np.concatenate([self.had_plan, np.zeros(newcomers, np.bool_)]),
        )


@dataclass(frozen=True)
class Happened:
    """The rows that one day adds to each table besides orders and contacts."""

    events: Events
    tickets: Tickets
    surveys: Surveys
    offers: Offers
    loyalty: Balances
    subscriptions: Subscriptions


def together(days: Sequence[Happened]) -> Happened:
    """Put the rows of several days behind each other."""
    return Happened(
        *(np.concatenate(rows) for rows in zip(*(vars(day).values() for day in days), strict=True))
    )


def morning(
    ties: Ties,
    people: People,
    is_alive: npt.NDArray[np.bool_],
    *,
    day: int,
    draws: Draws,
    settings: ShopSettings,
) -> Ties:
    """Let the day's offers start."""
    new = made(people, is_alive, ties.offers, day=day, draws=draws, settings=settings)
    return replace(ties, offers=np.concatenate([ties.offers, new]), until=tempting(ties.until, new, day))


def pull(actions: Influence, ties: Ties, people: People, day: int, draws: Draws) -> Influence:
    """Return everything that moves each customer on a day: actions, forces, and the region's calendar."""
    today = moved(actions, ties.until, day)
    return replace(today, ordering=today.ordering * day_of_calendar(draws, day)[people["region"]])


def evening(
    ties: Ties,
    people: People,
    lived: DayOfLife,
    orders: Orders,
    *,
    spend: Floats,
    mails: Contacts,
    day: int,
    draws: Draws,
) -> tuple[Ties, Happened]:
    """Let everything happen that goes with a day's orders and moods, and work from tomorrow on.

    Args:
        ties: as :func:`morning` left them.
        people: everybody.
        lived: the day's moods.
        orders: the day's orders.
        spend: what each of them costs, in cents.
        mails: the day's newsletter.
        day: today.
        draws: the shop's luck.
    """
    events = events_of(people, lived, orders, mails, day=day, draws=draws)
    ties = replace(ties, until=touched(ties.until, events, day))
    ties, tickets = _serve(ties, people, lived, orders, day=day, draws=draws)
    ties, offers = _complete(ties, orders, spend, day=day)
    ties, balances = _reward(ties, people, orders, spend, day=day, draws=draws)
    ties, subscriptions = _subscribe(ties, lived, orders, day=day, draws=draws)
    given = answers(people, lived, day=day, draws=draws)
    return ties, Happened(events, tickets, given, offers, balances, subscriptions)


def _serve(
    ties: Ties, people: People, lived: DayOfLife, orders: Orders, *, day: int, draws: Draws
) -> tuple[Ties, Tickets]:
    new = opened(people, lived, orders, day=day, draws=draws)
    tickets = np.concatenate([ties.tickets, new])
    until = vexed(ties.until, tickets, new=new, day=day)
    told = shown(versions(tickets, INSTANTS, day))
    return replace(ties, until=until, tickets=tickets[unfinished(tickets, INSTANTS, day)]), told


def _complete(ties: Ties, orders: Orders, spend: Floats, *, day: int) -> tuple[Ties, Offers]:
    offers = completed(ties.offers, orders, spend)
    until = spent(ties.until, offers, day)
    running = unfinished(offers, ("ends_at",), day + 1)
    return replace(ties, until=until, offers=offers[running]), versions(offers, OFFER_INSTANTS, day)


def _reward(
    ties: Ties, people: People, orders: Orders, spend: Floats, *, day: int, draws: Draws
) -> tuple[Ties, Balances]:
    left, gone = expired(ties.accounts, day)
    accounts, balances = earned(left, people, orders, spend, day=day, draws=draws)
    until = bound(ties.until, ties.accounts, accounts, day)
    return replace(ties, until=until, accounts=accounts), np.concatenate([gone, balances])


def _subscribe(
    ties: Ties, lived: DayOfLife, orders: Orders, *, day: int, draws: Draws
) -> tuple[Ties, Subscriptions]:
    # Whoever had a plan this morning starts no other one on the day it ends.
    new = subscribed(ties.subscriptions, ties.had_plan, orders, day=day, draws=draws)
    running, changed = renewed(ties.subscriptions, lived.present, day=day, draws=draws)
    until = relieved(ties.until, new=new, changed=changed, day=day)
    had_plan = ties.had_plan.copy()
    had_plan[new["customer"]] = True
    ties = replace(ties, until=until, subscriptions=np.concatenate([running, new]), had_plan=had_plan)
    return ties, np.concatenate([changed, new])
