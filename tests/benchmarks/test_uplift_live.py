"""A night of the live simulation is planned and lived as its truth says."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import uplift_live
from benchmarks.uplift_live import ALIKE_FROM, COST, FIRST, HELPED, MEAN, Cohort, live


def test_the_action_helps_half_at_first_and_all_alike_later() -> None:
    first, later = Cohort.of(0, 1_000), Cohort.of(ALIKE_FROM, 1_000)
    assert set(first.effect) == {0, HELPED}
    assert set(later.effect) == {MEAN}
    assert not set(first.customers["customer_id"]) & set(later.customers["customer_id"])


def test_a_night_is_worth_at_most_what_the_truth_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uplift_live, "NIGHTS", 1)
    (told,) = live(tmp_path, customers=600, evidence=1_000)
    assert (told.as_of, told.uses_model, told.serves) == (str(date(2025, 1, 15)), False, False)
    assert told.words == "not tried: too few units."
    assert -1_000 * COST < told.worth < told.best
    before, after = (
        pd.read_csv(tmp_path / f"orders-{FIRST}-{name}.csv")["who"] for name in ("before", "after")
    )
    assert len(before) == 600 and set(after) < set(before)
    risk = Cohort.of(0, 600).customers["churn_risk"].mean()
    assert 1 - len(after) / 600 == pytest.approx(risk - 0.5 * HELPED * 0.6, abs=4 * np.sqrt(0.25 / 600))
