"""What a generation of the history consists of, and how the next one takes its place."""

import hashlib
import json
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tables.errors import DataError, SchemaError

MANIFEST = "manifest.json"
_FORMAT = 1


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Part(_Frozen):
    """One immutable file of one bucket.

    Attributes:
        file: path relative to the history's folder.
        rows: number of rows.
        sha256: digest of its bytes.
        columns: columns the file holds.
    """

    file: str
    rows: int
    sha256: str
    columns: tuple[str, ...] = ()


class Bucket(_Frozen):
    """One bucket of one table: a base and its deltas, and files that close rows of them.

    Attributes:
        parts: files of rows, oldest first.
        closures: files that say which row of which part was superseded, and when.
    """

    parts: tuple[Part, ...] = ()
    closures: tuple[Part, ...] = ()


class StoredTable(_Frozen):
    """One table of the history.

    Attributes:
        columns: stored columns besides the customer and the times.
        identity: how its rows are told apart.
        buckets: its buckets by number; a bucket without rows is absent.
        shares: table whose files hold this table's rows too.
        since: instants since when columns are known that came after the history's first load.
    """

    columns: tuple[str, ...]
    identity: str = ""
    buckets: dict[int, Bucket] = {}
    shares: str | None = None
    since: dict[str, int] = {}


class Manifest(_Frozen):
    """One generation of the history.

    Attributes:
        generation: counts changes of content from 1.
        digest: SHA-256 of all that readers can see.
        buckets: number of buckets.
        customers: number of known customers.
        time_zone: business zone in which times without one were read.
        known_offset_hours: offset for which order versions were derived.
        stamp: no row appended later without a known time counts as known before this instant.
        first_order_at: earliest order, if there is one.
        newest_order_at: latest order, if there is one.
        currency: currency of all money, if any source names one.
        dictionary: files of customer ids; the position over all of them is the customer's key.
        tables: stored tables by name.
        files: digests of the source files already taken in.
        newest: digest of a file's place and mapping, and that of the file last taken in there: a file that is
            overwritten may come back to what it held before.
    """

    format: int = _FORMAT
    generation: int = 0
    digest: str = ""
    buckets: int = 0
    customers: int = 0
    time_zone: str = ""
    known_offset_hours: float = 0.0
    stamp: int | None = None
    first_order_at: int | None = None
    newest_order_at: int | None = None
    currency: str | None = None
    dictionary: tuple[Part, ...] = ()
    tables: dict[str, StoredTable] = {}
    files: tuple[str, ...] = ()
    newest: dict[str, str] = {}

    def referenced(self) -> set[str]:
        """Return every file of this generation, relative to the history's folder."""
        buckets = [bucket for table in self.tables.values() for bucket in table.buckets.values()]
        parts = [part for bucket in buckets for part in (*bucket.parts, *bucket.closures)]
        return {part.file for part in (*parts, *self.dictionary)}

    def content_digest(self) -> str:
        """Digest all rows and the files they lie in: merged files give another digest for the same rows.

        Stamps and source files are not part of it.
        """
        besides = {"generation", "digest", "stamp", "files", "newest"}
        content = self.model_dump(mode="json", exclude=besides)
        for table in content["tables"].values():
            del table["since"]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def bucket_file(table: str, bucket: int, generation: int, suffix: str = "") -> str:
    """Name a file of one bucket, relative to the history's folder; a generation writes each name once."""
    return f"{table}/bucket={bucket:04d}/{generation:06d}{suffix}.parquet"


def read_manifest(root: Path) -> Manifest | None:
    """Read the current generation, if the history has one.

    Raises:
        SchemaError: if another version of the program wrote it.
        DataError: if it is damaged.
    """
    path = root / MANIFEST
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text())
        written = content["format"]
        if written == _FORMAT:
            return Manifest.model_validate(content)
    except (ValueError, TypeError, KeyError) as error:
        reason = str(error).splitlines()[0].rstrip(":.")
        raise DataError(
            f"{path}: not a manifest; {reason}. Restore it from a backup, or ingest into an empty folder."
        ) from error
    raise SchemaError(
        f"{path}: format {written!r}, this version reads {_FORMAT}. Ingest into an empty folder."
    )


def switch_manifest(root: Path, manifest: Manifest) -> None:
    """Make a generation the current one by a single rename, after everything it names is on disk."""
    waiting = root / f"{MANIFEST}.new"
    with waiting.open("w") as stream:
        stream.write(json.dumps(manifest.model_dump(mode="json"), indent=1, sort_keys=True))
        stream.flush()
        os.fsync(stream.fileno())
    waiting.replace(root / MANIFEST)
    sync_folder(root)


def sync_folder(folder: Path) -> None:
    """Make renames and new names in a folder last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
