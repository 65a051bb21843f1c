"""Limits that contradict each other or tonight's customers: refused with a reason, never bent."""

import numpy as np

from actions.allocation.budget import BudgetSettings
from actions.allocation.limit_settings import LimitSettings, Team
from actions.allocation.limits import ELSEWHERE, REGION_FLOOR, Limits
from actions.allocation.problem import Codes, Values
from actions.catalogue import Catalogue
from actions.value import expected_cost
from tables.errors import ConfigError, GateError
from tables.yaml_lines import nearest


def refuse_contradictions(shared: LimitSettings, budget: BudgetSettings, catalogue: Catalogue) -> None:
    """Refuse a budget or hours that not even one contact fits, and teams for actions that do not exist.

    Amounts of 0 are legal: they say that nobody is to be treated.

    Raises:
        ConfigError: naming every contradiction and by how much it misses.
    """
    costs = {action.id: expected_cost(action) for action in catalogue.actions.values()}
    cheapest = min(costs, key=lambda name: costs[name])
    problems = []
    if 0 < budget.amount < costs[cheapest]:
        problems.append(
            f"actions.budget: {budget.amount:g} per {budget.per} is less than the cheapest action costs; "
            f"{cheapest} costs {costs[cheapest]:g}, {costs[cheapest] - budget.amount:g} more. Raise it, or set 0 "
            "to treat nobody."
        )
    for name, team in shared.teams.items():
        problems += _of_team(name, team, list(catalogue.actions))
    if problems:
        raise ConfigError.of_all(problems)


def refuse_floors_out_of_reach(values: Values, groups: Codes, limits: Limits) -> None:
    """Refuse a night on which a region with a floor has nobody to contact while others have.

    The floor is a share of all contacts, so none there would mean none anywhere.

    Args:
        values: (customers, actions), minus infinity where a pair may not be.
        groups: (customers,), position of each customer's region in ``limits.regions``.
        limits: tonight's.

    Raises:
        GateError: naming each such region and how many customers elsewhere it would shut out.
    """
    if limits.regions == (ELSEWHERE,):
        return
    worthwhile = ((values > 0) & ~limits.out_of_reach()).any(axis=1)
    candidates = np.bincount(groups[worthwhile], minlength=len(limits.regions))
    customers = np.bincount(groups, minlength=len(limits.regions))
    problems = [
        f"actions.region_floors: {region} is to get a share of all contacts, and none of its "
        f"{customers[at]} customers may get an action worth its cost; with 0 contacts there nobody else could "
        f"be contacted, {worthwhile.sum()} customers tonight. Lower the floor or set it to 0."
        for at, region in enumerate(limits.regions)
        if at and not candidates[at] and limits.weights[_floor_of(region, limits)].max(initial=0.0) > 0
    ]
    if problems and worthwhile.any():
        raise GateError("\n".join(problems))


def _floor_of(region: str, limits: Limits) -> int:
    return limits.names.index(f"{REGION_FLOOR}:{region}")


def _of_team(name: str, team: Team, known: list[str]) -> list[str]:
    key = f"actions.teams.{name}"
    problems = [
        f"{key}: there is no action {action!r}{nearest(action, known)}. Name actions of the catalogue."
        for action in team.minutes_per_contact
        if action not in known
    ]
    shortest = min(team.minutes_per_contact.values())
    minutes = 60 * team.hours_per_night
    if 0 < minutes < shortest:
        problems.append(
            f"{key}: {minutes:g} minutes a night are less than the shortest contact takes, {shortest:g} minutes, "
            f"{shortest - minutes:g} more. Raise hours_per_night, or set 0."
        )
    return problems
