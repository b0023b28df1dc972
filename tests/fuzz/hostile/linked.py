"""Documents with proofs of their own: many, false ones, and ones over as much as a suite takes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ssi import suites
from ssi.dids import key as did_key
from ssi.errors import SsiError
from ssi.keys import Signer
from ssi.suites import proofs
from tests.fuzz.hostile.bombs import bombs
from tests.fuzz.hostile.making import V2, Named, credential
from tests.ssi import drafts
from tests.support import NOW

_EDDSA, _BBS = drafts.LDP.issuer, drafts.LDP_BBS.issuer


def _many_proofs(salt: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in ("eddsa-rdfc-2022", "ecdsa-jcs-2019", "ecdsa-rdfc-2019"):
        suite, signer = suites.by_name(name), _EDDSA if name.startswith("eddsa") else drafts.ISSUER
        for values in (20, 440):
            document = credential(salt, subject={f"m{salt}x{number}": "x" for number in range(values)})
            for number in range(16):
                previous = f"urn:uuid:{salt}-{number - 1}" if number else None
                document = _proven(document, suite, signer, previous=previous, proof_id=f"urn:uuid:{salt}-{number}")
            yield f"{name}-16-proofs-{values}", document
    one = suites.by_name("eddsa-rdfc-2022")
    yield "eddsa-rdfc-1800", _proven(credential(salt, subject={f"m{salt}x{n}": "x" for n in range(1800)}), one, _EDDSA)


def _selective(salt: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Base proofs and derived ones over as many statements as a suite takes."""
    for name, signer, most in (("ecdsa-sd-2023", drafts.ISSUER, 240), ("bbs-2023", _BBS, 110)):
        suite = suites.by_name(name)
        for label, subject in (
            ("flat", {f"m{salt}x{number}": "x" for number in range(most)}),
            ("nodes", [{"n": f"{number}"} for number in range(most // 2)]),
        ):
            base = _proven(
                {**credential(salt, subject=subject), "issuer": did_key.from_public(signer.public)}, suite, signer
            )
            yield f"{name}-base-{label}", base
            shown = proofs.derive(base, pointers=["/credentialSubject"])
            yield f"{name}-derived-{label}", shown
            shown = proofs.derive(base, pointers=["/credentialSubject/0" if label == "nodes" else "/type"])
            yield f"{name}-derived-little-{label}", shown
            cut = {**base, "proof": {**base["proof"], "proofValue": base["proof"]["proofValue"][:-8]}}
            yield f"{name}-cut-{label}", cut


def _proven(document: dict[str, Any], suite: Any, signer: Signer, **options: Any) -> dict[str, Any]:
    method = did_key.url(signer.public)
    return proofs.add(document, suite=suite, signer=signer, verification_method=method, created=NOW, **options)


def _unproven(document: Mapping[str, Any]) -> dict[str, Any]:
    """With a proof that is well formed, so that a reader goes as far as it does before it finds it to be false."""
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": "ecdsa-rdfc-2019",
        "verificationMethod": did_key.url(drafts.ISSUER.public),
        "proofPurpose": "assertionMethod",
        "proofValue": "z" + "5" * 88,
    }
    return {**document, "proof": proof}


def _documents(salt: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, document in bombs(salt):
        yield name, _unproven(document)
        if name in ("ring-100-2", "context-per-type", "wide", "alike"):
            false = _unproven(document)["proof"]
            yield f"{name}-16-proofs", {**document, "proof": [false] * 16}
    yield from _many_proofs(salt)
    yield from _selective(salt)


def inputs(salt: int, name: str) -> Iterator[Named]:
    for label, document in _documents(salt):
        if name.endswith("-presentation"):
            yield f"{label}-presented", json.dumps(_presented(document)).encode()
        else:
            yield label, json.dumps(document).encode()


def _presented(document: Mapping[str, Any]) -> dict[str, Any]:
    holder = did_key.from_public(drafts.HOLDER.public)
    whole = {"@context": [V2], "type": ["VerifiablePresentation"], "holder": holder, "verifiableCredential": [document]}
    suite, method = suites.by_name("ecdsa-jcs-2019"), did_key.url(drafts.HOLDER.public)
    asked = {"challenge": drafts.CHALLENGE.nonce, "domain": drafts.CHALLENGE.audience, "purpose": "authentication"}
    try:
        return proofs.add(whole, suite=suite, signer=drafts.HOLDER, verification_method=method, created=NOW, **asked)
    except SsiError:  # it is too much for the one who signs already
        return _unproven(whole)
