"""The command line. The only module that reads the clock and the environment; heavy imports wait inside commands."""

import errno
import json
import os
import sys
import time
from collections.abc import Callable

import click

from pipeline.commands import analyst, newcomer, operator
from pipeline.desk import Desk
from tables.errors import KeepwellError

_REFUSALS = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EFBIG}


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="keepwell")
@click.pass_context
def keepwell(context: click.Context) -> None:
    """Who is about to leave, what to do about each of them tonight, and whether it worked."""
    context.obj = Desk(os.environ, now=int(time.time() * 1_000_000), progress=_progress())


for _room in (newcomer, operator, analyst):
    for _command in _room.COMMANDS:
        keepwell.add_command(_command)


def main() -> None:
    """Run the command line; every expected failure is one line and its exit code."""
    as_json = "--json" in sys.argv
    _keep_output_for_answers()
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


def _keep_output_for_answers() -> None:
    """Send what libraries print past Python to standard error: HiGHS remarks on its work in the middle of an answer."""
    if sys.stdout is None or sys.stderr is None:  # a job started without them
        return
    sys.stdout.flush()
    answers, kind = os.dup(1), sys.stdout.encoding
    os.dup2(2, 1)
    sys.stdout = os.fdopen(answers, "w", encoding=kind, buffering=1)


def _fail(message: str, code: int, as_json: bool) -> None:
    click.echo(message, err=True)
    if as_json:
        click.echo(json.dumps({"error": message, "exit_code": code}))
    sys.exit(code)


def _progress() -> Callable[[str], None]:
    """Show the step under way: one line a step, coloured on a terminal and plain in a log."""
    started = time.monotonic()
    if not sys.stderr.isatty():
        return lambda step: click.echo(f"[{time.monotonic() - started:6.1f} s] {step}", err=True)
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    return lambda step: console.print(f"{time.monotonic() - started:6.1f} s  {step}", markup=False)
