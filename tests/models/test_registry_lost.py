"""The registry when something is gone or changed: bytes, tags, the server, the database, the last known good copy."""

import json
import logging
import shutil
import socket
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from models.deployment import folder_digest
from models.registry import Registry
from models.tracking import RegistrySettings
from tables.errors import RegistryError, StorageError
from tests.models.tiny_models import JANUARY, promoted


@pytest.mark.parametrize("name", ["0.txt", "serving.py", "reference.json"])
def test_one_changed_byte_in_the_store_is_refused(
    name: str, registry: Registry, root: Path, tmp_path: Path
) -> None:
    promoted(registry, tmp_path / "model")
    stored = next((root / "mlflow" / "artifacts").rglob(name))
    stored.write_bytes(stored.read_bytes()[:-1] + b"!")
    with pytest.raises(RegistryError, match="files of version 1 are not what was registered"):
        registry.fetch(1, tmp_path / "private")
    assert not (tmp_path / "private").exists()


def test_a_store_rewritten_with_its_tag_is_still_refused(
    registry: Registry, client: Any, root: Path, tmp_path: Path
) -> None:
    promoted(registry, tmp_path / "model")
    stored = next((root / "mlflow" / "artifacts").rglob("MLmodel")).parent
    next(stored.rglob("0.txt")).write_text("leaf=9")
    client.set_model_version_tag("keepwell-churn", "1", "sha256", folder_digest(stored))
    with pytest.raises(RegistryError, match="the deployment record says"):
        registry.fetch(1, tmp_path / "private")


def test_a_tag_that_disagrees_with_the_files_is_refused(
    registry: Registry, client: Any, tmp_path: Path
) -> None:
    promoted(registry, tmp_path / "model")
    client.set_model_version_tag("keepwell-churn", "1", "sha256", "0" * 64)
    with pytest.raises(RegistryError, match="its tag says 000000000000"):
        registry.fetch(1, tmp_path / "private")


def test_a_dead_server_costs_seconds_and_no_night(
    registry: Registry, root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    version = promoted(registry, tmp_path / "model")
    dead_server = RegistrySettings(tracking_uri="http://127.0.0.1:9")
    dead = Registry(root, dead_server)
    started = time.monotonic()
    assert dead.champion_for(JANUARY) == version
    assert folder_digest(dead.fetch(1, tmp_path / "private").folder) == version.sha256
    assert not dead.log_night(JANUARY, {"at_risk": 3})
    assert time.monotonic() - started < 10
    assert "Using the last known good copy of version 1" in caplog.text
    with pytest.raises(StorageError, match=r"registry http://127\.0\.0\.1:9: out of reach") as caught:
        Registry(root, dead_server).promote(1, promoted_for=JANUARY)
    assert caught.value.exit_code == 7


def test_a_server_that_never_answers_is_given_up(registry: Registry, root: Path, tmp_path: Path) -> None:
    version = promoted(registry, tmp_path / "model")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        mute = Registry(root, RegistrySettings(tracking_uri=address, timeout_seconds=1, retries=0))
        started = time.monotonic()
        assert mute.champion_for(JANUARY) == version
        mute.fetch(1, tmp_path / "private")
        assert time.monotonic() - started < 10


def test_a_lost_database_leaves_the_last_known_good(
    registry: Registry, root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    version = promoted(registry, tmp_path / "model")
    shutil.rmtree(root / "mlflow")
    again = Registry(root, RegistrySettings())
    with caplog.at_level(logging.WARNING):
        assert again.champion_for(JANUARY) == version
    assert "no database yet" in caplog.text
    assert folder_digest(again.fetch(1, tmp_path / "private").folder) == version.sha256


def test_a_changed_last_known_good_copy_is_refused(registry: Registry, root: Path, tmp_path: Path) -> None:
    promoted(registry, tmp_path / "model")
    (root / "champion" / "1" / "serving.py").write_text("print('hello')")
    dead = Registry(root, RegistrySettings(tracking_uri="http://127.0.0.1:9"))
    with pytest.raises(RegistryError, match="files of version 1 are not what was registered"):
        dead.fetch(1, tmp_path / "private")


def test_a_moved_workspace_keeps_its_models(registry: Registry, root: Path, tmp_path: Path) -> None:
    version = promoted(registry, tmp_path / "a")
    root.rename(tmp_path / "moved")
    moved = Registry(tmp_path / "moved", RegistrySettings())
    assert folder_digest(moved.fetch(1, tmp_path / "private").folder) == version.sha256
    assert moved.log_night(JANUARY, {"at_risk": 3})
    assert promoted(moved, tmp_path / "b", JANUARY + timedelta(7)).version == 2
    assert not root.exists()


def test_unsent_figures_are_sent_with_the_next_night(
    registry: Registry, client: Any, root: Path, tmp_path: Path
) -> None:
    promoted(registry, tmp_path / "model")
    dead = Registry(root, RegistrySettings(tracking_uri="http://127.0.0.1:9"))
    assert not dead.log_night(JANUARY, {"at_risk": 3, "drift": float("inf")})
    assert json.loads((root / "mlflow/unsent/as_of=2025-01-31.json").read_text()) == {"at_risk": 3.0}
    assert registry.log_night(JANUARY + timedelta(1), {"at_risk": 4})
    assert registry.log_night(JANUARY + timedelta(1), {"at_risk": 5})
    experiment = client.get_experiment_by_name("keepwell")
    runs = client.search_runs([experiment.experiment_id], "tags.kind = 'night'")
    figures = {run.data.tags["as_of"]: run.data.metrics for run in runs}
    assert figures == {"2025-01-31": {"at_risk": 3}, "2025-02-01": {"at_risk": 5}}
    assert len(runs) == 2
    assert list((root / "mlflow/unsent").iterdir()) == []
