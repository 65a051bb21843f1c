"""What is told of the mask: every reason of a pair, how many each barrier stops, and whom nothing reaches."""

import numpy as np
import pandas as pd

from actions.catalogue import Catalogue
from actions.rules.contacts import LEDGER_COLUMNS
from actions.rules.eligibility import Eligibility, eligibility
from actions.rules.reasons import REASONS, Reason, reasons_in
from actions.rules.settings import Rules
from tests.one_customer import CALENDAR, TONIGHT, action, checked, contacted


def test_unknown_regions_are_noted_beside_the_counts() -> None:
    found = checked(action(regions=("LT",)))
    assert found.explain(0, 0) == ("not offered in the region",)
    assert found.notes == ("regions of customers are unknown: nobody may get note",)


def test_a_pair_carries_all_its_reasons() -> None:
    found = checked(
        action(trigger="gap > 1"),
        customer={"gap": 0, "is_minor": True},
        consents=[],
        in_control=True,
        contacts=[contacted(1, action="note")],
    )
    expected = Reason.TRIGGER | Reason.MINOR | Reason.CONSENT | Reason.GLOBAL_CONTROL | Reason.COOLDOWN
    assert found.blocked.tolist() == [[int(expected)]]
    assert found.explain(0, 0) == (
        "trigger not met", "no consent for the channel", "minor", "had the action lately", "in the global control",
    )  # fmt: skip


def test_every_reason_has_words_of_its_own() -> None:
    assert list(REASONS) == list(Reason)
    assert len(set(REASONS.values())) == len(Reason)
    assert reasons_in(sum(Reason)) == tuple(REASONS.values())


def three() -> Eligibility:
    return eligibility(
        pd.DataFrame({"customer_id": ["ann", "bob", "cid"], "gap": [2.0, 2.0, 0.0], "is_minor": [0, 1, 0]}),
        catalogue=Catalogue.of([action("note", trigger="gap > 1"), action("later", trigger="csat < 2")]),
        rules=Rules(own_gap_days=0, consent="assumed"),
        as_of=TONIGHT,
        calendar=CALENDAR,
        global_control=np.zeros(3, dtype=bool),
        contacts=pd.DataFrame(columns=list(LEDGER_COLUMNS)),
    )


def test_counts_show_each_reason_per_action() -> None:
    counts = three().counts()
    assert counts.index.tolist() == ["note"]
    assert counts.loc["note", ["eligible", "trigger not met", "minor"]].tolist() == [1, 1, 1]
    assert [each.action.id for each in three().dormant] == ["later"]


def test_barriers_count_only_those_whom_the_action_suits() -> None:
    barriers = three().barriers()
    assert barriers.loc["note", ["suited", "allowed", "minor"]].tolist() == [2, 1, 1]
    assert "trigger not met" not in barriers
    assert barriers.loc["note"].sum() == 2 + 1 + 1


def test_those_left_out_are_counted_by_barrier() -> None:
    left_out = three().left_out()
    assert left_out[left_out > 0].to_dict() == {"no action fits": 1, "minor": 1}


def test_a_customer_learns_what_is_in_the_way_of_all() -> None:
    assert [three().in_the_way(row) for row in range(3)] == [(), ("minor",), ("no action fits",)]
