"""ldp_vc for tests: what issuers send, what holders show, and presentations as anybody can make them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ssi import suites
from ssi.dids import key as did_key
from ssi.formats import ldp
from ssi.keys import SoftwareSigner
from ssi.model import Challenge, Check, ClaimPath, Credential, Disclosure, Draft, Finding, Opened, Presentation
from ssi.suites import proofs
from tests.ssi.drafts import CHALLENGE, HOLDER, LDP_ECDSA_SD, Resolver
from tests.support import NOW

NOTARY = SoftwareSigner.generate("EdDSA")
KEYS = Resolver()
SUBJECT = "credentialSubject"
SD = LDP_ECDSA_SD.draft
Change = Callable[[dict[str, Any]], object]


def issued(draft: Draft = SD, **changes: Any) -> dict[str, Any]:
    """What the issuer sends, as a document."""
    card = ldp.issue(replace(draft, **changes), signer=LDP_ECDSA_SD.issuer, holder=HOLDER.public, now=NOW)
    document: dict[str, Any] = json.loads(card.wire)
    return document


def card(document: dict[str, Any]) -> Credential:
    return Credential(ldp.ID, json.dumps(document))


def shown(document: dict[str, Any], *paths: ClaimPath, holder: SoftwareSigner = HOLDER) -> dict[str, Any]:
    """The honest presentation of a credential."""
    made = ldp.derive(card(document), disclose=Disclosure(paths), challenge=CHALLENGE, holder=holder, now=NOW)
    presentation: dict[str, Any] = json.loads(made.wire)
    return presentation


def opened(presentation: dict[str, Any], *, keys: Any = KEYS, challenge: Challenge = CHALLENGE) -> Opened:
    wire = json.dumps(presentation)
    return ldp.open(Presentation(ldp.ID, wire), challenge=challenge, keys=keys, now=NOW)


def found(result: Opened, check: Check) -> Finding:
    (one,) = (finding for finding in result.findings if finding.check is check)
    return one


def presented(credential: dict[str, Any], *, by: SoftwareSigner = HOLDER, **changes: Any) -> dict[str, Any]:
    """A presentation as anybody can make one, by whatever key and with whatever options."""
    did = did_key.from_public(by.public)
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": did,
        "verifiableCredential": [credential],
        **changes.pop("document", {}),
    }
    given = {
        "purpose": "authentication",
        "created": NOW,
        "domain": CHALLENGE.audience,
        "challenge": CHALLENGE.nonce,
        "verification_method": did_key.url(by.public),
        **changes,
    }
    return proofs.add(document, suite=suites.by_name("ecdsa-rdfc-2019"), signer=by, **given)


HONEST = shown(issued(), (SUBJECT, "given_name"))
