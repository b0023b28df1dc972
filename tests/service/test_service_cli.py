"""Do commands keep the manners that scripts rely on: streams, exit codes, no secret among arguments?"""

from __future__ import annotations

import json
import logging
import os
from functools import partial
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from service import cli, logs, settings
from service.settings import COMMON, Option
from ssi.errors import Malformed, Refused, Unavailable

ERRORS = {
    "invalid": Refused("toy.refused", "Not right."),
    "usage": Malformed("settings.port", "Wrong port."),
    "undecided": Unavailable("fetch.timeout", "No answer."),
}


@cli.group("verifier")
def main() -> None:
    """A toy."""


@main.command()
@click.argument("kind")
def fail(kind: str) -> None:
    raise ERRORS[kind]


@main.command()
@click.argument("path")
@cli.json_option
def show(path: str, as_json: bool) -> None:
    cli.emit({"size": len(cli.read_input(path)), "name": "x"}, as_json=as_json)


main.add_command(cli.serve_command("verifier", factory="nowhere:wsgi", check=partial(settings.read, "verifier")))


@pytest.mark.parametrize(("kind", "code"), [("invalid", 1), ("usage", 2), ("undecided", 3)])
def test_errors_are_one_sentence_on_stderr_and_an_exit_code(kind: str, code: int) -> None:
    result = CliRunner().invoke(main, ["fail", kind])
    assert result.exit_code == code
    assert result.stdout == ""
    assert ERRORS[kind].detail in result.stderr
    assert "Traceback" not in result.stderr


def test_wrong_usage_is_two() -> None:
    assert CliRunner().invoke(main, ["nonsense"]).exit_code == 2
    assert CliRunner().invoke(main, ["show", "/no/such/file"]).exit_code == 2


def test_data_goes_to_stdout_as_lines_or_json(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert CliRunner().invoke(main, ["show", str(tmp_path / "file")]).stdout == "size: 3\nname: x\n"
    result = CliRunner().invoke(main, ["show", "-", "--json"], input=b"12345")
    assert json.loads(result.stdout) == {"size": 5, "name": "x"}


def test_too_much_input_is_refused() -> None:
    assert CliRunner().invoke(main, ["show", "-"], input=b"x" * (cli.MAX_INPUT + 1)).exit_code == 2


def test_emit_takes_lines_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    cli.emit({"a": 1}, as_json=False, lines=lambda data: [f"a is {data['a']}"])
    assert capsys.readouterr().out == "a is 1\n"


def test_flags_lie_over_the_environment_and_stay_out_of_it() -> None:
    values = cli.overlay(
        "verifier",
        {"port": "1234", "plain_http": True, "host": None},
        environ={"FACET_VERIFIER_PORT": "1", "FACET_VERIFIER_HOST": "::1"},
    )
    assert values == {
        "FACET_VERIFIER_PORT": "1234",
        "FACET_VERIFIER_PLAIN_HTTP": "true",
        "FACET_VERIFIER_HOST": "::1",
    }


def test_a_role_adds_options_of_its_own() -> None:
    extra = (Option("desk-token-file", "Where the token is."),)

    @click.command()
    @cli.settings_options("issuer", extra)
    def command(**flags: object) -> None:
        click.echo(cli.overlay("issuer", flags, extra, environ={})["FACET_ISSUER_DESK_TOKEN_FILE"])

    assert CliRunner().invoke(command, ["--desk-token-file", "x"]).stdout == "x\n"


def test_every_setting_of_a_service_is_a_flag_with_its_variable() -> None:
    text = " ".join(CliRunner().invoke(main, ["serve", "--help"]).stdout.split())
    for option in COMMON:
        assert f"--{option.name} " in text
        assert f"[{option.variable('verifier')}]" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "x"],
        ["--plain-http", "--host", "0.0.0.0"],
        ["--data", "/no/such/folder"],
        ["--database-url", "postgresql://facet:secret@db/facet"],
        ["--nonsense"],
    ],
)
def test_serve_refuses_bad_settings_before_it_starts(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("FACET_VERIFIER_")]:
        monkeypatch.delenv(name)
    result = CliRunner().invoke(main, ["serve", *arguments])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr
    assert "secret" not in result.stderr


def test_logs_are_json_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    try:
        logs.to_stderr("INFO")
        logging.getLogger("facet.test").info("hello %s", "you", extra={"code": "x.y"})
        logging.getLogger("facet.test").error("bug", exc_info=ValueError("broken"))
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
    captured = capsys.readouterr()
    assert captured.out == ""
    first, second = (json.loads(line) for line in captured.err.splitlines())
    assert (first["level"], first["message"], first["code"]) == ("info", "hello you", "x.y")
    assert "ValueError: broken" in second["traceback"]


@pytest.mark.parametrize("url", ["sqlite", "nonsense://x", "http://[bad", "sqlite:////proc/nope/x.db"])
def test_a_database_that_cannot_be_opened_ends_the_start_with_2(url: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["serve", "--data", str(tmp_path), "--database-url", url])
    assert result.exit_code == 2, result.output
    assert "--database-url" in result.stderr
    assert "Traceback" not in result.stderr
