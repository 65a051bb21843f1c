"""Taking the champion out of service: what leaves, what serves instead, and when it must be refused."""

from collections.abc import Iterable, Sequence

from models.deployment import ModelVersion, promotion_order
from tables.errors import RegistryError, StorageError


def as_withdrawn_here(
    versions: Iterable[ModelVersion], recorded: Iterable[ModelVersion]
) -> tuple[ModelVersion, ...]:
    """Return versions, those withdrawn that this workspace's record says are.

    A rollback is recorded before the registry hears of it: it holds though the run was killed in between or
    the registry could not be reached.
    """
    gone = {one.version: one for one in recorded if one.withdrawn}
    return tuple(
        one.as_withdrawn(gone[one.version].withdrawn_because) if one.version in gone else one
        for one in versions
    )


def to_withdraw(
    versions: Sequence[ModelVersion], recorded: Sequence[ModelVersion], *, to: int | None = None
) -> tuple[tuple[ModelVersion, ...], ModelVersion]:
    """Say what a rollback takes out of service, and what serves after it.

    Args:
        versions: as the registry tells them.
        recorded: as this workspace recorded them.
        to: the version that shall serve; the one before the champion where not given. Withdrawals that the
            registry has not heard of are repeated, and no further one is made but those ``to`` asks for.

    Returns:
        What leaves, newest promotion first, and what serves.

    Raises:
        RegistryError: if nothing would be left in service, or ``to`` is no version that could serve.
    """
    known = as_withdrawn_here(versions, recorded)
    serving = _newest_first(one for one in known if one.in_service)
    told = {one.version for one in versions if one.in_service}
    unheard = [one for one in known if one.withdrawn and one.version in told]
    if unheard and serving and to in (None, serving[0].version):
        return _newest_first(unheard), serving[0]
    trusted = {one.version for one in recorded}
    _check(serving, trusted, to)
    left = [one for one in serving[1:] if one.version in trusted and to in (None, one.version)]
    target = left[0]
    return _newest_first([*unheard, *serving[: serving.index(target)]]), target


def nothing_withdrawn(error: StorageError, recorded: Iterable[ModelVersion]) -> StorageError:
    """Say how to roll back though the registry is out of reach."""
    here = ", ".join(str(one.version) for one in recorded if not one.withdrawn) or "none"
    return StorageError(
        f"{error} Nothing was withdrawn. Without the registry name the version that shall serve, as in "
        f"`keepwell rollback --to VERSION`; promoted in this workspace: {here}."
    )


def held_here_alone(error: StorageError, gone: Iterable[ModelVersion], serves: ModelVersion) -> StorageError:
    """Say that a rollback holds though the registry has not heard of it."""
    versions = ", ".join(str(one.version) for one in gone)
    return StorageError(
        f"{error} In this workspace the rollback holds: withdrawn is version {versions}, and version {serves.version} "
        "serves from the next night on. Run the same again once the registry answers, so that it knows too."
    )


def _newest_first(versions: Iterable[ModelVersion]) -> tuple[ModelVersion, ...]:
    return tuple(sorted(versions, key=promotion_order, reverse=True))


def _check(serving: Sequence[ModelVersion], trusted: set[int], to: int | None) -> None:
    """Refuse a rollback that would leave no version this workspace can score with."""
    if not serving:
        raise RegistryError("rollback: no model is in service; found none. Run `keepwell retrain` first.")
    champion, before = serving[0].version, [one.version for one in serving[1:] if one.version in trusted]
    if to == champion:
        raise RegistryError(
            f"rollback: version {to} is the one in service; found {before or 'none'} before it. Leave out --to, "
            "or name an earlier version."
        )
    if not before or to not in (None, *before):
        wanted = "nothing would be left in service" if to is None else f"version {to} cannot serve"
        raise RegistryError(
            f"rollback: {wanted}; found version {champion} in service and {before or 'none'} before it. "
            "Retrain with a configuration you trust, or name one of these."
        )
