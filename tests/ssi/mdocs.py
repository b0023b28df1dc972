"""Mobile documents for tests: an authority by ISO/IEC 18013-5 Annex B, a signer, a holder, and documents of theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from ssi.cose import cbor, keys, sign1
from ssi.encoding import b64url, unb64url
from ssi.formats import mdoc
from ssi.formats.mdoc import deviceauth, transcripts
from ssi.keys import PublicKey, Signer, SoftwareSigner
from ssi.model import (
    Challenge,
    Check,
    ClaimPath,
    Credential,
    Disclosure,
    Draft,
    Finding,
    Issuer,
    Opened,
    Presentation,
    ResolvedKey,
)
from ssi.trust import x509 as chains
from tests.ssi.certificates import usage
from tests.support import NOW

MDL = "org.iso.18013.5.1"
MDL_TYPE = "org.iso.18013.5.1.mDL"
START = datetime(2026, 6, 1, tzinfo=UTC)
SIGNER_EKU = ObjectIdentifier("1.0.18013.5.1.2")
Extension = tuple[x509.ExtensionType, bool]
Changes = Mapping[type[x509.ExtensionType], Extension | None]


def name(common: str, country: str | None = "UT", state: str | None = None) -> x509.Name:
    parts = [] if country is None else [x509.NameAttribute(NameOID.COUNTRY_NAME, country, _validate=False)]
    if state is not None:
        parts.append(x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, state))
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def crl(*addresses: str) -> x509.CRLDistributionPoints:
    names = [x509.UniformResourceIdentifier(address) for address in addresses]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])


def contact() -> x509.IssuerAlternativeName:
    return x509.IssuerAlternativeName([x509.RFC822Name("iaca@utopia.test")])


def built(
    public: PublicKey,
    *,
    subject: x509.Name,
    issuer: x509.Name,
    signer: SoftwareSigner,
    time: tuple[datetime, datetime],
    extensions: Sequence[Extension],
    changes: Changes,
    serial: int | None = None,
) -> bytes:
    """A certificate with these extensions, after the changes: another one of its type, or None for none."""
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public.native)
    builder = (
        builder.serial_number(serial or x509.random_serial_number()).not_valid_before(time[0]).not_valid_after(time[1])
    )
    kept = {type(value): (value, critical) for value, critical in extensions} | dict(changes)
    for each in kept.values():
        if each is not None:
            builder = builder.add_extension(*each)
    digest = None if isinstance(signer.native, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(signer.native, digest).public_bytes(Encoding.DER)


@dataclass(frozen=True)
class Iaca:
    """An issuing authority's certificate authority (Annex B.1.2), and what it certifies (B.1.4)."""

    signer: SoftwareSigner
    subject: x509.Name
    der: bytes

    def document_signer(
        self,
        public: PublicKey,
        *,
        subject: x509.Name | None = None,
        start: datetime = START,
        days: int = 457,
        serial: int | None = None,
        changes: Changes | None = None,
    ) -> bytes:
        extensions: list[Extension] = [
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self.signer.public.native), False),
            (x509.SubjectKeyIdentifier.from_public_key(public.native), False),
            (usage("digital_signature"), True),
            (contact(), False),
            (x509.ExtendedKeyUsage([SIGNER_EKU]), True),
            (crl("https://utopia.test/iaca.crl"), False),
        ]
        return built(
            public,
            subject=subject or name("Utopia DS 1"),
            issuer=self.subject,
            signer=self.signer,
            time=(start, start + timedelta(days=days)),
            extensions=extensions,
            changes=changes or {},
            serial=serial,
        )


def iaca(
    *, alg: str = "ES256", subject: x509.Name | None = None, days: int = 3650, changes: Changes | None = None
) -> Iaca:
    """A certificate authority as Annex B.1.2 wants it, but for the changes."""
    signer, called = SoftwareSigner.generate(alg), subject or name("Utopia IACA")
    extensions: list[Extension] = [
        (x509.SubjectKeyIdentifier.from_public_key(signer.public.native), False),
        (usage("key_cert_sign", "crl_sign"), True),
        (contact(), False),
        (x509.BasicConstraints(True, 0), True),
        (crl("https://utopia.test/iaca.crl"), False),
    ]
    time = (START - timedelta(days=30), START - timedelta(days=30) + timedelta(days=days))
    der = built(
        signer.public,
        subject=called,
        issuer=called,
        signer=signer,
        time=time,
        extensions=extensions,
        changes=changes or {},
    )
    return Iaca(signer, called, der)


AUTHORITY = iaca()
ISSUER = SoftwareSigner.generate("ES256")
CERTIFICATE = AUTHORITY.document_signer(ISSUER.public)
HOLDER = SoftwareSigner.generate("ES256")
STRANGER = SoftwareSigner.generate("ES256")
CHALLENGE = Challenge(
    nonce="n-0S6_WzA2Mj",
    audience="x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk",
    response_uri="https://verifier.test/response",
    response_key=bytes(range(32)),
)
PORTRAIT = bytes.fromhex("ffd8ffe000104a464946000101") + bytes(400)
CLAIMS: dict[str, dict[str, Any]] = {
    MDL: {
        "family_name": "Mustermann",
        "given_name": "Erika",
        "birth_date": "1984-01-26",
        "issue_date": "2026-06-01",
        "expiry_date": "2036-05-31T23:59:59Z",
        "portrait": b64url(PORTRAIT),
        "age_over_18": True,
        "age_in_years": 42,
        "driving_privileges": [{"vehicle_category_code": "B", "issue_date": "2003-02-01", "codes": [{"code": "78"}]}],
    },
    "org.example.extra": {"club": {"member": True, "since": 1999}},
}


def chain(signer: Signer) -> tuple[bytes, ...]:
    """The `x5c` of a document signer with this key."""
    return (AUTHORITY.document_signer(signer.public),)


@dataclass(frozen=True)
class Keys:
    """Takes the key from the certificate, as `ssi.issuerkeys` does, unless there is trouble."""

    trouble: Exception | None = None

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        if self.trouble:
            raise self.trouble
        return ResolvedKey(chains.leaf(issuer.x5c).public, "x5c")

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        raise NotImplementedError

    def method_key(self, url: str, *, relationship: str, now: datetime) -> Any:
        raise NotImplementedError


KEYS = Keys()


def draft(claims: Mapping[str, Any] | None = None, **changes: Any) -> Draft:
    given: dict[str, Any] = {"type": MDL_TYPE, "issuer": Issuer(None, None, (CERTIFICATE,))}
    return Draft(claims=CLAIMS if claims is None else claims, **{**given, **changes})


def issued(claims: Mapping[str, Any] | None = None, **changes: Any) -> Credential:
    """An honest document."""
    return mdoc.issue(draft(claims, **changes), signer=ISSUER, holder=HOLDER.public, now=NOW)


def presented(
    credential: Credential | None = None, *paths: ClaimPath, holder: Signer = HOLDER, **changes: Any
) -> Presentation:
    """An honest presentation of some elements."""
    given = {"challenge": CHALLENGE, "now": NOW, **changes}
    return mdoc.derive(credential or issued(), disclose=Disclosure(paths), holder=holder, **given)


def opened(presentation: Presentation | str, **changes: Any) -> Opened:
    """What the verifier makes of it."""
    what = Presentation(mdoc.ID, presentation) if isinstance(presentation, str) else presentation
    return mdoc.open(what, **{"challenge": CHALLENGE, "keys": KEYS, "now": NOW, **changes})


def found(opened_: Opened, check: Check) -> Finding:
    """The one finding on a question."""
    (finding,) = (finding for finding in opened_.findings if finding.check is check)
    return finding


def codes(opened_: Opened) -> dict[Check, str]:
    return {finding.check: finding.code for finding in opened_.findings}


# --- put together by hand ---------------------------------------------------------------------------------------------


def item(number: int = 0, element: str = "given_name", value: Any = "Erika", **members: Any) -> dict[str, Any]:
    """An issuer-signed item, right or wrong; a member that is `...` is left out."""
    whole = {"digestID": number, "random": bytes(32), "elementIdentifier": element, "elementValue": value, **members}
    return {name: each for name, each in whole.items() if each is not ...}


def tdate(moment: datetime | str) -> cbor.Tag:
    return cbor.Tag(0, moment if isinstance(moment, str) else moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


def security_object(encoded: Sequence[bytes], **members: Any) -> dict[str, Any]:
    """A security object over these items (embedded, encoded), with other members or without some."""
    whole = {
        "version": "1.0",
        "digestAlgorithm": "SHA-256",
        "valueDigests": {MDL: {number: hashlib.sha256(raw).digest() for number, raw in enumerate(encoded)}},
        "deviceKeyInfo": {"deviceKey": keys.write(HOLDER.public)},
        "docType": MDL_TYPE,
        "validityInfo": {
            "signed": tdate(NOW),
            "validFrom": tdate(NOW),
            "validUntil": tdate(NOW + timedelta(days=30)),
        },
        **members,
    }
    return {name: each for name, each in whole.items() if each is not ...}


def forged(
    items: Sequence[Any] | None = None,
    *,
    encoded: Sequence[bytes] | None = None,
    auth: Callable[[bytes], Any] | None = None,
    spaces: Any = None,
    **members: Any,
) -> str:
    """IssuerSigned of any contents, signed by the issuer: items as they should be encoded, or as bytes already."""
    raw = encoded if encoded is not None else [cbor.embed(cbor.encode_in_order(each)) for each in items or [item()]]
    payload = cbor.embed(cbor.encode_in_order(security_object(raw, **members)))
    signed = auth(payload) if auth else signed_by(payload)
    names = cbor.map_of({MDL: cbor.array_of(raw)}) if spaces is None else cbor.encode_in_order(spaces)
    return b64url(cbor.map_of({"nameSpaces": names, "issuerAuth": cbor.encode_in_order(signed)}))


def signed_by(payload: bytes, *, signer: Signer = ISSUER, certificate: Any = CERTIFICATE) -> list[Any]:
    unprotected = {} if certificate is None else {33: certificate}
    return sign1.make(payload, protected={}, signer=signer, unprotected=unprotected).array


def response(issuer_signed: str, **changes: Any) -> str:
    """A response to `CHALLENGE` around an IssuerSigned, of which any part may be wrong or missing (`...`)."""
    raw = unb64url(issuer_signed)
    names = changes.get("names", deviceauth.NO_ELEMENTS)
    proof = deviceauth.sign(transcripts.of(CHALLENGE), changes.get("signed_type", MDL_TYPE), holder=HOLDER, names=names)
    signed = {"nameSpaces": names, "deviceAuth": cbor.encode_in_order(changes.get("proof", proof))}
    device = changes.get("device", cbor.map_of(signed))
    document = {"docType": cbor.encode_in_order(changes.get("type", MDL_TYPE)), "issuerSigned": raw}
    if device is not ...:
        document["deviceSigned"] = device
    documents = cbor.array_of([cbor.map_of(document)] * changes.get("times", 1))
    whole = {
        "version": cbor.encode_in_order(changes.get("version", "1.0")),
        "documents": changes.get("documents", documents),
        "status": cbor.encode_in_order(changes.get("status", 0)),
    }
    return b64url(cbor.map_of({name: each for name, each in whole.items() if each is not ...}))
