"""Taking the model in service back: the one promoted before it serves from the next night on."""

from collections.abc import Mapping
from typing import Any

from models.registry import Registry
from pipeline.run import Run


def rollback(run: Run, *, to: int | None = None, reason: str = "") -> Mapping[str, Any]:
    """Withdraw the champion, or everything promoted after a version, in the registry and in the workspace.

    Nights already published keep the model that scored them. A retraining does not bring a withdrawn recipe back
    by itself.

    Args:
        run: the run, holding the workspace.
        to: the version that shall serve; the one before the champion where not given.
        reason: why, for whoever reads the registry later.

    Raises:
        RegistryError: if nothing would be left in service, or ``to`` cannot serve.
        StorageError: if the registry is out of reach.
    """
    run.progress("rollback: withdraw the model in service")
    withdrawn, serves = Registry(run.workspace, run.config.registry).rollback(to=to, reason=reason)
    gone = [one.version for one in withdrawn]
    names = ", ".join(map(str, gone))
    why = f" ({reason})" if reason else ""
    return {
        "withdrawn": gone,
        "serves": serves.version,
        "promoted_for": str(serves.promoted_for),
        "trained_through": serves.trained_through.isoformat(),
        "reason": reason,
        "text": f"withdrawn: version {names}{why}\n"
        f"version {serves.version}, promoted for {serves.promoted_for} and trained through "
        f"{serves.trained_through}, serves from the next night on; published nights stay as they are",
    }
