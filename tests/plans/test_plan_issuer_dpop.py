"""The FAPI 2.0 modules about DPoP proofs and refresh tokens, of the issuer's HAIP plan: is possession really proved?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ssi.jose import jws
from ssi.keys import SoftwareSigner
from ssi.oauth import dpop
from tests.issuer.world import BASE, World, error
from tests.plans.requesting import Caller, broken


@pytest.fixture
def caller(desks: dict[bool, World]) -> Caller:
    return Caller(desks[True], "sd_jwt_vc", True)


def resigned(caller: Caller, token: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A proof with other members, signed rightly; a member that is None is left out."""
    old = jws.parse(token, typ=None)
    head = {**{name: one for name, one in old.header.items() if name != "alg"}, **(header or {})}
    assert caller.applicant.key is not None
    return jws.sign(present({**old.claims, **claims}), signer=caller.applicant.key, header=present(head))


def present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in members.items() if one is not None}


def private_key(caller: Caller) -> dict[str, Any]:
    assert caller.applicant.key is not None
    return {**caller.applicant.key.public.jwk, "d": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"}


@pytest.mark.module("fapi2-security-profile-final-check-dpop-proof-nbf-exp")
def test_a_proof_may_say_when_it_is_good(caller: Caller) -> None:
    wallet, now = caller.applicant, int(caller.world.clock().timestamp())
    times = {"nbf": now, "exp": now + 300}
    code = caller.code()
    headers = wallet.headers("/token", nonce=wallet.nonce())
    headers[dpop.HEADER] = resigned(caller, headers[dpop.HEADER], **times)
    access = wallet.redeem(code, headers).json["access_token"]
    shown = caller.bound("/credential", access)
    shown[dpop.HEADER] = resigned(caller, shown[dpop.HEADER], **times)
    caller.cards(caller.ask(access, shown))


_BENT: dict[str, Callable[[Caller, str], str]] = {
    "typ": lambda caller, proof: resigned(caller, proof, {"typ": "jwt"}),
    "no typ": lambda caller, proof: resigned(caller, proof, {"typ": None}),
    "no jwk": lambda caller, proof: resigned(caller, proof, {"jwk": None}),
    "private jwk": lambda caller, proof: resigned(caller, proof, {"jwk": private_key(caller)}),
    "another jwk": lambda caller, proof: resigned(
        caller, proof, {"jwk": dict(SoftwareSigner.generate("ES256").public.jwk)}
    ),
    "signature": lambda _, proof: broken(proof),
    "no jti": lambda caller, proof: resigned(caller, proof, jti=None),
    "no htm": lambda caller, proof: resigned(caller, proof, htm=None),
    "htm": lambda caller, proof: resigned(caller, proof, htm="GET"),
    "no htu": lambda caller, proof: resigned(caller, proof, htu=None),
    "htu": lambda caller, proof: resigned(caller, proof, htu=f"{BASE}/token"),
    "no iat": lambda caller, proof: resigned(caller, proof, iat=None),
    "iat in future": lambda caller, proof: resigned(caller, proof, iat=hours(caller, 1)),
    "iat in past": lambda caller, proof: resigned(caller, proof, iat=hours(caller, -1)),
    "no ath": lambda caller, proof: resigned(caller, proof, ath=None),
    "ath": lambda caller, proof: resigned(caller, proof, ath="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    "no token": lambda *_: "",
    "two": lambda _, proof: f"{proof},{proof}",
}


def hours(caller: Caller, count: int) -> int:
    return int((caller.world.clock() + timedelta(hours=count)).timestamp())


@pytest.mark.module("fapi2-security-profile-final-dpop-negative-tests")
def test_a_flawed_proof_opens_nothing(caller: Caller) -> None:
    """A token that works, and then every proof that does not (RFC 9449 §4.3), replays and other schemes included."""
    access = caller.access()
    right = caller.bound("/credential", access)
    caller.cards(caller.ask(access, right))
    flawed = {name: {**(h := caller.bound("/credential", access)), dpop.HEADER: bend(caller, h[dpop.HEADER])}
              for name, bend in _BENT.items()}  # fmt: skip
    flawed["replay"] = right
    flawed["as a bearer"] = caller.bound("/credential", access, scheme="Bearer")
    flawed["bearer alone"] = {"Authorization": f"Bearer {access}"}
    answers = {name: caller.ask(access, headers) for name, headers in flawed.items()}
    wrong = {name: one.status_code for name, one in answers.items() if one.status_code not in (400, 401)}
    assert not wrong
    said = {name: error(one)[1] for name, one in answers.items()}
    assert set(said.values()) <= {"invalid_dpop_proof", "invalid_token", "invalid_request"}, said
    caller.cards(caller.asked(access))


@pytest.mark.module("fapi2-security-profile-final-dpop-negative-tests")
def test_a_proof_by_another_key_opens_nothing(caller: Caller) -> None:
    access = caller.access()
    caller.applicant.key = SoftwareSigner.generate("ES256")
    assert error(caller.asked(access)) == (401, "invalid_token")


@pytest.mark.module("fapi2-security-profile-final-refresh-token")
def test_a_refresh_token_is_its_wallets(desks: dict[bool, World], kind: str) -> None:
    caller = Caller(desks[True], kind, True)
    wallet, first = caller.applicant, caller.token()
    refresh = first["refresh_token"]
    unattested = {dpop.HEADER: wallet.proof("/token", nonce=wallet.nonce())}
    assert error(wallet.refresh(refresh, unattested)) == (401, "invalid_client")
    assert error(wallet.refresh(refresh, wallet.attested())) == (400, "invalid_dpop_proof")
    own, wallet.instance = wallet.instance, SoftwareSigner.generate("ES256")
    assert error(wallet.refresh(refresh)) == (400, "invalid_grant")  # another instance of the same wallet
    wallet.instance = own
    wallet.key = SoftwareSigner.generate("ES256")  # RFC 9449 §5: of an authenticated client, any key
    second = wallet.refresh(refresh)
    assert second.status_code == 200, second.text
    assert second.json["token_type"] == "DPoP"
    caller.cards(caller.asked(second.json["access_token"]))
