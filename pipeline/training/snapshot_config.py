"""The configuration of a ready-made snapshot: one table with a label and no dates; imports nothing heavy."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from models.settings import ModelSettings
from pipeline.board.settings import BoardSettings


class Snapshot(BaseModel):
    """Where a ready-made snapshot lies, and what its columns are.

    Attributes:
        path: Parquet or CSV file, one row per customer.
        customer_id: column of the customer.
        label: column of the outcome.
        churned: value of the label that means churned; every other one means stayed.
        numbers: columns that are numbers; an empty text is missing.
        categories: columns of texts, one indicator per text; a text no training row has is missing.
        one_number: the number that is a rival by itself, such as the time as a customer.
        folds: parts the customers are split into, each scored by models of the others.
        repeats: how often they are split anew.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    customer_id: str
    label: str
    churned: str | int | bool
    numbers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    one_number: str | None = None
    folds: int = Field(default=5, ge=2, le=20)
    repeats: int = Field(default=3, ge=1, le=20)


class SnapshotConfig(BaseModel):
    """One ready-made snapshot, and the recipe to try on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=80)
    workspace: Path
    seed: int = Field(default=7, ge=0)
    threads: int = Field(default=2, ge=1, le=64)
    snapshot: Snapshot
    model: ModelSettings = ModelSettings()
    leaderboard: BoardSettings = BoardSettings()
