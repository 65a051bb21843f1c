"""YAML that remembers where each key stands, so that every complaint names its file and line."""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from yaml.reader import ReaderError

from tables.errors import ConfigError

Key = tuple[str | int, ...]
Place = int | str
Places = Mapping[Key, Place]
Model = TypeVar("Model", bound=BaseModel)
Parents = tuple[yaml.Node, ...]
_LONGEST_SHOWN = 60
_DIGITS = "-+.0123456789"


class _PlainLoader(yaml.SafeLoader):
    """Safe YAML whose words stay words: under YAML 1.1 the region ``NO`` is false and ``12:30`` is 750."""


_PlainLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(0|[1-9][0-9_]*)", _DIGITS),
    ("float", r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", _DIGITS),
    ("timestamp", r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "0123456789"),
):
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)


class _Reading:
    """Turn one composed document into plain values, noting lines and collecting problems."""

    def __init__(self, loader: _PlainLoader) -> None:
        self.loader = loader
        self.lines: dict[Key, int] = {(): 1}
        self.problems: list[tuple[int, str]] = []

    def value(self, node: yaml.Node, path: Key, above: Parents = ()) -> Any:
        if node in above:
            self.problem(node, path, "an alias contains itself")
            return None
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path, (*above, node))
        if isinstance(node, yaml.SequenceNode):
            return [self.item(child, (*path, at), (*above, node)) for at, child in enumerate(node.value)]
        try:
            return self.loader.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            self.problem(node, path, f"{getattr(error, 'problem', None) or error}; found {node.value!r}")
            return None

    def mapping(self, node: yaml.MappingNode, path: Key, above: Parents) -> dict[str | int, Any]:
        found: dict[str | int, Any] = {}
        for key_node, value_node in node.value:
            key = self.key(key_node, path)
            if key is None:
                continue
            here = (*path, key)
            if key in found:
                first = self.lines[here]
                self.problem(key_node, here, f"a second time; first on line {first}. Keep one")
                continue
            self.lines[here] = key_node.start_mark.line + 1
            found[key] = self.value(value_node, here, above)
        return found

    def key(self, node: yaml.Node, path: Key) -> str | int | None:
        key: Hashable = None
        if isinstance(node, yaml.ScalarNode) and node.tag != "tag:yaml.org,2002:merge":
            key = self.loader.construct_object(node)
        if isinstance(key, str | int) and not isinstance(key, bool) and key != "<<":
            return key
        self.problem(node, path, "a key must be a word or a whole number. Put it in quotes or write it out")
        return None

    def item(self, node: yaml.Node, path: Key, above: Parents) -> Any:
        self.lines[path] = node.start_mark.line + 1
        return self.value(node, path, above)

    def problem(self, node: yaml.Node, path: Key, what: str) -> None:
        self.problems.append((node.start_mark.line + 1, f"{dotted(path)}: {what}" if path else what))


@dataclass(frozen=True)
class Document:
    """A YAML file as read, with the place of every key and what is wrong with its text.

    Attributes:
        path: the file.
        content: plain values; of a key that stands there twice, the first.
        places: for each key path, such as ``("sources", 0, "file")``, its line counted from 1, or the name of the
            variable that sets it; the empty path stands for the whole file.
        problems: line and complaint for every repeated or unusable key.
    """

    path: Path
    content: dict[str | int, Any]
    places: Places
    problems: tuple[tuple[Place, str], ...] = ()

    def validated(self, model: type[Model]) -> Model:
        """Return the content as a model.

        Raises:
            ConfigError: with every problem of the text and of the values together, in order of lines; a value that
                cannot be read is complained of once.
        """
        found = list(self.problems)
        unusable = {place for place, _ in found}
        try:
            valid = model.model_validate(self.content)
        except ValidationError as error:
            said = [_described(details, self.places, model) for details in error.errors(include_url=False)]
            found += [(place, what) for place, what in said if place not in unusable]
        if found:
            raise ConfigError.of_all(_in_order(self.path, found))
        return valid


def read_yaml(path: Path) -> Document:
    """Read a YAML file whose top level is a mapping; repeated and unusable keys wait in its problems.

    Only ``true`` and ``false`` are booleans (``NO`` is Norway), and only whole dates are dates.

    Raises:
        ConfigError: if the file cannot be read, is no YAML, or has no mapping at the top.
    """
    text = _text(path)
    try:
        loader = _PlainLoader(text)
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}:{_broken(error, text)}. Check indentation and quotes.") from error
    if not isinstance(node, yaml.MappingNode):
        found = "nothing" if node is None else type(node).__name__.removesuffix("Node").lower()
        raise ConfigError(f"{path}:1: the file must hold `key: value` lines; found {found}.")
    reading = _Reading(loader)
    content = reading.mapping(node, (), (node,))
    return Document(path, content, reading.lines, tuple(reading.problems))


def load_yaml(path: Path) -> dict[str | int, Any]:
    """Return what a YAML file holds.

    Raises:
        ConfigError: as :func:`read_yaml` does, and if it repeats a key; every such key is named at once.
    """
    document = read_yaml(path)
    if document.problems:
        raise ConfigError.of_all(_in_order(path, document.problems))
    return document.content


def dotted(path: Key) -> str:
    """Write a key path as people do.

    Examples:
        >>> dotted(("sources", 0, "file"))
        'sources[0].file'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def place_of(path: Key, places: Places) -> Place:
    """Return the place of a key, or of the innermost section around it that stands anywhere."""
    return next(places[path[:depth]] for depth in range(len(path), -1, -1) if path[:depth] in places)


def nearest(word: object, names: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    """Return `` (did you mean x)`` for the nearest of some names, or nothing where none is near.

    Examples:
        >>> nearest("chanel", ["channel", "kind"])
        ' (did you mean channel)'
        >>> nearest("xyz", ["channel", "kind"])
        ''
    """
    near = get_close_matches(str(word), list(names), n=1)
    return f" (did you mean {near[0]})" if near else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        beside = nearest(path.name, [other.name for other in path.parent.glob("*.y*ml")])
        raise ConfigError(f"{path}: there is no such file{beside}. Check the path.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the file cannot be read as UTF-8 text; {error}.") from error


def _broken(error: yaml.YAMLError, text: str) -> str:
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return f"{line}: not valid YAML: a control character"
    mark = getattr(error, "problem_mark", None)
    return f"{mark.line + 1 if mark else 1}: not valid YAML: {getattr(error, 'problem', None) or error}"


def _in_order(path: Path, problems: Iterable[tuple[Place, str]]) -> list[str]:
    """Write each problem once: those of variables by their names, then those of the file by line."""
    ordered = dict.fromkeys(sorted(problems, key=lambda pair: (isinstance(pair[0], int), pair[0])))
    return [
        f"{path}:{place}: {what}" if isinstance(place, int) else f"{place}: {what}" for place, what in ordered
    ]


def _described(details: ErrorDetails, places: Places, model: type[BaseModel]) -> tuple[Place, str]:
    path = _real_path(details, places)
    place = place_of(path, places)
    key = f"{dotted(path)}: " if path else ""
    match details["type"]:
        case "missing":
            return place, f"{key}is required and missing"
        case "extra_forbidden":
            allowed = _field_names(model, path[:-1])
            advice = nearest(path[-1], allowed) or f"; allowed are {', '.join(allowed)}"
            return place, f"{key}there is no such key{advice}"
        case "model_type" | "dict_type" if path:
            found = "nothing" if details["input"] is None else _shown(details["input"])
            return place, f"{key}must hold keys with values, as in {{key: value}}; found {found}"
    message = details["msg"].removeprefix("Value error, ")
    message = (message[:1].lower() + message[1:]).removesuffix(".")
    expected = re.findall(r"'([^']*)'", str(details.get("ctx", {}).get("expected", "")))
    found = "" if isinstance(details["input"], Mapping) else f"; found {_shown(details['input'])}"
    setters = _variables_behind(path, message, places) if isinstance(place, int) else []
    told = f"; {', '.join(setters)} set{'s' * (len(setters) == 1)} a part of it" if setters else ""
    return place, f"{key}{message}{found}{nearest(details['input'], expected)}{told}"


def _variables_behind(path: Key, message: str, places: Places) -> list[str]:
    """List the variables that set what a claim about a section speaks of; of the whole file, what it names."""
    below = (
        (key, place) for key, place in places.items() if isinstance(place, str) and key[: len(path)] == path
    )
    return sorted({str(place) for key, place in below if path or dotted(key) in message})


def _real_path(details: ErrorDetails, places: Places) -> Key:
    """Drop what pydantic adds to a location (names of union members, ``[key]``) and no file contains."""
    path: Key = ()
    for part in details["loc"]:
        if (*path, part) in places:
            path = (*path, part)
    named_last = details["type"] in {"missing", "extra_forbidden"} and path[-1:] != details["loc"][-1:]
    return (*path, details["loc"][-1]) if named_last else path


def _field_names(model: type[BaseModel], path: Key) -> list[str]:
    models = [model]
    for part in path:
        if isinstance(part, str):
            inner = [m.model_fields[part].annotation for m in models if part in m.model_fields]
            models = [found for annotation in inner for found in _models_in(annotation)] or models
    return sorted({field.alias or name for found in models for name, field in found.model_fields.items()})


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
