"""A published night, as its three readers meet it: the operator, the analyst, the retention manager."""

import json
import re
import shutil
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from actions.catalogue import load_catalogue
from tables.lock import WorkspaceLock
from tables.publish import published, published_dates
from tables.storage import read_table
from tests.command_line import ROOT, SMALL, started_keepwell
from tests.pipeline.conftest import run_keepwell

pytestmark = pytest.mark.slow

FIRST, SECOND = date(2026, 6, 1), date(2026, 6, 2)
CONFIG = ("-c", "configs/demo.yaml")


def table(workspace: Path, name: str, day: date = SECOND) -> pd.DataFrame:
    manifest = published(workspace, day)
    assert manifest is not None
    return read_table(manifest.table(name))


def content(workspace: Path) -> dict[str, bytes]:
    """Return everything published, by path."""
    folders = ("nights", "scores", "plan", "reports")
    files = [path for folder in folders for path in sorted((workspace / folder).rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(workspace)): path.read_bytes()
        for path in files
        if not path.name.endswith(".run.json")
    }


def test_the_demo_publishes_two_nights_and_names_the_page(
    demo_made: Path, demo_answer: dict[str, object]
) -> None:
    assert published_dates(demo_made) == (FIRST, SECOND)
    assert Path(str(demo_answer["page"])).read_text().startswith("<!doctype html>")


def test_everybody_gets_exactly_one_risk(demo_made: Path) -> None:
    scores = table(demo_made, "scores")
    assert scores["customer_id"].is_monotonic_increasing
    assert scores["customer_id"].is_unique
    assert scores["churn_risk"].between(0, 1).all()
    assert set(scores["risk_source"]) <= {"model", "bgnbd", "population_rate"}


def test_the_mean_risk_is_the_forecast_level(demo_made: Path) -> None:
    scores = table(demo_made, "scores")
    manifest = published(demo_made, SECOND)
    assert manifest is not None
    watched = scores.loc[scores["risk_source"] == "model", "churn_risk"]
    assert watched.mean() == pytest.approx(manifest.facts["level"]["level"], abs=1e-9)


def test_the_plan_stays_within_tonights_money(demo_made: Path) -> None:
    plan = table(demo_made, "plan")
    spent = plan.loc[plan["action"] != "none", "expected_cost"].sum()
    assert 0 < spent <= 1500 / 7 * 1.0001 + 1500 / 6  # a week's budget in even shares


def test_control_customers_get_no_marketing(demo_made: Path) -> None:
    plan = table(demo_made, "plan")
    withheld = plan[plan["arm"] == "control"]
    assert len(withheld) > 0
    assert (withheld["action"] == "none").all()
    served = plan[(plan["arm"] == "global_control") & (plan["action"] != "none")]
    catalogue = load_catalogue(ROOT / "configs/actions.yaml")
    assert {catalogue.actions[action].kind for action in served["action"]} == {"service"}


def test_nobody_gets_the_same_action_two_nights_running(demo_made: Path) -> None:
    first, second = table(demo_made, "plan", FIRST), table(demo_made, "plan")
    both = first.merge(second, on="customer_id", suffixes=("_first", "_second"))
    repeated = (both["planned_action_first"] == both["planned_action_second"]) & (
        both["planned_action_first"] != "none"
    )
    assert not repeated.any()


def test_planned_customers_of_the_model_have_reasons(demo_made: Path) -> None:
    plan = table(demo_made, "plan")
    modelled = plan[(plan["planned_action"] != "none") & (plan["risk_source"] == "model")]
    assert (modelled["reason_1"] != "").mean() > 0.95


def test_the_list_for_the_crm_holds_what_is_sent(demo_made: Path) -> None:
    manifest = published(demo_made, SECOND)
    assert manifest is not None
    listed = pd.read_csv(manifest.report("crm.csv"), dtype={"customer_id": str})
    plan = table(demo_made, "plan")
    assert sorted(listed["customer_id"]) == sorted(plan.loc[plan["action"] != "none", "customer_id"])


def test_the_plan_tells_what_would_change_the_risk(demo_made: Path) -> None:
    plan = table(demo_made, "plan")
    for place in (1, 2, 3):
        told = plan[f"reason_{place}"] != ""
        assert (told == plan[f"risk_without_{place}"].notna()).all()
        assert (plan[f"risk_without_{place}"] < plan["churn_risk"])[told].all()
    assert (plan["risk_without_1"] <= plan["risk_without_2"])[plan["reason_2"] != ""].all()


def test_reasons_are_published_in_three_languages(demo_made: Path) -> None:
    manifest = published(demo_made, SECOND)
    assert manifest is not None
    reasons = json.loads(manifest.report("reasons.json").read_text())
    assert manifest.report("reasons.json").stat().st_mode & 0o077 == 0
    planned = table(demo_made, "plan").query("reason_1 != ''").set_index("customer_id")["reason_1"]
    assert {each: reasons[each][0]["sentence"]["en"] for each in planned.index} == planned.to_dict()
    told = reasons[planned.index[0]][0]
    assert set(told["sentence"]) == set(told["change"]) == {"en", "zh", "lt"}
    assert "o ne" in told["change"]["lt"] and "而非" in told["change"]["zh"]


def test_the_page_holds_no_customer_id_and_no_address(demo_made: Path) -> None:
    manifest = published(demo_made, SECOND)
    assert manifest is not None
    page = manifest.report("index.html").read_text()
    assert not any(customer in page for customer in table(demo_made, "scores")["customer_id"])
    assert re.findall(r"https?://|<script|src=", page) == []
    assert "priors" in page and "minimum detectable effect" in page


def test_the_page_compares_with_the_night_before(demo_made: Path) -> None:
    manifest = published(demo_made, SECOND)
    assert manifest is not None
    page = manifest.report("index.html").read_text()
    assert f"What changed since {FIRST}" in page
    assert "newly at risk" in page


@pytest.mark.parametrize("name", ["scores", "plan"])
def test_every_published_column_is_documented_and_no_other(demo_made: Path, name: str) -> None:
    text = (ROOT / "docs/configuration.md").read_text().split(f"`{name}/as_of=D/`: one row")[1]
    rows = re.findall(r"^\| (`.*?) \|", text.split("\n\n")[1], flags=re.MULTILINE)
    told = [each for row in rows for each in re.findall(r"`([a-z_0-9]+)`", row)]
    middle = {"reason_2", "theme_2", "risk_without_2"}  # documented as a range
    spelled = middle if name == "plan" else set()
    assert set(told) | spelled == set(table(demo_made, name).columns)


def test_running_a_night_again_changes_nothing_and_says_so(demo: Path) -> None:
    before = content(demo)
    told = run_keepwell(demo, "nightly", *CONFIG, "--as-of", "2026-06-02", "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["changed"] is False
    assert content(demo) == before
    changed = {"KEEPWELL__REPORT__AT_RISK_ABOVE": "0.4"}
    told = run_keepwell(demo, "nightly", *CONFIG, "--as-of", "2026-06-02", "--json", **changed)
    assert json.loads(told.stdout)["notes"] == [
        "the configuration has changed since; a published night stays as it is"
    ]
    assert content(demo) == before


def test_a_damaged_old_night_comes_back_whole_or_not(demo: Path) -> None:
    before, night = content(demo), published(demo, FIRST)
    assert night is not None
    night.table("plan").write_bytes(night.table("plan").read_bytes() + b"x")
    damaged = content(demo)
    words = ("nightly", *CONFIG, "--as-of", str(FIRST))
    told = run_keepwell(demo, *words, KEEPWELL__REPORT__LISTED_CUSTOMERS="7")
    assert told.returncode == 5
    assert re.search(r"is damaged \(plan/.* in index.html, .* changed since: .* from a backup", told.stderr)
    assert content(demo) == damaged
    told = run_keepwell(demo, *words)
    assert told.returncode == 0, told.stderr
    assert content(demo) == before  # though later rows and a later night are there by now


def test_a_night_before_the_model_is_refused(demo: Path) -> None:
    told = run_keepwell(demo, "nightly", *CONFIG, "--as-of", "2026-05-01")
    assert told.returncode == 2
    assert "no model may score 2026-05-01" in told.stderr
    assert published(demo, date(2026, 5, 1)) is None


def test_a_later_model_may_score_a_past_night_and_marks_it(demo: Path) -> None:
    day = date(2026, 5, 1)
    told = run_keepwell(
        demo, "nightly", *CONFIG, "--as-of", str(day), "--allow-later-model", "--accept-level"
    )
    assert told.returncode == 0, told.stderr
    assert table(demo, "scores", day)["is_later_model"].all()
    manifest = published(demo, day)
    assert manifest is not None
    assert "trained after its date" in manifest.report("index.html").read_text()


def test_a_night_caught_up_after_a_later_one_plans_nobody(demo: Path) -> None:
    (demo / "nights" / f"as_of={FIRST}.json").unlink()
    told = run_keepwell(demo, "nightly", *CONFIG, "--as-of", str(FIRST), "--json")
    assert told.returncode == 0, told.stderr
    answer = json.loads(told.stdout)
    assert answer["sent"] == answer["planned"] == 0
    assert "a later night is published already" in " ".join(answer["notes"])


def test_a_night_that_has_not_come_is_refused(demo: Path) -> None:
    told = run_keepwell(demo, "nightly", *CONFIG, "--as-of", "2126-06-03", "--json")
    assert told.returncode == 2
    assert json.loads(told.stdout)["exit_code"] == 2


def test_replacing_a_night_that_has_passed_is_refused(demo: Path) -> None:
    told = run_keepwell(demo, "nightly", *CONFIG, "--as-of", "2026-06-02", "--republish")
    assert told.returncode == 2
    assert "has passed and stays as published" in told.stderr


def test_stale_orders_close_the_gate_and_publish_nothing(demo: Path) -> None:
    before = content(demo)
    told = run_keepwell(demo, "nightly", *CONFIG, "--as-of", "2026-06-20")
    assert told.returncode == 5
    assert "the newest order is of" in told.stderr
    assert content(demo) == before


def test_a_second_run_at_the_same_time_is_told_who_holds_it(demo: Path) -> None:
    with WorkspaceLock(demo, purpose="keepwell nightly"):
        told = run_keepwell(demo, "nightly", *CONFIG, "--as-of", "2026-06-02")
    assert told.returncode == 4
    assert "held by keepwell nightly" in told.stderr


def test_a_pseudonym_resolves_inside_the_workspace(demo: Path) -> None:
    manifest = published(demo, SECOND)
    assert manifest is not None
    name = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", manifest.report("index.html").read_text())
    assert name is not None
    told = run_keepwell(demo, "who", *CONFIG, name[0], "--json")
    assert json.loads(told.stdout)["customers"][name[0]] in set(table(demo, "scores")["customer_id"])


def test_an_unknown_pseudonym_is_one_line_and_three(demo: Path) -> None:
    told = run_keepwell(demo, "who", *CONFIG, "AAAA-AAAA")
    assert told.returncode == 3
    assert "no customer has the pseudonym AAAA-AAAA" in told.stderr


def test_exported_features_are_one_sorted_row_per_customer(demo: Path, tmp_path: Path) -> None:
    out = tmp_path / "features.parquet"
    told = run_keepwell(demo, "features", *CONFIG, "--as-of", "2026-06-01", "--out", out)
    assert told.returncode == 0, told.stderr
    rows = duckdb.sql(f"select customer_id from '{out}'").fetchall()
    assert rows == sorted(set(rows))
    assert out.stat().st_mode & 0o777 == 0o600


def test_bad_rows_above_the_limit_leave_everything_as_it_was(demo: Path) -> None:
    before = content(demo)
    shop = demo / "shop/orders/2026-06-02.csv"
    header = (demo / "shop/orders/2026-06-01.csv").read_text().splitlines()[0]
    row = dict.fromkeys(header.split(","), "")
    row |= {"customer_id": "C0000001", "order_id": "X", "line_no": "1", "ordered_at": "2026-06-02 10:00:00"}
    row |= {"amount": "a lot"}
    shop.write_text("\n".join([header, *[",".join(row[name] for name in header.split(","))] * 50]) + "\n")
    told = run_keepwell(demo, "nightly", *CONFIG, "--as-of", "2026-06-03")
    assert told.returncode == 3
    assert "amount" in told.stderr
    assert content(demo) == before


def test_the_doctor_finds_everything_well(demo: Path) -> None:
    told = run_keepwell(demo, "doctor", *CONFIG, "--json")
    assert json.loads(told.stdout)["well"] is True


def test_config_show_prints_overrides_filled_in(demo: Path) -> None:
    told = run_keepwell(demo, "config", "show", *CONFIG, KEEPWELL__CHURN__HORIZON_DAYS="30")
    assert "horizon_days: 30" in told.stdout


def test_a_full_disk_is_one_line_and_seven_and_nothing_is_lost(demo: Path) -> None:
    before = content(demo)
    shutil.rmtree(demo / "history")
    variables = SMALL | {"KEEPWELL__WORKSPACE": str(demo)}
    words = ("nightly", *CONFIG, "--as-of", "2026-06-02")
    told = started_keepwell(*words, most_bytes=20_000, **variables)
    assert told.returncode == 7, told.stderr
    assert "nothing was published" in told.stderr.strip().splitlines()[-1]
    assert content(demo) == before


def test_the_whole_demo_made_again_gives_the_same_bytes(demo_made: Path, tmp_path: Path) -> None:
    again = tmp_path / "elsewhere"
    told = run_keepwell(again, "demo", KEEPWELL_SECRET_FILE=str(demo_made / "pseudonym.secret"))
    assert told.returncode == 0, told.stderr
    assert content(again) == content(demo_made)
