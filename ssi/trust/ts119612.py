"""Trusted lists: what does a member state's list in XML say, and did its operator sign it (ETSI TS 119 612)?

The signature is XAdES, enveloped in the list (§5.7.1, Annex B); `signxml` verifies it, with a certificate that the
settings pin, and only what it returns as signed is read. Document types, entities and second signatures are refused.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from cryptography import x509 as native
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from ssi.errors import Malformed, Refused
from ssi.trust import rules
from ssi.trust.lists import MAX_BYTES, MAX_SERVICES, Service, Standing, TrustedList, certificate, moment, shown

_TSL: Final = "{http://uri.etsi.org/02231/v2#}"
_DSIG: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"
_ROOT: Final = f"{_TSL}TrustServiceStatusList"
_VERSIONS: Final = ("5", "6")
"""TSLVersionIdentifier (§5.3.1): 5 until version 2.2.1 of the specification, 6 since."""
_MAX_REFERENCES: Final = 8
_UNDERSTOOD: Final = frozenset(
    {"AdditionalServiceInformation", "Qualifications", "ExpiredCertsRevocationInfo", "TakenOverBy"}
)
"""Service information extensions (§5.5.9) that may be critical: none of them gives a service another meaning here."""
_CONFIGURATION: Final = XAdESSignatureConfiguration(
    require_x509=True,
    location="./",
    expect_references=True,  # "any number" in this library's words: operators write two or three
    signature_methods=frozenset(
        (
            SignatureMethod.RSA_SHA256,
            SignatureMethod.RSA_SHA384,
            SignatureMethod.RSA_SHA512,
            SignatureMethod.SHA256_RSA_MGF1,
            SignatureMethod.SHA384_RSA_MGF1,
            SignatureMethod.SHA512_RSA_MGF1,
            SignatureMethod.ECDSA_SHA256,
            SignatureMethod.ECDSA_SHA384,
            SignatureMethod.ECDSA_SHA512,
        )
    ),
    digest_algorithms=frozenset((DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512)),
)
_REFUSALS: Final = (
    SignXMLException,
    etree.LxmlError,
    AttributeError,
    KeyError,
    IndexError,
    AssertionError,
    *rules.UNREADABLE,
)
"""All that the library raises for a signature that it does not accept, or cannot read."""


def read(xml: bytes, *, signers: Sequence[bytes], now: datetime) -> TrustedList:
    """A signed list. `signers` are the operator's own certificates (DER), as a list of lists or a gazette names them.

    Raises Malformed (`trust.list`, `trust.list_xml`, `trust.list_time`), Refused (`trust.list_signer`,
    `trust.list_signature`).
    """
    root = _parsed(xml)
    if root.tag != _ROOT:
        raise Malformed("trust.list", "The document is not a trusted list.")
    signer = _signer(root, signers)
    return _list(_signed(xml, signer, now))


def _parsed(xml: bytes) -> etree._Element:
    """The document, without a document type: nothing is expanded, loaded or looked up."""
    if len(xml) > MAX_BYTES or b"\x00" in xml or b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise Malformed("trust.list_xml", "The trust list is too large, or has a document type.")
    try:
        root = etree.fromstring(xml, parser=_parser())
        kind = root.getroottree().docinfo
        foreign = any(True for _ in root.iter(etree.Entity, etree.ProcessingInstruction))
    except (etree.LxmlError, ValueError):
        raise Malformed("trust.list_xml", "The trust list is not XML that can be read.") from None
    if kind.internalDTD is not None or kind.externalDTD is not None or foreign:
        raise Malformed("trust.list_xml", "The trust list has a document type, entities or instructions.")
    return root


def _parser() -> etree.XMLParser:
    """A fresh parser: one belongs to one thread. Depth and size of a node stay within the library's own bounds."""
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=False
    )


def _signer(root: etree._Element, signers: Sequence[bytes]) -> native.Certificate:
    """The pinned certificate that the one signature names (TS 119 612 §5.7.1: it is in the key information)."""
    signatures = list(root.iter(f"{_DSIG}Signature"))
    if len(signatures) != 1 or signatures[0].getparent() is not root:
        raise Refused("trust.list_signature", "The trust list has no signature of its own, or more than one.")
    if len(list(signatures[0].iter(f"{_DSIG}Reference"))) > _MAX_REFERENCES:
        raise Refused("trust.list_signature", "The trust list's signature has too many references.")
    place = f"{_DSIG}KeyInfo/{_DSIG}X509Data/{_DSIG}X509Certificate"
    for each in signatures[0].findall(place):
        try:
            der = binascii.a2b_base64("".join((each.text or "").split()), strict_mode=True)
        except ValueError:
            continue
        if der in signers:
            return native.load_der_x509_certificate(der)
    raise Refused("trust.list_signer", "The trust list is not signed by whom the settings name.")


def _signed(xml: bytes, signer: native.Certificate, now: datetime) -> etree._Element:
    """What the signature covers, as the library gives it back: exactly one list. Nothing else is ever read."""
    try:
        results = XAdESVerifier().verify(
            xml, x509_cert=signer, parser=_parser(), expect_config=replace(_CONFIGURATION, verification_time=now)
        )
    except _REFUSALS:
        raise Refused("trust.list_signature", "The trust list's signature does not hold.") from None
    covered = [each.signed_xml for each in results if each.signed_xml is not None and each.signed_xml.tag == _ROOT]
    if len(covered) != 1:
        raise Refused("trust.list_signature", "The trust list's signature is not over one whole list.")
    return covered[0]


# --- what it says -----------------------------------------------------------------------------------------------------


def _list(root: etree._Element) -> TrustedList:
    scheme = _child(root, "SchemeInformation")
    if _text(scheme, "TSLVersionIdentifier") not in _VERSIONS:
        raise Malformed("trust.list", "The trust list is of a version that this service does not know.")
    number = _text(scheme, "TSLSequenceNumber")
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        raise Malformed("trust.list", "The trust list's number is not a number.")
    providers = root.findall(f"{_TSL}TrustServiceProviderList/{_TSL}TrustServiceProvider")
    services = [service for provider in providers for service in _services(provider)]
    if len(services) > MAX_SERVICES:
        raise Malformed("trust.list", "The trust list has too many services.")
    return TrustedList(
        type=_text(scheme, "TSLType"),
        operator=_name(scheme, "SchemeOperatorName"),
        sequence=int(number),
        issued=moment(_text(scheme, "ListIssueDateTime"), what="date"),
        # §5.3.15: an empty NextUpdate closes the list; nobody can say how long it still holds
        next_update=moment(_text(_child(scheme, "NextUpdate"), "dateTime"), what="next update"),
        services=tuple(services),
    )


def _services(provider: etree._Element) -> Iterator[Service]:
    name = _name(_child(provider, "TSPInformation"), "TSPName")
    for each in provider.findall(f"{_TSL}TSPServices/{_TSL}TSPService"):
        information = _child(each, "ServiceInformation")
        if _understood(information):
            yield _service(each, information, name)


def _service(service: etree._Element, information: etree._Element, provider: str) -> Service:
    """§5.5: the current information, and of its history (§5.6) what was of the same type."""
    kind, place = _text(information, "ServiceTypeIdentifier"), f"{_TSL}ServiceDigitalIdentity/{_TSL}DigitalId"
    read = (certificate(each.text) for each in information.findall(f"{place}/{_TSL}X509Certificate"))
    history = service.findall(f"{_TSL}ServiceHistory/{_TSL}ServiceHistoryInstance")
    same = [each for each in history if _text(each, "ServiceTypeIdentifier") == kind]
    return Service(
        type=kind,
        name=_name(information, "ServiceName") or provider,
        certificates=tuple(der for der in read if der is not None),
        standings=tuple(
            Standing(_text(each, "ServiceStatus"), moment(_text(each, "StatusStartingTime"), what="status time"))
            for each in (information, *same)
        ),
    )


def _understood(information: etree._Element) -> bool:
    """§5.5.9.0: a service with a critical extension that is not understood is not to be relied upon."""
    for extension in information.findall(f"{_TSL}ServiceInformationExtensions/{_TSL}Extension"):
        names = [etree.QName(child).localname for child in extension if isinstance(child.tag, str)]
        if extension.get("Critical") not in ("false", "0") and not _UNDERSTOOD.issuperset(names):
            return False
    return True


def _child(parent: etree._Element, name: str) -> etree._Element:
    found = parent.find(f"{_TSL}{name}")
    if found is None:
        raise Malformed("trust.list", f"The trust list has no {name}.")
    return found


def _text(parent: etree._Element, name: str) -> str:
    text = (_child(parent, name).text or "").strip()
    if not text:
        raise Malformed("trust.list", f"{name} in the trust list is empty.")
    return text


def _name(parent: etree._Element, name: str) -> str:
    """The English name of several, else the first."""
    found = parent.findall(f"{_TSL}{name}/{_TSL}Name")
    english = [each for each in found if (each.get(f"{_XML}lang") or "").lower().startswith("en")]
    return shown((english or found)[0].text) if found else ""
