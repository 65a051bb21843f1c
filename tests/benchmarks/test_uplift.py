"""The mail experiment is read as it is, and judged by the figures of the model."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.uplift import MENS, WOMENS, judged, read_mails, riskiest
from models.uplift.gate import MODEL, RISK
from models.uplift.intervals import Interval
from models.uplift.metrics import RankingRow
from models.uplift.out_of_fold import OutOfFold
from models.uplift.policies import Experiment, chances

ROWS = {
    "recency": [1, 2, 3],
    "history": [10.0, 20.0, 30.0],
    "mens": [1, 0, 0],
    "womens": [0, 1, 1],
    "newbie": [0, 0, 1],
    "zip_code": ["Urban", "Rural", "Surburban"],
    "channel": ["Phone", "Web", "Multichannel"],
    "segment": ["No E-Mail", "Mens E-Mail", "Womens E-Mail"],
    "visit": [0, 1, 1],
}


def test_one_mail_is_compared_with_none(tmp_path: Path) -> None:
    (tmp_path / "hillstrom").mkdir()
    pd.DataFrame(ROWS).to_parquet(tmp_path / "hillstrom" / "hillstrom.parquet")
    mails = read_mails(tmp_path)
    assert mails.arm.tolist() == [0, MENS, WOMENS]
    womens = mails.against_none(WOMENS)
    assert (womens.arm.tolist(), womens.visited.tolist()) == ([0, 1], [0, 1])
    assert mails.X["uses_web"].tolist() == [0, 1, 1] and mails.X["uses_phone"].tolist() == [1, 0, 1]


def test_the_riskiest_are_the_least_likely_to_come_unasked() -> None:
    expected = np.array([[0.9, 0.9, 0.9]] * 7 + [[0.1, 0.2, 0.3]] * 3)
    rows = Experiment(
        np.zeros(10), np.zeros(10, int), chances(np.full(3, 1 / 3), 10), expected, np.arange(10)
    )
    seen = OutOfFold({"one": expected[:, 1:] - expected[:, :1]}, rows, np.zeros(10, int))
    assert riskiest(seen)[-3:].tolist() == [[0, 0, 1]] * 3
    assert riskiest(seen, only=MENS).sum(axis=0) == pytest.approx([7, 3, 0])


def test_the_model_is_held_against_both_goals() -> None:
    def row(name: str, qini: float, top: float) -> RankingRow:
        return RankingRow(name, Interval(qini, 0, 0), Interval(top, 0, 0), Interval(0, 0, 0))

    figures = judged((row(MODEL, 0.0066, 0.069), row(RISK, 0.001, 0.05)))
    assert [figure.holds for figure in figures.values()] == [True, False]
