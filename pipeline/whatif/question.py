"""A question to the planner: what is changed, in words, and the configuration that it makes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import yaml

from actions.allocation.limit_settings import Team
from actions.catalogue import load_catalogue
from pipeline.run import Run
from tables.errors import ConfigError
from tables.yaml_lines import load_yaml_with_lines, nearest

Prior = tuple[float, ...]


@dataclass(frozen=True)
class Question:
    """What is to be different from the present plan.

    Attributes:
        budget: money per period of the configured budget, currency units.
        capacity: most customers per night, by action.
        prior: believed relative reduction of churn, and its standard deviation where given, by action.
        threshold: only customers of at least that churn risk get anything.
        without: actions that are taken away.
        catalogue: another catalogue, such as one with a new action.
    """

    budget: float | None = None
    capacity: Mapping[str, int] = field(default_factory=dict)
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
        prior: Sequence[tuple[str, Prior]],
        threshold: float | None,
        without: tuple[str, ...],
        catalogue: Path | None,
    ) -> Self:
        """Collect what the command line says; the last word on an action counts.

        Raises:
            ConfigError: if a capacity is no whole number of customers.
        """
        wrong = [name for name, (most,) in capacity if most < 0 or most % 1]
        if wrong:
            raise ConfigError(
                f"whatif: --capacity of {', '.join(wrong)} is no whole number of customers. Write it as name=60."
            )
        places = {name: int(most) for name, (most,) in capacity}
        return cls(budget, places, dict(prior), threshold, without, catalogue)

    @property
    def changes_rules(self) -> bool:
        """Whether more than the money is different."""
        return replace(self, budget=None) != Question()

    def words(self, run: Run) -> list[str]:
        """Say what is different, one sentence a change."""
        budget, currency = run.config.actions.budget, run.config.currency
        told = [f"The catalogue is {self.catalogue}."] if self.catalogue else []
        if self.budget is not None:
            told.append(
                f"The budget is {self.budget:,.2f} {currency} per {budget.per} instead of {budget.amount:,.2f}."
            )
        told += [f"At most {most:,} customers a night get {name}." for name, most in self.capacity.items()]
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
            ConfigError: naming every action the catalogue does not have, and every value it cannot take.
        """
        actions, target = run.config.actions, folder / "actions.yaml"
        target.write_text(self._catalogue(self.catalogue or actions.catalogue), encoding="utf-8")
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

    def _catalogue(self, path: Path) -> str:
        load_catalogue(path)  # its own mistakes are told with its own lines
        entries: dict[str, Any] = load_yaml_with_lines(path)[0]["actions"]
        self._check_names(entries)
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
        """Leave to each team the actions that there still are."""
        left = {
            name: {
                action: time
                for action, time in team.minutes_per_contact.items()
                if action not in self.without
            }
            for name, team in teams.items()
        }
        return {
            name: teams[name].model_copy(update={"minutes_per_contact": minutes})
            for name, minutes in left.items()
            if minutes
        }

    def _check_names(self, entries: Mapping[str, Any]) -> None:
        named = {"capacity": self.capacity, "prior": self.prior, "without": dict.fromkeys(self.without)}
        problems = [
            f"whatif: --{option}: there is no action {name!r}{nearest(name, list(entries))}; found {sorted(entries)}. "
            "Name one of these."
            for option, names in named.items()
            for name in names
            if name not in entries
        ]
        if set(entries) <= set(self.without):
            problems.append("whatif: --without leaves no action. Ask for --budget 0 to treat nobody.")
        if problems:
            raise ConfigError.of_all(problems)


def _belief(prior: Prior) -> str:
    spread = f", give or take {prior[1]:.1%}" if len(prior) > 1 else ""
    return f"{prior[0]:.1%} of those who would leave{spread}"
