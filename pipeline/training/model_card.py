"""The model card: every figure of a training that its report tells, as JSON, so that the report can be told again."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from models.churn import ChurnModel
from models.evaluation import Row, calibration_table
from models.importance import Importances, dependence, importances
from models.level import LevelForecast, LevelSeries
from models.metrics import ece_when_perfect
from models.reference import DateReference
from pipeline.kinds import kind_of
from pipeline.run import Run
from pipeline.slicing import slicings
from pipeline.snapshots import Training
from pipeline.training.ablating import kept_ablation
from pipeline.training.evaluating import Evaluation, Trial
from tables.history import History

PICTURES = 6
_KEPT_FEATURES = 40
_BINS = 5
_FEWEST_PER_BIN = 50
_MOST_DRAWS, _FEWEST_DRAWS = 100, 20
_ROWS_AFFORDED = 10_000_000  # rows times draws: two seconds


def model_card(
    run: Run,
    history: History,
    trial: Trial,
    evaluation: Evaluation,
    *,
    known: Training,
    model: ChurnModel,
    reference: DateReference,
    as_of: date,
) -> dict[str, Any]:
    """Collect what the report of a training tells.

    Args:
        run: the run.
        history: the validated history.
        trial: the recipe as tried at the newest date whose outcome is settled.
        evaluation: how it did there.
        known: the snapshots of the final training.
        model: the model trained on them.
        reference: the date of the training, its level forecast.
        as_of: the date of the training.
    """
    judged_on = trial.reference.as_of
    run.progress(f"report: what the model of {judged_on} looks at")
    ablation = kept_ablation(run, history, judged_on)
    return {
        **_judged(run, trial, evaluation),
        **_looked_at(trial),
        "treated": dict(evaluation.treated)
        | ({"final_training": known.treated.answer()} if known.treated else {}),
        "business": run.config.name,
        "definition": kind_of(run.rule).definition(),
        "trained_for": as_of.isoformat(),
        "trained_through": model.trained_through_.isoformat(),
        "window": _window(run, history, known),
        "population": _population(run, known, reference),
        "level": {
            "judged": _level(trial.reference)
            | {"promised": float(np.average(trial.risk, weights=trial.weight))},
            "next": _level(reference),
        },
        "series": series_rows(run, known.series, reference),
        **({"ablation": ablation} if ablation else {}),
    }


def _judged(run: Run, trial: Trial, evaluation: Evaluation) -> dict[str, Any]:
    draws = max(_FEWEST_DRAWS, min(_MOST_DRAWS, _ROWS_AFFORDED // len(trial.risk)))
    perfect = ece_when_perfect(trial.risk, seed=run.config.seed, draws=draws, weight=trial.weight)
    return {
        **evaluation.answer(run.rule.horizon_days),
        "calibration": [dict(row) for row in evaluation.calibration],
        "slices": [dict(row) for row in evaluation.slices],
        "constant_log_loss": evaluation.constant_log_loss,
        "ece_when_perfect": list(perfect),
        "calibration_by_segment": _by_segment(trial),
    }


def _looked_at(trial: Trial) -> dict[str, Any]:
    found = importances(trial.model, trial.population, reference=trial.reference)
    return {
        "importance": found.features.head(_KEPT_FEATURES).to_dict("records"),
        "themes": found.themes.to_dict("records"),
        "dependence": [
            {"feature": name, "theme": theme, **row}
            for name, theme in strongest_by_theme(found, most=PICTURES).items()
            for row in _along(trial, name)
        ],
    }


def strongest_by_theme(looked_at: Importances, *, most: int) -> dict[str, str]:
    """Choose features to draw: the strongest of each theme, the strongest theme first.

    The strongest features overall often say the same in other words: on the groceries of the example four of
    six were fading counts of purchase days.

    Args:
        looked_at: how far features and themes move risks.
        most: how many to choose; themes that move nothing give none.

    Returns:
        Theme by feature.
    """
    moving = looked_at.features[looked_at.features["mean_contribution"] > 0]
    strongest = moving.drop_duplicates("theme").set_index("theme")["feature"]
    themes = [theme for theme in looked_at.themes["theme"] if theme in strongest.index][:most]
    return {str(strongest[theme]): str(theme) for theme in themes}


def series_rows(run: Run, past: LevelSeries, reference: DateReference) -> list[dict[str, Any]]:
    """Tell how the share that churns went, and what its past alone would have forecast each time.

    Args:
        run: the run.
        past: churn shares of the training dates.
        reference: the date of the training, its level forecast.

    Returns:
        One row per date, the date of the training last: ``as_of``, ``customers``, ``churned`` (missing for the
        last), ``expected`` (mean BG/NBD probability; missing with contracts), ``forecast`` (from the shares
        settled by then; missing for dates that have none).
    """
    silent = not run.rule.is_contract
    columns = (past.as_of, past.customers, past.churn_rate, past.mean_no_purchase)
    rows: list[dict[str, Any]] = [
        {
            "as_of": day.isoformat(),
            "customers": round(customers),
            "churned": churned,
            "expected": expected if silent else None,
            "forecast": _forecast_then(run, past, day, expected),
        }
        for day, customers, churned, expected in zip(*columns, strict=True)
    ]
    now = {
        "as_of": reference.as_of.isoformat(),
        "customers": reference.customers,
        "churned": None,
        "expected": reference.mean_no_purchase if silent else None,
        "forecast": reference.level.series if reference.level else None,
    }
    return [*rows, now]


def _forecast_then(run: Run, past: LevelSeries, day: date, expected: float) -> float | None:
    settled = past.settled_by(day, run.rule.settled_days)
    if not settled.as_of:
        return None
    return settled.forecast(day, mean_no_purchase=expected, horizon_days=run.rule.horizon_days)


def _window(run: Run, history: History, known: Training) -> dict[str, Any]:
    dates = sorted(known.references)
    return {
        "first_day": run.first_day(history).isoformat(),
        "newest_day": run.newest_day(history).isoformat(),
        "first_snapshot": dates[0].isoformat(),
        "newest_snapshot": dates[-1].isoformat(),
        "dates": len(dates),
        "time_zone": run.config.time_zone,
    }


def _population(run: Run, known: Training, reference: DateReference) -> dict[str, Any]:
    return {
        "snapshots": len(known.churned),
        "snapshots_before_cap": known.rows_before_cap,
        "customers": len(np.unique(known.customer)),
        "features": known.features.shape[1],
        "churn_rate": float(np.average(known.churned, weights=known.weight)),
        "watched": reference.customers,
        "active_within_days": run.rule.active_within_days,
    }


def _level(reference: DateReference) -> dict[str, Any]:
    level: LevelForecast | None = reference.level
    if level is None:
        return {"as_of": reference.as_of.isoformat()}
    return {
        "as_of": reference.as_of.isoformat(),
        "level": level.level,
        "own": level.own,
        "series": level.series,
        "series_weight": level.series_weight,
        "level_check": level.level_check,
    }


def _by_segment(trial: Trial) -> list[Row]:
    groups: Mapping[str, npt.NDArray[np.object_]] = slicings(trial.population, trial.reference)
    return [
        {"slicing": slicing, "slice": name, **row}
        for slicing, labels in groups.items()
        for name in sorted({str(label) for label in labels if label is not None})
        if (labels == name).sum() >= _BINS * _FEWEST_PER_BIN
        for row in _calibrated(trial, labels == name)
    ]


def _calibrated(trial: Trial, inside: npt.NDArray[np.bool_]) -> list[Row]:
    weight = None if trial.weight is None else trial.weight[inside]
    return calibration_table(trial.churned[inside], trial.risk[inside], bins=_BINS, weight=weight)


def _along(trial: Trial, feature: str) -> list[Row]:
    return dependence(
        trial.model,
        trial.population,
        trial.churned,
        trial.risk,
        feature,
        reference=trial.reference,
        weight=trial.weight,
    )
