"""The Digital Credentials API: how does a page ask through the browser, and what may a wallet believe (Appendix A)?

The platform says which page asks (its origin) and carries request and answer. An unsigned request rests on that alone;
a signed one names the pages that may send it; a multi-signed one is signed by several identities, of which the wallet
takes one that it can check.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from ssi.encoding import Json, b64url, read_json_object, required_text, text, unb64url, write_json
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.jose import jws
from ssi.model import KeyResolver
from ssi.oid4vp import reading
from ssi.oid4vp.askers import Asker, Evidence, authenticate, page, split
from ssi.oid4vp.clients import PREREGISTERED, Clients
from ssi.oid4vp.parameters import AuthorizationRequest
from ssi.oid4vp.reading import Reader
from ssi.oid4vp.requests import (
    MAX_REQUEST_BYTES,
    REQUEST_TYPE,
    RequestSigner,
    SignedRequest,
    check_audience,
    check_client,
    check_times,
    claims,
)
from ssi.oid4vp.transactions import TransactionType
from ssi.oid4vp.verifierinfo import VerifierInfo

UNSIGNED_PROTOCOL: Final = "openid4vp-v1-unsigned"
SIGNED_PROTOCOL: Final = "openid4vp-v1-signed"
MULTISIGNED_PROTOCOL: Final = "openid4vp-v1-multisigned"
DC_PROTOCOLS: Final = (UNSIGNED_PROTOCOL, SIGNED_PROTOCOL, MULTISIGNED_PROTOCOL)

MAX_SIGNATURES: Final = 8
_PER_SIGNATURE: Final = ("client_id", "verifier_info")
"""A.3.2.2: what belongs into each signature's header, and not into what all of them sign."""


_BEFORE_1_0: Final = "openid4vp"
"""What drafts called the protocol, without a version (1.0, A.1: `openid4vp-v<version>-<request-type>`)."""


@dataclass(frozen=True)
class PageSigner:
    """One identity of several that sign for a page, with what others say about it (A.3.2.2)."""

    identity: RequestSigner
    verifier_info: tuple[VerifierInfo, ...] = ()


def page_request(
    request: AuthorizationRequest,
    *,
    signers: Sequence[RequestSigner | PageSigner] = (),
    now: datetime,
    lifetime: timedelta,
) -> dict[str, Json]:
    """What a page hands to `navigator.credentials.get`: the protocol and its data. Unsigned without signers.

    One signer makes a compact JWS, several the JSON serialization (A.3.2). `request.expected_origins` must be there for
    signed requests. Raises Refused (`oid4vp.client_id`, `oid4vp.expected_origins`).
    """
    if not signers:
        plain = replace(request, client_id="", expected_origins=()).parameters()
        return {"protocol": UNSIGNED_PROTOCOL, "data": plain}
    if not request.expected_origins:
        raise Refused(
            "oid4vp.expected_origins", "A signed request says which pages may send it, and this one does not."
        )
    several = [one if isinstance(one, PageSigner) else PageSigner(one) for one in signers]
    if len(several) == 1:
        identity, info = several[0].identity, several[0].verifier_info or request.verifier_info
        mine = replace(request, client_id=identity.client_id, verifier_info=info)
        said = claims(mine, now=now, lifetime=lifetime)
        token = jws.sign(said, signer=identity.signer, header=identity.header())
        return {"protocol": SIGNED_PROTOCOL, "data": {"request": token}}
    shared = claims(request, now=now, lifetime=lifetime)
    body = b64url(write_json({name: value for name, value in shared.items() if name not in _PER_SIGNATURE}))
    signatures = [_signature(one, body, request) for one in several]
    return {"protocol": MULTISIGNED_PROTOCOL, "data": {"request": {"payload": body, "signatures": signatures}}}


def _signature(signer: PageSigner, body: str, request: AuthorizationRequest) -> dict[str, Json]:
    identity = signer.identity
    info = replace(request, verifier_info=signer.verifier_info or request.verifier_info).info
    header = {
        **identity.header(),
        "alg": identity.signer.public.algorithm.name,
        "client_id": identity.client_id,
        **({"verifier_info": info} if info else {}),
    }
    head = b64url(write_json(header))
    return {"protected": head, "signature": b64url(identity.signer.sign(f"{head}.{body}".encode("ascii")))}


@dataclass(frozen=True)
class PageReader:
    """What a wallet brings along to read a page's request. `origin` is the platform's word, never the page's.

    `trusted` says which identity to prefer among several valid ones; without it the first valid one is taken.
    """

    origin: str
    keys: KeyResolver
    now: datetime
    transaction_types: Collection[TransactionType] = ()
    clients: Clients = field(default_factory=dict)
    trusted: Callable[[Asker], bool] | None = None


def open_page_request(protocol: str, data: Json, reader: PageReader) -> SignedRequest:
    """Read a request that came through the browser, and authenticate the asker.

    Raises Unsupported (`oid4vp.protocol`), Malformed, Refused (`oid4vp.origin` for a request made for another page,
    `oid4vp.*`, `jose.*`), Unavailable.
    """
    if not isinstance(data, Mapping):
        raise Malformed("oid4vp.page_request", "The page's request is not an object.")
    if not 0 < len(reader.origin) <= reading.MAX_TEXT:
        raise Malformed("oid4vp.origin", "It is not known which page asks.")
    if protocol == UNSIGNED_PROTOCOL:
        request = reading.read(data, Reader(reader.transaction_types, origin=reader.origin, signed=False))
        return SignedRequest(request, page(reader.origin), "")
    if protocol == SIGNED_PROTOCOL:
        token = required_text(data, "request", what="page's request")
        return _opened(jws.parse(token, typ=(REQUEST_TYPE,), max_bytes=MAX_REQUEST_BYTES), None, token, reader)
    if protocol == MULTISIGNED_PROTOCOL:
        return _one_of_several(data.get("request"), reader)
    if protocol == _BEFORE_1_0:
        detail = "The page asks by a draft of OpenID4VP from before version 1.0; this wallet speaks version 1.0."
        raise Unsupported("oid4vp.draft", detail)
    raise Unsupported(
        "oid4vp.protocol", "The page asks by a protocol, or a version of it, that this wallet does not know."
    )


def _one_of_several(request: Json, reader: PageReader) -> SignedRequest:
    """A.3.2.2: signatures that cannot be checked, or fail, count for nothing; one that holds is enough (RFC 7515 §5.2).

    Raises the first signature's error when none holds.
    """
    found: list[SignedRequest] = []
    problems: list[SsiError] = []
    raw = write_json(request).decode()
    for token, header in _signatures(request):
        try:
            parsed = jws.parse(token, typ=(REQUEST_TYPE,), max_bytes=MAX_REQUEST_BYTES)
            found.append(_opened(parsed, header, raw, reader))
        except SsiError as problem:
            problems.append(problem)
    if not found:
        raise problems[0]
    trusted = reader.trusted
    return next((one for one in found if trusted is not None and trusted(one.asker)), found[0])


def _signatures(request: Json) -> list[tuple[str, Mapping[str, Json]]]:
    """Each signature as a compact token, with its protected header (RFC 7515 §7.2.1)."""
    wrong = Malformed("oid4vp.signatures", "The page's request is not one that is signed several times.")
    if not isinstance(request, Mapping):
        raise wrong
    body, entries = text(request, "payload", what="page's request"), request.get("signatures")
    if not body or not isinstance(entries, list) or not 0 < len(entries) <= MAX_SIGNATURES:
        raise wrong
    found: list[tuple[str, Mapping[str, Json]]] = []
    for entry in entries:
        if not isinstance(entry, Mapping):
            raise wrong
        head = required_text(entry, "protected", what="signature")
        token = f"{head}.{body}.{required_text(entry, 'signature', what='signature')}"
        found.append((token, read_json_object(unb64url(head, what="signature's header"), what="signature's header")))
    return found


def _opened(token: jws.Jws, header: Mapping[str, Json] | None, raw: str, reader: PageReader) -> SignedRequest:
    """One signed request; `header` is that of a signature of several, where client and verifier info stand."""
    said: dict[str, Json] = dict(token.claims)
    if header is not None:
        if any(name in said for name in _PER_SIGNATURE):
            raise Malformed("oid4vp.signatures", "What belongs to each signature stands in what all of them sign.")
        said |= {name: header[name] for name in _PER_SIGNATURE if name in header}
    client_id = required_text(said, "client_id", what="request")
    check_client(said, client_id, clients=reader.clients)
    check_times(said, reader.now)
    check_audience(said, None)
    known = split(client_id, clients=reader.clients)[0] == PREREGISTERED
    metadata = reader.clients[client_id].metadata if known else None
    request = reading.read(said, Reader(reader.transaction_types, origin=reader.origin, metadata=metadata))
    evidence = Evidence(reader.keys, reader.now, origin=reader.origin, clients=reader.clients)
    return SignedRequest(request, authenticate(token, client_id, evidence), raw)
