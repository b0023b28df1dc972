"""Which key an issuer or holder signed with, and that no other name can borrow it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.dids import jwk, key, web
from ssi.errors import Malformed, Refused, SsiError, Unavailable, Unsupported
from ssi.fetch import Response
from ssi.issuerkeys import KEEP, RETRY, Keys, metadata
from ssi.keys import PublicKey, SoftwareSigner, jwk_set
from ssi.model import Issuer
from tests.ssi.certificates import root
from tests.support import NOW, InMemoryFetch

KEY = SoftwareSigner.generate("ES256").public
OTHER = SoftwareSigner.generate("ES256").public
EDWARDS = SoftwareSigner.generate("EdDSA").public
ISS = "https://issuer.test"
METADATA = "https://issuer.test/.well-known/jwt-vc-issuer"
NOWHERE = InMemoryFetch({})
ROOT = root()


def body(value: object, status: int = 200) -> Response:
    return Response(status, "", {"content-type": "application/json"}, json.dumps(value).encode())


def published(**keys: PublicKey) -> dict[str, Any]:
    return metadata.document(ISS, jwk_set(keys))


def ask(issuer: Issuer, fetch: InMemoryFetch = NOWHERE, alg: str = "ES256") -> tuple[PublicKey, str]:
    found = Keys(fetch).issuer_key(issuer, alg=alg, now=NOW)
    return found.key, found.method


def refused(issuer: Issuer, fetch: InMemoryFetch = NOWHERE, alg: str = "ES256") -> str:
    with pytest.raises(SsiError) as caught:
        ask(issuer, fetch, alg)
    return caught.value.code


def test_with_a_chain_the_leaf_signed() -> None:
    chain = (ROOT.certify(KEY),)
    assert ask(Issuer(None, x5c=chain)) == (KEY, "x5c")
    assert ask(Issuer(None, kid=key.url(OTHER), x5c=chain)) == (KEY, "x5c")


@pytest.mark.parametrize(
    ("iss", "names"),
    [
        ("https://issuer.test", {"dns": ["issuer.test"], "uris": []}),
        ("https://issuer.test:8441/tenant", {"dns": ["issuer.test"], "uris": []}),
        ("https://elsewhere.test/x", {"dns": [], "uris": ["https://elsewhere.test/x"]}),
        ("did:web:issuer.test", {"dns": [], "uris": ["did:web:issuer.test"]}),
    ],
)
def test_an_iss_beside_a_chain_must_be_the_leafs_own(iss: str, names: dict[str, list[str]]) -> None:
    chain = (ROOT.certify(KEY, **names),)  # type: ignore[arg-type]
    assert ask(Issuer(iss, x5c=chain)) == (KEY, "x5c")


@pytest.mark.parametrize(
    "iss",
    [
        "https://victim.test",
        "http://issuer.test",
        "did:web:issuer.test",
        "https://sub.issuer.test",
        "https://[",
        "issuer.test",
        "",
    ],
)
def test_an_iss_that_the_leaf_does_not_name_is_refused(iss: str) -> None:
    chain = (ROOT.certify(KEY, dns=["issuer.test", "*.issuer.test"], uris=["https://other.test"]),)
    assert refused(Issuer(iss, x5c=chain)) == "issuerkeys.iss_not_in_certificate"


def test_an_issuer_that_is_a_did_key_or_did_jwk_needs_no_network() -> None:
    for method in (key, jwk):
        did, url = method.from_public(KEY), method.url(KEY)
        fragment = url.partition("#")[2]
        for issuer in (
            Issuer(did),
            Issuer(did, url),
            Issuer(did, fragment),
            Issuer(did, "#" + fragment),
            Issuer(None, url),
        ):
            assert ask(issuer) == (KEY, "did")
        assert Keys(NOWHERE).holder_key(url, now=NOW) == KEY
    assert NOWHERE.calls == []


def test_a_kid_of_another_did_is_refused() -> None:
    assert refused(Issuer(key.from_public(KEY), key.url(OTHER))) == "issuerkeys.kid_of_another"
    assert refused(Issuer(key.from_public(KEY), "other")) == "did.no_such_key"


def test_an_issuer_without_any_way_to_its_key() -> None:
    for issuer in (Issuer(None), Issuer(None, "k1"), Issuer("http://issuer.test", "k1"), Issuer("issuer")):
        with pytest.raises(Unsupported):
            ask(issuer)


def test_published_keys_are_found_by_kid_or_because_only_one_fits() -> None:
    fetch = InMemoryFetch({METADATA: body(published(a=KEY, b=EDWARDS))})
    assert ask(Issuer(ISS, "a"), fetch) == (KEY, "issuer-metadata")
    assert ask(Issuer(ISS), fetch) == (KEY, "issuer-metadata")
    assert ask(Issuer(ISS), fetch, "EdDSA") == (EDWARDS, "issuer-metadata")
    assert refused(Issuer(ISS, "a"), fetch, "EdDSA") == "issuerkeys.no_such_key"
    assert refused(Issuer(ISS, "c"), fetch) == "issuerkeys.no_such_key"
    both = InMemoryFetch({METADATA: body(published(a=KEY, b=OTHER))})
    assert refused(Issuer(ISS), both) == "issuerkeys.no_such_key"


def test_a_did_as_kid_does_not_replace_the_iss() -> None:
    fetch = InMemoryFetch({METADATA: body(published(a=OTHER))})
    assert refused(Issuer(ISS, key.url(KEY)), fetch) == "issuerkeys.no_such_key"


def test_keys_behind_jwks_uri() -> None:
    there = "https://keys.issuer.test/jwks"
    fetch = InMemoryFetch({METADATA: body({"issuer": ISS, "jwks_uri": there}), there: body(jwk_set({"a": KEY}))})
    assert ask(Issuer(ISS, "a"), fetch) == (KEY, "issuer-metadata")


@pytest.mark.parametrize(
    ("iss", "url"),
    [
        ("https://example.com", "https://example.com/.well-known/jwt-vc-issuer"),
        ("https://example.com/", "https://example.com/.well-known/jwt-vc-issuer"),
        ("https://example.com:8441/tenant/1234", "https://example.com:8441/.well-known/jwt-vc-issuer/tenant/1234"),
        ("https://example.com/tenant/", "https://example.com/.well-known/jwt-vc-issuer/tenant"),
    ],
)
def test_where_the_metadata_lies(iss: str, url: str) -> None:
    assert metadata.location(iss) == url


@pytest.mark.parametrize(
    "iss", ["http://a.test", "https://a.test?b", "https://a.test#", "https://u@a.test", "https://", "https://[", ""]
)
def test_what_has_no_metadata(iss: str) -> None:
    with pytest.raises(Malformed):
        metadata.location(iss)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (body({"issuer": ISS + "/", "jwks": {"keys": []}}), "issuerkeys.other_issuer"),
        (body({"jwks": {"keys": []}}), "issuerkeys.other_issuer"),
        (body({"issuer": ISS}), "issuerkeys.metadata"),
        (body({"issuer": ISS, "jwks": {"keys": []}, "jwks_uri": "https://x.test"}), "issuerkeys.metadata"),
        (body({"issuer": ISS, "jwks": []}), "issuerkeys.jwks"),
        (body({"issuer": ISS, "jwks": {"keys": [1]}}), "issuerkeys.jwks"),
        (body({"issuer": ISS, "jwks": {"keys": [{}] * 65}}), "issuerkeys.jwks"),
        (body({"issuer": ISS, "jwks_uri": 5}), "encoding.text"),
        (body([]), "encoding.json_object"),
        (body({}, 404), "issuerkeys.not_found"),
        (body(published(a=KEY), 500), "issuerkeys.unavailable"),
    ],
)
def test_metadata_that_cannot_be_used(answer: Response, code: str) -> None:
    assert refused(Issuer(ISS, "a"), InMemoryFetch({METADATA: answer})) == code


def test_keys_not_understood_are_passed_over() -> None:
    odd = [{"kty": "RSA", "kid": "a"}, {**KEY.jwk, "use": "enc", "kid": "a"}, {**KEY.jwk, "x": "AAAA", "kid": "a"}]
    document = {"issuer": ISS, "jwks": {"keys": [*odd, {**KEY.jwk, "kid": "a"}]}}
    assert ask(Issuer(ISS, "a"), InMemoryFetch({METADATA: body(document)})) == (KEY, "issuer-metadata")


def test_documents_are_kept_for_a_short_time() -> None:
    fetch = InMemoryFetch({METADATA: body(published(a=KEY))})
    keys = Keys(fetch)
    for moment in (NOW, NOW + KEEP - timedelta(seconds=1), NOW + KEEP):
        keys.issuer_key(Issuer(ISS, "a"), alg="ES256", now=moment)
    assert len(fetch.calls) == 2


def test_a_new_key_is_looked_for_but_not_at_every_request() -> None:
    world: dict[str, Any] = {METADATA: body(published(a=KEY))}
    fetch = InMemoryFetch(world)
    keys = Keys(fetch)
    keys.issuer_key(Issuer(ISS, "a"), alg="ES256", now=NOW)
    world[METADATA] = body(published(a=KEY, b=OTHER))
    soon, later = NOW + RETRY / 2, NOW + 2 * RETRY
    for _ in range(3):
        with pytest.raises(Refused):
            keys.issuer_key(Issuer(ISS, "b"), alg="ES256", now=soon)
    assert len(fetch.calls) == 1
    assert keys.issuer_key(Issuer(ISS, "b"), alg="ES256", now=later).key == OTHER
    assert len(fetch.calls) == 2


def test_looking_for_a_new_key_in_vain_keeps_the_good_ones() -> None:
    world: dict[str, Any] = {METADATA: body(published(a=KEY))}
    keys = Keys(InMemoryFetch(world))
    keys.issuer_key(Issuer(ISS, "a"), alg="ES256", now=NOW)
    del world[METADATA]
    later = NOW + 2 * RETRY
    with pytest.raises(Refused):
        keys.issuer_key(Issuer(ISS, "b"), alg="ES256", now=later)
    assert keys.issuer_key(Issuer(ISS, "a"), alg="ES256", now=later).key == KEY
    with pytest.raises(Unavailable):
        keys.issuer_key(Issuer(ISS, "a"), alg="ES256", now=NOW + KEEP)


def test_a_failure_is_remembered_for_a_moment_and_then_forgotten() -> None:
    world: dict[str, Any] = {}
    fetch = InMemoryFetch(world)
    keys = Keys(fetch)
    for _ in range(3):
        with pytest.raises(Unavailable):
            keys.issuer_key(Issuer(ISS, "a"), alg="ES256", now=NOW)
    assert len(fetch.calls) == 1
    world[METADATA] = body(published(a=KEY))
    assert keys.issuer_key(Issuer(ISS, "a"), alg="ES256", now=NOW + RETRY).key == KEY


def test_did_web_documents_are_kept_and_renewed_for_a_new_key() -> None:
    did, url = "did:web:issuer.test", "https://issuer.test/.well-known/did.json"
    world: dict[str, Any] = {url: body(web.document(did, {"a": KEY}))}
    fetch = InMemoryFetch(world)
    keys = Keys(fetch)
    for _ in range(3):
        assert keys.issuer_key(Issuer(did, "a"), alg="ES256", now=NOW).key == KEY
        assert keys.holder_key(did + "#a", now=NOW) == KEY
    assert len(fetch.calls) == 1
    world[url] = body(web.document(did, {"a": KEY, "b": OTHER}))
    assert keys.issuer_key(Issuer(did, "b"), alg="ES256", now=NOW + 2 * RETRY).key == OTHER


def test_a_holder_is_named_by_a_did_url_and_nothing_else() -> None:
    for kid in ("a", "https://issuer.test", "urn:x", "did:key:nonsense#a"):
        with pytest.raises(SsiError):
            Keys(NOWHERE).holder_key(kid, now=NOW)


METADATA_LIKE = st.recursive(
    st.none() | st.text(max_size=5) | st.just(ISS),
    lambda inner: st.dictionaries(
        st.sampled_from(["issuer", "jwks", "jwks_uri", "keys", "kty", "kid"]), inner | st.lists(inner), max_size=4
    ),
)


@given(st.binary(max_size=200) | METADATA_LIKE.map(lambda value: json.dumps(value).encode()))
def test_hostile_metadata_raises_only_ssi_errors(data: bytes) -> None:
    with pytest.raises(SsiError):
        ask(Issuer(ISS, "a"), InMemoryFetch({METADATA: data}))


@given(st.none() | st.text(max_size=40), st.none() | st.text(max_size=40), st.lists(st.binary(max_size=40), max_size=2))
def test_hostile_issuers_raise_only_ssi_errors(name: str | None, kid: str | None, chain: list[bytes]) -> None:
    with pytest.raises(SsiError):
        ask(Issuer(name, kid, tuple(chain)))
