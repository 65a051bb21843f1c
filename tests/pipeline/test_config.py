from pathlib import Path

import pytest

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


def test_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load_config(tmp_path / "none.yaml", {})


@pytest.mark.parametrize("name", ["online_retail", "complete_journey", "complete_journey_14d", "demo"])
def test_every_example_configuration_is_valid(name: str) -> None:
    config = load_config(Path(__file__).parents[2] / "configs" / f"{name}.yaml", {})
    assert config.churn.horizon_days > 0
