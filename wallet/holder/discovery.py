"""Discovery: who is this issuer, what can be had there, and which server gives access to it? Read, not believed.

An issuer's description may be signed; then a person is told whether somebody whom the wallet trusts has certified who
signed it (OpenID4VCI 1.0 §12.2.2, §12.2.3). Issuers that know no signed one send it plain, as ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ssi import haip
from ssi.encoding import read_json_object, write_json
from ssi.errors import Malformed, Refused, SsiError, Unavailable
from ssi.fetch import Response
from ssi.jose import jws
from ssi.model import Outcome
from ssi.oid4vci import AuthorizationServer, IssuerMetadata, authorization_server_url, metadata_url, signed
from ssi.trust import x509
from wallet.holder.calls import JSON, good
from wallet.holder.outside import Outside

MAX_METADATA: Final = 524_288
SIGNED: Final = "application/jwt"
EITHER: Final = f"{SIGNED}, {JSON};q=0.9"
METADATA_TYPE: Final = "openidvci-issuer-metadata+jwt"
"""What an issuer's signature on its description is judged for."""

_MAX_SERVERS: Final = 4
_TYPES_REFUSED: Final = frozenset({400, 406, 415})


@dataclass(frozen=True)
class Found:
    """An issuer's description, and as it came (JSON). `verified` is who signed it, when that name is certified."""

    metadata: IssuerMetadata
    body: str
    verified: str = ""


def issuer(identifier: str, *, outside: Outside, now: datetime) -> Found:
    """The description of an issuer.

    Raises Malformed, Unsupported (`oid4vci.draft` names the version that the issuer speaks) and Unavailable.
    """
    url = metadata_url(identifier)
    response = outside.fetch.get(url, accept=EITHER, max_bytes=MAX_METADATA)
    if response.status in _TYPES_REFUSED:
        response = outside.fetch.get(url, accept=JSON, max_bytes=MAX_METADATA)
    if response.media_type == SIGNED:
        found = _signed(response, identifier, outside=outside, now=now)
        if found is not None:
            return found
        response = outside.fetch.get(url, accept=JSON, max_bytes=MAX_METADATA)  # its signer is nobody's (§12.2.3)
    if response.media_type == SIGNED:
        raise Refused("offer.metadata_signer", "Nobody whom this wallet trusts has certified who describes the issuer.")
    body = good(response)
    return Found(IssuerMetadata.parse(body, issuer=identifier), body.decode())


def typed(address: str, *, outside: Outside, now: datetime) -> Found:
    """The description of an issuer whose address a person has typed, perhaps without `https://` or with a slash."""
    plain = address.strip()
    if "://" not in plain:
        plain = f"https://{plain}"
    try:
        return issuer(plain, outside=outside, now=now)
    except SsiError as error:
        if not plain.endswith("/") or isinstance(error, Unavailable):
            raise
    return issuer(plain.rstrip("/"), outside=outside, now=now)


def server(
    metadata: IssuerMetadata, grants: tuple[str, ...], *, hint: str | None, outside: Outside
) -> AuthorizationServer:
    """The authorization server to use for one of these grants (§12.2.4 `authorization_servers`, §4.1.1).

    `hint` is the server that the offer names. Where none says that it knows such a grant, the first one is asked.
    """
    if hint is not None and hint not in metadata.authorization_servers:
        raise Malformed("offer.authorization_server", "The offer names a server that the issuer does not work with.")
    several = (metadata.authorization_servers or (metadata.issuer,))[:_MAX_SERVERS]
    asked = several if hint is None else (hint,)
    found: list[AuthorizationServer] = []
    for one in asked:
        try:
            found.append(named(one, outside=outside))
        except SsiError:
            if one == asked[-1] and not found:
                raise
            continue
        if set(grants) & set(found[-1].grant_types):
            return found[-1]
    return found[0]


def read_server(body: str) -> AuthorizationServer:
    """The server in a sealed record."""
    members = read_json_object(body, what="authorization server metadata")
    return AuthorizationServer.parse(body.encode(), issuer=members["issuer"])


def write_server(described: AuthorizationServer) -> str:
    """A server for a sealed record."""
    return write_json(described.json).decode()


def _signed(response: Response, identifier: str, *, outside: Outside, now: datetime) -> Found | None:
    """A signed description; None when nobody vouches for who signed it: then it counts for nothing (§12.2.3)."""
    token = good(response).decode().strip()
    metadata, signer = signed.open(token, issuer=identifier, keys=outside.keys, now=now)
    if outside.issuers.judge(signer, METADATA_TYPE, now=now).outcome is not Outcome.PASS:
        return None
    name = x509.leaf(signer.x5c).name if signer.x5c else signer.id or identifier
    return Found(metadata, jws.parse(token, typ=None).payload.decode(), name)


def named(identifier: str, *, outside: Outside) -> AuthorizationServer:
    """What a server says of itself (RFC 8414), or else as a provider of OpenID Connect."""
    response = outside.fetch.get(authorization_server_url(identifier), accept=JSON, max_bytes=MAX_METADATA)
    if response.status == 404:
        other = f"{identifier.rstrip('/')}/.well-known/openid-configuration"
        response = outside.fetch.get(other, accept=JSON, max_bytes=MAX_METADATA)
    return AuthorizationServer.parse(good(response), issuer=identifier)


def check_haip(described: AuthorizationServer, *, by_code: bool) -> None:
    """What HAIP 1.0 demands of an authorization server. Raises Refused (`haip.*`)."""
    if not described.dpop_algs:
        raise haip.refusal("dpop", "The issuer gives tokens that are not bound to this wallet", "4")
    if by_code and (described.par_endpoint is None or "S256" not in described.pkce_methods):
        raise haip.refusal("par", "The issuer takes no pushed requests with PKCE", "4")
    if by_code and not described.iss_in_response:
        raise haip.refusal("iss", "The issuer's server does not name itself in its answers", "4")
