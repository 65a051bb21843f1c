"""The report card: trained on what was known at a date, judged by what came after, beside honest rivals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.churn import ChurnModel
from models.evaluation import Row, calibration_table, evaluate_models, evaluate_slices
from models.metrics import log_loss
from models.reference import DateReference
from models.rivals import Contest, contest_at, left_out, predict_rivals
from models.settings import ModelSettings
from models.weighted import unless_even
from pipeline.run import Run
from pipeline.slicing import slicings
from pipeline.snapshots import DateFrame, Training, date_frame, labelled, training
from pipeline.training.campaigns import campaigns, words
from pipeline.treated import TreatedRows, count_rows, treated_answer
from tables.errors import DataError
from tables.history import History

OURS = "keepwell"


@dataclass(frozen=True)
class Trial:
    """The recipe trained on what was settled before a date, and what it says of the population at it.

    Attributes:
        model: the recipe as trained.
        known: the labelled snapshots it was trained on.
        everybody: features of the date's whole population, on which every level is set.
        kept: whether each of them is judged; the others are left out as treated.
        customer: customer key of each one judged.
        churned: what the outcome was.
        reference: what the date says about everybody, the level's forecast included.
        risk: churn risk of each one judged.
        weight: how often each row counts in a metric; nothing where every row counts once.
        treated: what was done with the treated, and the log loss with and without that.
    """

    model: ChurnModel
    known: Training
    everybody: pd.DataFrame
    kept: npt.NDArray[np.bool_]
    customer: npt.NDArray[np.int64]
    churned: npt.NDArray[np.int8]
    reference: DateReference
    risk: npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64] | None = None
    treated: TreatedRows | None = None

    @property
    def population(self) -> pd.DataFrame:
        """Features of those judged."""
        return self.everybody if self.kept.all() else self.everybody[self.kept]

    def contest(self, seed: int) -> Contest:
        """Return what rivals may see: the same snapshots, and those judged."""
        known = self.known
        return contest_at(
            known.features,
            known.churned,
            known.as_of,
            self.population,
            reference=self.reference,
            seed=seed,
            weight=known.weight,
        )

    @property
    def judged(self) -> DateFrame:
        """Those judged as all there are at the date."""
        rows = self.population.reset_index(drop=True)
        return DateFrame(
            self.reference.as_of, self.customer, rows, np.ones(len(rows), dtype=np.bool_), self.reference
        )

    def risk_by(self, model: ChurnModel) -> npt.NDArray[np.float64]:
        """Return what another recipe says of those judged, its level set on everybody as that of ``risk`` was."""
        said = model.calibrate_predict(self.everybody, reference=self.reference, series=self.known.series)[1]
        return said[self.kept]


@dataclass(frozen=True)
class Evaluation:
    """How the recipe did at one date.

    Attributes:
        as_of: the date.
        customers: size of the population.
        churn_rate: share that churned.
        level_check: date at which the level's forecasts were tried, ``none`` without one.
        members: weight of each ranking member of our model.
        models: one row of metrics per model, ours first.
        calibration: groups of customers by predicted risk, and what they did.
        slices: our model inside segments and bands of tenure.
        constant_log_loss: log loss of predicting the training's churn rate for everybody.
        all_finite: whether every output of the model is a finite number.
        left_out: rivals that mean nothing for how customers leave here.
        treated: what was done with treated customers in training and evaluation.
        profit: whom it would have paid to contact, as ``campaigns`` tells.
    """

    as_of: date
    customers: int
    churn_rate: float
    level_check: str
    members: Mapping[str, float]
    models: Sequence[Row]
    calibration: Sequence[Row]
    slices: Sequence[Row]
    constant_log_loss: float
    all_finite: bool
    left_out: Sequence[str]
    treated: Mapping[str, Any]
    profit: Mapping[str, Any]

    @property
    def log_loss(self) -> float:
        """Log loss of our model."""
        return float(self.models[0]["log_loss"] or np.nan)

    @property
    def is_sound(self) -> bool:
        """Whether the recipe may be promoted: finite outputs and better than a constant."""
        return self.all_finite and self.log_loss < self.constant_log_loss

    def answer(self, horizon_days: int) -> dict[str, Any]:
        """Return what ``keepwell evaluate --json`` prints."""
        return {
            "as_of": self.as_of.isoformat(),
            "horizon_days": horizon_days,
            "n": self.customers,
            "churn_rate": self.churn_rate,
            "level_check": self.level_check,
            "members": dict(self.members),
            "models": [dict(row) for row in self.models],
            "treated": dict(self.treated),
            "profit": dict(self.profit),
            **({"left_out": list(self.left_out)} if self.left_out else {}),
        }

    def lines(self) -> str:
        """Return the models as a table for people."""
        head = f"{'model':24}{'AUC':>8}{'95 % interval':>18}{'log loss':>10}{'ECE':>8}{'lift 10 %':>11}"
        rows = [
            f"{row['name']:24}{row['auc']:8.4f}{_interval(row):>18}{row['log_loss']:10.4f}{row['ece']:8.3f}"
            f"{row['lift_at_10pct']:11.2f}"
            for row in self.models
        ]
        left_out = f"left out, for nobody leaves by silence here: {', '.join(self.left_out)}"
        return "\n".join(
            [
                f"{self.as_of}: {self.customers:,} customers, {self.churn_rate:.1%} churned",
                head,
                *rows,
                f"{OURS} ranks by {', '.join(f'{name} {each:.0%}' for name, each in self.members.items())}",
                *([left_out] if self.left_out else []),
                *(f"treated customers, {told}" for told in self.treated["words"]),
                words(self.profit),
            ]
        )


def newest_evaluable(run: Run, history: History, until: date) -> date:
    """Return the newest date whose outcome is settled both by ``until`` and by the newest day of the log."""
    return run.rule.newest_complete(min(until, run.newest_day(history)))


def fit(run: Run, known: Training, *, earlier: ChurnModel | None = None) -> ChurnModel:
    """Train the configured recipe on labelled snapshots.

    Args:
        run: the run.
        known: the snapshots.
        earlier: the recipe as trained for the newest of their dates, if it was.

    Raises:
        DataError: if there are too few customers or one class only.
    """
    settings = run.config.model
    customers = len(np.unique(known.customer))
    if customers < settings.least_customers:
        raise DataError(
            f"training: too few customers; found {customers}, needs {settings.least_customers}. "
            "Wait for more customers, lengthen active_within_days (no such key with contracts), or lower "
            "model.least_customers."
        )
    rule = run.rule
    model = churn_model(settings, rule.horizon_days, rule.settled_days, run.config.seed, run.config.threads)
    return model.fit(
        known.features,
        known.churned,
        as_of=known.as_of,
        customer=known.customer,
        weight=known.weight,
        references=known.references,
        earlier=earlier,
    )


def churn_model(
    settings: ModelSettings, horizon_days: int, settled_days: int, seed: int, threads: int
) -> ChurnModel:
    """Return the configured recipe, untrained."""
    return ChurnModel(
        horizon_days=horizon_days,
        settled_days=settled_days,
        folds=settings.folds,
        max_rounds=settings.max_rounds,
        recipe=settings.recipe,
        boosting=settings.boosting,
        seed=seed,
        threads=threads,
    )


def try_at(run: Run, history: History, as_of: date) -> Trial:
    """Train on what was settled before a date, and score the population at it."""
    run.progress(f"evaluate at {as_of}: features of the past")
    known = training(run, history, until=as_of)
    run.progress(f"evaluate at {as_of}: train on {len(known.churned):,} snapshots")
    model = fit(run, known)
    frame = date_frame(run, history, as_of)
    labels = labelled(run, history, [as_of], known_before=None).sort_values("customer")
    customer = labels["customer"].to_numpy()
    _check_same_customers(frame.customer[frame.in_population], customer)
    everybody = frame.population[known.features.columns]
    reference, risk = model.calibrate_predict(everybody, reference=frame.reference, series=known.series)
    churned, counted = labels["churned"].to_numpy(), count_rows(run, history, labels)
    kept = counted.kept
    return Trial(
        model=model,
        known=known,
        everybody=everybody,
        kept=kept,
        customer=customer[kept],
        churned=churned[kept],
        reference=reference,
        risk=risk[kept],
        weight=unless_even(counted.weight[kept]),
        treated=counted.judged(churned, risk),
    )


def evaluate_at(run: Run, history: History, as_of: date) -> Evaluation:
    """Train on what was settled before a date, and compare model and rivals on the outcome after it."""
    return judge(run, try_at(run, history, as_of))


def judge(run: Run, trial: Trial) -> Evaluation:
    """Compare a trained model and its rivals on the outcome of a date."""
    known, churned, reference = trial.known, trial.churned, trial.reference
    as_of = reference.as_of
    run.progress(f"evaluate at {as_of}: rivals")
    weight, seed = trial.weight, run.config.seed
    predictions = {OURS: trial.risk, **predict_rivals(trial.contest(seed))}
    rate = float(np.average(known.churned, weights=known.weight))
    return Evaluation(
        as_of=as_of,
        customers=len(churned),
        churn_rate=float(np.average(churned, weights=weight)),
        level_check=reference.level.level_check if reference.level else "none",
        members=trial.model.members_.weights,
        models=evaluate_models(churned, predictions, trial.customer, seed, weight=weight),
        calibration=calibration_table(churned, trial.risk, weight=weight),
        slices=evaluate_slices(
            churned,
            trial.risk,
            trial.customer,
            slicings(trial.population, reference),
            seed,
            weight=weight,
        ),
        constant_log_loss=log_loss(churned, np.full(len(churned), rate), weight=weight),
        all_finite=bool(np.isfinite(trial.risk).all()),
        left_out=left_out(reference),
        treated=treated_answer(
            run.config.model.treated, {"training": known.treated, "evaluation": trial.treated}
        ),
        profit=campaigns(run, trial.judged, churned, trial.risk, weight),
    )


def _check_same_customers(scored: np.ndarray[Any, Any], labelled_keys: np.ndarray[Any, Any]) -> None:
    if not np.array_equal(scored, labelled_keys):
        raise DataError(
            f"evaluation: features and labels speak of different customers; found {len(scored)} and "
            f"{len(labelled_keys)}. Report this: both must follow the same rule of population."
        )


def _interval(row: Row) -> str:
    return f"[{row['auc_low']:.3f}, {row['auc_high']:.3f}]"
