"""Over which channel an action reaches each customer: as they asked, else where they answer, else what is open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from actions.catalogue import CHANNELS, Action, Channel
from actions.rules.standing import ChannelCodes, Night, PastContacts, channel_codes, require_columns

ANSWERS_COUNT_DAYS = 180
ANSWERING_EVENTS: Mapping[str, Channel] = {
    "email_click": "email",
    "sms_click": "sms",
    "push_open": "push",
    "app_use": "in_app",
}
"""Types of events that answer over a channel. A mail that was opened is none: mail programs open by themselves."""

_PERSONAL: tuple[Channel, ...] = ("email", "sms", "push", "in_app", "chat", "phone", "post")
"""Every channel to one person, in the order in which ``preferred`` tries them after the default."""


def answer_counts(answers: pd.DataFrame | None, past: PastContacts, night: Night) -> npt.NDArray[np.int64]:
    """Count how often each customer answered lately over each channel: by events, and by what was redeemed.

    Args:
        answers: ``customer_id, channel, answers`` (count of the last :data:`ANSWERS_COUNT_DAYS` days); None
            where there are no events.
        past: earlier contacts; one that was redeemed is an answer over its channel.
        night: the customers.

    Returns:
        One row per customer, one column per channel of ``CHANNELS``.
    """
    counts = past.redeemed_over(ANSWERS_COUNT_DAYS)
    if answers is not None:
        require_columns(answers, ["customer_id", "channel", "answers"], table="answers")
        customer, channel = night.positions(answers["customer_id"]), channel_codes(answers["channel"])
        known = (customer >= 0) & (channel >= 0)
        np.add.at(counts, (customer[known], channel[known]), answers["answers"].to_numpy(np.int64)[known])
    return counts


@dataclass(frozen=True)
class Reach:
    """How each customer can be reached tonight; positions and columns are those of ``CHANNELS``.

    Attributes:
        stated: (n,) the channel each customer asks for; -1 where none.
        answers: (n, channels) how often they answered lately.
        consent: (n, channels) whether they agree to marketing over it.
        full: (n, channels) whether its caps are used up.
        ticket: (n,) channel of the newest open ticket; -1 where none.
        default: tried first where ``preferred`` meets neither a stated channel nor answers.
    """

    stated: ChannelCodes
    answers: npt.NDArray[np.int64]
    consent: npt.NDArray[np.bool_]
    full: npt.NDArray[np.bool_]
    ticket: ChannelCodes
    default: Channel

    def channel_of(self, action: Action) -> ChannelCodes:
        """Pick the channel of an action for each customer.

        Of its channels those come first that consent (for marketing) and caps leave open; of these the one
        the customer asks for, then the one they answer on most, then the first of the list. Where none is open the
        same order holds, and the rules say why the pair is blocked.
        """
        if action.channel == ("ticket",):
            return np.where(self.ticket >= 0, self.ticket, self._picked(self._personal(), action))
        listed = self._personal() if action.channel == ("preferred",) else action.channel
        return self._picked(listed, action)

    def _personal(self) -> tuple[str, ...]:
        return (self.default, *(channel for channel in _PERSONAL if channel != self.default))

    def _picked(self, listed: Sequence[str], action: Action) -> ChannelCodes:
        codes = np.array([CHANNELS.index(channel) for channel in listed], dtype=np.int8)
        if len(codes) == 1:
            return np.full(len(self.stated), codes[0], dtype=np.int8)
        is_open = ~self.full[:, codes]
        if action.purpose == "marketing":
            is_open &= self.consent[:, codes]
        asked = self.stated[:, None] == codes
        # argmax takes the first of equals: the order of the list decides last.
        most_answers = int(self.answers.max(initial=0)) + 1
        score = (2 * is_open + asked) * most_answers + self.answers[:, codes]
        return np.asarray(codes[np.argmax(score, axis=1)])
