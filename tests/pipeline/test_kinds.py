from datetime import date

import numpy as np
import pandas as pd

from models.reference import DateReference
from pipeline.kinds import kind_of
from pipeline.snapshots import DateFrame
from tables.calendar import OutcomeRule

AS_OF = date(2025, 3, 1)
NAN = np.nan


def frame(in_population: list[bool], **columns: list[float]) -> DateFrame:
    reference = DateReference(AS_OF, 30, 1, {}, None, 0.5, {})
    features = pd.DataFrame(columns, dtype=np.float32)
    return DateFrame(AS_OF, np.arange(len(features)), features, np.array(in_population), reference)


def test_shoppers_stand_where_their_orders_put_them() -> None:
    kind = kind_of(OutcomeRule(horizon_days=30, active_within_days=90))
    shoppers = frame(
        [True, True, True, True, False, False],
        purchase_days_total=[5, 5, 5, 1, 2, 0],
        days_since_last_over_own_gap=[1.0, 1.6, 1.0, NAN, 9.0, NAN],
        gap_days_last=[20, 20, 91, NAN, 30, NAN],
        days_since_first_order=[300, 300, 300, 59, 300, NAN],
    )
    standing = ["active", "at_risk", "returned", "new", "lapsed", "never_bought"]
    assert kind.lifecycles(shoppers).tolist() == standing
    assert kind.foreseen(shoppers).tolist() == [False] * 4 + [True, False]


def test_subscribers_stand_where_their_contracts_put_them() -> None:
    kind = kind_of(OutcomeRule(horizon_days=30, grace_days=7))
    columns = {
        "subscriptions_total": [1, 1, 2, 1, 1, 0],
        "subscription_pauses": [0, 0, 1, 0, 0, 0],
        "days_since_first_subscription": [300, 300, 300, 59, 300, NAN],
    }
    running = [True, True, True, True, False, False]
    subscribers = frame(running, **columns, days_to_renewal=[5, -1, NAN, 20, NAN, NAN])
    standing = ["active", "at_risk", "returned", "new", "lapsed", "never_subscribed"]
    assert kind.lifecycles(subscribers).tolist() == standing
    assert kind.lifecycles(frame(running, **columns))[1] == "active"  # no renewal dates at all
    assert not kind.foreseen(subscribers).any()


def test_the_page_says_who_left_in_either_case() -> None:
    silence = kind_of(OutcomeRule(horizon_days=30, active_within_days=90)).definition()
    assert silence == (
        "no order in the 30 days from that date, among customers with an order in the 90 days before it"
    )
    assert (
        "no other one runs or begins within 7 days,"
        in kind_of(OutcomeRule(horizon_days=30, grace_days=7)).definition()
    )
    assert "within 1 day," in kind_of(OutcomeRule(horizon_days=30, grace_days=1)).definition()
    assert "begins on the same day," in kind_of(OutcomeRule(horizon_days=30, grace_days=0)).definition()
