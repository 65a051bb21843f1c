"""Reaching MLflow: a client lent for a block, one error for whatever keeps it from answering.

With ``registry.py`` the only place that imports MLflow, inside functions: its import costs 2 CPU seconds.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import Any

from filelock import FileLock

from models import tracking
from models.deployment import copy_without_bytecode
from models.tracking import RegistrySettings, known_warnings
from tables.errors import KeepwellError, StorageError
from tables.storage import TEMPORARY, storage

_SQLITE = "sqlite:///"
_SECONDS_TO_CREATE = 300


class Connection:
    """The way to one workspace's tracking server or database.

    Args:
        root: folder of the workspace.
        settings: where the registry is.
    """

    def __init__(self, root: Path, settings: RegistrySettings) -> None:
        self._root = root.resolve()
        self._settings = settings
        self._out_of_reach = ""
        self.folder = self._root / "mlflow"

    @property
    def uri(self) -> str:
        """Address of the tracking server or database, for ``mlflow ui --backend-store-uri``."""
        return self._settings.tracking_uri or f"{_SQLITE}{self.folder / 'mlflow.db'}"

    @contextmanager
    def reach(self, *, create: bool = False) -> Iterator[Any]:
        """Lend a client; whatever keeps the registry from answering becomes one StorageError.

        Args:
            create: make the database where there is none.

        Raises:
            StorageError: if the registry is out of reach.
        """
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
                    create_database(database, self.folder / "artifacts")
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
    def scratch(self) -> Iterator[Path]:
        """Lend a temporary folder of the workspace."""
        with storage(self._root):
            folder = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=self._root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def experiment(self, client: Any) -> str:
        """Return the id of the experiment; it is made where absent."""
        location = self._settings.artifact_location
        if location is None and self._settings.tracking_uri is None:
            location = (self.folder / "artifacts").as_uri()
        return tracking.experiment_id(client, self._settings.experiment, location)

    def download(self, client: Any, version: int, into: Path) -> None:
        """Copy the files of a version into a folder to make."""
        from mlflow.artifacts import download_artifacts

        source = client.get_model_version_download_uri(self._settings.model_name, str(version))
        with self.scratch() as scratch:
            # Without a destination a local store hands out its own folder: check, then load would race.
            found = download_artifacts(artifact_uri=source, dst_path=str(scratch), tracking_uri=self.uri)
            copy_without_bytecode(Path(found), into)

    def _database(self) -> Path | None:
        return Path(self.uri.removeprefix(_SQLITE)) if self.uri.startswith(_SQLITE) else None


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
