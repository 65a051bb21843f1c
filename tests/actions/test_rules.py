from datetime import date

import pytest
from pydantic import ValidationError

from actions.rules.settings import ChannelCap, Rules


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
    ("hours", "region", "window"),
    [
        ({"LT": [21, 8]}, "LT", (8, 21)),
        ({"LT": [21, 8]}, "CN", (0, 24)),
        ({"LT": [21, 8], "all": [22, 24]}, None, (0, 22)),
        ({"LT": [21, 8], "all": [22, 24]}, "CN", (0, 22)),
        ({"all": [0, 9]}, "LT", (9, 24)),
        ({"all": [20, 0]}, "LT", (0, 20)),
    ],
)
def test_quiet_hours_leave_one_window_for_sending(
    hours: dict[str, list[int]], region: str | None, window: tuple[int, int]
) -> None:
    assert Rules.model_validate({"quiet_hours": hours}).send_window(region) == window


@pytest.mark.parametrize("hours", [[12, 14], [8, 8], [0, 24], [0, 0], [21, 25], [21]])
def test_quiet_hours_without_one_window_are_refused(hours: list[int]) -> None:
    with pytest.raises(ValidationError, match="quiet_hours"):
        Rules.model_validate({"quiet_hours": {"LT": hours}})


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
