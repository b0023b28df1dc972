"""Who comes with this access token? The Authorization and DPoP headers of a request to a protected endpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from flask import Response, request

from service.store import writing
from ssi.oauth import OAuthError, dpop
from wallet.issuer import grants, marks
from wallet.issuer.grants import Replay
from wallet.issuer.office import Office

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 §2.1, RFC 9449 §7.1
_CHALLENGED: Final = frozenset({"invalid_token", "insufficient_scope", "invalid_dpop_proof", "use_dpop_nonce"})
_SCHEMES: Final = {"bearer": "Bearer", "dpop": "DPoP"}


@dataclass(frozen=True)
class Access:
    """An access token as it was shown: with the key whose thumbprint is `jkt`, or as a Bearer token (None)."""

    token: str = field(repr=False)
    jkt: str | None


class UnreadableToken(OAuthError):
    """No access token can be read in the Authorization header: answered with a challenge all the same (RFC 6750 §3)."""


def access(office: Office, *, now: datetime) -> Access:
    """The access token of this request; with DPoP its proof is judged by RFC 9449 §7.1, and spent.

    Raises OAuthError: invalid_token, invalid_request, invalid_dpop_proof, use_dpop_nonce, all to be answered with a
    challenge (`challenge`).
    """
    scheme = _scheme()
    if scheme not in _SCHEMES:
        raise OAuthError("invalid_token", "Send the access token in the Authorization header, as DPoP or Bearer.")
    token = request.headers.get("Authorization", "").partition(" ")[2].strip()
    if not _TOKEN.fullmatch(token):
        raise UnreadableToken("invalid_request", "The Authorization header cannot be read.")
    if scheme == "bearer":
        return Access(token, None)
    proof = _proof(office, token, now=now)
    with writing(office.store) as connection:
        grants.granted(connection, token, jkt=proof.jkt, now=now)  # nobody without a token fills the table of proofs
        if not grants.spend(connection, replay(proof)):
            raise _wrong("The DPoP proof has been used before.")
    return Access(token, proof.jkt)


def replay(proof: dpop.DpopProof) -> Replay:
    """The one use of a proof (RFC 9449 §11.1)."""
    return Replay(f"dpop {proof.jkt} {proof.jti}", proof.issued_at + dpop.MEMORY)


def one_header(name: str) -> str | None:
    """The value of a header that may come once. Raises OAuthError (`invalid_request`) when it comes twice."""
    found = request.headers.getlist(name)
    if len(found) > 1 or (found and "," in found[0]):  # two fields may be joined on the way (RFC 9110 §5.3)
        raise OAuthError("invalid_request", f"The {name} header comes more than once.")
    return found[0] if found else None


def challenge(response: Response, error: OAuthError) -> None:
    """Say with which scheme to come back; an error is named only to who tried one (RFC 6750 §3, RFC 9449 §7.1)."""
    if error.error not in _CHALLENGED and not isinstance(error, UnreadableToken):
        return
    scheme = _scheme()
    said = f'error="{error.error}", error_description="{error.detail}"'
    if scheme == "dpop":
        response.headers["WWW-Authenticate"] = f'DPoP {said}, algs="{" ".join(dpop.ALGORITHMS)}"'
    elif scheme == "bearer":
        response.headers["WWW-Authenticate"] = f"Bearer {said}"
    else:
        response.headers["WWW-Authenticate"] = f'Bearer, DPoP algs="{" ".join(dpop.ALGORITHMS)}"'


def give_nonce(response: Response, office: Office, purpose: str, *, now: datetime) -> None:
    """Hand out the nonce for the next proof (RFC 9449 §8.2, §9)."""
    response.headers[dpop.NONCE_HEADER] = office.marks.fresh(purpose, now=now)


def _proof(office: Office, token: str, *, now: datetime) -> dpop.DpopProof:
    try:
        shown = one_header(dpop.HEADER)
    except OAuthError as error:
        raise _wrong(error.detail) from None
    if shown is None:
        raise _wrong("A token of type DPoP needs a DPoP proof.")
    try:
        proof = dpop.verify(shown, method=request.method, url=here(office), now=now, access_token=token)
    except OAuthError as error:
        raise _wrong(error.detail) from None
    if proof.nonce is None or not office.marks.is_fresh(marks.RESOURCE, proof.nonce, now=now):
        raise OAuthError("use_dpop_nonce", "Use the nonce of the DPoP-Nonce header in the proof.", status=401)
    return proof


def here(office: Office) -> str:
    """The address of this endpoint as wallets know it, whatever stands between."""
    return f"{office.settings.base_url}{request.path}"


def _wrong(detail: str) -> OAuthError:
    return OAuthError("invalid_dpop_proof", detail, status=401)


def _scheme() -> str:
    return request.headers.get("Authorization", "").partition(" ")[0].lower()
