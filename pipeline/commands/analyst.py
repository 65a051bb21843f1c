"""Commands for a closer look: features as a file, the recipe beside its rivals."""

from datetime import date
from pathlib import Path
from typing import Any

import click

from pipeline.desk import Desk
from pipeline.options import AS_OF, CONFIG, Answer, Day, Lengths, Names, answers, listed, numbered


@click.command()
@CONFIG
@AS_OF
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Parquet file to write, for its owner alone.",
)
@answers
@click.pass_obj
def features(desk: Desk, config_path: Path, as_of: date | None, out: Path) -> Answer:
    """Write the features of every customer known at a date, one row each."""
    from pipeline.steps import export_features

    with desk.run(config_path).locked("keepwell features") as run:
        return export_features(run, as_of=as_of or desk.today(run.config), out=out)


@click.command()
@CONFIG
@AS_OF
@listed(
    "--without",
    Names(),
    metavar="TABLE,...",
    help="Compare with the recipe less the features of the last of these tables, the last two, ... all of them.",
)
@click.option("--ablate", is_flag=True, help="Compare with the recipe less each of its ingredients.")
@answers
@click.pass_obj
def evaluate(
    desk: Desk, config_path: Path, as_of: date | None, without: tuple[str, ...], ablate: bool
) -> Answer:
    """Train on what was known at a date and compare the model with its rivals on what came after."""
    if ablate and without:
        raise click.UsageError("--ablate and --without answer different questions. Ask one at a time.")
    snapshot = desk.snapshot(config_path)
    if snapshot is not None:
        from pipeline.training.flat import evaluate_flat

        if as_of or without or ablate:
            raise click.UsageError(
                f"{config_path}: a ready-made snapshot has no dates and no tables to leave out."
            )
        return evaluate_flat(snapshot, desk.progress)
    from pipeline.flows import evaluate as flow

    with desk.run(config_path).locked("keepwell evaluate") as run:
        return flow(run, as_of=as_of, without=without, ablated=ablate)


@click.command()
@CONFIG
@AS_OF
@listed(
    "--days",
    Lengths(),
    metavar="DAYS,...",
    help="Lengths of the outcome window to try; round ones that the log allows if not given.",
)
@answers
@click.pass_obj
def define(desk: Desk, config_path: Path, as_of: date | None, days: tuple[int, ...]) -> Answer:
    """Try definitions of churn on the past: churn, false churn, who is left out, and which one to choose."""
    from pipeline.defining.defining import define as flow

    with desk.run(config_path).locked("keepwell define") as run:
        return flow(run, as_of=as_of or desk.today(run.config), days=days)


@click.command()
@CONFIG
@AS_OF
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Configuration file to write.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="No trial starts later.",
)
@click.option("--trials", type=click.IntRange(min=1), help="No more trials than that, whatever time is left.")
@answers
@click.pass_obj
def tune(
    desk: Desk, config_path: Path, as_of: date | None, out: Path, minutes: float, trials: int | None
) -> Answer:
    """Search better settings of the boosted trees on past dates; write them as a configuration to try."""
    from pipeline.training.tuning import Budget
    from pipeline.training.tuning import tune as flow

    with desk.run(config_path).locked("keepwell tune") as run:
        return flow(
            run, config_path, as_of=as_of or desk.today(run.config), out=out, budget=Budget(minutes, trials)
        )


@click.command()
@CONFIG
@click.option("--as-of", type=Day(), help="The night; the newest published one if not given.")
@click.option("--budget", type=click.FloatRange(min=0), help="Money per period of the configured budget.")
@numbered("--capacity", metavar="ACTION=CUSTOMERS", help="Most customers a night for an action")
@numbered("--hours", metavar="TEAM=HOURS", help="Working hours of a team for the night")
@numbered(
    "--prior",
    most=2,
    metavar="ACTION=SAVE[,SD]",
    help="Believed share of leavers an action saves, and how unsure that is",
)
@click.option(
    "--threshold", type=click.FloatRange(0, 1), help="Plan only for customers of at least that churn risk."
)
@listed("--without", Names(), metavar="ACTION,...", help="Plan without these actions; may be repeated.")
@click.option("--catalogue", type=click.Path(path_type=Path), help="Plan with another catalogue of actions.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="HTML file to write, with profit against budget."
)
@answers
@click.pass_obj
def whatif(desk: Desk, /, config_path: Path, as_of: date | None, out: Path | None, **asked: Any) -> Answer:
    """Plan a night as configured and as asked, side by side, without publishing anything."""
    from pipeline.whatif.question import Question
    from pipeline.whatif.whatif import whatif as flow

    run = desk.run(config_path)
    return flow(run, Question.of(**asked), as_of=as_of, today=desk.today(run.config), out=out)


@click.command()
@CONFIG
@AS_OF
@answers
@click.pass_obj
def power(desk: Desk, config_path: Path, as_of: date | None) -> Answer:
    """Tell what a night's control groups could show, before anything is sent; nothing is published."""
    from pipeline.power import power as flow

    run = desk.run(config_path)
    return flow(run, as_of=as_of, today=desk.today(run.config))


@click.command()
@click.argument("configs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="CONFIG...")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Markdown file to write, such as docs/leaderboard.md."
)
@answers
@click.pass_obj
def leaderboard(desk: Desk, configs: tuple[Path, ...], out: Path | None) -> Answer:
    """Compare the model with rivals and CatBoost on several businesses, at several test dates each."""
    snapshots = {path: desk.snapshot(path) for path in configs}
    runs = {path: desk.run(path) for path, snapshot in snapshots.items() if snapshot is None}
    from pipeline.board.leaderboard import leaderboard as flow

    return flow([snapshots[path] or runs[path] for path in configs], out=out, progress=desk.progress)


COMMANDS = (define, features, evaluate, leaderboard, tune, whatif, power)
