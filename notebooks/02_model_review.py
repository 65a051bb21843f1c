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
# # Model review
#
# How good the model in service is, against whom, where it is weak, and whether its probabilities can be taken at their
# word. It was trained on what was known at a date and judged by what customers did after it.

# %% [markdown]
# Name another workspace by the variable `KEEPWELL_WORKSPACE`, or write its folder into this cell.

# %%
import os

import pandas as pd

from pipeline.pages import model_pictures, pictures
from pipeline.reading import Workspace

pd.options.display.max_colwidth = None
workspace = Workspace.open(os.environ.get("KEEPWELL_WORKSPACE", "../workspaces/demo"))

model = workspace.model()
model.figures()

# %% [markdown]
# ## Against honest rivals
#
# All rivals were trained on the same customers and dates. `days since last order` needs no model at all: if ours does
# not beat it, do not use ours. Where intervals overlap, the difference may be luck.

# %%
model.metrics()[["name", "auc", "log_loss", "ece", "lift_at_10pct"]].round(3)

# %%
pictures.intervals(
    model.metrics(),
    "name",
    "auc",
    title="Who ranks customers best?",
    note="AUC: chance that somebody who left was ranked above somebody who stayed; further right is better",
    unit="AUC, 95 % interval over customers",
)

# %%
pictures.intervals(
    model.metrics(),
    "name",
    "log_loss",
    title="Whose probabilities are best?",
    note="log loss: surprise at what happened; further left is better",
    unit="log loss, 95 % interval over customers",
)

# %% [markdown]
# ## Do the probabilities hold?
#
# Each point is a tenth of the customers. On the diagonal, as many left as were promised; below it, fewer did.

# %%
pictures.calibration(
    model.calibration(),
    title="Promised and observed churn",
    note="upwards: share that churned, with its 95 % interval",
)

# %% [markdown]
# ## Where is it weak?
#
# A ring outside its interval is a group whose risk the model gets wrong on average: treat such a group with care, and
# look for what the features do not tell about it.

# %%
slices = model.slices()
slices[["slicing", "slice", "n", "churn_rate", "mean_risk", "auc", "log_loss"]].round(3)

# %%
pictures.intervals(
    slices.query("slicing == 'segment' and n >= 50"),
    "slice",
    "churn_rate",
    beside="mean_risk",
    title="Promised and observed churn by segment",
    note="dot: share that churned, with its 95 % interval; ring: share that was promised",
    unit="share of the segment's customers",
    form=".0%",
)

# %%
pictures.intervals(
    slices.query("slicing == 'tenure' and n >= 50"),
    "slice",
    "churn_rate",
    beside="mean_risk",
    title="Promised and observed churn by tenure",
    note="dot: share that churned, with its 95 % interval; ring: share that was promised",
    unit="share of the customers",
    form=".0%",
)

# %% [markdown]
# ## The level
#
# The share that churns moves with seasons and crises, which no feature of one customer shows. It is forecast apart,
# from past dates and from BG/NBD, a model of purchases alone. A forecast far from the past deserves a question.

# %%
pictures.over_time(
    model.level(),
    "as_of",
    {"churned": "churned", "expected": "expected by BG/NBD", "forecast": "forecast of the nights"},
    title="Share of customers that churns in the outcome window",
    unit="share of the watched customers",
)

# %% [markdown]
# ## Do the probabilities hold inside groups?
#
# A model may be right on the whole and wrong inside a group.

# %%
model_pictures.inside_groups(model.calibration_by_group())

# %% [markdown]
# ## What it looks at
#
# How far each kind of feature moves risks up or down, on average, where the model was judged. None of this says what
# *causes* churn.

# %%
pictures.bars(
    model.themes(),
    "theme",
    {"mean_contribution": "mean absolute change of the logit of the risk"},
    title="The kinds of features that move risks",
    form=".3f",
)

# %% [markdown]
# The same feature by feature, for the newest night. Features that say nearly the same share their weight.

# %%
pictures.bars(
    workspace.night().importances().head(20),
    "feature",
    {"mean_contribution": "mean absolute change of the logit of the risk"},
    title="The twenty features that move risks most",
    form=".3f",
)

# %% [markdown]
# ## How churn runs along its strongest features
#
# What happened, what was promised, and what the feature does alone.

# %%
model_pictures.along_features(model.dependence())
