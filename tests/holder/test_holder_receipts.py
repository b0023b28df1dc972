"""Receipts from any issuer: only what others can use is kept, and nothing that comes stops the wallet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from ssi.cose import cbor
from ssi.encoding import Json, b64url, write_json
from ssi.errors import Refused, SsiError, Unavailable, Unsupported
from ssi.fetch import Response
from ssi.formats import sdjwt
from ssi.keys import SoftwareSigner
from ssi.ledger import merkle
from ssi.ledger.finality import Finality
from ssi.model import Draft, Issuer
from tests.support import InMemoryFetch
from wallet.holder import receipts
from wallet.holder.cards import Card
from wallet.holder.copies import Copy

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DESK = "https://desk.test"
HREF = f"{DESK}/ledger/receipts"
SALT = bytes(range(32))
_HOLDER = SoftwareSigner.generate("ES256").public
CREDENTIAL = sdjwt.issue(
    Draft(type="urn:t", issuer=Issuer(DESK), claims={"a": 1}, disclosable=(), valid_until=NOW + timedelta(days=9)),
    signer=SoftwareSigner.generate("ES256"),
    holder=_HOLDER,
    now=NOW,
)


def receipt(**changes: Any) -> dict[str, Json]:
    """A receipt of the credential alone in its batch, on a ledger that nobody here knows."""
    core = sdjwt.core(CREDENTIAL.wire)
    assert core is not None
    root = merkle.Tree(merkle.entry(SALT, core)).root
    made: dict[str, Json] = {
        "version": 1,
        "chain_id": 1,
        "contract": "0x" + "11" * 20,
        "registry": "0x" + "22" * 20,
        "identity": "0x" + "33" * 20,
        "root": "0x" + root.hex(),
        "path": b64url(cbor.encode([1, 0, []])),
        "anchored": {"block": 1, "at": 5},
        "proof": {"header": "0x00", "headers": [], "account": [], "storage": []},
    }
    return {**made, **changes}


COPY: Copy = Copy(CREDENTIAL.wire, _HOLDER, promise={"salt": b64url(SALT), "href": HREF})
CARD: Card = Card(CREDENTIAL, "urn:t", "A card", Issuer(DESK), "The desk", _HOLDER, {}, (), (), {}, 0, copies=(COPY,))


def asked(answer: Any, *, records: Any = None) -> Mapping[str, Json] | None:
    """What the card's copy would keep of an issuer's answer."""
    body = answer if isinstance(answer, bytes) else write_json({"receipts": [answer]})
    fetch = InMemoryFetch({HREF: Response(200, HREF, {"content-type": "application/json"}, body)})
    outside: Any = SimpleNamespace(fetch=fetch, records=records)
    return receipts._asked(CARD, CARD.stock, outside, NOW).get(CREDENTIAL.wire)


def test_a_receipt_of_the_copy_is_kept_with_its_own_salt() -> None:
    kept = asked(receipt(salt=b64url(bytes(32))))
    assert kept == receipt(salt=b64url(SALT))
    assert replace(CARD, copies=(replace(COPY, receipt=kept),)).recorded == "Recorded on the ledger on 1 January 1970."


@pytest.mark.parametrize(
    "hostile",
    [
        None,
        7,
        "receipt",
        [[]],
        {},
        {"version": 2},
        {"version": {}},
        receipt(version=2),
        receipt(version={}),
        receipt(anchored={"block": 1}),
        receipt(anchored={"block": 1, "at": 2**62}),
        receipt(anchored={"block": 1, "at": int(NOW.timestamp()) + 90_000}),
        receipt(proof=None),
        receipt(path=b64url(b"\x9f")),
        receipt(path=b64url(b"\x81" * 5000)),
        receipt(path=b64url(cbor.encode([2, 0, [bytes(32)]]))),
        receipt(root="0x" + "00" * 32),
        receipt(more="than there is"),
        receipt(proof={"header": "0x00", "headers": [], "account": ["0x" + "00" * 40_000], "storage": []}),
    ],
)
def test_what_nobody_could_use_is_not_kept(hostile: Any) -> None:
    assert asked(hostile) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"receipts": {}}', b'{"receipts": []}', b"[" * 100_000, b"\xff"])
def test_an_answer_that_is_none_is_an_error_of_the_issuer(body: bytes) -> None:
    with pytest.raises(SsiError):
        asked(body)


class Ledger:
    """Judges receipts as it was told to."""

    def __init__(self, verdict: SsiError | Finality) -> None:
        self.verdict = verdict

    def proven(self, *_given: Any, **_named: Any) -> Any:
        if isinstance(self.verdict, SsiError):
            raise self.verdict
        return SimpleNamespace(finality=self.verdict)


@pytest.mark.parametrize(
    ("verdict", "kept"),
    [
        (Finality.FINALIZED, True),
        (Finality.CONFIRMED, True),
        (Finality.PENDING, False),
        (Refused("ledger.receipt_block", ""), False),
        (Unavailable("ledger.unavailable", ""), True),
        (Unsupported("ledger.receipt_elsewhere", ""), True),
    ],
)
def test_what_the_ledger_contradicts_is_not_kept(verdict: SsiError | Finality, *, kept: bool) -> None:
    assert (asked(receipt(), records=Ledger(verdict)) is not None) is kept


@pytest.mark.parametrize(
    "hostile",
    [
        {},
        {"salt": b64url(SALT)},
        {"href": HREF},
        {"salt": 7, "href": HREF},
        {"salt": None, "href": HREF},
        {"salt": "!" * 43, "href": HREF},
        {"salt": b64url(bytes(100)), "href": HREF},
        {"salt": b64url(SALT), "href": 7},
        {"salt": b64url(SALT), "href": "https://[::1"},
        {"salt": b64url(SALT), "href": "http://desk.test/receipts"},
        {"salt": b64url(SALT), "href": "https://desk.test@other.test/receipts"},
        {"salt": b64url(SALT), "href": "https://desk.test:444/receipts"},
    ],
)
def test_what_is_no_promise_is_forgotten(hostile: Any) -> None:
    assert receipts.promised(hostile, issuer=DESK) is None


def test_of_a_promise_nothing_else_is_kept() -> None:
    given = {"salt": b64url(SALT), "href": HREF}
    assert receipts.promised({**given, "more": "x" * 10_000}, issuer=DESK) == given
