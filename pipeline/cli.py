"""The command line. The only module that reads the clock and the environment; heavy imports wait inside commands."""

import errno
import json
import os
import sys
import time
from collections.abc import Callable, Sequence

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
    """Run the command line and leave with its exit code."""
    _keep_output_for_answers()
    sys.exit(run(sys.argv[1:]))


def run(words: Sequence[str]) -> int:
    """Run one command; every expected failure is one line.

    Args:
        words: the command line after the program's name.

    Returns:
        The exit code.
    """
    as_json = "--json" in words
    try:
        return _run(words, as_json)
    except Exception as error:  # a mistake of ours: the traceback says where
        if as_json:
            _tell_machines(f"{type(error).__name__}: {error}", 1)
        raise


def _run(words: Sequence[str], as_json: bool) -> int:
    try:
        code: int = keepwell(args=[*words], standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        if as_json:
            _tell_machines(error.format_message(), 2)
        return 2
    except click.Abort:
        return 130
    except KeepwellError as error:
        return _failed(str(error), error.exit_code, as_json)
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        return _failed(
            f"{error.filename or 'disk'}: {error.strerror}. Free space or grant access, then run again.",
            7,
            as_json,
        )
    return code


def _keep_output_for_answers() -> None:
    """Send what libraries print past Python to standard error: HiGHS remarks on its work in the middle of an answer."""
    if sys.stdout is None or sys.stderr is None:  # a job started without them
        return
    sys.stdout.flush()
    answers, kind = os.dup(1), sys.stdout.encoding
    os.dup2(2, 1)
    sys.stdout = os.fdopen(answers, "w", encoding=kind, buffering=1)


def _failed(message: str, code: int, as_json: bool) -> int:
    click.echo(message, err=True)
    if as_json:
        _tell_machines(message, code)
    return code


def _tell_machines(message: str, code: int) -> None:
    click.echo(json.dumps({"error": message, "exit_code": code}))


def _progress() -> Callable[[str], None]:
    """Show the step under way: one line a step, coloured on a terminal and plain in a log."""
    started = time.monotonic()
    if not sys.stderr.isatty():
        return lambda step: click.echo(f"[{time.monotonic() - started:6.1f} s] {step}", err=True)
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    return lambda step: console.print(f"{time.monotonic() - started:6.1f} s  {step}", markup=False)
