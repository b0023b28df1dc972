"""Receipts: how does the wallet get what shows since when its cards are on a ledger?

The issuer gave a salt and an address along with each copy. Some time later, when it has put the copy's leaf on the
ledger, the receipt can be had there: all copies of a card in one question, since the issuer has issued them together.
A receipt that is not of the copy, or that the ledger known here contradicts, is not kept. Whatever stops it, the card
is as good as before, and the issuer is asked again later, less and less often.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from ssi import formats
from ssi.encoding import Json, b64url, read_json_object, seconds, unb64url, write_json
from ssi.errors import Malformed, Refused, SsiError
from ssi.ledger import merkle
from ssi.ledger import receipts as proofs
from ssi.ledger.finality import Finality
from wallet.holder import cards
from wallet.holder.calls import JSON, good
from wallet.holder.cards import Card
from wallet.holder.copies import Copy
from wallet.holder.outside import Outside
from wallet.holder.vault import Vault

LEAST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(hours=6)
"""Between two questions about a card lies as much time as it has waited already, within these."""
_AHEAD: Final = timedelta(days=1)
"""How far a ledger's clock may be ahead."""
_MOST: Final = 64
_SALT: Final = 43
"""32 bytes in base64url."""
_MAX_ANSWER: Final = 4_194_304


def promised(promise: Mapping[str, Json] | None, *, issuer: str) -> Mapping[str, Json] | None:
    """What an issuer gave along, if the address in it is its own: nobody else shall learn of its cards by it.

    None also for what is no promise, a salt of 32 bytes and an address: it promises nothing.

    >>> salt = "A" * 43
    >>> promised({"salt": salt, "href": "https://desk.example/receipts"}, issuer="https://desk.example") is None
    False
    >>> promised({"salt": salt, "href": "https://other.example/receipts"}, issuer="https://desk.example") is None
    True
    """
    salt, href = (promise.get("salt"), promise.get("href")) if promise is not None else (None, None)
    if not isinstance(salt, str) or not isinstance(href, str) or len(salt) != _SALT:
        return None
    try:
        own, asked = (urlsplit(url) for url in (issuer, href))
        unb64url(salt, what="salt")
    except (ValueError, SsiError):
        return None
    same = asked.scheme == own.scheme == "https" and asked.netloc == own.netloc
    return {"salt": salt, "href": href} if same else None


def due(vault: Vault, *, now: datetime) -> tuple[str, ...]:
    """The cards (ids) of which a copy waits for its receipt, and whose issuer may be asked now."""
    return tuple(card.id for card in cards.all_cards(vault) if _waiting(card, now))


def fetch(vault: Vault, card: str, *, outside: Outside, now: datetime) -> int:
    """Ask for the receipts of a card's copies, and keep those that are there by now; how many they were.

    What stops it is tried again later. Raises Refused (`record.absent`, `record.conflict`: somebody else works on the
    card).
    """
    found = cards.get_card(vault, card)
    waiting = _waiting(found, now)
    if not waiting:
        return 0
    try:
        fresh = _asked(found, waiting, outside, now)
    except SsiError:
        fresh = {}
    later = seconds(now + min(max(timedelta(seconds=seconds(now) - found.added), LEAST_PAUSE), LONGEST_PAUSE))
    asked = {copy.wire: replace(copy, receipt=fresh.get(copy.wire), ask_at=later) for copy in waiting}
    vault.put(cards.with_stock(found, tuple(asked.get(copy.wire, copy) for copy in found.stock), found.source))
    return len(fresh)


def _waiting(card: Card, now: datetime) -> tuple[Copy, ...]:
    """The copies to ask for now: of one address, since they are asked for in one question."""
    moment = seconds(now)
    found = [copy for copy in card.stock if copy.promise and copy.receipt is None and copy.ask_at <= moment]
    return tuple(copy for copy in found if _href(copy) == _href(found[0]))[:_MOST]


def _href(copy: Copy) -> str:
    return str((copy.promise or {}).get("href", ""))


def _asked(card: Card, waiting: Sequence[Copy], outside: Outside, now: datetime) -> dict[str, dict[str, Json]]:
    """The receipts that the issuer has, by the copy's wire."""
    core = formats.by_id(card.credential.format).core
    entries = [_entry(copy, core(copy.wire)) for copy in waiting]
    body = write_json({"entries": [b64url(entry) for entry in entries]})
    answer = good(
        outside.fetch.post(_href(waiting[0]), body=body, content_type=JSON, accept=JSON, max_bytes=_MAX_ANSWER)
    )
    listed = read_json_object(answer, what="issuer's receipts", max_bytes=_MAX_ANSWER).get("receipts")
    if not isinstance(listed, list) or len(listed) != len(entries):
        raise Malformed("receipt.answer", "The issuer's answer is not one receipt for each copy.")
    made = {copy.wire: _good(card, copy, one, outside, now) for copy, one in zip(waiting, listed, strict=True)}
    return {wire: receipt for wire, receipt in made.items() if receipt is not None}


def _entry(copy: Copy, core: bytes | None) -> bytes:
    if core is None or copy.promise is None:
        raise Malformed("receipt.core", "The issuer promised a receipt for what cannot have one.")
    return merkle.entry(unb64url(copy.promise["salt"], what="salt"), core)


def _good(card: Card, copy: Copy, receipt: Json, outside: Outside, now: datetime) -> dict[str, Json] | None:
    """The receipt with its salt, if it is one of this copy and the ledger, as far as it can be asked, agrees."""
    if not isinstance(receipt, dict):
        return None
    whole = {**receipt, "salt": (copy.promise or {})["salt"]}
    core = formats.by_id(card.credential.format).core(copy.wire)
    try:
        _check(whole, _entry(copy, core), now)
    except SsiError:
        return None
    if outside.records is None:
        return whole
    try:
        record = outside.records.proven(whole, core, issuer=card.issuer, now=now)
    except (Malformed, Refused):
        return None
    except SsiError:
        return whole  # the ledger is away, or another one: those who are shown the receipt will judge it
    return None if record.finality is Finality.PENDING else whole  # the issuer will have another one


def _check(receipt: Mapping[str, Json], entry: bytes, now: datetime) -> None:
    """Whatever ledger it is of: can others read it, and is this the leaf? Raises SsiError."""
    if len(write_json(dict(receipt))) > proofs.MAX_BYTES:
        raise Malformed("receipt.size", "The issuer's receipt is larger than anybody would read.")
    read = proofs.read(receipt)
    if read.anchored.at > seconds(now + _AHEAD):
        raise Refused("receipt.ahead", "The issuer's receipt is from the future.")
    leaf = merkle.leaf_hash(entry)
    merkle.verify_inclusion(read.root, size=read.size, index=read.index, leaf=leaf, path=read.path)
