"""Nonces for key proofs: did this desk give it out just now, and has nobody used it before (OpenID4VCI 1.0 §7, §13.8)?

Nothing is kept of a nonce until it is used: it holds its time and the desk's mark. What was used is remembered for as
long as it could be used again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from service import hot
from ssi.encoding import b64url, seconds
from ssi.oid4vci import OAuthError
from wallet.issuer import codes
from wallet.issuer.marks import FRESH, Marks
from wallet.issuer.store import NONCES

_PURPOSE: Final = "key proof"
_USE: Final = insert(NONCES)


@dataclass(frozen=True)
class Nonces:
    """Makes nonces, and uses them up."""

    marks: Marks
    random: codes.Random

    def fresh(self, *, now: datetime) -> str:
        """A value that nobody can foresee, good for one request within five minutes."""
        own = b64url(self.random(16))
        return f"{own}.{self.marks.fresh(f'{_PURPOSE} {own}', now=now)}"

    def spend(self, connection: Connection, nonces: Collection[str], *, now: datetime) -> None:
        """Use up the nonces of one request; they are given back when the transaction fails: then nothing was issued.

        Raises OAuthError (`invalid_nonce`) when one is not this desk's, is too old, or was used by another request.
        """
        if not all(self._is_own(nonce, now=now) for nonce in nonces):
            raise _refusal()
        until = seconds(now + FRESH) + 60
        try:
            for one in sorted(nonces):
                hot.run(connection, _USE, {"hash": codes.hashed(one), "expires_at": until})
        except IntegrityError:  # another request has used it
            raise _refusal() from None

    def _is_own(self, nonce: str, *, now: datetime) -> bool:
        own, dot, mark = nonce.partition(".")
        return bool(dot) and len(nonce) < 128 and self.marks.is_fresh(f"{_PURPOSE} {own}", mark, now=now)


def _refusal() -> OAuthError:
    return OAuthError("invalid_nonce", "The c_nonce is unknown, used or expired. Fetch a fresh one.")
