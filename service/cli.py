"""The command line's manners: data on stdout, logs on stderr, `-` for stdin, exit codes that scripts can branch on.

0 valid, 1 invalid, 2 wrong usage, 3 could not be decided (network, status unknown). No secret is ever an argument:
commands read secrets from a file or from stdin.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import urlsplit

import click

from service import logs, settings, store
from service.settings import COMMON, Option
from ssi.encoding import Json, write_json
from ssi.errors import Malformed, SsiError, Unavailable

Command = TypeVar("Command", bound=Callable[..., Any])
MAX_INPUT: Final = 8 * 1024 * 1024


_WRONG_USAGE: Final = (
    "settings.",
    "cli.",
    "cookie.key",
    "store.url",
    "ledger.declaration",
    "ledger.chain",
    "ledger.wrong_chain",
    "ledger.no_contract",
    "ledger.other_contract",
    "ledger.no_anchor",
)
"""Codes (or how they begin) of what is wrong with the command, its settings or the files that they name."""


class Exit(IntEnum):
    """How a command ended."""

    VALID = 0
    INVALID = 1
    USAGE = 2
    UNDECIDED = 3


def exit_code(error: SsiError) -> Exit:
    """The exit code that an error stands for.

    >>> exit_code(Unavailable("fetch.timeout", "No answer.")).name
    'UNDECIDED'
    """
    if error.code.startswith(_WRONG_USAGE):
        return Exit.USAGE
    return Exit.UNDECIDED if isinstance(error, Unavailable) else Exit.INVALID


class Group(click.Group):
    """A noun of verbs: reports `SsiError` as one sentence on stderr (or JSON with `--json`) and a right exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; no traceback reaches a person for what came from outside."""
        try:
            return super().invoke(ctx)
        except SsiError as error:
            fail(error)


def group(role: str) -> Callable[[Callable[[], None]], Group]:
    """Decorate a role's `main`: a command group that logs to stderr and takes `--version`."""

    def make(function: Callable[[], None]) -> Group:
        def main() -> None:
            logs.to_stderr(logs.level_of(os.environ))

        made = click.group(f"facet-{role}", cls=Group, help=function.__doc__)(main)
        return click.version_option(package_name="facet-ssi", prog_name=f"facet-{role}")(made)

    return make


def fail(error: SsiError) -> NoReturn:
    """Say what went wrong on stderr, and leave with its exit code."""
    click.echo(f"{error.detail} [{error.code}]", err=True)
    raise SystemExit(int(exit_code(error)))


json_option = click.option("--json", "as_json", is_flag=True, help="Write the data as JSON.")
"""`--json`, handed to the command as `as_json`."""


def emit(
    data: Mapping[str, Json], *, as_json: bool, lines: Callable[[Mapping[str, Json]], list[str]] | None = None
) -> None:
    """Write a command's data to stdout: JSON, or `lines(data)`, or else `name: value` lines."""
    if as_json:
        click.echo(write_json(data).decode())
        return
    for line in lines(data) if lines else [f"{name}: {_plain(value)}" for name, value in data.items()]:
        click.echo(line)


def _plain(value: Json) -> str:
    return value if isinstance(value, str) else write_json(value).decode()


def read_input(path_or_dash: str) -> bytes:
    """The bytes of a file, or of stdin for `-`. A missing or oversized input is wrong usage."""
    try:
        if path_or_dash == "-":
            data = sys.stdin.buffer.read(MAX_INPUT + 1)
        else:
            with Path(path_or_dash).open("rb") as file:
                data = file.read(MAX_INPUT + 1)
    except OSError:
        raise click.UsageError(f"{path_or_dash} cannot be read.") from None
    if len(data) > MAX_INPUT:
        raise click.UsageError(f"The input is larger than {MAX_INPUT} bytes.")
    return data


def settings_options(role: str, options: tuple[Option, ...] = ()) -> Callable[[Command], Command]:
    """Add the common options and a role's own to a command; it receives them with `**flags` (see `overlay`)."""

    def add(command: Command) -> Command:
        for option in reversed(COMMON + options):
            command = _click_option(role, option)(command)
        return command

    return add


def _click_option(role: str, option: Option) -> Callable[[Command], Command]:
    name, variable = f"--{option.name}", option.variable(role)
    default = f" Default: {option.default}." if option.default else ""
    text = f"{option.help}{default} [{variable}]"
    if option.flag:
        return click.option(name, is_flag=True, default=None, help=text)
    return click.option(name, metavar="TEXT", default=None, help=text)


def overlay(
    role: str, flags: Mapping[str, Any], options: tuple[Option, ...] = (), *, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment with the given flags laid over it: what `settings.read` and role settings read.

    Raises Malformed (`settings.database_url`) for a password among the flags.
    """
    values = dict(os.environ if environ is None else environ)
    for option in COMMON + options:
        given = flags.get(option.name.replace("-", "_"))
        if option.name == "database-url" and given is not None and _has_password(given):
            detail = f"A password on the command line is seen by others: give the URL in {option.variable(role)}."
            raise Malformed("settings.database_url", detail)
        if given is not None:
            values[option.variable(role)] = str(given).lower() if option.flag else str(given)
    return values


def _has_password(url: str) -> bool:
    try:
        return urlsplit(url).password is not None
    except ValueError:
        return False  # no URL at all, which the store will say


def _reach(database_url: str) -> None:
    """Ask the store once, before any worker needs it. Raises Malformed (`store.url`), Unavailable."""
    opened = store.engine(database_url)
    try:
        store.ping(opened)
    finally:
        opened.dispose()


def serve_command(
    role: str, *, factory: str, check: Callable[[Mapping[str, str]], object], options: tuple[Option, ...] = ()
) -> click.Command:
    """The role's `serve` command. `check` reads all settings of the role, so that mistakes end here, with exit code 2.

    `factory` is `"package.module:name"` of a function that takes nothing, reads the environment and makes the WSGI
    application; each worker process calls it.
    """

    @settings_options(role, options)
    def serve(**flags: Any) -> None:
        from service import serve as server  # noqa: PLC0415  (loaded only by `serve`: the other commands start without a server)

        values = overlay(role, flags, options)
        check(values)
        _reach(settings.read(role, values).database_url)
        os.environ.update(values)  # the one way in which settings reach the worker processes
        raise SystemExit(server.run(factory, settings.read(role, values)))

    return click.command("serve", help=f"Run the {role} service until SIGTERM.")(serve)
