"""The MLflow registry: every retrained model, its figures, and which one may score which night.

Scoring does not need it: when the registry is out of reach, the workspace's last known good copy is used.
"""

import importlib.metadata
import json
import logging
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from models import tracking
from models.connection import Connection
from models.deployment import (
    Deployments,
    ModelFiles,
    ModelVersion,
    choose_champion,
    copy_without_bytecode,
    folder_digest,
    refuse_binaries,
    same_model,
    verify,
)
from models.rollback import as_withdrawn_here, held_here_alone, nothing_withdrawn, to_withdraw
from models.tracking import RegistrySettings, VersionShelf
from tables.errors import StorageError
from tables.storage import storage, write_text

_log = logging.getLogger(__name__)


class Registry:
    """Register, promote, withdraw and fetch models for one workspace.

    Args:
        root: folder of the workspace.
        settings: where the registry is.

    Attributes:
        connection: the way to MLflow.
    """

    def __init__(self, root: Path, settings: RegistrySettings) -> None:
        self.connection = Connection(root, settings)
        self._settings = settings
        self._deployments = Deployments(root.resolve())

    @property
    def uri(self) -> str:
        """Address of the tracking server or database, for ``mlflow ui --backend-store-uri``."""
        return self.connection.uri

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
        recipe_digest: str = "",
        content_digest: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> ModelVersion:
        """Store a trained model as the next version, alias ``challenger``.

        The very same model registered before, by a run that was killed or is repeated, keeps its version, unless
        a later one has come into service since.

        Args:
            model_folder: what ``ChurnModel.save`` wrote: text and JSON files only.
            reference: JSON of the ``DateReference`` of the retraining's date.
            trained_through: end of the last outcome window the model learned from.
            metrics: figures of the evaluation; those that are not finite are left out.
            params: settings of the training.
            config_digest: of the configuration.
            dataset_digest: of the history.
            recipe_digest: of what decides how the model is trained.
            content_digest: of the model and what it tells of itself; without it every call makes a version.
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
            "recipe_digest": recipe_digest,
            "code_version": importlib.metadata.version("keepwell"),
            "content_digest": content_digest,
        }
        with self.connection.reach(create=True) as client, self.connection.scratch() as scratch:
            found = same_model(self._known(client), content_digest, facts["code_version"])
            if found is not None:
                return found
            packed = _pack(model_folder, reference, scratch)
            facts["sha256"] = folder_digest(packed)
            experiment = self.connection.experiment(client)
            run = client.create_run(experiment, run_name=f"retrain through {trained_through}")
            run_id = run.info.run_id
            tracking.log_figures(
                client, run_id, metrics=metrics, params=params, tags={**(tags or {}), **facts}
            )
            client.log_artifacts(run_id, str(packed), "model")
            client.set_terminated(run_id)
            return self._shelf(client).add(f"{run.info.artifact_uri}/model", run_id, facts)

    def attach(self, version: int, folder: Path) -> None:
        """Log the files of a folder, such as pages, beside a version's figures.

        Raises:
            StorageError: if the registry is out of reach.
        """
        with self.connection.reach() as client:
            client.log_artifacts(self._shelf(client).run_id(version), str(folder), "report")

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
        with self.connection.reach() as client, self.connection.scratch() as scratch:
            registered = self._shelf(client).version(version)
            promoted = registered.promoted(promoted_for)
            self.connection.download(client, version, scratch / "copy")
            verify(scratch / "copy", promoted, source="its tag")
            # Recorded first: a run killed in between leaves a version that is trusted but not yet chosen.
            self._deployments.keep(version, scratch / "copy")
            self._deployments.record(promoted)
            self._shelf(client).mark(promoted)
        return promoted

    def withdraw(self, version: int, *, reason: str = "") -> ModelVersion:
        """Take a version out of service; nights already published keep it.

        Args:
            version: as registered.
            reason: why, for whoever reads the registry later.

        Raises:
            RegistryError: if there is no such version.
            StorageError: if the registry is out of reach; a version promoted here is withdrawn here all the same.
        """
        recorded = {one.version: one for one in self._deployments.versions()}
        if version in recorded:
            # Recorded first: from here on no night of this workspace takes it.
            self._deployments.record(recorded[version].as_withdrawn(reason))
        with self.connection.reach() as client:
            withdrawn = self._shelf(client).version(version).as_withdrawn(reason)
            self._shelf(client).mark(withdrawn)
        return withdrawn

    def rollback(
        self, *, to: int | None = None, reason: str = ""
    ) -> tuple[tuple[ModelVersion, ...], ModelVersion]:
        """Withdraw the champion, or everything promoted after a version.

        Args:
            to: the version that shall serve; the one before the champion where not given. Withdrawals that the
                registry has not heard of are repeated, and no further one is made but those ``to`` asks for.
            reason: why, for whoever reads the registry later.

        Returns:
            What was withdrawn, newest promotion first, and what serves from the next night on.

        Raises:
            RegistryError: if nothing would be left in service, or ``to`` is no version that could serve.
            StorageError: if the registry is out of reach; with ``to`` the rollback holds in this workspace all the
                same, and run again it tells the registry.
        """
        recorded = self._deployments.versions()
        leaving, serves = to_withdraw(self._told(recorded, to), recorded, to=to)
        gone = [one.as_withdrawn(reason or one.withdrawn_because) for one in leaving]
        for one in gone:
            if any(one.version == known.version for known in recorded):
                self._deployments.record(one)  # all of them, before a registry that may be out of reach
        try:
            return tuple(self.withdraw(one.version, reason=one.withdrawn_because) for one in gone), serves
        except StorageError as error:
            raise held_here_alone(error, gone, serves) from error

    def _told(self, recorded: tuple[ModelVersion, ...], to: int | None) -> tuple[ModelVersion, ...]:
        """List what the registry tells; out of reach, the record will do where a rollback names its aim."""
        try:
            with self.connection.reach() as client:
                return self._shelf(client).versions()
        except StorageError as error:
            if to is not None:
                return recorded
            raise nothing_withdrawn(error, recorded) from error

    def versions(self) -> tuple[ModelVersion, ...]:
        """List every version of the registry, or those promoted here when it is out of reach."""
        try:
            with self.connection.reach() as client:
                return self._known(client)
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
            with self.connection.reach() as client:
                tagged = self._shelf(client).version(version)
                self.connection.download(client, version, into)
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
        unsent = self.connection.folder / "unsent"
        write_text(
            json.dumps(tracking.finite(metrics), indent=1, sort_keys=True), unsent / f"as_of={as_of}.json"
        )
        try:
            with self.connection.reach() as client:
                tracking.send_nights(client, self.connection.experiment(client), unsent)
        except StorageError as error:
            _log.warning("%s The night's figures wait in %s.", error, unsent)
            return False
        return True

    def _known(self, client: Any) -> tuple[ModelVersion, ...]:
        return as_withdrawn_here(self._shelf(client).versions(), self._deployments.versions())

    def _shelf(self, client: Any) -> VersionShelf:
        return VersionShelf(client, self._settings.model_name)


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
