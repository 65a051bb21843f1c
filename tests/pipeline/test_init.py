import json
from pathlib import Path

import pytest

from pipeline.config import load_config
from pipeline.init import guess, render
from tables.errors import DataError, SchemaError
from tests.command_line import keepwell

CATALOGUE = Path(__file__).parents[2] / "configs/actions.yaml"


def write_orders(folder: Path, header: str = "Customer ID,Invoice,InvoiceDate,Quantity,Price") -> Path:
    rows = [
        f"{customer},A{customer}{month},2025-{month:02d}-{day:02d} 10:00:00,{quantity},9.50"
        for customer, day in ((1, 3), (2, 14), (3, 25))
        for month, quantity in zip(range(1, 13), [2] * 11 + [-1], strict=True)
    ]
    path = folder / "my orders.csv"
    path.write_text("\n".join([header, *rows, ",A9,2025-06-01 10:00:00,1,9.50"]) + "\n")
    return path


def test_guesses_columns_whatever_their_spelling(tmp_path: Path) -> None:
    guesses = guess(write_orders(tmp_path))
    assert guesses.columns == {
        "customer_id": "Customer ID",
        "order_id": "Invoice",
        "ordered_at": "InvoiceDate",
        "quantity": "Quantity",
        "unit_price": "Price",
    }
    assert guesses.without_customer == 1
    assert guesses.has_returns


@pytest.mark.parametrize("name", ["Customer No", "CustomerNo", "customer_number", "Customer No."])
def test_a_customers_number_is_taken_for_the_customer(tmp_path: Path, name: str) -> None:
    path = write_orders(tmp_path, header=f"{name},Invoice,InvoiceDate,Quantity,Price")
    assert guess(path).columns["customer_id"] == name


def test_proposes_a_horizon_that_most_pauses_stay_below(tmp_path: Path) -> None:
    assert guess(write_orders(tmp_path)).horizon_days == 45  # pauses of 28 to 31 days


def test_a_missing_column_is_named_with_what_was_found(tmp_path: Path) -> None:
    path = write_orders(tmp_path, header="Customer ID,Invoice,When,Quantity,Price")
    with pytest.raises(SchemaError, match=r"no column looks like ordered_at; found \['Customer ID'"):
        guess(path)


def test_an_empty_file_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("customer_id,order_id,ordered_at,amount\n")
    with pytest.raises(DataError, match="no rows"):
        guess(path)
    path.write_text("")
    with pytest.raises(DataError, match=r"orders\.csv is empty\. Deliver a file with a header and rows\.$"):
        guess(path)


def test_the_written_configuration_is_valid_and_commented(tmp_path: Path) -> None:
    text = render(guess(write_orders(tmp_path)), workspace=tmp_path / "work", catalogue=CATALOGUE)
    (tmp_path / "shop.yaml").write_text(text)
    config = load_config(tmp_path / "shop.yaml", {})
    assert config.churn.horizon_days == 45
    assert config.sources["orders"][0].filters[0].name == "no customer"
    assert text.count("#") > 8


def test_init_writes_once_and_never_over_a_file(tmp_path: Path) -> None:
    orders = write_orders(tmp_path)
    told = keepwell("init", orders, "--yes", "--json", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["config"] == "my orders.yaml"
    again = keepwell("init", orders, "--yes", cwd=tmp_path)
    assert again.returncode == 2
    assert "the file exists already" in again.stderr
    beside = keepwell("init", orders, "--yes", "--out", "new/shop/my.yaml", cwd=tmp_path)
    assert beside.returncode == 0, beside.stderr
    assert sorted(path.name for path in (tmp_path / "new/shop").iterdir()) == ["actions.yaml", "my.yaml"]


def test_a_written_configuration_ingests_its_file(tmp_path: Path) -> None:
    orders = write_orders(tmp_path)
    assert keepwell("init", orders, "--yes", cwd=tmp_path).returncode == 0
    told = keepwell("ingest", "-c", "my orders.yaml", "--json", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    report = json.loads(told.stdout)
    assert report["customers"] == 3
    assert report["sources"][0]["filters"]["no customer"]["removed"] == 1


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_is_found_and_written(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(write_orders(tmp_path).read_text().replace(",", delimiter))
    (tmp_path / "shop.yaml").write_text(render(guess(path), workspace=tmp_path / "work", catalogue=CATALOGUE))
    assert load_config(tmp_path / "shop.yaml", {}).sources["orders"][0].csv.delimiter == delimiter
