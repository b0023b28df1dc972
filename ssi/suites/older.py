"""Older proofs, through DIDKit: signatures over whole documents of VC data model 1.1, kept for what is out there.

DIDKit (`ssi.legacy`) resolves the verification method itself; the key that the caller resolved must be the same. Only
did:key, did:jwk and did:pkh are therefore read, and only keys that give their secret away can sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ssi.encoding import Json
from ssi.errors import Refused, Unsupported
from ssi.keys import PublicKey, Signer
from ssi.legacy import linked
from ssi.suites import naming, values
from ssi.suites.values import Random

CREDENTIALS_V1: Final = linked.CONTEXT


@dataclass(frozen=True)
class Older:
    """A suite of one proof type."""

    name: str

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The names of the algorithms whose keys it takes."""
        return linked.PROOF_TYPES[self.name]

    def sign(
        self,
        document: Mapping[str, Json],
        proof: Mapping[str, Json],
        *,
        signer: Signer,
        mandatory: Sequence[str] | None,
        random: Random,
    ) -> dict[str, Json]:
        """The complete proof. Raises Malformed, Unsupported (`suite.key`, `suite.chain`, `didkit.*`), Unavailable."""
        values.takes(self.algorithms, signer.public)
        values.is_of(proof, type=self.name, name=self.name)
        if "proof" in document:
            raise Unsupported("suite.chain", "A proof of this type cannot continue another one.")
        naming.check(document)
        return linked.prove(document, proof, signer=signer)

    def verify(self, document: Mapping[str, Json], proof: Mapping[str, Json], *, key: PublicKey) -> None:
        """Return when the proof is the key's. Raises Refused, Malformed, Unsupported, Unavailable."""
        values.takes(self.algorithms, key)
        values.is_of(proof, type=self.name, name=self.name)
        if "proof" in document:
            raise Unsupported("suite.chain", "A proof of this type cannot continue another one.")
        naming.check(document)
        try:
            linked.check(document, proof, key=key)
        except Refused as refused:
            if refused.code == "didkit.proof":
                raise Refused("suite.signature", "The proof's signature does not match the document.") from None
            raise
