"""Why each row of a plan holds the action it holds, in words."""

from collections.abc import Sequence

import pandas as pd

from actions.assignments import CONTROL, EXPLORED, GLOBAL_CONTROL, UNTOUCHED, WITHHELD
from actions.catalogue import NONE, Action


def action_reasons(frame: pd.DataFrame, actions: Sequence[Action]) -> pd.Series:
    """Say of each assignment what decided it: the optimiser, chance, or a rule, and what made the action suit.

    Args:
        frame: rows of a plan with ``planned_action``, ``action`` and ``arm``.
        actions: the active actions.

    Returns:
        One sentence per row.

    Examples:
        >>> rows = pd.DataFrame({"planned_action": ["none"], "action": ["none"], "arm": ["global_control"]})
        >>> action_reasons(rows, []).tolist()
        ['left without marketing by chance, to measure the programme']
    """
    known = {action.id: action for action in actions}
    columns = ["planned_action", "action", "arm"]
    kinds = frame[columns].drop_duplicates()
    told = {row: _sentence(known, *row) for row in kinds.itertuples(index=False, name=None)}
    words = [told[row] for row in frame[columns].itertuples(index=False, name=None)]
    return pd.Series(words, index=frame.index, dtype="str")


def _sentence(actions: dict[str, Action], planned: str, sent: str, arm: str) -> str:
    if planned == NONE:
        return "left without marketing by chance, to measure the programme"
    action = actions[planned if arm in WITHHELD else sent]
    suits = f"suits as {' '.join(action.trigger.text.split())}"
    if arm == UNTOUCHED:
        return f"chosen by believed value within the limits, withheld like everything from this unit by chance; {suits}"
    if arm == CONTROL:
        return f"chosen by believed value within the limits, withheld by chance to measure it; {suits}"
    if arm == EXPLORED:
        return f"drawn by chance among the actions allowed, in place of {planned}, to learn; {suits}"
    if arm == GLOBAL_CONTROL or not action.randomise:
        return f"chosen by believed value within the limits, never withheld; {suits}"
    return f"chosen by believed value within the limits; {suits}"
