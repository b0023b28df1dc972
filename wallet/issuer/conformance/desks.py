"""Desks: which proofs does the conformance service make, where, and with whose key?

One table, a line to a path. All keys are made when the service starts, one for each kind, and live in memory only; none
is the issuing desk's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from ssi.bbs.keys import BbsSigner
from ssi.dids import key as did_key
from ssi.dids import multikey
from ssi.keys import BBS, Signer, SoftwareSigner

JWT: Final = "vc+jwt"
"""The one method here that is no Data Integrity suite: an enveloping proof (VC-JOSE-COSE)."""

BITSTRING: Final = "bitstring"
"""The desk whose credentials carry a status (Bitstring Status List 1.0)."""

_PATHS: Final[tuple[tuple[str, str, str], ...]] = (
    ("eddsa-rdfc-2022", "eddsa-rdfc-2022", "EdDSA"),
    ("vcdm", "eddsa-rdfc-2022", "EdDSA"),
    ("eddsa-jcs-2022", "eddsa-jcs-2022", "EdDSA"),
    ("ecdsa-rdfc-2019@P-256", "ecdsa-rdfc-2019", "ES256"),
    ("ecdsa-rdfc-2019@P-384", "ecdsa-rdfc-2019", "ES384"),
    ("ecdsa-jcs-2019@P-256", "ecdsa-jcs-2019", "ES256"),
    ("ecdsa-jcs-2019@P-384", "ecdsa-jcs-2019", "ES384"),
    ("ecdsa-sd-2023@P-256", "ecdsa-sd-2023", "ES256"),
    ("bbs-2023", "bbs-2023", "BBS"),
    ("Ed25519Signature2020", "Ed25519Signature2020", "EdDSA"),
    (BITSTRING, "eddsa-rdfc-2022", "EdDSA"),
    ("vc-jwt", JWT, "ES256"),
)
"""Path, Data Integrity suite (or `JWT`), kind of key."""


_BBS_LETTERS: Final = "zUC7"


@dataclass(frozen=True)
class Desk:
    """One path: the proof it makes, and the key it makes it with."""

    path: str
    method: str
    signer: Signer

    @cached_property
    def did(self) -> str:
        """The did:key by which verifiers find the key."""
        return did_key.from_public(self.signer.public)

    @cached_property
    def verification_method(self) -> str:
        """The DID URL of the key itself."""
        return did_key.url(self.signer.public)


def opened(random: Callable[[int], bytes]) -> Mapping[str, Desk]:
    """All desks by their paths, with fresh keys."""
    signers: dict[str, Signer] = {
        name: _bbs(random) if name == BBS.name else SoftwareSigner.generate(name)
        for name in dict.fromkeys(kind for _, _, kind in _PATHS)
    }
    return {path: Desk(path, method, signers[kind]) for path, method, kind in _PATHS}


def _bbs(random: Callable[[int], bytes]) -> BbsSigner:
    """A BBS key whose Multikey text begins as suites expect; they tell kinds of keys apart by their first letters."""
    while True:
        signer = BbsSigner.generate(random=random)
        if multikey.encode(signer.public).startswith(_BBS_LETTERS):
            return signer


def told(desks: Mapping[str, Desk]) -> dict[str, dict[str, str]]:
    """Each path's DID, for whoever runs the suites."""
    return {"issuers": {path: desk.did for path, desk in desks.items()}}
