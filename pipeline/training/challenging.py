"""The champion's recipe and the configured one, both trained afresh and judged at the same past dates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from models.contest import CHALLENGER, CHAMPION, MEASURES, SLICE_MARGIN, Verdict, decide
from models.evaluation import check_evaluable
from models.metrics import log_loss
from models.pooled import Outcome
from pipeline.regions import regions
from pipeline.run import Run
from pipeline.slicing import slicings
from pipeline.training.evaluating import Trial, try_at
from pipeline.training.night_profit import night_profits
from tables.errors import DataError
from tables.history import History


@dataclass(frozen=True)
class Bout:
    """Both recipes at one date.

    Attributes:
        as_of: the date.
        champion: the champion's recipe.
        challenger: the configured recipe.
        profit: by recipe what it would have earned with each customer, currency units.
    """

    as_of: date
    champion: Trial
    challenger: Trial
    profit: Mapping[str, npt.NDArray[np.float64]]

    @property
    def outcome(self) -> Outcome:
        """What came after the date, and what both had said of it."""
        return Outcome(
            self.challenger.churned,
            self.challenger.customer,
            {CHAMPION: self.champion.risk, CHALLENGER: self.challenger.risk},
            self.challenger.weight,
            self.profit,
        )

    @property
    def constant_log_loss(self) -> float:
        """Log loss of predicting the training's churn rate for everybody."""
        known, churned = self.challenger.known, self.challenger.churned
        rate = float(np.average(known.churned, weights=known.weight))
        return log_loss(churned, np.full(len(churned), rate), weight=self.challenger.weight)


@dataclass(frozen=True)
class Challenge:
    """How the configured recipe did against the champion's.

    Attributes:
        champion_version: version whose recipe was the champion's.
        verdict: who wins and why.
        bouts: both recipes at each date, newest first.
        lost: features of the champion's recipe that the history no longer gives.
        asked: dates that were asked for.
    """

    champion_version: int
    verdict: Verdict
    bouts: Sequence[Bout]
    lost: Sequence[str]
    asked: int

    def answer(self) -> dict[str, Any]:
        """Return what ``challenge.json`` holds."""
        dates = [
            {"as_of": bout.as_of.isoformat(), **row}
            for bout, row in zip(self.bouts, self.verdict.dates, strict=True)
        ]
        return {
            "decision": CHALLENGER if self.verdict.challenger_wins else CHAMPION,
            "champion_version": self.champion_version,
            "words": self.words,
            "rule": rule_words(),
            "dates": dates,
            "dates_asked": self.asked,
            "rows": list(self.verdict.rows),
            "slices": list(self.verdict.slices),
            "champion_lost_features": list(self.lost),
        }

    def lines(self) -> str:
        """Return the comparison as a table for people."""
        head = f"{'over ' + str(len(self.bouts)) + ' dates':32}{'champion':>10}{'challenger':>12}{'difference':>12}"
        rows = [
            f"{row['name']:32}{row['champion']:10.4f}{row['challenger']:12.4f}{row['difference']:+12.4f}"
            f"   [{row['low']:+.4f}, {row['high']:+.4f}]"
            for row in self.verdict.rows
        ]
        return "\n".join([f"challenger against the recipe of version {self.champion_version}", head, *rows])

    @property
    def words(self) -> list[str]:
        """Why, in sentences."""
        found = [*self.verdict.words]
        if len(self.bouts) < self.asked:
            found.append(
                f"Judged at {len(self.bouts)} dates; the history allows no more of the {self.asked} asked."
            )
        if self.lost:
            some = ", ".join(self.lost[:3])
            found.append(
                f"The history no longer gives {len(self.lost)} features of the champion's recipe, such as {some}; it "
                "was judged without them."
            )
        return found


def challenge(
    run: Run,
    history: History,
    newest: Trial,
    *,
    champion: Run,
    champion_version: int,
    lost: Sequence[str] = (),
) -> Challenge | str:
    """Train both recipes at the newest settled dates, one horizon apart, and let the rule decide.

    Args:
        run: the run with the configured recipe.
        history: the validated history.
        newest: the configured recipe at the newest of these dates.
        champion: the run with the champion's recipe, under today's definition of churn.
        champion_version: version whose recipe it is.
        lost: features of that recipe that the history no longer gives.

    Returns:
        The comparison, or why there is no date to compare at.
    """
    bouts: list[Bout] = []
    asked, reason = run.config.retraining.test_dates, ""
    for step in range(asked):
        as_of = newest.reference.as_of - timedelta(days=step * run.rule.horizon_days)
        try:
            bout = _bout(run, champion, history, as_of, known=newest if step == 0 else None)
            check_evaluable(bout.outcome.churned, bout.outcome.predictions, bout.outcome.customer)
        except DataError as error:
            reason = str(error)
            break  # too little lies before this date to train on, and less before the next
        bouts.append(bout)
    if not bouts:
        return reason
    run.progress("challenge: differences")
    verdict = decide(
        [bout.outcome for bout in bouts],
        [_slices(run, history, bout) for bout in bouts],
        constants=[bout.constant_log_loss for bout in bouts],
        seed=run.config.seed,
    )
    return Challenge(champion_version, verdict, bouts, lost, asked)


def _bout(run: Run, champion: Run, history: History, as_of: date, *, known: Trial | None) -> Bout:
    run.progress(f"challenge at {as_of}: the champion's recipe")
    theirs = try_at(champion, history, as_of)
    run.progress(f"challenge at {as_of}: the configured recipe")
    ours = known or try_at(run, history, as_of)
    run.progress(f"challenge at {as_of}: what either would have earned")
    profit = night_profits(run, history, ours, {CHAMPION: theirs.risk, CHALLENGER: ours.risk})
    return Bout(as_of, theirs, ours, profit)


def rule_words() -> list[str]:
    """Write the rule of the decision down."""
    margins = ", ".join(
        f"{each.words} {each.margin:.0%}" if each.is_share else f"{each.words} {each.margin:g}"
        for each in MEASURES
    )
    wins = " or ".join(each.words for each in MEASURES if each.wins)
    return [
        "Both recipes are trained on what was settled before each date and judged on the same customers after it; "
        "figures are averaged over the dates, intervals are 95 % from resampled customers, the same for both.",
        "Profit is that of one night: each recipe spends an even night's share of today's budget on the pairs of "
        "customer and action it values most, under today's catalogue, rules and capacities; counted is the believed "
        "share of those who did leave times their margin, less all costs.",
        "The challenger must be better than the training's churn rate at every date,",
        f"better in {wins}, its interval without 0, and better at most of the dates,",
        f"in no figure worse by more than its margin: {margins} (profit and calibration error only where their "
        "intervals are without 0: a budget reaches few customers, and of a hundred calibration error says little),",
        f"and in no segment, region or band of tenure may its log loss be shown (95 % for all of them together) to "
        f"be higher by more than {SLICE_MARGIN:g}.",
        "Otherwise the champion's recipe stays and is trained afresh.",
    ]


def _slices(run: Run, history: History, bout: Bout) -> dict[str, npt.NDArray[np.object_]]:
    trial = bout.challenger
    found = dict(slicings(trial.population, trial.reference))
    told = regions(run, history, trial.customer, as_of=bout.as_of)
    return found if told is None else {**found, "region": told}
