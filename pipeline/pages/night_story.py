"""The tables and figures of a night that its page is told from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from models.deployment import ModelVersion
from models.reference import DateReference
from models.value import ValueReference
from models.wordings import Language, language_of
from pipeline.audit.auditing import Audit
from pipeline.explaining import Reasons
from pipeline.gates import Vitals
from pipeline.pages.night_sheet import Why
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
    planned_features: pd.DataFrame
    planned: Planned
    listed: pd.DataFrame
    reasons: Reasons
    audit: Audit
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

    @property
    def language(self) -> Language:
        """Words of the language in which reasons are told."""
        return language_of(self.run.config.report.language)

    def why(self, customer_id: str) -> list[Why]:
        """Tell a customer's reasons, strongest first; none where nobody asked for them."""
        return [
            Why(
                each.sentence(self.language.code, currency=self.run.config.currency),
                each.change(self.language.code),
            )
            for each in self.reasons.get(customer_id, ())
        ]

    def money(self, amount: float) -> str:
        """Write an amount of money."""
        digits = 0 if abs(amount) >= 100 else 2
        return f"{amount:,.{digits}f} {self.run.config.currency}"
