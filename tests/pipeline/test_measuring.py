"""Settled units of a small shop worked by hand: who counts from when, what they did, brought and cost."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from actions.experiment.control import FrozenSalt, Purpose, salts_to_json
from pipeline.config import load_config
from pipeline.learning.outcomes import units_of_actions
from pipeline.measuring.groups import with_groups
from pipeline.measuring.measuring import measure
from pipeline.measuring.outcomes import settled_units
from pipeline.measuring.programme import settled_base
from pipeline.measuring.results import _policies
from pipeline.measuring.windows import _fees, lived
from pipeline.run import Run
from pipeline.snapshots import labelled
from pipeline.steps import ingested
from tables.calendar import DAY, NEVER
from tables.errors import ConfigError, DataError
from tables.publish import Publication
from tables.rows import MONEY_SCALE, Rows
from tables.storage import write_table, write_text
from tests.actions.made_up import action
from tests.contract_shop import drawn, run_of, write

FIRST, SECOND, THIRD = date(2025, 3, 5), date(2025, 3, 6), date(2025, 3, 20)
SETTLED, LATE, OLD = date(2025, 3, 14), date(2025, 4, 1), date(2026, 4, 8)
CONFIG = """\
name: Ann & Bob's <shop>
workspace: {folder}/work
time_zone: UTC
threads: 1
sources:
  orders:
    path: {folder}/orders.csv
    grain: order
    columns: {{customer_id: who, order_id: order, ordered_at: at, amount: amount, region: region, known_at: known}}
  contacts:
    path: {folder}/contacts.csv
    columns: {{customer_id: who, contact_id: id, sent_at: at, team: team, action: action, cost: cost, status: status}}
churn: {{horizon_days: 7, active_within_days: 42}}
actions:
  catalogue: configs/actions.yaml
  budget: {{amount: 10}}
"""
ORDERS = """\
who,order,at,amount,region,known
ann,1,2025-02-20,10,<north>,2025-02-20
bob,2,2025-02-20,10,<north>,2025-02-20
cyd,3,2025-02-20,10,,2025-02-20
dan,4,2025-02-20,10,,2025-02-20
eve,5,2025-02-20,10,,2025-02-20
ann,6,2025-03-05,100,<north>,2025-03-05
ann,7,2025-03-12,50,<north>,2025-03-12
cyd,8,2025-03-11,40,<south>,2025-03-11
bob,9,2025-03-08,70,<north>,2025-03-30
dan,10,2025-03-13,30,,2025-03-13
dan,11,2025-03-31,30,,2025-03-31
"""
CONTACTS = """\
who,id,at,team,action,cost,status
ann,m1,2025-03-05 09:00,keepwell,personal_offer,20.05,delivered
cyd,m2,2025-03-05 09:00,keepwell,thank_you_note,0,not_delivered
ann,m3,2025-03-06 09:00,newsletter,,9,delivered
"""
LATE_ROWS = {
    "orders.csv": "ann,12,2025-03-06,900,<south>,2025-04-20\nfay,13,2025-01-02,70,<south>,2025-04-22\n",
    "contacts.csv": "ann,m1,2025-03-05 09:00,keepwell,personal_offer,77,delivered\n"
    "ann,m4,2025-03-06 10:00,keepwell,personal_offer,99,delivered\n",
}


def row(
    who: str, planned: str, arm: str, propensity: float, *, action: str | None = None
) -> dict[str, object]:
    sent = planned if arm == "sent" else "none"
    return {
        "customer_id": who,
        "planned_action": planned,
        "action": action or sent,
        "arm": arm,
        "propensity": propensity,
        "choice_share": 0.5,
        "churn_risk": 0.4,
        "risk_source": "model",
        "margin": 100.0,
        "expected_cost": 3.0,
        "cell": "risk_low|value_lower",
        "unit": "household 1" if who in {"ann", "eve"} else who,
        "salt": "2025H1",
        "is_later_model": False,
    }


NIGHTS = {
    FIRST: [
        row("ann", "personal_offer", "sent", 0.76),
        row("bob", "personal_offer", "control", 0.15),
        row("fay", "personal_offer", "untouched", 0.05),
        row("cyd", "personal_offer", "explored", 0.02, action="thank_you_note"),
        row("dan", "none", "global_control", 0.05),
    ],
    SECOND: [
        row("ann", "personal_offer", "sent", 0.76),
        row("ann", "ticket_progress_note", "sent", 1.0),
        {**row("eve", "personal_offer", "sent", 0.76), "is_later_model": True},
    ],
    THIRD: [row("eve", "personal_offer", "sent", 0.76)],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("measuring")
    (folder / "orders.csv").write_text(ORDERS)
    (folder / "contacts.csv").write_text(CONTACTS)
    (folder / "shop.yaml").write_text(CONFIG.format(folder=folder))
    days = (date(2025, 1, 1), date(2025, 7, 1))
    shares: dict[Purpose, float] = {"global": 0.05, "withhold": 0.2, "explore": 0.05}
    salts = [FrozenSalt("2025H1", purpose, *days, share) for purpose, share in shares.items()]
    with Run(config=load_config(folder / "shop.yaml", {}), now=30_000 * DAY).locked("test") as held:
        write_text(salts_to_json(salts), held.workspace / "control" / "salts.json")
        for night, rows in NIGHTS.items():
            scores = {"customer_id": list("abcde"), "churn_risk": 0.4, "margin": 100.0, "segment": "loyal"}
            people = pd.DataFrame(scores).assign(customer_id=["ann", "bob", "cyd", "dan", "eve"])
            with Publication(held.lock, night) as publication:
                write_table(pd.DataFrame(rows).assign(as_of=pd.Timestamp(night)), publication.table("plan"))
                write_table(people, publication.table("scores"))
                publication.publish(facts={}, timings={})
        yield held


def units(run: Run, as_of: date) -> pd.DataFrame:
    return settled_units(run, ingested(run), as_of=as_of).set_index(["customer_id", "action"])


def test_a_unit_counts_from_its_first_planned_night(run: Run) -> None:
    found = units(run, SETTLED)
    assert list(found.index) == [
        ("ann", "personal_offer"),
        ("ann", "ticket_progress_note"),
        ("bob", "personal_offer"),
        ("cyd", "personal_offer"),
    ]
    assert found.loc[("ann", "personal_offer"), "planned_on"] == pd.Timestamp(FIRST)
    assert found["arm"].tolist() == ["sent", "sent", "control", "explored"]
    assert found["explored_action"].tolist() == ["none", "none", "none", "thank_you_note"]
    # Of the units that are not untouched, .95, .15 are denied the one action and .76 sent it.
    assert found["withheld_share"].tolist() == pytest.approx([0.15 / 0.95, 0, 0.15 / 0.95, 0.15 / 0.95])
    assert found["propensity"].tolist() == pytest.approx([0.8, 1, 0.15 / 0.95, 0.02 / 0.95])


def test_an_outcome_waits_for_its_window_and_the_log(run: Run) -> None:
    assert units(run, FIRST + timedelta(days=7)).empty  # the log known by then ends the day before
    assert set(units(run, FIRST + timedelta(days=8))["planned_on"]) == {pd.Timestamp(FIRST)}


def test_who_ordered_in_the_half_open_window_stayed(run: Run) -> None:
    found = units(run, SETTLED)["churned"]
    assert found["ann", "personal_offer"] == 0
    assert found["cyd", "personal_offer"] == 0  # ordered on the last day
    assert found["bob", "personal_offer"] == 1  # as far as was known: the order of that week came in later
    assert units(run, LATE)["churned"]["bob", "personal_offer"] == 0


def test_what_came_in_late_does_not_change_an_old_date(run: Run) -> None:
    def told() -> list[pd.DataFrame]:
        history = ingested(run)
        found = settled_units(run, history, as_of=SETTLED)
        return [with_groups(run, history, found), settled_base(run, history, as_of=SETTLED)]

    before = told()
    for name, late in LATE_ROWS.items():
        with (run.workspace.parent / name).open("a") as rows:
            rows.write(late)
    for found, then in zip(told(), before, strict=True):
        pd.testing.assert_frame_equal(found, then)
    later = units(run, date(2025, 4, 23))
    assert later.loc[("ann", "personal_offer"), "contribution"] > 270
    assert later.loc[("ann", "personal_offer"), "cost"] > 77 + 99


def test_money_counts_orders_of_the_window_and_every_cost(run: Run) -> None:
    found = units(run, SETTLED)
    ann = found.loc[("ann", "personal_offer")]
    # 20.05 booked for the first offer, 3 each expected for the second offer and the note.
    assert ann["cost"] == pytest.approx(20.05 + 3 + 3)
    assert found.loc[("ann", "ticket_progress_note"), "cost"] == 6  # what was sent from its own night on
    # The 20 off beyond the contact's own price are missing from the order's amount already.
    assert ann["contribution"] == pytest.approx(0.3 * (100 + 20.05 - 0.10))
    assert found.loc[("bob", "personal_offer"), "cost"] == 0
    assert found.loc[("cyd", "personal_offer"), "cost"] == 0  # booked at nothing, for it did not arrive


def test_a_night_of_a_later_model_counts_for_nothing(run: Run) -> None:
    assert "eve" not in units(run, LATE).index.get_level_values("customer_id")


def test_groups_are_those_known_on_the_planned_night(run: Run) -> None:
    history = ingested(run)
    found = with_groups(run, history, settled_units(run, history, as_of=SETTLED)).set_index("customer_id")
    assert set(found["segment"]) == {"loyal"}
    assert found.loc["bob", "region"] == "<north>"
    assert found.loc["cyd", "region"] == "none"


def test_beliefs_know_the_region_of_the_planned_night(run: Run) -> None:
    # Cyd's order of the 11th tells a region; her note was planned on the 5th.
    weighed = [action("personal_offer", region_weights={"<north>": 2.0})]
    found = units_of_actions(run, ingested(run), weighed, as_of=SETTLED).set_index("customer_id")
    assert found.loc["bob", "region"] == "<north>"
    assert found.loc["cyd", "region"] == "none"


def test_the_programme_compares_the_base_of_the_first_night(run: Run) -> None:
    base = settled_base(run, ingested(run), as_of=LATE).set_index("customer_id")
    assert base["arm"].tolist() == ["sent", "sent", "sent", "control", "sent"]
    assert base["unit"].tolist() == ["household 1", "bob", "cyd", "dan", "eve"]
    assert set(base["until"]) == {pd.Timestamp("2025-03-26")}  # three windows of a week, the last one settled
    assert base["churned"].tolist() == [1, 1, 1, 1, 1]  # nobody ordered in the last one
    assert base.loc["dan", "contribution"] == pytest.approx(0.3 * 30)
    assert base.loc["eve", "cost"] == pytest.approx(6.0)


def test_measuring_writes_page_and_results_once_and_for_all(run: Run) -> None:
    answer = measure(run, as_of=SETTLED, today=LATE)
    folder = run.workspace / "results" / f"as_of={SETTLED}"
    before = [(folder / name).read_bytes() for name in ("results.json", "index.html")]
    assert measure(run, as_of=SETTLED, today=LATE) == answer
    assert [(folder / name).read_bytes() for name in ("results.json", "index.html")] == before
    told = json.loads(before[0])
    assert (told["units"], told["customers"]) == (4, 3)
    assert "4 planned actions of 3 customers are settled" in answer["text"]
    assert told["never_withheld"] == {"ticket_progress_note": 1}
    assert [each["name"] for each in told["policies"]] == ["chance against nothing", "plan against chance"]
    page = before[1].decode()
    assert "Ann &amp; Bob&#39;s &lt;shop&gt;" in page and "&lt;north&gt;" in page
    assert "<north>" not in page and "cyd" not in page
    assert "Too few to compare yet (sent and withheld): " in page
    assert "too few units: of each arm 5 must be expected to leave" in answer["text"]


def test_outcomes_of_more_than_a_year_ago_are_measured_alone(run: Run) -> None:
    recent, later = (measure(run, as_of=day, today=day) for day in (LATE, OLD))
    assert recent["beliefs"] and not later["beliefs"]
    assert units_of_actions(run, ingested(run), [], as_of=OLD).empty
    assert recent["actions"] == later["actions"]


def test_measuring_too_early_names_the_day_to_come_back(run: Run) -> None:
    with pytest.raises(DataError, match=r"is settled and known by 2025-03-10; .* Measure as of 2025-03-13"):
        measure(run, as_of=date(2025, 3, 10), today=LATE)
    with pytest.raises(ConfigError, match="2025-04-02 has not begun, today is 2025-04-01"):
        measure(run, as_of=LATE + timedelta(days=1), today=LATE)


def test_policies_are_compared_at_the_chances_of_their_arms() -> None:
    arms = np.repeat(["sent", "explored", "untouched", "control"], [760, 40, 50, 150])
    content = {"arm": arms, "unit": range(1000), "churned": [0, 1] * 500, "churn_risk": 0.5, "margin": 100.0}
    first = pd.DataFrame(content).assign(salt="2025H1", contribution=0.0, cost=0.0, withheld_share=0.2)
    first.loc[first["arm"] == "explored", "cost"] = 2.0
    shares: dict[Purpose, float] = {"withhold": 0.2, "explore": 0.05}
    salts = [FrozenSalt("2025H1", purpose, FIRST, LATE, share) for purpose, share in shares.items()]
    chance, plan = _policies(first, salts)
    assert (chance.sent, chance.control, plan.sent, plan.control) == (40, 50, 760, 40)
    assert chance.ratio.expected_control == pytest.approx(90 * 0.05 / 0.09)
    assert plan.ratio.expected_control == pytest.approx(800 * 0.05)
    assert chance.profit.estimate == pytest.approx(-2)
    assert plan.profit.estimate == pytest.approx(2)
    assert _policies(first[first["arm"] != "explored"], salts) == []


def test_subscribers_are_labelled_as_for_training_and_pay_until_they_leave(tmp_path: Path) -> None:
    contracts, uses = drawn(seed=5, customers=80)
    with run_of(write(tmp_path, contracts, uses)).locked("test") as held:
        history = ingested(held)
        night = held.rule.newest_complete(held.newest_day(history))
        labels = labelled(held, history, [night], known_before=None)
        starts = labels[["customer"]].assign(planned_on=labels["as_of"])
        found = lived(held, history, starts, as_of=date(2030, 1, 1))
    assert found["churned"].tolist() == labels["churned"].tolist()
    assert 0 < found["churned"].mean() < 1
    assert (found.loc[found["churned"] == 0, "contribution"] > 0).all()
    assert found.groupby("churned")["contribution"].mean().is_monotonic_decreasing


def test_fees_count_for_the_days_a_subscription_ran() -> None:
    month = round(365.25 / 12 * DAY)
    begun, ended = np.array([0, month // 2, 0]), np.array([NEVER, NEVER, month // 4])
    fees = np.array([12, 10, 8]) * MONEY_SCALE
    columns = {"ended_at": ended, "mrr": fees}
    rows = Rows("subscriptions", 2, np.array([0, 0, 1], np.int32), begun, begun, np.full(3, NEVER), columns)
    assert _fees(rows, 0, month) == pytest.approx([12 + 5, 2])
    assert _fees(rows, month // 4, month // 2) == pytest.approx([3, 0])
