"""The demo: a simulated shop with known truth, trained on, planned for, lived through night after night."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from pipeline.beside_truth import beside_truth
from pipeline.config import DemoSettings
from pipeline.flows import NightOptions, nightly
from pipeline.run import Run
from pipeline.shop.files import write_day, write_history
from pipeline.shop.state import ShopState
from pipeline.shop.stepper import advance, simulate_history
from pipeline.shop.worlds import live_in_all
from pipeline.training.retraining import retrain
from tables.errors import ConfigError
from tables.publish import published
from tables.storage import read_table

FEWEST_NIGHTS = 2


def demo(run: Run, *, nights: int = FEWEST_NIGHTS) -> Mapping[str, Any]:
    """Simulate, train, publish so many nights, retrain on the first of a month; run again, it goes on.

    Args:
        run: the run, holding the workspace.
        nights: nights to publish in all. Once the outcomes of the first ones have settled, the answer sets what was
            measured beside what is true.

    Raises:
        ConfigError: if the configuration has no demo section, or the last night has not begun.
    """
    settings = run.config.demo
    if settings is None:
        raise ConfigError("demo: the configuration has no demo section. Use configs/demo.yaml.")
    last, today = settings.as_of + timedelta(days=nights - 1), run.calendar.day_of(run.now)
    if last > today:
        most = (today - settings.as_of).days + 1
        raise ConfigError(f"demo: night {nights} would be {last}, today is {today}. Ask for at most {most}.")
    _open(run, settings)
    told: list[str] = []
    answer: Mapping[str, Any] = {}
    for day in (settings.as_of + timedelta(days=passed) for passed in range(nights)):
        _let_days_pass(run, until=day)
        is_new = published(run.workspace, day) is None
        if is_new and (day == settings.as_of or day.day == 1):
            told.append(retrain(run, as_of=day)["text"])
        if is_new or day == last:
            answer = nightly(run, as_of=day, options=NightOptions(today=day))
    found = beside_truth(run, first=settings.as_of, as_of=last)
    text = "\n".join([*told, answer["text"], *found["lines"], f"Open it: {answer['page']}"])
    return {**answer, **found["answer"], "text": text}


def _open(run: Run, settings: DemoSettings) -> None:
    shop = run.workspace / "shop"
    if (shop / "state").exists():
        return
    run.progress(f"simulate a shop of {settings.shop.customers:,} customers until {settings.as_of}")
    state, rows = simulate_history(settings.shop, until=settings.as_of, seed=run.config.seed)
    write_history(shop, rows)
    state.save(shop / "state")


def _let_days_pass(run: Run, *, until: date) -> None:
    """Carry out the published plans in the shop and write what customers then do, each day once."""
    shop = run.workspace / "shop"
    state = ShopState.load(shop / "state")
    while state.day < until and (manifest := published(run.workspace, state.day)) is not None:
        run.progress(f"the shop lives through {state.day}")
        plan, day = read_table(manifest.table("plan")), state.day
        live_in_all(shop / "worlds", state, plan)
        state, rows = advance(state, plan)
        write_day(shop, rows, day)
        state.save(shop / "state")
