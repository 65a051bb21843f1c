"""The benchmark of beliefs on a scale of seconds: the oracle stays above, and intervals hold most truths."""

import pytest

from benchmarks import cold_start


def test_a_cold_start_earns_no_more_than_the_oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cold_start, "WAVES", 3)
    monkeypatch.setattr(cold_start, "SEGMENT", 100)
    found = cold_start.cold_start(0, truth=1.0)
    assert found.earned < found.reachable
    assert found == cold_start.cold_start(0, truth=1.0)


@pytest.mark.parametrize("apart", ["alike", "every other 5.5 points apart"])
def test_most_intervals_of_an_experiment_hold_the_truth(apart: str) -> None:
    found = cold_start.experiment(0, cold_start.APART[apart])
    assert (found.cells.shape, found.actions.shape, found.measured.shape) == ((12, 4), (12,), (12,))
    assert found.cells.sum() >= 42
    assert found.measured.sum() >= 9
