"""The demo: a simulated shop with known truth, trained on, planned for, lived through for a day, planned for again."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pipeline.flows import NightOptions, nightly
from pipeline.run import Run
from pipeline.shop.files import write_day, write_history
from pipeline.shop.state import ShopState
from pipeline.shop.stepper import advance, simulate_history
from pipeline.training.retraining import retrain
from tables.errors import ConfigError
from tables.publish import published
from tables.storage import read_table


def demo(run: Run) -> Mapping[str, Any]:
    """Simulate, train and publish two nights; running it again changes nothing that is published."""
    settings = run.config.demo
    if settings is None:
        raise ConfigError("demo: the configuration has no demo section. Use configs/demo.yaml.")
    first, second = settings.as_of, settings.as_of + timedelta(days=1)
    shop = run.workspace / "shop"
    if not (shop / "state").exists():
        run.progress(f"simulate a shop of {settings.shop.customers:,} customers until {first}")
        state, rows = simulate_history(settings.shop, until=first, seed=run.config.seed)
        write_history(shop, rows)
        state.save(shop / "state")
    trained = None
    if published(run.workspace, first) is None:
        trained = retrain(run, as_of=first)
    nightly(run, as_of=first, options=NightOptions(today=first))
    _let_a_day_pass(run)
    answer = nightly(run, as_of=second, options=NightOptions(today=second))
    told = f"{trained['text']}\n" if trained else ""
    return {**answer, "text": f"{told}{answer['text']}\nOpen it: {answer['page']}"}


def _let_a_day_pass(run: Run) -> None:
    """Carry out the first night's plan in the shop and write what customers then do, once."""
    settings, shop = run.config.demo, run.workspace / "shop"
    state = ShopState.load(shop / "state")
    manifest = published(run.workspace, state.day)
    if settings is None or manifest is None or state.day > settings.as_of:
        return
    run.progress(f"the shop lives through {state.day}")
    day = state.day
    state, rows = advance(state, read_table(manifest.table("plan")))
    write_day(shop, rows, day)
    state.save(shop / "state")
