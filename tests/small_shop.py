"""The configuration that all small shops of the tests share: orders in one file, one thread, the shipped actions."""

SHOP = """\
workspace: {folder}/work
time_zone: UTC
threads: 1
sources:
  orders:
    path: {folder}/orders.csv
    grain: order
    columns: {{customer_id: who, order_id: order, ordered_at: at, amount: amount}}
"""
"""What comes first; more sources may follow, then other sections."""

SHOP_WITH_REGIONS = SHOP.replace("amount: amount", "amount: amount, region: region")

ACTIONS = """\
actions:
  catalogue: configs/actions.yaml
  budget: {{amount: 10}}
"""
"""What comes last."""
