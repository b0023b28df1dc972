"""Client attestations: a trusted chain is the role's to ask for; everything else is refused here."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.errors import Unavailable
from ssi.jose import jws
from ssi.keys import PublicKey, SoftwareSigner
from ssi.model import Issuer, ResolvedKey
from ssi.oauth import OAuthError, clients
from ssi.trust import x509
from ssi.trust.policies import Anchors
from tests.ssi.certificates import root

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SERVER = "https://as.example"
CLIENT = "https://wallet.example"
INSTANCE = SoftwareSigner.generate("ES256")
PROVIDER = SoftwareSigner.generate("ES256")


class Keys:
    """Finds the provider's key by its name; or does not answer."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        if self.away:
            raise Unavailable("did.away", "Not now.")
        assert issuer.id == "https://provider.example"
        return ResolvedKey(PROVIDER.public, "did")

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        raise NotImplementedError

    def method_key(self, url: str, *, relationship: str, now: datetime) -> Any:
        raise NotImplementedError


def attestation(header: dict[str, Any] | None = None, **claims: Any) -> str:
    payload = {
        "iss": "https://provider.example",
        "sub": CLIENT,
        "exp": int((NOW + timedelta(hours=1)).timestamp()),
        "cnf": {"jwk": dict(INSTANCE.public.jwk)},
        **claims,
    }
    kept = {name: value for name, value in payload.items() if value is not ...}
    return jws.sign(kept, signer=PROVIDER, header={"typ": clients.WALLET_ATTESTATION, **(header or {})})


def pop(signer: SoftwareSigner = INSTANCE, header: dict[str, Any] | None = None, **claims: Any) -> str:
    payload = {"aud": SERVER, "jti": "j1", "iat": int(NOW.timestamp()), **claims}
    kept = {name: value for name, value in payload.items() if value is not ...}
    return jws.sign(kept, signer=signer, header={"typ": clients.POP_TYP, **(header or {})})


def verify(first: str, second: str, **changes: Any) -> clients.AttestedClient:
    return clients.verify(first, second, **{"audience": SERVER, "now": NOW, "keys": Keys(), **changes})


def test_an_attestation_with_a_chain_says_who_vouches_for_which_key() -> None:
    authority = root()
    leaf = authority.certify(PROVIDER.public)
    made = clients.make_attestation(
        signer=PROVIDER,
        x5c=(leaf,),
        client_id=CLIENT,
        instance=INSTANCE.public,
        now=NOW,
        lifetime=timedelta(hours=1),
        claims={"wallet_name": "A wallet", "sub": "not this one"},
    )
    shown = clients.make_pop(signer=INSTANCE, audience=SERVER, now=NOW, jti="j", challenge="c")
    found = verify(made, shown, keys=None)
    assert (found.client_id, found.name, found.jti, found.challenge) == (CLIENT, "A wallet", "j", "c")
    assert found.instance == INSTANCE.public
    assert found.provider == Issuer(None, x5c=(leaf,))
    assert found.expires == NOW + timedelta(hours=1)
    trusted = Anchors((authority.der,), None).judge(found.provider, clients.WALLET_ATTESTATION, now=NOW)
    assert trusted.code == "trust.anchored"
    assert x509.leaf(found.provider.x5c).public == PROVIDER.public


def test_a_provider_may_name_itself_where_somebody_looks_names_up() -> None:
    assert verify(attestation(), pop(aud=[SERVER])).provider.id == "https://provider.example"
    with pytest.raises(OAuthError):
        verify(attestation(), pop(), keys=None)
    with pytest.raises(Unavailable):
        verify(attestation(), pop(), keys=Keys(away=True))


@pytest.mark.parametrize(
    ("first", "error"),
    [
        ("", "invalid_client"),
        ("a.b.c", "invalid_client"),
        (attestation({"typ": "JWT"}), "invalid_client"),
        (attestation({"typ": "wallet-attestation+jwt"}), "invalid_client"),
        (attestation({"x5c": []}), "invalid_client"),
        (attestation(sub=...), "invalid_client"),
        (attestation(sub=7), "invalid_client"),
        (attestation(sub="a\nb"), "invalid_client"),
        (attestation(exp=...), "invalid_client"),
        (attestation(exp=int(NOW.timestamp())), "invalid_client"),
        (attestation(nbf=int((NOW + timedelta(hours=1)).timestamp())), "invalid_client"),
        (attestation(iat=int((NOW + timedelta(hours=1)).timestamp())), "invalid_client"),
        (attestation(cnf=...), "invalid_client"),
        (attestation(cnf={"kid": "x"}), "invalid_client"),
        (attestation(cnf={"jwk": {**INSTANCE.public.jwk, "d": "AA"}}), "invalid_client"),
        (f"{attestation()[:-4]}AAAA", "invalid_client"),
    ],
)
def test_flawed_attestations(first: str, error: str) -> None:
    with pytest.raises(OAuthError) as caught:
        verify(first, pop())
    assert caught.value.error == error


@pytest.mark.parametrize(
    "second",
    [
        "",
        pop(header={"typ": "dpop+jwt"}),
        pop(SoftwareSigner.generate("ES256")),
        pop(PROVIDER),
        pop(aud="https://other.example"),
        pop(aud=f"{SERVER}/"),
        pop(aud=[SERVER, "https://other.example"]),
        pop(aud=...),
        pop(jti=...),
        pop(jti=""),
        pop(jti="x" * 600),
        pop(iat=...),
        pop(iat=int((NOW - timedelta(minutes=6)).timestamp())),
        pop(iat=int((NOW + timedelta(minutes=2)).timestamp())),
        pop(exp=int((NOW - timedelta(minutes=1)).timestamp())),
        pop(challenge=7),
        f"{pop()[:-4]}AAAA",
    ],
)
def test_flawed_proofs_of_possession(second: str) -> None:
    with pytest.raises(OAuthError) as caught:
        verify(attestation(), second)
    assert (caught.value.error, caught.value.status) == ("invalid_client", 401)


@given(st.text(), st.text())
def test_hostile_attestations_raise_only_our_errors(first: str, second: str) -> None:
    for one, other in ((first, second), (attestation(), second)):
        with contextlib.suppress(OAuthError):
            verify(one, other)
