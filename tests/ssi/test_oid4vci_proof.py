"""Key proofs: only a fresh proof for this issuer, by the key it names, is accepted."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.errors import Refused, SsiError, Unavailable
from ssi.jose import jws
from ssi.keys import PublicKey, SoftwareSigner
from ssi.model import Issuer, ResolvedKey
from ssi.oid4vci import OAuthError, proof
from tests.ssi.certificates import root

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ISSUER = "https://issuer.example"
ALGS = ("ES256", "ES384", "EdDSA")
HOLDER = SoftwareSigner.generate("ES256")
DID_URL = "did:key:zSomething#zSomething"


class Directory:
    """A key resolver that knows one DID URL, and one that cannot be asked now."""

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        raise Refused("test.never", "Not asked here.")

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        if kid == DID_URL:
            return HOLDER.public
        if kid == "did:web:asleep.example#1":
            raise Unavailable("did.unavailable", "Not now.")
        raise Refused("did.unknown", "No such key.")


def judge(token: str, **changes: Any) -> proof.Proof:
    terms = {"audience": ISSUER, "algs": ALGS, "keys": Directory(), "now": NOW, **changes}
    return proof.verify(token, **terms)


def make(**changes: Any) -> str:
    return proof.make(**{"signer": HOLDER, "audience": ISSUER, "nonce": "n-1", "now": NOW, **changes})


def signed(header: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """A proof with its parts replaced; a claim of None is left out."""
    payload = {"aud": ISSUER, "iat": int(NOW.timestamp()), "nonce": "n-1", **claims}
    head = {"typ": proof.TYP, "jwk": dict(HOLDER.public.jwk)} if header is None else header
    return jws.sign({k: v for k, v in payload.items() if v is not None}, signer=HOLDER, header=head)


@pytest.mark.parametrize("alg", ALGS)
def test_a_proof_by_any_listed_algorithm_is_accepted(alg: str) -> None:
    holder = SoftwareSigner.generate(alg)
    read = judge(make(signer=holder))
    assert (read.key, read.nonce, read.binding, read.kid) == (holder.public, "n-1", "jwk", None)


def test_a_did_url_names_the_key() -> None:
    read = judge(make(kid=DID_URL))
    assert (read.key, read.binding, read.kid) == (HOLDER.public, "kid", DID_URL)


def test_a_certificate_names_the_key() -> None:
    chain = root().certify(HOLDER.public)
    encoded = base64.b64encode(chain).decode()
    read = judge(make(x5c=(encoded,)))
    assert (read.key, read.binding) == (HOLDER.public, "x5c")
    other = base64.b64encode(root().certify(SoftwareSigner.generate("ES256").public)).decode()
    with pytest.raises(OAuthError):
        judge(make(x5c=(other,)))


def test_extra_members_of_widely_used_wallets_are_tolerated() -> None:
    read = judge(signed({"typ": proof.TYP, "jwk": {**HOLDER.public.jwk, "kid": "k", "use": "sig"}}, iss="someone"))
    assert read.key == HOLDER.public


@pytest.mark.parametrize(
    "token",
    [
        signed({"jwk": dict(HOLDER.public.jwk)}),
        signed({"typ": "JWT", "jwk": dict(HOLDER.public.jwk)}),
        signed({"typ": "application/openid4vci-proof+jwt", "jwk": dict(HOLDER.public.jwk)}),
        signed({"typ": proof.TYP}),
        signed({"typ": proof.TYP, "jwk": dict(HOLDER.public.jwk), "kid": DID_URL}),
        signed({"typ": proof.TYP, "jwk": {**HOLDER.public.jwk, "d": "AAAA"}}),
        signed({"typ": proof.TYP, "jwk": dict(SoftwareSigner.generate("ES256").public.jwk)}),
        signed({"typ": proof.TYP, "jwk": dict(SoftwareSigner.generate("EdDSA").public.jwk)}),
        signed({"typ": proof.TYP, "kid": "0"}),
        signed({"typ": proof.TYP, "kid": 7}),
        signed({"typ": proof.TYP, "kid": "did:key:zOther#zOther"}),
        signed({"typ": proof.TYP, "x5c": ["AAAA"]}),
        signed({"typ": proof.TYP, "x5c": []}),
        signed({"typ": proof.TYP, "jwk": dict(HOLDER.public.jwk), "crit": ["exp"]}),
        signed(aud=None),
        signed(aud="https://other.example"),
        signed(aud=[ISSUER]),
        signed(aud=f"{ISSUER}/"),
        signed(iat=None),
        signed(iat="now"),
        signed(iat=int((NOW + timedelta(minutes=2)).timestamp())),
        signed(iat=int((NOW - timedelta(minutes=6)).timestamp())),
        signed(nonce=None),
        signed(nonce=""),
        signed(nonce=1),
        "a.b.c",
        "",
        make()[:-4] + "AAAA",
    ],
)
def test_every_flaw_is_an_invalid_proof(token: str) -> None:
    with pytest.raises(OAuthError) as caught:
        judge(token)
    assert (caught.value.error, caught.value.status) == ("invalid_proof", 400)


def test_an_algorithm_that_is_not_listed_is_refused() -> None:
    with pytest.raises(OAuthError):
        judge(make(), algs=("EdDSA",))


def test_a_did_that_cannot_be_asked_now_is_not_called_invalid() -> None:
    with pytest.raises(Unavailable):
        judge(make(kid="did:web:asleep.example#1"))


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_hostile_proofs_raise_only_our_errors(token: str) -> None:
    with pytest.raises(SsiError):
        judge(token)


@given(st.dictionaries(st.sampled_from(["typ", "jwk", "kid", "x5c", "crit"]), st.none() | st.text() | st.integers()))
def test_hostile_headers_raise_only_our_errors(header: dict[str, Any]) -> None:
    with pytest.raises(SsiError):
        judge(signed({"typ": proof.TYP, **header}))
