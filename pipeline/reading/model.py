"""The report card of a promoted model: how good, against whom, where weak, and how its level went."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from models.deployment import ModelVersion, folder_digest
from tables.errors import RegistryError, SchemaError
from tables.publish import published, published_dates

if TYPE_CHECKING:
    from models.churn import ChurnModel


@dataclass(frozen=True)
class ModelReader:
    """A promoted model, verified against what this workspace recorded of it.

    Attributes:
        root: folder of the workspace.
        version: what was recorded when it was promoted.
    """

    root: Path
    version: ModelVersion

    def figures(self) -> pd.DataFrame:
        """Say when and on whom the recipe was judged.

        Returns:
            ``figure``, ``value``: version, dates, customers judged, share that churned, and the log loss of
            a constant, which the model must beat.
        """
        card = self.card
        return pd.DataFrame(
            [
                ("version", self.version.version),
                ("promoted for", str(self.version.promoted_for)),
                ("trained through", str(self.version.trained_through)),
                ("judged at", card["as_of"]),
                ("days of outcome after it", card["horizon_days"]),
                ("customers judged", card["n"]),
                ("share that churned", round(card["churn_rate"], 4)),
                ("log loss of a constant", round(card["constant_log_loss"], 4)),
            ],
            columns=["figure", "value"],
        )

    def metrics(self) -> pd.DataFrame:
        """Compare the model with its rivals on customers and dates none of them had seen.

        Returns:
            One row a model, ours first: ``name``, then ``auc``, ``average_precision``, ``log_loss``, ``brier``,
            ``ece``, ``lift_at_10pct`` and ``emp``, each with its 95 % interval (``auc_low``, ``auc_high``).
        """
        from models.metrics import METRICS  # brings scikit-learn

        rows = pd.DataFrame(self.card["models"])
        return rows[["name", *(f"{metric}{end}" for metric in METRICS for end in ("", "_low", "_high"))]]

    def calibration(self) -> pd.DataFrame:
        """Set promised beside observed churn.

        Returns:
            One row per tenth of the customers, lowest risk first: ``n``, ``mean_predicted``, ``observed`` and
            its 95 % interval ``low``, ``high``.
        """
        return pd.DataFrame(self.card["calibration"])

    def slices(self) -> pd.DataFrame:
        """Look for groups of customers for whom the model is wrong.

        Returns:
            One row per group, largest first: ``slicing`` (what it is a group by), ``slice``, ``n``, ``churn_rate``
            with its 95 % interval ``churn_rate_low``, ``churn_rate_high``, ``mean_risk`` (promised), and the
            metrics as in ``metrics``, missing for groups of fewer than 50.

        Raises:
            SchemaError: if the model was trained before this was kept.
        """
        from models.evaluation import wilson  # brings scikit-learn

        rows = pd.DataFrame(self._part("slices"))
        ends = [wilson(share * n, n) for share, n in zip(rows["churn_rate"], rows["n"], strict=True)]
        low, high = zip(*ends, strict=True)
        told = rows.assign(churn_rate_low=low, churn_rate_high=high)
        return told.sort_values(["slicing", "n"], ascending=[True, False], kind="stable", ignore_index=True)

    def calibration_by_group(self) -> pd.DataFrame:
        """Set promised beside observed churn inside each group large enough for it.

        Returns:
            One row per group and fifth of its customers, lowest risk first: ``slicing``, ``slice``, then as in
            ``calibration``.

        Raises:
            SchemaError: if the model was trained before this was kept.
        """
        return pd.DataFrame(
            self._part("calibration_by_segment"),
            columns=["slicing", "slice", "n", "mean_predicted", "observed", "low", "high"],
        )

    def importances(self) -> pd.DataFrame:
        """Say which features moved risks most where the model was judged.

        Returns:
            ``feature``, ``theme``, ``mean_contribution`` (mean absolute change of the logit of the risk), the
            largest 40.

        Raises:
            SchemaError: if the model was trained before this was kept.
        """
        return pd.DataFrame(self._part("importance"))[["feature", "theme", "mean_contribution"]]

    def themes(self) -> pd.DataFrame:
        """Say which kinds of features moved risks most where the model was judged.

        Returns:
            ``theme``, ``mean_contribution`` (mean absolute change of the logit of the risk), largest first.

        Raises:
            SchemaError: if the model was trained before this was kept.
        """
        return pd.DataFrame(self._part("themes"))[["theme", "mean_contribution"]]

    def dependence(self) -> pd.DataFrame:
        """Follow churn along the strongest feature of each kind.

        Returns:
            One row per feature and group of customers with like values, those without the feature last:
            ``feature``, ``theme``, ``value`` (median of the group), ``n``, ``observed`` (share that churned) with
            its 95 % interval ``low``, ``high``, ``promised`` (mean risk), ``alone`` (mean risk if this feature
            alone had the value for all).

        Raises:
            SchemaError: if the model was trained before this was kept.
        """
        columns = ["feature", "theme", "value", "n", "observed", "low", "high", "promised", "alone"]
        return pd.DataFrame(self._part("dependence"), columns=columns).astype({"value": "float64"})

    def level(self) -> pd.DataFrame:
        """Follow the share of customers that churns.

        Returns:
            One row per past date, then one per published night of this model: ``as_of``, ``customers``,
            ``churned`` (share that did; missing for nights, whose outcome is not known), ``expected`` (share
            expected by BG/NBD; missing for nights) and ``forecast`` (the model's, missing for past dates).
        """
        series = self.churn_model.series_
        past = pd.DataFrame(
            {
                "as_of": pd.to_datetime(list(series.as_of)),
                "customers": series.customers,
                "churned": series.churn_rate,
                "expected": series.mean_no_purchase,
                "forecast": float("nan"),
            }
        )
        nights = pd.DataFrame(self._nights(), columns=past.columns).astype(past.dtypes)
        return pd.concat([past, nights], ignore_index=True)

    def features(self) -> list[str]:
        """List the names of the features the model reads."""
        return [str(name) for name in self.churn_model.feature_names_in_]

    def _nights(self) -> list[tuple[pd.Timestamp, float, float, float, float]]:
        missing = float("nan")
        manifests = [published(self.root, day) for day in published_dates(self.root)]
        return [
            (pd.Timestamp(night.as_of), night.facts["vitals"]["customers"], missing, missing,
             night.facts["vitals"]["level"])
            for night in manifests
            if night is not None and night.facts["model_version"] == self.version.version
        ]  # fmt: skip

    @cached_property
    def _folder(self) -> Path:
        folder = self.root / "champion" / str(self.version.version)
        found = folder_digest(folder)
        if found != self.version.sha256:
            raise RegistryError(
                f"{folder}: not the files that were promoted; their SHA-256 starts {found[:12]}, the record "
                f"says {self.version.sha256[:12]}. Restore them, or retrain."
            )
        return folder / "artifacts" / "churn"

    def _part(self, name: str) -> Any:
        if name not in self.card:
            raise SchemaError(
                f"model {self.version.version}: its card has no {name}; found {sorted(self.card)}. "
                "Run `keepwell retrain` to have them."
            )
        return self.card[name]

    @cached_property
    def card(self) -> dict[str, Any]:
        """The model card, as the retraining wrote it."""
        card: dict[str, Any] = json.loads((self._folder / "card.json").read_text())
        return card

    @cached_property
    def churn_model(self) -> "ChurnModel":
        """The model itself."""
        from models.churn import ChurnModel  # the learner takes seconds to import

        return ChurnModel.load(self._folder)
