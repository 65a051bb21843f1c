"""What is believed of the actions on one night, and which of them its outcomes have stopped."""

from dataclasses import replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.learning.believing import Beliefs, believed
from actions.learning.evidence import tally
from actions.rules.eligibility import Eligibility
from actions.rules.reasons import Reason
from pipeline.learning.outcomes import units_of_actions
from pipeline.learning.uplift import uplift_models, uplifts
from pipeline.run import Run
from tables.history import History


def beliefs_tonight(
    run: Run,
    history: History,
    customers: pd.DataFrame,
    features: pd.DataFrame,
    eligible: Eligibility,
    cells: npt.NDArray[np.str_],
    *,
    as_of: date,
) -> Beliefs:
    """Form tonight's beliefs from the owner's, the outcomes settled by now, and the newest models.

    Args:
        run: the run.
        history: the validated history.
        customers: everybody.
        features: everybody's features, rows as ``customers``.
        eligible: who may get what.
        cells: cell of each customer.
        as_of: the night; a rerun finds the same outcomes and models.
    """
    units = units_of_actions(run, history, eligible.actions, as_of=as_of)
    return believed(
        customers,
        eligible.actions,
        cells,
        tally(units, eligible.actions),
        run.config.actions.learning,
        eligible=eligible.mask,
        uplifts=uplifts(uplift_models(run.workspace, as_of), features),
    )


def without_stopped(eligible: Eligibility, beliefs: Beliefs) -> Eligibility:
    """Block the actions of which outcomes say that they lose money."""
    blocked = eligible.blocked | np.where(beliefs.stopped, np.uint32(Reason.STOPPED), np.uint32(0))
    return replace(eligible, blocked=blocked)
