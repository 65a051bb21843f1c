"""The shop of the benchmarks: its size, its contents, the same bytes each time."""

from pathlib import Path

import duckdb
import pytest

from benchmarks.generate import write_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    write_shop(folder, 2_000, customers_per_file=800)
    return folder


def counted(question: str) -> tuple[int, ...]:
    with duckdb.connect() as connection:
        return tuple(connection.execute(question).fetchall()[0])


def test_customers_have_ten_orders_and_forty_events(shop: Path) -> None:
    orders, buyers = counted(f"select count(*), count(distinct customer_id) from '{shop}/orders/*.parquet'")
    (events,) = counted(f"select count(*) from '{shop}/events/*.parquet'")
    assert orders / 2_000 == pytest.approx(10, abs=1)
    assert events / 2_000 == pytest.approx(40, abs=4)
    assert buyers == 2_000


def test_order_ids_differ_between_files(shop: Path) -> None:
    rows, ids = counted(f"select count(*), count(distinct order_id) from '{shop}/orders/*.parquet'")
    assert rows == ids


def test_the_same_arguments_give_the_same_bytes(shop: Path, tmp_path: Path) -> None:
    write_shop(tmp_path, 2_000, customers_per_file=800)
    for path in sorted(shop.rglob("*.parquet")):
        assert path.read_bytes() == (tmp_path / path.relative_to(shop)).read_bytes()
