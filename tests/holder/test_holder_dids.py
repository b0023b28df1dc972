"""`facet-wallet did`: what is made can be resolved, what is refused says why, and exit codes tell scripts apart."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ssi.dids import key, web
from ssi.keys import SoftwareSigner
from wallet.holder import didfolders
from wallet.holder.cli import main

DID = "did:key:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b"


def run(*arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(main, ["did", *arguments], input=given)


@pytest.mark.parametrize("method", ["key", "jwk", "peer"])
@pytest.mark.parametrize("alg", ["ES256", "EdDSA"])
def test_what_is_made_is_resolved_and_its_key_is_secret(method: str, alg: str, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    made = json.loads(run("create", method, str(folder), "--alg", alg, "--json").stdout)
    assert made["did"].startswith(f"did:{method}:")
    public = SoftwareSigner.from_pkcs8((folder / "key.pem").read_bytes()).public
    assert public.algorithm.name == alg
    assert stat.S_IMODE((folder / "key.pem").stat().st_mode) == 0o600
    assert b"PRIVATE" not in (folder / "did.json").read_bytes()
    shown = run("resolve", made["did"], "--json")
    assert shown.exit_code == 0
    assert json.loads(shown.stdout)["didDocument"] == json.loads((folder / "did.json").read_text())
    for command in (["rotate", str(folder)], ["deactivate", str(folder), "--yes"]):
        refused = run(*command)
        assert (refused.exit_code, "[did.fixed]" in refused.output) == (1, True)
    again = run("create", method, str(folder))
    assert (again.exit_code, "[did.folder]" in again.output) == (1, True)


@pytest.mark.parametrize("method", ["key", "web", "webvh"])
def test_others_can_change_nothing_whatever_the_umask(method: str, tmp_path: Path) -> None:
    folder, before = tmp_path / "mine", os.umask(0)
    try:
        where = () if method == "key" else ("--url", "https://example.test/ann")
        assert run("create", method, str(folder), *where).exit_code == 0
        if method != "key":
            assert run("rotate", str(folder), "--yes").exit_code == 0
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert {mode for name, mode in modes.items() if name.endswith(".pem")} == {0o600}
    assert [name for name, mode in modes.items() if mode & 0o022] == []


def test_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "web", tmp_path / "elsewhere"
    assert run("create", "web", str(folder), "--url", "https://example.test").exit_code == 0
    elsewhere.write_text("mine")
    (folder / ".did.json.new").symlink_to(elsewhere)
    assert run("rotate", str(folder), "--yes").exit_code == 0
    assert elsewhere.read_text() == "mine"
    assert not (folder / "did.json").is_symlink()


def test_a_folder_that_cannot_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    for folder in (tmp_path / "file" / "below", tmp_path / "nowhere", tmp_path / ("x" * 300)):
        result = run("create", "key", str(folder))
        assert (result.exit_code, "[did.folder]" in result.output) == (1, True)
    assert not (tmp_path / "missing").exists()


class Killed(BaseException):
    """The process is gone."""


def test_a_did_web_always_has_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "web"
    assert run("create", "web", str(folder), "--url", "https://example.test").exit_code == 0

    def dying(*_given: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(didfolders, "key_pem", dying)
        with pytest.raises(Killed):
            didfolders.rotate(folder, alg="ES256")
    assert (folder / "key.pem").exists()
    assert run("rotate", str(folder), "--yes").exit_code == 0


def test_a_peer_with_services(tmp_path: Path) -> None:
    service = tmp_path / "service.json"
    service.write_text('{"type": "DIDCommMessaging", "serviceEndpoint": "https://mediator.test/"}')
    made = json.loads(run("create", "peer", str(tmp_path / "p"), "--service", str(service), "--json").stdout)
    found = run("resolve", made["did"] + "?service=service")
    assert json.loads(found.stdout)["service"][0]["serviceEndpoint"] == "https://mediator.test/"
    service.write_text("[]")
    assert run("create", "peer", str(tmp_path / "q"), "--service", str(service)).exit_code == 1


def test_a_did_web_is_made_rotated_and_given_up(tmp_path: Path) -> None:
    folder = tmp_path / "web"
    assert run("create", "web", str(folder)).exit_code == 2  # where would it lie?
    assert run("create", "web", str(folder), "--url", "http://plain.test").exit_code == 1
    made = run("create", "web", str(folder), "--url", "https://example.test/people/ann")
    assert made.exit_code == 0
    assert "Publish did.json at https://example.test/people/ann/did.json." in made.stdout
    first = json.loads((folder / "did.json").read_text())
    old = SoftwareSigner.from_pkcs8((folder / "key.pem").read_bytes()).public
    assert run("rotate", str(folder), given="n\n").exit_code == 1
    rotated = run("rotate", str(folder), "--alg", "EdDSA", "--yes")
    assert (rotated.exit_code, "has no past" in rotated.stdout) == (0, True)
    new = SoftwareSigner.from_pkcs8((folder / "key.pem").read_bytes()).public
    document = json.loads((folder / "did.json").read_text())
    assert document == web.document(first["id"], {new.kid: new})
    assert SoftwareSigner.from_pkcs8((folder / f"key.{old.kid}.pem").read_bytes()).public == old
    assert (run("deactivate", str(folder), given="n\n").exit_code, (folder / "did.json").exists()) == (1, True)
    assert (run("deactivate", str(folder), given="y\n").exit_code, (folder / "did.json").exists()) == (0, False)
    assert run("rotate", str(folder)).exit_code == 1


def test_parts_of_documents_are_shown() -> None:
    assert json.loads(run("resolve", f"{DID}#{DID[8:]}").stdout)["publicKeyMultibase"] == DID[8:]
    assert run("resolve", DID + "#other").exit_code == 1
    assert run("resolve", DID + "?versionTime=2026-01-01T00:00:00Z").exit_code == 1
    assert run("resolve", DID + "#other", "--version-id", "1").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["resolve", DID], 0),
        (["resolve", "did:key:nonsense"], 1),
        (["resolve", "nonsense"], 1),
        (["resolve", "did:unheard:of"], 1),
        (["resolve", DID, "--version-id", "1"], 1),
        (["resolve", DID, "--version-id", "1", "--version-number", "1"], 2),
        (["resolve", DID, "--version-time", "yesterday"], 2),
        (["resolve", DID, "--version-number", "0"], 2),
        (["resolve", "did:web:localhost%3A1", "--allow-loopback"], 3),
        (["resolve", "did:web:localhost%3A1#key", "--allow-loopback"], 3),
        (["resolve", DID, "--ca-file", "/nowhere"], 2),
        (["history", DID], 0),
        (["history", "did:web:localhost%3A1", "--allow-loopback"], 3),
        (["history", "nonsense"], 1),
        (["create", "unheard", "x"], 2),
        (["rotate", "/nowhere"], 2),
    ],
)
def test_exit_codes(arguments: list[str], code: int) -> None:
    done = run(*arguments)
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output


def test_a_history_without_a_past_is_one_version() -> None:
    shown = run("history", DID)
    assert shown.stdout.splitlines()[0] == DID
    assert "created with 1 key" in shown.stdout
    data = json.loads(run("history", key.from_public(SoftwareSigner.generate("ES256").public), "--json").stdout)
    assert data["versions"] == [{"at": None, "version": None, "changes": ["created with 1 key"], "ledger": {}}]
