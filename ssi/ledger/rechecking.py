"""Re-checking: what may be kept and passed on of a receipt, so that others can check it, and link it with nobody?

The salt is the holder's: it leads from a credential to its leaf. What is kept has the leaf's entry in its place, which
shows that something was anchored, by whom and when, and which nobody without the salt can tell from a random number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ssi.encoding import Json, b64url, unb64url
from ssi.errors import Malformed
from ssi.ledger import merkle, receipts
from ssi.ledger.receipts import KnownHash, Proven, Receipt

_NO_SALT: Final = b64url(bytes(merkle.SIZE))


def evidence(receipt: Receipt, core: bytes) -> dict[str, Json]:
    """The receipt as JSON, with `entry` in the place of `salt`."""
    told = receipts.write(receipt)
    del told["salt"]
    return {**told, "entry": b64url(merkle.entry(receipt.salt, core))}


def recheck(told: Mapping[str, Json], *, known_hash: KnownHash) -> Proven:
    """What an `evidence` proves; whether it is of the right ledger and identity, the caller compares.

    Raises as `receipts.read` and `receipts.check`.
    """
    text = told.get("entry")
    entry = unb64url(text, what="receipt's entry") if isinstance(text, str) else b""
    if len(entry) != merkle.SIZE:
        raise Malformed("ledger.receipt", "This is not a receipt.")
    plain = {name: value for name, value in told.items() if name != "entry"}
    return receipts.proven(receipts.read({**plain, "salt": _NO_SALT}), entry, known_hash=known_hash)
