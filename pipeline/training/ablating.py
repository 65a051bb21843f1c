"""What each ingredient of the model is worth: features built once, then the recipe with one of them changed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import get_args

import numpy as np

from models.evaluation import Row
from models.settings import Level, Recipe
from pipeline.retrain_folder import as_json
from pipeline.run import Run
from pipeline.snapshots import Training, cap_customers
from pipeline.training.comparing import Comparison, compared
from pipeline.training.evaluating import fit, try_at
from pipeline.training.recipe import Recipe as RecipeRecord
from tables.history import History
from tables.storage import storage, write_text

FULL = "full recipe"
_SWITCHES = (
    ("trees without z-scores", "within_date", False),
    ("without fixed effects", "fixed_effects", False),
    ("equal weights", "stacking", "equal"),
    ("without slope", "slope", False),
    *((f"level {level}", "level", level) for level in get_args(Level)),
)


def ablate(run: Run, history: History, as_of: date) -> Comparison:
    """Evaluate the configured recipe, then without each of its ingredients, and with half the training rows.

    Args:
        run: the run.
        history: the validated history.
        as_of: date of the evaluation.
    """
    full = try_at(run, history, as_of)
    risks = {FULL: full.risk}
    for name, recipe in shortened(run.config.model.recipe, members=list(full.model.members_.weights)):
        run.progress(f"evaluate at {as_of}: {name}")
        risks[name] = full.risk_by(fit(_with_recipe(run, recipe), full.known))
    halved = half(run, history, full.known)
    run.progress(f"evaluate at {as_of}: half of the customers")
    risks[f"{len(halved.churned):,} of {len(full.known.churned):,} rows"] = full.risk_by(fit(run, halved))
    run.progress(f"evaluate at {as_of}: differences")
    return compared(full, risks, run.config.seed)


def keep_ablation(run: Run, history: History, found: Comparison) -> Comparison:
    """Keep what an ablation found, for the report of a training that is judged at the same date."""
    kept = {**_made_of(run, history), "gains": [dict(row) for row in found.gains]}
    with storage(run.workspace):
        _place(run, found.as_of).parent.mkdir(exist_ok=True)
        write_text(as_json(kept), _place(run, found.as_of))
    return found


def kept_ablation(run: Run, history: History, as_of: date) -> list[Row]:
    """Return what an ablation of this very recipe and history found at a date, nothing where none was run."""
    if not _place(run, as_of).exists():
        return []
    kept = json.loads(_place(run, as_of).read_text())
    return list(kept["gains"]) if _made_of(run, history).items() <= kept.items() else []


def shortened(recipe: Recipe, *, members: list[str]) -> Iterator[tuple[str, Recipe]]:
    """Name every recipe that has one ingredient less or another source of the level.

    Args:
        recipe: the full one.
        members: the ranking members it turned out to have.

    >>> [name for name, _ in shortened(Recipe(level="own"), members=["boosting", "ridge"])][:3]
    ['without boosting', 'without ridge', 'trees without z-scores']
    """
    for member in members if len(members) > 1 else ():
        kept = tuple(name for name in recipe.members if name != member)
        yield f"without {member}", recipe.model_copy(update={"members": kept})
    for name, key, value in _SWITCHES:
        if getattr(recipe, key) != value:
            yield name, recipe.model_copy(update={key: value})


def half(run: Run, history: History, known: Training) -> Training:
    """Keep the rows of about half the customers, those that half of ``max_rows`` would keep."""
    model = run.config.model.model_copy(update={"max_rows": len(known.churned) // 2})
    fewer = replace(run, config=run.config.model_copy(update={"model": model}))
    keep = cap_customers(fewer, history, known.rows_before_cap)
    kept = np.ones(len(known.churned), np.bool_) if keep is None else keep(known.customer)
    return replace(
        known,
        features=known.features[kept].reset_index(drop=True),
        churned=known.churned[kept],
        as_of=known.as_of[kept],
        customer=known.customer[kept],
        weight=None if known.weight is None else known.weight[kept],
    )


def _made_of(run: Run, history: History) -> dict[str, str]:
    return {"recipe": RecipeRecord.of(run, history).digest, "history": history.digest}


def _place(run: Run, as_of: date) -> Path:
    return run.workspace / "ablations" / f"as_of={as_of}.json"


def _with_recipe(run: Run, recipe: Recipe) -> Run:
    model = run.config.model.model_copy(update={"recipe": recipe})
    return replace(run, config=run.config.model_copy(update={"model": model}))
