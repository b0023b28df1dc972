"""Clients known beforehand: whom does this wallet know without a certificate (OpenID4VP 1.0 §5.9.2)?

They have no prefix. What is registered about them counts, and nothing that a request says about them beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ssi.encoding import Json, read_json_object
from ssi.errors import Malformed, SsiError
from ssi.keys import PublicKey
from ssi.oid4vp.urls import endpoint

PREREGISTERED = "pre-registered"


@dataclass(frozen=True)
class Client:
    """A client as it was registered: its name, where its answers may go, and its metadata (RFC 7591 §2).

    `origins` are the pages that may ask for it. Keys of its `jwks` whose use is "sig" must sign its requests; those for
    encryption take its answers.
    """

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]
    origins: tuple[str, ...] = ()
    metadata: Mapping[str, Json] = field(default_factory=dict, repr=False)

    @property
    def signing_keys(self) -> Mapping[str, PublicKey]:
        """Its keys for signatures, by `kid`; none for a client whose requests come unsigned."""
        jwks = self.metadata.get("jwks")
        keys = jwks.get("keys", []) if isinstance(jwks, Mapping) else []
        return {
            str(key.get("kid", "")): PublicKey.from_jwk(key)
            for key in keys
            if isinstance(key, Mapping) and key.get("use") == "sig"
        }


Clients = Mapping[str, Client]
"""Known clients, by client identifier."""


def read_clients(content: bytes) -> dict[str, Client]:
    """A JSON list of known clients: {client_id: {"name", "redirect_uris", "origins", "metadata"}}.

    Raises Malformed (`oid4vp.clients`, `encoding.*`, `oid4vp.url`).
    """
    listed = read_json_object(content, what="list of known askers")
    return {client_id: _client(client_id, members) for client_id, members in listed.items()}


def _client(client_id: str, members: Json) -> Client:
    wrong = Malformed("oid4vp.clients", "A known asker needs a name, addresses for its answers, and metadata.")
    if (
        not isinstance(members, Mapping)
        or not client_id
        or set(members) - {"name", "redirect_uris", "origins", "metadata"}
    ):
        raise wrong
    name, metadata = members.get("name"), members.get("metadata", {})
    places = [members.get(one, []) for one in ("redirect_uris", "origins")]
    if not isinstance(name, str) or not name or not isinstance(metadata, Mapping):
        raise wrong
    if not all(isinstance(one, list) and all(isinstance(url, str) for url in one) for one in places) or not any(places):
        raise wrong
    redirect_uris = tuple(endpoint(url, what="known asker's address") for url in places[0])
    client = Client(client_id, name, redirect_uris, tuple(places[1]), metadata)
    try:
        _ = client.signing_keys
    except SsiError:
        raise wrong from None
    return client
