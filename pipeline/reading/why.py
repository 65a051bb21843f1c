"""Why customers are at risk on a published night: their features worked out again, and what the model makes of them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from features.build import FeatureSettings, build_features
from models.churn import ChurnModel
from models.deployment import Deployments
from models.importance import importances
from models.reference import DateReference
from models.wordings import language_of
from pipeline.attributes import customer_ids
from pipeline.reading.facts import SPOKEN_FOR, fact
from pipeline.reading.model import ModelReader
from tables.calendar import BusinessCalendar
from tables.errors import DataError
from tables.history import History
from tables.manifest import read_manifest
from tables.publish import Manifest
from tables.storage import read_table

_SETTINGS = TypeAdapter(FeatureSettings)
_TOLD = (
    "customer_id",
    "place",
    "theme",
    "feature",
    "contribution",
    "share",
    "risk_without",
    "sentence",
    "change",
)


@dataclass(frozen=True)
class WhyReader:
    """The features of a night and the model's reasons.

    Attributes:
        manifest: what was published.
    """

    manifest: Manifest

    def features(self) -> pd.DataFrame:
        """Work the night's features out again; returns what ``NightReader.features`` says."""
        frame, ids = self._built
        order = np.argsort(ids, kind="stable")
        told = frame.drop(columns=["customer", "as_of"]).iloc[order].reset_index(drop=True)
        told.insert(0, "customer_id", ids[order])
        return told

    def reasons(self, *customers: str, most: int, language: str | None) -> pd.DataFrame:
        """Say why some customers are at risk; arguments, frame and errors are those of ``NightReader.reasons``."""
        business = fact(self.manifest, "business")
        spoken = language_of(language or business.get("language", "en"))
        watched = self._watched_features
        unknown = [each for each in customers if each not in watched.index]
        if unknown:
            raise DataError(
                f"reasons: the churn model does not speak for {unknown[:3]} on {self.manifest.as_of}. "
                "Name customers whose risk_source is model."
            )
        rows = watched.loc[list(customers)]
        told = self._model.reasons(rows, reference=self._reference, top=most)
        return pd.DataFrame(
            [
                {
                    "customer_id": customer_id,
                    "place": place,
                    "theme": each.theme,
                    "feature": each.feature,
                    "contribution": each.contribution,
                    "share": each.share,
                    "risk_without": each.risk_without,
                    "sentence": each.sentence(spoken.code, currency=business["currency"]),
                    "change": each.change(spoken.code),
                }
                for customer_id, found in zip(customers, told, strict=True)
                for place, each in enumerate(found, start=1)
            ],
            columns=list(_TOLD),
        )

    def importances(self, customers: int) -> pd.DataFrame:
        """Say which features move tonight's risks most; returns what ``NightReader.importances`` says."""
        watched, reference = self._watched_features, self._reference
        return importances(self._model, watched, reference=reference, most=customers).features

    @cached_property
    def _built(self) -> tuple[pd.DataFrame, Any]:
        root = self.manifest.root / "history"
        manifest = read_manifest(root)
        if manifest is None:
            raise DataError(f"{root}: nothing ingested; the history of this night is gone.")
        history = History(root, manifest)
        blocks = build_features(
            history,
            as_of=[self.manifest.as_of],
            calendar=BusinessCalendar(manifest.time_zone, manifest.known_offset_hours),
            settings=_SETTINGS.validate_python(fact(self.manifest, "features")),
        )
        frame = pd.concat([block.frame for block in blocks], ignore_index=True)
        return frame, customer_ids(history, frame["customer"].to_numpy())

    @cached_property
    def _watched_ids(self) -> pd.Series:
        scores = read_table(self.manifest.table("scores"), ("customer_id", "risk_source"))
        return scores.loc[scores["risk_source"] == SPOKEN_FOR, "customer_id"]

    @cached_property
    def _watched_features(self) -> pd.DataFrame:
        features = self.features().set_index("customer_id")
        return features.loc[self._watched_ids, list(self._model.feature_names_in_)]

    @cached_property
    def _model(self) -> ChurnModel:
        version = Deployments(self.manifest.root).version(fact(self.manifest, "model_version"))
        model = ModelReader(self.manifest.root, version).churn_model
        return model.released() if fact(self.manifest, "is_later_model") else model

    @cached_property
    def _reference(self) -> DateReference:
        return DateReference.from_json(self.manifest.report("reference.json").read_text())
