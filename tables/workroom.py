"""Where an ingest works: a clean folder, a bounded DuckDB, and the machine's refusals as one error."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tables.errors import StorageError
from tables.manifest import Manifest
from tables.sources import IngestSettings

_KEPT_FOLDERS = {"quarantine", "reports"}


def sweep(root: Path, manifest: Manifest) -> None:
    """Remove what a killed run left: files that the current generation does not name."""
    named = manifest.referenced()
    for path in sorted(root.rglob("*.parquet")):
        relative = path.relative_to(root)
        if relative.parts[0] not in _KEPT_FOLDERS and relative.as_posix() not in named:
            path.unlink()
    for leftover in root.glob(".ingest-*"):
        shutil.rmtree(leftover, ignore_errors=True)


@contextmanager
def workroom(root: Path, settings: IngestSettings) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Open DuckDB with bounded memory and a folder to spill to, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".ingest-", dir=root) as name:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": settings.memory_limit,
            "threads": settings.threads,
            "temp_directory": str(Path(name) / "spill"),
        }
        with duckdb.connect(config=config) as connection:
            connection.execute("set TimeZone = 'UTC'")
            yield connection, Path(name)


@contextmanager
def storage_errors(root: Path) -> Iterator[None]:
    """Turn a full disk, missing permission or exhausted memory into one error that says what to do."""
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException, OSError) as error:
        if isinstance(error, StorageError):
            raise
        if isinstance(error, PermissionError) and error.filename:
            raise StorageError(
                f"{error.filename}: the machine refused it; {error.strerror}. Grant this user access to it, then run "
                "again; nothing was published."
            ) from error
        raise StorageError(
            f"history: {root}: the machine refused; {str(error).splitlines()[0].rstrip('. ')}. "
            "Free disk space or memory, or correct the folder's permissions; nothing was published."
        ) from error
