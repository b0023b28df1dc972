"""Notifying: what is an issuer told of what became of its card, when it has asked to be told (OpenID4VCI 1.0 §11)?

Told as well as can be, after the person was answered: an issuer that cannot be reached changes nothing for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ssi.encoding import write_json
from ssi.errors import SsiError
from ssi.oid4vci import AuthorizationServer, TokenResponse
from ssi.oid4vci.notification import ACCEPTED, DELETED, FAILURE, Notification
from wallet.holder import grants
from wallet.holder.calls import Calls
from wallet.holder.cards import Card
from wallet.holder.inspection import Verdict
from wallet.holder.keystore import VaultKeys
from wallet.holder.offers import Offer
from wallet.holder.outside import Outside
from wallet.holder.vault import Vault

_EVENTS: Final[Mapping[Verdict, str]] = {Verdict.KEEP: ACCEPTED, Verdict.REFUSE: FAILURE}
_FAILED: Final = "The credential did not pass the checks of the wallet."


@dataclass(frozen=True)
class Teller:
    """A line to an issuer that stays usable when offer and keys are gone from the vault; `names` are its own words."""

    conversation: Calls
    url: str
    token: TokenResponse
    names: Mapping[tuple[str, str | None], str] = field(repr=False)

    def settled(self, offer: Offer) -> None:
        """Tell it how the checks of an offer's cards ended."""
        for item in offer.items:
            if item.name in self.names and item.verdict is not None and item.verdict in _EVENTS:
                why = _FAILED if item.verdict is Verdict.REFUSE else None
                self._tell(Notification(self.names[item.name], _EVENTS[item.verdict], why))

    def deleted(self) -> None:
        """Tell it that the person does not want, or no longer keeps, what it sent."""
        for name in self.names.values():
            self._tell(Notification(name, DELETED))

    def _tell(self, notification: Notification) -> None:
        try:
            self.conversation.ask_issuer(self.url, token=self.token, body=write_json(notification.json))
        except SsiError:  # best effort (§11: an issuer cannot count on being told)
            return


def of_offer(vault: Vault, offer: Offer, *, outside: Outside, now: datetime) -> Teller | None:
    """A line to the issuer of what has arrived; None when it does not want to be told."""
    names = {item.name: item.notification for item in offer.items if item.notification is not None}
    url = offer.metadata.notification_endpoint
    if url is None or offer.token is None or not names:
        return None
    signer = VaultKeys(vault).taken(offer.dpop) if offer.dpop else None
    return Teller(Calls(outside, offer.server, now, signer), url, offer.token, names)


def of_card(vault: Vault, card: Card, *, outside: Outside, now: datetime) -> Teller | None:
    """A line to the issuer of a card, while the token of its issuance lives."""
    source = card.source
    if source is None or source.notification is None:
        return None
    try:
        grant = grants.get_grant(vault, source.grant)
        signer = VaultKeys(vault).taken(grant.dpop) if grant.dpop else None
    except SsiError:
        return None
    token = grant.token(now=now)
    if token is None or grant.notify is None:
        return None
    server = AuthorizationServer(grant.server, grant.server)  # only the issuer itself is spoken to
    names = {(source.configuration, source.identifier): source.notification}
    return Teller(Calls(outside, server, now, signer), grant.notify, token, names)
