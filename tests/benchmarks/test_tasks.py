"""What the benchmarks measure is the work they name."""

from datetime import date

import pytest

from benchmarks.common_features import COMMON
from benchmarks.generate import write_shop
from benchmarks.run import Cost, judged_memory, judged_times
from benchmarks.tasks import CALENDAR, WHOLE_LOG_DAYS, ingest_all
from features.build import build_features, feature_names
from features.population import Buyers
from features.settings import FeatureSettings
from tables.history import History

SETTINGS = FeatureSettings(horizon_days=90)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    folder = tmp_path_factory.mktemp("bench")
    write_shop(folder / "shop", 300)
    ingest_all(folder / "shop", folder / "history")
    return History.open(folder / "history")


def test_the_common_set_has_sixty_eight_features(history: History) -> None:
    assert len(feature_names(history, SETTINGS, COMMON)) == 68


def test_weekday_shares_and_event_counts_add_up(history: History) -> None:
    blocks = build_features(
        history,
        as_of=[date(2025, 7, 1)],
        calendar=CALENDAR,
        settings=SETTINGS,
        population=Buyers(WHOLE_LOG_DAYS),
        builders=COMMON,
    )
    table = next(blocks).frame
    shares = table[[f"bench_weekday_{weekday}_share" for weekday in range(7)]].sum(axis=1)
    assert shares.to_numpy() == pytest.approx(1, abs=1e-5)
    assert (table["bench_session_365d"] >= table["bench_session_30d"]).all()
    assert table["bench_session_365d"].sum() > 0


def test_a_ratio_above_its_goal_does_not_hold() -> None:
    costs = dict.fromkeys(
        ("common_one_date", "common_twelve_dates", "full_one_date", "full_twelve_dates"), Cost(6.1, 1.0)
    )
    costs |= {"scan": Cost(1.0, 0.1), "copy": Cost(2.0, 0.1), "ingest": Cost(9.0, 1.2)}
    figures = judged_times(costs)
    assert {name for name, figure in figures.items() if not figure.holds} == {"common_one_date"}
    assert figures["ingest"].ratio == 4.5


def test_memory_may_grow_ten_percent_when_customers_double() -> None:
    costs = {"ingest": Cost(1.0, 1.0), "full_twelve_dates": Cost(1.0, 2.6)}
    figures = judged_memory(costs, {"ingest": Cost(1.0, 0.95), "full_twelve_dates": Cost(1.0, 2.0)})
    assert figures["peak_memory_growth_ingest"].holds
    assert not figures["peak_memory_growth_full_twelve_dates"].holds
    assert not figures["peak_memory"].holds
