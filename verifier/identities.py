"""By which names do wallets know this verifier, and how does it prove them (OpenID4VP 1.0 §5.9.3)?

One key stands behind all of them: the access key. A certificate, a DID document or an attestation says whose it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ssi import dids, oid4vp
from ssi.dids import jwk as did_jwk
from ssi.dids import key as did_key
from ssi.dids import web as did_web
from ssi.encoding import Json, read_json, required_text
from ssi.errors import Malformed, Refused
from ssi.jose import jws
from ssi.keys import PublicKey, SoftwareSigner
from ssi.oid4vp import RequestSigner, VerifierInfo
from ssi.trust import x509
from verifier.settings import VerifierSettings

_FRAGMENT: Final = "access"
"""What the access key is called in the did:web document."""


def identities(settings: VerifierSettings) -> tuple[RequestSigner, ...]:
    """Every name that the settings list, in their order; () for one that only says where answers go.

    Raises Malformed, Refused (`settings.*`, `trust.*`, `key.*`).
    """
    key = read_file(settings.access_key)
    return tuple(_KINDS[prefix](settings, key) for prefix in settings.prefixes if prefix != oid4vp.UNSIGNED)


def did_document(settings: VerifierSettings) -> Mapping[str, Json] | None:
    """The document to publish for a did:web; None when this verifier has none. Raises like `identities`."""
    if oid4vp.DID not in settings.prefixes or settings.did_method != "web":
        return None
    signer = SoftwareSigner.from_pkcs8(read_file(settings.access_key))
    return did_web.document(_did_web(settings), {_FRAGMENT: signer.public})


def info(settings: VerifierSettings) -> tuple[VerifierInfo, ...]:
    """What others say about this verifier (§5.11), as its file has it. Raises Malformed (`settings.verifier_info`)."""
    if settings.verifier_info is None:
        return ()
    entries = read_json(read_file(settings.verifier_info), what="file in --verifier-info")
    if not isinstance(entries, list):
        raise _no_info()
    return tuple(_statement(entry) for entry in entries)


def _statement(entry: Json) -> VerifierInfo:
    if not isinstance(entry, Mapping):
        raise _no_info()
    form, data, ids = entry.get("format"), entry.get("data"), entry.get("credential_ids", [])
    if not isinstance(form, str) or not form or not isinstance(data, str | Mapping) or not isinstance(ids, list):
        raise _no_info()
    return VerifierInfo(form, data, tuple(map(str, ids)))


def _no_info() -> Malformed:
    sentence = "--verifier-info must name a JSON list of objects with format and data (OpenID4VP 1.0, section 5.11)."
    return Malformed("settings.verifier_info", sentence)


def read_file(path: Path) -> bytes:
    """A file that settings name. Raises Malformed (`settings.file`) when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        sentence = f"{path} cannot be read; `facet-issuer bootstrap` makes what is missing."
        raise Malformed("settings.file", sentence) from None


def _by_hash(settings: VerifierSettings, key: bytes) -> RequestSigner:
    """The hash of the access certificate; HAIP 1.0 §5 demands this one."""
    signer, chain, _ = _certified(settings, key)
    return RequestSigner(oid4vp.x509_hash_client_id(chain[0]), signer, x5c=chain)


def _by_name(settings: VerifierSettings, key: bytes) -> RequestSigner:
    """The host of the base URL, which the access certificate must name."""
    signer, chain, leaf = _certified(settings, key)
    host = _host(settings)
    if host not in leaf.dns_names:
        raise Refused("settings.access_cert", "The certificate in --access-cert does not name the host of --base-url.")
    return RequestSigner(f"{oid4vp.SAN}:{host}", signer, x5c=chain)


def _by_did(settings: VerifierSettings, key: bytes) -> RequestSigner:
    """A DID of the access key; of a did:web this service publishes the document."""
    public = SoftwareSigner.from_pkcs8(key).public
    url = _DID_URLS[settings.did_method](settings, public)
    did = dids.split(url)[0]
    return RequestSigner(f"{oid4vp.DID}:{did}", SoftwareSigner.from_pkcs8(key, name=url))


def _by_attestation(settings: VerifierSettings, key: bytes) -> RequestSigner:
    """What a party that wallets trust says of the access key (§12)."""
    signer = SoftwareSigner.from_pkcs8(key)
    try:
        token = read_file(settings.verifier_attestation).decode("ascii").strip()
        claims = jws.parse(token, typ=(oid4vp.ATTESTATION_TYPE,)).claims
        name, confirmed = required_text(claims, "sub", what="attestation"), claims.get("cnf")
        known = PublicKey.from_jwk(confirmed.get("jwk") if isinstance(confirmed, Mapping) else None)
    except UnicodeDecodeError:
        raise Malformed("settings.verifier_attestation", "--verifier-attestation is not a JWT.") from None
    if known != signer.public:
        sentence = "The attestation in --verifier-attestation is not for the key in --access-key."
        raise Refused("settings.verifier_attestation", sentence)
    return RequestSigner(f"{oid4vp.ATTESTATION}:{name}", signer, attestation=token)


_KINDS: Mapping[str, Callable[[VerifierSettings, bytes], RequestSigner]] = {
    oid4vp.HASH: _by_hash,
    oid4vp.SAN: _by_name,
    oid4vp.DID: _by_did,
    oid4vp.ATTESTATION: _by_attestation,
}
_DID_URLS: Mapping[str, Callable[[VerifierSettings, PublicKey], str]] = {
    "web": lambda settings, _public: f"{_did_web(settings)}#{_FRAGMENT}",
    "jwk": lambda _settings, public: did_jwk.url(public),
    "key": lambda _settings, public: did_key.url(public),
}


def _certified(settings: VerifierSettings, key: bytes) -> tuple[SoftwareSigner, tuple[bytes, ...], x509.Leaf]:
    chain = x509.read_certificates(read_file(settings.access_cert))
    signer, leaf = SoftwareSigner.from_pkcs8(key), x509.leaf(chain)
    if leaf.public != signer.public:
        raise Refused("settings.access_key", "--access-key is not the key of the certificate in --access-cert.")
    return signer, chain, leaf


def _did_web(settings: VerifierSettings) -> str:
    if not settings.service.secure:
        raise Refused("settings.did_method", "A did:web needs a --base-url that begins with https://.")
    return did_web.from_url(settings.service.base_url)


def _host(settings: VerifierSettings) -> str:
    return (urlsplit(settings.service.base_url).hostname or "").lower()
