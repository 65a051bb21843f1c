"""How much of the period's money may be spent tonight."""

import calendar
from datetime import date, timedelta
from typing import Annotated, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field


class BudgetSettings(BaseModel):
    """The owner's budget for actions.

    Attributes:
        amount: expected cost of all actions sent within a period, currency units.
        per: the period: one night, an ISO week (Monday to Sunday) or a calendar month.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    per: Literal["night", "week", "month"] = "night"

    def period(self, as_of: date) -> tuple[date, date]:
        """Return the first day of the budget's period and the first day after it.

        Examples:
            >>> BudgetSettings(amount=100, per="month").period(date(2028, 2, 10))
            (datetime.date(2028, 2, 1), datetime.date(2028, 3, 1))
        """
        if self.per == "night":
            return as_of, as_of + timedelta(days=1)
        if self.per == "week":
            monday = as_of - timedelta(days=as_of.weekday())
            return monday, monday + timedelta(days=7)
        first = as_of.replace(day=1)
        return first, first + timedelta(days=calendar.monthrange(as_of.year, as_of.month)[1])

    def tonight(self, as_of: date, *, planned: float) -> float:
        """Return tonight's even share of what the period has left.

        Args:
            as_of: tonight.
            planned: expected cost of what was sent on earlier nights of the period, currency units.

        Returns:
            Currency units; 0 where earlier nights took everything.

        Examples:
            >>> BudgetSettings(amount=700, per="week").tonight(date(2026, 11, 20), planned=400.0)
            100.0
        """
        nights_left = (self.period(as_of)[1] - as_of).days
        return max(0.0, self.amount - planned) / nights_left


def already_planned(assignments: pd.DataFrame, settings: BudgetSettings, *, as_of: date) -> float:
    """Sum the expected cost of what earlier nights of the period have sent.

    Args:
        assignments: rows of published plans: ``as_of``, ``action`` (``none`` where withheld),
            ``expected_cost``.
        settings: the budget and its period.
        as_of: tonight; its own rows do not count, so that a rerun plans the same.

    Returns:
        Currency units.
    """
    first = pd.Timestamp(settings.period(as_of)[0])
    nights = pd.to_datetime(assignments["as_of"])
    counts = (nights >= first) & (nights < pd.Timestamp(as_of)) & (assignments["action"] != "none")
    return float(assignments.loc[counts, "expected_cost"].sum())
