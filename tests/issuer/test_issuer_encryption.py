"""Encrypted requests and responses at a desk that leaves it open, wants it, or does without."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from ssi.encoding import unb64url
from ssi.jose.jwe import DecryptionKey
from ssi.oid4vci import CredentialResponse, IssuerMetadata, RequestPolicy
from tests.issuer.world import BASE, World, error, payload

KEY = DecryptionKey.generate()
RESPONSE = {"jwk": KEY.public_jwk, "enc": "A128GCM"}


def desk(folder: Path, mode: str) -> World:
    return World(folder, options={"ENCRYPTION": mode})


def policy(world: World) -> RequestPolicy:
    found = IssuerMetadata.parse(world.get("/.well-known/openid-credential-issuer").data, issuer=BASE)
    assert found.request_encryption is not None
    return found.request_encryption


def body(world: World, **more: Any) -> dict[str, Any]:
    return {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [world.proof()]}, **more}


def sealed(world: World, access: str, members: dict[str, Any], path: str = "/credential") -> TestResponse:
    headers = {"Authorization": f"Bearer {access}", "Content-Type": "application/jwt"}
    return world.post(path, data=policy(world).seal(members), headers=headers)


def opened(world: World, answer: TestResponse, status: int = 200) -> CredentialResponse:
    assert (answer.status_code, answer.mimetype) == (status, "application/jwt"), answer.text
    asked = IssuerMetadata.parse(world.get("/.well-known/openid-credential-issuer").data, issuer=BASE)
    assert asked.response_encryption is not None
    encryption = asked.response_encryption.ask(KEY)
    assert encryption is not None
    return CredentialResponse.parse(encryption.open(answer.text, key=KEY))


@pytest.mark.parametrize("zipped", [{}, {"zip": "DEF"}])
@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
def test_both_ways_are_encrypted_when_the_wallet_asks(world: World, enc: str, zipped: dict[str, str]) -> None:
    access = world.granted()
    asked = {"jwk": KEY.public_jwk, "enc": enc, **zipped}
    answer = sealed(world, access, body(world, credential_response_encryption=asked))
    response = opened(world, answer)
    assert payload(response.credentials[0])["cnf"]["jwk"]["x"] == world.holder.public.jwk["x"]
    assert response.notification_id is not None
    assert answer.headers["Cache-Control"] == "no-store"
    header = json.loads(unb64url(answer.text.partition(".")[0]))
    assert (header["alg"], header["enc"], header["kid"]) == ("ECDH-ES", enc, KEY.kid)
    assert header.get("zip") == zipped.get("zip")


def test_an_encrypted_request_may_want_a_plain_response(world: World) -> None:
    answer = sealed(world, world.granted(), body(world))
    assert (answer.status_code, answer.mimetype) == (200, "application/json")


def test_whoever_wants_an_encrypted_response_encrypts_the_request(world: World) -> None:
    answer = world.credential(world.granted(), body(world, credential_response_encryption=RESPONSE))
    assert error(answer) == (400, "invalid_encryption_parameters")
    assert world.rows("credentials") == []


@pytest.mark.parametrize(
    "change",
    [
        {"enc": "A128CBC-HS256"},
        {"enc": "made-up"},
        {"zip": "GZIP"},
        {"jwk": {"kty": "RSA", "alg": "RSA-OAEP", "n": "AQAB", "e": "AQAB"}},
        {"jwk": {**KEY.public_jwk, "alg": "ECDH-ES+A256KW"}},
        {"jwk": {k: v for k, v in KEY.public_jwk.items() if k != "y"}},
    ],
)
def test_what_cannot_be_used_is_refused_in_clear_and_spends_nothing(world: World, change: dict[str, Any]) -> None:
    access, right = world.granted(), body(world)
    answer = sealed(world, access, {**right, "credential_response_encryption": {**RESPONSE, **change}})
    assert error(answer) == (400, "invalid_encryption_parameters")
    assert sealed(world, access, right).status_code == 200


def test_errors_are_never_encrypted(world: World) -> None:
    wrong = {**body(world, credential_response_encryption=RESPONSE), "credential_configuration_id": "Nope"}
    assert error(sealed(world, world.granted(), wrong)) == (400, "unknown_credential_configuration")


@pytest.mark.parametrize("token", ["", "x", "a.b.c.d.e", "ü"])
def test_what_cannot_be_opened_is_refused(world: World, token: str) -> None:
    headers = {"Authorization": f"Bearer {world.granted()}", "Content-Type": "application/jwt"}
    answer = world.post("/credential", data=token.encode(), headers=headers)
    assert error(answer) == (400, "invalid_encryption_parameters")


def test_a_request_for_another_key_is_refused(world: World) -> None:
    foreign = RequestPolicy((KEY.public_jwk,), ("A128GCM",)).seal(body(world))
    headers = {"Authorization": f"Bearer {world.granted()}", "Content-Type": "application/jwt"}
    assert error(world.post("/credential", data=foreign, headers=headers)) == (400, "invalid_encryption_parameters")


def test_a_few_bytes_do_not_become_many(world: World) -> None:
    access, right = world.granted(), body(world)
    bomb = sealed(world, access, {**right, "padding": "x" * 400_000})
    assert error(bomb) == (400, "invalid_encryption_parameters")
    assert sealed(world, access, {**right, "padding": "x" * 100_000}).status_code == 200


def test_a_desk_that_requires_it_takes_nothing_else(tmp_path: Path) -> None:
    world = desk(tmp_path, "required")
    metadata = world.get("/.well-known/openid-credential-issuer").json
    for name in ("credential_request_encryption", "credential_response_encryption"):
        assert metadata[name]["encryption_required"] is True
    access, right = world.granted(), body(world)
    assert error(world.credential(access, right)) == (400, "invalid_encryption_parameters")
    assert error(sealed(world, access, right)) == (400, "invalid_encryption_parameters")
    assert opened(world, sealed(world, access, {**right, "credential_response_encryption": RESPONSE})).credentials


def test_a_desk_that_does_without_says_so(tmp_path: Path) -> None:
    world = desk(tmp_path, "off")
    metadata = world.get("/.well-known/openid-credential-issuer").json
    assert not {"credential_request_encryption", "credential_response_encryption"} & set(metadata)
    access, right = world.granted(), body(world)
    headers = {"Authorization": f"Bearer {access}", "Content-Type": "application/jwt"}
    refused = world.post("/credential", data="a.b.c.d.e", headers=headers)
    assert error(refused) == (400, "invalid_encryption_parameters")
    asked = {**right, "credential_response_encryption": RESPONSE}
    assert error(world.credential(access, asked)) == (400, "invalid_encryption_parameters")
    assert world.credential(access, right).status_code == 200
    assert not (tmp_path / "issuer" / "encryption.jwk").exists()


def test_a_promise_and_what_comes_of_it_are_encrypted_as_each_request_asks(world: World) -> None:
    identifier = world.apply().json["id"]
    uri, tx_code = world.offer(identifier, held="yes")
    access = world.token(uri, tx_code).json["access_token"]
    first = opened(world, sealed(world, access, body(world, credential_response_encryption=RESPONSE)), 202)
    question = {"transaction_id": first.transaction_id}
    plain = sealed(world, access, question, "/deferred_credential")
    assert (plain.status_code, plain.mimetype) == (202, "application/json")
    world.desk("POST", f"/desk/applications/{identifier}/release")
    asked = {**question, "credential_response_encryption": {**RESPONSE, "enc": "A256GCM"}}
    assert opened(world, sealed(world, access, asked, "/deferred_credential")).credentials


def test_the_key_is_one_for_all_processes_and_stays_secret(world: World) -> None:
    first = policy(world).json
    world.app = world.start()  # type: ignore[misc]
    assert policy(world).json == first
    path = world.folder / "issuer" / "encryption.jwk"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_bytes())["d"] not in json.dumps(first)
    assert [each.name for each in path.parent.glob("encryption.jwk*")] == ["encryption.jwk"]
