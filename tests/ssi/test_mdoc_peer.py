"""pymdoccbor, the Python reference of the EUDI ecosystem: its documents are read here, and ours there."""

from __future__ import annotations

import copy
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import pytest

from ssi.cose import keys
from ssi.encoding import b64url, unb64url
from ssi.formats import mdoc
from ssi.model import Check, Credential, Outcome
from tests.ssi.mdocs import (
    AUTHORITY,
    CLAIMS,
    HOLDER,
    ISSUER,
    KEYS,
    MDL,
    MDL_TYPE,
    codes,
    issued,
    presented,
)
from tests.support import NOW

issuing = pytest.importorskip("pymdoccbor.mdoc.issuer")
verifying = pytest.importorskip("pymdoccbor.mdoc.verifier")
pycose = pytest.importorskip("pycose.keys")

DATA = {MDL: {"family_name": "Mustermann", "given_name": "Erika", "birth_date": "1984-01-26", "age_over_18": True}}
TODAY = datetime.fromtimestamp(time.time() // 86_400 * 86_400, UTC)
"""Theirs has no other clock than the machine's."""


def their_issue() -> dict[str, Any]:
    private = int(ISSUER.native.private_numbers().private_value).to_bytes(32, "big")  # type: ignore[union-attr]  # EC
    certificate = AUTHORITY.document_signer(ISSUER.public, start=TODAY - timedelta(days=1))
    public = ISSUER.public
    issuer = issuing.MdocCborIssuer(
        private_key={"KTY": "EC2", "CURVE": "P_256", "ALG": "ES256", "D": private, "X": public.x, "Y": public.y},
        alg="ES256",
    )
    made: dict[str, Any] = issuer.new(
        data=copy.deepcopy(DATA),
        doctype=MDL_TYPE,
        validity={
            "issuance_date": TODAY.date().isoformat(),
            "expiry_date": (TODAY + timedelta(days=30)).date().isoformat(),
        },
        devicekeyinfo={"KTY": "EC2", "CURVE": "P_256", "X": HOLDER.public.x, "Y": HOLDER.public.y},
        x509_chain=[certificate],
    )
    return made


def their_verdict(response: bytes) -> tuple[bool, dict[str, Any]]:
    reader = verifying.MdocCbor()
    reader.loads(response)
    return reader.verify(), reader.disclosure_map


def test_their_document_is_read_here() -> None:
    response = their_issue()
    signed = cbor2.dumps(response["documents"][0]["issuerSigned"])
    received = mdoc.check(Credential(mdoc.ID, b64url(signed)), keys=KEYS, now=datetime.now(UTC))
    assert codes(received) == {
        Check.FORMAT: "mdoc.read",
        Check.SIGNATURE: "mdoc.signed",
        Check.HOLDER_BINDING: "mdoc.bound",
        Check.VALIDITY: "mdoc.in_force",
    }
    assert (received.type, received.claims, received.holder) == (MDL_TYPE, DATA, HOLDER.public)


def test_their_document_is_shown_from_here() -> None:
    response = their_issue()
    credential = Credential(mdoc.ID, b64url(cbor2.dumps(response["documents"][0]["issuerSigned"])))
    shown = presented(credential, (MDL, "age_over_18"))
    holds, claims = their_verdict(unb64url(shown.wire))
    assert holds
    assert claims == {MDL: {"age_over_18": True}}


def test_our_documents_hold_there() -> None:
    holds, claims = their_verdict(unb64url(presented(issued(), (MDL, "given_name"), (MDL, "birth_date")).wire))
    assert holds
    assert claims[MDL]["given_name"] == CLAIMS[MDL]["given_name"]


def test_a_document_of_ours_that_was_changed_holds_nowhere() -> None:
    wire = unb64url(presented(issued(), (MDL, "given_name")).wire)
    changed = wire.replace(b"Erika", b"Erikb")
    assert not their_verdict(changed)[0]
    received = mdoc.open_response(changed, transcript=b"\x80", keys=KEYS, now=NOW)
    assert [finding.code for finding in received.findings if finding.check is Check.SIGNATURE] == ["mdoc.digest"]
    assert Outcome.FAIL in {finding.outcome for finding in received.findings}


def test_keys_are_written_as_theirs_are() -> None:
    theirs = pycose.EC2Key(crv="P_256", x=HOLDER.public.x, y=HOLDER.public.y)
    assert keys.read(cbor2.loads(theirs.encode())) == HOLDER.public
