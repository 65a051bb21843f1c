"""The error tree: every message says where, what, what was found and what to do."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import ClassVar, Self


class KeepwellError(Exception):
    """Root of all errors a user can mend; carries the exit code of the command line."""

    exit_code: ClassVar[int] = 1


class ConfigError(KeepwellError, ValueError):
    """The configuration or the command's options cannot be used as they are."""

    exit_code = 2

    @classmethod
    def of_all(cls, problems: Sequence[str]) -> Self:
        """Report every problem of one file together, one line each."""
        return cls("\n".join(problems))


class SchemaError(KeepwellError, ValueError):
    """A table lacks the columns, types or keys that a step needs."""

    exit_code = 3

    @classmethod
    def missing_column(cls, column: str, *, table: str, found: Iterable[str]) -> Self:
        """Name the column, the table, what was found, and the likely typo."""
        names = sorted(map(str, found))
        near = get_close_matches(column, names, n=1, cutoff=0.7)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return cls(f"{table}: no column {column!r}; found {names}.{hint}")


class DataError(KeepwellError, ValueError):
    """The rows themselves do not allow an answer: too many bad ones, too few good ones, one class only."""

    exit_code = 3


class LeakageError(KeepwellError, ValueError):
    """A step was asked to use what could not have been known at its moment."""

    exit_code = 2


class LockError(KeepwellError):
    """Another run holds the workspace."""

    exit_code = 4


class GateError(KeepwellError):
    """A check before publishing closed; nothing was published."""

    exit_code = 5


class PromotionError(KeepwellError):
    """A retrained model was not promoted although promotion was required."""

    exit_code = 6


class StorageError(KeepwellError, OSError):
    """The machine refused: disk full, no permission."""

    exit_code = 7


class RegistryError(KeepwellError, LookupError):
    """No model that may be used for this date, or one whose files are not what was registered."""

    exit_code = 2


class BudgetError(KeepwellError, ValueError):
    """Budget, capacity or effects of the actions contradict each other."""

    exit_code = 2
