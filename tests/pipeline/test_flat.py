"""Ready-made snapshots: read strictly, judged only by models that have not seen the customer, and marked."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from models.metrics import Array
from models.rivals import Contest
from pipeline.cli import keepwell
from pipeline.config import load_as, load_config
from pipeline.training.evaluating import OURS
from pipeline.training.flat import (
    NOT_OUT_OF_TIME,
    cross_validated,
    evaluate_flat,
    flat_rivals,
    one_hot,
    read_snapshot,
)
from pipeline.training.snapshot_config import Snapshot, SnapshotConfig
from tables.errors import ConfigError, DataError, SchemaError

CONFIG = """\
name: Made up
workspace: {folder}/work
threads: 1
snapshot:
  path: {folder}/table.csv
  customer_id: who
  label: left
  churned: yes
  numbers: [months, fee]
  categories: [plan]
  one_number: months
  folds: 2
  repeats: 2
model: {{folds: 3, max_rounds: 20}}
"""


def write(folder: Path, rows: pd.DataFrame) -> SnapshotConfig:
    rows.to_csv(folder / "table.csv", index=False)
    (folder / "snapshot.yaml").write_text(CONFIG.format(folder=folder))
    return load_as(SnapshotConfig, folder / "snapshot.yaml", {})


def stored(folder: Path, rows: pd.DataFrame, suffix: str) -> Snapshot:
    source, path = write(folder, rows).snapshot, folder / f"table{suffix}"
    if suffix == ".parquet":
        rows.to_parquet(path)
    return source.model_copy(update={"path": str(path)})


def customers(n: int = 400) -> pd.DataFrame:
    """Customers who leave the likelier the fewer months they have been there, and on the monthly plan."""
    rng = np.random.default_rng(11)
    months, plan = rng.integers(1, 60, n), rng.choice(["month", "year"], n)
    risk = 1 / (1 + np.exp(-(1.5 - months / 12 + (plan == "month"))))
    left = np.where(rng.random(n) < risk, "yes", "no")
    return pd.DataFrame(
        {
            "who": [f"c{at}" for at in range(n)],
            "months": months,
            "fee": rng.random(n),
            "plan": plan,
            "left": left,
        }
    )


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw few customers: intervals are tested with the metrics."""
    monkeypatch.setattr("models.pooled.draws_for", lambda rows: 20)


def test_a_text_no_training_row_has_is_missing() -> None:
    shown = one_hot(pd.Series(["a", "b", None], name="plan"), pd.Series(["a", "c", None]))
    assert list(shown) == ["plan_0_a", "plan_1_c"]
    np.testing.assert_array_equal(shown.to_numpy(), [[1, 0], [np.nan, np.nan], [np.nan, np.nan]])


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=8))
def test_every_known_text_has_exactly_one_indicator(texts: list[str | None]) -> None:
    column = pd.Series(texts, name="plan", dtype=object)
    shown = one_hot(column, column)
    assert (shown.sum(axis=1) == column.notna()).all()
    assert shown.isna().all(axis=1).equals(column.isna()) or shown.empty


def test_what_is_known_ranks_better_than_chance_and_is_marked(tmp_path: Path) -> None:
    told = evaluate_flat(write(tmp_path, customers()), lambda _: None)
    assert [row["name"] for row in told["models"]] == [OURS, "lightgbm_plain", "logistic_rich", "one_number"]
    assert all(row["auc"] > 0.65 for row in told["models"])
    assert (told["out_of_time"], told["n"], told["repeats"]) == (False, 400, 2)
    assert NOT_OUT_OF_TIME in told["text"]


def test_no_model_has_seen_the_customer_it_scores(tmp_path: Path) -> None:
    rows = customers(300)
    rng = np.random.default_rng(2)
    rows["left"] = rng.permutation(rows["left"])
    rows["plan"] = (
        rows["left"] + "-" + rows["who"]
    )  # a text of its own for each customer, which tells the label
    config = write(tmp_path, rows)
    table = read_snapshot(config.snapshot)
    outcome = cross_validated(config, table, 0, flat_rivals(config.snapshot))
    for name, risk in outcome.predictions.items():
        order = pd.Series(risk).rank()
        churned = outcome.churned == 1
        pairs = churned.sum() * (~churned).sum()
        auc = (order[churned].sum() - churned.sum() * (churned.sum() + 1) / 2) / pairs
        assert abs(auc - 0.5) < 0.12, name


def test_every_wrong_row_is_named_at_once(tmp_path: Path) -> None:
    rows = customers(40).astype({"fee": object, "left": object})
    rows.loc[0, "fee"], rows.loc[1, "fee"] = "dear", " "
    rows.loc[3, "who"] = "c2"
    rows.loc[5, "left"] = None
    config = write(tmp_path, rows)
    with pytest.raises(DataError) as caught:
        read_snapshot(config.snapshot)
    told = str(caught.value)
    for part in ("1 customers twice, 0 without id", "1 rows without left", "the number fee, such as 'dear'"):
        assert part in told


def test_a_label_that_is_never_met_shows_what_there_is(tmp_path: Path) -> None:
    config = write(tmp_path, customers(40))
    source = config.snapshot.model_copy(update={"churned": "Yes"})
    with pytest.raises(
        DataError, match=r"0 rows of the rarer class by left = 'Yes' \(its values: \['no', 'yes'\]\)"
    ):
        read_snapshot(source)


def test_a_missing_column_or_file_is_named(tmp_path: Path) -> None:
    source = write(tmp_path, customers(40)).snapshot
    with pytest.raises(SchemaError, match=r"no column 'month'.*Did you mean 'months'"):
        read_snapshot(source.model_copy(update={"numbers": ("month",)}))
    with pytest.raises(DataError, match="there is no such file"):
        read_snapshot(source.model_copy(update={"path": "nowhere.csv"}))


@pytest.mark.parametrize("empty", ["", " ", None])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_an_empty_category_is_missing_in_every_format(tmp_path: Path, suffix: str, empty: str | None) -> None:
    rows = customers(200)
    rows.loc[3, "plan"] = empty
    table = read_snapshot(stored(tmp_path, rows, suffix))
    shown = table.features(np.arange(200))[["plan_0_month", "plan_1_year"]]
    assert shown.index[shown.isna().all(axis=1)].tolist() == [3]
    assert shown.drop(index=3).sum(axis=1).eq(1).all()


def test_a_missing_text_of_pandas_is_missing() -> None:
    texts = pd.Series(["a", pd.NA], name="plan", dtype=object)
    np.testing.assert_array_equal(one_hot(texts, texts).to_numpy(), [[1], [np.nan]])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("utf16.csv", "who,left\nc1,yes\n".encode("utf-16")),
        ("ragged.csv", b"who,left\nc1,yes\nc2,no,3,4\n"),
        ("broken.parquet", b"PAR1 broken PAR1"),
    ],
    ids=["empty", "utf16", "ragged", "broken"],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    source = write(tmp_path, customers(40)).snapshot.model_copy(update={"path": str(path)})
    with pytest.raises(DataError, match=rf"{name}: neither CSV in UTF-8 nor Parquet.*Save it as") as caught:
        read_snapshot(source)
    assert (caught.value.exit_code, "\n" in str(caught.value)) == (3, False)


@pytest.mark.parametrize("number", ["inf", "-inf", "1e300", "1e400"])
def test_a_number_too_large_is_named_with_its_column(tmp_path: Path, number: str) -> None:
    rows = customers(200).astype({"fee": object})
    rows.loc[3, "fee"] = number
    with pytest.raises(
        DataError, match=r"table.csv: rows .*; found 1 numbers too large in fee, such as -?(inf|1e\+300)\."
    ):
        read_snapshot(write(tmp_path, rows).snapshot)


@pytest.mark.parametrize(("n", "left"), [(60, "30 and"), (8, "4 and")])
def test_too_few_customers_get_advice_that_helps(tmp_path: Path, n: int, left: str) -> None:
    with pytest.raises(
        DataError, match=rf"table.csv: too few customers; found {n} .* {left} .*snapshot.folds"
    ) as caught:
        read_snapshot(write(tmp_path, customers(n)).snapshot)
    assert "active_within_days" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_row_without_label_is_told_as_such_only(tmp_path: Path, suffix: str) -> None:
    rows = customers(200)
    rows["left"] = (rows["left"] == "yes").astype(float)
    rows.loc[3, "left"] = np.nan
    source = stored(tmp_path, rows, suffix).model_copy(update={"churned": 1})
    with pytest.raises(DataError, match=r"found 1 rows without left\. Mend the file"):
        read_snapshot(source)


@pytest.mark.parametrize("churned", [1, "1", "1.0"])
def test_a_whole_label_matches_however_it_is_stored(tmp_path: Path, churned: int | str) -> None:
    rows = customers(200)
    expected = (rows["left"] == "yes").to_numpy().astype(np.int8)
    for kind in (int, float):
        rows["left"] = expected.astype(kind)
        source = stored(tmp_path, rows, ".parquet").model_copy(update={"churned": churned})
        np.testing.assert_array_equal(read_snapshot(source).churned, expected)


def test_texts_come_from_the_training_fold_only(tmp_path: Path) -> None:
    rows = customers(200)
    rows.loc[3, "plan"] = "rare"
    config = write(tmp_path, rows)
    seen: list[Contest] = []

    def watching(contest: Contest) -> Array:
        seen.append(contest)
        return np.full(len(contest.X_test), 0.5)

    cross_validated(config, read_snapshot(config.snapshot), 0, {"watching": watching})
    without, having = sorted(seen, key=lambda each: len(each.X.columns))
    assert [name for name in having.X if "plan" in name] == ["plan_0_month", "plan_1_rare", "plan_2_year"]
    plans = ["plan_0_month", "plan_1_year"]
    assert [name for name in without.X if "plan" in name] == plans
    assert without.X_test[plans].isna().all(axis=1).sum() == 1


def test_nothing_is_retrained_or_planned_from_it(tmp_path: Path) -> None:
    write(tmp_path, customers(40))
    with pytest.raises(ConfigError, match=r"a ready-made snapshot has no dates.*`evaluate` or `leaderboard`"):
        load_config(tmp_path / "snapshot.yaml", {})


def test_a_wrong_key_is_named_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, customers(40))
    path = tmp_path / "snapshot.yaml"
    path.write_text(path.read_text().replace("customer_id", "customerid"))
    with pytest.raises(ConfigError, match=r"snapshot.yaml:6: snapshot.customerid: there is no such key"):
        load_as(SnapshotConfig, path, {})
    assert Snapshot.model_fields["folds"].default == 5


def test_evaluate_takes_it_and_refuses_a_date(tmp_path: Path) -> None:
    write(tmp_path, customers(200))
    words = ["evaluate", "-c", str(tmp_path / "snapshot.yaml"), "--json"]
    told = CliRunner().invoke(keepwell, words)
    assert json.loads(told.stdout)["out_of_time"] is False
    refused = CliRunner().invoke(keepwell, [*words, "--as-of", "2025-01-01"])
    assert refused.exit_code == 2
    assert "has no dates" in refused.output


@pytest.mark.real
def test_telephone_customers_are_told_as_well_as_published(real_data: Path) -> None:
    overrides = {
        "KEEPWELL_DATA": str(real_data),
        "KEEPWELL__SNAPSHOT__REPEATS": "1",
        "KEEPWELL__MODEL__FOLDS": "3",
    }
    config = load_as(SnapshotConfig, Path("configs/telco_ibm.yaml"), overrides)
    told = evaluate_flat(config, lambda _: None)
    ours, *rivals = told["models"]
    assert (told["n"], round(told["churn_rate"], 4)) == (7_043, 0.2654)
    # Published five-fold figures are .845 to .848; above .86 somebody has seen the answer.
    assert 0.845 < ours["auc"] < 0.86
    assert all(ours["log_loss"] < row["log_loss"] + 0.003 for row in rivals)
    assert ours["ece"] < 0.025
