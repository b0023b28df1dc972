"""Trust declarations: each kind becomes its policy; what is unknown, missing or of another form is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ssi.encoding import write_json
from ssi.errors import Malformed, SsiError, Unavailable
from ssi.fetch import BoundedFetch, Response
from ssi.keys import SoftwareSigner
from ssi.model import Issuer, Outcome
from ssi.trust import declared
from ssi.trust.declared import Declared
from ssi.trust.lists import MAX_BYTES
from tests.ssi import federations, trustedlists
from tests.ssi.certificates import root
from tests.ssi.federations import Member, issuer
from tests.ssi.trustedlists import CA_QC, PID, Operator, entry, enveloped, lote, service, signed, tsl
from tests.support import NOW, InMemoryFetch

TYPE = "urn:eudi:pid:1"
LIST = "https://lists.test/pid.jwt"
TOP = "https://anchor.test"


def pem(der: bytes) -> bytes:
    text = trustedlists.b64(der)
    lines = "\n".join(text[place : place + 64] for place in range(0, len(text), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n".encode()


def read(declaration: Any, files: dict[str, bytes] | None = None, network: Any = None) -> Declared:
    def open_file(name: str) -> bytes:
        if name not in (files or {}):
            raise Unavailable("settings.file", "It is not there.")
        return (files or {})[name]

    content = declaration if isinstance(declaration, bytes) else json.dumps(declaration).encode()
    return declared.read(content, open_file=open_file, fetch=network or InMemoryFetch({}))


def judged(found: Declared, who: Issuer, kind: str = TYPE) -> tuple[Outcome, str]:
    assert found.issuers is not None
    finding = found.issuers.judge(who, kind, now=NOW)
    return finding.outcome, finding.code


def test_every_kind_of_source_becomes_a_policy_and_one_of_them_is_enough() -> None:
    operator, (above, chain), other = Operator.make(), trustedlists.authorities(), root("Other CA")
    leaf, top = issuer("https://issuer.test", TOP), Member(TOP)
    network = federations.world(leaf, top)
    network.world[LIST] = signed(lote(service([above.der])), operator)  # type: ignore[index]
    files = {
        "other.pem": pem(other.der),
        "operator.pem": pem(operator.der),
        "keys.json": write_json(federations.jwks(top.signer)),
        "list.xml": enveloped(tsl(entry([above.der])), operator),
    }
    found = read(
        {
            "issuers": [
                {"kind": "x509", "anchors": "other.pem", "types": [TYPE]},
                {"kind": "did", "ids": {"did:web:a.test": [TYPE]}},
                {"kind": "metadata", "ids": {"https://b.test": None}},
                {"kind": "lote", "url": LIST, "signers": "operator.pem", "types": {PID: [TYPE]}},
                {"kind": "ts119612", "file": "list.xml", "signers": "operator.pem", "types": {CA_QC: ["qualified"]}},
                {"kind": "federation", "anchor": TOP, "keys": "keys.json", "types": [TYPE]},
            ],
            "relying_parties": [{"kind": "x509", "anchors": "other.pem", "types": None}],
        },
        files,
        network,
    )
    assert judged(found, Issuer(None, None, chain)) == (Outcome.PASS, "trust.listed_service")
    assert judged(found, Issuer(None, None, chain), "qualified") == (Outcome.PASS, "trust.listed_service")
    assert judged(found, Issuer(None, None, chain), "else")[0] is Outcome.FAIL
    certified = (other.certify(SoftwareSigner.generate("ES256").public),)
    assert judged(found, Issuer(None, None, certified)) == (Outcome.PASS, "trust.anchored")
    assert judged(found, Issuer("did:web:a.test")) == (Outcome.PASS, "trust.listed")
    assert judged(found, Issuer("did:web:a.test"), "else") == (Outcome.FAIL, "trust.type")
    assert judged(found, Issuer("https://b.test"), "else") == (Outcome.PASS, "trust.listed")
    assert judged(found, Issuer(leaf.id)) == (Outcome.PASS, "trust.federated")
    assert found.relying_parties is not None
    assert found.wallets is None


def test_an_unreachable_list_is_unknown_for_whom_nobody_else_vouches() -> None:
    operator, (_, chain) = Operator.make(), trustedlists.authorities()
    lists = [{"kind": "lote", "url": LIST, "signers": "operator.pem", "types": {PID: None}}]
    found = read(
        {"issuers": [*lists, {"kind": "did", "ids": {"did:web:a.test": None}}]}, {"operator.pem": pem(operator.der)}
    )
    assert judged(found, Issuer(None, None, chain)) == (Outcome.UNKNOWN, "trust.list_unavailable")
    assert judged(found, Issuer("did:web:a.test")) == (Outcome.PASS, "trust.listed")
    assert judged(found, Issuer("did:web:b.test"))[0] is Outcome.FAIL


@pytest.mark.parametrize("status", [404, 500, 302])
def test_a_list_is_what_a_server_answers_with_200(status: int) -> None:
    operator, (above, chain) = Operator.make(), trustedlists.authorities()
    body = signed(lote(service([above.der])), operator)
    network = InMemoryFetch({LIST: Response(status, LIST, {}, body)})
    lists = [{"kind": "lote", "url": LIST, "signers": "operator.pem", "types": {PID: None}}]
    found = read({"issuers": lists}, {"operator.pem": pem(operator.der)}, network)
    assert judged(found, Issuer(None, None, chain)) == (Outcome.UNKNOWN, "trust.list_unavailable")


def test_purposes_are_those_of_the_signers_certificate() -> None:
    from cryptography import x509

    from tests.ssi.certificates import SIGNS, usage

    above, key = root("Purposeful CA"), SoftwareSigner.generate("ES256").public
    oid = "1.0.18013.5.1.2"
    found = read(
        {"issuers": [{"kind": "x509", "anchors": "a", "types": None, "purposes": [oid]}]}, {"a": pem(above.der)}
    )
    for purposes, expected in (
        ([oid], (Outcome.PASS, "trust.anchored")),
        (["1.3.6.1.5.5.7.3.1"], (Outcome.FAIL, "trust.purpose")),
        ([], (Outcome.FAIL, "trust.purpose")),
    ):
        uses = x509.ExtendedKeyUsage([x509.ObjectIdentifier(each) for each in purposes])
        extensions = [(usage(SIGNS), True), *([(uses, True)] if purposes else [])]
        assert judged(found, Issuer(None, None, (above.certify(key, extensions=extensions),))) == expected


GOOD_LIST = {"kind": "lote", "url": LIST, "signers": "operator.pem", "types": {PID: None}}
GOOD_FEDERATION = {"kind": "federation", "anchor": TOP, "keys": federations.jwks(Member(TOP).signer), "types": None}
WRONG: dict[str, tuple[Any, str]] = {
    "no JSON": (b"{", "encoding.json"),
    "empty": ({}, "trust.declaration"),
    "another purpose": ({"issuer": []}, "trust.declaration"),
    "a purpose that is no list": ({"issuers": {}}, "trust.declaration"),
    "a source that is no object": ({"issuers": ["x509"]}, "trust.declaration"),
    "no kind": ({"issuers": [{}]}, "trust.declaration_kind"),
    "another kind": ({"issuers": [{"kind": "everybody"}]}, "trust.declaration_kind"),
    "a kind that is no text": ({"issuers": [{"kind": ["x509"]}]}, "trust.declaration_kind"),
    "types are missing": ({"issuers": [{"kind": "x509", "anchors": "operator.pem"}]}, "trust.declaration_member"),
    "another member": ({"issuers": [{**GOOD_LIST, "verify": False}]}, "trust.declaration_member"),
    "no types": ({"issuers": [{"kind": "x509", "anchors": "operator.pem", "types": []}]}, "trust.declaration"),
    "types no texts": ({"issuers": [{"kind": "x509", "anchors": "operator.pem", "types": [1]}]}, "trust.declaration"),
    "no file": ({"issuers": [{"kind": "x509", "anchors": "nowhere.pem", "types": None}]}, "settings.file"),
    "no certificates": ({"issuers": [{"kind": "x509", "anchors": "text", "types": None}]}, "trust.pem"),
    "purposes null": (
        {"issuers": [{"kind": "x509", "anchors": "operator.pem", "types": None, "purposes": None}]},
        "trust.declaration",
    ),
    "a DID that is none": ({"issuers": [{"kind": "did", "ids": {"https://a.test": None}}]}, "trust.declaration"),
    "a URL that is none": ({"issuers": [{"kind": "metadata", "ids": {"did:web:a": None}}]}, "trust.declaration"),
    "no ids": ({"issuers": [{"kind": "did", "ids": {}}]}, "trust.declaration"),
    "list of nowhere": ({"issuers": [{k: v for k, v in GOOD_LIST.items() if k != "url"}]}, "trust.declaration"),
    "list of two places": ({"issuers": [{**GOOD_LIST, "file": "list.xml"}]}, "trust.declaration"),
    "list over http": ({"issuers": [{**GOOD_LIST, "url": "http://lists.test"}]}, "trust.declaration"),
    "list without service types": ({"issuers": [{**GOOD_LIST, "types": {}}]}, "trust.declaration"),
    "types of a list as a list": ({"issuers": [{**GOOD_LIST, "types": [PID]}]}, "trust.declaration"),
    "statuses no list": ({"issuers": [{**GOOD_LIST, "statuses": "granted"}]}, "trust.declaration"),
    "refreshed all the time": ({"issuers": [{**GOOD_LIST, "refresh_seconds": 1}]}, "trust.declaration"),
    "refreshed now and then": ({"issuers": [{**GOOD_LIST, "refresh_seconds": "often"}]}, "trust.declaration"),
    "an anchor that is no URL": ({"issuers": [{**GOOD_FEDERATION, "anchor": "anchor"}]}, "trust.federation_id"),
    "an anchor without keys": ({"issuers": [{**GOOD_FEDERATION, "keys": {"keys": []}}]}, "trust.federation_keys"),
    "an anchor with RSA only": (
        {"issuers": [{**GOOD_FEDERATION, "keys": {"keys": [{"kty": "RSA", "kid": "a"}]}}]},
        "trust.federation_anchor",
    ),
    "marks no object": ({"issuers": [{**GOOD_FEDERATION, "trust_marks": ["x"]}]}, "trust.declaration"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_declared_wrongly_is_refused_by_name(name: str) -> None:
    declaration, code = WRONG[name]
    with pytest.raises(SsiError) as caught:
        read(declaration, {"operator.pem": pem(Operator.make().der), "text": b"text"})
    assert caught.value.code == code


def test_nothing_is_fetched_before_somebody_needs_it() -> None:
    network = InMemoryFetch({})
    read({"issuers": [GOOD_LIST, GOOD_FEDERATION]}, {"operator.pem": pem(Operator.make().der)}, network)
    assert network.calls == []


# --- the authorities that an asker names ------------------------------------------------------------------------------


def test_an_asker_may_name_a_list_or_an_entity_of_a_federation() -> None:
    operator, (above, chain) = Operator.make(), trustedlists.authorities()
    leaf, top = issuer("https://issuer.test", TOP), Member(TOP)
    network = federations.world(leaf, top)
    network.world[LIST] = signed(lote(service([above.der])), operator)  # type: ignore[index]
    down = {**GOOD_LIST, "url": "https://down.test/list"}
    federation = {**GOOD_FEDERATION, "keys": federations.jwks(top.signer), "types": ["none of these"]}
    found = read({"issuers": [GOOD_LIST, down, federation]}, {"operator.pem": pem(operator.der)}, network).authorities

    def asked(kind: str, value: str, who: Issuer) -> tuple[Outcome, str]:
        finding = found.judge(kind, value, who, now=NOW)
        return finding.outcome, finding.code

    certified, member = Issuer(None, None, chain), Issuer(leaf.id)
    assert asked("etsi_tl", LIST, certified) == (Outcome.PASS, "trust.listed_service")
    assert asked("etsi_tl", LIST, member) == (Outcome.FAIL, "trust.no_chain")
    assert asked("etsi_tl", "https://down.test/list", certified) == (Outcome.UNKNOWN, "trust.list_unavailable")
    assert asked("etsi_tl", "https://other.test", certified) == (Outcome.FAIL, "trust.authority_unknown")
    assert asked("openid_federation", TOP, member) == (Outcome.PASS, "trust.authority")
    assert asked("openid_federation", leaf.id, member) == (Outcome.PASS, "trust.authority")
    assert asked("openid_federation", "https://other.test", member) == (Outcome.FAIL, "trust.federation_no_path")
    assert asked("openid_federation", TOP, certified) == (Outcome.FAIL, "trust.signed_with_certificate")
    assert asked("aki", "x", certified) == (Outcome.FAIL, "trust.authority_unknown")


def test_a_file_may_go_by_the_address_that_others_know_it_by() -> None:
    operator, (above, chain) = Operator.make(), trustedlists.authorities()
    entry_ = {"kind": "lote", "file": "list", "name": LIST, "signers": "operator.pem", "types": {PID: None}}
    files = {"operator.pem": pem(operator.der), "list": signed(lote(service([above.der])), operator)}
    found = read({"issuers": [entry_]}, files).authorities
    assert found.judge("etsi_tl", LIST, Issuer(None, None, chain), now=NOW).outcome is Outcome.PASS


def test_keys_of_members_come_from_the_federation_and_without_one_everything_stays_as_it_was() -> None:
    leaf, top = issuer("https://issuer.test", TOP), Member(TOP)
    source = {**GOOD_FEDERATION, "keys": federations.jwks(top.signer)}
    found = read({"issuers": [source]}, network=federations.world(leaf, top))
    beside: Any = object()
    key = found.keys(beside).issuer_key(Issuer(leaf.id), alg="ES256", now=NOW)
    assert key.key == leaf.protocol.public
    assert found.keys(beside, purpose="wallets") is beside
    assert declared.NOTHING.keys(beside) is beside
    assert declared.NOTHING.issuers is None


def test_a_declaration_with_types_of_marks_asks_about_those_marks() -> None:
    kind = f"{TOP}/marks/pid"
    leaf, top = issuer("https://issuer.test", TOP), Member(TOP)
    leaf.own = {"trust_marks": [federations.mark(kind, top, leaf.id)]}
    source = {**GOOD_FEDERATION, "keys": federations.jwks(top.signer), "trust_marks": {kind: [TYPE]}}
    found = read({"issuers": [source]}, network=federations.world(leaf, top))
    assert judged(found, Issuer(leaf.id)) == (Outcome.PASS, "trust.federated")
    assert judged(found, Issuer(leaf.id), "else") == (Outcome.FAIL, "trust.federation_no_mark")


def test_a_declaration_is_malformed_and_never_half_read() -> None:
    with pytest.raises(Malformed):
        read({"issuers": [GOOD_FEDERATION], "wallets": [{"kind": "?"}]})


def test_lists_may_be_larger_and_slower_than_what_else_is_fetched() -> None:
    usual = BoundedFetch(allow_loopback=False, ca_file=None)
    roomy = usual.allowing(max_bytes=MAX_BYTES, timeout=20.0)
    assert roomy._limit(MAX_BYTES) == MAX_BYTES
    assert usual._limit(MAX_BYTES) < MAX_BYTES
    assert (usual._timeout, roomy._timeout) == (5.0, 20.0)
    assert roomy._allow_loopback is False
    declaration = {"issuers": [{**GOOD_LIST, "url": "https://127.0.0.1/list"}]}
    found = read(declaration, {"operator.pem": pem(Operator.make().der)}, usual)
    _, chain = trustedlists.authorities()
    assert judged(found, Issuer(None, None, chain)) == (Outcome.UNKNOWN, "trust.list_unavailable")
