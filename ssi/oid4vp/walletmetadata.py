"""Wallet metadata: what can a wallet do, said when it posts for a request (OpenID4VP 1.0 §5.10, §10)?

A wallet here also brings a fresh key, so that the verifier may encrypt the request object to it (RFC 9101 §6.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ssi.encoding import Json, read_json_object, write_json
from ssi.errors import Malformed, Unsupported
from ssi.jose import jwe
from ssi.jose.jwe import DecryptionKey
from ssi.keys import ALGORITHMS
from ssi.oid4vp.abilities import FORMATS
from ssi.oid4vp.askers import PREFIXES, UNSIGNED
from ssi.oid4vp.clients import PREREGISTERED
from ssi.oid4vp.links import RequestLink
from ssi.oid4vp.modes import ENCRYPTED_MODES, REDIRECT_MODES
from ssi.oid4vp.parameters import AuthorizationRequest

MAX_WALLET_NONCE = 512
MAX_METADATA = 65_536
_MAX_KEYS = 8


@dataclass(frozen=True)
class WalletMetadata:
    """What a wallet says that it can do. None where it says nothing: then nothing is known to be impossible.

    `encryption_keys` are the JWKs to which a request object may be encrypted, those that can be used here.
    """

    formats: frozenset[str] | None = None
    prefixes: frozenset[str] | None = None
    response_modes: frozenset[str] | None = None
    signing_algs: frozenset[str] | None = None
    response_enc: frozenset[str] | None = None
    encryption_keys: tuple[Mapping[str, Json], ...] = ()
    request_enc: tuple[str, ...] = ()
    issuer: str | None = None

    def check(self, request: AuthorizationRequest, *, alg: str | None = None) -> None:
        """Return when the wallet could answer this request, signed with `alg`.

        Raises Unsupported (`oid4vp.wallet_formats`, `oid4vp.wallet_prefix`, `oid4vp.wallet_mode`, `oid4vp.wallet_alg`,
        `oid4vp.wallet_enc`).
        """
        asked = frozenset(one.format for one in request.query.credentials)
        prefix = request.client_id.partition(":")[0]
        named = prefix if prefix in PREFIXES else PREREGISTERED
        rules = (
            (self.formats is None or asked & self.formats, "formats", "has no credentials of the kinds asked for"),
            (self.prefixes is None or named in self.prefixes, "prefix", "does not know askers like this one"),
            (
                self.response_modes is None or request.response_mode in self.response_modes,
                "mode",
                "cannot answer in the way that is asked for",
            ),
            (alg is None or self.signing_algs is None or alg in self.signing_algs, "alg", "cannot check our signature"),
            (
                self.response_enc is None
                or request.response_mode not in ENCRYPTED_MODES
                or self.response_enc & frozenset(request.enc_values),
                "enc",
                "cannot encrypt its answer in a way that can be read",
            ),
        )
        for holds, code, detail in rules:
            if not holds:
                raise Unsupported(f"oid4vp.wallet_{code}", f"The wallet {detail}.")


@dataclass(frozen=True)
class WalletCall:
    """What a wallet posted to a `request_uri`: its nonce and what it can do, each if it said so."""

    nonce: str | None = None
    metadata: WalletMetadata = field(default_factory=WalletMetadata)


def request_form(
    link: RequestLink, *, wallet_nonce: str, key: DecryptionKey | None = None, known_clients: bool = False
) -> dict[str, str]:
    """What a wallet posts to a `request_uri` whose method is "post" (§5.10): a fresh nonce, and what it can do.

    `key` is a fresh key to which the request object may be encrypted.
    """
    prefixes = [*PREFIXES, *([PREREGISTERED] if known_clients else [])]
    metadata: dict[str, Json] = {
        "vp_formats_supported": FORMATS,
        "client_id_prefixes_supported": prefixes,
        "response_types_supported": ["vp_token"],
        "response_modes_supported": list(REDIRECT_MODES),
        "authorization_encryption_alg_values_supported": [jwe.ALG],
        "authorization_encryption_enc_values_supported": list(jwe.ENC_VALUES),
    }
    if not link.client_id.startswith(f"{UNSIGNED}:"):
        metadata["request_object_signing_alg_values_supported"] = list(ALGORITHMS)
    if key is not None:
        metadata["jwks"] = {"keys": [key.public_jwk]}
        metadata["request_object_encryption_alg_values_supported"] = [jwe.ALG]
        metadata["request_object_encryption_enc_values_supported"] = list(jwe.ENC_VALUES)
    return {"wallet_nonce": wallet_nonce, "wallet_metadata": write_json(metadata).decode()}


def read_request_form(form: Mapping[str, str]) -> str | None:
    """The `wallet_nonce` that a wallet posted, for `sign_request`; the rest of the form is ignored (§5.10).

    Raises Malformed (`oid4vp.wallet_nonce`).
    """
    nonce = form.get("wallet_nonce")
    if nonce is not None and not (0 < len(nonce) <= MAX_WALLET_NONCE and nonce.isascii() and nonce.isprintable()):
        raise Malformed("oid4vp.wallet_nonce", "The wallet's nonce is empty, too long, or holds odd characters.")
    return nonce


def read_wallet_call(form: Mapping[str, str]) -> WalletCall:
    """All that a wallet posted. Raises Malformed (`oid4vp.wallet_nonce`, `oid4vp.wallet_metadata`, `encoding.*`)."""
    nonce = read_request_form(form)
    if "wallet_metadata" not in form:
        return WalletCall(nonce)
    said = read_json_object(form["wallet_metadata"], what="wallet's metadata", max_bytes=MAX_METADATA)
    formats, issuer = said.get("vp_formats_supported"), said.get("issuer")
    if formats is not None and not isinstance(formats, Mapping):
        raise Malformed("oid4vp.wallet_metadata", "The wallet's list of formats is not an object.")
    return WalletCall(
        nonce,
        WalletMetadata(
            formats=None if formats is None else frozenset(formats),
            prefixes=_names(said, "client_id_prefixes_supported"),
            response_modes=_names(said, "response_modes_supported"),
            signing_algs=_names(said, "request_object_signing_alg_values_supported"),
            response_enc=_names(said, "authorization_encryption_enc_values_supported"),
            encryption_keys=_keys(said),
            request_enc=_request_enc(said),
            issuer=issuer if isinstance(issuer, str) else None,
        ),
    )


def encrypt_request(token: str, metadata: WalletMetadata) -> str:
    """The request object as the wallet wants it: encrypted to its key (RFC 9101 §6.1), or as it is without one."""
    enc = next((one for one in jwe.ENC_VALUES if one in metadata.request_enc), None)
    if not metadata.encryption_keys or enc is None:
        return token
    return jwe.encrypt(token.encode("ascii"), jwk=metadata.encryption_keys[0], enc=enc, cty="oauth-authz-req+jwt")


def decrypt_request(token: str, *, keys: Sequence[DecryptionKey]) -> str:
    """The signed request object inside an encrypted one; one that is not encrypted stays as it is (§5.10.1).

    Raises Malformed, Refused, Unsupported (`jose.*`).
    """
    if token.count(".") != 4:
        return token
    try:
        return jwe.decrypt(token, keys=keys).decode("ascii")
    except UnicodeDecodeError:
        raise Malformed("oid4vp.request", "The encrypted request holds no request.") from None


def _names(said: Mapping[str, Json], name: str) -> frozenset[str] | None:
    values = said.get(name)
    if values is None:
        return None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Malformed("oid4vp.wallet_metadata", f"{name!r} of the wallet's metadata is not a list of names.")
    return frozenset(values)


def _keys(said: Mapping[str, Json]) -> tuple[Mapping[str, Json], ...]:
    """The keys to which a request can be encrypted here; those that cannot be used are passed over."""
    jwks = said.get("jwks")
    keys = jwks.get("keys") if isinstance(jwks, Mapping) else None
    return tuple(key for key in keys[:_MAX_KEYS] if jwe.is_usable(key)) if isinstance(keys, list) else ()


def _request_enc(said: Mapping[str, Json]) -> tuple[str, ...]:
    """How a request may be encrypted: what the wallet lists, or as for answers what everybody can (A128GCM)."""
    names = _names(said, "request_object_encryption_enc_values_supported")
    return ("A128GCM",) if names is None else tuple(sorted(names))
