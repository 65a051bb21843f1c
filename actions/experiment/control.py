"""Who is left without an action on purpose, and who explores: draws by keyed hash, and the salts they used.

A draw depends on the unit, the salt and the purpose alone, so it can be repeated at any time, does not
depend on who else is a customer, and is fixed as long as the salt is.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import blake2b
from itertools import pairwise
from typing import Annotated, Literal, Self, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tables.errors import ConfigError

Purpose = Literal["global", "untouched", "withhold", "explore"]
GLOBAL: Purpose = "global"
UNTOUCHED: Purpose = "untouched"
WITHHOLD: Purpose = "withhold"
EXPLORE: Purpose = "explore"

UNTOUCHED_PART = 0.25
"""Part of the withheld share that is drawn once for all actions of a unit: who shows life without any action."""

Cluster = Literal["household", "referral"]
Share = TypeVar("Share", float, pd.Series)


def keyed_uniforms(units: Iterable[str], *, salt: str, purpose: str) -> npt.NDArray[np.float64]:
    """Draw one number per unit that anybody with the salt can draw again.

    Args:
        units: household or customer ids.
        salt: key of the hash, 1 to 64 bytes; another salt gives independent draws.
        purpose: what the draw decides; another purpose gives independent draws.

    Returns:
        Numbers in [0, 1), one per unit: 53 bits of blake2b keyed by the salt.

    Examples:
        >>> keyed_uniforms(["ann", "bob", "ann"], salt="2026H2", purpose="global").round(3)
        array([0.101, 0.472, 0.101])
    """
    key, prefix = salt.encode(), f"{purpose}|".encode()
    digests = b"".join(
        blake2b(prefix + str(unit).encode(), digest_size=8, key=key).digest() for unit in units
    )
    return (np.frombuffer(digests, dtype=">u8") >> np.uint64(11)) / 2.0**53


class SaltPeriod(BaseModel):
    """A salt and the days on which it decides who is control.

    Attributes:
        salt: any text of 1 to 64 bytes that was never used before.
        valid_from: first day.
        valid_to: first day on which it no longer decides.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    salt: Annotated[str, Field(min_length=1)]
    valid_from: date
    valid_to: date

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if len(self.salt.encode()) > 64:
            raise ValueError("a salt has at most 64 bytes. Shorten it")
        if self.valid_to <= self.valid_from:
            raise ValueError(f"valid_to must lie after valid_from, {self.valid_from}")
        return self


class ControlSettings(BaseModel):
    """How many customers are left without an action, and by which salts they are drawn.

    Attributes:
        salts: periods that do not overlap. With none given, each half-year has its own: ``2026H2``.
        global_share: share of all units that get no marketing action for the salt's whole period.
        withheld_share: share of the planned actions that are withheld: a quarter of it are units from whom every
            action is withheld for the salt's whole period, the rest is drawn for each unit and action apart, to
            measure that action's effect among units that may get the others.
        exploration_share: share of the units not withheld for which chance picks the action, and the most
            of the budget that this is expected to cost.
        clusters: what makes one unit of several customers: a common household, a referral.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    salts: tuple[SaltPeriod, ...] = ()
    global_share: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    withheld_share: Annotated[float, Field(ge=0, le=0.5)] = 0.20
    exploration_share: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    clusters: tuple[Cluster, ...] = ("household",)

    @model_validator(mode="after")
    def _one_salt_a_day(self) -> Self:
        periods = sorted(self.salts, key=lambda period: period.valid_from)
        for earlier, later in pairwise(periods):
            if later.valid_from < earlier.valid_to:
                raise ValueError(
                    f"salts {earlier.salt!r} and {later.salt!r} overlap on {later.valid_from}. Separate them"
                )
        names = [period.salt for period in periods]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"salts {repeated} stand for two periods. Give each period its own salt")
        return self

    def period_of(self, as_of: date) -> SaltPeriod:
        """Return the salt that decides on a day.

        Raises:
            ConfigError: if salts are given and none covers the day.

        Examples:
            >>> ControlSettings().period_of(date(2026, 11, 21)).salt
            '2026H2'
        """
        if not self.salts:
            return _half_year(as_of)
        for period in self.salts:
            if period.valid_from <= as_of < period.valid_to:
                return period
        last = max(self.salts, key=lambda period: period.valid_to)
        raise ConfigError(
            f"control.salts: no salt is valid on {as_of}; the last, {last.salt!r}, ends before "
            f"{last.valid_to}. Add a new salt that was never used."
        )

    @property
    def untouched_share(self) -> float:
        """Share of the units from whom every planned action is withheld."""
        return float(untouched_share(self.withheld_share))

    def global_control(self, units: Sequence[str], *, as_of: date) -> npt.NDArray[np.bool_]:
        """Tell which rows belong to units that get no marketing action for the whole period of the salt.

        Args:
            units: household or customer id of each row of the base.
            as_of: the night.

        Raises:
            ConfigError: if no salt covers the night.
        """
        salt = self.period_of(as_of).salt
        return draw_below(units, self.global_share, salt=salt, purpose=GLOBAL)


def untouched_share(withheld_share: Share) -> Share:
    """Return the share of units from whom everything is withheld, given that of withheld actions.

    >>> untouched_share(0.2)
    0.05
    """
    return withheld_share * UNTOUCHED_PART


def share_of_others(withheld_share: Share) -> Share:
    """Return the share with which an action is withheld from units that are not untouched.

    >>> round(share_of_others(0.2), 4)  # .15 of .95
    0.1579
    """
    untouched = untouched_share(withheld_share)
    others: Share = (withheld_share - untouched) / (1 - untouched)
    return others


def draw_below(units: Sequence[str], share: float, *, salt: str, purpose: Purpose) -> npt.NDArray[np.bool_]:
    """Draw a share of the units at random, each unit as a whole.

    Args:
        units: household or customer id of each row; rows of one unit are drawn together.
        share: chance of each unit, 0 to 1.
        salt: the period's salt.
        purpose: ``global`` for the control of the whole programme, ``withhold`` for that of each action,
            ``explore`` for the units whose action chance picks.

    Returns:
        One flag per row.
    """
    return keyed_uniforms(units, salt=salt, purpose=purpose) < share


@dataclass(frozen=True)
class FrozenSalt:
    """A salt that was used, for what, when and for how large a share: it may never mean anything else."""

    salt: str
    purpose: Purpose
    valid_from: date
    valid_to: date
    share: float


def freeze(used: Sequence[FrozenSalt], settings: ControlSettings, *, as_of: date) -> tuple[FrozenSalt, ...]:
    """Add the salt of a night to those already used, or refuse it.

    Args:
        used: all salts used so far.
        settings: tonight's settings.
        as_of: the night.

    Returns:
        The records to keep, sorted by first day, salt and purpose; the same as ``used`` on all but the
        first night of a salt.

    Raises:
        ConfigError: if the salt was used for another period or another share, which would bring the same
            customers into control again or change the group within its period.
    """
    period = settings.period_of(as_of)
    shares: dict[Purpose, float] = {
        GLOBAL: settings.global_share,
        UNTOUCHED: settings.untouched_share,
        WITHHOLD: settings.withheld_share,
        EXPLORE: settings.exploration_share,
    }
    tonight = [
        FrozenSalt(period.salt, purpose, period.valid_from, period.valid_to, share)
        for purpose, share in shares.items()
    ]
    known = {(record.salt, record.purpose): record for record in used}
    problems = [
        _reuse(known[record.salt, record.purpose], record)
        for record in tonight
        if known.get((record.salt, record.purpose), record) != record
    ]
    if problems:
        raise ConfigError.of_all(problems)
    known.update({(record.salt, record.purpose): record for record in tonight})
    return tuple(sorted(known.values(), key=lambda r: (r.valid_from, r.salt, r.purpose)))


def salts_to_json(used: Sequence[FrozenSalt]) -> str:
    """Write the table of used salts as text, one record a line."""
    rows = [json.dumps(asdict(record), default=str, sort_keys=True) for record in used]
    return "[\n" + ",\n".join(rows) + "\n]\n"


def salts_from_json(text: str) -> tuple[FrozenSalt, ...]:
    """Read the table of used salts.

    Raises:
        ConfigError: if the text is no such table: without it, reuse cannot be refused.
    """
    try:
        rows = json.loads(text)
        return tuple(
            FrozenSalt(
                salt=row["salt"],
                purpose=row["purpose"],
                valid_from=date.fromisoformat(row["valid_from"]),
                valid_to=date.fromisoformat(row["valid_to"]),
                share=row["share"],
            )
            for row in rows
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"table of used salts: cannot be read; {error!r}. Restore it from a backup of the workspace."
        ) from error


def _half_year(as_of: date) -> SaltPeriod:
    half = 1 if as_of.month <= 6 else 2
    begin = date(as_of.year, 1 if half == 1 else 7, 1)
    end = date(as_of.year, 7, 1) if half == 1 else date(as_of.year + 1, 1, 1)
    return SaltPeriod(salt=f"{as_of.year}H{half}", valid_from=begin, valid_to=end)


def _reuse(before: FrozenSalt, now: FrozenSalt) -> str:
    def told(record: FrozenSalt) -> str:
        return f"{record.valid_from} to {record.valid_to} with share {record.share:g}"

    return (
        f"control: salt {now.salt!r} was already used for {before.purpose!r}, {told(before)}; "
        f"found {told(now)}. A salt is never reused: choose a new one."
    )
