"""Buckets that are doubled as customers come: every row in its new place, whole or not at all."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tables.history import History
from tables.sources import IngestSettings

HEADER = "customer_id,order_id,ordered_at,amount"


def grow(shop, night: int, customers: int) -> History:
    """Deliver one order of each of so many customers: ``c00`` with order ``c00-0`` on the first night, and so on."""
    rows = [f"c{n:02d},c{n:02d}-{night},2025-01-{night + 1:02d},{n + 1}" for n in range(customers)]
    shop.deliver(f"{night}.csv", HEADER, *rows)
    shop.ingest({"orders": [shop.source("*.csv", HEADER, grain="order")]})
    return History.open(shop.root)


@pytest.fixture
def small_buckets(shop):
    shop.settings = IngestSettings(threads=1, customers_per_bucket=3)
    return shop


def test_buckets_are_doubled_until_customers_fit(small_buckets):
    counts = [grow(small_buckets, night, customers).buckets for night, customers in enumerate([4, 6, 7, 20])]
    assert counts == [2, 2, 4, 8]


def test_keys_stay_and_rows_follow_them(small_buckets):
    before = grow(small_buckets, 0, 6)
    keys = {f"c{n:02d}": before.customer_key(f"c{n:02d}") for n in range(6)}
    after = grow(small_buckets, 1, 7)
    assert {name: after.customer_key(name) for name in keys} == keys
    for bucket in range(4):
        rows = after.read("orders", bucket, ("order_id",))
        ids = after.customer_ids(bucket)
        orders = [rows.columns["order_id"].labels[code] for code in rows.columns["order_id"].codes]
        assert orders == [
            order for name in ids for order in (f"{name}-0", f"{name}-1")[1 if name == "c06" else 0 :]
        ]
        assert [f"{ids[customer]}" for customer in rows.customer] == [order[:3] for order in orders]


def test_reader_of_the_old_generation_is_left_alone(small_buckets):
    before = grow(small_buckets, 0, 6)
    grow(small_buckets, 1, 20)
    assert sum(len(before.read("orders", bucket)) for bucket in range(before.buckets)) == 6


def test_no_delivery_parts_no_bucket(small_buckets):
    grow(small_buckets, 0, 6)
    small_buckets.settings = IngestSettings(threads=1, customers_per_bucket=1)
    assert not small_buckets.ingest(
        {"orders": [small_buckets.source("*.csv", HEADER, grain="order")]}
    ).changed
    assert History.open(small_buckets.root).buckets == 2


KILLED = """
import json, os, shutil, signal, sys
from pathlib import Path
sys.path[:0] = [sys.argv[2]]
from tests.tables.conftest import Shop
from tests.tables.test_resplit import HEADER, grow
from tables.history import History
from tables.sources import IngestSettings

def shop_in(folder):
    shop = Shop(folder)
    shop.settings = IngestSettings(threads=1, customers_per_bucket=4, merge_ratio=1e9)
    return shop

def in_child(work):
    \"\"\"Run in a process of its own, as no thread of this one may be alive when it is forked.\"\"\"
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, json.dumps(work()).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        text = stream.read()
    return os.waitpid(child, 0)[1], json.loads(text) if text else None

def killed_at(call, original, counter):
    def step(*args, **kwargs):
        counter.append(original)
        if len(counter) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)
    return step

def grow_and_die(folder, call):
    counter = []
    for name in ("fsync", "replace", "rename", "unlink"):
        setattr(os, name, killed_at(call, getattr(os, name), counter))
    grow(shop_in(folder), 2, 5)
    return len(counter)

def seen(folder):
    shop = shop_in(folder)
    return History.open(shop.root).buckets, sorted(map(list, shop.facts("orders", "order_id")))

root = Path(sys.argv[1])
start, work = root / "start", root / "work"
in_child(lambda: [grow(shop_in(start), night, 4).buckets for night in (0, 1)])
found, mended, status, call = [in_child(lambda: seen(start))[1]], [], None, 0
while status != 0:
    call += 1
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(start, work)
    status, _ = in_child(lambda: grow_and_die(work, call))
    assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL, status
    found.append(in_child(lambda: seen(work))[1])
    if call % 6 == 0:
        in_child(lambda: grow(shop_in(work), 2, 5).buckets)
        mended.append(in_child(lambda: seen(work))[1])
print(json.dumps({"found": found, "mended": mended}))
"""


@pytest.mark.slow
def test_parting_killed_at_any_step_shows_old_or_new(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(Path(__file__).parents[2])]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    old, new = told["found"][0], told["found"][-1]
    assert (old[0], new[0]) == (1, 2) and (len(old[1]), len(new[1])) == (8, 13)
    switched = told["found"].index(new)
    assert told["found"] == [old] * switched + [new] * (len(told["found"]) - switched)
    assert switched > 10 and len(told["mended"]) > 2
    assert all(found == new for found in told["mended"])
