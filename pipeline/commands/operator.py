"""Commands of every day: take in what is new, retrain, roll back, publish a night, resolve a pseudonym."""

from datetime import date
from pathlib import Path

import click

from pipeline.desk import Desk
from pipeline.options import AS_OF, CONFIG, Answer, answers


@click.command()
@CONFIG
@answers
@click.pass_obj
def ingest(desk: Desk, config_path: Path) -> Answer:
    """Read new source rows into the history; the same rows twice change nothing."""
    from pipeline.steps import ingest_answer, ingest_sources

    with desk.run(config_path).locked("keepwell ingest") as run:
        return ingest_answer(ingest_sources(run))


@click.command()
@CONFIG
@AS_OF
@click.option("--require-promotion", is_flag=True, help="Exit with 6 where the new model is not promoted.")
@click.option(
    "--accept-recipe",
    is_flag=True,
    help="Take the configured recipe whatever the comparison with the champion's says; recorded.",
)
@answers
@click.pass_obj
def retrain(
    desk: Desk, config_path: Path, as_of: date | None, require_promotion: bool, accept_recipe: bool
) -> Answer:
    """Compare a changed recipe with the champion's, refit the winner on all complete dates, promote if sound."""
    from pipeline.training.retraining import retrain as flow

    with desk.run(config_path).locked("keepwell retrain") as run:
        return flow(
            run,
            as_of=as_of or desk.today(run.config),
            require_promotion=require_promotion,
            accept_recipe=accept_recipe,
        )


@click.command()
@CONFIG
@click.option(
    "--to", type=int, metavar="VERSION", help="Go back to this version; to the one before if not given."
)
@click.option("--reason", default="", metavar="TEXT", help="Why, for whoever reads the registry later.")
@answers
@click.pass_obj
def rollback(desk: Desk, config_path: Path, to: int | None, reason: str) -> Answer:
    """Withdraw the model in service; the one promoted before it serves from the next night on."""
    from pipeline.training.rolling_back import rollback as flow

    with desk.run(config_path).locked("keepwell rollback") as run:
        return flow(run, to=to, reason=reason)


@click.command()
@CONFIG
@AS_OF
@click.option("--republish", is_flag=True, help="Replace today's published night.")
@click.option("--accept-level", is_flag=True, help="Publish once although the risk level moved too far.")
@click.option(
    "--allow-later-model", is_flag=True, help="Score a past date with a model trained after it; marked."
)
@answers
@click.pass_obj
def nightly(
    desk: Desk,
    config_path: Path,
    as_of: date | None,
    republish: bool,
    accept_level: bool,
    allow_later_model: bool,
) -> Answer:
    """Score everybody, plan tonight's actions, and publish scores, plan and page together or not at all."""
    from pipeline.flows import NightOptions
    from pipeline.flows import nightly as flow

    run = desk.run(config_path)
    today = desk.today(run.config)
    options = NightOptions(
        republish=republish, accept_level=accept_level, allow_later_model=allow_later_model, today=today
    )
    with run.locked("keepwell nightly") as run:
        return flow(run, as_of=as_of or today, options=options)


@click.command()
@CONFIG
@AS_OF
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of the files, for their owner alone.",
)
@answers
@click.pass_obj
def export(desk: Desk, config_path: Path, as_of: date | None, out: Path) -> Answer:
    """Write the published plan for other systems: one CSV per channel, hashes alone for an audience."""
    from pipeline.handover.exporting import export as flow

    with desk.run(config_path).locked("keepwell export") as run:
        return flow(run, as_of=as_of, today=desk.today(run.config), out=out)


@click.command()
@CONFIG
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@answers
@click.pass_obj
def deliveries(desk: Desk, config_path: Path, files: tuple[Path, ...]) -> Answer:
    """Take in what became of the contacts: FILES of deliveries and redemptions; the same twice changes nothing."""
    from pipeline.handover.importing import import_deliveries

    with desk.run(config_path).locked("keepwell deliveries") as run:
        return import_deliveries(run, files)


@click.command()
@CONFIG
@AS_OF
@answers
@click.pass_obj
def measure(desk: Desk, config_path: Path, as_of: date | None) -> Answer:
    """Tell what planned actions did, sent against withheld, once outcomes are settled; writes a page."""
    from pipeline.measuring.measuring import measure as flow

    run = desk.run(config_path)
    today = desk.today(run.config)
    with run.locked("keepwell measure") as run:
        return flow(run, as_of=as_of or today, today=today)


@click.command()
@CONFIG
@click.argument("pseudonyms", nargs=-1, required=True)
@answers
@click.pass_obj
def who(desk: Desk, config_path: Path, pseudonyms: tuple[str, ...]) -> Answer:
    """Resolve PSEUDONYMS of a page to customer ids, inside the workspace."""
    from pipeline.pseudonyms import resolve

    run = desk.run(config_path)
    found = resolve(run, pseudonyms)
    return {"customers": found, "text": "\n".join(f"{name}\t{found[name]}" for name in pseudonyms)}


COMMANDS = (ingest, retrain, rollback, nightly, export, deliveries, measure, who)
