"""What a control group can show: hand-worked figures and a simulation."""

import numpy as np
import pytest

from actions.experiment.power import detectable_effect, explained_by_score, units_to_detect


def test_detectable_effect_is_2_8_standard_errors() -> None:
    # sqrt(.25 * (1/100 + 1/100)) = .0707, and z(.975) + z(.8) = 1.960 + .842 = 2.802
    assert detectable_effect(0.5, treated=100, control=100) == pytest.approx(0.1981, abs=1e-4)


def test_needed_units_make_the_effect_just_detectable() -> None:
    units = units_to_detect(0.03, 0.3, control_share=0.25)
    assert units is not None
    found = detectable_effect(0.3, treated=round(units * 0.75), control=round(units * 0.25))
    assert found == pytest.approx(0.03, rel=1e-3)


@pytest.mark.parametrize(("treated", "control"), [(0, 10), (10, 0), (0, 0)])
def test_an_empty_arm_detects_nothing(treated: int, control: int) -> None:
    assert detectable_effect(0.2, treated=treated, control=control) is None


@pytest.mark.parametrize(("effect", "share"), [(0.0, 0.2), (0.1, 0.0), (0.1, 5e-324), (1e-200, 0.2)])
def test_no_effect_or_no_control_needs_endless_units(effect: float, share: float) -> None:
    assert units_to_detect(effect, 0.2, control_share=share) is None


def test_a_score_that_explains_three_quarters_halves_the_effect() -> None:
    whole, read_beside = (
        detectable_effect(0.5, treated=100, control=100, explained=part) for part in (0, 0.75)
    )
    assert whole is not None
    assert read_beside == pytest.approx(whole / 2)
    assert units_to_detect(0.1, 0.5, control_share=0.5, explained=0.5) == 393  # (2.8016 / .1)^2 * .125 * 4


def test_explained_share_is_one_where_fates_are_known() -> None:
    assert explained_by_score(np.array([0.0, 1.0])) == 1.0
    assert explained_by_score(np.array([0.4, 0.4])) == pytest.approx(0.0)
    assert explained_by_score(np.array([1.0, 1.0])) == 0.0


def test_explained_share_is_what_adjusting_takes_off() -> None:
    rng = np.random.default_rng(7)
    risk = rng.beta(0.6, 1.4, 40_000)
    churned = (rng.random(40_000) < risk).astype(float)
    slope = np.cov(churned, risk)[0, 1] / risk.var()
    left = (churned - slope * (risk - risk.mean())).var() / churned.var()
    assert 1 - left == pytest.approx(explained_by_score(risk), abs=0.01)


def test_detectable_effect_is_found_four_times_in_five() -> None:
    treated, control, churn = 4000, 1000, 0.3
    effect = detectable_effect(churn, treated=treated, control=control)
    assert effect is not None
    rng = np.random.default_rng(5)
    stayed = rng.binomial(treated, churn - effect, 4000) / treated
    left = rng.binomial(control, churn, 4000) / control
    error = np.sqrt(stayed * (1 - stayed) / treated + left * (1 - left) / control)
    assert (np.abs(left - stayed) / error > 1.96).mean() == pytest.approx(0.8, abs=0.04)
