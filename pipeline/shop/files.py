"""Write the shop's files: a history as Parquet, each further day as CSV."""

from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.shop.rows import DayRows

HISTORY = "history.parquet"


def write_history(folder: Path, rows: DayRows) -> list[Path]:
    """Write each table to ``folder/<table>/history.parquet`` and return the paths.

    The same rows give the same bytes.
    """
    return [_write_parquet(table, folder / name / HISTORY) for name, table in rows.tables().items()]


def write_day(folder: Path, rows: DayRows, day: date) -> list[Path]:
    """Write each table that has rows to ``folder/<table>/<day>.csv`` and return the paths."""
    return [
        _write_csv(table, folder / name / f"{day}.csv") for name, table in rows.tables().items() if len(table)
    ]


def _write_parquet(table: pd.DataFrame, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), path, compression="zstd")
    return path


def _write_csv(table: pd.DataFrame, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = {name: table[name].map({True: "true", False: "false"}) for name in table.select_dtypes("bool")}
    text = table.assign(**flags).to_csv(
        index=False, float_format="%.2f", date_format="%Y-%m-%d %H:%M:%S", lineterminator="\n"
    )
    path.write_text(text, encoding="utf-8", newline="")
    return path
