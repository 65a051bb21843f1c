"""Which registered model this workspace trusts, and a verified copy of its files that needs no server.

A model's folder is code: it is copied without bytecode, the copy is hashed, and the hash must be the one
this workspace recorded when it promoted the model.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from tables.errors import LeakageError, RegistryError
from tables.storage import TEMPORARY, flush, sha256_of, storage, write_text

_TEXT_FILES = {".txt", ".json"}


class ModelVersion(BaseModel):
    """What the registry knows about one version of the model.

    Attributes:
        version: number given by the registry.
        sha256: of the model's folder.
        trained_through: end of the last outcome window it learned from.
        promoted_for: date of the retraining that promoted it; missing while it is a challenger.
        withdrawn: whether it must not score new nights.
        config_digest: of the configuration it was trained with.
        dataset_digest: of the history it was trained on.
        code_version: of Keepwell.
        recipe_digest: of what decides how it was trained; empty where it was not kept.
        content_digest: of the model and what it tells of itself; empty where it was not kept.
        withdrawn_because: why it was withdrawn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int
    sha256: str
    trained_through: date
    promoted_for: date | None = None
    withdrawn: bool = False
    config_digest: str
    dataset_digest: str
    code_version: str
    recipe_digest: str = ""
    content_digest: str = ""
    withdrawn_because: str = ""

    @property
    def in_service(self) -> bool:
        """Whether it was promoted and not withdrawn."""
        return self.promoted_for is not None and not self.withdrawn

    @property
    def usable_from(self) -> date:
        """First night it may score without having seen that night's future."""
        return max(self.trained_through, self.promoted_for or self.trained_through)

    def promoted(self, promoted_for: date) -> Self:
        """Return it as promoted by the retraining of a date.

        Raises:
            LeakageError: if it learned from days after that date.
        """
        if self.trained_through > promoted_for:
            raise LeakageError(
                f"registry: version {self.version} cannot be promoted for {promoted_for}; it is trained "
                f"through {self.trained_through}. Retrain as of {promoted_for}."
            )
        return self.model_copy(
            update={"promoted_for": promoted_for, "withdrawn": False, "withdrawn_because": ""}
        )

    def as_withdrawn(self, reason: str) -> Self:
        """Return it as withdrawn for a reason."""
        return self.model_copy(update={"withdrawn": True, "withdrawn_because": reason})


_RECORD = TypeAdapter(dict[int, ModelVersion])


class ModelFiles:
    """A private, verified copy of a registered model.

    Attributes:
        version: what was recorded when it was promoted.
        folder: the whole MLflow model, for ``mlflow.pyfunc.load_model``.
        model: what ``ChurnModel.load`` reads.
        reference: what ``DateReference.from_json`` reads: the date the model was retrained for.
    """

    def __init__(self, folder: Path, version: ModelVersion) -> None:
        self.version = version
        self.folder = folder
        self.model = folder / "artifacts" / "churn"
        self.reference = folder / "artifacts" / "reference.json"


def choose_champion(
    versions: Iterable[ModelVersion], as_of: date, *, allow_later: bool = False
) -> ModelVersion:
    """Return the version last promoted that could not have seen beyond ``as_of``.

    Args:
        versions: all versions known.
        as_of: the night to score.
        allow_later: when only later models exist, take the earliest of them instead of refusing; the
            caller must mark what it scores.

    Raises:
        RegistryError: if no version is in service at all.
        LeakageError: if every version in service is later than ``as_of``; names the earliest usable night.
    """
    known = sorted(versions, key=lambda one: one.version)
    serving = [one for one in known if one.in_service]
    if not serving:
        found = ", ".join(f"{one.version} ({_state(one)})" for one in known) or "no version at all"
        rejected = any(not one.withdrawn for one in known)
        why = "retrains/as_of=DATE/index.html says why one was not promoted. " if rejected else ""
        again = f"{why}Run `keepwell retrain` {'again' if known else 'first'}"
        raise RegistryError(f"registry: no model is in service; found {found}. {again}.")
    usable = [one for one in serving if one.usable_from <= as_of]
    if usable:
        return max(usable, key=promotion_order)
    earliest = min(serving, key=lambda one: (one.usable_from, one.version))
    if allow_later:
        return earliest
    raise LeakageError(
        f"registry: no model may score {as_of}; the earliest in service, version {earliest.version}, was "
        f"promoted for {earliest.promoted_for} and trained through {earliest.trained_through}. "
        f"Retrain as of {as_of} or earlier, or score {earliest.usable_from} or later."
    )


def same_model(
    versions: Iterable[ModelVersion], content_digest: str, code_version: str
) -> ModelVersion | None:
    """Return the newest version of a content, unless one registered after it has come into service."""
    found = None
    for one in sorted(versions, key=lambda one: one.version):
        if content_digest and (one.content_digest, one.code_version) == (content_digest, code_version):
            found = one
        elif one.in_service:
            found = None
    return found


def newest_promotion(versions: Iterable[ModelVersion]) -> ModelVersion | None:
    """Return the version in service with the latest ``promoted_for``, or nothing."""
    return max((one for one in versions if one.in_service), key=promotion_order, default=None)


def folder_digest(folder: Path) -> str:
    """Return one SHA-256 over every file of a folder: relative path and content.

    Examples:
        >>> from tempfile import mkdtemp
        >>> folder_digest(Path(mkdtemp()))[:8]  # of nothing
        'e3b0c442'
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if not path.is_dir()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{sha256_of(path)}\n".encode())
    return digest.hexdigest()


def copy_without_bytecode(source: Path, target: Path) -> None:
    """Copy a folder and leave ``__pycache__`` behind: unhashed bytecode would run in place of hashed code."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))


def refuse_binaries(model_folder: Path) -> None:
    """Check that a folder to register holds text and JSON only.

    Raises:
        RegistryError: if it holds anything else, or nothing.
    """
    files = sorted(path for path in model_folder.rglob("*") if path.is_file())
    refused = [str(path.relative_to(model_folder)) for path in files if path.suffix not in _TEXT_FILES]
    if refused or not files:
        raise RegistryError(
            f"{model_folder}: a model is text and JSON files only; found {refused[:3] or 'no file'}. "
            "Save it with ChurnModel.save: a pickle runs code when it is loaded."
        )


def verify(folder: Path, expected: ModelVersion, *, source: str) -> None:
    """Check that a private copy holds what was registered; delete the copy if not.

    Args:
        folder: the copy.
        expected: version whose ``sha256`` the copy must have.
        source: who says so, for the message.

    Raises:
        RegistryError: if a file was changed, added or removed.
    """
    found = folder_digest(folder)
    if found != expected.sha256:
        shutil.rmtree(folder)
        raise RegistryError(
            f"registry: the files of version {expected.version} are not what was registered; their SHA-256 "
            f"starts {found[:12]}, {source} says {expected.sha256[:12]}. Restore them, or retrain."
        )


class Deployments:
    """The deployment record of a workspace and its last known good copies, under ``champion/``.

    Args:
        root: folder of the workspace.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / "champion"
        self._record = self._folder / "record.json"

    def versions(self) -> tuple[ModelVersion, ...]:
        """List what was promoted here, by version.

        Raises:
            RegistryError: if the record cannot be read.
        """
        try:
            known = _RECORD.validate_json(self._record.read_bytes())
        except FileNotFoundError:
            return ()
        except ValidationError as error:
            raise RegistryError(
                f"{self._record}: not a deployment record; {error.errors()[0]['msg']}. "
                "Restore it from a backup, or retrain."
            ) from error
        return tuple(known[number] for number in sorted(known))

    def version(self, number: int) -> ModelVersion:
        """Return what was recorded when a version was promoted here.

        Raises:
            RegistryError: if it never was.
        """
        known = {one.version: one for one in self.versions()}
        if number not in known:
            raise RegistryError(
                f"{self._record}: version {number} was never promoted in this workspace; found "
                f"{sorted(known)}. Retrain here, or restore the record from a backup."
            )
        return known[number]

    def record(self, deployed: ModelVersion) -> None:
        """Write down what is trusted from now on."""
        known = {one.version: one.model_dump(mode="json") for one in self.versions()}
        known[deployed.version] = deployed.model_dump(mode="json")
        write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", self._record)

    def keep(self, number: int, verified: Path) -> None:
        """Keep a verified folder as the last known good copy of a version."""
        with storage(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            unfinished = self._folder / f"{TEMPORARY}{os.getpid()}-{number}"
            shutil.rmtree(unfinished, ignore_errors=True)
            copy_without_bytecode(verified, unfinished)
            shutil.rmtree(self._folder / str(number), ignore_errors=True)
            unfinished.rename(self._folder / str(number))
            flush(self._folder)

    def copy(self, number: int, into: Path) -> None:
        """Copy the last known good files of a version.

        Raises:
            RegistryError: if none were kept.
        """
        kept = self._folder / str(number)
        if not kept.is_dir():
            raise RegistryError(
                f"{kept}: no copy of version {number} was kept, and the registry is out of reach. "
                "Start the tracking server, then run again."
            )
        copy_without_bytecode(kept, into)


def promotion_order(one: ModelVersion) -> tuple[date, int]:
    """Return by what versions are sorted: the date of the retraining, then the number."""
    return one.promoted_for or one.trained_through, one.version


def _state(one: ModelVersion) -> str:
    return "withdrawn" if one.withdrawn else "not promoted"
