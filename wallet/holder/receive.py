"""Receiving: how does an offer become a card? Look, accept, prove the key, fetch, check; keep only what passed.

Each step is kept in the vault before the next one begins, so that a wallet that is stopped goes on where it was, and
nothing is ever half there: the card, its key and the history are written together or not at all.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from ssi import formats
from ssi.encoding import wire_text, write_json
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.fetch import Response
from ssi.keys import ALGORITHMS, Signer
from ssi.oid4vci import (
    AuthorizationServer,
    Configuration,
    CredentialOffer,
    CredentialRequest,
    CredentialResponse,
    IssuerMetadata,
    NonceResponse,
    OAuthError,
    OfferReference,
    TokenRequest,
    TokenResponse,
    authorization_server_url,
    metadata_url,
    parse_offer,
    proof,
    read_error,
    read_offer,
)
from wallet.holder import history, offers
from wallet.holder.history import What
from wallet.holder.keystore import VaultKeys
from wallet.holder.offers import Item, Offer, Stage
from wallet.holder.outside import Outside
from wallet.holder.settle import forgotten_keys, maker, settle
from wallet.holder.vault import Vault

MAX_METADATA: Final = 262_144
MAX_TX_CODE: Final = 64
PREFERRED: Final = ("ES256", "EdDSA", "ES384")
_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_FINAL: Final = frozenset({"invalid_token", "insufficient_scope", "credential_request_denied"})
"""Answers of the credential endpoint after which the same token will never bring a credential."""


def look(vault: Vault, link: str, *, outside: Outside, now: datetime) -> Offer:
    """Read an offer and who makes it, for the person to see; nothing is accepted yet.

    Raises Malformed and Unsupported for what cannot be used, Unavailable when the issuer cannot be reached.
    """
    offer = _offer(link, outside)
    if offer.pre_authorized is None:
        raise Unsupported("offer.grant", "The issuer wants you to sign in first, which this wallet cannot do yet.")
    body = _body(outside.fetch.get(metadata_url(offer.issuer), accept=_JSON, max_bytes=MAX_METADATA))
    metadata = IssuerMetadata.parse(body, issuer=offer.issuer)
    for name in offer.configuration_ids:
        _require_usable(metadata, name)
    endpoint = _token_endpoint(offer, metadata, outside)
    return offers.begin(vault, offer, metadata=metadata, body=body.decode(), token_endpoint=endpoint, now=now)


def accept(vault: Vault, id: str, *, tx_code: str, outside: Outside, now: datetime) -> Offer:
    """Go as far as possible with an offer that the person has accepted; call again to go on after any stop.

    Raises what stopped it; the offer remembers that as its `problem`, and everything it had reached.
    """
    offer = offers.get_offer(vault, id, now=now)
    if offer.stage in {Stage.SETTLED, Stage.DECLINED}:
        return offer
    offer = offers.reserve(vault, offer, now=now)
    try:
        if offer.token is None:
            offer = _authorize(vault, offer, tx_code=tx_code, outside=outside, now=now)
        for item in offer.items:
            if not item.wire:
                offer = _fetch(vault, offer, item, outside=outside, now=now)
        return settle(vault, offer, outside=outside, now=now)
    except SsiError as error:
        _stopped(vault, id, error, now=now)
        raise


def decline(vault: Vault, id: str, *, now: datetime) -> Offer:
    """Put an offer away. Nothing is sent to the issuer: it learns nothing."""
    offer = offers.get_offer(vault, id, now=now)
    if offer.stage in {Stage.SETTLED, Stage.DECLINED}:
        return offer
    offer = offers.reserve(vault, offer, now=now)
    done = replace(offer, stage=Stage.DECLINED, token=None, items=(), problem=None, busy_until=0)
    event = history.happened(vault, What.OFFER_DECLINED, now=now, who=maker(offer))
    vault.commit(offers.as_record(done), event, remove=forgotten_keys(vault, offer.items))
    return offers.get_offer(vault, id, now=now)


# --- looking ----------------------------------------------------------------------------------------------------------


def _offer(link: str, outside: Outside) -> CredentialOffer:
    parsed = parse_offer(link)
    if isinstance(parsed, OfferReference):
        return read_offer(_body(outside.fetch.get(parsed.uri, accept=_JSON, max_bytes=65_536)))
    return parsed


def _require_usable(metadata: IssuerMetadata, name: str) -> Configuration:
    """Can this wallet hold what is offered? Better said now than after the issuer has made it."""
    found = metadata.configurations.get(name)
    if found is None:
        raise Malformed("offer.configuration", "The issuer offers a card that its own description does not know.")
    formats.by_id(found.format)
    _algorithm(found)
    if metadata.encryption_required:
        raise Unsupported("offer.encryption", "The issuer asks for an encryption that this wallet does not have yet.")
    return found


def _algorithm(configuration: Configuration) -> str:
    """The algorithm of the key to make: the first preferred one that the issuer takes in `jwt` proofs (§12.2.4)."""
    if not configuration.proof_algs:
        return PREFERRED[0]
    allowed = configuration.proof_algs.get("jwt", ())
    chosen = next((alg for alg in PREFERRED if alg in allowed), None)
    if chosen is None or chosen not in ALGORITHMS or "jwt" in configuration.attested:
        raise Unsupported("offer.proof", "The issuer asks for a kind of key proof that this wallet cannot give.")
    return chosen


def _token_endpoint(offer: CredentialOffer, metadata: IssuerMetadata, outside: Outside) -> str:
    """Where the code is exchanged (§12.2.4 `authorization_servers`, §4.1.1 `authorization_server`)."""
    servers = metadata.authorization_servers or (metadata.issuer,)
    hint = offer.pre_authorized.authorization_server if offer.pre_authorized else None
    if hint is not None and hint not in metadata.authorization_servers:
        raise Malformed("offer.authorization_server", "The offer names a server that the issuer does not work with.")
    server = hint or servers[0]
    body = _body(outside.fetch.get(authorization_server_url(server), accept=_JSON, max_bytes=MAX_METADATA))
    return AuthorizationServer.parse(body, issuer=server).token_endpoint


def _stopped(vault: Vault, id: str, error: SsiError, *, now: datetime) -> None:
    """Remember what stopped a step, and let the next one begin. What cannot be fetched any more is given up."""
    if error.code == "record.conflict":  # somebody else works on it now
        return
    offer = offers.get_offer(vault, id, now=now)
    problem = (error.code, _sentence(error))
    over = offer.token is not None and isinstance(error, OAuthError) and error.error in _FINAL
    if over:
        ended = replace(offer, stage=Stage.SETTLED, token=None, problem=problem, busy_until=0)
        event = history.happened(vault, What.NOT_KEPT, now=now, detail=error.detail, who=maker(offer))
        vault.commit(offers.as_record(ended), event, remove=forgotten_keys(vault, offer.items))
        return
    offers.keep(vault, replace(offer, problem=problem, busy_until=0))


def _sentence(error: SsiError) -> str:
    """What a person can do about an issuer's refusal, in the place of its words."""
    told = {
        "oid4vci.invalid_grant": "The issuer did not accept the code. Check it and try again; or the offer has been "
        "used or has expired, then ask for a new one.",
        "oid4vci.invalid_token": "The issuer no longer accepts this offer. Ask for a new one.",
        "oid4vci.credential_request_denied": "The issuer has decided not to issue this card. Ask them why.",
    }
    return told.get(error.code, error.detail)


# --- fetching ---------------------------------------------------------------------------------------------------------


def _authorize(vault: Vault, offer: Offer, *, tx_code: str, outside: Outside, now: datetime) -> Offer:
    """Exchange the code for an access token, and keep that before anything else: the code works only once."""
    grant = offer.offer.pre_authorized
    if grant is None:
        raise Unsupported("offer.grant", "The offer has no code that this wallet could use.")
    code = "".join(tx_code.split()) if grant.tx_code and grant.tx_code.input_mode == "numeric" else tx_code.strip()
    if grant.tx_code is not None and not 0 < len(code) <= MAX_TX_CODE:
        raise Malformed("offer.tx_code", "Type the code that the issuer gave you for this offer.")
    request = TokenRequest(grant.code, tx_code=code if grant.tx_code is not None else None)
    form = urlencode(request.form).encode()
    body = _body(outside.fetch.post(offer.token_endpoint, body=form, content_type=_FORM, accept=_JSON))
    authorized = replace(offer, token=TokenResponse.parse(body), stage=Stage.AUTHORIZED)
    return offers.keep(vault, offers.longer(authorized, now=now))


def _fetch(vault: Vault, offer: Offer, item: Item, *, outside: Outside, now: datetime) -> Offer:
    """Make a key, prove it, and bring one credential; keep it as it came, unchecked, for the next step."""
    keys = VaultKeys(vault)
    configuration = offer.metadata.configurations[item.configuration]
    if not item.kid:
        signer = keys.create_until(_algorithm(configuration), now + offers.LIFETIME_AUTHORIZED)
        item = replace(item, kid=signer.kid)
        offer = offers.keep(vault, offer.item(item))
    signer = keys.get(item.kid)
    try:
        response = _ask(offer, configuration, signer, outside=outside, now=now)
    except OAuthError as error:
        if error.error != "invalid_nonce":
            raise
        response = _ask(offer, configuration, signer, outside=outside, now=now)  # a fresh nonce, once (§8.3.1.2)
    if not response.credentials:
        raise Unsupported("offer.deferred", "The issuer will make the card later; this wallet cannot wait for it yet.")
    wire = wire_text(response.credentials[0])
    if wire is None:
        raise Unsupported("offer.credential", "The issuer sent the card in a form that this wallet cannot keep.")
    return offers.keep(vault, offer.item(replace(item, wire=wire)))


def _ask(
    offer: Offer, configuration: Configuration, signer: Signer, *, outside: Outside, now: datetime
) -> CredentialResponse:
    """One credential request with a proof over a fresh nonce (§7, §8.2)."""
    if offer.token is None:
        raise Refused("offer.token", "The offer has not been accepted yet.")
    nonce = None
    if offer.metadata.nonce_endpoint is not None:
        answer = outside.fetch.post(offer.metadata.nonce_endpoint, body=b"", content_type=_FORM, accept=_JSON)
        nonce = NonceResponse.parse(_body(answer)).c_nonce
    token = proof.make(signer=signer, audience=offer.metadata.issuer, nonce=nonce, now=now)
    identifiers = offer.token.identifiers.get(configuration.id)
    request = CredentialRequest(
        configuration_id=None if identifiers else configuration.id,
        identifier=identifiers[0] if identifiers else None,
        proof_type="jwt",
        proofs=(token,),
    )
    headers = {"Authorization": f"Bearer {offer.token.access_token}"}
    endpoint, body = offer.metadata.credential_endpoint, write_json(request.json)
    answer = outside.fetch.post(endpoint, body=body, content_type=_JSON, accept=_JSON, headers=headers)
    return CredentialResponse.parse(_body(answer))


def _body(response: Response) -> bytes:
    """The body of a good answer. Raises what a bad one means."""
    if response.status >= 400:
        raise read_error(response.body, status=response.status)
    if not 200 <= response.status < 300:
        raise Malformed("offer.status", "The issuer's answer is not one that the protocol knows.")
    try:
        response.body.decode()
    except UnicodeDecodeError:
        raise Malformed("offer.text", "The issuer's answer is not text.") from None
    return response.body
