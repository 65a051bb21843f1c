"""Local wall-clock times to instants and back, inside SQL, by the zone's own changes of offset."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STEP = timedelta(days=7)
_MARGIN = 2 * 86_400_000_000
_LAST = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_FIRST = (datetime(1, 2, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND


@dataclass(frozen=True)
class Offsets:
    """The offsets a zone has between two instants.

    Attributes:
        first: offset before the first change, microseconds east of UTC.
        changes: instant of each change and the offset from then on.
    """

    first: int
    changes: tuple[tuple[int, int], ...]

    def to_utc(self, column: str) -> str:
        """Return SQL that turns local microseconds into an instant.

        A time the clocks skip or show twice is read with the offset before the change, as
        ``datetime`` does with ``fold=0``.
        """
        before, branches = self.first, []
        for instant, offset in self.changes:
            branches.append((instant + max(before, offset), offset))
            before = offset
        return f"{column} - {_case(column, self.first, branches)}"

    def to_local(self, column: str) -> str:
        """Return SQL that turns an instant into local microseconds."""
        return f"{column} + {_case(column, self.first, list(self.changes))}"


def offsets(time_zone: str, first: int, last: int) -> Offsets:
    """Find the changes of a zone's offset between two instants, with two days to spare on both sides.

    Examples:
        >>> summer = offsets("Europe/Vilnius", 1_740_000_000_000_000, 1_745_000_000_000_000)
        >>> summer.first // 3_600_000_000, [offset // 3_600_000_000 for _, offset in summer.changes]
        (2, [3])
    """
    zone = ZoneInfo(time_zone)
    moment, end = (
        _EPOCH + _MICROSECOND * min(max(at, _FIRST), _LAST) for at in (first - _MARGIN, last + _MARGIN)
    )
    start, changes = _offset(zone, moment), []
    while moment < end:
        after = min(moment + _STEP, end)
        if _offset(zone, after) != _offset(zone, moment):
            changes.append((_change(zone, moment, after) - _EPOCH) // _MICROSECOND)
        moment = after
    return Offsets(start, tuple((at, _offset(zone, _EPOCH + _MICROSECOND * at)) for at in changes))


def _case(column: str, first: int, branches: list[tuple[int, int]]) -> str:
    if not branches:
        return str(first)
    values = [first, *(offset for _, offset in branches)]
    whens = " ".join(
        f"when {column} < {at} then {value}" for (at, _), value in zip(branches, values, strict=False)
    )
    return f"case {whens} else {values[-1]} end"


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset()
    return (offset or timedelta()) // _MICROSECOND


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """Halve the span until the change is known to the second."""
    before = _offset(zone, low)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high
