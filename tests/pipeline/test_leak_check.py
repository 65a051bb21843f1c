"""Features built again from a history cut at their date: what knows the future is named."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pandas.testing import assert_frame_equal

import pipeline.training.leak_check as checking
from features.builder import Builder
from features.builders import BUILDERS
from features.settings import FeatureSettings
from features.view import AsOfView, Features
from models.leaks import Separation
from pipeline.training.leak_check import check_leaks, check_rebuilt
from tables.calendar import NEVER
from tables.cut import CutHistory
from tables.errors import LeakageError
from tables.history import History
from tests.drawn_rows import AS_OF, COLUMNS, MIDNIGHT, Row
from tests.drawn_shop import RULE, SETTINGS, Files, anchored, shop


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A small shop whose files go on ten days beyond the date, with corrections and late rows."""
    names = [f"c{number}" for number in range(25)]
    return Files(tmp_path_factory.mktemp("shop")).take_in(anchored(shop(np.random.default_rng(4), names)))


def cut(files: Files, history: History, day: date) -> CutHistory:
    calendar = files.calendar
    return CutHistory.of(history, midnight=calendar.midnight(day), known_cutoff=calendar.known_cutoff(day))


def asked(files: Files, *more: str) -> tuple[Any, History, Any]:
    """What the check asks of a run, the history, and what it asks of a trial."""
    config = SimpleNamespace(seed=7, retraining=SimpleNamespace(trusted_features=()))
    run = SimpleNamespace(config=config, calendar=files.calendar, rule=RULE, progress=lambda _: None)
    labels = files.labels(days=[AS_OF], known_before=None)
    keys = np.array(sorted(files.history.customer_key(str(name)) or 0 for name in labels["customer"]))
    names = [*files.features().columns.drop(["customer", "as_of"]), *more]
    known = SimpleNamespace(features=SimpleNamespace(columns=names), churned=None)
    reference = SimpleNamespace(as_of=AS_OF)
    trial = SimpleNamespace(reference=reference, customer=keys, known=known, population=None, churned=None)
    return run, files.history, trial


def orders_to_come(orders: AsOfView, *, settings: FeatureSettings) -> Features:
    """Count every order there is, past and future: the leak to find."""
    index = orders._index
    return {"orders_next_7d": np.bincount(index.customer, minlength=index.customers)[orders._selected]}


PLANTED = Builder("planted", orders_to_come, needs={"orders": ()})


@pytest.fixture
def built_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Say which builders there are."""

    def use(*more: Builder) -> None:
        monkeypatch.setattr(checking, "feature_builders", lambda _: (*BUILDERS, *more))
        monkeypatch.setattr(checking, "feature_settings", lambda _: SETTINGS)

    return use


class Cut(Files):
    """The same files as they stood at a date."""

    day = AS_OF

    @property
    def history(self) -> History:
        return cut(self, super().history, self.day)


@pytest.mark.parametrize("days", [0, -9])
def test_honest_features_are_those_of_the_cut_history(files: Files, days: int) -> None:
    day = AS_OF + timedelta(days=days)
    then = Cut(files.folder)
    then.day = day
    whole, again = files.features(day), then.features(day)
    assert len(whole) > 0
    assert_frame_equal(whole, again, rtol=1e-5)


def test_a_cut_history_holds_nothing_that_came_later(files: Files) -> None:
    history, midnight = cut(files, files.history, AS_OF), files.calendar.midnight(AS_OF)
    for table in (name for name in history.tables() if name != "calendar"):
        rows = history.read(table, 0, history.columns(table))
        assert 0 < len(rows) < len(files.history.read(table, 0)) or table in {"customers", "attributes"}
        assert (rows.at < midnight).all() and (rows.known_at < midnight).all()
        assert ((rows.superseded_at < midnight) | (rows.superseded_at == NEVER)).all()


def test_what_a_ticket_told_later_is_missing_in_the_cut(tmp_path: Path) -> None:
    told = {
        "ticket_id": "t",
        "reason": "late",
        "first_reply_at": "",
        "solved_at": "",
        "reopened_at": "",
        "csat": 2,
    }
    opened = MIDNIGHT - timedelta(days=3)
    rows = [
        Row("ann", opened, None, {**told, "rated_at": MIDNIGHT - timedelta(days=1)}),
        Row("bob", opened, None, {**told, "rated_at": MIDNIGHT + timedelta(days=1)}),
    ]
    files = Files(tmp_path).take_in({"tickets": rows})
    now, then = (
        each.read("tickets", 0, ("csat", "rated_at"))
        for each in (files.history, cut(files, files.history, AS_OF))
    )
    assert np.asarray(now.columns["csat"]).tolist() == [2.0, 2.0]
    np.testing.assert_array_equal(np.asarray(then.columns["csat"]), [2.0, np.nan])
    assert (np.asarray(then.columns["rated_at"]) == NEVER).tolist() == [False, True]


def test_honest_builders_pass_the_check(files: Files, built_with: Callable[..., None]) -> None:
    built_with()
    customers, features = check_rebuilt(*asked(files))
    assert customers == len(files.labels(days=[AS_OF], known_before=None))
    assert features > 100


def test_a_builder_that_reads_later_rows_is_named(tmp_path: Path, built_with: Callable[..., None]) -> None:
    built_with(PLANTED)
    days = {"ann": (-9, 4), "bob": (-3,), "cyd": (-2, 12)}
    plain = dict.fromkeys(COLUMNS["orders"].split(), 1) | {"is_return": 0}
    rows = [
        Row(
            name,
            MIDNIGHT + timedelta(days=day),
            None,
            {**plain, "order_id": f"{name}{day}"},
        )
        for name, its_days in days.items()
        for day in its_days
    ]
    files = Files(tmp_path).take_in({"orders": rows})
    with pytest.raises(LeakageError, match=r"1 of \d+ features .* found orders_next_7d different for 2 of 3"):
        check_rebuilt(*asked(files, "orders_next_7d"))


def test_a_feature_too_good_to_be_true_is_named(
    files: Files, built_with: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    built_with()
    row = {"feature": "is_leaving", "auc": 0.99, "auc_low": 0.98}
    monkeypatch.setattr(checking, "separation", lambda *_, **__: Separation((row,), 0.71, ("is_leaving",)))
    with pytest.raises(LeakageError, match=r"found is_leaving \(AUC 0\.990\) against 0\.710") as caught:
        check_leaks(*asked(files))
    assert "retraining.trusted_features" in str(caught.value)
    assert caught.value.exit_code == 2
