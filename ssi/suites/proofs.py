"""Proofs: add one to a document, and judge all that it has (W3C Verifiable Credential Data Integrity 1.0 §4)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ssi import suites
from ssi.encoding import Json
from ssi.errors import Malformed, Refused, SsiError, Unavailable, Unsupported
from ssi.keys import PublicKey, Signer
from ssi.model import Check, Finding, KeyResolver, Outcome, worst
from ssi.suites import Suite, chains, options
from ssi.suites.options import PURPOSES, Options
from ssi.suites.values import DATA_INTEGRITY_CONTEXT, DATA_INTEGRITY_PROOF, Random

LEEWAY: Final = timedelta(seconds=60)
"""How far a signer's clock may be ahead of ours, for `created`; a proof that has expired has expired."""

MAX_SELECTIVE: Final = 2
"""Proofs of selective suites in one document: each costs as much as dozens of others."""

_DEFINING: Final = frozenset(  # contexts that define DataIntegrityProof (§2.4.2)
    (DATA_INTEGRITY_CONTEXT, "https://w3id.org/security/data-integrity/v1", "https://www.w3.org/ns/credentials/v2")
)
Document = Mapping[str, Json]


@dataclass(frozen=True)
class Proven:
    """One proof, judged: the SIGNATURE finding, and whose key made it as far as that could be found out.

    `controller` is the DID or document that the verification method belongs to (None when it could not be found).
    That it may speak for the document's issuer is not asked here: the caller compares the two. `mandatory` are the
    pointers that the holder of a base proof cannot hide; `fixed`, of a derived proof, the statements that its holder
    could not have hidden.
    """

    suite: str
    verification_method: str
    proof: Document
    outcome: Finding
    controller: str | None = None
    mandatory: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()


# --- adding -----------------------------------------------------------------------------------------------------------


def add(
    document: Document,
    *,
    suite: Suite,
    signer: Signer,
    verification_method: str,
    purpose: str = "assertionMethod",
    created: datetime | None,
    expires: datetime | None = None,
    domain: str | Sequence[str] | None = None,
    challenge: str | None = None,
    nonce: str | None = None,
    previous: str | Sequence[str] | None = None,
    mandatory: Sequence[str] | None = None,
    proof_id: str | None = None,
    random: Random = secrets.token_bytes,
) -> dict[str, Json]:
    """The document with one more proof (§4.2), after those that it has already (§4.3).

    `previous` are the ids of proofs that this one continues. `mandatory` is for selective suites. A context that
    defines the proof's terms is appended when the document has none (§2.4.2).
    Raises Malformed (`proof.*`, `suite.*`, `jsonld.*`), Unsupported (`suite.*`).
    """
    if mandatory is not None and not suite.SELECTIVE:
        raise Unsupported("suite.indivisible", "The cryptographic suite cannot hide anything.")
    proof: dict[str, Json] = {"id": proof_id} if proof_id else {}
    proof["type"] = suite.TYPE
    if suite.TYPE == DATA_INTEGRITY_PROOF:
        proof["cryptosuite"] = suite.NAME
    wanted: Mapping[str, Json] = {
        "created": options.write(created) if created else None,
        "expires": options.write(expires) if expires else None,
        "verificationMethod": verification_method,
        "proofPurpose": purpose,
        "domain": options.one_or_all(domain) if domain else None,
        "challenge": challenge,
        "nonce": nonce,
        "previousProof": (previous if isinstance(previous, str) else list(previous)) if previous else None,
    }
    proof |= {name: value for name, value in wanted.items() if value is not None}
    every = chains.proofs(document) if "proof" in document else ()
    bare = _with_terms(chains.unsecured(document), suite)
    chains.bounded(bare, [*every, proof])
    over = chains.input_document(bare, every, chains.continued(options.read(proof).previous, every))  # §4.3 steps 4-6
    made = suite.sign(over, proof, signer=signer, mandatory=mandatory, random=random)
    secured = {**bare, "proof": [*every, made] if every else made}
    chains.proofs(secured)  # no more of them, and no identifier twice
    return secured


def _with_terms(document: dict[str, Json], suite: Suite) -> dict[str, Json]:
    """§2.4.2 "Context Injection"; a document without contexts stays so where the suite signs plain JSON."""
    contexts = document.get("@context")
    listed = contexts if isinstance(contexts, list) else [] if contexts is None else [contexts]
    defining = _DEFINING if suite.TYPE == DATA_INTEGRITY_PROOF else {suite.CONTEXT}
    if any(isinstance(context, str) and context in defining for context in listed):
        return document
    return {"@context": [*listed, suite.CONTEXT], **{k: v for k, v in document.items() if k != "@context"}}


# --- deriving ---------------------------------------------------------------------------------------------------------


def derive(
    document: Document, *, pointers: Sequence[str], challenge: bytes = b"", random: Random = secrets.token_bytes
) -> dict[str, Json]:
    """The least of the document that shows what `pointers` name, with a proof derived from its first base proof.

    Proofs of other suites do not survive. Raises Malformed, Unsupported (`suite.indivisible`).
    """
    for proof in chains.proofs(document):
        suite = suites.of(proof)
        if suite.SELECTIVE and "previousProof" not in proof:
            bare = chains.unsecured(document)
            return dict(
                suites.selective_of(proof).derive(bare, proof, pointers=pointers, challenge=challenge, random=random)
            )
    raise Unsupported("suite.indivisible", "The document's proofs are over the whole of it: none of it can be hidden.")


# --- verifying --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """What every proof is compared with, and whether it is the holder who asks."""

    keys: KeyResolver
    purpose: str
    now: datetime
    domains: frozenset[str] | None = None
    challenge: str | None = None
    holder: bool = False


def verify(
    document: Document,
    *,
    keys: KeyResolver,
    purpose: str,
    now: datetime,
    domain: str | Sequence[str] | None = None,
    challenge: str | None = None,
) -> tuple[Proven, ...]:
    """Judge each of the document's proofs, in their order (§4.4, §4.5). The document holds if all are PASS: `verdict`.

    `domain` and `challenge` are what the verifier gave out, None where nothing was (a credential on its own).
    Raises Malformed (`proof.none`, `proof.form`, `proof.many`, `proof.id_repeated`, `proof.work`) when there is nothing
    that can be judged.
    """
    domains = None if domain is None else frozenset([domain] if isinstance(domain, str) else domain)
    return _judge_all(document, _Asked(keys, purpose, now, domains, challenge))


def received(document: Document, *, keys: KeyResolver, now: datetime) -> tuple[Proven, ...]:
    """Judge a credential's proofs as its holder got them: those of selective suites are base proofs then.

    Raises like `verify`.
    """
    return _judge_all(document, _Asked(keys, "assertionMethod", now, holder=True))


def verdict(proven: Sequence[Proven]) -> Finding:
    """The SIGNATURE finding for the document: all of its proofs hold, or the worst of them is the answer."""
    return worst(each.outcome for each in proven)


def _judge_all(document: Document, asked: _Asked) -> tuple[Proven, ...]:
    """§4.5: each proof after those that it continues."""
    every, bare = chains.proofs(document), chains.unsecured(document)
    chains.bounded(document, every)
    if sum(_is_selective(proof) for proof in every) > MAX_SELECTIVE:
        raise Malformed("proof.work", f"The document has more than {MAX_SELECTIVE} proofs that parts can be shown of.")
    judged: dict[int, Proven] = {}
    while len(judged) < len(every):
        before = len(judged)
        for place in range(len(every)):
            if place not in judged and (result := _judge(place, every, judged, bare, asked)):
                judged[place] = result
        if len(judged) == before:  # each of the rest waits for another of the rest
            cause = Refused("proof.cycle", "The proof continues, in the end, itself.")
            judged |= {place: _failed(every[place], cause) for place in range(len(every)) if place not in judged}
    return tuple(judged[place] for place in range(len(every)))


def _is_selective(proof: Document) -> bool:
    try:
        return suites.of(proof).SELECTIVE
    except Unsupported:
        return False


def _judge(
    place: int, every: Sequence[Document], judged: Mapping[int, Proven], bare: Document, asked: _Asked
) -> Proven | None:
    """§4.5 step 3 for one proof; None while a proof that it continues is not judged yet."""
    proof, controller = every[place], None
    try:
        read = options.read(proof)
        before = chains.continued(read.previous, every)
        if any(other not in judged for other in before):
            return None
        if any(judged[other].outcome.outcome is not Outcome.PASS for other in before):
            raise Refused("proof.previous", "A proof that this one continues does not hold.")
        _compare(read, asked)
        suite = suites.of(proof)
        found = asked.keys.method_key(read.method, relationship=read.purpose, now=asked.now)
        controller = found.controller
        mandatory, fixed = _hold(suite, chains.input_document(bare, every, before), proof, key=found.key, asked=asked)
    except SsiError as cause:
        return _failed(proof, cause, controller)
    outcome = Finding(
        Check.SIGNATURE, Outcome.PASS, "proof.valid", "The proof is its key's over the document.", {"suite": suite.NAME}
    )
    return Proven(suite.NAME, read.method, proof, outcome, controller, mandatory, fixed)


def _hold(
    suite: Suite, document: Document, proof: Document, *, key: PublicKey, asked: _Asked
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What cannot be hidden: pointers of a base proof, statements of a derived one."""
    if not suite.SELECTIVE:
        suite.verify(document, proof, key=key)
        return (), ()
    if asked.holder:
        return suites.selective_of(proof).check_base(document, proof, key=key), ()
    return (), tuple(suites.selective_of(proof).verify_shown(document, proof, key=key))


def _failed(proof: Document, cause: SsiError, controller: str | None = None) -> Proven:
    outcome = Outcome.UNKNOWN if isinstance(cause, Unavailable) else Outcome.FAIL
    named = (proof.get("cryptosuite", proof.get("type")), proof.get("verificationMethod"))
    suite, method = (value if isinstance(value, str) else "" for value in named)
    return Proven(suite, method, proof, Finding(Check.SIGNATURE, outcome, cause.code, cause.detail), controller)


def _compare(read: Options, asked: _Asked) -> None:
    """§4.4 steps 5 to 7, and the proof's own times (§2.1)."""
    if read.purpose not in PURPOSES or read.purpose != asked.purpose:
        raise Refused("proof.purpose", "The proof was made for another purpose.")
    if asked.domains is not None and read.domains != asked.domains:
        raise Refused("proof.domain", "The proof was made for somebody else.")
    if asked.challenge is not None and read.challenge != asked.challenge:
        raise Refused("proof.challenge", "The proof answers another challenge.")
    if read.expires is not None and asked.now >= read.expires:
        raise Refused("proof.expired", "The proof has expired.")
    if read.created is not None and read.created > asked.now + LEEWAY:
        raise Refused("proof.created_in_future", "The proof says that it was made in the future.")
