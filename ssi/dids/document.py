"""DID documents: which keys does this DID have, and what may each be used for (DID Core 1.0 §5)?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ssi.dids import multikey
from ssi.encoding import Json, b64url, required_text, text, unbase58
from ssi.errors import Malformed, Refused, Unsupported
from ssi.keys import PublicKey
from ssi.legacy import secp256k1
from ssi.vcdm.values import moment

RELATIONSHIPS: Final = (
    "authentication",
    "assertionMethod",
    "keyAgreement",
    "capabilityInvocation",
    "capabilityDelegation",
)
MAX_DID: Final = 2048
MAX_METHODS: Final = 64
_DID = re.compile(r"did:[a-z0-9]+:(?:[A-Za-z0-9._:-]|%[0-9A-Fa-f]{2})*(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})")
_FRAGMENT = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@/?%-]+")


@dataclass(frozen=True)
class VerificationMethod:
    """One key of a document. `key` is None when it is of a kind that this house does not verify with (X25519 …).

    `until`: when it expires or was revoked, whichever is first (Controlled Identifiers 1.0 §2.2).
    """

    id: str
    type: str
    controller: str
    key: PublicKey | None
    until: datetime | None = None


@dataclass(frozen=True)
class DidDocument:
    """A resolved document. `relationships` lists, by name, the ids of the methods that may be used so.

    A method embedded in one relationship serves that relationship only. `json` is the document as it came.
    """

    id: str
    methods: Mapping[str, VerificationMethod]
    relationships: Mapping[str, tuple[str, ...]]
    json: Mapping[str, Json] = field(repr=False, compare=False)

    def key(self, url: str, *, relationship: str, now: datetime) -> PublicKey:
        """The key that `url` names (a DID URL; without a fragment: the only key) if it may be used for `relationship`.

        Raises Refused (`did.no_such_key`, `did.which_key`, `did.revoked_key`), Unsupported (`did.key_type`).
        """
        allowed = self.relationships.get(relationship, ())
        if "#" not in url:
            if len(allowed) != 1:
                raise Refused("did.which_key", "The signer's DID has not exactly one key, and the signer names none.")
            url = allowed[0]
        method = self.methods.get(url)
        if method is None or url not in allowed:
            raise Refused("did.no_such_key", f"The DID document has no such key for {relationship}.")
        if method.until is not None and now >= method.until:  # CID §2.2: no proofs "at or after the time of revocation"
            raise Refused("did.revoked_key", "The DID's key has been revoked, or has expired.")
        if method.key is None:
            raise Unsupported("did.key_type", "The DID's key is of a type this service does not accept.")
        return method.key


def split(url: str) -> tuple[str, str | None]:
    """A DID URL's DID and fragment. Raises Malformed (`did.syntax`), Unsupported (`did.url`) for a path or query.

    >>> split("did:key:z6Mk#z6Mk")
    ('did:key:z6Mk', 'z6Mk')
    """
    did, mark, fragment = url.partition("#")
    if len(url) > MAX_DID + 512 or (mark and not _FRAGMENT.fullmatch(fragment)):
        raise Malformed("did.syntax", "The text is not a DID URL.")
    if "?" in did or "/" in did:
        raise Unsupported("did.url", "DID URLs with a path or a query are not read here.")
    return checked(did), fragment if mark else None


def checked(did: str) -> str:
    """The same text, if it is a DID (DID Core 1.0 §3.1). Raises Malformed (`did.syntax`)."""
    if len(did) > MAX_DID or not _DID.fullmatch(did):
        raise Malformed("did.syntax", "The text is not a DID.")
    return did


def parse(document: Json, *, did: str) -> DidDocument:
    """Read a document that was resolved for `did`, in its JSON form; its `@context` is not processed.

    Raises Malformed (`did.document`, `did.id`, `encoding.*`, `key.*`).
    """
    if not isinstance(document, Mapping):
        raise Malformed("did.document", "The DID document is not a JSON object.")
    if document.get("id") != did:
        raise Malformed("did.id", "The DID document is about another DID than the one asked for.")
    methods: dict[str, VerificationMethod] = {}
    for entry in _entries(document, "verificationMethod"):
        _add(methods, entry, did)
    relationships: dict[str, tuple[str, ...]] = {}
    for name in RELATIONSHIPS:
        entries = _entries(document, name)
        ids = [_absolute(each, did) if isinstance(each, str) else _add(methods, each, did) for each in entries]
        relationships[name] = tuple(dict.fromkeys(ids))
    return DidDocument(did, methods, relationships, document)


def _entries(document: Mapping[str, Json], name: str) -> list[Json]:
    entries = document.get(name, [])
    if not isinstance(entries, list) or len(entries) > MAX_METHODS:
        raise Malformed("did.document", f"{name!r} in the DID document is not a list of at most {MAX_METHODS} entries.")
    return entries


def _absolute(url: str, did: str) -> str:
    """Relative DID URLs are this document's own (DID Core 1.0 §3.2.2)."""
    return did + url if url.startswith("#") else url


def _add(methods: dict[str, VerificationMethod], entry: Json, did: str) -> str:
    if not isinstance(entry, Mapping):
        raise Malformed("did.document", "A verification method in the DID document is not an object.")
    what = "verification method"
    found = VerificationMethod(
        id=_absolute(required_text(entry, "id", what=what), did),
        type=required_text(entry, "type", what=what),
        controller=required_text(entry, "controller", what=what),
        key=_key(entry),
        until=_until(entry),
    )
    if methods.setdefault(found.id, found) != found:
        raise Malformed("did.document", "Two verification methods of the DID document have the same id.")
    return found.id


def _until(method: Mapping[str, Json]) -> datetime | None:
    """The end of a key's use. Raises Malformed (`did.document`) for a time that nobody can read."""
    try:
        ends = [moment(method, name, zone_required=True) for name in ("expires", "revoked")]
    except (Malformed, Unsupported):
        raise Malformed("did.document", "A key of the DID document ends at a time that cannot be read.") from None
    return min((end for end in ends if end is not None), default=None)


def _key(method: Mapping[str, Json]) -> PublicKey | None:
    """The method's public key, in whichever member it stands; None when it is of a kind not accepted here."""
    multibase, plain = text(method, "publicKeyMultibase"), text(method, "publicKeyBase58")
    if sum(name in method for name in ("publicKeyJwk", "publicKeyMultibase", "publicKeyBase58")) > 1:
        raise Malformed("did.document", "A verification method in the DID document states its key twice.")
    try:
        if "publicKeyJwk" in method:
            jwk = method["publicKeyJwk"]
            return secp256k1.from_jwk(jwk) if secp256k1.is_jwk(jwk) else PublicKey.from_jwk(jwk)
        if multibase is not None:
            return multikey.decode(multibase)
        if plain is not None and method.get("type") == "Ed25519VerificationKey2018":
            return PublicKey.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": b64url(unbase58(plain))})
    except Unsupported:
        return None
    except Malformed as malformed:
        # A key for something else than signatures may well stand in a document, with an `alg` of its own.
        if malformed.code not in ("key.use", "key.jwk"):
            raise
    return None
