"""What every step of a run asks: the days a night sees, the salts it used, the outcomes it may learn."""

from datetime import date
from pathlib import Path
from typing import cast

import pandas as pd
import pytest

from pipeline.config import load_config
from pipeline.run import Run
from pipeline.salts import frozen_salts, keep_salts, used_salts
from pipeline.snapshots import training
from pipeline.steps import ingested
from tables.calendar import DAY, NEVER
from tables.errors import ConfigError, DataError, GateError
from tables.history import History
from tests.features.conftest import MemoryHistory, instant

ROOT = Path(__file__).parents[2]


def test_later_rows_move_neither_first_nor_newest_day_of_an_old_night() -> None:
    rows = [
        ("dan", "2026-05-01", "2026-06-04"),
        ("ann", "2026-05-30", "2026-05-30"),
        ("bob", "2026-05-31", "2026-06-05"),
        ("eve", "2026-06-02", "2026-06-02"),
    ]
    stored = [(name, instant(f"{at} 12:00"), instant(f"{known} 12:00"), NEVER) for name, at, known in rows]
    orders = pd.DataFrame(stored, columns=["customer", "at", "known_at", "superseded_at"])
    run = Run(load_config(ROOT / "configs/demo.yaml", {}), now=0)
    for buckets in (1, 2):
        history = cast(History, MemoryHistory({"orders": orders}, buckets))
        nights = [date(2026, 6, day) for day in (1, 3, 6)]
        first, newest = zip(*(run.days_seen(history, as_of=night) for night in nights), strict=True)
        assert first == (date(2026, 5, 30), date(2026, 5, 30), date(2026, 5, 1))
        assert newest == (date(2026, 5, 30), date(2026, 6, 2), date(2026, 6, 2))
        with pytest.raises(DataError, match="no orders are seen by 2026-05-30"):
            run.days_seen(history, as_of=date(2026, 5, 30))


def test_a_published_night_asks_for_the_groups_it_was_drawn_by(tmp_path: Path) -> None:
    def withholding(share: str) -> Run:
        said = {"KEEPWELL__WORKSPACE": str(tmp_path), "KEEPWELL__ACTIONS__CONTROL__WITHHELD_SHARE": share}
        return Run(load_config(ROOT / "configs/demo.yaml", said), now=0)

    then, now, night = withholding("0.3"), withholding("0.1"), date(2026, 6, 1)
    keep_salts(then, used_salts(then, night))
    assert used_salts(then, night, again=True) == frozen_salts(then)
    with pytest.raises(ConfigError, match="choose a new one"):
        used_salts(now, night)
    with pytest.raises(
        GateError, match=r"salt 'demo' from .* withhold 0\.3\. Nothing .* Run it once more under"
    ):
        used_salts(now, night, again=True)


def test_what_the_morning_tells_of_the_last_day_is_learnt(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(
        "who,order,amount,at,known\n"
        "ann,1,9,2025-01-01,2025-01-01\n"
        "ann,2,9,2025-02-02,2025-02-02\n"
        "ann,3,9,2025-02-09 20:00,2025-02-10 02:00\n"  # on the last day of the week that is learnt
        "bob,4,9,2025-02-02,2025-02-02\n"
        "bob,5,9,2025-02-10 20:00,2025-02-11 02:00\n"
    )
    (tmp_path / "shop.yaml").write_text(
        f"workspace: {tmp_path}/work\ntime_zone: UTC\n"
        f"sources: {{orders: {{path: {tmp_path}/orders.csv, grain: order, columns: "
        "{customer_id: who, order_id: order, amount: amount, ordered_at: at, known_at: known}}}\n"
        "churn: {horizon_days: 7, active_within_days: 14, known_offset_hours: 3}\n"
        "actions: {catalogue: configs/actions.yaml, budget: {amount: 10}}\n"
    )
    with Run(load_config(tmp_path / "shop.yaml", {}), now=30_000 * DAY).locked("test") as run:
        history = ingested(run)
        found = training(run, history, until=date(2025, 2, 10))
    newest = found.as_of == date(2025, 2, 3)
    names = history.customer_ids(0)[found.customer[newest]]
    assert dict(zip(names, found.churned[newest], strict=True)) == {"ann": 0, "bob": 1}
