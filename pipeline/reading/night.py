"""A published night: who is at risk and why, what is done about it, what stood in the way, what changed."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from actions.catalogue import NONE
from pipeline.reading.facts import SPOKEN_FOR, fact
from tables.publish import Manifest
from tables.storage import read_table

if TYPE_CHECKING:
    from pipeline.reading.why import WhyReader

_ARMS = pd.Index(["sent", "control", "untouched", "explored", "global_control", NONE], name="arm")


@dataclass(frozen=True)
class NightReader:
    """One night, through its manifest.

    Attributes:
        manifest: what was published.
        earlier: the published nights of the month before it, oldest first.
    """

    manifest: Manifest
    earlier: tuple[Manifest, ...] = ()

    @property
    def currency(self) -> str:
        """Currency of all money."""
        return str(self._fact("business")["currency"])

    @property
    def horizon_days(self) -> int:
        """Days without an order, or contract, after which a customer counts as churned."""
        return int(self._fact("business")["horizon_days"])

    def figures(self) -> pd.DataFrame:
        """Sum the night up.

        Returns:
            ``figure``, ``value``, ``unit``. What actions keep is a belief written into the catalogue, not a
            result.
        """
        vitals, summary, money = self._fact("vitals"), self._fact("summary"), self.currency
        total, watched = summary["total"], "share of the watched"
        rows = [
            ("customers scored", summary["customers"], "customers"),
            ("of them watched by the churn model", vitals["customers"], "customers"),
            (f"at risk, above {self._at_risk_above:.0%}", round(vitals["at_risk"], 3), watched),
            (f"forecast to churn within {self.horizon_days} days", round(vitals["level"], 3), watched),
            ("planned for", total["planned"], "customers"),
            ("sent", total["sent"], "customers"),
            ("withheld to learn", total["withheld"], "customers"),
            ("in the global control", summary["arms"]["global_control"], "customers"),
            ("money for tonight", round(self._fact("budget"), 2), money),
            ("expected cost", round(total["cost"], 2), money),
            ("expected value, by belief", round(total["expected_value"], 2), money),
            ("customers kept, by belief", round(total["expected_kept"], 1), "customers"),
        ]
        return pd.DataFrame(rows, columns=["figure", "value", "unit"], dtype=object)

    def scores(self) -> pd.DataFrame:
        """Return the published scores, one row per customer (columns: docs/configuration.md)."""
        return read_table(self.manifest.table("scores"))

    def plan(self) -> pd.DataFrame:
        """Return the published plan, one row per planned action, and per customer of the global control without one."""
        return read_table(self.manifest.table("plan"))

    def at_risk(self, most: int = 20) -> pd.DataFrame:
        """List who has the most to lose, what is done about it tonight, and why they are at risk.

        Args:
            most: how many customers.

        Returns:
            ``customer_id``, ``churn_risk``, ``value_at_risk`` (risk times margin, currency units), ``segment``,
            ``tonight`` (the action, ``withheld: ...``, ``global control``, or ``nothing``: none fits, is allowed,
            or pays), ``last_planned_on`` and ``last_planned`` (within the month before; missing if not) and
            ``reasons`` (strongest first).
        """
        scores = self.scores()
        risky = scores[(scores["risk_source"] == SPOKEN_FOR) & (scores["churn_risk"] > self._at_risk_above)]
        told = risky.assign(value_at_risk=risky["churn_risk"] * risky["margin"])
        top = told.sort_values("value_at_risk", ascending=False, kind="stable").head(most)
        listed = top[["customer_id", "churn_risk", "value_at_risk", "segment"]].reset_index(drop=True)
        sentences = self.reasons(*listed["customer_id"]).groupby("customer_id")["sentence"].agg("; ".join)
        return (
            listed.assign(tonight=listed["customer_id"].map(self._tonight()).fillna("nothing"))
            .merge(self._last_planned(), on="customer_id", how="left")
            .assign(reasons=lambda rows: rows["customer_id"].map(sentences).fillna(""))
        )

    def actions(self) -> pd.DataFrame:
        """Say what each action does tonight.

        Returns:
            One row per action that somebody is planned for, most sent first: ``action``, ``kind``, ``planned``,
            ``sent``, ``withheld`` (customers), ``cost``, ``expected_value`` (currency units), ``expected_kept``
            (customers), ``believed_effect`` and ``detectable_effect`` (absolute differences of churn, missing
            where there is nothing to compare). Expected figures are beliefs.
        """
        rows = pd.DataFrame(self._fact("summary")["actions"]).drop(columns=["randomised", "nights_to_detect"])
        told = rows.astype({"believed_effect": float, "detectable_effect": float})
        used = told[told["planned"] > 0].sort_values(
            "sent", ascending=False, kind="stable", ignore_index=True
        )
        first = ["action", "kind", "planned", "sent", "withheld", "cost", "expected_value", "expected_kept"]
        return used[[*first, "believed_effect", "detectable_effect"]]

    def resting(self) -> pd.DataFrame:
        """List the actions that cannot be used, as their triggers ask for what is not known.

        Returns:
            ``action``, ``reason``.
        """
        return pd.DataFrame(list(self._fact("dormant").items()), columns=["action", "reason"])

    def left_out(self) -> pd.DataFrame:
        """Count who gets nothing although something would suit, by what stands in the way.

        Returns:
            ``reason``, ``customers``, most first; a customer counts under each reason. ``no action fits`` counts
            those nothing would suit.
        """
        rows = pd.DataFrame(list(self._fact("left_out").items()), columns=["reason", "customers"])
        return rows.sort_values("customers", ascending=False, kind="stable", ignore_index=True)

    def blocked(self) -> pd.DataFrame:
        """Count what stands between each action and the customers.

        Returns:
            One row per action, indexed by it: ``eligible`` (customers allowed), then one column per reason with
            the customers it blocks; a customer may be blocked for several.
        """
        counts = pd.DataFrame.from_dict(self._fact("blocked"), orient="index")
        return counts.fillna(0).astype(np.int64).rename_axis("action")

    def control(self) -> pd.DataFrame:
        """Count the arms of tonight's draws.

        Returns:
            ``arm``, ``customers``, ``mean_churn_risk`` (missing for an empty arm), ``expected_cost`` (currency
            units, of what is sent): ``sent``, ``control`` (planned and withheld), ``explored``,
            ``global_control`` (no marketing; service still reaches them), ``none`` (nothing planned).
        """
        plan, scores = self.plan(), self.scores()
        rest = scores[~scores["customer_id"].isin(plan["customer_id"])]
        nothing = pd.DataFrame({"arm": NONE, "churn_risk": rest["churn_risk"], "expected_cost": 0.0})
        planned = plan[["arm", "churn_risk"]].assign(
            expected_cost=plan["expected_cost"].where(plan["action"] != NONE, 0.0)
        )
        arms = pd.concat([planned, nothing]).groupby("arm")
        told = arms.agg(
            customers=("arm", "size"),
            mean_churn_risk=("churn_risk", "mean"),
            expected_cost=("expected_cost", "sum"),
        ).reindex(_ARMS)
        filled = told.fillna({"customers": 0, "expected_cost": 0.0}).astype({"customers": np.int64})
        return filled.reset_index()

    def changes(self) -> pd.DataFrame:
        """Compare with the published night before.

        Returns:
            One row per customer whom the churn model spoke for in both, largest change first: ``customer_id``,
            ``risk_before``, ``risk_now``, ``change`` (points of probability), ``segment_before``,
            ``segment_now``. No row on the first night.
        """
        columns = ["customer_id", "churn_risk", "segment"]
        now = self._watched(self.scores())[columns]
        before = now.head(0)
        if self.earlier:
            before = self._watched(read_table(self.earlier[-1].table("scores")))[columns]
        both = before.merge(now, on="customer_id", suffixes=("_before", "_now"))
        named = both.rename(columns={"churn_risk_before": "risk_before", "churn_risk_now": "risk_now"})
        told = named.assign(change=named["risk_now"] - named["risk_before"])
        order = np.argsort(-told["change"].abs().to_numpy(), kind="stable")
        shown = ["customer_id", "risk_before", "risk_now", "change", "segment_before", "segment_now"]
        return told.iloc[order].reset_index(drop=True)[shown]

    def features(self) -> pd.DataFrame:
        """Work the night's features out again from the history, as it was known then.

        Returns:
            One row per customer, sorted by ``customer_id``: ``customer_id`` and every feature.
        """
        return self._why.features()

    def reasons(self, *customers: str, most: int = 3, language: str | None = None) -> pd.DataFrame:
        """Say why some customers are at risk, planned for or not, and what would change the risk.

        Args:
            customers: their ids.
            most: how many reasons each, at most one per theme.
            language: ``en``, ``zh`` or ``lt``; that of the night's page where not given.

        Returns:
            ``customer_id``, ``place`` (1 = strongest), ``theme``, ``feature``, ``contribution`` (to the logit of the
            risk), ``share`` (of all that raises it), ``risk_without`` (the risk that the model sees where the theme
            is as with the night's typical customer), ``sentence``, and ``change``, which tells that risk in words.

        Raises:
            DataError: if the churn model does not speak for one of them that night.
            ConfigError: if there are no words in that language.
        """
        return self._why.reasons(*customers, most=most, language=language)

    def importances(self, customers: int = 300) -> pd.DataFrame:
        """Say which features move tonight's risks most.

        Args:
            customers: how many watched customers to ask, evenly spread over their ids.

        Returns:
            ``feature``, ``theme``, ``mean_contribution`` (mean absolute change of the logit of the risk), largest
            first.
        """
        return self._why.importances(customers)

    @cached_property
    def _why(self) -> "WhyReader":
        from pipeline.reading.why import WhyReader  # the learner takes seconds to import

        return WhyReader(self.manifest)

    def _tonight(self) -> pd.Series:
        plan = self.plan().set_index("customer_id")
        words = plan["action"].mask(
            plan["arm"].isin(["control", "untouched"]), "withheld: " + plan["planned_action"]
        )
        alone = (plan["arm"] == "global_control") & (plan["action"] == NONE)
        return words.mask(alone, "global control").str.replace("_", " ").groupby(level=0).agg(", ".join)

    def _last_planned(self) -> pd.DataFrame:
        columns = ("customer_id", "as_of", "planned_action")
        plans = [read_table(night.table("plan"), columns) for night in self.earlier]
        nobody = self.plan()[list(columns)].head(0)
        rows = pd.concat([nobody, *plans], ignore_index=True)
        last = rows[rows["planned_action"] != NONE].drop_duplicates("customer_id", keep="last")
        return last.rename(columns={"planned_action": "last_planned", "as_of": "last_planned_on"})

    @property
    def _at_risk_above(self) -> float:
        return float(self._fact("business")["at_risk_above"])

    def _watched(self, scores: pd.DataFrame) -> pd.DataFrame:
        return scores[scores["risk_source"] == SPOKEN_FOR]

    def _fact(self, name: str) -> Any:
        return fact(self.manifest, name)
