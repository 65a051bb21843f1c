"""Settings of what is handed over: how national telephone numbers become international ones."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field


class PhonePlan(BaseModel):
    """How the telephone numbers of a region are written.

    Attributes:
        code: country calling code, without ``+``.
        trunk: what is dialled first inside the country and left out from abroad; empty where nothing is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(pattern=r"^[1-9]\d{0,3}$", coerce_numbers_to_str=True)
    trunk: str = Field(default="0", pattern=r"^\d{0,2}$", coerce_numbers_to_str=True)


class HandoverSettings(BaseModel):
    """What the hand-over to other systems must know, by region."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phones: Mapping[str, PhonePlan] = {}
