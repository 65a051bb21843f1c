"""Times and durations that a source writes as numbers: hours since a day, days that an offer lasts."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict

from tables.calendar import DAY, HOUR

MICROSECONDS: Mapping[str, int] = {
    "day": DAY,
    "hour": HOUR,
    "minute": HOUR // 60,
    "second": HOUR // 3600,
    "millisecond": HOUR // 3_600_000,
}
"""Length of each unit; a day is 24 hours, whatever the clocks do."""

Unit = Literal["day", "hour", "minute", "second", "millisecond"]


def _no_number(value: object) -> object:
    # A year alone would else be read as seconds since 1970.
    if isinstance(value, int | float):
        raise ValueError("write a date or an ISO time such as 2018-01-01")  # noqa: TRY004 - pydantic's own
    return value


class Times(BaseModel):
    """How a source's instants are read where they are numbers: so many units since an origin.

    Attributes:
        unit: what is counted.
        origin: the instant of the number 0; in the business's time zone unless it names its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: Unit
    origin: Annotated[datetime, BeforeValidator(_no_number)]

    def start(self, time_zone: str) -> int:
        """Return the instant of the number 0.

        Args:
            time_zone: zone of an origin without one.

        Returns:
            Microseconds since 1970-01-01 UTC.

        Examples:
            >>> Times(unit="hour", origin=datetime(1970, 1, 2)).start("Europe/Vilnius") // HOUR
            21
        """
        zone = self.origin.tzinfo or ZoneInfo(time_zone)
        since = self.origin.replace(tzinfo=zone).astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        return since // timedelta(microseconds=1)

    def instant(self, number: str, time_zone: str) -> str:
        """Return SQL for the instant a number stands for, null where it is none."""
        return _whole(f"{number}::double * {MICROSECONDS[self.unit]} + {self.start(time_zone)}")


class Duration(BaseModel):
    """An instant that lies so long after the row's own time.

    Attributes:
        column: column of the source that holds the number, 0 or more; missing where there is no such instant.
        unit: what is counted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    unit: Unit

    def instant(self, start: str, number: str) -> str:
        """Return SQL for the instant after a start, null where there is none or the number lies below 0."""
        length = _whole(f"{number}::double * {MICROSECONDS[self.unit]}")
        return f"case when {number} >= 0 then {start} + {length} end"


def _whole(number: str) -> str:
    return f"try_cast(round({number}) as bigint)"
