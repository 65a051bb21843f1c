import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.catalogue import load_catalogue
from actions.rationale import action_reasons
from pipeline.audit.auditing import Audit, audit_night, group_rates
from pipeline.audit.groups import audited_groups
from pipeline.pages.audit_chapter import audit_chapter
from tables.errors import ConfigError
from tables.publish import published, published_dates
from tables.storage import read_table
from tests.pipeline.handover_shop import CUSTOMERS, NIGHT, Shop, publish_plan

NOBODY = np.zeros(100, dtype=bool)


def people(**groups: int) -> pd.Series:
    return pd.Series(np.repeat(list(groups), list(groups.values())))


def test_rates_and_intervals_are_those_worked_by_hand() -> None:
    group = people(LT=5, CN=5)
    contacted = np.arange(10) < 5  # all five of LT and none of CN
    chinese, lithuanian = group_rates("region", group, group.eq("LT") * 0.5, {"contacted": contacted})
    assert (lithuanian.reached, lithuanian.rate, lithuanian.rate_of_others) == (5, 1.0, 0.0)
    assert (lithuanian.mean_churn_risk, chinese.mean_churn_risk) == (0.5, 0.0)
    assert (chinese.low, chinese.high) == (0.0, pytest.approx(0.4345, abs=1e-4))  # z^2 / (5 + z^2)
    assert (
        lithuanian.p_value == pytest.approx(2 / 252) == chinese.p_value
    )  # two of the C(10, 5) ways are so uneven
    assert lithuanian.beyond_chance
    assert chinese.beyond_chance


def test_the_more_groups_the_larger_a_difference_must_be() -> None:
    contacted = np.isin(np.arange(100), [*range(8), *range(50, 70)])  # 8 of 50 against 20 of 50, p = .013
    two = group_rates("region", people(a=50, b=50), pd.Series(np.zeros(100)), {"contacted": contacted})
    assert all(rate.beyond_chance for rate in two)
    four = group_rates(
        "region", people(a=50, b=48, c=1, d=1), pd.Series(np.zeros(100)), {"contacted": contacted}
    )
    assert not four[0].beyond_chance


def test_chance_alone_is_seldom_marked() -> None:
    draws = np.random.default_rng(7)
    group = people(a=300, b=300, c=400)
    marked = 0
    for _ in range(100):
        reached = {name: draws.random(1000) < rate for name, rate in (("contacted", 0.3), ("discount", 0.05))}
        rates = group_rates("region", group, pd.Series(np.zeros(1000)), reached)
        marked += any(rate.beyond_chance for rate in rates)
    assert marked <= 10  # 5 % of 100, and two standard errors


@settings(max_examples=20)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=60))
def test_groups_add_up_and_intervals_hold_their_rates(rows: list[tuple[str, bool]]) -> None:
    group, hits = pd.Series([name for name, _ in rows]), np.array([hit for _, hit in rows])
    rates = group_rates("region", group, pd.Series(np.zeros(len(rows))), {"contacted": hits})
    assert sum(rate.customers for rate in rates) == len(rows)
    assert sum(rate.reached for rate in rates) == hits.sum()
    for rate in rates:
        assert 0 <= rate.low <= rate.rate <= rate.high + 1e-9 <= 1 + 1e-9
        assert 0 <= rate.p_value <= 1 + 1e-9


def test_one_group_alone_differs_from_nobody() -> None:
    (rate,) = group_rates("region", people(a=100), pd.Series(np.zeros(100)), {"contacted": NOBODY})
    assert (rate.rate_of_others, rate.beyond_chance) == (None, False)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Sixty customers, an attribute that is protected, and plans of two nights and of one too long ago."""
    folder = tmp_path_factory.mktemp("shop")
    header = CUSTOMERS.splitlines()[0]
    lines = [f"c{n:02},2025-01-01,{'LT' if n < 30 else 'GB'},en,,," for n in range(60)]
    shop = Shop(folder, customers="\n".join([header, *lines]) + "\n")
    ages = [f"c{n:02},{'old' if n % 2 else 'young' if n > 1 else 'child'}" for n in range(59)]
    told = shop.write("ages.csv", "customer_id,age_group", *ages)
    sources = {
        name: [each.model_dump(exclude_defaults=True) for each in found]
        for name, found in shop.config().sources.items()
    }
    values = {"age_group": ["old", "young", "child"]}
    attributes = {
        "path": str(told),
        "columns": {"customer_id": "customer_id"},
        "values": values,
        "static": True,
    }
    shop.changes = {
        "sources": {**sources, "attributes": attributes},
        "report": {"audit_groups": ["age_group"]},
    }
    shop.publish(
        ("c00", "personal_offer", "personal_offer", "sent", "email"), night=NIGHT - timedelta(days=30)
    )
    return shop


def audited(shop: Shop) -> Audit:
    run = shop.run()
    with run.locked("test") as held:
        before = [
            ("c01", "personal_offer", "personal_offer", "sent", "email"),
            ("c02", "service_call", "none", "control", "phone"),
        ]
        publish_plan(held, before, NIGHT - timedelta(days=29))
        scores = pd.DataFrame({"customer_id": [f"c{n:02}" for n in range(60)], "churn_risk": 0.2})
        plan = pd.DataFrame({"customer_id": ["c01", "c03"], "action": ["service_call", "service_call"]})
        actions = load_catalogue(run.config.actions.catalogue).actions.values()
        return audit_night(held, shop.history(), scores, plan, actions, as_of=NIGHT)


def test_a_month_of_contacts_counts_by_region_and_attribute(shop: Shop) -> None:
    counts = {
        (rate.attribute, rate.group, rate.measure): (rate.reached, rate.customers)
        for rate in audited(shop).rates
    }
    assert counts == {
        ("region", "GB", "contacted"): (0, 30),
        ("region", "GB", "offered a discount"): (0, 30),
        ("region", "LT", "contacted"): (2, 30),
        ("region", "LT", "offered a discount"): (1, 30),
        ("age_group", "not known", "contacted"): (0, 1),
        ("age_group", "not known", "offered a discount"): (0, 1),
        ("age_group", "old", "contacted"): (2, 29),
        ("age_group", "old", "offered a discount"): (1, 29),
        ("age_group", "small groups", "contacted"): (0, 1),
        ("age_group", "small groups", "offered a discount"): (0, 1),
        ("age_group", "young", "contacted"): (0, 29),
        ("age_group", "young", "offered a discount"): (0, 29),
    }


def test_rows_known_later_change_no_audit(shop: Shop) -> None:
    customers = pd.Series([f"c{n:02}" for n in range(60)])
    groups = audited_groups(shop.run(), shop.history(), customers, as_of=date(2024, 12, 31))
    assert set(groups["region"]) == {"not known"}


def test_an_audited_attribute_is_never_a_feature(shop: Shop) -> None:
    config = shop.config()
    assert config.feature_settings().attributes == ()
    unaudited = config.model_copy(update={"report": config.report.model_copy(update={"audit_groups": ()})})
    assert [each.name for each in unaudited.feature_settings().attributes] == ["age_group"]


def test_what_is_no_group_cannot_be_audited(tmp_path: Path) -> None:
    groups = ["email", "langage", "region", {"language": [1]}, {"spend": [5, 5]}]
    shop = Shop(tmp_path, changes={"report": {"audit_groups": groups}})
    with pytest.raises(ConfigError, match=r"is called langage \(did you mean language\)") as error:
        shop.config()
    assert "nothing to group customers by is called email" in str(error.value)
    assert "language holds texts, which have no bands; write its name alone" in str(error.value)
    assert "spend: the limits of bands must rise" in str(error.value)


def test_groups_that_are_no_list_of_names_are_refused(tmp_path: Path) -> None:
    for groups in ("language", [["language"]], 5):
        shop = Shop(tmp_path, changes={"report": {"audit_groups": groups}})
        with pytest.raises(ConfigError, match=r"audit_groups: write a list of names.*\{age: \[18, 65\]\}"):
            shop.config()


def test_numbers_and_birthdays_are_audited_by_bands(tmp_path: Path) -> None:
    header = CUSTOMERS.splitlines()[0]
    lines = [f"c{n:02},2025-01-01,LT,en,,," for n in range(60)]
    shop = Shop(tmp_path, customers="\n".join([header, *lines]) + "\n")
    born = ["2008-06-02", "2008-06-03", ""]  # eighteen on the night, a day short of it, not told
    told = shop.write(
        "told.csv", "customer_id,born_on,visits", *(f"c{n:02},{born[n % 3]},{n}" for n in range(60))
    )
    attributes = {
        "path": str(told),
        "columns": {"customer_id": "customer_id"},
        "values": {"born_on": "date", "visits": "number"},
        "static": True,
    }
    sources = {
        name: [each.model_dump(exclude_defaults=True) for each in found]
        for name, found in shop.config().sources.items()
    }
    shop.changes = {"sources": {**sources, "attributes": attributes}, "report": {"audit_groups": ["born_on"]}}
    with pytest.raises(
        ConfigError, match=r"born_on is a number or a date; say its bands, as `born_on: \[18, 30"
    ):
        shop.config()
    shop.changes["report"] = {"audit_groups": [{"born_on": [18, 30]}, {"visits": [40, 60]}]}
    shop.publish()
    customers = pd.Series([f"c{n:02}" for n in range(60)])
    groups = audited_groups(shop.run(), shop.history(), customers, as_of=NIGHT)
    assert groups["born_on"].tolist() == ["18 to below 30", "below 18", "not known"] * 20
    rates = group_rates(
        "visits", groups["visits"], customers.eq("c01") * 0.5, {"contacted": np.arange(60) < 10}
    )
    assert [(rate.group, rate.customers, rate.reached) for rate in rates] == [
        ("below 40", 40, 10),
        ("40 to below 60", 20, 0),
    ]
    assert shop.config().feature_settings().attributes == ()


def test_the_page_marks_what_chance_does_not_explain(shop: Shop) -> None:
    contacted = np.arange(60) < 30
    rates = group_rates(
        "region", people(LT=30, GB=30), pd.Series(np.full(60, 0.25)), {"contacted": contacted}
    )
    chapter = audit_chapter(Audit(NIGHT, 30, rates))
    assert "2 differences are larger than chance explains" in chapter.words
    assert [(row.group, row.risk, row.rates[0].share, row.rates[0].differs) for row in chapter.rows] == [
        ("GB", "25%", "0.0%", True), ("LT", "25%", "100.0%", True)
    ]  # fmt: skip
    assert audit_chapter(Audit(NIGHT, 30, [])).rows == []
    assert "No difference is" in audit_chapter(audited(shop)).words


def test_every_assignment_says_what_decided_it(shop: Shop) -> None:
    columns = ["planned_action", "action", "arm"]
    rows = [
        ("personal_offer", "personal_offer", "sent"),
        ("personal_offer", "none", "control"),
        ("personal_offer", "social_audience", "explored"),
        ("service_call", "service_call", "sent"),
        ("service_call", "service_call", "global_control"),
        ("none", "none", "global_control"),
    ]
    actions = list(load_catalogue(shop.folder / "actions.yaml").actions.values())
    told = action_reasons(pd.DataFrame(rows, columns=columns), actions).tolist()
    suits = "suits as orders_total >= 1"
    assert told == [
        f"chosen by believed value within the limits; {suits}",
        f"chosen by believed value within the limits, withheld by chance to measure it; {suits}",
        f"drawn by chance among the actions allowed, in place of personal_offer, to learn; {suits}",
        f"chosen by believed value within the limits, never withheld; {suits}",
        f"chosen by believed value within the limits, never withheld; {suits}",
        "left without marketing by chance, to measure the programme",
    ]


def test_a_night_publishes_its_audit_and_the_source_of_each_row(demo_made: Path) -> None:
    night = published(demo_made, published_dates(demo_made)[-1])
    assert night is not None
    audit = json.loads(night.report("audit.json").read_text())
    assert {rate["attribute"] for rate in audit["rates"]} >= {"region"}
    assert "Are groups of customers treated alike?" in night.report("index.html").read_text()
    columns = ("model_version", "config_digest", "as_of", "propensity", "arm", "reason")
    plan = read_table(night.table("plan"), columns)
    assert plan.notna().all().all()
    assert (plan["reason"] != "").all()
    assert plan["propensity"].between(0, 1, inclusive="right").all()
