"""Calls: how does the wallet speak to an issuer's servers, and prove that a token is its own?

DPoP (RFC 9449) where the authorization server knows it, with the nonces of the authorization server and of the issuer
kept apart; the wallet's attestation where it is asked for (OpenID4VCI 1.0 Appendix E). A request that is refused only
for an old nonce or challenge is made once more with the new one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from ssi.encoding import read_json, read_json_object, required_text
from ssi.errors import Malformed
from ssi.fetch import Response
from ssi.keys import Signer
from ssi.oauth import clients, dpop
from ssi.oid4vci import AuthorizationServer, OAuthError, TokenResponse, read_error
from wallet.holder.outside import Outside

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
PREFERRED: Final = ("ES256", "EdDSA", "ES384")
"""Algorithms of keys that the wallet makes, as far as the other side takes them."""

_SERVER: Final = "authorization server"
_ISSUER: Final = "issuer"
_NONCE: Final = dpop.NONCE_HEADER.lower()
_CHALLENGE: Final = clients.CHALLENGE_HEADER.lower()
_MAX_NONCE: Final = 4096
_MAX_ANSWER: Final = 262_144


@dataclass(frozen=True)
class Calls:
    """One conversation with an issuer and its authorization server.

    `dpop` and `instance` are the wallet's keys for these two; None where the server asks for neither. `fresh` holds the
    nonces and the challenge that the servers gave last.
    """

    outside: Outside
    server: AuthorizationServer
    now: datetime
    dpop: Signer | None = None
    instance: Signer | None = None
    fresh: dict[str, str] = field(default_factory=dict, repr=False)

    def ask_server(self, url: str, form: Mapping[str, str], *, proved: bool) -> bytes:
        """POST a form to the authorization server, with the wallet's attestation; `proved`: with a DPoP proof too.

        Raises what the answer means (`ssi.oid4vci.read_error`).
        """
        body = urlencode(form).encode()

        def once() -> Response:
            headers = self._attested()
            if proved:
                headers |= self._proved(url, _SERVER)
            return self._post(url, body, headers)

        return good(self._with_fresh(once, _SERVER))

    def ask_issuer(
        self, url: str, *, token: TokenResponse, body: bytes, content_type: str = JSON, accept: str = JSON
    ) -> Response:
        """POST to the issuer with the access token. Raises what a refusal means."""

        def once() -> Response:
            headers = {"Authorization": f"{token.token_type} {token.access_token}"}
            if token.token_type == "DPoP":  # noqa: S105  (the name of a kind of token)
                headers |= self._proved(url, _ISSUER, access_token=token.access_token)
            return self.outside.fetch.post(url, body=body, content_type=content_type, accept=accept, headers=headers)

        response = self._with_fresh(once, _ISSUER)
        good(response)
        return response

    def ask_nonce(self, url: str) -> bytes:
        """The answer of a nonce endpoint, which wants no token (§7.1) and may bring a DPoP nonce (§7.2)."""
        response = self._post(url, b"", {})
        self._note(response, _ISSUER)
        return good(response)

    def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        return self.outside.fetch.post(
            url, body=body, content_type=FORM, accept=JSON, headers=headers, max_bytes=_MAX_ANSWER
        )

    def _with_fresh(self, once: Callable[[], Response], side: str) -> Response:
        """An answer; made anew once for each thing that the other side wants fresher."""
        response, tried = once(), set[str]()
        self._note(response, side)
        while (wanted := self._wants(response, side)) is not None and wanted not in tried:
            tried.add(wanted)
            response = once()
            self._note(response, side)
        return response

    def _note(self, response: Response, side: str) -> None:
        """Remember what the other side wants in the next request: any of its answers may say so (RFC 9449 §8.2)."""
        nonce, challenge = response.headers.get(_NONCE), response.headers.get(_CHALLENGE)
        if nonce is not None and 0 < len(nonce) <= _MAX_NONCE:
            self.fresh[side] = nonce
        if side == _SERVER and challenge is not None and 0 < len(challenge) <= _MAX_NONCE:
            self.fresh["challenge"] = challenge

    def _wants(self, response: Response, side: str) -> str | None:
        """Which fresh thing a refusal asks for, if it has brought it or says where it is."""
        error = error_of(response)
        if error == "use_dpop_nonce" and _NONCE in response.headers and self.dpop is not None:
            return side
        if error == "use_attestation_challenge" and self.instance is not None:
            if _CHALLENGE not in response.headers:
                self.fresh.pop("challenge", None)
                return "challenge" if self.server.challenge_endpoint else None
            return "challenge"
        return "attestation" if error == "use_fresh_attestation" and self.instance is not None else None

    def _proved(self, url: str, side: str, *, access_token: str | None = None) -> dict[str, str]:
        if self.dpop is None:
            return {}
        proof = dpop.make(
            signer=self.dpop,
            method="POST",
            url=url,
            now=self.now,
            jti=secrets.token_urlsafe(16),
            nonce=self.fresh.get(side),
            access_token=access_token,
        )
        return {dpop.HEADER: proof}

    def _attested(self) -> dict[str, str]:
        """The attestation of this wallet, and the proof that it is this wallet's (Appendix E)."""
        provider = self.outside.provider
        if self.instance is None or provider is None:
            return {}
        pop = clients.make_pop(
            signer=self.instance,
            audience=self.server.issuer,
            now=self.now,
            jti=secrets.token_urlsafe(16),
            challenge=self._challenge(),
            client_id=provider.client_id,
        )
        return {clients.HEADER: provider.attest(self.instance.public, now=self.now), clients.POP_HEADER: pop}

    def _challenge(self) -> str | None:
        """The server's challenge: the one it gave last, else a new one where it has an endpoint for them."""
        if "challenge" not in self.fresh and self.server.challenge_endpoint is not None:
            answer = self._post(self.server.challenge_endpoint, b"", {})
            members = read_json_object(good(answer), what="challenge", max_bytes=65_536)
            self.fresh["challenge"] = required_text(members, "attestation_challenge", what="challenge")
        return self.fresh.pop("challenge", None)  # each proof has its own


def error_of(response: Response) -> str | None:
    """The error code of a refusal: in its body, or at a resource in its WWW-Authenticate header (RFC 9449 §7.1)."""
    if response.status not in {400, 401, 403}:
        return None
    try:
        body = read_json(response.body, what="error response", max_bytes=65_536)
    except Malformed:
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, str):
        return error
    _, found, rest = response.headers.get("www-authenticate", "").partition('error="')
    return rest.partition('"')[0] if found else None


def good(response: Response) -> bytes:
    """The body of a good answer. Raises what a bad one means."""
    if response.status >= 400:
        named = error_of(response)
        problem = read_error(response.body, status=response.status)
        if named is not None and not isinstance(problem, OAuthError):
            raise OAuthError(named[:64], "The issuer gave no description.", status=response.status)
        raise problem
    if not 200 <= response.status < 300:
        raise Malformed("offer.status", "The issuer's answer is not one that the protocol knows.")
    try:
        response.body.decode()
    except UnicodeDecodeError:
        raise Malformed("offer.text", "The issuer's answer is not text.") from None
    return response.body
