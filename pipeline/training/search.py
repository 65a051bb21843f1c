"""The search itself: boosting settings by what they would have said of customers at dates that are past."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from models.metrics import clipped
from models.ridge import fit_logistic, weighted_log_loss
from models.settings import BoostingSettings
from tables.errors import ConfigError

Array = npt.NDArray[np.float64]

_UNPRUNED = 5  # trials before a trial worse than half of the others at its first dates is given up
_DIGITS = 3


class _Range(NamedTuple):
    low: float
    high: float
    by_factor: bool = False


# Wide around the one policy; what is configured is added where it lies outside.
_SPACE = {
    "learning_rate": _Range(0.02, 0.15, by_factor=True),
    "num_leaves": _Range(4, 32, by_factor=True),
    "feature_fraction": _Range(0.1, 0.8),
    "bagging_fraction": _Range(0.5, 1.0),
    "lambda_l2": _Range(0.5, 100.0, by_factor=True),
}


@dataclass(frozen=True)
class Tried:
    """One trial of the search.

    Attributes:
        settings: what was tried.
        losses: log loss at each date with the date's level put right, newest first; fewer dates where the
            trial was given up.
        risks: churn risk per date.
        is_whole: whether it was tried at every date.
    """

    settings: BoostingSettings
    losses: tuple[float, ...]
    risks: tuple[Array, ...]
    is_whole: bool

    @property
    def loss(self) -> float:
        """Mean over the dates."""
        return float(np.mean(self.losses))


Train = Callable[[BoostingSettings, int], Array]


def search(
    losses: Sequence[Callable[[Array], float]],
    train: Train,
    configured: Tried,
    *,
    seed: int,
    minutes: float,
    trials: int | None,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Tried]:
    """Try settings until time or trials run out; the same trials in the same order for the same seed.

    Args:
        losses: per date, what turns risks into a loss.
        train: gives the risks at the date of a position by a model of other settings.
        configured: how the configured settings did, whole.
        seed: seed of the search.
        minutes: no trial starts later.
        trials: no more than so many; as many as the time allows where not given.
        progress: called after each trial.

    Returns:
        All trials in their order, the configured settings first.

    Raises:
        ConfigError: optuna is not installed.
    """
    optuna = _optuna()
    space = _space_around(configured.settings, optuna)
    found = [configured]

    def objective(trial: Any) -> float:
        settings = _suggested(trial, space)
        found.append(_tried(settings, losses, train, trial))
        progress(f"trial {len(found) - 1}: {found[-1].loss:.4f} against {configured.loss:.4f} as configured")
        if not found[-1].is_whole:
            raise optuna.TrialPruned
        return found[-1].loss

    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_UNPRUNED),
    )
    study.add_trial(
        optuna.trial.create_trial(
            params=configured.settings.model_dump(),
            distributions=space,
            value=configured.loss,
            intermediate_values=dict(enumerate(_running_means(configured.losses))),
        )
    )
    study.optimize(objective, n_trials=trials, timeout=60 * minutes)
    return found


def ranking_loss(churned: npt.NDArray[np.generic], weight: Array | None = None) -> Callable[[Array], float]:
    """Return the log loss of risks once their level is put right, as a function of the risks.

    Settings of the trees decide who is more at risk than others; the level of a date is forecast apart, and its
    error would drown what they are worth.

    Args:
        churned: labels, 1 = churned.
        weight: weight per row; one where not given.

    >>> loss = ranking_loss(np.array([1, 0, 0, 0]))
    >>> round(loss(np.full(4, 0.9)), 4) == round(loss(np.full(4, 0.25)), 4) == 0.5623  # 1 of 4, said of all alike
    True
    """
    labels = np.asarray(churned, dtype=np.float64)
    weights = np.ones(len(labels)) if weight is None else weight

    def loss(risk: Array) -> float:
        logits = logit(clipped(risk))
        one = np.ones((len(labels), 1))
        shift = fit_logistic(one, labels, weight=weights, offset=logits, penalty=[0.0])[0]
        return weighted_log_loss(labels, logits + shift, weights)

    return loss


def _tried(
    settings: BoostingSettings, losses: Sequence[Callable[[Array], float]], train: Train, trial: Any
) -> Tried:
    reached: list[float] = []
    risks: list[Array] = []
    for position, loss in enumerate(losses):
        risks.append(train(settings, position))
        reached.append(loss(risks[-1]))
        trial.report(float(np.mean(reached)), position)
        if position + 1 < len(losses) and trial.should_prune():
            break
    return Tried(settings, tuple(reached), tuple(risks), is_whole=len(reached) == len(losses))


def _running_means(losses: Sequence[float]) -> list[float]:
    return [float(np.mean(losses[: position + 1])) for position in range(len(losses))]


def _space_around(settings: BoostingSettings, optuna: Any) -> dict[str, Any]:
    space: dict[str, Any] = {}
    for name, value in settings.model_dump().items():
        low, high, by_factor = _SPACE[name]
        by_factor = by_factor and value > 0
        kind = optuna.distributions
        make = kind.IntDistribution if isinstance(value, int) else kind.FloatDistribution
        space[name] = make(min(low, value), max(high, value), log=by_factor)
    return space


def _suggested(trial: Any, space: Mapping[str, Any]) -> BoostingSettings:
    chosen = {}
    for name, each in space.items():
        suggest = trial.suggest_int if isinstance(each.high, int) else trial.suggest_float
        chosen[name] = _short(suggest(name, each.low, each.high, log=each.log))
    return BoostingSettings.model_validate(chosen)


def _short(value: float) -> float:
    """Keep three digits: what is written down is what was tried."""
    if isinstance(value, int) or value == 0:
        return value
    return round(value, _DIGITS - 1 - math.floor(math.log10(abs(value))))


def _optuna() -> Any:
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise ConfigError(
            "tune: the package optuna is not installed. Install keepwell with the extra `tune`."
        ) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
