"""What reviewers found in tokens, messages and lists: each of these was once believed, or ended in a crash."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from ssi import jose
from ssi.cose import cbor, sign1
from ssi.dids import key as did_key
from ssi.encoding import b64url, seconds
from ssi.errors import Malformed
from ssi.formats import jwtvcjson, vccose, vcdocs, vcjwt, vcsdjwt
from ssi.formats.mdoc import items
from ssi.issuerkeys import Keys
from ssi.keys import SoftwareSigner
from ssi.legacy import bounds, linked
from ssi.model import Check, Credential, Disclosure, Issuer, Outcome, Presentation, StatusRef
from ssi.status.bitlist import Bitstring
from ssi.trust import x509 as chains
from tests.ssi import mdocs
from tests.ssi.certificates import root
from tests.ssi.drafts import CHALLENGE, HOLDER, ISSUER, JWT_VC, STRANGER, VC_COSE, VC_JWT, VC_SD_JWT, Sample
from tests.ssi.test_status_bitstring import World, document, signed
from tests.support import NOW, InMemoryFetch

KEYS = Keys(InMemoryFetch({}))
DID = did_key.from_public(ISSUER.public)


# --- status lists -----------------------------------------------------------------------------------------------------


def listed(public_of: SoftwareSigner, *, chain: bytes, issuer: str) -> bytes:
    """A list on which nothing is withdrawn, signed with a certificate that names the issuer."""
    made = document(Bitstring.blank(), issuer=issuer)
    header = {"typ": "vc+jwt", "x5c": [base64.b64encode(chain).decode()]}
    return jose.sign({"iss": issuer, **made}, signer=public_of, header=header).encode()


@pytest.mark.parametrize("by_certificate", [True, False])
def test_a_certificate_that_anybody_can_make_is_not_the_issuers_word_on_a_list(by_certificate: bool) -> None:
    named, thief = "https://issuer.test", SoftwareSigner.generate("ES256")
    own = root().certify(ISSUER.public, dns="issuer.test")
    credential = Issuer(named, x5c=(own,)) if by_certificate else Issuer(named, kid="1")
    forged = listed(thief, chain=root().certify(thief.public, dns="issuer.test"), issuer=named)
    finding = World(forged, issuer=credential).check(1)
    assert (finding.outcome, finding.evidence["cause"]) == (Outcome.UNKNOWN, "status.signer")
    honest = World(listed(ISSUER, chain=own, issuer=named), issuer=Issuer(named, x5c=(own,)))
    assert honest.code(1) == (Outcome.PASS, "status.valid")


def cose(claims: Mapping[Any, Any]) -> str:
    """The ordinary COSE credential with further CWT claims, in a presentation."""
    made = sign1.parse(base64.urlsafe_b64decode(VC_COSE.issued().wire + "=="))
    said = {1: DID, 6: seconds(NOW), **claims}
    wire = b64url(sign1.sign(made.payload or b"", protected={**made.protected, 15: said}, signer=ISSUER))
    card = Credential(vccose.ID, wire)
    return vccose.derive(card, disclose=Disclosure(()), challenge=CHALLENGE, holder=HOLDER, now=NOW).wire


def test_a_status_among_the_cwt_claims_is_not_overlooked() -> None:
    def statuses(claims: Mapping[Any, Any]) -> tuple[StatusRef, ...]:
        shown = Presentation(vccose.ID, cose(claims))
        return vccose.open(shown, challenge=CHALLENGE, keys=KEYS, now=NOW).statuses

    entry: dict[str, Any] = {"idx": 7, "uri": "https://issuer.test/lists/1"}
    assert statuses({65535: {"status_list": entry}}) == (StatusRef("token_status_list", entry["uri"], 7),)
    assert statuses({65535: {"own": 1}})[0].kind == "own"
    wrongs: tuple[Any, ...] = (1, [], {1: {}}, {cbor.Tag(9, 1): 1})
    for wrong in wrongs:
        with pytest.raises(Malformed):
            statuses({65535: wrong})


# --- presentations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("context", [5, {}, None, True, {"@vocab": "urn:x"}])
def test_a_token_with_a_strange_context_is_refused_like_any_other(context: Any) -> None:
    made = jose.parse(JWT_VC.issued().wire, typ=None)
    whole = {**made.claims, "vc": {**made.claims["vc"], "@context": context}}
    wire = jose.sign(whole, signer=ISSUER, header=made.header)
    with pytest.raises(Malformed) as refused:
        jwtvcjson.check(Credential(jwtvcjson.ID, wire), keys=KEYS, now=NOW)
    assert refused.value.code == "vcdm.context"


def test_a_presentation_by_nobody_readable_is_nobodys() -> None:
    shown = jose.parse(JWT_VC.shown().wire, typ=None)
    others: tuple[Any, ...] = (5, [], {"id": "x"}, False)
    for iss in others:
        wire = jose.sign({**shown.claims, "iss": iss}, signer=HOLDER, header=shown.header)
        opened = JWT_VC.opened(Presentation(jwtvcjson.ID, wire))
        (bound,) = (finding for finding in opened.findings if finding.check is Check.HOLDER_BINDING)
        assert (bound.outcome, bound.code) == (Outcome.FAIL, "vp.holder")


@pytest.mark.parametrize("gone", ["iss", "holder"])
@pytest.mark.parametrize("sample", [VC_JWT, JWT_VC], ids=lambda sample: sample.id)
def test_nobody_signs_a_presentation_in_anothers_name(sample: Sample, gone: str) -> None:
    """Read as a document, where no credential says who the holder must be."""
    read = vcjwt.read_document if sample is VC_JWT else jwtvcjson.read_document
    shown = jose.parse(sample.shown().wire, typ=None)
    claims = {name: value for name, value in shown.claims.items() if name != gone}
    if "vp" in claims:
        claims["vp"] = {name: value for name, value in claims["vp"].items() if name != gone}
    for signer, told in ((HOLDER, (Outcome.PASS, "vc.signed")), (STRANGER, (Outcome.FAIL, "vp.other_holder"))):
        wire = jose.sign(claims, signer=signer, header={**shown.header, "kid": did_key.url(signer.public)})
        found = read(wire, keys=KEYS, kind="vp", now=NOW).findings[0]
        assert (found.outcome, found.code) == told


@pytest.mark.parametrize("moment", [float("nan"), float("inf"), float("-inf")])
def test_a_presentation_ends_at_a_time_that_exists(moment: float) -> None:
    shown = sign1.parse(base64.urlsafe_b64decode(VC_COSE.shown().wire + "=="))
    for claim in (4, 5, 6):
        said = {**shown.protected[15], claim: moment}
        wire = b64url(sign1.sign(shown.payload or b"", protected={**shown.protected, 15: said}, signer=HOLDER))
        opened = VC_COSE.opened(Presentation(vccose.ID, wire))
        (bound,) = (finding for finding in opened.findings if finding.check is Check.HOLDER_BINDING)
        assert (bound.outcome, bound.code) == (Outcome.FAIL, "vp.form")


@pytest.mark.parametrize("sample", [VC_JWT, VC_SD_JWT, JWT_VC], ids=lambda sample: sample.id)
def test_a_credential_for_somebody_else_is_not_shown_here(sample: Sample) -> None:
    """RFC 7519 §4.1.3, as dc+sd-jwt has it."""
    for audience, told in (
        ("https://other.test", (Outcome.FAIL, "sdjwt.audience")),
        (["x", CHALLENGE.audience], (Outcome.PASS, "vcdm.in_force")),
    ):
        token, mark, _ = sample.issued().wire.partition("~")
        made = jose.parse(token, typ=None)
        wire = jose.sign({**made.claims, "aud": audience}, signer=ISSUER, header=made.header)
        card = Credential(sample.format.ID, wire + mark)
        shown = sample.format.derive(card, disclose=Disclosure(()), challenge=CHALLENGE, holder=HOLDER, now=NOW)
        (found,) = (finding for finding in sample.opened(shown).findings if finding.check is Check.VALIDITY)
        assert (found.outcome, found.code) == told


def test_a_subject_beside_a_hidden_one_is_not_the_only_one() -> None:
    whole = vcdocs.write(replace(VC_SD_JWT.draft, disclosable=()), holder=HOLDER.public, now=NOW)
    both = {**whole, "credentialSubject": [whole["credentialSubject"], {"id": "urn:example:somebody"}]}
    paths = (("credentialSubject", 1),)
    issued = vcsdjwt.sign_document(both, signer=ISSUER, kid=did_key.url(ISSUER.public), disclosable=paths)
    for wire in (issued, issued.partition("~")[0] + "~"):
        opened = vcsdjwt.check(Credential(vcsdjwt.ID, wire), keys=KEYS, now=NOW)
        (bound,) = (finding for finding in opened.findings if finding.check is Check.HOLDER_BINDING)
        assert (bound.outcome, bound.code, opened.holder) == (Outcome.NOT_ASKED, "sdjwt.unbound", None)


def test_a_schema_that_was_not_asked_is_not_called_none() -> None:
    schema = {"id": "https://issuer.test/schema.json", "type": "JsonSchema"}
    draft = replace(VC_JWT.draft, document={**VC_JWT.draft.document, "credentialSchema": schema})
    card = VC_JWT.format.issue(draft, signer=ISSUER, holder=HOLDER.public, now=NOW)
    opened = VC_JWT.format.check(card, keys=KEYS, now=NOW)
    (found,) = (finding for finding in opened.findings if finding.check is Check.SCHEMA)
    assert found.outcome is Outcome.UNKNOWN
    made = {**document(Bitstring.blank()), "credentialSchema": schema}
    assert World(signed(made)).code(1) == (Outcome.PASS, "status.valid")  # what was signed stays signed


# --- CBOR that keeps a reader busy ------------------------------------------------------------------------------------


def colliding(keys: int) -> bytes:
    """A map whose keys are arrays of -1 and -2, which all hash alike."""
    parts = [b"\x8b" + bytes(0x20 + (number >> bit & 1) for bit in range(11)) + b"\x00" for number in range(keys)]
    return b"\xb9" + struct.pack(">H", keys) + b"".join(parts)


def element(number: int, value: bytes) -> bytes:
    """An item with a value in CBOR."""
    head = [("digestID", number), ("random", bytes(16)), ("elementIdentifier", f"e{number}")]
    return b"\xa4" + b"".join(cbor2.dumps(part) for pair in head for part in pair) + cbor2.dumps("elementValue") + value


def refusal(namespaces: Mapping[str, list[bytes]]) -> str:
    raws = {name: [cbor.embed(each) for each in contents] for name, contents in namespaces.items()}
    data = cbor.map_of({name: cbor.array_of(each) for name, each in raws.items()})
    with pytest.raises(Malformed) as refused:
        items.read(data, cbor.decode(data))
    return refused.value.code


def test_keys_that_hash_alike_are_refused_in_short_documents_too() -> None:
    with pytest.raises(Malformed) as refused:
        cbor.decode(colliding(2048))
    assert refused.value.code == "cbor.key"
    assert refusal({"n": [element(0, colliding(2000))]}) == "cbor.key"
    assert refusal({"n": [element(number, colliding(60)) for number in range(100)]}) == "cbor.key"
    assert refusal({f"n{number}": [element(0, colliding(60))] for number in range(100)}) == "cbor.key"


def test_the_parts_of_all_elements_count_together() -> None:
    parts = b"\x99" + struct.pack(">H", 900) + b"\x01" * 900
    assert refusal({"n": [element(number, parts) for number in range(20)]}) == "cbor.items"
    assert refusal({f"n{number}": [element(0, parts)] for number in range(20)}) == "cbor.items"


def test_items_of_many_namespaces_are_found_in_the_bytes_in_which_they_came() -> None:
    contents = [[element(0, b"\x01")], [element(0, b"\x02"), element(1, b"\x03")], [element(0, b"\x01")]]
    long = [[b"\xd8\x18\x59" + struct.pack(">H", len(each)) + each for each in run] for run in contents]
    short = [[cbor.embed(each) for each in run] for run in contents]
    for runs in (short, long):
        data = cbor.map_of({f"n{number}": cbor.array_of(run) for number, run in enumerate(runs)})
        found = items.read(data, cbor.decode(data))
        assert [each.raw for each in found] == [raw for run in runs for raw in run]
        assert [each.namespace for each in found] == ["n0", "n1", "n1", "n2"]
    with pytest.raises(Malformed):
        cbor.received_runs(b"".join(short[0]), contents)
    assert cbor.received_runs(b"", []) == []


def test_an_honest_document_with_a_large_portrait_is_read() -> None:
    claims = {mdocs.MDL: {**mdocs.CLAIMS[mdocs.MDL], "portrait": b64url(bytes(200_000))}}
    shown = mdocs.presented(mdocs.issued(claims), *((mdocs.MDL, name) for name in claims[mdocs.MDL]))
    assert {each.outcome for each in mdocs.opened(shown, now=NOW + timedelta(hours=1)).findings} == {Outcome.PASS}


# --- certificates -----------------------------------------------------------------------------------------------------


def test_an_rsa_key_that_is_made_to_be_slow_is_refused() -> None:
    private = rsa.generate_private_key(65537, 2048)
    slow = rsa.RSAPublicNumbers((1 << 2047) - 1, private.public_key().public_numbers().n).public_key()
    nobody, start = x509.Name([]), NOW - timedelta(days=1)
    builder = x509.CertificateBuilder(nobody, nobody, slow, 1, start, NOW + timedelta(days=1))
    certificate = builder.sign(private, hashes.SHA256()).public_bytes(Encoding.DER)
    anchor = root()
    with pytest.raises(Malformed) as refused:
        chains.validate_chain((anchor.certify(ISSUER.public), certificate), anchors=(anchor.der,), now=NOW)
    assert refused.value.code == "trust.certificate"


# --- older proofs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "context",
    [
        {f"p{number}": f"https://terms.example/p{number}" for number in range(600)},
        {"p0": {"@id": "https://terms.example/p0", "@context": {f"q{number}": "urn:q" for number in range(150)}}},
    ],
    ids=["many", "scoped"],
)
def test_didkit_gets_nothing_that_keeps_it_busy(context: Any) -> None:
    """It took half a second for what would be refused in the end, of anybody who sends it."""
    listed = [{"id": f"urn:example:{number}"} for number in range(200)]
    document = {"@context": [linked.CONTEXT, context], "credentialSubject": {"p0": listed}}
    with pytest.raises(Malformed) as refused:
        bounds.safe_text(document)
    assert refused.value.code == "didkit.work"
