"""What reviewers found in linked credentials: each of these was once believed, or took too long to refuse."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from ssi import suites
from ssi.dids import document as did_document
from ssi.dids import key as did_key
from ssi.dids import multikey
from ssi.encoding import b64url, base58
from ssi.errors import Malformed, Refused
from ssi.formats import ldp, ldproofs
from ssi.formats.typemetadata import Types
from ssi.issuerkeys import Keys
from ssi.keys import PublicKey, Signer, SoftwareSigner
from ssi.model import Check, Finding, Issuer, Opened, Outcome, Presentation, StatusRef
from ssi.suites import proofs
from ssi.trust.policies import UnsafeAnyone
from ssi.vcdm import digests
from tests.ssi.drafts import CHALLENGE, HOLDER, ISSUER, LDP, LDP_BBS
from tests.ssi.ldps import KEYS, SUBJECT, found, opened, presented
from tests.support import NOW, InMemoryFetch
from verifier.policy import Policy
from verifier.verify import Verdict, VerificationResult, Verifier

EXAMPLES = ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"]
PERSON = ["https://www.w3.org/ns/credentials/v2", "urn:facet:context:verified-person:1"]
HOLDER_ID = did_key.from_public(HOLDER.public)
EXPIRED, RUNNING = "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z"


def entry(purpose: str) -> dict[str, Any]:
    listed = {"statusListIndex": "5", "statusListCredential": f"https://issuer.test/{purpose}"}
    return {"type": "BitstringStatusListEntry", "statusPurpose": purpose, **listed}


def signed(signer: Signer, suite: str, *, mandatory: Any = None, **members: Any) -> dict[str, Any]:
    """A credential that any issuer could have made, not this house's alone."""
    said = {
        "@context": EXAMPLES,
        "id": "urn:uuid:1",
        "type": ["VerifiableCredential", "ExamplePersonCredential"],
        "issuer": did_key.from_public(signer.public),
        "validUntil": RUNNING,
        SUBJECT: {"id": HOLDER_ID, "given_name": "Erika", "age_over_18": False},
        **members,
    }
    url = did_key.url(signer.public)
    made = proofs.add(
        {name: value for name, value in said.items() if value is not None},
        suite=suites.by_name(suite),
        signer=signer,
        verification_method=url,
        created=NOW,
        mandatory=mandatory,
    )
    document: dict[str, Any] = json.loads(json.dumps(made))
    return document


def by_hand(suite: str, show: tuple[str, ...], **members: Any) -> dict[str, Any]:
    """The presentation of a holder who shows no more than the suite makes him."""
    signer = ISSUER if suite == "ecdsa-sd-2023" else LDP_BBS.issuer
    base = signed(signer, suite, **members)
    return presented(proofs.derive(base, pointers=[f"/{SUBJECT}/given_name", *show]))


# --- what a holder can leave out --------------------------------------------------------------------------------------


class Lists:
    """A `StatusChecker` over what is said of each list."""

    def __init__(self, said: Mapping[str, Outcome]) -> None:
        self.said = said

    def check(self, status: StatusRef, *, issuer: Issuer, now: Any) -> Finding:
        return Finding(Check.STATUS, self.said[status.purpose], "status.test", "Looked up.")


def judged(presentation: dict[str, Any], **said: Outcome) -> VerificationResult:
    verifier = Verifier(KEYS, Lists(said), Types(None))
    policy = Policy(trust=UnsafeAnyone(), types=frozenset({"ExamplePersonCredential"}))
    wire = json.dumps(presentation)
    return verifier.verify(Presentation(ldp.ID, wire), challenge=CHALLENGE, policy=policy, now=NOW)


def of(result: VerificationResult, check: Check) -> str:
    return next(finding.code for finding in result.findings if finding.check is check)


SELECTIVE = pytest.mark.parametrize("suite", ["ecdsa-sd-2023", "bbs-2023"])


@SELECTIVE
def test_an_end_that_could_be_hidden_is_not_taken_for_none(suite: str) -> None:
    result = judged(by_hand(suite, (), validUntil=EXPIRED))
    assert (of(result, Check.VALIDITY), result.verdict) == ("ldp.end_hideable", Verdict.COULD_NOT_CHECK)
    assert of(judged(by_hand(suite, ("/validUntil",), validUntil=EXPIRED)), Check.VALIDITY) == "vcdm.expired"


@SELECTIVE
def test_a_status_that_could_be_hidden_is_not_taken_for_none(suite: str) -> None:
    result = judged(by_hand(suite, ("/validUntil",), credentialStatus=entry("revocation")))
    assert (of(result, Check.STATUS), result.verdict) == ("status.hideable", Verdict.COULD_NOT_CHECK)


@SELECTIVE
@pytest.mark.parametrize("identifier", ["urn:uuid:1", None])
def test_one_of_two_statuses_does_not_stand_for_both(suite: str, identifier: str | None) -> None:
    said = {"revocation": Outcome.PASS, "suspension": Outcome.FAIL}
    two = {"credentialStatus": [entry("revocation"), entry("suspension")], "id": identifier}
    one = judged(by_hand(suite, ("/validUntil", "/credentialStatus/0"), **two), **said)
    assert (of(one, Check.STATUS), one.verdict) == ("status.hideable", Verdict.COULD_NOT_CHECK)
    both = judged(by_hand(suite, ("/validUntil", "/credentialStatus"), **two), **said)
    assert both.verdict is Verdict.NOT_VERIFIED
    fixed = by_hand(suite, (), mandatory=("/issuer", "/type", "/validUntil", "/credentialStatus"), **two)
    assert judged(fixed, **said).verdict is Verdict.NOT_VERIFIED
    well = judged(fixed, revocation=Outcome.PASS, suspension=Outcome.PASS)
    assert (of(well, Check.STATUS), well.verdict) == ("status.test", Verdict.VERIFIED)


def test_nothing_is_missing_where_the_whole_is_signed_too() -> None:
    whole = signed(ISSUER, "ecdsa-rdfc-2019", validUntil=None)
    assert judged(presented(whole)).verdict is Verdict.VERIFIED
    base = signed(ISSUER, "ecdsa-sd-2023", validUntil=None)
    held = ldproofs.secured(base, keys=KEYS, now=NOW, received=True)
    assert (held.signature.outcome, held.curtailed) == (Outcome.PASS, False)


# --- the same statements in other JSON --------------------------------------------------------------------------------


def signature(document: dict[str, Any]) -> Finding:
    return found(opened(presented(document)), Check.SIGNATURE)


@pytest.mark.parametrize(
    "written",
    [
        "false",
        [False],
        [False, False],
        {"@value": False},
        {"@value": "false", "@type": "http://www.w3.org/2001/XMLSchema#boolean"},
    ],
)
def test_no_is_not_written_so_that_programs_read_yes(written: Any) -> None:
    subject = {"id": HOLDER_ID, "given_name": "Erika", "age_over_18": False}
    card = signed(
        LDP.issuer,
        "eddsa-rdfc-2022",
        **{"@context": PERSON, "type": ["VerifiableCredential", "VerifiedPersonCredential"], SUBJECT: subject},
    )
    assert signature(card).outcome is Outcome.PASS
    card[SUBJECT]["age_over_18"] = written
    refused = signature(card)
    assert (refused.outcome, refused.code) == (Outcome.FAIL, "ldp.not_compacted")


def test_what_a_credential_says_of_itself_stands_at_its_top() -> None:
    subject = {"id": HOLDER_ID, "holds": {"id": "urn:uuid:1"}}
    card = signed(LDP.issuer, "eddsa-rdfc-2022", validUntil=EXPIRED, **{SUBJECT: subject})
    assert signature(card).outcome is Outcome.PASS
    card[SUBJECT]["holds"] |= {"type": "VerifiableCredential", "validUntil": card.pop("validUntil")}
    assert proofs.verdict(proofs.verify(card, keys=KEYS, purpose="assertionMethod", now=NOW)).outcome is Outcome.PASS
    assert signature(card).code == "ldp.not_compacted"


def test_contexts_appended_to_signed_json_mean_nothing() -> None:
    contexts = [EXAMPLES[0], "https://club.test/context"]
    card = signed(LDP.issuer, "eddsa-jcs-2022", **{"@context": contexts, "type": ["VerifiableCredential", "Passport"]})
    card["@context"] = [*contexts, {"Passport": "https://state.test/#Passport"}]
    result: Opened = ldproofs.open_credential(card, keys=KEYS, now=NOW)
    assert found(result, Check.SIGNATURE).outcome is Outcome.PASS
    assert result.claims["@context"] == contexts
    assert not ldp.meets({"type_values": [["https://state.test/#Passport"]]}, result)


# --- keys that have ended ---------------------------------------------------------------------------------------------

DID = "did:web:issuer.test"


def published(**ends: Any) -> dict[str, Any]:
    key = did_key.from_public(LDP.issuer.public).removeprefix("did:key:")
    method = {"id": f"{DID}#a", "type": "Multikey", "controller": DID, "publicKeyMultibase": key, **ends}
    return {"id": DID, "verificationMethod": [method], "assertionMethod": [f"{DID}#a"]}


@pytest.mark.parametrize("name", ["expires", "revoked"])
def test_a_key_that_has_ended_proves_nothing(name: str) -> None:
    made = proofs.add(
        {"@context": EXAMPLES, "id": "urn:x", "name": "y"},
        suite=suites.by_name("eddsa-rdfc-2022"),
        signer=LDP.issuer,
        verification_method=f"{DID}#a",
        created=NOW - timedelta(days=2),
    )
    for ago, code in ((timedelta(seconds=1), "did.revoked_key"), (timedelta(days=-1), "proof.valid")):
        at = (NOW - ago).strftime("%Y-%m-%dT%H:%M:%SZ")
        page = json.dumps(published(**{name: at})).encode()
        keys = Keys(InMemoryFetch({"https://issuer.test/.well-known/did.json": page}))
        (one,) = proofs.verify(made, keys=keys, purpose="assertionMethod", now=NOW)
        assert one.outcome.code == code


def test_the_first_of_two_ends_counts_and_must_be_a_time() -> None:
    read = did_document.parse(published(expires=RUNNING, revoked=EXPIRED), did=DID)
    with pytest.raises(Refused) as refused:
        read.key(f"{DID}#a", relationship="assertionMethod", now=NOW)
    assert refused.value.code == "did.revoked_key"
    for value in ("yesterday", 0, None, "2020-01-01T00:00:00", "99999-01-01T00:00:00Z"):
        with pytest.raises(Malformed) as malformed:
            did_document.parse(published(revoked=value), did=DID)
        assert malformed.value.code == "did.document"


@pytest.mark.parametrize(
    "point",
    [
        *(number.to_bytes(32, "little").hex() for number in (0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18)),
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ],
)
def test_a_key_under_which_anybody_can_sign_is_none(point: str) -> None:
    raw = bytes.fromhex(point)
    with pytest.raises(Malformed) as as_multikey:
        multikey.decode("z" + base58(b"\xed\x01" + raw))
    with pytest.raises(Malformed) as as_jwk:
        PublicKey.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": b64url(raw)})
    assert (as_multikey.value.code, as_jwk.value.code) == ("key.point", "key.point")


# --- work -------------------------------------------------------------------------------------------------------------


def test_costly_proofs_are_few() -> None:
    derived = proofs.derive(signed(ISSUER, "ecdsa-sd-2023"), pointers=[f"/{SUBJECT}"])
    many = {**derived, "proof": [{**derived["proof"], "id": f"urn:{n}"} for n in range(3)]}
    with pytest.raises(Malformed) as refused:
        proofs.verify(many, keys=KEYS, purpose="assertionMethod", now=NOW)
    assert refused.value.code == "proof.work"


def test_a_digest_has_a_length() -> None:
    with pytest.raises(Malformed) as refused:
        digests.sri("sha256-" + "A" * 1200)
    assert refused.value.code == "vcdm.digest"
    assert digests.sri("sha256-" + "A" * 43)[0][0] == "sha256"


# --- what has always held ---------------------------------------------------------------------------------------------


def test_nobody_shows_what_is_bound_to_another() -> None:
    thief = SoftwareSigner.generate("ES256")
    card = signed(LDP.issuer, "eddsa-rdfc-2022")
    for changes in ({}, {"document": {"holder": HOLDER_ID}}):
        result = opened(presented(card, by=thief, **changes))
        assert found(result, Check.HOLDER_BINDING).code == "vp.other_holder"
