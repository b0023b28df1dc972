"""Clients: which wallet is this, and where may a person be sent back to it?

Wallets are either listed by the desk's operator, or bring an attestation of a provider that the desk trusts (OpenID4VCI
1.0 Appendix E). For a pre-authorized code a wallet may also stay unknown, unless the desk wants attestations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from ssi.encoding import Json, printable, read_json_object
from ssi.errors import Malformed, Unavailable
from ssi.model import KeyResolver, Outcome, TrustPolicy
from ssi.oauth import AttestedClient, OAuthError
from ssi.oauth import clients as attestations
from ssi.oauth.urls import is_loopback
from wallet.issuer import marks
from wallet.issuer.grants import Replay
from wallet.issuer.marks import Marks

MAX_REDIRECT: Final = 2048
_MAX_NAME: Final = 100
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")
_NOT_AN_APP: Final = frozenset(
    {"about", "blob", "chrome", "data", "file", "filesystem", "ftp", "javascript", "vbscript", "ws", "wss"}
)


@dataclass(frozen=True)
class Registered:
    """A wallet that the operator has listed: its name for people, and where its people may be sent back to."""

    name: str
    redirect_uris: tuple[str, ...]


@dataclass(frozen=True)
class Wallet:
    """The wallet behind a request. `client_id` is None for an unknown one, `instance` its attested key's thumbprint.

    `replay` is its proof of possession, to be spent together with what the request does.
    """

    client_id: str | None = None
    name: str = ""
    instance: str | None = None
    redirect_uris: tuple[str, ...] | None = None
    replay: Replay | None = None


@dataclass(frozen=True)
class Clients:
    """Knows wallets. `audience` is the authorization server's issuer URL; `keys` finds keys of providers by name."""

    audience: str
    registered: Mapping[str, Registered]
    trust: TrustPolicy | None
    required: bool
    marks: Marks = field(repr=False)
    keys: KeyResolver | None = None

    def authenticate(self, attestation: str | None, pop: str | None, *, client_id: str | None, now: datetime) -> Wallet:
        """The wallet that sends these two headers and this `client_id` (Attestation-Based Client Authentication).

        Raises OAuthError (`invalid_client`, `use_attestation_challenge`), Unavailable when a list of providers that is
        needed could not be had.
        """
        if self.trust is None or (attestation is None and pop is None):
            return self._unattested(client_id)
        if attestation is None or pop is None:
            raise OAuthError("invalid_client", "A wallet attestation and its proof of possession belong together.")
        found = attestations.verify(attestation, pop, audience=self.audience, now=now, keys=self.keys)
        self._check_provider(self.trust, found, now=now)
        if client_id is not None and client_id != found.client_id:
            raise OAuthError("invalid_client", "The client_id is not that of the wallet attestation.")
        if found.challenge is None or not self.marks.is_fresh(marks.CHALLENGE, found.challenge, now=now):
            raise OAuthError(
                "use_attestation_challenge", "Use the challenge of this server in the proof of possession."
            )
        listed = self.registered.get(found.client_id)
        return Wallet(
            client_id=found.client_id,
            name=_name(found, listed),
            instance=found.instance.kid,
            redirect_uris=None if listed is None else listed.redirect_uris,
            replay=Replay(f"attestation {found.instance.kid} {found.jti}", now + attestations.MEMORY, "invalid_client"),
        )

    def _unattested(self, client_id: str | None) -> Wallet:
        if self.required:
            raise OAuthError("invalid_client", "This desk issues to wallets with a wallet attestation only.")
        listed = None if client_id is None else self.registered.get(client_id)
        return Wallet() if listed is None else Wallet(client_id, listed.name, None, listed.redirect_uris)

    def _check_provider(self, trust: TrustPolicy, found: AttestedClient, *, now: datetime) -> None:
        finding = trust.judge(found.provider, attestations.WALLET_ATTESTATION, now=now)
        if finding.outcome is Outcome.UNKNOWN:
            raise Unavailable(finding.code, "It cannot be checked just now who vouches for this wallet.")
        if finding.outcome is not Outcome.PASS:
            raise OAuthError("invalid_client", f"The wallet attestation is not trusted. {finding.detail}")


def check_redirect(wallet: Wallet, redirect_uri: str) -> None:
    """Return when a person may be sent there with a code: exactly as listed (RFC 9700 §2.1).

    For an attested wallet that is not listed: any https address or app's own scheme (RFC 9126 §2.4, RFC 8252 §7).
    Raises OAuthError (`invalid_request`).
    """
    if wallet.redirect_uris is not None:
        if redirect_uri not in wallet.redirect_uris:
            raise OAuthError("invalid_request", "The redirect_uri is not one that is listed for this wallet.")
    elif wallet.instance is None or not _is_redirect(redirect_uri, needs_dot=True):
        raise OAuthError("invalid_request", "The redirect_uri cannot be used.")


def form_target(redirect_uri: str) -> str:
    """The source expression by which a page allows its form to end at a redirect URI (CSP Level 3, form-action).

    >>> form_target("https://wallet.example:8442/cb?x=1"), form_target("example.wallet:/cb")
    ('https://wallet.example:8442', 'example.wallet:')
    """
    parts = urlsplit(redirect_uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"https", "http"} else f"{parts.scheme}:"


def read_wallets(content: bytes) -> Mapping[str, Registered]:
    """The operator's list: `{"clients": {client_id: {"name": …, "redirect_uris": […]}}}`.

    Raises Malformed (`settings.wallets`, `encoding.*`).
    """
    clients = read_json_object(content, what="list of wallets").get("clients")
    if not isinstance(clients, dict):
        raise Malformed("settings.wallets", "The list of wallets has no clients.")
    return {client_id: _registered(client_id, entry) for client_id, entry in clients.items()}


def _registered(client_id: str, entry: Json) -> Registered:
    name = entry.get("name", client_id) if isinstance(entry, dict) else None
    uris = entry.get("redirect_uris") if isinstance(entry, dict) else None
    if not client_id or not isinstance(name, str) or not isinstance(uris, list):
        raise Malformed("settings.wallets", f"The wallet {client_id!r} needs a name and its redirect_uris.")
    if not all(isinstance(uri, str) and _is_redirect(uri, needs_dot=False) for uri in uris):
        raise Malformed("settings.wallets", f"A redirect URI of the wallet {client_id!r} cannot be used.")
    return Registered(printable(name, limit=_MAX_NAME), tuple(uris))


def _is_redirect(uri: str, *, needs_dot: bool) -> bool:
    """https, http to this machine, or an app's scheme: one with a dot where nobody has listed it (RFC 8252 §7.1)."""
    if not uri.isascii() or not uri.isprintable() or len(uri) > MAX_REDIRECT or set(uri) & set(" \"<>\\^`{|}#;,'"):
        return False
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if "@" in parts.netloc or not _SCHEME.fullmatch(uri.partition(":")[0]):
        return False
    if parts.scheme in {"https", "http"}:
        return bool(host) and (parts.scheme == "https" or is_loopback(host or ""))
    return parts.scheme not in _NOT_AN_APP and ("." in parts.scheme or not needs_dot)


def _name(found: AttestedClient, listed: Registered | None) -> str:
    """A name for people: the operator's, else what the attestation says, which its provider vouches for."""
    return listed.name if listed is not None else printable(found.name or found.client_id, limit=_MAX_NAME)
