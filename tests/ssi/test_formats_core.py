"""What every showing of a credential repeats: the bytes that a receipt is about, for each format and suite."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ssi import formats
from ssi.cose import sign1
from ssi.cose.cbor import Tag, decode, encode_in_order
from ssi.encoding import b64url, unb64url
from ssi.errors import Malformed, SsiError, Unsupported
from ssi.model import Credential, Disclosure, Presentation
from tests.ssi.drafts import CHALLENGE, HOLDER, SAMPLES, Sample
from tests.support import NOW

UNLINKABLE = [one for one in SAMPLES if "bbs" in one.id]
LINKABLE = [one for one in SAMPLES if one not in UNLINKABLE]
linkable = pytest.mark.parametrize("sample", LINKABLE, ids=lambda sample: sample.id)
unlinkable = pytest.mark.parametrize("sample", UNLINKABLE, ids=lambda sample: sample.id)


def test_there_are_both_kinds() -> None:
    assert {one.format.ID for one in LINKABLE} == {known.ID for known in formats.every()}
    assert UNLINKABLE


@linkable
def test_a_credential_and_all_that_is_shown_of_it_have_one_core(sample: Sample) -> None:
    credential = sample.issued()
    core = sample.format.core(credential.wire)
    shown = [
        sample.format.derive(credential, disclose=disclose, challenge=challenge, holder=HOLDER, now=NOW)
        for disclose in (Disclosure(()), Disclosure(((*sample.root, *sample.shows),)))
        for challenge in (CHALLENGE, replace(CHALLENGE, nonce="another"))
    ]
    assert core
    assert {sample.format.core(one.wire) for one in shown} == {core}
    assert len({one.wire for one in shown}) > 1


@linkable
def test_copies_have_cores_of_their_own(sample: Sample) -> None:
    other = replace(sample.draft, claims={**sample.draft.claims}, valid_until=None)
    copies = [sample.issued(), _again(sample, valid_from=NOW), _again(replace(sample, draft=other))]
    assert len({sample.format.core(one.wire) for one in copies}) > 1


@linkable
def test_the_core_changes_with_what_the_issuer_signed(sample: Sample) -> None:
    name = next(iter(sample.draft.claims))
    changed = replace(
        sample.draft, claims={n: v for n, v in sample.draft.claims.items() if n != name} or {"x": {"y": 1}}
    )
    try:
        other = _again(replace(sample, draft=replace(changed, disclosable=())))
    except SsiError:
        pytest.skip("the format wants all of these claims")
    assert sample.format.core(other.wire) != sample.format.core(sample.issued().wire)


@unlinkable
def test_what_is_there_not_to_be_linked_has_no_core(sample: Sample) -> None:
    assert sample.format.core(sample.issued().wire) is None
    assert sample.format.core(sample.shown().wire) is None


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
@pytest.mark.parametrize("wire", ["", "~", "{}", "a.b.c", "ö", "oA", '{"type": "VerifiablePresentation"}'])
def test_what_cannot_be_read_is_refused(sample: Sample, wire: str) -> None:
    if sample.format.ID in ("dc+sd-jwt", "vc+sd-jwt") and wire == "~":
        return
    with pytest.raises((Malformed, Unsupported)):
        sample.format.core(wire)


def test_tags_and_loose_headers_are_no_part_of_a_message() -> None:
    sample = next(one for one in SAMPLES if one.format.ID == "vc+cose")
    wire = sample.issued().wire
    bare = decode(unb64url(wire)).value
    loose = encode_in_order([bare[0], {99: "x"}, bare[2], bare[3]])
    assert sample.format.core(b64url(encode_in_order(bare))) == sample.format.core(wire)
    assert sample.format.core(b64url(loose)) == sample.format.core(wire)
    assert sign1.parse(loose).core == sign1.parse(encode_in_order(Tag(18, bare))).core


@pytest.mark.parametrize("sample", [one for one in LINKABLE if one.format.ID == "ldp_vc"], ids=lambda sample: sample.id)
def test_a_document_written_anew_is_the_same_document(sample: Sample) -> None:
    credential = sample.issued()
    shown = sample.format.derive(credential, disclose=Disclosure(()), challenge=CHALLENGE, holder=HOLDER, now=NOW)
    members = json.loads(shown.wire)
    turned = Presentation(shown.format, json.dumps(dict(reversed(members.items())), indent=1))
    assert sample.format.core(turned.wire) == sample.format.core(credential.wire) is not None


def _again(sample: Sample, **changes: Any) -> Credential:
    draft = replace(sample.draft, **changes)
    return sample.format.issue(draft, signer=sample.issuer, holder=HOLDER.public, now=NOW)
