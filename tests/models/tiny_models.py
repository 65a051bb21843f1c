"""A folder that passes for a model, registered and promoted."""

from datetime import date
from pathlib import Path

from models.deployment import ModelVersion
from models.registry import Registry

JANUARY = date(2025, 1, 31)


def model_in(folder: Path, leaf: float = 0.5) -> Path:
    (folder / "boosters").mkdir(parents=True, exist_ok=True)
    (folder / "boosters" / "0.txt").write_text(f"leaf={leaf}")
    (folder / "features.json").write_text('{"features": ["orders_90d"]}')
    return folder


def register(
    registry: Registry, folder: Path, *, trained_through: date = JANUARY, leaf: float = 0.5
) -> ModelVersion:
    return registry.register(
        model_in(folder, leaf),
        reference='{"as_of": "2025-01-31"}',
        trained_through=trained_through,
        metrics={"auc": 0.8, "lift_at_10pct": float("nan")},
        params={"seed": 0},
        config_digest="c0ffee",
        dataset_digest="da7a",
        tags={"level_check": "none"},
    )


def promoted(registry: Registry, folder: Path, promoted_for: date = JANUARY) -> ModelVersion:
    version = register(registry, folder, trained_through=promoted_for, leaf=promoted_for.toordinal())
    return registry.promote(version.version, promoted_for=promoted_for)
