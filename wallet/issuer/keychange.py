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
from ssi.dids import multikey
from ssi.encoding import Json
from ssi.errors import Refused, Unavailable
from ssi.keys import PublicKey, SoftwareSigner
from wallet.issuer import didlog
from wallet.issuer.identity import Identity, load, newest
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
    files = _files(settings)
    with locked(files.root):
        identity = present(settings, files, now=now)
        _lasting(identity)
        signs = identity.signer.kid
        if (begun := _begun(files, signs)) is not None:
            return {"did": identity.did, "old_key": begun, "new_key": signs}
        files.write(_LEAVING, signs.encode(), "", secret=False)
        return _replaced(settings, files, replace(identity, leaving=(identity.signer.public,)), now=now)


def retire(settings: IssuerSettings, *, old: str, now: datetime) -> dict[str, Json]:
    """The second step: the document has the `old` key (its id) no more. Raises as `rotate`.

    Whoever comes late, when that has been done and perhaps another change begun, changes nothing.
    """
    files = _files(settings)
    with locked(files.root):
        identity = present(settings, files, now=now)
        if _begun(files, identity.signer.kid) != old:
            return {}
        told: dict[str, Json] = {}
        if identity.log is not None:
            kept = replace(identity, leaving=())
            told["version"] = didlog.agreeing(files, didlog.read(files, now=now), kept, now=now).version_id
        (files.root / _LEAVING).unlink()
    return told


def rotate(settings: IssuerSettings, *, now: datetime) -> dict[str, Json]:
    """Replace the signing key and its certificate at once, and say so in the DID's log.

    Whatever the old key signed that is not on the ledger yet is refused by verifiers from now on. Raises Refused
    (`rotate.files`) where the desk's keys are not those that bootstrap made, (`did.ended`) where its DID was given up,
    Unavailable (`settings.file`,
    `rotate.authority`).
    """
    files = _files(settings)
    with locked(files.root):
        identity = replace(present(settings, files, now=now), leaving=())
        _lasting(identity)
        told = _replaced(settings, files, identity, now=now)
        (files.root / _LEAVING).unlink(missing_ok=True)
    return told


def present(settings: IssuerSettings, files: Files, *, now: datetime) -> Identity:
    """The desk as it is, after what a kill has left is put in its place, and with the key that is `leaving`.

    The caller has the files locked: what is read here must be true when it writes. Raises as `identity.load`.
    """
    _certified(files)
    identity = load(settings, lenient=True)
    if _finished(files, identity, now=now):
        identity = load(settings, lenient=True)
    return replace(identity, leaving=_leaving(files, identity))


def _lasting(identity: Identity) -> None:
    """Raises Refused (`did.ended`), before any file is made, for a desk that has given up its DID."""
    if identity.ended:
        raise Refused("did.ended", "The desk's DID was given up for good: it gets no new key any more.")


def _begun(files: Files, signs: str) -> str | None:
    """The key that another one has taken over from, while it is in the document still."""
    said = files.root / _LEAVING
    old = said.read_text("ascii", "replace").strip() if said.exists() else None
    return None if old == signs else old


def _leaving(files: Files, identity: Identity) -> tuple[PublicKey, ...]:
    """The same, as the document has it."""
    old = _begun(files, identity.signer.kid)
    if old is None or identity.log is None:
        return ()
    methods = newest(identity.log)["state"].get("verificationMethod", [])
    named = [one["publicKeyMultibase"] for one in methods if str(one["id"]).endswith(f"#{old}")]
    return tuple(multikey.decode(one) for one in named)


def _replaced(settings: IssuerSettings, files: Files, identity: Identity, *, now: datetime) -> dict[str, Json]:
    """A new key in the place of the identity's; the keys that it says are leaving stay in the document."""
    files.keep(_COMING, lambda: minting.key_pem(minting.new_key()), "", secret=True)
    coming = _signer(files, _COMING)
    _authority(files)  # before anything is said that could not be done
    told: dict[str, Json] = {"did": identity.did, "old_key": identity.signer.kid, "new_key": coming.kid}
    if identity.log is not None:
        written = didlog.replaced(files, didlog.read(files, now=now), replace(identity, signer=coming), now=now)
        told["version"] = written.version_id
    _put_in_place(files, settings.base_url, now=now)
    return told


def deactivate(settings: IssuerSettings, *, now: datetime) -> dict[str, Json]:
    """End the desk's DID. Raises as `rotate`, and Refused (`did.no_log`)."""
    files = _files(settings)
    with locked(files.root):
        if present(settings, files, now=now).log is None:
            raise Refused("did.no_log", "The desk's DID is a did:web: take its document off the site to end it.")
        written = didlog.ended(files, didlog.read(files, now=now), now=now)
    return {"did": written.did, "version": written.version_id, "deactivated": True}


def _finished(files: Files, identity: Identity, *, now: datetime) -> bool:
    """Put a new key in place that the log already has; was there one?"""
    if not (files.root / _COMING).exists() or not (files.root / didlog.LOG).exists():
        return False
    state = didlog.read(files, now=now).log.last.entry.state
    coming = replace(identity, signer=_signer(files, _COMING)).document(str(state["id"]))
    (method, *_) = coming["verificationMethod"]
    if method not in state.get("verificationMethod", []):
        return False
    _put_in_place(files, identity.base_url, now=now)
    return True


def _certified(files: Files) -> None:
    """Put a new key in place whose certificate is there already."""
    coming, certificate = files.root / _COMING, files.root / CERTIFICATE
    if coming.exists() and certificate.exists():
        named = minting.read_certificate(certificate.read_bytes()).public_key()
        if named == _signer(files, _COMING).public.native:
            coming.replace(files.root / KEY)


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
