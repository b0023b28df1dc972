"""JOSE envelopes: how does a signed token carry a W3C document (VC-JOSE-COSE §3.1, §3.2)?

What vc+jwt, vc+sd-jwt and jwt_vc_json share: headers, the claims of the envelope, and tokens as signed messages.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime

from ssi import jose
from ssi.encoding import Json, seconds, text
from ssi.errors import Malformed
from ssi.formats import registered, vcdocs
from ssi.formats.vcenvelope import Document, Kind, OneKey, Signed
from ssi.formats.vpclaims import key_url
from ssi.keys import Signer
from ssi.model import Draft, Issuer

__all__ = ["Document", "Kind", "OneKey", "Signed", "claims", "key_name", "naming", "signed"]


def naming(issuer: Issuer, signer: Signer) -> dict[str, Json]:
    """The header that says with which key was signed: the issuer's certificates, or the key's name."""
    if issuer.x5c:
        return {"x5c": [base64.b64encode(der).decode("ascii") for der in issuer.x5c]}
    return {"kid": key_name(issuer, signer)}


def key_name(issuer: Issuer, signer: Signer) -> str:
    """The `kid`: absolute where the issuer is a DID (§4.1.1).

    A key without a name is found by its DID, where that is made of the key, else by the signer's name for it.
    """
    if issuer.id is None or not issuer.id.startswith("did:"):
        return issuer.kid or signer.kid
    named = issuer.kid or key_url(issuer.id, signer.public) or signer.kid
    return named if named.startswith("did:") else f"{issuer.id}#{named.removeprefix('#')}"


def claims(draft: Draft, *, now: datetime) -> dict[str, Json]:
    """What the envelope of a credential says: who signed it and when, and a status that is no W3C status.

    Raises Malformed and Unsupported (`vc.status`).
    """
    written: dict[str, Json] = {"iss": draft.issuer.id, "iat": seconds(now)}
    lists = tuple(one for one in draft.statuses if one.kind == registered.STATUS_LIST)
    vcdocs.only_bitstrings([one for one in draft.statuses if one not in lists])
    if len(lists) > 1:
        raise Malformed("vc.status", "A token names one status list only.")
    if lists:
        written["status"] = {"status_list": {"idx": lists[0].index, "uri": lists[0].uri}}
    return written


def signed(token: jose.Jws, envelope: Mapping[str, Json]) -> Signed:
    """A token as a signed message. Raises Malformed (`jose.x5c`, `encoding.text`)."""
    header = token.header
    kid = text(header, "kid", what="token's header")
    return Signed(token.alg, kid, jose.x5c(header), header.get("iss"), envelope, lambda key: jose.verify(token, key))
