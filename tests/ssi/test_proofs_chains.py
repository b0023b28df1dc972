"""Sets and chains of proofs: all must hold, each with those that it continues, and none twice."""

from __future__ import annotations

from typing import Any

import pytest

from ssi import suites
from ssi.errors import Malformed, Unavailable
from ssi.model import Outcome
from ssi.suites import options, proofs
from tests.ssi.proving import CREDENTIAL, SIGNERS, STRANGERS, Keys, secured
from tests.support import NOW

FIRST, SECOND, THIRD = (f"urn:uuid:1f0a1c2e-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
whole_suites = pytest.mark.parametrize(
    "suite", [suites.by_name("eddsa-rdfc-2022"), suites.by_name("eddsa-jcs-2022")], ids=lambda suite: suite.NAME
)
EDDSA = suites.by_name("eddsa-rdfc-2022")
ECDSA = suites.by_name("ecdsa-rdfc-2019")


def outcomes(document: dict[str, Any], **changes: Any) -> list[str]:
    given = {"keys": Keys(), "purpose": "assertionMethod", "now": NOW, **changes}
    return [proven.outcome.code for proven in proofs.verify(document, **given)]


def chain(suite: Any = EDDSA) -> dict[str, Any]:
    """Three proofs: the second continues the first, the third both."""
    document = secured(suite, proof_id=FIRST)
    document = secured(ECDSA, document, previous=FIRST, proof_id=SECOND)
    return secured(suite, document, previous=(FIRST, SECOND), signer=STRANGERS["EdDSA"])


def test_a_set_holds_when_all_of_it_holds() -> None:
    document = secured(ECDSA, secured(EDDSA))
    assert [proof["cryptosuite"] for proof in document["proof"]] == ["eddsa-rdfc-2022", "ecdsa-rdfc-2019"]
    found = proofs.verify(document, keys=Keys(), purpose="assertionMethod", now=NOW)
    assert [proven.suite for proven in found] == ["eddsa-rdfc-2022", "ecdsa-rdfc-2019"]
    assert proofs.verdict(found).outcome is Outcome.PASS


def test_one_false_proof_is_enough() -> None:
    document = secured(ECDSA, secured(EDDSA))
    document["proof"][1]["proofValue"] = secured(ECDSA, {**CREDENTIAL, "name": "Other"})["proof"]["proofValue"]
    found = proofs.verify(document, keys=Keys(), purpose="assertionMethod", now=NOW)
    assert [proven.outcome.outcome for proven in found] == [Outcome.PASS, Outcome.FAIL]
    assert proofs.verdict(found).outcome is Outcome.FAIL


def test_one_unknown_suite_is_enough() -> None:
    document = secured(ECDSA, secured(EDDSA))
    document["proof"][1]["cryptosuite"] = "unheard-2026"
    assert outcomes(document) == ["proof.valid", "suite.unknown"]


def test_the_verdict_is_the_worst() -> None:
    found = proofs.verify(
        secured(EDDSA), keys=Keys(trouble=Unavailable("x.y", "Not now.")), purpose="assertionMethod", now=NOW
    )
    assert proofs.verdict(found).outcome is Outcome.UNKNOWN
    with pytest.raises(ValueError, match=r"empty|iterable"):
        proofs.verdict(())


@whole_suites
def test_a_chain_holds(suite: Any) -> None:
    document = chain(suite)
    assert [proof.get("previousProof") for proof in document["proof"]] == [None, FIRST, [FIRST, SECOND]]
    assert outcomes(document) == ["proof.valid"] * 3


@whole_suites
def test_a_chain_holds_in_any_order(suite: Any) -> None:
    document = chain(suite)
    turned = {**document, "proof": document["proof"][::-1]}
    if "rdfc" in suite.NAME:
        assert outcomes(turned) == ["proof.valid"] * 3
    else:  # JSON is ordered: what was signed first must still come first
        assert outcomes(turned)[1:] == ["proof.valid"] * 2


@whole_suites
def test_what_a_proof_continues_is_signed_with_it(suite: Any) -> None:
    document = chain(suite)
    first = secured(suite, proof_id=FIRST, nonce="another")["proof"]
    assert outcomes({**document, "proof": [first, *document["proof"][1:]]}) == [
        "proof.valid",
        "suite.signature",
        "proof.previous",
    ]


def test_a_proof_falls_with_those_that_it_continues() -> None:
    document = chain()
    document["proof"][0]["proofValue"] = "invalidProofValue"
    assert outcomes(document) == ["suite.proof_value", "proof.previous", "proof.previous"]


def test_a_proof_that_is_continued_must_be_there() -> None:
    document = chain()
    assert outcomes({**document, "proof": document["proof"][1:]}) == ["proof.previous_missing"] * 2
    with pytest.raises(Malformed) as refusal:
        secured(EDDSA, secured(EDDSA, proof_id=FIRST), previous=SECOND)
    assert refusal.value.code == "proof.previous_missing"
    with pytest.raises(Malformed):
        secured(EDDSA, previous=(FIRST,))


def test_a_chain_cannot_be_cut_loose() -> None:
    document = chain()
    second = {name: value for name, value in document["proof"][1].items() if name != "previousProof"}
    assert outcomes({**document, "proof": [second]}) == ["suite.signature"]


def test_a_circle_of_proofs_is_refused() -> None:
    first, second = (secured(EDDSA, proof_id=name)["proof"] for name in (FIRST, SECOND))
    alone = secured(EDDSA)["proof"]
    circle = [{**first, "previousProof": SECOND}, alone, {**second, "previousProof": [FIRST]}]
    assert outcomes({**CREDENTIAL, "proof": circle}) == ["proof.cycle", "proof.valid", "proof.cycle"]
    assert outcomes({**CREDENTIAL, "proof": {**first, "previousProof": FIRST}}) == ["proof.cycle"]


def test_two_proofs_with_one_identifier_are_malformed() -> None:
    document = secured(EDDSA, proof_id=FIRST)
    with pytest.raises(Malformed) as refusal:
        outcomes({**document, "proof": [document["proof"]] * 2})
    assert refusal.value.code == "proof.id_repeated"
    with pytest.raises(Malformed):
        secured(EDDSA, document, proof_id=FIRST)


def test_too_many_proofs_are_malformed() -> None:
    proof = secured(EDDSA)["proof"]
    with pytest.raises(Malformed) as refusal:
        outcomes({**CREDENTIAL, "proof": [proof] * (options.MAX_PROOFS + 1)})
    assert refusal.value.code == "proof.many"


def test_many_proofs_on_a_large_document_are_refused_before_any_is_judged() -> None:
    document = secured(EDDSA, {**CREDENTIAL, "description": "x" * 500_000})
    assert outcomes(document) == ["proof.valid"]
    with pytest.raises(Malformed) as refusal:
        outcomes({**document, "proof": [document["proof"]] * options.MAX_PROOFS})
    assert refusal.value.code == "proof.work"
    with pytest.raises(Malformed) as refusal:
        outcomes({**document, "credentialSubject": [{"name": "x"}] * 5000})
    assert refusal.value.code == "proof.work"
    with pytest.raises(Malformed):
        secured(EDDSA, {**CREDENTIAL, "evidence": [0] * 9000})


def test_a_context_appended_for_a_later_proof_leaves_earlier_ones_whole() -> None:
    older = suites.by_name("Ed25519Signature2020")
    for suite in (EDDSA, suites.by_name("eddsa-jcs-2022")):
        document = secured(older, secured(suite))
        assert document["@context"][-1] == older.CONTEXT
        assert outcomes(document) == ["proof.valid", "proof.valid"]


def test_deriving_keeps_the_selective_proof_only() -> None:
    selective = suites.by_name("ecdsa-sd-2023")
    document = secured(EDDSA, secured(selective))
    shown = proofs.derive(document, pointers=("/credentialSubject/givenName",))
    assert shown["proof"]["cryptosuite"] == "ecdsa-sd-2023"
    assert outcomes(shown) == ["proof.valid"]
    received = proofs.received(document, keys=Keys(), now=NOW)
    assert [proven.mandatory for proven in received] == [("/issuer",), ()]
    assert proofs.verdict(received).outcome is Outcome.PASS


def test_the_signers_of_a_set_are_told_apart() -> None:
    document = secured(EDDSA, secured(EDDSA), signer=STRANGERS["EdDSA"])
    found = proofs.verify(document, keys=Keys(), purpose="assertionMethod", now=NOW)
    assert len({proven.controller for proven in found}) == 2
    assert SIGNERS["EdDSA"].public != STRANGERS["EdDSA"].public
