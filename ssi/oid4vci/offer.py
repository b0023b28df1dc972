"""Credential offers: what does an issuer invite a wallet to fetch, and with which code?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from ssi.encoding import Json, read_json_object, required_text, text, write_json
from ssi.errors import Malformed
from ssi.oauth.server import AUTHORIZATION_CODE, PRE_AUTHORIZED_CODE
from ssi.oid4vci import drafts
from ssi.oid4vci.urls import issuer_url, web_url

SCHEMES: Final = frozenset({"openid-credential-offer", "haip-vci", "https"})
MAX_OFFER_BYTES: Final = 32_768
_MAX_TX_CODE = 64
_MAX_DESCRIPTION = 300


@dataclass(frozen=True)
class TxCode:
    """That the issuer will ask for a transaction code, and how it looks (§4.1.1)."""

    input_mode: str = "numeric"
    length: int | None = None
    description: str | None = None

    @property
    def json(self) -> dict[str, Json]:
        """The member as an offer has it."""
        members = {"input_mode": self.input_mode, "length": self.length, "description": self.description}
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True)
class PreAuthorized:
    """The pre-authorized code grant: a short-lived, single-use code, and whether a transaction code goes with it."""

    code: str = field(repr=False)
    tx_code: TxCode | None = None
    authorization_server: str | None = None

    @property
    def json(self) -> dict[str, Json]:
        """The grant as an offer has it."""
        members: dict[str, Json] = {"pre-authorized_code": self.code}
        if self.tx_code is not None:
            members["tx_code"] = self.tx_code.json
        if self.authorization_server is not None:
            members["authorization_server"] = self.authorization_server
        return members


@dataclass(frozen=True)
class AuthorizationCode:
    """The authorization code grant: what ties the sign-in to this offer, and the server to ask if there are several."""

    issuer_state: str | None = field(default=None, repr=False)
    authorization_server: str | None = None

    @property
    def json(self) -> dict[str, Json]:
        """The grant as an offer has it; it may be empty."""
        members = {"issuer_state": self.issuer_state, "authorization_server": self.authorization_server}
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True)
class CredentialOffer:
    """An invitation: who issues, which credential configurations, and by which grant (§4.1.1).

    `grants` names every grant that came, also those this house cannot use.
    """

    issuer: str
    configuration_ids: tuple[str, ...]
    pre_authorized: PreAuthorized | None = None
    grants: tuple[str, ...] = ()
    authorization_code: AuthorizationCode | None = None

    @property
    def json(self) -> dict[str, Json]:
        """The Credential Offer object."""
        members: dict[str, Json] = {
            "credential_issuer": self.issuer,
            "credential_configuration_ids": list(self.configuration_ids),
        }
        given = {AUTHORIZATION_CODE: self.authorization_code, PRE_AUTHORIZED_CODE: self.pre_authorized}
        grants = {name: grant.json for name, grant in given.items() if grant is not None}
        return {**members, "grants": grants} if grants else members


@dataclass(frozen=True)
class OfferReference:
    """An offer that must first be fetched, with GET, as `application/json` (§4.1.3)."""

    uri: str


def parse_offer(link: str) -> CredentialOffer | OfferReference:
    """Read what a person scanned, clicked or pasted: an offer link, or the offer object itself.

    Links are `openid-credential-offer://`, `haip-vci://` and https links that carry one of the two parameters.
    Raises Malformed (`oid4vci.link`, `oid4vci.offer`, `oid4vci.url`), Unsupported (`oid4vci.draft`).
    """
    if len(link) > MAX_OFFER_BYTES:
        raise Malformed("oid4vci.link", "The link is too long for a credential offer.")
    stripped = link.strip()
    if stripped.startswith("{"):
        return read_offer(stripped)
    values = _parameters(stripped)
    given = [values[name] for name in ("credential_offer", "credential_offer_uri") if name in values]
    if len(given) != 1:
        raise Malformed("oid4vci.link", "The link holds no credential offer, or two.")
    if "credential_offer" in values:
        return read_offer(given[0])
    return OfferReference(web_url(given[0], what="address of the offer"))


def read_offer(data: bytes | str) -> CredentialOffer:
    """Read a Credential Offer object. Unknown members are ignored.

    Raises Malformed (`oid4vci.offer`, …), Unsupported (`oid4vci.draft`) for an offer of a draft.
    """
    members = read_json_object(data, what="credential offer", max_bytes=MAX_OFFER_BYTES)
    drafts.refuse_offer(members)
    ids = members.get("credential_configuration_ids")
    if not isinstance(ids, list) or not ids or not all(isinstance(i, str) and i for i in ids):
        raise Malformed("oid4vci.offer", "The credential offer does not say which credentials it offers.")
    if len(set(ids)) != len(ids):
        raise Malformed("oid4vci.offer", "The credential offer names a credential twice.")
    grants = members.get("grants", {})
    if not isinstance(grants, dict) or not all(isinstance(grant, dict) for grant in grants.values()):
        raise Malformed("oid4vci.offer", "The grants of the credential offer cannot be read.")
    grant, code = grants.get(PRE_AUTHORIZED_CODE), grants.get(AUTHORIZATION_CODE)
    return CredentialOffer(
        issuer=issuer_url(members.get("credential_issuer")),
        configuration_ids=tuple(ids),
        pre_authorized=None if grant is None else _pre_authorized(grant),
        grants=tuple(grants),
        authorization_code=None if code is None else _authorization_code(code),
    )


def offer_link(offer: CredentialOffer | OfferReference, *, base: str = "openid-credential-offer://") -> str:
    """The link that brings an offer to a wallet (§4.1.2, §4.1.3); `base` may be a wallet's https address.

    >>> offer_link(OfferReference("https://issuer.example/offers/1"))
    'openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fissuer.example%2Foffers%2F1'
    """
    if isinstance(offer, OfferReference):
        parameter = f"credential_offer_uri={quote(offer.uri, safe='')}"
    else:
        parameter = f"credential_offer={quote(write_json(offer.json), safe='')}"
    return f"{base}{'&' if '?' in base else '?'}{parameter}"


def _parameters(link: str) -> Mapping[str, str]:
    try:
        parts = urlsplit(link)
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=32)
    except ValueError:
        raise Malformed("oid4vci.link", "This is not a credential offer link.") from None
    if parts.scheme not in SCHEMES:
        raise Malformed("oid4vci.link", "This is not a credential offer link.")
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise Malformed("oid4vci.link", "The link repeats a parameter.")
    return dict(pairs)


def _pre_authorized(grant: Mapping[str, Json]) -> PreAuthorized:
    code = grant.get("tx_code")
    if "tx_code" in grant and not isinstance(code, dict):
        raise Malformed("oid4vci.offer", "The transaction code of the credential offer is not described by an object.")
    return PreAuthorized(
        code=required_text(grant, "pre-authorized_code", what="credential offer"),
        tx_code=None if code is None else _tx_code(code),
        authorization_server=text(grant, "authorization_server", what="credential offer"),
    )


def _authorization_code(grant: Mapping[str, Json]) -> AuthorizationCode:
    state = text(grant, "issuer_state", what="credential offer")
    return AuthorizationCode(state or None, text(grant, "authorization_server", what="credential offer"))


def _tx_code(members: Mapping[str, Json]) -> TxCode:
    length, description = members.get("length"), text(members, "description", what="credential offer")
    if length is not None and (type(length) is not int or not 0 < length <= _MAX_TX_CODE):
        raise Malformed("oid4vci.offer", "The length of the transaction code is not a sensible number.")
    if description is not None and len(description) > _MAX_DESCRIPTION:
        raise Malformed("oid4vci.offer", "The description of the transaction code is too long.")
    mode = text(members, "input_mode", what="credential offer") or "numeric"
    return TxCode(mode if mode in ("numeric", "text") else "text", length, description)
