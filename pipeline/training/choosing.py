"""Which recipe a retraining trains and whether it may serve: the configured one, or the champion's once more."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from models.deployment import ModelVersion, promotion_order
from models.registry import Registry
from pipeline.run import Run
from pipeline.steps import config_digest
from pipeline.training.challenging import Challenge, challenge
from pipeline.training.evaluating import Trial, try_at
from pipeline.training.recipe import Recipe, revive
from tables.errors import RegistryError
from tables.history import History
from tables.storage import TEMPORARY, storage

CARD = "card.json"
_ACCEPT = "`retrain --accept-recipe` takes it all the same"


@dataclass(frozen=True)
class Choice:
    """The recipe to train.

    Attributes:
        run: the run that trains it.
        trial: the recipe at the newest date whose outcome is settled.
        is_configured: whether it is the configured recipe and not the champion's.
        may_serve: whether the model is to be promoted where it is sound.
        words: why, in sentences.
        challenge: the comparison behind it; nothing where there was none.
    """

    run: Run
    trial: Trial
    is_configured: bool
    may_serve: bool
    words: tuple[str, ...]
    challenge: Challenge | None = None

    def challenge_answer(self) -> dict[str, Any] | None:
        """Return what ``challenge.json`` holds, and whether the operator overruled it; nothing without one."""
        if self.challenge is None:
            return None
        overruled = self.is_configured and not self.challenge.verdict.challenger_wins
        return {**self.challenge.answer(), "overruled": overruled}


def choose(
    run: Run, history: History, newest: Trial, registry: Registry, *, as_of: date, accept: bool = False
) -> Choice:
    """Say which recipe to train: the champion's is kept unless another is shown to be better.

    Args:
        run: the run with the configured recipe.
        history: the validated history.
        newest: the configured recipe at the newest date whose outcome is settled.
        registry: the models so far.
        as_of: date of the retraining.
        accept: take the configured recipe whatever is found.
    """
    recipe, versions = Recipe.of(run, history), _before(run, registry.versions(), as_of)
    usable = [one for one in versions if one.in_service and one.usable_from <= as_of]
    champion = max(usable, key=promotion_order, default=None)
    configured = Choice(run, newest, is_configured=True, may_serve=True, words=())
    if champion is None:
        return _said(configured, "No model is in service for this date: nothing to compare with.")
    if champion.recipe_digest == recipe.digest:
        return _said(configured, f"The recipe of version {champion.version} in service, trained afresh.")
    found = _compared(run, history, newest, registry, champion, recipe, versions)
    if accept and not (found.is_configured and found.may_serve):
        overruled = replace(configured, words=found.words, challenge=found.challenge)
        return _said(overruled, "The operator takes the configured recipe all the same (--accept-recipe).")
    return found


def _before(run: Run, versions: Sequence[ModelVersion], as_of: date) -> list[ModelVersion]:
    """Return versions less what the same retraining put in service before: run again it decides alike."""
    own = (as_of, config_digest(run))
    return [one for one in versions if not (one.in_service and (one.promoted_for, one.config_digest) == own)]


def _compared(
    run: Run,
    history: History,
    newest: Trial,
    registry: Registry,
    champion: ModelVersion,
    recipe: Recipe,
    versions: Sequence[ModelVersion],
) -> Choice:
    """Compare the configured recipe with that of the champion, where that can be done."""
    unknown = Choice(run, newest, is_configured=True, may_serve=False, words=())
    stored = _recipe_of(run, registry, champion)
    if isinstance(stored, str):
        return _said(unknown, f"The recipe has changed and cannot be compared: {stored}; {_ACCEPT}.")
    gone = _rolled_back(versions, recipe)
    if stored.own == recipe.own:
        words = f"Only what churn means has changed since version {champion.version}: the recipe is the same."
        return _said(replace(unknown, may_serve=gone is None), _rolled_back_words(gone) if gone else words)
    theirs = revive(stored, run, history)
    if isinstance(theirs, str):
        why = f"the recipe of version {champion.version} cannot be trained again, {theirs}"
        return _said(unknown, f"The recipe has changed and cannot be compared: {why}; {_ACCEPT}.")
    if gone is not None:
        trial = try_at(theirs.run, history, newest.reference.as_of)
        kept = Choice(theirs.run, trial, is_configured=False, may_serve=True, words=())
        return _said(kept, _rolled_back_words(gone))
    found = challenge(
        run, history, newest, champion=theirs.run, champion_version=champion.version, lost=theirs.lost
    )
    if isinstance(found, str):
        return _said(unknown, f"The recipe has changed and cannot be compared: {found}; {_ACCEPT}.")
    return _decided(replace(unknown, may_serve=True), found, theirs.run)


def _decided(configured: Choice, found: Challenge, champion: Run) -> Choice:
    """Return the winner of a challenge."""
    told = replace(configured, words=tuple(found.words), challenge=found)
    if found.verdict.challenger_wins:
        return told
    return replace(told, run=champion, trial=found.bouts[0].champion, is_configured=False)


def _recipe_of(run: Run, registry: Registry, champion: ModelVersion) -> Recipe | str:
    """Read the recipe of a version from its verified card, or say why not."""
    with (
        storage(run.workspace),
        tempfile.TemporaryDirectory(prefix=f"{TEMPORARY}champion-", dir=run.workspace) as scratch,
    ):
        try:
            files = registry.fetch(champion.version, Path(scratch) / "model")
        except RegistryError as error:
            return str(error)
        stored = json.loads((files.model / CARD).read_text()).get("recipe")
    return (
        f"version {champion.version} was registered without its recipe"
        if stored is None
        else Recipe.from_json(stored)
    )


def _rolled_back(versions: Sequence[ModelVersion], recipe: Recipe) -> ModelVersion | None:
    """Return the version with which a recipe was withdrawn, unless a later one of it is in service since.

    A person decided that, and no rule undoes it. One that serves since was accepted by a person, or shows that
    it was not the recipe.
    """
    tried = [
        one for one in versions if (one.withdrawn or one.in_service) and one.recipe_digest == recipe.digest
    ]
    last = max(tried, key=promotion_order, default=None)
    return last if last is not None and last.withdrawn else None


def _rolled_back_words(gone: ModelVersion) -> str:
    why = f" ({gone.withdrawn_because})" if gone.withdrawn_because else ""
    return f"The configured recipe, that of version {gone.version}, was rolled back{why}; {_ACCEPT}."


def _said(choice: Choice, words: str) -> Choice:
    return replace(choice, words=(*choice.words, words))
