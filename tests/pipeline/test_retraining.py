"""A changed recipe against the champion's, from the files to pages, registry and the next night."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from models import bootstrap
from models.registry import Registry
from pipeline.config import load_config
from pipeline.flows import NightOptions, nightly
from pipeline.run import Run
from pipeline.training.retraining import retrain
from pipeline.training.rolling_back import rollback
from tables.calendar import DAY
from tables.errors import ConfigError, LeakageError, RegistryError
from tables.history import History
from tables.publish import published
from tests.small_shop import ACTIONS, SHOP_WITH_REGIONS

pytestmark = pytest.mark.slow

FIRST = date(2025, 1, 1)
WEEKS, CUSTOMERS = 6, 150
NEWEST = FIRST + timedelta(days=7 * WEEKS)
AS_OF = NEWEST + timedelta(days=1)
BEFORE = AS_OF - timedelta(days=7)
WITHOUT_OFFERS = {"KEEPWELL__FEATURES__WITHOUT": "[offers]"}
CONFIG = (
    SHOP_WITH_REGIONS
    + """\
  offers:
    path: {folder}/offers.csv
    columns: {{customer_id: who, offer_id: offer, starts_at: at}}
    durations: {{ends_at: {{column: days, unit: day}}}}
churn: {{horizon_days: 7, active_within_days: 14}}
model: {{folds: 2, max_rounds: 10, least_customers: 50, recipe: {{members: [ridge]}}}}
features: {{windows: [14]}}
retraining: {{test_dates: 2}}
"""
    + ACTIONS
    + """\
  rules: {{consent: assumed}}
"""
)


class Made(NamedTuple):
    """A workspace and what its retrainings answered: killed and repeated, then the challenge."""

    folder: Path
    repeated: dict[str, Any]
    challenged: dict[str, Any]


def write_shop(folder: Path) -> None:
    """Customers buy in a week with an offer, and seldom without."""
    rng = np.random.default_rng(5)
    keen = rng.normal(0, 1.2, CUSTOMERS)
    orders, offers = ["who,order,at,amount,region"], ["who,offer,at,days"]
    for week in range(WEEKS):
        begins = FIRST + timedelta(days=7 * week)
        for customer in range(CUSTOMERS):
            is_tempted = rng.random() < 0.5
            if is_tempted:
                offers.append(f"c{customer},o{week},{begins - timedelta(days=1)},8")
            if rng.random() < 1 / (1 + np.exp(-keen[customer] - (1.6 if is_tempted else -0.8))):
                day = begins + timedelta(days=int(rng.integers(7)))
                region = "north" if customer % 2 else "south"
                orders.append(f"c{customer},{week},{day},{rng.integers(5, 50)},{region}")
    orders.append(f"c0,{WEEKS},{NEWEST},9,north")
    (folder / "orders.csv").write_text("\n".join([*orders, ""]))
    (folder / "offers.csv").write_text("\n".join([*offers, ""]))
    (folder / "shop.yaml").write_text(CONFIG.format(folder=folder))


@contextmanager
def held(folder: Path, **variables: str) -> Iterator[Run]:
    config = load_config(folder / "shop.yaml", {"KEEPWELL__WORKSPACE": str(folder / "work"), **variables})
    with Run(config=config, now=30_000 * DAY).locked("test") as run:
        yield run


def draw_few(patch: pytest.MonkeyPatch) -> None:
    for draws in ("MOST_DRAWS", "_FEWEST_DRAWS"):
        patch.setattr(bootstrap, draws, 40)


def killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, prepared_database: Path) -> Made:
    folder = tmp_path_factory.mktemp("shop")
    write_shop(folder)
    (folder / "work" / "mlflow").mkdir(parents=True)
    shutil.copy(prepared_database, folder / "work" / "mlflow" / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        draw_few(patch)
        with patch.context() as at_work, held(folder, **WITHOUT_OFFERS) as run:
            at_work.setattr(Registry, "promote", killed)
            with pytest.raises(KeyboardInterrupt):
                retrain(run, as_of=BEFORE)
            registry = Registry(run.workspace, run.config.registry)
            assert [one.in_service for one in registry.versions()] == [False]
            assert not (run.workspace / "retrains" / f"as_of={BEFORE}").exists()
        with held(folder, **WITHOUT_OFFERS) as run:
            repeated = dict(retrain(run, as_of=BEFORE))
        with held(folder) as run:
            challenged = dict(retrain(run, as_of=AS_OF))
    return Made(folder, repeated, challenged)


@pytest.fixture
def shop(made: Made, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made.folder, tmp_path / "shop"))


def test_a_run_killed_before_promotion_is_taken_up_again(made: Made) -> None:
    assert (made.repeated["version"], made.repeated["promoted"]) == (1, True)
    assert made.repeated["recipe_words"] == ["No model is in service for this date: nothing to compare with."]
    assert made.challenged["version"] == 2


def test_a_better_recipe_takes_over_and_says_by_how_much(made: Made) -> None:
    answer = made.challenged
    assert (answer["promoted"], answer["recipe"]) == (True, "configured")
    found = answer["challenge"]
    assert found["decision"] == "challenger"
    assert [row["as_of"] for row in found["dates"]] == [
        str(NEWEST - timedelta(days=days)) for days in (7, 14)
    ]
    gain = next(row for row in found["rows"] if row["metric"] == "log_loss")
    assert gain["high"] < 0
    assert {row["slicing"] for row in found["slices"]} >= {"segment", "region", "tenure"}
    assert f"{gain['challenger']:.4f}" in answer["text"]


def test_the_folder_of_the_retraining_is_whole_and_in_the_registry(made: Made) -> None:
    folder = made.folder / "work" / "retrains" / f"as_of={AS_OF}"
    names = {"card.json", "index.html", "challenge.json", "challenge.html"}
    assert {path.name for path in folder.iterdir()} == names
    card = json.loads((folder / "card.json").read_text())
    assert (card["version"], card["promoted"]) == (2, True)
    assert (
        json.loads((folder / "challenge.json").read_text())
        == made.challenged["challenge"]
        == card["challenge"]
    )
    page = (folder / "challenge.html").read_text()
    assert re.findall(r"https?://|<script|src=", page) == []
    assert "The configured recipe takes over" in page and "region: north" in page
    assert page.count("profit at the night&#39;s budget") >= 2
    with held(made.folder) as run, Registry(run.workspace, run.config.registry).connection.reach() as client:
        run_id = client.get_model_version("keepwell-churn", "2").run_id
        assert {Path(each.path).name for each in client.list_artifacts(run_id, "report")} == names


def test_the_champion_serves_nights_whatever_is_configured_since(shop: Path) -> None:
    with held(shop, **WITHOUT_OFFERS) as run:
        night = nightly(run, as_of=AS_OF, options=NightOptions(today=AS_OF))
        manifest = published(run.workspace, AS_OF)
    assert manifest is not None
    assert (night["model_version"], manifest.facts["model_version"]) == (2, 2)


def test_an_old_retraining_is_the_same_whatever_arrived_later(
    made: Made, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_few(monkeypatch)
    config = (shop / "shop.yaml").read_text()
    (shop / "shop.yaml").write_text(config.replace(f"{made.folder}/orders.csv", f"{shop}/orders.csv"))
    card = shop / "work" / "retrains" / f"as_of={BEFORE}" / "card.json"
    then = json.loads(card.read_text())
    late = [f"c{number},late{number},{BEFORE - timedelta(days=2)},20,north" for number in range(CUSTOMERS)]
    late += [
        f"c1,older,{FIRST - timedelta(days=20)},5,south",
        f"new,newer,{AS_OF + timedelta(days=9)},5,east",
    ]
    with (shop / "orders.csv").open("a") as orders:
        orders.write("\n".join([*late, ""]))
    with held(shop, **WITHOUT_OFFERS) as run:
        again = retrain(run, as_of=BEFORE)
        assert History.open(run.history_root).customer_key("new") is not None
        first, *_, last = Registry(run.workspace, run.config.registry).versions()
    assert (last.version, last.content_digest) == (3, first.content_digest)
    now = json.loads(card.read_text())
    assert {name for name in now if now[name] != then[name]} == {"version", "outcome"}
    assert again["promoted"]
    assert again["outcome"] == (
        f"In service for earlier nights alone: version 2, promoted for {AS_OF}, goes on serving the next one."
    )


def test_a_night_of_another_meaning_of_churn_is_refused(shop: Path) -> None:
    with (
        held(shop, KEEPWELL__CHURN__HORIZON_DAYS="10") as run,
        pytest.raises(ConfigError, match="found horizon_days 7, now 10"),
    ):
        nightly(run, as_of=AS_OF, options=NightOptions(today=AS_OF))


def test_a_rollback_holds_until_a_person_says_otherwise(shop: Path) -> None:
    with held(shop) as run:
        answer = rollback(run, reason="calls doubled")
        assert (answer["withdrawn"], answer["serves"]) == ([2], 1)
        registry = Registry(run.workspace, run.config.registry)
        assert registry.champion_for(AS_OF).version == 1
        again = retrain(run, as_of=AS_OF)
        assert (again["recipe"], again["version"], again["challenge"]) == ("champion", 3, None)
        assert "was rolled back (calls doubled)" in again["recipe_words"][0]
        assert registry.champion_for(AS_OF).version != 2
        with pytest.raises(RegistryError, match="version 2 cannot serve"):
            rollback(run, to=2)


def test_an_attribute_told_afterwards_is_refused_by_name(shop: Path) -> None:
    """Who bought in the last week is told as if it had been known for ever."""
    last = {
        line.split(",")[0]
        for line in (shop / "orders.csv").read_text().splitlines()
        if f"{NEWEST - timedelta(days=7)}" <= line.split(",")[2] < f"{NEWEST}"
    }
    rows = [f"c{number},{int(f'c{number}' in last)},2024-01-01" for number in range(CUSTOMERS)]
    (shop / "told.csv").write_text("\n".join(["who,loyal,since", *rows, ""]))
    text = (
        (shop / "shop.yaml")
        .read_text()
        .replace(
            "churn: {",
            f"  attributes:\n    path: {shop}/told.csv\n    columns: {{customer_id: who, valid_from: since}}\n"
            "    values: {loyal: number}\nchurn: {",
        )
    )
    (shop / "shop.yaml").write_text(text)
    with held(shop) as run, pytest.raises(LeakageError, match=r"better .* found \S*loyal\S* \(AUC"):
        retrain(run, as_of=AS_OF)
