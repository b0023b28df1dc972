"""Proofs over a whole document: a hash of the proof's options, a hash of the document, one signature over both.

The numbered steps are those of Data Integrity EdDSA 1.0 §3.2 and §3.3 and of Data Integrity ECDSA 1.0 §3.2 and §3.3,
which are the same but for the key and its hash: SHA-256, and SHA-384 with P-384 keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ssi import jcs as canonical_json
from ssi import jsonld
from ssi.encoding import Json
from ssi.errors import Refused
from ssi.keys import PublicKey, Signer
from ssi.suites import naming, values
from ssi.suites.configuration import canonical_options
from ssi.suites.values import Random

Hash = Literal["sha256", "sha384"]
Document = Mapping[str, Json]


@dataclass(frozen=True)
class Transform:
    """How a document and a proof's options become bytes: what a new proof gets besides, and what is hashed."""

    options: Callable[[Document, Document], dict[str, Json]]
    canonical: Callable[[Document, Document, Hash], tuple[bytes, bytes]]


@dataclass(frozen=True)
class Whole:
    """A suite whose proofs are over the whole document."""

    name: str
    type: str
    algorithms: tuple[str, ...]
    transform: Transform

    def sign(
        self, document: Document, proof: Document, *, signer: Signer, mandatory: Sequence[str] | None, random: Random
    ) -> dict[str, Json]:
        """The complete proof ("Create Proof"). Raises Malformed, Unsupported (`suite.key`)."""
        options = self.transform.options(document, proof)
        data = self._hash_data(document, options, signer.public)
        return {**options, "proofValue": values.write(signer.sign(data))}

    def verify(self, document: Document, proof: Document, *, key: PublicKey) -> None:
        """Return when the proof is the key's ("Verify Proof"). Raises Refused, Malformed, Unsupported."""
        values.takes(self.algorithms, key)
        signature = values.read(proof, size=key.algorithm.size)
        options = {name: value for name, value in proof.items() if name != "proofValue"}
        data = self._hash_data(document, options, key)
        try:
            key.verify(data, signature)
        except Refused:
            raise Refused("suite.signature", "The proof's signature does not match the document.") from None

    def _hash_data(self, document: Document, options: Document, key: PublicKey) -> bytes:
        """The options' hash, then the document's ("Transformation", "Proof Configuration" and "Hashing")."""
        values.takes(self.algorithms, key)
        values.is_of(options, type=self.type, name=self.name)
        if key.algorithm.name == "ES384":
            configuration, transformed = self.transform.canonical(document, options, "sha384")
            return hashlib.sha384(configuration).digest() + hashlib.sha384(transformed).digest()
        configuration, transformed = self.transform.canonical(document, options, "sha256")
        return hashlib.sha256(configuration).digest() + hashlib.sha256(transformed).digest()


def _as_given(document: Document, options: Document) -> dict[str, Json]:
    return dict(options)


def _with_context(document: Document, options: Document) -> dict[str, Json]:
    """eddsa-jcs-2022 "Create Proof" step 2: the proof says which contexts the document had when it was signed."""
    return {**options, "@context": document["@context"]} if "@context" in document else dict(options)


def _rdf(document: Document, options: Document, hash: Hash) -> tuple[bytes, bytes]:  # noqa: A002  (RDFC-1.0's word)
    naming.check(document)
    return canonical_options(document, options, hash=hash), jsonld.canonical(document, hash=hash)


def _json(document: Document, options: Document, hash: Hash) -> tuple[bytes, bytes]:  # noqa: A002  (as above)
    if "@context" in options:  # "Verify Proof" step 4
        _starts_with(document.get("@context"), options["@context"])
        document = {**document, "@context": options["@context"]}
    return canonical_json.canonicalize(options), canonical_json.canonicalize(document)


def _starts_with(contexts: Json, signed: Json) -> None:
    """Contexts may have been appended since; those that were signed must be the first, in their order."""
    all_, first = (value if isinstance(value, list) else [value] for value in (contexts, signed))
    if all_[: len(first)] != first:
        raise Refused("suite.context", "The document's contexts are not those that its proof was made with.")


rdfc: Final = Transform(_as_given, _rdf)
jcs: Final = Transform(_with_context, _json)
