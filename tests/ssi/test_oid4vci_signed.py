"""Complete and signed metadata: what an issuer says is read as said, and only from who signed it for this issuer."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.issuerkeys import Keys
from ssi.jose import jws
from ssi.jose.jwe import DecryptionKey
from ssi.keys import SoftwareSigner
from ssi.oid4vci import (
    AttestationNeed,
    ClaimDescription,
    Configuration,
    Display,
    IssuerMetadata,
    Picture,
    encryption,
    in_language,
    signed,
)
from tests.ssi.certificates import root
from tests.support import InMemoryFetch

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ISSUER = "https://issuer.example/tenant/"
SIGNER = SoftwareSigner.generate("ES256")
CHAIN = (root().certify(SIGNER.public),)
REQUESTS, RESPONSES = encryption.policies([DecryptionKey.generate()], required=True)
METADATA = IssuerMetadata(
    issuer=ISSUER,
    credential_endpoint=f"{ISSUER}c",
    nonce_endpoint=f"{ISSUER}n",
    deferred_endpoint=f"{ISSUER}d",
    notification_endpoint=f"{ISSUER}x",
    display=(Display("Town hall", "en", logo=Picture("https://issuer.example/logo.png", "Two towers")),),
    batch_size=10,
    request_encryption=REQUESTS,
    response_encryption=RESPONSES,
    configurations={
        "Person": Configuration(
            "Person",
            "dc+sd-jwt",
            vct="urn:x",
            binding_methods=("jwk",),
            proof_algs={"jwt": ("ES256",), "attestation": ("ES256",)},
            needs={"attestation": AttestationNeed(("iso_18045_high",), ("iso_18045_high",)), "jwt": AttestationNeed()},
            display=(
                Display("Card", "en", background_image=Picture("data:image/png;base64,AAAA")),
                Display("Ausweis", "de"),
            ),
            claims=(ClaimDescription(("name",), mandatory=True, display=(Display("Name", "en"),)),),
        )
    },
)


def sign(**changes: Any) -> str:
    terms = {"signer": SIGNER, "x5c": CHAIN, "now": NOW, "lifetime": timedelta(hours=1)}
    return signed.sign(METADATA.json, **{**terms, **changes})


def raw(header: dict[str, Any] | None = None, **claims: Any) -> str:
    real = jws.parse(sign(), typ=None)
    said = {k: v for k, v in {**real.claims, **claims}.items() if v is not None}
    return jws.sign(said, signer=SIGNER, header={**real.header, **(header or {})})


def open_(token: str, *, issuer: str = ISSUER) -> IssuerMetadata:
    return signed.open(token, issuer=issuer, keys=Keys(InMemoryFetch({})), now=NOW)[0]


def test_everything_reads_back() -> None:
    assert IssuerMetadata.parse(json.dumps(METADATA.json).encode(), issuer=ISSUER) == METADATA
    assert METADATA.encryption_required


def test_signed_metadata_is_the_same_and_names_its_signer() -> None:
    metadata, signer = signed.open(sign(), issuer=ISSUER, keys=Keys(InMemoryFetch({})), now=NOW)
    assert metadata == METADATA
    assert signer.x5c == CHAIN
    claims = jws.parse(sign(), typ=(signed.TYP,)).claims
    assert (claims["sub"], claims["iat"]) == (ISSUER, int(NOW.timestamp()))
    assert set(METADATA.json) <= set(claims)  # "All metadata parameters … MUST be added as top-level claims"


def test_what_was_signed_for_another_issuer_or_by_another_key_is_refused() -> None:
    with pytest.raises(Refused):
        open_(sign(), issuer="https://issuer.example/tenant")
    with pytest.raises(Malformed):
        open_(raw(credential_issuer="https://other.example"))
    with pytest.raises(Refused):
        open_(raw(sub="https://other.example"))
    with pytest.raises(Refused):
        open_(sign(signer=SoftwareSigner.generate("ES256")))


def test_its_time_counts() -> None:
    with pytest.raises(Refused):
        open_(sign(now=NOW - timedelta(hours=1)))
    with pytest.raises(Malformed):
        open_(sign(now=NOW + timedelta(minutes=5)))
    with pytest.raises(Malformed):
        open_(raw(iat=None))
    assert open_(raw(exp=None)) == METADATA


def test_its_type_and_signer_must_be_there() -> None:
    with pytest.raises(Malformed):
        open_(raw({"typ": "JWT"}))
    bare = jws.sign(jws.parse(sign(), typ=None).claims, signer=SIGNER, header={"typ": signed.TYP})
    with pytest.raises(Unsupported):
        open_(bare)
    with pytest.raises(Unsupported):
        open_(
            bare.replace(
                bare.partition(".")[0], "eyJhbGciOiJub25lIiwidHlwIjoib3BlbmlkdmNpLWlzc3Vlci1tZXRhZGF0YStqd3QifQ"
            )
        )


def test_the_language_of_the_reader_is_chosen() -> None:
    shown = METADATA.configurations["Person"].display
    assert [in_language(shown, tag).name for tag in ("de-AT", "en", "fr")] == ["Ausweis", "Card", "Card"]
    assert in_language((), "de") is None


def test_a_picture_that_cannot_be_used_costs_nothing_else() -> None:
    for logo in (1, {}, {"uri": 1}, {"uri": "ü"}, {"uri": ""}, {"uri": "x" * 70_000}):
        document = METADATA.json | {"display": [{"name": "Town", "logo": logo}]}
        assert IssuerMetadata.parse(json.dumps(document).encode(), issuer=ISSUER).display == (Display("Town"),)


@pytest.mark.parametrize(
    "change",
    [
        {"credential_request_encryption": 1},
        {"credential_request_encryption": {"jwks": {"keys": []}}},
        {"credential_response_encryption": {"encryption_required": "yes"}},
        {"deferred_credential_endpoint": "/d"},
        {"notification_endpoint": 1},
        {"batch_credential_issuance": {"batch_size": 0}},
        {
            "credential_configurations_supported": {
                "A": {"format": "x", "proof_types_supported": {"jwt": {"key_attestations_required": []}}}
            }
        },
    ],
)
def test_broken_metadata_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        IssuerMetadata.parse(json.dumps({**METADATA.json, **change}).encode(), issuer=ISSUER)


@given(st.sampled_from(sorted(METADATA.json)), st.none() | st.integers() | st.text() | st.lists(st.text()))
def test_hostile_signed_claims_raise_only_our_errors(name: str, value: Any) -> None:
    with contextlib.suppress(SsiError):
        open_(raw(**{name: value}))
