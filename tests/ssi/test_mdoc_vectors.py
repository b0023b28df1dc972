"""The standards' own examples: ISO/IEC 18013-5 Annex D byte for byte, and the transcripts of OpenID4VP 1.0 B.2.6."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from ssi.cose import cbor, keys
from ssi.encoding import b64url
from ssi.errors import Malformed
from ssi.formats import mdoc
from ssi.formats.mdoc import deviceauth, transcripts, wire
from ssi.keys import PublicKey, SoftwareSigner
from ssi.model import Check, Credential, Disclosure, Outcome
from tests.ssi.mdocs import KEYS, MDL, MDL_TYPE, found

EXAMPLE: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "iso18013-5-annex-d.json").read_text())
THEN = datetime(2020, 11, 1, tzinfo=UTC)


def raw(name: str) -> bytes:
    return bytes.fromhex("".join(EXAMPLE[name]))


def signer(name: str) -> SoftwareSigner:
    """A private key of the example."""
    native = ec.derive_private_key(int(EXAMPLE[name]["d"], 16), ec.SECP256R1())
    public = PublicKey.from_native(native.public_key())
    assert (public.x.hex(), public.y.hex()) == (EXAMPLE[name]["x"], EXAMPLE[name]["y"])
    return SoftwareSigner(public, native)


RESPONSE = raw("device_response")
TRANSCRIPT = cbor.embedded(cbor.decode(raw("session_transcript_bytes")))
READER, DEVICE = signer("reader_key"), signer("device_key")


def test_annex_d_holds() -> None:
    opened = mdoc.open_response(RESPONSE, transcript=TRANSCRIPT, keys=KEYS, now=THEN, reader=READER)
    assert {finding.check: (finding.outcome, finding.code) for finding in opened.findings} == {
        Check.FORMAT: (Outcome.PASS, "mdoc.read"),
        Check.SIGNATURE: (Outcome.PASS, "mdoc.signed"),
        Check.HOLDER_BINDING: (Outcome.PASS, "mdoc.device_mac"),
        Check.VALIDITY: (Outcome.PASS, "mdoc.in_force"),
    }
    assert (opened.type, opened.holder) == (MDL_TYPE, DEVICE.public)
    assert opened.issuer.x5c == (raw("document_signer"),)
    claims = opened.claims[MDL]
    assert (claims["family_name"], claims["issue_date"], claims["document_number"]) == (
        "Doe",
        "2019-10-20",
        "123456789",
    )
    assert claims["driving_privileges"] == [
        {"vehicle_category_code": "A", "issue_date": "2018-08-09", "expiry_date": "2024-10-20"},
        {"vehicle_category_code": "B", "issue_date": "2017-02-23", "expiry_date": "2024-10-20"},
    ]
    assert claims["portrait"].startswith(b64url(bytes.fromhex("ffd8ffe000104a4649460001"))[:15])
    assert opened.hidden == 13 + 4 - 6


def test_annex_d_is_for_its_reader_and_its_session() -> None:
    for transcript, reader, code in (
        (TRANSCRIPT, None, "mdoc.device_mac_key"),
        (TRANSCRIPT, SoftwareSigner.generate("ES256"), "mdoc.device_signature"),
        (TRANSCRIPT, SoftwareSigner.generate("ES384"), "mdoc.device_signature"),
        (cbor.encode([None, None, None]), READER, "mdoc.device_signature"),
    ):
        opened = mdoc.open_response(RESPONSE, transcript=transcript, keys=KEYS, now=THEN, reader=reader)
        finding = found(opened, Check.HOLDER_BINDING)
        assert (finding.outcome, finding.code) == (Outcome.FAIL, code)


def test_annex_d_has_expired_since() -> None:
    late = datetime(2021, 10, 1, 13, 30, 3, tzinfo=UTC)
    opened = mdoc.open_response(RESPONSE, transcript=TRANSCRIPT, keys=KEYS, now=late, reader=READER)
    assert found(opened, Check.VALIDITY).code == "mdoc.expired"


def test_annex_d_is_made_again_byte_for_byte() -> None:
    """The same holder, reader and session make the same response: with a MAC, nothing in it is left to chance."""
    document = wire.read_presentation(RESPONSE)
    assert document.device is not None
    credential = Credential(mdoc.ID, b64url(_issuer_signed()))
    everything = Disclosure(tuple((item.namespace, item.element) for item in document.issued.items))
    made = mdoc.respond(credential, disclose=everything, transcript=TRANSCRIPT, holder=DEVICE, reader=READER.public)
    assert made == RESPONSE
    assert document.device.names == deviceauth.NO_ELEMENTS


def _issuer_signed() -> bytes:
    """IssuerSigned of the example, cut out of the response as it stands there."""
    start = RESPONSE.index(b"\x6cissuerSigned") + 13
    return RESPONSE[start : RESPONSE.index(b"\x6cdeviceSigned")]


def test_the_transcript_of_a_meeting_is_put_together_from_what_was_exchanged() -> None:
    engagement, reader_key, handover = cbor.decode(TRANSCRIPT)
    assert keys.read(cbor.decode(reader_key.value)) == READER.public
    parts = cbor.received(TRANSCRIPT, [engagement.value, reader_key.value])
    assert transcripts.proximity(engagement=parts[0], reader_key=parts[1], handover=handover) == TRANSCRIPT
    assert transcripts.session_bytes(TRANSCRIPT) == raw("session_transcript_bytes")
    assert transcripts.proximity(engagement=parts[0], reader_key=parts[1])[-1] == 0xF6
    for wrong in ([b""], "qr", [b"", "x"], ["x", None]):
        with pytest.raises(Malformed) as refusal:
            transcripts.proximity(engagement=parts[0], reader_key=parts[1], handover=wrong)
        assert refusal.value.code == "mdoc.handover"
    with pytest.raises(Malformed) as refusal:
        transcripts.proximity(engagement=b"\xa0", reader_key=parts[1])
    assert refusal.value.code == "cbor.embedded"


# --- OpenID4VP 1.0 B.2.6 ----------------------------------------------------------------------------------------------

RESPONSE_KEY = PublicKey.from_jwk(
    {
        "kty": "EC",
        "crv": "P-256",
        "x": "DxiH5Q4Yx3UrukE2lWCErq8N8bqC9CHLLrAwLz5BmE0",
        "y": "XtLM4-3h5o3HUH0MHVJV0kyq0iBlrBwlh8qEDMZ4-Pc",
    }
)
NONCE = "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA"


def test_the_transcript_of_a_redirect() -> None:
    made = transcripts.openid4vp(
        client_id="x509_san_dns:example.com",
        nonce=NONCE,
        response_uri="https://example.com/response",
        response_key=RESPONSE_KEY.thumbprint,
    )
    assert made.hex() == (
        "83f6f682714f70656e494434565048616e646f7665725820048bc053c00442af9b8e"
        "ed494cefdd9d95240d254b046b11b68013722aad38ac"
    )


def test_the_transcript_of_the_digital_credentials_api() -> None:
    made = transcripts.dc_api(origin="https://example.com", nonce=NONCE, response_key=RESPONSE_KEY.thumbprint)
    assert made.hex() == (
        "83f6f682764f70656e4944345650444341504948616e646f7665725820fbece366f4"
        "212f9762c74cfdbf83b8c69e371d5d68cea09cb4c48ca6daab761a"
    )


def test_a_response_that_is_not_encrypted_has_no_key() -> None:
    plain = transcripts.dc_api(origin="https://example.com", nonce=NONCE, response_key=None)
    assert plain != transcripts.dc_api(origin="https://example.com", nonce=NONCE, response_key=bytes(32))
    with pytest.raises(Malformed) as refusal:
        transcripts.dc_api(origin="https://example.com", nonce=NONCE, response_key=bytes(31))
    assert refusal.value.code == "mdoc.thumbprint"
