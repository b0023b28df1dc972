"""jwt_vc_json: tokens of the old way, by themselves and under no other name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ssi import jose
from ssi.dids import key as did_key
from ssi.encoding import seconds
from ssi.errors import Malformed, SsiError, Unsupported
from ssi.formats import jwtvcjson, vcjose, vcjwt
from ssi.issuerkeys import Keys
from ssi.model import Check, Credential, Disclosure, Draft, Issuer, Opened, Outcome, Presentation, StatusRef
from tests.ssi.certificates import root
from tests.ssi.drafts import CHALLENGE, HOLDER, ISSUER, JWT_VC, STRANGER, VC_JWT
from tests.support import NOW, InMemoryFetch

DID = did_key.from_public(ISSUER.public)
HOLDER_DID = did_key.from_public(HOLDER.public)
KEYS = Keys(InMemoryFetch({}))
DRAFT = JWT_VC.draft
V1 = "https://www.w3.org/2018/credentials/v1"


def issued(draft: Draft = DRAFT, **changes: Any) -> Credential:
    return jwtvcjson.issue(draft, **{"signer": ISSUER, "holder": HOLDER.public, "now": NOW, **changes})


def claims(wire: str) -> dict[str, Any]:
    return jose.parse(wire, typ=None).claims


def crafted(
    vc: Mapping[str, Any] | None = None,
    *,
    header: Mapping[str, Any] | None = None,
    signer: Any = ISSUER,
    **changes: Any,
) -> Credential:
    """The ordinary credential with claims and members of one's own; what is None is left out."""
    made = jose.parse(issued().wire, typ=None)
    document = {name: value for name, value in {**made.claims["vc"], **(vc or {})}.items() if value is not None}
    whole = {name: value for name, value in {**made.claims, "vc": document, **changes}.items() if value is not None}
    head = {name: value for name, value in {**made.header, **(header or {})}.items() if value is not None}
    return Credential(jwtvcjson.ID, jose.sign(whole, signer=signer, header=head))


def checked(credential: Credential) -> Opened:
    return jwtvcjson.check(credential, keys=KEYS, now=NOW)


def code(opened: Opened, check: Check) -> tuple[Outcome, str]:
    (finding,) = (finding for finding in opened.findings if finding.check is check)
    return finding.outcome, finding.code


def refusal(credential: Credential) -> str:
    with pytest.raises(SsiError) as refused:
        checked(credential)
    return refused.value.code


def presented(credential: Credential | None = None) -> Presentation:
    card = credential or issued()
    return jwtvcjson.derive(card, disclose=Disclosure(()), challenge=CHALLENGE, holder=HOLDER, now=NOW)


def reworked(vp: Mapping[str, Any] | None = None, **changes: Any) -> Presentation:
    made = claims(presented().wire)
    whole = {**made, "vp": {**made["vp"], **(vp or {})}, **changes}
    header = {"typ": "JWT", "kid": did_key.url(HOLDER.public)}
    return Presentation(jwtvcjson.ID, jose.sign(whole, signer=HOLDER, header=header))


def opened(presentation: Presentation) -> Opened:
    return jwtvcjson.open(presentation, challenge=CHALLENGE, keys=KEYS, now=NOW)


# --- credentials ------------------------------------------------------------------------------------------------------


def test_the_token_says_again_what_its_document_says() -> None:
    card = issued()
    assert jose.parse(card.wire, typ=None).header == {"alg": "ES256", "typ": "JWT", "kid": did_key.url(ISSUER.public)}
    assert claims(card.wire) == {
        "iss": DID,
        "sub": HOLDER_DID,
        "jti": "urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5",
        "iat": seconds(NOW),
        "nbf": seconds(NOW) - 86_400,
        "exp": seconds(NOW) + 365 * 86_400,
        "vc": {
            "@context": [V1, "https://www.w3.org/ns/credentials/examples/v2"],
            "id": "urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5",
            "type": ["VerifiableCredential", "ExamplePersonCredential"],
            "issuer": DID,
            "issuanceDate": "2026-11-19T12:00:00Z",
            "expirationDate": "2027-11-20T12:00:00Z",
            "credentialSubject": {"id": HOLDER_DID, **DRAFT.claims},
        },
    }
    bare = issued(replace(DRAFT, document={}, valid_until=None, valid_from=None), holder=None)
    assert claims(bare.wire).keys() == {"iss", "iat", "nbf", "vc"}
    assert checked(bare).valid_from == NOW


def test_what_only_the_token_says_counts_as_said() -> None:
    subject = {"given_name": "Erika"}
    card = crafted(
        {"id": None, "issuer": None, "issuanceDate": None, "expirationDate": None, "credentialSubject": subject}
    )
    read = checked(card)
    assert read.claims["id"] == "urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5"
    assert (read.issuer.id, read.holder) == (DID, HOLDER.public)
    assert (read.valid_from, read.valid_until) == (DRAFT.valid_from, DRAFT.valid_until)
    assert {finding.outcome for finding in read.findings} == {Outcome.PASS, Outcome.NOT_ASKED}


def test_token_and_document_do_not_contradict_each_other() -> None:
    assert refusal(crafted(jti="urn:uuid:1")) == "vcjose.conflict"
    assert refusal(crafted(sub="did:example:1")) == "vcjose.conflict"
    assert code(checked(crafted(iss="did:example:1")), Check.SIGNATURE) == (Outcome.FAIL, "vc.issuer_binding")
    assert code(checked(crafted(exp=seconds(NOW))), Check.VALIDITY) == (Outcome.FAIL, "vc.signature_expired")
    assert code(checked(crafted(nbf=seconds(NOW) + 120)), Check.VALIDITY) == (Outcome.FAIL, "vc.signed_in_future")
    over = crafted({"expirationDate": "2026-11-20T11:59:59Z"}, exp=None)
    assert code(checked(over), Check.VALIDITY) == (Outcome.FAIL, "vcdm.expired")


def test_strangers_signatures_have_failed() -> None:
    assert code(checked(crafted(signer=STRANGER)), Check.SIGNATURE) == (Outcome.FAIL, "jose.signature")
    other = crafted(signer=STRANGER, header={"kid": did_key.url(STRANGER.public)})
    assert code(checked(other), Check.SIGNATURE) == (Outcome.FAIL, "issuerkeys.kid_of_another")


def test_the_issuers_chain_may_travel_along() -> None:
    chain = (root().certify(ISSUER.public, dns="issuer.test"),)
    read = checked(issued(replace(DRAFT, issuer=Issuer("https://issuer.test", x5c=chain))))
    assert (read.issuer.x5c, code(read, Check.SIGNATURE)) == (chain, (Outcome.PASS, "vc.signed"))


def test_a_token_of_another_kind_is_refused() -> None:
    assert refusal(crafted(header={"typ": "vc+jwt"})) == "jose.typ"
    assert refusal(crafted(header={"typ": 1})) == "jose.typ"
    assert refusal(Credential(jwtvcjson.ID, VC_JWT.issued().wire)) == "jose.typ"
    with pytest.raises(Malformed):
        vcjwt.check(Credential(vcjwt.ID, issued().wire), keys=KEYS, now=NOW)
    for wrong in (crafted(vp={}), Credential(jwtvcjson.ID, presented().wire)):
        assert refusal(wrong) == "jwtvcjson.claim"
    assert refusal(Credential(jwtvcjson.ID, jose.sign({"vc": "x"}, signer=ISSUER, header={}))) == "jwtvcjson.claim"
    assert refusal(Credential(jwtvcjson.ID, jose.sign({"iss": "x"}, signer=ISSUER, header={}))) == "jwtvcjson.claim"
    assert code(checked(crafted(header={"typ": None})), Check.SIGNATURE)[0] is Outcome.PASS


def test_documents_keep_the_rules_of_their_model() -> None:
    assert refusal(crafted({"type": ["Other"]})) == "vcdm.type"
    assert refusal(crafted({"issuanceDate": "yesterday"})) == "vcdm.issuanceDate"
    assert refusal(crafted({"@context": ["https://e.test/"]})) == "vcdm.context"
    two = {"@context": ["https://www.w3.org/ns/credentials/v2"], "issuanceDate": None, "expirationDate": None}
    assert code(checked(crafted(two)), Check.VALIDITY) == (Outcome.PASS, "vcdm.in_force")


def test_only_w3c_statuses_can_be_named() -> None:
    bits = StatusRef("BitstringStatusListEntry", "https://issuer.test/bits/1", 94_567)
    assert checked(issued(replace(DRAFT, statuses=(bits,)))).statuses == (bits,)
    with pytest.raises(Unsupported):
        issued(replace(DRAFT, statuses=(StatusRef("token_status_list", "https://issuer.test/1", 1),)))


# --- presentations ----------------------------------------------------------------------------------------------------


def test_a_presentation_is_a_token_around_the_credential() -> None:
    card = issued()
    assert claims(presented(card).wire) == {
        "iss": HOLDER_DID,
        "aud": CHALLENGE.audience,
        "nonce": CHALLENGE.nonce,
        "iat": seconds(NOW),
        "exp": seconds(NOW) + 300,
        "vp": {
            "@context": [V1],
            "type": ["VerifiablePresentation"],
            "holder": HOLDER_DID,
            "verifiableCredential": [card.wire],
        },
    }


def test_a_credential_may_stand_alone_or_in_an_envelope() -> None:
    wire = issued().wire
    v2 = "https://www.w3.org/ns/credentials/v2"
    envelope = {"@context": v2, "type": "EnvelopedVerifiableCredential", "id": f"data:application/jwt,{wire}"}
    for vp in ({"verifiableCredential": wire}, {"@context": [v2], "verifiableCredential": [envelope]}):
        assert code(opened(reworked(vp)), Check.HOLDER_BINDING) == (Outcome.PASS, "vp.valid")


def test_presentations_hold_one_credential_of_the_format() -> None:
    wire, document = issued().wire, claims(issued().wire)["vc"]
    for held, code_ in (([wire, wire], "vc.one_credential"), ([document], "jwtvcjson.credential")):
        with pytest.raises(Malformed) as refused:
            opened(reworked({"verifiableCredential": held}))
        assert refused.value.code == code_
    with pytest.raises(Malformed) as refused:
        opened(Presentation(jwtvcjson.ID, jose.sign({"vp": "x"}, signer=HOLDER, header={})))
    assert refused.value.code == "jwtvcjson.claim"


def test_a_presentation_of_somebody_elses_has_failed() -> None:
    assert code(opened(reworked(iss="did:example:1")), Check.HOLDER_BINDING) == (Outcome.FAIL, "vp.holder")
    assert code(opened(reworked({"holder": "did:example:1"})), Check.HOLDER_BINDING) == (Outcome.FAIL, "vp.holder")
    forged = opened(presented(crafted(signer=STRANGER)))
    assert code(forged, Check.HOLDER_BINDING) == (Outcome.UNKNOWN, "kb.not_looked_up")


# --- whole documents --------------------------------------------------------------------------------------------------


def test_documents_are_read_without_a_challenge() -> None:
    card = jwtvcjson.read_document(issued().wire, keys=KEYS, kind="vc", now=NOW)
    assert (card.document, {one.outcome for one in card.findings}) == (claims(issued().wire)["vc"], {Outcome.PASS})
    shown = jwtvcjson.read_document(presented().wire, keys=KEYS, kind="vp", now=NOW)
    assert {one.outcome for one in shown.findings} == {Outcome.PASS}
    (inner,) = jwtvcjson.credentials(shown.document)
    assert jwtvcjson.read_document(inner, keys=KEYS, kind="vc", now=NOW).findings == card.findings
    other = jwtvcjson.read_document(presented().wire, keys=vcjose.OneKey(STRANGER.public), kind="vp", now=NOW)
    assert [one.outcome for one in other.findings] == [Outcome.FAIL, Outcome.PASS]
    liar = jwtvcjson.read_document(reworked(iss="did:example:1").wire, keys=KEYS, kind="vp", now=NOW)
    assert [one.code for one in liar.findings] == ["vc.issuer_binding", "vc.in_force"]
