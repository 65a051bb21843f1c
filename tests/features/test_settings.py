"""The words of a business become names, or are refused together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.settings import Attribute, FeatureSettings, same_names, slug
from tables.errors import ConfigError


@given(text=st.text(max_size=30))
def test_a_slug_is_a_word_and_stays_one(text) -> None:
    assert slug(slug(text)) == slug(text)
    assert slug(text) == "" or slug(text).replace("_", "a").isalnum()


@given(texts=st.lists(st.sampled_from(["a", "A", "a-b", "a b", "c", "--"]), max_size=6))
def test_as_many_texts_stay_as_there_are_names(texts) -> None:
    names = {slug(text) for text in texts} - {""}
    assert len(texts) - len(same_names(texts)) == len(names)


def test_wrong_words_and_targets_are_told_together() -> None:
    with pytest.raises(ConfigError) as caught:
        FeatureSettings(
            horizon_days=7,
            event_types=("app use", "App-use"),
            attributes=(Attribute("age"), Attribute("as of"), Attribute("sex", ("F", "f"))),
            reply_target_hours=0,
        )
    told = str(caught.value).splitlines()
    assert len(told) == 4
    assert "reply_target_hours must be above 0; found 0" in told[0]
    assert "event_types: texts must differ" in told[1]
    assert "found 'App-use'" in told[1]
    assert "values of sex" in told[2]
    assert "['as of'] name keys" in told[3]
