"""What must hold of every delivery, however its rows are ordered, repeated, split over nights or bucketed."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tables.sources import IngestSettings

HEADER = "customer_id,order_id,line_no,ordered_at,product_id,amount,known_at"
FIRST = date(2025, 1, 1)
DAYS = [FIRST + timedelta(days=day) for day in range(8)]
few = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

customers = st.sampled_from(["ann", "bob", "cid", "dot"])
lines = st.tuples(
    customers,
    st.integers(1, 3),
    st.integers(1, 2),
    st.sampled_from(["06", "23"]),
    st.sampled_from("ab"),
    st.integers(1, 5),
    st.integers(0, 7),
)


def version(line: tuple) -> tuple:
    return line[0], line[1], line[2], line[6]


def row(line: tuple) -> str:
    """Write a line; its event time follows from its key, as a correction keeps it."""
    customer, order, number, hour, product, amount, known = line
    happened = f"{FIRST + timedelta(days=(order + number) % 4)}T{hour if number == 2 else '06'}:00"
    return f"{customer},{customer}{order},{number},{happened},{product},{amount},{DAYS[known]}T12:00"


def take_in(
    shop, name: str, nights: Sequence[Sequence[str]], *, header: str = HEADER, **parts: object
) -> None:
    shop.root = shop.folder / name
    for night, rows in enumerate(nights):
        file = f"{name}/{night}.csv"
        shop.deliver(file, header, *rows)
        shop.ingest({"orders": [shop.source(file, header, **parts)]})


def fresh(shop, tmp_path_factory) -> None:
    shop.folder = tmp_path_factory.mktemp("shop")


@few
@given(found=st.lists(lines, min_size=1, max_size=25), order=st.randoms(use_true_random=False))
def test_order_of_rows_and_repetitions_change_nothing(shop, tmp_path_factory, found, order):
    fresh(shop, tmp_path_factory)
    rows = [row(line) for line in found]
    take_in(shop, "as given", [rows])
    expected = {table: shop.facts(table, "order_id", "amount") for table in ("lines", "orders")}
    order.shuffle(rows)
    take_in(shop, "shuffled", [[*rows, *rows[:5]]])
    assert {table: shop.facts(table, "order_id", "amount") for table in expected} == expected


@few
@given(found=st.lists(lines, min_size=1, max_size=25), nights=st.integers(1, 3))
def test_number_of_buckets_changes_no_customers_rows(shop, tmp_path_factory, found, nights):
    fresh(shop, tmp_path_factory)
    rows = [row(line) for line in found]
    split = [part for part in (rows[night::nights] for night in range(nights)) if part]
    facts = []
    for limit in (1, 100):
        shop.settings = IngestSettings(threads=1, customers_per_bucket=limit)
        take_in(shop, f"limit {limit}", split)
        facts.append(sorted(shop.facts("lines", "order_id", "product_id", "amount")))
        facts.append(sorted(shop.facts("orders", "order_id", "lines", "amount")))
    assert facts[:2] == facts[2:]


@few
@given(found=st.lists(lines, min_size=1, max_size=20, unique_by=version))
def test_snapshots_see_the_latest_version_known_by_then(shop, tmp_path_factory, found):
    """A plain loop over the deliveries says what each snapshot must see; orders are sums of that."""
    fresh(shop, tmp_path_factory)
    rows = [row(line) for line in found]
    take_in(shop, "nights", [part for part in (rows[0::3], rows[1::3], rows[2::3]) if part])
    for day in [*DAYS, DAYS[-1] + timedelta(days=1)]:
        seen = expected_lines(rows, str(day))
        assert shop.visible("lines", str(day), "order_id", "line_no", "product_id", "amount") == sorted(seen)
        sums: dict[tuple[str, str], list[float]] = defaultdict(list)
        for customer, order_id, _, _, amount in seen:
            sums[customer, order_id].append(amount)
        expected = sorted((*key, sum(amounts), len(amounts)) for key, amounts in sums.items())
        assert shop.visible("orders", str(day), "order_id", "amount", "lines") == expected


def expected_lines(rows: Sequence[str], as_of: str) -> list[tuple[str, str, str, str, float]]:
    latest: dict[tuple[str, str, str], tuple[str, str, str, float]] = {}
    for customer, order_id, number, happened, product, amount, known in (text.split(",") for text in rows):
        if known >= as_of:
            continue
        key = (customer, order_id, number)
        if key not in latest or known > latest[key][0]:
            latest[key] = (known, happened, product, float(amount))
    return [
        (*key, product, amount) for key, (_, happened, product, amount) in latest.items() if happened < as_of
    ]


PLAIN = "customer_id,order_id,ordered_at,product_id,amount"
plain_lines = st.tuples(customers, st.integers(1, 3), st.sampled_from("ab"), st.integers(1, 2))


@few
@given(files=st.lists(st.lists(plain_lines, min_size=1, max_size=8), min_size=1, max_size=3))
def test_lines_without_keys_keep_the_most_copies_a_file_has(shop, tmp_path_factory, files):
    fresh(shop, tmp_path_factory)
    texts = [[f"{c},{c}{o},{FIRST + timedelta(days=o)},{p},{a}" for c, o, p, a in file] for file in files]
    take_in(shop, "nights", texts, header=PLAIN)
    expected: list[str] = []
    for text in {text for file in texts for text in file}:
        expected += [text] * max(file.count(text) for file in texts)
    found = shop.facts("lines", "order_id", "product_id", "amount")
    assert sorted((c, o, p, a) for c, _, _, _, o, p, a in found) == sorted(
        (c, o, p, float(a)) for c, o, _, p, a in (text.split(",") for text in expected)
    )


@few
@given(files=st.lists(st.lists(plain_lines, min_size=1, max_size=8), min_size=1, max_size=4))
def test_restated_orders_end_as_their_newest_file_has_them(shop, tmp_path_factory, files):
    fresh(shop, tmp_path_factory)
    texts = [[f"{c},{c}{o},{FIRST + timedelta(days=o)},{p},{a}" for c, o, p, a in file] for file in files]
    take_in(shop, "nights", texts, header=PLAIN, restate="order", duplicates="drop")
    newest: dict[str, set[str]] = {}
    for file in texts:
        for order_id in {text.split(",")[1] for text in file}:
            newest[order_id] = {text for text in file if text.split(",")[1] == order_id}
    expected = sorted(
        (c, o, p, float(a))
        for order in newest.values()
        for c, o, _, p, a in (text.split(",") for text in order)
    )
    assert shop.visible("lines", "2026-01-01", "order_id", "product_id", "amount") == expected
    assert sum(fact[1] for fact in shop.visible("orders", "2026-01-01", "amount")) == sum(
        fact[3] for fact in expected
    )
