"""Attested keys: which of the keys in a request may be bound, by what their providers say of them (Appendix D, F)?

`off` reads no key attestations, `on` reads those that come, `required` binds attested keys only. A key that proved
itself counts without an attestation unless one is required; a key that is only attested counts by its provider alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ssi.errors import Unavailable
from ssi.model import Outcome, TrustPolicy
from ssi.oid4vci import KeyAttestation, OAuthError, keyattestation
from ssi.oid4vci.proof import Proof

TYPE: Final = keyattestation.TYP


@dataclass(frozen=True)
class Attesting:
    """Who is believed about keys. Without a `trust` nobody is, and nothing of it is read or announced."""

    mode: str = "off"
    trust: TrustPolicy | None = None

    @property
    def reads(self) -> bool:
        """Are key attestations read at all?"""
        return self.mode != "off" and self.trust is not None

    @property
    def required(self) -> bool:
        """Is nothing bound without one?"""
        return self.mode == "required" and self.trust is not None

    def counting(self, proofs: Sequence[Proof], *, now: datetime) -> tuple[Proof, ...]:
        """The proofs whose keys may be bound.

        Raises OAuthError (`invalid_proof`) when a provider had to be trusted and is not, Unavailable when it could not
        be found out.
        """
        verdicts: dict[int, bool] = {}
        for one in proofs:
            if one.attestation is not None and id(one.attestation) not in verdicts:
                verdicts[id(one.attestation)] = self._trusted(one.attestation, now=now)
        trusted = [one for one in proofs if one.attestation is not None and verdicts[id(one.attestation)]]
        if self.required and len(trusted) != len(proofs):
            raise _refusal()
        counting = tuple(one for one in proofs if one.proven or one in trusted)
        if not counting:
            raise _refusal()
        return counting

    def _trusted(self, attestation: KeyAttestation, *, now: datetime) -> bool:
        if self.trust is None:
            return False
        found = self.trust.judge(attestation.provider, TYPE, now=now)
        if found.outcome is Outcome.UNKNOWN:
            raise Unavailable(found.code, found.detail)
        return found.outcome is Outcome.PASS


def _refusal() -> OAuthError:
    return OAuthError("invalid_proof", "The key attestation is by nobody whom this issuer trusts.")
