"""Ready-made snapshots: one table with a label and no dates, cross-validated for want of a later date.

What customers will do is then judged by what others of the same day did: no figure from here is out of time.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from models.evaluation import Row
from models.metrics import Array, ece_when_perfect
from models.pool import FEWEST_CUSTOMERS, FEWEST_OF_A_CLASS
from models.pooled import Outcome, pooled_metrics
from models.reference import DateReference
from models.rivals import Contest, Rivals, lightgbm_plain, logistic_on, logistic_rich, predict_rivals
from pipeline.training.evaluating import OURS, churn_model
from pipeline.training.snapshot_config import Snapshot, SnapshotConfig
from tables.errors import DataError, SchemaError

NOT_OUT_OF_TIME = "not out of time: cross-validated inside one table"
_DAY = date(2000, 1, 1)  # the table has no day, the model needs one: any
_HORIZON_DAYS = 1
_WHOLE = re.compile(r"^(-?\d+)\.0+$")

Progress = Callable[[str], None]


@dataclass(frozen=True)
class FlatTable:
    """A ready-made snapshot as read.

    Attributes:
        churned: 1 where the customer churned.
        numbers: columns that are numbers.
        categories: columns of texts, missing where empty.
    """

    churned: npt.NDArray[np.int8]
    numbers: pd.DataFrame
    categories: pd.DataFrame

    def features(self, known: npt.NDArray[np.intp]) -> pd.DataFrame:
        """Return all customers' features as somebody sees them who knows the texts of some rows only."""
        shown = [
            one_hot(self.categories[name], self.categories[name].iloc[known]) for name in self.categories
        ]
        return pd.concat([self.numbers, *shown], axis=1)


def one_hot(texts: pd.Series, known: pd.Series) -> pd.DataFrame:
    """Return one indicator per known text; of a text that is missing or unknown, all are missing.

    >>> one_hot(pd.Series(["a", "b", "c"], name="plan"), pd.Series(["a", "c"])).to_numpy()
    array([[ 1.,  0.],
           [nan, nan],
           [ 0.,  1.]], dtype=float32)
    """
    names = sorted(known.dropna().unique())
    position = pd.Index(names, dtype=object).get_indexer(texts)
    shown = (position[:, None] == np.arange(len(names))).astype(np.float32)
    shown[position < 0] = np.nan
    columns = [f"{texts.name}_{at}_{re.sub(r'[^0-9A-Za-z]+', '_', name)}" for at, name in enumerate(names)]
    return pd.DataFrame(shown, columns=columns, index=texts.index)


def read_snapshot(source: Snapshot) -> FlatTable:
    """Read and check a ready-made snapshot.

    Raises:
        SchemaError: a column is not there.
        DataError: naming everything else that is wrong: no file or none that can be read, customers twice or without
            id, labels missing or of one class, texts or numbers too large where numbers were announced, too few
            customers.
    """
    path = Path(source.path)
    if not path.exists():
        raise DataError(
            f"{path}: there is no such file. Check snapshot.path (docs/data.md says where to get it)."
        )
    rows = _rows(path)
    for column in (source.customer_id, source.label, *source.numbers, *source.categories):
        if column not in rows:
            raise SchemaError.missing_column(column, table=str(path), found=rows.columns)
    numbers = rows[list(source.numbers)].apply(pd.to_numeric, errors="coerce").astype(np.float64)
    problems = list(_problems(rows, numbers, source))
    if problems:
        raise DataError(f"{path}: rows that cannot be used; found {'; '.join(problems)}. Mend the file.")
    churned = _churned(rows[source.label], source)
    _check_enough(churned, source)
    return FlatTable(churned, numbers.astype(np.float32), rows[list(source.categories)].apply(_texts))


def cross_validated(config: SnapshotConfig, table: FlatTable, repeat: int, rivals: Rivals) -> Outcome:
    """Score every customer once by models that have not seen it.

    Args:
        config: the snapshot and the recipe.
        table: the snapshot as read.
        repeat: number of the split, from 0.
        rivals: models to train beside ours.
    """
    seed, rows = config.seed + repeat, len(table.churned)
    folds = StratifiedKFold(config.snapshot.folds, shuffle=True, random_state=seed)
    risks = {name: np.empty(rows) for name in (OURS, *rivals)}
    for known, unseen in folds.split(np.zeros(rows), table.churned):
        contest = _contest(table, known, unseen, seed)
        risks[OURS][unseen] = _our_risk(config, contest, known)
        for name, risk in predict_rivals(contest, rivals).items():
            risks[name][unseen] = risk
    return Outcome(table.churned, np.arange(rows), risks)


def flat_rivals(source: Snapshot) -> Rivals:
    """Return the rivals that mean something without dates and orders."""
    rivals: dict[str, Callable[[Contest], Array]] = {
        "lightgbm_plain": lightgbm_plain,
        "logistic_rich": logistic_rich,
    }
    if source.one_number:
        rivals["one_number"] = partial(logistic_on, columns=(source.one_number,), C=1e3)
    return rivals


def evaluate_flat(config: SnapshotConfig, progress: Progress) -> Mapping[str, Any]:
    """Compare the recipe with its rivals on a ready-made snapshot, cross-validated."""
    table, source = read_snapshot(config.snapshot), config.snapshot
    outcomes = []
    for repeat in range(source.repeats):
        progress(f"cross-validate {config.name}: split {repeat + 1} of {source.repeats}")
        outcomes.append(cross_validated(config, table, repeat, flat_rivals(source)))
    floor = ece_when_perfect(outcomes[0].predictions[OURS], seed=config.seed)[0]
    models = pooled_metrics(outcomes, config.seed)
    answer = {
        "out_of_time": False,
        "folds": source.folds,
        "repeats": source.repeats,
        "n": len(table.churned),
        "churn_rate": float(table.churned.mean()),
        "ece_when_perfect": floor,
        "models": models,
    }
    return {**answer, "text": _lines(config, answer, models)}


def _our_risk(config: SnapshotConfig, contest: Contest, known: npt.NDArray[np.intp]) -> Array:
    model = churn_model(config.model, _HORIZON_DAYS, _HORIZON_DAYS, config.seed, config.threads)
    reference = _reference(contest.X, _DAY)
    model.fit(contest.X, contest.y, as_of=contest.as_of, customer=known, references={_DAY: reference})
    return model.calibrate_predict(contest.X_test, reference=contest.reference)[1]


def _contest(
    table: FlatTable, known: npt.NDArray[np.intp], unseen: npt.NDArray[np.intp], seed: int
) -> Contest:
    X = table.features(known)
    as_of = np.full(len(known), np.datetime64(_DAY))
    after = _DAY + timedelta(days=_HORIZON_DAYS)
    return Contest(
        X=X.iloc[known].reset_index(drop=True),
        y=table.churned[known],
        as_of=as_of,
        X_test=X.iloc[unseen].reset_index(drop=True),
        reference=_reference(X.iloc[unseen], after),
        seed=seed,
    )


def _reference(X: pd.DataFrame, day: date) -> DateReference:
    return DateReference.fit(X, as_of=day, horizon_days=_HORIZON_DAYS, leaves_by_silence=False)


def _rows(path: Path) -> pd.DataFrame:
    """Read a file; an empty text is missing in every column."""
    try:
        rows = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except PermissionError:  # the machine refuses, whatever the file holds
        raise
    except (OSError, ValueError) as error:  # the errors of pandas and Arrow derive from these
        first = str(error).strip().splitlines()[0].rstrip(".")
        raise DataError(
            f"{path}: neither CSV in UTF-8 nor Parquet that can be read; {first}. "
            "Save it as one of them, with a header, under a name that ends in .csv or .parquet."
        ) from error
    return rows.astype(object).replace(r"^\s*$", np.nan, regex=True)


def _texts(column: pd.Series) -> pd.Series:
    """Return values as texts, missing where missing; one gap turns whole numbers into floats: 1.0 is 1 as well."""
    texts = column.dropna().map(str).astype(object).str.replace(_WHOLE, r"\1", regex=True)
    return texts.astype(object).reindex(column.index)


def _churned(label: pd.Series, source: Snapshot) -> npt.NDArray[np.int8]:
    churned = _WHOLE.sub(r"\1", str(source.churned))
    return np.asarray(_texts(label) == churned).astype(np.int8)


def _problems(rows: pd.DataFrame, numbers: pd.DataFrame, source: Snapshot) -> Iterator[str]:
    ids, label = rows[source.customer_id], rows[source.label].dropna()
    twice, without = int(ids.dropna().duplicated().sum()), int(ids.isna().sum())
    if twice or without:
        yield f"{twice} customers twice, {without} without id"
    if len(label) < len(rows):
        yield f"{len(rows) - len(label)} rows without {source.label}"
    rarer = min(np.bincount(_churned(label, source), minlength=2))
    if rarer < source.folds:
        values = sorted(_texts(label).unique())[:5]
        yield f"{rarer} rows of the rarer class by {source.label} = {source.churned!r} (its values: {values})"
    for name in numbers:
        yield from _unusable(rows[name], numbers[name])


def _unusable(written: pd.Series, number: pd.Series) -> Iterator[str]:
    texts = written[number.isna() & written.notna()]
    if len(texts):
        yield f"texts in the number {written.name}, such as {str(texts.iloc[0]).strip()!r}"
    large = number[number.abs() > np.finfo(np.float32).max]
    if len(large):
        yield f"{len(large)} numbers too large in {written.name}, such as {large.iloc[0]}"


def _check_enough(churned: npt.NDArray[np.int8], source: Snapshot) -> None:
    """Refuse a table whose training parts the model would refuse, with advice that fits a table without dates."""
    counts = len(churned), int(min(np.bincount(churned, minlength=2)))
    customers, rarer = (count - ceil(count / source.folds) for count in counts)
    if customers < FEWEST_CUSTOMERS or rarer < FEWEST_OF_A_CLASS:
        raise DataError(
            f"{source.path}: too few customers; found {counts[0]} with {counts[1]} of the rarer class, of whom "
            f"{customers} and {rarer} are left to learn from, fewer than {FEWEST_CUSTOMERS} or {FEWEST_OF_A_CLASS}. "
            "Gather more customers, or raise snapshot.folds."
        )


def _lines(config: SnapshotConfig, answer: Mapping[str, Any], models: Sequence[Row]) -> str:
    """Return the models as a table for people."""
    rows = [
        f"{row['name']:24}{row['auc']:8.4f}{_interval(row):>18}{row['log_loss']:10.4f}{row['ece']:8.3f}"
        f"{row['lift_at_10pct']:11.2f}"
        for row in models
    ]
    return "\n".join(
        [
            f"{config.name}: {answer['n']:,} customers, {answer['churn_rate']:.1%} churned; {NOT_OUT_OF_TIME}, "
            f"{answer['folds']} folds, {answer['repeats']} times",
            f"{'model':24}{'AUC':>8}{'95 % interval':>18}{'log loss':>10}{'ECE':>8}{'lift 10 %':>11}",
            *rows,
            f"a perfectly calibrated model of that size has an ECE of {answer['ece_when_perfect']:.3f}",
        ]
    )


def _interval(row: Row) -> str:
    return f"[{row['auc_low']:.3f}, {row['auc_high']:.3f}]"
