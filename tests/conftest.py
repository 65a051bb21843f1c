"""What several rooms' tests share: where the real data lies, and what happens when it does not."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

# How long an example takes says more about the machine's load than about the code.
settings.register_profile("keepwell", deadline=None, derandomize=True)
settings.load_profile("keepwell")

ROOT = Path(__file__).parents[1]


def require(present: bool, what: str) -> None:
    """Skip a test whose need is absent; under ``KEEPWELL_REQUIRE_ALL=1`` fail instead."""
    if present:
        return
    if os.environ.get("KEEPWELL_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is required here and absent")
    pytest.skip(f"{what} is absent")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data sets, one sub-folder each."""
    folder = Path(os.environ.get("KEEPWELL_DATA", ROOT / "../shared/data"))
    require(folder.is_dir(), f"real data in {folder} (set KEEPWELL_DATA)")
    return folder.resolve()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start what takes long first: left to the end, one worker trains on real data while the other is idle."""
    for item in items:
        if "demo_made" in getattr(item, "fixturenames", ()):  # half a minute, whoever asks first
            item.add_marker("slow")
    items.sort(key=lambda item: ("real" not in item.keywords, "slow" not in item.keywords))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything is required, a skipped test fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter is not None and reporter.stats.get("skipped")
    if skipped and os.environ.get("KEEPWELL_REQUIRE_ALL") == "1" and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that whichever test process came first has made for all of them."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    made = folder.with_suffix(".made")
    with FileLock(folder.with_suffix(".lock")):
        if not made.exists():
            make(folder)
            made.touch()
    return folder


@pytest.fixture(scope="session")
def prepared_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's empty database: making one takes seconds, copying it does not."""
    from models.connection import create_database  # brings MLflow when called
    from models.tracking import RegistrySettings, prepare_environment

    def make(folder: Path) -> None:
        folder.mkdir()
        create_database(folder / "mlflow.db", folder)

    prepare_environment(RegistrySettings())
    return made_once(tmp_path_factory, "prepared", make) / "mlflow.db"
