"""Everything a measurement finds, read from settled units: actions, groups, policies, the programme."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import pandas as pd

from actions.assignments import CONTROL, EXPLORED, SENT, UNTOUCHED
from actions.catalogue import load_catalogue
from actions.experiment.control import EXPLORE, WITHHOLD, FrozenSalt, untouched_share
from actions.experiment.power import detectable_effect
from actions.learning.believing import ActionBelief, cell_beliefs, verdicts
from actions.learning.evidence import tally
from actions.measurement.reading import LARGEST_SOUGHT, TOO_FEW, Reading
from pipeline.measuring.groups import with_groups
from pipeline.measuring.outcomes import of_last_year, settled_customers, settled_units
from pipeline.measuring.programme import settled_base
from pipeline.run import Run
from pipeline.salts import frozen_salts
from tables.history import History

ALL = "all actions"


@dataclass(frozen=True)
class Results:
    """What was found.

    Attributes:
        as_of: date of the measurement.
        units: settled planned actions: one row per customer, action and salt.
        total: everybody planned for anything that could be withheld, from the first such night of the salt:
            whoever was not left alone, whatever became of single actions, against whoever was.
        actions: one reading per action that could be withheld.
        segments: those of ``total``, by segment on the planned night.
        regions: those of ``total``, by region on the planned night.
        policies: what was sent as planned against what chance picked, and that against those left alone.
        programme: one reading per salt: the rest of the base against the global control.
        beliefs: what the plan makes of the same units, and which actions it stops.
        caution: why nothing is said of all actions together, and what so many left alone could show; else "".
    """

    as_of: date
    units: pd.DataFrame
    total: Reading
    actions: Sequence[Reading]
    segments: Sequence[Reading]
    regions: Sequence[Reading]
    policies: Sequence[Reading]
    programme: Sequence[Reading]
    beliefs: Sequence[ActionBelief]
    caution: str

    @property
    def customers(self) -> int:
        """Return how many customers were planned for."""
        return int(self.units["customer_id"].nunique())

    @property
    def planned(self) -> tuple[date, date]:
        """Return the first and the last night whose units count."""
        nights = self.units["planned_on"]
        return nights.min().date(), nights.max().date()

    @property
    def never_withheld(self) -> dict[str, int]:
        """Count the units of each action that is never withheld, so that nothing can be said of it."""
        counts = self.units.loc[self.units["withheld_share"] == 0, "action"].value_counts()
        return {str(action): int(count) for action, count in counts.sort_index().items()}

    @property
    def stopped(self) -> dict[str, float]:
        """Return the chance of a loss of each action that outcomes have stopped."""
        return {
            one.action: one.loss_chance for one in self.beliefs if one.stopped and one.loss_chance is not None
        }

    def answer(self) -> dict[str, Any]:
        """Return the results as JSON values."""
        return {
            "as_of": self.as_of.isoformat(),
            "planned": [night.isoformat() for night in self.planned],
            "units": len(self.units),
            "customers": self.customers,
            "total": self.total.answer(),
            "caution": self.caution,
            **{name: [each.answer() for each in readings] for name, readings in self._groups().items()},
            "never_withheld": self.never_withheld,
            "beliefs": [asdict(one) for one in self.beliefs],
        }

    def _groups(self) -> dict[str, Sequence[Reading]]:
        return {
            "actions": self.actions,
            "segments": self.segments,
            "regions": self.regions,
            "policies": self.policies,
            "programme": self.programme,
        }


def results_of(run: Run, history: History, *, as_of: date) -> Results | None:
    """Read everything that was settled by a date; nothing where no outcome was.

    Args:
        run: the run.
        history: the validated history.
        as_of: the date; what became known at its midnight or later is not used.
    """
    units = settled_units(run, history, as_of=as_of)
    if units.empty:
        return None
    units = with_groups(run, history, units)
    drawn = units[units["withheld_share"] > 0]
    first = with_groups(run, history, settled_customers(run, history, as_of=as_of))
    whole = _left_alone_or_not(first)
    total = Reading.of(ALL, whole)
    base = settled_base(run, history, as_of=as_of)
    return Results(
        as_of=as_of,
        units=units,
        total=total,
        actions=_by(drawn, "action"),
        segments=_parts(whole, "segment"),
        regions=_parts(whole, "region"),
        policies=_policies(first, frozen_salts(run)),
        programme=_by(base, "salt") if len(base) else [],
        beliefs=_beliefs(run, of_last_year(run, units, as_of=as_of)),
        caution=_caution(total, whole),
    )


def _left_alone_or_not(first: pd.DataFrame) -> pd.DataFrame:
    """Part customers by the one draw that decided about all actions: sent is whoever was not left alone."""
    return first.assign(arm=(first["arm"] == UNTOUCHED).map({True: CONTROL, False: SENT}))


def _caution(total: Reading, whole: pd.DataFrame) -> str:
    """Say why all actions together are not read, and which effect would be found by those who were left alone."""
    if total.verdict != TOO_FEW:
        return ""
    if not total.control:
        return "Nobody was left alone, so that nothing can be said of all actions together, only of each."
    others, alone = total.stayed.treated, total.stayed.control
    least = detectable_effect(float(whole["churned"].mean()), treated=others, control=alone) or 1.0
    found = (
        "none could be shown"
        if least > LARGEST_SOUGHT
        else f"no effect below {100 * least:.1f} points could be shown"
    )
    return (
        f"Too few were left alone to say what all actions did together: {alone:,} households or single customers "
        f"beside {others:,} others. With so many, {found}."
    )


def _beliefs(run: Run, units: pd.DataFrame) -> Sequence[ActionBelief]:
    """Return what planning makes of the units, for the actions that have any."""
    settings = run.config.actions
    actions = tuple(load_catalogue(settings.catalogue).actions.values())
    found = cell_beliefs(tally(units, actions), actions, settings.learning, expected={})
    told = verdicts(found, actions, settings.learning)
    return [one for one in told if one.sent + one.withheld]


def _by(units: pd.DataFrame, column: str) -> list[Reading]:
    return [Reading.of(str(name), rows) for name, rows in units.groupby(column, sort=True)]


def _parts(units: pd.DataFrame, column: str) -> list[Reading]:
    """Read each group by itself, where there is more than one."""
    return _by(units, column) if units[column].nunique() > 1 else []


def _policies(first: pd.DataFrame, salts: Sequence[FrozenSalt]) -> list[Reading]:
    """Compare whole policies by the arms that chance drew: as planned, picked by chance, left alone."""
    if not (first["arm"] == EXPLORED).any():
        return []
    chance = pd.DataFrame({salt: _chances(salts, salt) for salt in first["salt"].unique()})
    pairs = {
        "chance against nothing": (EXPLORED, UNTOUCHED),
        "plan against chance": (SENT, EXPLORED),
    }
    return [Reading.of(name, _against(first, chance, *arms)) for name, arms in pairs.items()]


def _chances(salts: Sequence[FrozenSalt], salt: str) -> dict[str, float]:
    shares = {record.purpose: record.share for record in salts if record.salt == salt}
    held, exploring = shares[WITHHOLD], shares.get(EXPLORE, 0.0)
    return {
        UNTOUCHED: untouched_share(held),
        SENT: (1 - held) * (1 - exploring),
        EXPLORED: (1 - held) * exploring,
    }


def _against(first: pd.DataFrame, chance: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    """Return the units of two arms as if the first had been sent and the second withheld."""
    rows = first[first["arm"].isin((one, other))]
    both = chance.loc[one] + chance.loc[other]
    share = rows["salt"].map(chance.loc[other] / both)
    is_other = rows["arm"] == other
    return rows.assign(arm=is_other.map({True: CONTROL, False: SENT}), withheld_share=share)
