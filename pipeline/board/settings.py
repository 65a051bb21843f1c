"""What a task on the leaderboard is to reach, and at which dates it is tried; imports nothing heavy."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field


class Goals(BaseModel):
    """Figures of our model at the first test date; what is not given is not asked.

    Attributes:
        auc: at least this.
        log_loss: at most this.
        ece: at most this.
        auc_above: at least so much above the best rival; with ``rivals_without``, above the best rival that lacks
            these tables.
        log_loss_below: at least so much below that of the best such rival.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    auc: float | None = Field(default=None, gt=0, lt=1)
    log_loss: float | None = Field(default=None, gt=0)
    ece: float | None = Field(default=None, gt=0, lt=1)
    auc_above: float | None = None
    log_loss_below: float | None = None


class BoardSettings(BaseModel):
    """How ``keepwell leaderboard`` tries a task.

    Attributes:
        as_of: first test date; the newest settled one where not given.
        dates: most test dates, one horizon apart, going back from the first as far as the log allows.
        rivals_without: tables whose features a second set of rivals lacks.
        goals: what our model must reach.
        far_goals: what it would be glad to reach.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: date | None = None
    dates: int = Field(default=4, ge=1, le=24)
    rivals_without: tuple[str, ...] = ()
    goals: Goals = Goals()
    far_goals: Goals = Goals()
