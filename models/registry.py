"""The MLflow registry: every retrained model, its figures, and which one may score which night.

MLflow is imported inside the functions that speak to it: its import costs 2 CPU seconds. Scoring does not
need it: when the registry is out of reach, the workspace's last known good copy is used.
"""

import importlib.metadata
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from textwrap import shorten
from typing import Any

from filelock import FileLock

from models import tracking
from models.deployment import (
    Deployments,
    ModelFiles,
    ModelVersion,
    choose_champion,
    copy_without_bytecode,
    folder_digest,
    refuse_binaries,
    verify,
)
from models.tracking import RegistrySettings, VersionShelf, known_warnings
from tables.errors import KeepwellError, StorageError
from tables.storage import TEMPORARY, storage, write_text

_log = logging.getLogger(__name__)
_SQLITE = "sqlite:///"
_SECONDS_TO_CREATE = 300


class Registry:
    """Register, promote and fetch models for one workspace.

    Args:
        root: folder of the workspace.
        settings: where the registry is.
    """

    def __init__(self, root: Path, settings: RegistrySettings) -> None:
        self._root = root.resolve()
        self._settings = settings
        self._folder = self._root / "mlflow"
        self._deployments = Deployments(self._root)
        self._out_of_reach = ""

    @property
    def uri(self) -> str:
        """Address of the tracking server or database, for ``mlflow ui --backend-store-uri``."""
        return self._settings.tracking_uri or f"{_SQLITE}{self._folder / 'mlflow.db'}"

    def register(
        self,
        model_folder: Path,
        *,
        reference: str,
        trained_through: date,
        metrics: Mapping[str, float],
        params: Mapping[str, Any],
        config_digest: str,
        dataset_digest: str,
        tags: Mapping[str, str] | None = None,
    ) -> ModelVersion:
        """Store a trained model as the next version, alias ``challenger``.

        Args:
            model_folder: what ``ChurnModel.save`` wrote: text and JSON files only.
            reference: JSON of the ``DateReference`` of the retraining's date.
            trained_through: end of the last outcome window the model learned from.
            metrics: figures of the evaluation; those that are not finite are left out.
            params: settings of the training.
            config_digest: of the configuration.
            dataset_digest: of the history.
            tags: further facts for readers of the registry.

        Raises:
            RegistryError: if the folder holds anything but text and JSON.
            StorageError: if the registry is out of reach.
        """
        refuse_binaries(model_folder)
        facts = {
            "trained_through": str(trained_through),
            "config_digest": config_digest,
            "dataset_digest": dataset_digest,
            "code_version": importlib.metadata.version("keepwell"),
        }
        with self._reach(create=True) as client, self._scratch() as scratch:
            packed = _pack(model_folder, reference, scratch)
            facts["sha256"] = folder_digest(packed)
            run = client.create_run(self._experiment(client), run_name=f"retrain through {trained_through}")
            run_id = run.info.run_id
            tracking.log_figures(
                client, run_id, metrics=metrics, params=params, tags={**(tags or {}), **facts}
            )
            client.log_artifacts(run_id, str(packed), "model")
            client.set_terminated(run_id)
            return self._shelf(client).add(f"{run.info.artifact_uri}/model", run_id, facts)

    def promote(self, version: int, *, promoted_for: date) -> ModelVersion:
        """Put a version in service for nights from ``promoted_for`` on, and trust its files from now on.

        Args:
            version: as registered.
            promoted_for: date of the retraining.

        Raises:
            LeakageError: if the version learned from days after ``promoted_for``.
            RegistryError: if there is no such version, or its files are not what was registered.
            StorageError: if the registry is out of reach.
        """
        with self._reach() as client, self._scratch() as scratch:
            registered = self._shelf(client).version(version)
            promoted = registered.promoted(promoted_for)
            self._download(client, version, scratch / "copy")
            verify(scratch / "copy", promoted, source="its tag")
            # Recorded first: a run killed in between leaves a version that is trusted but not yet chosen.
            self._deployments.keep(version, scratch / "copy")
            self._deployments.record(promoted)
            self._shelf(client).mark(version, withdrawn=False, promoted_for=promoted_for)
        return promoted

    def withdraw(self, version: int) -> ModelVersion:
        """Take a version out of service; nights already published keep it.

        Raises:
            RegistryError: if there is no such version.
            StorageError: if the registry is out of reach.
        """
        with self._reach() as client:
            withdrawn = self._shelf(client).version(version).model_copy(update={"withdrawn": True})
            if any(one.version == version for one in self._deployments.versions()):
                self._deployments.record(withdrawn)
            self._shelf(client).mark(version, withdrawn=True)
        return withdrawn

    def versions(self) -> tuple[ModelVersion, ...]:
        """List every version of the registry, or those promoted here when it is out of reach."""
        try:
            with self._reach() as client:
                return self._shelf(client).versions()
        except StorageError as error:
            recorded = self._deployments.versions()
            if recorded:
                _log.warning("%s Going by the promotions recorded in this workspace.", error)
            return recorded

    def champion_for(self, as_of: date, *, allow_later: bool = False) -> ModelVersion:
        """Return the version that scores a new night.

        Args:
            as_of: the night.
            allow_later: take the earliest later model when no other exists.

        Raises:
            RegistryError: if no version is in service.
            LeakageError: if every version in service is later than ``as_of``.
        """
        return choose_champion(self.versions(), as_of, allow_later=allow_later)

    def fetch(self, version: int, into: Path) -> ModelFiles:
        """Copy a promoted version into a private folder and verify the copy.

        Args:
            version: as promoted in this workspace.
            into: folder to make; it must not exist.

        Raises:
            RegistryError: if the version was never promoted here, or its files are not what was registered.
            StorageError: if the copy cannot be written.
        """
        recorded = self._deployments.version(version)
        try:
            with self._reach() as client:
                tagged = self._shelf(client).version(version)
                self._download(client, version, into)
        except StorageError as error:
            _log.warning("%s Using the last known good copy of version %d.", error, version)
            tagged = recorded
            with storage(into):
                self._deployments.copy(version, into)
        verify(into, tagged, source="its tag")
        verify(into, recorded, source="the deployment record")
        return ModelFiles(into, recorded)

    def log_night(self, as_of: date, metrics: Mapping[str, float]) -> bool:
        """Keep a night's figures, and send them and all earlier unsent ones if the registry answers.

        Args:
            as_of: the night.
            metrics: figures; those that are not finite are left out.

        Returns:
            Whether everything was sent; unsent figures wait in the workspace for the next night.
        """
        unsent = self._folder / "unsent"
        write_text(
            json.dumps(tracking.finite(metrics), indent=1, sort_keys=True), unsent / f"as_of={as_of}.json"
        )
        try:
            with self._reach() as client:
                tracking.send_nights(client, self._experiment(client), unsent)
        except StorageError as error:
            _log.warning("%s The night's figures wait in %s.", error, unsent)
            return False
        return True

    @contextmanager
    def _reach(self, *, create: bool = False) -> Iterator[Any]:
        """Lend a client; whatever keeps the registry from answering becomes one StorageError."""
        database = self._database()
        if self._out_of_reach:
            raise StorageError(self._out_of_reach)
        if database and not create and not database.exists():
            raise StorageError(
                f"registry {self.uri}: there is no database yet. Run `keepwell retrain` first."
            )
        tracking.prepare_environment(self._settings)
        with known_warnings():
            from mlflow import MlflowClient
            from mlflow.exceptions import MlflowException
            from sqlalchemy.exc import SQLAlchemyError

            try:
                if database:
                    create_database(database, self._folder / "artifacts")
                yield MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
            except KeepwellError:
                raise
            except (MlflowException, SQLAlchemyError, OSError) as error:
                reason = shorten(str(error), 160, placeholder="...")
                message = (
                    f"registry {self.uri}: out of reach; {reason} "
                    "Check that the address is right and answers, and that its disk has room."
                )
                if not database:
                    # Asking a dead server again would cost its timeout again.
                    self._out_of_reach = f"registry {self.uri}: still out of reach."
                raise StorageError(message) from error

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        with storage(self._root):
            folder = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=self._root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _shelf(self, client: Any) -> VersionShelf:
        return VersionShelf(client, self._settings.model_name)

    def _experiment(self, client: Any) -> str:
        location = self._settings.artifact_location
        if location is None and self._settings.tracking_uri is None:
            location = (self._folder / "artifacts").as_uri()
        return tracking.experiment_id(client, self._settings.experiment, location)

    def _database(self) -> Path | None:
        return Path(self.uri.removeprefix(_SQLITE)) if self.uri.startswith(_SQLITE) else None

    def _download(self, client: Any, version: int, into: Path) -> None:
        from mlflow.artifacts import download_artifacts

        source = client.get_model_version_download_uri(self._settings.model_name, str(version))
        with self._scratch() as scratch:
            # Without a destination a local store hands out its own folder: check, then load would race.
            found = download_artifacts(artifact_uri=source, dst_path=str(scratch), tracking_uri=self.uri)
            copy_without_bytecode(Path(found), into)


def create_database(database: Path, artifacts: Path) -> None:
    """Make MLflow's database, whole or not at all, unless it exists.

    Of three processes that let MLflow open an empty database at once, two died: one migrates it under a
    lock and beside its place, the others wait.

    Args:
        database: SQLite file to make.
        artifacts: where MLflow's default experiment would keep its files.
    """
    with known_warnings():
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    database.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(database.with_name("create.lock"), timeout=_SECONDS_TO_CREATE):
        if database.exists():
            return
        unfinished = database.with_name(f"{TEMPORARY}{os.getpid()}-{database.name}")
        unfinished.unlink(missing_ok=True)
        SqlAlchemyStore(f"{_SQLITE}{unfinished}", artifacts.as_uri()).engine.dispose()
        unfinished.rename(database)


def _pack(model_folder: Path, reference: str, scratch: Path) -> Path:
    from mlflow.pyfunc import save_model

    shutil.copytree(model_folder, scratch / "churn")
    (scratch / "reference.json").write_text(reference)
    save_model(
        str(scratch / "saved"),
        python_model=str(Path(__file__).with_name("serving.py")),
        artifacts={"churn": str(scratch / "churn"), "reference": str(scratch / "reference.json")},
        pip_requirements=tracking.pip_requirements(),
    )
    copy_without_bytecode(scratch / "saved", scratch / "packed")
    return scratch / "packed"
