"""DIDs and their documents; did:key and did:jwk are compared with DIDKit's."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import dids
from ssi.dids import document, jwk, key, multikey, web
from ssi.encoding import b64url, write_json
from ssi.errors import Malformed, Refused, SsiError, Unavailable, Unsupported
from ssi.fetch import Response
from ssi.keys import PublicKey, SoftwareSigner
from tests.support import NOW, InMemoryFetch

NOWHERE = InMemoryFetch({})
VECTORS = Path(os.environ.get("FACET_VECTORS", Path(__file__).parents[3] / "shared/vectors")) / "did-key-vectors"
ALGORITHMS = ["ES256", "ES384", "EdDSA"]
X25519 = {"kty": "OKP", "crv": "X25519", "x": "9GXjPGGvmRq9F6Ng5dQQ_s31mfhxrcNZxRGONrmH30k"}
ED25519_DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
KEY = SoftwareSigner.generate("ES256").public


def resolve(did: str, fetch: InMemoryFetch = NOWHERE) -> dids.DidDocument:
    return dids.resolve(did, sources=dids.Sources(fetch), now=NOW).document


def signing_key(url: str, fetch: InMemoryFetch = NOWHERE, relationship: str = "assertionMethod") -> PublicKey:
    return dids.verification_key(url, relationship=relationship, sources=dids.Sources(fetch), now=NOW)


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("method", [key, jwk])
def test_a_key_is_found_again_in_its_did(alg: str, method: Any) -> None:
    for _ in range(8):  # both parities of a compressed point
        public = SoftwareSigner.generate(alg).public
        did, url = method.from_public(public), method.url(public)
        assert resolve(did).id == did
        assert signing_key(did) == signing_key(url) == public
        assert signing_key(url, relationship="authentication") == public
        with pytest.raises(Refused):
            signing_key(did + "#other")
    assert method.NAME in dids.methods()


# DIDKit 0.3.3 knows no P-384 did:key.
@pytest.mark.parametrize(("alg", "method"), [("ES256", key), ("EdDSA", key), *((alg, jwk) for alg in ALGORITHMS)])
def test_didkit_resolves_to_the_same_document(alg: str, method: Any) -> None:
    didkit = pytest.importorskip("didkit")
    atexit.register(time.sleep, 0.05)  # its threads must be at rest when the interpreter ends
    did = method.from_public(SoftwareSigner.generate(alg).public)

    async def ask() -> str:
        return str(await didkit.resolve_did(did, "{}"))

    theirs, ours = document.parse(json.loads(asyncio.run(ask())), did=did), resolve(did)
    assert [(each.id, each.controller, each.key) for each in theirs.methods.values()] == [
        (each.id, each.controller, each.key) for each in ours.methods.values()
    ]
    for relationship, ids in theirs.relationships.items():
        if ids:  # DIDKit leaves the capability relationships of a did:key out
            assert ours.relationships[relationship] == ids


def test_a_did_that_didkit_made_is_read() -> None:
    didkit = pytest.importorskip("didkit")
    made = didkit.generate_ed25519_key()
    public = PublicKey.from_jwk({name: value for name, value in json.loads(made).items() if name != "d"})
    assert didkit.key_to_did("key", made) == key.from_public(public)
    assert signing_key(didkit.key_to_did("jwk", made)) == public


def test_the_specifications_examples() -> None:
    if not VECTORS.is_dir():
        pytest.skip("1 vector file of did:key is not here")
    page = (VECTORS / "index.html").read_text()
    found = set(re.findall(r"did:key:z[a-km-zA-HJ-NP-Z1-9]{20,}", page))
    assert {did[8:12] for did in found} >= {"z6Mk", "zDna", "z82L", "zQ3s", "zUC7"}
    for did in found:
        assert signing_key(did)


def test_the_documented_example_document() -> None:
    found = resolve(ED25519_DID)
    method = f"{ED25519_DID}#{ED25519_DID[8:]}"
    assert found.json["verificationMethod"] == [
        {"id": method, "type": "Multikey", "controller": ED25519_DID, "publicKeyMultibase": ED25519_DID[8:]}
    ]
    for relationship in ("authentication", "assertionMethod", "capabilityDelegation", "capabilityInvocation"):
        assert found.relationships[relationship] == (method,)


def test_did_key_in_base64url_is_the_same_key() -> None:
    public = signing_key(ED25519_DID)
    assert signing_key("did:key:u" + b64url(b"\xed\x01" + public.x)) == public


@pytest.mark.parametrize(
    "name",
    [
        "",
        "z",
        "m6Mk",
        "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2do",  # one byte short
        "z6Mk0OIl",
        "z" + "1" * 600,
        "u" + b64url(b"\x80\x24\x02" + b"\xff" * 32),  # no such point
        "u" + b64url(b"\x80\x24\x04" + b"\x01" * 32),  # not compressed
        "z" + "6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK" * 2,
    ],
)
def test_broken_multikeys_are_refused(name: str) -> None:
    with pytest.raises((Malformed, Unsupported)):
        multikey.decode(name)
    with pytest.raises(SsiError):
        resolve("did:key:" + name)


def test_did_jwk_follows_the_use_of_its_key() -> None:
    def did(members: dict[str, str]) -> str:
        return "did:jwk:" + b64url(write_json({**KEY.jwk, **members}))

    assert signing_key(did({"use": "sig", "alg": "ES256", "kid": "mine"})) == KEY
    assert resolve(did({"use": "sig"})).relationships["keyAgreement"] == ()
    assert resolve(did({})).relationships["keyAgreement"] == (did({}) + "#0",)
    assert resolve(did({"use": "enc"})).relationships["assertionMethod"] == ()
    with pytest.raises(Refused):
        signing_key(did({"use": "enc"}))
    with pytest.raises(Malformed):
        resolve(did({"d": "c2VjcmV0"}))
    with pytest.raises(Unsupported):
        signing_key("did:jwk:" + b64url(write_json(X25519)))


@pytest.mark.parametrize(
    "did", ["did:jwk:", "did:jwk:!!", "did:jwk:" + b64url(b"[]"), "did:jwk:" + b64url(b'{"kty":"EC"')]
)
def test_broken_did_jwks_are_refused(did: str) -> None:
    with pytest.raises(SsiError):
        resolve(did)


@pytest.mark.parametrize(
    ("did", "url"),
    [
        ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
        ("did:web:w3c-ccg.github.io:user:alice", "https://w3c-ccg.github.io/user/alice/did.json"),
        ("did:web:example.com%3A3000", "https://example.com:3000/.well-known/did.json"),
        ("did:web:example.com%3A3000:user:alice", "https://example.com:3000/user/alice/did.json"),
        ("did:web:localhost%3a8441:tenant-1", "https://localhost:8441/tenant-1/did.json"),
        ("did:web:Example.COM:a%20b", None),
        ("did:web:example.com:caf%C3%A9", "https://example.com/caf%C3%A9/did.json"),
        ("did:web:", None),
        ("did:web:127.0.0.1", None),
        ("did:web:127.0.0.1%3A8441", None),
        ("did:web:example.com%3A", None),
        ("did:web:example.com%3A99999", None),
        ("did:web:example.com:3000", "https://example.com/3000/did.json"),
        ("did:web:user%40example.com", None),
        ("did:web:example.com%2Fetc", None),
        ("did:web:example..com", None),
        ("did:web:example.com::a", None),
        ("did:web:example.com:..:a", None),
        ("did:web:example.com:%2e%2E", None),
        ("did:web:example.com:a%2Fb", None),
        ("did:web:example.com:a%5Cb", None),
        ("did:web:example.com:a%3Fb", None),
        ("did:web:example.com:a%00", None),
        ("did:key:z6Mk", None),
    ],
)
def test_where_a_did_web_lies(did: str, url: str | None) -> None:
    if url is None:
        with pytest.raises(Malformed):
            web.location(did)
    else:
        assert web.location(did) == url


def test_a_did_web_of_a_service() -> None:
    assert web.from_url("https://localhost:8441/") == "did:web:localhost%3A8441"
    assert web.from_url("https://example.com/user/alice") == "did:web:example.com:user:alice"
    for bad in (
        "http://example.com",
        "https://example.com/?a",
        "https://example.com/#a",
        "https://127.0.0.1:8441",
        "x",
    ):
        with pytest.raises(Malformed):
            web.from_url(bad)


def world(body: object, status: int = 200) -> InMemoryFetch:
    url = "https://issuer.test/.well-known/did.json"
    return InMemoryFetch({url: Response(status, url, {}, json.dumps(body).encode())})


def test_did_web_is_fetched_and_must_be_about_itself() -> None:
    did = "did:web:issuer.test"
    published = web.document(did, {"a": KEY, "b": SoftwareSigner.generate("EdDSA").public})
    assert signing_key(did + "#a", world(published)) == KEY
    with pytest.raises(Refused) as caught:
        signing_key(did, world(published))
    assert caught.value.code == "did.which_key"
    with pytest.raises(Malformed) as malformed:
        resolve(did, world({**published, "id": "did:web:other.test"}))
    assert malformed.value.code == "did.id"
    with pytest.raises(Refused):
        resolve(did, world({}, 404))
    with pytest.raises(Unavailable):
        resolve(did, world({}, 503))
    with pytest.raises(Unavailable):
        resolve(did)
    with pytest.raises(Malformed):
        resolve(did, world([]))


DID = "did:web:issuer.test"


def method(name: str = "#a", **members: object) -> dict[str, object]:
    material = members or {"publicKeyJwk": dict(KEY.jwk)}
    return {"id": name, "type": "JsonWebKey", "controller": DID, **material}


def test_relative_urls_and_embedded_methods() -> None:
    found = document.parse(
        {"id": DID, "verificationMethod": [method()], "authentication": ["#a"], "assertionMethod": [method("#b")]},
        did=DID,
    )
    assert found.key(f"{DID}#a", relationship="authentication", now=NOW) == KEY
    assert found.key(f"{DID}#b", relationship="assertionMethod", now=NOW) == KEY
    for url, relationship in (
        (f"{DID}#a", "assertionMethod"),
        (f"{DID}#b", "authentication"),
        (f"{DID}#a", "nonsense"),
    ):
        with pytest.raises(Refused):
            found.key(url, relationship=relationship, now=NOW)


def test_a_relationship_that_names_another_documents_key_leads_nowhere() -> None:
    found = document.parse({"id": DID, "assertionMethod": [ED25519_DID + "#" + ED25519_DID[8:]]}, did=DID)
    with pytest.raises(Refused):
        found.key(f"{DID}#x", relationship="assertionMethod", now=NOW)
    with pytest.raises(Refused):
        found.key(DID, relationship="assertionMethod", now=NOW)


def test_every_way_to_write_a_key_and_kinds_of_no_use_here() -> None:
    edwards = SoftwareSigner.generate("EdDSA").public
    forms = [
        {"publicKeyMultibase": multikey.encode(edwards)},
        {"publicKeyJwk": dict(edwards.jwk)},
        {"type": "Ed25519VerificationKey2018", "publicKeyBase58": multikey.base58(edwards.x)},
    ]
    for form in forms:
        found = document.parse({"id": DID, "assertionMethod": [method(**form)]}, did=DID)
        assert found.key(DID, relationship="assertionMethod", now=NOW) == edwards
    agreeing = {**KEY.jwk, "alg": "ECDH-ES"}
    for form in (
        {"publicKeyJwk": X25519},
        {"publicKeyJwk": agreeing},
        {"blockchainAccountId": "eip155:1:0x89"},
        {"publicKeyBase58": "abc"},
    ):
        found = document.parse({"id": DID, "assertionMethod": [method(**form)]}, did=DID)
        with pytest.raises(Unsupported):
            found.key(DID, relationship="assertionMethod", now=NOW)


@pytest.mark.parametrize(
    "members",
    [
        {"verificationMethod": {}},
        {"verificationMethod": [1]},
        {"verificationMethod": [{"id": "#a", "type": "JsonWebKey"}]},
        {"verificationMethod": [method(publicKeyJwk={**KEY.jwk, "d": "AAAA"})]},
        {"verificationMethod": [method(publicKeyJwk=dict(KEY.jwk), publicKeyMultibase="z6Mk")]},
        {"verificationMethod": [method(), {**method(), "type": "Other"}]},
        {"assertionMethod": [None]},
        {"assertionMethod": ["#a"] * 65},
    ],
)
def test_broken_documents_are_refused(members: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        document.parse({"id": DID, **members}, did=DID)


@pytest.mark.parametrize(
    "did",
    [
        "",
        "did:",
        "did:key",
        "did:KEY:z6Mk",
        "did:web:a b",
        "urn:x",
        "did:web:%zz",
        "did:web:a:",
        "did:key:" + "z" * 4000,
    ],
)
def test_what_is_no_did_is_malformed(did: str) -> None:
    with pytest.raises(Malformed):
        resolve(did)


@pytest.mark.parametrize("url", ["did:web:a/path#b", "did:web:a?service=x#b", "did:sov:0x0#controller"])
def test_what_is_not_read_is_unsupported(url: str) -> None:
    with pytest.raises(Unsupported):
        signing_key(url)


def test_a_url_is_no_did() -> None:
    with pytest.raises(Unsupported):
        resolve(ED25519_DID + "#a")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([DID, "#a", "JsonWebKey"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "type", "controller", "publicKeyJwk", "publicKeyMultibase", "kty"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["verificationMethod", "assertionMethod", "authentication"]), JSON))
def test_hostile_documents_raise_only_ssi_errors(members: dict[str, object]) -> None:
    try:
        document.parse({"id": DID, **members}, did=DID)
    except SsiError:
        return


@given(
    st.sampled_from(["did:key:", "did:jwk:", "did:web:", "did:", ""]),
    st.text(max_size=60) | st.from_regex(r"[zu][A-Za-z0-9_-]{1,60}"),
)
def test_hostile_dids_raise_only_ssi_errors(prefix: str, rest: str) -> None:
    with pytest.raises(SsiError):
        signing_key(prefix + rest)
