from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, field_validator

from tables.errors import ConfigError
from tables.yaml_lines import load_yaml, read_yaml


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    channel: Literal["email", "phone"]
    cost: float = 0

    @field_validator("cost")
    @classmethod
    def not_negative(cls, cost: float) -> float:
        if cost < 0:
            raise ValueError("costs cannot be negative")
        return cost


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    limit: int | Literal["none"] = "none"
    actions: dict[str, Inner] = {}
    parts: list[Inner] = []


def write(folder: Path, text: str) -> Path:
    file = folder / "c.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def complaints(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_yaml(write(folder, text)).validated(Outer)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_every_key_and_item_has_its_line(tmp_path: Path) -> None:
    found = read_yaml(write(tmp_path, "# top\na: 1\nb:\n  - c: x\n  - [1, 2]\n"))
    assert found.content == {"a": 1, "b": [{"c": "x"}, [1, 2]]}
    assert found.places == {
        (): 1, ("a",): 2, ("b",): 3, ("b", 0): 4, ("b", 0, "c"): 4,
        ("b", 1): 5, ("b", 1, 0): 5, ("b", 1, 1): 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("NO", "NO"), ("yes", "yes"), ("on", "on"), ("12:30", "12:30"), ("true", True), ("010", "010"),
        ("7", 7), ("1e-3", 0.001), ("-.5", -0.5), ("10_000", 10_000), ("2026-12-24", date(2026, 12, 24)),
        ("", None), ("'7'", "7"),
    ],
)  # fmt: skip
def test_words_stay_words_and_numbers_are_numbers(tmp_path: Path, written: str, meant: object) -> None:
    content = load_yaml(write(tmp_path, f"a: {written}\n"))
    assert content["a"] == meant
    assert type(content["a"]) is type(meant)


def test_repeated_keys_are_all_reported_with_lines(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_yaml(write(tmp_path, "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n"))
    first, second = str(caught.value).splitlines()
    assert first.endswith("c.yaml:4: b.c: a second time; first on line 3. Keep one")
    assert second.endswith("c.yaml:5: a: a second time; first on line 1. Keep one")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\nb: 2\n", r"c\.yaml:2: not valid YAML"),
        ("- 1\n", r"c\.yaml:1: the file must hold .*found sequence"),
        ("", "found nothing"),
        ("a: &x\n  b: *x\n", "an alias contains itself"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "c: a key must be a word"),
        ("a: !!python/object:os.system x\n", "could not determine a constructor"),
        ("a: 2026-13-40\n", "a: month must be in"),
        ("b: 1\na: \x07\n", r"c\.yaml:2: not valid YAML: a control character"),
    ],
)
def test_unusable_files_are_refused_with_their_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_yaml(write(tmp_path, text))


def test_a_missing_file_suggests_its_neighbour(tmp_path: Path) -> None:
    write(tmp_path, "a: 1")
    with pytest.raises(ConfigError, match=r"no such file \(did you mean c.yaml\)"):
        load_yaml(tmp_path / "cc.yaml")


def test_all_problems_are_described_in_order(tmp_path: Path) -> None:
    text = "limit: 1.5\nnam: x\nactions:\n  a:\n    chanel: phone\n  b:\n    channel: emial\n    cost: -1\n"
    assert complaints(tmp_path, text + "parts:\n  - channel: phone\n    cots: 1\n") == [
        "c.yaml:1: name: is required and missing",
        "c.yaml:1: limit: input should be a valid integer, got a number with a fractional part; found 1.5",
        "c.yaml:1: limit: input should be 'none'; found 1.5",
        "c.yaml:2: nam: there is no such key (did you mean name)",
        "c.yaml:4: actions.a.channel: is required and missing",
        "c.yaml:5: actions.a.chanel: there is no such key (did you mean channel)",
        "c.yaml:7: actions.b.channel: input should be 'email' or 'phone'; found 'emial' (did you mean email)",
        "c.yaml:8: actions.b.cost: costs cannot be negative; found -1",
        "c.yaml:11: parts[0].cots: there is no such key (did you mean cost)",
    ]


def test_repeated_and_unreadable_keys_come_with_all_other_faults(tmp_path: Path) -> None:
    text = "name: x\nactions:\n  a:\n    channel: fax\n  a:\n    channel: email\n1.5: x\nlimt: 3\n"
    assert complaints(tmp_path, text) == [
        "c.yaml:4: actions.a.channel: input should be 'email' or 'phone'; found 'fax'",
        "c.yaml:5: actions.a: a second time; first on line 3. Keep one",
        "c.yaml:7: a key must be a word or a whole number. Put it in quotes or write it out",
        "c.yaml:8: limt: there is no such key (did you mean limit)",
    ]
    assert complaints(tmp_path, "name: x\nname: y\n") == [
        "c.yaml:2: name: a second time; first on line 1. Keep one"
    ]


def test_a_strange_key_lists_what_is_allowed(tmp_path: Path) -> None:
    (problem,) = complaints(tmp_path, "name: x\nzzz: 1\n")
    assert problem == "c.yaml:2: zzz: there is no such key; allowed are actions, limit, name, parts"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    content=st.dictionaries(
        st.text("abcxyz", min_size=1),
        st.recursive(
            st.integers() | st.booleans() | st.text("abc NO:#'\"-", max_size=8) | st.none(),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
            ),
            max_leaves=8,
        ),
    )
)
def test_what_is_dumped_is_read_back(tmp_path: Path, content: dict[str, Any]) -> None:
    read = read_yaml(write(tmp_path, yaml.safe_dump(content) if content else "{}"))
    assert read.content == content
    assert {path for path in read.places if len(path) == 1} == {(key,) for key in content}
