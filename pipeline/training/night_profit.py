"""What two recipes would have earned at one date: each spends one night's budget on the pairs it values most."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import numpy.typing as npt

from actions.allocation.allocate import Allocation, allocate
from actions.allocation.scarcity import limits_of
from actions.catalogue import Action, load_catalogue
from actions.experiment.control import ControlSettings
from actions.rules.eligibility import Eligibility
from actions.value import action_values, expected_cost
from pipeline.attributes import customer_ids
from pipeline.planning import allowed_pairs, customers_to_plan, earlier_plans
from pipeline.run import Run
from pipeline.scoring import Scored, scored_with
from pipeline.training.evaluating import Trial
from tables.history import History

Floats = npt.NDArray[np.float64]


def night_profits(
    run: Run, history: History, trial: Trial, risks: Mapping[str, Floats]
) -> Mapping[str, Floats]:
    """Let each recipe spend one night's budget on the customers of a trial, and count what that brought.

    A recipe values a pair by its own risk, the owner's belief about the action (``prior_save``), the customer's
    margin and the expected cost, under the rules, capacities and discount cap of a night and without
    randomisation. What came of it: the believed share of those chosen who did leave, times their margin, less
    the cost of all chosen. Margins are the same for all recipes.

    Args:
        run: the run, whose catalogue, rules and budget count.
        history: the validated history.
        trial: whose customers and outcomes.
        risks: churn risk of each customer by name of the recipe.

    Returns:
        By name of the recipe what it earned with each customer, currency units; 0 for those not chosen.
    """
    mean = np.mean(list(risks.values()), axis=0)
    base = scored_with(run, history, trial.judged, mean, trial.reference)
    ids = customer_ids(history, trial.customer)
    order = np.argsort(ids, kind="stable")  # the rows of the base
    run, profits = _without_control(run), {}
    for name, risk in risks.items():
        earned = np.zeros(len(order))
        earned[order] = _earned(run, history, _with_risk(base, risk[order]), trial.churned[order])
        profits[name] = earned
    return profits


def _without_control(run: Run) -> Run:
    """Leave nobody out by chance: today's salts need not reach back to the trial's date."""
    actions = run.config.actions.model_copy(update={"control": ControlSettings(global_share=0)})
    return replace(run, config=run.config.model_copy(update={"actions": actions}))


def _with_risk(base: Scored, risk: Floats) -> Scored:
    low, high = np.quantile(risk, (1 / 3, 2 / 3))
    return replace(base, table=base.table.assign(churn_risk=risk), risk_thirds=(float(low), float(high)))


def _earned(run: Run, history: History, scored: Scored, churned: npt.NDArray[np.int8]) -> Floats:
    as_of = scored.reference.as_of
    catalogue = load_catalogue(run.config.actions.catalogue)
    customers = customers_to_plan(run, history, scored, as_of=as_of)
    eligible = allowed_pairs(run, history, customers, catalogue, earlier_plans(run, as_of), as_of=as_of)
    margin = scored.table["margin"].to_numpy(dtype=np.float64)
    risk = scored.table["churn_risk"].to_numpy(dtype=np.float64)
    chosen = _chosen(run, eligible, risk, margin, as_of=as_of)
    rows, columns = chosen.rows, chosen.columns
    cost = np.array([expected_cost(action) for action in eligible.actions])
    earned = churned[rows] * _saves(eligible.actions)[columns] * margin[rows] - cost[columns]
    return np.asarray(np.bincount(rows, weights=earned, minlength=len(margin)), dtype=np.float64)


def _chosen(run: Run, eligible: Eligibility, risk: Floats, margin: Floats, *, as_of: date) -> Allocation:
    """Spend an even night's share of the budget; floors of regions are the plan's business, not a recipe's."""
    settings, actions = run.config.actions, eligible.actions
    first, _ = settings.budget.period(as_of)
    shared = settings.model_copy(update={"region_floors": {}})
    limits = limits_of(actions, budget=settings.budget.tonight(first, planned=0.0), shared=shared)
    effect = np.outer(risk, _saves(actions)).astype(np.float32)
    return allocate(
        action_values(effect, margin, actions, eligible.mask),
        limits,
        channels=eligible.channels,
        most_actions=settings.most_actions,
        seed=run.config.seed,
    )


def _saves(actions: tuple[Action, ...]) -> Floats:
    return np.array([action.prior_save for action in actions])
