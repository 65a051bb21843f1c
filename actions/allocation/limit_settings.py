"""What the owner may say about a whole night: a cap on discounts, hours of teams, floors for regions."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_Share = Annotated[float, Field(ge=0, le=1)]
_ROUNDING = 1e-9


class DiscountShare(BaseModel):
    """The largest part of what is sent that may be discounts.

    Attributes:
        of: share of the number of contacts, or of the expected cost of all contacts.
        most: the share.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: Literal["contacts", "money"] = "contacts"
    most: _Share

    @model_validator(mode="before")
    @classmethod
    def _bare_number_is_of_contacts(cls, entry: Any) -> Any:
        return entry if isinstance(entry, Mapping | cls) else {"most": entry}


class Team(BaseModel):
    """People whose time several actions share.

    Attributes:
        hours_per_night: working hours for one night's plan.
        minutes_per_contact: by action id, how long one contact takes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hours_per_night: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    minutes_per_contact: Mapping[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        min_length=1
    )


class LimitSettings(BaseModel):
    """What all actions of one night share besides the budget.

    Attributes:
        discount_share: most discounts; none means no limit.
        region_floors: least share of all contacts by region.
        teams: working hours by name of the team.
        most_actions: most actions for one customer in one night, each over another channel and at most one of
            them a discount.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    discount_share: DiscountShare | None = None
    region_floors: Mapping[str, _Share] = {}
    teams: Mapping[str, Team] = {}
    most_actions: int = Field(default=1, ge=1, le=8)

    @model_validator(mode="after")
    def _floors_fit_together(self) -> Self:
        total = sum(self.region_floors.values())
        if total > 1 + _ROUNDING:
            floors = " + ".join(f"{region} {share:g}" for region, share in self.region_floors.items())
            raise ValueError(
                f"region_floors add up to {total:g}, {total - 1:g} more than all contacts: {floors}. Lower them"
            )
        return self
