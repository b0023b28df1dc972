"""Offers under way: how far has the wallet come with what an issuer offers? Each step is kept before the next begins.

A wallet that is stopped at any moment finds here what it had: the sign-in that was begun, the access token, the keys it
made, what had arrived, and what the issuer has promised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from ssi.encoding import Json, seconds, write_json
from ssi.errors import Refused
from ssi.oid4vci import AuthorizationServer, CredentialOffer, IssuerMetadata, TokenResponse, read_offer
from wallet.holder.discovery import Found, read_server, write_server
from wallet.holder.inspection import Verdict
from wallet.holder.items import Item, read_item
from wallet.holder.vault import Record, Vault, changed

KIND: Final = "offer"
LIFETIME: Final = timedelta(hours=1)
LIFETIME_AUTHORIZED: Final = timedelta(days=7)
LIFETIME_WAITING: Final = timedelta(days=90)
"""How long a card is waited for that the issuer will make later."""

LEASE: Final = timedelta(seconds=40)
"""How long one step may keep others from the same offer; a wallet that dies in it blocks nobody for longer."""


class Stage(Enum):
    """How far it has come.

    Shown to the person; at the issuer's sign-in; back from there with a code; authorized (a token is held); waiting for
    what the issuer makes later; and settled (kept, refused, declined).
    """

    OFFERED = "offered"
    SIGNING_IN = "signing_in"
    SIGNED_IN = "signed_in"
    AUTHORIZED = "authorized"
    WAITING = "waiting"
    SETTLED = "settled"
    DECLINED = "declined"


OVER: Final = frozenset({Stage.SETTLED, Stage.DECLINED})


@dataclass(frozen=True)
class SignIn:
    """A sign-in at the issuer: what binds its answer to this wallet, where the browser goes, and the code it brought.

    `url` is good until `until` (seconds); "" while the issuer has not been asked for it.
    """

    state: str = field(repr=False)
    verifier: str = field(repr=False)
    url: str = field(default="", repr=False)
    until: int = 0
    code: str = field(default="", repr=False)


@dataclass(frozen=True)
class Offer:
    """An offer and all that has come of it. `problem` is (code, sentence) of what stopped the last step.

    `verified` is who signed the issuer's description, when somebody trusted has certified that name. `dpop` and
    `instance` name the keys made for this issuer alone. `refills` is the card that gets more copies, under `grant`;
    such an offer is the wallet's own and shown to nobody.
    """

    record: Record
    offer: CredentialOffer
    metadata: IssuerMetadata
    metadata_body: str = field(repr=False)
    server: AuthorizationServer
    stage: Stage
    items: tuple[Item, ...]
    verified: str = ""
    sign_in: SignIn | None = None
    token: TokenResponse | None = None
    token_until: int | None = None
    dpop: str = ""
    instance: str = ""
    refills: str = ""
    grant: str = ""
    problem: tuple[str, str] | None = None
    busy_until: int = 0

    @property
    def id(self) -> str:
        """The record's id, which is the offer's address."""
        return self.record.id

    @property
    def by_code(self) -> bool:
        """Does the person sign in at the issuer (else the offer itself brings a code)?"""
        return self.offer.pre_authorized is None

    @property
    def undecided(self) -> bool:
        """Did something arrive whose check could not be finished?"""
        return any(item.verdict is Verdict.WAIT for item in self.items)

    @property
    def ask_at(self) -> int:
        """When the issuer may be asked again for what it makes later; 0 when nothing is waited for."""
        return min((item.ask_at for item in self.items if item.transaction), default=0)

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys that were made for it."""
        return (*(kid for item in self.items for kid in item.kids), *filter(None, (self.dpop, self.instance)))

    def item(self, done: Item) -> Offer:
        """The same offer with one item replaced."""
        return replace(self, items=tuple(done if item.name == done.name else item for item in self.items))


def begin(vault: Vault, offer: CredentialOffer, found: Found, server: AuthorizationServer, *, now: datetime) -> Offer:
    """Keep an offer that a person is about to look at. The same offer opened twice is one offer.

    An offer that has no code and no state of its own can be taken again once it is over.
    """
    lookup = f"{offer.issuer}|{_secret(offer) or ' '.join(('open', *offer.configuration_ids))}"
    known = vault.find(KIND, lookup)
    if known is not None and (known.expires is None or known.expires >= seconds(now)):
        kept = read(known)
        if _secret(offer) or kept.stage not in OVER:
            return kept
    if known is not None:
        vault.commit(remove=(known,))
    items = tuple(Item(name) for name in offer.configuration_ids)
    empty = vault.new(KIND, {}, lookup=lookup, until=now + LIFETIME)
    fresh = Offer(empty, offer, found.metadata, found.body, server, Stage.OFFERED, items, verified=found.verified)
    return keep(vault, fresh)


def _secret(offer: CredentialOffer) -> str:
    """What only this offer has: its code, or the issuer's own word for it."""
    if offer.pre_authorized is not None:
        return offer.pre_authorized.code
    state = offer.authorization_code.issuer_state if offer.authorization_code is not None else None
    return "" if state is None else f"state|{state}"


def get_offer(vault: Vault, id: str, *, now: datetime) -> Offer:
    """An offer that is not forgotten yet. Raises Refused (`record.absent`)."""
    record = vault.get(KIND, id)
    if record.expires is not None and record.expires < seconds(now):
        raise Refused("record.absent", "This offer is no longer open. Ask its issuer for a new one.")
    return read(record)


def unfinished(vault: Vault, *, now: datetime) -> tuple[Offer, ...]:
    """Offers that a person has gone on with and that are not finished: they should be told of them.

    The wallet holds a token or a credential already, or they went to sign in and may have closed the window there.
    """
    offers = (read(record) for record in vault.all(KIND, limit=50) if (record.expires or 0) >= seconds(now))
    return tuple(offer for offer in offers if offer.stage in _UNFINISHED and not offer.refills)


_UNFINISHED: Final = frozenset({Stage.SIGNING_IN, Stage.SIGNED_IN, Stage.AUTHORIZED, Stage.WAITING})


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


def longer(offer: Offer, *, now: datetime, span: timedelta = LIFETIME_AUTHORIZED) -> Offer:
    """Remember it for longer, once the issuer has given something that cannot be had twice."""
    return replace(offer, record=replace(offer.record, expires=seconds(now + span)))


def _write(offer: Offer) -> dict[str, Json]:
    return {
        "offer": offer.offer.json,
        "issuer": offer.metadata.issuer,
        "metadata": offer.metadata_body,
        "server": write_server(offer.server),
        "stage": offer.stage.value,
        "items": [item.json for item in offer.items],
        "verified": offer.verified,
        "sign_in": None if offer.sign_in is None else dict(vars(offer.sign_in)),
        "token": None if offer.token is None else offer.token.json,
        "token_until": offer.token_until,
        "keys": [offer.dpop, offer.instance],
        "refills": [offer.refills, offer.grant],
        "problem": None if offer.problem is None else list(offer.problem),
        "busy_until": offer.busy_until,
    }


def read(record: Record) -> Offer:
    """The offer in a record."""
    data = record.data
    problem, sign_in = data["problem"], data.get("sign_in")
    dpop, instance = data.get("keys", ("", ""))
    refills, grant = data.get("refills", ("", ""))
    return Offer(
        record=record,
        offer=read_offer(write_json(data["offer"])),
        metadata=IssuerMetadata.parse(data["metadata"].encode(), issuer=data["issuer"]),
        metadata_body=data["metadata"],
        server=_server(data),
        stage=Stage(data["stage"]),
        items=tuple(read_item(item) for item in data["items"]),
        verified=data.get("verified", ""),
        sign_in=None if sign_in is None else SignIn(**sign_in),
        token=None if data["token"] is None else TokenResponse.parse(write_json(data["token"])),
        token_until=data.get("token_until"),
        dpop=dpop,
        instance=instance,
        refills=refills,
        grant=grant,
        problem=None if problem is None else (problem[0], problem[1]),
        busy_until=data["busy_until"],
    )


def _server(data: Mapping[str, Json]) -> AuthorizationServer:
    """The server; records of the first release hold nothing of it but where it gives tokens."""
    if "server" in data:
        return read_server(data["server"])
    return AuthorizationServer(data["issuer"], data["token_endpoint"])
