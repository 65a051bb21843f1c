"""Sources of orders as the tests deliver them: an order a row, or a line a row."""

from pathlib import Path

ORDER = "customer_id,order_id,ordered_at,amount"
LINE = "customer_id,order_id,ordered_at,product_id,amount"


def order_source(shop, pattern="orders*.csv", header=ORDER, **parts):
    return {"orders": [shop.source(pattern, header, grain="order", **parts)]}


def line_source(shop, pattern="lines*.csv", header=LINE, **parts):
    return {"orders": [shop.source(pattern, header, grain="line", **parts)]}


def snapshot(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
