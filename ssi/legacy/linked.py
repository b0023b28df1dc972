"""Linked-data proofs of 2018 to 2020: a detached signature in the document's `proof`, made and checked by DIDKit.

One document, one proof: DIDKit is content when any one of several proofs holds, so it is never given more than one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ssi.encoding import Json, b64url, read_json_object, unb64url, write_json
from ssi.errors import Malformed, Refused, Unsupported
from ssi.keys import PublicKey, Signer
from ssi.legacy import bounds, methods, secp256k1, verdicts
from ssi.legacy.engine import engine

CONTEXT: Final = "https://www.w3.org/2018/credentials/v1"
PROOF_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "Ed25519Signature2018": ("EdDSA",),
    "JsonWebSignature2020": ("EdDSA", "ES256", "ES256K"),
    "EcdsaSecp256k1Signature2019": ("ES256K",),
}
"""The proof types made and checked here, and the algorithms of the keys that each takes."""

_JWS_2020: Final = "https://w3id.org/security/suites/jws-2020/v1"
_REQUIRED: Final = frozenset(("type", "created", "verificationMethod", "proofPurpose"))
_OPTIONAL: Final = frozenset(("challenge", "domain"))
_HEADER: Final = {"crit": ["b64"], "b64": False}
_CALLS: Final = {"VerifiableCredential": "credential", "VerifiablePresentation": "presentation"}


def prove(document: Mapping[str, Json], options: Mapping[str, Json], *, signer: Signer) -> dict[str, Json]:
    """The complete proof over a document without one, for exactly these options.

    Raises Malformed (`didkit.*`, `jsonld.*`), Unsupported (`didkit.proof_type`, `didkit.key`, `didkit.signer`,
    `didkit.unavailable`), Refused (`didkit.another_key`), Unavailable.
    """
    _options(options)
    _suits(options, methods.public_key(options["verificationMethod"], purpose=options["proofPurpose"]), signer.public)
    kind, text = _kind(document), bounds.safe_text(document)
    secret = write_json(methods.private_jwk(signer)).decode()
    made = engine().call(f"issue_{kind}", text, write_json(options).decode(), secret)
    proof = read_json_object(made, what="signed document").get("proof")
    if not isinstance(proof, dict) or {name: proof.get(name) for name in options} != dict(options):
        raise Refused("didkit.options", "DIDKit made another proof than was asked for.")
    check(document, proof, key=signer.public)
    return proof


def check(document: Mapping[str, Json], proof: Mapping[str, Json], *, key: PublicKey | None = None) -> None:
    """Return when the proof holds over the document; `key` is what the verification method must then be.

    Says nothing of dates, of who holds it, or of what challenge and domain ought to be. Raises Refused (`didkit.proof`,
    `didkit.another_key`, `didkit.no_such_key`), Malformed, Unsupported, Unavailable.
    """
    if proof.get("@context", [_JWS_2020]) not in ([_JWS_2020], _JWS_2020):
        raise Unsupported("didkit.proof_context", "The proof has a context of its own that is not known.")
    _options({name: value for name, value in proof.items() if name not in ("jws", "@context")})
    found = methods.public_key(proof["verificationMethod"], purpose=proof["proofPurpose"])
    _suits(proof, found, found if key is None else key)
    jws = _signature(proof.get("jws"), alg=found.algorithm.name)
    kind, text = _kind(document), bounds.safe_text(document, proof={**proof, "jws": jws})
    expected = {name: proof[name] for name in ("proofPurpose", "challenge", "domain") if name in proof}
    verdicts.verify(f"verify_{kind}", text, expected, check="proof")


def proofs(document: Mapping[str, Json]) -> tuple[dict[str, Json], tuple[Mapping[str, Json], ...]]:
    """The document without its proofs, and these, of which there must be one to four. Raises Malformed."""
    found = document.get("proof")
    entries = found if isinstance(found, list) else [found]
    if not 0 < len(entries) <= 4 or not all(isinstance(entry, Mapping) for entry in entries):
        raise Malformed("didkit.no_proof", "The document has no proof, or more than four, or something else instead.")
    return {name: value for name, value in document.items() if name != "proof"}, tuple(entries)


def _kind(document: Mapping[str, Json]) -> str:
    """Which of DIDKit's calls is for this document."""
    contexts, types = document.get("@context"), document.get("type")
    if "proof" in document or not isinstance(contexts, list) or contexts[:1] != [CONTEXT]:
        raise Malformed("didkit.context", "The document is not one of data model 1.1 without a proof.")
    found = [kind for name, kind in _CALLS.items() if name in (types if isinstance(types, list) else [types])]
    if len(found) != 1:
        raise Malformed("didkit.type", "The document is not either a credential or a presentation.")
    return found[0]


def _options(options: Mapping[str, Json]) -> None:
    """Return when a proof's members, without its signature, are those that DIDKit signs and nothing else."""
    if _REQUIRED - options.keys() or not all(isinstance(value, str) and value for value in options.values()):
        raise Malformed("didkit.proof_member", "A member of the proof is missing or not a text.")
    if options["type"] not in PROOF_TYPES:
        raise Unsupported("didkit.proof_type", "The proof's type is not one that is read through DIDKit.")
    if not options.keys() <= _REQUIRED | _OPTIONAL:
        raise Unsupported("didkit.proof_member", "The proof has a member that proofs of its type do not know.")


def _suits(proof: Mapping[str, Json], found: PublicKey, key: PublicKey) -> None:
    if found != key:
        raise Refused("didkit.another_key", "The proof's verification method is another key than the one expected.")
    if found.algorithm.name not in PROOF_TYPES[proof["type"]]:
        raise Unsupported("didkit.key", "The key is not of a kind that proofs of this type are made with.")


def _signature(jws: Json, *, alg: str) -> str:
    """A JWS with detached, unencoded payload (RFC 7797), by the key's own algorithm, as DIDKit reads it."""
    parts = jws.split(".") if isinstance(jws, str) and len(jws) <= 1024 else []
    if len(parts) != 3 or parts[1]:
        raise Malformed("didkit.jws", "The proof has no detached signature.")
    head, _, signature = parts
    raw = unb64url(signature, what="signature")
    if read_json_object(unb64url(head, what="header"), what="header") != {**_HEADER, "alg": alg}:
        raise Refused("didkit.jws", "The proof's signature is not by the algorithm of its key.")
    return f"{head}..{b64url(secp256k1.low(raw))}" if alg == secp256k1.ES256K.name else jws
