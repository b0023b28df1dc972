"""The verifier's two plans: does ours take what a right wallet sends, and nothing that is wrong, saying why?

As the suite's mock wallet does: it fetches the request, makes its own presentation, and bends one thing of it. In the
plain plan answers are posted as they are, in the HAIP plan encrypted to a verifier of that profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from ssi import oid4vp
from ssi.cose import cbor
from ssi.encoding import b64url, unb64url
from ssi.issuerkeys import Keys
from ssi.jose import jws
from ssi.keys import SoftwareSigner
from ssi.model import Challenge, Presentation
from tests.verifier import forms
from tests.verifier.forms import FORMS, Form
from tests.verifier.world import BASE, World

SD_JWT, MDOC = FORMS[0], next(form for form in FORMS if form.format == "mso_mdoc")
PLAIN, HAIP = "direct_post", "direct_post.jwt"
both_formats = pytest.mark.parametrize("form", [SD_JWT, MDOC], ids=["sd_jwt_vc", "mdoc"])
YEAR = timedelta(days=365)


@pytest.fixture(params=[PLAIN, HAIP], ids=["plain", "haip"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def settings(mode: str) -> dict[str, str]:
    return {"profile": "haip"} if mode == HAIP else {}


@pytest.fixture
def client(world: World, settings: dict[str, str]) -> Iterator[FlaskClient]:
    with world.app(**settings).test_client(use_cookies=False) as made:
        yield made


@dataclass
class MockWallet:
    """One request of the verifier's, and the wallet that answers it."""

    world: World
    client: FlaskClient
    form: Form
    mode: str

    def __post_init__(self) -> None:
        claims = [{"path": self.form.path(name)} for name in ("given_name", "family_name")]
        query = {"credentials": [{**self.form.asked("pid"), "claims": claims}]}
        body = {"dcql_query": query, "response_mode": self.mode}
        made = self.client.post("/api/requests", json=body, headers=self.world.authorized)
        assert made.status_code == 201, made.text
        self.id, self.link = made.json["id"], oid4vp.parse_link(made.json["link"])

    def fetch(
        self, form: Mapping[str, str] | None = None, wallet_nonce: str | None = None
    ) -> oid4vp.AuthorizationRequest:
        """The request object, by GET or (with a form) by POST, as a wallet reads it."""
        assert self.link.request_uri is not None
        path = self.link.request_uri.removeprefix(BASE)
        answer = self.client.get(path) if form is None else self.client.post(path, data=form)
        assert answer.status_code == 200, answer.text
        assert answer.mimetype == "application/oauth-authz-req+jwt"
        self.token = answer.get_data(as_text=True)
        return oid4vp.open_request(
            self.token, link=self.link, keys=Keys(self.world.fetch), now=self.world.clock(), wallet_nonce=wallet_nonce
        ).request

    def shown(self, challenge: Challenge, **more: Any) -> Presentation:
        return forms.show(self.world, self.form, challenge, ("given_name",), ("family_name",), **more)

    def send(self, request: oid4vp.AuthorizationRequest, wire: str) -> tuple[int, dict[str, Any]]:
        """Post an answer: the verifier's status for it, and the result that its API tells."""
        form = oid4vp.respond(request, {"pid": [wire]})
        assert ("response" if self.mode == HAIP else "vp_token") in form
        assert request.response_uri is not None
        status = self.client.post(request.response_uri.removeprefix(BASE), data=form).status_code
        result: dict[str, Any] = self.client.get(f"/api/requests/{self.id}", headers=self.world.authorized).json
        return status, result


def accepted(status: int, result: dict[str, Any], form: Form) -> None:
    claims: Any = {"given_name": "Eileen", "family_name": "Collins"}
    for name in reversed(form.root):
        claims = {name: claims}
    assert (status, result["verdict"]) == (200, "verified"), result["findings"]
    assert result["claims"] == {"pid": [claims]}


def refused(status: int, result: dict[str, Any], check: str, code: str) -> None:
    """A 4xx, as the suite wants it, and the one thing that is wrong said in the result."""
    assert (status, result["verdict"]) == (400, "not_verified")
    assert "claims" not in result
    failed = [(one["check"], one["code"]) for one in result["findings"] if one["outcome"] == "fail"]
    assert failed == [(check, code)]


# --- what must be taken -----------------------------------------------------------------------------------------------


@pytest.mark.module("oid4vp-1final-verifier-happy-flow")
@both_formats
def test_a_right_answer_is_taken(world: World, client: FlaskClient, form: Form, mode: str) -> None:
    wallet = MockWallet(world, client, form, mode)
    request = wallet.fetch()
    assert request.response_mode == mode
    assert request.client_id.startswith("x509_hash:")
    accepted(*wallet.send(request, wallet.shown(oid4vp.challenge(request)).wire), form)


@pytest.mark.module("oid4vp-1final-verifier-minimal-cnf-jwk")
@pytest.mark.parametrize("more", [{}, {"kid": "k1", "use": "sig", "alg": "ES256", "key_ops": ["verify"]}])
def test_a_holders_key_needs_no_more_than_itself(
    world: World, client: FlaskClient, mode: str, more: dict[str, Any]
) -> None:
    wallet = MockWallet(world, client, SD_JWT, mode)
    request = wallet.fetch()
    credential = forms.card(world, SD_JWT)
    head, *disclosures = credential.wire.split("~")
    token = jws.parse(head, typ=None)
    public = world.holder.public.jwk
    cnf = {"jwk": {**{name: public[name] for name in ("kty", "crv", "x", "y")}, **more}}
    rewritten = jws.sign({**token.claims, "cnf": cnf}, signer=world.issuer, header=without_alg(token.header))
    minimal = replace(credential, wire="~".join([rewritten, *disclosures]))
    accepted(*wallet.send(request, wallet.shown(oid4vp.challenge(request), credential=minimal).wire), SD_JWT)


@pytest.mark.module("oid4vp-1final-verifier-request-uri-method-post")
@both_formats
def test_a_wallet_may_post_for_the_request(world: World, form: Form, mode: str, settings: dict[str, str]) -> None:
    with world.app(request_uri_method="post", **settings).test_client(use_cookies=False) as client:
        wallet = MockWallet(world, client, form, mode)
        assert wallet.link.method == "post"
        sent = {"wallet_nonce": "a-nonce-of-the-wallet-1234567890"}
        request = wallet.fetch(sent, wallet_nonce=sent["wallet_nonce"])
        assert jws.parse(wallet.token, typ=None).claims["wallet_nonce"] == sent["wallet_nonce"]
        accepted(*wallet.send(request, wallet.shown(oid4vp.challenge(request)).wire), form)


@pytest.mark.module("oid4vp-1final-verifier-request-uri-fetched-twice")
@both_formats
def test_the_request_may_be_fetched_again(world: World, client: FlaskClient, form: Form, mode: str) -> None:
    wallet = MockWallet(world, client, form, mode)
    first, request = wallet.fetch(), wallet.fetch()
    assert (first.nonce, first.response_uri) == (request.nonce, request.response_uri)
    accepted(*wallet.send(request, wallet.shown(oid4vp.challenge(request)).wire), form)


# --- what must be refused ---------------------------------------------------------------------------------------------


@pytest.mark.module("oid4vp-1final-verifier-invalid-session-transcript")
@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "the-nonce-of-another-request-0123456789"},
        {"audience": "x509_hash:somebody-else"},
        {"response_uri": "https://elsewhere.test/answer"},
        {"response_key": bytes(32)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_mdoc_for_another_session_is_refused(
    world: World, client: FlaskClient, mode: str, change: dict[str, Any]
) -> None:
    wallet = MockWallet(world, client, MDOC, mode)
    request = wallet.fetch()
    other = replace(oid4vp.challenge(request), **change)
    refused(*wallet.send(request, wallet.shown(other).wire), "holder_binding", "mdoc.device_signature")


def flipped(signature: str) -> str:
    raw = bytearray(unb64url(signature))
    raw[5] ^= 1
    return b64url(bytes(raw))


def bad_issuer_signature(wire: str) -> str:
    head, _, rest = wire.partition("~")
    signed, _, signature = head.rpartition(".")
    return f"{signed}.{flipped(signature)}~{rest}"


@pytest.mark.module("oid4vp-1final-verifier-invalid-credential-signature")
def test_a_broken_signature_of_the_issuer_is_refused(world: World, client: FlaskClient, mode: str) -> None:
    wallet = MockWallet(world, client, SD_JWT, mode)
    request = wallet.fetch()
    credential = forms.card(world, SD_JWT)
    spoilt = replace(credential, wire=bad_issuer_signature(credential.wire))
    shown = wallet.shown(oid4vp.challenge(request), credential=spoilt)
    refused(*wallet.send(request, shown.wire), "signature", "jose.signature")


@pytest.mark.module("oid4vp-1final-verifier-invalid-credential-signature")
def test_an_mdoc_signed_with_a_key_that_is_not_its_certificates_is_refused(
    world: World, client: FlaskClient, mode: str
) -> None:
    wallet = MockWallet(world, client, MDOC, mode)
    request = wallet.fetch()
    spoilt = replace(forms.card(world, MDOC), wire=mdoc_signature_flipped(forms.card(world, MDOC).wire))
    shown = wallet.shown(oid4vp.challenge(request), credential=spoilt)
    refused(*wallet.send(request, shown.wire), "signature", "cose.signature")


def mdoc_signature_flipped(wire: str) -> str:
    """IssuerSigned with the last bit of the issuer's signature changed."""
    return bit_changed(wire, cbor.decode(unb64url(wire))["issuerAuth"][3])


def bit_changed(wire: str, signature: bytes) -> str:
    spoilt = signature[:-1] + bytes([signature[-1] ^ 1])
    return b64url(unb64url(wire).replace(signature, spoilt))


def without_alg(header: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in header.items() if name != "alg"}


def bound_anew(wire: str, holder: SoftwareSigner, **changes: Any) -> str:
    """The same presentation with another Key Binding JWT, signed rightly."""
    front, _, proof = wire.rpartition("~")
    token = jws.parse(proof, typ=None)
    return f"{front}~{jws.sign({**token.claims, **changes}, signer=holder, header={'typ': 'kb+jwt'})}"


def bad_proof_signature(wire: str, _world: World) -> str:
    signed, _, signature = wire.rpartition(".")
    return f"{signed}.{flipped(signature)}"


def changed(**changes: Callable[[World], Any]) -> Callable[[str, World], str]:
    def bend(wire: str, world: World) -> str:
        return bound_anew(wire, world.holder, **{name: make(world) for name, make in changes.items()})

    return bend


@pytest.mark.module(
    "oid4vp-1final-verifier-invalid-kb-jwt-signature",
    "oid4vp-1final-verifier-invalid-sd-hash",
    "oid4vp-1final-verifier-invalid-kb-jwt-nonce",
    "oid4vp-1final-verifier-invalid-kb-jwt-aud",
    "oid4vp-1final-verifier-kb-jwt-iat-in-past",
    "oid4vp-1final-verifier-kb-jwt-iat-in-future",
)
@pytest.mark.parametrize(
    ("bend", "code"),
    [
        pytest.param(bad_proof_signature, "kb.signature", id="signature"),
        pytest.param(changed(sd_hash=lambda _: b64url(bytes(32))), "kb.sd_hash", id="sd-hash"),
        pytest.param(changed(nonce=lambda _: "another-nonce"), "kb.nonce", id="nonce"),
        pytest.param(changed(aud=lambda _: "x509_hash:somebody-else"), "kb.audience", id="aud"),
        pytest.param(changed(iat=lambda world: int((world.clock() - YEAR).timestamp())), "kb.old", id="past"),
        pytest.param(changed(iat=lambda world: int((world.clock() + YEAR).timestamp())), "kb.future", id="future"),
    ],
)
def test_a_wrong_key_binding_is_refused(
    world: World, client: FlaskClient, mode: str, bend: Callable[[str, World], str], code: str
) -> None:
    wallet = MockWallet(world, client, SD_JWT, mode)
    request = wallet.fetch()
    wire = wallet.shown(oid4vp.challenge(request)).wire
    refused(*wallet.send(request, bend(wire, world)), "holder_binding", code)


@pytest.mark.module("oid4vp-1final-verifier-invalid-kb-jwt-signature")
def test_an_mdoc_with_a_broken_signature_of_the_device_is_refused(world: World, client: FlaskClient, mode: str) -> None:
    """The same meaning: the proof is not made with the key to which the issuer bound the document."""
    wallet = MockWallet(world, client, MDOC, mode)
    request = wallet.fetch()
    wire = wallet.shown(oid4vp.challenge(request)).wire
    (document,) = cbor.decode(unb64url(wire))["documents"]
    signature = document["deviceSigned"]["deviceAuth"]["deviceSignature"][3]
    refused(*wallet.send(request, bit_changed(wire, signature)), "holder_binding", "mdoc.device_signature")


@pytest.mark.module("oid4vp-1final-verifier-invalid-sd-hash")
def test_an_mdoc_with_other_contents_is_refused(world: World, client: FlaskClient, mode: str) -> None:
    """The same meaning: what was signed is not what is shown."""
    wallet = MockWallet(world, client, MDOC, mode)
    request = wallet.fetch()
    shown = wallet.shown(oid4vp.challenge(request))
    spoilt = b64url(unb64url(shown.wire).replace(b"Eileen", b"Aileen"))
    refused(*wallet.send(request, spoilt), "signature", "mdoc.digest")
