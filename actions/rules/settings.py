"""Settings of the rules that no optimisation may break."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from actions.catalogue import Channel

EVERYWHERE = "all"
"""The region name under which quiet days hold for every customer."""


Hour = Annotated[int, Field(ge=0, le=24)]
_MIDNIGHT = 24


class ChannelCap(BaseModel):
    """The most contacts of one customer over one channel, all teams counted; None for no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_7d: int | None = Field(default=None, ge=0)
    per_30d: int | None = Field(default=None, ge=0)
    per_90d: int | None = Field(default=None, ge=0)

    def limits(self) -> Mapping[int, int]:
        """Return the limits that are set, by length of the window in days."""
        limits = {7: self.per_7d, 30: self.per_30d, 90: self.per_90d}
        return {days: most for days, most in limits.items() if most is not None}


_DEFAULT_CAPS: Mapping[Channel, ChannelCap] = {
    "email": ChannelCap(per_7d=2, per_30d=5),
    "sms": ChannelCap(per_30d=2),
    "phone": ChannelCap(per_90d=1),
    "push": ChannelCap(per_7d=2),
}


class Rules(BaseModel):
    """Who may be contacted how often, and on what grounds.

    Attributes:
        consent: what the absence of a table of consents means: ``required`` allows no marketing,
            ``assumed`` all of it. Where the table exists it decides.
        any_team_gap_days: nothing is sent to whom another team contacted in so many days before.
        own_gap_days: no marketing for whom we planned marketing, sent or withheld, in so many days before.
        channel_caps: limits per channel; a channel that is not named keeps its default, ``sms: {}`` lifts
            that of text messages.
        default_channel: used where a customer neither states a channel nor answers on one.
        discounts_per_customer_year: the most discounts of any kind for one customer in 365 days.
        discount_runs_days: so long after a discount was planned the customer counts as being on it.
        quiet_days: days without any contact by region; ``all`` for every region.
        quiet_hours: ``[from, until]`` by region, whole hours of the business's clock between which nothing
            is sent; ``all`` for the regions not named.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    consent: Literal["required", "assumed"] = "required"
    any_team_gap_days: int = Field(default=3, ge=0, le=365)
    own_gap_days: int = Field(default=7, ge=0, le=365)
    channel_caps: Mapping[Channel, ChannelCap] = _DEFAULT_CAPS
    default_channel: Channel = "email"
    discounts_per_customer_year: int = Field(default=3, ge=0)
    discount_runs_days: int = Field(default=30, ge=0, le=365)
    quiet_days: Mapping[str, tuple[date, ...]] = {}
    quiet_hours: Mapping[str, tuple[Hour, Hour]] = {}

    @field_validator("channel_caps")
    @classmethod
    def _unnamed_keep_their_default(cls, caps: Mapping[Channel, ChannelCap]) -> Mapping[Channel, ChannelCap]:
        return {**_DEFAULT_CAPS, **caps}

    @field_validator("quiet_hours")
    @classmethod
    def _one_window_is_left(cls, hours: Mapping[str, tuple[int, int]]) -> Mapping[str, tuple[int, int]]:
        for region, (begin, end) in hours.items():
            if not (begin > end or (begin == 0 < end < _MIDNIGHT) or (0 < begin < end == _MIDNIGHT)):
                raise ValueError(
                    f"{region}: quiet hours end or begin with the day, such as [21, 8] or [0, 9], so that one span "
                    f"is left for sending; a whole day belongs into quiet_days. Found [{begin}, {end}]"
                )
        return hours

    def send_window(self, region: str | None) -> tuple[int, int]:
        """Return the hours of the day in which something may be sent to a region: from, and before.

        Examples:
            >>> rules = Rules(quiet_hours={"LT": (21, 8), "all": (22, 24)})
            >>> rules.send_window("LT"), rules.send_window(None), Rules().send_window("LT")
            ((8, 21), (0, 22), (0, 24))
        """
        begin, end = self.quiet_hours.get(region or EVERYWHERE, self.quiet_hours.get(EVERYWHERE, (24, 0)))
        return end % _MIDNIGHT, begin or _MIDNIGHT
