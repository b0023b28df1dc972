"""A did:webvh in a folder: its log (`did.jsonl`), the key that signs (`key.pem`), and the key for the next entry.

Each entry announces the key of the next (`update.pem`), which nobody has seen before it is used. New keys lie beside
the old ones (`….new.pem`) until the log has them: a command that was killed in between is mended by the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import click

from service.cli import read_input
from service.minting import key_pem
from ssi.dids import multikey, web
from ssi.dids.sources import written as date
from ssi.dids.webvh import entries, hashing, place, writing
from ssi.dids.webvh.writing import Written
from ssi.encoding import Json
from ssi.errors import Refused
from ssi.keys import EDDSA, PublicKey, SoftwareSigner
from wallet.holder.didfolders import KEY, Made, Wish, write_bytes, write_secret

LOG: Final = "did.jsonl"
UPDATE: Final = "update.pem"
_NEW_KEY: Final = "key.new.pem"
_NEW_UPDATE: Final = "update.new.pem"
_WEB: Final = "did:web:"
_SECOND: Final = timedelta(seconds=1)
_KEPT: Final = ("service", "alsoKnownAs", "controller")
STAYS: Final = "Whoever has read the log may keep it: entries can be added, and none can be taken back."


def create(folder: Path, wish: Wish, *, now: datetime) -> Made:
    """A new DID. Raises click.UsageError, Malformed (`did.*`), Refused (`did.folder`)."""
    if wish.url is None:
        raise click.UsageError("A did:webvh needs --url: where its log will lie.")
    where = web.from_url(wish.url).removeprefix(_WEB)
    key, first, following = SoftwareSigner.generate(wish.alg), _update_key(), _update_key()
    document = _document(place.of(where), key.public, {"service": [dict(one) for one in wish.services]})
    written = writing.create(where, document=document, signer=first, following=[following.public], now=now)
    files = (
        write_secret(folder / KEY, key_pem(key)),
        write_secret(folder / UPDATE, key_pem(following)),
        write_bytes(folder / LOG, written.text),
    )
    return Made(written.did, files, (_publish(folder, written), STAYS))


def rotate(folder: Path, *, alg: str, now: datetime) -> Made:
    """A new signing key, and a new key for the next entry. Raises Refused (`did.folder`, `did.webvh_*`)."""
    written = _living(folder, now=now)
    old, signer = _signer(folder / KEY), _signer(folder / UPDATE)
    key, following = SoftwareSigner.generate(alg), _update_key()
    document = _document(written.did, key.public, written.log.last.entry.state)
    at = _later(written, now)
    changed = writing.update(written, document=document, signer=signer, following=[following.public], now=at)
    write_secret(folder / _NEW_KEY, key_pem(key))
    write_secret(folder / _NEW_UPDATE, key_pem(following))
    write_bytes(folder / LOG, changed.text)
    _put_in_place(folder, old)
    kept = _kept(folder, old)
    notes = (
        _publish(folder, changed),
        f"The old key is in {kept}: what it signed can still be verified. Destroy it, so that nobody signs with it.",
        STAYS,
    )
    return Made(changed.did, (folder / KEY, folder / UPDATE, folder / LOG), notes)


def deactivate(folder: Path, *, now: datetime) -> Made:
    """Give the DID up. Raises Refused (`did.folder`, `did.webvh_*`)."""
    written = _living(folder, now=now)
    ended = writing.deactivate(written, signer=_signer(folder / UPDATE), now=_later(written, now))
    write_bytes(folder / LOG, ended.text)
    return Made(ended.did, (folder / LOG,), (_publish(folder, ended), "No key can bring the DID back.", STAYS))


def name(folder: Path) -> str:
    """The DID in the folder. Raises Malformed, Refused (`did.webvh_*`)."""
    return entries.read(entries.lines(read_input(str(folder / LOG)))[-1]).did


def _living(folder: Path, *, now: datetime) -> Written:
    """The log of a DID that goes on. Raises Refused (`did.ended`) for one that was given up."""
    written = _mended(folder, now=now)
    if written.log.last.parameters.deactivated:
        at = date(written.log.last.entry.at)
        raise Refused("did.ended", f"This DID was given up on {at}: nothing can be changed any more.")
    return written


def is_here(folder: Path) -> bool:
    """Is it a did:webvh that lies in the folder?"""
    return (folder / LOG).exists()


def _document(did: str, key: PublicKey, others: Mapping[str, Json]) -> dict[str, Json]:
    """The document of a signing key; services and other names stay as they were."""
    return {**web.document(did, {key.kid: key}), **{name: others[name] for name in _KEPT if others.get(name)}}


def _mended(folder: Path, *, now: datetime) -> Written:
    """The log. What a command that was killed has left is put in its place, or thrown away where the log lacks it."""
    written = writing.read(read_input(str(folder / LOG)), now=now)
    new = folder / _NEW_UPDATE
    if new.exists() and _announced(written, _signer(new)):
        _put_in_place(folder, _signer(folder / KEY))
    for name in (_NEW_KEY, _NEW_UPDATE):
        (folder / name).unlink(missing_ok=True)
    if not written.log.last.parameters.deactivated and not _announced(written, _signer(folder / UPDATE)):
        raise Refused("did.folder", f"{UPDATE} in the folder is not the key that {LOG} announces for its next entry.")
    return written


def _announced(written: Written, signer: SoftwareSigner) -> bool:
    return hashing.of_key(multikey.encode(signer.public)) in written.log.last.parameters.next_key_hashes


def _put_in_place(folder: Path, old: SoftwareSigner) -> None:
    """The signing key first: as long as the new key for updates lies beside the old one, this is begun again."""
    if (folder / _NEW_KEY).exists():
        if not _kept(folder, old).exists():
            write_secret(_kept(folder, old), key_pem(old))
        (folder / _NEW_KEY).replace(folder / KEY)
    (folder / _NEW_UPDATE).replace(folder / UPDATE)


def _kept(folder: Path, old: SoftwareSigner) -> Path:
    return folder / f"key.{old.public.kid}.pem"


def _signer(path: Path) -> SoftwareSigner:
    return SoftwareSigner.from_pkcs8(read_input(str(path)))


def _update_key() -> SoftwareSigner:
    return SoftwareSigner.generate(EDDSA.name)


def _later(written: Written, now: datetime) -> datetime:
    """Entries have whole seconds, each later than the one before."""
    return max(now, written.log.last.entry.at + _SECOND)


def _publish(folder: Path, written: Written) -> str:
    return f"Publish {folder / LOG} at {place.read(written.did).log}."
