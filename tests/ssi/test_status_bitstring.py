"""Bitstring Status List 1.0: lists bit by bit, the credentials that hold them, and what is an answer."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi import vcdm
from ssi.dids import key as did_key
from ssi.encoding import b64url, seconds, unb64url, write_json
from ssi.errors import Malformed, Refused, SsiError, Unavailable
from ssi.fetch import Response
from ssi.formats import anyvc, vcjwt
from ssi.issuerkeys import Keys
from ssi.keys import SoftwareSigner
from ssi.model import Check, Finding, Issuer, Opened, Outcome, StatusRef
from ssi.status import Checker, bitstring
from ssi.status.bitchecker import RETRY
from ssi.status.bitlist import MAX_LIST_BYTES, MIN_ENTRIES, SIZES, Bitstring
from ssi.trust.policies import UnsafeAnyone
from tests.ssi.drafts import LDP
from tests.support import NOW, InMemoryFetch

URI = "https://issuer.test/status/3"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SIGNER, OTHER = SoftwareSigner.generate("ES256"), SoftwareSigner.generate("ES256")
DID = did_key.from_public(SIGNER.public)
LIST = Bitstring.blank().changed({1: 1, 94_567: 1})
MESSAGES = (("0x0", "pending_review"), ("0x1", "accepted"), ("0x2", "rejected"), ("0x3", "undefined"))


# --- lists ------------------------------------------------------------------------------------------------------------


def test_the_first_bit_is_the_leftmost() -> None:
    assert Bitstring(b"\x80\x01").get(0) == Bitstring(b"\x80\x01").get(15) == 1
    assert Bitstring(bytes(2)).changed({0: 1, 9: 1}).data == b"\x80\x40"
    assert Bitstring(bytes(2)).changed({0: 2, 3: 1}, size=2).data == b"\x81\x00"
    assert Bitstring(b"\x1f").get(1, size=4) == 15
    assert Bitstring(b"\xff\x00\x0f").get(1, size=8) == 0


@given(st.sampled_from([*SIZES, 3, 5, 7]), st.dictionaries(st.integers(0, 170), st.integers(0, 255), max_size=9))
def test_what_was_set_is_read_and_nothing_else(size: int, values: dict[int, int]) -> None:
    fitting = {index: value % (1 << size) for index, value in values.items() if index < 1200 // size}
    made = Bitstring(bytes(150)).changed(fitting, size=size)
    assert [made.get(index, size=size) for index in range(1200 // size)] == [
        fitting.get(index, 0) for index in range(1200 // size)
    ]


def test_the_specifications_example_is_an_empty_list() -> None:
    found = Bitstring.read("uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA")
    assert found == Bitstring.blank()
    assert found.entries(1) == MIN_ENTRIES == 131_072


def test_lists_travel_compressed_and_equal_ones_are_equal() -> None:
    assert LIST.encoded == LIST.encoded
    assert LIST.encoded.startswith("uH4sI")
    assert gzip.decompress(unb64url(LIST.encoded[1:])) == LIST.data
    assert Bitstring.read(LIST.encoded) == LIST


def test_places_and_values_out_of_bounds_are_refused() -> None:
    for index in (-1, MIN_ENTRIES):
        with pytest.raises(Refused) as refused:
            LIST.get(index)
        assert refused.value.code == "status.index"
    for value in (-1, 2):
        with pytest.raises(Refused) as refused:
            LIST.changed({0: value})
        assert refused.value.code == "status.value"


@pytest.mark.parametrize(
    ("encoded", "code"),
    [
        (None, "status.list"),
        ("", "status.list"),
        ("H4sI", "status.list"),
        ("zH4sI", "status.list"),
        ("u!", "encoding.base64url"),
        ("u" + b64url(b"no gzip"), "status.lst"),
        ("u" + b64url(gzip.compress(bytes(99))[:-3]), "status.lst"),
        ("u" + b64url(gzip.compress(bytes(99)) + b"more"), "status.lst"),
        ("u" + b64url(gzip.compress(bytes(MAX_LIST_BYTES + 1))), "status.size"),
    ],
)
def test_lists_that_cannot_be_expanded_are_refused(encoded: Any, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        Bitstring.read(encoded)
    assert refused.value.code == code


def test_lists_have_room_for_a_crowd_and_no_more_than_a_bound() -> None:
    assert Bitstring.blank(MIN_ENTRIES, size=8).entries(8) == MIN_ENTRIES
    for entries, size in ((MIN_ENTRIES - 1, 1), (8 * MAX_LIST_BYTES + 1, 1), (MIN_ENTRIES, 3)):
        with pytest.raises(Malformed):
            Bitstring.blank(entries, size=size)
    with pytest.raises(Malformed):
        Bitstring(bytes(MAX_LIST_BYTES + 1))


def test_decoys_take_no_credentials_place() -> None:
    drawn = iter(range(10))
    made = Bitstring.blank().decoyed({0, 2, 4}, count=3, random=lambda size: next(drawn).to_bytes(size, "big"))
    assert [index for index in range(10) if made.get(index)] == [1, 3, 5]
    with pytest.raises(Refused):
        Bitstring(bytes(1)).decoyed({0, 1}, count=4, random=bytes)


# --- credentials ------------------------------------------------------------------------------------------------------


def document(bits: Bitstring = LIST, **changes: Any) -> dict[str, Any]:
    given_ = {"uri": URI, "issuer": DID, "purposes": ["revocation"], "now": NOW, "expires": NOW + DAY, "ttl": HOUR}
    return bitstring.credential(bits, **{**given_, **changes})


def test_a_list_is_published_as_a_credential() -> None:
    made = document(purposes=["revocation", "suspension"])
    assert made == {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": URI,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": DID,
        "validFrom": "2026-11-20T12:00:00Z",
        "validUntil": "2026-11-21T12:00:00Z",
        "credentialSubject": {
            "id": f"{URI}#list",
            "type": "BitstringStatusList",
            "statusPurpose": ["revocation", "suspension"],
            "encodedList": LIST.encoded,
            "ttl": 3_600_000,
        },
    }
    assert vcdm.credential(made).type == bitstring.TYPE
    assert document()["credentialSubject"]["statusPurpose"] == "revocation"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"purposes": []}, "status.purpose"),
        ({"purposes": [""]}, "status.purpose"),
        ({"size": 2}, "status.size"),  # the list has room for half as many then
        ({"size": 3}, "status.size"),
        ({"ttl": timedelta(0)}, "status.ttl"),
        ({"expires": NOW}, "status.ttl"),
        ({"purposes": ["message"]}, "status.messages"),
        ({"messages": MESSAGES}, "status.messages"),
    ],
)
def test_lists_that_nobody_could_use_are_not_made(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Malformed) as refused:
        document(**changes)
    assert refused.value.code == code


def test_a_list_of_messages_says_what_they_are() -> None:
    made = document(Bitstring.blank(size=2), purposes=["message"], size=2, messages=MESSAGES)
    assert made["credentialSubject"]["statusSize"] == 2
    assert made["credentialSubject"]["statusMessages"][1] == {"status": "0x1", "message": "accepted"}
    vcjwt.sign_document(made, signer=SIGNER)


def test_entries_are_what_the_data_model_reads() -> None:
    for ref in (
        StatusRef(bitstring.KIND, URI, 94_567),
        StatusRef(bitstring.KIND, URI, 0, "suspension"),
        StatusRef(bitstring.KIND, URI, 7, "message", 2, MESSAGES),
    ):
        holder = {**document(), "credentialStatus": bitstring.entry(ref)}
        assert vcdm.credential(holder).statuses == (ref,)
    assert bitstring.entry(StatusRef(bitstring.KIND, URI, 94_567)) == {
        "id": f"{URI}#94567",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "94567",
        "statusListCredential": URI,
    }


# --- checking ---------------------------------------------------------------------------------------------------------


def signed(made: Mapping[str, Any], *, signer: SoftwareSigner = SIGNER, **claims: Any) -> bytes:
    return vcjwt.sign_document(made, signer=signer, kid=did_key.url(signer.public), claims=claims).encode()


def altered(**subject: Any) -> bytes:
    """A signed list whose subject has members of one's own; what is None is left out."""
    made = document()
    whole = {**made["credentialSubject"], **subject}
    return signed({**made, "credentialSubject": {name: value for name, value in whole.items() if value is not None}})


class World:
    """One host, one checker, one credential's issuer."""

    def __init__(self, serves: Any, *, media_type: str = "application/vc+jwt", trust: Any = None,
                 issuer: Issuer = Issuer(DID), max_age: timedelta = 2 * DAY) -> None:  # fmt: skip  # noqa: B008  (frozen)
        self.serves, self.media_type, self.issuer, self.asked = serves, media_type, issuer, 0
        fetch = InMemoryFetch({URI: self})
        keys = Keys(fetch)
        self.checker = Checker(
            fetch=fetch, keys=keys, trust=trust or Nobody(), max_age=max_age, opener=anyvc.opener(keys)
        )

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        self.asked += 1
        if isinstance(self.serves, Exception):
            raise self.serves
        status, data = self.serves if isinstance(self.serves, tuple) else (200, self.serves)
        return Response(status, url, {"content-type": self.media_type}, data)

    def check(self, index: int = 0, now: datetime = NOW, **ref: Any) -> Finding:
        finding = self.checker.check(StatusRef(bitstring.KIND, URI, index, **ref), issuer=self.issuer, now=now)
        assert finding.check is Check.STATUS
        return finding

    def code(self, index: int = 0, now: datetime = NOW, **ref: Any) -> tuple[Outcome, str]:
        finding = self.check(index, now, **ref)
        return finding.outcome, finding.code


class Nobody:
    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:
        assert credential_type == "BitstringStatusListCredential"
        return Finding(Check.TRUST, Outcome.FAIL, "trust.no", "Not trusted.")


def undecided(serves: Any, **world: Any) -> tuple[str, object, object]:
    finding = World(serves, **world).check()
    assert finding.outcome is Outcome.UNKNOWN
    error = str(finding.evidence.get("error", ""))
    return finding.code, finding.evidence.get("cause"), error.rpartition("#")[2]


def test_a_subject_may_stand_in_a_set_of_one() -> None:
    made = document()
    world = World(signed({**made, "credentialSubject": [made["credentialSubject"]]}))
    assert world.code(1) == (Outcome.FAIL, "status.revoked")


def test_every_status_is_told() -> None:
    world = World(signed(document(purposes=["revocation", "suspension", "refresh", "own"])))
    assert world.code(0) == (Outcome.PASS, "status.valid")
    assert world.code(1) == (Outcome.FAIL, "status.revoked")
    assert world.code(94_567, purpose="suspension") == (Outcome.FAIL, "status.suspended")
    assert world.code(1, purpose="refresh") == (Outcome.PASS, "status.refresh")
    assert world.code(0, purpose="own") == (Outcome.PASS, "status.valid")
    assert world.code(1, purpose="own") == (Outcome.UNKNOWN, "status.unknown_value")
    finding = world.check(MIN_ENTRIES)
    assert (finding.outcome, finding.code) == (Outcome.FAIL, "status.index")
    assert str(finding.evidence["error"]).endswith("#RANGE_ERROR")
    assert world.asked == 1


def test_messages_are_evidence() -> None:
    bits = Bitstring.blank(size=2).changed({5: 2}, size=2)
    world = World(signed(document(bits, purposes=["message"], size=2, messages=MESSAGES)))
    finding = world.check(5, purpose="message", size=2, messages=MESSAGES)
    assert (finding.outcome, finding.code) == (Outcome.PASS, "status.message")
    assert (finding.evidence["value"], finding.evidence["message"]) == (2, "rejected")
    unset = World(altered(statusPurpose="message")).check(0, purpose="message")
    assert (unset.outcome, unset.evidence["message"]) == (Outcome.PASS, "unset")


def test_a_finding_can_be_rechecked_but_does_not_name_the_credential() -> None:
    assert World(signed(document())).check(1).evidence == {
        "list": URI,
        "purpose": "revocation",
        "fetched_at": seconds(NOW),
        "expires_at": seconds(NOW + DAY),
        "value": 1,
    }


def test_any_way_of_securing_a_list_will_do() -> None:
    issuer = did_key.from_public(LDP.issuer.public)
    draft = replace(
        LDP.draft,
        type=bitstring.TYPE,
        claims=document()["credentialSubject"],
        document={"id": URI},
        valid_from=NOW,
        valid_until=NOW + DAY,
    )
    wire = LDP.format.issue(draft, signer=LDP.issuer, holder=None, now=NOW).wire
    world = World(wire.encode(), media_type="application/vc", issuer=Issuer(issuer))
    assert world.code(1) == (Outcome.FAIL, "status.revoked")


def test_without_an_opener_there_is_no_answer() -> None:
    fetch = InMemoryFetch({})
    checker = Checker(fetch=fetch, keys=Keys(fetch), trust=Nobody(), max_age=DAY)
    finding = checker.check(StatusRef(bitstring.KIND, URI, 1), issuer=Issuer(DID), now=NOW)
    assert (finding.outcome, finding.code) == (Outcome.UNKNOWN, "status.no_opener")
    with pytest.raises(ValueError, match="max_age"):
        Checker(fetch=fetch, keys=Keys(fetch), trust=Nobody(), max_age=RETRY)


def test_trouble_on_the_way_is_never_an_answer() -> None:
    retrieval = "STATUS_RETRIEVAL_ERROR"
    assert undecided(Unavailable("fetch.timeout", "Slow.")) == ("status.unavailable", "fetch.timeout", retrieval)
    assert undecided(Refused("fetch.address", "Private.")) == ("status.unavailable", "fetch.address", retrieval)
    for status in (304, 404, 500):
        assert undecided((status, b"")) == ("status.unavailable", "status.http", retrieval)


def test_a_list_that_breaks_a_rule_is_never_an_answer() -> None:
    verification, malformed = "STATUS_VERIFICATION_ERROR", "MALFORMED_VALUE_ERROR"
    cases: list[tuple[bytes, str, str]] = [
        (b"", "jose.compact", malformed),
        (signed({**document(), "type": ["VerifiableCredential"]}), "status.list", malformed),
        (altered(type="Other"), "status.list", malformed),
        (altered(encodedList=None), "status.list", malformed),
        (altered(encodedList="uAAAA"), "status.lst", malformed),
        (altered(ttl=0), "status.ttl", malformed),
        (altered(ttl="1"), "status.ttl", malformed),
        (altered(statusPurpose=[]), "status.purpose", malformed),
        (altered(statusPurpose=1), "status.purpose", malformed),
        (altered(statusPurpose="suspension"), "status.purpose", verification),
        (signed({**document(), "id": "https://issuer.test/status/4"}), "status.subject", verification),
        (signed(document())[:-4] + b"AAAA", "jose.signature", verification),
        (signed(document(issuer="did:web:somebody.test"), iss="did:web:somebody.test"), "issuerkeys.kid_of_another",
         verification),
        (altered(encodedList=Bitstring(bytes(MIN_ENTRIES // 8 - 1)).encoded), "status.length",
         "STATUS_LIST_LENGTH_ERROR"),
    ]  # fmt: skip
    for served, cause, error in cases:
        assert undecided(served) == ("status.unreliable", cause, error)


def test_a_list_is_long_enough_for_the_size_of_its_entries() -> None:
    assert World(signed(document())).code(0, size=2) == (Outcome.UNKNOWN, "status.unreliable")


def test_a_list_outside_its_time_is_stale() -> None:
    over = signed({**document(), "validUntil": "2026-11-20T11:59:59Z", "validFrom": "2026-11-19T00:00:00Z"})
    assert undecided(over)[:2] == ("status.stale", "status.expired")
    early = signed({**document(), "validFrom": "2026-11-20T12:05:00Z"})
    assert undecided(early)[:2] == ("status.stale", "status.expired")


def test_lists_of_others_need_trust() -> None:
    other = did_key.from_public(OTHER.public)
    served = signed(document(issuer=other), signer=OTHER)
    assert undecided(served)[:2] == ("status.unreliable", "status.signer")
    assert World(served, trust=UnsafeAnyone()).code() == (Outcome.PASS, "status.valid")
    assert undecided(served, issuer=Issuer(None, "x"))[:2] == ("status.unreliable", "status.signer")


def test_a_key_that_cannot_be_looked_up_leaves_the_status_open() -> None:
    made = document(issuer="did:web:issuer.example")
    token = vcjwt.sign_document(made, signer=SIGNER, kid="did:web:issuer.example#1").encode()
    found = undecided(token, issuer=Issuer("did:web:issuer.example"))
    assert found[:2] == ("status.unavailable", "fetch.unreachable")


# --- how often anybody is asked ---------------------------------------------------------------------------------------


def test_a_list_is_asked_for_again_after_its_ttl() -> None:
    world = World(signed(document()))
    world.check()
    world.serves = signed(document(LIST.changed({0: 1}), now=NOW + HOUR, expires=NOW + 2 * DAY))
    assert world.code(0, NOW + HOUR - timedelta(seconds=1)) == (Outcome.PASS, "status.valid")
    assert world.code(0, NOW + HOUR) == (Outcome.FAIL, "status.revoked")
    assert world.asked == 2


def test_without_a_ttl_half_of_max_age_counts_and_a_tiny_one_is_no_reason_to_ask() -> None:
    forever = document(expires=NOW + 99 * DAY)
    del forever["credentialSubject"]["ttl"]
    world = World(signed(forever))
    for moment, asked in ((NOW, 1), (NOW + DAY - HOUR, 1), (NOW + DAY, 2)):
        world.check(0, moment)
        assert world.asked == asked
    hasty = World(altered(ttl=1))
    for step in range(9):
        hasty.check(0, NOW + timedelta(seconds=step))
    assert hasty.asked == 1


def test_while_the_host_is_down_the_kept_list_serves_until_it_is_over() -> None:
    world = World(signed(document()))
    world.check()
    world.serves = Unavailable("fetch.timeout", "Slow.")
    finding = world.check(1, NOW + 2 * HOUR)
    assert (finding.code, finding.evidence["refresh"]) == ("status.revoked", "fetch.timeout")
    assert world.code(0, NOW + DAY + timedelta(seconds=1)) == (Outcome.UNKNOWN, "status.stale")


def test_max_age_ends_a_list_that_would_never_end() -> None:
    forever = {name: value for name, value in document().items() if name != "validUntil"}
    world = World(signed(forever), max_age=DAY)
    world.check()
    world.serves = Unavailable("fetch.timeout", "Slow.")
    assert world.code(0, NOW + DAY) == (Outcome.PASS, "status.valid")
    assert world.code(0, NOW + DAY + timedelta(seconds=1)) == (Outcome.UNKNOWN, "status.stale")


def test_going_back_to_an_older_list_does_not_undo_a_revocation() -> None:
    world = World(signed(document(LIST.changed({0: 1}), now=NOW + timedelta(minutes=1))))
    assert world.code(0, NOW + HOUR) == (Outcome.FAIL, "status.revoked")
    world.serves = signed(document())
    assert world.code(0, NOW + 3 * HOUR) == (Outcome.FAIL, "status.revoked")
    assert world.asked == 2


# --- strangers' lists -------------------------------------------------------------------------------------------------

VALUE = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.text(max_size=3))


@given(st.dictionaries(st.sampled_from(["type", "encodedList", "statusPurpose", "ttl", "id"]), VALUE), VALUE)
def test_well_signed_nonsense_is_never_a_pass(subject: dict[str, Any], types: Any) -> None:
    claims = {"type": types, "credentialSubject": {"encodedList": "u", **subject}}
    try:
        bitstring.read(Opened("ldp_vc", "X", Issuer(DID), claims, ()))
    except SsiError:
        return
    raise AssertionError("a list without bits was read")


@given(st.binary(max_size=60))
def test_hostile_lists_raise_only_ssi_errors(data: bytes) -> None:
    for encoded in ("u" + b64url(data), "u" + b64url(gzip.compress(data)), write_json(data.hex()).decode()):
        try:
            Bitstring.read(encoded)
        except SsiError:
            continue
