import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pages import pictures
from pipeline.pages.picture import Picture, side_by_side
from pipeline.pages.svg import Scale, ticks

NAMES = pd.DataFrame({"name": ["a_b", "<i>"], "x": [4.0, 1.0], "x_low": [3.0, 0.5], "x_high": [5.0, 1.5]})
DAYS = pd.to_datetime(["2025-01-01", "2025-02-01", "2025-03-01"])


def drawn(picture: Picture) -> str:
    return picture._repr_html_()


def test_a_bar_is_as_long_as_its_value() -> None:
    picture = pictures.bars(NAMES, "name", {"x": "customers"}, title="Bars")
    assert 'width="404.0"' in picture.svg  # the longest fills the room left of its number
    assert 'width="101.0"' in picture.svg  # a quarter of it
    assert picture.svg.count("<rect") == 3  # two bars and the legend


def test_words_of_a_frame_are_escaped() -> None:
    html = drawn(pictures.bars(NAMES, "name", {"x": "<b>"}, title="a & b", note="<script>"))
    assert "<i>" not in html
    assert "<b>" not in html
    assert "<script>" not in html
    assert "a &amp; b" in html
    assert "a b" in html


def test_an_interval_spans_its_two_ends() -> None:
    picture = pictures.intervals(NAMES, "name", "x", title="t", unit="u")
    assert picture.svg.count('class="whisker"') == 2
    assert "4.000, 95 % interval 3.000 to 5.000" in picture.svg


def test_a_row_without_a_value_has_no_interval() -> None:
    missing = NAMES.assign(x=[4.0, None])
    assert pictures.intervals(missing, "name", "x", title="t", unit="u").svg.count("<circle") == 1
    promised = pictures.intervals(NAMES, "name", "x", title="t", unit="u", beside="x_low")
    assert promised.svg.count('class="ring"') == 2


def test_columns_keep_every_count() -> None:
    rows = pd.DataFrame({"gap_days": [1, 2, 300], "pauses": [50, 49, 1]})
    picture = pictures.columns(
        rows, "gap_days", "pauses", title="t", unit="days", mark=10, mark_label="outcome window"
    )
    assert "1 to 2: 50" in picture.svg
    assert "10 to 11: 1" in picture.svg  # the rarest hundredth stands in the last one
    assert "outcome window" in picture.svg


def test_every_group_gets_its_strip_of_risks() -> None:
    rows = pd.DataFrame({"segment": ["new", "new", "lost"], "churn_risk": [0.1, 0.3, 1.0]})
    picture = pictures.spread(rows, "segment", "churn_risk", title="t")
    assert "new: 2, mean 20%" in picture.svg
    assert "lost: 1, mean 100%" in picture.svg


def test_one_great_day_does_not_flatten_the_others() -> None:
    rows = pd.DataFrame({"table": "orders", "day": DAYS, "rows": [10, 1_000, 10]})
    picture = pictures.days(rows, "table", "day", "rows", title="t")
    assert "orders: at most 1,000, usually 10 a day" in picture.svg
    heights = [float(place.split(",")[1]) for place in picture.svg.split('points="')[1].split('"')[0].split()]
    assert heights[0] - heights[1] == pytest.approx(0.8 * 34, abs=0.1)  # 1,000 is drawn as 50


def test_missing_values_over_time_are_left_out() -> None:
    rows = pd.DataFrame({"as_of": DAYS, "churned": [0.2, 0.3, None], "forecast": [None, None, 0.4]})
    picture = pictures.over_time(
        rows, "as_of", {"churned": "churned", "forecast": "forecast"}, title="t", unit="share"
    )
    assert picture.svg.count('class="tone-0" cx') == 2
    assert picture.svg.count('class="tone-1" cx') == 1


def test_a_picture_without_rows_is_drawn_empty() -> None:
    nobody = NAMES.head(0)
    assert pictures.bars(nobody, "name", {"x": "customers"}, title="t").svg.count("<rect") == 1
    assert pictures.intervals(nobody, "name", "x", title="t", unit="u").svg.count("<circle") == 0


def test_calibration_has_one_point_per_group() -> None:
    rows = pd.DataFrame(
        {"n": [9, 9], "mean_predicted": [0.1, 0.9], "observed": [0.1, 0.8], "low": 0.0, "high": 1.0}
    )
    assert pictures.calibration(rows, title="t").svg.count("<circle") == 2


@given(low=st.floats(-1e6, 1e6), wide=st.floats(1e-3, 1e6))
def test_ticks_are_few_and_inside(low: float, wide: float) -> None:
    found = ticks(low, low + wide)
    assert 2 <= len(found) <= 7
    assert all(low - wide / 1e6 <= each <= low + wide * (1 + 1e-6) for each in found)
    assert Scale(low, low + wide, 0, 100)(low + wide) == pytest.approx(100)


def test_loose_points_of_a_date_are_not_joined() -> None:
    rows = pd.DataFrame({"day": DAYS, "left": [0.1, 0.2, 0.3], "foreseen": [0.1, None, 0.3]})
    values = {"left": "left", "foreseen": "foreseen"}
    picture = pictures.over_time(rows, "day", values, title="t", unit="u", loose=("foreseen",))
    assert picture.svg.count("<polyline") == 1
    assert picture.svg.count('class="tone-1"') == 3  # two points and the legend


def test_small_pictures_keep_their_own_escaped_words() -> None:
    small = pictures.bars(NAMES, "name", {"x": "x"}, title="<b>", note="read so")
    html = drawn(side_by_side([small, small], title="both"))
    assert html.count("<svg") == html.count("read so") == 2
    assert html.count('class="keepwell-picture"') == 1
    assert "<b>" not in html
