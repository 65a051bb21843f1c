"""A record's fields become known one after the other, each in the file of its own day."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.shop.baskets import DAY
from pipeline.shop.timelines import Records, unfinished, versions

INSTANTS = ("begins", "answered", "ends")
RECORD = np.dtype([("begins", "i8"), ("answered", "i8"), ("ends", "i8"), ("known_at", "i8")])


def record(*instants: int) -> Records:
    return np.array([(*instants, 0)], RECORD)


def test_a_version_holds_nothing_after_its_day() -> None:
    ticket = record(3 * DAY + 5, 3 * DAY + 9, 7 * DAY + 2)
    first, last = versions(ticket, INSTANTS, 3), versions(ticket, INSTANTS, 7)
    assert first.tolist() == [(3 * DAY + 5, 3 * DAY + 9, 0, 3 * DAY + 9)]
    assert last.tolist() == [(3 * DAY + 5, 3 * DAY + 9, 7 * DAY + 2, 7 * DAY + 2)]
    assert all(len(versions(ticket, INSTANTS, day)) == 0 for day in (2, 4, 6, 8))


def test_a_record_is_finished_after_its_last_instant() -> None:
    ticket = record(3 * DAY + 5, 0, 7 * DAY)
    assert [bool(unfinished(ticket, INSTANTS, day)[0]) for day in (3, 6, 7)] == [True, True, False]


@given(waits=st.lists(st.integers(0, 5 * DAY), min_size=2, max_size=2), never=st.booleans())
def test_the_last_version_is_the_whole_record(waits: list[int], never: bool) -> None:
    begins = 10 * DAY
    answered = begins + waits[0]
    ends = 0 if never else answered + waits[1]
    told = [versions(record(begins, answered, ends), INSTANTS, day) for day in range(9, 25)]
    rows = np.concatenate(told)
    assert rows[-1].tolist()[:3] == (begins, answered, ends)
    assert (np.diff(rows["known_at"]) > 0).all()
    assert all(max(row.tolist()[:3]) == row["known_at"] for row in rows)
