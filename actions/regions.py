"""How much more or less an action is believed to do in each region."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.catalogue import Action


def region_weights(actions: Sequence[Action], customers: pd.DataFrame) -> npt.NDArray[np.float32]:
    """Return what the belief about each action, mean and spread alike, is multiplied by for each customer.

    Args:
        actions: the actions, one per column of the result.
        customers: one row per customer; ``region`` where known.

    Returns:
        (customers, actions); 1 where the region is unknown or the action names no weight for it.

    Examples:
        >>> from types import SimpleNamespace as Some
        >>> actions = [Some(region_weights={"LT": 1.5}), Some(region_weights={})]
        >>> region_weights(actions, pd.DataFrame({"region": ["LT", "CN", None]})).tolist()
        [[1.5, 1.0], [1.0, 1.0], [1.0, 1.0]]
    """
    shape = (len(customers), len(actions))
    if "region" not in customers or not any(action.region_weights for action in actions):
        return np.broadcast_to(np.float32(1), shape)
    codes, regions = pd.factorize(customers["region"])
    # The last row is for unknown regions, whose code is -1.
    weights = np.ones((len(regions) + 1, len(actions)), dtype=np.float32)
    for column, action in enumerate(actions):
        weights[:-1, column] = [action.region_weights.get(region, 1.0) for region in regions]
    return np.asarray(weights[codes])
