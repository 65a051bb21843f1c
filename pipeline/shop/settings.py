"""What a simulated shop is like: its size, its customers' habits, and how untidy its files are."""

from datetime import date, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class ShopSettings(BaseModel):
    """Settings of the simulated shop; the defaults give about a third of churn within 45 days.

    Attributes:
        customers: customers who signed up before the first day.
        first_day: first day with orders.
        new_customers_per_year: sign-ups of a year as a share of ``customers``.
        orders_per_day: mean order rate of a living customer.
        order_rate_shape: shape of the gamma distribution of personal order rates; small is uneven.
        leaving_per_day: hazard of leaving for a settled, content customer of middling fidelity.
        returning_per_day: chance by which a customer who left comes back on some day by themselves.
        season_strength: swing of the order rate over the year, peak in December.
        disappointing_orders: share of orders that go wrong.
        returned_lines: share of lines sent back from an order that went right.
        late_orders: share of orders that the shop's files carry 1 to 5 days late.
        corrected_lines: share of lines whose amount is corrected within a fortnight.
        repeated_orders: share of orders written twice, half of them in the next day's file.
        undelivered_contacts: share of contacts that never arrive.
        visits_per_day: mean rate at which a living customer looks in without ordering.
        offers_per_day: chance by which a customer is made an offer on some day.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    customers: int = Field(default=2_000, ge=1, le=10_000_000)
    first_day: date = date(2024, 12, 1)
    new_customers_per_year: Annotated[float, Field(ge=0)] = 0.6
    orders_per_day: Positive = 0.08
    order_rate_shape: Positive = 1.6
    leaving_per_day: Positive = 0.0023
    returning_per_day: Share = 0.0008
    season_strength: Share = 0.25
    disappointing_orders: Share = 0.1
    returned_lines: Share = 0.03
    late_orders: Share = 0.02
    corrected_lines: Share = 0.005
    repeated_orders: Share = 0.005
    undelivered_contacts: Share = 0.03
    visits_per_day: Positive = 0.08
    offers_per_day: Share = 0.012


EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Count days since 1970-01-01.

    Examples:
        >>> day_number(date(1970, 1, 3))
        2
    """
    return (day - EPOCH).days


def date_of(number: int) -> date:
    """Return the date of a day number, the reverse of :func:`day_number`."""
    return EPOCH + timedelta(days=number)
