"""Leaving tables or ingredients out shows what each is worth, and nothing else changes."""

from datetime import date, timedelta
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

from models.settings import Recipe
from pipeline.cli import keepwell
from pipeline.config import load_config
from pipeline.flows import evaluate
from pipeline.run import Run
from pipeline.steps import ingested
from pipeline.training import ablating
from pipeline.training.comparing import FULL
from tables.calendar import DAY
from tables.errors import ConfigError
from tables.history import History
from tests.small_shop import ACTIONS, SHOP

FIRST = date(2025, 1, 1)
WEEKS = 7
AS_OF = FIRST + timedelta(days=7 * (WEEKS - 2))
CONFIG = (
    SHOP
    + """\
  offers:
    path: {folder}/offers.csv
    columns: {{customer_id: who, offer_id: offer, starts_at: at}}
    durations: {{ends_at: {{column: days, unit: day}}}}
  contacts:
    path: {folder}/contacts.csv
    columns: {{customer_id: who, contact_id: contact, sent_at: at}}
  surveys:
    path: {folder}/surveys.csv
    columns: {{customer_id: who, kind: kind, answered_at: at, score: score}}
churn: {{horizon_days: 7, active_within_days: 14}}
model: {{folds: 3, max_rounds: 20, least_customers: 50}}
features: {{windows: [7, 14], without: [surveys]}}
"""
    + ACTIONS
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A shop whose customers buy in a week with an offer, and seldom without; contacts mean nothing."""
    folder, rng = tmp_path_factory.mktemp("shop"), np.random.default_rng(5)
    orders, offers, contacts = ["who,order,at,amount"], ["who,offer,at,days"], ["who,contact,at"]
    for week in range(WEEKS):
        for customer in range(150):
            begins = FIRST + timedelta(days=7 * week)
            is_tempted = rng.random() < 0.5
            if is_tempted:
                offers.append(f"c{customer},o{week},{begins - timedelta(days=1)},8")
            if rng.random() < (0.95 if is_tempted else 0.4):
                day = begins + timedelta(days=int(rng.integers(7)))
                orders.append(f"c{customer},{week},{day},{rng.integers(5, 50)}")
            if rng.random() < 0.3:
                contacts.append(f"c{customer},m{week},{begins}")
    (folder / "surveys.csv").write_text("who,kind,at,score\nc1,nps,2025-01-02,9\n")
    for name, rows in {"orders": orders, "offers": offers, "contacts": contacts}.items():
        (folder / f"{name}.csv").write_text("\n".join([*rows, ""]))
    (folder / "shop.yaml").write_text(CONFIG.format(folder=folder))
    return Run(config=load_config(folder / "shop.yaml", {}), now=30_000 * DAY)


@pytest.fixture(scope="module")
def compared(shop: Run) -> dict[str, Any]:
    with shop.locked("test") as run:
        return dict(evaluate(run, as_of=AS_OF, without=("offers", "contacts")))


def test_tables_are_left_out_from_the_last_one_on(compared: dict[str, Any]) -> None:
    names = [row["name"] for row in compared["models"]]
    assert names == [FULL, "without contacts", "without offers, contacts"]
    assert {row["name"] for row in compared["gains"]} == set(names[1:])
    assert list(dict.fromkeys(row["name"] for row in compared["steps"])) == ["contacts", "offers"]


def test_what_decides_a_purchase_shows_its_worth(compared: dict[str, Any]) -> None:
    auc = {row["name"]: row for row in compared["steps"] if row["metric"] == "auc"}
    assert auc["offers"]["low"] > 0.05
    assert abs(auc["contacts"]["difference"]) < 0.05


def test_differences_are_those_of_the_rows_printed(compared: dict[str, Any]) -> None:
    full, one, both = compared["models"]
    gains = {(row["name"], row["metric"]): row for row in compared["gains"]}
    steps = {(row["name"], row["metric"]): row for row in compared["steps"]}
    for metric in ("auc", "log_loss", "ece"):
        assert gains[both["name"], metric]["difference"] == pytest.approx(full[metric] - both[metric])
        assert steps["offers", metric]["difference"] == pytest.approx(one[metric] - both[metric])
    for row in (full, one, both):
        assert f"{row['auc']:.4f}" in compared["text"] and f"{row['log_loss']:.4f}" in compared["text"]


def test_leaving_out_equals_the_configuration_without_it(shop: Run, compared: dict[str, Any]) -> None:
    features = shop.config.features.model_copy(update={"without": ("surveys", "contacts")})
    config = shop.config.model_copy(update={"features": features})
    with Run(config=config, now=shop.now).locked("test") as run:
        alone = evaluate(run, as_of=AS_OF)
    assert alone["n"] == compared["n"]
    ours, row = alone["models"][0], compared["models"][1]
    assert {**ours, "name": ""} == {**row, "name": ""}


@pytest.fixture(scope="module")
def quick(shop: Run) -> Run:
    model = shop.config.model.model_copy(update={"max_rounds": 2})
    return Run(config=shop.config.model_copy(update={"model": model}), now=shop.now)


@pytest.fixture(scope="module")
def ablated(quick: Run) -> dict[str, Any]:
    with quick.locked("test") as run:
        return dict(evaluate(run, as_of=AS_OF, ablated=True))


def test_each_ingredient_is_taken_out_once(ablated: dict[str, Any]) -> None:
    names = [row["name"] for row in ablated["models"]]
    assert names[:-1] == [
        ablating.FULL, "without boosting", "without ridge", "without prior",
        "trees without z-scores", "without fixed effects",
        "equal weights", "without slope", "level own", "level series", "level uncorrected",
    ]  # fmt: skip
    kept, of, rows, _ = names[-1].replace(",", "").split()
    assert (of, int(kept) / int(rows)) == ("of", pytest.approx(0.5, abs=0.1))
    assert {row["name"] for row in ablated["gains"]} == set(names[1:])
    assert sum(ablated["members"].values()) == pytest.approx(1)
    assert "full recipe less" in ablated["text"] and "each table adds" not in ablated["text"]


def test_ingredient_taken_out_equals_its_configuration(quick: Run, ablated: dict[str, Any]) -> None:
    model = quick.config.model.model_copy(update={"recipe": Recipe(level="uncorrected")})
    config = quick.config.model_copy(update={"model": model})
    with Run(config=config, now=quick.now).locked("test") as run:
        ours = evaluate(run, as_of=AS_OF)["models"][0]
    row = next(each for each in ablated["models"] if each["name"] == "level uncorrected")
    assert {**ours, "name": ""} == {**row, "name": ""}
    assert row["log_loss"] != ablated["models"][0]["log_loss"]


def test_an_ablation_is_kept_for_its_own_recipe_and_date(
    shop: Run, quick: Run, ablated: dict[str, Any]
) -> None:
    with quick.locked("test") as run:
        history = ingested(run)
        assert ablating.kept_ablation(run, history, AS_OF) == ablated["gains"]
        assert ablating.kept_ablation(run, history, FIRST) == []
        assert ablating.kept_ablation(shop, history, AS_OF) == []  # more rounds make another recipe


def test_an_ablation_of_other_orders_is_forgotten(
    quick: Run, ablated: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with quick.locked("test") as run:
        history = ingested(run)
        assert ablating.kept_ablation(run, history, AS_OF) == ablated["gains"]
        monkeypatch.setattr(History, "digest", "that of another day")
        assert ablating.kept_ablation(run, history, AS_OF) == []


def test_two_comparisons_at_once_are_refused(shop: Run) -> None:
    config = str(shop.workspace.parent / "shop.yaml")
    told = CliRunner().invoke(keepwell, ["evaluate", "-c", config, "--ablate", "--without", "offers"])
    assert told.exit_code == 2 or isinstance(told.exception, click.UsageError)


def test_every_wrong_table_is_refused_by_name(shop: Run) -> None:
    with shop.locked("test") as run, pytest.raises(ConfigError) as caught:
        evaluate(run, as_of=AS_OF, without=("ofers", "contacts", "contacts", "loyalty", "orders", "surveys"))
    told = str(caught.value)
    assert "'ofers' is no table that gives features (did you mean offers)" in told
    assert "'contacts' is named twice" in told
    assert "no feature comes from 'loyalty'; the sources do not deliver it" in told
    assert "'orders' is no table that gives features" in told
    assert "'surveys'" in told  # left out by the configuration already
    assert len(told.splitlines()) == 5


def test_the_command_line_takes_names_between_commas(shop: Run) -> None:
    config = shop.workspace.parent / "shop.yaml"
    told = CliRunner().invoke(keepwell, ["evaluate", "-c", str(config), "--without", "offers, nothing"])
    assert isinstance(told.exception, ConfigError)
    assert (
        "'nothing' is no table" in str(told.exception) and "'offers'" not in str(told.exception).split(";")[0]
    )
