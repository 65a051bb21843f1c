"""Which recipe a retraining trains after a rollback, told by versions alone: nothing is trained here."""

from collections.abc import Mapping, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from models.deployment import ModelVersion
from pipeline.training import choosing
from pipeline.training.choosing import Choice, choose
from pipeline.training.recipe import Recipe
from pipeline.training.retraining import _staying_words

AS_OF = date(2024, 6, 3)


def recipe(seed: int, churn: str = "a") -> Recipe:
    sections = {"churn": churn, "treated": "drop", "features": {}, "model": {}, "seed": seed}
    return Recipe(sections, ("orders",))


def version(number: int, made_by: Recipe, *, withdrawn: bool = False, config: str = "old") -> ModelVersion:
    return ModelVersion(
        version=number,
        sha256="0",
        trained_through=date(2024, 1, 1),
        promoted_for=AS_OF if config == "now" else date(2024, number, 1),
        withdrawn=withdrawn,
        withdrawn_because="calls doubled" if withdrawn else "",
        config_digest=config,
        dataset_digest="d",
        code_version="1",
        recipe_digest=made_by.digest,
    )


def chosen(
    monkeypatch: pytest.MonkeyPatch,
    configured: Recipe,
    versions: Sequence[ModelVersion],
    champion: Recipe,
    *,
    accept: bool = False,
) -> Choice:
    """Choose where a comparison, if it comes to one, says that it was made."""
    replaced: Mapping[str, Any] = {
        "Recipe": SimpleNamespace(of=lambda *_: configured),
        "config_digest": lambda _: "now",
        "_recipe_of": lambda *_: champion,
        "revive": lambda *_: SimpleNamespace(run="champion's", lost=()),
        "try_at": lambda *_: "trial",
        "challenge": lambda *_, **__: "compared",
    }
    for name, stand_in in replaced.items():
        monkeypatch.setattr(choosing, name, stand_in)
    at_work: Any = SimpleNamespace(
        reference=SimpleNamespace(as_of=date(2024, 5, 1)), versions=lambda: versions
    )
    return choose(at_work, at_work, at_work, at_work, as_of=AS_OF, accept=accept)


def test_a_new_meaning_of_churn_alone_may_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    found = chosen(monkeypatch, recipe(0, "b"), [version(1, recipe(0))], recipe(0))
    assert (found.is_configured, found.may_serve) == (True, True)
    assert "Only what churn means has changed since version 1" in found.words[0]


def test_a_meaning_of_churn_rolled_back_stays_away(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = [version(1, recipe(0)), version(2, recipe(0, "b"), withdrawn=True)]
    found = chosen(monkeypatch, recipe(0, "b"), versions, recipe(0))
    assert (found.is_configured, found.may_serve) == (True, False)
    assert "that of version 2, was rolled back (calls doubled)" in found.words[0]
    taken = chosen(monkeypatch, recipe(0, "b"), versions, recipe(0), accept=True)
    assert (taken.is_configured, taken.may_serve) == (True, True)


def test_a_recipe_rolled_back_leaves_the_champion_s(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = [version(1, recipe(0)), version(2, recipe(1), withdrawn=True)]
    found = chosen(monkeypatch, recipe(1), versions, recipe(0))
    assert (found.run, found.is_configured, found.may_serve) == ("champion's", False, True)


def test_a_recipe_taken_back_since_is_compared_again(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = [
        version(1, recipe(0)),
        version(2, recipe(1), withdrawn=True),
        version(3, recipe(1)),
        version(4, recipe(2)),
    ]
    assert "cannot be compared: compared" in chosen(monkeypatch, recipe(1), versions, recipe(2)).words[0]
    versions[2] = version(3, recipe(1), withdrawn=True)
    assert (
        "that of version 3, was rolled back" in chosen(monkeypatch, recipe(1), versions, recipe(2)).words[0]
    )


def test_a_promotion_before_the_rollback_pardons_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = [version(1, recipe(1)), version(2, recipe(1), withdrawn=True), version(3, recipe(0))]
    assert "version 2, was rolled back" in chosen(monkeypatch, recipe(1), versions, recipe(0)).words[0]


def test_the_same_retraining_again_is_no_pardon(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = [
        version(1, recipe(0)),
        version(2, recipe(1), withdrawn=True),
        version(3, recipe(1), config="now"),
    ]
    assert "version 2, was rolled back" in chosen(monkeypatch, recipe(1), versions, recipe(0)).words[0]


def test_a_rejected_first_model_leaves_nothing_in_service() -> None:
    def words(*versions: ModelVersion) -> str:
        registry: Any = SimpleNamespace(versions=lambda: versions)
        return _staying_words(registry)

    rejected = version(1, recipe(0)).model_copy(update={"promoted_for": None})
    assert words(rejected) == "Still no model is in service."
    assert words(rejected, version(2, recipe(0))) == "The champion in service stays."
