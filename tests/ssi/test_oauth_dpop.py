"""DPoP proofs: each check of RFC 9449 §4.3 refuses what it is there for."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.encoding import b64url, write_json
from ssi.jose import jws
from ssi.keys import SoftwareSigner
from ssi.oauth import OAuthError, dpop

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
URL = "https://as.example/token"
KEY = SoftwareSigner.generate("ES256")


def proof(**changes: Any) -> str:
    return dpop.make(**{"signer": KEY, "method": "POST", "url": URL, "now": NOW, "jti": "j1", **changes})


def forged(header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A proof with other contents, signed all the same."""
    payload = {"jti": "j1", "htm": "POST", "htu": URL, "iat": int(NOW.timestamp()), **claims}
    kept = {name: value for name, value in payload.items() if value is not ...}
    return jws.sign(kept, signer=KEY, header={"typ": "dpop+jwt", "jwk": dict(KEY.public.jwk), **(header or {})})


def verify(token: str, **changes: Any) -> dpop.DpopProof:
    return dpop.verify(token, **{"method": "POST", "url": URL, "now": NOW, **changes})


@pytest.mark.parametrize("alg", dpop.ALGORITHMS)
def test_a_proof_names_its_key_and_nonce(alg: str) -> None:
    signer = SoftwareSigner.generate(alg)
    found = verify(proof(signer=signer, nonce="n"))
    assert found == dpop.DpopProof(signer.public.kid, "j1", "n", NOW)


def test_a_proof_for_a_token_is_for_no_other() -> None:
    token = proof(access_token="a")
    assert verify(token, access_token="a").jkt == KEY.public.kid
    for given_token, other in ((token, "b"), (proof(), "a")):
        with pytest.raises(OAuthError) as caught:
            verify(given_token, access_token=other)
        assert caught.value.error == "invalid_dpop_proof"


@pytest.mark.parametrize("address", [f"{URL}?a=b#c", "HTTPS://AS.example:443/token", "https://as.example/%74oken"])
def test_addresses_are_compared_as_rfc_3986_says(address: str) -> None:
    assert verify(proof(url=address)).jti == "j1"
    assert verify(proof(), url=address).jti == "j1"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        forged({"typ": "JWT"}),
        forged({"jwk": None}),
        forged({"jwk": {"kty": "oct", "k": "AA"}}),
        forged({"jwk": {**KEY.public.jwk, "d": "AA"}}),
        forged({"jwk": dict(SoftwareSigner.generate("ES256").public.jwk)}),
        forged({"crit": ["x"], "x": 1}),
        forged(jti=...),
        forged(jti=""),
        forged(jti=7),
        forged(jti="x" * 300),
        forged(nonce=7),
        forged(htm="GET"),
        forged(htm=...),
        forged(htu="https://as.example/other"),
        forged(htu="https://other.example/token"),
        forged(htu="http://as.example/token"),
        forged(htu="https://as.example:8443/token"),
        forged(htu="https://[/"),
        forged(htu=...),
        forged(iat=...),
        forged(iat="now"),
        forged(iat=int((NOW - timedelta(minutes=6)).timestamp())),
        forged(iat=int((NOW + timedelta(minutes=2)).timestamp())),
        forged(exp=int((NOW - timedelta(minutes=1)).timestamp())),
        forged(nbf=int((NOW + timedelta(minutes=2)).timestamp())),
        f"{proof()[:-4]}AAAA",
        f"{b64url(write_json({'typ': 'dpop+jwt', 'alg': 'none', 'jwk': dict(KEY.public.jwk)}))}.{b64url(b'{}')}.",
        dpop.make(signer=SoftwareSigner.generate("ES512"), method="POST", url=URL, now=NOW, jti="j"),
    ],
)
def test_every_flaw_is_refused_with_one_code(token: str) -> None:
    with pytest.raises(OAuthError) as caught:
        verify(token)
    assert (caught.value.error, caught.value.status) == ("invalid_dpop_proof", 400)


@given(
    st.text()
    | st.dictionaries(st.sampled_from(["jti", "htm", "htu", "iat", "ath", "nonce"]), st.text()).map(
        lambda claims: forged(**claims)
    )
)
def test_hostile_proofs_raise_only_our_error(token: str) -> None:
    with contextlib.suppress(OAuthError):
        verify(token, access_token="a")
