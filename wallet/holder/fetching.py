"""Fetching: how do credentials come from an issuer, at once or when it has made them, for keys that this wallet made?

Requests and responses are encrypted wherever the issuer can do that, on top of TLS (OpenID4VCI 1.0 §10). A response
that was to be encrypted and is not is refused. Whatever arrives is kept as it came, unchecked, for the next step.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from ssi.encoding import seconds, wire_text, write_json
from ssi.errors import Refused, Unsupported
from ssi.fetch import Response
from ssi.jose.jwe import DecryptionKey
from ssi.oid4vci import CredentialRequest, CredentialResponse, IssuerMetadata, NonceResponse, OAuthError, TokenResponse
from ssi.oid4vci.deferred import DeferredRequest
from ssi.oid4vci.encryption import MEDIA_TYPE, ResponseEncryption
from wallet.holder import offers
from wallet.holder.calls import JSON, Calls, good
from wallet.holder.items import Item
from wallet.holder.keystore import VaultKeys
from wallet.holder.offers import Offer, Stage
from wallet.holder.outside import Outside
from wallet.holder.proving import copies, proofs, way
from wallet.holder.tokens import alive, calls, renewed
from wallet.holder.vault import Vault

_LONGEST: Final = 30 * 24 * 3600
"""No issuer makes a wallet wait longer than these seconds before it asks again."""


def fetch(vault: Vault, offer: Offer, item: Item, *, outside: Outside, now: datetime) -> Offer:
    """Bring what is still missing of one item: ask for it, or ask whether what was promised is made now."""
    offer = alive(vault, offer, outside=outside, now=now)
    try:
        return _fetched(vault, offer, item, outside=outside, now=now)
    except OAuthError as error:
        can = bool(offer.grant) or (offer.token is not None and offer.token.refresh_token is not None)
        if error.error != "invalid_token" or not can:
            raise
    offer = renewed(vault, offer, outside=outside, now=now)
    kept = next(one for one in offer.items if one.name == item.name)
    return _fetched(vault, offer, kept, outside=outside, now=now)


def _fetched(vault: Vault, offer: Offer, item: Item, *, outside: Outside, now: datetime) -> Offer:
    conversation = calls(vault, offer, outside=outside, now=now)
    if item.transaction:
        return _kept(vault, offer, item, _asked_again(conversation, offer, item), now=now)
    offer, item = _with_keys(vault, offer, item, outside=outside, now=now)
    try:
        response = _ask(vault, conversation, offer, item)
    except OAuthError as error:
        if error.error != "invalid_nonce":
            raise
        response = _ask(vault, conversation, offer, item)  # a fresh nonce, once (§8.3.1.2)
    return _kept(vault, offer, item, response, now=now)


def _with_keys(vault: Vault, offer: Offer, item: Item, *, outside: Outside, now: datetime) -> tuple[Offer, Item]:
    """The item with a key for each of its copies, kept before the issuer sees them: lost answers can be had again."""
    if item.kids:
        return offer, item
    configuration = offer.metadata.configurations[item.configuration]
    alg, count = way(configuration, outside.provider).alg, copies(configuration, offer.metadata)
    signers = VaultKeys(vault).create_several(alg, count, now + offers.LIFETIME_AUTHORIZED)
    item = replace(item, kids=tuple(signer.kid for signer in signers))
    return offers.keep(vault, offer.item(item)), item


def _ask(vault: Vault, conversation: Calls, offer: Offer, item: Item) -> CredentialResponse:
    """One credential request with proofs over a fresh nonce (§7, §8.2)."""
    metadata, outside = offer.metadata, conversation.outside
    nonce = None
    if metadata.nonce_endpoint is not None:
        nonce = NonceResponse.parse(conversation.ask_nonce(metadata.nonce_endpoint)).c_nonce
    chosen = way(metadata.configurations[item.configuration], outside.provider)
    named = offer.by_code or bool(offer.instance)
    made = proofs(
        chosen,
        [VaultKeys(vault).get(kid) for kid in item.kids],
        audience=metadata.issuer,
        nonce=nonce,
        client_id=outside.client_id if named else None,
        provider=outside.provider,
        now=conversation.now,
    )
    key, encryption = _encryption(metadata)
    request = CredentialRequest(
        configuration_id=None if item.identifier else item.configuration,
        identifier=item.identifier,
        proof_type=chosen.proof_type,
        proofs=made,
        encryption=encryption,
    )
    answer = _sent(conversation, offer, metadata.credential_endpoint, request)
    return CredentialResponse.parse(_opened(answer, key, encryption))


def _asked_again(conversation: Calls, offer: Offer, item: Item) -> CredentialResponse:
    """What has become of a promised credential (§9.1): encrypted with a key of this question's own."""
    endpoint = _require_deferred(offer)
    key, encryption = _encryption(offer.metadata)
    request = DeferredRequest(item.transaction, encryption)
    answer = _sent(conversation, offer, endpoint, request)
    return CredentialResponse.parse(_opened(answer, key, encryption))


def _require_deferred(offer: Offer) -> str:
    endpoint = offer.metadata.deferred_endpoint
    if endpoint is None:
        raise Unsupported("offer.deferred", "The issuer promised the card for later, but does not say where to ask.")
    return endpoint


def _token(offer: Offer) -> TokenResponse:
    if offer.token is None:
        raise Refused("offer.token", "The offer has not been accepted yet.")
    return offer.token


def _encryption(metadata: IssuerMetadata) -> tuple[DecryptionKey | None, ResponseEncryption | None]:
    """How the response is to be encrypted, with a key for this one response; (None, None) for not at all.

    A key may only be sent in an encrypted request, so that nobody puts their own in its place (§8.2). An issuer that
    demands encrypted responses and takes no encrypted requests is taken at its word.
    """
    policy, requests = metadata.response_encryption, metadata.request_encryption
    if policy is None:
        return None, None
    if not policy.required and (requests is None or not requests.usable):
        return None, None
    key = DecryptionKey.generate()
    asked = policy.ask(key)
    if asked is None and policy.required:
        raise Unsupported("offer.encryption", "The issuer asks for an encryption that this wallet does not have.")
    return (None, None) if asked is None else (key, asked)


def _sent(conversation: Calls, offer: Offer, url: str, request: CredentialRequest | DeferredRequest) -> Response:
    policy, members = offer.metadata.request_encryption, request.json
    accept = JSON if request.encryption is None else f"{MEDIA_TYPE}, {JSON};q=0.5"
    if policy is not None and (policy.usable or policy.required):
        body, kind = policy.seal(members).encode(), MEDIA_TYPE
    else:
        body, kind = write_json(members), JSON
    return conversation.ask_issuer(url, token=_token(offer), body=body, content_type=kind, accept=accept)


def _opened(response: Response, key: DecryptionKey | None, encryption: ResponseEncryption | None) -> bytes:
    """The response in the clear. Raises Refused (`offer.not_encrypted`) when it came so, and was not to (§10)."""
    body = good(response)
    if key is None or encryption is None:
        return body
    if response.media_type != MEDIA_TYPE:
        raise Refused("offer.not_encrypted", "The issuer did not encrypt its answer as your wallet asked. Not taken.")
    return encryption.open(body.decode().strip(), key=key)


def _kept(vault: Vault, offer: Offer, item: Item, response: CredentialResponse, *, now: datetime) -> Offer:
    """The offer with what has arrived; or with the promise, kept for as long as an issuer may take."""
    if response.transaction_id is not None:
        _require_deferred(offer)
        wait = timedelta(seconds=min(response.interval or 5, _LONGEST))
        item = replace(item, transaction=response.transaction_id, ask_at=seconds(now + wait))
        waiting = replace(offer.item(item), stage=Stage.WAITING)
        return _waiting(vault, waiting, now=now)
    wires = tuple(wire_text(credential) for credential in response.credentials)
    if any(wire is None for wire in wires) or len(wires) > len(item.kids):
        raise Unsupported("offer.credential", "The issuer sent the card in a form that this wallet cannot keep.")
    arrived = replace(
        item,
        wires=tuple(wire for wire in wires if wire is not None),
        promises=response.promises,
        transaction="",
        ask_at=0,
        notification=response.notification_id,
    )
    offer = offer.item(arrived)
    stage = Stage.WAITING if any(one.transaction for one in offer.items) else Stage.AUTHORIZED
    return offers.keep(vault, replace(offer, stage=stage))


def _waiting(vault: Vault, offer: Offer, *, now: datetime) -> Offer:
    """Keep an offer and its keys for as long as the issuer may take."""
    until = now + offers.LIFETIME_WAITING
    keys = [VaultKeys(vault).extended(kid, until) for kid in offer.keys]
    longer = offers.longer(offer, now=now, span=offers.LIFETIME_WAITING)
    record, *_ = vault.commit(offers.as_record(longer), *keys)
    return replace(longer, record=record)
