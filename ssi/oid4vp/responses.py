"""Responses: what a wallet sends back, and what the verifier reads in it (OpenID4VP 1.0 §8, A.4)?

By whichever way: a form that is posted, the same members in the fragment of an address, or an object for a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlencode

from ssi.encoding import Json, read_json_object, text, wire_json, wire_text, write_json
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.jose import jwe
from ssi.jose.jwe import DecryptionKey
from ssi.oid4vp import receipts as beside
from ssi.oid4vp.bindings import chosen_key
from ssi.oid4vp.modes import DC_MODES, ENCRYPTED_MODES
from ssi.oid4vp.parameters import AuthorizationRequest
from ssi.oid4vp.receipts import Receipt, Receipts
from ssi.oid4vp.urls import page

RESPONSE_MEDIA_TYPE = "application/x-www-form-urlencoded"
MAX_PRESENTATIONS = 64
MAX_DESCRIPTION = 1024


@dataclass(frozen=True)
class Response:
    """A wallet's answer: presentations by the query's ids, or an error. Nothing in it has been verified.

    `state` must be compared with the request's (§5.3, §14.3.2). `receipts` came beside the presentations.
    """

    vp_token: Mapping[str, tuple[str, ...]] | None
    error: str | None
    error_description: str | None
    state: str | None
    receipts: Receipts = field(default_factory=dict, repr=False)


NO_RECEIPTS: Mapping[str, Sequence[Receipt | None]] = MappingProxyType({})


def respond(
    request: AuthorizationRequest,
    vp_token: Mapping[str, Sequence[str]],
    *,
    receipts: Mapping[str, Sequence[Receipt | None]] = NO_RECEIPTS,
) -> dict[str, str]:
    """The form that a wallet posts to `response_uri`, encrypted where the request wants it (§8.1 to §8.3.1).

    In the modes `fragment` it is what the fragment says: see `fragment_url`. `receipts` go beside the presentations.
    Raises Malformed (`oid4vp.vp_token`) for what was not asked, Unsupported (`oid4vp.encryption_key`, `oid4vp.enc`).
    """
    return _form(request, {**_answer(request, vp_token), **beside.members(vp_token, receipts)})


def respond_to_page(
    request: AuthorizationRequest,
    vp_token: Mapping[str, Sequence[str]],
    *,
    receipts: Mapping[str, Sequence[Receipt | None]] = NO_RECEIPTS,
) -> dict[str, Json]:
    """The `data` object that a wallet gives the browser for the page that asked (A.4). Raises as `respond`."""
    members = {**_answer(request, vp_token), **beside.members(vp_token, receipts)}
    return {"response": _encrypted(request, members)} if request.encrypted else members


def fragment_url(request: AuthorizationRequest, form: Mapping[str, str]) -> str:
    """Where the wallet sends the person's browser with an answer in the modes `fragment` (§5.6, RFC 6749 §4.2.2)."""
    return f"{request.redirect_uri}#{urlencode(form)}"


def decline(request: AuthorizationRequest, *, error: str = "access_denied", description: str) -> dict[str, str]:
    """The form that says no (§8.5); encrypted like an answer where that is possible (§5.6, §8.3.1)."""
    plain = "".join(c if c not in '"\\' and c.isascii() and c.isprintable() else "'" for c in description)
    members = {"error": error, "error_description": plain[:MAX_DESCRIPTION]}
    try:
        return _form(request, members)
    except Unsupported:
        return {**members, **_state_of(request)}


def decline_page(*, error: str = "access_denied") -> dict[str, Json]:
    """The `data` object that says no to a page: the code and nothing else, never encrypted (A.4)."""
    return {"error": error}


_ERRORS = {
    "oid4vp.known_client": "invalid_client",
    "oid4vp.request_uri_method": "invalid_request_uri_method",
    "oid4vp.transaction_data": "invalid_transaction_data",
    "oid4vp.transaction_type": "invalid_transaction_data",
    "oid4vp.transaction_missing": "access_denied",  # "the referenced credentials are not available": nobody's business
    "oid4vp.formats": "vp_formats_not_supported",
    "oid4vp.scope": "invalid_scope",
    "oid4vp.response_type": "unsupported_response_type",
}


def error_for(problem: SsiError) -> str:
    """The OAuth error code that tells an asker what is wrong with its request (§8.5)."""
    return _ERRORS.get(problem.code, "invalid_request")


def read_response(form: Mapping[str, str], *, response_mode: str, keys: Sequence[DecryptionKey]) -> Response:
    """Read what a wallet posted, or what a fragment held, by §8.1: an object of arrays by query id, or an error.

    Raises Malformed (`oid4vp.*`, `jose.*`, `encoding.*`), Refused (`oid4vp.not_encrypted`, `jose.jwe_key`,
    `jose.jwe_tag`), Unsupported (`jose.*`).
    """
    encrypted = form.get("response")
    if response_mode in ENCRYPTED_MODES and encrypted is not None:
        payload = jwe.decrypt(encrypted, keys=keys)
        return _read({**_state(form), **read_json_object(payload, what="response")})
    if response_mode in ENCRYPTED_MODES and "error" not in form:  # §8.3.1: only an error may come unencrypted
        raise Refused("oid4vp.not_encrypted", "The answer was to be encrypted, and is not.")
    members: dict[str, Json] = dict(form)
    if "vp_token" in members:
        members["vp_token"] = read_json_object(form["vp_token"], what="vp_token")
    return _read(members)


def read_page_response(data: Json, *, response_mode: str, keys: Sequence[DecryptionKey]) -> Response:
    """Read the `data` of the DigitalCredential that a page got (A.4); it has no `state`. Raises as `read_response`."""
    if not isinstance(data, Mapping):
        raise Malformed("oid4vp.page_response", "What the page was given is not an object.")
    if response_mode not in DC_MODES:
        raise Refused("oid4vp.response_mode", "The answer came through a page, and was asked for another way.")
    if response_mode in ENCRYPTED_MODES and "response" in data:
        payload = jwe.decrypt(text(data, "response", what="response") or "", keys=keys)
        return _read(read_json_object(payload, what="response"))
    if response_mode in ENCRYPTED_MODES and "error" not in data:
        raise Refused("oid4vp.not_encrypted", "The answer was to be encrypted, and is not.")
    return _read(data)


def read_receipt(body: bytes) -> str | None:
    """Where the verifier wants the person to go on, from its answer to a response (§8.2); None when nowhere.

    Raises Malformed (`oid4vp.url`, `encoding.*`).
    """
    members = read_json_object(body, what="verifier's answer")
    return page(members["redirect_uri"], what="address to go on to") if "redirect_uri" in members else None


def _answer(request: AuthorizationRequest, vp_token: Mapping[str, Sequence[str]]) -> dict[str, Json]:
    """§8.1: presentations by query id, each as its format has it."""
    for query_id, presentations in vp_token.items():
        asked = request.query.credential(query_id)
        if asked is None or not presentations or (len(presentations) > 1 and not asked.multiple):
            raise Malformed("oid4vp.vp_token", "The answer holds presentations that the request did not ask for.")
    return {"vp_token": {name: [wire_json(one) for one in some] for name, some in vp_token.items()}}


def _form(request: AuthorizationRequest, members: Mapping[str, Json]) -> dict[str, str]:
    state = _state_of(request)
    if request.encrypted:
        return {"response": _encrypted(request, {**members, **state})}
    plain = {name: value if isinstance(value, str) else write_json(value).decode() for name, value in members.items()}
    return {**plain, **state}


def _encrypted(request: AuthorizationRequest, members: Mapping[str, Json]) -> str:
    key = chosen_key(request)
    enc = next((value for value in jwe.ENC_VALUES if value in request.enc_values), None)
    if key is None:
        raise Unsupported("oid4vp.encryption_key", "The request wants an encrypted answer, but has no key for it.")
    if enc is None:
        raise Unsupported("oid4vp.enc", "The request wants its answer encrypted in a way that this wallet cannot.")
    return jwe.encrypt(write_json(members), jwk=key, enc=enc)


def _state_of(request: AuthorizationRequest) -> dict[str, str]:
    return {} if request.state is None or request.response_mode in DC_MODES else {"state": request.state}


def _state(form: Mapping[str, str]) -> dict[str, str]:
    return {"state": form["state"]} if "state" in form else {}


def _read(members: Mapping[str, Json]) -> Response:
    error, description = text(members, "error", what="response"), text(members, "error_description", what="response")
    state = text(members, "state", what="response")
    if (error is None) == ("vp_token" not in members) or error == "":
        raise Malformed("oid4vp.vp_token", "The answer holds neither presentations nor an error, or both.")
    if error is not None:
        return Response(None, error[:MAX_DESCRIPTION], description and description[:MAX_DESCRIPTION], state)
    token = _vp_token(members["vp_token"])
    return Response(token, None, None, state, beside.read(members.get(beside.PARAMETER), token))


def _vp_token(token: Json) -> Mapping[str, tuple[str, ...]]:
    """§8.1: every value is a non-empty array, also of a single presentation."""
    if not isinstance(token, Mapping) or not 0 < len(token) <= MAX_PRESENTATIONS:
        raise Malformed("oid4vp.vp_token", "The vp_token is not an object with an entry for each credential asked for.")
    for presentations in token.values():
        if not isinstance(presentations, list) or not 0 < len(presentations) <= MAX_PRESENTATIONS:
            raise Malformed("oid4vp.vp_token", "An entry of the vp_token is not an array of presentations.")
    return {query_id: tuple(_wire(one) for one in presentations) for query_id, presentations in token.items()}


def _wire(presentation: Json) -> str:
    """§8.1: "string or object, depending on the Credential Format"."""
    wire = wire_text(presentation)
    if wire is None:
        raise Malformed("oid4vp.vp_token", "A presentation in the vp_token is neither a text nor an object.")
    return wire
