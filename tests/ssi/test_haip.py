"""Is exactly what HAIP 1.0 forbids refused, with its section?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ssi import dcql, haip
from ssi.errors import Refused
from ssi.keys import SoftwareSigner
from ssi.model import Check, Finding, Issuer, Opened, Outcome
from ssi.oid4vci import Configuration, IssuerMetadata
from ssi.oid4vp import AuthorizationRequest
from tests.ssi import certificates

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _query(format_id: str = "dc+sd-jwt") -> dcql.Query:
    meta = {"vct_values": ["a"]} if format_id == "dc+sd-jwt" else {"doctype_value": "a"}
    if format_id == "ldp_vc":
        meta = {"type_values": [["a"]]}
    return dcql.parse({"credentials": [{"id": "a", "format": format_id, "meta": meta}]})


REQUEST = AuthorizationRequest(
    client_id="x509_hash:a",
    nonce="n" * 43,
    response_uri="https://shop.test/answer",
    response_mode="direct_post.jwt",
    query=_query(),
)


@pytest.fixture(scope="module")
def chain() -> tuple[bytes, ...]:
    return (certificates.root().certify(SoftwareSigner.generate("ES256").public),)


def check(request: AuthorizationRequest, chain: tuple[bytes, ...], **changed: Any) -> None:
    given: dict[str, Any] = {"prefix": "x509_hash", "x5c": chain, "by_reference": True, **changed}
    haip.check_request(request, **given)


def test_a_request_of_the_profile_passes(chain: tuple[bytes, ...]) -> None:
    check(REQUEST, chain)
    check(replace(REQUEST, query=_query("mso_mdoc")), chain)
    check(replace(REQUEST, enc_values=("A256GCM",)), chain)
    check(replace(REQUEST, response_mode="dc_api.jwt"), (), prefix="origin")


@pytest.mark.parametrize(
    ("request_changes", "how", "code", "section"),
    [
        ({"response_mode": "direct_post"}, {}, "haip.response_mode", "5.1"),
        ({"response_mode": "fragment"}, {}, "haip.response_mode", "5.1"),
        ({"response_mode": "dc_api"}, {}, "haip.response_mode", "5.2"),
        ({}, {"x5c": ()}, "haip.unsigned", "5.1"),
        ({}, {"by_reference": False}, "haip.request_uri", "5.1"),
        ({}, {"prefix": "x509_san_dns"}, "haip.client_id_prefix", "5"),
        ({}, {"prefix": "decentralized_identifier"}, "haip.client_id_prefix", "5"),
        ({"query": _query("ldp_vc")}, {}, "haip.format", "6"),
    ],
)
def test_what_the_profile_forbids_is_refused(
    chain: tuple[bytes, ...], request_changes: dict[str, Any], how: dict[str, Any], code: str, section: str
) -> None:
    with pytest.raises(Refused) as refused:
        check(replace(REQUEST, **request_changes), chain, **how)
    assert refused.value.code == code
    assert f"(HAIP 1.0, section {section})" in refused.value.detail


def test_a_self_signed_certificate_is_refused() -> None:
    alone = certificates.root().der
    with pytest.raises(Refused, match=r"haip\.self_signed"):
        check(REQUEST, (alone,))


def test_an_issuer_names_scopes_and_gives_challenges() -> None:
    card = Configuration("card", "dc+sd-jwt", scope="card", binding_methods=("jwk",))
    good = IssuerMetadata("https://i.test", "https://i.test/c", {"card": card}, nonce_endpoint="https://i.test/n")
    haip.check_issuer(good)
    with pytest.raises(Refused, match=r"haip\.scope"):
        haip.check_issuer(replace(good, configurations={"card": replace(card, scope=None)}))
    with pytest.raises(Refused, match=r"haip\.nonce_endpoint"):
        haip.check_issuer(replace(good, nonce_endpoint=None))


class Everybody:
    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:
        return Finding(Check.TRUST, Outcome.PASS, "trust.test", "Yes.")


def test_issuers_without_a_certificate_are_not_trusted(chain: tuple[bytes, ...]) -> None:
    policy = haip.Certified(Everybody())
    assert policy.judge(Issuer(None, x5c=chain), "a", now=NOW).outcome is Outcome.PASS
    found = policy.judge(Issuer("did:web:i.test"), "a", now=NOW)
    assert (found.outcome, found.code) == (Outcome.FAIL, "haip.x5c")


def test_a_credential_holds_its_holders_key_itself() -> None:
    key = SoftwareSigner.generate("ES256").public
    named = Opened("dc+sd-jwt", "a", Issuer(None), {"cnf": {"kid": "did:key:z"}}, ())
    assert haip.NamedKey().judge(named, now=NOW).outcome is Outcome.FAIL
    assert haip.NamedKey().judge(replace(named, claims={"cnf": {"jwk": key.jwk}}), now=NOW).outcome is Outcome.PASS
    assert haip.NamedKey().judge(replace(named, format="mso_mdoc", claims={}), now=NOW).outcome is Outcome.PASS
