"""Honest messages of issuance to change, and their readers: requests, key proofs, attestations, metadata."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

from ssi.encoding import read_json_object, write_json
from ssi.errors import SsiError
from ssi.issuerkeys import Keys
from ssi.jose.jwe import DecryptionKey
from ssi.keys import SoftwareSigner
from ssi.oid4vci import (
    AttestationNeed,
    Configuration,
    CredentialRequest,
    CredentialResponse,
    DeferredRequest,
    Display,
    IssuerMetadata,
    Notification,
    Picture,
    encryption,
    keyattestation,
    proof,
    signed,
    vpproof,
)
from tests.ssi import drafts
from tests.ssi.certificates import root
from tests.support import NOW, InMemoryFetch

ISSUER = "https://issuer.test"
_MAX = 262_144


@lru_cache(maxsize=1)
def _key() -> DecryptionKey:
    return DecryptionKey.generate()


@lru_cache(maxsize=1)
def _provider() -> tuple[SoftwareSigner, bytes]:
    signer = SoftwareSigner.generate("ES256")
    return signer, root().certify(signer.public)


_CONFIGURATION = Configuration(
    "Person",
    "dc+sd-jwt",
    vct="urn:x",
    binding_methods=("jwk",),
    proof_algs={"jwt": ("ES256",), "attestation": ("ES256",), "di_vp": ("ecdsa-rdfc-2019",)},
    needs={"attestation": AttestationNeed(("iso_18045_high",))},
    display=(Display("Card", "en", logo=Picture("https://issuer.test/logo.png", "A logo")),),
)


@lru_cache(maxsize=1)
def _metadata() -> IssuerMetadata:
    requests, responses = encryption.policies([_key()], required=False)
    return IssuerMetadata(
        ISSUER,
        f"{ISSUER}/c",
        {"Person": _CONFIGURATION},
        nonce_endpoint=f"{ISSUER}/n",
        batch_size=5,
        request_encryption=requests,
        response_encryption=responses,
    )


def metadata_seed() -> tuple[bytes, ...]:
    return (write_json(_metadata().json),)


def read_metadata(data: bytes) -> None:
    IssuerMetadata.parse(data, issuer=ISSUER)


def signed_seed() -> tuple[bytes, ...]:
    signer, certificate = _provider()
    made = signed.sign(_metadata().json, signer=signer, x5c=(certificate,), now=NOW, lifetime=timedelta(hours=1))
    return (made.encode(),)


def read_signed(data: bytes) -> None:
    """Changed metadata is not believed."""
    found, _ = signed.open(data, issuer=ISSUER, keys=Keys(InMemoryFetch({})), now=NOW)
    assert found == _metadata(), "changed metadata was believed"


def _attestation() -> str:
    signer, certificate = _provider()
    return keyattestation.make(
        signer=signer,
        x5c=(certificate,),
        keys=(drafts.HOLDER.public,),
        now=NOW,
        lifetime=timedelta(hours=1),
        nonce="n",
        key_storage=("iso_18045_high",),
    )


@lru_cache(maxsize=1)
def proof_seeds() -> tuple[bytes, ...]:
    attested = _attestation()
    token = proof.make(signer=drafts.HOLDER, audience=ISSUER, nonce="n", now=NOW, key_attestation=attested)
    method = drafts.did_key.url(drafts.HOLDER.public)
    shown = vpproof.make(
        signer=drafts.HOLDER, verification_method=method, suite="ecdsa-rdfc-2019", audience=ISSUER, nonce="n", now=NOW
    )
    every = {"jwt": [token], "attestation": [attested], "di_vp": [shown]}
    requests = (CredentialRequest("Person", None, kind, tuple(given)) for kind, given in every.items())
    return tuple(write_json(request.json) for request in requests)


def read_proofs(data: bytes) -> None:
    """A changed request may be refused; if it is believed, it proves the honest key."""
    request = CredentialRequest.parse(data)
    keys = Keys(InMemoryFetch({}))
    found = proof.verify_all(request, _CONFIGURATION, audience=ISSUER, keys=keys, now=NOW, batch_size=5)
    assert all(one.key == drafts.HOLDER.public for one in found if one.proven), "a changed proof was believed"


def sealed_seed() -> tuple[bytes, ...]:
    return (encryption.policies([_key()], required=False)[0].seal({"credential_configuration_id": "a"}).encode(),)


def read_sealed(data: bytes) -> None:
    read_json_object(encryption.open_request(data, keys=[_key()], max_bytes=_MAX))


def message_seeds() -> tuple[bytes, ...]:
    asked = encryption.policies([_key()], required=False)[1].ask(_key())
    return tuple(
        write_json(message.json)
        for message in (
            DeferredRequest("t", asked),
            Notification("n", "credential_accepted", "Stored."),
            CredentialResponse(({"a": 1}, "b"), notification_id="n"),
            CredentialResponse(transaction_id="t", interval=5),
        )
    )


def read_messages(data: bytes) -> None:
    for read in (DeferredRequest.parse, Notification.parse, CredentialResponse.parse):
        try:
            read(data)
        except SsiError:
            continue
