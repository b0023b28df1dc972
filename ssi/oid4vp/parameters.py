"""Request parameters: what is asked, and where and how is it to be answered (OpenID4VP 1.0 §5)?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ssi import dcql
from ssi.encoding import Json, read_json_object, text
from ssi.errors import Malformed, Unsupported
from ssi.jose import jwe
from ssi.oid4vp import transactions
from ssi.oid4vp.abilities import FORMATS
from ssi.oid4vp.askers import UNSIGNED
from ssi.oid4vp.drafts import refusal
from ssi.oid4vp.urls import endpoint

DIRECT_POST = "direct_post"
DIRECT_POST_JWT = "direct_post.jwt"
RESPONSE_MODES = (DIRECT_POST, DIRECT_POST_JWT)
DEFAULT_ENC_VALUES = ("A128GCM",)
"""What an asker that names none can decrypt (§5.1)."""

MAX_TEXT = 1024
_MAX_KEYS = 32


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """What a verifier asks. `client_id` is the full identifier with its prefix; every binding uses it whole (§5.9.1).

    `encryption_keys` are the JWKs to one of which the answer is encrypted in the mode `direct_post.jwt`; a wallet sees
    those that it can use. `enc_values` are what the verifier can decrypt (HAIP 1.0 §5: both). `transaction_data` are
    base64url strings, hashed as they are (§8.4). `purpose` is a sentence for the person, a parameter of this house
    that other wallets ignore; so is `client_name`, which a wallet here ignores too (§5.1): names come from `Asker`.
    """

    client_id: str
    nonce: str
    response_uri: str
    response_mode: str
    query: dcql.Query
    state: str | None = None
    encryption_keys: tuple[Mapping[str, Json], ...] = ()
    enc_values: tuple[str, ...] = ("A128GCM", "A256GCM")
    vp_formats: Mapping[str, Json] = field(default_factory=lambda: dict(FORMATS))
    transaction_data: tuple[str, ...] = ()
    client_name: str | None = None
    purpose: str | None = None

    def parameters(self) -> dict[str, Json]:
        """The request's parameters as a request object carries them."""
        metadata: dict[str, Json] = {"vp_formats_supported": self.vp_formats}
        if self.response_mode == DIRECT_POST_JWT:
            metadata["jwks"] = {"keys": [dict(key) for key in self.encryption_keys]}
            metadata["encrypted_response_enc_values_supported"] = list(self.enc_values)
        optional = {
            "state": self.state,
            "purpose": self.purpose,
            "transaction_data": list(self.transaction_data) or None,
        }
        return {
            "client_id": self.client_id,
            "response_type": "vp_token",
            "response_mode": self.response_mode,
            "response_uri": self.response_uri,
            "nonce": self.nonce,
            "dcql_query": self.query.json,
            "client_metadata": {**metadata, **({"client_name": self.client_name} if self.client_name else {})},
            **{name: value for name, value in optional.items() if value is not None},
        }


def read(parameters: Mapping[str, Json], *, transaction_types: Collection[str]) -> AuthorizationRequest:
    """Read the parameters of a request by their values; what this version does not know is ignored, as §5 demands.

    `iss` is ignored (§5), `scope` too: no scope stands for a query here (§5.5).
    Raises Malformed and Unsupported (`oid4vp.*`, `dcql.*`, `encoding.*`).
    """
    mode = _mode(parameters)
    metadata = parameters.get("client_metadata", {})
    if not isinstance(metadata, Mapping):
        raise Malformed("oid4vp.client_metadata", "The asker's description of itself is not an object.")
    if "vp_formats_supported" not in metadata and "vp_formats" in metadata:
        raise refusal(parameters, Malformed("oid4vp.client_metadata", "The asker does not say which formats it takes."))
    query = _query(parameters)
    return AuthorizationRequest(
        client_id=_token(parameters, "client_id") or "",
        nonce=_nonce(parameters),
        response_uri=_response_uri(parameters),
        response_mode=mode,
        query=query,
        state=_token(parameters, "state"),
        encryption_keys=_encryption_keys(metadata, mode),
        enc_values=_enc_values(metadata, mode),
        vp_formats=_formats(metadata),
        transaction_data=transactions.read(parameters, query, known=transaction_types),
        purpose=_purpose(parameters),
    )


def from_link(parameters: Mapping[str, str]) -> dict[str, Json]:
    """A link's parameters by value: those that hold objects or arrays come as JSON text (§5.1)."""
    read_in: dict[str, Json] = dict(parameters)
    for name in ("dcql_query", "client_metadata"):
        if name in parameters:
            read_in[name] = read_json_object(parameters[name], what=f"request's {name}")
    if "transaction_data" in parameters:
        read_in["transaction_data"] = transactions.from_link(parameters["transaction_data"])
    return read_in


def _mode(parameters: Mapping[str, Json]) -> str:
    if parameters.get("response_type") != "vp_token":
        raise Unsupported("oid4vp.response_type", "The request asks for something other than a presentation.")
    mode = parameters.get("response_mode")
    if mode not in RESPONSE_MODES:
        raise Unsupported(
            "oid4vp.response_mode", "The request wants its answer in a way that this wallet does not know."
        )
    return str(mode)


def _query(parameters: Mapping[str, Json]) -> dcql.Query:
    if "dcql_query" not in parameters:
        if "scope" in parameters:
            raise Unsupported(
                "oid4vp.scope", "The request names what it wants by a scope that this wallet does not know."
            )
        raise refusal(parameters, Malformed("oid4vp.dcql_query", "The request does not say what it asks for."))
    return dcql.parse(parameters["dcql_query"])


def _nonce(parameters: Mapping[str, Json]) -> str:
    nonce = _token(parameters, "nonce")
    if nonce is None:
        raise Malformed("oid4vp.nonce", "The request has no nonce, so that an answer to it could be replayed.")
    return nonce


def _response_uri(parameters: Mapping[str, Json]) -> str:
    """§8.2: where the answer goes. The `redirect_uri` prefix may say it alone (§5.9.3)."""
    if "redirect_uri" in parameters:
        raise Malformed("oid4vp.redirect_uri", "The request wants its answer sent to two places.")
    value, prefix = parameters.get("response_uri"), f"{UNSIGNED}:"
    client_id = parameters.get("client_id")
    if value is None and isinstance(client_id, str) and client_id.startswith(prefix):
        value = client_id.removeprefix(prefix)
    return endpoint(value, what="address for the answer")


def _encryption_keys(metadata: Mapping[str, Json], mode: str) -> tuple[Mapping[str, Json], ...]:
    """§8.3: the keys that can be used; those that cannot are passed over."""
    if mode != DIRECT_POST_JWT:
        return ()
    jwks = metadata.get("jwks")
    keys = jwks.get("keys") if isinstance(jwks, Mapping) else None
    usable = tuple(key for key in keys[:_MAX_KEYS] if jwe.is_usable(key)) if isinstance(keys, list) else ()
    if not usable:
        raise Unsupported("oid4vp.encryption_key", "The request wants an encrypted answer, but has no key for it.")
    return usable


def _enc_values(metadata: Mapping[str, Json], mode: str) -> tuple[str, ...]:
    if mode != DIRECT_POST_JWT or "encrypted_response_enc_values_supported" not in metadata:
        return DEFAULT_ENC_VALUES
    values = metadata["encrypted_response_enc_values_supported"]
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Malformed("oid4vp.enc", "The request's list of content encryptions is not a list of names.")
    if not set(values).intersection(jwe.ENC_VALUES):
        raise Unsupported("oid4vp.enc", "The request wants its answer encrypted in a way that this wallet cannot.")
    return tuple(values)


def _formats(metadata: Mapping[str, Json]) -> Mapping[str, Json]:
    formats = metadata.get("vp_formats_supported", {})
    if not isinstance(formats, Mapping):
        raise Malformed("oid4vp.client_metadata", "The asker's list of formats is not an object.")
    return formats


def _token(parameters: Mapping[str, Json], name: str) -> str | None:
    """A visible ASCII value of bounded length; None when absent."""
    value = text(parameters, name, what="request")
    if value is not None and not (0 < len(value) <= MAX_TEXT and value.isascii() and value.isprintable()):
        raise Malformed(f"oid4vp.{name}", f"{name!r} in the request is empty, too long, or holds odd characters.")
    return value


def _purpose(parameters: Mapping[str, Json]) -> str | None:
    """A sentence or nothing: a parameter that no specification defines cannot make a request wrong."""
    value = parameters.get("purpose")
    return value if isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable() else None
