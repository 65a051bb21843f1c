"""The table of used salts in the workspace: who was drawn into which group can be drawn again, and never otherwise."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from actions.experiment.control import FrozenSalt, freeze, salts_from_json, salts_to_json
from pipeline.run import Run
from tables.storage import write_text


def frozen_salts(run: Run) -> Sequence[FrozenSalt]:
    """Return the salts that earlier nights used."""
    path = _table(run)
    return salts_from_json(path.read_text()) if path.exists() else ()


def used_salts(run: Run, as_of: date) -> tuple[FrozenSalt, ...]:
    """Return the salts used so far with tonight's added.

    Raises:
        ConfigError: if tonight's salt was used for another period or share.
    """
    return freeze(frozen_salts(run), run.config.actions.control, as_of=as_of)


def keep_salts(run: Run, salts: Sequence[FrozenSalt]) -> None:
    """Write down which salts were used, so that none ever means anything else."""
    write_text(salts_to_json(salts), _table(run))


def _table(run: Run) -> Path:
    return run.workspace / "control" / "salts.json"
