"""What a night's manifest says of it."""

from typing import Any

from tables.errors import SchemaError
from tables.publish import Manifest

SPOKEN_FOR = "model"
"""The published ``risk_source`` of customers the churn model speaks for."""


def fact(manifest: Manifest, name: str) -> Any:
    """Return one of the facts of a night.

    Raises:
        SchemaError: if the night was published without it.
    """
    if name not in manifest.facts:
        raise SchemaError(
            f"night {manifest.as_of}: its manifest has no {name!r}; found {sorted(manifest.facts)}. It was "
            "published by an earlier version; read a newer night."
        )
    return manifest.facts[name]
