"""The authorization server's endpoints for wallets: challenges, pushed requests and tokens.

Everything secret that they answer is never stored (`Cache-Control: no-store`, the default of all pages here), and they
read no cookie.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from flask import Blueprint, Response, request

from service.app import json_answer
from service.crosssite import open_to_all
from ssi.oauth import AuthorizationQuery, OAuthError, clients, dpop
from ssi.oauth.authorization import once
from ssi.oid4vci import TokenRequest, drafts
from wallet.issuer import marks
from wallet.issuer.clients import Wallet
from wallet.issuer.grants import Replay
from wallet.issuer.office import Office
from wallet.issuer.redeeming import Redeemer
from wallet.issuer.web import bearer

_FORM: Final = "application/x-www-form-urlencoded"


def add(made: Blueprint, office: Office, *, now: Callable[[], datetime]) -> None:
    """Add the endpoints that this desk offers."""

    @made.post("/token")
    @open_to_all
    def token() -> Response:
        """The token endpoint (OpenID4VCI 1.0 §6)."""
        moment = now()
        members = _form()
        parsed = TokenRequest.parse(members)
        draft = drafts.of_token_request(dict(members))
        if draft is not None:
            raise OAuthError("invalid_request", f"This is a token request of {draft}; this desk speaks OpenID4VCI 1.0.")
        wallet = _wallet(office, parsed.client_id, now=moment)
        proof = _proof(office, now=moment, needs_nonce=True)
        by = Redeemer(wallet, None if proof is None else proof.jkt, _replays(wallet, proof))
        return json_answer(office.redeeming.redeem(parsed, by, now=moment).json)

    if office.clients.trust is not None:

        @made.post("/challenge")
        @open_to_all
        def challenge() -> Response:
            """The challenge endpoint (Attestation-Based Client Authentication, "Challenges")."""
            return json_answer({"attestation_challenge": office.marks.fresh(marks.CHALLENGE, now=now())})

    if office.signs_in:

        @made.post("/par")
        @open_to_all
        def par() -> Response:
            """The pushed authorization request endpoint (RFC 9126 §2; OpenID4VCI 1.0 §5.1.4)."""
            moment = now()
            members = _form()
            wallet = _wallet(office, once(members).get("client_id"), now=moment)
            query = AuthorizationQuery.parse(members)
            if office.settings.service.haip and not query.scope:
                raise OAuthError("invalid_scope", "Say by scope which credential is wanted (HAIP 1.0, section 4.3).")
            proof = _proof(office, now=moment, needs_nonce=False)
            jkt, replays = None if proof is None else proof.jkt, _replays(wallet, proof)
            return json_answer(
                office.authorizing.push(query, wallet, jkt=jkt, replays=replays, now=moment).json, status=201
            )


def dress(response: Response, office: Office, *, now: datetime) -> None:
    """What every answer of these endpoints brings for the next request: a DPoP nonce, a challenge if one was used."""
    if request.endpoint not in {"protocol.token", "protocol.par"}:
        return
    bearer.give_nonce(response, office, marks.SERVER, now=now)
    if office.clients.trust is not None and clients.HEADER in request.headers:
        response.headers[clients.CHALLENGE_HEADER] = office.marks.fresh(marks.CHALLENGE, now=now)


def _form() -> list[tuple[str, str]]:
    """The parameters, only from the body. Raises OAuthError (`invalid_request`, `invalid_client`)."""
    if request.mimetype != _FORM:
        raise OAuthError("invalid_request", f"Send the parameters as {_FORM}.")
    if "Authorization" in request.headers:
        raise OAuthError("invalid_client", "This server knows no passwords of clients; send none.")
    return list(request.form.items(multi=True))


def _wallet(office: Office, client_id: str | None, *, now: datetime) -> Wallet:
    attestation, pop = (bearer.one_header(name) for name in (clients.HEADER, clients.POP_HEADER))
    return office.clients.authenticate(attestation, pop, client_id=client_id, now=now)


def _proof(office: Office, *, now: datetime, needs_nonce: bool) -> dpop.DpopProof | None:
    """The DPoP proof of this request, if it brings one (RFC 9449 §5, §8).

    Raises OAuthError: invalid_dpop_proof, use_dpop_nonce.
    """
    shown = bearer.one_header(dpop.HEADER)
    if shown is None and needs_nonce and office.settings.require_dpop:
        raise OAuthError("invalid_dpop_proof", "This desk gives out tokens for a key only: send a DPoP proof.")
    if shown is None:
        return None
    proof = dpop.verify(shown, method=request.method, url=bearer.here(office), now=now)
    if proof.nonce is None and not needs_nonce:
        return proof
    if proof.nonce is None or not office.marks.is_fresh(marks.SERVER, proof.nonce, now=now):
        raise OAuthError("use_dpop_nonce", "Use the nonce of the DPoP-Nonce header in the proof.")
    return proof


def _replays(wallet: Wallet, proof: dpop.DpopProof | None) -> tuple[Replay, ...]:
    """What this request uses up."""
    found = () if proof is None else (bearer.replay(proof),)
    return found if wallet.replay is None else (*found, wallet.replay)
