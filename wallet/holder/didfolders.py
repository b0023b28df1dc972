"""A DID in a folder: its document or log, and the keys that belong to it, for `facet-wallet did`.

`did.json` is the document (did:web publishes it; elsewhere it is what the DID resolves to), `key.pem` the key that
signs. Files with keys are for their owner only, and none is ever written over.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from service.cli import read_input
from service.minting import key_pem
from ssi.dids import DidDocument, jwk, key, multikey, peer, web
from ssi.encoding import Json, read_json_object, write_json
from ssi.errors import Refused
from ssi.keys import SoftwareSigner

DOCUMENT: Final = "did.json"
KEY: Final = "key.pem"


@dataclass(frozen=True)
class Wish:
    """What a new DID is to be: its key's algorithm, the URL it lies under, its services."""

    alg: str
    url: str | None = None
    services: tuple[Mapping[str, Json], ...] = ()


@dataclass(frozen=True)
class Made:
    """What was made or changed: the DID, the files that were written, and what its owner has to do or know."""

    did: str
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def create(folder: Path, method: str, wish: Wish) -> Made:
    """A new DID in an empty folder. Raises Refused (`did.folder`), Malformed, click.UsageError."""
    prepare(folder)
    signer = SoftwareSigner.generate(wish.alg)
    did, document, notes = _MAKERS[method](signer, wish)
    files = (write_secret(folder / KEY, key_pem(signer)), write(folder / DOCUMENT, document))
    return Made(did, files, tuple(notes))


def prepare(folder: Path) -> None:
    """An empty folder for a DID. Raises Refused (`did.folder`) where something is in it, or none can be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        empty = not any(folder.iterdir())
    except OSError as error:
        raise _unwritable(error) from error
    if not empty:
        raise Refused("did.folder", "The folder is not empty: each DID has a folder of its own.")


def rotate(folder: Path, *, alg: str) -> Made:
    """A new key instead of the old one, which is kept beside it. Raises Refused (`did.fixed`, `did.folder`)."""
    document = read_document(folder)
    did = document["id"]
    if not did.startswith("did:web:"):
        raise Refused("did.fixed", "A DID of this method is its key: a new key is a new DID.")
    old = SoftwareSigner.from_pkcs8(read_input(str(folder / KEY)))
    signer = SoftwareSigner.generate(alg)
    kept = folder / f"key.{old.public.kid}.pem"
    if not kept.exists():
        write_secret(kept, key_pem(old))
    others = {name: value for name, value in document.items() if name in ("service", "alsoKnownAs", "controller")}
    published = {**web.document(did, {signer.public.kid: signer.public}), **others}
    fresh = write_secret(folder / f".{KEY}.{secrets.token_hex(4)}", key_pem(signer))
    files = (fresh.replace(folder / KEY), write(folder / DOCUMENT, published))
    return Made(
        did,
        files,
        (
            f"Publish {folder / DOCUMENT} at {web.location(did)}.",
            "A did:web has no past: what the old key signed can no longer be verified once this is published.",
            f"The old key is in {kept}; destroy it when nothing needs it.",
        ),
    )


def deactivate(folder: Path) -> Made:
    """Give the DID up. Raises Refused (`did.fixed`, `did.folder`)."""
    did = name(folder)
    if not did.startswith("did:web:"):
        raise Refused("did.fixed", "A DID of this method cannot be deactivated: whoever has it can read it for ever.")
    (folder / DOCUMENT).unlink()
    return Made(did, (), (f"Remove the document at {web.location(did)}: then the DID is no longer found.",))


def name(folder: Path) -> str:
    """The DID in the folder. Raises Refused (`did.folder`)."""
    return str(read_document(folder)["id"])


def read_document(folder: Path) -> dict[str, Json]:
    """The folder's document. Raises Refused (`did.folder`) where there is none."""
    try:
        content = (folder / DOCUMENT).read_bytes()
    except OSError:
        raise Refused("did.folder", f"There is no {DOCUMENT} in the folder.") from None
    document = read_json_object(content, what="DID document")
    if not isinstance(document.get("id"), str):
        raise Refused("did.folder", f"{DOCUMENT} in the folder is not a DID document.")
    return document


def write(path: Path, document: Mapping[str, Json]) -> Path:
    """Replace a public file in one step."""
    return write_bytes(path, write_json(dict(document)) + b"\n")


def write_bytes(path: Path, data: bytes) -> Path:
    """Replace a public file in one step; everybody may read it, and its owner alone change it."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    _written(aside, data, mode=0o644).replace(path)
    return path


def write_secret(path: Path, data: bytes) -> Path:
    """A new file for its owner's eyes only; raises Refused (`did.folder`) when there is one of that name."""
    try:
        return _written(path, data, mode=0o600)
    except FileExistsError:
        raise Refused("did.folder", f"There is a {path.name} already, which is not written over.") from None


def _written(path: Path, data: bytes, *, mode: int) -> Path:
    """A file that was not there, on the disk when this returns.

    Raises FileExistsError, also for a link of that name, and Refused (`did.folder`).
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise
    except OSError as error:
        raise _unwritable(error) from error
    return path


def _unwritable(error: OSError) -> Refused:
    return Refused("did.folder", f"The folder cannot be written ({error.strerror}).")


_Maker = Callable[[SoftwareSigner, Wish], tuple[str, Mapping[str, Json], Iterable[str]]]


def _expanded(did: str, expand: Callable[[str], DidDocument]) -> tuple[str, Mapping[str, Json], Iterable[str]]:
    return did, expand(did).json, ()


def _key(signer: SoftwareSigner, wish: Wish) -> tuple[str, Mapping[str, Json], Iterable[str]]:
    return _expanded(key.from_public(signer.public), key.expand)


def _jwk(signer: SoftwareSigner, wish: Wish) -> tuple[str, Mapping[str, Json], Iterable[str]]:
    return _expanded(jwk.from_public(signer.public), jwk.expand)


def _peer(signer: SoftwareSigner, wish: Wish) -> tuple[str, Mapping[str, Json], Iterable[str]]:
    """One key for authentication and assertions: numalgo 0 without services, else numalgo 2."""
    text = multikey.encode(signer.public)
    did = peer.of_keys([("V", text), ("A", text)], wish.services) if wish.services else peer.of_key(text)
    return _expanded(did, peer.expand)


def _web(signer: SoftwareSigner, wish: Wish) -> tuple[str, Mapping[str, Json], Iterable[str]]:
    if wish.url is None:
        raise click.UsageError("A did:web needs --url: where its document will lie.")
    did = web.from_url(wish.url)
    document = web.document(did, {signer.public.kid: signer.public})
    if wish.services:
        document["service"] = [dict(service) for service in wish.services]
    return did, document, (f"Publish {DOCUMENT} at {web.location(did)}.",)


_MAKERS: Final[Mapping[str, _Maker]] = {"key": _key, "jwk": _jwk, "peer": _peer, "web": _web}
METHODS: Final = tuple(_MAKERS)
