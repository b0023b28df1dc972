"""bbs-2023: one signature over all statements, of which a holder shows some without being recognised by it.

The issuer signs what is mandatory as a hash and every other statement as a BBS message of its own. A holder proves to
know that signature and shows the statements that it chooses. Two proofs from one credential have nothing in common but
what they show. Steps and sections are those of Data Integrity BBS Cryptosuites 1.0 (April 2025).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ssi import bbs
from ssi.bbs import blind, pseudonyms
from ssi.encoding import Json
from ssi.errors import Malformed, Refused, Unsupported
from ssi.keys import MessagesSigner, PublicKey, Signer
from ssi.suites import bbs_values, selective, values
from ssi.suites.bbs_values import Base, Derived, Feature
from ssi.suites.configuration import canonical_options
from ssi.suites.selective import Group
from ssi.suites.values import DATA_INTEGRITY_CONTEXT, DATA_INTEGRITY_PROOF, Random

NAME: Final = "bbs-2023"
TYPE: Final = DATA_INTEGRITY_PROOF
CONTEXT: Final = DATA_INTEGRITY_CONTEXT
ALGORITHMS: Final = ("BBS",)
SELECTIVE: Final = True

MANDATORY: Final = ("/issuer",)
"""What cannot be hidden when the issuer does not say."""

Document = Mapping[str, Json]


@dataclass(frozen=True)
class HashData:
    """What an issuer signs (§3.4.3): the header over options and mandatory statements, and the other statements."""

    header: bytes
    messages: tuple[bytes, ...]


@dataclass(frozen=True)
class Disclosure:
    """What a holder shows (§3.3.3): the revealed document, its labels, and where its statements stand."""

    document: dict[str, Json]
    labels: Mapping[int, int]
    mandatory: tuple[int, ...]
    selective: tuple[int, ...]
    messages: tuple[bytes, ...]


# --- the issuer -------------------------------------------------------------------------------------------------------


def sign(
    document: Document, proof: Document, *, signer: Signer, mandatory: Sequence[str] | None, random: Random
) -> dict[str, Json]:
    """A base proof, for the holder only ("Create Base Proof", §3.4.1).

    Raises Malformed (`suite.pointer`, `jsonld.*`), Unsupported (`suite.key`, `bbs.messages`).
    """
    values.takes(ALGORITHMS, signer.public)
    if not isinstance(signer, MessagesSigner):
        raise Unsupported("suite.key", "The key cannot sign lists of messages.")
    pointers, hmac_key = MANDATORY if mandatory is None else tuple(mandatory), random(32)
    data = hash_data(document, proof, pointers=pointers, hmac_key=hmac_key)
    signature = signer.sign_all(data.header, data.messages)
    return {**proof, "proofValue": Base(signature, data.header, signer.public.x, hmac_key, pointers).write()}


def hash_data(document: Document, options: Document, *, pointers: Sequence[str], hmac_key: bytes) -> HashData:
    """Transformation and hashing of a document to be signed (§3.4.2, §3.4.3). Raises Malformed."""
    values.is_of(options, type=TYPE, name=NAME)
    make_labels = selective.shuffled_labels(hmac_key)
    grouped = selective.group(document, make_labels=make_labels, selections={"mandatory": pointers})
    fixed, open_ = _split(grouped.lines, whole(grouped.groups["mandatory"]))
    return HashData(_header(document, options, fixed), tuple(line.encode() for line in open_))


def _header(document: Document, options: Document, mandatory: Sequence[str]) -> bytes:
    """`bbsHeader` (§3.4.5 step 2): hash of the proof's options, hash of what is mandatory."""
    unsigned = {name: value for name, value in options.items() if name != "proofValue"}
    proof_hash = hashlib.sha256(canonical_options(document, unsigned)).digest()
    return proof_hash + hashlib.sha256("".join(mandatory).encode()).digest()


# --- the holder -------------------------------------------------------------------------------------------------------


def check_base(document: Document, proof: Document, *, key: PublicKey) -> tuple[str, ...]:
    """Is the base proof good? Returns the mandatory pointers.

    Raises Refused (`suite.signature`, `suite.derived_proof`), Malformed, Unsupported (`suite.key`, `suite.feature`).
    """
    values.takes(ALGORITHMS, key)
    base = _baseline(bbs_values.read_base(proof))
    data = base_data(document, proof, base, key=key)
    try:
        bbs.verify(key.x, base.signature, data.header, data.messages)
    except Refused:
        raise _mismatch() from None
    return base.pointers


def base_data(document: Document, proof: Document, base: Base, *, key: PublicKey) -> HashData:
    """What a base proof must be over. Raises Refused (`suite.signature`) when it says otherwise itself, Malformed."""
    data = hash_data(document, proof, pointers=base.pointers, hmac_key=base.hmac_key)
    if (data.header, key.x) != (base.header, base.public):
        raise _mismatch()
    return data


def derive(
    document: Document, proof: Document, *, pointers: Sequence[str], challenge: bytes, random: Random
) -> dict[str, Json]:
    """The revealed document with its derived proof ("Add Derived Proof", §3.4.6), bound to `challenge`.

    Raises Malformed (`suite.pointer`, `suite.components`), Refused (`suite.derived_proof`), Unsupported.
    """
    base = _baseline(bbs_values.read_base(proof))
    shown = disclose(document, base, pointers=pointers)
    made = bbs.prove(
        base.public, base.signature, base.header, challenge, shown.messages, shown.selective, random=random
    )
    derived = Derived(made, shown.labels, shown.mandatory, shown.selective, challenge)
    return {**shown.document, "proof": {**proof, "proofValue": derived.write()}}


def disclose(document: Document, base: Base, *, pointers: Sequence[str]) -> Disclosure:
    """What is shown when these pointers are chosen (`createDisclosureData`, §3.3.3).

    Raises Malformed (`suite.pointer`, `jsonld.*`).
    """
    combined = (*base.pointers, *pointers)
    grouped = selective.group(
        document,
        make_labels=selective.shuffled_labels(base.hmac_key),
        selections={"mandatory": base.pointers, "combined": combined},
    )
    fixed, shown = whole(grouped.groups["mandatory"]), grouped.groups["combined"]
    places = sorted(whole(shown))
    open_ = [place for place in range(len(grouped.lines)) if place not in fixed]
    labels = selective.verifier_labels(shown, grouped.labels)
    return Disclosure(
        document=selective.revealed(document, combined),
        labels={int(key.removeprefix("c14n")): int(label.removeprefix("b")) for key, label in labels.items()},
        mandatory=tuple(place for place, absolute in enumerate(places) if absolute in fixed),
        selective=tuple(place for place, absolute in enumerate(open_) if absolute in shown.places),
        messages=tuple(grouped.lines[place].encode() for place in open_),
    )


def whole(group: Group) -> frozenset[int]:
    """The places of a selection, when each of its statements is one of the document's. Raises Malformed."""
    if len(group.places) != len(set(group.quads)):
        raise Malformed("suite.pointer", "A pointer names a part of what can only be shown as a whole.")
    return group.places


# --- the verifier -----------------------------------------------------------------------------------------------------


def verify(document: Document, proof: Document, *, key: PublicKey) -> None:
    """Return when the derived proof is the key's ("Verify Derived Proof", §3.4.7).

    A proof with holder binding holds only when its prover knows the secret. One with a pseudonym says that the prover
    has that pseudonym in the context that the proof names: whether that is the context it is shown in is for callers
    to compare (`ssi.suites.bbs_bound.pseudonym`).
    Raises Refused (`suite.signature`, `suite.base_proof`), Malformed, Unsupported (`suite.key`, `bbs.messages`).
    """
    verify_shown(document, proof, key=key)


def verify_shown(document: Document, proof: Document, *, key: PublicKey) -> tuple[str, ...]:
    """As `verify`; returns the mandatory statements, of which the holder cannot have hidden any."""
    values.takes(ALGORITHMS, key)
    values.is_of(proof, type=TYPE, name=NAME)
    derived = bbs_values.read_derived(proof)
    lines = selective.labeled(document, {f"c14n{key}": f"b{label}" for key, label in derived.labels.items()})
    if derived.mandatory and derived.mandatory[-1] >= len(lines):
        raise Malformed("suite.components", "The proof names statements that the document does not make.")
    fixed, open_ = _split(lines, frozenset(derived.mandatory))
    if len(open_) != len(derived.selective):
        raise Malformed("suite.components", "The proof does not have a place for each statement.")
    shown = {place: line.encode() for place, line in zip(derived.selective, open_, strict=True)}
    try:
        _verified(key.x, derived, _header(document, proof, fixed), shown)
    except Refused:
        raise _mismatch() from None
    return tuple(fixed)


def core(_proof: Document) -> None:
    """Nothing: a derived proof shares no bytes with its base proof or with another, so showings cannot be linked."""


def _verified(public: bytes, derived: Derived, header: bytes, shown: Mapping[int, bytes]) -> None:
    """§3.4.7 step 6, by feature."""
    if derived.feature is Feature.BASELINE:
        bbs.verify_proof(public, derived.proof, header, derived.presentation_header, shown)
    elif derived.feature.nym:
        pseudonyms.verify_proof(
            public,
            derived.proof,
            header,
            derived.presentation_header,
            shown,
            pseudonym=derived.pseudonym,
            context=derived.domain.encode(),
            messages=derived.messages,
            secrets=derived.feature.held,
        )
    else:
        blind.verify_proof(public, derived.proof, header, derived.presentation_header, shown, messages=derived.messages)


def _baseline(base: Base) -> Base:
    if base.feature is not Feature.BASELINE:
        raise Unsupported("suite.feature", "The proof is bound to secrets of its holder, which are needed to use it.")
    return base


def _mismatch() -> Refused:
    return Refused("suite.signature", "The proof's signature does not match the document.")


def _split(lines: Sequence[str], mandatory: frozenset[int]) -> tuple[list[str], list[str]]:
    fixed = [line for place, line in enumerate(lines) if place in mandatory]
    return fixed, [line for place, line in enumerate(lines) if place not in mandatory]
