"""The columns a model is trained on and asks for again, and rows picked where all are too many."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from tables.errors import SchemaError


def check_numeric(X: pd.DataFrame) -> None:
    """Refuse columns of words.

    Raises:
        SchemaError: naming them.
    """
    words = [name for name in X.columns if not pd.api.types.is_numeric_dtype(X[name])]
    if words:
        raise SchemaError(f"training: columns that are not numbers; found {words}. Drop or encode them.")


def as_trained(X: pd.DataFrame, features: Sequence[str], *, model: str = "churn model") -> pd.DataFrame:
    """Put columns in the order of the training, as 32-bit floats.

    Args:
        X: one row per customer.
        features: columns of the training, in order.
        model: what was trained, for the message.

    Raises:
        SchemaError: columns differ from those of the training.
    """
    missing = sorted(set(features) - set(X.columns))
    unexpected = sorted(set(X.columns) - set(features))
    if missing or unexpected:
        raise SchemaError(
            f"{model}: other features than those of the training; missing {missing}, unexpected "
            f"{unexpected}. Build the features with the settings of the training, or retrain."
        )
    in_order = X if list(X.columns) == list(features) else X[list(features)]
    return as_stored(in_order)


def as_stored(X: pd.DataFrame) -> pd.DataFrame:
    """Return features as 32-bit floats; what is too large for one becomes infinite, and is refused as such."""
    with np.errstate(over="ignore"):
        return X.astype(np.float32)


def evenly_spread(rows: int, most: int) -> npt.NDArray[np.int64]:
    """Choose row numbers at even distances, first and last included.

    >>> evenly_spread(10, 4)
    array([0, 3, 6, 9])
    >>> evenly_spread(2, 4)
    array([0, 1])
    """
    return np.unique(np.linspace(0, rows - 1, num=min(most, rows)).astype(np.int64))
