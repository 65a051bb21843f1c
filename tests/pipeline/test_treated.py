"""Whoever was sent an action teaches nothing about leaving without one; whoever was spared by chance counts double."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.experiment.control import draw_below
from models.settings import Treated
from pipeline.treated import counted, treated_answer
from tables.calendar import OutcomeRule
from tables.errors import DataError

AS_OF = date(2026, 3, 1)
RULE = OutcomeRule(horizon_days=28, active_within_days=84, gap_days=2)  # nights from 1 to 30 March count
NIGHT = pd.Timestamp("2026-03-10")
ANN, BOB, CYD, DAN = range(4)

Row = tuple[int, str, float]


def labels(customers: int = 4, *, churned: Sequence[int] = ()) -> pd.DataFrame:
    rows = {"customer": np.arange(customers), "as_of": pd.Timestamp(AS_OF)}
    return pd.DataFrame(rows).assign(churned=np.isin(np.arange(customers), churned).astype(np.int8))


def plan(*rows: Row, night: pd.Timestamp = NIGHT, salt: str = "2026H1") -> pd.DataFrame:
    """One mail each; of what is withheld three quarters are withheld alone, a quarter with everything else."""
    frame = pd.DataFrame(rows, columns=["customer", "arm", "propensity"])
    parts = frame["arm"].map({"control": 0.75, "untouched": 0.25}).fillna(1.0)
    return frame.assign(propensity=frame["propensity"] * parts, night=night, salt=salt, planned_action="mail")


def weights(*plans: pd.DataFrame, policy: Treated = "untreated") -> list[float]:
    return list(counted(labels(), pd.concat(plans), policy=policy, rule=RULE).weight)


def test_a_withheld_customer_counts_for_those_sent() -> None:
    night = plan((ANN, "sent", 0.8), (BOB, "control", 0.2), (CYD, "global_control", 0.05))
    found = counted(labels(churned=[BOB]), night, policy="untreated", rule=RULE)
    assert list(found.weight) == [0, 5, 1, 1]
    assert (found.facts.rows, found.facts.dropped, found.facts.weighted, found.facts.capped) == (4, 1, 1, 0)
    assert found.facts.churn_rate_of_all == 1 / 4
    assert found.facts.churn_rate == 5 / 7


def test_an_explored_action_is_a_treatment_too() -> None:
    assert weights(plan((ANN, "explored", 0.01), (BOB, "control", 0.25))) == [0, 4, 1, 1]


def test_a_service_action_alone_leaves_its_customer_in() -> None:
    night = plan((ANN, "sent", 1.0), (BOB, "control", 0.2), (CYD, "sent", 0.8), (CYD, "sent", 1.0))
    found = counted(labels(), night, policy="untreated", rule=RULE)
    assert list(found.weight) == [1, 5, 0, 1]
    assert found.facts.left_in == 1


def test_shares_multiply_over_salt_periods_up_to_twenty() -> None:
    first = plan((ANN, "control", 0.2), (BOB, "control", 0.5), (CYD, "control", 0.2), (DAN, "control", 0.2))
    again = plan((ANN, "control", 0.2), night=NIGHT + pd.Timedelta(days=3))
    second = plan((BOB, "control", 0.2), (CYD, "control", 0.2), (DAN, "sent", 0.8), salt="2026H2")
    assert weights(first, again, second) == [5, 10, 20, 0]
    assert counted(labels(), pd.concat([first, second]), policy="untreated", rule=RULE).facts.capped == 1


def test_who_is_denied_two_actions_apart_counts_for_more() -> None:
    mail = plan((ANN, "control", 0.2), (BOB, "untouched", 0.2), (CYD, "control", 0.2))
    letter = plan((ANN, "control", 0.2), (BOB, "untouched", 0.2), (CYD, "sent", 0.8))
    # Nothing came with a chance of .05 + .95 * (.15 / .95) ** 2 = .0737; one action of two is a treatment.
    expected = 1 / (0.05 + 0.95 * (0.15 / 0.95) ** 2)
    assert weights(mail, letter.assign(planned_action="letter")) == pytest.approx([expected, expected, 0, 1])


@pytest.mark.parametrize(
    ("night", "weight"), [("2026-02-28", 1), ("2026-03-01", 0), ("2026-03-30", 0), ("2026-03-31", 1)]
)
def test_only_nights_up_to_the_outcome_s_end_count(night: str, weight: float) -> None:
    assert weights(plan((BOB, "control", 0.2)), plan((ANN, "sent", 0.8), night=pd.Timestamp(night)))[
        ANN
    ] == pytest.approx(weight)


def test_before_any_control_exists_all_rows_stay() -> None:
    found = counted(labels(), plan((ANN, "sent", 0.8), (BOB, "sent", 1.0)), policy="untreated", rule=RULE)
    assert list(found.weight) == [1, 1, 1, 1]
    assert found.facts.left_in == 2
    (words,) = treated_answer("untreated", {"training": found.facts})["words"]
    assert words.startswith(
        "training: 0 of 4 snapshots left out as treated, 0 withheld ones weigh more (0 cut to 20)"
    )
    assert words.endswith("; 2 treated ones stay: nothing of the kind was withheld")


def test_nobody_treated_is_said_in_one_sentence() -> None:
    found = counted(labels(), plan(), policy="untreated", rule=RULE)
    told = treated_answer("untreated", {"training": found.facts, "evaluation": None})
    assert told["words"] == [
        "no snapshot's customer was planned for an action before its outcome was settled"
    ]
    assert "evaluation" not in told


def test_the_global_control_alone_means_control_in_every_period() -> None:
    first = plan((ANN, "global_control", 0.05), (BOB, "global_control", 0.05), (CYD, "control", 0.2))
    second = plan((BOB, "global_control", 0.05), (ANN, "sent", 0.8), salt="2026H2")
    assert weights(first, second, policy="control_only") == [0, 1, 0, 0]
    assert weights(plan((ANN, "sent", 0.8)), policy="control_only") == [1, 1, 1, 1]


def test_all_keeps_everybody_once_and_says_so() -> None:
    night = plan((ANN, "sent", 0.8), (BOB, "control", 0.2))
    found = counted(labels(), night, policy="all", rule=RULE)
    assert list(found.weight) == [1, 1, 1, 1]
    assert found.facts.left_in == 1


def test_nobody_left_to_judge_by_is_refused() -> None:
    found = counted(labels(2), plan((CYD, "global_control", 0.05)), policy="control_only", rule=RULE)
    with pytest.raises(
        DataError, match="nobody is left to judge by; found 2 customers, all left out as treated"
    ):
        found.judged([0, 1], [0.2, 0.3])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_order_of_rows_changes_no_weight(seed: int) -> None:
    rng = np.random.default_rng(seed)
    arms = rng.choice(["sent", "control", "explored", "global_control"], 12)
    rows = plan(*((int(rng.integers(4)), arm, 0.2) for arm in arms))
    rows = rows.assign(
        salt=rng.choice(["a", "b"], 12), night=NIGHT + pd.to_timedelta(rng.integers(0, 40, 12), "D")
    )
    mixed = rows.sample(frac=1, random_state=seed)
    for policy in ("untreated", "control_only", "all"):
        assert weights(rows, policy=policy) == weights(mixed, policy=policy)


def simulated(customers: int, *, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Two salt periods of nights for those at risk, and an action that halves the chance of leaving.

    Returns:
        Labels, assignments, and what each customer would have done without any action.
    """
    rng = np.random.default_rng(seed)
    risk, luck, units = (
        rng.beta(2, 3, customers),
        rng.random(customers),
        [f"c{at}" for at in range(customers)],
    )
    was_sent, nights = np.zeros(customers, bool), []
    for salt, night in {"2026H1": NIGHT, "2026H2": NIGHT + pd.Timedelta(days=9)}.items():
        planned = np.flatnonzero(risk + 0.2 * rng.random(customers) > 0.5)
        withheld = draw_below(units, 0.3, salt=salt, purpose="withhold")[planned]
        was_sent[planned[~withheld]] = True
        arms = np.where(withheld, "control", "sent"), np.where(withheld, 0.3, 0.7)
        nights.append(plan(*zip(planned.tolist(), *arms, strict=True), night=night, salt=salt))
    alone = luck < risk
    churned = np.where(was_sent, luck < risk / 2, alone)
    return labels(customers).assign(churned=churned.astype(np.int8)), pd.concat(nights), alone


def test_the_untreated_teach_the_churn_rate_without_action() -> None:
    rows, assigned, alone = simulated(20_000, seed=4)
    found = counted(rows, assigned, policy="untreated", rule=RULE)
    error = alone.std() * np.sqrt((found.weight**2).sum()) / found.weight.sum()
    assert abs(found.facts.churn_rate - alone.mean()) < 2 * error < 0.02
    assert found.facts.churn_rate_of_all < alone.mean() - 0.08  # all of them hide what the action did


@pytest.mark.parametrize("seed", range(3))
def test_the_weights_stand_for_as_many_as_were_dropped(seed: int) -> None:
    rows, assigned, _ = simulated(20_000, seed=seed)
    found = counted(rows, assigned, policy="untreated", rule=RULE)
    assert found.weight.sum() == pytest.approx(len(rows), rel=0.03)
