"""Names for customers on pages: stable inside a workspace, meaningless outside it."""

import hashlib
import os
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.run import Run
from tables.errors import ConfigError, DataError
from tables.history import History
from tables.storage import storage

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def pseudonyms(run: Run, customer_ids: Iterable[str]) -> list[str]:
    """Return the pseudonym of each customer: a keyed hash under the workspace's secret."""
    key = _secret(run, create=True)
    return [_pseudonym(customer_id, key) for customer_id in customer_ids]


def resolve(run: Run, names: Sequence[str]) -> dict[str, str]:
    """Find the customers behind pseudonyms, inside the workspace.

    Raises:
        ConfigError: if the secret is missing or open to others.
        DataError: if a name belongs to no customer of the history; all such names are listed.
    """
    key = _secret(run, create=False)
    wanted = {name.upper(): name for name in names}
    found: dict[str, str] = {}
    history = History.open(run.history_root)
    for bucket in range(history.buckets):
        for customer_id in map(str, history.customer_ids(bucket)):
            name = wanted.get(_pseudonym(customer_id, key))
            if name is not None:
                found[name] = customer_id
    unknown = sorted(set(names) - set(found))
    if unknown:
        raise DataError(
            f"{run.workspace}: no customer has the pseudonym {', '.join(unknown)}. "
            "Copy it from a page of this workspace."
        )
    return found


def _pseudonym(customer_id: str, key: bytes) -> str:
    digest = hashlib.blake2b(customer_id.encode(), key=key, digest_size=8).digest()
    number = int.from_bytes(digest, "big")
    # 40 bits in two groups people can read aloud; a clash within a million customers is unlikely.
    letters = "".join(_ALPHABET[number >> shift & 31] for shift in range(0, 40, 5))
    return f"{letters[:4]}-{letters[4:]}"


def _secret(run: Run, *, create: bool) -> bytes:
    path = run.secret_file or run.workspace / "pseudonym.secret"
    if not path.exists():
        if not create:
            raise ConfigError(
                f"{path}: the secret behind the pseudonyms is missing. Restore it from a backup."
            )
        _create(path)
    with storage(path):
        text = path.read_bytes().strip()
        private = path.stat().st_mode & 0o077 == 0
    if len(text) < 16:
        raise ConfigError(f"{path}: the secret is too short; found {len(text)} bytes. Put at least 16 there.")
    if not private:
        raise ConfigError(f"{path}: others may read the secret. Run: chmod 600 {path}")
    return hashlib.blake2b(text, digest_size=32).digest()


def _create(path: Path) -> None:
    with storage(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
