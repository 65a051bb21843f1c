import re
from pathlib import Path

import pytest

from features.settings import Attribute
from pipeline.config import load_config
from tables.errors import ConfigError

TEXT = """\
workspace: work
time_zone: Europe/London
sources:
  orders:
    path: ${FOLDER:-here}/orders.csv
    columns: {customer_id: c, order_id: o, ordered_at: t, amount: a}
churn: {horizon_days: 30, active_within_days: 60}
actions:
  catalogue: configs/actions.yaml
  budget: {amount: 10}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "shop.yaml"
    path.write_text(text)
    return path


def test_reads_a_minimal_configuration_with_defaults(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, TEXT), {})
    assert config.churn.rule().horizon_days == 30
    assert config.features.windows == (7, 30, 90, 180, 365)
    assert config.sources["orders"][0].path == "here/orders.csv"


def test_fills_variables_and_prefers_them_to_defaults(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, TEXT), {"FOLDER": "there"})
    assert config.sources["orders"][0].path == "there/orders.csv"


def test_refuses_a_variable_that_nobody_set(tmp_path: Path) -> None:
    path = write(tmp_path, TEXT.replace("${FOLDER:-here}", "${FOLDER}"))
    with pytest.raises(ConfigError, match="variable FOLDER is not set"):
        load_config(path, {})


def test_environment_overrides_a_key_and_the_workspace(tmp_path: Path) -> None:
    environment = {"KEEPWELL__CHURN__HORIZON_DAYS": "14", "KEEPWELL__WORKSPACE": "elsewhere"}
    config = load_config(write(tmp_path, TEXT), environment)
    assert config.churn.horizon_days == 14
    assert config.workspace == Path("elsewhere")


def test_names_the_variable_whose_value_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^KEEPWELL__CHURN__HORIZON_DAYS: churn.horizon_days: .*found 'x'"):
        load_config(write(tmp_path, TEXT), {"KEEPWELL__CHURN__HORIZON_DAYS": "x"})


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        (
            {"KEEPWELL__ACTIONS__BUDGET": "{amount: much}"},
            "^KEEPWELL__ACTIONS__BUDGET: actions.budget.amount: .*'much'$",
        ),
        (
            {"KEEPWELL__ACTIONS__BUDGET": "{per: night}"},
            "^KEEPWELL__ACTIONS__BUDGET: actions.budget.amount: is required and missing$",
        ),
        (
            {"KEEPWELL__CHURN": ""},
            "^KEEPWELL__CHURN: churn: must hold keys with values, as in {key: value}; found nothing$",
        ),
        (
            {"KEEPWELL__SOURCES__ORDERS__PATH": "${GONE}/a.csv"},
            r"^KEEPWELL__SOURCES__ORDERS__PATH: .*GONE is not set",
        ),
        (
            {"KEEPWELL__CHURN__KIND": "contract", "KEEPWELL__SEED": "8"},
            r"shop.yaml:7: churn: kind contract needs grace_days; KEEPWELL__CHURN__KIND sets a part of it$",
        ),
        (
            {"KEEPWELL__CHURN": "{kind: contract, horizon_days: 30, grace_days: 3}", "KEEPWELL__SEED": "8"},
            r"^\S+shop.yaml:1: churn.kind contract needs a source .*; KEEPWELL__CHURN sets a part of it$",
        ),
    ],
    ids=[
        "inside a section",
        "not inside it",
        "an empty section",
        "a variable of a variable",
        "against the file",
        "against another section",
    ],
)
def test_what_a_variable_breaks_names_the_variable(
    tmp_path: Path, environment: dict[str, str], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        load_config(write(tmp_path, TEXT), environment)


def test_a_repeated_key_comes_with_all_other_mistakes(tmp_path: Path) -> None:
    text = TEXT.replace("Europe/London", "Europe/Londn") + "workspace: other\n"
    with pytest.raises(
        ConfigError, match=r"shop.yaml:2: time_zone: .*\n.*shop.yaml:11: workspace: a second time"
    ):
        load_config(write(tmp_path, text), {})


def test_reports_all_mistakes_of_the_file_at_once(tmp_path: Path) -> None:
    text = TEXT.replace("horizon_days: 30", "horizon_dys: 30").replace("Europe/London", "Europe/Londn")
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, text), {})
    lines = str(caught.value).splitlines()
    assert any("shop.yaml:2: time_zone: no such time zone" in line for line in lines)
    assert any(
        "shop.yaml:7: churn.horizon_dys" in line and "did you mean horizon_days" in line for line in lines
    )
    assert any("churn.horizon_days: is required and missing" in line for line in lines)


def test_times_written_as_numbers_need_unit_and_origin(tmp_path: Path) -> None:
    orders = "    columns: {customer_id: c, order_id: o, ordered_at: t, amount: a}\n"
    wrong = f"{orders}    times: {{unit: hours}}\n    durations: {{ends_at: {{colum: d, unit: day}}}}\n"
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, TEXT.replace(orders, wrong)), {})
    told = str(caught.value)
    assert re.search(r"shop.yaml:7: sources.orders.times.origin: is required and missing", told)
    assert re.search(r"shop.yaml:7: sources.orders.times.unit: .*found 'hours' \(did you mean hour\)", told)
    assert re.search(r"shop.yaml:8: sources.orders.durations.ends_at.colum: .*\(did you mean column\)", told)


def test_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load_config(tmp_path / "none.yaml", {})


@pytest.mark.parametrize(
    "name", ["online_retail", "complete_journey", "complete_journey_14d", "ravenstack", "starbucks", "demo"]
)
def test_every_example_configuration_is_valid(name: str) -> None:
    config = load_config(Path(__file__).parents[2] / "configs" / f"{name}.yaml", {})
    assert config.churn.horizon_days > 0


CONTRACTS = """\
  subscriptions:
    path: contracts.csv
    columns: {customer_id: c, subscription_id: s, started_at: b, ended_at: e, mrr: m}
churn: {kind: contract, horizon_days: 30, grace_days: 7}
actions:
"""


def with_contracts(text: str = CONTRACTS) -> str:
    return re.sub(r"(?s)  orders:.*actions:\n", text, TEXT)


def test_contracts_need_a_grace_and_no_orders(tmp_path: Path) -> None:
    rule = load_config(write(tmp_path, with_contracts()), {}).churn.rule()
    assert (rule.grace_days, rule.active_within_days, rule.table) == (7, None, "subscriptions")
    assert rule.settled_days == 37


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (", grace_days: 7", "", "churn: kind contract needs grace_days"),
        (
            "grace_days",
            "active_within_days: 60, grace_days",
            "kind contract has no use for active_within_days",
        ),
        ("kind: contract, ", "", "churn: kind inactivity needs active_within_days"),
        (", ended_at: e, mrr: m", "", "source `subscriptions` that fills ended_at and mrr"),
        ("kind: contract", "kind: contracts", "churn.kind: .*did you mean contract"),
        ("actions:", "features: {without: [subscriptions]}\nactions:", "features.without names them"),
        (
            "kind: contract, horizon_days: 30, grace_days",
            "horizon_days: 30, active_within_days",
            "churn.kind inactivity needs a source `orders`",
        ),
    ],
)
def test_contracts_half_configured_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(write(tmp_path, with_contracts().replace(old, new)), {})


EVENTS = """\
  events:
    - path: visits.csv
      columns: {customer_id: c, occurred_at: t}
      constants: {type: session}
    - path: events.csv
      columns: {customer_id: c, occurred_at: t, type: kind}
"""


def with_sources(text: str, features: str = "") -> str:
    return TEXT.replace("churn:", f"{text}{features}churn:")


def test_a_table_nobody_declared_is_refused_by_line(tmp_path: Path) -> None:
    tickets = "  tickts: {path: t.csv, columns: {customer_id: c}}\n"
    with pytest.raises(
        ConfigError, match=r"shop.yaml:7: sources.tickts.*no such table \(did you mean tickets\)"
    ):
        load_config(write(tmp_path, with_sources(tickets)), {})


def test_a_column_filled_in_later_needs_its_key(tmp_path: Path) -> None:
    columns = "{customer_id: c, starts_at: s, completed_at: d}"
    with pytest.raises(ConfigError, match=r"sources.offers.*completed_at is filled in later.*Map offer_id"):
        load_config(write(tmp_path, with_sources(f"  offers: {{path: o.csv, columns: {columns}}}\n")), {})


def test_events_without_named_types_are_refused_by_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"shop.yaml:11: sources.events\[1\]: types of events become names"):
        load_config(write(tmp_path, with_sources(EVENTS)), {})


def test_event_types_are_those_listed_and_constant(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, with_sources(EVENTS, "features: {event_types: [app_use]}\n")), {})
    assert config.feature_settings().event_types == ("app_use", "session")
    left_aside = load_config(write(tmp_path, with_sources(EVENTS, "features: {without: [events]}\n")), {})
    builders = left_aside.features.builders(left_aside.sources)
    assert not any("events" in builder.needs for builder in builders)
    assert {"rfm", "surveys"} <= {builder.name for builder in builders}


def test_attributes_are_declared_by_their_sources(tmp_path: Path) -> None:
    values = "values: {age: number, sex: [F, M]}"
    profile = f"  attributes: {{path: p.csv, columns: {{customer_id: c}}, {values}, static: true}}\n"
    config = load_config(write(tmp_path, with_sources(profile)), {})
    assert config.feature_settings().attributes == (Attribute("age"), Attribute("sex", ("F", "M")))
    undated = write(tmp_path, with_sources(profile.replace(", static: true", "")))
    with pytest.raises(
        ConfigError, match=r"shop.yaml:7: sources.attributes.*today's value would be the future"
    ):
        load_config(undated, {})


def test_words_that_give_one_name_are_refused_by_line(tmp_path: Path) -> None:
    features = "features:\n  ticket_reasons: [How to, how-to]\n  without: [evnts]\n"
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, with_sources("", features)), {})
    first, second = str(caught.value).splitlines()
    assert "shop.yaml:8: features.ticket_reasons: texts become names" in first
    assert "shop.yaml:9: features.without[0]" in second
    assert "did you mean events" in second


def test_sign_ups_give_a_feature_where_they_are_mapped(tmp_path: Path) -> None:
    customers = "  customers: {path: c.csv, columns: {customer_id: c, signed_up_at: s}}\n"
    for text, is_there in ((customers, True), (customers.replace(", signed_up_at: s", ""), False)):
        config = load_config(write(tmp_path, with_sources(text)), {})
        assert (
            "sign_up" in {builder.name for builder in config.features.builders(config.sources)}
        ) == is_there
