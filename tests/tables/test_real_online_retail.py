"""The traps of two real data sets, counted, and the snapshots they lead to."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from tables.calendar import NEVER, BusinessCalendar
from tables.history import History
from tables.ingest import ingest
from tables.report import IngestReport
from tables.sources import IngestSettings, Source

pytestmark = pytest.mark.real
NOW = 1_800_000_000_000_000
LONDON = BusinessCalendar("Europe/London")
NEW_YORK = BusinessCalendar("America/New_York")


def online_retail(folder: Path, *, only_products: bool, duplicates: str) -> Source:
    filters = [
        {"name": "no_customer", "column": "Customer ID", "not_null": True},
        {"name": "price_not_positive", "column": "Price", "above": 0},
    ]
    if only_products:
        filters.append({"name": "no_product", "column": "StockCode", "matches": "^[0-9]{5}"})
    return Source.model_validate(
        {
            "path": str(folder / "online_retail_ii/*.parquet"),
            "grain": "line",
            "columns": {
                "customer_id": "Customer ID",
                "order_id": "Invoice",
                "ordered_at": "InvoiceDate",
                "product_id": "StockCode",
                "description": "Description",
                "quantity": "Quantity",
                "unit_price": "Price",
                "region": "Country",
            },
            "filters": filters,
            "returns": [
                {"name": "cancellation", "column": "Invoice", "starts_with": "C"},
                {"name": "quantity_not_positive", "column": "Quantity", "at_most": 0},
            ],
            "duplicates": duplicates,
        }
    )


def complete_journey(folder: Path) -> Source:
    return Source.model_validate(
        {
            "path": str(folder / "completejourney/transactions.parquet"),
            "grain": "line",
            "columns": {
                "customer_id": "household_id",
                "order_id": "basket_id",
                "ordered_at": "transaction_timestamp",
                "product_id": "product_id",
                "quantity": "quantity",
                "amount": "sales_value",
                "discount": "retail_disc",
            },
            "lookups": [
                {
                    "path": str(folder / "completejourney/products.parquet"),
                    "on": {"product_id": "product_id"},
                    "columns": {"category": "product_category"},
                }
            ],
        }
    )


def taken_in(source: Source, root: Path, calendar: BusinessCalendar) -> IngestReport:
    return ingest({"orders": [source]}, root=root, calendar=calendar, now=NOW, settings=IngestSettings())


def population(
    root: Path, calendar: BusinessCalendar, as_of: date, active: int, horizon: int
) -> tuple[int, float]:
    """Return how many were active before a snapshot and the share of them without an order after it."""
    history = History.open(root)
    orders = history.read("orders", 0)
    cutoff = calendar.midnight(as_of)
    seen = (orders.known_at < cutoff) & (cutoff <= orders.superseded_at)
    recent = orders.at >= calendar.midnight(as_of - timedelta(days=active))
    active_ones = np.unique(orders.customer[seen & recent & (orders.at < cutoff)])
    later = (orders.superseded_at == NEVER) & (orders.at >= cutoff)
    ends = calendar.midnight(as_of + timedelta(days=horizon))
    buyers = np.unique(orders.customer[later & (orders.at < ends)])
    return len(active_ones), 1 - float(np.isin(active_ones, buyers).mean())


def test_each_trap_of_online_retail_is_counted(real_data, tmp_path):
    source = online_retail(real_data, only_products=True, duplicates="drop")
    report = taken_in(source, tmp_path, LONDON)
    found, table = report.sources[0], report.tables["orders"]
    assert found.rows == 1_067_371
    assert {name: count.matches for name, count in found.filters.items()} == {
        "no_customer": 243_007,
        "price_not_positive": 6_207,
        "no_product": 6_093,
    }
    assert (table.across_files, table.within_files) == (22_523, 11_812)
    assert table.within_files_amount == pytest.approx(54_228.42)
    n, churn = population(tmp_path, LONDON, date(2011, 9, 10), 180, 90)
    assert n == 2_783
    assert churn == pytest.approx(0.382, abs=0.0005)
    assert not taken_in(source, tmp_path, LONDON).changed


def test_online_retail_without_two_filters_gives_four_more(real_data, tmp_path):
    taken_in(online_retail(real_data, only_products=False, duplicates="keep"), tmp_path, LONDON)
    assert population(tmp_path, LONDON, date(2011, 9, 10), 180, 90)[0] == 2_787


def test_complete_journey_gives_its_two_populations(real_data, tmp_path):
    report = taken_in(complete_journey(real_data), tmp_path, NEW_YORK)
    assert report.sources[0].rows == 1_469_307
    assert report.customers == 2_469
    assert population(tmp_path, NEW_YORK, date(2017, 12, 3), 84, 28) == (
        2_306,
        pytest.approx(0.147, abs=0.0005),
    )
    assert population(tmp_path, NEW_YORK, date(2017, 12, 17), 84, 14) == (
        2_310,
        pytest.approx(0.271, abs=0.0005),
    )
    lines = History.open(tmp_path).read("lines", 0, ("category",))
    assert "FLUID MILK PRODUCTS" in lines.columns["category"].labels
