"""From one order file to a configuration that runs: guess, show the guesses, write them with comments."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import yaml

from tables.errors import ConfigError, DataError, SchemaError
from tables.sql import quoted
from tables.storage import write_text

_NAMES: Mapping[str, Sequence[str]] = {
    "customer_id": ("customerid", "customerno", "customernumber", "customer", "clientid", "client", "userid", "user",
                    "householdid", "household", "memberid", "member", "accountid", "buyerid", "custid", "cust"),
    "order_id": ("orderid", "invoice", "invoiceno", "invoiceid", "order", "ordernumber", "orderno", "basketid",
                 "basket", "transactionid", "receiptid", "receipt"),
    "ordered_at": ("orderedat", "invoicedate", "orderdate", "orderdatetime", "createdat", "transactiontimestamp",
                   "purchasedat", "purchasedate", "timestamp", "datetime", "date", "ts"),
    "amount": ("amount", "lineamount", "linetotal", "total", "totalprice", "salesvalue", "revenue", "sales", "value",
               "spend"),
    "quantity": ("quantity", "qty", "units", "count"),
    "unit_price": ("unitprice", "price", "itemprice"),
    "line_no": ("lineno", "linenumber", "line"),
    "product_id": ("productid", "stockcode", "sku", "itemid", "product", "article", "articleid"),
    "category": ("category", "productcategory", "department"),
    "discount": ("discount", "discountamount", "retaildisc"),
    "shipping": ("shipping", "shippingpaid", "shippingfee", "shippingcost", "freight"),
    "channel": ("channel", "saleschannel"),
    "region": ("region", "country", "market"),
    "known_at": ("knownat", "loadedat", "importedat"),
}  # fmt: skip
_REQUIRED = ("customer_id", "order_id", "ordered_at")
_PARQUET = {".parquet", ".pq"}
_DELIMITERS = (",", ";", "\t", "|")
_HORIZONS = (7, 14, 28, 45, 60, 90, 120, 180)


@dataclass(frozen=True)
class Guesses:
    """What a file seems to hold.

    Attributes:
        file: the order file.
        columns: contract column -> column of the file.
        delimiter: what separates the columns of a CSV file.
        grain: ``order`` or ``line``.
        has_returns: whether amounts or quantities at or below zero occur.
        rows: rows of the file.
        without_customer: rows that name no customer.
        first_on: day of the first order.
        last_on: day of the last order.
        horizon_days: proposed length of the outcome window.
    """

    file: Path
    columns: Mapping[str, str]
    delimiter: str
    grain: str
    has_returns: bool
    rows: int
    without_customer: int
    first_on: date
    last_on: date
    horizon_days: int

    @property
    def amount_column(self) -> str:
        """The column whose sign tells a return from a purchase."""
        return self.columns.get("quantity", self.columns.get("amount", ""))

    def describe(self) -> str:
        """Return the guesses as lines for a person to check."""
        lines = [f"{self.file}: {self.rows:,} rows, {self.first_on} to {self.last_on}"]
        lines += [f"  {name:12} <- {column}" for name, column in self.columns.items()]
        lines += [
            f"  one row per   {self.grain}",
            f"  returns       {'yes' if self.has_returns else 'none seen'}",
        ]
        lines += [f"  churned       no order for {self.horizon_days} days"]
        return "\n".join(lines)


def guess(file: Path) -> Guesses:
    """Guess the columns of an order file and a horizon from the gaps between orders.

    Args:
        file: CSV or Parquet, one row per order or per order line.

    Raises:
        SchemaError: if no column looks like customer, order, time or amount.
        DataError: if the file is empty, or its times or amounts cannot be read.
    """
    if file.stat().st_size == 0:
        raise DataError(f"orders: {file} is empty. Deliver a file with a header and rows.")
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        try:
            delimiter = _delimiter(file)
            relation = _read(connection, file, delimiter)
            columns = _match_columns(list(relation.columns), file)
            relation.create_view("source_rows")
            return _summarise(connection, file, columns, delimiter)
        except (duckdb.Error, UnicodeDecodeError) as error:
            raise DataError(
                f"{file}: neither CSV in UTF-8 nor Parquet that can be read; {str(error).splitlines()[0].rstrip('.')}. "
                "Check its quotes and its encoding, or write a configuration like configs/online_retail.yaml by hand: "
                "`keepwell doctor` then says what is wrong with which rows."
            ) from error


def _delimiter(file: Path) -> str:
    """Return what separates the columns of the first line; a comma for Parquet and where nothing does."""
    if file.suffix.lower() in _PARQUET:
        return ","
    with file.open(encoding="utf-8-sig") as lines:
        header = re.sub(r'"[^"]*"', "", lines.readline())
    return max(_DELIMITERS, key=header.count)


def _read(connection: duckdb.DuckDBPyConnection, file: Path, delimiter: str) -> duckdb.DuckDBPyRelation:
    """Read every column as text, as ingest does: types are guessed from the first rows only."""
    if file.suffix.lower() in _PARQUET:
        return connection.read_parquet(str(file))
    return connection.read_csv(
        str(file),
        header=True,
        all_varchar=True,
        sep=delimiter,
        quotechar='"',
        escapechar='"',
        null_padding=True,
        strict_mode=False,
        parallel=False,
    )


def _match_columns(found: Sequence[str], file: Path) -> dict[str, str]:
    plain = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in reversed(found)}
    columns: dict[str, str] = {}
    for name, spellings in _NAMES.items():
        match = next((plain[word] for word in spellings if word in plain), None)
        if match is not None and match not in columns.values():
            columns[name] = match
    missing = [name for name in _REQUIRED if name not in columns]
    if "amount" not in columns and not {"quantity", "unit_price"} <= set(columns):
        missing.append("amount (or quantity and unit_price)")
    if missing:
        raise SchemaError(
            f"{file}: no column looks like {', '.join(missing)}; found {sorted(found)}. "
            "Rename the columns, or write the configuration by hand after configs/online_retail.yaml."
        )
    if "amount" in columns:
        columns.pop("unit_price", None)
    return columns


def _summarise(
    connection: duckdb.DuckDBPyConnection, file: Path, columns: dict[str, str], delimiter: str
) -> Guesses:
    name = {key: quoted(column) for key, column in columns.items()}
    signed = name.get("quantity", name.get("amount", ""))
    row = connection.execute(
        f"""SELECT count(*), count({name["customer_id"]}), count(DISTINCT {name["order_id"]}),
                   min(try_cast({name["ordered_at"]} AS TIMESTAMP)), max(try_cast({name["ordered_at"]} AS TIMESTAMP)),
                   min(try_cast({signed} AS DOUBLE))
            FROM source_rows"""
    ).fetchall()[0]
    rows, named, orders, first, last, smallest = row
    if rows == 0:
        raise DataError(f"{file}: the file holds no rows. Name a file with orders.")
    if first is None or smallest is None:
        raise DataError(
            f"{file}: no time or amount can be read from {columns}. Use ISO times and plain numbers, or write the "
            "configuration by hand with `csv: {delimiter, decimal, timestamp_format}`."
        )
    horizon = _horizon(connection, name, (last.date() - first.date()).days)
    return Guesses(
        file=file,
        columns=columns,
        delimiter=delimiter,
        grain="order" if orders == rows else "line",
        has_returns=smallest <= 0,
        rows=rows,
        without_customer=rows - named,
        first_on=first.date(),
        last_on=last.date(),
        horizon_days=horizon,
    )


def _horizon(connection: duckdb.DuckDBPyConnection, name: Mapping[str, str], span_days: int) -> int:
    """Nine of ten pauses between order days end within the horizon; five horizons must fit into the log."""
    pauses = connection.execute(
        f"""WITH days AS (SELECT DISTINCT {name["customer_id"]} AS customer,
                                 try_cast({name["ordered_at"]} AS TIMESTAMP)::DATE AS day FROM source_rows),
                 gaps AS (SELECT date_diff('day', lag(day) OVER (PARTITION BY customer ORDER BY day), day) AS gap
                          FROM days)
            SELECT quantile_cont(gap, 0.9) FROM gaps WHERE gap IS NOT NULL"""
    ).fetchall()[0][0]
    fitting = [days for days in _HORIZONS if 5 * days <= span_days] or [_HORIZONS[0]]
    return next((days for days in fitting if days >= (pauses or 0)), fitting[-1])


def catalogue_beside(config: Path) -> Path:
    """Return the catalogue of actions a new configuration names: the project's, or a copy beside the file."""
    ours = Path("configs/actions.yaml")
    if ours.exists():
        return ours
    beside = config.with_name("actions.yaml")
    if not beside.exists():
        shipped = Path(__file__).parents[1] / ours
        if not shipped.exists():
            raise ConfigError(
                f"{beside}: no catalogue of actions to start from. Copy {ours} of the project there."
            )
        write_text(shipped.read_text(encoding="utf-8"), beside)
    return beside


def render(guesses: Guesses, *, workspace: Path, catalogue: Path) -> str:
    """Write the guesses as a commented configuration.

    Args:
        guesses: what the file seems to hold.
        workspace: folder where everything of this business is kept.
        catalogue: file of the retention actions.
    """
    columns = "\n".join(f"        {key}: {_scalar(column)}" for key, column in guesses.columns.items())
    filters = returns = csv = ""
    if guesses.delimiter != ",":
        csv = f"      csv: {{delimiter: {json.dumps(guesses.delimiter)}}}\n"
    if guesses.without_customer:
        filters = (
            "      filters:  # rows that are kept; each rule is counted in the ingest report\n"
            f"        - {{name: no customer, column: {_scalar(guesses.columns['customer_id'])}, not_null: true}}\n"
        )
    if guesses.has_returns:
        returns = (
            "      returns:  # rows that are no purchase but something given back\n"
            f"        - {{name: nothing bought, column: {_scalar(guesses.amount_column)}, at_most: 0}}\n"
        )
    return _TEMPLATE.format(
        name=_scalar(guesses.file.stem),
        file=_scalar(str(guesses.file)),
        workspace=_scalar(str(workspace)),
        catalogue=_scalar(str(catalogue)),
        grain=guesses.grain,
        columns=columns,
        csv=csv,
        filters=filters,
        returns=returns,
        horizon=guesses.horizon_days,
        active=2 * guesses.horizon_days,
    )


def _scalar(text: str) -> str:
    plain = re.fullmatch(r"[A-Za-z_./][\w./-]*", text) and isinstance(yaml.safe_load(text), str)
    return text if plain else json.dumps(text, ensure_ascii=False)


_TEMPLATE = """\
# Written by `keepwell init`. Check the guesses, then:
#   keepwell retrain -c THIS_FILE --as-of DAY     trains and promotes a model
#   keepwell nightly -c THIS_FILE --as-of DAY     scores, plans and writes the page
name: {name}  # what the page calls your business
workspace: {workspace}
time_zone: UTC  # the zone whose midnights separate your business days, such as Europe/London
currency: EUR

sources:
  orders:
    - path: {file}
      grain: {grain}  # one row of the file is one order, or one line of an order
      columns:
{columns}
{csv}{filters}{returns}
churn:
  horizon_days: {horizon}  # churned: no order in the next {horizon} days; nine of ten pauses are shorter
  active_within_days: {active}  # watched: customers with an order in the last {active} days

actions:
  catalogue: {catalogue}
  budget: {{amount: 100, per: night}}  # yours to set
  rules:
    consent: required  # without a consents source nobody gets marketing; `assumed` if you hold consent elsewhere
"""
