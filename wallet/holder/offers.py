"""Offers under way: how far has the wallet come with what an issuer offers? Each step is kept before the next begins.

A wallet that is stopped at any moment finds here what it had: the access token, the keys it made, what had arrived.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from ssi.encoding import Json, seconds, write_json
from ssi.errors import Refused
from ssi.model import Finding
from ssi.oid4vci import CredentialOffer, IssuerMetadata, TokenResponse, read_offer
from wallet.holder.cards import finding_json, read_finding
from wallet.holder.inspection import Verdict
from wallet.holder.vault import Record, Vault, changed

KIND: Final = "offer"
LIFETIME: Final = timedelta(hours=1)
LIFETIME_AUTHORIZED: Final = timedelta(days=7)
LEASE: Final = timedelta(seconds=40)
"""How long one step may keep others from the same offer; a wallet that dies in it blocks nobody for longer."""


class Stage(Enum):
    """How far it has come: shown to the person; authorized (a token is held); and settled (kept, refused, declined)."""

    OFFERED = "offered"
    AUTHORIZED = "authorized"
    SETTLED = "settled"
    DECLINED = "declined"


@dataclass(frozen=True)
class Item:
    """One offered credential: the key made for it, what arrived, and what the check found."""

    configuration: str
    kid: str = ""
    wire: str = field(default="", repr=False)
    verdict: Verdict | None = None
    findings: tuple[Finding, ...] = ()
    card: str = ""


@dataclass(frozen=True)
class Offer:
    """An offer and all that has come of it. `problem` is (code, sentence) of what stopped the last step."""

    record: Record
    offer: CredentialOffer
    metadata: IssuerMetadata
    metadata_body: str
    token_endpoint: str
    stage: Stage
    items: tuple[Item, ...]
    token: TokenResponse | None = None
    problem: tuple[str, str] | None = None
    busy_until: int = 0

    @property
    def id(self) -> str:
        """The record's id, which is the offer's address."""
        return self.record.id

    @property
    def undecided(self) -> bool:
        """Did something arrive whose check could not be finished?"""
        return any(item.verdict is Verdict.WAIT for item in self.items)

    def item(self, done: Item) -> Offer:
        """The same offer with one item replaced."""
        items = tuple(done if item.configuration == done.configuration else item for item in self.items)
        return replace(self, items=items)


def begin(
    vault: Vault, offer: CredentialOffer, *, metadata: IssuerMetadata, body: str, token_endpoint: str, now: datetime
) -> Offer:
    """Keep an offer that a person is about to look at. The same offer opened twice is one offer."""
    code = offer.pre_authorized.code if offer.pre_authorized else ""
    lookup = f"{offer.issuer}|{code}"
    known = vault.find(KIND, lookup)
    if known is not None and (known.expires is None or known.expires >= seconds(now)):
        return read(known)
    if known is not None:
        vault.commit(remove=(known,))
    items = tuple(Item(name) for name in offer.configuration_ids)
    empty = vault.new(KIND, {}, lookup=lookup, until=now + LIFETIME)
    fresh = Offer(empty, offer, metadata, body, token_endpoint, Stage.OFFERED, items)
    return keep(vault, fresh)


def get_offer(vault: Vault, id: str, *, now: datetime) -> Offer:
    """An offer that is not forgotten yet. Raises Refused (`record.absent`)."""
    record = vault.get(KIND, id)
    if record.expires is not None and record.expires < seconds(now):
        raise Refused("record.absent", "This offer is no longer open. Ask its issuer for a new one.")
    return read(record)


def unfinished(vault: Vault, *, now: datetime) -> tuple[Offer, ...]:
    """Offers whose token or credential the wallet holds already: a person should be told of them."""
    offers = (read(record) for record in vault.all(KIND, limit=50) if (record.expires or 0) >= seconds(now))
    return tuple(offer for offer in offers if offer.stage is Stage.AUTHORIZED)


def keep(vault: Vault, offer: Offer) -> Offer:
    """Keep how far it has come. Raises Refused (`record.conflict`) when somebody else has changed it."""
    return replace(offer, record=vault.put(as_record(offer)))


def as_record(offer: Offer) -> Record:
    """The offer's record, for changes that are kept together with others."""
    return changed(offer.record, **_write(offer))


def reserve(vault: Vault, offer: Offer, *, now: datetime) -> Offer:
    """Take the offer for one step. Raises Refused (`offer.busy`) while another step of it is running."""
    if offer.busy_until > seconds(now):
        raise Refused("offer.busy", "Your wallet is already working on this offer. Wait a moment, then look again.")
    return keep(vault, replace(offer, busy_until=seconds(now + LEASE), problem=None))


def longer(offer: Offer, *, now: datetime) -> Offer:
    """Remember it for longer, once the issuer has given something that cannot be had twice."""
    return replace(offer, record=replace(offer.record, expires=seconds(now + LIFETIME_AUTHORIZED)))


def _write(offer: Offer) -> dict[str, Json]:
    return {
        "offer": offer.offer.json,
        "issuer": offer.metadata.issuer,
        "metadata": offer.metadata_body,
        "token_endpoint": offer.token_endpoint,
        "stage": offer.stage.value,
        "items": [_write_item(item) for item in offer.items],
        "token": None if offer.token is None else offer.token.json,
        "problem": None if offer.problem is None else list(offer.problem),
        "busy_until": offer.busy_until,
    }


def _write_item(item: Item) -> dict[str, Json]:
    return {
        "configuration": item.configuration,
        "kid": item.kid,
        "wire": item.wire,
        "verdict": None if item.verdict is None else item.verdict.value,
        "findings": [finding_json(finding) for finding in item.findings],
        "card": item.card,
    }


def read(record: Record) -> Offer:
    """The offer in a record."""
    data = record.data
    problem = data["problem"]
    return Offer(
        record=record,
        offer=read_offer(write_json(data["offer"])),
        metadata=IssuerMetadata.parse(data["metadata"].encode(), issuer=data["issuer"]),
        metadata_body=data["metadata"],
        token_endpoint=data["token_endpoint"],
        stage=Stage(data["stage"]),
        items=tuple(_read_item(item) for item in data["items"]),
        token=None if data["token"] is None else TokenResponse.parse(write_json(data["token"])),
        problem=None if problem is None else (problem[0], problem[1]),
        busy_until=data["busy_until"],
    )


def _read_item(data: Mapping[str, Json]) -> Item:
    return Item(
        configuration=data["configuration"],
        kid=data["kid"],
        wire=data["wire"],
        verdict=None if data["verdict"] is None else Verdict(data["verdict"]),
        findings=tuple(read_finding(finding) for finding in data["findings"]),
        card=data["card"],
    )
