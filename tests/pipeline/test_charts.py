from markupsafe import Markup

from pipeline.pages.charts import Bin, calibration, histogram


def test_a_histogram_has_one_bar_per_bin() -> None:
    picture = histogram([3, 0, 5], title="risk", mark=0.5, mark_label="at risk")
    assert picture.count("<rect") == 3
    assert "0% to 33%: 3 customers" in picture


def test_bars_beyond_the_mark_are_risky() -> None:
    picture = histogram([1, 1], title="risk", mark=0.5, mark_label="at risk")
    assert picture.count('class="risky"') == 1


def test_a_point_on_the_diagonal_is_calibrated() -> None:
    picture = calibration([Bin(0.5, 0.5, 0.4, 0.6, 100)], title="calibration")
    assert 'cx="332.0" cy="118.0"' in picture  # the middle of both axes


def test_words_in_pictures_are_escaped() -> None:
    picture = histogram([1], title="<b>", mark=0.5, mark_label="a & b")
    assert isinstance(picture, Markup)
    assert "<b>" not in picture
    assert "a &amp; b" in picture


def test_rare_churn_fills_the_picture_of_calibration() -> None:
    rare = calibration([Bin(0.02, 0.02, 0.01, 0.03, 100)], title="t")
    assert [f">{end}%</text>" in rare for end in (4, 100)] == [True, False]
    assert 'cx="332.0" cy="118.0"' in rare  # two of four percent: the middle of both axes
