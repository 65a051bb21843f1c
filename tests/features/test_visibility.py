from datetime import date

import numpy as np

from features.visibility import Moment, differing_customers, select_customers, unsettled_rows
from tables.calendar import DAY, HOUR, NEVER, BusinessCalendar
from tables.rows import Codes, Rows

AS_OF = date(2025, 3, 1)
MIDNIGHT = BusinessCalendar("UTC").midnight(AS_OF)


def rows_of(*rows: tuple[int, int, int, int], **columns) -> Rows:
    customer, at, known_at, superseded_at = (
        np.array(values, dtype=np.int64) for values in zip(*rows, strict=True)
    )
    return Rows("orders", 4, customer.astype(np.int32), at, known_at, superseded_at, columns)


def test_only_late_and_corrected_customers_differ() -> None:
    calendar = BusinessCalendar("UTC")
    early = MIDNIGHT - 10 * DAY
    rows = rows_of(
        (0, early, early, NEVER),
        (1, early, MIDNIGHT, NEVER),
        (2, early, early, MIDNIGHT),
        (2, early, MIDNIGHT, NEVER),
        (3, early, early, MIDNIGHT - 1),
        (3, early, MIDNIGHT - 1, NEVER),
    )
    unsettled = unsettled_rows(rows, calendar)
    assert unsettled.customer.tolist() == [1, 2, 2, 3, 3]
    assert differing_customers(unsettled, Moment.of(AS_OF, calendar)).tolist() == [1, 2]


def test_a_row_at_midnight_is_neither_seen_nor_differing() -> None:
    calendar = BusinessCalendar("UTC")
    rows = rows_of((0, MIDNIGHT, MIDNIGHT - DAY, NEVER), (1, MIDNIGHT, MIDNIGHT + 1, NEVER))
    moment = Moment.of(AS_OF, calendar)
    assert moment.sees(rows).tolist() == [False, False]
    assert differing_customers(rows, moment).tolist() == []


def test_known_offset_waits_for_rows_of_the_night() -> None:
    patient = BusinessCalendar("UTC", known_offset_hours=6)
    rows = rows_of(
        (0, MIDNIGHT - 1, MIDNIGHT + 6 * HOUR - 1, NEVER), (1, MIDNIGHT - 1, MIDNIGHT + 6 * HOUR, NEVER)
    )
    moment = Moment.of(AS_OF, patient)
    assert moment.sees(rows).tolist() == [True, False]
    assert differing_customers(unsettled_rows(rows, patient), moment).tolist() == [1]


def test_selected_customers_are_numbered_anew() -> None:
    codes = Codes(np.array([0, 1, -1], dtype=np.int32), ("a", "b"))
    rows = rows_of((0, 1, 1, NEVER), (1, 2, 2, NEVER), (3, 3, 3, NEVER), product_id=codes)
    chosen = select_customers(rows, np.array([1, 2, 3]))
    assert chosen.customers == 3
    assert chosen.customer.tolist() == [0, 2]
    assert chosen.columns["product_id"].codes.tolist() == [1, -1]
