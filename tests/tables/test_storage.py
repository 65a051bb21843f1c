"""Files that appear whole or not at all, and tables whose bytes depend on their rows alone."""

import errno
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from tables.errors import SchemaError, StorageError
from tables.storage import (
    TEMPORARY,
    count_rows,
    read_table,
    replacing,
    sha256_of,
    storage,
    write_table,
    write_text,
)

SCORES = pd.DataFrame(
    {
        "customer_id": ["ann", "bob", None],
        "as_of": pd.to_datetime(["2025-01-31"] * 3).as_unit("s"),
        "churn_risk": [0.25, float("nan"), 1.0],
        "orders_90d": pd.array([1, 2, 3], dtype="int32"),
        "segment": pd.Categorical(["new", "loyal", "new"]),
    }
)


def test_a_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "scores" / "scores.parquet"
    sha256 = write_table(SCORES, path)
    again = read_table(path)
    assert sha256 == sha256_of(path)
    assert count_rows(path) == 3
    assert again["churn_risk"].isna().tolist() == [False, True, False]
    assert_frame_equal(again.astype({"as_of": "datetime64[s]"}), SCORES)


def test_columns_are_read_in_the_order_asked_for(tmp_path: Path) -> None:
    write_table(SCORES, tmp_path / "scores.parquet")
    names = ["orders_90d", "customer_id"]
    assert list(read_table(tmp_path / "scores.parquet", names)) == names


def test_a_folder_named_as_of_does_not_become_a_column(tmp_path: Path) -> None:
    path = tmp_path / f"as_of={date(2025, 1, 31)}" / "scores.parquet"
    write_table(SCORES[["customer_id"]], path)
    assert list(read_table(path)) == ["customer_id"]


def test_a_table_stores_no_version_of_pandas(tmp_path: Path) -> None:
    write_table(SCORES, tmp_path / "scores.parquet")
    assert b"pandas" not in (pq.read_metadata(tmp_path / "scores.parquet").metadata or {})


def test_how_rows_were_put_together_changes_no_byte(tmp_path: Path) -> None:
    ids = pd.Series([f"customer {number}" for number in range(150_000)], dtype="str")
    whole = pd.DataFrame({"customer_id": ids, "row": range(len(ids))})
    pieces = pd.concat([whole.iloc[start : start + 7_919] for start in range(0, len(whole), 7_919)])
    assert write_table(whole, tmp_path / "whole.parquet") == write_table(pieces, tmp_path / "pieces.parquet")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS])
def test_what_the_machine_refuses_becomes_one_clear_line(code: int, tmp_path: Path) -> None:
    message = rf"{tmp_path}: the machine refused it; {os.strerror(code)}\. .+, then run again\."
    with pytest.raises(StorageError, match=message) as caught, storage(tmp_path):
        raise OSError(code, os.strerror(code))
    assert caught.value.exit_code == 7


def test_errors_of_our_own_pass_through_untouched(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="no column"), storage(tmp_path):
        raise SchemaError("orders: no column")


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plan.json"
    write_text("old", path)

    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StorageError, match="No space left on device"):
        write_text("new", path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_real_limit_on_file_size_is_reported(tmp_path: Path) -> None:
    script = f"""
import resource, sys
from pathlib import Path
import numpy, pandas
from tables.errors import StorageError
from tables.storage import write_table
frame = pandas.DataFrame({{"churn_risk": numpy.random.default_rng(0).random(100_000)}})
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    write_table(frame, Path({str(tmp_path / "scores.parquet")!r}))
except StorageError as error:
    print(error)
    sys.exit(error.exit_code)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert run.returncode == 7, run.stderr
    assert "File too large. Raise this process's limit on file size, then run again." in run.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_private_file_is_for_its_owner_from_the_start(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    with replacing(path, private=True) as unfinished:
        assert unfinished.stat().st_mode & 0o777 == 0o600
        unfinished.write_text("scores")
    (tmp_path / f"{TEMPORARY}{os.getpid()}-{path.name}").touch(mode=0o644)  # left by a run that was killed
    write_table(SCORES, path, private=True)
    assert path.stat().st_mode & 0o777 == 0o600
