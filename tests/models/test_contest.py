"""The rule that decides between champion and challenger."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.contest import CHALLENGER, CHAMPION, compare_slices, decide
from models.pooled import Outcome

Floats = npt.NDArray[np.float64]
EVEN = np.array([1, 0] * 50)
WHO = np.arange(len(EVEN))


def leaning(sureness: float, churned: npt.NDArray[np.int64] = EVEN) -> Floats:
    """Risks on the right side of .5 by so much, a little apart from each other."""
    return np.where(churned == 1, 0.5 + sureness, 0.5 - sureness) + np.linspace(-0.01, 0.01, len(churned))


def outcome(
    churned: npt.NDArray[np.int64], who: npt.NDArray[np.int64], risks: dict[str, Floats], gain: float = 0.0
) -> Outcome:
    """One date where acting on the champion brought 1 in every row, and on the challenger so much more."""
    profit = {CHAMPION: np.ones(len(churned)), CHALLENGER: np.full(len(churned), 1 + gain)}
    return Outcome(churned, who, risks, profit=profit)


def met(*pairs: tuple[float, float]) -> list[Outcome]:
    """One date per pair of surenesses, champion first; two customers of every ten were told the wrong way."""
    found = []
    for champion, challenger in pairs:
        told = np.where(WHO % 10 < 2, 1 - EVEN, EVEN)
        risks = {CHAMPION: leaning(champion, told), CHALLENGER: leaning(challenger, told)}
        found.append(outcome(EVEN, WHO, risks))
    return found


def wins(outcomes: list[Outcome], constant: float = 0.6931) -> bool:
    return decide(
        outcomes, [{} for _ in outcomes], constants=[constant] * len(outcomes), seed=1
    ).challenger_wins


def test_the_surer_of_two_rightly_sure_recipes_wins() -> None:
    verdict = decide(met((0.05, 0.28)), [{}], constants=[0.6931], seed=1)
    assert verdict.challenger_wins
    assert verdict.words == (
        "The challenger wins: better in log loss, not shown to be much worse in anything.",
    )
    row = next(row for row in verdict.rows if row["metric"] == "log_loss")
    # .8 ln .78 + .2 ln .22 against .8 ln .55 + .2 ln .45, up to the risks' small spread
    assert row["challenger"] == pytest.approx(-(0.8 * np.log(0.78) + 0.2 * np.log(0.22)), abs=0.002)
    assert row["champion"] == pytest.approx(-(0.8 * np.log(0.55) + 0.2 * np.log(0.45)), abs=0.002)
    assert row["difference"] == pytest.approx(row["challenger"] - row["champion"])


def test_profit_alone_can_win_and_is_told() -> None:
    even = {CHAMPION: leaning(0.2), CHALLENGER: leaning(0.2)}
    profit = {CHAMPION: np.ones(len(EVEN)), CHALLENGER: np.where(WHO % 4 == 0, 2.0, 1.0)}
    verdict = decide([Outcome(EVEN, WHO, even, profit=profit)] * 2, [{}, {}], constants=[0.6931] * 2, seed=1)
    row = verdict.rows[0]
    assert (row["name"], row["champion"], row["challenger"]) == ("profit at the night's budget", 100, 125)
    assert row["difference"] == pytest.approx(25)
    # a quarter of a hundred customers gains 1 at both dates: 25 +- 1.96 sqrt(100 * .25 * .75)
    assert (row["low"], row["high"]) == pytest.approx((25 - 8.5, 25 + 8.5), abs=1.5)
    assert verdict.challenger_wins
    assert verdict.words[0].startswith("The challenger wins: better in profit at the night's budget,")


def test_profit_lost_by_luck_stops_nobody_and_shown_does() -> None:
    risks = {CHAMPION: leaning(0.05), CHALLENGER: leaning(0.28)}
    lucky = {CHAMPION: np.where(WHO == 0, 2.0, 1.0), CHALLENGER: np.where(WHO == 1, -1.0, 1.0)}
    one = [Outcome(EVEN, WHO, risks, profit=lucky)]
    assert decide(one, [{}], constants=[0.6931], seed=1).challenger_wins
    other = [outcome(EVEN, WHO, risks, gain=-0.1)]
    verdict = decide(other, [{}], constants=[0.6931], seed=1)
    assert "profit at the night's budget is worse by more than 1: -10" in verdict.words[0]


def test_equal_recipes_leave_the_champion_in_service() -> None:
    verdict = decide(met((0.2, 0.2)), [{}], constants=[0.6931], seed=1)
    assert not verdict.challenger_wins
    assert "not shown to be better in profit or log loss" in verdict.words[0]


def test_one_lucky_date_of_three_does_not_win() -> None:
    assert wins(met((0.02, 0.28), (0.2, 0.25), (0.25, 0.28)))
    assert not wins(met((0.02, 0.28), (0.28, 0.25), (0.28, 0.25)))


def test_better_at_half_of_the_dates_is_not_most() -> None:
    verdict = decide(met((0.02, 0.28), (0.28, 0.27)), [{}, {}], constants=[0.6931] * 2, seed=1)
    row = next(row for row in verdict.rows if row["metric"] == "log_loss")
    assert float(row["high"] or 0) < 0
    assert (row["better_at"], row["is_better"]) == (1, False)


def test_a_gain_whose_interval_holds_zero_is_no_gain() -> None:
    told = np.where(WHO % 20 < 9, 1 - EVEN, EVEN)  # eleven of every twenty the right way: luck
    risks = {CHAMPION: np.full(len(EVEN), 0.5), CHALLENGER: np.where(told == 1, 0.55, 0.45)}
    verdict = decide([outcome(EVEN, WHO, risks)], [{}], constants=[9.0], seed=1)
    gain = next(row for row in verdict.rows if row["metric"] == "log_loss")
    assert float(gain["difference"] or 0) < 0 < float(gain["high"] or 0)
    assert not gain["is_better"]


def test_a_recipe_no_better_than_a_constant_never_wins() -> None:
    verdict = decide(met((0.05, 0.28), (0.05, 0.28)), [{}, {}], constants=[0.69, 0.5], seed=1)
    assert not verdict.challenger_wins
    assert "at 1 of 2 dates it is no better than a constant" in verdict.words[0]


def test_a_figure_worse_by_more_than_its_margin_keeps_the_champion() -> None:
    ranks = np.where(EVEN == 1, 0.6, 0.4) + np.linspace(-0.05, 0.05, len(EVEN))  # better at profit alone
    blind = np.full(len(EVEN), 0.5) + np.linspace(-0.05, 0.05, len(EVEN))
    found = outcome(EVEN, WHO, {CHAMPION: blind, CHALLENGER: ranks**6})
    words = decide([found], [{}], constants=[9.0], seed=1).words[0]
    assert "log loss is worse by more than 0.005: +" in words
    assert "calibration error is worse by more than 0.01: +" in words


def test_a_group_that_would_pay_keeps_the_champion() -> None:
    (even,) = met((0.05, 0.28))
    losers = WHO >= 50
    risks = dict(even.predictions)
    risks[CHALLENGER] = np.where(losers, 1 - risks[CHALLENGER] * 0.8, leaning(0.45))
    paid = outcome(EVEN, WHO, risks)
    side = np.where(losers, "south", "north").astype(object)
    verdict = decide([paid], [{"region": side}], constants=[9.0], seed=1)
    assert "region south would pay for it: log loss +" in verdict.words[0]
    assert [row["is_worse"] for row in verdict.slices] == [False, True]


def test_a_slice_is_compared_by_its_own_rows() -> None:
    churned = np.array([1, 0] * 30)
    risks = {CHAMPION: np.full(60, 0.5), CHALLENGER: np.full(60, 0.8)}
    (row,) = compare_slices(
        [outcome(churned, np.arange(60), risks)], [{"tenure": np.full(60, "new", object)}]
    )
    assert (row["slicing"], row["slice"], row["n"], row["churn_rate"]) == ("tenure", "new", 60, 0.5)
    assert row["champion"] == pytest.approx(np.log(2))
    assert row["challenger"] == pytest.approx(-(np.log(0.8) + np.log(0.2)) / 2)
    spread = np.log(4) / 2 / np.sqrt(60)  # half the rows ln .8, half ln .2: that far from their mean
    assert row["high"] - row["difference"] == pytest.approx(1.96 * spread, rel=1e-3)


def test_of_many_slices_one_must_be_far_worse() -> None:
    n, groups = 60, 20
    churned = np.tile(np.arange(n) >= 37, groups).astype(int)
    first = np.arange(n * groups) < n
    # 37 ln(.5 / .4) + 23 ln(.5 / .6) over 60: .068 nats worse, 2.7 standard errors; 20 slices ask for 3.02
    risks = {CHAMPION: np.full(n * groups, 0.5), CHALLENGER: np.where(first, 0.6, 0.5)}
    found = [outcome(churned, np.arange(n * groups), risks)]
    alone = np.where(first, "a", None).astype(object)
    (one,) = compare_slices(found, [{"region": alone}])
    among = compare_slices(
        found, [{"region": np.repeat([f"{k:02}" for k in range(groups)], n).astype(object)}]
    )
    assert one["difference"] == pytest.approx((37 * np.log(1.25) - 23 * np.log(1.2)) / 60)
    assert (one["is_worse"], len(among), among[0]["is_worse"]) == (True, groups, False)


def test_rows_of_one_customer_vary_together() -> None:
    churned = np.array([1, 0] * 30)
    risks = {CHAMPION: np.full(60, 0.5), CHALLENGER: np.full(60, 0.8)}
    label = [{"tenure": np.full(60, "new", object)}]
    apart = compare_slices([outcome(churned, np.arange(60), risks)], label)[0]
    pairs = compare_slices([outcome(churned, np.arange(60) % 2, risks)], label)[0]
    assert float(pairs["high"] or 0) - float(pairs["low"] or 0) > 4 * (
        float(apart["high"] or 0) - float(apart["low"] or 0)
    )


@settings(max_examples=3)
@given(st.integers(0, 10**6))
def test_never_do_both_win_and_differences_change_sign(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = (rng.beta(2, 2, len(EVEN)) for _ in range(2))
    one = [outcome(EVEN, WHO, {CHAMPION: first, CHALLENGER: second})]
    other = [outcome(EVEN, WHO, {CHAMPION: second, CHALLENGER: first})]
    verdicts = [decide(pair, [{}], constants=[9.0], seed=1) for pair in (one, other)]
    assert not all(verdict.challenger_wins for verdict in verdicts)
    for there, back in zip(*(verdict.rows for verdict in verdicts), strict=True):
        assert there["difference"] == pytest.approx(-float(back["difference"] or 0))
        assert there["low"] == pytest.approx(-float(back["high"] or 0))
