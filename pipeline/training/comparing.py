"""What tables are worth: the recipe with and without their features, at one date, on the same customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from features.build import feature_names
from models.evaluation import Row, evaluate_models, paired_differences
from pipeline.run import Run
from pipeline.snapshots import feature_builders, feature_settings
from pipeline.training.evaluating import Trial, try_at
from tables.errors import ConfigError, DataError
from tables.history import History
from tables.yaml_lines import nearest

FULL = "all tables"
_TOLD = ("auc", "log_loss")


@dataclass(frozen=True)
class Comparison:
    """The full recipe beside those that lack something: the features of some tables, or an ingredient.

    Attributes:
        as_of: the date.
        customers: size of the population, the same for all.
        churn_rate: share that churned.
        models: one row of metrics per recipe, the full one first.
        gains: per shortened recipe and metric, what the full one has over it.
        members: weight of each ranking member of the full recipe.
        steps: per table and metric, what the table adds to the recipe of those before it.
    """

    as_of: date
    customers: int
    churn_rate: float
    models: Sequence[Row]
    gains: Sequence[Row]
    members: Mapping[str, float]
    steps: Sequence[Row] = ()

    def answer(self, horizon_days: int) -> dict[str, Any]:
        """Return what ``keepwell evaluate --json`` prints with ``--without`` or ``--ablate``."""
        return {
            "as_of": self.as_of.isoformat(),
            "horizon_days": horizon_days,
            "n": self.customers,
            "churn_rate": self.churn_rate,
            "models": [dict(row) for row in self.models],
            "gains": [dict(row) for row in self.gains],
            "members": dict(self.members),
            **({"steps": [dict(row) for row in self.steps]} if self.steps else {}),
        }

    def lines(self) -> str:
        """Return recipes and differences as tables for people."""
        first = self.models[0]["name"]
        width = max(len(str(row["name"])) for row in self.models) + 13
        models = [
            f"{row['name']:{width}}{row['auc']:8.4f}   [{row['auc_low']:.3f}, {row['auc_high']:.3f}]"
            f"{row['log_loss']:10.4f}{row['ece']:8.3f}"
            for row in self.models
        ]
        apart = f"{'AUC':>9}{'95 % interval':>20}{'log loss':>10}{'95 % interval':>20}"
        return "\n".join(
            [
                f"{self.as_of}: {self.customers:,} customers, {self.churn_rate:.1%} churned",
                f"{'recipe':{width}}{'AUC':>8}{'95 % interval':>17}{'log loss':>10}{'ECE':>8}",
                *models,
                f"\n{f'{first} less':{width}}{apart}",
                *_differences(self.gains, width),
                *([f"\n{'each table adds':{width}}{apart}"] if self.steps else []),
                *_differences(self.steps, width),
            ]
        )


def compare_without(run: Run, history: History, as_of: date, tables: Sequence[str]) -> Comparison:
    """Evaluate the recipe, then without the last of some tables, without the last two, down to without all.

    Args:
        run: the run.
        history: the validated history.
        as_of: date of the evaluation.
        tables: tables whose features are left out, in the order in which they were added.

    Raises:
        ConfigError: naming every table that is unknown, absent, or gives no features.
    """
    _check(run, history, tables)
    names = [f"without {', '.join(tables[-last:])}" for last in range(1, len(tables) + 1)]
    run.progress(f"evaluate at {as_of}: {FULL}")
    full = try_at(run, history, as_of)
    risks = {FULL: full.risk}
    for last, name in enumerate(names, start=1):
        run.progress(f"evaluate at {as_of}: {name}")
        risks[name] = _risk_of_same(full, try_at(shortened(run, tables[-last:]), history, as_of))
    run.progress(f"evaluate at {as_of}: differences")
    steps = [
        row | {"name": table}
        for table, pair in zip(reversed(tables), pairwise(risks.items()), strict=True)
        for row in _gains(full, dict(pair), run.config.seed)
    ]
    return replace(compared(full, risks, run.config.seed), steps=steps)


def compared(full: Trial, risks: Mapping[str, npt.NDArray[np.float64]], seed: int) -> Comparison:
    """Set recipes beside each other on the customers of one date.

    Args:
        full: the trial of the full recipe.
        risks: churn risk of these customers by name of the recipe, the full one first.
        seed: seed of the bootstrap.
    """
    return Comparison(
        as_of=full.reference.as_of,
        customers=len(full.churned),
        churn_rate=float(np.average(full.churned, weights=full.weight)),
        models=evaluate_models(full.churned, risks, full.customer, seed, weight=full.weight),
        gains=_gains(full, risks, seed),
        members=full.model.members_.weights,
    )


def _gains(full: Trial, risks: Mapping[str, npt.NDArray[np.float64]], seed: int) -> list[Row]:
    """Say what the first recipe has over each of the others."""
    return paired_differences(
        full.churned, risks, full.customer, seed, challenger=next(iter(risks)), weight=full.weight
    )


def _risk_of_same(full: Trial, trial: Trial) -> npt.NDArray[np.float64]:
    if not np.array_equal(trial.customer, full.customer):
        raise DataError(
            f"evaluation: recipes of other tables speak of other customers; found {len(full.customer)} and "
            f"{len(trial.customer)}. Report this: features may not decide who is watched."
        )
    return trial.risk


def shortened(run: Run, tables: Sequence[str]) -> Run:
    """Return the run without the features of some tables."""
    features = run.config.features
    without = (*features.without, *tables)
    shorter = features.model_copy(update={"without": without})
    return replace(run, config=run.config.model_copy(update={"features": shorter}))


def _check(run: Run, history: History, tables: Sequence[str]) -> None:
    known = sorted({table for builder in feature_builders(run) for table in builder.needs} - {"orders"})
    problems = []
    for table in tables:
        if tables.count(table) > 1:
            problems.append(f"evaluate: --without: {table!r} is named twice. Name each table once.")
        elif table not in known:
            problems.append(
                f"evaluate: --without: {table!r} is no table that gives features{nearest(table, known)}; "
                f"found {known}. Name some of these."
            )
        elif _names(run, history) == _names(shortened(run, [table]), history):
            problems.append(
                f"evaluate: --without: no feature comes from {table!r}; the sources do not deliver it, or "
                "too little of it. Leave it out."
            )
    if problems:
        raise ConfigError.of_all(list(dict.fromkeys(problems)))


def _names(run: Run, history: History) -> tuple[str, ...]:
    return feature_names(history, feature_settings(run), feature_builders(run))


def _differences(rows: Sequence[Row], width: int) -> list[str]:
    """Write the differences of each recipe in the metrics that are told, one line each."""
    told: dict[str, str] = {}
    for row in rows:
        if row["metric"] in _TOLD:
            name = str(row["name"])
            interval = f"[{row['low']:+.4f}, {row['high']:+.4f}]"
            told[name] = told.get(name, f"{name:{width}}") + f"{row['difference']:+9.4f}{interval:>20} "
    return [line.rstrip() for line in told.values()]
