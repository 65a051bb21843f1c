"""How much each action is believed to lower churn: absolute differences per action and cell.

What the owner believes (priors) stands here; ``beliefs`` adds what outcomes say.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.catalogue import Action
from tables.errors import ConfigError, DataError

Codes = npt.NDArray[np.int32]
Matrix = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

Level = Literal["prior", "evidence", "uplift"]
PRIOR: Level = "prior"
EVIDENCE: Level = "evidence"
UPLIFT: Level = "uplift"

MODEL = "model"
_THIRDS = ("low", "middle", "high")
_HALVES = ("lower", "upper")


@dataclass(frozen=True)
class EffectCells:
    """Groups of customers who are believed to react alike.

    Customers scored by the churn model fall into risk thirds x value halves; those whose risk comes from
    elsewhere form one cell per source. Cut points are fixed at each retrain, so that a customer does not
    change cells because others do.

    Attributes:
        risk_cuts: churn risk at the ends of the first and second third.
        margin_cut: margin between the lower and the upper half, currency units.
    """

    risk_cuts: tuple[float, float]
    margin_cut: float

    @classmethod
    def fit(cls, customers: pd.DataFrame) -> Self:
        """Cut the customers scored by the churn model into thirds of risk and halves of margin.

        Args:
            customers: ``churn_risk``, ``risk_source``, ``margin``.

        Raises:
            DataError: if the churn model scored nobody.
        """
        scored = customers[customers["risk_source"] == MODEL]
        if scored.empty:
            raise DataError(
                f"effect cells: no customer was scored by the churn model; found {len(customers)} rows of "
                "other sources. Fit the cells on the scores of a retrain."
            )
        low, high = np.quantile(scored["churn_risk"], [1 / 3, 2 / 3])
        return cls((float(low), float(high)), float(np.quantile(scored["margin"], 0.5)))

    def of(self, customers: pd.DataFrame, *, first: Mapping[str, str] | None = None) -> npt.NDArray[np.str_]:
        """Name the cell of each customer.

        Args:
            customers: ``churn_risk``, ``risk_source``, ``margin``, and ``unit`` where ``first`` is given.
            first: cell of the first planned night per unit; such a unit keeps it.

        Returns:
            Names such as ``risk_high|value_lower`` or ``source_bgnbd``.

        Examples:
            >>> cells = EffectCells(risk_cuts=(0.2, 0.5), margin_cut=40.0)
            >>> rows = {"churn_risk": [0.5, 0.9], "risk_source": ["model", "bgnbd"], "margin": 50.0}
            >>> cells.of(pd.DataFrame(rows)).tolist()
            ['risk_middle|value_upper', 'source_bgnbd']
        """
        third = np.searchsorted(
            self.risk_cuts, customers["churn_risk"].to_numpy(dtype=np.float64), side="left"
        )
        half = (customers["margin"].to_numpy(dtype=np.float64) > self.margin_cut).astype(int)
        scored = np.array([f"risk_{risk}|value_{value}" for risk in _THIRDS for value in _HALVES])
        source = customers["risk_source"].to_numpy(dtype=str)
        names = np.where(source == MODEL, scored[2 * third + half], np.char.add("source_", source))
        if first:
            kept = [first.get(unit, name) for unit, name in zip(customers["unit"], names, strict=True)]
            names = np.array(kept, dtype=str)
        return names

    def to_json(self) -> str:
        """Write the cut points as text."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the cut points.

        Raises:
            ConfigError: if the text holds no cut points.
        """
        try:
            row = json.loads(text)
            low, high = row["risk_cuts"]
            return cls((float(low), float(high)), float(row["margin_cut"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"effect cells: cannot be read; {error!r}. Retrain to write them anew."
            ) from error


@dataclass(frozen=True)
class Effects:
    """What each action is believed to do for each customer.

    Attributes:
        cell: (customers,), name of each customer's cell.
        mean: (customers, actions), expected absolute reduction of churn probability, -1 to 1; positive
            keeps customers, negative drives them away.
        sd: (customers, actions), standard deviation of that belief.
        actions: (actions,), their ids.
        level: (actions,), what each belief rests on: ``prior``, ``evidence`` or ``uplift``.
    """

    cell: npt.NDArray[np.str_]
    mean: Matrix
    sd: Matrix
    actions: tuple[str, ...]
    level: tuple[Level, ...]

    def take(self, rows: npt.NDArray[np.intp]) -> "Effects":
        """Return the effects for some of the customers, in a new order."""
        return replace(self, cell=self.cell[rows], mean=self.mean[rows], sd=self.sd[rows])


def cell_priors(names: npt.ArrayLike, rates: Floats, actions: Sequence[Action]) -> tuple[Floats, Floats]:
    """Turn the owner's beliefs into absolute effects per cell.

    Where the churn model applies, an action is believed to save a share of the leavers, so its effect is
    that share of the cell's churn; the spread is doubled, because beliefs about marketing are too sure.
    Elsewhere the owner states the absolute effect itself.

    Args:
        names: names of the cells.
        rates: (cells,), churn without action, 0 to 1.
        actions: in the order of the columns.

    Returns:
        Two tables (cells, actions): mean ``prior_save * rate`` and standard deviation ``2 * prior_save_sd *
        rate``; ``prior_effect_lapsed`` and its sd for other risk sources.
    """
    scored = is_scored(names)[:, None]
    saves = np.array([(a.prior_save, 2 * a.prior_save_sd) for a in actions]).reshape(-1, 2)
    stated = np.array([(a.prior_effect_lapsed, a.prior_effect_lapsed_sd) for a in actions]).reshape(-1, 2)
    mean = np.where(scored, np.outer(rates, saves[:, 0]), stated[:, 0])
    return mean, np.where(scored, np.outer(rates, saves[:, 1]), stated[:, 1])


def is_scored(names: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Tell which cells are of customers scored by the churn model.

    Examples:
        >>> is_scored(["risk_low|value_upper", "source_bgnbd"]).tolist()
        [True, False]
    """
    return np.char.startswith(np.asarray(names, dtype=str), "risk_")
