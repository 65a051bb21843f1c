from datetime import date

import pytest
from pydantic import ValidationError

from actions.rules import ChannelCap, Rules


def test_consent_is_required_unless_told_otherwise() -> None:
    assert Rules().consent == "required"


def test_only_set_limits_are_listed() -> None:
    assert ChannelCap(per_7d=2, per_90d=0).limits() == {7: 2, 90: 0}
    assert ChannelCap().limits() == {}


def test_naming_one_channel_keeps_the_caps_of_others() -> None:
    caps = Rules.model_validate({"channel_caps": {"email": {"per_7d": 1}, "sms": {}}}).channel_caps
    assert caps["email"].limits() == {7: 1}
    assert caps["sms"].limits() == {}
    assert caps["phone"] == Rules().channel_caps["phone"]


def test_quiet_days_are_read_by_region() -> None:
    rules = Rules.model_validate({"quiet_days": {"NO": [date(2026, 12, 24)], "all": ["2027-01-01"]}})
    assert rules.quiet_days == {"NO": (date(2026, 12, 24),), "all": (date(2027, 1, 1),)}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("consent", "maybe"), ("any_team_gap_days", -1), ("channel_caps", {"pigeon": {}}),
        ("channel_caps", {"email": {"per_8d": 1}}), ("default_channel", "preferred"), ("quiet", {}),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        Rules.model_validate({key: value})
