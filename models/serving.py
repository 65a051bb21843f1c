"""The registered model as MLflow loads it; this file itself is stored with every version.

It scores with the level of the date the model was retrained for. The nightly job does not go through
here: it loads the same files and passes tonight's reference.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlflow.models
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext
from pandas.api.types import is_numeric_dtype

from models.churn import ChurnModel
from models.reference import DateReference
from tables.errors import SchemaError


class ServedChurnModel(PythonModel):  # type: ignore[misc]  # MLflow is not read by the type checker
    """Churn risk per row of features."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the model's text files; nothing is unpickled."""
        self._model = ChurnModel.load(Path(context.artifacts["churn"]))
        self._reference = DateReference.from_json(Path(context.artifacts["reference"]).read_text())

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Return ``churn_risk``, from 0 to 1, one per row of features.

        Args:
            context: MLflow's; unused, the files were read once.
            model_input: one column per feature; further columns are ignored.
            params: MLflow's; unused.

        Raises:
            SchemaError: if features are missing or not numbers.
        """
        features = select_features(model_input, list(self._model.feature_names_in_))
        risk = self._model.predict_proba(features, reference=self._reference)[:, 1]
        return pd.DataFrame({"churn_risk": risk}, index=model_input.index)


def select_features(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the model's features in its order.

    Raises:
        SchemaError: if some are missing or not numbers; all are reported together, in one line.
    """
    missing = [name for name in names if name not in table.columns]
    wordy = [name for name in names if name in table.columns and not is_numeric_dtype(table[name])]
    if missing or wordy:
        raise SchemaError(
            f"model input: {len(missing)} of {len(names)} features are missing {missing[:3]} and "
            f"{len(wordy)} are not numbers {wordy[:3]}; found {len(table.columns)} columns. "
            "Send every feature that features.json lists."
        )
    return table[list(names)]


mlflow.models.set_model(ServedChurnModel())
