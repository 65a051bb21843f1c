"""Tonight's plan: who is control, what is planned, what is sent, and what is withheld to learn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.allocation.allocate import Allocation, allocate
from actions.allocation.certificate import AtMean, Certificate
from actions.allocation.feasibility import broken_rules
from actions.allocation.impossible import refuse_floors_out_of_reach
from actions.allocation.limit_settings import LimitSettings
from actions.allocation.limits import Floats, Limits
from actions.allocation.problem import Values
from actions.allocation.scarcity import limits_of, region_codes, sent_shares
from actions.assignments import assignment_rows
from actions.catalogue import NONE, Action
from actions.experiment.control import ControlSettings
from actions.experiment.draws import Draws, Sending
from actions.experiment.exploration import keep_within, open_offers
from actions.learning.effects import Effects
from actions.learning.thompson import Drawn, drawn
from actions.rules.eligibility import Eligibility
from actions.summary import summarise
from actions.value import action_values, expected_cost
from tables.errors import BudgetError, DataError, SchemaError

_NEEDED = ("customer_id", "unit", "churn_risk", "risk_source", "margin")


@dataclass(frozen=True)
class Plan:
    """What is to be done tonight, for whom, and how good that is.

    Attributes:
        frame: one row per planned action of a customer, and one per customer in the global control without
            any, sorted by ``customer_id`` and ``planned_action``; every other customer of the base is left
            alone and only counted in ``summary``. Columns:

            - ``customer_id``, ``as_of``, ``unit`` (household or customer, drawn as one), ``salt``;
            - ``planned_action``: what the optimiser chose, ``none`` in the global control;
            - ``action``: what is sent, ``none`` where withheld;
            - ``arm``: ``sent``, ``control`` (planned and withheld), ``explored`` (chance picked the action),
              ``global_control`` (only service actions are ever sent there);
            - ``propensity``: chance of the row's arm and action in the draws that decided them;
            - ``choice_share``: share of the draws from the beliefs that choose the planned action at tonight's
              prices: no propensity, never a weight;
            - ``churn_risk``, ``risk_source``, ``margin``, ``cell``: as planned with;
            - ``channel``, ``effect_mean``, ``effect_sd`` (believed absolute reduction of churn),
              ``expected_value`` and ``expected_cost`` (currency units) of the action sent, of the planned one
              where it is withheld;
            - ``reduced_value``: value of the planned action as drawn less the prices of what it uses: the
              order in which assignments would be given up.
        certificate: bound, gap, prices and limits, as drawn and as believed.
        summary: figures for the page, as JSON values.
    """

    frame: pd.DataFrame
    certificate: Certificate
    summary: dict[str, Any]


def make_plan(
    customers: pd.DataFrame,
    eligibility: Eligibility,
    effects: Effects,
    *,
    as_of: date,
    control: ControlSettings,
    budget: float | None,
    shared: LimitSettings | None = None,
    earlier: pd.DataFrame | None = None,
    seed: int = 0,
) -> Plan:
    """Choose, randomise and check tonight's actions.

    Order: global control, eligibility, effects, allocation, withholding and exploration. The optimiser
    chooses by one draw from the beliefs per unit, so that what is uncertain gets tried; what is told of the
    plan is the mean belief. It is blind to who will be withheld: it plans for both arms against limits divided
    by the share that is sent, so that sent and withheld customers of one action differ by chance alone. Pairs for
    which the draw leaves no room are removed whatever their arm, least reduced value first.

    Args:
        customers: one row per customer of the base: ``customer_id``, ``unit``, ``churn_risk``,
            ``risk_source``, ``margin``, and ``region`` where regions have a floor; the order does not matter.
        eligibility: which pairs no rule blocks, rows as ``customers``.
        effects: beliefs, rows as ``customers``, columns as the actions of ``eligibility``.
        as_of: the night.
        control: salts and shares of the two randomisations.
        budget: most expected cost of what is sent tonight, currency units; none means no limit.
        shared: hours of teams, cap on discounts, floors of regions and most actions for one customer.
        earlier: rows of the plans of earlier nights of the same salt, as ``summarise`` takes them.
        seed: of the draws from the beliefs, and of the sample on which prices are first searched.

    Returns:
        The plan; empty of actions where nothing is worth its cost.

    Raises:
        SchemaError: if a column is missing or the rows disagree.
        DataError: if a customer appears twice or a risk or margin is not a usable number.
        BudgetError: if an amount is negative, or no customer is of a region with a floor.
        GateError: if a region with a floor has nobody to contact.
    """
    _check(customers, eligibility, effects)
    customers, eligibility, effects = _sorted(customers, eligibility, effects)
    night = _Night.of(customers, eligibility, control, shared or LimitSettings(), budget, as_of)
    learns = np.array([a.randomise for a in eligibility.actions], dtype=bool) & (control.withheld_share > 0)
    believed = drawn(effects, customers["unit"].astype(str).tolist(), seed=seed, as_of=as_of, learns=learns)
    allocation = night.choose(believed, seed=seed)
    sending = night.send(allocation, as_of)
    kept = keep_within(sending.pairs, sending.column, allocation.reduced, night.limits)
    frame = assignment_rows(
        customers,
        eligibility,
        effects,
        night.draws,
        sending.take(kept),
        reduced=allocation.reduced[kept],
        choice_share=night.choice_share(believed, allocation)[kept],
        as_of=as_of,
    )
    _check_sent(frame, customers, eligibility.actions, budget, night.shared)
    used = sending.take(kept).counts(night.limits)
    mean = night.at_mean(believed, allocation, seed=seed)
    certificate = Certificate.of(
        allocation, mean, tonight=night.limits, sent=used, removed=int((~kept).sum())
    )
    summary = summarise(
        frame,
        customers,
        eligibility.actions,
        control,
        night.draws.in_global,
        as_of=as_of,
        earlier=earlier,
    )
    return Plan(frame, certificate, summary)


@dataclass(frozen=True)
class _Night:
    """What a night is planned with: who may get what, what all share, and what chance decided beforehand."""

    customers: pd.DataFrame
    eligibility: Eligibility
    shared: LimitSettings
    budget: float | None
    draws: Draws
    allowed: npt.NDArray[np.bool_]
    limits: Limits
    groups: npt.NDArray[np.int8]

    @classmethod
    def of(
        cls,
        customers: pd.DataFrame,
        eligibility: Eligibility,
        control: ControlSettings,
        shared: LimitSettings,
        budget: float | None,
        as_of: date,
    ) -> Self:
        draws = Draws.of(customers["unit"].astype(str).tolist(), control, as_of=as_of)
        marketing = np.array([action.purpose != "service" for action in eligibility.actions], dtype=bool)
        allowed = eligibility.mask & ~(draws.in_global[:, None] & marketing)
        limits = limits_of(eligibility.actions, budget=budget, shared=shared)
        groups = region_codes(customers, limits)
        return cls(customers, eligibility, shared, budget, draws, allowed, limits, groups)

    @property
    def margin(self) -> Floats:
        return np.asarray(self.customers["margin"], dtype=np.float64)

    @property
    def cost(self) -> Floats:
        return np.array([expected_cost(action) for action in self.eligibility.actions])

    def choose(self, believed: Drawn, *, seed: int) -> Allocation:
        values = action_values(believed.effect, self.margin, self.eligibility.actions, self.allowed)
        refuse_floors_out_of_reach(values, self.groups, self.limits)
        return self.allocate(values, seed=seed)

    def at_mean(self, believed: Drawn, made: Allocation, *, seed: int) -> AtMean:
        """Value the plan made by the mean beliefs, and plan once more by them within the same limits."""
        mean, actions = believed.effects.mean, self.eligibility.actions
        if not ((believed.effect != mean) & self.allowed).any():
            return AtMean(made.primal, made)
        values = action_values(mean, self.margin, actions, self.allowed)
        return AtMean.of(values, made, again=lambda: self.allocate(values, seed=seed, start=made.prices))

    def allocate(self, values: Values, *, seed: int, start: Floats | None = None) -> Allocation:
        shares = sent_shares(self.eligibility.actions, self.draws.control.withheld_share)
        return allocate(
            values,
            self.limits.for_both_arms(shares),
            groups=self.groups,
            channels=self.eligibility.channels,
            most_actions=self.shared.most_actions,
            seed=seed,
            start=start,
        )

    def send(self, allocation: Allocation, as_of: date) -> Sending:
        actions, channels = self.eligibility.actions, self.eligibility.channels
        pairs = self.draws.pairs(allocation.rows, allocation.columns, self.groups, actions)
        randomised = np.array([action.randomise for action in actions], dtype=bool)
        offers = open_offers(
            pairs,
            self.allowed & randomised,
            channels,
            self.limits,
            control=self.draws.control,
            cost=self.cost,
            budget=self.budget,
        )
        return self.draws.send(pairs, offers, actions, self.customers["customer_id"].tolist(), as_of=as_of)

    def choice_share(self, believed: Drawn, allocation: Allocation) -> Floats:
        toll = self.cost + allocation.limits.price(allocation.prices)
        several = self.shared.most_actions > 1
        return believed.choice_share(
            allocation.rows,
            allocation.columns,
            margin=self.margin,
            toll=toll[0] if len(toll) == 1 else toll[self.groups],
            allowed=self.allowed,
            channels=self.eligibility.channels if several else None,
            most_actions=self.shared.most_actions,
        )


def _sorted(
    customers: pd.DataFrame, eligibility: Eligibility, effects: Effects
) -> tuple[pd.DataFrame, Eligibility, Effects]:
    if customers["customer_id"].is_monotonic_increasing:
        return customers, eligibility, effects
    order = np.argsort(customers["customer_id"].to_numpy(dtype=object), kind="stable")
    rows = replace(
        eligibility,
        customer_ids=eligibility.customer_ids[order],
        blocked=eligibility.blocked[order],
        channels=eligibility.channels[order],
    )
    return customers.iloc[order], rows, effects.take(order)


def _check(customers: pd.DataFrame, eligibility: Eligibility, effects: Effects) -> None:
    for column in _NEEDED:
        if column not in customers:
            raise SchemaError.missing_column(column, table="customers to plan for", found=customers.columns)
    shape = (len(customers), len(eligibility.actions))
    found = (eligibility.blocked.shape, effects.mean.shape, effects.sd.shape)
    if any(other != shape for other in found) or not eligibility.customer_ids.equals(
        pd.Index(customers["customer_id"])
    ):
        raise SchemaError(
            f"plan: customers x actions is {shape}; found eligibility {found[0]} and effects {found[1]}, "
            f"{found[2]}, or other customers. Compute all of them from the same rows."
        )
    risk, margin = customers["churn_risk"], customers["margin"]
    wrong = {
        "customer_id twice": customers["customer_id"].duplicated(),
        "unit missing": customers["unit"].isna(),
        "churn_risk outside 0 to 1": ~risk.between(0, 1),
        "margin negative or missing": ~margin.between(0, np.finfo(np.float64).max),
    }
    problems = [
        f"plan: {what}; found {int(rows.sum())} customers, such as "
        f"{customers.loc[rows, 'customer_id'].astype(str).tolist()[:3]}. Correct the scores."
        for what, rows in wrong.items()
        if rows.any()
    ]
    if problems:
        raise DataError("\n".join(problems))


def _check_sent(
    frame: pd.DataFrame,
    customers: pd.DataFrame,
    actions: Sequence[Action],
    budget: float | None,
    shared: LimitSettings,
) -> None:
    sent = frame.loc[frame["action"] != NONE, ["customer_id", "action", "channel"]]
    if shared.region_floors:
        sent = sent.merge(customers[["customer_id", "region"]], on="customer_id")
    broken = broken_rules(
        sent,
        cost={action.id: expected_cost(action) for action in actions},
        budget=budget,
        capacity={a.id: a.capacity_per_night for a in actions if a.capacity_per_night is not None},
        discounts=frozenset(action.id for action in actions if action.kind == "discount"),
        shared=shared,
    )
    if broken:
        raise BudgetError(f"plan: what would be sent breaks its limits; {'; '.join(broken)}. Report this.")
