"""Signing in: how is a person sent to an issuer's sign-in, and how is who comes back known to be them?

PKCE, a pushed request where the server takes one, and a state that belongs to one offer in one vault and works once:
an answer that another browser, another wallet or another server brings is refused (RFC 9126, RFC 7636, RFC 9207;
OpenID4VCI 1.0 §5).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from ssi import haip
from ssi.encoding import seconds
from ssi.errors import Refused, SsiError, Unsupported
from ssi.oauth import AuthorizationQuery, Callback, PushedResponse, authorize_url, check, details, pkce
from ssi.oid4vci import OAuthError
from wallet.holder import discovery, offers
from wallet.holder.offers import Offer, SignIn, Stage
from wallet.holder.outside import Outside
from wallet.holder.tokens import calls, own_way, way_back, with_keys
from wallet.holder.vault import Vault

KIND: Final = "signin"
PATIENCE: Final = timedelta(minutes=30)
"""How long a sign-in at an issuer may take."""

_OPEN: Final = frozenset({Stage.OFFERED, Stage.SIGNING_IN})


def begin(vault: Vault, id: str, *, outside: Outside, now: datetime) -> Offer:
    """Prepare the sign-in of an offer; `sign_in.url` is then where to send the browser.

    Beginning again leaves an earlier sign-in of the same offer worthless. Raises what stopped it.
    """
    offer = offers.get_offer(vault, id, now=now)
    if offer.stage not in _OPEN or not offer.by_code:
        return offer
    offer = offers.reserve(vault, offer, now=now)
    try:
        started = _started(vault, offer, outside=outside, now=now)
        url, until = _address(vault, started, outside=outside, now=now)
    except SsiError as error:
        stopped = offers.get_offer(vault, id, now=now)
        offers.keep(vault, replace(stopped, stage=Stage.OFFERED, problem=(error.code, told(error)), busy_until=0))
        raise
    sign_in = replace(started.sign_in or _new(vault), url=url, until=until)
    return offers.keep(vault, replace(started, sign_in=sign_in, busy_until=0))


def returned(vault: Vault, pairs: Iterable[tuple[str, str]], *, way: str, outside: Outside, now: datetime) -> Offer:
    """The offer whose sign-in a browser has come back from, with the code; or stopped, with what the server said.

    `way` is what follows `outside.redirect_uri` in the path that it came back by.

    Raises Refused (`oauth.state` for an answer to no question of this vault, or the second to one; `oauth.iss`).
    """
    callback = Callback.parse(pairs)
    begun = vault.find(KIND, callback.state) if callback.state else None
    if begun is None or (begun.expires or 0) < seconds(now):
        raise Refused(
            "oauth.state", "This sign-in was not begun here, or it is over. Open the offer again and sign in once more."
        )
    offer = offers.get_offer(vault, begun.data["offer"], now=now)
    sign_in = offer.sign_in
    if sign_in is None or offer.stage is not Stage.SIGNING_IN or sign_in.state != callback.state:
        raise Refused("oauth.state", "This sign-in is over. Open the offer again and sign in once more.")
    if way != own_way(offer.server):
        raise Refused("oauth.iss", "This answer does not come from the server that was asked.")
    try:
        required = offer.server.iss_in_response or outside.haip
        code = check(callback, state=sign_in.state, issuer=offer.server.issuer, iss_required=required)
    except OAuthError as error:  # the server itself said no: the person may try once more
        again = replace(offer, stage=Stage.OFFERED, sign_in=None, problem=(error.code, told(error)))
        vault.commit(offers.as_record(again), remove=(begun,))
        return offers.get_offer(vault, offer.id, now=now)
    back = replace(offer, stage=Stage.SIGNED_IN, sign_in=replace(sign_in, code=code, url=""), problem=None)
    vault.commit(offers.as_record(back), remove=(begun,))
    return offers.get_offer(vault, offer.id, now=now)


def told(error: SsiError) -> str:
    """What a person is told of a sign-in that came to nothing."""
    known = {
        "oid4vci.access_denied": "You or the issuer stopped the sign-in. Nothing was issued.",
        "oid4vci.invalid_client": "The issuer does not know this wallet, so it lets nobody sign in from it.",
        "oid4vci.unauthorized_client": "The issuer does not let this wallet ask for a sign-in.",
        "oid4vci.invalid_scope": "The issuer does not give this card through a sign-in.",
    }
    return known.get(error.code, error.detail)


def _started(vault: Vault, offer: Offer, *, outside: Outside, now: datetime) -> Offer:
    """The offer with a fresh state and verifier, kept so that only this vault finds it again by that state."""
    if offer.server.authorization_endpoint is None:
        raise Unsupported("offer.grant", "The issuer wants you to sign in, but does not say where.")
    if outside.haip:
        discovery.check_haip(offer.server, by_code=True)
    offer = with_keys(vault, offer, outside=outside, now=now)
    earlier = vault.find(KIND, offer.sign_in.state) if offer.sign_in is not None else None
    sign_in = _new(vault)
    waiting = replace(offer, stage=Stage.SIGNING_IN, sign_in=sign_in)
    token = vault.new(KIND, {"offer": offer.id}, lookup=sign_in.state, until=now + PATIENCE)
    gone = () if earlier is None else (earlier,)
    kept = vault.commit(offers.as_record(offers.longer(waiting, now=now, span=offers.LIFETIME)), token, remove=gone)
    return replace(waiting, record=kept[0])


def _new(vault: Vault) -> SignIn:
    return SignIn(secrets.token_urlsafe(32), pkce.new_verifier(vault.random))


def _address(vault: Vault, offer: Offer, *, outside: Outside, now: datetime) -> tuple[str, int]:
    """Where to send the browser, and until when that is good (RFC 9126 §4)."""
    server, endpoint = offer.server, offer.server.authorization_endpoint or ""
    query = _query(offer, outside)
    form = query.form
    if offer.metadata.authorization_servers:
        form["resource"] = offer.metadata.issuer  # §5.1.2: which issuer of that server is meant (RFC 8707)
    if server.par_endpoint is None:
        if server.par_required:
            raise Unsupported("offer.grant", "The issuer wants requests pushed to it, but does not say where.")
        joint = "&" if "?" in endpoint else "?"
        return f"{endpoint}{joint}{urlencode(form)}", seconds(now + PATIENCE)
    answer = calls(vault, offer, outside=outside, now=now).ask_server(server.par_endpoint, form, proved=False)
    pushed = PushedResponse.parse(answer)
    url = authorize_url(endpoint, client_id=query.client_id, request_uri=pushed.request_uri)
    return url, seconds(now) + pushed.expires_in


def _query(offer: Offer, outside: Outside) -> AuthorizationQuery:
    """What is asked for: by scope where every card has one (HAIP 1.0 §4.3), else by authorization details (§5.1.1)."""
    if offer.sign_in is None:
        raise Refused("offer.sign_in", "The sign-in has not been begun.")
    ids = tuple(dict.fromkeys(item.configuration for item in offer.items))
    scopes = tuple(dict.fromkeys(filter(None, (offer.metadata.configurations[name].scope for name in ids))))
    by_scope = all(offer.metadata.configurations[name].scope for name in ids)
    if not by_scope:
        if outside.haip:
            raise haip.refusal("scope", "The issuer names no scope for its card", "4.1")
        if details.TYPE not in offer.server.details_types and offer.server.details_types:
            raise Unsupported("offer.grant", "The issuer does not say how its card is asked for.")
    grant = offer.offer.authorization_code
    return AuthorizationQuery(
        client_id=outside.client_id,
        redirect_uri=way_back(offer.server, outside),
        code_challenge=pkce.challenge(offer.sign_in.verifier),
        state=offer.sign_in.state,
        scope=scopes if by_scope else (),
        details=None if by_scope else ids,
        issuer_state=None if grant is None else grant.issuer_state,
        dpop_jkt=offer.dpop or None,
        locations=(offer.metadata.issuer,) if offer.metadata.authorization_servers else (),
    )
