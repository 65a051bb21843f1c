"""How a shop's files differ from what happened: late rows, corrected rows, rows written twice."""

import numpy as np

from pipeline.shop.baskets import DAY, Lines
from pipeline.shop.draws import Draws, Integers
from pipeline.shop.settings import ShopSettings

_NUMBER_OF_LINE = 1_000


def untidy(lines: Lines, day: int, *, draws: Draws, settings: ShopSettings) -> Lines:
    """Return the day's lines as files will carry them, each with the day of the file in ``released_on``.

    An order's lines may be known late together; a line may get a second version with another amount; an
    order may be written twice, in the same file or again in the next one.
    """
    late = _late(lines, day, draws, settings)
    repeated = _repeated(late, day, draws, settings)
    return np.concatenate([late, repeated, _corrected(late, day, draws, settings)])


def _late(lines: Lines, day: int, draws: Draws, settings: ShopSettings) -> Lines:
    customer, order_no = lines["customer"], lines["order_no"]
    is_late = draws.uniform("late", customer, day, order_no) < settings.late_orders
    delay = 1 + np.floor(draws.uniform("delay", customer, day, order_no) * 5).astype(np.int64)
    return _postponed(lines, np.where(is_late, delay, 0))


def _repeated(lines: Lines, day: int, draws: Draws, settings: ShopSettings) -> Lines:
    luck = draws.uniform("repeat", lines["customer"], day, lines["order_no"])
    copies = lines[luck < settings.repeated_orders].copy()
    in_next_file = luck[luck < settings.repeated_orders] < settings.repeated_orders / 2
    copies["released_on"] += in_next_file
    return copies


def _corrected(lines: Lines, day: int, draws: Draws, settings: ShopSettings) -> Lines:
    number = lines["order_no"].astype(np.int64) * _NUMBER_OF_LINE + lines["line_no"]
    luck = draws.uniform("correction", lines["customer"], day, number)
    chosen = luck < settings.corrected_lines
    share = draws.uniform("correct amount", lines["customer"], day, number)[chosen]
    wait = 1 + np.floor(draws.uniform("correction delay", lines["customer"], day, number) * 14)[chosen]
    corrected = _postponed(lines[chosen], wait.astype(np.int64))
    corrected["amount"] = np.maximum(np.round(corrected["amount"] * (0.5 + share)), 1)
    return corrected


def _postponed(lines: Lines, days: Integers) -> Lines:
    later = lines.copy()
    later["known_at"] += days * DAY
    later["released_on"] += days.astype(np.int32)
    return later
