"""Commands for a closer look: features as a file, the recipe beside its rivals."""

from datetime import date
from pathlib import Path

import click

from pipeline.desk import Desk
from pipeline.options import AS_OF, CONFIG, Answer, Names, answers


@click.command()
@CONFIG
@AS_OF
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Parquet file to write.")
@answers
@click.pass_obj
def features(desk: Desk, config_path: Path, as_of: date | None, out: Path) -> Answer:
    """Write the features of every customer known at a date, one row each."""
    from pipeline.steps import export_features

    run = desk.run(desk.config(config_path))
    with run.locked("keepwell features") as run:
        return export_features(run, as_of=as_of or desk.today(run.config), out=out)


@click.command()
@CONFIG
@AS_OF
@click.option(
    "--without",
    type=Names(),
    default=(),
    metavar="TABLE,...",
    help="Compare with the recipe less the features of the last of these tables, the last two, ... all of them.",
)
@answers
@click.pass_obj
def evaluate(desk: Desk, config_path: Path, as_of: date | None, without: tuple[str, ...]) -> Answer:
    """Train on what was known at a date and compare the model with its rivals on what came after."""
    from pipeline.flows import evaluate as flow

    run = desk.run(desk.config(config_path))
    with run.locked("keepwell evaluate") as run:
        return flow(run, as_of=as_of, without=without)


COMMANDS = (features, evaluate)
