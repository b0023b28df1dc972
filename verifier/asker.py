"""Who asks: the identities, keys and addresses that this verifier shows to wallets, and the requests made with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from ssi import oid4vp
from ssi.encoding import Json, write_json
from ssi.jose.jwe import DecryptionKey
from ssi.oid4vp import AuthorizationRequest, RequestSigner, VerifierInfo, WalletCall
from ssi.oid4vp.abilities import FORMATS
from verifier.ask import Ask

MAX_LINK: Final = 2000
"""Characters of a link that holds its whole request: longer ones make a code that cameras do not read."""

SIGNED, MULTISIGNED, UNSIGNED = "signed", "multisigned", "unsigned"
BROWSER_REQUESTS: Final = (SIGNED, MULTISIGNED, UNSIGNED)


@dataclass(frozen=True)
class Asker:
    """How this verifier appears to wallets.

    `identities` are the ways in which it proves who it is: the first is used in links, all of them in requests with
    several signatures. Without any it goes by the address of the answer, and proves nothing (OpenID4VP 1.0 §5.9.3).
    `scan_link` is what QR codes begin with ("openid4vp://"), `here_link` what the same-device link begins with.
    `fetched_by` is how wallets are to fetch requests ("get", "post"), `by_browser` which kinds of request a page hands
    to the browser's API, best first. `info` is what others say about this verifier, for every request.
    """

    base_url: str
    origin: str
    identities: tuple[RequestSigner, ...]
    scan_link: str
    here_link: str
    fetched_by: str = "get"
    by_browser: tuple[str, ...] = (SIGNED, UNSIGNED)
    info: tuple[VerifierInfo, ...] = ()

    @property
    def landing(self) -> str:
        """Where a browser brings answers in its address (response mode `fragment`)."""
        return f"{self.base_url}/answer"

    def request_uri(self, public_id: str) -> str:
        """Where a wallet fetches a request."""
        return f"{self.base_url}/oid4vp/{public_id}/request"

    def request(
        self, ask: Ask, public_id: str, *, nonce: str, state: str, keys: Sequence[DecryptionKey]
    ) -> AuthorizationRequest:
        """The request that asks this by code or link; `keys` are those to which the answer may be encrypted."""
        answered_at = f"{self.base_url}/oid4vp/{public_id}/response" if ask.scannable else self.landing
        plain = self._request(ask, mode=ask.link_mode, nonce=nonce, keys=keys)
        return replace(
            plain,
            client_id=self.identities[0].client_id if self.identities else f"{oid4vp.UNSIGNED}:{answered_at}",
            response_uri=answered_at if ask.scannable else None,
            redirect_uri=None if ask.scannable else answered_at,
            state=state,
        )

    def browser_request(self, ask: Ask, *, nonce: str, keys: Sequence[DecryptionKey]) -> AuthorizationRequest:
        """The request that asks this through the browser's API (Appendix A): bound to the page's origin alone."""
        origin = ask.origin or self.origin
        plain = self._request(ask, mode=ask.browser_mode, nonce=nonce, keys=keys)
        return replace(plain, origin=origin, expected_origins=(origin,))

    def _request(self, ask: Ask, *, mode: str, nonce: str, keys: Sequence[DecryptionKey]) -> AuthorizationRequest:
        return AuthorizationRequest(
            client_id="",
            nonce=nonce,
            response_mode=mode,
            query=ask.query,
            encryption_keys=tuple(key.public_jwk for key in keys),
            vp_formats={name: FORMATS[name] for name in dict.fromkeys(one.format for one in ask.query.credentials)},
            transaction_data=tuple(one.raw for one in ask.transactions),
            verifier_info=(*ask.info, *_about(self.info, ask)),
            purpose=ask.purpose or None,
        )

    def link(self, request: AuthorizationRequest, public_id: str, *, base: str) -> str:
        """What a QR code or a button holds: where to fetch the request, or the request itself where nobody signs it.

        Other wallets refuse request objects without a signature, so those are only for links that would be too long.
        """
        if not self.identities:
            whole = _whole_link(request, base=base)
            if len(whole) <= MAX_LINK:
                return whole
        return oid4vp.request_link(request.client_id, self.request_uri(public_id), base=base, method=self.fetched_by)

    def request_object(
        self, request: AuthorizationRequest, *, wallet: WalletCall, now: datetime, lifetime: timedelta
    ) -> str:
        """The request as a wallet fetches it (§5.10): signed where this verifier has a name, encrypted where asked.

        `wallet` is what the wallet posted. Raises Unsupported (`oid4vp.wallet_*`) when it said that it cannot answer.
        """
        who = self.identities[0] if self.identities else None
        wallet.metadata.check(request, alg=who.signer.public.algorithm.name if who else None)
        if who is None:
            token = oid4vp.unsigned_request(request, wallet_nonce=wallet.nonce)
        else:
            token = oid4vp.sign_request(
                request,
                signer=who.signer,
                x5c=who.x5c,
                attestation=who.attestation,
                now=now,
                lifetime=lifetime,
                wallet_nonce=wallet.nonce,
            )
        return oid4vp.encrypt_request(token, wallet.metadata)

    def browser_requests(
        self, request: AuthorizationRequest, *, now: datetime, lifetime: timedelta
    ) -> list[Mapping[str, Json]]:
        """What a page hands to the browser's API, best first; the wallet takes one of them (A.1, A.3)."""
        kinds = self.by_browser if self.identities else (UNSIGNED,)
        signers = {SIGNED: self.identities[:1], MULTISIGNED: self.identities, UNSIGNED: ()}
        return [oid4vp.page_request(request, signers=signers[kind], now=now, lifetime=lifetime) for kind in kinds]


def _about(info: Iterable[VerifierInfo], ask: Ask) -> Iterable[VerifierInfo]:
    """What fits this query: an attestation about credentials that are not asked for would make the request wrong."""
    return (one for one in info if all(ask.query.credential(name) is not None for name in one.credential_ids))


def _whole_link(request: AuthorizationRequest, *, base: str) -> str:
    """§5: all parameters in the link; objects and lists as JSON text."""
    said = {
        name: value if isinstance(value, str) else write_json(value).decode()
        for name, value in request.parameters().items()
    }
    return f"{base}{'&' if '?' in base else '?'}{urlencode(said)}"
