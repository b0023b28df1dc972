"""did:peer: the identifier carries its own document, for those it was given to (did:peer 1.0, numalgo 0, 2 and 4).

0 is one key; 2 lists keys and services; 4 holds a whole document, and its short form is the hash of that. Short forms
(of 4, and 3 for those of 2) say nothing to who has not seen the long one: `Sources.peers` holds those that were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from ssi.dids import keyformats, multikey
from ssi.dids.document import MAX_DID, RELATIONSHIPS, DidDocument, checked, parse
from ssi.dids.keyformats import Form
from ssi.dids.services import MAX_SERVICES
from ssi.dids.sources import Resolved, Sources, Version, only_current
from ssi.encoding import Json, b64url, base58, read_json_object, unb64url, unbase58, write_json
from ssi.errors import Malformed, Refused, Unsupported

NAME: Final = "peer"
_PREFIX: Final = "did:peer:"
_MULTIHASH: Final = b"\x12\x20"  # sha2-256, 32 bytes
_JSON: Final = b"\x80\x04"  # multicodec json (0x0200) as a varint
PURPOSES: Final[Mapping[str, str]] = {
    "A": "assertionMethod",
    "E": "keyAgreement",
    "V": "authentication",
    "I": "capabilityInvocation",
    "D": "capabilityDelegation",
}
"""What a key of a did:peer:2 is for, by the letter before it."""
_SHORT: Final = {"type": "t", "serviceEndpoint": "s", "routingKeys": "r", "accept": "a"}
_LONG: Final = {short: name for name, short in _SHORT.items()}
_TYPES: Final = {"dm": "DIDCommMessaging"}


def resolve(did: str, *, sources: Sources, version: Version, now: datetime) -> Resolved:  # a DID that never changes
    """The document that the DID carries, or that its long form among `sources.peers` carries.

    Raises Malformed (`did.peer`, …), Refused (`did.not_found`) for a short form whose long form is not known,
    Unsupported (`did.version`).
    """
    only_current(version)
    long = sources.peers.get(did)
    if long is not None and long.startswith(_PREFIX) and short_form(long) == did:
        return Resolved(_renamed(expand(long), did, long))
    return Resolved(expand(did))


@lru_cache(maxsize=1024)
def expand(did: str) -> DidDocument:
    """The document that the DID itself carries. Raises like `resolve`."""
    numalgo = did[len(_PREFIX) : len(_PREFIX) + 1] if did.startswith(_PREFIX) else ""
    read = _NUMALGOS.get(numalgo)
    if read is None and numalgo.isdigit():
        raise Unsupported("did.peer_kind", "The DID is not a did:peer of a kind that is read here (0, 2, 4).")
    if read is None:
        raise Malformed("did.peer", "The DID is not a did:peer.")
    return parse(read(checked(did)), did=did)


def short_form(did: str) -> str:
    """The short form of a did:peer:2 (it is a did:peer:3) or of a long did:peer:4. Raises Malformed (`did.peer`)."""
    rest = did.removeprefix(_PREFIX)
    if rest.startswith("4z") and rest.count(":") == 1:
        return did.rpartition(":")[0]
    if rest.startswith("2."):
        return f"{_PREFIX}3{_hash(rest[1:])}"
    raise Malformed("did.peer", "The did:peer has no short form.")


def of_key(text: str) -> str:
    """The did:peer:0 of a Multikey text."""
    multikey.read(text)
    return f"{_PREFIX}0{text}"


def of_keys(keys: Sequence[tuple[str, str]], services: Iterable[Mapping[str, Json]] = ()) -> str:
    """The did:peer:2 of keys, each a letter of `PURPOSES` and a Multikey text, and of services.

    Raises Malformed (`did.peer`, `multikey.*`) for what cannot be read again.
    """
    elements = [purpose + text for purpose, text in keys]
    elements += ["S" + b64url(write_json(_renamed_members(dict(each), _abbreviated))) for each in services]
    did = f"{_PREFIX}2" + "".join("." + element for element in elements)
    expand(did)
    return did


def of_document(document: Mapping[str, Json]) -> str:
    """The long did:peer:4 of a document, which has no `id` and names its own parts by relative URLs.

    Raises Malformed (`did.peer`, `did.*`) for what cannot be read again.
    """
    encoded = "z" + base58(_JSON + write_json(dict(document)))
    did = f"{_PREFIX}4{_hash(encoded)}:{encoded}"
    expand(did)
    return did


def _one_key(did: str) -> dict[str, Json]:
    """Numalgo 0: the key, and the encryption key that an Ed25519 key gives ("algorithmic derivations thereof")."""
    name = did[len(_PREFIX) + 1 :]
    if not name.startswith("z"):
        raise Malformed("did.peer", "The key of the did:peer is not in base58.")
    return keyformats.described(did, name, Form(encryption=multikey.read(name).kind == "ed25519-pub"))


def _keys_and_services(did: str) -> dict[str, Json]:
    """Numalgo 2 ("Resolving a did:peer:2")."""
    first, *elements = did[len(_PREFIX) + 1 :].split(".")
    if first or not elements or len(elements) > 2 * MAX_SERVICES:
        raise Malformed("did.peer", "The did:peer has no elements, or too many.")
    methods: list[Json] = []
    related: dict[str, list[Json]] = {}
    services: list[dict[str, Json]] = []
    unnamed = 0
    for element in elements:
        purpose, rest = element[:1], element[1:]
        if purpose == "S":
            services.append(_service(rest))
            if "id" not in services[-1]:
                services[-1]["id"], unnamed = (f"#service-{unnamed}" if unnamed else "#service"), unnamed + 1
        else:
            methods.append(_method(did, f"#key-{len(methods) + 1}", purpose, rest))
            related.setdefault(PURPOSES[purpose], []).append(methods[-1]["id"])
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "alsoKnownAs": [short_form(did)],
        "verificationMethod": methods,
        **related,
        **({"service": services} if services else {}),
    }


def _method(did: str, name: str, purpose: str, text: str) -> dict[str, Json]:
    if purpose not in PURPOSES or not text.startswith("z"):
        raise Malformed("did.peer", "An element of the did:peer is neither a key nor a service.")
    if multikey.read(text).agrees and PURPOSES[purpose] != "keyAgreement":
        raise Malformed("did.peer", "A key of the did:peer that only agrees on secrets is listed for signing.")
    return {"id": name, "type": "Multikey", "controller": did, "publicKeyMultibase": text}


def _service(text: str) -> dict[str, Json]:
    """One service, its abbreviations written out."""
    data = unb64url(text, what="service of the did:peer")
    found: dict[str, Json] = _renamed_members(
        read_json_object(data, what="service of the did:peer", max_bytes=MAX_DID), _LONG.get
    )
    found["type"] = _TYPES.get(str(found.get("type")), found.get("type"))
    if not isinstance(name := found.get("id", "#"), str) or not name.startswith("#"):
        raise Malformed("did.peer", "A service of the did:peer has an id that is not relative.")
    return found


def _abbreviated(name: str) -> str | None:
    return _SHORT.get(name)


def _renamed_members(value: Json, names: Callable[[str], str | None]) -> Json:
    """The value with the members of its objects renamed, at every depth (which `read_json` bounds)."""
    if isinstance(value, list):
        return [_renamed_members(each, names) for each in value]
    if not isinstance(value, Mapping):
        return value
    found = {names(name) or name: _renamed_members(each, names) for name, each in value.items()}
    if len(found) != len(value):
        raise Malformed("did.peer", "A service of the did:peer has one member under two names.")
    return found


def _whole_document(did: str) -> dict[str, Json]:
    """Numalgo 4, long form ("Resolving a DID")."""
    digest, colon, encoded = did[len(_PREFIX) + 1 :].partition(":")
    if not colon:
        raise Refused("did.not_found", "This is the short form of a did:peer, and its long form is not known here.")
    if not encoded.startswith("z") or digest != _hash(encoded):
        raise Malformed("did.peer", "The did:peer's document is not the one that its hash was made of.")
    data = unbase58(encoded[1:], max_length=MAX_DID)
    if not data.startswith(_JSON):
        raise Malformed("did.peer", "The did:peer holds no JSON document.")
    document = read_json_object(data[len(_JSON) :], what="DID document", max_bytes=MAX_DID)
    if "id" in document:
        raise Malformed("did.peer", "The did:peer's document names itself, which only its hash may do.")
    known = document.get("alsoKnownAs", [])
    if not isinstance(known, list):
        raise Malformed("did.peer", "The other names in the did:peer's document are not a list.")
    return _controlled({**document, "id": did, "alsoKnownAs": [*known, short_form(did)]}, did)


def _controlled(document: dict[str, Json], did: str) -> dict[str, Json]:
    """Methods without a controller are the DID's own."""

    def own(entry: Json) -> Json:
        return {"controller": did, **entry} if isinstance(entry, Mapping) else entry

    for place in ("verificationMethod", *RELATIONSHIPS):
        if isinstance(entries := document.get(place), list):
            document[place] = [own(entry) for entry in entries]
    return document


def _no_document(did: str) -> dict[str, Json]:
    raise Refused("did.not_found", "This is the short form of a did:peer, and its long form is not known here.")


def _renamed(document: DidDocument, short: str, long: str) -> DidDocument:
    """The same document as the short form's, which it calls also known as its long form."""
    json = {**document.json, "id": short}
    known = [each for each in json.get("alsoKnownAs", []) if each != short]
    json["alsoKnownAs"] = [*known, long]
    for place in ("verificationMethod", *RELATIONSHIPS):
        if isinstance(entries := json.get(place), list):
            json[place] = [
                {**entry, "controller": short}
                if isinstance(entry, Mapping) and entry.get("controller") == long
                else entry
                for entry in entries
            ]
    return parse(json, did=short)


def _hash(text: str) -> str:
    return "z" + base58(_MULTIHASH + hashlib.sha256(text.encode("ascii")).digest())


_NUMALGOS: Final[Mapping[str, Callable[[str], dict[str, Json]]]] = {
    "0": _one_key,
    "2": _keys_and_services,
    "3": _no_document,
    "4": _whole_document,
}
