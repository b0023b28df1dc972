"""Whether a credential is withdrawn: what is an answer, what is not one, and how seldom anybody is asked."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.dids import key
from ssi.encoding import Json, seconds, write_json
from ssi.errors import Malformed, Refused, SsiError, Unavailable
from ssi.fetch import Response
from ssi.issuerkeys import Keys, metadata
from ssi.jose import jws
from ssi.keys import SoftwareSigner, jwk_set
from ssi.model import Check, Finding, Issuer, Outcome, StatusRef
from ssi.status import Checker, kinds
from ssi.status.token_status_list import RETRY, StatusList, StatusListToken, issue, read
from ssi.trust.policies import Anchors, UnsafeAnyone
from tests.ssi.certificates import root
from tests.support import NOW, InMemoryFetch

URI = "https://issuer.test/status/1"
ISS = "https://issuer.test"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SIGNER, OTHER = SoftwareSigner.generate("ES256"), SoftwareSigner.generate("ES256")
ROOT = root()
CHAIN = (ROOT.certify(SIGNER.public),)
STATUS_CHAIN = (ROOT.certify(OTHER.public, common="Status Issuer"),)
CERTIFIED = Issuer(ISS, x5c=CHAIN)
LIST = StatusList.blank(64, bits=4).changed({1: 1, 2: 2, 3: 3, 4: 12})
KEYS = Keys(InMemoryFetch({}))
TRUST = Anchors((ROOT.der,), None)


def token(statuses: StatusList = LIST, *, signer: SoftwareSigner = SIGNER, x5c: tuple[bytes, ...] = CHAIN,
          now: datetime = NOW, ttl: timedelta = HOUR, expires: timedelta = DAY) -> str:  # fmt: skip
    return issue(statuses, uri=URI, signer=signer, x5c=x5c, now=now, ttl=ttl, expires=now + expires)


def crafted(*, signer: SoftwareSigner = SIGNER, header: Mapping[str, Json] | None = None, **claims: Json) -> str:
    """A token with claims and header of one's own; a claim that is None is left out."""
    made = jws.parse(token(), typ=None)
    whole = {name: value for name, value in {**made.claims, **claims}.items() if value is not None}
    return jws.sign(whole, signer=signer, header={**made.header, **(header or {})})


@dataclass
class Host:
    """Serves what `serves` holds; counts requests; can hold them back."""

    serves: Any
    asked: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    busy: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        self.asked += 1
        self.busy.set()
        assert headers["Accept"] == "application/statuslist+jwt, application/statuslist+cwt;q=0.9"
        assert self.gate.wait(5)
        if isinstance(self.serves, Exception):
            raise self.serves
        status, text = self.serves if isinstance(self.serves, tuple) else (200, self.serves)
        return Response(status, url, {"content-type": "application/statuslist+jwt"}, text.encode())


class World:
    """One host, one checker, one credential's issuer."""

    def __init__(self, serves: Any, *, issuer: Issuer = CERTIFIED, trust: Any = TRUST, max_age: timedelta = 2 * DAY,
                 extra: Mapping[str, Any] | None = None) -> None:  # fmt: skip
        self.host, self.issuer = Host(serves), issuer
        fetch = InMemoryFetch({URI: self.host, **(extra or {})})
        self.checker = Checker(fetch=fetch, keys=Keys(fetch), trust=trust, max_age=max_age)

    def check(self, index: int = 0, now: datetime = NOW) -> Finding:
        finding = self.checker.check(StatusRef("token_status_list", URI, index), issuer=self.issuer, now=now)
        assert finding.check is Check.STATUS
        return finding

    def code(self, index: int = 0, now: datetime = NOW) -> tuple[Outcome, str]:
        finding = self.check(index, now)
        return finding.outcome, finding.code


def undecided(serves: Any, **kwargs: Any) -> tuple[str, object]:
    finding = World(serves, **kwargs).check()
    assert finding.outcome is Outcome.UNKNOWN
    return finding.code, finding.evidence.get("cause")


def test_every_status_is_told() -> None:
    world = World(token())
    assert world.code(0) == (Outcome.PASS, "status.valid")
    assert world.code(1) == (Outcome.FAIL, "status.revoked")
    assert world.code(2) == (Outcome.FAIL, "status.suspended")
    assert world.code(3) == (Outcome.UNKNOWN, "status.unknown_value")
    assert world.code(4) == (Outcome.UNKNOWN, "status.unknown_value")
    assert world.code(64) == (Outcome.FAIL, "status.index")
    assert world.code(-1) == (Outcome.FAIL, "status.index")
    assert world.host.asked == 1


def test_a_finding_can_be_rechecked_but_does_not_name_the_credential() -> None:
    evidence = World(token()).check().evidence
    assert evidence == {"list": URI, "issued_at": seconds(NOW), "expires_at": seconds(NOW + DAY)}


def test_an_unknown_kind_of_status_is_not_an_answer() -> None:
    finding = World(token()).checker.check(StatusRef("other", URI, 0), issuer=CERTIFIED, now=NOW)
    assert (finding.outcome, finding.code) == (Outcome.UNKNOWN, "status.kind")
    assert kinds() == ("token_status_list", "BitstringStatusListEntry")


# Who may sign a list


def test_the_issuers_own_key_is_enough_with_or_without_its_chain() -> None:
    distrusted = Anchors((root("Nobody").der,), None)
    assert World(token(), trust=distrusted).code() == (Outcome.PASS, "status.valid")
    assert World(token(x5c=()), trust=distrusted).code() == (Outcome.PASS, "status.valid")


def test_another_certified_signer_needs_trust() -> None:
    served = token(signer=OTHER, x5c=STATUS_CHAIN)
    assert World(served).code() == (Outcome.PASS, "status.valid")
    assert undecided(served, trust=Anchors((root("Nobody").der,), None)) == ("status.unreliable", "status.signer")
    only_persons = Anchors((ROOT.der,), frozenset({"urn:test:person"}))
    assert undecided(served, trust=only_persons) == ("status.unreliable", "status.signer")


def test_trust_that_cannot_be_decided_leaves_the_status_open() -> None:
    class Undecided:
        def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:
            assert credential_type == "statuslist+jwt"
            return Finding(Check.TRUST, Outcome.UNKNOWN, "trust.stale", "The trust list is too old.")

    served = token(signer=OTHER, x5c=STATUS_CHAIN)
    assert undecided(served, trust=Undecided()) == ("status.unavailable", "status.signer")


def test_a_stranger_cannot_sign_for_the_issuer() -> None:
    assert undecided(token(signer=OTHER, x5c=()), trust=UnsafeAnyone()) == ("status.unreliable", "jose.signature")
    assert undecided(token(signer=OTHER, x5c=CHAIN), trust=UnsafeAnyone()) == ("status.unreliable", "jose.signature")


def test_an_issuer_by_did_signs_with_a_key_of_that_did() -> None:
    did = key.from_public(SIGNER.public)
    for issuer in (Issuer(did), Issuer(did, key.url(SIGNER.public)), Issuer(None, key.url(SIGNER.public))):
        served = _without_x5c(crafted(header={"kid": key.url(SIGNER.public)}))
        assert World(served, issuer=issuer).code() == (Outcome.PASS, "status.valid")
        assert World(_without_x5c(crafted(iss=did)), issuer=issuer).code() == (Outcome.PASS, "status.valid")
        forged = _without_x5c(crafted(header={"kid": key.url(OTHER.public)}), signer=OTHER)
        assert undecided(forged, issuer=issuer) == ("status.unreliable", "issuerkeys.kid_of_another")


def _without_x5c(served: str, *, signer: SoftwareSigner = SIGNER) -> str:
    made = jws.parse(served, typ=None)
    header = {name: value for name, value in made.header.items() if name != "x5c"}
    return jws.sign(made.claims, signer=signer, header=header)


def test_an_issuer_by_url_signs_with_a_key_that_it_publishes() -> None:
    where, issuer = metadata.location(ISS), Issuer(ISS, "a")
    extra = {where: write_json(metadata.document(ISS, jwk_set({"a": SIGNER.public, "b": OTHER.public})))}
    for signer, kid in ((SIGNER, "a"), (OTHER, "b")):
        served = _without_x5c(crafted(header={"kid": kid}), signer=signer)
        assert World(served, issuer=issuer, extra=extra).code() == (Outcome.PASS, "status.valid")
    assert undecided(served, issuer=issuer) == ("status.unavailable", "fetch.unreachable")
    other = _without_x5c(crafted(header={"kid": "a"}, iss="https://other.test"))
    assert undecided(other, issuer=issuer, extra=extra) == ("status.unreliable", "status.signer")


# What is not an answer


def test_trouble_on_the_way_is_never_an_answer() -> None:
    assert undecided(Unavailable("fetch.timeout", "Too slow.")) == ("status.unavailable", "fetch.timeout")
    assert undecided(Refused("fetch.address", "A private address.")) == ("status.unavailable", "fetch.address")
    for status in (304, 404, 410, 500, 503):
        assert undecided((status, token())) == ("status.unavailable", "status.http")


def test_a_list_that_breaks_a_rule_is_never_an_answer() -> None:
    cases: list[tuple[str, str]] = [
        ("", "jose.compact"),
        ("<html>Welcome to our Wi-Fi</html>", "jose.compact"),
        (crafted(header={"typ": "JWT"}), "jose.typ"),
        (crafted(sub="https://issuer.test/status/2"), "status.subject"),
        (crafted(sub=None), "status.subject"),
        (crafted(iat=None), "status.iat"),
        (crafted(iat="now"), "encoding.numeric_date"),
        (crafted(ttl=0), "status.ttl"),
        (crafted(ttl=-5), "status.ttl"),
        (crafted(ttl="3600"), "status.ttl"),
        (crafted(ttl=True), "status.ttl"),
        (crafted(status_list=None), "status.list"),
        (crafted(status_list={"bits": 3, "lst": LIST.json["lst"]}), "status.bits"),
        (crafted(status_list={"bits": 4, "lst": "AAAA"}), "status.lst"),
        (token()[:-4] + "AAAA", "jose.signature"),
    ]
    for served, cause in cases:
        assert undecided(served) == ("status.unreliable", cause)


def test_an_expired_list_is_stale() -> None:
    assert undecided(crafted(exp=seconds(NOW))) == ("status.stale", "status.expired")
    assert World(crafted(exp=seconds(NOW) + 1)).code() == (Outcome.PASS, "status.valid")


def test_a_list_of_the_future_is_not_relied_on() -> None:
    assert undecided(crafted(iat=seconds(NOW) + 61)) == ("status.stale", "status.not_yet")
    assert undecided(crafted(nbf=seconds(NOW) + 61)) == ("status.stale", "status.not_yet")
    assert World(crafted(iat=seconds(NOW) + 30)).code() == (Outcome.PASS, "status.valid")


def test_a_list_older_than_the_reader_allows_is_stale_even_when_unexpired() -> None:
    old = crafted(iat=seconds(NOW - 3 * DAY), exp=None)
    assert undecided(old) == ("status.stale", None)
    assert World(old, max_age=4 * DAY).code() == (Outcome.PASS, "status.valid")


# How often anybody is asked


def test_a_list_is_asked_for_again_after_its_ttl() -> None:
    world = World(token(ttl=HOUR))
    world.check()
    world.host.serves = token(LIST.set(0, 1), now=NOW + timedelta(minutes=30))
    assert world.code(0, NOW + HOUR - timedelta(seconds=1)) == (Outcome.PASS, "status.valid")
    assert world.host.asked == 1
    assert world.code(0, NOW + HOUR) == (Outcome.FAIL, "status.revoked")
    assert world.host.asked == 2


def test_without_a_ttl_half_of_max_age_counts() -> None:
    world = World(crafted(ttl=None, exp=None))
    for moment, asked in ((NOW, 1), (NOW + DAY - HOUR, 1), (NOW + DAY, 2)):
        world.check(0, moment)
        assert world.host.asked == asked


def test_a_tiny_ttl_does_not_make_us_ask_at_every_check() -> None:
    world = World(token(ttl=timedelta(seconds=1)))
    for step in range(9):
        world.check(0, NOW + timedelta(seconds=step))
    assert world.host.asked == 1


def test_a_huge_ttl_does_not_outlive_the_readers_own_limit() -> None:
    for ttl in (10**15, 1e300):
        world = World(crafted(ttl=ttl, exp=None))
        world.check()
        world.host.serves = token(LIST.set(0, 1), now=NOW + DAY)
        assert world.code(0, NOW + DAY) == (Outcome.FAIL, "status.revoked")


def test_expiry_makes_us_ask_before_the_ttl_does() -> None:
    world = World(token(ttl=12 * HOUR, expires=HOUR))
    world.check()
    world.host.serves = token(now=NOW + HOUR)
    assert world.code(0, NOW + HOUR) == (Outcome.PASS, "status.valid")
    assert world.host.asked == 2


def test_while_the_host_is_down_the_kept_list_serves_until_it_is_stale() -> None:
    world = World(token(ttl=HOUR, expires=DAY))
    assert world.code(0) == (Outcome.PASS, "status.valid")
    world.host.serves = Unavailable("fetch.timeout", "Too slow.")
    finding = world.check(0, NOW + 2 * HOUR)
    assert (finding.outcome, finding.evidence["refresh"]) == (Outcome.PASS, "fetch.timeout")
    assert world.code(1, NOW + 2 * HOUR) == (Outcome.FAIL, "status.revoked")
    assert world.code(0, NOW + DAY) == (Outcome.UNKNOWN, "status.stale")
    world.host.serves = token(now=NOW + DAY)
    assert world.code(0, NOW + DAY + RETRY) == (Outcome.PASS, "status.valid")


def test_max_age_ends_the_kept_list_too() -> None:
    world = World(crafted(exp=None), max_age=DAY)
    world.check()
    world.host.serves = Unavailable("fetch.timeout", "Too slow.")
    assert world.code(0, NOW + DAY) == (Outcome.PASS, "status.valid")
    assert world.code(0, NOW + DAY + timedelta(seconds=1)) == (Outcome.UNKNOWN, "status.stale")


def test_a_host_that_is_down_is_asked_once_per_retry_time() -> None:
    world = World(Unavailable("fetch.timeout", "Too slow."))
    for step in (0, 1, 5, 9):
        assert world.code(0, NOW + timedelta(seconds=step)) == (Outcome.UNKNOWN, "status.unavailable")
    assert world.host.asked == 1
    world.host.serves = token()
    assert world.code(0, NOW + RETRY) == (Outcome.PASS, "status.valid")


def test_going_back_to_an_older_list_does_not_undo_a_revocation() -> None:
    before = token()
    world = World(token(LIST.set(0, 1), now=NOW + HOUR))
    assert world.code(0, NOW + HOUR) == (Outcome.FAIL, "status.revoked")
    world.host.serves = before
    assert world.code(0, NOW + 3 * HOUR) == (Outcome.FAIL, "status.revoked")
    assert world.host.asked == 2


def test_a_forged_refresh_does_not_replace_the_kept_list() -> None:
    world = World(token(LIST.set(0, 1)))
    world.check()
    world.host.serves = token(signer=OTHER, x5c=())
    assert world.code(0, NOW + HOUR) == (Outcome.FAIL, "status.revoked")


def test_another_issuer_does_not_profit_from_a_list_that_was_accepted_for_one() -> None:
    world = World(token())
    assert world.code() == (Outcome.PASS, "status.valid")
    world.issuer = Issuer(key.from_public(OTHER.public))
    world.host.serves = token(x5c=())
    assert world.code()[0] is Outcome.UNKNOWN


def test_concurrent_checks_of_a_new_list_fetch_once() -> None:
    world = World(token())
    world.host.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(world.code, 1) for _ in range(8)]
        assert world.host.busy.wait(5)
        world.host.gate.set()
        assert {answer.result(5) for answer in answers} == {(Outcome.FAIL, "status.revoked")}
    assert world.host.asked == 1


def test_during_a_slow_refresh_the_kept_list_answers() -> None:
    world = World(token(ttl=HOUR))
    world.check()
    world.host.gate.clear()
    world.host.busy.clear()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(world.code, 0, NOW + HOUR)
        assert world.host.busy.wait(5)
        assert world.code(1, NOW + HOUR) == (Outcome.FAIL, "status.revoked")
        world.host.gate.set()
        assert slow.result(5) == (Outcome.PASS, "status.valid")
    assert world.host.asked == 2


def test_a_max_age_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="max_age"):
        World(token(), max_age=RETRY)


# The token itself


def test_an_issued_token_reads_back() -> None:
    found = read(token(), uri=URI, issuer=CERTIFIED, keys=KEYS, trust=TRUST, now=NOW)
    assert found == StatusListToken(URI, LIST, NOW, NOW + DAY, HOUR)
    made = jws.parse(token(), typ={"statuslist+jwt"})
    assert made.header["typ"] == "statuslist+jwt"
    assert set(made.claims) == {"sub", "iat", "exp", "ttl", "status_list"}
    assert jws.parse(token(x5c=()), typ=None).header["kid"] == SIGNER.kid


def test_a_token_without_a_future_is_not_issued() -> None:
    for wrong in ({"ttl": timedelta(0)}, {"ttl": timedelta(seconds=-1)}, {"expires": timedelta(0)}):
        with pytest.raises(Malformed):
            token(**wrong)  # type: ignore[arg-type]


@given(
    st.binary(max_size=200)
    | st.tuples(*[st.sampled_from([b"", b"e30", b"eyJhbGciOiJFUzI1NiJ9", b"!"])] * 3).map(b".".join)
)
def test_hostile_tokens_raise_only_ssi_errors(data: bytes) -> None:
    with pytest.raises(SsiError):
        read(data, uri=URI, issuer=CERTIFIED, keys=KEYS, trust=TRUST, now=NOW)


CLAIM = st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats() | st.text(max_size=5) | st.just({"bits": 1})


@given(st.dictionaries(st.sampled_from(["sub", "iat", "exp", "nbf", "ttl", "iss", "status_list"]), CLAIM))
def test_well_signed_nonsense_is_never_a_pass(claims: dict[str, Any]) -> None:
    try:
        served = jws.sign({"sub": URI, **claims}, signer=SIGNER, header={"typ": "statuslist+jwt", "kid": "a"})
    except SsiError:
        return
    assert World(served).check(0).outcome is not Outcome.PASS
