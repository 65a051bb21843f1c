"""Which version may score which night, and what this workspace trusts."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.deployment import (
    Deployments,
    ModelVersion,
    choose_champion,
    copy_without_bytecode,
    folder_digest,
    newest_promotion,
    refuse_binaries,
    verify,
)
from tables.errors import LeakageError, RegistryError

JANUARY = date(2025, 1, 31)


def version(
    number: int,
    promoted_for: date | None = JANUARY,
    *,
    trained_through: date = JANUARY,
    withdrawn: bool = False,
) -> ModelVersion:
    return ModelVersion(
        version=number,
        sha256="0" * 64,
        trained_through=trained_through,
        promoted_for=promoted_for,
        withdrawn=withdrawn,
        config_digest="c",
        dataset_digest="d",
        code_version="0.1.0",
    )


def test_the_version_last_promoted_scores_the_night() -> None:
    versions = [version(1), version(2, JANUARY + timedelta(7)), version(3, JANUARY + timedelta(14))]
    assert choose_champion(versions, JANUARY + timedelta(13)).version == 2
    assert choose_champion(versions, JANUARY + timedelta(14)).version == 3
    assert newest_promotion(versions) == versions[2]


def test_a_backfilled_promotion_does_not_displace_a_later_one() -> None:
    versions = [version(1, JANUARY + timedelta(7)), version(2, JANUARY)]
    assert choose_champion(versions, JANUARY + timedelta(30)).version == 1
    assert choose_champion(versions, JANUARY).version == 2


def test_of_two_promotions_for_one_date_the_newer_version_wins() -> None:
    assert choose_champion([version(2), version(1)], JANUARY).version == 2


def test_challengers_and_withdrawn_versions_score_nothing() -> None:
    versions = [version(1), version(2, None), version(3, withdrawn=True)]
    assert choose_champion(versions, JANUARY).version == 1
    with pytest.raises(
        RegistryError,
        match=r"found 2 \(not promoted\), 3 \(withdrawn\)\. retrains/as_of=DATE/index\.html says why.* again",
    ):
        choose_champion(versions[1:], JANUARY)


def test_no_version_at_all_says_to_retrain() -> None:
    with pytest.raises(
        RegistryError, match=r"found no version at all\. Run `keepwell retrain` first"
    ) as caught:
        choose_champion([], JANUARY)
    assert caught.value.exit_code == 2


def test_a_night_before_every_model_is_leakage() -> None:
    versions = [version(2, JANUARY + timedelta(7)), version(1)]
    with pytest.raises(LeakageError, match=r"version 1, was promoted for .* or score 2025-01-31 or later"):
        choose_champion(versions, JANUARY - timedelta(1))
    assert choose_champion(versions, JANUARY - timedelta(1), allow_later=True).version == 1


def test_a_model_trained_past_its_promotion_waits() -> None:
    late = version(1, trained_through=JANUARY + timedelta(7))
    assert late.usable_from == JANUARY + timedelta(7)
    with pytest.raises(LeakageError, match="trained through 2025-02-07"):
        choose_champion([late], JANUARY)


days = st.integers(0, 30).map(lambda day: JANUARY + timedelta(day))


@given(
    versions=st.lists(
        st.builds(version, st.integers(1, 99), st.none() | days, trained_through=days), max_size=8
    ),
    as_of=days,
)
def test_no_choice_ever_learned_from_the_future(versions: list[ModelVersion], as_of: date) -> None:
    try:
        chosen = choose_champion(versions, as_of)
    except (RegistryError, LeakageError):
        assert not any(one.in_service and one.usable_from <= as_of for one in versions)
    else:
        assert chosen.in_service
        assert chosen.trained_through <= as_of
        assert chosen.promoted_for is not None
        assert chosen.promoted_for <= as_of


def model_in(folder: Path) -> Path:
    (folder / "boosters").mkdir(parents=True)
    (folder / "boosters" / "0.txt").write_text("leaf=0.5")
    (folder / "ridge.json").write_text("{}")
    return folder


def test_the_digest_sees_names_contents_and_extra_files(tmp_path: Path) -> None:
    model = model_in(tmp_path / "model")
    digests = {folder_digest(model)}
    (model / "ridge.json").rename(model / "bridge.json")
    digests.add(folder_digest(model))
    (model / "boosters" / "0.txt").write_text("leaf=0.6")
    digests.add(folder_digest(model))
    (model / "boosters" / "extra.py").touch()
    digests.add(folder_digest(model))
    assert len(digests) == 4


def test_bytecode_is_not_copied(tmp_path: Path) -> None:
    model = model_in(tmp_path / "model")
    before = folder_digest(model)
    (model / "__pycache__").mkdir()
    (model / "__pycache__" / "serving.cpython-311.pyc").touch()
    copy_without_bytecode(model, tmp_path / "copy")
    assert folder_digest(tmp_path / "copy") == before


def test_one_changed_byte_is_refused_and_the_copy_deleted(tmp_path: Path) -> None:
    model = model_in(tmp_path / "model")
    expected = version(7).model_copy(update={"sha256": folder_digest(model)})
    verify(model, expected, source="its tag")
    (model / "boosters" / "0.txt").write_text("leaf=0.6")
    with pytest.raises(RegistryError, match=r"files of version 7 are not .* its tag says"):
        verify(model, expected, source="its tag")
    assert not model.exists()


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "model.skops", "code.py"])
def test_anything_but_text_and_json_is_refused(name: str, tmp_path: Path) -> None:
    model = model_in(tmp_path / "model")
    refuse_binaries(model)
    (model / name).touch()
    with pytest.raises(RegistryError, match=f"found .'{name}'.*a pickle runs code when it is loaded"):
        refuse_binaries(model)


def test_an_empty_model_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="found no file"):
        refuse_binaries(tmp_path)


def test_the_record_remembers_each_promoted_version(tmp_path: Path) -> None:
    deployments = Deployments(tmp_path)
    assert deployments.versions() == ()
    deployments.record(version(2))
    deployments.record(version(1))
    deployments.record(version(2, withdrawn=True))
    assert deployments.versions() == (version(1), version(2, withdrawn=True))
    with pytest.raises(
        RegistryError, match=r"version 3 was never promoted in this workspace; found \[1, 2\]"
    ):
        deployments.version(3)


def test_a_record_that_is_none_is_reported(tmp_path: Path) -> None:
    (tmp_path / "champion").mkdir()
    (tmp_path / "champion" / "record.json").write_text('{"1": {"sha256": 3}}')
    with pytest.raises(RegistryError, match=r"record.json: not a deployment record; .* or retrain"):
        Deployments(tmp_path).versions()


def test_the_last_known_good_copy_is_replaced_whole(tmp_path: Path) -> None:
    deployments = Deployments(tmp_path)
    model = model_in(tmp_path / "model")
    deployments.keep(1, model)
    (model / "ridge.json").unlink()
    deployments.keep(1, model)
    deployments.copy(1, tmp_path / "copy")
    assert folder_digest(tmp_path / "copy") == folder_digest(model)
    with pytest.raises(RegistryError, match="no copy of version 2 was kept"):
        deployments.copy(2, tmp_path / "other")
