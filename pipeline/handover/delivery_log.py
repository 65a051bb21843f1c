"""The log of what was reported on our contacts: files of the workspace that ingest reads as ``contacts``."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from tables.errors import ConfigError
from tables.history import History
from tables.sources import Source
from tables.storage import storage, write_table

COLUMNS = (
    "contact_id",
    "customer_id",
    "team",
    "channel",
    "purpose",
    "action",
    "arm",
    "status",
    "sent_at",
    "redeemed_at",
    "cost",
)
_KNOWN = "known_at"
_INSTANTS = ("sent_at", "redeemed_at", _KNOWN)
_INSTANT = "%Y-%m-%dT%H:%M:%S.%fZ"

Sources = Mapping[str, Sequence[Source]]


class DeliveryLog:
    """Reports taken in, one immutable file per import; a later file's row of a contact corrects an earlier one.

    Attributes:
        folder: where the files lie.
    """

    def __init__(self, workspace: Path) -> None:
        self.folder = workspace / "deliveries"

    def add(self, rows: pd.DataFrame) -> Path | None:
        """Append reports, unless a file holds the very same ones already.

        Args:
            rows: the columns ``COLUMNS``, and ``known_at``, from which on a night may see them.

        Returns:
            The new file, nothing where there is none.
        """
        told = rows.assign(**{name: rows[name].dt.strftime(_INSTANT) for name in _INSTANTS})
        digest = hashlib.sha256(told[list(COLUMNS)].to_csv(index=False).encode()).hexdigest()[:16]
        files = self._files()
        if any(file.stem.endswith(digest) for file in files):
            return None
        path = self.private_folder() / f"{len(files) + 1:06d}-{digest}.parquet"
        write_table(told[[*COLUMNS, _KNOWN]], path, private=True)
        return path

    def private_folder(self) -> Path:
        """Return the folder; where there is none it is made, for its owner alone.

        Raises:
            StorageError: if it may not be written.
        """
        with storage(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.folder

    def beside(self, sources: Sources) -> Sources:
        """Return a business's sources with the log among its contacts, once there is one.

        Raises:
            ConfigError: as ``check_keys`` does.
        """
        if not self._files():
            return sources
        self.check_keys(sources)
        log = Source(path=str(self.folder / "*.parquet"), columns={name: name for name in (*COLUMNS, _KNOWN)})
        return {**sources, "contacts": (*sources.get("contacts", ()), log)}

    def without_later(self, history: History, sources: Sources, *, cutoff: int) -> History:
        """Return the history as a date knows it, before reports were taken in for the first time.

        A first report must not change which features an earlier date has; what a business maps itself is its own say.
        """
        mapped = {name for source in sources.get("contacts", ()) for name in source.filled()}
        return history.without_later("contacts", set(COLUMNS) - mapped, cutoff)

    def check_keys(self, sources: Sources) -> None:
        """Refuse a business whose own contacts have no key, by which a correction finds its row.

        Raises:
            ConfigError: if a source of contacts does not map ``contact_id``.
        """
        if any("contact_id" not in source.filled() for source in sources.get("contacts", ())):
            raise ConfigError(
                "sources.contacts: reported deliveries are told apart by contact_id, which a source does not map. "
                "Map the contact_id of every source of contacts."
            )

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))
