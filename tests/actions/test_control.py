"""Who is left without an action: uniform, independent, fixed, and never with a used salt."""

from datetime import date
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import chisquare

from actions.experiment.control import (
    GLOBAL,
    WITHHOLD,
    ControlSettings,
    FrozenSalt,
    SaltPeriod,
    draw_below,
    freeze,
    keyed_uniforms,
    salts_from_json,
    salts_to_json,
)
from tables.errors import ConfigError

NIGHT = date(2026, 11, 21)
UNITS = [f"unit {number}" for number in range(20_000)]


def period(salt: str, first: str, end: str) -> SaltPeriod:
    return SaltPeriod(salt=salt, valid_from=date.fromisoformat(first), valid_to=date.fromisoformat(end))


def test_draw_is_the_keyed_hash_over_two_to_the_64() -> None:
    digest = blake2b(b"global|ann", digest_size=8, key=b"2026H2").digest()
    (drawn,) = keyed_uniforms(["ann"], salt="2026H2", purpose="global")
    assert drawn == pytest.approx(int.from_bytes(digest, "big") / 2**64, abs=1e-15)


def test_draws_are_uniform_over_ten_bins() -> None:
    counts = np.bincount((keyed_uniforms(UNITS, salt="s", purpose=GLOBAL) * 10).astype(int), minlength=10)
    assert chisquare(counts).pvalue > 1e-3


def test_another_salt_or_purpose_draws_independently() -> None:
    one = keyed_uniforms(UNITS, salt="one", purpose=GLOBAL)
    for other in (
        keyed_uniforms(UNITS, salt="two", purpose=GLOBAL),
        keyed_uniforms(UNITS, salt="one", purpose=WITHHOLD),
    ):
        # Independent draws of 20,000 have a correlation with a standard deviation of .007.
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.03


@given(st.lists(st.text(max_size=8), max_size=20), st.text(max_size=8))
def test_adding_a_unit_changes_no_other_draw(units: list[str], newcomer: str) -> None:
    before = keyed_uniforms(units, salt="s", purpose=GLOBAL)
    after = keyed_uniforms([newcomer, *units], salt="s", purpose=GLOBAL)
    assert (before == after[1:]).all()
    assert ((after >= 0) & (after < 1)).all()


def test_a_larger_share_contains_the_smaller_one() -> None:
    small = draw_below(UNITS, 0.05, salt="s", purpose=GLOBAL)
    large = draw_below(UNITS, 0.20, salt="s", purpose=GLOBAL)
    assert (large | ~small).all()
    assert small.mean() == pytest.approx(0.05, abs=0.006)
    assert not draw_below(UNITS, 0.0, salt="s", purpose=GLOBAL).any()


def test_customers_of_one_household_are_drawn_together() -> None:
    drawn = ControlSettings(global_share=0.5).global_control(["smith", "jones", "smith"], as_of=NIGHT)
    assert drawn[0] == drawn[2]


def test_each_half_year_has_its_own_salt_by_default() -> None:
    settings = ControlSettings()
    assert settings.period_of(date(2026, 6, 30)) == period("2026H1", "2026-01-01", "2026-07-01")
    assert settings.period_of(date(2026, 7, 1)) == period("2026H2", "2026-07-01", "2027-01-01")


def test_given_salts_decide_from_first_day_to_last() -> None:
    salts = (period("b", "2026-07-01", "2027-01-01"), period("a", "2026-01-01", "2026-07-01"))
    settings = ControlSettings(salts=salts)
    assert settings.period_of(date(2026, 6, 30)).salt == "a"
    assert settings.period_of(date(2026, 7, 1)).salt == "b"


def test_a_night_without_a_salt_is_refused() -> None:
    settings = ControlSettings(salts=(period("a", "2026-01-01", "2026-07-01"),))
    with pytest.raises(ConfigError, match=r"no salt is valid on 2026-11-21; the last, 'a', ends"):
        settings.period_of(NIGHT)


@pytest.mark.parametrize(
    ("salts", "message"),
    [
        ([("a", "2026-01-01", "2026-07-01"), ("b", "2026-06-30", "2026-12-01")], "overlap on 2026-06-30"),
        ([("a", "2026-01-01", "2026-07-01"), ("a", "2026-07-01", "2026-12-01")], "stand for two periods"),
        ([("a", "2026-01-01", "2026-01-01")], "must lie after valid_from"),
        ([("ab" * 40, "2026-01-01", "2026-07-01")], "at most 64 bytes"),
    ],
)
def test_salts_that_contradict_each_other_are_refused(
    salts: list[tuple[str, str, str]], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        ControlSettings(salts=tuple(period(*salt) for salt in salts))


def test_a_salt_is_recorded_once_for_its_period() -> None:
    used = freeze((), ControlSettings(), as_of=NIGHT)
    assert used == (
        FrozenSalt("2026H2", "explore", date(2026, 7, 1), date(2027, 1, 1), 0.05),
        FrozenSalt("2026H2", "global", date(2026, 7, 1), date(2027, 1, 1), 0.05),
        FrozenSalt("2026H2", "untouched", date(2026, 7, 1), date(2027, 1, 1), 0.05),
        FrozenSalt("2026H2", "withhold", date(2026, 7, 1), date(2027, 1, 1), 0.20),
    )
    assert freeze(used, ControlSettings(), as_of=date(2026, 12, 31)) == used
    assert len(freeze(used, ControlSettings(), as_of=date(2027, 1, 1))) == 8


def test_a_salt_used_for_another_period_is_refused() -> None:
    used = freeze(
        (), ControlSettings(salts=(period("x", "2026-01-01", "2026-07-01"),)), as_of=date(2026, 3, 1)
    )
    later = ControlSettings(salts=(period("x", "2026-07-01", "2027-01-01"),))
    with pytest.raises(
        ConfigError, match=r"salt 'x' was already used for 'global', 2026-01-01 to 2026-07-01"
    ):
        freeze(used, later, as_of=NIGHT)


def test_another_share_within_the_period_is_refused() -> None:
    used = freeze((), ControlSettings(), as_of=NIGHT)
    with pytest.raises(ConfigError, match=r"'withhold'.* with share 0.2; found .* with share 0.1"):
        freeze(used, ControlSettings(withheld_share=0.1), as_of=NIGHT)


def test_used_salts_survive_writing_and_reading() -> None:
    used = freeze((), ControlSettings(), as_of=NIGHT)
    assert salts_from_json(salts_to_json(used)) == used
    assert salts_from_json(salts_to_json(())) == ()


@pytest.mark.parametrize("text", ["{", "[{}]", "3"])
def test_a_damaged_table_of_salts_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="table of used salts: cannot be read"):
        salts_from_json(text)
