"""CSV that is none quite: line ends of two kinds, quotes gone astray, bytes that are no text."""

import csv
import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tables.errors import DataError, SchemaError
from tables.mending import BECAUSE, FAULTS, TEXT, mend, read_rows
from tables.sources import CsvFormat, IngestSettings
from tests.tables.conftest import Shop

HEADER = "customer_id,order_id,ordered_at,amount,channel"


def taken_in(shop: Shop, content: bytes, **parts: object) -> list[tuple[object, ...]]:
    """Ingest one file of orders; return who bought, for how much, over which channel."""
    (shop.folder / "orders.csv").write_bytes(content)
    shop.settings = IngestSettings(threads=1, bad_row_limit=0.5)
    shop.report = shop.ingest({"orders": [shop.source("orders.csv", HEADER, grain="order", **parts)]})
    return shop.visible("orders", "2025-02-01", "order_id", "amount", "channel")


def rows(*lines: str) -> str:
    return "".join(f"{line}\n" for line in (HEADER, *lines))


GOOD = ("ann,1,2025-01-01,5,web", "bob,2,2025-01-02,6,shop", "cyd,3,2025-01-03,7,web")
TOLD = [("ann", "1", 5, "web"), ("bob", "2", 6, "shop"), ("cyd", "3", 7, "web")]


@pytest.mark.parametrize(
    ("most", "some", "places"),
    [("\n", "\r\n", {0}), ("\r\n", "\n", {1, 3}), ("\n", "\r", {2}), ("\r\n", "\r", {1})],
)
def test_line_ends_of_two_kinds_are_read(shop: Shop, most: str, some: str, places: set[int]) -> None:
    lines = rows(*GOOD).splitlines()
    mixed = "".join(line + (some if place in places else most) for place, line in enumerate(lines))
    assert taken_in(shop, mixed.encode()) == TOLD
    assert shop.report.sources[0].bad_rows == 0


BROKEN = {
    "backslash_quote": b'bob,2,2025-01-02,6,"a \\"shop\\""',
    "stray_quote": b'bob,2,2025-01-02,6,"shop" on the corner',
    "too_many_fields": b"bob,2,2025-01-02,6,shop, the big one",
    "not_utf8": b"bob,2,2025-01-02,6,caf\xe9",
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_row_is_put_aside_and_the_others_count(shop: Shop, fault: str) -> None:
    first, _, last = GOOD
    content = rows(first).encode() + BROKEN[fault] + f"\n{last}\n".encode()
    kept = {"name": "named", "column": "customer_id", "not_null": True}  # no filter may hide a broken row
    assert taken_in(shop, content, filters=[kept]) == [TOLD[0], TOLD[2]]
    (report,) = shop.report.sources
    assert (report.rows, report.bad_rows, report.quarantined) == (3, 1, {fault: 1})
    (aside,) = pq.read_table(shop.root / report.quarantine_files[0]).to_pylist()
    assert (aside["source_row"], aside["reasons"]) == (2, [fault])
    assert aside[TEXT] == BROKEN[fault].decode(errors="replace").replace("�", "?")


def test_a_quote_never_closed_costs_its_own_row_alone(shop: Shop) -> None:
    stray = ('bob,2,2025-01-02,6,"shop', 'dan,4,2025-01-02,8,"web"')
    assert taken_in(shop, rows(GOOD[0], *stray, GOOD[2]).encode()) == [*TOLD[::2], ("dan", "4", 8, "web")]
    assert shop.report.sources[0].quarantined == {"stray_quote": 1}


def test_a_quote_never_closed_loses_no_later_row(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text('who,amount\n1,"open\n' + "".join(f"{who},x\n" for who in range(2, 301)))
    found = list(read_rows(path, CsvFormat(), width=2))
    assert [(row.line, row.fault) for row in found[:2]] == [(2, "stray_quote"), (3, "")]
    assert [row.fields[0] for row in found[1:]] == [str(who) for who in range(2, 301)]


def test_a_quote_inside_a_field_is_text_and_a_short_row_has_empty_ends(shop: Shop) -> None:
    content = rows(GOOD[0], 'bob,2,2025-01-02,6,5" pipe', "cyd,3,2025-01-03,7", "dan,4,2025-01-03").encode()
    assert taken_in(shop, content) == [TOLD[0], ("bob", "2", 6, '5" pipe'), ("cyd", "3", 7, None)]
    assert shop.report.sources[0].bad_rows == 1


def test_a_comma_too_many_at_the_end_is_no_fault(shop: Shop) -> None:
    assert taken_in(shop, rows(*(f"{line}," for line in GOOD)).encode()) == TOLD


def test_quotes_after_backslashes_are_read_where_the_source_says_so(shop: Shop) -> None:
    content = rows(GOOD[0], BROKEN["backslash_quote"].decode(), GOOD[2]).encode()
    found = taken_in(shop, content, csv={"escape": "\\"})
    assert found == [TOLD[0], ("bob", "2", 6, 'a "shop"'), TOLD[2]]


def test_too_many_broken_rows_tell_what_to_do(shop: Shop) -> None:
    broken = BROKEN["backslash_quote"].decode()
    told = r"2 of 3 rows are bad.*; backslash_quote 2; for example orders\.csv row 2.*say `csv: \{escape: .* Mend"
    with pytest.raises(DataError, match=told):
        taken_in(shop, rows(GOOD[0], broken, broken).encode())


@pytest.mark.parametrize(
    "header", [b"Gr\xf6\xdfe,order_id\n", '\ufeff"a'.encode(), "a,b\nc,d\n".encode("utf-16")]
)
def test_a_header_that_is_no_text_is_one_line(tmp_path: Path, header: bytes) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes(header)
    with pytest.raises(DataError, match=r"orders: .*orders\.csv: the header is no line of UTF-8 text.*Save"):
        mend(file, CsvFormat(), tmp_path / "copy.csv", table="orders")


@settings(max_examples=25, deadline=None)
@given(
    table=st.lists(
        st.lists(st.text('ab,;"\\ \n', max_size=5), min_size=3, max_size=3).filter(
            lambda row: row[0].strip()
        ),
        max_size=6,
    ),
    ends=st.sampled_from(["\n", "\r\n"]),
    delimiter=st.sampled_from([",", ";"]),
)
def test_what_was_written_well_is_copied_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], ends: str, delimiter: str
) -> None:
    folder = tmp_path_factory.mktemp("mended")
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator=ends).writerows([["x", "y", "z"], *table])
    (folder / "a.csv").write_text(written.getvalue(), newline="")
    mend(folder / "a.csv", CsvFormat(delimiter=delimiter), folder / "b.csv", table="orders")
    with (folder / "b.csv").open(newline="") as copy:
        header, *found = csv.reader(copy)
    assert header == ["x", "y", "z", BECAUSE, TEXT]
    assert found == [[*row, "", ""] for row in table]


@pytest.mark.parametrize("last", ["dan;4;2025-01-04;1,5;web", 'dan;4;2025-01-04;1;"a",b'])
def test_a_wrong_delimiter_is_told_by_the_columns_found(shop: Shop, last: str) -> None:
    lines = (HEADER.replace(",", ";"), *(line.replace(",", ";") for line in GOOD), last)
    with pytest.raises(
        SchemaError, match=r"no columns 'customer_id', .*; found \['customer_id;order_id[^,]*'\]"
    ):
        taken_in(shop, "\r\n".join(lines).encode() + b"\n")


def test_every_fault_has_its_advice() -> None:
    assert set(BROKEN) == set(FAULTS)
