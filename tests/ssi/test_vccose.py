"""vc+cose and vp+cose: W3C documents in COSE messages, with CWT claims in their headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ssi.cose import headers, sign1
from ssi.cose import keys as cose_keys
from ssi.dids import key as did_key
from ssi.encoding import b64url, read_json_object, seconds, unb64url, write_json
from ssi.errors import Malformed, SsiError, Unsupported
from ssi.formats import vccose, vcenvelope
from ssi.issuerkeys import Keys
from ssi.model import Check, Credential, Disclosure, Draft, Issuer, Opened, Outcome, Presentation, StatusRef
from tests.ssi import w3cvectors
from tests.ssi.certificates import root
from tests.ssi.drafts import CHALLENGE, HOLDER, ISSUER, STRANGER, VC_COSE
from tests.support import NOW, InMemoryFetch

DID = did_key.from_public(ISSUER.public)
HOLDER_DID = did_key.from_public(HOLDER.public)
KEYS = Keys(InMemoryFetch({}))
DRAFT = VC_COSE.draft
GONE = object()


def issued(draft: Draft = DRAFT, **changes: Any) -> Credential:
    return vccose.issue(draft, **{"signer": ISSUER, "holder": HOLDER.public, "now": NOW, **changes})


def message(wire: str) -> sign1.Sign1:
    return sign1.parse(unb64url(wire))


def document(wire: str) -> dict[str, Any]:
    return vcenvelope.divide(read_json_object(message(wire).payload or b""))[0]


def crafted(
    wire: str | None = None,
    *,
    header: Mapping[int, Any] | None = None,
    claims: Any = None,
    signer: Any = ISSUER,
    **changes: Any,
) -> str:
    """A message with headers, claims and members of one's own; what is GONE is left out."""
    wire = wire or issued().wire
    made = message(wire)
    said = claims if claims is not None else made.protected[vccose.CWT_CLAIMS]
    protected = {**made.protected, vccose.CWT_CLAIMS: said, **(header or {})}
    whole = {**document(wire), **changes}
    payload = write_json({name: value for name, value in whole.items() if value is not GONE})
    kept = {label: value for label, value in protected.items() if value is not GONE}
    return b64url(sign1.sign(payload, protected=kept, signer=signer))


def checked(wire: str) -> Opened:
    return vccose.check(Credential(vccose.ID, wire), keys=KEYS, now=NOW)


def presented(credential: Credential | None = None) -> str:
    card = credential or issued()
    return vccose.derive(card, disclose=Disclosure(()), challenge=CHALLENGE, holder=HOLDER, now=NOW).wire


def opened(wire: str) -> Opened:
    return vccose.open(Presentation(vccose.ID, wire), challenge=CHALLENGE, keys=KEYS, now=NOW)


def code(opened_: Opened, check: Check) -> tuple[Outcome, str]:
    (finding,) = (finding for finding in opened_.findings if finding.check is check)
    return finding.outcome, finding.code


def refusal(wire: str) -> str:
    with pytest.raises(SsiError) as refused:
        checked(wire)
    return refused.value.code


def test_the_message_is_the_document_with_claims_beside_it() -> None:
    made = message(issued().wire)
    assert dict(made.protected) == {
        headers.ALG: -7,
        headers.CONTENT_TYPE: "application/vc",
        headers.KID: did_key.url(ISSUER.public).encode(),
        vccose.CWT_CLAIMS: {1: DID, 6: seconds(NOW)},
        headers.TYP: "application/vc+cose",
    }
    assert document(issued().wire)["credentialSubject"] == {"id": HOLDER_DID, **DRAFT.claims}
    assert checked(issued().wire).issued_at == NOW


def test_a_presentation_holds_the_message_in_base64_and_is_bound_to_the_request() -> None:
    shown = message(presented())
    assert shown.protected[vccose.CWT_CLAIMS] == {
        1: HOLDER_DID,
        3: CHALLENGE.audience,
        4: seconds(NOW) + 300,
        6: seconds(NOW),
        10: CHALLENGE.nonce.encode(),
    }
    (inner,) = document(presented())["verifiableCredential"]
    assert inner["id"].startswith("data:application/vc+cose;base64,0oRY")


def test_the_issuers_chain_may_travel_along() -> None:
    anchor = root()
    for chain in ((anchor.certify(ISSUER.public, dns="issuer.test"),),
                  (anchor.certify(ISSUER.public, dns="issuer.test"), anchor.der)):  # fmt: skip
        read = checked(issued(replace(DRAFT, issuer=Issuer("https://issuer.test", x5c=chain))).wire)
        assert (read.issuer.x5c, code(read, Check.SIGNATURE)) == (chain, (Outcome.PASS, "vc.signed"))


def test_only_w3c_statuses_can_be_named() -> None:
    bits = StatusRef("BitstringStatusListEntry", "https://issuer.test/bits/1", 94_567)
    assert checked(issued(replace(DRAFT, statuses=(bits,))).wire).statuses == (bits,)
    with pytest.raises(Unsupported):
        issued(replace(DRAFT, statuses=(StatusRef("token_status_list", "https://issuer.test/1", 1),)))


def test_another_issuer_than_the_signer_has_failed() -> None:
    assert code(checked(crafted(claims={1: "did:example:1"})), Check.SIGNATURE) == (Outcome.FAIL, "vc.issuer_binding")
    both = checked(crafted(claims={}, issuer="did:web:somebody.test"))
    assert code(both, Check.SIGNATURE) == (Outcome.FAIL, "issuerkeys.kid_of_another")
    assert code(checked(crafted(signer=STRANGER)), Check.SIGNATURE) == (Outcome.FAIL, "cose.signature")


@pytest.mark.parametrize(
    "header",
    [
        {headers.TYP: "application/vp+cose"},
        {headers.TYP: 1},
        {headers.TYP: GONE, headers.CONTENT_TYPE: "application/vp"},
        {headers.TYP: GONE, headers.CONTENT_TYPE: GONE},
    ],
)
def test_the_media_type_must_be_the_formats_own(header: dict[int, Any]) -> None:
    assert refusal(crafted(header=header)) == "vccose.type"


def test_one_of_the_two_types_is_enough() -> None:
    for header in ({headers.TYP: GONE}, {headers.CONTENT_TYPE: GONE}, {headers.CONTENT_TYPE: "application/x"}):
        assert code(checked(crafted(header=header)), Check.SIGNATURE)[0] is Outcome.PASS


def test_claims_that_cannot_be_read_are_refused() -> None:
    assert refusal(crafted(claims=[1])) == "vccose.claims"
    assert refusal(crafted(claims={6: {}})) == "vccose.claims"
    assert refusal(crafted(claims={8: {}})) == "key.cose"
    assert refusal(crafted(claims={8: 1})) == "key.cose"
    assert refusal(crafted(claims={7: b"urn:uuid:1"})) == "vcjose.conflict"
    assert refusal(crafted(header={headers.KID: "text"})) == "cose.kid"
    assert refusal(crafted(badExtension=1)) == "vcdm.term"
    assert refusal(issued().wire + "=") == "encoding.base64url"
    assert refusal("A" * 1_500_000) == "vccose.size"
    assert code(checked(crafted(claims={4: seconds(NOW)})), Check.VALIDITY) == (Outcome.FAIL, "vc.signature_expired")


def test_a_key_in_the_claims_is_the_holders() -> None:
    card = Credential(vccose.ID, crafted(claims={8: {1: cose_keys.write(HOLDER.public)}}, credentialSubject={"a": 1}))
    # `a` is not defined for JSON-LD, which this format does not process below the top level
    assert checked(card.wire).holder == HOLDER.public
    assert code(opened(presented(card)), Check.HOLDER_BINDING) == (Outcome.PASS, "vp.valid")


@pytest.mark.parametrize(
    ("claims", "code_"),
    [
        ({3: "https://else.test"}, "vp.audience"),
        ({10: b"other"}, "vp.nonce"),
        ({6: seconds(NOW) - 400}, "vp.old"),
        ({4: seconds(NOW)}, "vp.expired"),
        ({1: "did:example:other"}, "vp.holder"),
    ],
)
def test_a_holders_proof_must_be_right_in_every_part(claims: dict[int, Any], code_: str) -> None:
    said = {**message(presented()).protected[vccose.CWT_CLAIMS], **claims}
    shown = opened(crafted(presented(), claims=said, signer=HOLDER))
    assert code(shown, Check.HOLDER_BINDING) == (Outcome.FAIL, code_)
    assert code(opened(crafted(presented(), signer=STRANGER)), Check.HOLDER_BINDING) == (Outcome.FAIL, "vp.signature")


def test_presentations_hold_one_credential_of_the_format() -> None:
    inner = document(presented())["verifiableCredential"][0]
    for held in ([inner, inner], [{**inner, "id": "data:application/vc+jwt,eyJ9"}]):
        with pytest.raises(Malformed) as refused:
            opened(crafted(presented(), signer=HOLDER, verifiableCredential=held))
        assert refused.value.code == "vc.one_credential"


def test_base64_is_read_as_files_have_it() -> None:
    assert vccose.from_base64("AQI=\n") == vccose.from_base64(b"A Q\nI") == b"\x01\x02"
    for wrong in ("A", "AQ$=", "ü"):
        with pytest.raises(Malformed):
            vccose.from_base64(wrong)


# --- the W3C suite's fixtures -----------------------------------------------------------------------------------------


def read(name: str, key: str, kind: vcenvelope.Kind) -> set[Outcome]:
    raw, keys = vccose.from_base64(w3cvectors.text(name)), vcenvelope.OneKey(w3cvectors.public(key))
    return {finding.outcome for finding in vccose.read_document(raw, keys=keys, kind=kind, now=NOW).findings}


@w3cvectors.needed
def test_the_suites_messages_are_judged_as_it_says() -> None:
    assert read("credential-cose-minimal", "p256", "vc") == {Outcome.PASS}  # test 29
    assert read("presentation-cose-single", "p384", "vp") == {Outcome.PASS}  # test 31
    assert Outcome.FAIL in read("credential-cose-bad-signature", "ed25519", "vc")  # test 32
    for name, key, kind in (
        ("credential-cose-minimal-not-base64", "p256", "vc"),  # test 30
        ("credential-cose-bad-media-type", "p384", "vc"),  # test 33
        ("presentation-cose-bad-media-type", "p384", "vp"),  # test 34
        ("presentation-cose-bad-credential", "p256", "vp"),  # test 35
    ):
        with pytest.raises(Malformed):
            read(name, key, kind)  # type: ignore[arg-type]  (names of kinds, in a plain tuple)


@w3cvectors.needed
@pytest.mark.parametrize(
    ("name", "key", "kind"), [("credential-minimal", "ed25519", "vc"), ("presentation-single", "p384", "vp")]
)
def test_the_suites_documents_are_secured_as_they_are(name: str, key: str, kind: vcenvelope.Kind) -> None:
    document_, signer = w3cvectors.document(name), w3cvectors.signer(key)  # tests 27 and 28
    raw = vccose.sign_document(document_, signer=signer, kind=kind)
    assert sign1.parse(raw).kid == signer.kid.encode()
    found = vccose.read_document(raw, keys=vcenvelope.OneKey(signer.public), kind=kind, now=NOW)
    assert (found.document, {finding.outcome for finding in found.findings}) == (document_, {Outcome.PASS})
