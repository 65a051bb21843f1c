"""A workspace with an empty registry, and MLflow's own client to look into it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.registry import Registry
from models.tracking import RegistrySettings, known_warnings


@pytest.fixture
def root(tmp_path: Path, prepared_database: Path) -> Path:
    """A workspace with an empty registry."""
    (tmp_path / "shop" / "mlflow").mkdir(parents=True)
    shutil.copy(prepared_database, tmp_path / "shop" / "mlflow" / "mlflow.db")
    return tmp_path / "shop"


@pytest.fixture
def registry(root: Path) -> Registry:
    return Registry(root, RegistrySettings())


@pytest.fixture
def client(registry: Registry) -> Iterator[Any]:
    """MLflow's own client, to look at what was written."""
    with known_warnings():
        from mlflow import MlflowClient  # after its environment is prepared

        yield MlflowClient(tracking_uri=registry.uri, registry_uri=registry.uri)
