"""The check every retraining makes before it trusts what it learned: does a feature know the future?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.build import FeatureBlock, build_bucket, feature_sources
from features.population import population_of
from features.visibility import Moment
from models.columns import evenly_spread
from models.leaks import Separation, separation
from pipeline.run import Run
from pipeline.snapshots import feature_builders, feature_settings
from pipeline.training.evaluating import Trial
from tables.cut import CutHistory
from tables.errors import LeakageError
from tables.history import History

_CUSTOMERS = 2_000
_NAMED = 5


@dataclass(frozen=True)
class LeakCheck:
    """What the check looked at and found.

    Attributes:
        customers: customers whose features were built a second time.
        features: features compared.
        separation: how well features separate alone and together.
    """

    customers: int
    features: int
    separation: Separation

    def answer(self) -> dict[str, Any]:
        """Return the facts for the card."""
        strongest = self.separation.alone[0] if self.separation.alone else None
        words = [
            f"{self.features} features of {self.customers:,} customers, built again from a history cut at the "
            "evaluated date, are the same.",
        ]
        if strongest:
            words.append(
                f"No feature alone separates far better than the rest: the strongest, {strongest['feature']}, has an "
                f"AUC of {strongest['auc']:.3f}, all but the strongest together {self.separation.rest:.3f}."
            )
        return {
            "words": words,
            "rebuilt": {"customers": self.customers, "features": self.features},
            "alone": [dict(row) for row in self.separation.alone],
            "rest_auc": self.separation.rest,
        }


def check_leaks(run: Run, history: History, trial: Trial) -> LeakCheck:
    """Build features again from a cut history, and look for one that is too good to be true.

    Args:
        run: the run.
        history: the validated history.
        trial: the recipe as tried at a date whose outcome is known.

    Raises:
        LeakageError: naming every feature that knows what came later, or that alone separates far better than
            everything else.
    """
    as_of = trial.reference.as_of
    run.progress(f"leak check at {as_of}")
    customers, features = check_rebuilt(run, history, trial)
    found = separation(
        trial.known.features,
        trial.known.churned,
        trial.population,
        trial.churned,
        seed=run.config.seed,
        trusted=run.config.retraining.trusted_features,
        sources=feature_sources(history, feature_settings(run), feature_builders(run)),
    )
    if found.suspicious:
        strengths = {str(row["feature"]): row["auc"] for row in found.alone}
        some = ", ".join(f"{name} (AUC {strengths[name]:.3f})" for name in found.suspicious[:_NAMED])
        raise LeakageError(
            f"leak check at {as_of}: {len(found.suspicious)} features separate better than honest ones do; found "
            f"{some} against {found.rest:.3f} of all that does not go with them. Find out when these values become "
            "known: correct the times of their source or put its table into features.without; only if they are known "
            "in time, list them in retraining.trusted_features."
        )
    return LeakCheck(customers, features, found)


def check_rebuilt(run: Run, history: History, trial: Trial) -> tuple[int, int]:
    """Compare the features of some customers with those a history cut at the date gives.

    Returns:
        How many customers and features were compared.

    Raises:
        LeakageError: naming the features that differ, or that the two speak of different customers.
    """
    as_of = trial.reference.as_of
    moment = Moment.of(as_of, run.calendar)
    cut = CutHistory.of(history, midnight=moment.midnight, known_cutoff=moment.known_cutoff)
    now, then = (_features(run, each, trial) for each in (history, cut))
    if not now[["customer"]].equals(then[["customer"]]):
        raise LeakageError(
            f"leak check at {as_of}: who is watched hangs on what came later; found {len(now)} customers, and "
            f"{len(then)} without it. Report this: the rule of population must read visible rows alone."
        )
    names = list(trial.known.features.columns)
    same = np.isclose(now[names], then[names], rtol=1e-5, atol=1e-6, equal_nan=True)
    differing = [name for name, alike in zip(names, same.all(axis=0), strict=True) if not alike]
    if differing:
        rows = int((~same).any(axis=1).sum())
        some = ", ".join(differing[:_NAMED])
        raise LeakageError(
            f"leak check at {as_of}: {len(differing)} of {len(names)} features know what came later; found {some} "
            f"different for {rows} of {len(now)} customers once later rows are taken away. Mend their builder: a "
            "feature may read the rows visible at its date alone."
        )
    return len(now), len(names)


def _features(run: Run, history: History, trial: Trial) -> pd.DataFrame:
    bucket = run.config.seed % history.buckets
    inside = np.unique(trial.customer[trial.customer % history.buckets == bucket])
    chosen = inside[evenly_spread(len(inside), _CUSTOMERS)]

    def keep(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        return np.isin(keys, chosen)

    block: FeatureBlock = build_bucket(
        history,
        bucket,
        as_of=[trial.reference.as_of],
        calendar=run.calendar,
        settings=feature_settings(run),
        population=population_of(run.rule),
        keep=keep,
        builders=feature_builders(run),
    )
    return block.frame
