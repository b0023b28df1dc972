"""An issuer that does all that OpenID4VCI 1.0 knows, in memory: sign-in, DPoP, attestation, batches, encryption."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from ssi.encoding import read_json_object
from ssi.fetch import Response
from ssi.issuerkeys import Keys
from ssi.jose.jwe import DecryptionKey
from ssi.keys import PublicKey
from ssi.model import StatusRef
from ssi.oauth import AuthorizationQuery, Callback, clients, dpop, pkce
from ssi.oid4vci import (
    AUTHORIZATION_CODE,
    PRE_AUTHORIZED_CODE,
    REFRESH_TOKEN,
    AuthorizationCode,
    AuthorizationServer,
    CredentialOffer,
    CredentialRequest,
    CredentialResponse,
    IssuerMetadata,
    OAuthError,
    TokenRequest,
    TokenResponse,
    proof,
    signed,
)
from ssi.oid4vci import encryption as vciencryption
from ssi.oid4vci.configurations import AttestationNeed
from ssi.oid4vci.deferred import DeferredRequest
from ssi.oid4vci.notification import Notification
from ssi.trust import x509
from tests.holder.town import ISSUER, FakeIssuer, json_response
from tests.support import InMemoryFetch

NO_KEYS = Keys(InMemoryFetch({}))


@dataclass
class Bureau(FakeIssuer):
    """`FakeIssuer` with everything else; each wish of the issuer is a field. Its checks are the real ones."""

    sign_in: bool = True
    dpop: bool = True
    nonces_wanted: bool = True
    attestation: bool = False
    par: bool = True
    scope: str | None = "person-card"
    identifiers: tuple[str, ...] = ()
    batch: int = 4
    proof_types: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"jwt": ("ES256",)})
    needs: Mapping[str, AttestationNeed] = field(default_factory=dict)
    encrypts: str | None = None
    hold: int = 0
    """How many times the deferred endpoint is asked until the card is made; 0 issues at once."""
    interval: int = 30
    backwards: bool = False
    """Credentials in another order than the keys: nothing says that they come in the same (§8.3)."""
    denied: bool = False
    notifies: bool = True
    refreshes: bool = True
    signs_metadata: bool = False
    iss: str | None = ISSUER
    token_seconds: int = 600
    issuer_state: str | None = "state-of-the-desk"

    pushed: dict[str, AuthorizationQuery] = field(default_factory=dict)
    codes: dict[str, AuthorizationQuery] = field(default_factory=dict)
    bound: dict[str, str | None] = field(default_factory=dict)
    refresh: dict[str, str | None] = field(default_factory=dict)
    challenges: set[str] = field(default_factory=set)
    instances: set[str] = field(default_factory=set)
    jtis: set[str] = field(default_factory=set)
    waiting: dict[str, tuple[PublicKey, ...]] = field(default_factory=dict)
    told: list[Notification] = field(default_factory=list)
    holders: list[str] = field(default_factory=list)
    fresh: dict[str, str] = field(default_factory=lambda: {"server": "server-nonce-1", "issuer": "issuer-nonce-1"})
    retried: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.encryption_key = DecryptionKey.generate()

    # --- what it says of itself ---------------------------------------------------------------------------------------

    @property
    def offer(self) -> CredentialOffer:
        if not self.sign_in:
            return super().offer
        return CredentialOffer(ISSUER, self.configurations, authorization_code=AuthorizationCode(self.issuer_state))

    @property
    def server(self) -> AuthorizationServer:
        return AuthorizationServer(
            ISSUER,
            f"{ISSUER}/token",
            grant_types=(AUTHORIZATION_CODE, PRE_AUTHORIZED_CODE, REFRESH_TOKEN),
            anonymous_access=True,
            authorization_endpoint=f"{ISSUER}/authorize",
            par_endpoint=f"{ISSUER}/par" if self.par else None,
            challenge_endpoint=f"{ISSUER}/challenge" if self.attestation else None,
            auth_methods=(clients.METHOD,) if self.attestation else ("none",),
            pkce_methods=("S256",),
            dpop_algs=("ES256",) if self.dpop else (),
            iss_in_response=self.iss is not None,
        )

    @property
    def metadata(self) -> IssuerMetadata:
        plain = super().metadata
        configurations = {
            name: replace(one, scope=self.scope, proof_algs=self.proof_types, needs=self.needs)
            for name, one in plain.configurations.items()
        }
        keys = [self.encryption_key]
        policies = vciencryption.policies(keys, required=self.encrypts == "required") if self.encrypts else (None, None)
        return replace(
            plain,
            configurations=configurations,
            deferred_endpoint=f"{ISSUER}/deferred" if self.hold else None,
            notification_endpoint=f"{ISSUER}/notification" if self.notifies else None,
            batch_size=self.batch,
            request_encryption=policies[0],
            response_encryption=policies[1],
        )

    # --- the network --------------------------------------------------------------------------------------------------

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        described = url.endswith("/.well-known/openid-credential-issuer")
        if described and self.signs_metadata and "application/jwt" in headers.get("Accept", ""):
            chain, later = self.x5c or self.chain, timedelta(hours=1)
            signer = self.sign_with or self.signer
            token = signed.sign(self.metadata.json, signer=signer, x5c=chain, now=self.clock(), lifetime=later)
            return Response(200, url, {"content-type": "application/jwt"}, token.encode())
        answer = super().__call__(method, url, headers, body)
        side = "server" if url.rpartition("/")[2] in {"token", "par", "challenge"} else "issuer"
        extra = dict(answer.headers)
        if self.dpop and self.nonces_wanted and "well-known" not in url:
            extra["dpop-nonce"] = self.fresh[side]
        if answer.status == 401:
            extra["www-authenticate"] = f'DPoP error="{read_json_object(answer.body)["error"]}"'
        return Response(answer.status, url, extra, answer.body)

    def _answer(self, path: str, method: str, headers: Mapping[str, str], body: bytes) -> Any:
        if path == "/.well-known/oauth-authorization-server":
            return self.server.json
        if "well-known" in path and path.endswith("/"):
            return _Whole(Response(404, "", {}, b""))
        more = {
            "/par": self._par,
            "/challenge": self._challenge,
            "/deferred": self._deferred,
            "/notification": self._notified,
        }
        if path in more:
            assert method == "POST"
            return more[path](headers, body)
        return super()._answer(path, method, headers, body)

    def _proved(self, headers: Mapping[str, str], url: str, side: str, token: str | None = None) -> str | None:
        """The thumbprint of the DPoP key; every proof is used once and holds this side's nonce."""
        if "DPoP" not in headers:
            return None
        found = dpop.verify(headers["DPoP"], method="POST", url=url, now=self.clock(), access_token=token)
        assert found.jti not in self.jtis
        self.jtis.add(found.jti)
        if self.nonces_wanted and found.nonce != self.fresh[side]:
            assert found.nonce is None or not found.nonce.startswith(side) or found.nonce != self.fresh[side]
            self.retried.append(side)
            raise OAuthError("use_dpop_nonce", "Use the nonce.", status=401 if side == "issuer" else 400)
        return found.jkt

    def _client(self, headers: Mapping[str, str]) -> None:
        if not self.attestation:
            assert clients.HEADER not in headers
            return
        if clients.HEADER not in headers:
            raise OAuthError("invalid_client", "Attest yourself.")
        found = clients.verify(headers[clients.HEADER], headers[clients.POP_HEADER], audience=ISSUER, now=self.clock())
        anchors = x509.read_certificates((self.folder / "trust/wallet-provider-ca.pem").read_bytes())
        x509.validate_chain(found.provider.x5c, anchors=anchors, now=self.clock())
        if found.challenge not in self.challenges:
            raise OAuthError("use_attestation_challenge", "Use the challenge.")
        self.challenges.remove(found.challenge)
        self.instances.add(found.instance.kid)

    def _challenge(self, _headers: Mapping[str, str], _body: bytes) -> Any:
        self.challenges.add(made := secrets.token_urlsafe(8))
        return {"attestation_challenge": made}

    # --- the authorization server -------------------------------------------------------------------------------------

    def _par(self, headers: Mapping[str, str], body: bytes) -> Any:
        self._client(headers)
        query = AuthorizationQuery.parse(parse_qsl(body.decode()))
        self.pushed[uri := f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(8)}"] = query
        return {"request_uri": uri, "expires_in": 60}

    def visit(self, url: str, *, error: str | None = None, iss: str | None = None) -> str:
        """What a person's browser is redirected to after they have signed in at this address of ours."""
        pairs = parse_qs(urlsplit(url).query)
        query = (
            self.pushed.pop(pairs["request_uri"][0])
            if self.par
            else AuthorizationQuery.parse(parse_qsl(urlsplit(url).query))
        )
        assert query.issuer_state == (self.issuer_state if self.sign_in else None)
        said = iss or self.iss
        if error is not None:
            return Callback(error=error, state=query.state, iss=said).url(query.redirect_uri)
        self.codes[code := secrets.token_urlsafe(8)] = query
        return Callback(code, state=query.state, iss=said).url(query.redirect_uri)

    def _token(self, headers: Mapping[str, str], body: bytes) -> Any:
        self._client(headers)
        jkt = self._proved(headers, f"{ISSUER}/token", "server")
        request = TokenRequest.parse(parse_qsl(body.decode()))
        if request.grant == REFRESH_TOKEN:
            if request.code not in self.refresh or self.refresh.pop(request.code) != jkt:
                raise OAuthError("invalid_grant", "The refresh token is not known.")
        elif request.grant == AUTHORIZATION_CODE:
            query = self.codes.pop(request.code, None)
            if query is None or query.redirect_uri != request.redirect_uri or query.client_id != request.client_id:
                raise OAuthError("invalid_grant", "The code is not known.")
            pkce.check(request.code_verifier, challenge=query.code_challenge)
            assert query.dpop_jkt in {jkt, None}
            assert (query.scope, query.details) == (((self.scope,), None) if self.scope else ((), self.configurations))
        else:
            super()._token(headers, body)
        self.tokens.add(token := secrets.token_urlsafe(16))
        self.bound[token] = jkt
        refresh = secrets.token_urlsafe(16) if self.refreshes and jkt else None
        if refresh:
            self.refresh[refresh] = jkt
        identifiers = dict.fromkeys(self.configurations, self.identifiers) if self.identifiers else {}
        kind = "DPoP" if jkt else "Bearer"
        return TokenResponse(token, self.token_seconds, identifiers, token_type=kind, refresh_token=refresh).json

    # --- the issuer ---------------------------------------------------------------------------------------------------

    def _access(self, headers: Mapping[str, str], url: str) -> None:
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        jkt = self._proved(headers, url, "issuer", token)
        if token not in self.tokens or self.bound[token] != jkt or scheme != ("DPoP" if jkt else "Bearer"):
            raise OAuthError("invalid_token", "The token is not known.")

    def _read(self, headers: Mapping[str, str], body: bytes) -> bytes:
        if headers["Content-Type"] == "application/jwt":
            return vciencryption.open_request(body, keys=[self.encryption_key], max_bytes=300_000)
        assert self.encrypts is None, "a wallet encrypts where it can"
        return body

    def _dressed(self, request: CredentialRequest | DeferredRequest, response: CredentialResponse) -> Any:
        status = 202 if response.transaction_id is not None else 200
        if request.encryption is None:
            return _Whole(json_response(status, response.json))
        token = request.encryption.seal(response.json)
        return _Whole(Response(status, "", {"content-type": "application/jwt"}, token.encode()))

    def _credential(self, headers: Mapping[str, str], body: bytes) -> Any:
        self._access(headers, f"{ISSUER}/credential")
        request = CredentialRequest.parse(self._read(headers, body))
        assert (request.identifier in self.identifiers) if self.identifiers else request.configuration_id
        configuration = self.metadata.configurations[request.configuration_id or self.configurations[0]]
        found = proof.verify_all(
            request, configuration, audience=ISSUER, keys=NO_KEYS, now=self.clock(), batch_size=self.batch
        )
        if not proof.nonces(found) <= self.nonces:
            raise OAuthError("invalid_nonce", "The nonce is not known.")
        self.nonces -= proof.nonces(found)
        keys = tuple(one.key for one in found)
        self.holders += [key.kid for key in keys]
        if self.hold:
            self.waiting[transaction := secrets.token_urlsafe(8)] = keys
            return self._dressed(request, CredentialResponse(transaction_id=transaction, interval=self.interval))
        return self._dressed(request, self._made(keys))

    def _made(self, keys: tuple[PublicKey, ...]) -> CredentialResponse:
        wires = []
        for key in reversed(keys) if self.backwards else keys:
            self.issued += 1
            status = StatusRef("token_status_list", f"{ISSUER}/status", 8 + self.issued)
            wires.append(self.bend(self.credential(self.bind_to or key, statuses=(status,)).wire))
        name = f"note-{self.issued}" if self.notifies else None
        return CredentialResponse(tuple(wires), notification_id=name)

    def _deferred(self, headers: Mapping[str, str], body: bytes) -> Any:
        self._access(headers, f"{ISSUER}/deferred")
        request = DeferredRequest.parse(self._read(headers, body))
        if self.denied:
            raise OAuthError("credential_request_denied", "The desk has refused it.")
        if request.transaction_id not in self.waiting:
            raise OAuthError("invalid_transaction_id", "The transaction is not known.")
        self.hold -= 1
        if self.hold:
            response = CredentialResponse(transaction_id=request.transaction_id, interval=self.interval)
            return self._dressed(request, response)
        self.hold = 1  # the endpoint stays in the metadata
        return self._dressed(request, self._made(self.waiting.pop(request.transaction_id)))

    def _notified(self, headers: Mapping[str, str], body: bytes) -> Any:
        self._access(headers, f"{ISSUER}/notification")
        self.told.append(Notification.parse(body))
        return _Whole(Response(204, "", {}, b""))


@dataclass(frozen=True)
class _Whole:
    """An answer that is complete already."""

    response: Response
