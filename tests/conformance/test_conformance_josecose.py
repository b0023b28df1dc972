"""Does the JOSE/COSE suite's command line secure documents of every kind in every way, and verify nothing else?"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ssi import vcdm
from ssi.encoding import b64url
from ssi.keys import SoftwareSigner
from tests.conformance.town import EXAMPLES, V2
from verifier.cli import main as verifier
from wallet.issuer.cli import main as issuer

ISSUER = "https://example.issuer/vc-jose-cose"
ALGORITHMS = ("ES256", "ES384", "ES512", "EdDSA")
WAYS = {"jose": "application/vc+jwt", "sdjwt": "application/vc+sd-jwt", "cose": "application/vc+cose"}
CREDENTIAL = {
    "@context": [V2, EXAMPLES],
    "type": ["VerifiableCredential"],
    "issuer": ISSUER,
    "validFrom": "2024-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:alice", "phones": [{"number": "1"}, {"number": "2"}], "name": "Alice"},
}


def key_file(folder: Path, alg: str, *, controller: str = ISSUER) -> Path:
    signer = SoftwareSigner.generate(alg)
    native: Any = signer.native
    if alg == "EdDSA":
        secret = native.private_bytes_raw()
    else:
        secret = native.private_numbers().private_value.to_bytes(signer.public.algorithm.size // 2, "big")
    public = {**signer.public.jwk, "kid": f"key-{alg}"}
    method = {"id": f"{controller}#key-{alg}", "type": "JsonWebKey", "controller": controller, "publicKeyJwk": public}
    path = folder / f"vm-{alg}-{controller.rpartition('/')[2]}.json"
    path.write_text(json.dumps({**method, "secretKeyJwk": {**public, "d": b64url(secret)}}))
    return path


def run(command: Any, verb: str, folder: Path, **options: Any) -> tuple[int, dict[str, str]]:
    output = folder / "output.json"
    output.unlink(missing_ok=True)
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    ended = CliRunner().invoke(command, ["jose-cose", verb, *words, "--output", str(output)])
    return ended.exit_code, json.loads(output.read_text()) if output.exists() else {"result": ended.output}


def issue(folder: Path, document: Any, key: Path, feature: str, **more: Any) -> dict[str, str]:
    source = folder / "document.json"
    source.write_text(document if isinstance(document, str) else json.dumps(document))
    code, answer = run(issuer, "issue", folder, input=source, key=key, feature=feature, **more)
    assert (code == 0) == (answer["result"] == "success")
    return answer


def verify(folder: Path, token: str, key: Path, feature: str, **more: Any) -> str:
    source = folder / "token.txt"
    source.write_text(token)
    code, answer = run(verifier, "verify", folder, input=source, key=key, feature=feature, **more)
    assert (code == 0) == (answer["result"] == "success")
    return answer["result"]


def presented(way: str, token: str) -> dict[str, Any]:
    data = base64.b64decode(token) if way == "cose" else token.encode()
    return {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": ISSUER,
        "verifiableCredential": [vcdm.envelop(data, WAYS[way])],
    }


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_what_is_secured_verifies_and_a_change_does_not(tmp_path: Path, way: str, alg: str) -> None:
    key = key_file(tmp_path, alg)
    made = issue(tmp_path, CREDENTIAL, key, f"credential_{way}")
    assert made["result"] == "success", made
    assert verify(tmp_path, made["data"], key, f"credential_{way}") == "success"
    half = len(made["data"]) // 2
    changed = made["data"][:half] + ("B" if made["data"][half] == "A" else "A") + made["data"][half + 1 :]
    assert verify(tmp_path, changed, key, f"credential_{way}") == "failure"
    shown = issue(tmp_path, presented(way, made["data"]), key, f"presentation_{way}")
    assert verify(tmp_path, shown["data"], key, f"presentation_{way}") == "success"
    hurt = issue(tmp_path, presented(way, changed), key, f"presentation_{way}")
    assert hurt["result"] == "failure" or verify(tmp_path, hurt["data"], key, f"presentation_{way}") == "failure"


def test_a_presentation_is_no_credential_and_a_credential_no_presentation(tmp_path: Path) -> None:
    key = key_file(tmp_path, "ES256")
    made = issue(tmp_path, CREDENTIAL, key, "credential_jose")["data"]
    assert verify(tmp_path, made, key, "presentation_jose") == "failure"
    assert verify(tmp_path, made, key, "credential_sdjwt") == "failure"
    assert verify(tmp_path, json.dumps(CREDENTIAL), key, "credential_jose") == "failure"
    assert verify(tmp_path, "not base64!", key, "credential_cose") == "failure"


def test_the_key_must_be_the_issuers(tmp_path: Path) -> None:
    key, other = key_file(tmp_path, "ES256"), key_file(tmp_path, "ES256", controller="https://example.issuer/other")
    made = issue(tmp_path, CREDENTIAL, key, "credential_jose")["data"]
    assert verify(tmp_path, made, other, "credential_jose") == "failure"
    assert verify(tmp_path, made, other, "credential_jose", trusted=key) == "failure"
    shown = issue(tmp_path, presented("jose", made), other, "presentation_jose")["data"]
    assert verify(tmp_path, shown, other, "presentation_jose") == "failure"
    assert verify(tmp_path, shown, other, "presentation_jose", trusted=key) == "success"
    assert verify(tmp_path, shown, key, "presentation_jose", trusted=other) == "failure"


def test_an_envelope_without_a_token_is_no_credential_to_judge(tmp_path: Path) -> None:
    key = key_file(tmp_path, "ES256")
    shown = issue(tmp_path, presented("jose", "eyJhbGciOiJFUzI1NiJ9...."), key, "presentation_jose")["data"]
    assert verify(tmp_path, shown, key, "presentation_jose") == "success"
    strange = {**presented("jose", "x"), "verifiableCredential": [vcdm.envelop(b"x", "text/plain")]}
    shown = issue(tmp_path, strange, key, "presentation_jose")["data"]
    assert verify(tmp_path, shown, key, "presentation_jose") == "failure"


def test_a_document_is_judged_at_the_moment_that_is_told(tmp_path: Path) -> None:
    key = key_file(tmp_path, "ES256")
    ended = {**CREDENTIAL, "validUntil": "2025-01-01T00:00:00Z"}
    made = issue(tmp_path, ended, key, "credential_jose")["data"]
    assert verify(tmp_path, made, key, "credential_jose") == "failure"
    assert verify(tmp_path, made, key, "credential_jose", at="2024-12-16T02:00:00Z") == "success"
    assert verify(tmp_path, made, key, "credential_jose", at="2024-12-16T02:00:00") == "success"


def test_chosen_claims_can_be_hidden(tmp_path: Path) -> None:
    key = key_file(tmp_path, "ES384")
    paths = '["credentialSubject.name", "credentialSubject.phones[0]"]'
    made = issue(tmp_path, CREDENTIAL, key, "credential_sdjwt", sd=paths)["data"]
    assert made.count("~") == 3
    assert verify(tmp_path, made, key, "credential_sdjwt") == "success"
    assert verify(tmp_path, made[: made.index("~") + 1], key, "credential_sdjwt") == "success"


@pytest.mark.parametrize("paths", ["{", "{}", "[4]", '[""]', '["a..b"]', '["a[x]"]', '["nothing.here"]'])
def test_paths_must_be_paths_to_something(tmp_path: Path, paths: str) -> None:
    assert issue(tmp_path, CREDENTIAL, key_file(tmp_path, "ES256"), "credential_sdjwt", sd=paths)["result"] == "failure"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("document", [{**CREDENTIAL, "badExtension": {"huh": 1}}, {}, "[]", "{", {"type": "x"}])
def test_what_is_no_credential_is_not_secured(tmp_path: Path, way: str, document: Any) -> None:
    assert issue(tmp_path, document, key_file(tmp_path, "ES256"), f"credential_{way}")["result"] == "failure"


def test_key_files_must_hold_one_pair_of_keys(tmp_path: Path) -> None:
    good = json.loads(key_file(tmp_path, "ES256").read_text())
    other = json.loads(key_file(tmp_path, "ES256").read_text())
    halves = {**good["secretKeyJwk"], "d": other["secretKeyJwk"]["d"]}
    for wrong in ({}, {**good, "secretKeyJwk": None}, {**good, "secretKeyJwk": halves}, {**good, "secretKeyJwk": {}}):
        path = tmp_path / "wrong.json"
        path.write_text(json.dumps(wrong))
        (tmp_path / "document.json").write_text(json.dumps(CREDENTIAL))
        code, _ = run(issuer, "issue", tmp_path, input=tmp_path / "document.json", key=path, feature="credential_jose")
        assert code == 1


def test_wrong_usage_is_told_apart(tmp_path: Path) -> None:
    key = key_file(tmp_path, "ES256")
    assert issue(tmp_path, CREDENTIAL, key, "credential_pgp")["result"] == "failure"
    assert verify(tmp_path, "a.b.c", key, "credential_pgp") == "failure"
    (tmp_path / "token.txt").write_text("a.b.c")
    code, _ = run(
        verifier, "verify", tmp_path, input=tmp_path / "token.txt", key=key, feature="credential_jose", at="noon"
    )
    assert code == 2
