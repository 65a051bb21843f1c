"""A churn model on disk: JSON and LightGBM text, nothing that runs code when read."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from models.boosting import FoldBoosting
from models.level import LevelSeries
from models.members import LevelCheck, Members
from models.ridge import RidgeLogit
from tables.errors import RegistryError

_FORMAT = 1


@dataclass(frozen=True)
class FittedParts:
    """All that a trained churn model consists of.

    Attributes:
        parameters: constructor arguments.
        features: expected columns in order.
        members: the trained members.
        level_check: trial of the level, or ``None``.
        series: churn shares of the training dates.
        trained_through: end of the last outcome used.
    """

    parameters: Mapping[str, Any]
    features: tuple[str, ...]
    members: Members
    level_check: LevelCheck | None
    series: LevelSeries
    trained_through: date


def write_parts(parts: FittedParts, folder: Path) -> None:
    """Write a model into a folder; equal models give equal bytes.

    Args:
        parts: the model.
        folder: where to; made where absent.
    """
    boosters = folder / "boosters"
    boosters.mkdir(parents=True, exist_ok=True)
    members = parts.members
    for name, boosting in (("ranking", members.boosting), ("level", members.level_boosting)):
        for fold, text in enumerate(boosting.trees):
            (boosters / f"{name}_{fold}.txt").write_text(text, encoding="utf-8")
    check = parts.level_check
    contents: dict[str, Mapping[str, Any]] = {
        "model": {
            "format": _FORMAT,
            "parameters": dict(parts.parameters),
            "trained_through": parts.trained_through.isoformat(),
            "level_start": members.level_boosting.start,
            "boosters": {"ranking": len(members.boosting.trees), "level": len(members.level_boosting.trees)},
        },
        "features": {"features": list(parts.features)},
        "ridge": asdict(members.ridge),
        "calibration": {
            "slope": members.slope,
            "own_means": members.own_means,
            "level_check": None if check is None else asdict(check) | {"as_of": check.as_of.isoformat()},
            "series": asdict(parts.series) | {"as_of": [day.isoformat() for day in parts.series.as_of]},
        },
    }
    for name, content in contents.items():
        text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def read_parts(folder: Path) -> FittedParts:
    """Read a model that ``write_parts`` wrote.

    Args:
        folder: where from.

    Raises:
        RegistryError: a file is missing, unreadable or of another version.
    """
    about = _read_json(folder / "model.json")
    if about.get("format") != _FORMAT:
        raise RegistryError(
            f"{folder}: a model of format {about.get('format')}; this version reads {_FORMAT}. Retrain it."
        )
    calibration = _read_json(folder / "calibration.json")
    check, series = calibration["level_check"], calibration["series"]
    return FittedParts(
        parameters=about["parameters"],
        features=tuple(_read_json(folder / "features.json")["features"]),
        members=Members(
            boosting=FoldBoosting(0.0, _trees(folder, "ranking", about["boosters"]["ranking"])),
            ridge=_ridge(folder),
            level_boosting=FoldBoosting(
                about["level_start"], _trees(folder, "level", about["boosters"]["level"])
            ),
            own_means=tuple(calibration["own_means"]),
            slope=calibration["slope"],
        ),
        level_check=None
        if check is None
        else LevelCheck(**check | {"as_of": date.fromisoformat(check["as_of"])}),
        series=LevelSeries(
            as_of=tuple(map(date.fromisoformat, series["as_of"])),
            customers=tuple(series["customers"]),
            churn_rate=tuple(series["churn_rate"]),
            mean_no_purchase=tuple(series["mean_no_purchase"]),
        ),
        trained_through=date.fromisoformat(about["trained_through"]),
    )


def _ridge(folder: Path) -> RidgeLogit:
    content = _read_json(folder / "ridge.json")
    return RidgeLogit(
        features=tuple(content["features"]),
        flagged=tuple(content["flagged"]),
        coefficients=tuple(content["coefficients"]),
        constant=content["constant"],
        inverse_penalty=content["inverse_penalty"],
    )


def _trees(folder: Path, name: str, folds: int) -> tuple[str, ...]:
    return tuple(_read_text(folder / "boosters" / f"{name}_{fold}.txt") for fold in range(folds))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        raise RegistryError(f"{path}: not JSON; {error}. Restore the model's folder or retrain.") from error
    return content


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise RegistryError(
            f"{path}: file of the model not found. Restore the model's folder or retrain."
        ) from error
