"""DCQL for the holder: what a choice shows and hides, who is accepted, and what to do when nothing answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509

from ssi import dcql
from ssi.dcql import Holding
from ssi.encoding import b64url
from ssi.errors import Malformed
from ssi.formats import sdjwt
from ssi.model import Check, ClaimPath, Issuer, Opened, Outcome
from tests.ssi.certificates import root
from tests.ssi.sdjwts import ISSUER, KEYS, TYPE, issued, opened, presented
from tests.support import NOW

CLAIMS: dict[str, Any] = {
    "given_name": "Erika",
    "locale": "de",
    "nationalities": ["DE", "FR", "US"],
    "document": {"type": "P", "number": "X1"},
}
PATHS: tuple[ClaimPath, ...] = (
    ("given_name",),
    ("nationalities", 0),
    ("nationalities", 1),
    ("nationalities", 2),
    ("document",),
    ("document", "number"),
)
CARD = issued(CLAIMS, PATHS)
HOLDING = Holding("card", sdjwt.ID, sdjwt.check(CARD, keys=KEYS, now=NOW))


def query(**members: Any) -> dcql.Query:
    return dcql.parse({"credentials": [{"id": "q", "format": sdjwt.ID, "meta": {"vct_values": [TYPE]}, **members}]})


def only(**members: Any) -> dcql.Candidate:
    (candidate,) = dcql.match(query(**members), [HOLDING]).options["q"]
    return candidate


def reason(holding: Holding | None = HOLDING, **members: Any) -> str:
    (missing,) = dcql.match(query(**members), [] if holding is None else [holding]).missing
    return missing.code


def test_a_candidate_says_what_is_shown_what_stays_hidden_and_what_nobody_can_hide() -> None:
    candidate = only(claims=[{"path": ["document", "type"]}, {"path": ["nationalities", 1]}])
    assert candidate.paths == (("document", "type"), ("nationalities", 1))
    assert set(candidate.shown) == {("document",), ("nationalities", 1)}
    assert set(candidate.hidden) == {
        ("given_name",),
        ("nationalities", 0),
        ("nationalities", 2),
        ("document", "number"),
    }
    assert set(candidate.always) == {("iss",), ("vct",), ("iat",), ("cnf",), ("locale",), ("nationalities",)}


def test_what_a_candidate_promises_is_what_is_presented() -> None:
    for claims in (None, [{"path": ["given_name"]}], [{"path": ["document"]}], [{"path": ["nationalities", None]}]):
        candidate = only(**({"claims": claims} if claims else {}))
        result = opened(presented(CARD, *candidate.paths))
        assert set(result.disclosed) == set(candidate.shown)
        (finding,) = dcql.satisfied(query(**({"claims": claims} if claims else {})), {"q": [result]})
        assert finding.outcome is Outcome.PASS


def test_an_element_is_the_same_one_for_holder_and_verifier() -> None:
    asked = query(claims=[{"path": ["nationalities", 1], "values": ["FR"]}])
    (candidate,) = dcql.match(asked, [HOLDING]).options["q"]
    result = opened(presented(CARD, *candidate.paths))
    assert result.claims["nationalities"] == ["FR"]
    (finding,) = dcql.satisfied(asked, {"q": [result]})
    assert finding.outcome is Outcome.PASS
    another = opened(presented(CARD, ("nationalities", 0)))
    (finding,) = dcql.satisfied(asked, {"q": [another]})
    assert (finding.check, finding.outcome) == (Check.RULE, Outcome.FAIL)


def test_without_claims_only_what_nobody_can_hide_is_shown() -> None:
    candidate = only()
    assert (candidate.paths, candidate.shown) == ((), ())
    assert set(candidate.hidden) == set(PATHS)


def test_the_same_claim_asked_for_twice_is_shown_once() -> None:
    assert only(claims=[{"path": ["given_name"]}, {"path": ["given_name"]}]).paths == (("given_name",),)


def test_the_reason_is_that_of_the_credential_that_came_furthest() -> None:
    assert reason(None) == "dcql.no_format"
    assert reason(replace(HOLDING, format="mso_mdoc")) == "dcql.no_format"
    assert reason(replace(HOLDING, format="unheard_of"), format="unheard_of") == "dcql.no_format"
    assert reason(meta={"vct_values": ["urn:other"]}) == "dcql.no_type"
    assert reason(claims=[{"path": ["absent"]}]) == "dcql.no_claims"
    assert reason(claims=[{"path": ["given_name"], "values": ["Max"]}]) == "dcql.no_claims"


def test_a_credential_bound_to_no_key_answers_only_where_no_proof_is_asked() -> None:
    unbound = replace(HOLDING, opened=replace(HOLDING.opened, holder=None))
    assert reason(unbound) == "dcql.no_binding"
    free = query(require_cryptographic_holder_binding=False)
    assert dcql.match(free, [unbound]).answerable


def test_authorities_are_matched_by_key_identifier_anywhere_in_the_chain() -> None:
    authority = root()
    named = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.signer.public.native)
    leaf = authority.certify(ISSUER.public, extensions=((named, False),))
    identifier = named.key_identifier or b""
    plain = authority.certify(ISSUER.public)
    held = replace(HOLDING, opened=replace(HOLDING.opened, issuer=Issuer(None, None, (plain, leaf))))
    accepted = {"type": "aki", "values": ["AAAA", b64url(identifier)]}
    other = {"type": "etsi_tl", "values": ["https://lotl.test"]}
    assert dcql.match(query(trusted_authorities=[accepted]), [held]).answerable
    assert dcql.match(query(trusted_authorities=[other, accepted]), [held]).answerable
    for listed in ([accepted], [other, accepted], [other]):  # who is on a list is for whoever judges trust
        (finding,) = dcql.satisfied(query(trusted_authorities=listed), {"q": [held.opened]})
        assert finding.code == "dcql.satisfied"
    assert reason(held, trusted_authorities=[{"type": "aki", "values": ["AAAA"]}]) == "dcql.no_authority"
    assert reason(held, trusted_authorities=[other]) == "dcql.no_authority"  # unknown is not yes
    assert reason(trusted_authorities=[accepted]) == "dcql.no_authority"
    junk = replace(held, opened=replace(held.opened, issuer=Issuer(None, None, (b"\x30\x00junk",))))
    assert reason(junk, trusted_authorities=[accepted]) == "dcql.no_authority"


def test_the_first_answerable_options_of_required_sets_are_suggested() -> None:
    one = {"format": sdjwt.ID, "meta": {"vct_values": [TYPE]}}
    asked = dcql.parse(
        {
            "credentials": [
                {**one, "id": "a", "meta": {"vct_values": ["urn:none"]}},
                {**one, "id": "b"},
                {**one, "id": "c"},
            ],
            "credential_sets": [
                {"options": [["a"], ["b", "c"], ["c"]]},
                {"options": [["c"]]},
                {"options": [["b"]], "required": False},
            ],
        }
    )
    matched = dcql.match(asked, [HOLDING])
    assert matched.suggested == ("b", "c")
    assert [one.query_id for one in matched.missing] == ["a"]
    assert dcql.match(asked, []).suggested == ()


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (("nationalities", None), [("nationalities", 0), ("nationalities", 2), ("nationalities", 3)]),
        (("nationalities", 2), [("nationalities", 2)]),
        (("nationalities", 1), []),
        (("nationalities", 4), []),
        (("o", None, "x"), [("o", 0, "x")]),
    ],
)
def test_paths_count_elements_that_stayed_hidden(path: ClaimPath, found: list[ClaimPath]) -> None:
    claims = {"nationalities": ["DE", "FR", "US"], "o": [{"x": 1}, {}]}
    assert dcql.select(claims, path, closed={("nationalities", 1), ("nationalities", 4)}) == found


@pytest.mark.parametrize("path", [("a", "x"), ("a", 0), ("a", None), (0,), (None,)])
def test_paths_that_walk_into_another_kind_of_claim_are_errors(path: ClaimPath) -> None:
    with pytest.raises(Malformed):
        dcql.select({"a": "text"}, path)


def test_a_hidden_claim_is_missing_for_the_verifier() -> None:
    result: Opened = opened(presented(CARD))
    (finding,) = dcql.satisfied(query(claims=[{"path": ["given_name"]}]), {"q": [result]})
    assert (finding.outcome, finding.code) == (Outcome.FAIL, "dcql.claims")
