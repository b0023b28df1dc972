"""The desk's did:webvh: its log, and the keys that may go on with it (docs/adr/0016).

The next update key is made and announced with each entry, so that whoever steals the present one can write nothing.
The log is written before the key files change places; a kill between the two is mended by the next who comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from service import minting
from service.bootstrap import Files, MadeFile
from ssi.dids import multikey
from ssi.dids.webvh import hashing, place, writing
from ssi.dids.webvh.writing import Written
from ssi.encoding import Json
from ssi.errors import Refused
from ssi.keys import PublicKey, SoftwareSigner
from wallet.issuer.identity import Identity

LOG: Final = "issuer/did.jsonl"
PRESENT: Final = "issuer/update.key"
NEXT: Final = "issuer/next-update.key"
_AFTER: Final = "issuer/after-next-update.key"
_SECOND: Final = timedelta(seconds=1)

Step = Callable[[Written, SoftwareSigner, Sequence[PublicKey], datetime], Written]
"""One more entry: of a log, signed by this key, announcing these, at this time."""


def kept(files: Files, identity: Identity, *, also: Sequence[str], now: datetime) -> Iterator[MadeFile]:
    """The log as it is if it says what it should; made, moved or continued where it does not.

    `also` are further names of the desk. Raises Malformed (`did.webvh`) for an address that no did:webvh can have,
    Refused (`did.update_key`) where the log must change and the key for that is not here.
    """
    where = _where(identity)
    place.of(where)  # before any file is made
    there = (files.root / LOG).exists()
    for name, purpose in ((PRESENT, "writes the desk's DID"), (NEXT, "will write the desk's DID next")):
        if not there or (files.root / name).exists():  # a new key for an old log would only hide that it is missing
            yield files.keep(name, _key, purpose, secret=True)
    purpose = "the log of the desk's DID"
    if not there:
        yield files.write(LOG, _first(files, identity, also, now=now).text, purpose, secret=False)
        return
    written = _mended(files, now=now)
    before = written.text
    if not written.log.last.parameters.deactivated:
        if place.of(where, scid=written.log.scid) != written.did:
            written = _continued(files, written, _to(where), now=now)
        if _lacks(written, identity, also):
            written = replaced(files, written, identity, also=also, now=now)
    yield MadeFile(files.root / LOG, purpose, secret=False, written=written.text != before)


def read(files: Files, *, now: datetime) -> Written:
    """The log, verified. Raises as `ssi.dids.webvh.writing.read`."""
    return _mended(files, now=now)


def replaced(files: Files, written: Written, identity: Identity, *, also: Sequence[str] = (), now: datetime) -> Written:
    """One more entry, with this identity's keys in the place of those before."""
    names = written.log.last.entry.state.get("alsoKnownAs", [])
    every = tuple(dict.fromkeys([*(names if isinstance(names, list) else []), *also, identity.did_web]))
    document = identity.document(written.did, every)

    def step(log: Written, key: SoftwareSigner, after: Sequence[PublicKey], at: datetime) -> Written:
        return writing.update(log, document=document, signer=key, following=after, now=at)

    return _continued(files, written, step, now=now)


def agreeing(files: Files, written: Written, identity: Identity, *, now: datetime) -> Written:
    """The log as it is if its document has this identity's keys and no other, else with one more entry."""
    if written.log.last.parameters.deactivated or not _lacks(written, identity, ()):
        return written
    return replaced(files, written, identity, now=now)


def ended(files: Files, written: Written, *, now: datetime) -> Written:
    """The log with its last entry: the DID is given up for ever. Raises Refused (`did.update_key`)."""
    if written.log.last.parameters.deactivated:
        return written
    done = writing.deactivate(written, signer=_announced(files, written), now=_after(written, now))
    files.write(LOG, done.text, "", secret=False)
    return done


def _first(files: Files, identity: Identity, also: Sequence[str], *, now: datetime) -> Written:
    where = _where(identity)
    return writing.create(
        where,
        document=identity.document(place.of(where), (*also, identity.did_web)),
        signer=_signer(files, PRESENT),
        following=(_signer(files, NEXT).public,),
        parameters={"portable": True},
        now=now,
    )


def _continued(files: Files, written: Written, step: Step, *, now: datetime) -> Written:
    signer = _announced(files, written)
    files.keep(_AFTER, _key, "", secret=True)
    done = step(written, signer, (_signer(files, _AFTER).public,), _after(written, now))
    files.write(LOG, done.text, "", secret=False)
    return _mended(files, now=_after(written, now))


def _announced(files: Files, written: Written) -> SoftwareSigner:
    """The key that may write the next entry. Raises Refused (`did.update_key`) where it is not here."""
    if (files.root / NEXT).exists():
        signer = _signer(files, NEXT)
        if hashing.of_key(multikey.encode(signer.public)) in written.log.last.parameters.next_key_hashes:
            return signer
    detail = f"{NEXT} is not here, or not the key that the desk's DID has announced: without it the DID cannot change."
    raise Refused("did.update_key", detail)


def _mended(files: Files, *, now: datetime) -> Written:
    """The log, its key files where they belong: the announced key is the next one, the one that signed is present."""
    written = writing.read(files.read(LOG), now=now)
    current, after = written.log.last.parameters, files.root / _AFTER
    if after.exists() and hashing.of_key(_name(files, _AFTER)) in current.next_key_hashes:
        if (files.root / NEXT).exists() and _name(files, NEXT) in current.update_keys:
            (files.root / NEXT).replace(files.root / PRESENT)
        after.replace(files.root / NEXT)
    return written


def _to(where: str) -> Step:
    def step(log: Written, key: SoftwareSigner, after: Sequence[PublicKey], at: datetime) -> Written:
        return writing.move(log, where, signer=key, following=after, now=at)

    return step


def _lacks(written: Written, identity: Identity, also: Sequence[str]) -> bool:
    """Does the newest document have other keys than the desk, or not all of its names?"""
    state: dict[str, Json] = dict(written.log.last.entry.state)
    wanted = identity.document(written.did)
    names = state.get("alsoKnownAs", [])
    keys = {name: state.get(name) for name in ("verificationMethod", "assertionMethod")}
    return keys != {name: wanted[name] for name in keys} or not {*also} <= {*names}


def _after(written: Written, now: datetime) -> datetime:
    """A time for the next entry: now, but later than the last one."""
    return max(now, written.log.last.entry.at + _SECOND)


def _where(identity: Identity) -> str:
    return identity.did_web.removeprefix("did:web:")


def _key() -> bytes:
    return minting.key_pem(SoftwareSigner.generate("EdDSA"))


def _signer(files: Files, name: str) -> SoftwareSigner:
    return SoftwareSigner.from_pkcs8(files.read(name))


def _name(files: Files, name: str) -> str:
    return multikey.encode(_signer(files, name).public)
