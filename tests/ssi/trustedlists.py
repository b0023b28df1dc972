"""Trusted lists for tests, in JSON and in XML, signed by hand or by another's signer."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.xades import XAdESSigner

from ssi.encoding import b64url, write_json
from ssi.keys import SoftwareSigner
from tests.ssi.certificates import END, START, Authority, certificate, name, root, usage
from tests.support import NOW

PID = "http://uri.etsi.org/19602/SvcType/PID/Issuance"
CA_QC = "http://uri.etsi.org/TrstSvc/Svctype/CA/QC"
GRANTED = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted"
WITHDRAWN = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/withdrawn"
NOTIFIED = "http://uri.etsi.org/19602/PubEAAProvidersList/SvcStatus/notified"
PASSED = NOW - timedelta(days=1)


def b64(der: bytes) -> str:
    return base64.b64encode(der).decode()


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Operator:
    """Who signs lists: a key with its own certificate, as the operators of lists have."""

    signer: SoftwareSigner
    der: bytes

    @staticmethod
    def make(*, start: datetime = START, end: datetime = END) -> Operator:
        signer, subject = SoftwareSigner.generate("ES256"), name("List Operator", "Ministry of Lists")
        extensions = [(usage("digital_signature"), True)]
        return Operator(signer, certificate(subject, subject, signer.public, signer, start, end, extensions))

    @staticmethod
    def under(authority: Authority) -> Operator:
        signer = SoftwareSigner.generate("ES256")
        return Operator(signer, authority.certify(signer.public, common="List Operator"))


# --- TS 119 602 -------------------------------------------------------------------------------------------------------


def service(certificates: Sequence[bytes], *, kind: str = PID, **more: Any) -> dict[str, Any]:
    information = {
        "ServiceTypeIdentifier": kind,
        "ServiceName": [{"lang": "de", "value": "Ausgabe"}, {"lang": "en", "value": "Issuance"}],
        "ServiceDigitalIdentity": {"X509Certificates": [{"val": b64(der)} for der in certificates]},
        **more,
    }
    history = information.pop("ServiceHistory", None)
    return {"ServiceInformation": information, **({} if history is None else {"ServiceHistory": history})}


def lote(*services: Mapping[str, Any], sequence: int = 7, issued: datetime = PASSED, **more: Any) -> dict[str, Any]:
    """A list of one entity; as the annex on PID providers has it, without statuses."""
    scheme = {
        "LoTEVersionIdentifier": 1,
        "LoTESequenceNumber": sequence,
        "LoTEType": "http://uri.etsi.org/19602/LoTEType/EUPIDProvidersList",
        "SchemeOperatorName": [{"lang": "en", "value": "Ministry of Lists"}],
        "SchemeTerritory": "UT",
        "ListIssueDateTime": stamp(issued),
        "NextUpdate": stamp(NOW + timedelta(days=30)),
        **more,
    }
    entity = {
        "TrustedEntityInformation": {"TEName": [{"lang": "en", "value": "Registry of Persons"}]},
        "TrustedEntityServices": list(services),
    }
    return {"LoTE": {"ListAndSchemeInformation": scheme, "TrustedEntitiesList": [entity]}}


def signed(document: Any, operator: Operator, *, chain: Sequence[bytes] | None = None, **header: Any) -> bytes:
    """A compact JAdES signature, put together here and not by the code under test."""
    x5c = [operator.der] if chain is None else list(chain)
    head = {"alg": operator.signer.public.algorithm.name, "typ": "JOSE", "x5c": [b64(der) for der in x5c], **header}
    head = {member: value for member, value in head.items() if value is not None}
    text = f"{b64url(write_json(head))}.{b64url(write_json(document))}"
    return f"{text}.{b64url(operator.signer.sign(text.encode()))}".encode()


# --- TS 119 612 -------------------------------------------------------------------------------------------------------

TSL = "http://uri.etsi.org/02231/v2#"


def entry(
    certificates: Sequence[bytes],
    *,
    kind: str = CA_QC,
    status: str = GRANTED,
    since: datetime = START,
    history: str = "",
    extensions: str = "",
) -> str:
    identity = "".join(f"<DigitalId><X509Certificate>{b64(der)}</X509Certificate></DigitalId>" for der in certificates)
    return f"""
      <TSPService>
        <ServiceInformation>
          <ServiceTypeIdentifier>{kind}</ServiceTypeIdentifier>
          <ServiceName><Name xml:lang="de">Ausgabestelle</Name><Name xml:lang="en">Issuing service</Name></ServiceName>
          <ServiceDigitalIdentity>{identity}<DigitalId><X509SubjectName>CN=x</X509SubjectName></DigitalId>
          </ServiceDigitalIdentity>
          <ServiceStatus>{status}</ServiceStatus>
          <StatusStartingTime>{stamp(since)}</StatusStartingTime>{extensions}
        </ServiceInformation>{history}
      </TSPService>"""


def past(status: str, since: datetime, *, kind: str = CA_QC) -> str:
    return f"""
        <ServiceHistoryInstance>
          <ServiceTypeIdentifier>{kind}</ServiceTypeIdentifier>
          <ServiceName><Name xml:lang="en">Issuing service</Name></ServiceName>
          <ServiceDigitalIdentity><DigitalId><X509SKI>AAAA</X509SKI></DigitalId></ServiceDigitalIdentity>
          <ServiceStatus>{status}</ServiceStatus>
          <StatusStartingTime>{stamp(since)}</StatusStartingTime>
        </ServiceHistoryInstance>"""


def extension(inner: str, *, critical: str = "true") -> str:
    return f"""<ServiceInformationExtensions><Extension Critical="{critical}">{inner}</Extension>
      </ServiceInformationExtensions>"""


def tsl(
    *services: str,
    sequence: str = "42",
    version: str = "6",
    issued: datetime = PASSED,
    update: str | None = None,
    more: str = "",
) -> str:
    """A list made like those of member states: the same members in the same order, addresses and notices included."""
    update = f"<dateTime>{stamp(NOW + timedelta(days=60))}</dateTime>" if update is None else update
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<TrustServiceStatusList xmlns="{TSL}" xmlns:ns3="http://uri.etsi.org/02231/v2/additionaltypes#"
    Id="TSL" TSLTag="http://uri.etsi.org/19612/TSLTag">
  <SchemeInformation>
    <TSLVersionIdentifier>{version}</TSLVersionIdentifier>
    <TSLSequenceNumber>{sequence}</TSLSequenceNumber>
    <TSLType>http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUgeneric</TSLType>
    <SchemeOperatorName><Name xml:lang="en">Ministry of Lists</Name></SchemeOperatorName>
    <SchemeOperatorAddress>
      <PostalAddresses><PostalAddress xml:lang="en"><StreetAddress>1 Main Street</StreetAddress>
        <Locality>Amaurot</Locality><CountryName>UT</CountryName></PostalAddress></PostalAddresses>
      <ElectronicAddress><URI xml:lang="en">mailto:lists@ministry.test</URI></ElectronicAddress>
    </SchemeOperatorAddress>
    <SchemeName><Name xml:lang="en">UT:Trusted list of Utopia</Name></SchemeName>
    <StatusDeterminationApproach>http://uri.etsi.org/TrstSvc/TrustedList/StatusDetn/EUappropriate
    </StatusDeterminationApproach>
    <SchemeTerritory>UT</SchemeTerritory>
    <HistoricalInformationPeriod>65535</HistoricalInformationPeriod>
    <ListIssueDateTime>{stamp(issued)}</ListIssueDateTime>
    <NextUpdate>{update}</NextUpdate>
  </SchemeInformation>
  <TrustServiceProviderList>
    <TrustServiceProvider>
      <TSPInformation>
        <TSPName><Name xml:lang="en">Registry of Persons</Name></TSPName>
        <TSPTradeName><Name xml:lang="en">VATUT-00000000</Name></TSPTradeName>
      </TSPInformation>
      <TSPServices>{"".join(services)}
      </TSPServices>
    </TrustServiceProvider>
  </TrustServiceProviderList>{more}
</TrustServiceStatusList>"""


def enveloped(xml: str, operator: Operator, **more: Any) -> bytes:
    """The list with an enveloped XAdES signature, made by the library's signer."""
    key = operator.signer.native.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem = x509.load_der_x509_certificate(operator.der).public_bytes(Encoding.PEM)
    signer = XAdESSigner(
        signature_algorithm=more.pop("algorithm", SignatureMethod.ECDSA_SHA256), digest_algorithm=DigestAlgorithm.SHA256
    )
    made = signer.sign(etree.fromstring(xml.encode()), key=key, cert=pem.decode(), always_add_key_value=False, **more)
    return etree.tostring(made, xml_declaration=True, encoding="UTF-8")


def authorities() -> tuple[Authority, tuple[bytes, ...]]:
    """An issuer's authority, and a chain of an issuer that it certifies."""
    above = root("Utopia PID CA")
    return above, (above.certify(SoftwareSigner.generate("ES256").public),)
