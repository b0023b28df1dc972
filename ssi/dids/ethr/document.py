"""The document of a did:ethr: what stands on the ledger, written as a DID document (DID Core 1.0 §5).

Keys are read when somebody asks for one: a document may have a thousand, and a verifier wants one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from ssi.dids import multikey, services
from ssi.dids.document import DidDocument, VerificationMethod
from ssi.dids.ethr.changes import MAX_VALUE, Entry
from ssi.dids.ethr.fold import Shown, State
from ssi.dids.ethr.forms import RECOVERY, Form, Members
from ssi.dids.ethr.identifier import Identifier
from ssi.dids.services import Service
from ssi.encoding import Json, b64url, base58, read_json
from ssi.errors import Malformed, Refused, Unsupported
from ssi.keys import PublicKey
from ssi.ledger import hexes
from ssi.legacy import secp256k1

MAX_MATERIAL: Final = 262_144
"""How many bytes of keys and endpoints a document may have in all."""

_LAST: Final = 253_402_300_798
"""The second before the last one that a datetime holds."""


def write(identifier: Identifier, state: State, *, chain_id: int, form: Form) -> DidDocument:
    """The document of this state. Raises Refused (`did.too_large`)."""
    did = identifier.did
    if state.deactivated:
        empty: dict[str, Json] = {"id": did, "verificationMethod": [], "authentication": [], "assertionMethod": []}
        return DidDocument(did, {}, {}, {**empty, "@context": form.context([])})
    _bounded(state)
    listed = [(shown, method) for shown in state.entries if (method := _method(did, chain_id, shown, form)) is not None]
    methods, sources = _controllers(identifier, state, chain_id, form)
    owners = tuple(sources)
    methods += [method for _, method in listed]
    sources |= {method["id"]: shown for shown, method in listed}
    agreements = [shown for shown, _ in listed if shown.entry.purpose == "enc"]
    if form.recalls is not None:
        agreements = [shown for shown in state.agreements if form.recalls(shown.entry)]
    relationships = {
        "authentication": owners + tuple(m["id"] for shown, m in listed if shown.entry.purpose == "sigAuth"),
        "assertionMethod": owners + tuple(m["id"] for shown, m in listed if shown.entry.purpose != "enc"),
        "keyAgreement": tuple(f"{did}#delegate-{shown.number}" for shown in agreements),
    }
    offered = [made for shown in state.services if (made := _service(did, shown)) is not None]
    json: dict[str, Json] = {"id": did, "verificationMethod": methods}
    json |= {name: list(urls) for name, urls in relationships.items() if urls}
    json |= {"service": offered} if offered else {}
    json["@context"] = form.context(methods)
    known = Methods(did, methods, sources)
    return DidDocument(did, known, relationships, json, services=tuple(_readable(offered, did)))


def _controllers(
    identifier: Identifier, state: State, chain_id: int, form: Form
) -> tuple[list[Members], dict[str, Shown | PublicKey | None]]:
    """The controlling account, and the identifier's own key as long as it is that account's."""
    did = identifier.did
    account, own = f"{did}#controller", f"{did}#controllerKey"
    methods = [_account(account, did, chain_id, state.controller)]
    if identifier.key is None or state.controller != identifier.address:
        return methods, {account: None}
    methods.append({"id": own, "controller": did, **form.controller_key(identifier, identifier.key)})
    return methods, {account: None, own: identifier.key}


def _readable(offered: Sequence[Members], did: str) -> Iterator[Service]:
    """The services whose endpoints are of a kind that DID Core knows."""
    for service in offered:
        if isinstance(service["serviceEndpoint"], str):
            yield Service(service["id"], (service["type"],), (service["serviceEndpoint"],))
        else:
            with suppress(Malformed):
                yield from services.read([service], did=did)


class Methods(Mapping[str, VerificationMethod]):
    """A document's verification methods by id; each one's key is read when it is looked up."""

    def __init__(self, did: str, methods: list[Members], sources: Mapping[str, Shown | PublicKey | None]) -> None:
        self._did, self._sources = did, sources
        self._types = {method["id"]: method["type"] for method in methods}

    def __getitem__(self, url: str) -> VerificationMethod:
        source = self._sources[url]
        if isinstance(source, Shown):
            key, until = _key(source.entry), _until(source.until)
            return VerificationMethod(url, self._types[url], self._did, key, until)
        return VerificationMethod(url, self._types[url], self._did, source)

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


def _account(url: str, did: str, chain_id: int, address: str) -> Members:
    """A method that is an account: signatures by it can be told by recovery only, which nothing here does."""
    return {"id": url, "type": RECOVERY, "controller": did, "blockchainAccountId": _caip10(chain_id, address)}


@lru_cache(maxsize=4096)
def _caip10(chain_id: int, address: str) -> str:
    return f"eip155:{chain_id}:{hexes.checksummed(address)}"


def _method(did: str, chain_id: int, shown: Shown, form: Form) -> Members | None:
    url, entry = f"{did}#delegate-{shown.number}", shown.entry
    if entry.section == "delegate":
        return _account(url, did, chain_id, "0x" + entry.value.hex())
    material = form.method(entry)
    return None if material is None else {"id": url, "controller": did, **material}


def _service(did: str, shown: Shown) -> Members | None:
    """A service, its endpoint as JSON where the value is JSON of a reasonable size, else as the text that it is."""
    value = shown.entry.value
    try:
        endpoint: Json = value.decode("utf-8")
    except UnicodeDecodeError:
        return None
    with suppress(Malformed):
        endpoint = read_json(value, what="service endpoint")
    return {"id": f"{did}#service-{shown.number}", "type": shown.entry.algorithm, "serviceEndpoint": endpoint}


def _bounded(state: State) -> None:
    total = 0
    for shown in (*state.entries, *state.services):
        size = len(shown.entry.value)
        total += size
        if size > MAX_VALUE or total > MAX_MATERIAL:
            raise Refused("did.too_large", "The DID's keys or services are larger than this service reads.")


def _until(second: int) -> datetime | None:
    """The moment at which it no longer holds: it does through the second that the ledger names."""
    return None if second > _LAST else datetime.fromtimestamp(second + 1, UTC)


@lru_cache(maxsize=4096)
def _key(entry: Entry) -> PublicKey | None:
    """The key that can be verified with, or None: an account, or a key of another kind or of none."""
    try:
        if entry.section == "pub" and entry.algorithm == "Secp256k1":
            return secp256k1.from_point(entry.value)
        if entry.section == "pub" and entry.algorithm == "Ed25519":
            return PublicKey.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": b64url(entry.value)})
        if entry.section == "pub" and entry.algorithm == "Multikey":
            return multikey.decode("z" + base58(entry.value[:256]))
    except (Malformed, Unsupported):
        return None
    return None
