"""What the model benchmarks measure adds up, and is judged by what it is compared with."""

import math
import time
from types import SimpleNamespace

import pytest

from benchmarks.model_tasks import Ledger
from benchmarks.models import judged_scoring, judged_training


def busy(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        math.sqrt(2.0)


def test_a_part_does_not_count_what_is_called_inside_it() -> None:
    ledger = Ledger()
    inner = ledger.kept("inner", lambda: busy(0.1))
    outer = ledger.kept("outer", lambda: (busy(0.05), inner(), inner()))
    outer()
    assert ledger.spent["inner"] == pytest.approx(0.2, abs=0.04)
    assert ledger.spent["outer"] == pytest.approx(0.05, abs=0.04)
    assert ledger.inside["outer", "inner"] == ledger.spent["inner"]


def test_watched_functions_of_a_class_keep_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(Work=type("Work", (), {"do": lambda self, words: words}))
    monkeypatch.setattr("benchmarks.model_tasks.importlib.import_module", lambda name: module)
    ledger = Ledger()
    ledger.watch([("work", "anything", ("Work.do",))])
    assert module.Work().do("done") == "done"
    assert list(ledger.spent) == ["work"]


def test_training_is_judged_by_the_bare_calls_inside_it() -> None:
    found = judged_training({"members": 12.0, "bare_in_members": 10.0, "cpu_seconds": 30.0, "bare": 11.0})
    assert (found["boosted_members"].ratio, found["boosted_members"].holds) == (1.2, True)
    assert (found["retrain"].ratio, found["retrain"].holds) == (2.73, False)


def test_scoring_is_judged_by_bare_calls_and_by_deep_trees() -> None:
    found = judged_scoring({"cpu_seconds": 6.0, "bare": 5.0, "deep": 10.0})
    assert (found["scoring"].ratio, found["scoring"].holds) == (1.2, False)
    assert (found["scoring_beside_deep_trees"].ratio, found["scoring_beside_deep_trees"].holds) == (0.6, True)
