"""vc+jwt and vp+jwt: what is in the envelope, what is in the document, and what happens when they disagree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ssi import jose, vcdm
from ssi.dids import jwk as did_jwk
from ssi.dids import key as did_key
from ssi.encoding import seconds, write_json
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.formats import vcdocs, vcenvelope, vcjose, vcjwt, vctypes
from ssi.issuerkeys import Keys, metadata
from ssi.keys import SoftwareSigner, jwk_set
from ssi.model import Challenge, Check, Credential, Disclosure, Draft, Issuer, Opened, Outcome, Presentation, StatusRef
from tests.ssi import w3cvectors
from tests.ssi.certificates import root
from tests.ssi.drafts import CHALLENGE, EXAMPLES, HOLDER, ISSUER, STRANGER, VC_JWT
from tests.support import NOW, InMemoryFetch

DID = did_key.from_public(ISSUER.public)
HOLDER_DID = did_key.from_public(HOLDER.public)
KEYS = Keys(InMemoryFetch({}))
DRAFT = VC_JWT.draft


def issued(draft: Draft = DRAFT, **changes: Any) -> Credential:
    return vcjwt.issue(draft, **{"signer": ISSUER, "holder": HOLDER.public, "now": NOW, **changes})


def claims(credential: Credential) -> dict[str, Any]:
    return jose.parse(credential.wire, typ=None).claims


def crafted(*, header: Mapping[str, Any] | None = None, signer: Any = ISSUER, **changes: Any) -> Credential:
    """The ordinary credential with members of one's own; a member that is None is left out."""
    made = jose.parse(issued().wire, typ=None)
    whole = {name: value for name, value in {**made.claims, **changes}.items() if value is not None}
    return Credential(vcjwt.ID, jose.sign(whole, signer=signer, header={**made.header, **(header or {})}))


def checked(credential: Credential, keys: Any = KEYS, now: datetime = NOW) -> Opened:
    return vcjwt.check(credential, keys=keys, now=now)


def code(opened: Opened, check: Check) -> tuple[Outcome, str]:
    (finding,) = (finding for finding in opened.findings if finding.check is check)
    return finding.outcome, finding.code


def refusal(credential: Credential) -> str:
    with pytest.raises(SsiError) as refused:
        checked(credential)
    return refused.value.code


def presented(credential: Credential | None = None, *, holder: Any = HOLDER, challenge: Challenge = CHALLENGE,
              paths: tuple[Any, ...] = ()) -> Presentation:  # fmt: skip
    card = credential or issued()
    return vcjwt.derive(card, disclose=Disclosure(paths), challenge=challenge, holder=holder, now=NOW)


def reworked(*, signer: Any = HOLDER, header: Mapping[str, Any] | None = None, **changes: Any) -> Presentation:
    """The ordinary presentation, changed and signed again."""
    made = jose.parse(presented().wire, typ=None)
    whole = {name: value for name, value in {**made.claims, **changes}.items() if value is not None}
    head = {name: value for name, value in {**made.header, **(header or {})}.items() if value is not None}
    return Presentation(vcjwt.ID, jose.sign(whole, signer=signer, header=head))


def opened(
    presentation: Presentation, *, challenge: Challenge = CHALLENGE, keys: Any = KEYS, now: datetime = NOW
) -> Opened:
    return vcjwt.open(presentation, challenge=challenge, keys=keys, now=now)


def binding(presentation: Presentation, **changes: Any) -> tuple[Outcome, str]:
    return code(opened(presentation, **changes), Check.HOLDER_BINDING)


# --- issuing ----------------------------------------------------------------------------------------------------------


def test_a_credential_is_its_document_and_a_thin_envelope() -> None:
    card = issued()
    assert jose.parse(card.wire, typ=None).header == {
        "alg": "ES256",
        "typ": "vc+jwt",
        "cty": "vc",
        "kid": did_key.url(ISSUER.public),
    }
    assert claims(card) == {
        "iss": DID,
        "iat": seconds(NOW),
        "@context": ["https://www.w3.org/ns/credentials/v2", EXAMPLES],
        "id": "urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5",
        "type": ["VerifiableCredential", "ExamplePersonCredential"],
        "issuer": DID,
        "validFrom": "2026-11-19T12:00:00Z",
        "validUntil": "2027-11-20T12:00:00Z",
        "credentialSubject": {"id": HOLDER_DID, **DRAFT.claims},
    }
    read = checked(card)
    assert read.issued_at == NOW
    assert (read.valid_from, read.valid_until) == (DRAFT.valid_from, DRAFT.valid_until)
    assert not {"iss", "iat"} & read.claims.keys()


def test_the_issuer_may_be_described_and_its_chain_may_travel_along() -> None:
    described = replace(DRAFT, document={**DRAFT.document, "issuer": {"name": "Example Office"}})
    assert claims(issued(described))["issuer"] == {"name": "Example Office", "id": DID}
    assert checked(issued(described)).issuer.id == DID
    anchor = root()
    certified = replace(
        DRAFT, issuer=Issuer("https://issuer.test", x5c=(anchor.certify(ISSUER.public, dns="issuer.test"),))
    )
    read = checked(issued(certified))
    assert read.issuer == certified.issuer
    assert code(read, Check.SIGNATURE) == (Outcome.PASS, "vc.signed")


@pytest.mark.parametrize(
    ("issuer", "kid"),
    [
        (Issuer("https://issuer.test", "key-1"), "key-1"),
        (Issuer("https://issuer.test"), ISSUER.kid),
        (Issuer("did:web:issuer.test", "key-1"), "did:web:issuer.test#key-1"),
        (Issuer("did:web:issuer.test", "did:web:issuer.test#2"), "did:web:issuer.test#2"),
        (Issuer(did_jwk.from_public(ISSUER.public)), did_jwk.url(ISSUER.public)),
        (Issuer("did:web:issuer.test"), f"did:web:issuer.test#{ISSUER.kid}"),
    ],
)
def test_a_did_has_its_key_named_in_full(issuer: Issuer, kid: str) -> None:
    assert jose.parse(issued(replace(DRAFT, issuer=issuer)).wire, typ=None).header["kid"] == kid


def test_a_credential_can_name_both_kinds_of_status_list() -> None:
    bits = StatusRef("BitstringStatusListEntry", "https://issuer.test/bits/1", 94_567)
    more = StatusRef(bits.kind, bits.uri, 7, "message", 2, tuple((hex(n), f"state {n}") for n in range(4)))
    token = StatusRef("token_status_list", "https://issuer.test/lists/1", 3)
    for statuses in ((bits,), (bits, more), (token,), (more, token), ()):
        assert checked(issued(replace(DRAFT, statuses=statuses))).statuses == statuses
    with pytest.raises(Malformed):
        issued(replace(DRAFT, statuses=(token, token)))
    with pytest.raises(Unsupported) as refused:
        issued(replace(DRAFT, statuses=(StatusRef("unheard_of", "https://issuer.test", 1),)))
    assert refused.value.code == "vc.status"


@pytest.mark.parametrize(
    ("change", "code_"),
    [
        ({"type": ""}, "vc.type"),
        ({"issuer": Issuer(None)}, "vc.issuer"),
        ({"issuer": Issuer("not a url")}, "vcdm.issuer"),
        ({"claims": {"id": "did:example:1"}}, "vc.reserved_member"),
        ({"document": {"proof": {}}}, "vc.reserved_member"),
        ({"document": {"iss": "x"}}, "vc.reserved_member"),
        ({"document": {"issuer": {"id": "did:example:1"}}}, "vc.issuer"),
        ({"document": {"issuer": "did:example:1"}}, "vc.issuer"),
        ({"document": {"unheard_of": 1}}, "vcdm.term"),
        ({"document": {"id": "not a url"}}, "vcdm.id"),
        ({"claims": {}, "holder": None}, "vcdm.credentialSubject"),
    ],
)
def test_drafts_that_make_no_credential_are_refused(change: dict[str, Any], code_: str) -> None:
    holder = change.pop("holder", HOLDER.public)
    with pytest.raises(SsiError) as refused:
        issued(replace(DRAFT, **change), holder=holder)
    assert refused.value.code == code_


def test_members_of_ones_own_context_are_welcome() -> None:
    own = {"@context": [{"@vocab": "https://e.test/#", "grade": "https://e.test/#grade"}], "grade": 1}
    assert checked(issued(replace(DRAFT, document=own))).claims["grade"] == 1


# --- the envelope -----------------------------------------------------------------------------------------------------


def test_another_issuer_than_the_signer_has_failed() -> None:
    for changed in (
        crafted(issuer="did:web:somebody.test"),
        crafted(iss="https://somebody.test"),
        crafted(header={"iss": "https://somebody.test"}),
    ):
        assert code(checked(changed), Check.SIGNATURE) == (Outcome.FAIL, "vc.issuer_binding")
    both = crafted(issuer="did:web:somebody.test", iss="did:web:somebody.test")
    assert code(checked(both), Check.SIGNATURE) == (Outcome.FAIL, "issuerkeys.kid_of_another")
    other = crafted(signer=STRANGER, header={"kid": did_key.url(STRANGER.public)})
    assert code(checked(other), Check.SIGNATURE) == (Outcome.FAIL, "issuerkeys.kid_of_another")
    assert code(checked(crafted(signer=STRANGER)), Check.SIGNATURE) == (Outcome.FAIL, "jose.signature")


def test_envelope_and_document_do_not_contradict_each_other() -> None:
    assert refusal(crafted(jti="urn:uuid:1")) == "vcjose.conflict"
    assert refusal(crafted(sub="did:example:other")) == "vcjose.conflict"
    fine = crafted(jti=claims(issued())["id"], sub=HOLDER_DID)
    assert code(checked(fine), Check.SIGNATURE)[0] is Outcome.PASS
    assert not {"jti", "sub"} & checked(fine).claims.keys()


def test_an_https_issuer_is_found_by_the_keys_that_it_publishes() -> None:
    url = "https://issuer.test"
    published = write_json(metadata.document(url, jwk_set({"a": ISSUER.public, "b": STRANGER.public})))
    keys = Keys(InMemoryFetch({metadata.location(url): published}))
    for kid, outcome in (("a", Outcome.PASS), ("b", Outcome.FAIL), ("c", Outcome.FAIL)):
        card = issued(replace(DRAFT, issuer=Issuer(url, kid)))
        assert code(checked(card, keys), Check.SIGNATURE)[0] is outcome
    assert code(checked(issued(replace(DRAFT, issuer=Issuer(url, "a")))), Check.SIGNATURE)[0] is Outcome.UNKNOWN


@pytest.mark.parametrize("name", ["vc", "vp"])
def test_claims_of_the_old_kind_are_refused(name: str) -> None:
    assert refusal(crafted(**{name: {}})) == "vcjose.vc_claim"


@pytest.mark.parametrize("typ", ["JWT", "vp+jwt", "vc+sd-jwt", "vc", None, 1])
def test_the_media_type_must_be_the_formats_own(typ: Any) -> None:
    assert refusal(crafted(header={"typ": typ})) == "jose.typ"


def test_a_media_type_may_be_written_in_full() -> None:
    assert code(checked(crafted(header={"typ": "application/VC+JWT"})), Check.SIGNATURE)[0] is Outcome.PASS


def test_a_member_that_no_context_defines_is_refused() -> None:
    assert refusal(crafted(badExtension={"huh": "what?"})) == "vcdm.term"


def test_a_text_as_iat_says_nothing_and_a_wrong_number_is_refused() -> None:
    assert checked(crafted(iat="2010-01-01T19:23:24Z")).issued_at is None
    assert refusal(crafted(iat=-1)) == "encoding.numeric_date"
    assert refusal(crafted(exp="soon")) == "encoding.numeric_date"


@pytest.mark.parametrize(
    ("changes", "code_"),
    [
        ({"exp": seconds(NOW)}, "vc.signature_expired"),
        ({"nbf": seconds(NOW) + 120}, "vc.signed_in_future"),
        ({"iat": seconds(NOW) + 120}, "vc.signed_in_future"),
        ({"validUntil": "2026-11-20T11:59:59Z"}, "vcdm.expired"),
        ({"validFrom": "2026-11-20T12:02:00Z"}, "vcdm.not_yet_valid"),
    ],
)
def test_document_and_signature_have_their_times(changes: dict[str, Any], code_: str) -> None:
    assert code(checked(crafted(**changes)), Check.VALIDITY) == (Outcome.FAIL, code_)


# --- the holder -------------------------------------------------------------------------------------------------------


def test_a_credential_says_whom_it_is_bound_to() -> None:
    assert code(checked(issued()), Check.HOLDER_BINDING) == (Outcome.NOT_ASKED, "vc.bound")
    unbound = checked(issued(holder=None))
    assert (code(unbound, Check.HOLDER_BINDING), unbound.holder) == ((Outcome.NOT_ASKED, "vc.unbound"), None)
    by_cnf = checked(crafted(cnf={"jwk": STRANGER.public.jwk}))
    assert by_cnf.holder == STRANGER.public
    subject = {**claims(issued())["credentialSubject"], "id": "did:key:z1"}
    bad = checked(crafted(credentialSubject=subject))
    assert code(bad, Check.HOLDER_BINDING)[0] is Outcome.FAIL
    gone = checked(crafted(credentialSubject={**subject, "id": "did:web:holder.test"}))
    assert code(gone, Check.HOLDER_BINDING) == (Outcome.UNKNOWN, "fetch.unreachable")
    double = {"id": "did:web:holder.test", "authentication": []}
    bad_keys = Keys(InMemoryFetch({"https://holder.test/.well-known/did.json": write_json({**double, "id": "x"})}))
    elsewhere = checked(crafted(credentialSubject={**subject, "id": "did:web:holder.test"}), bad_keys)
    assert code(elsewhere, Check.HOLDER_BINDING)[0] is Outcome.FAIL
    many = checked(crafted(credentialSubject=[subject, {"id": HOLDER_DID}]))
    assert (code(many, Check.HOLDER_BINDING), many.holder) == ((Outcome.NOT_ASKED, "vc.unbound"), None)


def test_a_subject_with_several_keys_is_bound_to_whichever_is_named() -> None:
    signer = SoftwareSigner(HOLDER.public, HOLDER.native, "did:web:holder.test#2")
    keys = [{"id": f"did:web:holder.test#{n}", "type": "JsonWebKey2020", "controller": "did:web:holder.test",
             "publicKeyJwk": dict(key.jwk)} for n, key in ((1, STRANGER.public), (2, HOLDER.public))]  # fmt: skip
    document = {"id": "did:web:holder.test", "verificationMethod": keys,
                "authentication": [key["id"] for key in keys]}  # fmt: skip
    resolver = Keys(InMemoryFetch({"https://holder.test/.well-known/did.json": write_json(document)}))
    subject = {**claims(issued())["credentialSubject"], "id": "did:web:holder.test"}
    card = crafted(credentialSubject=subject)
    read = checked(card, resolver)
    assert (code(read, Check.HOLDER_BINDING), read.holder) == ((Outcome.NOT_ASKED, "vc.bound"), None)
    shown = presented(card, holder=signer)
    assert binding(shown, keys=resolver) == (Outcome.PASS, "vp.valid")
    assert opened(shown, keys=resolver).holder == HOLDER.public


def test_a_holder_of_another_key_cannot_present() -> None:
    cards = ((issued(), STRANGER), (issued(holder=None), HOLDER), (crafted(cnf={"jwk": STRANGER.public.jwk}), HOLDER))
    for card, holder in (*cards, (crafted(cnf="x"), HOLDER)):
        with pytest.raises(SsiError) as refused:
            presented(card, holder=holder)
        assert refused.value.code in ("vp.not_the_holder", "vp.cnf")
    assert binding(presented(crafted(cnf={"jwk": STRANGER.public.jwk}), holder=STRANGER)) == (Outcome.PASS, "vp.valid")


def test_a_presentation_is_an_envelope_around_the_credential() -> None:
    card = issued()
    made = jose.parse(presented(card).wire, typ=("vp+jwt",))
    assert made.header == {"alg": "ES256", "typ": "vp+jwt", "cty": "vp", "kid": did_key.url(HOLDER.public)}
    assert made.claims == {
        "iss": HOLDER_DID,
        "aud": CHALLENGE.audience,
        "nonce": CHALLENGE.nonce,
        "iat": seconds(NOW),
        "exp": seconds(NOW) + 300,
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": HOLDER_DID,
        "verifiableCredential": [
            {
                "@context": "https://www.w3.org/ns/credentials/v2",
                "type": "EnvelopedVerifiableCredential",
                "id": f"data:application/vc+jwt,{card.wire}",
            }
        ],
    }


@pytest.mark.parametrize(
    ("changes", "code_"),
    [
        ({"aud": "https://else.test"}, "vp.audience"),
        ({"aud": None}, "vp.audience"),
        ({"aud": [CHALLENGE.audience, "https://else.test"]}, "vp.audience"),
        ({"nonce": None}, "vp.nonce"),
        ({"iat": seconds(NOW) - 301, "exp": None}, "vp.old"),
        ({"iat": seconds(NOW) + 61}, "vp.future"),
        ({"iat": "now"}, "vp.form"),
        ({"exp": seconds(NOW)}, "vp.expired"),
        ({"nbf": seconds(NOW) + 61}, "vp.expired"),
        ({"holder": "did:example:other"}, "vp.holder"),
        ({"holder": {"id": "did:example:other"}, "iss": "did:example:other"}, "vp.holder"),
        ({"iss": "did:example:other"}, "vp.holder"),
        ({"signer": STRANGER}, "vp.signature"),
        ({"header": {"kid": did_key.url(STRANGER.public)}, "signer": STRANGER}, "vp.other_holder"),
        ({"header": {"kid": "another"}}, "did.no_such_key"),
    ],
)
def test_a_holders_proof_must_be_right_in_every_part(changes: dict[str, Any], code_: str) -> None:
    assert binding(reworked(**changes)) == (Outcome.FAIL, code_)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [CHALLENGE.audience]},
        {"iat": None, "exp": None, "iss": None, "holder": None},
        {"holder": {"id": HOLDER_DID}},
        {"header": {"kid": None}},
        {"header": {"kid": did_key.url(HOLDER.public).partition("#")[2]}},
    ],
)
def test_what_may_be_said_otherwise_may(changes: dict[str, Any]) -> None:
    assert binding(reworked(**changes)) == (Outcome.PASS, "vp.valid")


def test_presentations_hold_one_credential_of_the_format() -> None:
    inner = jose.parse(presented().wire, typ=None).claims["verifiableCredential"][0]
    other = {**inner, "id": "data:application/vc+sd-jwt,eyJ9~"}
    for held in ([inner, inner], [other], None):
        with pytest.raises(Malformed) as refused:
            opened(reworked(verifiableCredential=held))
        assert refused.value.code == "vc.one_credential"
    naked = claims(issued())
    naked = {name: value for name, value in naked.items() if name not in vcenvelope.MEMBERS}
    with pytest.raises(Malformed) as refused:
        opened(reworked(verifiableCredential=[naked]))
    assert refused.value.code == "vc.not_enveloped"


def test_transactions_are_not_confirmed_in_this_format() -> None:
    asking = replace(CHALLENGE, transaction_data=("e30",))
    with pytest.raises(Unsupported) as refused:
        presented(challenge=asking)
    assert refused.value.code == "vp.transaction"
    assert binding(presented(), challenge=asking) == (Outcome.FAIL, "vp.transaction")


def test_the_holders_key_is_looked_up_only_once_an_issuer_has_vouched() -> None:
    forged = crafted(signer=STRANGER)
    shown = opened(presented(forged))
    assert code(shown, Check.SIGNATURE)[0] is Outcome.FAIL
    assert code(shown, Check.HOLDER_BINDING) == (Outcome.UNKNOWN, "kb.not_looked_up")


# --- types ------------------------------------------------------------------------------------------------------------

VC = "https://www.w3.org/2018/credentials#VerifiableCredential"
PERSON = "https://www.w3.org/ns/credentials/examples#ExamplePersonCredential"


@pytest.mark.parametrize(
    ("meta", "met"),
    [
        ({}, True),
        ({"type_values": [[VC, PERSON]]}, True),
        ({"type_values": [["https://e.test/#Other"], [PERSON]]}, True),
        ({"type_values": [["ExamplePersonCredential"]]}, False),
        ({"type_values": [[VC, "https://e.test/#Other"]]}, False),
        ({"type_values": [[]]}, False),
        ({"type_values": []}, False),
        ({"type_values": "x"}, False),
        ({"vct_values": ["ExamplePersonCredential"]}, False),
    ],
)
def test_types_are_compared_in_full(meta: dict[str, Any], met: bool) -> None:
    assert vcjwt.meets(meta, checked(issued())) is met


def test_types_that_no_context_defines_stay_as_they_are() -> None:
    read = checked(issued(replace(DRAFT, document={}, type="IdentityCredential")))
    assert vcjwt.meets({"type_values": [["IdentityCredential", VC]]}, read)
    unknown = {**read.claims, "@context": [vcdm.V1, "https://unknown.test/", {"@vocab": "https://e.test/#"}]}
    assert vctypes.expanded(unknown) == {VC, "https://e.test/#IdentityCredential"}
    assert vctypes.expanded({"@context": ["x" * 5000], "type": "A"}) == {"A"}
    assert vctypes.expanded({"@context": [1j], "type": ["A"]}) == frozenset()
    assert vctypes.expanded({"@context": [{"@vocab": 1}], "type": ["A", 1]}) == {"A"}
    assert vcjwt.asked({"type_values": [[VC, PERSON], ["IdentityCredential"], [VC], 1]}) == (
        "ExamplePersonCredential",
        "IdentityCredential",
    )
    assert vcjwt.asked({}) == ()


def test_paths_are_told_as_the_subject_knows_them() -> None:
    assert vcjwt.within(("credentialSubject", 0, "name")) == ("name",)
    assert vcjwt.within(("issuer",)) == ("issuer",)
    assert vcdocs.prefixed((("a", 0),)) == (("credentialSubject", "a", 0),)


# --- the W3C suite's fixtures -----------------------------------------------------------------------------------------


def read(name: str, key: str, kind: vcjose.Kind, now: datetime = NOW) -> dict[Check, Outcome]:
    found = vcjwt.read_document(w3cvectors.text(name), keys=vcjose.OneKey(w3cvectors.public(key)), kind=kind, now=now)
    return {finding.check: finding.outcome for finding in found.findings}


GOOD = {Check.SIGNATURE: Outcome.PASS, Check.VALIDITY: Outcome.PASS}


@w3cvectors.needed
def test_the_suites_tokens_are_judged_as_it_says() -> None:
    assert read("credential-jose-minimal", "p256", "vc") == GOOD  # test 6
    then = datetime(2024, 12, 16, 2, tzinfo=UTC)
    assert read("presentation-jose-multiple", "p384", "vp", then) == GOOD  # test 7
    assert read("presentation-jose-multiple", "p384", "vp") == {**GOOD, Check.VALIDITY: Outcome.FAIL}  # expired since
    assert read("credential-issuer-match-signed", "ed25519", "vc") == GOOD  # test 8
    for name in ("credential-jose-unknown-extensions", "credential-jose-bad-signature"):  # tests 9, 12
        assert read(name, "ed25519", "vc") == {**GOOD, Check.SIGNATURE: Outcome.FAIL}


@w3cvectors.needed
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("credential-jose-bad-media-type", "vc"),  # test 13
        ("presentation-jose-bad-media-type", "vp"),  # test 14
        ("credential-jose-vc-vp-claims", "vc"),  # test 15
        ("presentation-jose-bad-credential", "vp"),  # test 16
    ],
)
def test_the_suites_bad_tokens_are_refused(name: str, kind: vcjose.Kind) -> None:
    with pytest.raises(SsiError):
        read(name, "ed25519", kind)


@w3cvectors.needed
@pytest.mark.parametrize(
    ("name", "key", "kind"),
    [
        ("credential-minimal", "p256", "vc"),  # tests 1 to 4
        ("credential-full", "p384", "vc"),
        ("presentation-single", "p256", "vp"),
        ("presentation-multiple", "p521", "vp"),
    ],
)
def test_the_suites_documents_are_secured_as_they_are(name: str, key: str, kind: vcjose.Kind) -> None:
    document, signer = w3cvectors.document(name), w3cvectors.signer(key)
    token = vcjwt.sign_document(document, signer=signer, kind=kind)
    assert jose.parse(token, typ=None).header["kid"] == signer.kid
    found = vcjwt.read_document(token, keys=vcjose.OneKey(signer.public), kind=kind, now=NOW)
    assert (found.document, {finding.outcome for finding in found.findings}) == (document, {Outcome.PASS})


@w3cvectors.needed
def test_a_document_with_unknown_extensions_is_not_secured() -> None:
    with pytest.raises(Malformed):  # test 5
        vcjwt.sign_document(w3cvectors.document("credential-unknown-extensions"), signer=ISSUER)


def test_one_key_is_for_its_algorithm_only() -> None:
    one = vcjose.OneKey(ISSUER.public)
    assert one.issuer_key(Issuer(None), alg="ES256", now=NOW).key == one.holder_key("x", now=NOW) == ISSUER.public
    assert one.method_key("did:example:1#a", relationship="authentication", now=NOW).controller == "did:example:1"
    with pytest.raises(Refused):
        one.issuer_key(Issuer(None), alg="EdDSA", now=NOW)
