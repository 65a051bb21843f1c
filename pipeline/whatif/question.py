"""A question to the planner: what is changed, in words, and the configuration that it makes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import yaml

from actions.allocation.limit_settings import Team
from actions.catalogue import load_catalogue
from pipeline.config import ActionConfig
from pipeline.run import Run
from tables.errors import ConfigError
from tables.yaml_lines import load_yaml, nearest

Prior = tuple[float, ...]


@dataclass(frozen=True)
class Question:
    """What is to be different from the present plan.

    Attributes:
        budget: money per period of the configured budget, currency units.
        capacity: most customers per night, by action.
        hours: working hours for the night, by team.
        prior: believed relative reduction of churn, and its standard deviation where given, by action.
        threshold: only customers of at least that churn risk get anything.
        without: actions that are taken away.
        catalogue: another catalogue, such as one with a new action.
    """

    budget: float | None = None
    capacity: Mapping[str, int] = field(default_factory=dict)
    hours: Mapping[str, float] = field(default_factory=dict)
    prior: Mapping[str, Prior] = field(default_factory=dict)
    threshold: float | None = None
    without: tuple[str, ...] = ()
    catalogue: Path | None = None

    @classmethod
    def of(
        cls,
        *,
        budget: float | None,
        capacity: Sequence[tuple[str, Prior]],
        hours: Sequence[tuple[str, Prior]],
        prior: Sequence[tuple[str, Prior]],
        threshold: float | None,
        without: tuple[str, ...],
        catalogue: Path | None,
    ) -> Self:
        """Collect what the command line says; the last word on an action or a team counts.

        Raises:
            ConfigError: if a capacity is no whole number of customers, or hours are below none.
        """
        wrong = [
            f"whatif: --capacity of {name} is no whole number of customers. Write it as {name}=60."
            for name, (most,) in capacity
            if most < 0 or most % 1
        ]
        wrong += [
            f"whatif: --hours of {team} are below none. Write them as {team}=12."
            for team, (most,) in hours
            if most < 0
        ]
        if wrong:
            raise ConfigError.of_all(wrong)
        return cls(
            budget=budget,
            capacity={name: int(most) for name, (most,) in capacity},
            hours={team: most for team, (most,) in hours},
            prior=dict(prior),
            threshold=threshold,
            without=without,
            catalogue=catalogue,
        )

    @property
    def changes_rules(self) -> bool:
        """Whether more than the money is different."""
        return replace(self, budget=None) != Question()

    def words(self, run: Run) -> list[str]:
        """Say what is different, one sentence a change."""
        actions, currency = run.config.actions, run.config.currency
        budget, teams = actions.budget, actions.teams
        told = [f"The catalogue is {self.catalogue}."] if self.catalogue else []
        if self.budget is not None:
            told.append(
                f"The budget is {self.budget:,.2f} {currency} per {budget.per} instead of {budget.amount:,.2f}."
            )
        told += [f"At most {most:,} customers a night get {name}." for name, most in self.capacity.items()]
        told += [
            f"{team} has {most:g} hours for the night instead of {teams[team].hours_per_night:g}."
            for team, most in self.hours.items()
        ]
        told += [f"{name} is believed to save {_belief(prior)}." for name, prior in self.prior.items()]
        if self.threshold is not None:
            told.append(f"Only customers with a churn risk of {self.threshold:.0%} and more get anything.")
        return [*told, *(f"There is no {name}." for name in self.without)]

    def asked_of(self, run: Run, folder: Path) -> Run:
        """Return the run with the changed configuration.

        Args:
            run: the run as configured.
            folder: where the changed catalogue may be written.

        Raises:
            ConfigError: naming every action and team there is not, and every value an action cannot take.
        """
        actions, target = run.config.actions, folder / "actions.yaml"
        target.write_text(self._catalogue(actions), encoding="utf-8")
        try:
            load_catalogue(target)
        except ConfigError as error:
            raise ConfigError(re.sub(rf"{re.escape(str(target))}(:\d+)?", "whatif", str(error))) from error
        budget = actions.budget
        if self.budget is not None:
            budget = budget.model_copy(update={"amount": self.budget})
        changed = actions.model_copy(
            update={"budget": budget, "catalogue": target, "teams": self._teams(actions.teams)}
        )
        return replace(run, config=run.config.model_copy(update={"actions": changed}))

    def _catalogue(self, actions: ActionConfig) -> str:
        path = self.catalogue or actions.catalogue
        load_catalogue(path)  # its own mistakes are told with its own lines
        entries: dict[str, Any] = load_yaml(path)["actions"]
        self._check_names(list(entries), list(actions.teams))
        for name, most in self.capacity.items():
            entries[name]["capacity_per_night"] = most
        for name, prior in self.prior.items():
            entries[name].update(zip(("prior_save", "prior_save_sd"), prior, strict=False))
        for name in self.without:
            del entries[name]
        if self.threshold is not None:
            for entry in entries.values():
                entry["trigger"] = f"({entry['trigger']}) and churn_risk >= {self.threshold}"
        return yaml.safe_dump({"actions": entries}, sort_keys=False, allow_unicode=True)

    def _teams(self, teams: Mapping[str, Team]) -> Mapping[str, Team]:
        """Give each team its hours, and leave to it the actions that there still are."""
        left = {
            name: {
                action: time
                for action, time in team.minutes_per_contact.items()
                if action not in self.without
            }
            for name, team in teams.items()
        }
        return {
            name: teams[name].model_copy(
                update={
                    "minutes_per_contact": minutes,
                    "hours_per_night": self.hours.get(name, teams[name].hours_per_night),
                }
            )
            for name, minutes in left.items()
            if minutes
        }

    def _check_names(self, actions: list[str], teams: list[str]) -> None:
        named: list[tuple[str, str, Iterable[str], list[str]]] = [
            ("capacity", "action", self.capacity, actions),
            ("hours", "team", self.hours, teams),
            ("prior", "action", self.prior, actions),
            ("without", "action", dict.fromkeys(self.without), actions),
        ]
        problems = [
            f"whatif: --{option}: there is no {kind} {name!r}{nearest(name, there)}; found {sorted(there)}. "
            f"{'Name one of these.' if there else 'Write it into actions.teams first.'}"
            for option, kind, names, there in named
            for name in names
            if name not in there
        ]
        if set(actions) <= set(self.without):
            problems.append("whatif: --without leaves no action. Ask for --budget 0 to treat nobody.")
        if problems:
            raise ConfigError.of_all(problems)


def _belief(prior: Prior) -> str:
    spread = f", give or take {prior[1]:.1%}" if len(prior) > 1 else ""
    return f"{prior[0]:.1%} of those who would leave{spread}"
