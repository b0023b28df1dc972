"""ldp_vc: W3C credentials as JSON-LD documents that carry their own proofs (VCDM 2.0, Data Integrity 1.0).

With a selective suite the holder derives a document with less in it; with any other the whole is shown. A document
that breaks a MUST of the data model cannot be read and raises; proofs, times and the holder are judged and become
findings. Credentials of the Data Model 1.1 with older proofs are held, shown and verified too, but not issued here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from ssi import jcs, suites, vcdm
from ssi.encoding import Json, read_json_object, write_json
from ssi.errors import Malformed, Unsupported
from ssi.formats import ldparts, ldproofs, ldshape, vcdocs, vpclaims
from ssi.formats.ldproofs import open_credential, open_presentation
from ssi.formats.vcjose import key_name
from ssi.keys import PublicKey, Signer
from ssi.model import Challenge, ClaimPath, Credential, Disclosure, Draft, KeyResolver, Opened, Presentation
from ssi.suites import Suite, proofs

__all__ = ["ID", "MECHANICS", "asked", "check", "core", "derive", "issue", "meets", "open", "open_credential",
           "open_presentation", "whole", "within"]  # fmt: skip

ID: Final = ldproofs.ID
MECHANICS: frozenset[ClaimPath] = vcdocs.MECHANICS
Random = Callable[[int], bytes]

_WHOLE: Final[Mapping[str, str]] = {
    "EdDSA": "eddsa-rdfc-2022",
    "ES256": "ecdsa-rdfc-2019",
    "ES384": "ecdsa-rdfc-2019",
    "BBS": "bbs-2023",
}
_SELECTIVE: Final[Mapping[str, str]] = {"ES256": "ecdsa-sd-2023", "BBS": "bbs-2023"}
_OLD: Final[Mapping[str, str]] = {"EdDSA": "Ed25519Signature2020"}
"""How a holder signs where the credential itself is of the time before Data Integrity."""

meets = vcdocs.meets
asked = vcdocs.asked
within = vcdocs.within
whole = ldparts.together


def issue(
    draft: Draft, *, signer: Signer, holder: PublicKey | None, now: datetime, random: Random = secrets.token_bytes
) -> Credential:
    """Sign what the draft says, bound to the did:key of the holder's key; the suite is by the signer's algorithm.

    Raises Unsupported (`ldp.cannot_hide`, `ldp.algorithm`, `vc.status`), Malformed (`ldp.path`, `ldp.inline_context`,
    `ldp.not_compacted`, `vc.*`, `vcdm.*`, `jsonld.*`).
    """
    suite = _suite(signer.public, hides=bool(draft.disclosable))
    vcdocs.only_bitstrings(draft.statuses)
    document = vcdocs.write(draft, holder=holder, now=now)
    vcdm.credential(document)
    ldshape.check(document)
    fixed = ldparts.mandatory(document, vcdocs.prefixed(draft.disclosable)) if suite.SELECTIVE else None
    signed = proofs.add(
        document,
        suite=suite,
        signer=signer,
        verification_method=key_name(draft.issuer, signer),
        created=now,
        mandatory=fixed,
        random=random,
    )
    return Credential(ID, _written(signed))


def check(credential: Credential, *, keys: KeyResolver, now: datetime) -> Opened:
    """Open a credential as its holder received it, with its base proof. Raises Malformed, Unsupported."""
    found = ldproofs.secured(_read(credential.wire), keys=keys, now=now, received=True)
    bound = vpclaims.named(found.binding, keys=ldproofs.vouched(found, keys), now=now)
    return ldproofs.opened(found, bound, now=now)


def derive(
    credential: Credential,
    *,
    disclose: Disclosure,
    challenge: Challenge,
    holder: Signer,
    now: datetime,
    random: Random = secrets.token_bytes,
) -> Presentation:
    """Make the presentation that shows the chosen claims, signed by the holder (OpenID4VP 1.0 B.1.3.2).

    Raises Refused (`vc.no_such_claim`, `vp.not_the_holder`, `kb.challenge`), Unsupported (`vp.transaction`,
    `ldp.algorithm`), Malformed.
    """
    document = _read(credential.wire)
    model = vcdm.credential(document)
    url = vpclaims.holder_url(vpclaims.Binding(None, vcdocs.subject_id(model)), holder)
    vpclaims.refuse_empty(challenge)
    if challenge.transaction_data:
        raise Unsupported("vp.transaction", "Transactions cannot be confirmed with a credential of this format.")
    shown = _shown(document, disclose, challenge, random)
    presentation = {
        "@context": [model.contexts[0]],
        "type": ["VerifiablePresentation"],
        "holder": url.partition("#")[0],
        "verifiableCredential": [shown],
    }
    signed = proofs.add(
        presentation,
        suite=_holders_suite(model, document, holder.public),
        signer=holder,
        verification_method=url,
        purpose="authentication",
        created=now,
        domain=challenge.audience,
        challenge=challenge.nonce,
        random=random,
    )
    return Presentation(ID, _written(signed))


def open(presentation: Presentation, *, challenge: Challenge, keys: KeyResolver, now: datetime) -> Opened:
    """Open and judge a presentation of one credential against its challenge. Raises Malformed, Unsupported."""
    document = _read(presentation.wire)
    if "VerifiablePresentation" not in _types(document):
        found = ldproofs.secured(document, keys=keys, now=now)
        return ldproofs.opened(found, (vpclaims.MISSING, None), now=now)
    model = vcdm.presentation(document)
    found = ldproofs.secured(_only_one(model).document, keys=keys, now=now)
    bound = ldproofs.holder_binding(model, found, challenge=challenge, keys=keys, now=now)
    return ldproofs.opened(found, bound, now=now)


def core(wire: str) -> bytes | None:
    """What every showing of a credential repeats.

    Of a document that is shown whole, its canonical JSON (RFC 8785) with its proofs; of one that can be shown in parts,
    what its suite says. None for bbs-2023, which is there so that no two showings have anything in common: such a
    credential cannot be anchored by itself. Raises Malformed, Unsupported.
    """
    document = _read(wire)
    if "VerifiablePresentation" in _types(document):
        document = _only_one(vcdm.presentation(document)).document
    proofs_of_it = vcdm.proofs(document)
    if not proofs_of_it:
        raise Malformed("proof.none", "The credential has no proof.")
    for proof in proofs_of_it:
        if ldproofs.is_selective(proof) and "previousProof" not in proof:  # the one that is derived from
            return suites.selective_of(proof).core(proof)
    return jcs.canonicalize(document)


def _only_one(model: vcdm.PresentationModel) -> vcdm.Model:
    if len(model.credentials) != 1 or not isinstance(model.credentials[0], vcdm.Model):
        raise Malformed("ldp.one_credential", "The presentation does not hold exactly one credential of its format.")
    return model.credentials[0]


def _read(wire: str) -> Mapping[str, Json]:
    if wire.count("{") + wire.count("[") > ldproofs.MAX_VALUES:  # not even read
        raise Malformed("ldp.size", f"The document has more than {ldproofs.MAX_VALUES} values.")
    return ldproofs.bounded(read_json_object(wire, what="credential"))


def _written(document: Mapping[str, Json]) -> str:
    return write_json(document).decode()


def _types(document: Mapping[str, Json]) -> list[Json]:
    types = document.get("type")
    return types if isinstance(types, list) else [types]


def _suite(key: PublicKey, *, hides: bool) -> Suite:
    name = (_SELECTIVE if hides else _WHOLE).get(key.algorithm.name)
    if name is None and key.algorithm.name in _WHOLE:
        raise Unsupported("ldp.cannot_hide", "Claims cannot be hidden in a credential that is signed with this key.")
    if name is None:
        raise Unsupported("ldp.algorithm", "There is no suite for documents that are signed with this kind of key.")
    return suites.by_name(name)


def _holders_suite(model: vcdm.Model, document: Mapping[str, Json], key: PublicKey) -> Suite:
    """A peer that reads credentials of the old kind only reads presentations of the old kind only."""
    old = model.profile == "1.1" and all(one.get("type") != "DataIntegrityProof" for one in vcdm.proofs(document))
    if old and key.algorithm.name in _OLD:
        return suites.by_name(_OLD[key.algorithm.name])
    return _suite(key, hides=False)


def _shown(
    document: Mapping[str, Json], disclose: Disclosure, challenge: Challenge, random: Random
) -> Mapping[str, Json]:
    """The document that is shown: a derived one where the suite can hide, else the whole."""
    bare = {name: value for name, value in document.items() if name != "proof"}
    if not any(ldproofs.is_selective(one) for one in vcdm.proofs(document)):
        vcdocs.refuse_missing(bare, disclose)
        return document
    pointers = ldparts.chosen(bare, disclose.paths)
    return proofs.derive(document, pointers=pointers, challenge=challenge.nonce.encode(), random=random)
