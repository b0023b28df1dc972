"""bbs-2023 end to end: what is shown holds, what is hidden stays hidden, and nothing else is accepted."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssi import bbs
from ssi.bbs import BbsSigner
from ssi.errors import SsiError
from ssi.keys import PublicKey, SoftwareSigner
from ssi.suites import bbs_2023, bbs_bound, bbs_values
from ssi.suites.bbs_bound import Held
from ssi.suites.bbs_values import Feature
from ssi.suites.selective import Group

SIGNER = BbsSigner.from_secret(bbs.secret_key(b"not a secret, for tests only, 32+"))
KEY = SIGNER.public
OTHER = BbsSigner.from_secret(bbs.secret_key(b"another secret, for tests only, 32+"))
DOCUMENT: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
    "type": ["VerifiableCredential", "ExamplePersonCredential"],
    "issuer": "did:example:issuer",
    "validUntil": "2030-01-01T00:00:00Z",
    "credentialSubject": {
        "id": "did:example:subject",
        "givenName": "Ada",
        "familyName": "Lovelace",
        "nationalities": ["GB", "FR"],
        "address": {"type": "ExampleAddress", "locality": "London", "street": "St James's Square 12"},
    },
}
OPTIONS = {
    "type": "DataIntegrityProof",
    "cryptosuite": "bbs-2023",
    "created": "2026-11-20T12:00:00Z",
    "verificationMethod": "did:example:issuer#key-1",
    "proofPurpose": "assertionMethod",
}
MANDATORY = ["/issuer", "/validUntil"]
CHALLENGE = b"nonce of the verifier"


def source(seed: bytes = b"seed") -> Callable[[int], bytes]:
    """Bytes that look random and are the same in every run."""
    numbers = count()
    return lambda size: hashlib.shake_256(seed + next(numbers).to_bytes(4, "big")).digest(size)


def code(call: Callable[[], object]) -> str:
    with pytest.raises(SsiError) as caught:
        call()
    return caught.value.code


BASE = bbs_2023.sign(DOCUMENT, OPTIONS, signer=SIGNER, mandatory=MANDATORY, random=source())


def shown(*pointers: str, seed: bytes = b"holder") -> tuple[dict[str, Any], dict[str, Any]]:
    """The revealed document without its proof, and the derived proof."""
    made = bbs_2023.derive(DOCUMENT, BASE, pointers=pointers, challenge=CHALLENGE, random=source(seed))
    proof = made.pop("proof")
    return made, dict(proof)


def verify(document: Any, proof: Any, key: PublicKey = KEY) -> None:
    bbs_2023.verify(document, proof, key=key)


@pytest.mark.parametrize(
    "pointers",
    [
        (),
        ("/credentialSubject/givenName",),
        ("/credentialSubject/address/locality", "/credentialSubject/nationalities"),
        ("/credentialSubject",),
        ("/credentialSubject/nationalities/1", "/credentialSubject/address/type"),
        ("",),
    ],
)
def test_what_is_shown_holds(pointers: tuple[str, ...]) -> None:
    assert list(bbs_2023.check_base(DOCUMENT, BASE, key=KEY)) == MANDATORY
    document, proof = shown(*pointers)
    verify(document, proof)
    assert document["issuer"] == DOCUMENT["issuer"]
    assert document["validUntil"] == DOCUMENT["validUntil"]
    assert bbs_values.read_derived(proof).presentation_header == CHALLENGE


def test_what_is_hidden_is_nowhere() -> None:
    document, proof = shown("/credentialSubject/givenName")
    assert document["credentialSubject"] == {"id": "did:example:subject", "givenName": "Ada"}
    base, derived = bbs_values.read_base(BASE), bbs_values.read_derived(proof)
    for secret in (base.signature[:48], base.signature[48:], base.hmac_key):
        assert secret not in derived.proof
    assert "Lovelace" not in json.dumps(document)


def test_two_derived_proofs_have_nothing_in_common() -> None:
    _, one = shown("/credentialSubject/givenName", seed=b"1")
    _, two = shown("/credentialSubject/givenName", seed=b"2")
    left, right = (bbs_values.read_derived(proof) for proof in (one, two))
    assert replace(left, proof=b"") == replace(right, proof=b"")
    pieces = [{each.proof[at : at + 16] for at in range(len(each.proof) - 15)} for each in (left, right)]
    assert not pieces[0] & pieces[1]


def test_the_default_keeps_the_issuer_mandatory() -> None:
    made = bbs_2023.sign(DOCUMENT, OPTIONS, signer=SIGNER, mandatory=None, random=source())
    assert bbs_2023.check_base(DOCUMENT, made, key=KEY) == ("/issuer",)
    everything_open = bbs_2023.sign(DOCUMENT, OPTIONS, signer=SIGNER, mandatory=[], random=source())
    assert bbs_2023.check_base(DOCUMENT, everything_open, key=KEY) == ()


def test_keys_of_other_kinds_are_refused() -> None:
    other = SoftwareSigner.generate("ES256")
    sign = partial(bbs_2023.sign, DOCUMENT, OPTIONS, mandatory=None, random=source())
    assert code(lambda: sign(signer=other)) == "suite.key"
    document, proof = shown()
    assert code(lambda: verify(document, proof, other.public)) == "suite.key"
    assert code(lambda: bbs_2023.check_base(DOCUMENT, BASE, key=other.public)) == "suite.key"

    class Handle:
        """A handle of a BBS key that only knows how to sign single messages."""

        kid, public = "k", KEY

        def sign(self, message: bytes) -> bytes:
            return b""

    assert code(lambda: sign(signer=Handle())) == "suite.key"


def test_another_key_is_refused() -> None:
    document, proof = shown()
    assert code(lambda: verify(document, proof, OTHER.public)) == "suite.signature"
    assert code(lambda: bbs_2023.check_base(DOCUMENT, BASE, key=OTHER.public)) == "suite.signature"
    forged = bbs_values.read_base(BASE)
    relabelled = {**BASE, "proofValue": replace(forged, public=OTHER.public.x).write()}
    assert code(lambda: bbs_2023.check_base(DOCUMENT, relabelled, key=OTHER.public)) == "suite.signature"
    unsigned = {**BASE, "proofValue": replace(forged, signature=OTHER.sign_all(b"", [])).write()}
    assert code(lambda: bbs_2023.check_base(DOCUMENT, unsigned, key=KEY)) == "suite.signature"
    assert code(lambda: verify(document, proof, PublicKey.bbs(bytes(96)))) == "bbs.key"


def test_base_and_derived_proofs_have_their_places() -> None:
    document, proof = shown()
    assert code(lambda: verify(DOCUMENT, BASE)) == "suite.base_proof"
    assert code(lambda: bbs_2023.check_base(document, proof, key=KEY)) == "suite.derived_proof"
    derive = partial(bbs_2023.derive, document, proof, challenge=b"", random=source())
    assert code(lambda: derive(pointers=["/issuer"])) == "suite.derived_proof"


@pytest.mark.parametrize("place", [("issuer",), ("validUntil",), ("credentialSubject", "givenName")])
def test_a_changed_value_is_refused(place: tuple[str, ...]) -> None:
    document, proof = shown("/credentialSubject/givenName")
    changed = copy.deepcopy(document)
    inner = changed
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = {"issuer": "did:example:other", "validUntil": "2040-01-01T00:00:00Z"}.get(place[-1], "Eve")
    assert code(lambda: verify(changed, proof)) == "suite.signature"


def test_more_or_fewer_statements_are_refused() -> None:
    document, proof = shown("/credentialSubject/givenName")
    more = {**document, "credentialSubject": {**document["credentialSubject"], "familyName": "Byron"}}
    fewer = {**document, "credentialSubject": {"id": "did:example:subject"}}
    without = {name: value for name, value in document.items() if name != "validUntil"}
    assert code(lambda: verify(more, proof)) == "suite.components"
    assert code(lambda: verify(fewer, proof)) == "suite.components"
    assert code(lambda: verify(without, proof)) in ("suite.components", "suite.signature")


@pytest.mark.parametrize(
    "changes",
    [
        {"mandatory": (0, 1, 2, 3)},
        {"mandatory": (99,)},
        {"selective": (0,)},
        {"selective": (0, 1, 2, 3, 4, 5, 6)},
        {"presentation_header": b"another verifier's"},
        {"labels": {}},
        {"labels": {0: 1}},
        {"proof": b""},
        {"proof": bytes(272)},
        {"feature": Feature.HOLDER_BINDING, "messages": 9},
        {"feature": Feature.PSEUDONYM, "messages": 9, "pseudonym": bytes(48)},
    ],
)
def test_a_proof_with_a_changed_part_is_refused(changes: dict[str, Any]) -> None:
    document, proof = shown("/credentialSubject/givenName", "/credentialSubject/address/locality")
    parts = replace(bbs_values.read_derived(proof), **changes)
    with pytest.raises(SsiError):
        verify(document, {**proof, "proofValue": parts.write()})


@pytest.mark.parametrize(
    "changes",
    [
        {"created": "2026-11-20T12:00:01Z"},
        {"proofPurpose": "authentication"},
        {"verificationMethod": "did:example:issuer#key-2"},
        {"expires": "2031-01-01T00:00:00Z"},
    ],
)
def test_a_proof_with_changed_options_is_refused(changes: dict[str, str]) -> None:
    document, proof = shown("/credentialSubject/givenName")
    assert code(lambda: verify(document, {**proof, **changes})) == "suite.signature"


def test_another_suites_proof_is_not_taken() -> None:
    document, proof = shown()
    assert code(lambda: verify(document, {**proof, "cryptosuite": "ecdsa-sd-2023"})) == "suite.mismatch"
    sign = partial(bbs_2023.sign, DOCUMENT, signer=SIGNER, mandatory=None, random=source())
    assert code(lambda: sign({**OPTIONS, "cryptosuite": "eddsa-rdfc-2022"})) == "suite.mismatch"


@pytest.mark.parametrize("pointer", ["/nothing", "issuer", "/credentialSubject/nationalities/2", "/~2"])
def test_pointers_that_mean_nothing_are_refused(pointer: str) -> None:
    derive = partial(bbs_2023.derive, DOCUMENT, BASE, challenge=b"", random=source())
    assert "pointer" in code(lambda: derive(pointers=[pointer]))
    sign = partial(bbs_2023.sign, DOCUMENT, OPTIONS, signer=SIGNER, random=source())
    assert "pointer" in code(lambda: sign(mandatory=[pointer]))


def test_a_list_is_shown_as_a_whole_or_not_at_all() -> None:
    context = {"route": {"@id": "urn:example:route", "@container": "@list"}}
    document = {
        **DOCUMENT,
        "@context": [DOCUMENT["@context"][0], context],
        "type": ["VerifiableCredential"],
        "credentialSubject": {"id": "did:example:subject", "route": ["a", "b", "c"]},
    }
    base = bbs_2023.sign(document, OPTIONS, signer=SIGNER, mandatory=MANDATORY, random=source())
    derive = partial(bbs_2023.derive, document, base, challenge=b"", random=source())
    made = derive(pointers=["/credentialSubject/route"])
    proof = made.pop("proof")
    verify(made, proof)
    assert code(lambda: derive(pointers=["/credentialSubject/route/1"])) == "suite.pointer"
    assert code(lambda: bbs_2023.whole(Group(frozenset((0,)), ("one", "another")))) == "suite.pointer"


def test_an_undefined_term_is_never_signed() -> None:
    unknown = {**DOCUMENT, "@context": DOCUMENT["@context"][:1]}
    sign = partial(bbs_2023.sign, unknown, OPTIONS, signer=SIGNER, mandatory=None, random=source())
    assert code(sign).startswith("jsonld.")


def test_too_many_statements_are_refused() -> None:
    long = {**DOCUMENT, "credentialSubject": {"id": "did:example:subject", "tags": [f"{n}" for n in range(250)]}}
    sign = partial(bbs_2023.sign, long, OPTIONS, signer=SIGNER, mandatory=None, random=source())
    assert code(sign) == "bbs.messages"


# --- bound to the holder ----------------------------------------------------------------------------------------------

FEATURES = [Feature.HOLDER_BINDING, Feature.PSEUDONYM, Feature.HOLDER_BINDING_PSEUDONYM]
each = pytest.mark.parametrize("feature", FEATURES)
CONTEXT = "https://verifier.test"


def bound(feature: Feature, seed: bytes = b"holder") -> tuple[dict[str, Any], Held]:
    """A base proof over a holder's commitment, and what the holder keeps."""
    commitment, held = bbs_bound.request(feature, random=source(seed))
    sign = partial(bbs_bound.sign, DOCUMENT, OPTIONS, signer=SIGNER, mandatory=None, random=source(b"issuer"))
    return sign(feature=feature, commitment=commitment), held


def present(proof: Any, held: Held, context: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    made = bbs_bound.derive(
        DOCUMENT,
        proof,
        held=held,
        pointers=["/credentialSubject/givenName"],
        challenge=CHALLENGE,
        context=context,
        random=source(b"presentation"),
    )
    derived = made.pop("proof")
    return made, derived


@each
def test_a_bound_credential_from_end_to_end(feature: Feature) -> None:
    proof, held = bound(feature)
    assert bbs_bound.check_base(DOCUMENT, proof, key=KEY, held=held) == ("/issuer",)
    document, derived = present(proof, held, CONTEXT * feature.nym)
    verify(document, derived)
    assert bbs_values.read_derived(derived).feature is feature
    if feature.nym:
        context, here = bbs_bound.pseudonym(derived)
        _, elsewhere = present(proof, held, "https://other.test")
        assert context == CONTEXT
        assert bbs_bound.pseudonym(elsewhere)[1] != here
    else:
        assert code(lambda: bbs_bound.pseudonym(derived)) == "suite.feature"
    assert code(lambda: bbs_bound.pseudonym(proof)) in ("suite.base_proof", "suite.feature")


@each
def test_a_thief_without_the_secrets_can_do_nothing(feature: Feature) -> None:
    proof, _ = bound(feature)
    _, stranger = bound(feature, b"stranger")
    assert code(lambda: bbs_bound.check_base(DOCUMENT, proof, key=KEY, held=stranger)) == "suite.signature"
    document, derived = present(proof, stranger, CONTEXT * feature.nym)
    assert code(lambda: verify(document, derived)) == "suite.signature"
    assert code(lambda: bbs_2023.check_base(DOCUMENT, proof, key=KEY)) == "suite.feature"
    plain = partial(bbs_2023.derive, DOCUMENT, proof, pointers=[], challenge=b"", random=source())
    assert code(plain) == "suite.feature"
    downgraded = replace(bbs_values.read_base(proof), feature=Feature.BASELINE, nym_entropy=b"")
    proof = {**proof, "proofValue": downgraded.write()}
    assert code(lambda: bbs_2023.check_base(DOCUMENT, proof, key=KEY)) == "suite.signature"
    made = bbs_2023.derive(DOCUMENT, proof, pointers=[], challenge=b"", random=source())
    stolen = made.pop("proof")
    assert code(lambda: verify(made, stolen)) == "suite.signature"


def test_features_are_not_mixed() -> None:
    proof, held = bound(Feature.HOLDER_BINDING)
    _, other = bound(Feature.PSEUDONYM)
    assert code(lambda: present(proof, other)) == "suite.feature"
    assert code(lambda: present(proof, held, CONTEXT)) == "suite.context"
    nym_proof, nym_held = bound(Feature.PSEUDONYM)
    assert code(lambda: present(nym_proof, nym_held)) == "suite.context"
    assert code(lambda: bbs_bound.request(Feature.BASELINE, random=source())) == "suite.feature"
    commitment, _ = bbs_bound.request(Feature.HOLDER_BINDING, random=source())
    sign = partial(bbs_bound.sign, DOCUMENT, OPTIONS, signer=SIGNER, mandatory=None, random=source())
    assert code(lambda: sign(feature=Feature.BASELINE, commitment=commitment)) == "suite.feature"
    assert code(lambda: sign(feature=Feature.HOLDER_BINDING_PSEUDONYM, commitment=commitment)) == "bbs.length"
    assert code(lambda: sign(feature=Feature.PSEUDONYM, commitment=commitment)) == "bbs.commitment"


def test_a_reissued_credential_keeps_its_holders_pseudonyms() -> None:
    commitment, held = bbs_bound.request(Feature.PSEUDONYM, random=source())
    sign = partial(bbs_bound.sign, DOCUMENT, OPTIONS, signer=SIGNER, feature=Feature.PSEUDONYM, commitment=commitment)
    first = sign(mandatory=MANDATORY, random=source(b"1"))
    again = sign(mandatory=None, random=source(b"2"), nym_entropy=bbs_values.read_base(first).nym_entropy)
    pseudonyms = {bbs_bound.pseudonym(present(proof, held, CONTEXT)[1]) for proof in (first, again)}
    assert len(pseudonyms) == 1


def test_what_a_holder_keeps_is_not_shown() -> None:
    _, held = bound(Feature.HOLDER_BINDING_PSEUDONYM)
    for secret in (held.holder_secret, held.prover_nym, held.blind):
        assert repr(secret) not in repr(held)
        assert secret.hex() not in repr(held)


# --- anything ---------------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*DOCUMENT, "extra"]), json_values), st.sampled_from([*OPTIONS, "x"]), json_values
)
def test_any_document_and_proof_are_read_or_refused(document: Any, name: str, value: Any) -> None:
    _, proof = shown()
    changed = {**proof, name: value}
    for call in (verify, partial(bbs_2023.check_base, key=KEY), lambda d, p: bbs_2023.derive(d, p, **NOTHING)):
        for each_document in (document, {**DOCUMENT, **document}):
            for each_proof in (changed, {**BASE, **changed}):
                try:
                    call(each_document, each_proof)
                except SsiError:
                    continue


NOTHING: dict[str, Any] = {"pointers": ["/issuer"], "challenge": b"", "random": source()}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2000), st.integers(1, 63))
def test_any_changed_character_is_refused(at: int, by: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    document, proof = SHOWN
    text = proof["proofValue"]
    at = 1 + at % (len(text) - 1)
    changed = text[:at] + alphabet[(alphabet.index(text[at]) + by) % 64] + text[at + 1 :]
    with pytest.raises(SsiError):
        verify(document, {**proof, "proofValue": changed})


SHOWN = shown("/credentialSubject/givenName")
