"""Whose key is this, as DIDKit sees it? Only identifiers that are resolved without a network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from ssi.encoding import Json, b64url, read_json_object
from ssi.errors import Malformed, Refused, Unsupported
from ssi.keys import PublicKey, Signer, SoftwareSigner
from ssi.legacy import secp256k1
from ssi.legacy.engine import engine

_OFFLINE: Final = re.compile(r"did:(key|jwk|pkh):[A-Za-z0-9._:-]{1,2000}")
_FRAGMENT: Final = re.compile(r"[A-Za-z0-9._:-]{1,512}")


def split(url: Json) -> tuple[str, str]:
    """A verification method's DID and fragment.

    Raises Malformed (`didkit.method`), Unsupported (`didkit.did_method`) for a DID that needs a network, or another
    method than did:key, did:jwk and did:pkh.
    """
    did, mark, fragment = url.partition("#") if isinstance(url, str) else ("", "", "")
    if not did.startswith("did:") or not mark or not _FRAGMENT.fullmatch(fragment):
        raise Malformed("didkit.method", "The proof's verification method is not a key's DID URL.")
    if not _OFFLINE.fullmatch(did):
        raise Unsupported("didkit.did_method", "Older proofs are read for did:key, did:jwk and did:pkh only.")
    return did, fragment


def public_key(url: str, *, purpose: str) -> PublicKey:
    """The key that DIDKit finds for a verification method that may be used for `purpose`.

    Raises Refused (`didkit.no_such_key`), Unsupported (`didkit.key`, `key.type`), Malformed, Unavailable.
    """
    did, _ = split(url)
    methods, allowed = _document(did)
    if url not in methods or url not in allowed.get(purpose, ()):
        raise Refused("didkit.no_such_key", "The signer's DID has no such key for this purpose.")
    key = methods[url]
    if key is None:
        raise Unsupported("didkit.key", "The signer's DID names an account, not a key.")
    return key


def default(did: str, *, purpose: str) -> str:
    """The one verification method that a DID has for `purpose`. Raises like `public_key`."""
    split(did + "#0")
    found = _document(did)[1].get(purpose, ())
    if len(found) != 1:
        raise Refused("didkit.no_such_key", "The signer's DID has not exactly one key for this purpose.")
    return found[0]


@lru_cache(maxsize=1024)
def _document(did: str) -> tuple[Mapping[str, PublicKey | None], Mapping[str, tuple[str, ...]]]:
    """Keys by verification method, and methods by purpose."""
    document = read_json_object(engine().call("dereference_did_url", did, "{}"), what="DID document")
    entries = document.get("verificationMethod")
    if document.get("id") != did or not isinstance(entries, list):
        raise Malformed("didkit.method", "The proof's verification method is not a key's DID URL.")
    methods = {str(each.get("id")): _key(each) for each in entries if each.get("controller") == did}
    allowed = {purpose: tuple(document.get(purpose, ())) for purpose in ("assertionMethod", "authentication")}
    return methods, allowed


def _key(method: Mapping[str, Json]) -> PublicKey | None:
    jwk = method.get("publicKeyJwk")
    if not isinstance(jwk, Mapping):
        return None
    return secp256k1.from_jwk(jwk) if secp256k1.is_jwk(jwk) else PublicKey.from_jwk(jwk)


def private_jwk(signer: Signer) -> dict[str, str]:
    """The signer's secret, which DIDKit needs to sign with. Never log, send or print it.

    Raises Unsupported (`didkit.signer`) for a signer that does not give its secret away.
    """
    if not isinstance(signer, SoftwareSigner):
        raise Unsupported("didkit.signer", "DIDKit signs only with a key whose secret it is given; this key keeps it.")
    native = signer.native
    if isinstance(native, ed25519.Ed25519PrivateKey):
        secret = native.private_bytes_raw()
    elif isinstance(native, ec.EllipticCurvePrivateKey):
        secret = native.private_numbers().private_value.to_bytes((native.key_size + 7) // 8, "big")
    return {**signer.public.jwk, "d": b64url(secret)}
