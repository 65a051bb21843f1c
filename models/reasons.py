"""Why a customer is at risk: the themes without which the whole model would see less risk, as it was asked again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logit

from models.wordings import figures_of, language_of, sentence, theme_of

Array = npt.NDArray[np.float64]

# A reason lowers the logit by at least so much: a fiftieth of a small risk, half a point of an even one.
_LEAST_DROP = 0.02
_SUREST = 1e-9
_ROWS_AT_ONCE = 16_384
# The first is the second less the third: somebody who ordered lately has another last order, not a later first one.
_BETWEEN = ("days_first_to_last_order", "tenure_days", "days_since_last_order")


@dataclass(frozen=True)
class Reason:
    """One theme that raises a customer's risk.

    Attributes:
        theme: what it is about, such as ``silence`` or ``spend``; features of a theme move together, so they
            are put away together.
        feature: the feature of the theme that contributes most; its absence alone lowers the risk, too.
        contribution: what the theme adds to the logit of the risk: by so much it falls without, above 0.
        share: its part of all that raises this customer's risk, in (0, 1].
        risk: the customer's churn risk.
        risk_without: the risk that the model sees where the theme is as with the date's typical customer.
        figures: features of the customer that its sentences tell.
    """

    theme: str
    feature: str
    contribution: float
    share: float
    risk: float
    risk_without: float
    figures: Mapping[str, float]

    def sentence(self, language: str = "en", *, currency: str = "") -> str:
        """Tell the reason with the customer's own figures."""
        return sentence(self.feature, self.figures, language=language, currency=currency)

    def change(self, language: str = "en") -> str:
        """Tell what the risk would be without it."""
        return language_of(language).tell_change(risk=self.risk, without=self.risk_without)


def strongest_reasons(
    X: pd.DataFrame,
    contributions: Array,
    *,
    typical: Mapping[str, float],
    risk_of: Callable[[pd.DataFrame], Array],
    top: int,
) -> list[tuple[Reason, ...]]:
    """Pick, per customer, the themes without which the risk would be lowest.

    Every theme is tried: its features are given the values of a typical customer, and the model is asked again. It
    is a reason where the risk then falls, and falls as well where only the named feature is typical. The
    contributions only choose which feature is named.

    Args:
        X: features of the customers.
        contributions: what each feature adds to the logit, of the shape of ``X``.
        typical: value of each feature with the date's typical customer; NaN where most have none.
        risk_of: the whole model: features of any customers to their risks.
        top: most reasons per customer.

    Returns:
        Per row its reasons, strongest first; none for a customer whose risk nothing raises.

    >>> X = pd.DataFrame({"days_since_last_order": [74.0], "gap_days_median": [21.0], "spend_30d": [0.0]})
    >>> [[reason]] = strongest_reasons(
    ...     X,
    ...     np.array([[0.6, 0.3, -0.1]]),
    ...     typical={"days_since_last_order": 20.0, "gap_days_median": 21.0, "spend_30d": 10.0},
    ...     risk_of=lambda rows: rows["days_since_last_order"].to_numpy() / 100,
    ...     top=3,
    ... )
    >>> reason.theme, round(reason.contribution, 2), reason.sentence()
    ('silence', 2.43, 'no order for 74 days; usually every 21')
    >>> reason.change()
    'without it the risk would be 20% instead of 74%'
    """
    asked = _Asked(X, typical, risk_of)
    [risk] = asked.risks_with([X.to_numpy(np.float64)])
    themes, at_once = sorted({theme_of(name) for name in X}), max(_ROWS_AT_ONCE // (2 * len(X)), 1)
    groups = (themes[first : first + at_once] for first in range(0, len(themes), at_once))
    trials = [trial for group in groups for trial in _tried(group, asked, risk, contributions)]
    raised = np.sum([np.maximum(trial.added, 0) for trial in trials], axis=0)
    rows = (dict(zip(X, values, strict=True)) for values in X.to_numpy(np.float64).tolist())
    found = [_reasons_of(row, float(risk[at]), float(raised[at]), trials, at) for at, row in enumerate(rows)]
    return [each[:top] for each in found]


class _Asked(NamedTuple):
    """Customers in question and how to ask the model about them."""

    X: pd.DataFrame
    typical: Mapping[str, float]
    risk_of: Callable[[pd.DataFrame], Array]

    def risks_with(self, tried: Sequence[Array]) -> Sequence[Array]:
        """Ask the model again, at once with several other values than the customers have."""
        index = np.tile(self.X.index.to_numpy(), len(tried))
        rows = pd.DataFrame(np.concatenate(tried), columns=self.X.columns, index=index)
        if set(_BETWEEN) <= set(rows):
            first_to_last, tenure, silence = (rows[name].to_numpy() for name in _BETWEEN)
            own = np.tile(self.X[list(_BETWEEN[1:])].to_numpy(np.float64), (len(tried), 1))
            moved = (tenure != own[:, 0]) | (silence != own[:, 1])
            rows[_BETWEEN[0]] = np.where(moved, np.maximum(tenure - silence, 0), first_to_last)
        return np.split(self.risk_of(rows), len(tried))


class _Trial(NamedTuple):
    """What a theme adds to the logit of each customer's risk, and what the model said without it."""

    theme: str
    named: Sequence[str]
    risk_without: Array
    added: Array
    holds: npt.NDArray[np.bool_]


def _tried(themes: Sequence[str], asked: _Asked, risk: Array, contributions: Array) -> list[_Trial]:
    own, typical = asked.X.to_numpy(np.float64), np.array([asked.typical[name] for name in asked.X])
    named, tried = [], []
    for theme in themes:
        columns = np.flatnonzero([theme_of(name) == theme for name in asked.X])
        named.append(columns[contributions[:, columns].argmax(axis=1)])
        without, alone = own.copy(), own.copy()
        without[:, columns] = typical[columns]
        alone[np.arange(len(risk)), named[-1]] = typical[named[-1]]
        tried += [without, alone]
    risks = asked.risks_with(tried)
    trials = []
    for theme, names, risk_without, risk_alone in zip(themes, named, risks[::2], risks[1::2], strict=True):
        added = _logit(risk) - _logit(risk_without)
        holds = (added >= _LEAST_DROP) & (risk_alone < risk)
        trials.append(_Trial(theme, asked.X.columns[names].tolist(), risk_without, added, holds))
    return trials


def _logit(risk: Array) -> Array:
    return np.asarray(logit(np.clip(risk, _SUREST, 1 - _SUREST)))


def _reasons_of(
    values: Mapping[str, float], risk: float, raised: float, trials: Sequence[_Trial], row: int
) -> tuple[Reason, ...]:
    found = [
        Reason(
            theme=trial.theme,
            feature=trial.named[row],
            contribution=float(trial.added[row]),
            share=float(trial.added[row]) / raised,
            risk=risk,
            risk_without=float(trial.risk_without[row]),
            figures=figures_of(trial.named[row], values),
        )
        for trial in trials
        if trial.holds[row]
    ]
    return tuple(sorted(found, key=lambda reason: (reason.risk_without, reason.theme)))
