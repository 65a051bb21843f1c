"""The recipe of a model: what decides how it is trained, kept with every version so that it can be cooked again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from pydantic import ValidationError

from features.build import feature_names
from models.settings import ModelSettings
from pipeline.feature_config import FeatureConfig
from pipeline.run import Run
from pipeline.snapshots import feature_builders, feature_settings
from tables.errors import ConfigError, KeepwellError
from tables.history import History

_DEFINITION = ("churn", "treated")
"""What says who is watched, who left and who counts: the same for everybody who is compared."""

_OWN = ("features", "model", "seed")
"""Sections in which recipes differ."""


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes:
        sections: the sections of the configuration that decide it, as JSON values.
        features: names of the features it learns from.
    """

    sections: Mapping[str, Any]
    features: tuple[str, ...]

    @classmethod
    def of(cls, run: Run, history: History) -> Self:
        """Return the recipe that a configuration and the columns of a history make."""
        sections = run.config.model_dump(mode="json", include={"churn", *_OWN})
        sections["treated"] = sections["model"].pop("treated")
        names = feature_names(history, feature_settings(run), feature_builders(run))
        return cls(sections, run.learns_from or names)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read what ``to_json`` gave."""
        return cls(stored["sections"], tuple(stored["features"]))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, for the card of a version."""
        return {"sections": dict(self.sections), "features": list(self.features)}

    @property
    def digest(self) -> str:
        """Digest of all of it."""
        return _digest(self.to_json())

    @property
    def own(self) -> str:
        """Digest of what is its own; recipes alike in it differ at most in what churn means."""
        return _digest({"features": list(self.features), **{name: self.sections.get(name) for name in _OWN}})

    @property
    def definition(self) -> str:
        """Digest of who is watched, who left and who counts."""
        return _digest({name: self.sections.get(name) for name in _DEFINITION})


@dataclass(frozen=True)
class Revived:
    """A stored recipe under today's definition of churn, sources and history.

    Attributes:
        run: the run that trains it.
        lost: features it learned from that the history no longer gives.
    """

    run: Run
    lost: tuple[str, ...]


def revive(recipe: Recipe, run: Run, history: History) -> Revived | str:
    """Return the run that trains a stored recipe today, or why there is none.

    What churn means is today's: recipes are compared on the same customers and labels. Features that the
    history no longer gives cannot be learned from again; the recipe goes on with those that are left, for
    that is all that could serve from now on.
    """
    try:
        settings = {**recipe.sections["model"], "treated": run.config.model.treated}
        config = run.config.model_copy(
            update={
                "features": FeatureConfig.model_validate(recipe.sections["features"]),
                "model": ModelSettings.model_validate(settings),
                "seed": recipe.sections["seed"],
            }
        )
        same = replace(run, config=config, learns_from=())
        given = set(feature_names(history, feature_settings(same), feature_builders(same)))
    except (KeyError, ValidationError, KeepwellError) as error:
        return f"its settings no longer fit: {str(error).splitlines()[0]}"
    left = tuple(name for name in recipe.features if name in given)
    if not left:
        return f"the history gives none of its {len(recipe.features)} features any more"
    return Revived(replace(same, learns_from=left), tuple(sorted(set(recipe.features) - given)))


def serving_run(run: Run, history: History, card: Mapping[str, Any]) -> Run:
    """Return the run that builds the features of the model in service: by its own recipe, not by the configured one.

    So a night goes on while a changed configuration waits for its retraining, or has lost against the champion.

    Args:
        run: the run of the night.
        history: the validated history.
        card: the card of the model in service.

    Raises:
        ConfigError: if the model was trained for another meaning of churn.
    """
    if "recipe" not in card:
        return run
    recipe, configured = Recipe.from_json(card["recipe"]), run.config.churn.model_dump(mode="json")
    trained_for = recipe.sections["churn"]
    changed = [name for name in configured if configured[name] != trained_for.get(name)]
    if changed:
        told = ", ".join(f"{name} {trained_for.get(name)}, now {configured[name]}" for name in changed)
        raise ConfigError(
            f"nightly: the model in service was trained for another meaning of churn; found {told}. Put it back, or "
            "run `keepwell retrain` first."
        )
    revived = revive(recipe, run, history)
    return run if isinstance(revived, str) else revived.run


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
