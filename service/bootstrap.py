"""Bootstrap: everything that a first run needs to trust itself, made once and kept.

Authorities (who serves, who issues, who may ask, which wallets are genuine, who may vouch for those who ask), a
certificate and key for each role under them, and the secrets that roles share with nobody. Running it again keeps what
is there, makes what is missing, and renews certificates that are about to end or no longer name the service's address.
A key once made is never replaced.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives.serialization import Encoding

from service import attesting, minting
from service.attesting import Attester
from service.minting import Authority, Leaf
from ssi.encoding import write_json
from ssi.errors import Malformed, Unavailable
from ssi.keys import SoftwareSigner

AUTHORITIES: Final[Mapping[str, str]] = {
    "tls-ca": "Facet TLS authority",
    "issuer-ca": "Facet issuer authority",
    "relying-party-ca": "Facet relying party authority",
    "wallet-provider-ca": "Facet wallet provider authority",
    "attester-ca": "Facet attester authority",
}
SECRETS: Final[tuple[tuple[str, str], ...]] = (
    ("issuer/desk-token", "signs a clerk in at the issuing desk"),
    ("issuer/cookie.key", "seals the desk's cookies"),
    ("issuer/bbs-seed", "makes the key that signs BBS credentials"),
    ("issuer/eddsa-seed", "makes the key that signs EdDSA credentials"),
    ("wallet/cookie.key", "seals the wallet's cookies, which hold unlocked vault keys"),
    ("verifier/api-key", "authorises calls of the verifier's REST API"),
    ("verifier/cookie.key", "seals the verifier's cookies"),
)

ISSUED: Final = ("urn:facet:credential:verified-person:1", "VerifiedPersonCredential")
"""The types that the desk issues: its DID, which whoever serves its site controls, is trusted for no other."""


@dataclass(frozen=True)
class MadeFile:
    """One file of the trial's set-up: where it is, what it is for, and whether this run wrote it."""

    path: Path
    purpose: str
    secret: bool
    written: bool


@dataclass(frozen=True)
class Made:
    """All that the set-up consists of, for a command to report."""

    directory: Path
    files: tuple[MadeFile, ...]

    @property
    def written(self) -> tuple[MadeFile, ...]:
        """The files that this run wrote."""
        return tuple(file for file in self.files if file.written)


def bootstrap(
    directory: Path,
    *,
    hosts: Sequence[str],
    base_urls: Mapping[str, str],
    now: datetime,
    found: Founder | None = None,
) -> Made:
    """Fill `directory` for the roles in `base_urls` (role to URL). `hosts` are further names the services answer to.

    `found` gives the issuer its DID when all its keys are there; without it the issuer is a did:web. Raises Malformed
    (`bootstrap.base_url`) for a URL without a host, Unavailable (`bootstrap.files`) when the directory cannot be
    written, and what `found` raises.
    """
    with locked(directory):
        return Made(directory, tuple(_fill(Files(directory), hosts, base_urls, now, found or named)))


@dataclass(frozen=True)
class Files:
    """Writes files whole or not at all, secret ones for their owner's eyes only."""

    root: Path

    def keep(self, name: str, make: Callable[[], bytes], purpose: str, *, secret: bool) -> MadeFile:
        """The file as it is, else as `make` makes it."""
        path = self.root / name
        if path.exists():
            return MadeFile(path, purpose, secret, written=False)
        return self.write(name, make(), purpose, secret=secret)

    def write(self, name: str, data: bytes, purpose: str, *, secret: bool) -> MadeFile:
        """Replace the file in one step."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755 if path.parent.name == "trust" else 0o700)
        partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        return MadeFile(path, purpose, secret, written=True)

    def keep_same(self, name: str, data: bytes, purpose: str) -> MadeFile:
        """The file with these bytes: as it is if it has them, else written anew."""
        path = self.root / name
        if path.exists() and path.read_bytes() == data:
            return MadeFile(path, purpose, secret=False, written=False)
        return self.write(name, data, purpose, secret=False)

    def issuers(self, did: str) -> MadeFile:
        """The file that names the issuer's DID, and for which types it counts."""
        listed = write_json({did: list(ISSUED)}) + b"\n"
        return self.keep_same("trust/issuers.json", listed, "the issuer's DID, for those who rely on it")

    def read(self, name: str) -> bytes:
        """The file's bytes."""
        return (self.root / name).read_bytes()


Founder = Callable[[Files, str, datetime], Iterator[MadeFile]]
"""Makes what the issuer at a URL needs for its DID, when everything else is there, and says what it has made."""


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Two runs at once take turns. Raises Unavailable (`bootstrap.files`) where one cannot read or write its files."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o755)
        with os.fdopen(os.open(directory / ".bootstrap.lock", os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        detail = f"The set-up in {directory} cannot be written ({error.strerror})."
        raise Unavailable("bootstrap.files", detail) from error


def _fill(
    files: Files, hosts: Sequence[str], base_urls: Mapping[str, str], now: datetime, found: Founder
) -> Iterator[MadeFile]:
    authorities: dict[str, Authority] = {}
    for name, title in AUTHORITIES.items():
        yield from _authority(files, name, title, authorities, now)
    for role, url in base_urls.items():
        host = _host(url)
        names = tuple(dict.fromkeys((host, *hosts)))
        tls = Leaf(host, f"Facet {role}", names, tls=True)
        yield from _leaf(
            files, f"{role}/tls", tls, authorities["tls-ca"], purpose=f"serves the {role} over TLS", now=now
        )
    if "issuer" in base_urls:
        url = base_urls["issuer"]
        leaf = Leaf("Facet Desk", "Facet Desk", (_host(url),), (url,))
        yield from _leaf(files, "issuer/signing", leaf, authorities["issuer-ca"], purpose="signs credentials", now=now)
    if "verifier" in base_urls:
        url = base_urls["verifier"]
        leaf = Leaf("Facet Verifier", "Facet Verifier", (_host(url),), (url,))
        yield from _leaf(
            files, "verifier/access", leaf, authorities["relying-party-ca"], purpose="signs requests", now=now
        )
        yield from _attested(files, url, authorities["attester-ca"], now)
    if "wallet" in base_urls:
        yield from _wallet(files, base_urls["wallet"], authorities["wallet-provider-ca"], now)
    for name, purpose in SECRETS:
        if name.split("/")[0] in base_urls:
            yield files.keep(name, lambda: secrets.token_urlsafe(32).encode() + b"\n", purpose, secret=True)
    if "issuer" in base_urls:
        yield from found(files, base_urls["issuer"], now)


def named(files: Files, url: str, _now: datetime) -> Iterator[MadeFile]:
    """The founder of an issuer that has no ledger: its DID is the did:web of its address."""
    yield files.issuers(_did_web(url))


def _wallet(files: Files, url: str, authority: Authority, now: datetime) -> Iterator[MadeFile]:
    """Who vouches for the wallet, and how an issuer knows it where nobody does (its client identifier is its URL)."""
    leaf = Leaf("Facet Wallet", "Facet Wallet", (_host(url),), (url,))
    yield from _leaf(files, "wallet/provider", leaf, authority, purpose="vouches for wallets and their keys", now=now)
    listed = {"clients": {url: {"name": "Facet Wallet", "redirect_uris": [f"{url}/authorized"]}}}
    yield files.keep_same("trust/wallets.json", write_json(listed) + b"\n", "the wallet, for issuers it signs in at")


def _attested(files: Files, url: str, authority: Authority, now: datetime) -> Iterator[MadeFile]:
    """The verifier's other identity (OpenID4VP 1.0 §12): an attester, whose key no role holds, vouches for its key.

    Attesters have an authority of their own: else whoever may ask could vouch for others.
    """
    leaf = Leaf("Facet Attester", "Facet Attester", (_host(url),), (url,))
    yield from _leaf(files, "ca/attester", leaf, authority, purpose="vouches for verifiers", now=now)
    certificate = minting.read_certificate(files.read("ca/attester.pem")).public_bytes(Encoding.DER)
    attester = Attester(url, certificate, SoftwareSigner.from_pkcs8(files.read("ca/attester.key")))
    key, client = SoftwareSigner.from_pkcs8(files.read("verifier/access.key")).public, _host(url)
    name, purpose = "verifier/attestation.jwt", "vouches for the verifier's key, where it goes by verifier_attestation"
    path = files.root / name
    if path.exists() and attesting.fits(files.read(name), attester, client=client, key=key, now=now):
        yield MadeFile(path, purpose, secret=False, written=False)
        return
    yield files.write(name, attesting.attest(attester, client=client, key=key, now=now), purpose, secret=False)


def _authority(
    files: Files, name: str, title: str, authorities: dict[str, Authority], now: datetime
) -> Iterator[MadeFile]:
    """An authority's key (kept apart from the roles) and its certificate; either without the other is made anew."""
    key_name, certificate_name = f"ca/{name}.key", f"trust/{name}.pem"
    if not ((files.root / key_name).exists() and (files.root / certificate_name).exists()):
        made = minting.new_authority(title, now=now)
        yield files.write(key_name, minting.key_pem(made.signer), f"key of the {title}", secret=True)
        yield files.write(certificate_name, minting.certificate_pem(made.certificate), title, secret=False)
        authorities[name] = made
        return
    signer = SoftwareSigner.from_pkcs8(files.read(key_name))
    authorities[name] = Authority(minting.read_certificate(files.read(certificate_name)), signer)
    yield MadeFile(files.root / key_name, f"key of the {title}", secret=True, written=False)
    yield MadeFile(files.root / certificate_name, title, secret=False, written=False)


def _leaf(
    files: Files, name: str, leaf: Leaf, authority: Authority, *, purpose: str, now: datetime
) -> Iterator[MadeFile]:
    yield files.keep(f"{name}.key", lambda: minting.key_pem(minting.new_key()), f"key that {purpose}", secret=True)
    key = SoftwareSigner.from_pkcs8(files.read(f"{name}.key"))
    path = files.root / f"{name}.pem"
    what = f"certificate that {purpose}"
    if path.exists():
        certificate = minting.read_certificate(path.read_bytes())
        if minting.fits(certificate, leaf, key=key, authority=authority, now=now):
            yield MadeFile(path, what, secret=False, written=False)
            return
    fresh = minting.issue(authority, leaf, key=key, now=now)
    yield files.write(f"{name}.pem", minting.certificate_pem(fresh), what, secret=False)


def _did_web(url: str) -> str:
    """The did:web identifier of a base URL (a port's colon is encoded)."""
    parts = urlsplit(url)
    path = [quote(part, safe="") for part in parts.path.split("/") if part]
    return ":".join(["did:web", quote(parts.netloc, safe=""), *path])


def _host(url: str) -> str:
    host = urlsplit(url).hostname
    if not host:
        raise Malformed("bootstrap.base_url", "Each base URL must name a host, like https://localhost:8441.")
    return host
