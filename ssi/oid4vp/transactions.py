"""Transaction data: is a person asked to authorize what this wallet cannot show (OpenID4VP 1.0 §5.1, §8.4)?"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ssi import dcql
from ssi.encoding import Json, read_json, read_json_object, text, unb64url
from ssi.errors import Malformed, Unsupported

MAX_TRANSACTIONS = 16
MAX_TRANSACTION = 16_384


def read(parameters: Mapping[str, Json], query: dcql.Query, *, known: Collection[str]) -> tuple[str, ...]:
    """The request's transaction data as its base64url strings; () when it has none.

    Nobody may be made to authorize what is not shown: one unknown type makes the whole request unusable.
    Raises Malformed (`oid4vp.transaction_data`), Unsupported (`oid4vp.transaction_type`).
    """
    if "transaction_data" not in parameters:
        return ()
    values = parameters["transaction_data"]
    if not isinstance(values, list) or not 0 < len(values) <= MAX_TRANSACTIONS:
        raise Malformed("oid4vp.transaction_data", "The request's transaction data is not a list of a few entries.")
    for value in values:
        _check(value, query, known)
    return tuple(values)


def from_link(value: str) -> Json:
    """Transaction data as a link's parameter has it: JSON text. Raises Malformed."""
    return read_json(value, what="request's transaction data")


def _check(value: Json, query: dcql.Query, known: Collection[str]) -> None:
    if not isinstance(value, str) or len(value) > MAX_TRANSACTION:
        raise Malformed("oid4vp.transaction_data", "An entry of the request's transaction data is not a short text.")
    entry = read_json_object(unb64url(value, what="transaction data"), what="transaction data")
    if text(entry, "type", what="transaction data") not in known:
        raise Unsupported(
            "oid4vp.transaction_type", "The request wants a kind of transaction authorized that is unknown."
        )
    ids = entry.get("credential_ids")
    if not isinstance(ids, list) or not ids or not all(isinstance(name, str) for name in ids):
        raise Malformed("oid4vp.transaction_data", "The transaction data does not say which credential authorizes it.")
    asked = [query.credential(name) for name in ids]
    if not all(credential is not None and credential.holder_binding for credential in asked):  # B.3.3
        raise Malformed("oid4vp.transaction_data", "The transaction data names a credential that cannot authorize it.")
    algorithms = entry.get("transaction_data_hashes_alg", ["sha-256"])
    if not isinstance(algorithms, list) or "sha-256" not in algorithms:
        raise Unsupported("oid4vp.transaction_data", "The transaction data is to be hashed in a way that is unknown.")
