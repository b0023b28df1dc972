"""DID documents: which keys does this DID have, and what may each be used for (DID Core 1.1 §5)?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ssi.dids import multikey, services
from ssi.dids.services import Service, absolute
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
MAX_NAMES: Final = 64
_DID = re.compile(r"did:[a-z0-9]+:(?:[A-Za-z0-9._:-]|%[0-9A-Fa-f]{2})*(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20\x7f-\x9f\u2000-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+")
_MATERIAL: Final = ("publicKeyJwk", "publicKeyMultibase", "publicKeyBase58", "publicKeyHex")
_HEX = re.compile(r"(?:0[xX])?((?:[0-9A-Fa-f]{2}){1,512})")
_TYPES: Final[Mapping[str, str]] = {
    "Ed25519VerificationKey2018": "EdDSA",
    "Ed25519VerificationKey2020": "EdDSA",
    "EcdsaSecp256k1VerificationKey2019": "ES256K",
    "EcdsaSecp256k1RecoveryMethod2020": "ES256K",
    "Bls12381G2Key2020": "BBS",
    "X25519KeyAgreementKey2019": "none",
    "X25519KeyAgreementKey2020": "none",
}
"""Types that are for one kind of key, and the algorithm with which that kind verifies."""
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
    `controllers` and `also_known_as` are claims of the document, which nobody has checked; `controllers` are () where
    it names none.
    """

    id: str
    methods: Mapping[str, VerificationMethod]
    relationships: Mapping[str, tuple[str, ...]]
    json: Mapping[str, Json] = field(repr=False, compare=False)
    controllers: tuple[str, ...] = ()
    also_known_as: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()

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
        ids = [absolute(each, did) if isinstance(each, str) else _add(methods, each, did) for each in entries]
        relationships[name] = tuple(dict.fromkeys(ids))
    return DidDocument(
        did,
        methods,
        relationships,
        document,
        controllers=_controllers(document.get("controller", [])),
        also_known_as=_names(document.get("alsoKnownAs", [])),
        services=services.read(document.get("service", []), did=did),
    )


def _entries(document: Mapping[str, Json], name: str) -> list[Json]:
    entries = document.get(name, [])
    if not isinstance(entries, list) or len(entries) > MAX_METHODS:
        raise Malformed("did.document", f"{name!r} in the DID document is not a list of at most {MAX_METHODS} entries.")
    return entries


def _controllers(value: Json) -> tuple[str, ...]:
    """Who controls the document: a DID or several (§5.1.2). Raises Malformed (`did.document`, `did.syntax`)."""
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, list) or len(entries) > MAX_NAMES or not all(isinstance(each, str) for each in entries):
        raise Malformed("did.document", "The DID document's controllers are not DIDs.")
    return tuple(checked(each) for each in entries)


def _names(entries: Json) -> tuple[str, ...]:
    """Other names of the subject (§5.1.3): URIs. Raises Malformed (`did.document`)."""
    if not isinstance(entries, list) or len(entries) > MAX_NAMES:
        raise Malformed("did.document", f"The DID document's other names are not a list of at most {MAX_NAMES}.")
    if not all(isinstance(each, str) and len(each) <= 2 * MAX_DID and _URI.fullmatch(each) for each in entries):
        raise Malformed("did.document", "One of the DID document's other names is not a URI.")
    return tuple(entries)


def _add(methods: dict[str, VerificationMethod], entry: Json, did: str) -> str:
    if not isinstance(entry, Mapping):
        raise Malformed("did.document", "A verification method in the DID document is not an object.")
    what = "verification method"
    found = VerificationMethod(
        id=absolute(required_text(entry, "id", what=what), did),
        type=required_text(entry, "type", what=what),
        controller=required_text(entry, "controller", what=what),
        key=_key(entry),
        until=_until(entry),
    )
    if found.key is not None and _TYPES.get(found.type, found.key.algorithm.name) != found.key.algorithm.name:
        raise Malformed("did.document", "A verification method's key is not of the kind that its type says.")
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
    hexadecimal = text(method, "publicKeyHex")
    if sum(name in method for name in _MATERIAL) > 1:
        raise Malformed("did.document", "A verification method in the DID document states its key twice.")
    try:
        if "publicKeyJwk" in method:
            jwk = method["publicKeyJwk"]
            return secp256k1.from_jwk(jwk) if secp256k1.is_jwk(jwk) else PublicKey.from_jwk(jwk)
        if multibase is not None:
            return multikey.decode(multibase)
        if plain is not None:
            return _plain(unbase58(plain), text(method, "type"))
        if hexadecimal is not None:
            return _plain(_unhex(hexadecimal), text(method, "type"))
    except Unsupported:
        return None
    except Malformed as malformed:
        # A key for something else than signatures may well stand in a document, with an `alg` of its own.
        if malformed.code not in ("key.use", "key.jwk"):
            raise
    return None


def _unhex(written: str) -> bytes:
    match = _HEX.fullmatch(written)
    if match is None:
        raise Malformed("did.document", "A key of the DID document is not written in hexadecimal digits.")
    return bytes.fromhex(match[1])


def _plain(raw: bytes, kind: str | None) -> PublicKey | None:
    """A key in older forms that are nothing but its bytes: the method's type says what they are."""
    if kind in ("Ed25519VerificationKey2018", "Ed25519VerificationKey2020"):
        return PublicKey.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": b64url(raw)})
    return secp256k1.from_point(raw) if kind == "EcdsaSecp256k1VerificationKey2019" else None
