"""What settled units say: sent against withheld, households once, salts apart, controls shared with caution."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.learning.evidence import KEYS, SUMS, observe, tally
from tests.actions.made_up import action

CELL = "risk_low|value_lower"


def units(*rows: tuple[str, str, float], **changes: object) -> pd.DataFrame:
    """One settled unit per row: its household, arm and whether it churned."""
    told = pd.DataFrame(rows, columns=["unit", "arm", "churned"])
    rest = {
        "action": "mail",
        "cell": CELL,
        "salt": "s",
        "withheld_share": 0.2,
        "churn_risk": 0.5,
        "margin": 100.0,
        "cost": 2.0,
    }
    return told.assign(**{**rest, **changes})


def many(
    sent: int, sent_churned: int, withheld: int, withheld_churned: int, **changes: object
) -> pd.DataFrame:
    churned = [1.0] * sent_churned + [0.0] * (sent - sent_churned)
    churned += [1.0] * withheld_churned + [0.0] * (withheld - withheld_churned)
    arms = ["sent"] * sent + ["control"] * withheld
    names = [f"{changes.get('salt', 's')}{place}" for place in range(len(arms))]
    return units(*zip(names, arms, churned, strict=True), **changes)


def test_a_household_counts_once_with_its_mean() -> None:
    counted = tally(units(("h", "sent", 1.0), ("h", "sent", 0.0), ("b", "control", 1.0)), [action()])
    row = counted.loc[("mail", CELL, "s")]
    assert (row["sent"], row["sent_churned"], row["withheld"], row["withheld_churned"]) == (1, 0.5, 1, 1)
    assert (row["margin"], row["weight"], row["sent_cost"]) == (200.0, 2.0, 2.0)


def test_explored_and_undeniable_units_do_not_count() -> None:
    explored = units(("a", "explored", 1.0), ("b", "sent", 1.0))
    assert tally(explored, [action()])["sent"].tolist() == [1.0]
    assert tally(units(("a", "sent", 1.0), withheld_share=0.0), [action()]).empty


def test_an_effect_is_withheld_less_sent_beyond_their_risk() -> None:
    # 30 of 80 sent and 12 of 20 withheld churned: .600 - .375, and the arms' foreseen risk is equal.
    (found,) = observe(tally(many(80, 30, 20, 12), [action()]), ["mail"], [CELL], np.array([0.42]))
    assert found.effect.tolist() == pytest.approx([0.225])
    assert found.covariance.ravel().tolist() == pytest.approx([0.42 * 0.58 * (1 / 80 + 1 / 20)])
    assert (found.sent, found.withheld, found.cost) == (80, 20, 0.0)
    lucky = many(80, 30, 20, 12).assign(churn_risk=lambda rows: np.where(rows["arm"] == "sent", 0.4, 0.5))
    (found,) = observe(tally(lucky, [action()]), ["mail"], [CELL], np.array([0.42]))
    assert found.effect.tolist() == pytest.approx([0.125])


def test_nothing_is_said_without_both_arms() -> None:
    for rows in (many(50, 10, 0, 0), many(0, 0, 50, 10)):
        (found,) = observe(tally(rows, [action()]), ["mail"], [CELL], np.array([0.3]))
        assert len(found.cells) == 0
        assert np.isnan(found.cost)


def test_few_own_controls_borrow_from_those_of_other_actions() -> None:
    # Four controls of the offer all churned; 1,000 controls of the mail in the same cell churned as foreseen.
    rows = pd.concat([many(4_000, 2_000, 1_000, 500), many(100, 50, 4, 4, action="offer")])
    both = [action(), action("offer")]
    _, alone = observe(
        tally(rows, both)[lambda t: t.index.get_level_values(0) == "offer"],
        ["mail", "offer"],
        [CELL],
        np.array([0.5]),
    )
    _, helped = observe(tally(rows, both), ["mail", "offer"], [CELL], np.array([0.5]))
    assert alone.effect[0] == pytest.approx(0.5)
    assert abs(helped.effect[0]) < 0.05
    assert helped.covariance[0, 0] < alone.covariance[0, 0] / 5


def test_taking_an_action_away_leaves_what_is_seen_of_others() -> None:
    rows = pd.concat([many(4_000, 2_000, 1_000, 500), many(100, 50, 4, 4, action="offer")])
    rates = np.array([0.5])
    _, both = observe(tally(rows, [action(), action("offer")]), ["mail", "offer"], [CELL], rates)
    (one,) = observe(tally(rows, [action("offer")]), ["offer"], [CELL], rates)
    assert one.effect.tolist() == both.effect.tolist()
    assert one.covariance.tolist() == both.covariance.tolist()


def test_cells_that_nobody_or_everybody_left_are_no_certainty() -> None:
    for churned, rate in ((0, 0.0), (1, 1.0)):
        rows = many(400, 400 * churned, 100, 100 * churned).assign(churn_risk=rate)
        (found,) = observe(tally(rows, [action()]), ["mail"], [CELL], np.array([rate]))
        assert found.effect.tolist() == pytest.approx([0.0])
        assert 0 < found.covariance[0, 0] < 1e-3


def test_controls_that_differ_by_action_are_believed_for_themselves() -> None:
    names = [f"a{place}" for place in range(8)]
    rates = [100, 900] * 4
    rows = pd.concat(
        [many(4_000, 4 * rate, 1_000, rate, action=name) for name, rate in zip(names, rates, strict=True)]
    )
    found = observe(tally(rows, [action(name) for name in names]), names, [CELL], np.array([0.5]))
    for one in found:
        assert one.effect[0] == pytest.approx(0.0, abs=0.02)


def test_a_changed_share_of_withheld_is_no_effect() -> None:
    # Nobody is helped; churn rose from .1 to .5 while the share withheld fell from one half to a tenth.
    rows = pd.concat([many(500, 50, 500, 50, salt="s1"), many(900, 450, 100, 50, salt="s2")])
    (found,) = observe(tally(rows, [action()]), ["mail"], [CELL], np.array([0.3]))
    assert found.effect[0] == pytest.approx(0.0, abs=1e-9)
    assert found.units.tolist() == [2_000.0]


def test_an_effect_is_told_for_a_region_of_weight_one() -> None:
    weighed = action(region_weights={"LT": 2.0})
    rows = many(800, 240, 200, 120).assign(region="LT")
    (found,) = observe(tally(rows, [weighed]), ["mail"], [CELL], np.array([0.4]))
    (plain,) = observe(tally(rows, [action()]), ["mail"], [CELL], np.array([0.4]))
    assert found.effect[0] == pytest.approx(plain.effect[0] / 2)
    assert found.covariance[0, 0] == pytest.approx(plain.covariance[0, 0] / 4)


counts = st.integers(0, 40)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(counts, counts, counts, counts, st.sampled_from("ab"), st.sampled_from("xy")), max_size=6
    )
)
def test_any_tally_gives_usable_figures_and_tallies_add_up(
    rows: list[tuple[int, int, int, int, str, str]],
) -> None:
    index = pd.MultiIndex.from_tuples([(name, CELL, salt) for *_, name, salt in rows], names=KEYS)
    sums = pd.DataFrame(0.0, index=index, columns=SUMS)
    for column, place in {"sent": 0, "withheld": 2}.items():
        sums[column] = [float(row[place]) for row in rows]
        sums[f"{column}_churned"] = [float(min(row[place], row[place + 1])) for row in rows]
        sums[f"{column}_risk"] = 0.3 * sums[column]
    sums["weight"] = sums["sent"] + sums["withheld"]
    added = sums.groupby(level=KEYS).sum()
    for found in observe(added, ["a", "b"], [CELL], np.array([0.3])):
        assert np.isfinite(found.effect).all()
        assert (np.linalg.eigvalsh(found.covariance) > 0).all()
        assert (np.abs(found.effect) <= 2).all()
