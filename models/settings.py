"""Settings of the model and of customers' value that a business may change; imports nothing heavy."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class ModelSettings(BaseModel):
    """How the churn model is trained.

    Attributes:
        max_rows: about how many snapshots to train on; whole customers are dropped above it.
        folds: customer folds whose models are averaged.
        max_rounds: most boosting rounds per fold.
        least_customers: fewer customers than this are refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_rows: int = Field(default=60_000, ge=1_000)
    folds: int = Field(default=5, ge=2, le=20)
    max_rounds: int = Field(default=1_000, ge=1)
    least_customers: int = Field(default=200, ge=50)


class ValueSettings(BaseModel):
    """How far ahead and at what rate a customer's future counts; the owner of the business sets them.

    Attributes:
        margin_months: months from the snapshot over which purchases count.
        annual_discount: yearly rate at which later contribution counts less.
        contribution_rate: share of a purchase left after its own costs.
        cap_quantile: quantile of the date's margins above which a margin is cut, against single outliers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    margin_months: Annotated[int, Field(ge=1, le=60)] = 12
    annual_discount: Annotated[float, Field(ge=0, le=1)] = 0.10
    contribution_rate: Annotated[float, Field(gt=0, le=1)] = 0.30
    cap_quantile: Annotated[float, Field(gt=0.5, le=1)] = 0.995
