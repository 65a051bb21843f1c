"""How the shop's systems write ids and instants."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.shop.baskets import DAY
from pipeline.shop.draws import Integers


def customer_ids(numbers: Integers) -> pd.Series:
    """Spell customers' numbers as the shop's ids.

    Examples:
        >>> customer_ids(np.array([42])).to_list()
        ['C0000042']
    """
    return ids("C", numbers, width=7)


def daily_ids(prefix: str, customer: Integers, at: Integers, turn: Integers | int = 0) -> pd.Series:
    """Spell ids of what happens to a customer at most once a day, or once a day and turn (0 to 9).

    Examples:
        >>> daily_ids("T", np.array([42]), np.array([3 * DAY + 5])).to_list()
        ['T00000300000420']
    """
    return ids(prefix, (at // DAY * 10_000_000 + customer) * 10 + turn, width=14)


def ids(prefix: str, numbers: Integers, *, width: int) -> pd.Series:
    """Spell numbers with a prefix and leading zeros."""
    digits = pc.utf8_lpad(pa.array(numbers.astype(np.int64)).cast(pa.string()), width, "0")
    return pd.Series(pc.binary_join_element_wise(pa.scalar(prefix), digits, "").to_pandas())


def times(instants: npt.NDArray[np.int64]) -> pd.Series:
    """Write instants of local time; 0 stands for none."""
    return pd.Series(instants.astype("datetime64[us]")).where(instants != 0)


def words(names: tuple[str, ...], places: Integers) -> npt.NDArray[np.object_]:
    """Write each place as its name."""
    return np.asarray(np.array(names, object)[places])


def sorted_by(rows: npt.NDArray[np.void], *columns: str) -> npt.NDArray[np.void]:
    """Sort structured rows by some of their columns, the first one before all."""
    return rows[np.lexsort([rows[column] for column in reversed(columns)])]
