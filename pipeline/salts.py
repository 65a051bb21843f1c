"""The table of used salts in the workspace: who was drawn into which group can be drawn again, and never otherwise."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from actions.experiment.control import FrozenSalt, freeze, salts_from_json, salts_to_json
from pipeline.run import Run
from tables.errors import ConfigError, GateError
from tables.storage import write_text


def frozen_salts(run: Run) -> Sequence[FrozenSalt]:
    """Return the salts that earlier nights used."""
    path = _table(run)
    return salts_from_json(path.read_text()) if path.exists() else ()


def used_salts(run: Run, as_of: date, *, again: bool = False) -> tuple[FrozenSalt, ...]:
    """Return the salts used so far with those of a night added.

    Args:
        run: the run.
        as_of: the night.
        again: whether it was published before and is made once more.

    Raises:
        ConfigError: if the night's salt was used for another period or share.
        GateError: the same of a published night, whose groups were drawn long ago.
    """
    used = frozen_salts(run)
    then = [one for one in used if one.valid_from <= as_of < one.valid_to]
    try:
        return freeze(used, run.config.actions.control, as_of=as_of)
    except ConfigError as error:
        if not (again and then):
            raise
        raise GateError(_drawn_otherwise(then, as_of)) from error


def _drawn_otherwise(then: Sequence[FrozenSalt], as_of: date) -> str:
    spans = sorted({f"salt {one.salt!r} from {one.valid_from} to {one.valid_to}" for one in then})
    shares = ", ".join(f"{one.purpose} {one.share:g}" for one in then)
    return (
        f"nightly: {as_of} is damaged, and its groups were drawn by another actions.control; found "
        f"{' and '.join(spans)} with shares {shares}. Nothing was replaced. Run it once more "
        "under the configuration of that night, or restore the night's files from a backup."
    )


def keep_salts(run: Run, salts: Sequence[FrozenSalt]) -> None:
    """Write down which salts were used, so that none ever means anything else."""
    write_text(salts_to_json(salts), _table(run))


def _table(run: Run) -> Path:
    return run.workspace / "control" / "salts.json"
