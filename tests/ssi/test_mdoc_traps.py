"""What a hostile or careless issuer, holder or courier does to a mobile document, and what is found."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.cose import cbor, keys, mac0, sign1
from ssi.encoding import b64url, unb64url
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.formats import mdoc
from ssi.formats.mdoc import deviceauth, elements, transcripts
from ssi.keys import PublicKey, SoftwareSigner
from ssi.model import Check, Credential, Disclosure, Issuer, Opened, Outcome, Presentation, StatusRef
from tests.ssi.mdocs import (
    AUTHORITY,
    CERTIFICATE,
    CHALLENGE,
    HOLDER,
    ISSUER,
    KEYS,
    MDL,
    MDL_TYPE,
    START,
    STRANGER,
    codes,
    draft,
    forged,
    issued,
    item,
    name,
    opened,
    presented,
    response,
    signed_by,
    tdate,
)
from tests.support import NOW

GOOD = {
    Check.FORMAT: "mdoc.read",
    Check.SIGNATURE: "mdoc.signed",
    Check.HOLDER_BINDING: "mdoc.device_signed",
    Check.VALIDITY: "mdoc.in_force",
}


def refused(issuer_signed: str) -> str:
    """The code with which it cannot be read, by holder and verifier alike."""
    seen = set()
    readers: tuple[Callable[[], Opened], ...] = (
        lambda: mdoc.check(Credential(mdoc.ID, issuer_signed), keys=KEYS, now=NOW),
        lambda: opened(response(issuer_signed)),
    )
    for read in readers:
        with pytest.raises(SsiError) as refusal:
            read()
        seen.add(refusal.value.code)
    (code,) = seen
    return code


def failing(seen: Opened) -> dict[Check, str]:
    return {finding.check: finding.code for finding in seen.findings if finding.outcome is not Outcome.PASS}


def test_what_is_put_together_by_hand_is_good_unless_a_test_breaks_it() -> None:
    assert codes(opened(response(forged()))) == GOOD


# --- elements and their digests ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [{"value": "Mallory"}, {"element": "family_name"}, {"random": bytes(31) + b"1"}, {"number": 1}],
)
def test_an_element_that_was_changed_is_found(changes: dict[str, Any]) -> None:
    honest = [cbor.embed(cbor.encode_in_order(item())), cbor.embed(cbor.encode_in_order(item(1, "age_over_18", True)))]
    whole = cbor.decode(unb64url(forged(encoded=honest)))
    whole["nameSpaces"][MDL] = [cbor.Tag(24, cbor.encode_in_order(item(**changes)))]
    seen = opened(response(b64url(cbor.encode_in_order(whole))))
    assert failing(seen) == {Check.SIGNATURE: "mdoc.digest"}


def test_an_element_that_the_issuer_never_signed_is_found() -> None:
    whole = cbor.decode(unb64url(forged()))
    for spaces in (
        {MDL: [cbor.Tag(24, cbor.encode_in_order(item(7)))]},
        {"other": [cbor.Tag(24, cbor.encode_in_order(item()))]},
    ):
        seen = opened(response(b64url(cbor.encode_in_order({**whole, "nameSpaces": spaces}))))
        assert failing(seen) == {Check.SIGNATURE: "mdoc.digest_missing"}


def test_digests_are_over_the_bytes_that_came() -> None:
    """Long forms of tag and length, and a map in another order: no encoder would write them so again."""
    content = cbor.encode_in_order(dict(reversed(item().items())))
    long = [b"\xd9\x00\x18\x59" + len(content).to_bytes(2, "big") + content]
    assert codes(opened(response(forged(encoded=long)))) == GOOD
    shown = presented(Credential(mdoc.ID, forged(encoded=long)), (MDL, "given_name"))
    assert long[0] in unb64url(shown.wire)
    assert codes(opened(shown)) == GOOD


def test_two_elements_do_not_share_a_digest() -> None:
    twice = [item(), item(0, "family_name")]
    assert failing(opened(response(forged(twice))))[Check.FORMAT] == "mdoc.digest_repeated"


def test_salt_is_long_enough() -> None:
    assert codes(opened(response(forged([item(random=bytes(16))])))) == GOOD
    assert failing(opened(response(forged([item(random=bytes(15))])))) == {Check.FORMAT: "mdoc.salt"}


@pytest.mark.parametrize("algorithm", ["SHA-384", "SHA-512"])
def test_longer_digests_are_accepted(algorithm: str) -> None:
    raw = cbor.embed(cbor.encode_in_order(item()))
    digest = hashlib.new(algorithm.replace("-", "").lower(), raw).digest()
    wire = forged(encoded=[raw], digestAlgorithm=algorithm, valueDigests={MDL: {0: digest}})
    assert codes(opened(response(wire))) == GOOD


@pytest.mark.parametrize(
    "wrong",
    [
        item(digestID=-1),
        item(digestID=True),
        item(digestID="0"),
        item(digestID=...),
        item(random="salt"),
        item(elementIdentifier=b"x"),
        item(elementValue=...),
        item(more=1),
        [],
        "text",
        1,
    ],
)
def test_an_element_has_its_four_members(wrong: Any) -> None:
    assert refused(forged([wrong])) == "mdoc.item"


@pytest.mark.parametrize(
    ("spaces", "code"),
    [
        ([], "mdoc.namespaces"),
        ({MDL: []}, "mdoc.namespaces"),
        ({MDL: {}}, "mdoc.namespaces"),
        ({1: [cbor.Tag(24, b"")]}, "mdoc.namespaces"),
        ({MDL: [b""]}, "cbor.embedded"),
        ({MDL: [cbor.Tag(24, "text")]}, "cbor.embedded"),
        ({MDL: [cbor.Tag(24, b"")]}, "cbor.form"),
        ({MDL: [cbor.Tag(24, b"\xa0\xa0")]}, "cbor.form"),
        ({MDL: [cbor.Tag(24, b"\xa0")] * 513}, "mdoc.elements"),
        ({MDL: [cbor.Tag(24, cbor.encode(item(number))) for number in (0, 1)]}, "mdoc.element_twice"),
    ],
)
def test_namespaces_hold_elements(spaces: Any, code: str) -> None:
    assert refused(forged(spaces=spaces)) == code


@pytest.mark.parametrize("value", [{1: 2}, {"a": {b"x": 0}}, {"a": {True: 0}}])
def test_values_without_a_json_form_are_refused(value: Any) -> None:
    assert refused(forged([item(value=value)])) == "mdoc.value"


# --- the security object ----------------------------------------------------------------------------------------------


DEVICE_KEY = {"deviceKey": keys.write(HOLDER.public)}


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"version": "2.0"}, "mdoc.version"),
        ({"version": ...}, "mdoc.version"),
        ({"version": 1.0}, "mdoc.version"),
        ({"digestAlgorithm": "SHA-1"}, "mdoc.digest_algorithm"),
        ({"digestAlgorithm": []}, "mdoc.digest_algorithm"),
        ({"digestAlgorithm": ...}, "mdoc.digest_algorithm"),
        ({"docType": ...}, "mdoc.mso"),
        ({"docType": ""}, "mdoc.mso"),
        ({"docType": 1}, "mdoc.mso"),
        ({"valueDigests": ...}, "mdoc.digests"),
        ({"valueDigests": {}}, "mdoc.digests"),
        ({"valueDigests": {MDL: {}}}, "mdoc.digests"),
        ({"valueDigests": {1: {0: bytes(32)}}}, "mdoc.digests"),
        ({"valueDigests": {MDL: {0: bytes(31)}}}, "mdoc.digests"),
        ({"valueDigests": {MDL: {0: "x" * 32}}}, "mdoc.digests"),
        ({"valueDigests": {MDL: {"0": bytes(32)}}}, "mdoc.digests"),
        ({"valueDigests": {MDL: {-1: bytes(32)}}}, "mdoc.digests"),
        ({"valueDigests": {MDL: {False: bytes(32)}}}, "mdoc.digests"),
        ({"valueDigests": {MDL: [bytes(32)]}}, "mdoc.digests"),
        ({"deviceKeyInfo": ...}, "mdoc.device_key"),
        ({"deviceKeyInfo": {}}, "mdoc.device_key"),
        ({"deviceKeyInfo": []}, "mdoc.device_key"),
        ({"deviceKeyInfo": {"deviceKey": {}}}, "key.type"),
        ({"deviceKeyInfo": {"deviceKey": {**keys.write(HOLDER.public), -4: b""}}}, "key.private"),
        ({"deviceKeyInfo": {**DEVICE_KEY, "keyAuthorizations": []}}, "mdoc.authorizations"),
        ({"deviceKeyInfo": {**DEVICE_KEY, "keyAuthorizations": {"nameSpaces": [1]}}}, "mdoc.authorizations"),
        ({"deviceKeyInfo": {**DEVICE_KEY, "keyAuthorizations": {"dataElements": {MDL: "x"}}}}, "mdoc.authorizations"),
        (
            {"deviceKeyInfo": {**DEVICE_KEY, "keyAuthorizations": {"nameSpaces": [MDL], "dataElements": {MDL: ["x"]}}}},
            "mdoc.authorizations",
        ),
        ({"validityInfo": ...}, "mdoc.mso"),
        ({"validityInfo": []}, "mdoc.mso"),
        ({"status": []}, "mdoc.status"),
        ({"status": {}}, "mdoc.status"),
        ({"status": {1: 2}}, "mdoc.status"),
        ({"status": {"status_list": []}}, "mdoc.status"),
        ({"status": {"status_list": {"idx": -1, "uri": "https://x.test"}}}, "mdoc.status"),
        ({"status": {"status_list": {"idx": True, "uri": "https://x.test"}}}, "mdoc.status"),
        ({"status": {"status_list": {"idx": 1, "uri": ""}}}, "mdoc.status"),
    ],
)
def test_a_security_object_that_breaks_its_form_is_refused(members: dict[str, Any], code: str) -> None:
    assert refused(forged(**members)) == code


@pytest.mark.parametrize(
    "wrong",
    [
        ...,
        "2026-11-20T12:00:00Z",
        1_795_000_000,
        cbor.Tag(1, 1_795_000_000),
        tdate("2026-11-20T12:00:00.5Z"),
        tdate("2026-11-20T12:00:00+00:00"),
        tdate("2026-11-20 12:00:00Z"),
        tdate("2026-13-20T12:00:00Z"),
        cbor.Tag(0, 1),
        cbor.Tag(0, b"2026-11-20T12:00:00Z"),
    ],
)
def test_times_are_whole_seconds_in_utc(wrong: Any) -> None:
    times = {"signed": tdate(NOW), "validFrom": tdate(NOW), "validUntil": wrong}
    assert refused(forged(validityInfo={name: each for name, each in times.items() if each is not ...})) == "mdoc.date"


def test_a_status_is_kept_and_one_that_is_not_known_keeps_its_name() -> None:
    listed = forged(status={"status_list": {"idx": 7, "uri": "https://status.test/1"}})
    assert opened(response(listed)).statuses == (StatusRef("token_status_list", "https://status.test/1", 7),)
    other = forged(status={"identifier_list": {"id": b"1", "uri": "https://status.test/2"}})
    assert opened(response(other)).statuses == (StatusRef("identifier_list", "", 0),)
    written = issued(statuses=(StatusRef("token_status_list", "https://status.test/3", 9),))
    assert mdoc.check(written, keys=KEYS, now=NOW).statuses[0].index == 9


# --- times ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (0, 1, None),
        (-2, -1, "mdoc.expired"),
        (-2, 0, None),
        (1, 2, "mdoc.not_yet_valid"),
        (0, -1, "mdoc.validity_order"),
        (-1, -1, "mdoc.validity_order"),
    ],
)
def test_a_document_has_its_time(start: int, end: int, code: str | None) -> None:
    signed, begin, until = NOW - timedelta(days=2), NOW + timedelta(days=start), NOW + timedelta(days=end)
    wire = forged(validityInfo={"signed": tdate(signed), "validFrom": tdate(begin), "validUntil": tdate(until)})
    assert failing(opened(response(wire))) == ({} if code is None else {Check.VALIDITY: code})


@pytest.mark.parametrize(
    ("signed", "code"),
    [
        (NOW + timedelta(seconds=30), None),
        (NOW + timedelta(days=1), "mdoc.issued_in_future"),
        (START - timedelta(seconds=1), "mdoc.signed_outside_certificate"),
    ],
)
def test_it_was_signed_while_it_could_be(signed: Any, code: str | None) -> None:
    times = {"signed": tdate(signed), "validFrom": tdate(signed), "validUntil": tdate(NOW + timedelta(days=9))}
    assert failing(opened(response(forged(validityInfo=times)))) == ({} if code is None else {Check.VALIDITY: code})


def test_it_does_not_begin_before_it_was_signed() -> None:
    early = NOW - timedelta(days=1)
    times = {"signed": tdate(NOW), "validFrom": tdate(early), "validUntil": tdate(NOW + timedelta(days=9))}
    assert failing(opened(response(forged(validityInfo=times)))) == {Check.VALIDITY: "mdoc.validity_order"}


# --- the issuer's signature -------------------------------------------------------------------------------------------


def test_a_stranger_does_not_sign_for_the_issuer() -> None:
    wire = forged(auth=lambda payload: signed_by(payload, signer=STRANGER))
    assert failing(opened(response(wire))) == {Check.SIGNATURE: "cose.signature"}


def test_a_certificate_that_cannot_be_read_is_no_certificate() -> None:
    wire = forged(auth=lambda payload: signed_by(payload, certificate=b"DER"))
    assert failing(opened(response(wire))) == {Check.SIGNATURE: "trust.certificate"}


def test_a_document_without_a_certificate_is_signed_by_nobody() -> None:
    wire = forged(auth=lambda payload: signed_by(payload, certificate=None))
    assert opened(response(wire)).issuer == Issuer(None, None, ())
    assert failing(opened(response(wire))) == {Check.SIGNATURE: "trust.chain_size"}


@pytest.mark.parametrize(
    ("element", "value", "state", "agrees"),
    [
        ("issuing_country", "UT", None, True),
        ("issuing_country", "XX", None, False),
        ("issuing_jurisdiction", "UT-NORTH", None, True),
        ("issuing_jurisdiction", "UT-NORTH", "UT-NORTH", True),
        ("issuing_jurisdiction", "UT-NORTH", "NORTH", True),
        ("issuing_jurisdiction", "UT-SOUTH", "UT-NORTH", False),
        ("given_name", "Erika", "UT-NORTH", True),
    ],
)
def test_a_licence_names_the_place_of_its_certificate(
    element: str, value: str, state: str | None, agrees: bool
) -> None:
    certificate = AUTHORITY.document_signer(ISSUER.public, subject=name("DS", "UT", state))
    wire = forged([item(0, element, value)], auth=lambda payload: signed_by(payload, certificate=certificate))
    assert failing(opened(response(wire))) == ({} if agrees else {Check.SIGNATURE: "mdoc.issuing_place"})
    attempt: dict[str, Any] = {"claims": {MDL: {element: value}}, "issuer": Issuer(None, None, (certificate,))}
    if agrees:
        assert issued(**attempt).format == mdoc.ID
    else:
        with pytest.raises(Refused) as refusal:
            issued(**attempt)
        assert refusal.value.code == "mdoc.issuing_place"


def detached(payload: bytes) -> list[Any]:
    return sign1.make(payload, protected={}, signer=ISSUER, unprotected={33: CERTIFICATE}, detached=True).array


@pytest.mark.parametrize(
    ("auth", "code"),
    [
        (lambda _: None, "cose.sign1"),
        (lambda payload: cbor.Tag(18, signed_by(payload)), "cose.sign1"),
        (lambda payload: signed_by(payload)[:3], "cose.sign1"),
        (lambda payload: signed_by(payload, certificate="DER"), "cose.x5chain"),
        (detached, "mdoc.issuer_auth"),
        (lambda payload: signed_by(payload[2:]), "cbor.embedded"),
        (lambda _: signed_by(b""), "cbor.embedded"),
        (lambda _: signed_by(cbor.embed(b"\x80")), "cbor.map"),
    ],
)
def test_an_issuer_signature_has_its_form(auth: Any, code: str) -> None:
    assert refused(forged(auth=auth)) == code


# --- the response and the holder's proof ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": "2.0"}, "mdoc.version"),
        ({"version": 1}, "mdoc.response"),
        ({"status": "0"}, "mdoc.response"),
        ({"documents": ...}, "mdoc.documents"),
        ({"documents": b"\x80"}, "mdoc.documents"),
        ({"documents": b"\xa0"}, "mdoc.documents"),
        ({"documents": b"\x81\x80"}, "mdoc.documents"),
        ({"times": 2}, "mdoc.documents"),
        ({"documents": b"\x81\xa0"}, "mdoc.document"),
        ({"type": 1}, "mdoc.document"),
        ({"device": b"\xa0"}, "mdoc.device"),
        ({"device": b"\x80"}, "mdoc.device"),
        ({"names": b"\xa0"}, "cbor.embedded"),
        ({"names": cbor.embed(b"\x80")}, "cbor.map"),
        ({"names": cbor.embed(cbor.encode({MDL: {}}))}, "mdoc.device_names"),
        ({"names": cbor.embed(cbor.encode({MDL: []}))}, "mdoc.device_names"),
        ({"names": cbor.embed(cbor.encode({1: {"x": 1}}))}, "mdoc.device_names"),
    ],
)
def test_a_response_has_its_form(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(SsiError) as refusal:
        opened(response(forged(), **changes))
    assert refusal.value.code == code


def test_a_response_that_reports_an_error_is_none() -> None:
    assert failing(opened(response(forged(), status=10))) == {Check.FORMAT: "mdoc.status"}


def test_a_document_is_of_the_type_that_was_signed() -> None:
    seen = opened(response(forged(), type="org.example.other", signed_type="org.example.other"))
    assert (seen.type, failing(seen)) == (MDL_TYPE, {Check.FORMAT: "mdoc.doctype"})
    seen = opened(response(forged(), signed_type="org.example.other"))
    assert failing(seen) == {Check.HOLDER_BINDING: "mdoc.device_signature"}


def test_nothing_proves_nothing() -> None:
    assert failing(opened(response(forged(), device=...))) == {Check.HOLDER_BINDING: "mdoc.device_missing"}


def stranger_proof() -> Any:
    return deviceauth.sign(transcripts.of(CHALLENGE), MDL_TYPE, holder=STRANGER)


def attached_proof() -> Any:
    message = deviceauth.authenticated(transcripts.of(CHALLENGE), MDL_TYPE, deviceauth.NO_ELEMENTS)
    return {"deviceSignature": sign1.make(message, protected={}, signer=HOLDER).array}


def other_algorithm() -> Any:
    proof = SoftwareSigner.generate("ES384")
    return deviceauth.sign(transcripts.of(CHALLENGE), MDL_TYPE, holder=proof)


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        (None, "mdoc.device_form"),
        ({}, "mdoc.device_form"),
        ({"other": 1}, "mdoc.device_form"),
        ({"deviceSignature": []}, "mdoc.device_form"),
        ({"deviceMac": []}, "mdoc.device_form"),
        ({"deviceSignature": [], "deviceMac": []}, "mdoc.device_form"),
        (stranger_proof(), "mdoc.device_signature"),
        (other_algorithm(), "mdoc.device_signature"),
        (attached_proof(), "mdoc.device_form"),
        ({"deviceMac": mac0.make(b"", key=b"", detached=True).array}, "mdoc.device_mac_key"),
    ],
)
def test_a_proof_that_is_none_is_found(proof: Any, code: str) -> None:
    assert failing(opened(response(forged(), proof=proof))) == {Check.HOLDER_BINDING: code}


OWN = cbor.embed(cbor.encode({MDL: {"seen_at": "the door"}}))


@pytest.mark.parametrize(
    ("authorized", "code"),
    [
        (None, "mdoc.unauthorized"),
        ({"dataElements": {MDL: ["other"]}}, "mdoc.unauthorized"),
        ({"nameSpaces": ["other"]}, "mdoc.unauthorized"),
        ({"nameSpaces": [MDL]}, None),
        ({"dataElements": {MDL: ["seen_at"]}}, None),
    ],
)
def test_the_holder_says_only_what_was_left_to_the_holder(authorized: Any, code: str | None) -> None:
    info = DEVICE_KEY if authorized is None else {**DEVICE_KEY, "keyAuthorizations": authorized}
    seen = opened(response(forged(deviceKeyInfo=info), names=OWN))
    assert failing(seen) == ({} if code is None else {Check.HOLDER_BINDING: code})
    assert seen.claims == {MDL: {"given_name": "Erika"}}  # what the holder says of itself is no claim of the issuer's


def test_the_holders_own_elements_are_part_of_the_proof() -> None:
    info = {**DEVICE_KEY, "keyAuthorizations": {"nameSpaces": [MDL]}}
    wire = unb64url(response(forged(deviceKeyInfo=info), names=OWN))
    assert failing(opened(b64url(wire.replace(b"the door", b"the gate")))) == {
        Check.HOLDER_BINDING: "mdoc.device_signature"
    }


# --- in proximity -----------------------------------------------------------------------------------------------------

TRANSCRIPT = cbor.encode([None, None, ["test", b""]])


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512"])
def test_a_code_convinces_its_reader_alone(alg: str) -> None:
    holder, reader = SoftwareSigner.generate(alg), SoftwareSigner.generate(alg)
    card = mdoc.issue(draft(), signer=ISSUER, holder=holder.public, now=NOW)
    made = mdoc.respond(card, disclose=Disclosure(()), transcript=TRANSCRIPT, holder=holder, reader=reader.public)
    seen = mdoc.open_response(made, transcript=TRANSCRIPT, keys=KEYS, now=NOW, reader=reader)
    assert codes(seen) == {**GOOD, Check.HOLDER_BINDING: "mdoc.device_mac"}
    for other, code in ((None, "mdoc.device_mac_key"), (SoftwareSigner.generate(alg), "mdoc.device_signature")):
        seen = mdoc.open_response(made, transcript=TRANSCRIPT, keys=KEYS, now=NOW, reader=other)
        assert failing(seen) == {Check.HOLDER_BINDING: code}


def test_a_code_of_another_length_is_not_accepted() -> None:
    made = {"deviceMac": mac0.make(b"", key=b"", alg=7, detached=True).array}
    finding = deviceauth.judge(
        made, key=HOLDER.public, transcript=TRANSCRIPT, doc_type="x", names=b"", reader=SoftwareSigner.generate("ES256")
    )
    assert finding.code == "mdoc.device_mac_key"


def test_a_key_that_agrees_on_nothing_makes_no_code() -> None:
    reader = SoftwareSigner.generate("ES256").public
    with pytest.raises(Refused) as refusal:
        mdoc.respond(
            mdoc.issue(draft(), signer=ISSUER, holder=EDDSA.public, now=NOW),
            disclose=Disclosure(()),
            transcript=TRANSCRIPT,
            holder=EDDSA,
            reader=reader,
        )
    assert refusal.value.code == "key.agreement"

    class Card:
        """A key in hardware that only signs."""

        kid, public = "card", HOLDER.public

        def sign(self, message: bytes) -> bytes:
            return HOLDER.sign(message)

    with pytest.raises(Unsupported) as unsupported:
        mdoc.respond(issued(), disclose=Disclosure(()), transcript=TRANSCRIPT, holder=Card(), reader=reader)
    assert unsupported.value.code == "mdoc.no_agreement"


EDDSA = SoftwareSigner.generate("EdDSA")


# --- issuing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"claims": {}}, "mdoc.claims"),
        ({"type": ""}, "mdoc.claims"),
        ({"claims": {MDL: {}}}, "mdoc.claims"),
        ({"claims": {"given_name": "Erika"}}, "mdoc.claims"),
        ({"disclosable": ((MDL,),)}, "mdoc.cannot_hide"),
        ({"disclosable": ((MDL, "driving_privileges", 0),)}, "mdoc.cannot_hide"),
        ({"issuer": Issuer("https://issuer.test")}, "mdoc.no_certificate"),
        ({"issuer": Issuer(None, None, (AUTHORITY.document_signer(STRANGER.public),))}, "mdoc.certificate"),
        ({"valid_until": NOW}, "mdoc.validity"),
        ({"valid_from": NOW + timedelta(days=9), "valid_until": NOW + timedelta(days=8)}, "mdoc.validity"),
        ({"statuses": (StatusRef("BitstringStatusListEntry", "https://x.test", 1),)}, "mdoc.status"),
        ({"statuses": (StatusRef("token_status_list", "https://x.test", 1),) * 2}, "mdoc.status"),
    ],
)
def test_a_draft_that_makes_no_document_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(SsiError) as refusal:
        issued(**changes)
    assert refusal.value.code == code


def test_an_expired_certificate_issues_nothing() -> None:
    old = AUTHORITY.document_signer(ISSUER.public, start=START, days=30)
    with pytest.raises(Refused) as refusal:
        issued(issuer=Issuer(None, None, (old,)))
    assert refusal.value.code == "mdoc.validity"


def test_a_document_is_bound_to_a_key() -> None:
    with pytest.raises(Malformed) as refusal:
        mdoc.issue(draft(), signer=ISSUER, holder=None, now=NOW)
    assert refusal.value.code == "mdoc.no_holder"
    with pytest.raises(Unsupported) as unsupported:
        mdoc.issue(draft(), signer=ISSUER, holder=PublicKey.bbs(bytes(96)), now=NOW)
    assert unsupported.value.code == "key.type"


def test_without_an_end_a_document_lasts_as_long_as_its_certificate() -> None:
    seen = mdoc.check(issued(), keys=KEYS, now=NOW)
    assert (seen.issued_at, seen.valid_from, seen.valid_until) == (NOW, NOW, START + timedelta(days=457))
    chosen = NOW + timedelta(days=1, microseconds=5)
    seen = mdoc.check(issued(valid_from=NOW - timedelta(days=3), valid_until=chosen), keys=KEYS, now=NOW)
    assert (seen.valid_from, seen.valid_until) == (NOW, chosen.replace(microsecond=0))


def test_a_chain_of_certificates_comes_whole() -> None:
    chain = (CERTIFICATE, AUTHORITY.der)
    assert mdoc.check(issued(issuer=Issuer(None, None, chain)), keys=KEYS, now=NOW).issuer.x5c == chain


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("namespace", "element", "value"),
    [
        (MDL, "birth_date", "1984-1-26"),
        (MDL, "birth_date", "1984-02-30"),
        (MDL, "birth_date", "1984-01-26T00:00:00Z"),
        (MDL, "birth_date", 1984),
        (MDL, "portrait_capture_date", "2026-01-01"),
        (MDL, "portrait_capture_date", "2026-01-01T25:00:00Z"),
        (MDL, "issue_date", None),
        (MDL, "age_over_18", "true"),
        (MDL, "age_over_18", 1),
        (MDL, "sex", True),
        (MDL, "sex", -1),
        (MDL, "height", "180"),
        (MDL, "family_name", 1),
        (MDL, "portrait", 1),
        (MDL, "driving_privileges", {}),
        (MDL, "driving_privileges", [1]),
        (MDL, "driving_privileges", [{"issue_date": "now"}]),
        ("eu.europa.ec.eudi.pid.1", "nationality", "DE"),
        ("eu.europa.ec.eudi.pid.1", "nationality", []),
        ("eu.europa.ec.eudi.pid.1", "birth_date", ""),
        ("other", "number", 2**64),
        ("other", "object", {1: 2}),
        ("other", "bytes", b""),
    ],
)
def test_a_value_of_another_type_is_refused(namespace: str, element: str, value: Any) -> None:
    with pytest.raises(Malformed) as refusal:
        elements.to_cbor(namespace, element, value)
    assert refusal.value.code == "mdoc.element_type"


def test_a_value_that_is_too_deep_is_refused() -> None:
    deep: Any = 0
    for _ in range(40):
        deep = [deep]
    with pytest.raises(Malformed):
        elements.to_cbor("other", "deep", deep)
    with pytest.raises(Malformed):
        elements.to_json(deep)


PID_CLAIMS = {
    "family_name": "Mustermann",
    "birth_date": "1984-01-26",
    "place_of_birth": {"country": "DE", "locality": "Köln"},
    "nationality": ["DE", "FR"],
    "issuance_date": "2026-06-01",
    "expiry_date": "2027-06-01T00:00:00Z",
    "portrait": b64url(b"\xff\xd8"),
    "biometric_template_face": b64url(b"template"),
    "age_over_18": True,
    "age_in_years": 42,
    "something_else": [1, -2, 0.5, None, {"a": "b"}],
}


def test_identity_data_goes_round() -> None:
    made = issued({elements.PID: PID_CLAIMS}, type=elements.PID_TYPE)
    seen = opened(presented(made, *((elements.PID, name) for name in PID_CLAIMS)))
    assert (seen.type, seen.claims) == (elements.PID_TYPE, {elements.PID: PID_CLAIMS})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\xff", "_w"),
        (cbor.Tag(0, "2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z"),
        (cbor.Tag(1, 5), 5),
        (cbor.Tag(2, b"\x01"), "AQ"),
        (cbor.Tag(3, b"\x01"), "~AQ"),
        (cbor.Tag(2, "odd"), "odd"),
        (cbor.Tag(1004, "2026-01-01"), "2026-01-01"),
        (float("nan"), None),
        (float("inf"), None),
        (0.5, 0.5),
        (cbor2.undefined, None),
        (cbor2.CBORSimpleValue(99), None),
        ([cbor.Tag(99, [b""])], [[""]]),
    ],
)
def test_json_is_made_as_rfc_8949_advises(value: Any, expected: Any) -> None:
    assert elements.to_json(value) == expected
    assert elements.to_json(cbor.decode(cbor.encode(value))) == expected


# --- anything at all --------------------------------------------------------------------------------------------------

GOOD_RESPONSE = unb64url(presented(None, (MDL, "given_name"), (MDL, "driving_privileges")).wire)
GOOD_CREDENTIAL = unb64url(issued().wire)


def attempts(wire: str) -> None:
    for attempt in (
        lambda: mdoc.check(Credential(mdoc.ID, wire), keys=KEYS, now=NOW),
        lambda: mdoc.open(Presentation(mdoc.ID, wire), challenge=CHALLENGE, keys=KEYS, now=NOW),
        lambda: presented(Credential(mdoc.ID, wire)),
    ):
        try:
            attempt()
        except SsiError:
            continue


@given(wire=st.text(max_size=60) | st.binary(max_size=60).map(b64url))
def test_readers_raise_only_ssi_error(wire: str) -> None:
    attempts(wire)


@given(
    good=st.sampled_from([GOOD_CREDENTIAL, GOOD_RESPONSE]),
    where=st.floats(0, 1, exclude_max=True),
    patch=st.binary(min_size=1, max_size=6),
    cut=st.booleans(),
)
def test_what_is_nearly_right_raises_only_ssi_error(good: bytes, where: float, patch: bytes, *, cut: bool) -> None:
    at = int(where * len(good))
    attempts(b64url(good[:at] + patch + (b"" if cut else good[at + len(patch) :])))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.binary(max_size=4) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(0, 3), inner, max_size=3)
    ),
    max_leaves=5,
)
NAMES = ["version", "digestAlgorithm", "valueDigests", "deviceKeyInfo", "docType", "validityInfo", "status"]


@given(name=st.sampled_from(NAMES), value=VALUES)
def test_a_signed_object_of_any_form_raises_only_ssi_error(name: str, value: Any) -> None:
    attempts(forged(**{name: value}))
    attempts(response(forged(**{name: value})))


@given(value=VALUES)
def test_an_element_of_any_form_raises_only_ssi_error(value: Any) -> None:
    attempts(forged([value]))
    attempts(forged([item(value=value)]))
    attempts(response(forged(), proof=value))
    attempts(response(forged(), documents=cbor.encode(value)))


@given(value=VALUES)
def test_elements_of_any_value_are_written_or_refused(value: Any) -> None:
    for namespace, element in ((MDL, "driving_privileges"), (MDL, "portrait"), ("other", "x")):
        try:
            elements.to_cbor(namespace, element, value)
        except SsiError:
            continue


def test_size_has_a_bound() -> None:
    with pytest.raises(Malformed) as refusal:
        opened("A" * 1_500_000)
    assert refusal.value.code == "mdoc.size"
