"""A business's workspace as readers see it."""

from datetime import date, timedelta
from pathlib import Path
from typing import Self

import pandas as pd

from models.deployment import Deployments, newest_promotion
from pipeline.reading.model import ModelReader
from pipeline.reading.night import NightReader
from pipeline.reading.past import PastReader
from tables.errors import ConfigError, DataError, RegistryError
from tables.history import History
from tables.manifest import read_manifest
from tables.publish import Manifest, published, published_dates

Day = date | str
_LOOK_BACK = timedelta(days=30)


class Workspace:
    """A workspace, read only.

    Attributes:
        root: its folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open a workspace.

        Raises:
            DataError: if there is none; says what makes one.
        """
        root = Path(path)
        if not (root / "history").is_dir():
            raise DataError(
                f"{root}: no workspace here; found no history. Run `keepwell demo`, or `keepwell nightly -c` "
                "with your configuration, or name another folder."
            )
        return cls(root)

    def nights(self) -> pd.DataFrame:
        """List the published nights.

        Returns:
            One row a night, oldest first: ``as_of``, ``model_version``, ``customers`` (those the churn model
            speaks for), ``at_risk`` (share of them), ``level`` (forecast share to churn), ``newest_order_on``,
            ``planned``, ``sent``, ``withheld`` (customers) and ``cost`` (currency units).

        Raises:
            DataError: if nothing was published yet.
        """
        return pd.DataFrame([_summary(self._manifest(day)) for day in self._dates()])

    def night(self, as_of: Day | None = None) -> NightReader:
        """Read one published night, the newest if none is named.

        Raises:
            DataError: if that night, or any, was not published.
        """
        dates = self._dates()
        day = dates[-1] if as_of is None else _day(as_of)
        manifest = self._manifest(day)
        lately = [other for other in dates if day - _LOOK_BACK <= other < day]
        return NightReader(manifest, earlier=tuple(map(self._manifest, lately)))

    def model(self, version: int | None = None) -> ModelReader:
        """Read the report card of a promoted model, the newest if none is named.

        Raises:
            RegistryError: if there is none, or its files are not those that were promoted.
        """
        deployments = Deployments(self.root)
        if version is not None:
            return ModelReader(self.root, deployments.version(version))
        newest = newest_promotion(deployments.versions())
        if newest is None:
            raise RegistryError(f"{self.root}: no model was promoted yet. Run `keepwell retrain` first.")
        return ModelReader(self.root, newest)

    def past(self, as_of: Day | None = None) -> PastReader:
        """Read the history as it was known at a date, that of the newest night if none is named.

        Raises:
            DataError: if nothing was ingested, or no date is named and nothing was published.
        """
        root = self.root / "history"
        manifest = read_manifest(root)
        if manifest is None:
            raise DataError(f"{root}: nothing ingested yet. Run `keepwell ingest` first.")
        day = self._dates()[-1] if as_of is None else _day(as_of)
        return PastReader(History(root, manifest), manifest, day)

    def _dates(self) -> tuple[date, ...]:
        dates = published_dates(self.root)
        if not dates:
            raise DataError(f"{self.root}: no night is published yet. Run `keepwell nightly` first.")
        return dates

    def _manifest(self, day: date) -> Manifest:
        manifest = published(self.root, day)
        if manifest is None:
            found = ", ".join(map(str, published_dates(self.root)[-3:]))
            raise DataError(f"{self.root}: {day} was not published; the newest nights are {found}. Name one.")
        return manifest


def _day(as_of: Day) -> date:
    if isinstance(as_of, date):
        return as_of
    try:
        return date.fromisoformat(as_of)
    except ValueError as error:
        raise ConfigError(f"as_of: {as_of!r} is no date. Write it as 2026-11-21.") from error


def _summary(manifest: Manifest) -> dict[str, object]:
    vitals, total = manifest.facts["vitals"], manifest.facts["summary"]["total"]
    return {
        "as_of": pd.Timestamp(manifest.as_of),
        "model_version": manifest.facts["model_version"],
        **{name: vitals[name] for name in ("customers", "at_risk", "level")},
        "newest_order_on": pd.Timestamp(vitals["newest_order_on"]),
        **{name: total[name] for name in ("planned", "sent", "withheld", "cost")},
    }
