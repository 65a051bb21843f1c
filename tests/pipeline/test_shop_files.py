"""The simulated shop's files: same bytes each time, same values in both formats."""

from datetime import date
from pathlib import Path

import pandas as pd

from pipeline.shop.files import write_day, write_history
from pipeline.shop.settings import ShopSettings
from pipeline.shop.stepper import advance, simulate_history

SETTINGS = ShopSettings(customers=60, first_day=date(2025, 1, 1))
UNTIL = date(2025, 2, 1)


def write_all(folder: Path) -> dict[str, bytes]:
    state, rows = simulate_history(SETTINGS, UNTIL, seed=2)
    write_history(folder, rows)
    for _ in range(3):
        day = state.day
        state, rows = advance(state)
        write_day(folder, rows, day)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    first, second = write_all(tmp_path / "a"), write_all(tmp_path / "b")
    assert first == second
    assert {"orders/history.parquet", "orders/2025-02-01.csv", "contacts/history.parquet"} <= set(first)


def test_days_read_back_as_they_were(tmp_path: Path) -> None:
    state, _ = simulate_history(SETTINGS, UNTIL, seed=2)
    _, rows = advance(state)
    write_day(tmp_path, rows, state.day)
    path = tmp_path / "orders" / f"{state.day}.csv"
    read = pd.read_csv(path, parse_dates=["ordered_at", "known_at"])
    pd.testing.assert_frame_equal(read, rows.orders, check_dtype=False)


def test_tables_without_rows_write_no_file(tmp_path: Path) -> None:
    state, _ = simulate_history(SETTINGS.model_copy(update={"new_customers_per_year": 0}), UNTIL, seed=2)
    _, rows = advance(state)
    written = write_day(tmp_path, rows, UNTIL)
    assert tmp_path / "customers" / f"{UNTIL}.csv" not in written
    assert not (tmp_path / "customers").exists()
