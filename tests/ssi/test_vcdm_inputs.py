"""Every input of the W3C's VC Data Model 2.0 test suite gets the right answer, and each wrong one its own reason."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ssi import jsonld, vcdm
from ssi.errors import Malformed, SsiError
from tests.conftest import VECTORS

INPUTS = VECTORS / "vcdm2-inputs"
ABSENT = pytest.param(None, marks=pytest.mark.skip("no specification vectors (FACET_VECTORS)"))
SUITE_DID = "did:key:z6MkpJySvETLnxhQG9DzEdmKJtysBDjuuTeDfUj1uNNCUqcj"

WRONG = {  # why the document is refused; "jsonld." where only JSON-LD can tell
    "credential-context-combo3-fail": "vcdm.context",
    "credential-context-combo4-fail": "vcdm.context",
    "credential-evidence-missing-type-fail": "vcdm.evidence",
    "credential-id-multi-fail": "vcdm.id",
    "credential-id-nonidentifier-fail": "vcdm.id",
    "credential-id-not-url-fail": "vcdm.id",
    "credential-id-subject-multi-fail": "vcdm.credentialSubject",
    "credential-issuer-no-url-fail": "vcdm.issuer",
    "credential-issuer-null-fail": "vcdm.issuer",
    "credential-issuer-object-id-no-url-fail": "vcdm.issuer",
    "credential-issuer-object-id-null-fail": "vcdm.issuer",
    "credential-missing-base-context-fail-or-inject": "vcdm.context",
    "credential-missing-required-type-fail": "vcdm.type",
    "credential-no-context-fail-or-inject": "vcdm.context",
    "credential-no-issuer-fail": "vcdm.credentialSubject",  # the suite itself gives it an issuer; its subject is empty
    "credential-no-subject-fail": "vcdm.credentialSubject",
    "credential-no-type-fail": "vcdm.type",
    "credential-proof-missing-type-fail": "vcdm.proof",
    "credential-redef-type-fail": "jsonld.",
    "credential-redef-type2-fail": "jsonld.",
    "credential-refresh-no-type-fail": "vcdm.refreshService",
    "credential-schema-no-id-fail": "vcdm.credentialSchema",
    "credential-schema-no-type-fail": "vcdm.credentialSchema",
    "credential-schema-non-url-id-fail": "vcdm.credentialSchema",
    "credential-status-missing-type-fail": "vcdm.credentialStatus",
    "credential-status-multiple-id-fail": "vcdm.credentialStatus",
    "credential-status-nonurl-id-fail": "vcdm.credentialStatus",
    "credential-status-type-nonurl-fail": "vcdm.credentialStatus",
    "credential-subject-multiple-empty-fail": "vcdm.credentialSubject",
    "credential-subject-no-claims-fail": "vcdm.credentialSubject",
    "credential-termsofuse-missing-type-fail": "vcdm.termsOfUse",
    "credential-termsofuse-no-type-fail": "vcdm.termsOfUse",
    "credential-type-mapped-nonurl-fail": "jsonld.",
    "credential-type-unmapped-fail": "jsonld.",
    "credential-validUntil-validFrom-fail": "vcdm.validUntil",
    "credential-validfrom-invalid-fail": "vcdm.validFrom",
    "credential-validuntil-invalid-fail": "vcdm.validUntil",
    "credential-description-extra-prop-en-fail": "vcdm.description",
    "credential-name-extra-prop-en-fail": "vcdm.name",
    "issuer-description-extra-prop-en-fail": "vcdm.description",
    "issuer-name-extra-prop-en-fail": "vcdm.name",
    "presentation-context-order-fail": "vcdm.context",
    "presentation-enveloped-vc-missing-type-fail": "vcdm.context",
    "presentation-holder-fail": "vcdm.holder",
    "presentation-holder-name-fail": "vcdm.holder",
    "presentation-holder-object-fail": "vcdm.holder",
    "presentation-missing-base-context-fail": "vcdm.context",
    "presentation-missing-required-type-fail": "vcdm.type",
    "presentation-no-context-fail-or-inject": "vcdm.context",
    "presentation-no-type-fail": "vcdm.type",
    "presentation-vc-as-string-fail": "vcdm.verifiableCredential",
    "presentation-vc-missing-required-type-fail": "vcdm.type",
}
SELF_ASSERTED = {  # read, but nobody may rely on a credential that somebody else says without a proof
    "presentation-self-asserted-vc-holder-mismatch": "vcdm.holder",
    "presentation-self-asserted-vc-issuer-mismatch": "vcdm.holder",
    "presentation-self-asserted-vc-no-holder": "vcdm.holder",
}


def inputs() -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in sorted(INPUTS.rglob("*.json"))] or [ABSENT]


def as_the_suite_sends_it(path: Path) -> dict[str, Any]:
    """The suite fills in the issuer that it talks to, and the two dates that move."""
    document: dict[str, Any] = json.loads(path.read_text())
    if path.stem.startswith("presentation-"):
        return document
    issuer = document.get("issuer", "")
    if isinstance(issuer, dict):
        document["issuer"] = {"id": SUITE_DID, **issuer}
    elif issuer is not None:
        document["issuer"] = issuer or SUITE_DID
    dates = {"PAST DATE": "2025-11-20T12:00:00Z", "FUTURE DATE": "2027-11-20T12:00:00Z"}
    return {name: dates.get(value, value) if isinstance(value, str) else value for name, value in document.items()}


def read(path: Path) -> vcdm.Model | vcdm.PresentationModel:
    """What issuing and verifying do: the data model first, then JSON-LD."""
    document = as_the_suite_sends_it(path)
    before = copy.deepcopy(document)
    found = vcdm.presentation(document) if path.stem.startswith("presentation-") else vcdm.credential(document)
    jsonld.check({name: value for name, value in document.items() if name != "proof"})  # proofs are the suites' own
    assert document == before
    return found


@pytest.mark.parametrize("path", inputs())
def test_every_input_of_the_suite_gets_its_answer(path: Path) -> None:
    if path.stem not in WRONG:
        assert "fail" not in path.stem
        read(path)
        return
    with pytest.raises(SsiError) as refusal:
        read(path)
    assert refusal.value.code.startswith(WRONG[path.stem])
    assert WRONG[path.stem].startswith("jsonld.") or isinstance(refusal.value, Malformed)


@pytest.mark.parametrize("path", [one for one in inputs() if one is ABSENT or "self-asserted" in str(one.id)])
def test_a_credential_without_a_proof_must_be_the_holders_own(path: Path) -> None:
    found = vcdm.presentation(json.loads(path.read_text()))
    if path.stem not in SELF_ASSERTED:
        vcdm.refuse_borrowed(found)
        return
    with pytest.raises(Malformed) as refusal:
        vcdm.refuse_borrowed(found)
    assert refusal.value.code == SELF_ASSERTED[path.stem]
