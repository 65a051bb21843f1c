"""Cells and prior effects: who is alike, and what is believed about them."""

import numpy as np
import pandas as pd
import pytest

from actions.learning.effects import EffectCells, cell_priors
from tables.errors import ConfigError, DataError
from tests.actions.made_up import action


def customers(*rows: tuple[float, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["churn_risk", "risk_source", "margin"]).assign(
        unit=list("abcdef")[: len(rows)]
    )


def test_scored_customers_fall_into_thirds_and_halves() -> None:
    base = customers(*[(risk / 10, "model", risk) for risk in range(1, 7)])
    cells = EffectCells.fit(base)
    assert cells.of(base).tolist() == [
        "risk_low|value_lower",
        "risk_low|value_lower",
        "risk_middle|value_lower",
        "risk_middle|value_upper",
        "risk_high|value_upper",
        "risk_high|value_upper",
    ]


def test_other_risk_sources_do_not_move_the_cuts() -> None:
    base = customers((0.1, "model", 1), (0.2, "model", 2), (0.3, "model", 3))
    more = customers((0.1, "model", 1), (0.2, "model", 2), (0.3, "model", 3), (0.9, "bgnbd", 999))
    assert EffectCells.fit(base) == EffectCells.fit(more)
    assert EffectCells.fit(base).of(more)[3] == "source_bgnbd"


def test_a_unit_keeps_its_first_cell() -> None:
    base = customers((0.1, "model", 1), (0.9, "model", 5))
    cells = EffectCells(risk_cuts=(0.3, 0.6), margin_cut=2.0)
    named = cells.of(base, first={"b": "risk_low|value_lower"})
    assert named.tolist() == ["risk_low|value_lower", "risk_low|value_lower"]


def test_prior_effect_is_the_saved_share_of_the_cells_churn() -> None:
    mean, sd = cell_priors(
        ["risk_low|value_lower", "source_bgnbd"],
        np.array([0.3, 0.9]),
        [action(), action(id="offer", prior_save=-0.5)],
    )
    np.testing.assert_allclose(mean, [[0.03, -0.15], [0.0, 0.0]])
    np.testing.assert_allclose(sd, [[0.03, 0.03], [0.01, 0.01]])


def test_lapsed_customers_have_their_own_absolute_prior() -> None:
    back = action(prior_effect_lapsed=0.02, prior_effect_lapsed_sd=0.03)
    mean, sd = cell_priors(["source_bgnbd", "source_population_rate"], np.array([0.9, 0.3]), [back])
    np.testing.assert_allclose(mean, [[0.02], [0.02]])
    np.testing.assert_allclose(sd, [[0.03], [0.03]])


def test_cells_survive_writing_and_reading() -> None:
    cells = EffectCells(risk_cuts=(0.1, 1 / 3), margin_cut=17.5)
    assert EffectCells.from_json(cells.to_json()) == cells


def test_cells_need_customers_scored_by_the_model() -> None:
    with pytest.raises(DataError, match="no customer was scored by the churn model; found 1 rows"):
        EffectCells.fit(customers((0.9, "bgnbd", 1)))


def test_damaged_cells_are_refused() -> None:
    with pytest.raises(ConfigError, match="effect cells: cannot be read"):
        EffectCells.from_json('{"risk_cuts": [0.1]}')
