"""The exploration slice: chances that are exact, limits that hold, and nothing but what the rules allow."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from actions.allocation.limit_settings import LimitSettings
from actions.allocation.limits import Limits
from actions.experiment.control import ControlSettings, SaltPeriod
from actions.experiment.draws import Draws
from actions.experiment.exploration import Offers, Pairs, keep_within, open_offers

NIGHT = date(2026, 11, 21)
ACTIONS = ("mail", "letter", "call")
THREE = tuple(SimpleNamespace(id=name) for name in ACTIONS)
COST = np.array([0.1, 1.0, 5.0])


def control(**shares: float) -> ControlSettings:
    period = SaltPeriod(salt="s", valid_from=date(2026, 1, 1), valid_to=date(2027, 1, 1))
    given_shares = {"global_share": 0.0, "withheld_share": 0.2, "exploration_share": 0.25, **shares}
    return ControlSettings(salts=(period,), **given_shares)


def pairs_of(rows: Sequence[int], columns: Sequence[int], randomised: bool = True) -> Pairs:
    size = len(rows)
    groups, flags = np.zeros(size, dtype=np.int8), np.full(size, randomised)
    return Pairs(np.array(rows, dtype=np.intp), np.array(columns, dtype=np.intp), groups, flags)


def offers_of(
    pairs: Pairs,
    *,
    may: npt.NDArray[np.bool_] | None = None,
    channels: npt.NDArray[np.int8] | None = None,
    budget: float | None = None,
    shares: dict[str, float] | None = None,
    limits: Limits | None = None,
) -> Offers:
    shape = (int(pairs.rows.max(initial=-1)) + 1, len(ACTIONS))
    return open_offers(
        pairs,
        np.ones(shape, dtype=bool) if may is None else may,
        np.broadcast_to(np.arange(3, dtype=np.int8), shape) if channels is None else channels,
        limits or limits_of(budget=budget),
        control=control(**(shares or {})),
        cost=COST,
        budget=budget,
    )


def limits_of(**rules: object) -> Limits:
    return Limits.of(ACTIONS, cost=dict(zip(ACTIONS, COST.tolist(), strict=True)), **rules)


def test_each_pair_chooses_among_what_its_customer_may_get() -> None:
    may = np.array([[True, True, True], [True, False, False], [False, True, False]])
    found = offers_of(pairs_of([0, 1, 2], [0, 0, 2]), may=may)
    assert found.offered.tolist() == [[True] * 3, [True, False, False], [False, True, True]]
    assert found.choices.tolist() == [3, 1, 2]


def test_the_least_number_of_an_open_action_chooses() -> None:
    offered = np.array([[True, False, True]] * 2)
    offers = Offers(np.arange(2), offered, np.ones(3, dtype=bool))
    assert offers.drawn(np.array([[0.6, 0.1, 0.5], [0.2, 0.1, 0.3]])).tolist() == [2, 0]


def test_a_further_action_takes_only_those_it_wins() -> None:
    ids = [f"c{number}" for number in range(3_000)]
    draws = Draws.of(ids, control(exploration_share=0.5), as_of=NIGHT)
    column = {}
    for actions in (THREE, THREE[1:]):
        among = len(actions)
        pairs = pairs_of(range(3_000), [among - 1] * 3_000)
        offers = Offers(np.arange(3_000), np.ones((3_000, among), dtype=bool), np.ones(among, dtype=bool))
        sending = draws.send(pairs, offers, actions, ids, as_of=NIGHT)
        column[among] = sending.column[sending.explored]
    kept = column[3] > 0
    assert 0.6 < kept.mean() < 0.7
    assert (column[2][kept] + 1 == column[3][kept]).all()


def test_never_withheld_actions_are_never_replaced() -> None:
    found = offers_of(pairs_of([0, 1], [0, 1], randomised=False))
    assert len(found.first) == 0


def test_dear_actions_close_until_the_slice_fits_its_money() -> None:
    # 100 mails of .1, of which .8 * .25 explore: 20 pairs, at (.1 + 1 + 5) / 3 each 40.7 EUR, at
    # (.1 + 1) / 2 each 11 EUR, at .1 each 2 EUR. A quarter of the budget may be spent on them.
    pairs = pairs_of(range(100), [0] * 100)
    assert offers_of(pairs, budget=200.0).is_open.tolist() == [True, True, True]
    assert offers_of(pairs, budget=160.0).is_open.tolist() == [True, True, False]
    assert offers_of(pairs, budget=43.0).is_open.tolist() == [True, False, False]


def test_a_scarce_action_opens_only_where_places_are_left() -> None:
    # 20 pairs explore, a third of them for a call: 6.7, and three standard deviations more are 14.4 places.
    pairs = pairs_of(range(100), [0] * 100)
    assert offers_of(pairs, limits=limits_of(capacity={"call": 15})).is_open[2]
    assert not offers_of(pairs, limits=limits_of(capacity={"call": 14})).is_open[2]


def test_own_action_stays_open_when_all_others_close() -> None:
    found = offers_of(pairs_of(range(50), [2] * 50), limits=limits_of(capacity={"mail": 0, "letter": 0}))
    assert found.is_open.tolist() == [False, False, True]
    assert (found.offered == [False, False, True]).all()


def test_a_floor_of_a_region_closes_nothing() -> None:
    limits = limits_of(shared=LimitSettings(region_floors={"IS": 0.5}))
    assert offers_of(pairs_of(range(9), [0] * 9), limits=limits).is_open.all()


def test_other_pairs_of_a_customer_keep_action_channel_and_discount() -> None:
    # The customer gets mail and a letter; the letter's channel is the call's, so mail may only stay mail.
    pairs, same_channel = pairs_of([0, 0], [0, 1]), np.array([[0, 1, 1]], dtype=np.int8)
    assert offers_of(pairs, channels=same_channel).offered.tolist() == [[True, False, False]]
    assert offers_of(pairs).offered.tolist() == [[True, False, True]]
    discounts = limits_of(discounts=frozenset({"letter", "call"}))
    assert offers_of(pairs, limits=discounts).offered.tolist() == [[True, False, False]]


def test_arms_and_actions_happen_as_often_as_propensity_says() -> None:
    size = 20_000
    ids = [f"c{number}" for number in range(size)]
    pairs, may = pairs_of(range(size), [0] * size), np.ones((size, 3), dtype=bool)
    may[: size // 2, 2] = False
    draws = Draws.of(ids, control(), as_of=NIGHT)
    sending = draws.send(pairs, offers_of(pairs, may=may), THREE, ids, as_of=NIGHT)
    for half, choices in ((slice(0, size // 2), 2), (slice(size // 2, size), 3)):
        kinds = np.where(sending.explored[half], 10, 0) + sending.column[half]
        kinds[draws.untouched[half]] = -2
        found, counts = np.unique(kinds, return_counts=True)
        # untouched .05; withheld .15; sent .8 * .75; explored .8 * .25 shared by the open actions
        chances = [0.05, 0.15, 0.6, *[0.2 / choices] * choices]
        assert found.tolist() == [-2, -1, 0, *range(10, 10 + choices)]
        assert chisquare(counts, np.array(chances) * size / 2).pvalue > 1e-3
        for kind, chance in zip(found, chances, strict=True):
            assert sending.propensity[half][kinds == kind] == pytest.approx(chance)


def test_another_night_explores_with_the_same_units() -> None:
    ids = [f"c{number}" for number in range(500)]
    pairs = pairs_of(range(500), [0] * 500)
    one, two = (
        Draws.of(ids, control(), as_of=night).send(pairs, offers_of(pairs), THREE, ids, as_of=night)
        for night in (NIGHT, date(2026, 11, 22))
    )
    assert (one.explored == two.explored).all()
    assert (one.column[one.explored] != two.column[one.explored]).any()
    assert (one.column[~one.explored] == two.column[~one.explored]).all()


def test_too_many_calls_are_given_up_in_both_arms() -> None:
    # Two of three calls may be sent. The one withheld is worth least and goes first, then the least sent one.
    pairs, sent = pairs_of([0, 1, 2, 3], [2, 2, 2, 2]), np.array([2, 2, 2, -1])
    kept = keep_within(pairs, sent, np.array([4.0, 2.0, 3.0, 1.0]), limits_of(capacity={"call": 2}))
    assert kept.tolist() == [True, False, True, False]


def test_explored_calls_are_given_up_last() -> None:
    # Planned for mail and explored with a call: kept, however little it is worth, while planned calls remain.
    pairs, sent = pairs_of([0, 1, 2], [0, 2, 2]), np.array([2, 2, 2])
    reduced = np.array([0.1, 2.0, 3.0])
    kept = [
        keep_within(pairs, sent, reduced, limits_of(capacity={"call": most})).tolist() for most in (2, 1, 0)
    ]
    assert kept == [[True, False, True], [True, False, False], [False, False, False]]


def test_controls_stay_only_where_a_place_was_left() -> None:
    # Two places are taken by the first and the third; the fourth could not have been called, so is no control.
    pairs, sent = pairs_of([0, 1, 2, 3], [2, 2, 2, 2]), np.array([2, -1, 2, -1])
    kept = keep_within(pairs, sent, np.array([4.0, 3.0, 2.0, 1.0]), limits_of(capacity={"call": 2}))
    assert kept.tolist() == [True, True, True, False]


def test_money_too_short_for_calls_still_pays_for_letters() -> None:
    # 7 EUR: a call, then 2 EUR are left, too few for the next call whatever its arm, enough for two letters.
    pairs, reduced = pairs_of(range(5), [2, 2, 1, 1, 1]), np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    for second in (2, -1):
        sent = np.array([2, second, 1, 1, 1])
        kept = keep_within(pairs, sent, reduced, limits_of(budget=7.0))
        assert kept.tolist() == [True, False, True, True, False]


def test_regions_at_their_floor_are_given_up_last() -> None:
    # Half of those contacted must live in IS. Were its least worthy pair given up, one elsewhere would have to go too.
    floors = LimitSettings(region_floors={"IS": 0.5})
    pairs = replace(pairs_of(range(4), [0] * 4), groups=np.array([1, 1, 0, 0], dtype=np.int8))
    kept = keep_within(
        pairs,
        np.zeros(4, dtype=np.intp),
        np.array([1.0, 2.0, 3.0, 4.0]),
        limits_of(capacity={"mail": 3}, shared=floors),
    )
    assert kept.tolist() == [True, True, False, True]


def test_mails_given_up_take_discounts_with_them() -> None:
    # At most half are letters: two beside two mails. One mail may be sent, so in the end one letter.
    half = LimitSettings.model_validate({"discount_share": 0.5})
    rules = limits_of(capacity={"mail": 1}, discounts=frozenset({"letter"}), shared=half)
    pairs, sent = pairs_of(range(6), [1, 1, 1, 1, 0, 0]), np.array([1, 1, 1, 1, 0, 0])
    kept = keep_within(pairs, sent, np.array([6.0, 5.0, 4.0, 3.0, 2.0, 1.0]), rules)
    assert kept.tolist() == [True, False, False, False, True, False]


def test_share_of_controls_survives_giving_up() -> None:
    rng, limits, pairs = (
        np.random.default_rng(1),
        limits_of(capacity={"call": 4}),
        pairs_of(range(8), [2] * 8),
    )
    reduced, kept, controls = np.arange(8.0), 0, 0
    for _ in range(2_000):
        sent = np.where(rng.random(8) < 0.5, -1, 2)
        stays = keep_within(pairs, sent, reduced, limits)
        kept, controls = kept + stays.sum(), controls + (stays & (sent < 0)).sum()
    assert controls / kept == pytest.approx(0.5, abs=3 * 0.5 / np.sqrt(kept))


@given(st.data())
def test_no_pair_stays_or_goes_by_its_own_arm(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 12))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    pairs, reduced = pairs_of(range(size), rng.integers(0, 3, size)), rng.random(size)
    sent = np.where(rng.random(size) < 0.4, -1, pairs.columns)
    rules: tuple[dict[str, object], ...] = (
        {"budget": data.draw(st.floats(0, 30))},
        {"capacity": {"call": data.draw(st.integers(0, 4))}},
        {"discounts": frozenset({"call"}), "shared": LimitSettings(discount_share=0.3)},
    )
    limits = limits_of(**data.draw(st.sampled_from(rules)))
    kept = keep_within(pairs, sent, reduced, limits)
    for pair in range(size):
        other = sent.copy()
        other[pair] = -1 if sent[pair] >= 0 else pairs.columns[pair]
        assert keep_within(pairs, other, reduced, limits)[pair] == kept[pair]


@given(st.data())
def test_what_is_kept_fits_and_ignores_the_arm(data: st.DataObject) -> None:
    size = data.draw(st.integers(0, 30))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    columns = rng.integers(0, 3, size)
    pairs, reduced = pairs_of(range(size), columns), rng.random(size)
    sent = np.where(
        rng.random(size) < 0.3, -1, np.where(rng.random(size) < 0.2, rng.integers(0, 3, size), columns)
    )
    limits = limits_of(
        budget=data.draw(st.floats(0, 40)),
        capacity={"call": data.draw(st.integers(0, 5))},
        discounts=frozenset({"letter"}),
        shared=LimitSettings(discount_share=data.draw(st.none() | st.floats(0, 1))),
    )
    kept = keep_within(pairs, sent, reduced, limits)
    counted = kept & (sent >= 0)
    assert limits.hold(limits.count(sent[counted], pairs.groups[counted]))
    is_plain = (sent == columns) | (sent < 0)
    for action in range(3):
        here = is_plain & (columns == action)
        # Of the pairs planned for one action the least are given up, whatever the draw made of them.
        assert reduced[here & ~kept].max(initial=0.0) <= reduced[here & kept].min(initial=1.0)
