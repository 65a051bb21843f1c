"""The MLflow registry: register, promote and fetch."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from models.deployment import folder_digest
from models.registry import Registry
from models.tracking import (
    RegistrySettings,
    SearchTrial,
    known_warnings,
    log_search,
)
from tables.errors import LeakageError, RegistryError
from tests.models.tiny_models import JANUARY, model_in, promoted, register


def test_importing_the_registry_leaves_mlflow_alone() -> None:
    script = "import sys, models.registry; print('mlflow' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


def test_an_empty_workspace_says_to_retrain_and_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"no version at all\. Run `keepwell retrain`"):
        Registry(tmp_path, RegistrySettings()).champion_for(JANUARY)
    assert list(tmp_path.iterdir()) == []


def test_a_registered_model_carries_its_facts(registry: Registry, client: Any, tmp_path: Path) -> None:
    version = register(registry, tmp_path / "model")
    found = client.get_model_version_by_alias("keepwell-churn", "challenger")
    run = client.get_run(found.run_id)
    assert version.version == int(found.version) == 1
    assert found.tags["sha256"] == version.sha256
    assert found.tags["trained_through"] == "2025-01-31"
    assert run.data.metrics == {"auc": 0.8}
    assert run.data.params == {"seed": "0"}
    assert run.data.tags["level_check"] == "none"
    assert run.info.status == "FINISHED"


def test_the_stored_model_pins_what_loading_it_needs(registry: Registry, root: Path, tmp_path: Path) -> None:
    promoted(registry, tmp_path / "model")
    pins = (root / "champion" / "1" / "requirements.txt").read_text().split()
    assert {pin.partition("==")[0] for pin in pins} >= {"lightgbm", "mlflow", "numpy", "pandas"}
    assert all("==" in pin for pin in pins)


def test_nothing_is_printed_while_registering(
    registry: Registry, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    promoted(registry, tmp_path / "model")
    registry.fetch(1, tmp_path / "private")
    registry.log_night(JANUARY, {"at_risk": 3})
    assert tuple(capfd.readouterr()) == ("", "")


def test_a_pickle_is_not_registered(registry: Registry, tmp_path: Path) -> None:
    (model_in(tmp_path / "model") / "model.pkl").touch()
    with pytest.raises(RegistryError, match="a pickle runs code when it is loaded"):
        register(registry, tmp_path / "model")
    assert registry.versions() == ()


def test_promotion_moves_the_aliases(registry: Registry, client: Any, tmp_path: Path) -> None:
    promoted(registry, tmp_path / "a", JANUARY)
    promoted(registry, tmp_path / "b", JANUARY + timedelta(7))
    register(registry, tmp_path / "c")
    assert client.get_registered_model("keepwell-churn").aliases == {"champion": 2, "challenger": 3}
    registry.withdraw(2)
    assert client.get_registered_model("keepwell-churn").aliases == {"champion": 1, "challenger": 3}
    registry.withdraw(1)
    assert client.get_registered_model("keepwell-churn").aliases == {"challenger": 3}


def test_each_night_gets_the_version_promoted_before_it(registry: Registry, tmp_path: Path) -> None:
    promoted(registry, tmp_path / "a", JANUARY)
    promoted(registry, tmp_path / "b", JANUARY + timedelta(7))
    register(registry, tmp_path / "c")
    assert registry.champion_for(JANUARY + timedelta(6)).version == 1
    assert registry.champion_for(JANUARY + timedelta(30)).version == 2
    registry.withdraw(2)
    assert registry.champion_for(JANUARY + timedelta(30)).version == 1
    with pytest.raises(LeakageError, match="no model may score 2025-01-30"):
        registry.champion_for(JANUARY - timedelta(1))


def test_a_model_that_saw_later_days_is_not_promoted(registry: Registry, tmp_path: Path) -> None:
    register(registry, tmp_path / "model", trained_through=JANUARY + timedelta(1))
    with pytest.raises(
        LeakageError, match="cannot be promoted for 2025-01-31; it is trained through 2025-02-01"
    ):
        registry.promote(1, promoted_for=JANUARY)


def test_a_version_that_is_not_there_is_named(registry: Registry, tmp_path: Path) -> None:
    register(registry, tmp_path / "model")
    with pytest.raises(RegistryError, match=r"no version 2 of 'keepwell-churn'; found \[1\]"):
        registry.promote(2, promoted_for=JANUARY)
    with pytest.raises(RegistryError, match="version 1 was never promoted in this workspace"):
        registry.fetch(1, tmp_path / "private")


def test_versions_put_there_by_hand_are_left_out(registry: Registry, client: Any, tmp_path: Path) -> None:
    register(registry, tmp_path / "model")
    client.create_model_version("keepwell-churn", source=tmp_path.as_uri())
    assert [one.version for one in registry.versions()] == [1]


def test_fetch_gives_a_private_copy_without_bytecode(registry: Registry, root: Path, tmp_path: Path) -> None:
    version = promoted(registry, tmp_path / "model")
    stored = next((root / "mlflow" / "artifacts").rglob("MLmodel")).parent
    (stored / "__pycache__").mkdir()
    (stored / "__pycache__" / "serving.cpython-311.pyc").touch()
    files = registry.fetch(1, tmp_path / "private")
    assert files.version == version
    assert folder_digest(files.folder) == version.sha256
    assert sorted(path.name for path in files.model.iterdir()) == ["boosters", "features.json"]
    assert json.loads(files.reference.read_text()) == {"as_of": "2025-01-31"}
    assert not list(root.glob(".tmp-*"))


def test_trials_of_a_search_are_nested_in_its_run(registry: Registry, client: Any) -> None:
    trials = [
        SearchTrial({"num_leaves": leaves}, {"log_loss": loss}, is_whole=whole)
        for leaves, loss, whole in ((8, 0.5, True), (16, 0.4, True), (32, 0.3, False))
    ]
    with registry.connection.reach() as lent:
        experiment = registry.connection.experiment(lent)
        log_search(lent, experiment, "tune", trials)
    (search,) = client.search_runs([experiment], "tags.kind = 'search'")
    nested = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{search.info.run_id}'")
    assert (search.data.params, search.data.metrics) == ({"num_leaves": "16"}, {"log_loss": 0.4})
    assert sorted((run.data.params["num_leaves"], run.info.status) for run in nested) == [
        ("16", "FINISHED"),
        ("32", "KILLED"),
        ("8", "FINISHED"),
    ]


FORKED = """
import os, sys
from pathlib import Path
from models.connection import create_database
from models.registry import Registry
from models.tracking import (
    RegistrySettings,
    SearchTrial,
    known_warnings,
    log_search,
    prepare_environment,
)

root = Path(sys.argv[1])
prepare_environment(RegistrySettings())
with known_warnings():
    import mlflow.store.tracking.sqlalchemy_store
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        create_database(root / "mlflow" / "mlflow.db", root)
        print(len(Registry(root, RegistrySettings()).versions()), flush=True)
        os._exit(0)
    children.append(child)
print([os.waitpid(child, 0)[1] for child in children])
"""


@pytest.mark.slow
def test_three_processes_may_open_an_empty_registry_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORKED, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (run.stdout, run.stderr) == ("0\n0\n0\n[0, 0, 0]\n", "")
    assert sorted(path.name for path in (tmp_path / "mlflow").iterdir()) == ["create.lock", "mlflow.db"]


def test_mlflow_loads_no_pickle_here(registry: Registry, tmp_path: Path) -> None:
    promoted(registry, tmp_path / "model")
    with known_warnings():
        from mlflow import pyfunc  # after its environment is prepared
        from mlflow.exceptions import MlflowException

        class Pickled(pyfunc.PythonModel):
            def predict(self, context: Any, model_input: list[str], params: Any = None) -> list[str]:
                return model_input

        pyfunc.save_model(tmp_path / "pickled", python_model=Pickled(), pip_requirements=[])
        with pytest.raises(MlflowException, match=r"[Pp]ickle"):
            pyfunc.load_model(str(tmp_path / "pickled"))
