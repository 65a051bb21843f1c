"""Words for features: the same in every language, none forgotten, and every number with its form."""

import math
import string
from fnmatch import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.build import feature_names
from features.builders import BUILDERS
from features.settings import Attribute, FeatureSettings
from models.wordings import LANGUAGES, Language, sentence
from models.wordings.language import fields_of
from models.wordings.topics import TOPICS, topic_of
from tables.errors import ConfigError

NAN = float("nan")
ENGLISH, CHINESE, LITHUANIAN = (LANGUAGES[code] for code in ("en", "zh", "lt"))
SETTINGS = FeatureSettings(
    horizon_days=28,
    event_types=("session", "app_use", "page_error", "review", "mention"),
    ticket_reasons=("complaint", "late parcel"),
    offer_kinds=("bogo",),
    loyalty_tiers=("silver", "gold"),
    attributes=(Attribute("age"), Attribute("joined_on"), Attribute("colour", ("red",))),
)
every_language = pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)


class EveryTable:
    """Stands for a history with every table and column that some builder asks for."""

    def has(self, _: str) -> bool:
        return True

    def columns(self, table: str) -> tuple[str, ...]:
        return tuple(
            {name for each in BUILDERS for name in (*each.needs.get(table, ()), *each.uses.get(table, ()))}
        )


NAMES = {each.name: feature_names(EveryTable(), SETTINGS, [each]) for each in BUILDERS}
FEATURES = tuple(name for names in NAMES.values() for name in names)


def may_be_missing(feature: str) -> bool:
    [builder] = (each for each in BUILDERS if feature in NAMES[each.name])
    return any(fnmatch(feature, rule) for rule in builder.missing)


@every_language
def test_every_language_words_the_same_topics_and_themes(language: Language) -> None:
    assert set(language.sentences) == {topic.name for topic in TOPICS}
    assert set(language.themes) == {topic.theme for topic in TOPICS}
    assert len(language.weekdays) == 7


@every_language
def test_sentences_of_all_languages_name_the_same_figures(language: Language) -> None:
    for topic, english in ENGLISH.sentences.items():
        told = language.sentences[topic]
        assert [fields_of(each) for each in told] == [fields_of(each) for each in english], topic


@every_language
def test_every_way_of_counting_is_known_and_used(language: Language) -> None:
    templates = [each for alternatives in language.sentences.values() for each in alternatives]
    ways = {way for each in templates for _, _, way, _ in string.Formatter().parse(each) if way}
    assert ways - {"if", "exact", "percent", "money", "weekday", "clock", "date"} == set(language.nouns)


@pytest.mark.parametrize(("language", "forms"), [(ENGLISH, 2), (CHINESE, 1), (LITHUANIAN, 4)])
def test_every_noun_has_all_forms_of_its_language(language: Language, forms: int) -> None:
    assert {name for name, noun in language.nouns.items() if len(noun.forms) != forms} == set()


@every_language
def test_no_feature_of_any_builder_lacks_words(language: Language) -> None:
    for feature in (
        name for each, names in NAMES.items() if not each.endswith("attributes") for name in names
    ):
        assert topic_of(feature).topic.theme != "profile", feature
        for value in (0.0, 1.0, 2.5, 21.0, *([NAN] if may_be_missing(feature) else [])):
            told = sentence(
                feature, dict.fromkeys(FEATURES, value) | {feature: value}, language=language.code
            )
            assert told and "{" not in told and "nan" not in told, feature


@every_language
def test_a_customer_without_any_other_figure_is_told_too(language: Language) -> None:
    others = {name: NAN if may_be_missing(name) else 0.0 for name in FEATURES}
    for feature in FEATURES:
        assert sentence(feature, others, language=language.code)
        assert sentence(feature, others | {feature: 1.0}, language=language.code)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (1, "prieš 1 dieną"),
        (2, "prieš 2 dienas"),
        (9, "prieš 9 dienas"),
        (10, "prieš 10 dienų"),
        (11, "prieš 11 dienų"),
        (12, "prieš 12 dienų"),
        (19, "prieš 19 dienų"),
        (20, "prieš 20 dienų"),
        (21, "prieš 21 dieną"),
        (22, "prieš 22 dienas"),
        (30, "prieš 30 dienų"),
        (101, "prieš 101 dieną"),
        (111, "prieš 111 dienų"),
        (112, "prieš 112 dienų"),
        (2.5, "prieš 2,5 dienos"),
        (20.6, "prieš 21 dieną"),
        (1234, "prieš 1\N{NO-BREAK SPACE}234 dienas"),
    ],
)
def test_lithuanian_days_follow_their_number(days: float, words: str) -> None:
    told = sentence("days_since_last_ticket", {"days_since_last_ticket": days}, language="lt")
    assert told == f"pagalbos prašė {words}"


@pytest.mark.parametrize(
    ("number", "nominative", "accusative"),
    [
        (1, "1 diena", "1 dieną"),
        (2, "2 dienos", "2 dienas"),
        (10, "10 dienų", "10 dienų"),
        (21, "21 diena", "21 dieną"),
    ],
)
def test_lithuanian_cases_follow_the_sentence(number: float, nominative: str, accusative: str) -> None:
    assert (
        sentence("tenure_days", {"tenure_days": number}, language="lt")
        == f"nuo pirmo pirkimo praėjo {nominative}"
    )
    silence = {"days_since_last_order": number, "gap_days_median": 7.0}
    told = sentence("days_since_last_order", silence, language="lt")
    assert told == f"jau {accusative} be užsakymo; paprastai perka kas 7 dienas"


@pytest.mark.parametrize(
    ("feature", "value", "words"),
    [
        ("orders_30d", 0, "nė vieno užsakymo per pastarąsias 30 dienų"),
        ("orders_7d", 1, "1 užsakymas per pastarąsias 7 dienas"),
        ("orders_21d", 2, "2 užsakymai per pastarąją 21 dieną"),
        ("orders_1d", 11, "11 užsakymų per pastarąją dieną"),
        ("returns_30d", 1, "grąžinta 1 prekė per pastarąsias 30 dienų"),
        ("returns_30d", 3, "grąžintos 3 prekės per pastarąsias 30 dienų"),
        ("tickets_open", 2, "2 neišspręstos užklausos"),
        ("offers_running_viewed", 10, "peržiūrėta 10 galiojančių pasiūlymų"),
        ("nps_change", -2, "mus rekomenduotų menkiau nei anksčiau, 2 taškais"),
        ("spend_30d", 1234.5, "išleido 1\N{NO-BREAK SPACE}234 EUR per pastarąsias 30 dienų"),
        ("discount_share", 0.256, "nuolaidos sudarė 26\N{NO-BREAK SPACE}% kainos"),
        ("app_use_events_30d", 1, "programėlės naudojimas: 1 kartą per pastarąsias 30 dienų"),
        ("last_order_weekday", 2, "paskutinį kartą užsakė trečiadienį"),
    ],
)
def test_lithuanian_sentences_as_people_say_them(feature: str, value: float, words: str) -> None:
    assert sentence(feature, {feature: value}, language="lt", currency="EUR") == words


@pytest.mark.parametrize(
    ("feature", "value", "words"),
    [
        ("orders_30d", 2, "最近 30 天：2 笔订单"),
        ("orders_30d", 0, "最近 30 天：没有订单"),
        ("tickets_open", 1, "未解决：1 个工单"),
        ("app_use_events_30d", 3, "最近 30 天“应用使用”：3 次"),
        ("negative_reviews_365d", 2, "最近 365 天：2 条差评"),
        ("plan_fee_monthly", 9.5, "每月支付 9.50 CNY"),
    ],
)
def test_chinese_numbers_come_with_measure_words(feature: str, value: float, words: str) -> None:
    assert sentence(feature, {feature: value}, language="zh", currency="CNY") == words


@pytest.mark.parametrize(
    ("feature", "values", "words"),
    [
        ("days_since_last_order", {"gap_days_median": 21.4}, "no order for 74 days; usually every 21"),
        ("days_since_last_order", {"gap_days_median": 1}, "no order for 74 days; usually every day"),
        ("days_since_last_order", {"gap_days_median": NAN}, "bought on one day only, 74 days ago"),
        ("orders_90d", {"orders_90d": 1}, "1 order in the last 90 days"),
        ("orders_90d", {"orders_90d": 0}, "no orders in the last 90 days"),
        (
            "purchase_days_28_to_56d_ago",
            {"purchase_days_28_to_56d_ago": 2},
            "2 purchase days 28 to 56 days ago",
        ),
        (
            "spend_30d_over_90d",
            {"spend_30d_over_90d": 0.04, "spend_30d": 12, "spend_90d": 300},
            "spent 12 EUR in the last 30 days against 300 EUR in 90",
        ),
        (
            "purchase_days_0_to_28d_ago",
            {"purchase_days_0_to_28d_ago": 2},
            "2 purchase days in the last 28 days",
        ),
        ("orders_total", {"orders_total": 1, "tenure_days": 91}, "1 order in 91 days"),
        ("last_order_returned", {"last_order_returned": 1}, "the last order came back, wholly or in part"),
        ("last_order_returned", {"last_order_returned": 0}, "nothing of the last order came back"),
        ("days_to_renewal", {"days_to_renewal": -3}, "renewal overdue by 3 days"),
        ("mrr_change_90d", {"mrr_change_90d": -5}, "the monthly fee fell by 5 EUR in 90 days"),
        ("points_earned_365d", {"points_earned_365d": 0}, "earned no points in the last 365 days"),
        ("page_error_events_30d", {"page_error_events_30d": 2}, "page error: twice in the last 30 days"),
        ("weekday_entropy", {"weekday_entropy": math.log(3)}, "orders spread over about 3 weekdays"),
        ("became_member_on", {"became_member_on": 17_716}, "became member: 2018-07-04"),
        ("points_on", {"points_on": 1e9}, "points: 1,000,000,000"),
        ("colour_is_red", {"colour_is_red": 0}, "colour: not red"),
        ("shoe_size", {"shoe_size": 43.5}, "shoe size: 43.5"),
        ("shoe_size", {"shoe_size": NAN}, "shoe size: not known"),
    ],
)
def test_english_sentences_as_people_say_them(feature: str, values: dict[str, float], words: str) -> None:
    assert sentence(feature, {"days_since_last_order": 74.0} | values, currency="EUR") == words


def test_a_change_too_small_to_see_is_told_as_none() -> None:
    assert ENGLISH.tell_change(risk=0.714, without=0.34) == "without it the risk would be 34% instead of 71%"
    assert (
        ENGLISH.tell_change(risk=0.0381, without=0.024) == "without it the risk would be 2.4% instead of 3.8%"
    )
    assert (
        ENGLISH.tell_change(risk=0.714, without=0.711) == "without it the risk of 71% would hardly be lower"
    )


def test_fading_weights_are_told_by_the_nearest_plain_window() -> None:
    values = {"purchase_days_fading_60d": 0.4, "purchase_days_30d": 0.0, "purchase_days_90d": 1.0}
    assert sentence("purchase_days_fading_60d", values) == "1 purchase day in the last 90 days"


@given(st.floats(-1e6, 1e6))
def test_any_number_is_written_without_a_lone_minus(value: float) -> None:
    for code in LANGUAGES:
        told = sentence("shoe_size", {"shoe_size": value}, language=code)
        assert not told.endswith(("-0", "-0.0", "-0,0", ".", ","))


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(ConfigError, match="no words in 'de'; found en, zh, lt"):
        sentence("orders_30d", {"orders_30d": 1.0}, language="de")
