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
# # Tonight
#
# Who is at risk, what is done about it and why, what it costs, what stood in the way, and who is left alone on purpose.
# What actions keep is a belief, the owner's or that of settled outcomes of earlier nights, not a result of this one.

# %% [markdown]
# Name another workspace by the variable `KEEPWELL_WORKSPACE`, or write its folder into this cell.

# %%
import os

import pandas as pd

from pipeline.pages import pictures
from pipeline.reading import Workspace

pd.options.display.max_colwidth = None
workspace = Workspace.open(os.environ.get("KEEPWELL_WORKSPACE", "../workspaces/demo"))

night = workspace.night()
night.figures()

# %% [markdown]
# ## How the risk is spread
#
# The largest segments come first. A segment in two heaps holds two kinds of customers.

# %%
pictures.spread(
    night.scores().query("risk_source == 'model'"),
    "segment",
    "churn_risk",
    title="Customers by churn risk, per segment",
    note="customers the churn model speaks for; each strip has its own height",
)

# %% [markdown]
# ## Who has the most to lose
#
# Value at risk is the risk times what keeping the customer is worth. Who was planned for lately (`last_planned`) is
# left in peace for a while, who is in a control group is left alone on purpose; `nothing` means that no action fits, is
# allowed, or pays.

# %%
listed = night.at_risk(15)
listed.drop(columns="reasons").round({"churn_risk": 2, "value_at_risk": 0})

# %% [markdown]
# ## Why
#
# The strongest reasons first. For anybody the churn model speaks for, planned for or not, `night.reasons("their id")`
# tells more: `share` is the theme's part of all that raises this customer's risk, and `change` what the model says
# where that theme is as with tonight's typical customer. `language="lt"` or `"zh"` tells it in another language.

# %%
listed[["customer_id", "reasons"]]

# %%
night.reasons(*listed["customer_id"].head(3))[["customer_id", "theme", "share", "sentence", "change"]].round(
    2
)

# %% [markdown]
# ## What is done, and what it costs
#
# Only actions whose believed value exceeds their cost are planned. `detectable_effect` is the smallest effect that this
# night alone could show: above 1 means none.

# %%
night.actions().round(3)

# %%
pictures.bars(
    night.actions(),
    "action",
    {
        "expected_value": f"expected value, by belief, {night.currency}",
        "cost": f"expected cost, {night.currency}",
    },
    title="Value and cost of tonight's actions",
    note="value is what remains after the cost if the beliefs hold",
    form=",.1f",
)

# %% [markdown]
# ## What stands in the way
#
# First the customers who get nothing although something would suit them; then, per action, how many are allowed and
# what blocks the others. No optimisation may break these rules.

# %%
pictures.bars(
    night.left_out(), "reason", {"customers": "customers"}, title="Who is left out, by what stands in the way"
)

# %%
night.blocked().T

# %% [markdown]
# These actions rest, as their triggers ask for what this business does not deliver.

# %%
night.resting()

# %% [markdown]
# ## Left alone on purpose
#
# Two draws, independent of each other. The global control gets no marketing at all and shows what the programme is
# worth; `control` was planned for and withheld, and shows what each action is worth. Without them nobody would know.

# %%
night.control().round(3)

# %%
pictures.bars(night.control(), "arm", {"customers": "customers"}, title="Customers by arm")

# %% [markdown]
# ## What changed since the night before
#
# A few large changes are normal: somebody bought. Many of them mean that the data or the model changed.

# %%
night.changes().head(10).round(3)

# %%
workspace.nights()
