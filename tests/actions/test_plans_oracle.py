"""Whole plans of several nights in a row against the rules read one by one: no plan ever breaks one."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.catalogue import NONE, Catalogue
from actions.learning.effects import PRIOR, Effects
from actions.plan import make_plan
from actions.rules.contacts import contact_ledger
from actions.rules.eligibility import eligibility
from actions.rules.reasons import Reason
from tables.calendar import DAY, HOUR, NEVER
from tests.drawn_worlds import KINDS, World, world_of
from tests.rules_read import (
    CALENDAR,
    CONSENT_COLUMNS,
    OFFER_COLUMNS,
    TICKET_COLUMNS,
    Judge,
    Row,
    Table,
    midnight,
    rows_of,
)


def planned(world: World, night: date, earlier: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Plan one night as the pipeline does."""
    people = pd.DataFrame(world.people).assign(churn_risk=0.5, risk_source="model", margin=100.0)
    catalogue = Catalogue.of(world.actions)
    log = [row | {"status": row["delivery"]} for row in world.others]
    log += [report for frame in earlier for report in reports_on(world, frame)]
    columns = ["customer_id", "sent_at", "team", "channel", "purpose", "action", "redeemed_at", "status"]
    found = eligibility(
        people,
        catalogue=catalogue,
        rules=world.rules,
        as_of=night,
        calendar=CALENDAR,
        global_control=world.control.global_control(people["unit"], as_of=night),
        contacts=contact_ledger(
            pd.DataFrame(log, columns=columns), earlier, as_of=night, calendar=CALENDAR, catalogue=catalogue
        ),
        consents=None if world.consents is None else pd.DataFrame(world.consents, columns=CONSENT_COLUMNS),
        tickets=pd.DataFrame(world.tickets, columns=TICKET_COLUMNS),
        offers=pd.DataFrame(world.offers, columns=OFFER_COLUMNS),
    )
    luck = np.random.default_rng([world.seed, night.toordinal()])
    mean = luck.random(found.blocked.shape, dtype=np.float32)
    effects = Effects(
        np.full(len(people), "risk_low|value_lower"),
        mean,
        np.full_like(mean, 0.5),
        tuple(action.id for action in found.actions),
        (PRIOR,) * len(found.actions),
    )
    return make_plan(
        people,
        found,
        effects,
        as_of=night,
        control=world.control,
        budget=world.budget,
        shared=world.shared,
        seed=world.seed,
    ).frame


def reports_on(world: World, frame: pd.DataFrame) -> Table:
    """Return what the channels report on the rows of a plan that were sent."""
    reports = []
    for row in frame[frame["action"] != NONE].to_dict("records"):
        fate = _fate(world, row)
        if fate is not None:
            sent_at = midnight(row["as_of"].date()) + 9 * HOUR
            reports.append(
                {
                    "customer_id": row["customer_id"], "sent_at": sent_at, "team": "keepwell",
                    "channel": row["channel"], "purpose": world.by_id[row["action"]].purpose,
                    "action": row["action"], "status": fate,
                    "redeemed_at": sent_at + DAY // 2 if fate == "redeemed" else NEVER,
                }
            )  # fmt: skip
    return reports


def _fate(world: World, row: Row) -> str | None:
    place = int(row["customer_id"][1:]) + list(KINDS).index(row["action"]) + int(row["as_of"].day)
    return world.reports[place % len(world.reports)]


def own_contacts(world: World, earlier: Sequence[pd.DataFrame]) -> Table:
    """Read plans of earlier nights as contacts, withheld ones included."""
    found = []
    for row in (row for frame in earlier for row in frame.to_dict("records")):
        name = row["action"] if row["action"] != NONE else row["planned_action"]
        if name == NONE:
            continue
        fate = _fate(world, row) if row["action"] != NONE else "withheld"
        redeemed_at = midnight(row["as_of"].date()) + 9 * HOUR + DAY // 2 if fate == "redeemed" else NEVER
        arrival = {"delivered": "confirmed", "redeemed": "confirmed", None: "assumed"}
        found.append(
            {
                "customer_id": row["customer_id"], "sent_at": midnight(row["as_of"].date()), "team": "keepwell",
                "channel": row["channel"], "purpose": world.by_id[name].purpose, "action": name,
                "redeemed_at": redeemed_at, "delivery": arrival.get(fate, fate),
            }
        )  # fmt: skip
    return found


def judge_night(world: World, night: date, frame: pd.DataFrame, earlier: Sequence[pd.DataFrame]) -> None:
    """Judge every row of a plan, and what each customer gets in all."""
    past = [*world.others, *own_contacts(world, earlier)]
    held = world.control.global_control([row["unit"] for row in world.people], as_of=night)
    for person, in_global in zip(world.people, held, strict=True):
        name = person["customer_id"]
        judge = Judge(
            night, world.rules, {**person, "global_control": in_global}, rows_of(past, name),
            None if world.consents is None else rows_of(world.consents, name),
            rows_of(world.tickets, name), rows_of(world.offers, name), [],
        )  # fmt: skip
        rows = frame[(frame["customer_id"] == name) & (frame["planned_action"] != NONE)]
        for row in rows.to_dict("records"):
            judge_row(world, judge, row)
        judge_customer(world, rows)


def judge_row(world: World, judge: Judge, row: Row) -> None:
    wanted, given_out = world.by_id[row["planned_action"]], row["action"]
    assert judge.broken(wanted, judge.channel(wanted)) == Reason(0)
    assert (given_out == NONE) == (row["arm"] in {"control", "untouched"})
    assert row["arm"] in {"sent", "control", "untouched", "explored", "global_control"}
    assert (row["arm"] == "global_control") == judge.person["global_control"]
    reaching = wanted if given_out == NONE else world.by_id[given_out]
    assert row["channel"] == judge.channel(reaching)
    if row["arm"] == "explored":
        assert judge.broken(reaching, judge.channel(reaching)) == Reason(0)
    else:
        assert given_out in {NONE, wanted.id}


def judge_customer(world: World, rows: pd.DataFrame) -> None:
    assert len(rows) <= world.shared.most_actions
    for column in ("planned_action", "action"):
        names = [name for name in rows[column] if name != NONE]
        assert len(set(names)) == len(names)
        assert sum(world.by_id[name].kind == "discount" for name in names) <= 1
    reached = rows["channel"].tolist()
    assert len(set(reached)) == len(reached)


def judge_draws(frames: Sequence[pd.DataFrame], world: World) -> None:
    """A household is one: an action is withheld from all of it, or everything is, on all nights of the salt."""
    rows = pd.concat(frames, ignore_index=True)
    rows = rows[(rows["planned_action"] != NONE) & (rows["arm"] != "global_control")]
    can_be_withheld = [world.by_id[name].randomise for name in rows["planned_action"]]
    drawn, kept = rows[can_be_withheld], rows[[not each for each in can_be_withheld]]
    assert (drawn["arm"].eq("untouched").groupby(drawn["unit"]).nunique() <= 1).all()
    assert (drawn["arm"].eq("control").groupby([drawn["unit"], drawn["planned_action"]]).nunique() <= 1).all()
    assert not kept["arm"].isin(["control", "untouched"]).any()


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_no_plan_of_several_nights_ever_breaks_a_rule(seed: int) -> None:
    world, frames = world_of(seed), list[pd.DataFrame]()
    for night in world.nights:
        frame = planned(world, night, frames)
        judge_night(world, night, frame, frames)
        frames.append(frame)
    judge_draws(frames, world)
