"""Over which channels customers answer: clicks and uses among the events, counted bucket by bucket."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from actions.catalogue import CHANNELS
from actions.rules.channels import ANSWERING_EVENTS, ANSWERS_COUNT_DAYS
from features.visibility import Moment
from tables.calendar import BusinessCalendar
from tables.history import History
from tables.rows import Codes


def event_answers(history: History, *, as_of: date, calendar: BusinessCalendar) -> pd.DataFrame | None:
    """Count the events by which customers answered lately over a channel.

    Args:
        history: the validated history.
        as_of: only events that happened and were known before it count, of the last
            :data:`ANSWERS_COUNT_DAYS` days.
        calendar: where midnights lie.

    Returns:
        ``customer_id, channel, answers``, one row per customer and channel with an answer; nothing where the
        history has no events.
    """
    if not history.has("events"):
        return None
    since = calendar.midnight(as_of - timedelta(days=ANSWERS_COUNT_DAYS))
    moment = Moment.of(as_of, calendar)
    parts = [_of_bucket(history, bucket, moment, since) for bucket in range(history.buckets)]
    return pd.concat(parts, ignore_index=True)


def _of_bucket(history: History, bucket: int, moment: Moment, since: int) -> pd.DataFrame:
    rows = history.read("events", bucket, ["type"])
    kinds = rows.columns["type"]
    if not isinstance(kinds, Codes):
        raise TypeError(f"events.type is a text; found {type(kinds).__name__}")
    over = [ANSWERING_EVENTS.get(label) for label in kinds.labels]
    channel = np.array([CHANNELS.index(name) if name else -1 for name in (*over, None)])[kinds.codes]
    chosen = (channel >= 0) & (rows.at >= since) & moment.sees(rows)
    keys = rows.customer[chosen].astype(np.int64) * len(CHANNELS) + channel[chosen]
    found, answers = np.unique(keys, return_counts=True)
    return pd.DataFrame(
        {
            "customer_id": history.customer_ids(bucket)[found // len(CHANNELS)],
            "channel": np.array(CHANNELS, dtype=object)[found % len(CHANNELS)],
            "answers": answers,
        }
    )
