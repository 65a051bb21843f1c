"""What is believed tonight: the owner's word at first, outcomes as they come, and a stop for what loses money."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.catalogue import Action
from actions.learning.believing import (
    ActionBelief,
    Beliefs,
    LearningSettings,
    believed,
    believed_cost,
    cell_beliefs,
    verdicts,
)
from actions.learning.evidence import Observed, tally
from tests.actions.made_up import action
from tests.actions.test_evidence import many, units

CELLS = np.array(["risk_low|value_lower"] * 2 + ["risk_high|value_upper"] * 2 + ["source_bgnbd"])
BASE = pd.DataFrame(
    {
        "churn_risk": [0.1, 0.3, 0.6, 0.8, 0.9],
        "risk_source": ["model"] * 4 + ["bgnbd"],
        "region": ["LT", "CN", "LT", None, "LT"],
    }
)
SETTINGS = LearningSettings()
NOBODY = units()


def tonight(rows: pd.DataFrame, *actions: Action, **options: object) -> Beliefs:
    return believed(
        BASE,
        actions,
        CELLS,
        tally(rows, actions),
        SETTINGS,
        eligible=np.ones((len(BASE), len(actions)), dtype=bool),
        **options,  # type: ignore[arg-type]  # passed on as given
    )


def verdict(rows: pd.DataFrame, one: Action) -> ActionBelief:
    beliefs = cell_beliefs(tally(rows, [one]), [one], SETTINGS, expected={})
    (told,) = verdicts(beliefs, [one], SETTINGS)
    return told


def test_without_outcomes_the_owners_word_stands() -> None:
    actions = (action(region_weights={"LT": 1.5}), action("offer", prior_save=-0.2))
    found = tonight(NOBODY, *actions)
    # Cells churn .2 and .7; LT is believed to react half as strongly again.
    mean = [[0.03, -0.04], [0.02, -0.04], [0.105, -0.14], [0.07, -0.14], [0.0, 0.0]]
    sd = [[0.03, 0.02], [0.02, 0.02], [0.105, 0.07], [0.07, 0.07], [0.015, 0.01]]
    np.testing.assert_allclose(found.effects.mean, mean, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.effects.sd, sd, rtol=1e-6)
    assert found.effects.actions == ("mail", "offer")
    assert found.effects.level == ("prior", "prior")
    assert found.told[0].profit is None
    assert not found.stopped.any()


def test_too_few_outcomes_leave_the_owners_word() -> None:
    few = tonight(many(79, 79, 20, 0), action())
    assert few.effects.level == ("prior",)
    np.testing.assert_allclose(few.effects.mean[0], 0.1 * (0.5 * 99 + 0) / 99 * 50 / 70, rtol=1e-5)
    assert tonight(many(80, 80, 20, 0), action()).effects.level == ("evidence",)


def test_outcomes_move_the_belief_of_the_cell_and_of_others() -> None:
    before, after = (tonight(rows, action()).effects for rows in (NOBODY, many(8_000, 3_200, 2_000, 1_000)))
    assert after.mean[0, 0] == pytest.approx(0.1, abs=0.02)
    assert after.mean[2, 0] > before.mean[2, 0]
    assert after.sd[0, 0] < before.sd[0, 0]
    np.testing.assert_array_equal(after.mean[4], before.mean[4])


def test_controls_tell_how_many_there_were_to_save() -> None:
    # Foreseen were 50 in 100, half of that came: the mail that is not proven yet saves a tenth of fewer.
    rows = many(800, 200, 200, 50)
    found = tonight(rows, action(), action("offer"))
    assert found.effects.level == ("evidence", "prior")
    assert found.effects.mean[0, 1] == pytest.approx(0.1 * (50 + 50 * 0.5) / 250, rel=1e-5)


def test_an_action_that_hurts_is_stopped() -> None:
    told = verdict(many(800, 400, 200, 60), action())
    assert told.effect < 0
    assert told.stopped
    assert told.loss_chance is not None
    assert told.loss_chance > 0.9
    assert tonight(many(800, 400, 200, 60), action(), action("offer")).stopped.tolist() == [True, False]


def test_an_action_that_helps_but_costs_more_is_stopped() -> None:
    # Five points of 100 EUR are worth 5 a contact.
    rows = many(8_000, 3_600, 2_000, 1_000)
    dear = rows.assign(cost=np.where(rows["arm"] == "sent", 20.0, 0.0))
    assert not verdict(rows, action()).stopped
    assert verdict(dear, action(contact_cost=20.0)).stopped
    assert verdict(dear, action(contact_cost=20.0)).profit == pytest.approx(-15.0, abs=1.0)


def test_the_owners_word_alone_stops_nothing() -> None:
    gloomy = action(prior_save=-0.5, prior_save_sd=0.01)
    few = verdict(many(40, 30, 10, 5), gloomy)  # bad outcomes too, but of fifty units
    assert few.loss_chance is not None
    assert few.loss_chance > 0.9
    assert not few.stopped
    contradicted = verdict(many(80, 20, 20, 15), gloomy)
    assert contradicted.level == "evidence"
    assert not contradicted.stopped


def test_a_stop_ends_when_its_outcomes_have_aged_away() -> None:
    assert not verdict(many(800, 400, 200, 60).iloc[:0], action()).stopped


def test_few_bookings_leave_the_catalogues_cost() -> None:
    # Eight offers cost 40 EUR each; the catalogue expects .20, and ninety units are too few to say otherwise.
    rows = many(72, 36, 18, 9)
    dear = rows.assign(cost=np.where(np.arange(len(rows)) < 8, 40.0, 0.0))
    told, cheap = verdict(dear, action()), verdict(rows.assign(cost=0.2), action())
    assert told.level == "prior"
    assert (told.profit, told.loss_chance) == (cheap.profit, cheap.loss_chance)
    assert told.profit == pytest.approx(5.0 - 0.2)  # a tenth of the half that churns, 100 EUR each


def test_noisy_bookings_hardly_move_the_expected_cost() -> None:
    # Twenty of 800 were booked at 40 EUR: they cost 1 EUR on average, and 800 x 1/40 x 39/40 x 1600 squared.
    rows = many(800, 360, 200, 100).assign(cost=np.where(np.arange(1_000) < 20, 40.0, 0.0))
    expected, sd = 0.2, 0.1 + 0.1
    variance = 31_200 / 1_050 * (1 / 800 + 1 / 200)
    gain = sd**2 / (sd**2 + variance)
    (seen,) = cell_beliefs(tally(rows, [action()]), [action()], SETTINGS, expected={}).seen
    assert (seen.cost, seen.cost_spread) == pytest.approx((1.0, 31.2))
    cost, doubt = believed_cost(action(), seen, "evidence")
    assert cost == pytest.approx(expected + gain * 0.8)
    assert doubt == pytest.approx(sd * np.sqrt(1 - gain))
    assert believed_cost(action(), seen, "prior") == (0.2, sd)


def test_redemptions_nobody_has_seen_yet_stay_possible() -> None:
    # A tenth should redeem 10 EUR; none of 100 did, which is no proof that the offer is free.
    offer = action(contact_cost=0.0, incentive_cost=10.0, redeem_rate=0.1)
    rows = many(80, 40, 20, 10).assign(cost=0.0)
    (seen,) = cell_beliefs(tally(rows, [offer]), [offer], SETTINGS, expected={}).seen
    variance = 50 * 9.0 / 150 * (1 / 80 + 1 / 20)
    cost, _ = believed_cost(offer, seen, "evidence")
    assert cost == pytest.approx(1.0 - 0.6**2 / (0.6**2 + variance))


@given(st.floats(-50, 50), st.floats(0, 500), st.integers(1, 5_000), st.integers(1, 5_000), st.floats(0, 20))
def test_a_believed_cost_lies_between_word_and_booking(
    booked: float, spread: float, sent: int, withheld: int, contact_cost: float
) -> None:
    one, none = np.ones(1), np.empty(0)
    seen = Observed(
        none.astype(np.intp), none, np.empty((0, 0)), one, one, one, booked, spread, sent, withheld
    )
    cost, doubt = believed_cost(action(contact_cost=contact_cost), seen, "evidence")
    assert min(contact_cost, booked) - 1e-9 <= cost <= max(contact_cost, booked) + 1e-9
    assert 0 <= doubt <= 0.5 * contact_cost + 0.1


def test_few_dear_bookings_never_stop_a_cheap_helpful_action() -> None:
    # Three points of 100 EUR for .20 a contact; sixty bookings of 100 EUR are not the mail's.
    rows = many(800, 376, 200, 100).assign(cost=np.where(np.arange(1_000) < 60, 100.0, 0.0))
    told = verdict(rows, action())
    assert told.profit is not None
    assert told.profit > 0
    assert not told.stopped


def test_a_model_of_single_customers_takes_an_actions_place() -> None:
    single = (np.linspace(-0.1, 0.1, len(BASE)), np.full(len(BASE), 0.02))
    found = tonight(NOBODY, action(), action("offer"), uplifts={"offer": single})
    # The last customer is not scored by the churn model: the owner's word for those stands.
    np.testing.assert_allclose(found.effects.mean[:, 1], [*single[0][:4], 0.0], rtol=1e-6)
    np.testing.assert_allclose(found.effects.sd[:, 1], [0.02] * 4 + [0.01], rtol=1e-6)
    assert found.effects.level == ("prior", "uplift")
    assert [told.level for told in found.told] == ["prior", "uplift"]


def test_regions_weigh_a_models_effect_against_those_it_learnt_from() -> None:
    # Half of its units lived where the mail does twice as much: it learnt for a weight of 1.5.
    weighed = action(region_weights={"LT": 2.0})
    rows = many(400, 200, 100, 50).assign(region=["LT", "CN"] * 250)
    found = tonight(rows, weighed, uplifts={"mail": (np.full(5, 0.06), np.full(5, 0.03))})
    np.testing.assert_allclose(found.effects.mean[:4, 0], [0.08, 0.04, 0.08, 0.04], rtol=1e-6)
    np.testing.assert_allclose(found.effects.sd[:4, 0], [0.04, 0.02, 0.04, 0.02], rtol=1e-6)
