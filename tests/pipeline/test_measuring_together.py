"""All actions together against customers left alone: two actions read as their sum, with the costs of both."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from actions.experiment.control import FrozenSalt, Purpose, salts_to_json
from pipeline.config import load_config
from pipeline.measuring.measuring import measure
from pipeline.measuring.programme import settled_base
from pipeline.measuring.results import Results, results_of
from pipeline.run import Run
from pipeline.steps import ingested
from tables.calendar import DAY
from tables.publish import Publication
from tables.storage import write_table, write_text
from tests.pipeline.test_measuring import CONFIG, FIRST, LATE, SECOND, row

ACTIONS = {FIRST: "personal_offer", SECOND: "thank_you_note"}


def arms(who: int, withheld: float) -> tuple[str, str]:
    """Leave every tenth alone; deny a third of the others the one action, and crosswise a third the other."""
    place = who // 5 % 10
    if not withheld:
        return "sent", "sent"
    if place == 9:
        return "untouched", "untouched"
    return "control" if place % 3 == 0 else "sent", "control" if place // 3 == 0 else "sent"


def stays(who: int, *given: str) -> bool:
    """Each action keeps one customer in five, and each another one."""
    return (who % 5 == 0 and given[0] == "sent") or (who % 5 == 1 and given[1] == "sent")


def planned(who: int, night: date, arm: str, withheld: float) -> dict[str, object]:
    chance = {"untouched": withheld / 4, "control": withheld * 3 / 4, "sent": 1 - withheld}
    return {**row(f"c{who:03}", ACTIONS[night], arm, chance[arm]), "unit": f"c{who:03}"}


@contextmanager
def shop(folder: Path, *, customers: int = 500, withheld: float = 0.4) -> Iterator[Run]:
    given = [arms(who, withheld) for who in range(customers)]
    orders = ["who,order,at,amount,region,known", "zed,z,2025-03-31,10,,2025-03-31"]
    orders += [f"c{who:03},{who},2025-02-20,10,,2025-02-20" for who in range(customers)]
    back = [who for who in range(customers) if stays(who, *given[who])]
    orders += [f"c{who:03},{who} again,2025-03-08,10,,2025-03-08" for who in back]
    (folder / "orders.csv").write_text("\n".join(orders) + "\n")
    (folder / "contacts.csv").write_text("who,id,at,team,action,cost,status\n")
    (folder / "shop.yaml").write_text(CONFIG.format(folder=folder))
    shares: dict[Purpose, float] = {"global": 0.0, "withhold": withheld, "explore": 0.0}
    half = (date(2025, 1, 1), date(2025, 7, 1))
    salts = [FrozenSalt("2025H1", purpose, *half, share) for purpose, share in shares.items()]
    with Run(config=load_config(folder / "shop.yaml", {}), now=30_000 * DAY).locked("test") as held:
        write_text(salts_to_json(salts), held.workspace / "control" / "salts.json")
        for at, night in enumerate(ACTIONS):
            publish(held, night, [planned(who, night, each[at], withheld) for who, each in enumerate(given)])
        yield held


def publish(run: Run, night: date, rows: list[dict[str, object]]) -> None:
    people = pd.DataFrame({"customer_id": [f"c{who:03}" for who in range(500)], "churn_risk": 0.4})
    with Publication(run.lock, night) as publication:
        plan = pd.DataFrame(rows).assign(as_of=pd.Timestamp(night))
        write_table(plan, publication.table("plan"))
        write_table(people.assign(margin=100.0, segment="loyal"), publication.table("scores"))
        publication.publish(facts={}, timings={})


def results(run: Run) -> Results:
    found = results_of(run, ingested(run), as_of=LATE)
    assert found is not None
    return found


def test_all_actions_together_read_the_sum_of_what_each_does(tmp_path: Path) -> None:
    with shop(tmp_path) as run:
        found = results(run)
    total, (offer, note) = found.total, found.actions
    assert offer.stayed.estimate == pytest.approx(0.2)
    assert note.stayed.estimate == pytest.approx(0.2)
    # Of everybody not left alone two thirds were sent the one action and two thirds the other, at 3 each.
    assert total.stayed.estimate == pytest.approx(2 / 3 * (0.2 + 0.2))
    assert total.cost.estimate == pytest.approx(2 / 3 * (3 + 3))
    assert total.profit.estimate == pytest.approx(100 * 2 / 3 * 0.4 - 4)
    assert (total.sent, total.control) == (450, 50)
    assert total.ratio.expected_control == pytest.approx(50)
    assert total.answer()["total"]["kept"]["estimate"] == pytest.approx(120)
    assert found.caution == ""


def test_where_nobody_is_left_alone_nothing_is_said_of_all_actions(tmp_path: Path) -> None:
    with shop(tmp_path, customers=200, withheld=0.0) as run:
        answer = measure(run, as_of=LATE, today=LATE)
    assert (answer["total"]["sent_customers"], answer["total"]["stayed"]["difference"]) == (0, None)
    assert answer["caution"].startswith("Nobody was left alone, so that nothing can be said of all actions")
    assert answer["caution"] in answer["text"]


def test_few_left_alone_are_told_with_what_they_could_show(tmp_path: Path) -> None:
    with shop(tmp_path, customers=100) as run:
        answer = measure(run, as_of=LATE, today=LATE)
    assert answer["caution"].startswith("Too few were left alone to say what all actions did together: 10 ")
    assert "With so many, no effect below 39.9 points could be shown." in answer["caution"]
    assert answer["caution"] in answer["text"]
    assert answer["caution"] in Path(answer["page"]).read_text()


def test_a_night_made_after_later_ones_does_not_move_the_base(tmp_path: Path) -> None:
    with shop(tmp_path) as run:
        before = settled_base(run, ingested(run), as_of=LATE)
        nobody = {**row("c000", "none", "global_control", 0.05), "unit": "c000"}
        publish(run, FIRST - timedelta(days=7), [nobody])
        pd.testing.assert_frame_equal(settled_base(run, ingested(run), as_of=LATE), before)
