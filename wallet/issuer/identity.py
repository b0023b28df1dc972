"""As whom does this desk sign, and what does it publish so that others find its key?

Three ways, all published at once; one is chosen for what the credentials say: the certificate chain in `x5c`, a DID, or
JWT VC Issuer Metadata (SD-JWT VC draft, "JWT VC Issuer Metadata"). The DID is a did:webvh where the desk keeps the log
of one (docs/adr/0016), else a did:web; the did:web document is published either way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from ssi.bbs import BbsSigner, secret_key
from ssi.dids import multikey
from ssi.encoding import Json, read_json_object
from ssi.errors import Malformed, Refused
from ssi.issuerkeys.metadata import document
from ssi.keys import PublicKey, Signer, SoftwareSigner, jwk_set
from ssi.model import Issuer
from ssi.trust import x509
from wallet.issuer.settings import IssuerSettings, read_file

_LEAST_SEED: Final = 32
_PKCS8_ED25519: Final = bytes.fromhex("302e020100300506032b657004220420")
_CONTEXTS: Final = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]


@dataclass(frozen=True)
class Identity:
    """The desk's signing key, its certificate chain (DER, leaf first), and how credentials name it.

    `bbs` is a second key, for credentials whose showings cannot be linked by the issuer's signature, `edwards` one for
    suites that want EdDSA; None without one. `log` is the history of the desk's did:webvh, as published. `leaving` are
    keys that sign nothing any more and are in documents still.
    """

    base_url: str
    signer: Signer
    x5c: tuple[bytes, ...]
    identify_by: str
    bbs: Signer | None = None
    edwards: Signer | None = None
    log: bytes | None = None
    leaving: tuple[PublicKey, ...] = ()

    @property
    def did(self) -> str:
        """The desk's DID: the one that its log is of, else the did:web of its address."""
        return self.did_web if self.log is None else str(newest(self.log)["state"]["id"])

    @property
    def ended(self) -> bool:
        """Has the desk given up its DID? Then nobody could verify what it signs."""
        return self.log is not None and newest(self.log).get("parameters", {}).get("deactivated") is True

    @property
    def did_web(self) -> str:
        """The did:web identifier of `base_url` (did:web "Method-specific identifier": a port's colon is encoded)."""
        parts = urlsplit(self.base_url)
        path = [quote(part, safe="") for part in parts.path.split("/") if part]
        return ":".join(["did:web", quote(parts.netloc, safe=""), *path])

    @property
    def key_url(self) -> str:
        """The DID URL of the signing key."""
        return self.url_of(self.signer)

    @property
    def signers(self) -> tuple[Signer, ...]:
        """All keys of the desk, the one that certificates are for first."""
        return (self.signer, *(one for one in (self.bbs, self.edwards) if one is not None))

    def url_of(self, signer: Signer) -> str:
        """The DID URL of one of the desk's keys."""
        return f"{self.did}#{signer.kid}"

    @property
    def issuer(self) -> Issuer:
        """What credentials say of who issued them; beside a chain, `iss` only where the certificate vouches for it."""
        if self.identify_by == "did":
            return Issuer(self.did, kid=self.key_url)
        if self.identify_by == "metadata":
            return Issuer(self.base_url, kid=self.signer.kid)
        leaf = x509.leaf(self.x5c)
        vouched = self.base_url in leaf.uris or urlsplit(self.base_url).hostname in leaf.dns_names
        return Issuer(self.base_url if vouched else None, x5c=self.x5c)

    @property
    def good_until(self) -> datetime:
        """The last moment at which a credential signed now can be verified: the end of its certificate, if any."""
        return self.good_until_for(self.issuer)

    def good_until_for(self, issuer: Issuer) -> datetime:
        """The same for credentials that name their issuer so: only a chain in them ends with its certificate."""
        return x509.leaf(issuer.x5c).not_after if issuer.x5c else datetime.max.replace(tzinfo=UTC)

    @property
    def did_document(self) -> dict[str, Json]:
        """`/.well-known/did.json`, or `<path>/did.json` for a base address with a path: of the did:web."""
        return self.document(self.did_web, () if self.log is None else (self.did,))

    def document(self, did: str, also: Sequence[str] = ()) -> dict[str, Json]:
        """The desk's keys as the document of a DID of its own, which is also known by other names."""
        methods = [
            {
                "id": f"{did}#{kid}",
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": multikey.encode(key),
            }
            for kid, key in (
                *((signer.kid, signer.public) for signer in self.signers),
                *((key.kid, key) for key in self.leaving),
            )
        ]
        return {
            "@context": list(_CONTEXTS),
            "id": did,
            **({"alsoKnownAs": list(also)} if also else {}),
            "verificationMethod": methods,
            "assertionMethod": [method["id"] for method in methods],
        }

    @property
    def issuer_metadata(self) -> dict[str, Json]:
        """`/.well-known/jwt-vc-issuer`."""
        return document(self.base_url, self.jwks)

    @property
    def jwks(self) -> dict[str, Json]:
        """The public key set."""
        return dict(jwk_set({self.signer.kid: self.signer.public}))


Stamp = tuple[tuple[int, int, int] | None, ...]
"""What tells one state of some files from another: of each its inode, time of change and size; None without it."""


def files(settings: IssuerSettings) -> tuple[Path, ...]:
    """Where the desk's identity stands, as far as a change of keys changes it."""
    return settings.signing_key, settings.signing_cert, settings.ledger.log or settings.service.folder / "did.jsonl"


def stamp(files: Sequence[Path]) -> Stamp:
    """How the files are now."""
    return tuple(_stamped(path) for path in files)


def _stamped(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def load(settings: IssuerSettings, *, lenient: bool = False) -> Identity:
    """Read the key and the chain, and see that they belong together; `lenient`: also with a DID of other keys.

    Raises Unavailable (`settings.file`), Malformed (also `bbs.material`), Unsupported, Refused (`identity.mismatch`).
    """
    signer = SoftwareSigner.from_pkcs8(read_file(settings.signing_key, what="signing key"))
    chain = x509.read_certificates(read_file(settings.signing_cert, what="signing certificate"))
    if x509.leaf(chain).public != signer.public:
        raise Refused("identity.mismatch", "The signing certificate is not for the signing key.")
    log = settings.ledger.log
    return Identity(
        settings.base_url,
        signer,
        chain,
        settings.identify_by,
        _bbs(settings.bbs_seed),
        _edwards(settings.issuance.eddsa_seed),
        None if log is None else _log(read_file(log, what="log of the desk's DID"), signer, lenient=lenient),
    )


def check_address(identity: Identity) -> None:
    """Is the desk at the address that its DID is of? Raises Refused (`settings.base_url`).

    Under another one it would sign status lists, and write them onto the ledger, that nobody ever asks for.
    """
    if identity.log is None:
        return
    of = identity.did.split(":", 3)[-1]  # did:webvh:<SCID>:<host and path>
    if of != identity.did_web.removeprefix("did:web:"):
        detail = (
            f"The desk's DID is of {_address(of)}, not of {identity.base_url}: give that as --base-url."
            f" To move the desk, run `facet-issuer bootstrap` with --issuer-url {identity.base_url};"
            " a second one needs a --data of its own."
        )
        raise Refused("settings.base_url", detail)


def _address(of: str) -> str:
    return "https://" + "/".join(unquote(part) for part in of.split(":"))


def newest(log: bytes) -> Mapping[str, Json]:
    """The last entry of a did:webvh log of the desk's own. Raises Malformed (`identity.log`, `encoding.*`)."""
    lines = log.strip().splitlines()
    if not lines:
        raise Malformed("identity.log", "The log of the desk's DID is empty; put its newest copy back.")
    return read_json_object(lines[-1], what="log of the desk's DID")


def _log(content: bytes, signer: Signer, *, lenient: bool) -> bytes:
    """The log as it is, if its newest document has the signing key: else nobody could check what the desk signs."""
    methods = newest(content).get("state", {}).get("verificationMethod", [])
    if not lenient and multikey.encode(signer.public) not in [one.get("publicKeyMultibase") for one in methods]:
        detail = "The desk's DID does not know the signing key; run `facet-issuer bootstrap`."
        raise Refused("identity.log_key", detail)
    return content


def _bbs(seed: Path | None) -> BbsSigner | None:
    """The key that a seed makes, always the same one."""
    if seed is None:
        return None
    return BbsSigner.from_secret(secret_key(read_file(seed, what="BBS seed").strip()))


def _edwards(seed: Path | None) -> SoftwareSigner | None:
    """The Ed25519 key that a seed makes, always the same one."""
    if seed is None:
        return None
    secret = read_file(seed, what="EdDSA seed").strip()
    if len(secret) < _LEAST_SEED:
        raise Malformed("settings.eddsa_seed", f"The EdDSA seed is shorter than {_LEAST_SEED} characters.")
    raw = hashlib.sha256(b"facet issuer EdDSA key " + secret).digest()
    # PKCS#8 (RFC 8410 §7): a fixed head, then the 32 bytes
    return SoftwareSigner.from_pkcs8(_PKCS8_ED25519 + raw)
