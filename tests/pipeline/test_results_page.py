"""The page of results: its pictures, and what it says of actions that hurt and readings that are blocked."""

from pipeline.pages.intervals_picture import intervals_picture
from pipeline.pages.results_page import results_page


def test_an_interval_cut_off_by_the_picture_gets_an_arrow_head() -> None:
    def reading(name: str, *ends: float) -> dict[str, object]:
        return {"name": name, "verdict": "not_shown", "stayed": {"difference": 0.1, "sequence": list(ends)}}

    assert intervals_picture([reading("call", -0.1, 0.3)], title="actions").count("whisker head") == 0
    assert intervals_picture([reading("call", -0.6, 0.3)], title="actions").count("whisker head") == 1
    assert intervals_picture([reading("call", -0.6, 0.8)], title="actions").count("whisker head") == 2


def test_a_page_says_what_blocks_and_what_hurts() -> None:
    ratio = {"treated": 900, "control": 100, "expected_control": 200.0, "p": 1e-9, "is_blocked": True}
    blocked = {
        "name": "all actions",
        "verdict": "blocked",
        "words": "cannot be read",
        "sent_customers": 900,
        "control_customers": 100,
        "sample_ratio": ratio,
    }
    answer = {"as_of": "2026-08-20", "planned": ["2026-06-01", "2026-06-14"], "total": blocked}
    groups: dict[str, list[object]] = {
        name: [] for name in ("actions", "segments", "regions", "policies", "programme")
    }
    hurts = {"action": "survey_invite", "level": "evidence", "effect": -0.05, "sd": 0.01, "profit": -4.2}
    told = {
        **answer,
        **groups,
        "caution": "",
        "never_withheld": {},
        "beliefs": [{**hurts, "loss_chance": 0.97, "stopped": True}],
    }
    page = results_page(told, business="shop", currency="EUR")
    assert "Nothing can be said yet: cannot be read." in page
    assert "Something else than chance parted them" in page
    stop = "Stopped: survey invite. It is believed to lose 4.20 EUR a contact (chance of a loss: 97%): of 100 customers"
    assert f"{stop} sent it 5.0 more leave." in page
    assert [word in page for word in ("survey invite", "-5.0 ± 1.0", "-4.20", "97%", ">stopped<")] == [
        True
    ] * 5
