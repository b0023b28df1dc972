"""Settling: what becomes of the credentials that have arrived? Checked, then kept or refused, all in one step."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ssi.encoding import seconds
from ssi.errors import Refused, SsiError
from ssi.formats import sdjwt
from ssi.model import Check, ClaimPath, Credential, Outcome
from ssi.oid4vci import Configuration
from ssi.trust import x509
from wallet.holder import cards, history, offers
from wallet.holder.cards import Card
from wallet.holder.claims import Labels
from wallet.holder.history import What, Who
from wallet.holder.inspection import Inspection, Verdict, inspect
from wallet.holder.keystore import VaultKeys
from wallet.holder.offers import Item, Offer, Stage
from wallet.holder.outside import Outside
from wallet.holder.vault import Record, Vault


def settle(vault: Vault, offer: Offer, *, outside: Outside, now: datetime) -> Offer:
    """Check what arrived and write the result, all at once: cards with their keys, history, and the settled offer."""
    results = {item.configuration: _inspected(vault, offer, item, outside=outside, now=now) for item in offer.items}
    for item in offer.items:
        result = results[item.configuration]
        offer = offer.item(replace(item, verdict=result.verdict, findings=result.findings))
    if offer.undecided:
        return offers.keep(vault, replace(offer, busy_until=0))
    puts: list[Record] = []
    for item in offer.items:
        if item.verdict is Verdict.KEEP:
            result = results[item.configuration]
            names = claim_names(offer.metadata.configurations[item.configuration], result, outside=outside, now=now)
            made = _card(offer, item, result, names, now=now)
            card = cards.fresh(vault, made)
            offer = offer.item(replace(item, card=card.id))
            certified = Who(made.issuer_name, offer.metadata.issuer, verified=True)
            puts += [card, VaultKeys(vault).kept(item.kid), _event(vault, offer, item, certified, now=now)]
        else:
            puts.append(_event(vault, offer, item, maker(offer), now=now))
    refused = tuple(item for item in offer.items if item.verdict is Verdict.REFUSE)
    done = replace(offer, stage=Stage.SETTLED, token=None, busy_until=0, problem=None)
    done = replace(done, items=tuple(replace(item, wire="") for item in done.items))
    vault.commit(offers.as_record(done), *puts, remove=forgotten_keys(vault, refused))
    return offers.get_offer(vault, offer.id, now=now)


def _inspected(vault: Vault, offer: Offer, item: Item, *, outside: Outside, now: datetime) -> Inspection:
    configuration = offer.metadata.configurations[item.configuration]
    credential = Credential(configuration.format, item.wire)
    key = VaultKeys(vault).get(item.kid).public
    return inspect(credential, expected_type=configuration.type, key=key, outside=outside, now=now)


def _card(offer: Offer, item: Item, result: Inspection, names: Labels, *, now: datetime) -> Card:
    configuration, opened = offer.metadata.configurations[item.configuration], result.opened
    if opened is None or opened.holder is None:
        raise Refused("offer.unread", "A card that could not be read cannot be kept.")
    return Card(
        credential=Credential(configuration.format, item.wire),
        type=opened.type,
        name=configuration.name,
        issuer=opened.issuer,
        issuer_name=_issuer_name(result, offer),
        key=opened.holder,
        claims=opened.claims,
        disclosed=opened.disclosed,
        closed=tuple(opened.closed),
        labels=names,
        added=seconds(now),
        status_refs=opened.statuses,
        valid_from=None if opened.valid_from is None else seconds(opened.valid_from),
        valid_until=None if opened.valid_until is None else seconds(opened.valid_until),
        status=next((finding for finding in result.findings if finding.check is Check.STATUS), None),
        status_at=seconds(now),
    )


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


def forgotten_keys(vault: Vault, items: tuple[Item, ...]) -> tuple[Record, ...]:
    """The keys that were made for items that are given up."""
    found = (VaultKeys(vault).record(item.kid) for item in items if item.kid)
    return tuple(record for record in found if record is not None)
