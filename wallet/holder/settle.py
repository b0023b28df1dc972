"""Settling: what becomes of the credentials that have arrived? Checked, then kept or refused, all in one step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ssi.encoding import Json, seconds
from ssi.errors import Refused, SsiError
from ssi.formats import sdjwt
from ssi.model import Check, ClaimPath, Credential, Opened, Outcome
from ssi.oid4vci import Configuration
from ssi.trust import x509
from wallet.holder import cards, grants, history, offers, receipts
from wallet.holder.cards import Card
from wallet.holder.copies import Copy, Source
from wallet.holder.grants import Grant
from wallet.holder.history import What, Who
from wallet.holder.inspection import Inspection, Verdict, inspect, together
from wallet.holder.items import Item
from wallet.holder.keystore import VaultKeys
from wallet.holder.offers import Offer, Stage
from wallet.holder.outside import Outside
from wallet.holder.vault import Record, Vault


def settle(vault: Vault, offer: Offer, *, outside: Outside, now: datetime) -> Offer:
    """Check what arrived and write the result, all at once: cards with their keys, history, and the settled offer."""
    results = {item.name: _inspected(vault, offer, item, outside=outside, now=now) for item in offer.items}
    for item in offer.items:
        result = results[item.name]
        offer = offer.item(replace(item, verdict=result.verdict, findings=result.findings))
    if offer.undecided:
        return offers.keep(vault, replace(offer, busy_until=0))
    if offer.refills:
        return _refilled(vault, offer, results, outside=outside, now=now)
    puts: list[Record] = []
    grant = _grant(vault, offer, now=now)
    for item in offer.items:
        if item.verdict is Verdict.KEEP:
            made = card_of(vault, offer, item, results[item.name], grant, outside=outside, now=now)
            card = cards.fresh(vault, made)
            offer = offer.item(replace(item, card=card.id))
            certified = Who(made.issuer_name, offer.metadata.issuer, verified=True)
            puts += [card, *_bound(vault, made), _event(vault, offer, item, certified, now=now)]
        else:
            puts.append(_event(vault, offer, item, maker(offer), now=now))
    kept = tuple(item for item in offer.items if item.card)
    if grant is not None and kept:
        puts += [grants.as_record(grant), *(VaultKeys(vault).kept(kid) for kid in (grant.dpop, grant.instance) if kid)]
    gone = _unneeded(vault, offer, puts)
    vault.commit(offers.as_record(settled(offer)), *puts, remove=gone)
    return offers.get_offer(vault, offer.id, now=now)


def settled(offer: Offer) -> Offer:
    """The offer when all is done: with what was found, and without what is secret."""
    done = replace(offer, stage=Stage.SETTLED, token=None, sign_in=None, busy_until=0, problem=None)
    emptied = (replace(item, wires=(), promises=(), transaction="", notification=None) for item in done.items)
    return replace(done, items=tuple(emptied))


def _inspected(vault: Vault, offer: Offer, item: Item, *, outside: Outside, now: datetime) -> Inspection:
    """What was found of all copies that arrived."""
    configuration = offer.metadata.configurations[item.configuration]
    keys = [VaultKeys(vault).get(kid).public for kid in item.kids]
    # more copies of a card are of its type, whatever the issuer describes by now: the person agreed to no other
    expected = cards.get_card(vault, offer.refills).type if offer.refills else configuration.type
    return together(
        [
            inspect(
                Credential(configuration.format, wire),
                expected_type=expected,
                keys=keys,
                outside=outside,
                now=now,
            )
            for wire in item.wires
        ]
    )


def _grant(vault: Vault, offer: Offer, *, now: datetime) -> Grant | None:
    """What lets the wallet ask this issuer again: where there is a refresh token, or somebody to tell of removals."""
    tells = offer.metadata.notification_endpoint is not None and any(item.notification for item in offer.items)
    if offer.token is None or (offer.token.refresh_token is None and not tells):
        return None
    empty = grants.fresh(
        vault,
        issuer=offer.metadata.issuer,
        server=offer.server.issuer,
        notify=offer.metadata.notification_endpoint,
        dpop=offer.dpop,
        instance=offer.instance,
    )
    grant = empty.renewed(offer.token, now=now)
    return grant if offer.token_until is None else replace(grant, access_until=offer.token_until)


def _refilled(
    vault: Vault, offer: Offer, results: Mapping[tuple[str, str | None], Inspection], *, outside: Outside, now: datetime
) -> Offer:
    """Fresh copies for a card: in the place of those that were shown. What was refused leaves the card as it was."""
    (item,) = offer.items
    card, grant = cards.get_card(vault, offer.refills), grants.get_grant(vault, offer.grant)
    done, puts, gone = settled(offer), list[Record](), tuple[Record, ...]()
    if item.verdict is Verdict.KEEP:
        made = card_of(vault, offer, item, results[item.name], grant, outside=outside, now=now)
        fresh, dropped = cards.restocked(card, made)
        puts, gone = [fresh, *_bound(vault, made)], forgotten(vault, (copy.key.kid for copy in dropped))
    else:
        puts = [grants.later(grant, now=now)] if grant.busy_until <= seconds(now) else []
    vault.commit(offers.as_record(done), *puts, remove=(*gone, *_unneeded(vault, offer, puts, shared=True)))
    return offers.get_offer(vault, offer.id, now=now)


def _unneeded(vault: Vault, offer: Offer, puts: Sequence[Record], *, shared: bool = False) -> tuple[Record, ...]:
    """The keys made for the offer that nothing kept needs; `shared`: those of the grant are in use elsewhere."""
    needed = {record.id for record in puts}
    kids = (kid for item in offer.items for kid in item.kids) if shared else offer.keys
    return tuple(record for record in forgotten(vault, kids) if record.id not in needed)


def _bound(vault: Vault, card: Card) -> list[Record]:
    """The keys of a card's copies, to be kept with it."""
    return [VaultKeys(vault).kept(copy.key.kid) for copy in card.stock]


def card_of(
    vault: Vault, offer: Offer, item: Item, result: Inspection, grant: Grant | None, *, outside: Outside, now: datetime
) -> Card:
    """The card that an item has become, with all its copies."""
    configuration, opened = offer.metadata.configurations[item.configuration], result.opened
    if opened is None or opened.holder is None:
        raise Refused("offer.unread", "A card that could not be read cannot be kept.")
    promises = [receipts.promised(one, issuer=offer.metadata.issuer) for one in item.promises] or [None] * len(
        item.wires
    )
    copies = tuple(
        _copy(wire, one, promise) for wire, one, promise in zip(item.wires, result.copies, promises, strict=True)
    )
    return Card(
        credential=Credential(configuration.format, copies[0].wire),
        type=opened.type,
        name=configuration.name,
        issuer=opened.issuer,
        issuer_name=_issuer_name(result, offer),
        key=copies[0].key,
        claims=opened.claims,
        disclosed=opened.disclosed,
        closed=tuple(opened.closed),
        labels=claim_names(configuration, result, outside=outside, now=now),
        added=seconds(now),
        status_refs=copies[0].statuses,
        valid_from=None if opened.valid_from is None else seconds(opened.valid_from),
        valid_until=None if opened.valid_until is None else seconds(opened.valid_until),
        status=next((finding for finding in result.findings if finding.check is Check.STATUS), None),
        status_at=seconds(now),
        copies=copies,
        source=None if grant is None else Source(grant.id, item.configuration, item.identifier, item.notification),
    )


def _copy(wire: str, opened: Opened, promise: Mapping[str, Json] | None) -> Copy:
    if opened.holder is None:
        raise Refused("offer.unread", "A card that could not be read cannot be kept.")
    until = None if opened.valid_until is None else seconds(opened.valid_until)
    return Copy(wire, opened.holder, opened.statuses, until, promise=promise)


def claim_names(
    configuration: Configuration, result: Inspection, *, outside: Outside, now: datetime
) -> dict[ClaimPath, str]:
    """What the claims are called: by the description of an SD-JWT's type, and where that is silent by the issuer."""
    named = {claim.path: claim.display[0].name for claim in configuration.claims if claim.display}
    if result.opened is None or result.opened.format != sdjwt.ID:
        return named
    try:
        described = outside.types.of(result.opened.type, None, now=now)
    except SsiError:
        return named
    own = {rule.path: rule.label("en") for rule in described.claims} if described is not None else {}
    return {**{path: text for path, text in own.items() if text}, **{p: t for p, t in named.items() if not own.get(p)}}


def _issuer_name(result: Inspection, offer: Offer) -> str:
    """The name on a card: the one in the issuer's certificate when that is trusted, else what the issuer says."""
    trusted = any(f.check is Check.TRUST and f.outcome is Outcome.PASS for f in result.findings)
    if trusted and result.opened is not None and result.opened.issuer.x5c:
        return x509.leaf(result.opened.issuer.x5c).name
    return offer.metadata.name or offer.metadata.issuer


def _event(vault: Vault, offer: Offer, item: Item, who: Who, *, now: datetime) -> Record:
    what = What.ADDED if item.verdict is Verdict.KEEP else What.NOT_KEPT
    failed = next((finding.detail for finding in item.findings if finding.outcome is Outcome.FAIL), "")
    name = offer.metadata.configurations[item.configuration].name
    return history.happened(vault, what, who=who, now=now, cards=[(name, ())], detail=failed)


def maker(offer: Offer) -> Who:
    """Who makes an offer, for the history: an address, and a name that nobody has verified."""
    return Who(offer.metadata.name or offer.metadata.issuer, offer.metadata.issuer, verified=False)


def forgotten(vault: Vault, kids: Iterable[str]) -> tuple[Record, ...]:
    """The records of keys that nothing needs any more."""
    found = (VaultKeys(vault).record(kid) for kid in dict.fromkeys(kids) if kid)
    return tuple(record for record in found if record is not None)


def removed(vault: Vault, card: Card) -> tuple[Record, ...]:
    """All that goes with a card: its copies' keys, and its grant unless another card came with it, too."""
    others = [one.source.grant for one in cards.all_cards(vault) if one.source is not None and one.id != card.id]
    own = () if card.record is None else (card.record,)
    keys = forgotten(vault, (copy.key.kid for copy in card.stock))
    if card.source is None:
        return (*own, *keys)
    try:
        grant = grants.get_grant(vault, card.source.grant)
    except Refused:
        return (*own, *keys)
    return (*own, *keys, *grants.forgotten(vault, grant, others))
