"""Receiving: how does an offer become a card? Look, accept or sign in, prove the keys, fetch, check; keep what passed.

Each step is kept in the vault before the next one begins, so that a wallet that is stopped goes on where it was, and
nothing is ever half there: the card, its keys and the history are written together or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from ssi import formats, haip
from ssi.encoding import seconds
from ssi.errors import Malformed, SsiError, Unsupported
from ssi.jose.jwe import DecryptionKey
from ssi.oid4vci import (
    AUTHORIZATION_CODE,
    PRE_AUTHORIZED_CODE,
    AuthorizationServer,
    Configuration,
    CredentialOffer,
    IssuerMetadata,
    OAuthError,
    OfferReference,
    parse_offer,
    read_offer,
)
from wallet.holder import discovery, grants, history, notifying, offers
from wallet.holder.calls import JSON, good
from wallet.holder.discovery import Found
from wallet.holder.fetching import fetch
from wallet.holder.history import What
from wallet.holder.offers import OVER, Offer, Stage
from wallet.holder.outside import Outside
from wallet.holder.proving import way
from wallet.holder.settle import forgotten, maker, settle, settled
from wallet.holder.tokens import authorize, renewed
from wallet.holder.vault import Vault

Later = Callable[[Callable[[], object]], None]
"""Takes what can be done when the person has been answered."""

_FINAL: Final = frozenset(
    {"invalid_token", "insufficient_scope", "credential_request_denied", "invalid_transaction_id"}
)
"""Answers of the credential endpoints after which the same token will never bring a credential."""

_REVOKED: Final = frozenset({"invalid_grant", "unauthorized_client"})
"""Answers of the token endpoint after which a refresh token is of no more use."""

_HAIP_FORMATS: Final = frozenset(haip.FORMATS)


def at_once(task: Callable[[], object]) -> None:
    """A `Later` that does not wait."""
    task()


def look(vault: Vault, link: str, *, outside: Outside, now: datetime) -> Offer:
    """Read an offer and who makes it, for the person to see; nothing is accepted yet.

    Raises Malformed and Unsupported for what cannot be used, Unavailable when the issuer cannot be reached.
    """
    offer = _offer(link, outside)
    found = discovery.issuer(offer.issuer, outside=outside, now=now)
    for name in offer.configuration_ids:
        _require_usable(found.metadata, name, outside)
    return offers.begin(vault, offer, found, _server(offer, found.metadata, outside), now=now)


def choose(vault: Vault, issuer: str, configuration: str, *, outside: Outside, now: datetime) -> Offer:
    """Begin with a card that the person has picked from an issuer's list, without any offer of the issuer's (§3.5)."""
    found = discovery.typed(issuer, outside=outside, now=now)
    _require_usable(found.metadata, configuration, outside)
    own = CredentialOffer(found.metadata.issuer, (configuration,))
    return offers.begin(vault, own, found, _server(own, found.metadata, outside), now=now)


def usable(found: Found, outside: Outside) -> tuple[Configuration, ...]:
    """The cards of an issuer that this wallet could hold."""
    names = found.metadata.configurations
    return tuple(names[name] for name in names if _problem(found.metadata, name, outside) is None)


def accept(vault: Vault, id: str, *, tx_code: str, outside: Outside, now: datetime, later: Later = at_once) -> Offer:
    """Go as far as possible with an offer that the person has accepted; call again to go on after any stop.

    Raises what stopped it; the offer remembers that as its `problem`, and everything it had reached.
    """
    offer = offers.get_offer(vault, id, now=now)
    if offer.stage in OVER or (offer.stage is Stage.WAITING and _early(offer, now=now)):
        return offer
    offer = offers.reserve(vault, offer, now=now)
    try:
        return _go_on(vault, offer, tx_code=tx_code, outside=outside, now=now, later=later)
    except SsiError as error:
        _stopped(vault, id, error, now=now)
        raise


def decline(vault: Vault, id: str, *, outside: Outside, now: datetime, later: Later = at_once) -> Offer:
    """Put an offer away. The issuer learns nothing, unless it has sent something and wants to know (§11)."""
    offer = offers.get_offer(vault, id, now=now)
    if offer.stage in OVER:
        return offer
    offer = offers.reserve(vault, offer, now=now)
    teller = notifying.of_offer(vault, offer, outside=outside, now=now)
    done = replace(offer, stage=Stage.DECLINED, token=None, sign_in=None, items=(), problem=None, busy_until=0)
    event = history.happened(vault, What.OFFER_DECLINED, now=now, who=maker(offer))
    vault.commit(offers.as_record(done), event, remove=forgotten(vault, offer.keys))
    if teller is not None:
        later(teller.deleted)
    return offers.get_offer(vault, id, now=now)


def due(vault: Vault, *, now: datetime) -> tuple[Offer, ...]:
    """The offers whose issuer may be asked again whether it has made the card."""
    waiting = (offer for offer in offers.unfinished(vault, now=now) if offer.stage is Stage.WAITING)
    return tuple(offer for offer in waiting if not _early(offer, now=now) and offer.busy_until <= seconds(now))


def _early(offer: Offer, *, now: datetime) -> bool:
    """Has the issuer asked not to be asked yet (§9.2 `interval`)?"""
    return all(item.transaction or item.wires for item in offer.items) and offer.ask_at > seconds(now)


def _go_on(vault: Vault, offer: Offer, *, tx_code: str, outside: Outside, now: datetime, later: Later) -> Offer:
    if offer.token is None and offer.refills:
        offer = renewed(vault, offer, outside=outside, now=now)
    elif offer.token is None:
        offer = authorize(vault, offer, tx_code=tx_code, outside=outside, now=now)
    for item in offer.items:
        if not item.wires and not (item.transaction and item.ask_at > seconds(now)):
            offer = fetch(vault, offer, item, outside=outside, now=now)
    if any(item.transaction for item in offer.items):
        return offers.keep(vault, replace(offer, stage=Stage.WAITING, busy_until=0))
    teller = notifying.of_offer(vault, offer, outside=outside, now=now)
    done = settle(vault, offer, outside=outside, now=now)
    if teller is not None and done.stage is Stage.SETTLED:
        later(lambda: teller.settled(done))
    return done


# --- looking ----------------------------------------------------------------------------------------------------------


def _offer(link: str, outside: Outside) -> CredentialOffer:
    parsed = parse_offer(link)
    if isinstance(parsed, OfferReference):
        return read_offer(good(outside.fetch.get(parsed.uri, accept=JSON, max_bytes=65_536)))
    return parsed


def _require_usable(metadata: IssuerMetadata, name: str, outside: Outside) -> None:
    """Can this wallet hold what is offered? Better said now than after the issuer has made it."""
    problem = _problem(metadata, name, outside)
    if problem is not None:
        raise problem


def _problem(metadata: IssuerMetadata, name: str, outside: Outside) -> SsiError | None:
    """Why this wallet could not hold such a card."""
    found = metadata.configurations.get(name)
    if found is None:
        return Malformed("offer.configuration", "The issuer offers a card that its own description does not know.")
    if outside.haip and found.format not in _HAIP_FORMATS:
        return haip.refusal("format", "The issuer offers a credential format that the profile does not have", "6")
    requests, responses = metadata.request_encryption, metadata.response_encryption
    hidden = requests is not None and requests.required and not requests.usable
    if hidden or (responses is not None and responses.required and responses.ask(DecryptionKey.generate()) is None):
        return Unsupported("offer.encryption", "The issuer asks for an encryption that this wallet does not have.")
    try:
        formats.by_id(found.format)
        way(found, outside.provider)
    except SsiError as error:
        return error
    return None


def _server(offer: CredentialOffer, metadata: IssuerMetadata, outside: Outside) -> AuthorizationServer:
    """Where the code is had and exchanged. Raises Unsupported when there is no way for this wallet (`offer.grant`)."""
    if offer.pre_authorized is not None:
        hint, grant = offer.pre_authorized.authorization_server, PRE_AUTHORIZED_CODE
    else:
        hint = None if offer.authorization_code is None else offer.authorization_code.authorization_server
        grant = AUTHORIZATION_CODE
    if offer.grants and grant not in offer.grants:
        raise Unsupported("offer.grant", "The issuer wants to give access in a way that this wallet does not know.")
    server = discovery.server(metadata, (grant,), hint=hint, outside=outside)
    if grant == AUTHORIZATION_CODE and not server.supports_code:
        raise Unsupported("offer.grant", "The issuer gives this card only to those whom it has made an offer.")
    if outside.haip:
        haip.check_issuer(metadata)
        discovery.check_haip(server, by_code=grant == AUTHORIZATION_CODE)
    return server


def _stopped(vault: Vault, id: str, error: SsiError, *, now: datetime) -> None:
    """Remember what stopped a step, and let the next one begin. What cannot be fetched any more is given up."""
    if error.code == "record.conflict":  # somebody else works on it now
        return
    offer = offers.get_offer(vault, id, now=now)
    problem = (error.code, _sentence(error))
    refused = isinstance(error, OAuthError)
    said = error.error if isinstance(error, OAuthError) else ""
    over = offer.token is not None and said in _FINAL
    if offer.refills and (over or said in _REVOKED):
        _not_refilled(vault, offer)
    elif over:
        ended = replace(settled(offer), problem=problem)
        event = history.happened(vault, What.NOT_KEPT, now=now, detail=problem[1], who=maker(offer))
        vault.commit(offers.as_record(ended), event, remove=forgotten(vault, offer.keys))
    elif offer.stage is Stage.SIGNED_IN and refused:  # a code works once: whatever was wrong, it is of no more use
        again = replace(offer, stage=Stage.OFFERED, sign_in=None)
        offers.keep(vault, replace(again, problem=problem, busy_until=0))
    else:
        offers.keep(vault, replace(offer, problem=problem, busy_until=0))


def _not_refilled(vault: Vault, offer: Offer) -> None:
    """The issuer will give no more copies under this grant: it is not asked again."""
    kids = (kid for item in offer.items for kid in item.kids)
    over = grants.over(grants.get_grant(vault, offer.grant))
    vault.commit(offers.as_record(settled(offer)), over, remove=forgotten(vault, kids))


def _sentence(error: SsiError) -> str:
    """What a person can do about an issuer's refusal, in the place of its words."""
    told = {
        "oid4vci.invalid_grant": "The issuer did not accept the code. Check it and try again; or the offer has been "
        "used or has expired, then ask for a new one.",
        "oid4vci.invalid_token": "The issuer no longer accepts this offer. Ask for a new one.",
        "oid4vci.invalid_transaction_id": "The issuer no longer knows of this card. Ask for a new one.",
        "oid4vci.credential_request_denied": "The issuer has decided not to issue this card. Ask them why.",
        "oid4vci.invalid_client": "The issuer does not accept this wallet.",
    }
    return told.get(error.code, error.detail)
