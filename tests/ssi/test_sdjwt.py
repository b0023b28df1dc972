"""dc+sd-jwt: what is issued, held, shown and judged."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import jose
from ssi.encoding import b64url, seconds
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.formats import registered, sdjwt
from ssi.keys import SoftwareSigner
from ssi.model import Challenge, Check, ClaimPath, Credential, Draft, Issuer, Outcome, Presentation, StatusRef
from tests.ssi.sdjwts import (
    CHALLENGE,
    HOLDER,
    ISSUER,
    KEYS,
    KID,
    STRANGER,
    TYPE,
    bound,
    digest_of,
    found,
    issued,
    opened,
    payload,
    presented,
    token,
)
from tests.support import NOW

CLAIMS: dict[str, Any] = {
    "given_name": "Erika",
    "locale": "de-DE",
    "nationalities": ["DE", "FR", "US"],
    "document": {"type": "passport", "number": "C01X00T478", "issuer": {"country": "DE", "office": "Köln"}},
    "addresses": [{"city": "Köln", "street": "Heidestraße 17"}, {"city": "Paris", "street": "Rue 1"}],
}
PATHS: tuple[ClaimPath, ...] = (
    ("given_name",),
    *(("nationalities", index) for index in range(3)),
    ("document",),
    ("document", "number"),
    ("document", "issuer"),
    ("document", "issuer", "office"),
    ("addresses",),
    ("addresses", 1),
    ("addresses", 1, "street"),
)
CARD = issued(CLAIMS, PATHS, decoys=2, valid_until=NOW + timedelta(days=365))


def shown(*paths: ClaimPath) -> dict[str, Any]:
    """The subject's claims that a verifier sees."""
    claims = opened(presented(CARD, *paths)).claims
    return {name: value for name, value in claims.items() if name not in registered.WRITTEN_BY_FORMAT}


def part(wire: str, index: int) -> dict[str, Any]:
    """A part of the issuer's token, decoded."""
    text = wire.split("~", maxsplit=1)[0].split(".")[index]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return decoded


# --- issuing ----------------------------------------------------------------------------------------------------------


def test_a_credential_says_what_the_draft_says_and_no_more_in_the_clear() -> None:
    status = StatusRef("token_status_list", "https://issuer.test/status/1", 7)
    card = issued(CLAIMS, PATHS, statuses=(status,), valid_from=NOW, valid_until=NOW + timedelta(days=1))
    body = part(card.wire, 1)
    assert part(card.wire, 0) == {"alg": "ES256", "typ": "dc+sd-jwt", "kid": "key-1"}
    assert {name: value for name, value in body.items() if name not in {"_sd", "nationalities"}} == {
        "iss": "https://issuer.test",
        "vct": TYPE,
        "iat": seconds(NOW),
        "nbf": seconds(NOW),
        "exp": seconds(NOW) + 86_400,
        "cnf": {"jwk": HOLDER.public.jwk},
        "status": {"status_list": {"idx": 7, "uri": "https://issuer.test/status/1"}},
        "_sd_alg": "sha-256",
        "locale": "de-DE",
    }
    assert len(body["_sd"]) == 3
    assert all(set(element) == {"..."} for element in body["nationalities"])


def test_the_issuers_chain_travels_in_x5c_and_then_no_kid() -> None:
    chain = (b"\x30\x82leaf", b"\x30\x82intermediate")
    draft = Draft(TYPE, Issuer(None, None, chain), {"a": 1})
    card = sdjwt.issue(draft, signer=ISSUER, holder=HOLDER.public, now=NOW)
    assert part(card.wire, 0)["x5c"] == [base64.b64encode(der).decode() for der in chain]
    assert "kid" not in part(card.wire, 0)
    assert "iss" not in part(card.wire, 1)
    assert sdjwt.check(card, keys=KEYS, now=NOW).issuer == Issuer(None, None, chain)


def test_a_credential_without_disclosures_has_no_sd_members() -> None:
    card = issued({"a": 1}, decoys=3)
    assert card.wire.count("~") == 1
    assert not {"_sd", "_sd_alg"} & part(card.wire, 1).keys()


@pytest.mark.parametrize("name", sorted(registered.WRITTEN_BY_FORMAT))
def test_drafts_may_not_write_what_the_format_writes(name: str) -> None:
    with pytest.raises(Malformed) as refusal:
        issued({name: "x"})
    assert refusal.value.code == "sdjwt.reserved_claim"


def test_drafts_need_a_type_and_a_known_status_mechanism() -> None:
    with pytest.raises(Malformed) as refusal:
        sdjwt.issue(Draft("", Issuer("x"), {}), signer=ISSUER, holder=None, now=NOW)
    assert refusal.value.code == "sdjwt.vct"
    with pytest.raises(Unsupported) as unsupported:
        issued({}, statuses=(StatusRef("bitstring", "https://s.test", 1),))
    assert unsupported.value.code == "sdjwt.status"


def test_randomness_is_an_argument() -> None:
    draft = Draft(TYPE, Issuer("https://issuer.test"), CLAIMS, PATHS, decoys=1)
    signer = SoftwareSigner.generate("EdDSA")  # deterministic
    one, two = (
        sdjwt.issue(draft, signer=signer, holder=None, now=NOW, random=lambda size: b"\x07" * size) for _ in range(2)
    )
    assert one == two


# --- the holder's check -----------------------------------------------------------------------------------------------


def test_the_holder_sees_everything_and_where_it_came_from() -> None:
    card = sdjwt.check(CARD, keys=KEYS, now=NOW)
    assert {name: card.claims[name] for name in CLAIMS} == CLAIMS
    assert set(card.disclosed) == set(PATHS)
    assert card.type == TYPE
    assert card.holder == HOLDER.public
    assert card.issued_at == NOW
    assert card.valid_until == NOW + timedelta(days=365)
    outcomes = {finding.check: finding.outcome for finding in card.findings}
    assert outcomes == {
        Check.FORMAT: Outcome.PASS,
        Check.SIGNATURE: Outcome.PASS,
        Check.HOLDER_BINDING: Outcome.NOT_ASKED,
        Check.VALIDITY: Outcome.PASS,
    }


def test_the_holder_is_told_of_an_unusable_binding() -> None:
    def binding(cnf: Any) -> tuple[Outcome, str]:
        made = Credential(sdjwt.ID, token(payload(cnf=cnf)))
        finding = found(sdjwt.check(made, keys=KEYS, now=NOW), Check.HOLDER_BINDING)
        return finding.outcome, finding.code

    assert binding({"kid": KID}) == (Outcome.NOT_ASKED, "sdjwt.bound")
    assert binding(None) == (Outcome.NOT_ASKED, "sdjwt.unbound")
    assert binding({"x5t#S256": "x"}) == (Outcome.FAIL, "sdjwt.cnf")


def test_decoys_count_as_hidden() -> None:
    # two at each of six levels: root, nationalities, document, document.issuer, addresses, addresses[1]
    assert sdjwt.check(CARD, keys=KEYS, now=NOW).hidden == 12


# --- showing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paths", "claims"),
    [
        ((), {"locale": "de-DE", "nationalities": []}),
        ((("given_name",),), {"given_name": "Erika", "locale": "de-DE", "nationalities": []}),
        ((("nationalities", 1),), {"locale": "de-DE", "nationalities": ["FR"]}),
        ((("nationalities", None),), {"locale": "de-DE", "nationalities": ["DE", "FR", "US"]}),
        ((("nationalities",),), {"locale": "de-DE", "nationalities": ["DE", "FR", "US"]}),
        (
            (("document", "type"),),  # its parent must come too, its hidden siblings must not
            {"locale": "de-DE", "nationalities": [], "document": {"type": "passport"}},
        ),
        (
            (("document", "issuer", "office"),),
            {
                "locale": "de-DE",
                "nationalities": [],
                "document": {"type": "passport", "issuer": {"country": "DE", "office": "Köln"}},
            },
        ),
        (
            (("document", "issuer", "country"),),
            {
                "locale": "de-DE",
                "nationalities": [],
                "document": {"type": "passport", "issuer": {"country": "DE"}},
            },
        ),
        ((("document",),), {"locale": "de-DE", "nationalities": [], "document": CLAIMS["document"]}),
        (
            (("addresses", 1, "city"),),
            {"locale": "de-DE", "nationalities": [], "addresses": [CLAIMS["addresses"][0], {"city": "Paris"}]},
        ),
        (
            (("addresses", None, "city"),),
            {"locale": "de-DE", "nationalities": [], "addresses": [CLAIMS["addresses"][0], {"city": "Paris"}]},
        ),
    ],
)
def test_only_what_the_paths_need_is_shown(paths: tuple[ClaimPath, ...], claims: dict[str, Any]) -> None:
    assert shown(*paths) == claims


def test_the_smallest_number_of_disclosures_goes_over_the_wire() -> None:
    assert presented(CARD).wire.count("~") == 1
    assert presented(CARD, ("locale",)).wire.count("~") == 1
    assert presented(CARD, ("document", "issuer", "office")).wire.count("~") == 4
    assert presented(CARD, ("document",), ("document", "number")).wire.count("~") == 5


def test_every_single_path_can_be_shown_and_judged() -> None:
    for path in PATHS:
        result = opened(presented(CARD, path))
        assert {finding.outcome for finding in result.findings} == {Outcome.PASS}, path
        assert path in result.disclosed


def test_indexes_mean_the_element_as_issued() -> None:
    result = opened(presented(CARD, ("nationalities", 2)))
    assert result.disclosed == (("nationalities", 2),)
    assert {("nationalities", 0), ("nationalities", 1)} <= result.closed
    assert result.claims["nationalities"] == ["US"]


@pytest.mark.parametrize("path", [("absent",), ("nationalities", 9), ("document", "absent")])
def test_a_claim_that_is_not_there_is_not_shown_silently(path: ClaimPath) -> None:
    with pytest.raises(Refused) as refusal:
        presented(CARD, path)
    assert refusal.value.code == "sdjwt.no_such_claim"


def test_only_the_holder_of_the_key_presents() -> None:
    with pytest.raises(Refused) as refusal:
        presented(CARD, holder=STRANGER)
    assert refusal.value.code == "sdjwt.not_the_holder"


def test_a_holder_named_by_kid_presents() -> None:
    card = Credential(sdjwt.ID, token(payload(cnf={"kid": KID})))
    assert found(opened(presented(card)), Check.HOLDER_BINDING).outcome is Outcome.PASS


def test_what_was_signed_goes_over_the_wire_unchanged() -> None:
    wire = presented(CARD, ("given_name",)).wire
    assert wire.split("~")[0] == CARD.wire.split("~")[0]
    assert wire.split("~")[1] in CARD.wire.split("~")


@pytest.mark.parametrize("name", ["sha-384", "sha-512"])
def test_sd_hash_uses_the_credentials_hash_function(name: str) -> None:
    card = Credential(sdjwt.ID, token(payload(_sd_alg=name)))
    wire = presented(card).wire
    proof = jose.parse(wire.split("~")[-1], typ=("kb+jwt",)).claims
    hash_new = {"sha-384": hashlib.sha384, "sha-512": hashlib.sha512}[name]
    assert proof["sd_hash"] == b64url(hash_new(wire[: wire.rindex("~") + 1].encode()).digest())
    assert found(opened(wire), Check.HOLDER_BINDING).outcome is Outcome.PASS
    assert found(opened(bound(card.wire)), Check.HOLDER_BINDING).code == "kb.sd_hash"  # SHA-256 is not the one named


# --- transaction data (OpenID4VP 1.0 B.3.3.1) -------------------------------------------------------------------------


def transaction(**members: Any) -> str:
    return b64url(json.dumps({"type": "pay", "credential_ids": ["x"], **members}).encode())


@pytest.mark.parametrize(
    ("requested", "name"),
    [
        ((transaction(),), None),
        ((transaction(), transaction(amount=5)), None),
        ((transaction(transaction_data_hashes_alg=["sha-256"]),), "sha-256"),
        ((transaction(transaction_data_hashes_alg=["md5", "sha-384"]),), "sha-384"),
        ((transaction(transaction_data_hashes_alg=["sha-512", "sha-256"]), transaction()), "sha-256"),
    ],
)
def test_transaction_data_is_signed_and_checked(requested: tuple[str, ...], name: str | None) -> None:
    asked = replace(CHALLENGE, transaction_data=requested)
    presentation = presented(CARD, challenge=asked)
    proof = jose.parse(presentation.wire.split("~")[-1], typ=("kb+jwt",)).claims
    hash_new = getattr(hashlib, (name or "sha-256").replace("-", ""))
    assert proof["transaction_data_hashes"] == [b64url(hash_new(one.encode()).digest()) for one in requested]
    assert proof.get("transaction_data_hashes_alg") == name
    assert found(opened(presentation, challenge=asked), Check.HOLDER_BINDING).outcome is Outcome.PASS
    other = replace(CHALLENGE, transaction_data=(*requested, transaction(amount=6)))
    assert found(opened(presentation, challenge=other), Check.HOLDER_BINDING).code == "kb.transaction_data"
    assert found(opened(presented(CARD), challenge=asked), Check.HOLDER_BINDING).code == "kb.transaction_data"


def test_a_hash_function_that_was_not_offered_does_not_answer() -> None:
    one = transaction()
    hashed = b64url(hashlib.sha512(one.encode()).digest())
    wire = bound(token(payload()), transaction_data_hashes=[hashed], transaction_data_hashes_alg="sha-512")
    asked = replace(CHALLENGE, transaction_data=(one,))
    assert found(opened(wire, challenge=asked), Check.HOLDER_BINDING).code == "kb.transaction_data"


@pytest.mark.parametrize("requested", ["!", b64url(b"[]"), transaction(transaction_data_hashes_alg=["md5"])])
def test_transaction_data_that_cannot_be_answered_is_refused(requested: str) -> None:
    with pytest.raises((Malformed, Unsupported)):
        presented(CARD, challenge=Challenge("n", "a", transaction_data=(requested,)))


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vct", [None, "", 5, ["x"]])
def test_a_credential_needs_a_type(vct: Any) -> None:
    with pytest.raises(Malformed):
        opened(bound(token(payload(vct=vct))))


@pytest.mark.parametrize(
    "status",
    [
        None,
        {},
        [],
        {"status_list": "x"},
        {"status_list": {}},
        {"status_list": {"uri": "", "idx": 1}},
        {"status_list": {"uri": "x", "idx": -1}},
        {"status_list": {"uri": "x", "idx": True}},
        {"status_list": {"uri": "x", "idx": "1"}},
    ],
)
def test_a_status_that_cannot_be_followed_is_refused(status: Any) -> None:
    with pytest.raises(Malformed) as refusal:
        opened(bound(token(payload(status=status))))
    assert refusal.value.code == "sdjwt.status"


def test_an_unknown_status_mechanism_is_not_taken_for_no_status() -> None:
    assert opened(bound(token(payload()))).statuses == ()
    assert opened(bound(token(payload(status={"new_list": {"x": 1}})))).statuses == (StatusRef("new_list", "", 0),)
    both = {"new_list": {}, "status_list": {"uri": "https://s.test/1", "idx": 3}}
    expected = StatusRef("token_status_list", "https://s.test/1", 3)
    assert opened(bound(token(payload(status=both)))).statuses == (expected,)


@pytest.mark.parametrize("others", [[], "urn:b", [5], [TYPE], {"a": 1}, None])
def test_further_types_that_are_no_list_of_other_types_are_refused(others: Any) -> None:
    with pytest.raises(Malformed) as refusal:
        opened(bound(token(payload(aka_vcts=others))))
    assert refusal.value.code == "sdjwt.aka_vcts"


@pytest.mark.parametrize(
    ("meta", "met"),
    [
        ({"vct_values": [TYPE]}, True),
        ({"vct_values": ["urn:x", TYPE]}, True),
        ({"vct_values": ["urn:general"]}, True),
        ({"vct_values": ["urn:x"]}, False),
        ({"vct_values": []}, False),
        ({"vct_values": TYPE}, False),
        ({"doctype_value": TYPE}, False),
        ({}, True),
    ],
)
def test_types_are_matched_by_vct_and_aka_vcts(meta: dict[str, Any], *, met: bool) -> None:
    assert sdjwt.meets(meta, opened(bound(token(payload(aka_vcts=["urn:general"]))))) is met


@pytest.mark.parametrize("wire", ["", "~", "a", "a~", "~~", "a.b.c~", "é~", "{}", '{"payload":""}~', "a.b.c", "." * 9])
def test_what_is_no_sd_jwt_is_refused(wire: str) -> None:
    for attempt in (lambda: opened(wire), lambda: presented(Credential(sdjwt.ID, wire))):
        with pytest.raises(SsiError):
            attempt()


def test_json_serialization_is_named_when_refused() -> None:
    with pytest.raises(Unsupported) as refusal:
        opened('{"payload": "e30", "signatures": []}')
    assert refusal.value.code == "sdjwt.json_form"


def test_size_is_bounded() -> None:
    with pytest.raises(Malformed) as refusal:
        opened("a" * (sdjwt.MAX_BYTES + 1))
    assert refusal.value.code == "sdjwt.size"


def test_findings_hold_no_claim_values() -> None:
    for path in ((), ("given_name",)):
        result = opened(presented(CARD, *([path] if path else [])))
        assert "Erika" not in repr(result.findings)
    assert digest_of("x") not in repr(opened(presented(CARD)).findings)


@given(st.text(alphabet="ab.~-_ {}=é\x00", max_size=60))
def test_hostile_text_raises_only_ssi_error(wire: str) -> None:
    for attempt in (
        lambda: opened(wire),
        lambda: sdjwt.check(Credential(sdjwt.ID, wire), keys=KEYS, now=NOW),
        lambda: presented(Credential(sdjwt.ID, wire), ("a",)),
    ):
        try:
            attempt()
        except SsiError:
            continue


@given(st.data())
def test_one_changed_character_never_verifies(data: st.DataObject) -> None:
    wire = WHOLE
    at = data.draw(st.integers(0, len(wire) - 1))
    spoilt = wire[:at] + data.draw(st.sampled_from("AZaz09-_~.=")) + wire[at + 1 :]
    if spoilt == wire:
        return
    try:
        result = opened(Presentation(sdjwt.ID, spoilt))
    except SsiError:
        return
    assert any(finding.outcome is Outcome.FAIL for finding in result.findings)


WHOLE = presented(CARD, ("given_name",), ("nationalities", 0)).wire


@given(
    st.dictionaries(
        st.sampled_from(["iss", "vct", "exp", "nbf", "iat", "cnf", "status", "aud", "aka_vcts", "_sd", "_sd_alg", "a"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["jwk", "kid", "status_list", "uri", "idx", "kty"]), inner, max_size=3
                )
            ),
            max_leaves=8,
        ),
    )
)
def test_hostile_payloads_raise_only_ssi_error(claims: dict[str, Any]) -> None:
    try:
        made = token({**payload(), **claims})
    except SsiError:  # a number that JSON here does not write
        return
    for attempt in (
        lambda: opened(bound(made)),
        lambda: sdjwt.check(Credential(sdjwt.ID, made), keys=KEYS, now=NOW),
        lambda: presented(Credential(sdjwt.ID, made), ("a",)),
    ):
        try:
            attempt()
        except SsiError:
            continue
