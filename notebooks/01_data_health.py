# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Data health
#
# What the history holds on the newest published night, what was put aside on the way in and why, and whether a
# delivery failed. Everything is shown as it was known at that date: nothing that happened or became known later.

# %% [markdown]
# Name another workspace by the variable `KEEPWELL_WORKSPACE`, or write its folder into this cell.

# %%
import os

import pandas as pd

from pipeline.pages import pictures
from pipeline.reading import Workspace

pd.options.display.max_colwidth = None
workspace = Workspace.open(os.environ.get("KEEPWELL_WORKSPACE", "../workspaces/demo"))

past = workspace.past()
str(past.as_of)

# %% [markdown]
# ## What there is
#
# `orders` has one row per order, `lines` one per line of it; goods that came back are in `returns` and count as no
# purchase.

# %%
past.tables()

# %% [markdown]
# ## Did a delivery fail?
#
# A hole in a strip is a day without rows, a cliff at its right end a delivery that stopped. Weekends and seasons look
# like waves.

# %%
pictures.days(
    past.rows_per_day(),
    "table",
    "day",
    "rows",
    title="Rows per day and table",
    note="each strip has its own height, cut at five times its usual day",
)

# %% [markdown]
# ## What each ingest read
#
# `filtered` rows are those the configuration does not want, `bad_rows` break a rule and lie in quarantine. Too many of
# them stop an ingest before anything changes.

# %%
past.ingests()

# %% [markdown]
# ## What was put aside, and why
#
# Look here first when a figure surprises: a reason that grows is a source that changed.

# %%
past.put_aside()

# %%
pictures.bars(
    past.put_aside().head(12), "reason", {"rows": "rows"}, title="Rows that did not come in as delivered"
)

# %% [markdown]
# ## How long do customers pause?
#
# Churned means no order within the outcome window. If many pauses are longer than it, many "churned" customers only
# pause: lengthen the window. `share_at_most` is the share of all pauses that short or shorter.

# %%
horizon_days = workspace.night().horizon_days
past.pauses().query("gap_days <= @horizon_days").tail(1)

# %%
pictures.columns(
    past.pauses(),
    "gap_days",
    "pauses",
    title="Pauses between a customer's purchase days",
    note="pauses that ended; the longest hundredth stands together at the right end",
    unit="days",
    mark=horizon_days,
    mark_label="outcome window",
)

# %% [markdown]
# ## The rows themselves
#
# Any table as it was known, here the first: `past.table("orders")` for another. Fields that name a person cannot be
# read here.

# %%
past.table(past.tables().loc[0, "table"]).tail()
