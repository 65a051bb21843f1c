"""Days pass in the simulated shop: both outcomes of every customer are known and come true."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.shop.rows import DayRows
from pipeline.shop.settings import ShopSettings
from pipeline.shop.state import ShopState
from pipeline.shop.stepper import advance, simulate_history
from pipeline.shop.truth import potential_outcomes, truth
from tables.errors import DataError, SchemaError

SETTINGS = ShopSettings(customers=400, first_day=date(2025, 1, 1), new_customers_per_year=0.5)
UNTIL = date(2025, 9, 1)
HORIZON = 30


@pytest.fixture(scope="module")
def history() -> tuple[ShopState, DayRows]:
    return simulate_history(SETTINGS, UNTIL, seed=11)


def plan_for(state: ShopState, customers: list[str], action: str, arm: str = "sent") -> pd.DataFrame:
    return pd.DataFrame(
        {"customer_id": customers, "action": action, "arm": arm, "as_of": pd.Timestamp(state.day)}
    )


def days_after(state: ShopState, plan: pd.DataFrame | None, days: int) -> pd.DataFrame:
    """Return all purchases of the coming days, each line once, whichever day's file carries it."""
    found = []
    first = pd.Timestamp(state.day)
    for step in range(days + 6):  # rows come up to five days late
        state, rows = advance(state, plan if step == 0 else None)
        found.append(rows.orders)
    orders = pd.concat(found)
    orders = orders[~orders["is_return"] & (orders["ordered_at"] >= first)]
    return orders[orders["ordered_at"] < first + pd.Timedelta(days=days)]


def test_potential_outcomes_come_true_for_those_sent_and_not(history: tuple[ShopState, DayRows]) -> None:
    state, rows = history
    both = potential_outcomes(state, "personal_offer", HORIZON).set_index("customer_id")
    treated = rows.customers["customer_id"][::2].to_list()
    bought = days_after(state, plan_for(state, treated, "personal_offer"), HORIZON)["customer_id"].unique()
    churned = pd.Series(~both.index.isin(bought), index=both.index).astype("int8")
    expected = both["churned_without"].where(~both.index.isin(treated), both["churned_with"])
    assert churned.tolist() == expected.tolist()
    assert both["churned_with"].sum() < both["churned_without"].sum()


def test_an_action_changes_nothing_for_anybody_else(history: tuple[ShopState, DayRows]) -> None:
    state, _ = history
    plain = days_after(state, None, 20)
    moved = days_after(state, plan_for(state, ["C0000007"], "service_recovery_call"), 20)
    others = plain[plain["customer_id"] != "C0000007"].sort_values(["order_id", "line_no", "amount"])
    same = moved[moved["customer_id"] != "C0000007"].sort_values(["order_id", "line_no", "amount"])
    pd.testing.assert_frame_equal(others.reset_index(drop=True), same.reset_index(drop=True))


def test_an_action_moves_no_table_of_anybody_else(history: tuple[ShopState, DayRows]) -> None:
    plain = moved = history[0]
    plan: pd.DataFrame | None = plan_for(plain, ["C0000007"], "surprise_gift")
    for _ in range(25):
        plain, rows = advance(plain)
        moved, other_rows = advance(moved, plan)
        plan = None
        for name, table in rows.tables().items():
            pair = [table, other_rows.tables()[name]]
            if "customer_id" in table:
                pair = [each[each["customer_id"] != "C0000007"] for each in pair]
            pd.testing.assert_frame_equal(*(each.reset_index(drop=True) for each in pair))
    others = np.arange(len(plain.people)) != 7
    assert (plain.mood.warmth == moved.mood.warmth).all()
    assert (plain.ties.until[others] == moved.ties.until[others]).all()


def test_the_harmful_action_only_drives_customers_away(history: tuple[ShopState, DayRows]) -> None:
    both = potential_outcomes(history[0], "survey_invite", 60)
    assert (both["churned_with"] >= both["churned_without"]).all()
    assert both["churned_with"].sum() > both["churned_without"].sum()


def test_controls_and_none_are_not_contacted(history: tuple[ShopState, DayRows]) -> None:
    state, _ = history
    plan = pd.concat(
        [
            plan_for(state, ["C0000001"], "points_bonus"),
            plan_for(state, ["C0000002"], "points_bonus", arm="control"),
            plan_for(state, ["C0000003"], "none"),
            plan_for(state, ["C0000004"], "points_bonus", arm="explored"),
        ]
    )
    ours = advance(state, plan)[1].contacts.query("team == 'keepwell'")
    assert ours[["customer_id", "arm"]].to_numpy().tolist() == [
        ["C0000001", "sent"],
        ["C0000004", "explored"],
    ]


def test_redeemed_offers_cost_margin_and_return_to_the_log(history: tuple[ShopState, DayRows]) -> None:
    state, rows = history
    plan: pd.DataFrame | None = plan_for(state, rows.customers["customer_id"].to_list(), "personal_offer")
    log = []
    for _ in range(15):
        state, day = advance(state, plan)
        log.append(day.contacts.query("team == 'keepwell'"))
        plan = None
    contacts = pd.concat(log)
    redeemed = contacts[contacts["redeemed_at"].notna()]
    assert len(redeemed) > 20
    assert not redeemed["contact_id"].duplicated().any()
    assert (redeemed["redeemed_at"] >= redeemed["sent_at"]).all()
    assert (redeemed["cost"] > 0.05).all()
    assert redeemed["contact_id"].isin(contacts[contacts["redeemed_at"].isna()]["contact_id"]).all()
    assert 0.9 < (contacts["status"] == "delivered").mean() < 1


def test_files_carry_late_corrected_returned_and_repeated_rows(history: tuple[ShopState, DayRows]) -> None:
    orders = history[1].orders
    assert (orders["known_at"] >= orders["ordered_at"]).all()
    assert (orders["known_at"] < pd.Timestamp(UNTIL)).all()
    assert orders.duplicated().sum() > 5
    key = ["order_id", "line_no"]
    versions = orders.drop_duplicates().groupby(key)["amount"].nunique()
    assert (versions > 1).sum() > 5
    late = orders.drop_duplicates(key).eval("known_at - ordered_at")
    assert late[late > pd.Timedelta(0)].between(pd.Timedelta(days=1), pd.Timedelta(days=5)).mean() > 0.9
    returned = orders[orders["is_return"]]
    assert (returned["amount"] < 0).all()
    assert returned["order_id"].isin(orders[~orders["is_return"]]["order_id"]).mean() > 0.95


def test_each_day_brings_only_rows_known_by_then(history: tuple[ShopState, DayRows]) -> None:
    state, _ = history
    for _ in range(10):
        day = pd.Timestamp(state.day)
        state, rows = advance(state)
        assert (rows.orders["known_at"] < day + pd.Timedelta(days=1)).all()
        first_seen = ~rows.orders.duplicated()
        assert (rows.orders["known_at"][first_seen] >= day).mean() > 0.9


def test_newcomers_order_on_the_day_they_sign_up(history: tuple[ShopState, DayRows]) -> None:
    customers, orders = history[1].customers, history[1].orders
    signed_up = customers.set_index("customer_id")["signed_up_at"]
    new = signed_up[signed_up >= pd.Timestamp(SETTINGS.first_day)].dt.normalize()
    first = orders.groupby("customer_id")["ordered_at"].min().dt.normalize()
    assert len(new) == pytest.approx(400 * 0.5 * 243 / 365, abs=40)
    assert (first.reindex(new.index).dropna() == new.loc[first.reindex(new.index).dropna().index]).all()


def test_a_saved_shop_goes_on_as_if_never_stopped(history: tuple[ShopState, DayRows], tmp_path: Path) -> None:
    state, _ = history
    middle, _ = advance(state, plan_for(state, ["C0000001", "C0000002"], "bundle_offer"))
    middle.save(tmp_path)
    straight, rows = advance(middle)
    loaded = ShopState.load(tmp_path)
    for name, kept in middle.ties.arrays().items():
        assert loaded.ties.arrays()[name].tolist() == kept.tolist(), name
        assert len(kept) > 0
    resumed, same_rows = advance(loaded)
    pd.testing.assert_frame_equal(truth(straight), truth(resumed))
    for name, table in rows.tables().items():
        pd.testing.assert_frame_equal(table, same_rows.tables()[name])


def test_churn_is_learnable_but_not_trivial() -> None:
    until = date(2026, 4, 17)
    state, rows = simulate_history(ShopSettings(), until, seed=3)
    purchases = rows.orders[~rows.orders["is_return"]]
    days = (pd.Timestamp(until) - purchases.groupby("customer_id")["ordered_at"].max()).dt.days
    both = potential_outcomes(state, "charity_match", 45).set_index("customer_id")
    churned = both["churned_without"].loc[days[days < 90].index]
    assert 0.2 < churned.mean() < 0.4
    rank = days[days < 90].rank()
    n_churned = int(churned.sum())
    auc = (rank[churned == 1].sum() - n_churned * (n_churned + 1) / 2) / (
        n_churned * (len(churned) - n_churned)
    )
    assert 0.7 < auc < 0.85


def test_truth_tells_hazard_and_rate_of_every_customer(history: tuple[ShopState, DayRows]) -> None:
    state, _ = history
    table = truth(state)
    assert len(table) == len(state.people)
    assert table["hazard"].between(0, 1, inclusive="neither").all()
    treated = advance(state, plan_for(state, ["C0000005"], "surprise_gift"))[0]
    untreated = advance(state)[0]
    change = truth(treated)["hazard"] / truth(untreated)["hazard"]
    assert np.flatnonzero(change < 1).tolist() == [5]


def test_a_plan_for_another_day_or_strangers_is_refused(history: tuple[ShopState, DayRows]) -> None:
    state, _ = history
    plan = plan_for(state, ["C9999999", "Zoe"], "personal_offer")
    with pytest.raises(DataError, match="2 unknown customers"):
        advance(state, plan)
    with pytest.raises(DataError, match=r"next day is 2025-09-01; found a plan as of 2025-09-02"):
        advance(state, plan_for(state, ["C0000001"], "x").assign(as_of=UNTIL + timedelta(days=1)))
    with pytest.raises(DataError, match="no true effect is known for actions"):
        advance(state, plan_for(state, ["C0000001"], "magic"))
    with pytest.raises(SchemaError, match="no column 'arm'"):
        advance(state, plan.drop(columns="arm"))


def test_a_history_must_end_after_it_starts() -> None:
    with pytest.raises(DataError, match="no day to simulate"):
        simulate_history(SETTINGS, SETTINGS.first_day, seed=1)


def test_loading_from_an_empty_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no saved shop"):
        ShopState.load(tmp_path)
