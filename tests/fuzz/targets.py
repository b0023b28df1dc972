"""What is fuzzed: every reader of outside bytes, with honest seeds to change.

One table, used by the tests, by `make fuzz` and by the bench of hostile inputs.
"""

from __future__ import annotations

import gzip
import json
import secrets
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache, partial
from pathlib import Path

from ssi import dcql, dids, jsonld, oid4vci, oid4vp, vcdm
from ssi.bbs.keys import BbsSigner
from ssi.cose import cbor, sign1
from ssi.dids import dereferencing, document, multikey, peer
from ssi.encoding import b64url, read_json, read_json_object, write_json
from ssi.errors import SsiError
from ssi.formats import typemetadata
from ssi.jose import jwe, jws
from ssi.model import Credential, Issuer, Outcome, Presentation
from ssi.status import bitlist, bits, cwt, token_status_list
from ssi.suites import proofs
from ssi.trust import policies, x509
from ssi.trust.federation import statements
from ssi.vcdm import evaluation
from tests.fuzz import issuance, trusting, webvh
from tests.ssi import drafts
from tests.support import NOW, InMemoryFetch

FOUND = Path(__file__).parent / "found"
"""Inputs that once broke something, by target; every test run tries them again."""


@dataclass(frozen=True)
class Target:
    """One reader. `seeds` makes honest inputs; `read` raises only SsiError, or AssertionError for a wrong yes."""

    name: str
    seeds: Callable[[], tuple[bytes, ...]]
    read: Callable[[bytes], None]

    def attempt(self, data: bytes) -> None:
        """Read the input; an SsiError is an answer like any other."""
        try:
            self.read(data)
        except SsiError:
            return

    @property
    def found(self) -> tuple[Path, ...]:
        """Its inputs of `FOUND`."""
        return tuple(sorted((FOUND / self.name).glob("*")))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _check(sample: drafts.Sample, data: bytes) -> None:
    sample.format.check(Credential(sample.format.ID, _text(data)), keys=sample.keys, now=NOW)


def _open(sample: drafts.Sample, data: bytes) -> None:
    """A changed presentation may be refused; if it is believed, it says what the honest one said."""
    opened = sample.opened(Presentation(sample.format.ID, _text(data)))
    if {finding.outcome for finding in opened.findings} <= {Outcome.PASS, Outcome.NOT_ASKED}:
        assert opened.claims == _honest(sample).claims, "a changed presentation was believed"


@lru_cache(maxsize=64)
def _credential(sample_id: str) -> bytes:
    return _sample(sample_id).issued().wire.encode()


@lru_cache(maxsize=64)
def _presentation(sample_id: str) -> bytes:
    sample = _sample(sample_id)
    return sample.shown(sample.shows).wire.encode()


def _honest(sample: drafts.Sample) -> drafts.Opened:
    return sample.opened(Presentation(sample.format.ID, _text(_presentation(sample.id))))


def _sample(sample_id: str) -> drafts.Sample:
    return next(sample for sample in drafts.SAMPLES if sample.id == sample_id)


def _of_formats() -> tuple[Target, ...]:
    found = []
    for sample in drafts.SAMPLES:
        credential = Target(
            f"{sample.id}-credential", lambda name=sample.id: (_credential(name),), partial(_check, sample)
        )
        presentation = Target(
            f"{sample.id}-presentation", lambda name=sample.id: (_presentation(name),), partial(_open, sample)
        )
        found += [credential, presentation]
    return tuple(found)


def _w3c() -> tuple[bytes, ...]:
    return tuple(_credential(sample.id) for sample in drafts.SAMPLES if sample.format.ID == "ldp_vc")


def _proofs(data: bytes) -> None:
    document = read_json_object(data)
    proofs.verify(document, keys=drafts.Resolver(), purpose="assertionMethod", now=NOW, domain="d", challenge="c")
    proofs.derive(document, pointers=["/credentialSubject/given_name"])


def _bbs(data: bytes) -> None:
    from ssi import bbs

    key = BbsSigner.from_secret(bytes(31) + b"\x01").public.x
    bbs.verify_proof(key, data, header=b"h", presentation_header=b"p", disclosed={0: b"m"}, suite=bbs.SHA256)


def _bbs_seeds() -> tuple[bytes, ...]:
    from ssi import bbs

    signer, messages = BbsSigner.from_secret(bytes(31) + b"\x01"), [b"m", b"n", b"o"]
    signature = signer.sign_all(b"h", messages)
    proof = bbs.prove(
        signer.public.x,
        signature,
        header=b"h",
        presentation_header=b"p",
        messages=messages,
        disclosed_indexes=[0],
        random=secrets.token_bytes,
        suite=bbs.SHA256,
    )
    return (proof,)


def _jwe_seeds() -> tuple[bytes, ...]:
    return (jwe.encrypt(b"text", jwk=jwe_key().public_jwk, enc="A128GCM").encode(),)


@lru_cache(maxsize=1)
def jwe_key() -> jwe.DecryptionKey:
    """The key that encrypted tokens are for."""
    return jwe.DecryptionKey.generate()


def _status_seeds() -> tuple[bytes, ...]:
    statuses = token_status_list.StatusList.blank(1024, bits=2).changed({3: 1})
    token = token_status_list.issue(
        statuses,
        uri="https://issuer.test/status/1",
        signer=drafts.ISSUER,
        x5c=(),
        now=NOW,
        ttl=timedelta(minutes=1),
        expires=NOW + timedelta(hours=1),
    )
    return (token.encode(),)


def _json(*values: object) -> Callable[[], tuple[bytes, ...]]:
    return lambda: tuple(json.dumps(value).encode() for value in values)


_QUERY = {
    "credentials": [
        {
            "id": "a",
            "format": "dc+sd-jwt",
            "meta": {"vct_values": ["x"]},
            "claims": [{"id": "c", "path": ["a", None, 1], "values": ["v"]}],
            "claim_sets": [["c"]],
        }
    ],
    "credential_sets": [{"options": [["a"]], "required": False}],
}


def _cwt_seeds() -> tuple[bytes, ...]:
    statuses = token_status_list.StatusList.blank(1024, bits=2).changed({3: 1})
    times = {"now": NOW, "ttl": timedelta(minutes=1), "expires": NOW + timedelta(hours=1)}
    return (cwt.issue(statuses, uri=_LIST, signer=drafts.ISSUER, x5c=(), **times),)


def _cwt(data: bytes) -> None:
    keys, trust = drafts.Resolver(drafts.ISSUER.public), policies.UnsafeAnyone()
    cwt.read(data, uri=_LIST, issuer=Issuer("https://issuer.test"), keys=keys, trust=trust, now=NOW)


def _token_list(data: bytes) -> None:
    bits.read_list({"bits": 1, "lst": b64url(data)})


def _schema(data: bytes) -> None:
    pair = read_json(data)
    if isinstance(pair, list) and len(pair) == 2:
        evaluation.conforms(pair[1], write_json(pair[0]))


@lru_cache(maxsize=1)
def _holdings() -> tuple[dcql.Holding, ...]:
    """Twenty credentials, as many as somebody may have, each with some claims in lists."""
    nested = [[[["x"] * 4] * 4] * 4] * 4
    claims = {**drafts.PERSON, "nested": nested, **{f"c{number}": number for number in range(30)}}
    draft = replace(drafts.SD_JWT.draft, claims=claims, disclosable=tuple((name,) for name in claims))
    sample = replace(drafts.SD_JWT, draft=draft)
    opened = sample.format.check(sample.issued(), keys=sample.keys, now=NOW)
    return tuple(dcql.Holding(f"h{number}", sample.format.ID, opened) for number in range(20))


def did_key_document() -> dict[str, object]:
    """A DID document of one key."""
    did, name = "did:web:issuer.test", multikey.encode(drafts.ISSUER.public)
    method = {"id": f"{did}#1", "type": "Multikey", "controller": did, "publicKeyMultibase": name}
    return {"id": did, "verificationMethod": [method], "authentication": ["#1"], "assertionMethod": [method]}


def _peer() -> str:
    service = {"type": "DIDCommMessaging", "serviceEndpoint": "https://mediator.test/"}
    return peer.of_keys([("A", multikey.encode(drafts.ISSUER.public))], [service])


def _did_url(data: bytes) -> None:
    sources = dids.Sources(InMemoryFetch({}))
    dereferencing.dereference(_text(data), {}, accept=dereferencing.URI_LIST, sources=sources, now=NOW)


_LIST = "https://issuer.test/status/1"
TARGETS: tuple[Target, ...] = (
    *_of_formats(),
    Target("json", _json({"a": [1, "b", None, {"c": 1.5}]}), lambda data: read_json(data) and None),
    Target("json-ld", _w3c, lambda data: jsonld.canonical(read_json_object(data)) and None),
    Target("vcdm", _w3c, lambda data: vcdm.credential(read_json_object(data)) and None),
    Target("proofs", _w3c, _proofs),
    Target("bbs-proof", _bbs_seeds, _bbs),
    Target("cbor", lambda: (cbor.encode({1: [b"x", "y", {2: True}]}),), lambda data: cbor.decode(data) and None),
    Target(
        "cose-sign1",
        lambda: (sign1.sign(b"payload", protected={3: "application/vc"}, signer=drafts.ISSUER),),
        lambda data: sign1.parse(data) and None,
    ),
    Target("jws", lambda: (_credential("vc+jwt"),), lambda data: jws.parse(data, typ=None) and None),
    Target("jwe", _jwe_seeds, lambda data: jwe.decrypt(_text(data), keys=[jwe_key()]) and None),
    Target("dcql", _json(_QUERY), lambda data: dcql.parse(read_json(data)) and None),
    Target(
        "did",
        lambda: (drafts.did_key.url(drafts.ISSUER.public).encode(), b"did:web:example.org%3A8443:a"),
        lambda data: dids.split(_text(data)) and None,
    ),
    Target(
        "multikey",
        lambda: (multikey.encode(drafts.ISSUER.public).encode(),),
        lambda data: multikey.decode(_text(data)) and None,
    ),
    Target("did-peer", lambda: (_peer().encode(),), lambda data: peer.expand(_text(data)) and None),
    Target("did-url", lambda: (f"{_peer()}?service=service&relativeRef=%2Fx#y".encode(),), _did_url),
    Target("did-webvh-log", webvh.log_seeds, webvh.log),
    Target("did-webvh-witness", webvh.witness_seeds, webvh.witness),
    Target("certificate", lambda: (b"0\x82\x01\x0a0\x81\xb4",), lambda data: x509.leaf((data,)) and None),
    Target(
        "offer",
        lambda: (b"openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fissuer.test%2Foffers%2F1",),
        lambda data: oid4vci.parse_offer(_text(data)) and None,
    ),
    Target(
        "request-link",
        lambda: (b"openid4vp://?client_id=x509_hash%3Aabc&request_uri=https%3A%2F%2Fv.test%2Fr",),
        lambda data: oid4vp.parse_link(_text(data)) and None,
    ),
    Target("status-list", _status_seeds, lambda data: jws.parse(data, typ=("statuslist+jwt",)) and None),
    Target("status-cwt", _cwt_seeds, _cwt),
    Target("token-list", lambda: (zlib.compress(bytes(1024), 9),), _token_list),
    Target(
        "bitstring-list",
        lambda: (gzip.compress(bytes(bitlist.MIN_ENTRIES // 8)),),
        lambda data: bitlist.Bitstring.read("u" + b64url(data)) and None,
    ),
    Target("schema", _json([{"properties": {"a": {"pattern": "^a+$"}}, "required": ["a"]}, {"a": "aa"}]), _schema),
    Target("dcql-match", _json(_QUERY), lambda data: dcql.match(dcql.parse(read_json(data)), _holdings()) and None),
    Target(
        "did-document",
        _json(did_key_document()),
        lambda data: document.parse(read_json(data), did="did:web:issuer.test") and None,
    ),
    Target(
        "type-metadata",
        _json({"vct": "urn:x", "claims": [{"path": ["a", None], "sd": "always", "mandatory": True}]}),
        lambda data: typemetadata.parse(data, vct="urn:x") and None,
    ),
    Target("issuer-metadata", issuance.metadata_seed, issuance.read_metadata),
    Target("issuer-metadata-signed", issuance.signed_seed, issuance.read_signed),
    Target("credential-request", issuance.proof_seeds, issuance.read_proofs),
    Target("credential-request-sealed", issuance.sealed_seed, issuance.read_sealed),
    Target("issuance-messages", issuance.message_seeds, issuance.read_messages),
    Target("trust-list", trusting.list_seed, trusting.read_list),
    Target("trust-list-signed", trusting.signed_list_seed, trusting.read_signed_list),
    Target("trust-list-xml", trusting.xml_seed, trusting.read_xml),
    Target("entity-statement", trusting.statement_seed, lambda data: statements.read(data, now=NOW) and None),
    Target("federation", trusting.federation_seed, trusting.read_federation),
    Target("trust-declaration", trusting.declaration_seed, trusting.read_declaration),
)


def by_name(name: str) -> Target:
    """The target of this name. Raises KeyError."""
    return {target.name: target for target in TARGETS}[name]
