"""What the commands share: how dates and names are read, common options, how an answer is printed."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from functools import wraps
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import Any

import click

Answer = Mapping[str, Any]


class Day(click.ParamType[date]):
    """A date written as 2026-11-21."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read a date, or fail in words."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no date; write it as 2026-11-21.", param, ctx)


class Names(click.ParamType[tuple[str, ...]]):
    """Names between commas."""

    name = "names"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Take the names apart."""
        return tuple(name.strip() for name in value.split(","))


class Lengths(click.ParamType[tuple[int, ...]]):
    """Numbers of days between commas."""

    name = "days"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Take the numbers apart, or fail in words."""
        if not all(length.strip().isdecimal() and int(length) for length in value.split(",")):
            self.fail(f"{value!r} are no whole days from 1 on; write them as 30,60,90.", param, ctx)
        return tuple(int(length) for length in value.split(","))


class Numbered(click.ParamType[tuple[str, tuple[float, ...]]]):
    """A name and its numbers, written as name=60 or name=0.08,0.03."""

    name = "name=number"

    def __init__(self, most: int) -> None:
        self.most = most

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[float, ...]]:
        """Take name and numbers apart, or fail in words."""
        if isinstance(value, tuple):
            return value
        name, _, numbers = value.partition("=")
        try:
            told = tuple(float(number) for number in numbers.split(","))
        except ValueError:
            told = ()
        if not name.strip() or not 0 < len(told) <= self.most or not all(map(isfinite, told)):
            form = "name=0.08,0.03" if self.most > 1 else "name=60"
            self.fail(f"{value!r} is no name with a number; write it as {form}.", param, ctx)
        return name.strip(), told


def listed(
    name: str, type_: click.ParamType[tuple[Any, ...]], **told: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return an option of values between commas, which may also be given several times: all of them count."""

    def together(
        _: click.Context, __: click.Parameter, lists: tuple[tuple[Any, ...], ...]
    ) -> tuple[Any, ...]:
        return tuple(chain.from_iterable(lists))

    return click.option(name, type=type_, multiple=True, callback=together, **told)


def numbered(
    name: str, *, most: int = 1, metavar: str, help: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return an option of names with numbers that may be given several times."""
    told = f"{help}; may be repeated."
    return click.option(name, type=Numbered(most), multiple=True, metavar=metavar, help=told)


CONFIG = click.option(
    "-c",
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    required=True,
    help="Configuration file.",
)


def shipped_config(name: str, words: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option ``--config`` with one of the shipped configurations as its default."""
    return click.option(
        "-c",
        "--config",
        "config_path",
        type=click.Path(path_type=Path),
        default=Path("configs") / name,
        show_default=True,
        help=words,
    )


AS_OF = click.option("--as-of", type=Day(), help="Day at whose first midnight we stand; today if not given.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")


def answers(command: Callable[..., Answer]) -> Callable[..., None]:
    """Print what a command returns: its ``text`` for people, everything else for machines."""

    @_JSON
    @wraps(command)
    def printing(*, as_json: bool, **options: Any) -> None:
        answer = dict(command(**options))
        text = answer.pop("text")
        click.echo(json.dumps(answer, indent=2, default=str) if as_json else text)
        if answer.get("well") is False:
            raise click.exceptions.Exit(2)

    return printing
