"""Refusals: what does a wallet answer to a request that it will not show to anybody (OpenID4VP 1.0 §8.5)?

Only to somebody who has proved that they ask, and at an address that is theirs: everybody else is not answered. What is
said depends on the request alone, never on what the person holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ssi.encoding import Json, text
from ssi.errors import Refused, SsiError
from ssi.jose import jws
from ssi.model import KeyResolver
from ssi.oid4vp.askers import Evidence, authenticate
from ssi.oid4vp.clients import Clients
from ssi.oid4vp.links import RequestLink
from ssi.oid4vp.modes import FRAGMENT_MODES
from ssi.oid4vp.requests import MAX_REQUEST_BYTES, REQUEST_TYPE, check_audience, check_client, check_times
from ssi.oid4vp.responses import error_for
from ssi.oid4vp.urls import endpoint

_SILENT = frozenset({"oid4vp.expired", "oid4vp.not_yet_valid", "oid4vp.wallet_nonce", "oid4vp.client_id_mismatch"})
"""A request that is old, or was made for another question: it may have been replayed, so nobody is waiting."""


@dataclass(frozen=True)
class Refusal:
    """An error to post to `response_uri`; never encrypted, for the request may hold nothing to encrypt it with."""

    response_uri: str
    form: Mapping[str, str]


def refuse(
    problem: SsiError,
    token: str | None,
    *,
    link: RequestLink,
    keys: KeyResolver,
    now: datetime,
    clients: Clients | None = None,
) -> Refusal | None:
    """The error that tells an authenticated asker why its request cannot be taken, or None where nobody is told.

    `problem` is what `open_request` raised for this token and link. Never raises SsiError.
    """
    source = token if token is not None else link.request
    if source is None or problem.code in _SILENT:
        return None
    try:
        signed = jws.parse(source, typ=(REQUEST_TYPE,), max_bytes=MAX_REQUEST_BYTES)
        said = signed.claims
        check_client(said, link.client_id, clients=clients or {})
        check_times(said, now)
        check_audience(said, link.request_uri)
        uri = _response_uri(said)
        authenticate(signed, link.client_id, Evidence(keys, now, destination=uri, clients=clients or {}))
        state = text(said, "state", what="request")
    except SsiError:
        return None
    return Refusal(uri, {"error": error_for(problem), **({"state": state} if state else {})})


def _response_uri(said: Mapping[str, Json]) -> str:
    """Where answers are posted; a request by fragment has no such place. Raises Malformed, Refused (`oid4vp.url`)."""
    if said.get("response_mode") in FRAGMENT_MODES:
        raise Refused("oid4vp.url", "The request takes no answer by post.")
    return endpoint(said.get("response_uri"), what="address for the answer")
