"""Writing a did:webvh: its first entry, and every later one (did:webvh 1.0, "Create", "Update", "Deactivate").

These are values: nothing is stored, and no file is touched. A writer is verified by the reader: each new entry is put
through the same checks that resolvers make. Keys sign through handles; witnesses sign what `approval` makes.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ssi.dids import multikey, sources
from ssi.dids.webvh import entries, hashing, log, place, with_services
from ssi.dids.webvh.log import Log
from ssi.dids.webvh.parameters import METHOD
from ssi.dids.webvh.place import PLACEHOLDER
from ssi.encoding import Json, write_json
from ssi.errors import Refused
from ssi.keys import PublicKey, Signer
from ssi.suites import eddsa_jcs_2022

_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True)
class Written:
    """A log as text, its lines each with a newline, and the same log verified as far as its owner can."""

    text: bytes
    log: Log

    @property
    def did(self) -> str:
        """The DID as it is now."""
        return self.log.last.entry.did

    @property
    def version_id(self) -> str:
        """The newest version."""
        return self.log.last.entry.version_id


def create(
    host_and_path: str,
    *,
    document: Mapping[str, Json],
    signer: Signer,
    following: Sequence[PublicKey] = (),
    parameters: Mapping[str, Json] | None = None,
    now: datetime,
) -> Written:
    """The first entry. `document` may name its own DID as `did:webvh:{SCID}:<host_and_path>`; its `id` is set here.

    `signer` is the first update key (Ed25519); `following` are the keys that alone may sign the next entry
    (pre-rotation). `parameters` are further ones (`portable`, `witness`, `watchers`, `ttl`).
    Raises Malformed (`did.webvh*`), Unsupported (`suite.key`).
    """
    did = place.of(host_and_path)
    said: dict[str, Json] = {
        "method": METHOD,
        "scid": PLACEHOLDER,
        "updateKeys": [multikey.encode(signer.public)],
        "nextKeyHashes": announced(following),
        "portable": False,
        **(parameters or {}),
    }
    state = {**document, "id": did}
    entry: dict[str, Json] = {
        "versionId": PLACEHOLDER,
        "versionTime": sources.written(now),
        "parameters": said,
        "state": state,
    }
    scid = hashing.scid(entry, PLACEHOLDER)
    filled = hashing.filled(entry, scid)
    line = _signed(filled, number=1, previous=scid, signer=signer, now=now)
    return read(line, now=now)


def read(text: bytes, *, now: datetime) -> Written:
    """One's own log, verified but for the witnesses' approvals. Raises like `log.verify`, and for any broken entry."""
    return Written(text, Log(tuple(log.each(entries.lines(text), now=now))))


def update(
    written: Written,
    *,
    document: Mapping[str, Json] | None = None,
    signer: Signer,
    following: Sequence[PublicKey] = (),
    parameters: Mapping[str, Json] | None = None,
    now: datetime,
) -> Written:
    """One more entry: a new document (None: as before), a new update key, other parameters.

    While keys are announced ahead, `signer` must be one of those, and becomes the update key; `following` are announced
    next (none: pre-rotation ends). Without announced keys `signer` must be an update key of the last entry, and
    `parameters` may name other `updateKeys`. Raises Refused, Malformed (`did.webvh_*`).
    """
    last = written.log.last
    changes: dict[str, Json] = dict(parameters or {})
    if last.parameters.next_key_hashes:
        changes = {"updateKeys": [multikey.encode(signer.public)], "nextKeyHashes": announced(following), **changes}
    elif following:
        changes = {"nextKeyHashes": announced(following), **changes}
    state = dict(last.entry.state if document is None else {"id": last.entry.did, **document})
    entry: dict[str, Json] = {"versionTime": sources.written(now), "parameters": changes, "state": state}
    line = _signed(entry, number=last.entry.number + 1, previous=last.entry.version_id, signer=signer, now=now)
    verified = log.following(last, entries.read(line), now=now)
    return Written(written.text + line, Log((*written.log.versions, verified)))


def move(
    written: Written, host_and_path: str, *, signer: Signer, following: Sequence[PublicKey] = (), now: datetime
) -> Written:
    """The same DID at another place ("DID Portability"): every mention of it in the document moves, too.

    Raises Refused (`did.webvh_move`) for a DID that may not move, and like `update`.
    """
    last = written.log.last
    if not last.parameters.portable:
        raise Refused("did.webvh_move", "The DID may not move: that can be allowed in its first entry only.")
    old, new = last.entry.did, place.of(host_and_path, scid=written.log.scid)
    moved = _renamed(last.entry.state, old, new, whole=True)
    names = moved.get("alsoKnownAs", [])
    listed = [name for name in (names if isinstance(names, list) else []) if name != new]
    document: dict[str, Json] = {**moved, "id": new, "alsoKnownAs": list(dict.fromkeys([*map(str, listed), old]))}
    return update(written, document=document, signer=signer, following=following, now=now)


def deactivate(written: Written, *, signer: Signer, now: datetime) -> Written:
    """Give the DID up for ever: no key may write another entry.

    Where keys are announced ahead, two entries are needed ("Deactivate"): `signer`, an announced one, ends that, and
    then the same key gives the DID up; the second entry is a second later than the first. Raises like `update`.
    """
    if written.log.last.parameters.next_key_hashes:
        written = update(written, signer=signer, now=now)
        now += _SECOND
    return update(written, signer=signer, parameters={"deactivated": True, "updateKeys": []}, now=now)


def announced(keys: Sequence[PublicKey]) -> list[Json]:
    """The hashes by which keys are announced for the next entry."""
    return [hashing.of_key(multikey.encode(key)) for key in keys]


def approval(version_id: str, *, witness: Signer, now: datetime) -> dict[str, Json]:
    """A witness's approval of a version, for the `proof` of its entry in did-witness.json."""
    return _proof({"versionId": version_id}, signer=witness, now=now)


def parallel(written: Written) -> dict[str, Json]:
    """The did:web document that may stand beside the log ("Publishing a Parallel `did:web` DID")."""
    last = written.log.last.entry
    state = with_services(last.state, place.read(last.did), last.did)
    web = _renamed(state, f"did:webvh:{written.log.scid}:", "did:web:")
    named = web.get("alsoKnownAs", [])
    names_kept = [str(name) for name in (named if isinstance(named, list) else []) if name != web["id"]]
    return {**web, "alsoKnownAs": list(dict.fromkeys([*names_kept, last.did]))}


def _renamed(state: Mapping[str, Json], old: str, new: str, *, whole: bool = False) -> dict[str, Json]:
    """The text replacement over a document; `whole`: only where the DID ends there, not where a longer one begins."""
    sought = re.escape(old) + (r"(?![A-Za-z0-9._:%-])" if whole else "")
    read_back: dict[str, Json] = json.loads(re.sub(sought, lambda _: new, json.dumps(state, ensure_ascii=False)))
    return read_back


def _signed(entry: Mapping[str, Json], *, number: int, previous: str, signer: Signer, now: datetime) -> bytes:
    numbered = {**entry, "versionId": f"{number}-{hashing.of_entry(entry, previous)}"}
    ordered = {name: numbered[name] for name in ("versionId", "versionTime", "parameters", "state")}
    return write_json({**ordered, "proof": [_proof(ordered, signer=signer, now=now)]}) + b"\n"


def _proof(document: Mapping[str, Json], *, signer: Signer, now: datetime) -> dict[str, Json]:
    name = multikey.encode(signer.public)
    options: dict[str, Json] = {
        "type": eddsa_jcs_2022.TYPE,
        "cryptosuite": eddsa_jcs_2022.NAME,
        "verificationMethod": f"did:key:{name}#{name}",
        "created": sources.written(now),
        "proofPurpose": "assertionMethod",
    }
    made = eddsa_jcs_2022.sign(document, options, signer=signer, mandatory=None, random=secrets.token_bytes)
    return dict(made)
