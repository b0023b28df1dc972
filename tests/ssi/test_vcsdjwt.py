"""vc+sd-jwt: a W3C document whose claims can be hidden, and what must never be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ssi import jose
from ssi.dids import key as did_key
from ssi.encoding import seconds
from ssi.errors import Malformed, SsiError
from ssi.formats import keybinding, vcjose, vcsdjwt
from ssi.formats.disclosures import hash_named
from ssi.issuerkeys import Keys
from ssi.keys import SoftwareSigner
from ssi.model import (
    Check,
    ClaimPath,
    Credential,
    Disclosure,
    Draft,
    Opened,
    Outcome,
    Presentation,
    StatusRef,
)
from tests.ssi import w3cvectors
from tests.ssi.drafts import CHALLENGE, HOLDER, ISSUER, STRANGER, VC_SD_JWT
from tests.ssi.sdjwts import digest_of, disclosure
from tests.support import NOW, InMemoryFetch

DID = did_key.from_public(ISSUER.public)
HOLDER_DID = did_key.from_public(HOLDER.public)
KEYS = Keys(InMemoryFetch({}))
DRAFT = VC_SD_JWT.draft


def issued(draft: Draft = DRAFT, **changes: Any) -> Credential:
    return vcsdjwt.issue(draft, **{"signer": ISSUER, "holder": HOLDER.public, "now": NOW, **changes})


def payload(wire: str) -> dict[str, Any]:
    return jose.parse(wire.partition("~")[0], typ=None).claims


def crafted(
    *texts: str, header: Mapping[str, Any] | None = None, signer: Any = ISSUER, keep: bool = True, **changes: Any
) -> Credential:
    """The ordinary credential with members of one's own; a member that is None is left out."""
    token, *own, _ = issued().wire.split("~")
    made = jose.parse(token, typ=None)
    whole = {name: value for name, value in {**made.claims, **changes}.items() if value is not None}
    signed = jose.sign(whole, signer=signer, header={**made.header, **(header or {})})
    return Credential(vcsdjwt.ID, "~".join((signed, *(own if keep else ()), *texts, "")))


def checked(credential: Credential) -> Opened:
    return vcsdjwt.check(credential, keys=KEYS, now=NOW)


def code(opened: Opened, check: Check) -> tuple[Outcome, str]:
    (finding,) = (finding for finding in opened.findings if finding.check is check)
    return finding.outcome, finding.code


def refusal(credential: Credential) -> str:
    with pytest.raises(SsiError) as refused:
        checked(credential)
    return refused.value.code


def presented(credential: Credential, *paths: ClaimPath, holder: Any = HOLDER) -> Presentation:
    return vcsdjwt.derive(credential, disclose=Disclosure(paths), challenge=CHALLENGE, holder=holder, now=NOW)


def opened(presentation: Presentation, keys: Any = KEYS) -> Opened:
    return vcsdjwt.open(presentation, challenge=CHALLENGE, keys=keys, now=NOW)


# --- issuing and showing ----------------------------------------------------------------------------------------------


def test_a_credential_hides_in_its_subject_and_nowhere_else() -> None:
    body = payload(issued().wire)
    assert {name: value for name, value in body.items() if name != "credentialSubject"} == {
        "iss": DID,
        "iat": seconds(NOW),
        "cnf": {"jwk": HOLDER.public.jwk},
        "_sd_alg": "sha-256",
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "id": "urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5",
        "type": ["VerifiableCredential", "ExamplePersonCredential"],
        "issuer": DID,
        "validFrom": "2026-11-19T12:00:00Z",
        "validUntil": "2027-11-20T12:00:00Z",
    }
    assert body["credentialSubject"].keys() == {"id", "_sd"}
    assert jose.parse(issued().wire.partition("~")[0], typ=None).header["typ"] == "vc+sd-jwt"


def test_what_hides_nothing_is_an_sd_jwt_all_the_same() -> None:
    card = issued(replace(DRAFT, disclosable=(), decoys=2))
    assert (card.wire.count("~"), "_sd_alg" in payload(card.wire)) == (1, False)
    assert opened(presented(card)).disclosed == ()


def test_decoys_and_array_elements_hide_as_in_any_sd_jwt() -> None:
    draft = replace(
        DRAFT,
        claims={**DRAFT.claims, "nationalities": ["DE", "FR", "US"]},
        disclosable=(("given_name",), ("nationalities", 1), ("nationalities", 2)),
        decoys=1,
    )
    card = issued(draft)
    assert checked(card).hidden == 2
    path = ("credentialSubject", "nationalities", 2)
    shown = opened(presented(card, path))
    assert shown.claims["credentialSubject"]["nationalities"] == ["DE", "US"]
    assert shown.disclosed == (path,)
    assert shown.closed >= {("credentialSubject", "nationalities", 1)}


def test_drafts_that_make_no_credential_are_refused() -> None:
    for change, code_ in (
        ({"type": ""}, "vc.type"),
        ({"disclosable": (("no_such_claim",),)}, "sdjwt.path"),
        ({"claims": {**DRAFT.claims, "_sd": []}}, "sdjwt.reserved_name"),
        ({"document": {"unheard_of": 1}}, "vcdm.term"),
        ({"statuses": (StatusRef("unheard_of", "https://issuer.test", 1),)}, "vc.status"),
    ):
        with pytest.raises(SsiError) as refused:
            issued(replace(DRAFT, **change))
        assert refused.value.code == code_


def test_both_kinds_of_status_list_can_be_named() -> None:
    both = (
        StatusRef("BitstringStatusListEntry", "https://issuer.test/bits/1", 94_567),
        StatusRef("token_status_list", "https://issuer.test/lists/1", 3),
    )
    assert checked(issued(replace(DRAFT, statuses=both))).statuses == both


def test_randomness_is_an_argument() -> None:
    signer = SoftwareSigner.generate("EdDSA")
    draft = VC_SD_JWT.drafted(signer)
    one, two = (issued(draft, signer=signer, random=lambda size: b"\x07" * size) for _ in range(2))
    assert one == two


# --- what an issuer may do, and may not -------------------------------------------------------------------------------


def test_another_issuer_than_the_signer_has_failed() -> None:
    assert code(checked(crafted(iss="https://somebody.test")), Check.SIGNATURE) == (Outcome.FAIL, "vc.issuer_binding")
    both = crafted(issuer="did:web:somebody.test", iss=None)
    assert code(checked(both), Check.SIGNATURE) == (Outcome.FAIL, "issuerkeys.kid_of_another")
    assert code(checked(crafted(signer=STRANGER)), Check.SIGNATURE) == (Outcome.FAIL, "jose.signature")


@pytest.mark.parametrize(
    "name", ["@context", "type", "issuer", "validUntil", "credentialStatus", "cnf", "status", "exp"]
)
def test_what_everybody_must_see_cannot_come_as_a_disclosure(name: str) -> None:
    text = disclosure("salt", name, payload(issued().wire).get(name, "x"))
    assert refusal(crafted(text, **{name: None, "_sd": [digest_of(text)]})) == "sdjwt.sealed"


def test_documents_are_judged_with_what_was_disclosed() -> None:
    text = disclosure("salt", "badExtension", 1)
    assert refusal(crafted(text, _sd=[digest_of(text)])) == "vcdm.term"
    assert refusal(crafted(vc={})) == "vcjose.vc_claim"
    assert refusal(crafted(jti="urn:uuid:1")) == "vcjose.conflict"
    text = disclosure("salt", "name", "A name")
    assert checked(crafted(text, _sd=[digest_of(text)])).claims["name"] == "A name"


@pytest.mark.parametrize("typ", ["dc+sd-jwt", "vc+jwt", "vp+sd-jwt", "JWT"])
def test_the_media_type_must_be_the_formats_own(typ: str) -> None:
    assert refusal(crafted(header={"typ": typ})) == "jose.typ"


# --- the holder -------------------------------------------------------------------------------------------------------


def test_without_cnf_the_subjects_did_is_the_holder() -> None:
    card = crafted(cnf=None)
    assert checked(card).holder == HOLDER.public
    assert code(opened(presented(card)), Check.HOLDER_BINDING) == (Outcome.PASS, "kb.valid")
    assert code(opened(presented(card, holder=STRANGER)), Check.HOLDER_BINDING) == (Outcome.FAIL, "kb.signature")
    unbound = issued(holder=None)
    assert code(checked(unbound), Check.HOLDER_BINDING) == (Outcome.NOT_ASKED, "sdjwt.unbound")
    for card_, holder in ((unbound, HOLDER), (issued(), STRANGER)):
        with pytest.raises(SsiError) as refused:
            presented(card_, holder=holder)
        assert refused.value.code == "vcsdjwt.not_the_holder"


def test_the_holders_key_is_looked_up_only_once_an_issuer_has_vouched() -> None:
    forged = opened(presented(crafted(cnf=None, signer=STRANGER)))
    assert code(forged, Check.HOLDER_BINDING) == (Outcome.UNKNOWN, "kb.not_looked_up")


def test_a_stripped_key_binding_has_failed_and_one_on_issuance_is_refused() -> None:
    assert code(opened(Presentation(vcsdjwt.ID, issued().wire)), Check.HOLDER_BINDING) == (Outcome.FAIL, "kb.missing")
    assert refusal(Credential(vcsdjwt.ID, presented(issued()).wire)) == "sdjwt.kb_on_issuance"
    sd_jwt = issued().wire.encode()
    old = keybinding.bind(sd_jwt, hash_new=hash_named("sha-256"), challenge=CHALLENGE, holder=STRANGER, now=NOW)
    stolen = opened(Presentation(vcsdjwt.ID, sd_jwt.decode() + old))
    assert code(stolen, Check.HOLDER_BINDING) == (Outcome.FAIL, "kb.signature")


# --- the W3C suite's fixtures -----------------------------------------------------------------------------------------


def read(name: str, key: str, kind: vcjose.Kind) -> set[Outcome]:
    keys = vcjose.OneKey(w3cvectors.public(key))
    found = vcsdjwt.read_document(w3cvectors.text(name), keys=keys, kind=kind, now=NOW)
    return {finding.outcome for finding in found.findings}


@w3cvectors.needed
def test_the_suites_tokens_are_judged_as_it_says() -> None:
    assert read("credential-sdjwt-selective", "p384", "vc") == {Outcome.PASS}  # test 20
    assert read("credential-sdjwt-nested", "p521", "vc") == {Outcome.PASS}  # test 21
    assert read("presentation-sdjwt-selective", "p384", "vp") == {Outcome.PASS}  # test 22
    assert Outcome.FAIL in read("credential-sdjwt-bad-signature", "p384", "vc")  # test 23
    for name, key, kind in (
        ("credential-sdjwt-bad-media-type", "ed25519", "vc"),  # test 24
        ("presentation-sdjwt-bad-media-type", "ed25519", "vp"),  # test 25
        ("presentation-sdjwt-bad-credential", "p521", "vp"),  # test 26
    ):
        with pytest.raises(Malformed):
            read(name, key, kind)  # type: ignore[arg-type]  (names of kinds, in a plain tuple)


@w3cvectors.needed
@pytest.mark.parametrize(
    ("name", "key", "kind", "paths"),
    [
        ("credential-selective", "p384", "vc", (("firstName",), ("lastName",))),  # tests 17 to 19
        (
            "credential-nested-selective",
            "p521",
            "vc",
            (("address", "street"), ("address", "city"), ("phoneNumbers", 0)),
        ),
        ("presentation-selective", "p384", "vp", (("holder",), ("verifiableCredential", 0))),
    ],
)
def test_the_suites_documents_are_secured_as_they_are(
    name: str, key: str, kind: vcjose.Kind, paths: tuple[ClaimPath, ...]
) -> None:
    document, signer = w3cvectors.document(name), w3cvectors.signer(key)
    hidden = [("credentialSubject", *path) if kind == "vc" else path for path in paths]
    wire = vcsdjwt.sign_document(document, signer=signer, kind=kind, disclosable=hidden)
    assert wire.count("~") == len(paths) + 1
    found = vcsdjwt.read_document(wire, keys=vcjose.OneKey(signer.public), kind=kind, now=NOW)
    assert (found.document, {finding.outcome for finding in found.findings}) == (document, {Outcome.PASS})
