"""What planned actions did: differences, intervals and verdicts, recovered from simulated units."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.catalogue import load_catalogue
from actions.learning.believing import LearningSettings, cell_beliefs, verdicts
from actions.learning.evidence import tally
from actions.measurement.difference import Arms, Difference
from actions.measurement.ratio import sample_ratio
from actions.measurement.reading import Reading
from actions.measurement.sequence import always_valid_halfwidth

Floats = npt.NDArray[np.float64]


def measured(sent: list[float], control: list[float], score: list[float] | None = None) -> Difference:
    treated = np.arange(len(sent) + len(control)) < len(sent)
    arms = Arms.drawn(treated, np.full(len(treated), 0.2), np.arange(len(treated)))
    foreseen = np.zeros(len(treated)) if score is None else np.array(score)
    return arms.measure(np.array([*sent, *control]), foreseen)


def simulated(
    rng: np.random.Generator,
    customers: int,
    *,
    saved: float,
    share: float = 0.2,
    cost: float = 0.0,
    household: int = 1,
) -> pd.DataFrame:
    """Draw units of whom an action saves a share of the leavers; a negative share drives others away."""
    risk = rng.beta(1.2, 2.8, customers)
    unit = np.arange(customers) // household
    held = (rng.random(unit[-1] + 1) < share)[unit]
    churned = rng.random(customers) < np.clip(risk * np.where(held, 1, 1 - saved), 0, 1)
    margin = rng.lognormal(4, 0.5, customers)
    content = {
        "unit": unit,
        "salt": "2026H2",
        "arm": np.where(held, "control", "sent"),
        "withheld_share": share,
        "propensity": np.where(held, share, 1 - share),
        "churned": churned.astype(np.int8),
        "churn_risk": risk,
        "margin": margin,
        "contribution": np.where(churned, 0.0, 0.2 * margin),
        "cost": np.where(held, 0.0, cost),
    }
    return pd.DataFrame(content)


def arms_of(units: pd.DataFrame) -> Arms:
    share = units["withheld_share"].to_numpy()
    return Arms.drawn((units["arm"] == "sent").to_numpy(), share, units["unit"].to_numpy())


def test_a_plain_difference_is_worked_by_hand() -> None:
    found = measured([1.0] * 15 + [0.0] * 5, [1.0] * 5 + [0.0] * 5)
    assert (found.treated, found.control) == (20, 10)
    assert found.estimate == pytest.approx(0.25)
    # Variances of .1974 and .2778, of both together .2242: the larger of own and joint, by units.
    assert found.se == pytest.approx(np.sqrt(0.224172 / 20 + 0.277778 / 10), abs=1e-5)
    assert found.se == found.raw_se


def test_a_score_moves_both_arms_to_one_mean() -> None:
    rng = np.random.default_rng(1)
    score = np.concatenate([rng.normal(1.0, 1.0, 400), rng.normal(0.0, 1.0, 100)])
    outcome = 2 * score + 0.5 * (np.arange(500) < 400)
    found = measured(list(outcome[:400]), list(outcome[400:]), list(score))
    assert found.estimate == pytest.approx(0.5)
    assert found.se == pytest.approx(0.0, abs=1e-9)
    assert found.raw_se is not None and found.raw_se > 0.1


def test_a_small_control_is_adjusted_by_the_common_slope() -> None:
    rng = np.random.default_rng(1)
    score = np.concatenate([rng.normal(1.0, 1.0, 60), rng.normal(0.0, 1.0, 15)])
    outcome = 2 * score + 0.5 * (np.arange(75) < 60)
    found = measured(list(outcome[:60]), list(outcome[60:]), list(score))
    assert found.estimate == pytest.approx(0.5)
    assert found.se == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=30)
@given(shift=st.floats(-5, 5), scale=st.sampled_from([-3.0, 0.01, 1.0, 40.0]), seed=st.integers(0, 50))
def test_unit_and_order_of_rows_and_score_change_nothing(shift: float, scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    units = simulated(rng, 120, saved=0.3)
    mixed = units.sample(frac=1, random_state=seed)
    plain = arms_of(units).measure(1.0 - units["churned"], units["churn_risk"])
    again = arms_of(mixed).measure(1.0 - mixed["churned"], shift + scale * mixed["churn_risk"])
    assert again.estimate == pytest.approx(plain.estimate)
    assert again.se == pytest.approx(plain.se)


def test_a_household_twice_over_tells_no_more() -> None:
    once = simulated(np.random.default_rng(2), 300, saved=0.2)
    alone = Reading.of("once", once).stayed
    together = Reading.of("twice", pd.concat([once, once])).stayed
    assert (together.treated, together.control) == (alone.treated, alone.control)
    assert together.estimate == pytest.approx(alone.estimate)
    assert together.se == pytest.approx(alone.se)


@pytest.mark.parametrize(
    ("customers", "saved", "household"), [(1500, 0.25, 1), (1500, 0.0, 3), (150, 0.0, 1)]
)
def test_intervals_hold_the_true_effect_as_often_as_said(
    customers: int, saved: float, household: int
) -> None:
    rng, held = np.random.default_rng(3), 0
    for _ in range(120):
        units = simulated(rng, customers, saved=saved, household=household)
        truth = saved * float(units["churn_risk"].mean())
        interval = arms_of(units).measure(1.0 - units["churned"], 1 - units["churn_risk"]).interval
        assert interval is not None
        held += interval[0] <= truth <= interval[1]
    assert 0.92 <= held / 120 <= 0.99


def test_shares_that_change_between_salts_do_not_pass_for_an_effect() -> None:
    rng = np.random.default_rng(4)
    calm = simulated(rng, 6000, saved=0.0, share=0.1).assign(salt="2026H1")
    risky = simulated(rng, 6000, saved=0.0, share=0.5)
    risky = risky.assign(churned=1, churn_risk=0.5, unit=-1 - risky["unit"])
    calm = calm.assign(churned=0, churn_risk=0.5)
    found = Reading.of("action", pd.concat([calm, risky], ignore_index=True))
    assert found.stayed.estimate == pytest.approx(0.0, abs=0.03)
    assert not found.ratio.is_blocked


def test_looking_every_week_finds_what_is_not_there_no_oftener() -> None:
    steps = np.random.default_rng(5).normal(size=(4000, 12))
    looks = np.arange(1, 13)
    means, se = steps.cumsum(axis=1) / looks * 0.05, 0.05 / np.sqrt(looks)
    halves = np.array([always_valid_halfwidth(each, scale=0.1) for each in se])
    assert (np.abs(means) > 1.96 * se).any(axis=1).mean() > 0.15
    assert (np.abs(means) > halves).any(axis=1).mean() <= 0.02


def test_controls_that_went_missing_block_the_reading() -> None:
    units = simulated(np.random.default_rng(6), 10_000, saved=0.2)
    lost = units.index[(units["arm"] == "control") & (units["churned"] == 1)][:150]
    told = Reading.of("personal_offer", units.drop(lost)).answer()
    assert told["verdict"] == "blocked"
    assert "stayed" not in told and "total" not in told
    assert "where 1,970 were drawn" in told["words"]
    assert Reading.of("personal_offer", units).verdict == "keeps"


def test_units_that_explore_have_no_part_in_it() -> None:
    units = simulated(np.random.default_rng(7), 4000, saved=0.2)
    names = {"sent": "explored", "control": "explorer_control"}
    arms = units["arm"].where(units.index >= 400, units["arm"].replace(names))
    assert Reading.of("action", units.assign(arm=arms)) == Reading.of("action", units[400:])


def test_an_action_that_hurts_is_named() -> None:
    units = simulated(np.random.default_rng(8), 8000, saved=-0.25, cost=1.0)
    told = Reading.of("survey_invite", units).answer()
    assert (told["verdict"], told["words"]) == ("drives_away", "drives customers away")
    assert told["total"]["kept"]["high"] < 0
    assert told["total"]["profit"]["high"] < 0


def test_an_action_that_hurts_is_stopped_by_the_units_that_show_it() -> None:
    actions = tuple(load_catalogue(Path("configs/actions.yaml")).actions.values())
    hurts, helps = (
        simulated(np.random.default_rng(8), 8000, saved=saved, cost=0.1) for saved in (-0.25, 0.25)
    )
    units = pd.concat([hurts.assign(action="survey_invite"), helps.assign(action="early_access")])
    tallied = tally(units.assign(cell="risk_middle|value_lower", region="none"), actions)
    told = verdicts(
        cell_beliefs(tallied, actions, LearningSettings(), expected={}), actions, LearningSettings()
    )
    assert [one.action for one in told if one.stopped] == ["survey_invite"]


def test_no_effect_is_never_said_without_a_detectable_size() -> None:
    told = Reading.of("thank_you", simulated(np.random.default_rng(9), 500, saved=0.0)).answer()
    assert told["verdict"] == "not_shown"
    assert told["words"].startswith("no effect shown yet; one of ")
    size = told["stayed"]["detectable"]
    assert f"{100 * size:.1f} points would be found" in told["words"]
    low, high = told["stayed"]["sequence"]
    assert size > (high - low) / 2


def test_profit_pays_every_cost_and_control_has_a_price() -> None:
    units = simulated(np.random.default_rng(10), 3000, saved=0.3, cost=7.0).assign(margin=100.0)
    told = Reading.of("action", units).answer()
    kept, profit = told["total"]["kept"]["estimate"], told["total"]["profit"]["estimate"]
    assert told["total"]["cost"]["estimate"] == pytest.approx(7.0 * told["sent_customers"])
    assert profit == pytest.approx(100 * kept - 7.0 * told["sent_customers"])
    forgone = told["price_of_control"]["estimate"]
    assert forgone == pytest.approx(profit / told["sent_customers"] * told["control_customers"])


def test_one_outlier_s_money_is_cut_at_the_cap() -> None:
    units = simulated(np.random.default_rng(11), 1000, saved=0.0)
    first = units.index[(units["arm"] == "sent") & (units["churned"] == 0)][0]
    outlier = units.copy()
    outlier.loc[first, ["margin", "contribution"]] = 1e6
    plain, cut = Reading.of("plain", units), Reading.of("cut", outlier)
    assert cut.profit.estimate == pytest.approx(plain.profit.estimate, abs=1.0)
    assert cut.earned.estimate == pytest.approx(plain.earned.estimate, abs=1.0)


@pytest.mark.parametrize("controls", [0, 9])
def test_a_handful_of_controls_gives_no_verdict(controls: int) -> None:
    units = simulated(np.random.default_rng(12), 400, saved=0.3)
    few = pd.concat([units[units["arm"] == "sent"][:40], units[units["arm"] == "control"][:controls]])
    told = Reading.of("gift", few).answer()
    assert told["words"].startswith("too few units: of each arm 5 must be expected to leave")
    assert told["stayed"]["control_units"] == controls
    assert told["stayed"]["difference"] is None and told["stayed"]["interval"] is None
    assert told["total"]["kept"]["estimate"] is None and told["price_of_control"]["estimate"] is None


@pytest.mark.parametrize(("churn", "verdict"), [(0.02, "too_few"), (0.2, "not_shown")])
def test_churn_too_rare_for_the_controls_gives_no_verdict(churn: float, verdict: str) -> None:
    rng = np.random.default_rng(14)
    units = simulated(rng, 1000, saved=0.0, share=0.1)
    units = units.assign(churned=rng.random(1000) < churn, churn_risk=churn)
    told = Reading.of("gift", units).answer()
    assert told["verdict"] == verdict
    for figure in ("stayed", "profit", "earned", "cost"):
        assert (told[figure]["difference"] is None) == (verdict == "too_few")


def test_money_waits_for_more_leavers_than_churn() -> None:
    rng = np.random.default_rng(15)
    units = simulated(rng, 1000, saved=0.0, share=0.1)
    units = units.assign(churned=rng.random(1000) < 0.07, churn_risk=0.07)
    found = Reading.of("gift", units)
    assert found.stayed.interval is not None
    assert found.profit.estimate is None and found.earned.estimate is None


def test_a_size_beyond_reason_is_not_promised() -> None:
    told = Reading.of("gift", simulated(np.random.default_rng(2), 60, saved=0.0, share=0.4)).answer()
    assert 0.5 < told["stayed"]["detectable"] < 1
    assert told["words"] == "no effect shown yet; with so few units none could be"


def test_where_everybody_stays_nothing_is_certain() -> None:
    units = simulated(np.random.default_rng(13), 300, saved=0.0).assign(churned=0)
    told = Reading.of("gift", units).answer()
    assert (told["verdict"], told["stayed"]["interval"]) == ("too_few", None)


def test_nobody_withheld_cannot_be_an_odd_ratio() -> None:
    found = sample_ratio(np.zeros(50, dtype=bool), np.zeros(50))
    assert (found.p, found.is_blocked) == (1.0, False)
