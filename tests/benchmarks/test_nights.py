"""The ninety nights of the benchmark are what they say, and so are their figures."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks.nights import State, judged, judged_growth, write_nights
from benchmarks.run import Cost

CHEAP, DEAR = Cost(1.0, 0.5), Cost(4.0, 0.5)


def state(taken_in: Cost, rows: int = 1000, files: int = 4) -> State:
    return State(taken_in, CHEAP, rows, {str(number): 2 * rows for number in range(files)})


def test_nights_add_a_few_rows_each_and_lose_none(tmp_path: Path) -> None:
    write_nights(tmp_path, customers=200, nights=5)
    for table, corrected in (("orders", 5), ("events", 0)):
        whole = pq.read_table(tmp_path / "whole" / table).num_rows
        nights = [pq.read_metadata(tmp_path / table / f"{night:03d}.parquet").num_rows for night in range(6)]
        assert sum(nights) == whole + corrected
        assert sum(nights[1:]) == pytest.approx(5 * 0.003 * nights[0], rel=0.4)


def test_a_night_as_dear_as_a_rebuild_does_not_hold() -> None:
    figures = judged({1: state(CHEAP), 90: state(DEAR)}, {1: state(DEAR), 90: state(DEAR)})
    assert figures["night_1_seconds"].ratio == 0.25 and figures["night_1_seconds"].holds
    assert figures["night_90_seconds"].ratio == 1.0 and not figures["night_90_seconds"].holds
    assert figures["night_90_bytes_per_row"].ratio == 1.0


def test_what_a_night_writes_is_told_beside_what_it_adds() -> None:
    figures = judged_growth({1: state(CHEAP, rows=1000), 11: state(CHEAP, rows=1100)}, written=400.0)
    assert figures["written_per_night"].ratio == 5.0
    assert figures["peak_growth"].holds
