"""Refilling: which cards run out of copies that nobody has seen, and how do they get more, without the person?

A refill is an offer of the wallet's own: it goes the same way as any other, step by step, and what stops it half-way is
taken up by the next. Nobody waits for it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from ssi import haip
from ssi.encoding import seconds
from ssi.errors import SsiError
from ssi.oid4vci import CredentialOffer
from wallet.holder import cards, discovery, grants, offers, receive
from wallet.holder.cards import Card
from wallet.holder.copies import FEW
from wallet.holder.grants import Grant
from wallet.holder.items import Item
from wallet.holder.offers import OVER, Offer, Stage
from wallet.holder.outside import Outside
from wallet.holder.vault import Vault

_ELSEWHERE: Final = frozenset({"offer.busy", "record.conflict"})
"""Somebody else is at it: they are left in peace."""


def due(vault: Vault, *, now: datetime) -> tuple[str, ...]:
    """The cards (ids) that should get more copies now."""
    return tuple(card.id for card in cards.all_cards(vault) if _wants(vault, card, now=now) is not None)


def refill(vault: Vault, card: str, *, outside: Outside, now: datetime) -> None:
    """Get more copies of a card, or go on with getting them. Whatever stops it is tried again after a while."""
    grant = None
    try:
        found = cards.get_card(vault, card)
        grant = _wants(vault, found, now=now)
        if grant is not None:
            offer = _under_way(vault, found, now=now) or _begun(vault, found, grant, outside=outside, now=now)
            receive.accept(vault, offer.id, tx_code="", outside=outside, now=now)
    except SsiError as error:
        if grant is not None and error.code not in _ELSEWHERE:
            _pause(vault, grant.id, now=now)


def _wants(vault: Vault, card: Card, *, now: datetime) -> Grant | None:
    """The grant to get more copies under; None when there are enough, or none can be had now."""
    source = card.source
    if source is None or len(card.stock) < 2 or card.unused > FEW:
        return None
    try:
        grant = grants.get_grant(vault, source.grant)
    except SsiError:
        return None
    return grant if grant.refresh_token is not None and grant.again_at <= seconds(now) else None


def _under_way(vault: Vault, card: Card, *, now: datetime) -> Offer | None:
    """A refill of this card that was begun before; one that is over makes room."""
    record = vault.find(offers.KIND, _lookup(card))
    if record is None:
        return None
    offer = offers.read(record)
    if offer.stage not in OVER and (record.expires or 0) >= seconds(now):
        return offer
    vault.commit(remove=(record,))
    return None


def _begun(vault: Vault, card: Card, grant: Grant, *, outside: Outside, now: datetime) -> Offer:
    """A new refill: the issuer's description is read anew, for it may have changed since."""
    source = card.source
    configuration = source.configuration if source is not None else ""
    found = discovery.issuer(grant.issuer, outside=outside, now=now)
    server = discovery.named(grant.server, outside=outside)
    if outside.haip:  # what held at first may not hold any more
        haip.check_issuer(found.metadata)
        discovery.check_haip(server, by_code=False)
    own = CredentialOffer(grant.issuer, (configuration,))
    item = Item(configuration, None if source is None else source.identifier)
    empty = vault.new(offers.KIND, {}, lookup=_lookup(card), until=now + offers.LIFETIME_AUTHORIZED)
    fresh = Offer(empty, own, found.metadata, found.body, server, Stage.OFFERED, (item,), verified=found.verified)
    return offers.keep(vault, replace(fresh, dpop=grant.dpop, instance=grant.instance, refills=card.id, grant=grant.id))


def _lookup(card: Card) -> str:
    return f"refill|{card.id}"


def _pause(vault: Vault, grant: str, *, now: datetime) -> None:
    """Leave the issuer alone for a while. When even that cannot be kept, somebody else is at work on it."""
    try:
        found = grants.get_grant(vault, grant)
        if found.busy_until <= seconds(now):
            vault.put(grants.later(found, now=now))
    except SsiError:
        return
