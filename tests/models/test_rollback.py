"""What a rollback takes out of service, and when it is refused."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from models.deployment import ModelVersion, choose_champion, same_model
from models.registry import Registry
from models.rollback import as_withdrawn_here, to_withdraw
from models.tracking import RegistrySettings
from tables.errors import RegistryError, StorageError
from tests.models.tiny_models import JANUARY, promoted

MONDAY = date(2025, 3, 3)


def version(
    number: int, *, withdrawn: bool = False, promoted: bool = True, content: str = ""
) -> ModelVersion:
    return ModelVersion(
        version=number,
        sha256="0",
        trained_through=MONDAY,
        promoted_for=MONDAY + timedelta(7 * number) if promoted else None,
        withdrawn=withdrawn,
        withdrawn_because="odd" if withdrawn else "",
        config_digest="",
        dataset_digest="",
        code_version="1",
        content_digest=content,
    )


THREE = (version(1), version(2), version(3))


def numbers(versions: tuple[ModelVersion, ...]) -> list[int]:
    return [one.version for one in versions]


def test_the_version_before_the_champion_serves_again() -> None:
    leaving, serves = to_withdraw(THREE, THREE)
    assert (numbers(leaving), serves.version) == ([3], 2)


def test_going_back_further_withdraws_everything_after_it() -> None:
    leaving, serves = to_withdraw(THREE, THREE, to=1)
    assert (numbers(leaving), serves.version) == ([3, 2], 1)


def test_a_killed_rollback_is_finished_and_no_further_one_made() -> None:
    here = (version(1), version(2), version(3, withdrawn=True))
    leaving, serves = to_withdraw(THREE, here)
    assert (numbers(leaving), serves.version) == ([3], 2)
    assert leaving[0].withdrawn_because == "odd"


@pytest.mark.parametrize(("withdrawn", "leaves"), [((2, 3), [3, 2]), ((3,), [3, 2])])
def test_a_killed_rollback_by_name_is_finished_likewise(
    withdrawn: tuple[int, ...], leaves: list[int]
) -> None:
    here = tuple(version(number, withdrawn=number in withdrawn) for number in (1, 2, 3))
    leaving, serves = to_withdraw(THREE, here, to=1)
    assert (numbers(leaving), serves.version) == (leaves, 1)


def test_a_rollback_the_registry_has_not_heard_of_holds_here() -> None:
    known = as_withdrawn_here(THREE, (version(3, withdrawn=True),))
    assert choose_champion(known, MONDAY + timedelta(60)).version == 2


def test_the_last_model_in_service_is_not_withdrawn() -> None:
    versions = (version(1, withdrawn=True), version(2), version(3, promoted=False))
    with pytest.raises(RegistryError, match="nothing would be left in service; found version 2"):
        to_withdraw(versions, versions)


def test_a_version_never_promoted_here_does_not_serve() -> None:
    with pytest.raises(RegistryError, match="nothing would be left in service"):
        to_withdraw(THREE, THREE[2:])


@pytest.mark.parametrize(
    ("to", "words"),
    [(3, "version 3 is the one in service"), (7, r"version 7 cannot serve; .* \[2, 1\] before it")],
)
def test_a_version_that_cannot_be_gone_back_to_is_refused(to: int, words: str) -> None:
    with pytest.raises(RegistryError, match=words):
        to_withdraw(THREE, THREE, to=to)


def test_nothing_in_service_says_to_retrain() -> None:
    with pytest.raises(RegistryError, match="Run `keepwell retrain` first"):
        to_withdraw((), ())


def test_the_same_model_keeps_its_version_until_another_serves() -> None:
    made = (version(1, content="a"), version(2, promoted=False, content="b"))
    assert same_model(made, "b", "1") == made[1]
    assert same_model(made, "a", "1") == made[0]
    assert same_model(made, "a", "2") is None
    assert same_model((*made, version(3, content="c")), "b", "1") is None
    assert same_model((version(1),), "", "1") is None


def test_a_rollback_by_name_holds_though_the_server_is_dead(
    registry: Registry, root: Path, tmp_path: Path
) -> None:
    for number, name in enumerate(("a", "b", "c")):
        promoted(registry, tmp_path / name, JANUARY + timedelta(7 * number))
    dead = Registry(root, RegistrySettings(tracking_uri="http://127.0.0.1:9"))
    here = r"out of reach.* Nothing was withdrawn.*rollback --to VERSION`; promoted in this .*: 1, 2, 3\.$"
    with pytest.raises(StorageError, match=here):
        dead.rollback()
    assert registry.champion_for(JANUARY + timedelta(30)).version == 3
    holds = (
        r"out of reach.* the rollback holds: withdrawn is version 3, 2, and version 1 serves .*Run the same"
    )
    with pytest.raises(StorageError, match=holds):
        dead.rollback(to=1, reason="odd")
    assert registry.champion_for(JANUARY + timedelta(30)).version == 1
    leaving, serves = registry.rollback()  # finishes what the server has not heard of, and goes no further
    assert ({one.version for one in leaving}, serves.version) == ({2, 3}, 1)
    with pytest.raises(RegistryError, match="nothing would be left in service"):
        registry.rollback()


def test_a_rollback_is_told_to_registry_and_record(registry: Registry, client: Any, tmp_path: Path) -> None:
    promoted(registry, tmp_path / "a", JANUARY)
    promoted(registry, tmp_path / "b", JANUARY + timedelta(7))
    leaving, serves = registry.rollback(reason="calls doubled")
    assert ([one.version for one in leaving], serves.version) == ([2], 1)
    tags = client.get_model_version("keepwell-churn", "2").tags
    assert (tags["withdrawn"], tags["withdrawn_because"]) == ("true", "calls doubled")
    assert client.get_registered_model("keepwell-churn").aliases == {"champion": 1}
