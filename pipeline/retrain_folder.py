"""What a retraining leaves for people: one folder of pages and their figures, whole or not there at all."""

import json
import os
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from tables.storage import TEMPORARY, flush, storage

AREA = "retrains"
REPORT, CHALLENGE = "index.html", "challenge"


def retrain_folder(root: Path, as_of: date) -> Path:
    """Return where the pages of the retraining of a date lie."""
    return root / AREA / f"as_of={as_of}"


def stage(root: Path, as_of: date, files: Mapping[str, str]) -> Path:
    """Write the files of a retraining to a temporary folder beside their place.

    Args:
        root: folder of the workspace, held.
        as_of: date of the retraining.
        files: texts by file name.

    Returns:
        The temporary folder, for ``settle``.

    Raises:
        StorageError: if the machine refuses.
    """
    staged = root / AREA / f"{TEMPORARY}{os.getpid()}-{as_of}"
    with storage(staged):
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        for name, text in files.items():
            (staged / name).write_bytes(text.encode())
            flush(staged / name)
        flush(staged)
    return staged


def settle(staged: Path, root: Path, as_of: date) -> Path:
    """Put a staged folder in its place; what an earlier retraining of the same date left there goes.

    A run killed here leaves no folder for the date rather than half of one: the registry holds the pages of
    every version, and the same retraining again puts them back.

    Raises:
        StorageError: if the machine refuses.
    """
    place = retrain_folder(root, as_of)
    with storage(place):
        if place.exists():
            replaced = staged.with_name(f"{staged.name}-replaced")
            place.rename(replaced)
            staged.rename(place)
            shutil.rmtree(replaced)
        else:
            staged.rename(place)
        flush(place.parent)
    return place


def as_json(value: Mapping[str, Any]) -> str:
    """Return text whose bytes depend on the values alone."""
    return json.dumps(value, indent=1, sort_keys=True, default=str) + "\n"
