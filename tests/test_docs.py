"""The documents tell the truth: every key, every published column, every command."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import click
from pydantic import BaseModel

from actions.catalogue import Language, Purpose
from actions.rules import contacts, standing
from actions.rules.channels import ANSWERING_EVENTS
from features import events, holidays, surveys
from pipeline import columns
from pipeline.cli import keepwell
from pipeline.config import Config
from pipeline.training.snapshot_config import SnapshotConfig
from tables.contracts import DECLARED

ROOT = Path(__file__).parents[1]
# Documented as one row each: their inner keys are explained in it.
WHOLE = {"sources.filters", "sources.returns", "sources.lookups", "sources.csv",
         "sources.times", "sources.durations", "sources.happenings", "actions.control.salts",
         "actions.rules.channel_caps", "demo.shop", "leaderboard.goals",
         "leaderboard.far_goals"}  # fmt: skip

# What the code looks for in the columns of a table.
WORDS = {
    "consents": (standing.MARKETING, standing.PROFILING),
    "customers": get_args(Language),
    "contacts": (*get_args(Purpose), contacts.OWN_TEAM, contacts.NOT_DELIVERED, "control"),
    "events": (*ANSWERING_EVENTS, *events._USES, *events._ERRORS, *events._POSITIVE),
    "surveys": tuple(surveys._KINDS),
    "tickets": ("complaint", "how_to"),
    "calendar": holidays._KINDS,
}


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


def defaults_in(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        inner = models_in(field.annotation)
        if inner and f"{path}{name}" not in WHOLE:
            yield from defaults_in(inner[0], f"{path}{name}.")
        else:
            yield f"{path}{name}", "required" if field.is_required() else field.default


def is_told(default: Any, cell: str) -> bool:
    if isinstance(default, int | float) and not isinstance(default, bool):
        return float(cell) == default
    return str(default).lower() == cell.lower()


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


def test_every_default_told_is_that_of_the_code() -> None:
    text = (ROOT / "docs/configuration.md").read_text().split("## Published tables")[0]
    told = dict(re.findall(r"^\| \**`([^`]+)`\** \| .* \| (.*?) \|$", text, flags=re.MULTILINE))
    defaults = {key.replace("sources.", "sources.orders."): default for key, default in defaults_in(Config)}
    literal = {
        key: cell.strip("`").replace(",", "")
        for key, cell in told.items()
        if re.fullmatch(r"`[^`\[]+`|[\d.,]+|true|false|required", cell) and key in defaults
    }
    wrong = {key: cell for key, cell in literal.items() if not is_told(defaults[key], cell)}
    assert len(literal) > 60 and wrong == {}


def test_every_column_a_source_may_deliver_is_documented() -> None:
    text = columns.told()["text"]
    assert text in (ROOT / "docs/data.md").read_text(), "print it by `keepwell config columns`"
    assert all(column.meaning for table in DECLARED.values() for column in table.columns)
    by_name = re.split(r"^### ", text, flags=re.MULTILINE)
    for table, words in WORDS.items():
        (told,) = (part for part in by_name if part.startswith(f"{table}\n"))
        assert [word for word in words if f"`{word}`" not in told] == []


def test_no_file_names_a_package_registry_or_address_in_a_lock() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        assert re.findall(r"https?://|--index-url|--find-links", lock.read_text()) == []


def test_every_file_a_document_links_to_is_there() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_document_is_reached_from_the_readme() -> None:
    reached, ahead = set(), [ROOT / "README.md"]
    while ahead:
        document = ahead.pop()
        reached.add(document)
        linked = [document.parent / name for name in re.findall(r"\]\(([^)#:]+\.md)", document.read_text())]
        ahead += [path.resolve() for path in linked if path.resolve() not in reached]
    assert {*ROOT.glob("docs/*.md"), ROOT / "CONTRIBUTING.md"} <= reached


def test_every_option_named_in_a_document_exists() -> None:
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for name, words in re.findall(r"keepwell ([a-z]+)\b([^`\n]*)", document.read_text()):
            command = keepwell.commands[name]
            inner = command.commands.values() if isinstance(command, click.Group) else [command]
            known = {option for each in inner for parameter in each.params for option in parameter.opts}
            unknown = set(re.findall(r"(?<= )--?[a-z][a-z-]*", words)) - known
            assert not unknown, f"{document.name}: keepwell {name} has no {unknown}"
