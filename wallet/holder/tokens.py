"""Tokens: how does an offer's code become an access token, and an old token a new one (OpenID4VCI 1.0 §6)?"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Final

from ssi.encoding import b64url, seconds
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.keys import Signer
from ssi.oauth import clients
from ssi.oid4vci import AUTHORIZATION_CODE, REFRESH_TOKEN, AuthorizationServer, TokenRequest, TokenResponse
from ssi.oid4vci.offer import TxCode
from wallet.holder import grants, offers
from wallet.holder.calls import PREFERRED, Calls
from wallet.holder.items import Item
from wallet.holder.keystore import VaultKeys
from wallet.holder.offers import Offer, Stage
from wallet.holder.outside import Outside
from wallet.holder.vault import Vault

MAX_TX_CODE: Final = 64
_SOON: Final = 10
"""Seconds before its end from which a token counts as ended: the request itself takes time."""

_MOST_IDENTIFIERS: Final = 8


def with_keys(vault: Vault, offer: Offer, *, outside: Outside, now: datetime) -> Offer:
    """The offer with the keys that this issuer wants proofs of: made for it alone, and kept before they are used."""
    keys, until = VaultKeys(vault), now + offers.LIFETIME_AUTHORIZED
    alg = next((one for one in PREFERRED if one in offer.server.dpop_algs), None)
    if alg is not None and not offer.dpop:
        offer = replace(offer, dpop=keys.create_until(alg, until).kid)
    if attests(offer.server, outside) and not offer.instance:
        offer = replace(offer, instance=keys.create_until(PREFERRED[0], until).kid)
    return offer


def attests(server: AuthorizationServer, outside: Outside) -> bool:
    """Does this server ask wallets who vouches for them, and does somebody vouch for this one?"""
    return clients.METHOD in server.auth_methods and outside.provider is not None


def way_back(server: AuthorizationServer, outside: Outside) -> str:
    """Where this server sends the person back to, with the code.

    One that does not name itself in its answers has an address of its own: another server that passes its request on
    would be known by where the answer arrives (mix-up, RFC 9700 §4.4.2.2).
    """
    return f"{outside.redirect_uri}{own_way(server)}"


def own_way(server: AuthorizationServer) -> str:
    """The end of that address: empty for a server whose answers name it (RFC 9207)."""
    return "" if server.iss_in_response else f"/{b64url(hashlib.sha256(server.issuer.encode()).digest()[:16])}"


def calls(vault: Vault, offer: Offer, *, outside: Outside, now: datetime) -> Calls:
    """The conversation with the issuer of an offer, with its keys."""
    return Calls(outside, offer.server, now, _key(vault, offer.dpop), _key(vault, offer.instance))


def _key(vault: Vault, kid: str) -> Signer | None:
    return VaultKeys(vault).get(kid) if kid else None


def authorize(vault: Vault, offer: Offer, *, tx_code: str, outside: Outside, now: datetime) -> Offer:
    """Exchange the code for an access token, and keep that before anything else: the code works only once."""
    offer = offers.keep(vault, with_keys(vault, offer, outside=outside, now=now))
    request = _by_code(offer, outside) if offer.by_code else _pre_authorized(offer, tx_code, outside)
    token = _asked(vault, offer, request, outside=outside, now=now)
    return offers.keep(vault, offers.longer(_holding(offer, token, now=now), now=now))


def alive(vault: Vault, offer: Offer, *, outside: Outside, now: datetime) -> Offer:
    """The offer with a token that still lives, as far as that is known: an ended one is renewed where that can be."""
    ended = offer.token_until is not None and offer.token_until - _SOON <= seconds(now)
    can = bool(offer.grant) or (offer.token is not None and offer.token.refresh_token is not None)
    return renewed(vault, offer, outside=outside, now=now) if ended and can else offer


def renewed(vault: Vault, offer: Offer, *, outside: Outside, now: datetime) -> Offer:
    """The offer with a new access token for its refresh token (RFC 6749 §6); kept with the grant that it belongs to."""
    grant = grants.reserve(vault, offer.grant, now=now) if offer.grant else None
    old = grant.refresh_token if grant is not None else offer.token.refresh_token if offer.token is not None else None
    if old is None:
        raise Refused("offer.token", "The issuer no longer accepts this offer. Ask for a new one.")
    request = TokenRequest(old, grant=REFRESH_TOKEN, client_id=outside.client_id or None)
    try:
        answer = _asked(vault, offer, request, outside=outside, now=now)
    except SsiError:
        if grant is not None:
            vault.put(grants.as_record(replace(grant, busy_until=0)))
        raise
    known = {} if offer.token is None else offer.token.identifiers
    token = replace(answer, refresh_token=answer.refresh_token or old, identifiers=answer.identifiers or known)
    held = _holding(offer, token, now=now, expand=False)
    if grant is None:
        return offers.keep(vault, held)
    record, _ = vault.commit(offers.as_record(held), grants.as_record(grant.renewed(token, now=now)))
    return replace(held, record=record)


def _asked(vault: Vault, offer: Offer, request: TokenRequest, *, outside: Outside, now: datetime) -> TokenResponse:
    conversation = calls(vault, offer, outside=outside, now=now)
    answer = conversation.ask_server(offer.server.token_endpoint, request.form, proved=True)
    token = TokenResponse.parse(answer)
    if token.token_type != "DPoP" and outside.haip:  # noqa: S105  (the name of a kind of token)
        raise Refused("haip.dpop", "The issuer gave a token that is not bound to this wallet (HAIP 1.0, section 4).")
    if token.token_type == "DPoP" and not offer.dpop:  # noqa: S105  (the same)
        raise Unsupported("oid4vci.token_type", "The issuer's access token is of a type this wallet cannot use.")
    return token


def _holding(offer: Offer, token: TokenResponse, *, now: datetime, expand: bool = True) -> Offer:
    """The offer with a token; for each set of data that the token is good for (§6.2), an item of its own."""
    until = None if token.expires_in is None else seconds(now) + token.expires_in
    items = tuple(each for item in offer.items for each in _expanded(item, token)) if expand else offer.items
    return replace(offer, token=token, token_until=until, stage=Stage.AUTHORIZED, items=items, sign_in=None)


def _expanded(item: Item, token: TokenResponse) -> tuple[Item, ...]:
    found = token.identifiers.get(item.configuration, ())[:_MOST_IDENTIFIERS]
    return tuple(replace(item, identifier=one) for one in found) if found else (item,)


def _pre_authorized(offer: Offer, typed: str, outside: Outside) -> TokenRequest:
    grant = offer.offer.pre_authorized
    if grant is None:
        raise Unsupported("offer.grant", "The offer has no code that this wallet could use.")
    code = "".join(typed.split()) if grant.tx_code and grant.tx_code.input_mode == "numeric" else typed.strip()
    if grant.tx_code is not None and not 0 < len(code) <= MAX_TX_CODE:
        raise Malformed("offer.tx_code", "Type the code that the issuer gave you for this offer.")
    _check_tx_code(code, grant.tx_code)
    named = bool(offer.instance) or not offer.server.anonymous_access  # §12.3
    return TokenRequest(
        grant.code,
        tx_code=code if grant.tx_code is not None else None,
        client_id=(outside.client_id or None) if named else None,
    )


def _check_tx_code(code: str, wanted: TxCode | None) -> None:
    """A code that cannot be right is not sent: issuers count the tries. Raises Malformed (`offer.tx_code`)."""
    if wanted is None:
        return
    numeric = wanted.input_mode == "numeric"
    if numeric and not (code.isascii() and code.isdecimal()):
        raise Malformed("offer.tx_code", "The code has digits only. It was not sent; check it and type it again.")
    if wanted.length is not None and len(code) != wanted.length:
        size = f"{wanted.length} {'digits' if numeric else 'characters'}"
        told = f"The code has {size}, and you typed {len(code)}. It was not sent; check it and type it again."
        raise Malformed("offer.tx_code", told)


def _by_code(offer: Offer, outside: Outside) -> TokenRequest:
    if offer.sign_in is None or not offer.sign_in.code:
        raise Refused("offer.sign_in", "Sign in at the issuer first.")
    return TokenRequest(
        offer.sign_in.code,
        grant=AUTHORIZATION_CODE,
        client_id=outside.client_id,
        redirect_uri=way_back(offer.server, outside),
        code_verifier=offer.sign_in.verifier,
    )
