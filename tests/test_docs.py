"""The documents tell the truth: every key, every published column, every command."""

import re
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from pipeline.config import Config
from pipeline.training.snapshot_config import SnapshotConfig

ROOT = Path(__file__).parents[1]
# Documented as one row each: their inner keys are explained in it.
WHOLE = {"sources.filters", "sources.returns", "sources.lookups", "sources.csv",
         "sources.times", "sources.durations", "sources.happenings", "actions.control.salts",
         "actions.rules.channel_caps", "demo.shop", "leaderboard.goals",
         "leaderboard.far_goals"}  # fmt: skip


def models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in models_in(inner)]


def keys(model: type[BaseModel], path: str = "") -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        here = f"{path}{name}"
        inner = models_in(field.annotation)
        found += keys(inner[0], f"{here}.") if inner and here not in WHOLE else [here]
    return found


def documented(table: str) -> set[str]:
    names: set[str] = set()
    for row in re.findall(r"^\| (.*?) \|", table, flags=re.MULTILINE):
        names |= set(re.findall(r"`([^`]+)`", row))
    return names


def test_every_configuration_key_is_documented_and_no_other() -> None:
    text = (ROOT / "docs/configuration.md").read_text().split("## Published tables")[0]
    told = {name.replace("sources.orders", "sources") for name in documented(text)} - {"sources"}
    assert told == set(keys(Config))


def test_every_key_of_a_ready_made_snapshot_is_documented() -> None:
    text = (ROOT / "docs/configuration.md").read_text().split("## Ready-made snapshots")[1]
    own = {name for name in keys(SnapshotConfig) if name.startswith("snapshot.")}
    assert {name for name in documented(text) if name.startswith("snapshot.")} == own


def test_no_file_names_a_package_registry_or_address_in_a_lock() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        assert re.findall(r"https?://|--index-url|--find-links", lock.read_text()) == []


def test_every_file_a_document_links_to_is_there() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
