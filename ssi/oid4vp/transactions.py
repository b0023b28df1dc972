"""Transaction data: what is a person asked to authorize, and can it be shown to them (OpenID4VP 1.0 §5.1, §8.4)?

Types are described by JSON Schemas of the house (`schemas/transactions`), so that both sides read them alike. A type
that is not known, a field that its type does not have: the whole request is unusable, for nobody may be made to
authorize what is not shown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import schemas
from ssi import dcql
from ssi.encoding import Json, b64url, printable, read_json, read_json_object, text, unb64url, write_json
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.formats.disclosures import HASHES, digest
from ssi.vcdm import evaluation

MAX_TRANSACTIONS = 16
MAX_TRANSACTION = 16_384
PAYMENT: Final = "urn:facet:transaction:payment:1"
SIGN_IN: Final = "urn:facet:transaction:sign-in:1"
AUTHORIZING: Final = ("dc+sd-jwt", "vc+sd-jwt")
"""Formats whose proof can cover a transaction: those with a Key Binding JWT (B.3.3.1).

An mdoc could only by a data element that its issuer has authorized the device to sign (B.2.1): no type here has one.
"""

_HASH: Final = "sha-256"  # B.3.3.1: every implementation has it


@dataclass(frozen=True)
class TransactionType:
    """A kind of transaction: its name, what a person reads above it, its schema, and what its fields are called."""

    name: str
    title: str
    schema: bytes = field(repr=False)
    labels: tuple[tuple[str, str], ...]

    def lines(self, members: Mapping[str, Json]) -> tuple[tuple[str, str], ...]:
        """The transaction as a person reads it: labels and values, none left out."""
        if self.name == PAYMENT:
            members = {**members, "amount": f"{members['amount']} {members['currency']}"}
        return tuple((label, str(members[name])) for name, label in self.labels if name in members)


def _known(name: str, title: str, **labels: str) -> TransactionType:
    return TransactionType(name, title, schemas.read(schemas.TRANSACTIONS[name]), tuple(labels.items()))


TYPES: Final[tuple[TransactionType, ...]] = (
    _known(PAYMENT, "A payment", amount="Amount", payee="To", payee_account="Account", reference="Reference"),
    _known(SIGN_IN, "A sign-in", service="To", account="As", device="On"),
)
"""Every type that a person can be shown here, and a verifier here may ask for."""


@dataclass(frozen=True)
class Transaction:
    """One transaction to authorize. `raw` is the base64url text as the request had it: what is hashed (§8.4).

    One of `credential_ids`, and only one, is to authorize it (§5.1). `lines` are what a person must read first.
    """

    raw: str
    type: str
    title: str
    credential_ids: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]


def make(name: str, credential_ids: Sequence[str], members: Mapping[str, Json]) -> str:
    """Transaction data of a known type, as a request carries it. Raises as `parse`."""
    entry = {"type": name, "credential_ids": list(credential_ids), **members}
    return parse(b64url(write_json(entry))).raw


def parse(raw: str, *, types: Collection[TransactionType] = TYPES) -> Transaction:
    """Read one entry. Raises Malformed (`oid4vp.transaction_data`), Unsupported (`oid4vp.transaction_type`)."""
    try:
        entry = read_json_object(unb64url(raw, what="transaction data"), what="transaction data")
        name = text(entry, "type", what="transaction data")
    except SsiError:
        raise Malformed("oid4vp.transaction_data", "The request's transaction data cannot be read.") from None
    kind = next((one for one in types if one.name == name), None)
    if kind is None:
        raise Unsupported(
            "oid4vp.transaction_type", "The request wants a kind of transaction authorized that is unknown."
        )
    ids = entry.get("credential_ids")
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
        raise Malformed("oid4vp.transaction_data", "The transaction data does not say which credential authorizes it.")
    algorithms = entry.get("transaction_data_hashes_alg", [_HASH])
    if not isinstance(algorithms, list) or _HASH not in algorithms:
        raise Unsupported("oid4vp.transaction_data", "The transaction data is to be hashed in a way that is unknown.")
    if not evaluation.conforms(entry, kind.schema) or not all(_plain(value) for value in entry.values()):
        raise Malformed("oid4vp.transaction_data", "The transaction is not described as its kind demands.")
    return Transaction(raw, kind.name, kind.title, tuple(ids), kind.lines(entry))


def _plain(value: Json) -> bool:
    """Nothing in a text that could make it look like another (a change of direction, a line break)."""
    return not isinstance(value, str) or printable(value, limit=len(value)) == value


def read(
    parameters: Mapping[str, Json], query: dcql.Query, *, types: Collection[TransactionType]
) -> tuple[Transaction, ...]:
    """The request's transactions; () when it has none.

    Raises Malformed (`oid4vp.transaction_data`), Unsupported (`oid4vp.transaction_type`).
    """
    if "transaction_data" not in parameters:
        return ()
    values = parameters["transaction_data"]
    if not isinstance(values, list) or not 0 < len(values) <= MAX_TRANSACTIONS:
        raise Malformed("oid4vp.transaction_data", "The request's transaction data is not a list of a few entries.")
    return tuple(_entry(value, query, types) for value in values)


def from_link(value: str) -> Json:
    """Transaction data as a link's parameter has it: JSON text. Raises Malformed."""
    return read_json(value, what="request's transaction data")


def _entry(value: Json, query: dcql.Query, types: Collection[TransactionType]) -> Transaction:
    if not isinstance(value, str) or len(value) > MAX_TRANSACTION:
        raise Malformed("oid4vp.transaction_data", "An entry of the request's transaction data is not a short text.")
    entry = parse(value, types=types)
    asked = [query.credential(name) for name in entry.credential_ids]
    if not all(one is not None and one.holder_binding for one in asked):  # B.3.3
        raise Malformed("oid4vp.transaction_data", "The transaction data names a credential that cannot authorize it.")
    if not any(one is not None and one.format in AUTHORIZING for one in asked):  # B.2.1
        raise Unsupported("oid4vp.transaction_type", "No credential asked for can authorize a transaction of its kind.")
    return entry


# --- which presentation authorizes which transaction ------------------------------------------------------------------


def assign(requested: Sequence[str], answered: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    """By query id, the transactions that a wallet has its credential authorize: each goes to one alone (§5.1).

    `answered` are the formats of what is about to be shown, by query id. Raises Refused (`oid4vp.transaction_missing`)
    when nothing that is shown can authorize one of them.
    """
    assigned: dict[str, tuple[str, ...]] = {}
    for raw in requested:
        able = (name for name in _ids(raw) if answered.get(name) in AUTHORIZING)
        chosen = next(able, None)
        if chosen is None:
            raise Refused(
                "oid4vp.transaction_missing", "Nothing that you chose can authorise what they ask. Choose again."
            )
        assigned[chosen] = (*assigned.get(chosen, ()), raw)
    return assigned


def _ids(raw: str) -> tuple[str, ...]:
    entry = read_json_object(unb64url(raw, what="transaction data"), what="transaction data")
    ids = entry.get("credential_ids")
    return tuple(one for one in ids if isinstance(one, str)) if isinstance(ids, list) else ()


def covered(wire: str, requested: Sequence[str], *, query_id: str) -> tuple[str, ...]:
    """The transactions that a presentation for this query says it authorizes: not verified, its format does that.

    In the order of the proof's hashes. A presentation that cannot be read covers nothing.
    """
    mine = [raw for raw in requested if query_id in _ids(raw)]
    if not mine:
        return ()
    try:
        parts = wire.rpartition("~")[2].split(".")
        claims = read_json_object(unb64url(parts[1], what="proof"), what="proof")
    except (SsiError, IndexError):
        return ()
    hashes, name = claims.get("transaction_data_hashes"), claims.get("transaction_data_hashes_alg", _HASH)
    if not isinstance(hashes, list) or not isinstance(name, str) or name not in HASHES:
        return ()
    by_hash = {digest(raw.encode("ascii"), HASHES[name]): raw for raw in mine}
    return tuple(by_hash[one] for one in hashes if isinstance(one, str) and one in by_hash)
