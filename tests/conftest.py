"""What several rooms' tests share: where the real data lies, and what happens when it does not."""

import os
from pathlib import Path

import pytest
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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything is required, a skipped test fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter is not None and reporter.stats.get("skipped")
    if skipped and os.environ.get("KEEPWELL_REQUIRE_ALL") == "1" and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
