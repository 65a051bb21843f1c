import re
from dataclasses import replace
from pathlib import Path

import pytest
from markupsafe import Markup

from pipeline.pages.audit_chapter import AuditChapter
from pipeline.pages.beliefs_chapter import BeliefRow, BeliefsChapter
from pipeline.pages.night_sheet import ActionRow, Bar, CustomerRow, NightPage, Resting, Why, render
from pipeline.pages.page import Figure
from pipeline.pages.power_chapter import PowerChapter
from pipeline.pages.rules_chapter import RuledRow

WHY = Why("no order for 74 days", "without it the risk would be 34% instead of 71%")
PAGE = NightPage(
    business="corner shop",
    as_of="2026-06-01",
    definition="no order in 45 days",
    model_version="3",
    trained_through="2026-05-30",
    later_model=False,
    figures=[Figure("1,204", "customers watched")],
    beliefs=BeliefsChapter(
        "Effects are priors.",
        "One is stopped.",
        [
            BeliefRow(
                "survey invite", "outcomes", "800", "200", "-5.0 points", "-7 to -3", "-5 EUR", "97%", True
            )
        ],
    ),
    power=PowerChapter("Tonight could show 9.1 points.", []),
    plan_words="Planned for 3.",
    actions=[ActionRow("thank you note", "email", "3", "2", "0", "1", "0.20 EUR", "0.1")],
    certificate="Gap 0 %.",
    previous="2026-05-31",
    changes=[Figure("4", "newly at risk")],
    movers=[],
    left_out=[Bar("no consent for the channel", "12", 100.0)],
    spread_words="Spread.",
    histogram=Markup("<svg></svg>"),
    calibration_words="Calibration.",
    calibration=Markup("<svg></svg>"),
    customers=[CustomerRow("AB12-CD34", "at risk", "71%", "120 EUR", "withheld", [WHY])],
    language="en",
    reasons=[],
    segments=[],
    audit=AuditChapter("No difference is larger.", [], []),
    ruled=[RuledRow("early access", "9", "4", "no consent for the channel 5")],
    dormant=[Resting("points bonus", "trigger names `points`")],
    evaluation_words="Judged.",
    models=[],
    facts=[],
)


def test_the_page_shows_figures_actions_and_customers() -> None:
    text = render(PAGE)
    for words in (
        "1,204",
        "thank you note",
        "AB12-CD34",
        "no order for 74 days",
        "34% instead of 71%",
        'survey invite <b class="up">stopped</b>',
        "Effects are priors.",
        "<h2>The most valuable customer at risk</h2>",
    ):
        assert words in text
    assert "<h2>Customers at risk</h2>" in render(replace(PAGE, customers=[]))


def test_every_word_from_outside_is_escaped() -> None:
    text = render(replace(PAGE, business="<script>alert(1)</script>"))
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_the_page_names_no_address() -> None:
    assert re.findall(r"https?://|src=|href=|@import|url\(", render(PAGE)) == []


def test_a_night_without_actions_says_why() -> None:
    text = render(replace(PAGE, actions=[]))
    assert "Nobody gets an action tonight: no action that suits somebody is allowed" in text


def test_a_later_model_is_marked_on_the_page() -> None:
    assert "trained after its date" not in render(PAGE)
    assert "trained after its date" in render(replace(PAGE, later_model=True))


TEMPLATES = sorted((Path(__file__).parents[2] / "pipeline/pages/templates").glob("*.j2"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_cell_stands_under_the_head_it_names(template: Path) -> None:
    # On a phone a cell shows its own label instead of the head of its column.
    tables = re.findall(r'<table class="stack[^"]*">(.*?)</table>', template.read_text(), flags=re.DOTALL)
    assert tables or "data-label" not in template.read_text()
    for table in tables:
        head, body = table.split("</thead>")
        heads = [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<th\b[^>]*>(.*?)</th>", head)]
        labels = re.findall(r'data-label="([^"]*)"', body)
        fixed = [word for word in heads if "{" not in word]
        assert [word for word in labels if "{" not in word] == fixed
