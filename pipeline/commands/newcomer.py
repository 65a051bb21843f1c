"""Commands of the first day: a configuration from a file, two examples, and checks of the installation."""

from pathlib import Path

import click

from pipeline.desk import Desk
from pipeline.options import CONFIG, Answer, answers, shipped_config
from tables.errors import ConfigError


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--workspace", type=click.Path(path_type=Path), help="Where everything is kept.")
@click.option("--out", type=click.Path(path_type=Path), help="Configuration to write.")
@click.option("--yes", is_flag=True, help="Accept the guesses without asking.")
@answers
@click.pass_obj
def init(desk: Desk, file: Path, workspace: Path | None, out: Path | None, yes: bool) -> Answer:
    """Read an order FILE, guess its columns, and write a commented configuration that runs."""
    from pipeline.init import catalogue_beside, guess, render
    from tables.storage import write_text

    guesses = guess(file)
    click.echo(guesses.describe(), err=True)
    target = out or Path(f"{file.stem}.yaml")
    if target.exists():
        raise ConfigError(f"{target}: the file exists already. Name another with --out.")
    if not yes:
        click.confirm("Write the configuration with these guesses?", abort=True, default=True, err=True)
    catalogue = catalogue_beside(target)
    text = render(guesses, workspace=workspace or Path("workspaces") / file.stem, catalogue=catalogue)
    write_text(text, target)
    return {
        "config": str(target),
        "columns": guesses.columns,
        "text": f"{target} written. Next: keepwell retrain -c {target}",
    }


@click.command()
@shipped_config("demo.yaml", "Configuration with a demo section.")
@click.option(
    "--nights",
    type=click.IntRange(min=2),
    default=2,
    show_default=True,
    help="Nights to publish in all; some weeks show what was measured beside the truth.",
)
@answers
@click.pass_obj
def demo(desk: Desk, config_path: Path, nights: int) -> Answer:
    """Simulate a shop, train, publish a night, let a day pass, publish the next, and name the page."""
    from pipeline.demo import demo as flow

    with desk.run(config_path).locked("keepwell demo") as run:
        return flow(run, nights=nights)


@click.command()
@shipped_config("complete_journey.yaml", "Configuration that reads the example's tables.")
@answers
@click.pass_obj
def example(desk: Desk, config_path: Path) -> Answer:
    """Train and publish a night on a year of real grocery data that a package ships, and name the page."""
    from pipeline.example import data_folder
    from pipeline.example import example as flow

    data = data_folder(desk.config(config_path).workspace)
    with desk.run(config_path, KEEPWELL_DATA=str(data)).locked("keepwell example") as run:
        return flow(run)


@click.command()
@click.option(
    "-c", "--config", "config_path", type=click.Path(path_type=Path), help="Configuration to look at too."
)
@answers
@click.pass_obj
def doctor(desk: Desk, config_path: Path | None) -> Answer:
    """Check the installation, and with a configuration the workspace and its sources."""
    from pipeline.doctor import examine

    return examine(desk.run(config_path) if config_path else None)


@click.group()
def config() -> None:
    """Look at a configuration."""


@config.command("show")
@CONFIG
@answers
@click.pass_obj
def show(desk: Desk, config_path: Path) -> Answer:
    """Print the configuration with defaults, variables and overrides filled in."""
    import yaml

    settings = desk.config(config_path).model_dump(mode="json")
    return {**settings, "text": yaml.safe_dump(settings, sort_keys=False, allow_unicode=True).rstrip()}


@config.command("columns")
@answers
@click.pass_obj
def columns(_: Desk) -> Answer:
    """Print every column a source may deliver: what it holds, whether it is required, what it says."""
    from pipeline.columns import told

    return told()


COMMANDS = (init, demo, example, doctor, config)
