"""Project Wycheproof: known attacks on signatures and on JOSE, each answered as its vectors say.

The vectors stay outside the repository; without them this file is skipped in one line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ssi.errors import SsiError
from ssi.jose import jws
from ssi.jose.jwe import ENC_VALUES, DecryptionKey, decrypt
from ssi.keys import ALGORITHMS, PublicKey
from ssi.legacy import secp256k1

FOLDER = Path(os.environ.get("FACET_VECTORS", Path(__file__).parents[3] / "shared" / "vectors")) / "wycheproof"

if not FOLDER.is_dir():
    pytest.skip("Wycheproof vectors are not here: 7 tests over 7 files left out", allow_module_level=True)


def groups(name: str) -> list[dict[str, Any]]:
    read = json.loads((FOLDER / f"{name}.json").read_bytes())["testGroups"]
    assert isinstance(read, list)
    return read


def public(jwk: Mapping[str, Any]) -> PublicKey:
    return PublicKey.from_jwk({name: value for name, value in jwk.items() if name not in ("d", "kid")})


SIGNATURES: dict[str, Callable[[Any], PublicKey]] = {
    "ecdsa_secp256r1_sha256_p1363_test": PublicKey.from_native,
    "ecdsa_secp384r1_sha384_p1363_test": PublicKey.from_native,
    "ecdsa_secp521r1_sha512_p1363_test": PublicKey.from_native,
    "ecdsa_secp256k1_sha256_p1363_test": secp256k1.public,  # for DIDKit's credentials only
    "ed25519_test": PublicKey.from_native,
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures(name: str) -> None:
    wrong, seen = [], 0
    for group in groups(name):
        key = SIGNATURES[name](load_der_public_key(bytes.fromhex(group["publicKeyDer"])))
        assert (
            "publicKeyJwk" not in group
            or key.algorithm not in ALGORITHMS.values()
            or public(group["publicKeyJwk"]) == key
        )
        for test in group["tests"]:
            seen += 1
            if _verifies(key, test) is not (test["result"] == "valid"):
                wrong.append(test["tcId"])
    assert not wrong
    assert seen > 100


def _verifies(key: PublicKey, test: Mapping[str, str]) -> bool:
    try:
        key.verify(bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
    except SsiError:
        return False
    return True


def _opens(jwk: Mapping[str, Any], token: object) -> bool:
    """Whether the house takes this token under this key, in the one serialization that it reads."""
    text = token if isinstance(token, str) else json.dumps(token)
    try:
        jws.verify(jws.parse(text, typ=None), public(jwk))
    except SsiError:
        return False
    return True


def test_json_web_signatures() -> None:
    """Valid exactly where the vectors say so and the algorithm is one of the house's; all others are refused."""
    wrong, accepted = [], 0
    for group in groups("json_web_signature_test"):
        jwk = group.get("public") or group["private"]
        misnamed = jwk.get("alg") == "ES521"  # the vectors call two P-521 keys so; there is no such algorithm
        ours = not misnamed and jwk.get("crv") in {algorithm.crv for algorithm in ALGORITHMS.values()}
        for test in group["tests"]:
            expected = ours and test["result"] == "valid" and isinstance(test["jws"], str)
            accepted += expected
            if _opens(jwk, test["jws"]) is not expected:
                wrong.append(test["tcId"])
    assert not wrong
    assert accepted >= 2


def test_json_web_keys_that_must_not_be_used() -> None:
    for group in groups("json_web_key_test"):
        keys = (group.get("public") or group["private"])["keys"]
        if len(keys) == 1:  # choosing among several keys is not this module's task
            for test in group["tests"]:
                assert not _opens(keys[0], test["jws"]), (group["comment"], test["tcId"])


def test_json_web_encryption() -> None:
    """ECDH-ES with a house cipher opens to the right text; every other algorithm is refused."""
    opened = 0
    for group in groups("json_web_encryption_test"):
        jwk = group["private"]
        if jwk.get("crv") != "P-256":
            continue
        key = DecryptionKey.from_json(json.dumps({"kid": "any", **jwk}).encode())
        for test in group["tests"]:
            ours = jwk["alg"] == "ECDH-ES" and test.get("enc") in ENC_VALUES and test["result"] == "valid"
            if ours:
                assert decrypt(test["jwe"], keys=(key,)) == bytes.fromhex(test["pt"])
                opened += 1
                continue
            with pytest.raises(SsiError):
                decrypt(test["jwe"] if isinstance(test["jwe"], str) else json.dumps(test["jwe"]), keys=(key,))
    assert opened == 2
