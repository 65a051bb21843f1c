"""Messages to customers: our plan's, with delivery and redemption, and another team's newsletter."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.shop.baskets import DAY, Lines, Orders
from pipeline.shop.draws import Draws, Floats, Integers
from pipeline.shop.effects import ACTIONS, EFFECTS, TRUE_EFFECTS, Effects, delivered
from pipeline.shop.people import People
from pipeline.shop.settings import ShopSettings, date_of
from tables.errors import DataError, SchemaError

ARMS = ("sent", "explored", "global_control")
"""Arms in which an action may be sent; to the global control, service actions only."""
NEWSLETTER = -1

_PLAN_COLUMNS = ("customer_id", "action", "arm", "as_of")
_SENT_HOUR = 9
_NEWSLETTER_HOUR = 17
_NEWSLETTER_EVERY_DAYS = 28

CONTACTS = np.dtype(
    [
        ("customer", "i4"),
        ("action", "i2"),
        ("arm", "i1"),
        ("sent_at", "i8"),
        ("redeemed_at", "i8"),
        ("known_at", "i8"),
        ("cost", "i8"),
        ("is_delivered", "?"),
    ]
)
"""A row of the contact log: cost in cents, ``redeemed_at`` 0 while nothing was redeemed."""
Contacts = npt.NDArray[np.void]


def sent_of(plan: pd.DataFrame | None, day: int, known: int) -> Effects:
    """Read from a plan whom to contact with which action on one day.

    Args:
        plan: one row per customer and action with ``customer_id``, ``action``, ``arm`` and ``as_of``;
            only rows with another action than ``none`` and an arm of ``ARMS`` are sent.
        day: the day number the plan must be for.
        known: number of customers of the shop.

    Raises:
        SchemaError: a column is missing.
        DataError: the plan is for another day, or names unknown customers or actions.
    """
    if plan is None:
        return np.empty(0, EFFECTS)
    for column in _PLAN_COLUMNS:
        if column not in plan.columns:
            raise SchemaError.missing_column(column, table="plan", found=plan.columns)
    rows = plan[plan["arm"].isin(ARMS) & (plan["action"] != "none")]
    customer = _numbers(rows["customer_id"])
    _check(plan, rows, customer, day, known)
    sent = np.zeros(len(rows), EFFECTS)
    sent["customer"] = customer
    sent["action"] = [ACTIONS.index(action) for action in rows["action"]]
    sent["arm"] = [ARMS.index(arm) for arm in rows["arm"]]
    sent["sent_at"] = day * DAY + _SENT_HOUR * DAY // 24
    days = np.array([effect.days for effect in TRUE_EFFECTS.values()])
    sent["ends_on"] = day + days[sent["action"]]
    sent["is_open"] = np.array([effect.redeemed for effect in TRUE_EFFECTS.values()])[sent["action"]] > 0
    return np.sort(sent, order=["customer", "action"])


def deliver(sent: Effects, day: int, *, draws: Draws, settings: ShopSettings) -> tuple[Effects, Contacts]:
    """Return the contacts that arrive, and a log row for each that was sent; nobody pays for the others."""
    arrives = delivered(sent["customer"], day, draws, settings.undelivered_contacts)
    log = np.zeros(len(sent), CONTACTS)
    for column in ("customer", "action", "arm", "sent_at"):
        log[column] = sent[column]
    log["known_at"] = sent["sent_at"]
    log["cost"] = np.where(arrives, _cents("contact_cost")[sent["action"]], 0)
    log["is_delivered"] = arrives
    return sent[arrives], log


def redemptions(
    running: Effects, customer: Integers, ordered_at: Integers, day: int, draws: Draws
) -> npt.NDArray[np.int64]:
    """Return positions in ``running`` of the offers that first orders of today redeem, one per customer.

    Args:
        running: actions that work today.
        customer: who orders today, in ascending order without repetition.
        ordered_at: when each of them orders first; an offer sent later cannot be redeemed.
        day: today.
        draws: the shop's luck.
    """
    if not len(running):
        return np.zeros(0, np.int64)
    chance = np.array([effect.redeemed for effect in TRUE_EFFECTS.values()])[running["action"]]
    luck = draws.uniform("redeem", running["customer"], day, running["action"])
    order = pd.Series(ordered_at, index=customer).reindex(running["customer"], fill_value=-1).to_numpy()
    chosen = np.flatnonzero(running["is_open"] & (running["sent_at"] <= order) & (luck < chance))
    _, first = np.unique(running["customer"][chosen], return_index=True)
    return np.asarray(chosen[first])


def offers_of(redeemed: Effects, customer: Integers, order_no: Integers) -> Floats:
    """Return the share that an offer takes off each order, 0 where none is redeemed."""
    discount = np.array([effect.discount for effect in TRUE_EFFECTS.values()])[redeemed["action"]]
    by_customer = dict(zip(redeemed["customer"].tolist(), discount.tolist(), strict=True))
    pairs = zip(customer.tolist(), order_no.tolist(), strict=True)
    return np.array([by_customer.get(number, 0.0) if order == 1 else 0.0 for number, order in pairs])


def redemption_log(redeemed: Effects, orders: Orders, lines: Lines) -> Contacts:
    """Return the later versions of log rows: when the offer was redeemed and what it then cost in all."""
    first = orders.order_no == 1
    at = dict(zip(orders.customer[first].tolist(), orders.at[first].tolist(), strict=True))
    own = lines[lines["order_no"] == 1]
    given = np.bincount(
        own["customer"], weights=own["discount"], minlength=int(redeemed["customer"].max(initial=0)) + 1
    )
    is_discount = np.array([effect.discount > 0 for effect in TRUE_EFFECTS.values()])[redeemed["action"]]
    log = np.zeros(len(redeemed), CONTACTS)
    for column in ("customer", "action", "arm", "sent_at"):
        log[column] = redeemed[column]
    log["redeemed_at"] = log["known_at"] = [at[number] for number in redeemed["customer"].tolist()]
    reward = np.where(is_discount, given[redeemed["customer"]], _cents("reward")[redeemed["action"]])
    log["cost"] = _cents("contact_cost")[redeemed["action"]] + reward
    log["is_delivered"] = True
    return log


def newsletter(people: People, day: int) -> Contacts:
    """Return the log rows of another team's newsletter; every reader gets it once in four weeks."""
    numbers = np.arange(len(people))
    turn = (numbers + day) % _NEWSLETTER_EVERY_DAYS == 0
    readers = numbers[turn & people["has_newsletter"] & (people["signed_up_on"] < day)]
    log = np.zeros(len(readers), CONTACTS)
    log["customer"] = readers
    log["action"] = NEWSLETTER
    log["sent_at"] = log["known_at"] = day * DAY + _NEWSLETTER_HOUR * DAY // 24
    log["is_delivered"] = True
    return log


def _numbers(customer_ids: pd.Series) -> npt.NDArray[np.int64]:
    digits = customer_ids.astype(str).str.extract(r"^C(\d{1,9})$", expand=False)
    return np.asarray(pd.to_numeric(digits).fillna(-1).astype(np.int64))


def _check(plan: pd.DataFrame, rows: pd.DataFrame, customer: Integers, day: int, known: int) -> None:
    problems = []
    days = sorted({str(pd.Timestamp(stamp).date()) for stamp in plan["as_of"].unique()})
    if days not in ([], [str(date_of(day))]):
        problems.append(f"plan: the shop's next day is {date_of(day)}; found a plan as of {', '.join(days)}.")
    strangers = rows["customer_id"][(customer < 0) | (customer >= known)]
    if len(strangers):
        problems.append(f"plan: {len(strangers)} unknown customers; found {sorted(map(str, strangers))[:3]}.")
    unknown = sorted(set(rows["action"]) - set(ACTIONS))
    if unknown:
        problems.append(f"plan: no true effect is known for actions {unknown}; known are {list(ACTIONS)}.")
    if problems:
        raise DataError("\n".join([*problems, "Pass the plan published for that day."]))


def _cents(price: str) -> npt.NDArray[np.int64]:
    return np.array([round(100 * getattr(effect, price)) for effect in TRUE_EFFECTS.values()])
