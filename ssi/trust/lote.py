"""Lists of trusted entities: what does a list in JSON say, and did its operator sign it (ETSI TS 119 602 §6)?

The list is the payload of a compact JWS with a JAdES baseline signature (ETSI TS 119 182-1 §6), whose signer comes in
`x5c` and must be pinned: by its own certificate, or by the authority that certified it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from ssi.encoding import Json, b64url, read_json_object, text, unb64url
from ssi.errors import Malformed, Refused, Unsupported
from ssi.jose import jws
from ssi.keys import PublicKey, algorithm
from ssi.trust import x509
from ssi.trust.lists import (
    MAX_BYTES,
    MAX_SERVICES,
    Service,
    Standing,
    TrustedList,
    certificate,
    current,
    moment,
    shown,
)

_UNDERSTOOD: Final = frozenset({"sigT", "iat", "x5t#S256", "sigX5ts"})
"""Header parameters of JAdES that may be called critical: times and hashes, which add nothing to a pinned signer."""
_VERSION: Final = 1
_MAX_ENTITIES: Final = 10_000


def read(token: bytes, *, signers: Sequence[bytes], now: datetime) -> TrustedList:
    """A signed list. `signers` are certificates (DER): of the operator itself, or of an authority that certifies it.

    Raises Malformed (`trust.list`, `trust.list_time`, `jose.*`, `encoding.*`), Unsupported (`jose.*`, `key.*`),
    Refused (`trust.list_signer`, `jose.signature`, and what `x509.validate_chain` raises).
    """
    signed = _parsed(token.strip())
    jws.verify(signed, _signer(signed.header, signers, now))
    return _list(read_json_object(signed.payload, what="trust list", max_bytes=MAX_BYTES))


def _parsed(token: bytes) -> jws.Jws:
    """RFC 7515 §5.2 steps 1 to 7. `ssi.jose.jws` knows no critical parameters; a JAdES signature may have some."""
    parts = token.split(b".")
    if len(token) > MAX_BYTES or len(parts) != 3:
        raise Malformed("trust.list", "The trust list is too large, or not a signed token.")
    header = read_json_object(
        unb64url(parts[0], what="list's header"), what="list's header", max_bytes=jws.MAX_HEADER_BYTES
    )
    algorithm(header.get("alg"))
    critical = header.get("crit", [])
    if not isinstance(critical, list) or not all(isinstance(name, str) for name in critical):
        raise Malformed("trust.list", "The trust list's header is not made as it must be.")
    if ("crit" in header and not critical) or not _UNDERSTOOD.issuperset(critical) or not set(critical) <= set(header):
        raise Unsupported("jose.crit", "The trust list demands header extensions that this service does not know.")
    payload, signature = unb64url(parts[1], what="trust list"), unb64url(parts[2], what="list's signature")
    return jws.Jws(header, payload, signature, parts[0] + b"." + parts[1])


def _signer(header: Mapping[str, Json], signers: Sequence[bytes], now: datetime) -> PublicKey:
    chain = jws.x5c(header)
    if not chain:
        raise Refused("trust.list_signer", "The trust list does not say by whom it is signed.")
    named = header.get("x5t#S256")
    if named is not None and named != _thumbprint(chain[0]):
        raise Refused("trust.list_signer", "The trust list names two certificates as its signer's.")
    if chain[0] in signers:
        leaf = x509.leaf(chain)
        current(leaf, now=now)
        return leaf.public
    # RFC 7515 §4.1.6 lets a chain go on to its root: what stands from a pinned certificate on adds nothing.
    until = next((place for place, der in enumerate(chain) if der in signers), len(chain))
    try:
        return x509.validate_chain(chain[:until], anchors=signers, now=now).leaf_public
    except Refused as refused:
        if refused.code in ("trust.unknown_anchor", "trust.self_signed"):
            raise Refused("trust.list_signer", "The trust list is not signed by whom the settings name.") from None
        raise


def _thumbprint(der: bytes) -> str:
    return b64url(hashlib.sha256(der).digest())


def _list(document: Mapping[str, Json]) -> TrustedList:
    found = _object(document.get("LoTE"))
    scheme = _object(found.get("ListAndSchemeInformation"))
    number = scheme.get("LoTESequenceNumber", 0)
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise Malformed("trust.list", "The trust list's number is not a number.")
    if scheme.get("LoTEVersionIdentifier", _VERSION) != _VERSION:
        raise Unsupported("trust.list_version", "The trust list is of a version that this service does not know.")
    services = [service for entity in _array(found.get("TrustedEntitiesList", [])) for service in _services(entity)]
    if len(services) > MAX_SERVICES:
        raise Malformed("trust.list", "The trust list has too many services.")
    return TrustedList(
        type=text(scheme, "LoTEType", what="trust list") or "",
        operator=_name(scheme.get("SchemeOperatorName")),
        sequence=number,
        issued=moment(scheme.get("ListIssueDateTime"), what="date"),
        next_update=moment(scheme.get("NextUpdate"), what="next update"),
        services=tuple(services),
    )


def _services(entity: Json) -> list[Service]:
    """TS 119 602 §6.5, §6.6: the services of one trusted entity."""
    members = _object(entity)
    name = _name(_object(members.get("TrustedEntityInformation", {})).get("TEName"))
    return [_service(_object(each), name) for each in _array(members.get("TrustedEntityServices", []))]


def _service(members: Mapping[str, Json], entity: str) -> Service:
    information = _object(members.get("ServiceInformation"))
    identity = _object(information.get("ServiceDigitalIdentity", {}))
    listed = [_object(each).get("val") for each in _array(identity.get("X509Certificates", []))]
    read = (certificate(each) for each in listed if isinstance(each, str))
    earlier = (_object(each) for each in _array(members.get("ServiceHistory", [])))
    kind = text(information, "ServiceTypeIdentifier", what="trust list") or ""  # optional: then it is of no use here
    same = (each for each in earlier if each.get("ServiceTypeIdentifier", kind) == kind)
    return Service(
        type=kind,
        name=entity or _name(information.get("ServiceName")),
        certificates=tuple(der for der in read if der is not None),
        standings=tuple(_standing(each) for each in (information, *same)),
    )


def _standing(members: Mapping[str, Json]) -> Standing:
    """TS 119 602 §6.6.4, §6.6.5: both are optional; without a status, whoever is listed is in good standing."""
    status, since = members.get("ServiceStatus"), members.get("StatusStartingTime")
    if status is not None and not isinstance(status, str):
        raise Malformed("trust.list", "A status in the trust list is not a text.")
    return Standing(status, None if since is None else moment(since, what="status time"))


def _name(names: Json) -> str:
    """The English name of several, else the first."""
    found = [each for each in names if isinstance(each, dict)] if isinstance(names, list) else []
    english = [each for each in found if str(each.get("lang", "")).lower().startswith("en")]
    return shown((english or found)[0].get("value")) if found else ""


def _object(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise Malformed("trust.list", "The trust list is not made as it must be: an object is missing.")
    return value


def _array(value: Json) -> list[Json]:
    if not isinstance(value, list) or len(value) > _MAX_ENTITIES:
        raise Malformed("trust.list", "The trust list is not made as it must be: an array is missing or too long.")
    return value
