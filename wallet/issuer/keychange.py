"""Key changes: a new signing key for the desk, or the end of its DID.

The new key is on record in the DID's log before it takes the place of the old one; a kill in between is mended by
`facet-issuer bootstrap`, and by asking for the change again. The old key is deleted: it must sign nothing any more.

What a key has signed is good after its retirement only if the ledger had it before. So a change has two steps: the new
key takes over while the old one is still in the document; and when all that the old one signed is anchored, it goes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from service import minting
from service.bootstrap import Files, locked
from service.minting import Authority, Leaf
from ssi.encoding import Json
from ssi.errors import Refused, Unavailable
from ssi.keys import SoftwareSigner
from wallet.issuer import didlog
from wallet.issuer.identity import Identity, load
from wallet.issuer.settings import IssuerSettings

KEY: Final = "issuer/signing.key"
CERTIFICATE: Final = "issuer/signing.pem"
_COMING: Final = "issuer/signing.next.key"
_LEAVING: Final = "issuer/signing.leaving"
"""Names the key that signs no more but is in the document still, while there is one."""


def take_over(settings: IssuerSettings, *, now: datetime) -> dict[str, Json]:
    """The first step: a new key signs from now on, the old one stays in the document; `retire` is the second.

    A change that is under way is gone on with. Raises as `rotate`.
    """
    files, identity = _files(settings), load(settings, lenient=True)
    with locked(files.root):
        if finish(files, identity, now=now):
            identity = load(settings, lenient=True)
        said, signs = files.root / _LEAVING, identity.signer.kid
        begun = said.read_text().strip() if said.exists() else None
    if begun not in (None, signs):
        return {"did": identity.did, "old_key": begun, "new_key": signs}
    return _replaced(settings, replace(identity, leaving=(identity.signer.public,)), now=now)


def retire(settings: IssuerSettings, *, now: datetime) -> dict[str, Json]:
    """The second step: the document has no key any more that does not sign. Raises as `rotate`."""
    files, identity = _files(settings), load(settings, lenient=True)
    told: dict[str, Json] = {}
    with locked(files.root):
        if identity.log is not None:
            written = didlog.agreeing(files, didlog.read(files, now=now), identity, now=now)
            told["version"] = written.version_id
        (files.root / _LEAVING).unlink(missing_ok=True)
    return told


def rotate(settings: IssuerSettings, *, now: datetime) -> dict[str, Json]:
    """Replace the signing key and its certificate at once, and say so in the DID's log.

    Whatever the old key signed that is not on the ledger yet is refused by verifiers from now on. Raises Refused
    (`rotate.files`) where the desk's keys are not those that bootstrap made, Unavailable (`settings.file`,
    `rotate.authority`).
    """
    told = _replaced(settings, load(settings, lenient=True), now=now)
    (_files(settings).root / _LEAVING).unlink(missing_ok=True)
    return told


def _replaced(settings: IssuerSettings, identity: Identity, *, now: datetime) -> dict[str, Json]:
    """A new key in the place of the identity's; the keys that it says are leaving stay in the document."""
    files = _files(settings)
    with locked(files.root):
        old = identity.signer.kid
        if identity.leaving:
            files.write(_LEAVING, old.encode(), "", secret=False)
        files.keep(_COMING, lambda: minting.key_pem(minting.new_key()), "", secret=True)
        coming = _signer(files, _COMING)
        _authority(files)  # before anything is said that could not be done
        told: dict[str, Json] = {"did": identity.did, "old_key": old, "new_key": coming.kid}
        if identity.log is not None:
            written = didlog.replaced(files, didlog.read(files, now=now), replace(identity, signer=coming), now=now)
            told["version"] = written.version_id
        _put_in_place(files, settings.base_url, now=now)
    return told


def deactivate(settings: IssuerSettings, *, now: datetime) -> dict[str, Json]:
    """End the desk's DID. Raises Refused (`rotate.files`, `did.no_log`)."""
    files, identity = _files(settings), load(settings, lenient=True)
    if identity.log is None:
        raise Refused("did.no_log", "The desk's DID is a did:web: take its document off the site to end it.")
    with locked(files.root):
        written = didlog.ended(files, didlog.read(files, now=now), now=now)
    return {"did": written.did, "version": written.version_id, "deactivated": True}


def finish(files: Files, identity: Identity, *, now: datetime) -> bool:
    """Put a new key in place that the log already has; was there one? For a set-up that was killed half-way."""
    if not (files.root / _COMING).exists() or not (files.root / didlog.LOG).exists():
        return False
    state = didlog.read(files, now=now).log.last.entry.state
    coming = replace(identity, signer=_signer(files, _COMING)).document(str(state["id"]))
    (method, *_) = coming["verificationMethod"]
    if method not in state.get("verificationMethod", []):
        return False
    _put_in_place(files, identity.base_url, now=now)
    return True


def _put_in_place(files: Files, url: str, *, now: datetime) -> None:
    """The coming key with a certificate of its own becomes the signing key."""
    host = urlsplit(url).hostname or ""
    leaf = Leaf("Facet Desk", "Facet Desk", (host,), (url,))
    certificate = minting.issue(_authority(files), leaf, key=_signer(files, _COMING), now=now)
    files.write(CERTIFICATE, minting.certificate_pem(certificate), "", secret=False)
    (files.root / _COMING).replace(files.root / KEY)


def _files(settings: IssuerSettings) -> Files:
    """The set-up's files. Raises Refused (`rotate.files`) where the settings name others."""
    files, log = Files(settings.service.data), settings.ledger.log
    usual = [(settings.signing_key, KEY), (settings.signing_cert, CERTIFICATE)]
    if log is not None:
        usual.append((log, didlog.LOG))
    if any(path.resolve() != (files.root / name).resolve() for path, name in usual):
        detail = "The desk's key, certificate or log is not where bootstrap puts it; replace them by hand."
        raise Refused("rotate.files", detail)
    return files


def _authority(files: Files) -> Authority:
    try:
        key, certificate = files.read("ca/issuer-ca.key"), files.read("trust/issuer-ca.pem")
    except OSError:
        detail = "The key of the authority that certifies the desk is not here (ca/issuer-ca.key)."
        raise Unavailable("rotate.authority", detail) from None
    return Authority(minting.read_certificate(certificate), SoftwareSigner.from_pkcs8(key))


def _signer(files: Files, name: str) -> SoftwareSigner:
    return SoftwareSigner.from_pkcs8(files.read(name))
