"""Files that appear whole or not at all, and tables whose bytes depend on their rows alone."""

import errno
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tables.errors import KeepwellError, StorageError

TEMPORARY = ".tmp-"
"""Every unfinished file or folder starts with this; whoever takes the lock next removes what was left."""

_ROWS_PER_GROUP = 131_072
_ADVICE = {
    errno.ENOSPC: "Free space on this disk, then run again.",
    errno.EDQUOT: "Free space in this account's quota, then run again.",
    errno.EFBIG: "Raise this process's limit on file size, then run again.",
    errno.EACCES: "Give this user write permission there, then run again.",
    errno.EPERM: "Give this user write permission there, then run again.",
    errno.EROFS: "Move the workspace to a writable disk, then run again.",
}


@contextmanager
def storage(where: Path) -> Iterator[None]:
    """Turn what the machine refuses into one line that says where, why and what to do.

    Args:
        where: file or folder named in the message.

    Raises:
        StorageError: in place of any ``OSError`` of the block.
    """
    try:
        yield
    except KeepwellError:
        raise
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        advice = _ADVICE.get(error.errno or 0, "Check this disk, then run again.")
        raise StorageError(f"{where}: the machine refused it; {reason}. {advice}") from error


def write_table(frame: pd.DataFrame, path: Path, *, private: bool = False) -> str:
    """Write a Parquet file whose bytes depend on rows, column order and types alone.

    Args:
        frame: rows in the order to store; the index is not stored.
        path: where the file appears once it is complete; its folder is made.
        private: only the file's owner may ever read it.

    Returns:
        SHA-256 of the file, in hexadecimal.

    Raises:
        StorageError: if the disk is full or may not be written.
    """
    # pandas' own metadata holds its version, and chunks left by a concat would move page boundaries.
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None).combine_chunks()
    with replacing(path, private=private) as unfinished:
        pq.write_table(table, unfinished, compression="zstd", row_group_size=_ROWS_PER_GROUP)
    return sha256_of(path)


def read_table(path: Path, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table written by ``write_table``.

    Args:
        path: the Parquet file.
        columns: names to read, in this order; all when empty.

    Returns:
        The rows as stored, numbered from 0.
    """
    with pq.ParquetFile(path) as file:
        frame = file.read(columns=list(columns) or None).to_pandas()
    return frame[list(columns)] if columns else frame


def read_tables(paths: Sequence[Path], columns: Sequence[str]) -> pd.DataFrame:
    """Read columns of one or more such tables, one behind the other, at a fraction of the time of one by one."""
    parts = []
    for path in paths:
        with pq.ParquetFile(path) as file:
            parts.append(file.read(columns=list(columns)))
    # A column without a value is of no type where it stands alone.
    frame = pa.concat_tables(parts, promote_options="permissive").to_pandas()
    return frame[list(columns)]


def count_rows(path: Path) -> int:
    """Return the number of rows of a Parquet file from its footer."""
    return int(pq.read_metadata(path).num_rows)


def write_text(text: str, path: Path) -> None:
    """Write a UTF-8 file that readers see whole, old or new.

    Raises:
        StorageError: if the disk is full or may not be written.
    """
    with replacing(path) as unfinished:
        unfinished.write_bytes(text.encode())


@contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[Path]:
    """Lend a temporary name beside a file; the file is replaced when the block ends well.

    Args:
        path: the file to replace or create; its folder is made.
        private: only the file's owner may read it, from its first byte on.

    Raises:
        StorageError: if the machine refuses; the old file is then untouched.
    """
    unfinished = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    try:
        with storage(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if private:
                unfinished.unlink(missing_ok=True)  # one left by a run that was killed would keep its mode
                unfinished.touch(mode=0o600)
            yield unfinished
            flush(unfinished)
            unfinished.replace(path)
            flush(path.parent)
    except BaseException:
        with suppress(
            OSError
        ):  # where nothing can be written nothing was, and the first refusal is the one to tell
            unfinished.unlink(missing_ok=True)
        raise


def flush(path: Path) -> None:
    """Make the disk keep a file's content, or a folder's list of names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
