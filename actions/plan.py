"""Tonight's plan: who is control, what is planned, what is sent, and what is withheld to learn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from actions.allocate import allocate, broken_rules, drop_least
from actions.assignments import Draws, assignment_rows
from actions.catalogue import NONE, Action
from actions.certificate import Certificate
from actions.control import ControlSettings
from actions.effects import Effects
from actions.eligibility import Eligibility
from actions.limits import Limits
from actions.summary import summarise
from actions.value import action_values, expected_cost
from tables.errors import BudgetError, DataError, SchemaError

_NEEDED = ("customer_id", "unit", "churn_risk", "risk_source", "margin")


@dataclass(frozen=True)
class Plan:
    """What is to be done tonight, for whom, and how good that is.

    Attributes:
        frame: one row per customer with a planned action or in the global control, sorted by
            ``customer_id``; every other customer of the base is left alone and only counted in
            ``summary``. Columns:

            - ``customer_id``, ``as_of``, ``unit`` (household or customer, drawn as one), ``salt``;
            - ``planned_action``: what the optimiser chose, ``none`` in the global control;
            - ``action``: what is sent, ``none`` where withheld; ``channel`` of the planned action;
            - ``arm``: ``sent``, ``control`` (planned and withheld), ``global_control`` (only service
              actions are ever sent there); ``explored`` is for randomised choices;
            - ``propensity``: chance of the row's arm in the draw that decided it;
            - ``choice_share``: share of the optimiser's draws that chose the action; 1 where the choice
              is not drawn;
            - ``churn_risk``, ``risk_source``, ``margin``, ``cell``: as planned with;
            - ``effect_mean``, ``effect_sd``: believed absolute reduction of churn by the planned action;
            - ``expected_value``, ``expected_cost`` of the planned action, currency units, were it sent;
            - ``reduced_value``: value less the prices of what the action uses: the order in which
              assignments would be given up.
        certificate: bound, gap, prices and limits.
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
    discount_share: float | None = None,
    seed: int = 0,
) -> Plan:
    """Choose, randomise and check tonight's actions.

    Order: global control, eligibility, effects, allocation, withholding. The optimiser is blind to who
    will be withheld: it plans for both arms against limits divided by the share that is sent, so that sent
    and withheld customers of one action differ by chance alone. Should the draw send more than the limits
    allow, planned pairs of both arms are removed, least reduced value first.

    Args:
        customers: one row per customer of the base: ``customer_id``, ``unit``, ``churn_risk``,
            ``risk_source``, ``margin``; the order does not matter.
        eligibility: which pairs no rule blocks, rows as ``customers``.
        effects: beliefs, rows as ``customers``, columns as the actions of ``eligibility``.
        as_of: the night.
        control: salts and shares of the two randomisations.
        budget: most expected cost of what is sent tonight, currency units; none means no limit.
        discount_share: most discounts as a share of what is sent.
        seed: chooses the sample on which prices are first searched in a large base.

    Returns:
        The plan; empty of actions where nothing is worth its cost.

    Raises:
        SchemaError: if a column is missing or the rows disagree.
        DataError: if a customer appears twice or a risk or margin is not a usable number.
        BudgetError: if an amount is negative or a share lies outside 0 to 1.
    """
    _check(customers, eligibility, effects)
    customers, eligibility, effects = _sorted(customers, eligibility, effects)
    actions = eligibility.actions
    draws = Draws.of(customers["unit"].astype(str).tolist(), control, as_of=as_of)
    marketing = np.array([action.purpose != "service" for action in actions], dtype=bool)
    allowed = eligibility.mask & ~(draws.in_global[:, None] & marketing)
    values = action_values(effects.mean, customers["margin"].to_numpy(dtype=np.float64), actions, allowed)
    both_arms = _limits(actions, budget, discount_share, withheld_share=control.withheld_share)
    tonight = _limits(actions, budget, discount_share, withheld_share=0.0)
    allocation = allocate(values, both_arms, seed=seed)
    chosen_sent = draws.sent(allocation.action, actions)
    planned = drop_least(allocation.action, allocation.reduced, tonight, counted=chosen_sent)
    sent = chosen_sent & (planned >= 0)
    frame = assignment_rows(
        customers,
        eligibility,
        effects,
        allocation,
        draws,
        values=values,
        planned=planned,
        sent=sent,
        as_of=as_of,
    )
    _check_sent(frame, actions, budget, discount_share)
    removed = int((allocation.action >= 0).sum() - (planned >= 0).sum())
    certificate = Certificate.of(allocation, tonight=tonight, sent=planned[sent], removed=removed)
    return Plan(frame, certificate, summarise(frame, customers, actions, control, draws.in_global))


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


def _limits(
    actions: Sequence[Action], budget: float | None, discount_share: float | None, *, withheld_share: float
) -> Limits:
    """Limits for both arms: divided by the share that is sent of what is planned (1 for service actions)."""
    sent_share = {action.id: 1 - withheld_share * action.randomise for action in actions}
    return Limits.of(
        [action.id for action in actions],
        cost={a.id: expected_cost(a) * sent_share[a.id] / (1 - withheld_share) for a in actions},
        budget=None if budget is None else budget / (1 - withheld_share),
        capacity={
            a.id: a.capacity_per_night / sent_share[a.id] for a in actions if a.capacity_per_night is not None
        },
        discounts=_discounts(actions),
        discount_share=discount_share,
    )


def _discounts(actions: Sequence[Action]) -> frozenset[str]:
    return frozenset(action.id for action in actions if action.kind == "discount")


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
    frame: pd.DataFrame, actions: Sequence[Action], budget: float | None, discount_share: float | None
) -> None:
    broken = broken_rules(
        [action for action in frame["action"] if action != NONE],
        cost={action.id: expected_cost(action) for action in actions},
        budget=budget,
        capacity={a.id: a.capacity_per_night for a in actions if a.capacity_per_night is not None},
        discounts=_discounts(actions),
        discount_share=discount_share,
    )
    if broken:
        raise BudgetError(f"plan: what would be sent breaks its limits; {'; '.join(broken)}. Report this.")
