"""The tables and figures of a night that its page is told from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from models.deployment import ModelVersion
from models.reference import DateReference
from models.value import ValueReference
from pipeline.explaining import Reasons
from pipeline.gates import Vitals
from pipeline.planning import Planned
from pipeline.run import Run
from pipeline.scoring import MODEL
from tables.publish import Manifest


@dataclass(frozen=True)
class NightStory:
    """The tables and figures behind a page."""

    run: Run
    as_of: date
    scores: pd.DataFrame
    plan: pd.DataFrame
    planned: Planned
    listed: pd.DataFrame
    reasons: Reasons
    reference: DateReference
    values: ValueReference
    vitals: Vitals
    version: ModelVersion
    model_digest: str
    is_later_model: bool
    card: Mapping[str, Any]
    before: Manifest | None
    scores_before: pd.DataFrame | None

    @property
    def watched(self) -> pd.DataFrame:
        """Scores of the customers the churn model speaks for."""
        return self.scores[self.scores["risk_source"] == MODEL]

    @property
    def line(self) -> float:
        """Risk above which a customer is called at risk."""
        return self.run.config.report.at_risk_above

    @property
    def at_risk(self) -> pd.DataFrame:
        """Scores of the watched customers above the line."""
        watched = self.watched
        return watched[watched["churn_risk"] > self.line]

    def money(self, amount: float) -> str:
        """Write an amount of money."""
        digits = 0 if abs(amount) >= 100 else 2
        return f"{amount:,.{digits}f} {self.run.config.currency}"
