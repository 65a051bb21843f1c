"""The reading API: what stands in a workspace comes out of it, and nothing else happens."""

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.reading import Workspace
from tables.errors import ConfigError, DataError, RegistryError, SchemaError
from tables.lock import WorkspaceLock
from tables.publish import published, published_dates
from tables.storage import read_table
from tests.tables.conftest import Shop

ORDERS = "customer_id,order_id,ordered_at,amount,known_at"
CUSTOMERS = "customer_id,signed_up_at,email"


@pytest.fixture
def small(tmp_path: Path) -> Workspace:
    """Ann buys on days 1, 4 and 11, Bob on day 2; one of Ann's orders is known late, one row is broken."""
    shop = Shop(tmp_path)
    shop.deliver(
        "orders.csv",
        ORDERS,
        "ann,1,2025-01-01T10:00:00,5,2025-01-01T10:00:00",
        "ann,2,2025-01-04T10:00:00,5,2025-01-04T10:00:00",
        "ann,3,2025-01-11T10:00:00,5,2025-03-01T00:00:00",
        "bob,4,2025-01-02T10:00:00,7,2025-01-02T10:00:00",
        "bob,5,never,7,2025-01-02T10:00:00",
    )
    shop.deliver("customers.csv", CUSTOMERS, "ann,2024-12-30T00:00:00,ann@example.com")
    shop.settings = shop.settings.model_copy(update={"bad_row_limit": 0.5})
    shop.ingest(
        {
            "orders": [shop.source("orders.csv", ORDERS)],
            "customers": [shop.source("customers.csv", CUSTOMERS)],
        }
    )
    return Workspace.open(tmp_path)


def files_of(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def test_pauses_are_days_between_neighbouring_purchase_days(small: Workspace) -> None:
    assert small.past("2025-02-01").pauses().to_dict("list") == {
        "gap_days": [3],
        "pauses": [1],
        "share_at_most": [1.0],
    }
    assert small.past("2025-03-02").pauses()["gap_days"].tolist() == [3, 7]


def test_the_past_hides_what_was_known_later(small: Workspace) -> None:
    assert small.past("2025-02-01").table("orders")["order_id"].tolist() == ["1", "2", "4"]
    assert small.past(date(2025, 3, 2)).table("orders")["order_id"].tolist() == ["1", "2", "3", "4"]


def test_days_without_rows_are_counted_as_none(small: Workspace) -> None:
    counted = small.past("2025-02-01").rows_per_day().query("table == 'orders'")
    assert counted["day"].dt.day.tolist() == [1, 2, 3, 4]
    assert counted["rows"].tolist() == [1, 1, 0, 1]


def test_tables_say_how_many_rows_of_how_many_customers(small: Workspace) -> None:
    told = small.past("2025-02-01").tables().set_index("table").loc["orders"]
    assert told.tolist() == [3, 2, pd.Timestamp("2025-01-01"), pd.Timestamp("2025-01-04")]


def test_put_aside_names_the_reason_and_counts(small: Workspace) -> None:
    [row] = small.past("2025-02-01").put_aside().to_dict("records")
    assert (row["table"], row["kind"], row["rows"]) == ("orders", "quarantine", 1)
    assert small.past("2025-02-01").ingests()["bad_rows"].sum() == 1


def test_contact_fields_cannot_be_read(small: Workspace) -> None:
    customers = small.past("2025-02-01").table("customers")
    assert list(customers.columns) == ["customer_id", "signed_up_at"]
    assert str(customers["signed_up_at"][0]) == "2024-12-30 00:00:00+00:00"


def test_an_unknown_table_is_refused_by_name(small: Workspace) -> None:
    with pytest.raises(SchemaError, match="no table 'tickets' of customers' rows; found"):
        small.past("2025-02-01").table("tickets")


def test_nothing_published_yet_says_what_to_run(small: Workspace, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no night is published yet\. Run `keepwell nightly` first"):
        small.night()
    with pytest.raises(DataError, match="no night is published yet"):
        small.nights()
    with pytest.raises(RegistryError, match=r"no model was promoted yet\. Run `keepwell retrain` first"):
        small.model()
    with pytest.raises(DataError, match=r"no workspace here; found no history\. Run `keepwell demo`"):
        Workspace.open(tmp_path / "elsewhere")


def test_a_night_that_was_not_published_is_named(demo_made: Path) -> None:
    workspace = Workspace.open(demo_made)
    with pytest.raises(DataError, match="1999-01-01 was not published; the newest nights are"):
        workspace.night("1999-01-01")
    with pytest.raises(ConfigError, match=r"'yesterday' is no date\. Write it as 2026-11-21"):
        workspace.night("yesterday")


def test_reading_needs_no_lock_and_leaves_everything_as_it_was(demo_made: Path) -> None:
    before = files_of(demo_made)
    with WorkspaceLock(demo_made, purpose="test"):
        workspace = Workspace.open(demo_made)
        assert len(workspace.nights()) == 2
        assert len(workspace.past().tables()) > 0
        assert len(workspace.model().metrics()) > 1
        assert len(workspace.night().importances(20)) == len(workspace.model().features())
    after = files_of(demo_made)
    assert before.keys() == after.keys()
    assert [path for path in before if before[path] != after[path]] in (
        [],
        [str(demo_made / "workspace.lock")],
    )


@pytest.mark.parametrize("night", [0, 1])
def test_recomputed_reasons_are_those_that_were_published(demo_made: Path, night: int) -> None:
    reader = Workspace.open(demo_made).night(published_dates(demo_made)[night])
    planned = reader.plan().query("risk_source == 'model' and planned_action != 'none'").head(30)
    told = reader.reasons(*planned["customer_id"])
    first = told[told["place"] == 1].set_index("customer_id")["sentence"]
    assert first.reindex(planned["customer_id"]).fillna("").tolist() == planned["reason_1"].tolist()
    assert (told["share"] > 0).all()
    risk = told["customer_id"].map(planned.set_index("customer_id")["churn_risk"])
    assert (told["risk_without"] < risk).all()


def test_reasons_come_in_each_language(demo_made: Path) -> None:
    night = Workspace.open(demo_made).night()
    [planned] = night.plan().query("reason_1 != ''").head(1)["customer_id"]
    told = {code: night.reasons(planned, most=1, language=code).iloc[0] for code in ("en", "zh", "lt")}
    assert len({each["sentence"] for each in told.values()}) == 3
    assert told["en"]["change"].startswith("without it the risk would be")
    with pytest.raises(ConfigError, match="no words in 'fr'"):
        night.reasons(planned, language="fr")


def test_no_reasons_where_the_model_does_not_speak(demo_made: Path) -> None:
    night = Workspace.open(demo_made).night()
    lapsed = night.scores().query("risk_source != 'model'")["customer_id"].iloc[0]
    with pytest.raises(DataError, match=f"does not speak for \\['{lapsed}'\\]"):
        night.reasons(lapsed)


def test_changes_are_differences_of_two_published_nights(demo_made: Path) -> None:
    first, second = published_dates(demo_made)
    workspace = Workspace.open(demo_made)
    changes = workspace.night(second).changes()
    risks = [
        read_table(manifest.table("scores")).set_index("customer_id")["churn_risk"]
        for day in (first, second)
        if (manifest := published(demo_made, day)) is not None
    ]
    top = changes.iloc[0]
    assert top["change"] == risks[1][top["customer_id"]] - risks[0][top["customer_id"]]
    assert (np.diff(changes["change"].abs()) <= 0).all()
    assert workspace.night(first).changes().empty


def test_arms_add_up_to_everybody_who_was_scored(demo_made: Path) -> None:
    night = Workspace.open(demo_made).night()
    arms = night.control().set_index("arm")
    assert arms["customers"].sum() == len(night.scores())
    assert arms["expected_cost"].sum() == pytest.approx(night.actions()["cost"].sum())
    assert arms.loc[["control", "none"], "expected_cost"].eq(0).all()


def test_customers_at_risk_come_with_action_and_reasons(demo_made: Path) -> None:
    listed = Workspace.open(demo_made).night().at_risk(10)
    assert listed["value_at_risk"].is_monotonic_decreasing
    assert (listed["churn_risk"] > 0.5).all()
    assert listed["tonight"].ne("").all()
    assert listed["reasons"].ne("").any()


def test_blocked_pairs_are_counted_per_action(demo_made: Path) -> None:
    night = Workspace.open(demo_made).night()
    blocked = night.blocked()
    assert (blocked["eligible"] <= len(night.scores())).all()
    planned = night.actions().set_index("action")["planned"]
    assert (planned <= blocked["eligible"].reindex(planned.index)).all()
    assert night.left_out()["customers"].gt(0).all()
    assert set(night.resting()["action"]).isdisjoint(blocked.index)


def test_slices_part_the_customers_who_were_judged(demo_made: Path) -> None:
    model = Workspace.open(demo_made).model()
    judged = model.figures().set_index("figure").loc["customers judged", "value"]
    slices = model.slices()
    assert slices.groupby("slicing")["n"].sum().to_dict() == {"segment": judged, "tenure": judged}
    assert (slices["churn_rate_low"] <= slices["churn_rate"]).all()
    assert (slices["churn_rate"] <= slices["churn_rate_high"]).all()


def test_the_level_ends_with_the_published_nights(demo_made: Path) -> None:
    workspace = Workspace.open(demo_made)
    level = workspace.model().level()
    assert level["forecast"].dropna().tolist() == workspace.nights()["level"].tolist()
    assert level["as_of"].is_monotonic_increasing
    assert level["churned"].notna().sum() == len(level) - 2


def test_a_changed_model_is_not_read(demo_made: Path, tmp_path: Path) -> None:
    shutil.copytree(demo_made / "champion", tmp_path / "champion")
    (tmp_path / "history").mkdir()
    card = tmp_path / "champion/1/artifacts/churn/card.json"
    card.write_text(card.read_text().replace("0.", "0.9", 1))
    with pytest.raises(RegistryError, match="not the files that were promoted"):
        Workspace.open(tmp_path).model().metrics()
