"""What every step of a run asks of the history: the newest day a night sees."""

from datetime import date
from pathlib import Path
from typing import cast

import pandas as pd

from pipeline.config import load_config
from pipeline.run import Run
from tables.calendar import NEVER
from tables.history import History
from tests.features.conftest import MemoryHistory, instant

ROOT = Path(__file__).parents[2]


def test_later_rows_do_not_move_an_old_nights_newest_day() -> None:
    rows = [
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
        seen = [run.newest_day_seen(history, as_of=night) for night in nights]
        assert seen == [date(2026, 5, 30), date(2026, 6, 2), date(2026, 6, 2)]
