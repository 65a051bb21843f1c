"""A night whose configuration no longer gives what the model reads is refused in one line."""

from types import SimpleNamespace

import pandas as pd
import pytest

from pipeline.scoring import _population
from tables.errors import ConfigError


def test_only_the_features_the_model_reads_are_taken_in_its_order() -> None:
    features = pd.DataFrame({"new": [1.0], "a": [2.0], "b": [3.0]})
    frame = SimpleNamespace(features=features, population=features)
    model = SimpleNamespace(feature_names_in_=["b", "a"])
    assert list(_population(frame, model).columns) == ["b", "a"]  # type: ignore[arg-type]


def test_a_feature_the_configuration_no_longer_gives_is_named() -> None:
    frame = SimpleNamespace(features=pd.DataFrame({"a": [2.0]}))
    model = SimpleNamespace(feature_names_in_=["app_use_events_7d", "a"])
    with pytest.raises(ConfigError, match=r"reads 1 features .* such as 'app_use_events_7d'"):
        _population(frame, model)  # type: ignore[arg-type]
