"""Trusted lists: believed only as signed, in JSON (TS 119 602) and XML (TS 119 612); stale is neither yes nor no."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.util import ds_tag
from signxml.xades import XAdESSigner

from ssi.encoding import b64url, write_json
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.keys import SoftwareSigner
from ssi.model import Issuer, Outcome
from ssi.trust import listed, lote, ts119612
from ssi.trust.listed import Listed
from ssi.trust.lists import TrustedList, moment
from ssi.trust.sources import Source
from tests.ssi import trustedlists as made
from tests.ssi.certificates import END, START, root, usage
from tests.ssi.trustedlists import (
    CA_QC,
    GRANTED,
    NOTIFIED,
    PID,
    WITHDRAWN,
    Operator,
    entry,
    enveloped,
    service,
    signed,
    tsl,
)
from tests.support import NOW

TYPE = "urn:eudi:pid:1"
OPERATOR = Operator.make()
DAY = timedelta(days=1)


def policy(read: Callable[..., TrustedList], content: bytes, *, types: Any = None, **more: Any) -> Listed:
    source = Source(listed.published(lambda now: read(content, signers=(OPERATOR.der,), now=now)))
    return Listed(source, "https://lists.test/pid", types or {PID: frozenset({TYPE}), CA_QC: frozenset({TYPE})}, **more)


def code(read: Callable[..., TrustedList], content: bytes, *, signers: Any = (OPERATOR.der,)) -> str:
    with pytest.raises(SsiError) as caught:
        read(content, signers=signers, now=NOW)
    return caught.value.code


def judged(found: Listed, chain: tuple[bytes, ...], kind: str = TYPE, *, now: Any = NOW) -> tuple[Outcome, str]:
    finding = found.judge(Issuer("https://issuer.test", None, chain), kind, now=now)
    return finding.outcome, finding.code


# --- TS 119 602 -------------------------------------------------------------------------------------------------------


def test_a_list_in_json_says_who_signs_what() -> None:
    above, _ = made.authorities()
    found = lote.read(signed(made.lote(service([above.der])), OPERATOR), signers=(OPERATOR.der,), now=NOW)
    assert (found.operator, found.sequence) == ("Ministry of Lists", 7)
    assert found.type.endswith("EUPIDProvidersList")
    assert found.services[0].name == "Registry of Persons"
    assert found.services[0].certificates == (above.der,)


def test_the_signer_may_be_certified_by_a_pinned_authority_and_the_chain_may_go_on_to_it() -> None:
    top = root("Utopia List CA")
    operator = Operator.under(top)
    for chain in ([operator.der], [operator.der, top.der]):
        assert lote.read(signed(made.lote(), operator, chain=chain), signers=(top.der,), now=NOW)
    assert code(lote.read, signed(made.lote(), operator), signers=(root("Utopia List CA").der,)) == "trust.chain"
    assert code(lote.read, signed(made.lote(), operator), signers=(root("Other CA").der,)) == "trust.list_signer"


def test_header_parameters_of_jades_may_be_critical_and_others_may_not() -> None:
    print_of = b64url(hashlib.sha256(OPERATOR.der).digest())
    good = signed(made.lote(), OPERATOR, crit=["sigT"], sigT="2026-01-01T00:00:00Z", **{"x5t#S256": print_of})
    assert lote.read(good, signers=(OPERATOR.der,), now=NOW)
    assert code(lote.read, signed(made.lote(), OPERATOR, crit=["b64"], b64=False)) == "jose.crit"
    assert code(lote.read, signed(made.lote(), OPERATOR, crit=["sigT"])) == "jose.crit"
    assert code(lote.read, signed(made.lote(), OPERATOR, crit=[])) == "jose.crit"
    assert code(lote.read, signed(made.lote(), OPERATOR, crit=[1])) == "trust.list"
    assert code(lote.read, signed(made.lote(), OPERATOR, **{"x5t#S256": print_of[::-1]})) == "trust.list_signer"


def test_what_a_list_in_json_may_leave_out_it_may_leave_out() -> None:
    document = made.lote({"ServiceInformation": {"ServiceName": []}}, {"ServiceInformation": {}})
    for member in ("LoTEType", "LoTEVersionIdentifier", "SchemeOperatorName", "LoTESequenceNumber"):
        del document["LoTE"]["ListAndSchemeInformation"][member]
    found = lote.read(signed(document, OPERATOR), signers=(OPERATOR.der,), now=NOW)
    assert [(each.type, each.certificates) for each in found.services] == [("", ()), ("", ())]


BAD_JSON = {
    "nobody's": (lambda: signed(made.lote(), OPERATOR, x5c=None), "trust.list_signer"),
    "a stranger's": (lambda: signed(made.lote(), Operator.make()), "trust.list_signer"),
    "a stranger's under the operator's name": (
        lambda: signed(made.lote(), Operator(SoftwareSigner.generate("ES256"), OPERATOR.der)),
        "jose.signature",
    ),
    "changed": (lambda: _changed(signed(made.lote(), OPERATOR)), "jose.signature"),
    "unsigned": (lambda: signed(made.lote(), OPERATOR, alg="none"), "key.algorithm"),
    "no token": (lambda: write_json(made.lote()), "encoding.base64url"),
    "no list": (lambda: signed({}, OPERATOR), "trust.list"),
    "type no text": (lambda: signed(made.lote(LoTEType=7), OPERATOR), "encoding.text"),
    "another version": (lambda: signed(made.lote(LoTEVersionIdentifier=2), OPERATOR), "trust.list_version"),
    "no date": (lambda: signed(made.lote(ListIssueDateTime=None), OPERATOR), "trust.list_time"),
    "no next update": (lambda: signed(made.lote(NextUpdate=None), OPERATOR), "trust.list_time"),
    "local time": (lambda: signed(made.lote(NextUpdate="2027-01-01T00:00:00"), OPERATOR), "trust.list_time"),
    "number as text": (lambda: signed(made.lote(LoTESequenceNumber="7"), OPERATOR), "trust.list"),
    "status no text": (lambda: signed(made.lote(service([], ServiceStatus=7)), OPERATOR), "trust.list"),
    "services no list": (lambda: signed(made.lote(service([], ServiceHistory={})), OPERATOR), "trust.list"),
}


def _changed(token: bytes) -> bytes:
    head, _, tail = token.split(b".")
    return b".".join((head, b64url(write_json(made.lote(sequence=8))).encode(), tail))


@pytest.mark.parametrize("name", BAD_JSON)
def test_a_list_in_json_that_is_not_the_operators_or_not_a_list_is_refused(name: str) -> None:
    make, expected = BAD_JSON[name]
    assert code(lote.read, make()) == expected


def test_the_operators_certificate_must_be_in_its_time() -> None:
    for start, end, expected in ((START, NOW - DAY, "trust.expired"), (NOW + DAY, END, "trust.not_yet_valid")):
        operator = Operator.make(start=start, end=end)
        assert code(lote.read, signed(made.lote(), operator), signers=(operator.der,)) == expected
        assert code(ts119612.read, enveloped_at(operator), signers=(operator.der,)) == "trust.list_signature"


def enveloped_at(operator: Operator) -> bytes:
    return enveloped(tsl(entry([])), operator)


# --- TS 119 612 -------------------------------------------------------------------------------------------------------


def test_a_list_in_xml_says_who_signs_what() -> None:
    above, _ = made.authorities()
    xml = tsl(entry([above.der], history=f"<ServiceHistory>{made.past(WITHDRAWN, START - DAY)}</ServiceHistory>"))
    found = ts119612.read(enveloped(xml, OPERATOR), signers=(OPERATOR.der,), now=NOW)
    assert (found.operator, found.sequence) == ("Ministry of Lists", 42)
    assert found.services[0].type == CA_QC
    assert found.services[0].name == "Issuing service"
    assert found.services[0].certificates == (above.der,)
    assert [each.status for each in found.services[0].standings] == [GRANTED, WITHDRAWN]


def test_a_list_whose_signature_covers_it_by_its_id_is_read_too() -> None:
    xml = enveloped(tsl(entry([])), OPERATOR, reference_uri="#TSL")
    assert ts119612.read(xml, signers=(OPERATOR.der,), now=NOW).sequence == 42


def test_a_list_signed_with_rsa_and_two_references_is_read_as_member_states_make_them() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "TL Signer")])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(START).not_valid_after(END)
    certificate = builder.sign(key, hashes.SHA256())

    class AsMemberStatesDo(XAdESSigner):
        """References to the list and to the signed properties, not to the key information."""

        def _add_reference_to_signed_info(self, sig_root: Any, node_to_reference: Any, **attrs: str) -> None:
            if attrs:
                super()._add_reference_to_signed_info(sig_root, node_to_reference, **attrs)
                reference = self._find(sig_root, "SignedInfo")[-1]
                transforms = etree.Element(ds_tag("Transforms"))
                etree.SubElement(transforms, ds_tag("Transform"), Algorithm=self.c14n_alg.value)
                reference.insert(0, transforms)

    algorithms = {"signature_algorithm": SignatureMethod.RSA_SHA512, "digest_algorithm": DigestAlgorithm.SHA512}
    exclusive = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
    signer = AsMemberStatesDo(**algorithms, c14n_algorithm=exclusive)
    pem = certificate.public_bytes(Encoding.PEM).decode()
    tree = signer.sign(etree.fromstring(tsl(entry([])).encode()), key=key, cert=pem, always_add_key_value=False)
    xml, signers = (
        etree.tostring(tree, xml_declaration=True, encoding="UTF-8"),
        (certificate.public_bytes(Encoding.DER),),
    )
    assert xml.count(b"<ds:Reference ") == 2
    assert ts119612.read(xml, signers=signers, now=NOW).sequence == 42
    assert code(ts119612.read, xml.replace(b">42<", b">43<"), signers=signers) == "trust.list_signature"


@pytest.mark.parametrize("weak", [SignatureMethod.ECDSA_SHA1, SignatureMethod.ECDSA_SHA224])
def test_weak_signatures_are_no_signatures(weak: SignatureMethod) -> None:
    class Weak(XAdESSigner):
        """Signs with what should not be used any more."""

        def check_deprecated_methods(self) -> None:
            """Everything is allowed."""

    signer = Weak(signature_algorithm=weak, digest_algorithm=DigestAlgorithm.SHA256)
    key = OPERATOR.signer.native.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem = x509.load_der_x509_certificate(OPERATOR.der).public_bytes(Encoding.PEM).decode()
    tree = signer.sign(etree.fromstring(tsl(entry([])).encode()), key=key, cert=pem, always_add_key_value=False)
    assert code(ts119612.read, etree.tostring(tree)) == "trust.list_signature"


def with_doctype(xml: bytes, doctype: bytes) -> bytes:
    return xml.replace(b"?>", b"?>" + doctype, 1)


def wrapped(xml: bytes) -> bytes:
    """Signature wrapping: the signed list hides in a member of a forged one, which takes over its signature."""
    inner = xml.partition(b"?>")[2].decode()
    start, end = inner.index("<ds:Signature"), inner.index("</ds:Signature>") + len("</ds:Signature>")
    kept, signature = inner[:start] + inner[end:], inner[start:end]
    return tsl(entry([]), sequence="99", more=f"{signature}<Kept>{kept}</Kept>").replace('Id="TSL"', "", 1).encode()


def test_what_was_wrapped_around_a_signed_list_is_never_read() -> None:
    honest = enveloped(tsl(entry([])), OPERATOR, reference_uri="#TSL")
    forged = wrapped(honest)
    assert b">99<" in forged
    assert ts119612.read(forged, signers=(OPERATOR.der,), now=NOW).sequence == 42  # only what was signed


def test_hostile_xml_is_refused_before_anything_is_expanded() -> None:
    xml = enveloped(tsl(entry([])), OPERATOR)
    bomb = (
        b"<!DOCTYPE x [<!ENTITY a 'ha'>"
        + b"".join(
            b"<!ENTITY a%d '%s'>" % (n, b"&a%s;" % (b"" if n == 1 else b"%d" % (n - 1)) * 50) for n in range(1, 12)
        )
        + b"]>"
    )
    hostile = [
        with_doctype(xml, bomb),
        with_doctype(xml, b"<!DOCTYPE x SYSTEM 'https://evil.test/x.dtd'>"),
        with_doctype(xml, b"<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]>"),
        xml.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"),
        b"",
        b"\xff\xfe",
        b"<a>" * 100_000,
        xml.replace(b"Ministry of Lists", b"&unknown;"),
        xml.replace(b"<SchemeInformation>", b"<?run this?><SchemeInformation>"),
        xml[:-200],
        b"x" * (ts119612.MAX_BYTES + 1),
    ]
    for each in hostile:
        assert code(ts119612.read, each) == "trust.list_xml"
    utf7 = b"<?xml version='1.0' encoding='UTF-7'?>+ADwAIQ-DOCTYPE x [ +ADwAIQ-ENTITY a 'b'> ]>+ADw-x/>"
    assert code(ts119612.read, utf7) in ("trust.list_xml", "trust.list")


def _moved(xml: bytes) -> bytes:
    text = xml.decode()
    start, end = text.index("<ds:Signature"), text.index("</ds:Signature>") + len("</ds:Signature>")
    signature = text[start:end]
    return (text[:start] + text[end:]).replace("<SchemeInformation>", f"<SchemeInformation>{signature}").encode()


BAD_XML: dict[str, tuple[Callable[[], bytes], str]] = {
    "changed": (lambda: enveloped(tsl(entry([])), OPERATOR).replace(b">42<", b">43<"), "trust.list_signature"),
    "status changed": (
        lambda: enveloped(tsl(entry([], status=WITHDRAWN)), OPERATOR).replace(b"withdrawn", b"granted"),
        "trust.list_signature",
    ),
    "unsigned": (lambda: tsl(entry([])).encode(), "trust.list_signature"),
    "a stranger's": (lambda: enveloped(tsl(entry([])), Operator.make()), "trust.list_signer"),
    "a stranger's under the operator's name": (
        lambda: enveloped(tsl(entry([])), Operator(SoftwareSigner.generate("ES256"), OPERATOR.der)),
        "trust.list_signature",
    ),
    "signature elsewhere": (lambda: _moved(enveloped(tsl(entry([])), OPERATOR)), "trust.list_signature"),
    "signature twice": (
        lambda: enveloped(tsl(entry([])), OPERATOR).replace(
            b"</TrustServiceStatusList>", _twice() + b"</TrustServiceStatusList>"
        ),
        "trust.list_signature",
    ),
    "only a part is signed": (
        lambda: enveloped(
            tsl(entry([])).replace("<SchemeInformation>", '<SchemeInformation Id="part">'),
            OPERATOR,
            reference_uri="#part",
        ),
        "trust.list_signature",
    ),
    "another document": (lambda: enveloped("<x/>", OPERATOR), "trust.list"),
    "old version": (lambda: enveloped(tsl(version="3"), OPERATOR), "trust.list"),
    "number no number": (lambda: enveloped(tsl(sequence="x"), OPERATOR), "trust.list"),
    "closed": (lambda: enveloped(tsl(update=""), OPERATOR), "trust.list"),
    "date no date": (lambda: enveloped(tsl(update="<dateTime>soon</dateTime>"), OPERATOR), "trust.list_time"),
    "no status": (
        lambda: enveloped(tsl(entry([]).replace(f"<ServiceStatus>{GRANTED}</ServiceStatus>", "")), OPERATOR),
        "trust.list",
    ),
}


def _twice() -> bytes:
    text = enveloped(tsl(entry([])), OPERATOR).decode()
    return text[text.index("<ds:Signature") : text.index("</ds:Signature>") + len("</ds:Signature>")].encode()


@pytest.mark.parametrize("name", BAD_XML)
def test_a_list_in_xml_that_is_not_the_operators_or_not_a_list_is_refused(name: str) -> None:
    make, expected = BAD_XML[name]
    assert code(ts119612.read, make()) == expected


def test_a_service_with_a_critical_extension_that_nobody_here_knows_is_left_out() -> None:
    known = made.extension("<AdditionalServiceInformation/>")
    strange = made.extension("<s:Strange xmlns:s='urn:s'/>")
    harmless = made.extension("<s:Strange xmlns:s='urn:s'/>", critical="false")
    xml = tsl(*(entry([], kind=str(n), extensions=each) for n, each in enumerate((known, strange, harmless, ""))))
    found = ts119612.read(enveloped(xml, OPERATOR), signers=(OPERATOR.der,), now=NOW)
    assert [each.type for each in found.services] == ["0", "2", "3"]


# --- judging by either ------------------------------------------------------------------------------------------------


def in_json(certificates: list[bytes], **more: Any) -> Listed:
    return policy(lote.read, signed(made.lote(service(certificates, **more)), OPERATOR))


def in_xml(certificates: list[bytes], **more: Any) -> Listed:
    return policy(ts119612.read, enveloped(tsl(entry(certificates, **more)), OPERATOR))


@pytest.mark.parametrize("listing", [in_json, in_xml])
def test_an_issuer_under_a_listed_certificate_may_issue_what_its_service_is_for(listing: Callable[..., Listed]) -> None:
    above, chain = made.authorities()
    found = listing([above.der])
    assert judged(found, chain) == (Outcome.PASS, "trust.listed_service")
    assert judged(found, chain, "other") == (Outcome.FAIL, "trust.type")
    assert judged(found, ()) == (Outcome.FAIL, "trust.no_chain")
    assert judged(found, (above.der,)) == (Outcome.FAIL, "trust.self_signed")
    assert judged(found, (*chain, above.der)) == (Outcome.FAIL, "trust.anchor_in_chain")
    _, strangers = made.authorities()
    assert judged(found, strangers) == (Outcome.FAIL, "trust.chain")  # of the same name
    elsewhere = root("Other CA")
    assert judged(found, (elsewhere.certify(SoftwareSigner.generate("ES256").public),)) == (
        Outcome.FAIL,
        "trust.not_listed",
    )
    assert judged(found, (b"no certificate",)) == (Outcome.FAIL, "trust.certificate")


@pytest.mark.parametrize("listing", [in_json, in_xml])
def test_an_issuers_own_certificate_may_be_listed(listing: Callable[..., Listed]) -> None:
    above, (leaf,) = made.authorities()
    assert judged(listing([leaf]), (leaf,)) == (Outcome.PASS, "trust.listed_service")
    over = above.certify(SoftwareSigner.generate("ES256").public, end=NOW - DAY)
    assert judged(listing([over]), (over,)) == (Outcome.FAIL, "trust.expired")
    own = Operator.make()
    assert judged(listing([own.der]), (own.der,)) == (Outcome.FAIL, "trust.self_signed")


def test_a_listed_intermediate_is_an_anchor_like_any_other() -> None:
    middle = root("Utopia Root").authority("Utopia Sub CA")
    chain = (middle.certify(SoftwareSigner.generate("ES256").public),)
    assert judged(in_xml([middle.der]), chain) == (Outcome.PASS, "trust.listed_service")


def test_a_certificate_that_cannot_be_read_vouches_for_nobody_and_spoils_nothing() -> None:
    above, chain = made.authorities()
    assert judged(in_json([b"junk", above.der]), chain) == (Outcome.PASS, "trust.listed_service")
    assert judged(in_xml([b"junk", above.der]), chain) == (Outcome.PASS, "trust.listed_service")


def test_a_service_counts_in_good_standing_only_and_from_the_day_on() -> None:
    above, chain = made.authorities()
    assert judged(in_xml([above.der], status=WITHDRAWN), chain) == (Outcome.FAIL, "trust.service_withdrawn")
    assert judged(in_xml([above.der], since=NOW + DAY), chain) == (Outcome.FAIL, "trust.service_withdrawn")
    history = f"<ServiceHistory>{made.past(GRANTED, START)}</ServiceHistory>"
    tomorrow = in_xml([above.der], status=WITHDRAWN, since=NOW + DAY, history=history)
    assert judged(tomorrow, chain) == (Outcome.PASS, "trust.listed_service")
    assert judged(tomorrow, chain, now=NOW + 2 * DAY) == (Outcome.FAIL, "trust.service_withdrawn")
    other = f"<ServiceHistory>{made.past(GRANTED, START, kind='another')}</ServiceHistory>"
    assert judged(in_xml([above.der], status=WITHDRAWN, since=NOW + DAY, history=other), chain)[0] is Outcome.FAIL
    assert judged(in_json([above.der], ServiceStatus=NOTIFIED), chain)[0] is Outcome.PASS
    assert judged(in_json([above.der], ServiceStatus=WITHDRAWN), chain)[0] is Outcome.FAIL
    since = made.stamp(NOW - DAY)
    changed = {"ServiceStatus": WITHDRAWN, "StatusStartingTime": since}
    before = [{"ServiceStatus": NOTIFIED, "StatusStartingTime": made.stamp(START), "ServiceTypeIdentifier": PID}]
    assert judged(in_json([above.der], **changed, ServiceHistory=before), chain)[0] is Outcome.FAIL
    undated = in_json([above.der], ServiceStatus=WITHDRAWN, ServiceHistory=before)
    assert judged(undated, chain) == (Outcome.FAIL, "trust.service_withdrawn")


def test_other_statuses_count_where_the_settings_say_so() -> None:
    above, chain = made.authorities()
    xml = enveloped(tsl(entry([above.der], status="urn:supervised")), OPERATOR)
    assert judged(policy(ts119612.read, xml), chain)[0] is Outcome.FAIL
    assert judged(policy(ts119612.read, xml, statuses=frozenset({"urn:supervised"})), chain)[0] is Outcome.PASS


def test_one_certificate_under_two_services_may_do_what_either_may() -> None:
    above, chain = made.authorities()
    services = entry([above.der], kind="urn:other"), entry([above.der], status=WITHDRAWN), entry([above.der])
    found = policy(ts119612.read, enveloped(tsl(*services), OPERATOR), types={CA_QC: None})
    assert judged(found, chain, "whatever") == (Outcome.PASS, "trust.listed_service")


def test_a_listed_chain_must_hold_like_any_other() -> None:
    above = root("Utopia PID CA")
    key = SoftwareSigner.generate("ES256").public
    assert judged(in_json([above.der]), (above.certify(key, end=NOW - DAY),)) == (Outcome.FAIL, "trust.expired")
    wrong = above.certify(key, extensions=((usage("key_encipherment"), True),))
    assert judged(in_json([above.der]), (wrong,)) == (Outcome.FAIL, "trust.chain")


def test_a_list_policy_needs_service_types() -> None:
    source: Source[TrustedList] = Source(listed.published(lambda now: pytest.fail("not asked")))
    for types in ({}, {PID: frozenset[str]()}):
        with pytest.raises(ValueError, match="service types"):
            Listed(source, "x", types)


# --- over time --------------------------------------------------------------------------------------------------------


class Publisher:
    """What is published now; counts how often it is asked."""

    def __init__(self, content: bytes | SsiError) -> None:
        self.content, self.asked = content, 0

    def policy(self) -> Listed:
        source = Source(listed.published(self._read), refresh=timedelta(hours=1), retry=timedelta(minutes=1))
        return Listed(source, "https://lists.test/pid", {PID: None})

    def _read(self, now: Any) -> TrustedList:
        self.asked += 1
        if isinstance(self.content, SsiError):
            raise self.content
        return lote.read(self.content, signers=(OPERATOR.der,), now=now)


def published(certificates: list[bytes], **more: Any) -> bytes:
    return signed(made.lote(service(certificates), **more), OPERATOR)


def test_a_list_is_asked_for_once_an_hour_and_a_new_one_takes_effect() -> None:
    above, chain = made.authorities()
    publisher = Publisher(published([above.der]))
    found = publisher.policy()
    assert [judged(found, chain, now=NOW + timedelta(minutes=n))[0] for n in (0, 30, 59)] == [Outcome.PASS] * 3
    assert publisher.asked == 1
    publisher.content = published([], sequence=8)
    assert judged(found, chain, now=NOW + timedelta(minutes=59))[0] is Outcome.PASS
    assert judged(found, chain, now=NOW + timedelta(minutes=61)) == (Outcome.FAIL, "trust.not_listed")
    assert publisher.asked == 2


def test_the_last_good_list_is_used_until_its_next_update_and_then_nobody_knows() -> None:
    above, chain = made.authorities()
    publisher = Publisher(published([above.der], NextUpdate=made.stamp(NOW + DAY)))
    found = publisher.policy()
    assert judged(found, chain)[0] is Outcome.PASS
    publisher.content = Refused("fetch.private", "No.")
    assert judged(found, chain, now=NOW + timedelta(hours=23))[0] is Outcome.PASS
    assert judged(found, chain, now=NOW + DAY) == (Outcome.UNKNOWN, "trust.list_stale")
    assert judged(found, chain, now=NOW + 9 * DAY) == (Outcome.UNKNOWN, "trust.list_stale")


def test_without_a_first_list_nobody_knows_and_failures_are_asked_about_less_and_less() -> None:
    _, chain = made.authorities()
    publisher = Publisher(Unsupported("x", "x"))
    found = publisher.policy()
    for minute in range(120):
        assert judged(found, chain, now=NOW + timedelta(minutes=minute)) == (Outcome.UNKNOWN, "trust.list_unavailable")
    assert publisher.asked == 7  # after 1, 2, 4, 8, 16, 32, then 60 minutes


@pytest.mark.parametrize(
    "content",
    [
        lambda: published([], sequence=6),
        lambda: published([], issued=NOW - 2 * DAY),
        lambda: published([], sequence=8, issued=NOW + DAY),
        lambda: signed(made.lote(), Operator.make()),
        lambda: b"<html>",
        lambda: published([], sequence=8, NextUpdate=made.stamp(NOW - 3 * DAY)),
    ],
)
def test_an_older_or_a_bad_list_does_not_take_the_place_of_a_good_one(content: Callable[[], bytes]) -> None:
    above, chain = made.authorities()
    publisher = Publisher(published([above.der]))
    found = publisher.policy()
    assert judged(found, chain)[0] is Outcome.PASS
    publisher.content = content()
    assert judged(found, chain, now=NOW + timedelta(hours=2))[0] is Outcome.PASS
    assert publisher.asked == 2


def test_a_first_list_that_is_over_already_says_nothing() -> None:
    above, chain = made.authorities()
    publisher = Publisher(published([above.der], issued=NOW - 3 * DAY, NextUpdate=made.stamp(NOW - DAY)))
    assert judged(publisher.policy(), chain) == (Outcome.UNKNOWN, "trust.list_stale")


def test_a_malformed_moment_is_not_a_time() -> None:
    for text in ("", "tomorrow", "2026-01-01", "2026-01-01T00:00:00", 7, None, "9999-12-31T23:59:59-23:59"):
        with pytest.raises(Malformed):
            moment(text, what="date")
