"""Settings of the model that a business may change."""

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
