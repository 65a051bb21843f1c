"""What Keepwell writes to and reads from an MLflow client that it is lent; nothing here imports MLflow."""

import importlib.metadata
import json
import logging
import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from models.deployment import ModelVersion, newest_promotion
from tables.errors import RegistryError

_REQUIREMENTS = ("lightgbm", "mlflow", "numpy", "pandas", "pyarrow", "pydantic", "scikit-learn", "scipy")
_FACTS = ("sha256", "trained_through", "config_digest", "dataset_digest", "code_version")
_LATER_FACTS = ("recipe_digest", "content_digest", "withdrawn_because")  # versions of earlier code lack them


class RegistrySettings(BaseModel):
    """Where models and their figures are kept.

    Attributes:
        tracking_uri: MLflow server or database; a SQLite file in the workspace when missing.
        artifact_location: folder or address of the model files; beside that file when missing.
        experiment: name of the MLflow experiment.
        model_name: name under which versions are registered.
        timeout_seconds: longest wait for one answer of a server.
        retries: further attempts after a failed one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tracking_uri: str | None = None
    artifact_location: str | None = None
    experiment: str = "keepwell"
    model_name: str = Field(default="keepwell-churn", pattern=r"^[\w -]+$")
    timeout_seconds: int = Field(default=3, ge=1)
    retries: int = Field(default=1, ge=0, le=10)


def prepare_environment(settings: RegistrySettings) -> None:
    """Set MLflow's own switches: no telemetry, no pickles, no chatter, and a short wait for a dead server.

    MLflow reads them from the environment and nowhere else. Its default wait was measured at 248 s.
    """
    os.environ.update(
        DO_NOT_TRACK="true",
        MLFLOW_DISABLE_TELEMETRY="true",
        MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false",
        MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT="true",
        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
        MLFLOW_UV_AUTO_DETECT="false",
        MLFLOW_LOGGING_LEVEL="ERROR",
        MLFLOW_HTTP_REQUEST_TIMEOUT=str(settings.timeout_seconds),
        MLFLOW_HTTP_REQUEST_MAX_RETRIES=str(settings.retries),
        MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR="0",
        MLFLOW_HTTP_REQUEST_BACKOFF_JITTER="0",
    )
    for name in ("mlflow", "alembic", "urllib3.connectionpool"):
        logging.getLogger(name).setLevel(logging.ERROR)


@contextmanager
def known_warnings() -> Iterator[None]:
    """Silence the two warnings MLflow 3.17 gives about its own code; all others stay."""
    with warnings.catch_warnings():
        # Importing mlflow.pyfunc infers schemas of its own chat types.
        warnings.filterwarnings(
            "ignore", message=".*Any type hint is inferred as AnyType", category=UserWarning
        )
        # Its SQLAlchemy models use a loader that SQLAlchemy 2.1 deprecates (SADeprecationWarning).
        warnings.filterwarnings("ignore", message="The ``noload`` loader strategy is deprecated")
        yield


def pip_requirements() -> list[str]:
    """Pin what loading a model needs; letting MLflow infer it takes 21-30 s instead of 0.9 s."""
    return [f"{name}=={importlib.metadata.version(name)}" for name in _REQUIREMENTS]


def experiment_id(client: Any, name: str, artifact_location: str | None) -> str:
    """Return the experiment's id; make the experiment if it is absent.

    A database stores absolute artifact locations. A workspace that was moved or copied therefore gets a
    second experiment rather than writing into the first one's old place.
    """
    found = client.get_experiment_by_name(name)
    if found is not None and artifact_location not in (None, found.artifact_location):
        name = f"{name} in {artifact_location}"
        found = client.get_experiment_by_name(name)
    if found is None:
        _unless_it_exists(lambda: client.create_experiment(name, artifact_location=artifact_location))
        found = client.get_experiment_by_name(name)
    return str(found.experiment_id)


def log_figures(
    client: Any,
    run_id: str,
    *,
    metrics: Mapping[str, float],
    params: Mapping[str, Any],
    tags: Mapping[str, str],
) -> None:
    """Write a run's figures, settings and facts."""
    for key, figure in finite(metrics).items():
        client.log_metric(run_id, key, figure)
    for key, setting in params.items():
        client.log_param(run_id, key, setting)
    for key, fact in tags.items():
        client.set_tag(run_id, key, fact)


def send_nights(client: Any, experiment: str, unsent: Path) -> None:
    """Write the figures of waiting nights, each to the one run of its night, and delete what was sent.

    Args:
        client: an MLflow client.
        experiment: id of the experiment.
        unsent: folder with one ``as_of=D.json`` per waiting night.
    """
    for path in sorted(unsent.glob("as_of=*.json")):
        run_id = _run_of_night(client, experiment, path.stem.removeprefix("as_of="))
        log_figures(client, run_id, metrics=json.loads(path.read_text()), params={}, tags={})
        client.set_terminated(run_id)
        path.unlink()


@dataclass(frozen=True)
class SearchTrial:
    """One trial of a search for settings.

    Attributes:
        params: what was tried.
        metrics: how it did.
        is_whole: whether it was tried to the end.
    """

    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    is_whole: bool


def log_search(client: Any, experiment: str, name: str, trials: Sequence[SearchTrial]) -> None:
    """Write a search as one run and its trials as runs nested in it.

    Args:
        client: an MLflow client.
        experiment: id of the experiment.
        name: name of the search.
        trials: all of them; the first one is what was configured.
    """
    whole = client.create_run(experiment, run_name=name, tags={"kind": "search"})
    parent, best = str(whole.info.run_id), min(trials, key=_loss_if_whole)
    log_figures(client, parent, metrics=best.metrics, params=best.params, tags={"trials": str(len(trials))})
    for number, trial in enumerate(trials):
        tags = {"kind": "trial", "mlflow.parentRunId": parent}
        run = client.create_run(experiment, run_name=f"trial {number}", tags=tags)
        log_figures(client, run.info.run_id, metrics=trial.metrics, params=trial.params, tags={})
        client.set_terminated(run.info.run_id, status="FINISHED" if trial.is_whole else "KILLED")
    client.set_terminated(parent)


def _loss_if_whole(trial: SearchTrial) -> float:
    return trial.metrics["log_loss"] if trial.is_whole else math.inf


def finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Leave out figures that are not finite: neither JSON nor every tracking server takes them."""
    return {key: float(figure) for key, figure in metrics.items() if math.isfinite(figure)}


class VersionShelf:
    """The versions of one registered model, seen through a client.

    Args:
        client: an MLflow client.
        name: of the registered model.
    """

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def add(self, source: str, run_id: str, facts: Mapping[str, str]) -> ModelVersion:
        """Register the files at ``source`` as the next version, alias ``challenger``."""
        _unless_it_exists(lambda: self._client.create_registered_model(self._name))
        added = self._client.create_model_version(self._name, source=source, run_id=run_id, tags=dict(facts))
        self._client.set_registered_model_alias(self._name, "challenger", added.version)
        return _read(added.version, facts)

    def versions(self) -> tuple[ModelVersion, ...]:
        """List the versions Keepwell registered; those put there by hand lack its tags and are left out."""
        found, token = [], None
        while True:
            page = self._client.search_model_versions(f"name = '{self._name}'", page_token=token)
            found += [_read(one.version, one.tags) for one in page if set(_FACTS) <= set(one.tags)]
            token = page.token
            if not token:
                return tuple(sorted(found, key=lambda one: one.version))

    def version(self, number: int) -> ModelVersion:
        """Return one version.

        Raises:
            RegistryError: if there is none of this number.
        """
        known = {one.version: one for one in self.versions()}
        if number not in known:
            raise RegistryError(
                f"registry: no version {number} of {self._name!r}; found {sorted(known)}. "
                "Take one of these, or run `keepwell retrain`."
            )
        return known[number]

    def run_id(self, number: int) -> str:
        """Return the id of the run that trained a version."""
        return str(self._client.get_model_version(self._name, str(number)).run_id)

    def mark(self, one: ModelVersion) -> None:
        """Write a promotion or a withdrawal, and point the aliases at what serves now."""
        facts = {"withdrawn_because": one.withdrawn_because, "withdrawn": str(one.withdrawn).lower()}
        if one.promoted_for is not None:
            facts = {"promoted_for": str(one.promoted_for), **facts}
        for key, fact in facts.items():
            self._client.set_model_version_tag(self._name, one.version, key, fact)
        self._point_aliases()

    def _point_aliases(self) -> None:
        aliases = self._client.get_registered_model(self._name).aliases
        versions = self.versions()
        champion = newest_promotion(versions)
        if champion:
            self._client.set_registered_model_alias(self._name, "champion", champion.version)
        elif "champion" in aliases:
            self._client.delete_registered_model_alias(self._name, "champion")
        serving = {one.version for one in versions if one.in_service}
        if int(aliases.get("challenger", 0)) in serving:
            self._client.delete_registered_model_alias(self._name, "challenger")


def _run_of_night(client: Any, experiment: str, as_of: str) -> str:
    found = client.search_runs([experiment], f"tags.kind = 'night' and tags.as_of = '{as_of}'")
    if found:
        return str(found[0].info.run_id)
    tags = {"kind": "night", "as_of": as_of}
    return str(client.create_run(experiment, run_name=f"night {as_of}", tags=tags).info.run_id)


def _read(number: int | str, tags: Mapping[str, str]) -> ModelVersion:
    known = {name: tags[name] for name in _FACTS} | {name: tags.get(name, "") for name in _LATER_FACTS}
    promoted_for = tags.get("promoted_for")
    withdrawn = tags.get("withdrawn") == "true"
    return ModelVersion.model_validate(
        {"version": int(number), "promoted_for": promoted_for, "withdrawn": withdrawn, **known}
    )


def _unless_it_exists(create: Callable[[], object]) -> None:
    try:
        create()
    except Exception as error:
        # MLflow's exception carries its code; another process may have been first.
        if getattr(error, "error_code", None) != "RESOURCE_ALREADY_EXISTS":
            raise
