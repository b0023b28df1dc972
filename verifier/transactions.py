"""Transactions: what is a person asked to authorise, and did their answer authorise it (OpenID4VP 1.0 §5.1, §8.4)?

The relying party writes an object, such as a payment; wallets get its JSON as base64url, and sign a hash over exactly
that text with the key of the credential that they show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ssi import dcql
from ssi.encoding import Json, b64url, printable, read_json_object, required_text, unb64url, write_json
from ssi.errors import Malformed
from ssi.oid4vp import transactions as types
from verifier.words import claim_label

PAYMENT: Final = types.PAYMENT
MAX_TRANSACTIONS: Final = 8
MAX_BYTES: Final = 4096
FIELDS: Final = ("payee", "amount", "currency", "reference")
"""What the form for a payment asks for."""

_MAX_SHOWN: Final = 300
_PROTOCOL: Final = frozenset({"type", "credential_ids", "transaction_data_hashes_alg"})
_KNOWN: Final = frozenset(one.name for one in types.TYPES)


@dataclass(frozen=True)
class Transaction:
    """One thing to authorise: `raw` is the text that is hashed, `json` what the API shows, `rows` what a page shows."""

    raw: str
    type: str
    title: str
    credential_ids: tuple[str, ...]
    json: Mapping[str, Json]
    rows: tuple[tuple[str, str], ...]


def parse(value: Json, query: dcql.Query) -> tuple[Transaction, ...]:
    """Read a relying party's list of objects; () for None. Where one names no credentials, every fitting one may sign.

    A type that this house does not know is passed on: some wallet may. Raises Malformed (`request.transaction_data`,
    `oid4vp.transaction_data` for a known type with other fields than it has).
    """
    if value is None:
        return ()
    if not isinstance(value, list) or not 0 < len(value) <= MAX_TRANSACTIONS:
        raise _wrong(f"must be a list of 1 to {MAX_TRANSACTIONS} objects")
    return tuple(_transaction(entry, query) for entry in value)


def _transaction(entry: Json, query: dcql.Query) -> Transaction:
    if not isinstance(entry, Mapping):
        raise _wrong("must hold objects")
    kind = required_text(entry, "type", what="transaction")
    rest = {name: value for name, value in entry.items() if name not in {"type", "credential_ids"}}
    written = write_json({"type": kind, "credential_ids": _credential_ids(entry, query), **rest})
    if len(written) > MAX_BYTES:
        raise _wrong(f"must hold objects of at most {MAX_BYTES} bytes")
    return read(b64url(written))


def _credential_ids(entry: Mapping[str, Json], query: dcql.Query) -> list[str]:
    """§5.1: the credential queries of which one authorises this; only some formats can carry the hash (B.3.3)."""
    able = [one.id for one in query.credentials if one.format in types.AUTHORIZING]
    ids = entry.get("credential_ids", able)
    if not isinstance(ids, list) or not ids or not all(name in able for name in ids):
        raise _wrong(f"must name queries for credentials that can sign it: {' or '.join(types.AUTHORIZING)}")
    return list(dict.fromkeys(ids))


@lru_cache(maxsize=1024)
def read(raw: str) -> Transaction:
    """A transaction from the text that wallets get. Raises Malformed (`oid4vp.transaction_data`)."""
    entry = read_json_object(unb64url(raw, what="transaction data"), what="transaction data")
    kind, ids = entry["type"], tuple(entry["credential_ids"])
    if kind in _KNOWN:
        known = types.parse(raw)
        return Transaction(raw, kind, known.title, ids, entry, known.lines)
    said = ((claim_label((name,)), _plain(value)) for name, value in entry.items() if name not in _PROTOCOL)
    return Transaction(raw, kind, "A transaction", ids, entry, (("Kind", printable(kind, limit=_MAX_SHOWN)), *said))


def payment(form: Mapping[str, str]) -> dict[str, Json]:
    """A payment from the fields of a form, for `parse`."""
    said = {name: form.get(name, "").strip() for name in FIELDS}
    return {"type": PAYMENT, **{name: value for name, value in said.items() if value}}


def _plain(value: Json) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return printable(value if isinstance(value, str) else write_json(value).decode(), limit=_MAX_SHOWN)


def _wrong(what: str) -> Malformed:
    return Malformed("request.transaction_data", f"The transaction_data {what}.")
