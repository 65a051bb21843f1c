"""A churn model on disk: JSON and LightGBM text, nothing that runs code when read."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from models.boosting import Boosting
from models.level import LevelSeries
from models.members import LevelCheck, Members
from models.prior import PriorLogit
from models.ridge import RidgeLogit
from models.settings import BoostingSettings, Recipe
from tables.errors import LeakageError, RegistryError
from tables.storage import sha256_of

_FORMAT = 2


@dataclass(frozen=True)
class FittedParts:
    """All that a trained churn model consists of.

    Attributes:
        parameters: constructor arguments by name, settings as their own types.
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

    def to_try(
        self, parameters: Mapping[str, Any], features: Iterable[str], day: date
    ) -> tuple[Members, LevelSeries] | None:
        """Return members and churn shares for a trial at a day, or nothing where they are of another making.

        Raises:
            LeakageError: they have seen outcomes that end after the day.
        """
        if self.trained_through > day:
            raise LeakageError(
                f"churn model: the level at {day} cannot be tried by a model that has seen outcomes up to "
                f"{self.trained_through}. Give one trained for {day} or before."
            )
        alike = {**self.parameters, "threads": None} == {**parameters, "threads": None}
        return (self.members, self.series) if alike and self.features == tuple(features) else None


def write_parts(parts: FittedParts, folder: Path) -> None:
    """Write a model into a folder; equal models give equal bytes.

    Args:
        parts: the model.
        folder: where to; made where absent.
    """
    folder.mkdir(parents=True, exist_ok=True)
    members, check = parts.members, parts.level_check
    boosters = {
        name: _write_trees(boosting, name, folder)
        for name, boosting in (("ranking", members.boosting), ("level", members.level_boosting))
        if boosting is not None
    }
    contents: dict[str, Mapping[str, Any]] = {
        "features": {"features": list(parts.features)},
        "calibration": {
            "slope": members.slope,
            "own_means": members.own_means,
            "level_check": None if check is None else asdict(check) | {"as_of": check.as_of.isoformat()},
            "series": asdict(parts.series) | {"as_of": [day.isoformat() for day in parts.series.as_of]},
        },
        **({} if members.ridge is None else {"ridge": asdict(members.ridge)}),
    }
    files = [_write_json(content, folder / f"{name}.json") for name, content in contents.items()]
    files += [folder / _trees_of(name) for name in boosters]
    about = {
        "format": _FORMAT,
        "parameters": {
            # The threads are the machine's: any number of them trains the same model.
            name: _plain(value)
            for name, value in parts.parameters.items()
            if name != "threads"
        },
        "trained_through": parts.trained_through.isoformat(),
        "weights": dict(members.weights),
        "within_date": members.within_date,
        "boosters": boosters,
        "prior": None if members.prior is None else asdict(members.prior),
        "sha256": {path.relative_to(folder).as_posix(): sha256_of(path) for path in files},
    }
    _write_json(about, folder / "model.json")


def read_parts(folder: Path) -> FittedParts:
    """Read a model that ``write_parts`` wrote.

    Args:
        folder: where from.

    Raises:
        RegistryError: a file is missing, unreadable, not the one that was saved, or of another version.
    """
    about = _read_json(folder / "model.json")
    if about.get("format") != _FORMAT:
        raise RegistryError(
            f"{folder}: a model of format {about.get('format')}; this version reads {_FORMAT}. Retrain it."
        )
    _check_whole(folder, about.get("sha256", {}))
    calibration = _read_json(folder / "calibration.json")
    check, series, boosters = calibration["level_check"], calibration["series"], about["boosters"]
    return FittedParts(
        parameters=_own_types(about["parameters"]),
        features=tuple(_read_json(folder / "features.json")["features"]),
        members=Members(
            weights=about["weights"],
            boosting=_boosting(folder, "ranking", boosters["ranking"]) if "ranking" in boosters else None,
            ridge=_ridge(folder) if "ridge" in about["weights"] else None,
            prior=None if about["prior"] is None else PriorLogit(**about["prior"]),
            within_date=about["within_date"],
            level_boosting=_boosting(folder, "level", boosters["level"]),
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


def _check_whole(folder: Path, digests: Mapping[str, str]) -> None:
    # LightGBM ends the whole process when it meets trees cut short: they must not get that far.
    problems = []
    for name in sorted({*digests, "calibration.json", "features.json"}):
        if not (folder / name).is_file():
            problems.append(f"{folder / name}: file of the model not found")
        elif sha256_of(folder / name) != digests.get(name):
            problems.append(f"{folder / name}: not the file that was saved with the model")
    if problems:
        raise RegistryError("\n".join(f"{each}. Restore the model's folder or retrain." for each in problems))


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _own_types(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **parameters,
        "recipe": Recipe.model_validate(parameters["recipe"]),
        "boosting": BoostingSettings.model_validate(parameters["boosting"]),
    }


def _write_trees(boosting: Boosting, name: str, folder: Path) -> dict[str, Any]:
    path = folder / _trees_of(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(boosting.trees, encoding="utf-8")
    return {"start": boosting.start}


def _trees_of(name: str) -> str:
    return f"boosters/{name}.txt"


def _write_json(content: Mapping[str, Any], path: Path) -> Path:
    text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _ridge(folder: Path) -> RidgeLogit:
    content = _read_json(folder / "ridge.json")
    return RidgeLogit(
        features=tuple(content["features"]),
        flagged=tuple(content["flagged"]),
        coefficients=tuple(content["coefficients"]),
        constant=content["constant"],
        inverse_penalty=content["inverse_penalty"],
    )


def _boosting(folder: Path, name: str, about: Mapping[str, Any]) -> Boosting:
    return Boosting(about["start"], _read_text(folder / _trees_of(name)))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_read_text(path))
    except ValueError as error:
        raise RegistryError(f"{path}: not JSON; {error}. Restore the model's folder or retrain.") from error
    if not isinstance(content, dict):
        raise RegistryError(f"{path}: not an object of JSON. Restore the model's folder or retrain.")
    return content


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise RegistryError(
            f"{path}: file of the model not found. Restore the model's folder or retrain."
        ) from error
