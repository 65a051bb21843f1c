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


def test_daily_files_add_up_to_a_history_at_once() -> None:
    state, rows = simulate_history(SETTINGS, UNTIL, seed=2)
    told = [rows.tables()]
    for _ in range(40):
        state, day = advance(state)
        told.append(day.tables())
    at_once = simulate_history(SETTINGS, state.day, seed=2)[1].tables()
    for name, table in at_once.items():
        days = pd.concat([tables[name] for tables in told if len(tables[name])])
        columns = table.columns.to_list()
        assert len(table) > 0, name
        pd.testing.assert_frame_equal(
            days.sort_values(columns, ignore_index=True), table.sort_values(columns, ignore_index=True)
        )


def test_each_days_file_tells_only_what_came_by_then() -> None:
    state, _ = simulate_history(SETTINGS, UNTIL, seed=2)
    announced = {"ends_at", "renews_at", "expires_at", "date", "signed_up_at"}
    for _ in range(40):
        midnight = pd.Timestamp(state.day)
        state, rows = advance(state)
        for name, table in rows.tables().items():
            instants = table.select_dtypes("datetime").drop(columns=announced, errors="ignore")
            assert not (instants >= midnight + pd.Timedelta(days=1)).any(axis=None), name
            if "known_at" in table and name != "orders":
                assert (table["known_at"] >= midnight).all(), name


def test_a_ticket_solved_later_is_a_new_version_of_its_row() -> None:
    tickets = simulate_history(SETTINGS, date(2025, 6, 1), seed=2)[1].tickets
    assert not tickets.duplicated(["ticket_id", "known_at"]).any()
    versions = tickets.groupby("ticket_id", sort=False)
    assert (versions["opened_at"].nunique() == 1).all()
    assert (versions["solved_at"].nunique(dropna=True) > 1).any()  # reopened and solved again
    first, last = versions.head(1).set_index("ticket_id"), versions.tail(1).set_index("ticket_id")
    assert first["csat"].isna().all()
    assert last["rated_at"].notna().mean() > 0.3
    assert (tickets["csat"].notna() == tickets["rated_at"].notna()).all()
