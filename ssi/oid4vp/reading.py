"""Reading a request's parameters: are they a request that could be answered, and where would the answer go?

What a request says about itself is taken as it is; who it is from is `ssi.oid4vp.askers`' question.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ssi import dcql, formats
from ssi.encoding import Json, read_json_object, text
from ssi.errors import Malformed, Refused, Unsupported
from ssi.jose import jwe
from ssi.oid4vp import transactions, verifierinfo
from ssi.oid4vp.drafts import refusal
from ssi.oid4vp.modes import DC_MODES, ENCRYPTED_MODES, FRAGMENT, FRAGMENT_MODES, REDIRECT_MODES
from ssi.oid4vp.parameters import AuthorizationRequest
from ssi.oid4vp.transactions import TransactionType
from ssi.oid4vp.urls import endpoint
from ssi.oid4vp.verifierinfo import VerifierInfo

DEFAULT_ENC_VALUES = ("A128GCM",)
"""What an asker that names none can decrypt (§5.1)."""

MAX_TEXT = 1024
MAX_ORIGINS = 32
_MAX_KEYS = 32
_UNSIGNED = "redirect_uri:"


@dataclass(frozen=True)
class Reader:
    """What a reader brings along: the transactions it can show, the page's origin, what it knows of the client.

    `origin` is what the platform says about the page that asks (A.2), None for a request by link. `metadata` is that
    of a client known beforehand (§5.9.2), None for others.
    """

    transaction_types: Collection[TransactionType] = ()
    origin: str | None = None
    signed: bool = True
    metadata: Mapping[str, Json] | None = field(default=None, repr=False)


def read(parameters: Mapping[str, Json], reader: Reader) -> AuthorizationRequest:
    """Read the parameters of a request by their values; what this version does not know is ignored, as §5 demands.

    `iss` is ignored (§5), `scope` too: no scope stands for a query here (§5.5).
    Raises Malformed, Unsupported and Refused (`oid4vp.*`, `dcql.*`, `encoding.*`).
    """
    mode = _mode(parameters, reader)
    metadata = _metadata(parameters, reader)
    if "vp_formats_supported" not in metadata and "vp_formats" in metadata:
        raise refusal(parameters, Malformed("oid4vp.client_metadata", "The asker does not say which formats it takes."))
    query = _query(parameters)
    through_page, brought = mode in DC_MODES, verifierinfo.read(parameters, query)
    return AuthorizationRequest(
        client_id=(_token(parameters, "client_id") or "") if reader.signed else "",
        nonce=_nonce(parameters),
        response_uri=None if through_page or mode in FRAGMENT_MODES else _response_uri(parameters),
        redirect_uri=_redirect_uri(parameters) if mode in FRAGMENT_MODES else None,
        origin=reader.origin,
        expected_origins=_expected_origins(parameters, reader),
        response_mode=mode,
        query=query,
        state=None if through_page else _token(parameters, "state"),
        encryption_keys=_encryption_keys(metadata, mode),
        enc_values=_enc_values(metadata, mode),
        vp_formats=_formats(metadata),
        transaction_data=tuple(one.raw for one in transactions.read(parameters, query, types=reader.transaction_types)),
        verifier_info=tuple(one for one in brought if one.format != verifierinfo.PURPOSE),
        purpose=_purpose(parameters, brought),
    )


def from_link(parameters: Mapping[str, str]) -> dict[str, Json]:
    """A link's parameters by value: those that hold objects or arrays come as JSON text (§5.1)."""
    read_in: dict[str, Json] = dict(parameters)
    for name in ("dcql_query", "client_metadata"):
        if name in parameters:
            read_in[name] = read_json_object(parameters[name], what=f"request's {name}")
    if "transaction_data" in parameters:
        read_in["transaction_data"] = transactions.from_link(parameters["transaction_data"])
    if "verifier_info" in parameters:
        read_in["verifier_info"] = verifierinfo.from_link(parameters["verifier_info"])
    return read_in


def _mode(parameters: Mapping[str, Json], reader: Reader) -> str:
    if parameters.get("response_type") != "vp_token":
        raise Unsupported("oid4vp.response_type", "The request asks for something other than a presentation.")
    mode = parameters.get("response_mode")
    if mode is None and "redirect_uri" in parameters and reader.origin is None:
        return FRAGMENT  # §5.6: what the response type does when nothing else is said
    if mode not in (REDIRECT_MODES if reader.origin is None else DC_MODES):
        raise Unsupported(
            "oid4vp.response_mode", "The request wants its answer in a way that this wallet does not know."
        )
    return str(mode)


def _metadata(parameters: Mapping[str, Json], reader: Reader) -> Mapping[str, Json]:
    """The client's metadata: the request's own, or that of a client known beforehand, never a mixture (§8.5)."""
    if reader.metadata is not None:
        if "client_metadata" in parameters:
            raise Refused("oid4vp.known_client", "The asker is known here, and yet describes itself anew.")
        return reader.metadata
    metadata = parameters.get("client_metadata", {})
    if not isinstance(metadata, Mapping):
        raise Malformed("oid4vp.client_metadata", "The asker's description of itself is not an object.")
    return metadata


def _query(parameters: Mapping[str, Json]) -> dcql.Query:
    if "dcql_query" not in parameters:
        if "scope" in parameters:
            raise Unsupported(
                "oid4vp.scope", "The request names what it wants by a scope that this wallet does not know."
            )
        raise refusal(parameters, Malformed("oid4vp.dcql_query", "The request does not say what it asks for."))
    query = dcql.parse(parameters["dcql_query"])
    known = {one.ID for one in formats.every()}
    if not any(asked.format in known for asked in query.credentials):  # §8.5 `vp_formats_not_supported`
        raise Unsupported("oid4vp.formats", "The request asks only for kinds of credentials that are unknown here.")
    return query


def _nonce(parameters: Mapping[str, Json]) -> str:
    nonce = _token(parameters, "nonce")
    if nonce is None:
        raise Malformed("oid4vp.nonce", "The request has no nonce, so that an answer to it could be replayed.")
    return nonce


def _response_uri(parameters: Mapping[str, Json]) -> str:
    """§8.2: where the answer goes. The `redirect_uri` prefix may say it alone (§5.9.3)."""
    if "redirect_uri" in parameters:
        raise Malformed("oid4vp.redirect_uri", "The request wants its answer sent to two places.")
    return endpoint(parameters.get("response_uri", _by_name(parameters)), what="address for the answer")


def _redirect_uri(parameters: Mapping[str, Json]) -> str:
    """§5.6: where the browser carries the answer, in a fragment; so the address itself may have none."""
    if "response_uri" in parameters:
        raise Malformed("oid4vp.redirect_uri", "The request wants its answer sent to two places.")
    return endpoint(parameters.get("redirect_uri", _by_name(parameters)), what="address for the answer")


def _by_name(parameters: Mapping[str, Json]) -> str | None:
    client_id = parameters.get("client_id")
    named = isinstance(client_id, str) and client_id.startswith(_UNSIGNED)
    return client_id.removeprefix(_UNSIGNED) if named and isinstance(client_id, str) else None


def _expected_origins(parameters: Mapping[str, Json], reader: Reader) -> tuple[str, ...]:
    """A.2: a signed request names the pages that may send it, compared as they are; unsigned ones cannot.

    Raises Malformed (`oid4vp.expected_origins`), Refused (`oid4vp.origin`).
    """
    if reader.origin is None or not reader.signed:
        return ()
    values = parameters.get("expected_origins")
    if not isinstance(values, list) or not 0 < len(values) <= MAX_ORIGINS:
        raise Malformed("oid4vp.expected_origins", "The signed request does not say which pages may send it.")
    if not all(isinstance(value, str) for value in values):
        raise Malformed("oid4vp.expected_origins", "The signed request does not say which pages may send it.")
    if reader.origin not in values:
        raise Refused("oid4vp.origin", "The request was made for another page than the one that sends it.")
    return tuple(values)


def _encryption_keys(metadata: Mapping[str, Json], mode: str) -> tuple[Mapping[str, Json], ...]:
    """§8.3: the keys that can be used; those that cannot are passed over."""
    if mode not in ENCRYPTED_MODES:
        return ()
    jwks = metadata.get("jwks")
    keys = jwks.get("keys") if isinstance(jwks, Mapping) else None
    usable = tuple(key for key in keys[:_MAX_KEYS] if jwe.is_usable(key)) if isinstance(keys, list) else ()
    if not usable:
        raise Unsupported("oid4vp.encryption_key", "The request wants an encrypted answer, but has no key for it.")
    return usable


def _enc_values(metadata: Mapping[str, Json], mode: str) -> tuple[str, ...]:
    if mode not in ENCRYPTED_MODES or "encrypted_response_enc_values_supported" not in metadata:
        return DEFAULT_ENC_VALUES
    values = metadata["encrypted_response_enc_values_supported"]
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Malformed("oid4vp.enc", "The request's list of content encryptions is not a list of names.")
    if not set(values).intersection(jwe.ENC_VALUES):
        raise Unsupported("oid4vp.enc", "The request wants its answer encrypted in a way that this wallet cannot.")
    return tuple(values)


def _formats(metadata: Mapping[str, Json]) -> Mapping[str, Json]:
    found = metadata.get("vp_formats_supported", {})
    if not isinstance(found, Mapping):
        raise Malformed("oid4vp.client_metadata", "The asker's list of formats is not an object.")
    return found


def _token(parameters: Mapping[str, Json], name: str) -> str | None:
    """A visible ASCII value of bounded length; None when absent."""
    value = text(parameters, name, what="request")
    if value is not None and not (0 < len(value) <= MAX_TEXT and value.isascii() and value.isprintable()):
        raise Malformed(f"oid4vp.{name}", f"{name!r} in the request is empty, too long, or holds odd characters.")
    return value


def _purpose(parameters: Mapping[str, Json], brought: Sequence[VerifierInfo]) -> str | None:
    """A sentence or nothing: what no specification defines cannot make a request wrong.

    Among the verifier info, or as a parameter of its own, where this house had it before.
    """
    said = [one.data.get("purpose") for one in brought if one.format == verifierinfo.PURPOSE and _is_object(one.data)]
    value = said[0] if said else parameters.get("purpose")
    return value if isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable() else None


def _is_object(value: Json) -> bool:
    return isinstance(value, Mapping)
