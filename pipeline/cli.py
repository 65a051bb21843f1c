"""The command line. The only module that reads the clock and the environment; heavy imports wait inside commands."""

import errno
import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.options import AS_OF, CONFIG, Answer, Names, answers
from tables.errors import ConfigError, KeepwellError

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.run import Run

_REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EFBIG}


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="keepwell")
def keepwell() -> None:
    """Who is about to leave, what to do about each of them tonight, and whether it worked."""


def main() -> None:
    """Run the command line; every expected failure is one line and its exit code."""
    as_json = "--json" in sys.argv
    try:
        keepwell(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        if as_json:
            click.echo(json.dumps({"error": error.format_message(), "exit_code": 2}))
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except KeepwellError as error:
        _fail(str(error), error.exit_code, as_json)
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        _fail(
            f"{error.filename or 'disk'}: {error.strerror}. Free space or grant access, then run again.",
            7,
            as_json,
        )


def _fail(message: str, code: int, as_json: bool) -> None:
    click.echo(message, err=True)
    if as_json:
        click.echo(json.dumps({"error": message, "exit_code": code}))
    sys.exit(code)


def _config(path: Path) -> "Config":
    from pipeline.config import load_config

    return load_config(path, os.environ)


def _run(config: "Config") -> "Run":
    from pipeline.run import Run

    _limit_threads(config.threads)
    now = int(time.time() * 1_000_000)
    secret = os.environ.get("KEEPWELL_SECRET_FILE")
    return Run(config=config, now=now, secret_file=Path(secret) if secret else None, progress=_progress())


def _limit_threads(threads: int) -> None:
    """LightGBM, BLAS and DuckDB fight over cores otherwise: 84 s against 7 s measured."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, str(threads))


def _progress() -> Callable[[str], None]:
    """Show the step under way: one line a step, coloured on a terminal and plain in a log."""
    started = time.monotonic()
    if not sys.stderr.isatty():
        return lambda step: click.echo(f"[{time.monotonic() - started:6.1f} s] {step}", err=True)
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    return lambda step: console.print(f"{time.monotonic() - started:6.1f} s  {step}", markup=False)


def _today(config: "Config") -> date:
    from zoneinfo import ZoneInfo

    return datetime.now(UTC).astimezone(ZoneInfo(config.time_zone)).date()


@keepwell.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--workspace", type=click.Path(path_type=Path), help="Where everything is kept.")
@click.option("--out", type=click.Path(path_type=Path), help="Configuration to write.")
@click.option("--yes", is_flag=True, help="Accept the guesses without asking.")
@answers
def init(file: Path, workspace: Path | None, out: Path | None, yes: bool) -> Answer:
    """Read an order FILE, guess its columns, and write a commented configuration that runs."""
    from pipeline.init import catalogue_beside, guess, render

    guesses = guess(file)
    click.echo(guesses.describe(), err=True)
    target = out or Path(f"{file.stem}.yaml")
    if target.exists():
        raise ConfigError(f"{target}: the file exists already. Name another with --out.")
    if not yes:
        click.confirm("Write the configuration with these guesses?", abort=True, default=True, err=True)
    catalogue = catalogue_beside(target)
    text = render(guesses, workspace=workspace or Path("workspaces") / file.stem, catalogue=catalogue)
    target.write_text(text, encoding="utf-8")
    return {
        "config": str(target),
        "columns": guesses.columns,
        "text": f"{target} written. Next: keepwell retrain -c {target}",
    }


@keepwell.command()
@CONFIG
@answers
def ingest(config_path: Path) -> Answer:
    """Read new source rows into the history; the same rows twice change nothing."""
    from pipeline.steps import ingest_answer, ingest_sources

    run = _run(_config(config_path))
    with run.locked("keepwell ingest") as run:
        return ingest_answer(ingest_sources(run))


@keepwell.command()
@CONFIG
@AS_OF
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Parquet file to write.")
@answers
def features(config_path: Path, as_of: date | None, out: Path) -> Answer:
    """Write the features of every customer known at a date, one row each."""
    from pipeline.steps import export_features

    run = _run(_config(config_path))
    with run.locked("keepwell features") as run:
        return export_features(run, as_of=as_of or _today(run.config), out=out)


@keepwell.command()
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
def evaluate(config_path: Path, as_of: date | None, without: tuple[str, ...]) -> Answer:
    """Train on what was known at a date and compare the model with its rivals on what came after."""
    from pipeline.flows import evaluate as flow

    run = _run(_config(config_path))
    with run.locked("keepwell evaluate") as run:
        return flow(run, as_of=as_of, without=without)


@keepwell.command()
@CONFIG
@AS_OF
@click.option("--require-promotion", is_flag=True, help="Exit with 6 where the new model is not promoted.")
@answers
def retrain(config_path: Path, as_of: date | None, require_promotion: bool) -> Answer:
    """Evaluate at the newest complete date, refit on all complete ones, register, and promote if sound."""
    from pipeline.flows import retrain as flow

    run = _run(_config(config_path))
    with run.locked("keepwell retrain") as run:
        return flow(run, as_of=as_of or _today(run.config), require_promotion=require_promotion)


@keepwell.command()
@CONFIG
@AS_OF
@click.option("--republish", is_flag=True, help="Replace today's published night.")
@click.option("--accept-level", is_flag=True, help="Publish once although the risk level moved too far.")
@click.option(
    "--allow-later-model", is_flag=True, help="Score a past date with a model trained after it; marked."
)
@answers
def nightly(
    config_path: Path, as_of: date | None, republish: bool, accept_level: bool, allow_later_model: bool
) -> Answer:
    """Score everybody, plan tonight's actions, and publish scores, plan and page together or not at all."""
    from pipeline.flows import NightOptions
    from pipeline.flows import nightly as flow

    run = _run(_config(config_path))
    today = _today(run.config)
    options = NightOptions(
        republish=republish, accept_level=accept_level, allow_later_model=allow_later_model, today=today
    )
    with run.locked("keepwell nightly") as run:
        return flow(run, as_of=as_of or today, options=options)


@keepwell.command()
@click.option(
    "-c",
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=Path("configs/demo.yaml"),
    show_default=True,
    help="Configuration with a demo section.",
)
@answers
def demo(config_path: Path) -> Answer:
    """Simulate a shop, train, publish a night, let a day pass, publish the next, and name the page."""
    from pipeline.demo import demo as flow

    run = _run(_config(config_path))
    with run.locked("keepwell demo") as run:
        return flow(run)


@keepwell.command()
@click.option(
    "-c",
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=Path("configs/complete_journey.yaml"),
    show_default=True,
    help="Configuration that reads the example's tables.",
)
@answers
def example(config_path: Path) -> Answer:
    """Train and publish a night on a year of real grocery data that a package ships, and name the page."""
    from pipeline.config import load_config
    from pipeline.example import data_folder
    from pipeline.example import example as flow

    data = data_folder(_config(config_path).workspace)
    run = _run(load_config(config_path, {**os.environ, "KEEPWELL_DATA": str(data)}))
    with run.locked("keepwell example") as run:
        return flow(run)


@keepwell.command()
@CONFIG
@click.argument("pseudonyms", nargs=-1, required=True)
@answers
def who(config_path: Path, pseudonyms: tuple[str, ...]) -> Answer:
    """Resolve PSEUDONYMS of a page to customer ids, inside the workspace."""
    from pipeline.pseudonyms import resolve

    run = _run(_config(config_path))
    found = resolve(run, pseudonyms)
    return {"customers": found, "text": "\n".join(f"{name}\t{found[name]}" for name in pseudonyms)}


@keepwell.command()
@click.option(
    "-c", "--config", "config_path", type=click.Path(path_type=Path), help="Configuration to look at too."
)
@answers
def doctor(config_path: Path | None) -> Answer:
    """Check the installation, and with a configuration the workspace and its sources."""
    from pipeline.doctor import examine

    return examine(_run(_config(config_path)) if config_path else None)


@keepwell.group()
def config() -> None:
    """Look at a configuration."""


@config.command("show")
@CONFIG
@answers
def show(config_path: Path) -> Answer:
    """Print the configuration with defaults, variables and overrides filled in."""
    import yaml

    settings = _config(config_path).model_dump(mode="json")
    return {**settings, "text": yaml.safe_dump(settings, sort_keys=False, allow_unicode=True).rstrip()}
