"""Entries of a did:webvh log: how is a line read, and does its proof hold (did:webvh 1.0, "The DID Log File")?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ssi.dids import multikey
from ssi.encoding import Json, read_json_object
from ssi.errors import Malformed, Refused, Unsupported
from ssi.suites import eddsa_jcs_2022

MAX_LOG: Final = 16 * 1024 * 1024
MAX_ENTRY: Final = 262_144
MAX_ENTRIES: Final = 10_000
MAX_PROOFS: Final = 4
"""Each proof costs one pass over the whole entry; nobody writes more than one."""
_MEMBERS: Final = frozenset({"versionId", "versionTime", "parameters", "state", "proof"})
_VERSION: Final = re.compile(r"([1-9][0-9]{0,8})-([1-9A-HJ-NP-Za-km-z]{46})")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|\+00:00)")


@dataclass(frozen=True)
class Entry:
    """One entry as it stands in the log; nothing about it has been verified but its shape."""

    number: int
    hash: str
    at: datetime
    parameters: Mapping[str, Json]
    state: Mapping[str, Json]
    proofs: tuple[Mapping[str, Json], ...] = field(repr=False)
    json: Mapping[str, Json] = field(repr=False)

    @property
    def version_id(self) -> str:
        """The entry's versionId."""
        return f"{self.number}-{self.hash}"

    @property
    def did(self) -> str:
        """The DID that the entry's document is about; "" where it says none."""
        found = self.state.get("id")
        return found if isinstance(found, str) else ""


def lines(log: bytes) -> list[bytes]:
    """The lines of a log. Raises Refused (`did.webvh_log`) for an empty one and for one beyond the bounds."""
    if len(log) > MAX_LOG or log.count(b"\n") > MAX_ENTRIES:
        raise Refused("did.webvh_log", "The DID's log is longer than what is read here.")
    found = [line for line in log.split(b"\n") if line.strip()]
    if not found:
        raise Refused("did.webvh_log", "The DID's log is empty.")
    return found


def read(line: bytes) -> Entry:
    """One line. Raises Malformed (`did.webvh_entry`, `did.webvh_time`, `encoding.*`)."""
    entry = read_json_object(line, what="entry of the DID's log", max_bytes=MAX_ENTRY)
    parameters, state = entry.get("parameters"), entry.get("state")
    if entry.keys() != _MEMBERS or not isinstance(parameters, Mapping) or not isinstance(state, Mapping):
        raise Malformed("did.webvh_entry", "An entry of the DID's log has not exactly the members that each has.")
    version = entry["versionId"]
    match = _VERSION.fullmatch(version) if isinstance(version, str) else None
    if match is None:
        raise Malformed("did.webvh_entry", "An entry of the DID's log has a versionId that cannot be read.")
    proofs = tuple(_proofs(entry["proof"]))
    return Entry(int(match[1]), match[2], moment(entry["versionTime"]), parameters, state, proofs, entry)


def _proofs(value: Json) -> Iterator[Mapping[str, Json]]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_PROOFS:
        raise Malformed("did.webvh_entry", f"An entry of the DID's log has not a list of 1 to {MAX_PROOFS} proofs.")
    for one in value:
        if not isinstance(one, Mapping):
            raise Malformed("did.webvh_entry", "A proof in the DID's log is not an object.")
        yield one


def moment(value: Json) -> datetime:
    """A versionTime: ISO 8601 in UTC. Raises Malformed (`did.webvh_time`)."""
    try:
        return datetime.fromisoformat(value if isinstance(value, str) and _TIME.fullmatch(value) else "")
    except ValueError:
        raise Malformed("did.webvh_time", "A time in the DID's log is not written in UTC as ISO 8601 has it.") from None


def signer(proof: Mapping[str, Json]) -> str:
    """The Multikey of a proof's key, whose did:key names it twice alike.

    Raises Refused (`did.webvh_proof`), Unsupported (`did.webvh_proof`) for another suite than the method's.
    """
    if (proof.get("type"), proof.get("cryptosuite")) != ("DataIntegrityProof", eddsa_jcs_2022.NAME):
        raise Unsupported("did.webvh_proof", "A proof in the DID's log is not of the suite that the method asks for.")
    if proof.get("proofPurpose") != "assertionMethod":
        raise Refused("did.webvh_proof", "A proof in the DID's log was made for another purpose.")
    url = proof.get("verificationMethod")
    body, mark, fragment = url.removeprefix("did:key:").partition("#") if isinstance(url, str) else ("", "", "")
    if not isinstance(url, str) or not url.startswith("did:key:") or not mark or body != fragment:
        raise Refused("did.webvh_proof", "A proof in the DID's log does not name its key as a did:key.")
    return body


def check(document: Mapping[str, Json], proof: Mapping[str, Json], *, allowed: Sequence[str], now: datetime) -> str:
    """The key that made the proof over `document`, one of the `allowed`. Raises Refused (`did.webvh_*`, `suite.*`)."""
    key = signer(proof)
    if key not in allowed:
        raise Refused("did.webvh_unauthorized", "An entry of the DID's log was signed by a key that may not write it.")
    if "expires" in proof and now >= moment(proof["expires"]):
        raise Refused("did.webvh_proof", "A proof in the DID's log has expired.")
    eddsa_jcs_2022.verify(document, proof, key=multikey.decode(key))
    return key
