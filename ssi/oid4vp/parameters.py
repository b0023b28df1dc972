"""Request parameters: what is asked, and where and how is it to be answered (OpenID4VP 1.0 §5, Appendix A.2)?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ssi import dcql
from ssi.encoding import Json
from ssi.oid4vp.abilities import FORMATS
from ssi.oid4vp.modes import DC_MODES, ENCRYPTED_MODES, FRAGMENT_MODES
from ssi.oid4vp.verifierinfo import PURPOSE, VerifierInfo

ORIGIN = "origin"
"""The prefix of the audience of an answer through the Digital Credentials API (A.4); no request may use it (§5.9.3)."""


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """What a verifier asks. `client_id` is the full identifier with its prefix; every binding uses it whole (§5.9.1).

    The answer goes to `response_uri` (modes `direct_post`), to `redirect_uri` (modes `fragment`), or to the page at
    `origin` (modes `dc_api`, where an unsigned request has "" for its client). `expected_origins` go with signed
    requests to pages (A.2). `encryption_keys` are the JWKs to one of which the answer is encrypted; a wallet sees those
    that it can use. `enc_values` are what the verifier can decrypt (HAIP 1.0 §5: both). `transaction_data` are
    base64url strings, hashed as they are (§8.4). `verifier_info` is what others say of the asker, unverified. `purpose`
    is a sentence for the person, which travels as verifier info in a format of this house that other wallets ignore.
    """

    client_id: str = ""
    nonce: str
    response_uri: str | None = None
    redirect_uri: str | None = None
    origin: str | None = None
    expected_origins: tuple[str, ...] = ()
    response_mode: str
    query: dcql.Query
    state: str | None = None
    encryption_keys: tuple[Mapping[str, Json], ...] = ()
    enc_values: tuple[str, ...] = ("A128GCM", "A256GCM")
    vp_formats: Mapping[str, Json] = field(default_factory=lambda: dict(FORMATS))
    transaction_data: tuple[str, ...] = ()
    verifier_info: tuple[VerifierInfo, ...] = ()
    purpose: str | None = None

    @property
    def encrypted(self) -> bool:
        """Is the answer to be encrypted (§8.3)?"""
        return self.response_mode in ENCRYPTED_MODES

    @property
    def destination(self) -> str:
        """Where the answer goes: an address, or the origin of the page that asks; "" when the request has none."""
        return self._way or ""

    @property
    def audience(self) -> str:
        """For whom presentations are made: the full client identifier, or the page's origin behind `origin:` (A.4)."""
        return f"{ORIGIN}:{self.origin or ''}" if self.response_mode in DC_MODES else self.client_id

    @property
    def _way(self) -> str | None:
        if self.response_mode in DC_MODES:
            return self.origin
        return self.redirect_uri if self.response_mode in FRAGMENT_MODES else self.response_uri

    @property
    def info(self) -> list[Json]:
        """The `verifier_info` of the request, its purpose included (§5.11)."""
        why = [] if self.purpose is None else [VerifierInfo(PURPOSE, {"purpose": self.purpose})]
        return [one.json for one in (*self.verifier_info, *why)]

    def parameters(self) -> dict[str, Json]:
        """The request's parameters as a request object carries them: those that its response mode knows."""
        metadata: dict[str, Json] = {"vp_formats_supported": self.vp_formats}
        if self.encrypted:
            metadata["jwks"] = {"keys": [dict(key) for key in self.encryption_keys]}
            metadata["encrypted_response_enc_values_supported"] = list(self.enc_values)
        through_page, by_fragment = self.response_mode in DC_MODES, self.response_mode in FRAGMENT_MODES
        optional: dict[str, Json] = {
            "client_id": self.client_id or None,
            "response_uri": None if through_page or by_fragment else self.response_uri,
            "redirect_uri": self.redirect_uri if by_fragment else None,
            "expected_origins": (list(self.expected_origins) or None) if through_page else None,
            "state": None if through_page else self.state,  # A.2: not defined there
            "transaction_data": list(self.transaction_data) or None,
            "verifier_info": self.info or None,
        }
        return {
            "response_type": "vp_token",
            "response_mode": self.response_mode,
            "nonce": self.nonce,
            "dcql_query": self.query.json,
            "client_metadata": metadata,
            **{name: value for name, value in optional.items() if value is not None},
        }
