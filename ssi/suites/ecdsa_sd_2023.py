"""ecdsa-sd-2023: a signature for each statement, so that a holder can show some (Data Integrity ECDSA 1.0 §3.6).

The issuer signs what is mandatory together with a key made for this one proof, and every other statement with that
key. A holder passes on the signatures of the statements that are shown. Two presentations of one credential can be
linked by its signatures: where that matters, there is bbs-2023.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from ssi.encoding import Json, b64url, unb64url
from ssi.errors import Malformed, Refused
from ssi.keys import PublicKey, Signer
from ssi.suites import components, selective, values
from ssi.suites.configuration import canonical_options
from ssi.suites.selective import Labels
from ssi.suites.values import DATA_INTEGRITY_CONTEXT, DATA_INTEGRITY_PROOF, Random

NAME: Final = "ecdsa-sd-2023"
TYPE: Final = DATA_INTEGRITY_PROOF
CONTEXT: Final = DATA_INTEGRITY_CONTEXT
ALGORITHMS: Final = ("ES256",)
SELECTIVE: Final = True

MANDATORY: Final = ("/issuer",)
"""What cannot be hidden when the issuer does not say."""

MAX_STATEMENTS: Final = 256
_BASE: Final = b"\xd9\x5d\x00"
_DERIVED: Final = b"\xd9\x5d\x01"
_P256_PREFIX: Final = b"\x80\x24"
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ES256: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
Document = Mapping[str, Json]


@dataclass(frozen=True)
class Base:
    """A base proof's parts (§3.5.3)."""

    signature: bytes
    public_key: bytes
    hmac_key: bytes
    signatures: tuple[bytes, ...]
    mandatory: tuple[str, ...]


@dataclass(frozen=True)
class Derived:
    """A derived proof's parts (§3.5.8); `labels` are lasting labels by a verifier's canonical ones."""

    signature: bytes
    public_key: bytes
    signatures: tuple[bytes, ...]
    labels: Labels
    mandatory: tuple[int, ...]


# --- the issuer -------------------------------------------------------------------------------------------------------


def sign(
    document: Document, proof: Document, *, signer: Signer, mandatory: Sequence[str] | None, random: Random
) -> dict[str, Json]:
    """A base proof, for the holder only ("Create Base Proof", §3.6.1).

    Raises Malformed (`suite.pointer`, `suite.statements`, `jsonld.*`), Unsupported (`suite.key`).
    """
    scalar = 1 + int.from_bytes(random(40), "big") % (_ORDER - 1)  # §3.6.5 step 2
    keypair = ec.derive_private_key(scalar, ec.SECP256R1())
    pointers = MANDATORY if mandatory is None else tuple(mandatory)
    base = create(document, proof, signer=signer, mandatory=pointers, hmac_key=random(32), keypair=keypair)
    return {**proof, "proofValue": write_base(base)}


def create(
    document: Document,
    options: Document,
    *,
    signer: Signer,
    mandatory: tuple[str, ...],
    hmac_key: bytes,
    keypair: ec.EllipticCurvePrivateKey,
) -> Base:
    """The parts of a base proof, from keys made for it alone (§3.6.2 to §3.6.5). Raises like `sign`."""
    values.takes(ALGORITHMS, signer.public)
    values.is_of(options, type=TYPE, name=NAME)
    fixed, open_ = _transformed(document, hmac_key, mandatory)
    signatures = tuple(raw_signature(keypair, line.encode()) for line in open_)
    point = keypair.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    public_key = _P256_PREFIX + point
    to_sign = sign_data(document, options, public_key, fixed)
    return Base(signer.sign(to_sign), public_key, hmac_key, signatures, mandatory)


def raw_signature(keypair: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """An ES256 signature by the key of one proof (§3.6.5 step 3): deterministic, as §3 recommends."""
    r, s = decode_dss_signature(keypair.sign(message, _ES256))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def sign_data(document: Document, options: Document, public_key: bytes, mandatory: Sequence[str]) -> bytes:
    """What the issuer's own key signs: hash of the options, key of this proof, hash of what is mandatory (§3.5.1)."""
    proof_hash = hashlib.sha256(canonical_options(document, options)).digest()
    mandatory_hash = hashlib.sha256("".join(mandatory).encode()).digest()  # §3.4.17
    return proof_hash + public_key + mandatory_hash


def _transformed(document: Document, hmac_key: bytes, mandatory: Sequence[str]) -> tuple[list[str], list[str]]:
    """The mandatory statements and the others, in their order (§3.6.2)."""
    make_labels = selective.hmac_labels(hmac_key)
    grouped = selective.group(document, make_labels=make_labels, selections={"mandatory": mandatory})
    if len(grouped.lines) > MAX_STATEMENTS:
        raise Malformed("suite.statements", f"The document makes more than {MAX_STATEMENTS} statements.")
    return _split(grouped.lines, grouped.groups["mandatory"].places)


# --- the holder -------------------------------------------------------------------------------------------------------


def check_base(document: Document, proof: Document, *, key: PublicKey) -> tuple[str, ...]:
    """Is the base proof good, each of its signatures? Returns the mandatory pointers.

    Raises Refused (`suite.signature`, `suite.derived_proof`), Malformed, Unsupported (`suite.key`).
    """
    base = _base_of(proof)
    fixed, open_ = _transformed(document, base.hmac_key, base.mandatory)
    _verified(document, proof, base, (fixed, open_), key=key)
    return base.mandatory


def derive(
    document: Document, proof: Document, *, pointers: Sequence[str], challenge: bytes, random: Random
) -> dict[str, Json]:
    """The revealed document with its derived proof ("Add Derived Proof", §3.6.6). Raises Malformed, Refused."""
    shown, derived = disclose(document, _base_of(proof), pointers=pointers)
    return {**shown, "proof": {**proof, "proofValue": write_derived(derived)}}


def disclose(document: Document, base: Base, *, pointers: Sequence[str]) -> tuple[dict[str, Json], Derived]:
    """What is shown, and the parts of its proof (§3.5.4). Raises Malformed (`suite.pointer`, `suite.signatures`)."""
    combined = (*base.mandatory, *pointers)
    grouped = selective.group(
        document,
        make_labels=selective.hmac_labels(base.hmac_key),
        selections={"mandatory": base.mandatory, "combined": combined},
    )
    fixed, shown = grouped.groups["mandatory"].places, grouped.groups["combined"]
    if len(shown.places) != len(set(shown.quads)):
        raise Malformed("suite.pointer", "A pointer names a part of what can only be shown as a whole.")
    open_ = [place for place in range(len(grouped.lines)) if place not in fixed]
    if len(open_) != len(base.signatures):
        raise Malformed("suite.signatures", "The proof does not have a signature for each statement.")
    return selective.revealed(document, combined), Derived(
        signature=base.signature,
        public_key=base.public_key,
        signatures=tuple(made for place, made in zip(open_, base.signatures, strict=True) if place in shown.places),
        labels=selective.verifier_labels(shown, grouped.labels),
        mandatory=tuple(place for place, absolute in enumerate(sorted(shown.places)) if absolute in fixed),
    )


# --- the verifier -----------------------------------------------------------------------------------------------------


def verify(document: Document, proof: Document, *, key: PublicKey) -> None:
    """Return when the derived proof is the key's ("Verify Derived Proof", §3.6.7).

    Raises Refused (`suite.signature`, `suite.base_proof`), Malformed, Unsupported (`suite.key`).
    """
    verify_shown(document, proof, key=key)


def verify_shown(document: Document, proof: Document, *, key: PublicKey) -> tuple[str, ...]:
    """As `verify`; returns the mandatory statements, of which the holder cannot have hidden any."""
    derived = _derived_of(proof)
    lines = selective.labeled(document, derived.labels)
    if any(place >= len(lines) for place in derived.mandatory):
        raise Malformed("suite.components", "The proof names statements that the document does not make.")
    fixed, open_ = _split(lines, frozenset(derived.mandatory))
    _verified(document, proof, derived, (fixed, open_), key=key)
    return tuple(fixed)


def _verified(
    document: Document, proof: Document, parts: Base | Derived, lines: tuple[list[str], list[str]], *, key: PublicKey
) -> None:
    values.takes(ALGORITHMS, key)
    values.is_of(proof, type=TYPE, name=NAME)
    fixed, open_ = lines
    if len(parts.signatures) != len(open_):  # §3.6.7 step 3
        raise Malformed("suite.signatures", "The proof does not have a signature for each statement.")
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    own = _proof_key(parts.public_key)
    try:
        key.verify(sign_data(document, options, parts.public_key, fixed), parts.signature)
        for line, signature in zip(open_, parts.signatures, strict=True):
            own.verify(line.encode(), signature)
    except Refused:
        raise Refused("suite.signature", "The proof's signature does not match the document.") from None


def core(proof: Document) -> bytes:
    """The issuer's signature and the key that was made for this proof: derived proofs have both as they are (§3.5.7).

    Raises Malformed.
    """
    _, parts = components.unpack(proof, headers=(_BASE, _DERIVED), count=5)
    return components.octets(parts[0], 64) + components.octets(parts[1], 35)


# --- the parts --------------------------------------------------------------------------------------------------------


def write_base(base: Base) -> str:
    """§3.5.2."""
    parts = (base.signature, base.public_key, base.hmac_key, list(base.signatures), list(base.mandatory))
    return components.pack(_BASE, parts)


def write_derived(derived: Derived) -> str:
    """§3.5.7, with the labels compressed as in §3.5.5."""
    labels = {int(canonical.removeprefix("c14n")): unb64url(label[1:]) for canonical, label in derived.labels.items()}
    parts = (derived.signature, derived.public_key, list(derived.signatures), labels, list(derived.mandatory))
    return components.pack(_DERIVED, parts)


def _base_of(proof: Document) -> Base:
    """§3.5.3."""
    header, parts = components.unpack(proof, headers=(_BASE, _DERIVED), count=5)
    if header == _DERIVED:
        raise Refused("suite.derived_proof", "The proof is for a verifier: nothing more can be derived from it.")
    return Base(
        components.octets(parts[0], 64),
        components.octets(parts[1], 35),
        components.octets(parts[2], 32),
        _signatures(parts[3]),
        components.pointers(parts[4]),
    )


def _derived_of(proof: Document) -> Derived:
    """§3.5.8, with the labels decompressed as in §3.5.6."""
    header, parts = components.unpack(proof, headers=(_BASE, _DERIVED), count=5)
    if header == _BASE:
        raise Refused("suite.base_proof", "The proof is for the holder only: it would show what is to stay hidden.")
    labels = parts[3]
    if (
        not isinstance(labels, dict)
        or len(labels) > MAX_STATEMENTS
        or any(type(number) is not int for number in labels)
    ):
        raise Malformed("suite.components", "The proof's labels are not a map by number.")
    named = {f"c14n{number}": "u" + b64url(components.octets(made, 32)) for number, made in labels.items()}
    if len(set(named.values())) != len(named):
        raise Malformed("suite.labels", "The proof has one label for two blank nodes.")
    return Derived(
        components.octets(parts[0], 64),
        components.octets(parts[1], 35),
        _signatures(parts[2]),
        named,
        components.indexes(parts[4]),
    )


def _signatures(value: object) -> tuple[bytes, ...]:
    signatures = components.list_of_octets(value, 64)
    if len(signatures) > MAX_STATEMENTS:
        raise Malformed("suite.statements", f"The document makes more than {MAX_STATEMENTS} statements.")
    return signatures


def _split(lines: Sequence[str], mandatory: frozenset[int]) -> tuple[list[str], list[str]]:
    fixed = [line for place, line in enumerate(lines) if place in mandatory]
    return fixed, [line for place, line in enumerate(lines) if place not in mandatory]


def _proof_key(public_key: bytes) -> PublicKey:
    """§3.6.7 step 4."""
    try:
        if public_key.startswith(_P256_PREFIX):
            return PublicKey.from_native(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key[2:]))
    except ValueError:
        pass
    raise Malformed("suite.proof_key", "The key in the proof's value is not a P-256 key.")
