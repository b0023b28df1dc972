"""Each MUST of the W3C VC Data Model that a machine can check in one document: its section, a document, the answer."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from ssi import vcdm
from ssi.errors import Malformed, SsiError, Unsupported
from ssi.model import Outcome, StatusRef
from tests.ssi.vcdms import GONE, V1, V2, credential, credential_1, presentation
from tests.support import NOW

ENVELOPE = {"@context": V2, "type": "EnvelopedVerifiableCredential", "id": "data:application/vc+jwt,a.b.c"}
STATUS = {
    "type": "BitstringStatusListEntry",
    "statusPurpose": "revocation",
    "statusListIndex": "94567",
    "statusListCredential": "https://issuer.test/status/3",
}
TYPED = {"type": "https://example.org/#Thing"}
CONTEXT = schemas.read(schemas.CONTEXTS[V2][0])


def b64(function: str, data: bytes = CONTEXT) -> str:
    return base64.b64encode(hashlib.new(function, data).digest()).decode()


def resource(**members: Any) -> dict[str, Any]:
    return {"id": V2, "digestSRI": f"sha384-{b64('sha384')}", **members}


# Section of VCDM 2.0 → changes to a right credential → what is said to be wrong ("" when nothing is).
CREDENTIALS: list[tuple[str, dict[str, Any], str]] = [
    ("4.3 @context MUST be there", {"context": GONE}, "vcdm.context"),
    ("4.3 an ordered set", {"context": V2}, "vcdm.context"),
    ("4.3 an ordered set has nothing twice", {"context": [V2, V2]}, "vcdm.context"),
    ("4.3 not empty", {"context": []}, "vcdm.context"),
    ("4.3 the first item MUST be the base context", {"context": [{}, V2]}, "vcdm.context"),
    ("4.3 URLs and objects", {"context": [V2, "https://w3id.org/vdl/v1", {"a": "https://example.org/#a"}]}, ""),
    ("4.3 no null", {"context": [V2, None]}, "vcdm.context"),
    ("4.3 no relative URL", {"context": [V2, "contexts/v1"]}, "vcdm.context"),
    ("4.3 no arrays in it", {"context": [V2, [V2]]}, "vcdm.context"),
    ("4.3 bounded", {"context": [V2, *({} for _ in range(40))]}, "vcdm.context"),
    ("4.4 id is OPTIONAL", {"id": GONE}, ""),
    ("4.4 id MUST be a single URL", {"id": ["urn:a:b"]}, "vcdm.id"),
    ("4.4 id MUST be a URL", {"id": "credentials/1"}, "vcdm.id"),
    ("4.4 id MUST be a URL with a host, where its scheme has one", {"id": "https:///path"}, "vcdm.id"),
    ("4.4 id MUST be a URL that can be parsed", {"id": "https://[::1/path"}, "vcdm.id"),
    ("4.4 id MUST be a URL, not half of one", {"id": "https:example.org"}, "vcdm.id"),
    ("4.4 bounded", {"id": "urn:x:" + "a" * 9000}, "vcdm.id"),
    ("4.5 type MUST be there", {"type": GONE}, "vcdm.type"),
    ("4.5 with a value", {"type": []}, "vcdm.type"),
    ("4.5 one or more terms and URLs", {"type": ["VerifiableCredential", 7]}, "vcdm.type"),
    ("4.5 a term has no blanks", {"type": ["VerifiableCredential", "Some Thing"]}, "vcdm.type"),
    ("4.5 a URL is one", {"type": ["VerifiableCredential", "https ://not-a-url"]}, "vcdm.type"),
    ("4.5 VerifiableCredential MUST be among them", {"type": ["https://example.org/#Thing"]}, "vcdm.type"),
    ("4.5 one string will do", {"type": "VerifiableCredential"}, ""),
    ("4.6 name: a string", {"name": "Identity"}, ""),
    ("4.6 name: a language value", {"name": {"@value": "هوية", "@language": "ar", "@direction": "rtl"}}, ""),
    ("4.6 name: in several languages", {"name": [{"@value": "a", "@language": "en"}, {"@value": "b"}]}, ""),
    ("4.6 name: nothing else", {"name": 5}, "vcdm.name"),
    ("4.6 name: not an empty set", {"name": []}, "vcdm.name"),
    ("4.6 description", {"description": {"@language": "en"}}, "vcdm.description"),
    ("11.1 @value MUST be a string", {"name": {"@value": 5}}, "vcdm.name"),
    ("11.1 @language is a language tag", {"name": {"@value": "a", "@language": "not a tag"}}, "vcdm.name"),
    ("11.1 @direction is one of two", {"name": {"@value": "a", "@direction": "up"}}, "vcdm.name"),
    ("11.1 MUST NOT include any other keys", {"name": {"@value": "a", "@type": "b"}}, "vcdm.name"),
    ("4.7 issuer MUST be there", {"issuer": GONE}, "vcdm.issuer"),
    ("4.7 a URL", {"issuer": "issuer"}, "vcdm.issuer"),
    ("4.7 or an object with an id", {"issuer": {"name": "The Issuer"}}, "vcdm.issuer"),
    ("4.7 whose value is a URL", {"issuer": {"id": "did:example:issuer", "name": "The Issuer"}}, ""),
    ("4.7 a list is neither", {"issuer": ["did:example:issuer"]}, "vcdm.issuer"),
    ("4.6 of the issuer", {"issuer": {"id": "did:example:issuer", "name": 5}}, "vcdm.name"),
    ("4.8 credentialSubject MUST be there", {"credentialSubject": GONE}, "vcdm.credentialSubject"),
    ("4.8 a set of objects", {"credentialSubject": "did:example:subject"}, "vcdm.credentialSubject"),
    ("4.8 not empty", {"credentialSubject": []}, "vcdm.credentialSubject"),
    ("4.8 one or more claims", {"credentialSubject": [{"id": "did:example:a"}, {}]}, "vcdm.credentialSubject"),
    ("4.8 null is no object", {"credentialSubject": None}, "vcdm.credentialSubject"),
    ("4.4 of a subject", {"credentialSubject": {"id": "me"}}, "vcdm.credentialSubject"),
    ("4.8 several", {"credentialSubject": [{"id": "did:example:a"}, {"name": "b"}]}, ""),
    ("4.9 validFrom is a dateTimeStamp", {"validFrom": "2026-01-01"}, "vcdm.validFrom"),
    ("4.9 which has a zone", {"validFrom": "2026-01-01T00:00:00"}, "vcdm.validFrom"),
    ("4.9 a string", {"validFrom": 1767225600}, "vcdm.validFrom"),
    ("4.9 null is none", {"validFrom": None}, "vcdm.validFrom"),
    ("4.9 a day that exists", {"validFrom": "2026-02-30T00:00:00Z"}, "vcdm.validFrom"),
    ("4.9 an hour that exists", {"validFrom": "2026-02-28T25:00:00Z"}, "vcdm.validFrom"),
    ("4.9 a zone that exists", {"validFrom": "2026-01-01T00:00:00+14:30"}, "vcdm.validFrom"),
    ("4.9 in capitals", {"validFrom": "2026-01-01t00:00:00z"}, "vcdm.validFrom"),
    ("4.9 a year that is reckoned with", {"validUntil": "12026-01-01T00:00:00Z"}, "vcdm.year"),
    ("4.9 beyond what a datetime holds", {"validUntil": "9999-12-31T24:00:00Z"}, "vcdm.validUntil"),
    ("4.9 midnight at a day's end", {"validFrom": "2026-01-01T24:00:00.0Z"}, ""),
    ("4.9 OPTIONAL", {"validFrom": GONE, "validUntil": GONE}, ""),
    ("4.9 validUntil the same or later", {"validUntil": "2026-01-01T01:00:00+01:00"}, ""),
    ("4.9 validUntil not earlier", {"validUntil": "2025-12-31T23:59:59Z"}, "vcdm.validUntil"),
    ("4.10 credentialStatus: a right one", {"credentialStatus": [STATUS, TYPED]}, ""),
    ("4.10 type is REQUIRED", {"credentialStatus": {"id": "urn:a:b"}}, "vcdm.credentialStatus"),
    ("4.10 id MUST be a URL", {"credentialStatus": {**TYPED, "id": "b"}}, "vcdm.credentialStatus"),
    ("4.10 an object", {"credentialStatus": "https://issuer.test/status"}, "vcdm.credentialStatus"),
    ("4.10 not empty", {"credentialStatus": []}, "vcdm.credentialStatus"),
    ("4.11 credentialSchema: type", {"credentialSchema": {"id": "urn:a:b"}}, "vcdm.credentialSchema"),
    ("4.11 credentialSchema: id", {"credentialSchema": {"type": "JsonSchema"}}, "vcdm.credentialSchema"),
    ("4.11 one or more", {"credentialSchema": []}, "vcdm.credentialSchema"),
    (
        "4.11 a digest that can be read",
        {"credentialSchema": {"id": "a:b", "type": "X", "digestSRI": "x"}},
        "vcdm.digest",
    ),
    ("4.12 proof: an object with a type", {"proof": {"proofValue": "z"}}, "vcdm.proof"),
    ("4.12 proof: a set of such", {"proof": [{"type": "DataIntegrityProof"}, 5]}, "vcdm.proof"),
    ("5.2.1 undefined terms come last", {"context": [V2, f"{V2[:-2]}undefined-terms/v2", {}]}, "vcdm.context"),
    ("5.3 relatedResource: right", {"relatedResource": resource(mediaType="application/ld+json")}, ""),
    ("5.3 one or more objects", {"relatedResource": [V2]}, "vcdm.relatedResource"),
    ("5.3 id is REQUIRED", {"relatedResource": resource(id=GONE)}, "vcdm.relatedResource"),
    ("5.3 id MUST be unique", {"relatedResource": [resource(), resource()]}, "vcdm.relatedResource"),
    ("5.3 mediaType", {"relatedResource": resource(mediaType=5)}, "vcdm.relatedResource"),
    ("5.3 MUST contain a digest", {"relatedResource": {"id": V2}}, "vcdm.relatedResource"),
    ("5.3 that can be read", {"relatedResource": {"id": V2, "digestMultibase": "x"}}, "vcdm.digest"),
    ("5.3 as text", {"relatedResource": {"id": V2, "digestSRI": 5}}, "vcdm.digest"),
    (
        "5.3 and is the resource's",
        {"relatedResource": resource(digestSRI=f"sha256-{'A' * 43}=")},
        "vcdm.digest_mismatch",
    ),
    ("5.3 whichever it is", {"relatedResource": resource(digestMultibase="u" + "A" * 43)}, "vcdm.digest_mismatch"),
    ("5.3 of what is not used here", {"relatedResource": resource(id="https://a.test/b")}, ""),
    ("5.4 refreshService MUST specify its type", {"refreshService": {"id": "urn:a:b"}}, "vcdm.refreshService"),
    ("5.5 termsOfUse MUST specify its type", {"termsOfUse": [TYPED, {"id": "urn:a:b"}]}, "vcdm.termsOfUse"),
    ("5.6 evidence: one object or a set", {"evidence": "seen"}, "vcdm.evidence"),
    ("5.6 evidence: type is REQUIRED", {"evidence": [TYPED, {}]}, "vcdm.evidence"),
    ("5.6 evidence: id", {"evidence": {**TYPED, "id": 5}}, "vcdm.evidence"),
    ("5.6 evidence: right", {"evidence": {**TYPED, "id": "urn:a:b"}}, ""),
    ("5.10 confidenceMethod MUST specify its type", {"confidenceMethod": {}}, "vcdm.confidenceMethod"),
    ("5.10 of a subject too", {"credentialSubject": {"confidenceMethod": {}}}, "vcdm.confidenceMethod"),
    ("5.10 renderMethod MUST specify its type", {"renderMethod": {"id": "urn:a:b"}}, "vcdm.renderMethod"),
]
ENTRIES: list[tuple[str, dict[str, Any]]] = [  # Bitstring Status List §2.1, each broken
    ("statusPurpose", {"statusPurpose": GONE}),
    ("statusListIndex is text", {"statusListIndex": 5}),
    ("statusListIndex is base 10", {"statusListIndex": "0x5"}),
    ("statusListIndex is not negative", {"statusListIndex": "-1"}),
    ("statusListCredential is a URL", {"statusListCredential": "status/3"}),
    ("id is not the list's", {"id": STATUS["statusListCredential"]}),
    ("statusReference is a URL", {"statusReference": ["https://a.test/b", "c"]}),
    ("statusSize is positive", {"statusSize": 0}),
    ("statusSize is an integer", {"statusSize": True}),
    ("statusMessage comes with more bits", {"statusSize": 2}),
    ("statusMessage is for every value", {"statusMessage": [{"status": "0x0", "message": "unset"}]}),
    ("statusMessage has values", {"statusMessage": [{"status": "0", "message": "a"}] * 2}),
    ("statusMessage has text", {"statusMessage": [{"status": "0x0"}] * 2}),
    ("statusMessage has objects", {"statusMessage": ["a", "b"]}),
]
PRESENTATIONS: list[tuple[str, dict[str, Any], str]] = [
    ("4.3 @context", {"context": GONE}, "vcdm.context"),
    ("4.13 id", {"id": "presentation"}, "vcdm.id"),
    ("4.13 type MUST be present", {"type": GONE}, "vcdm.type"),
    ("4.13 VerifiablePresentation MUST be among them", {"type": ["VerifiableCredential"]}, "vcdm.type"),
    ("4.13 MAY hold nothing", {"verifiableCredential": GONE}, ""),
    ("4.13 one or more", {"verifiableCredential": []}, "vcdm.verifiableCredential"),
    ("4.13 one object", {"verifiableCredential": credential()}, ""),
    ("4.13 MUST NOT be strings", {"verifiableCredential": "a.b.c"}, "vcdm.verifiableCredential"),
    ("4.13 MUST NOT be numbers", {"verifiableCredential": [credential(), 5]}, "vcdm.verifiableCredential"),
    ("4.13 each as a credential must be", {"verifiableCredential": [credential(issuer=GONE)]}, "vcdm.issuer"),
    ("4.13 holder: a URL", {"holder": "me"}, "vcdm.holder"),
    ("4.13 holder: an object with an id", {"holder": {"name": "me"}}, "vcdm.holder"),
    ("4.13 holder: right", {"holder": {"id": "did:example:me", "name": "me"}}, ""),
    ("4.13.1 enveloped", {"verifiableCredential": [ENVELOPE]}, ""),
    ("4.13.1 its context", {"verifiableCredential": [{**ENVELOPE, "@context": []}]}, "vcdm.context"),
    ("4.13.1 its id", {"verifiableCredential": [{**ENVELOPE, "id": "a.b.c"}]}, "vcdm.envelope"),
    ("4.13.1 its type", {"verifiableCredential": [{**ENVELOPE, "type": [ENVELOPE["type"], "X"]}]}, "vcdm.type"),
    ("5.5 termsOfUse", {"termsOfUse": {}}, "vcdm.termsOfUse"),
    ("4.12 proof", {"proof": "z"}, "vcdm.proof"),
]
CREDENTIALS_1: list[tuple[str, dict[str, Any], str]] = [  # sections of VCDM 1.1
    ("4.1 issuanceDate MUST be there", {"issuanceDate": GONE}, "vcdm.issuanceDate"),
    ("4.6 a date and time", {"issuanceDate": "2026-01-01"}, "vcdm.issuanceDate"),
    ("4.6 whose zone may be missing", {"issuanceDate": "2026-01-01T00:00:00"}, ""),
    ("4.8 expirationDate", {"expirationDate": "never"}, "vcdm.expirationDate"),
    ("4.9 credentialStatus has an id", {"credentialStatus": TYPED}, "vcdm.credentialStatus"),
    ("4.9 credentialStatus", {"credentialStatus": {**TYPED, "id": "urn:a:b"}}, ""),
    ("5.4 credentialSchema", {"credentialSchema": {**TYPED, "id": "urn:a:b"}}, ""),
    ("5.5 refreshService has an id", {"refreshService": TYPED}, "vcdm.refreshService"),
    ("4.5 issuer", {"issuer": "issuer"}, "vcdm.issuer"),
    ("5.6 evidence", {"evidence": {}}, "vcdm.evidence"),
]


def answers(table: list[tuple[str, dict[str, Any], str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("changes", "code"), [pytest.param(c, w, id=name) for name, c, w in table])


def answer(read: Any, document: dict[str, Any]) -> str:
    try:
        read(document)
    except (Malformed, Unsupported) as wrong:
        return wrong.code
    return ""


@answers(CREDENTIALS)
def test_a_credential_keeps_every_must(changes: dict[str, Any], code: str) -> None:
    cleaned = {name: _without_gone(value) for name, value in changes.items()}
    assert answer(vcdm.credential, credential(**cleaned)) == code


@answers(PRESENTATIONS)
def test_a_presentation_keeps_every_must(changes: dict[str, Any], code: str) -> None:
    assert answer(vcdm.presentation, presentation(**changes)) == code


@answers(CREDENTIALS_1)
def test_an_older_credential_keeps_the_musts_of_its_time(changes: dict[str, Any], code: str) -> None:
    assert answer(vcdm.credential, credential_1(**changes)) == code


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in ENTRIES])
def test_a_status_entry_keeps_every_must(change: dict[str, Any]) -> None:
    entry = {name: value for name, value in {**STATUS, **change}.items() if value is not GONE}
    assert answer(vcdm.credential, credential(credentialStatus=entry)) == "vcdm.credentialStatus"


def _without_gone(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: one for name, one in value.items() if one is not GONE}
    return value


def test_what_a_credential_says_is_read() -> None:
    messages = [{"status": f"{value:#x}", "message": word} for value, word in enumerate(("ok", "a", "b", "c"))]
    sized = {**STATUS, "statusPurpose": "message", "statusSize": 2, "statusMessage": messages}
    found = vcdm.credential(
        credential(
            type=["VerifiableCredential", "https://example.org/#Card"],
            validFrom="2026-01-01T01:30:00.1234567+01:00",
            credentialStatus=[STATUS, sized, {**TYPED, "id": "urn:a:b"}],
            credentialSchema={"id": "https://a.test/schema", "type": "JsonSchema"},
        )
    )
    assert (found.profile, found.type, found.issuer_id) == ("2.0", "https://example.org/#Card", "did:example:issuer")
    assert found.subject_ids == ("did:example:subject",)
    assert found.valid_from == datetime(2026, 1, 1, 0, 30, 0, 123456, tzinfo=UTC)
    uri = "https://issuer.test/status/3"
    assert found.statuses == (
        StatusRef("BitstringStatusListEntry", uri, 94567, "revocation"),
        StatusRef("BitstringStatusListEntry", uri, 94567, "message", 2,
                  (("0x0", "ok"), ("0x1", "a"), ("0x2", "b"), ("0x3", "c"))),
        StatusRef("https://example.org/#Thing", "", 0),
    )  # fmt: skip
    assert [(one.url, one.types) for one in found.schemas] == [("https://a.test/schema", ("JsonSchema",))]
    assert vcdm.credential(credential_1()).profile == "1.1"
    assert vcdm.credential(credential()).type == "VerifiableCredential"


def test_validity_counts_the_last_moment_and_a_clock_that_is_ahead() -> None:
    end, second = datetime(2027, 1, 1, tzinfo=UTC), timedelta(seconds=1)
    model = vcdm.credential(credential())
    for now, code in (
        (NOW, "vcdm.in_force"),
        (end, "vcdm.in_force"),
        (end + second, "vcdm.expired"),
        (datetime(2025, 12, 31, 23, 59, 0, tzinfo=UTC), "vcdm.in_force"),
        (datetime(2025, 12, 31, 23, 58, 59, tzinfo=UTC), "vcdm.not_yet_valid"),
    ):
        finding = vcdm.validity(model, now=now)
        assert (finding.code, finding.outcome is Outcome.PASS) == (code, code == "vcdm.in_force")
    assert vcdm.validity(vcdm.credential(credential(validFrom=GONE, validUntil=GONE)), now=NOW).outcome is Outcome.PASS
    older = vcdm.credential(credential_1(expirationDate="2026-11-20T11:59:59Z"))
    assert vcdm.validity(older, now=NOW).code == "vcdm.expired"


def test_digests_of_the_base_context_in_every_way_to_write_them() -> None:
    sha256 = hashlib.sha256(CONTEXT).digest()
    raw, multihash = base64.urlsafe_b64encode(sha256), base64.urlsafe_b64encode(b"\x12\x20" + sha256)
    for right in (
        {"digestSRI": f"sha256-{b64('sha256')}"},
        {"digestSRI": f"sha256-AAAA sha512-{b64('sha512')}?opt"},
        {"digestSRI": f"sha384-{b64('sha384').translate(str.maketrans('+/', '-_'))}"},
        {"digestMultibase": "u" + raw.decode().rstrip("=")},
        {"digestMultibase": ["u" + multihash.decode().rstrip("=")]},
        {"digestSRI": "sha384-NSOcNpmdIVUxIJGvGUoe22FjTWrXiaXlsZ8q6912LdnR3KraQO2n75Ica4wK4Qeg"},
        {"digestMultibase": "uJKGMkOmFbVJhEfKTduMC2XCyvRAYLjOVmZWwIH1wQ7k"},
    ):
        assert answer(vcdm.credential, credential(relatedResource={"id": V2, **right})) == ""
    for wrong in (
        {"digestSRI": "sha384-_rCVIV7fSXXTNIvpiq26jRDyj8JG8TDjij-tD0ewLk4JpnXEz6a5AeeY_1qQ0d0P"},
        {"digestMultibase": "uM4RgWQc3RUDtjJCSgTJtTfvpZ7SPEg_LNO0ESlovQC0"},
        {"digestSRI": f"sha256-{b64('sha256')} sha512-{b64('sha512', b'else')}"},  # the strongest counts
    ):
        assert answer(vcdm.credential, credential(relatedResource={"id": V2, **wrong})) == "vcdm.digest_mismatch"
    for unread in ({"digestSRI": "md5-AAAA"}, {"digestSRI": []}, {"digestMultibase": "z0"}, {"digestMultibase": 5}):
        assert answer(vcdm.credential, credential(relatedResource={"id": V2, **unread})) == "vcdm.digest"


def test_envelopes_open_and_close() -> None:
    text = vcdm.envelop(b"eyJh.eyJi.c_-", "application/vc+jwt")
    assert text["id"] == "data:application/vc+jwt,eyJh.eyJi.c_-"
    assert vcdm.enveloped(text) == ("application/vc+jwt", b"eyJh.eyJi.c_-")
    binary = vcdm.envelop(b"\xd2\x84", "application/vp+cose", "EnvelopedVerifiablePresentation")
    assert vcdm.enveloped(binary, "EnvelopedVerifiablePresentation") == ("application/vp+cose", b"\xd2\x84")
    assert vcdm.is_envelope(text)
    assert not vcdm.is_envelope(binary)
    assert vcdm.is_envelope({"type": ["X", "EnvelopedVerifiableCredential"]})
    assert vcdm.read_data_url("DATA:Text/Plain;charset=utf-8,a%20b") == ("text/plain", b"a b")
    for wrong in (
        "data:,x",
        "data:a/b;base64,!",
        "data:a/b,",
        "https://a.test/b,c",
        None,
        5,
        "data:a/b" + ";c" * 9 + ",x",
    ):
        with pytest.raises(Malformed) as refusal:
            vcdm.read_data_url(wrong)
        assert refusal.value.code == "vcdm.envelope"


def test_top_level_members_need_a_context_that_defines_them() -> None:
    vcdm.refuse_unknown_terms(credential(proof={"type": "X"}, evidence=TYPED))
    vcdm.refuse_unknown_terms(credential(context=[V2, {"extra": "https://example.org/#extra"}], extra=1))
    vcdm.refuse_unknown_terms(credential(context=[V2, {"@context": {"extra": "https://example.org/#extra"}}], extra=1))
    vcdm.refuse_unknown_terms(credential(context=[V2, "https://unknown.test/v1"], extra=1))
    vcdm.refuse_unknown_terms(credential(**{"https://example.org/#extra": 1}))
    vcdm.refuse_unknown_terms(credential_1(expirationDate="2027-01-01T00:00:00Z"))
    for contexts in ([V2], [V2, "https://www.w3.org/ns/credentials/examples/v2"], [V1]):
        with pytest.raises(Malformed) as refusal:
            vcdm.refuse_unknown_terms(credential(context=contexts, badExtension=1))
        assert refusal.value.code == "vcdm.term"


def test_older_presentations_may_hold_tokens() -> None:
    found = vcdm.presentation(presentation(context=[V1], verifiableCredential=["a.b.c"]))
    assert (found.profile, found.credentials, found.holder_id) == ("1.1", ("a.b.c",), "did:example:subject")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "type", "@value"]), inner),
    max_leaves=6,
)


@given(member=st.sampled_from([*credential(), "credentialStatus", "relatedResource", "name", "proof"]), value=JSON)
def test_readers_raise_only_ssi_error(member: str, value: Any) -> None:
    for read, document in (
        (vcdm.credential, credential(**{member: value})),
        (vcdm.credential, credential_1(**{member: value})),
        (vcdm.presentation, presentation(**{member: value, "holder": value, "verifiableCredential": [value]})),
        (vcdm.enveloped, {**ENVELOPE, member: value}),
        (vcdm.refuse_unknown_terms, {"type": "VerifiableCredential", member: value}),
    ):
        try:
            read(document)
        except SsiError:
            continue
