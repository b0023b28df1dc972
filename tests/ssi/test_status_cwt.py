"""Status List Tokens in CBOR: the specification's vectors, the same rules as for JWTs, and both from one checker."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.cose import headers, sign1
from ssi.cose.cbor import decode_map, encode
from ssi.encoding import seconds
from ssi.errors import Malformed, SsiError
from ssi.fetch import Response
from ssi.issuerkeys import Keys
from ssi.keys import PublicKey, SoftwareSigner
from ssi.model import Finding, Issuer, Outcome, StatusRef
from ssi.status import Checker, cwt
from ssi.status.bits import StatusList, read_cbor_list, read_list
from ssi.status.token import StatusListToken
from ssi.trust.policies import Anchors, UnsafeAnyone
from tests.conftest import VECTORS
from tests.ssi.certificates import root
from tests.ssi.drafts import Resolver
from tests.support import NOW, InMemoryFetch

FOLDER = VECTORS / "token-status-list"
needed = pytest.mark.skipif(not FOLDER.is_dir(), reason="no specification vectors (FACET_VECTORS)")
URI = "https://issuer.test/status/1"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SIGNER, OTHER = SoftwareSigner.generate("ES256"), SoftwareSigner.generate("ES256")
ROOT = root()
CHAIN = (ROOT.certify(SIGNER.public),)
CERTIFIED = Issuer("https://issuer.test", x5c=CHAIN)
LIST = StatusList.blank(64, bits=4).changed({1: 1, 2: 2})
TRUST = Anchors((ROOT.der,), None)
KEYS = Keys(InMemoryFetch({}))


def token(statuses: StatusList = LIST, *, signer: SoftwareSigner = SIGNER, x5c: tuple[bytes, ...] = CHAIN,
          now: datetime = NOW) -> bytes:  # fmt: skip
    return cwt.issue(statuses, uri=URI, signer=signer, x5c=x5c, now=now, ttl=HOUR, expires=now + DAY)


def crafted(header: Mapping[int, Any] | None = None, claims: Mapping[int, Any] | None = None) -> bytes:
    """A token with headers and claims of one's own; what is None is left out."""
    made = sign1.parse(token())
    whole = {**decode_map(made.payload or b""), **(claims or {})}
    protected = {**made.protected, **(header or {})}
    payload = encode({label: value for label, value in whole.items() if value is not None})
    kept = {label: value for label, value in protected.items() if value is not None}
    return sign1.sign(payload, protected=kept, signer=SIGNER)


def read(data: bytes, *, issuer: Issuer = CERTIFIED, keys: Any = KEYS, trust: Any = TRUST) -> StatusListToken:
    return cwt.read(data, uri=URI, issuer=issuer, keys=keys, trust=trust, now=NOW)


def check(served: bytes, index: int, *, media_type: str = "application/statuslist+cwt") -> Finding:
    fetch = InMemoryFetch({URI: Response(200, URI, {"content-type": media_type}, served)})
    checker = Checker(fetch=fetch, keys=Keys(fetch), trust=TRUST, max_age=DAY)
    return checker.check(StatusRef("token_status_list", URI, index), issuer=CERTIFIED, now=NOW)


def vector(name: str) -> bytes:
    """The hexadecimal lines of a vector, after whatever stands before them."""
    lines = (FOLDER / f"{name}.md").read_text().splitlines()
    return bytes.fromhex("".join(line for line in lines if re.fullmatch(r"[0-9a-f]+", line)))


@needed
@pytest.mark.parametrize("name", ["1_long", "2_long", "2", "4", "8", ""])
def test_lists_in_cbor_are_those_in_json(name: str) -> None:
    found = read_cbor_list(decode_map(vector(f"status_list_encoding{name}_cbor")))
    text = (FOLDER / f"status_list_encoding{name}_json.md").read_text()
    bits, lst = re.findall(r'"bits": (\d)', text)[-1], re.findall(r'"lst": "([^"]+)"', text)[-1]
    assert found == read_list({"bits": int(bits), "lst": re.sub(r"\s", "", lst)})
    assert read_cbor_list(found.cbor) == found


@needed
def test_the_specifications_token_is_read() -> None:
    x, y = "I3HWm_0Ds1dPMI-IWmf4mBmH-YaeAVbPVu7vB27CxXo", "6N_d5Elj9bs1htgV3okJKIdbHEpkgTmAluYKJemzn1M"
    key = PublicKey.from_jwk({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    uri, then = "https://example.com/statuslists/1", datetime(2023, 6, 17, tzinfo=UTC)
    found = cwt.read(
        vector("status_list_cwt"), uri=uri, issuer=Issuer(None, "12"), keys=Resolver(key), trust=TRUST, now=then
    )
    assert found.statuses == StatusList(1, bytes.fromhex("b9a3"))
    assert seconds(found.issued_at) == 1_686_920_170
    assert found.expires_at is not None
    assert seconds(found.expires_at) == 2_291_720_170
    assert found.ttl == timedelta(seconds=43_200)


def test_an_issued_token_reads_back() -> None:
    assert read(token()) == StatusListToken(URI, LIST, NOW, NOW + DAY, HOUR)
    made = sign1.parse(token(x5c=()))
    assert dict(made.protected) == {
        headers.ALG: -7,
        headers.KID: SIGNER.kid.encode(),
        headers.TYP: "application/statuslist+cwt",
    }
    assert set(decode_map(made.payload or b"")) == {2, 4, 6, 65533, 65534}
    with pytest.raises(Malformed):
        cwt.issue(LIST, uri=URI, signer=SIGNER, x5c=(), now=NOW, ttl=HOUR, expires=NOW)


@pytest.mark.parametrize("media_type", ["application/statuslist+cwt", "", "application/cbor"])
def test_one_checker_reads_both_forms(media_type: str) -> None:
    assert check(token(), 0, media_type=media_type).code == "status.valid"
    assert check(token(), 1).code == "status.revoked"
    assert check(token(), 2).code == "status.suspended"
    assert (check(token(), 64).outcome, check(token(), 64).code) == (Outcome.FAIL, "status.index")


@pytest.mark.parametrize(
    ("header", "claims", "cause"),
    [
        ({headers.TYP: "application/statuslist+jwt"}, {}, "status.typ"),
        ({headers.TYP: None}, {}, "status.typ"),
        ({}, {2: "https://issuer.test/status/2"}, "status.subject"),
        ({}, {2: None}, "status.subject"),
        ({}, {6: None}, "status.iat"),
        ({}, {6: "now"}, "encoding.numeric_date"),
        ({}, {65534: 0}, "status.ttl"),
        ({}, {65534: "3600"}, "status.ttl"),
        ({}, {65533: None}, "status.list"),
        ({}, {65533: {"bits": 4, "lst": "text"}}, "status.list"),
        ({}, {65533: {"bits": 3, "lst": b""}}, "status.lst"),
        ({}, {65533: {"bits": 4, "lst": b"xx"}}, "status.lst"),
        ({headers.KID: "text"}, {}, "cose.kid"),
    ],
)
def test_a_token_that_breaks_a_rule_is_never_an_answer(
    header: dict[int, Any], claims: dict[int, Any], cause: str
) -> None:
    finding = check(crafted(header, claims), 0)
    assert (finding.outcome, finding.code) == (Outcome.UNKNOWN, "status.unreliable")
    assert finding.evidence["cause"] == cause


def test_times_and_tags_are_checked() -> None:
    assert check(crafted(claims={4: seconds(NOW)}), 0).code == "status.stale"
    assert check(crafted(claims={6: seconds(NOW) + 61}), 0).code == "status.stale"
    for served, cause in (
        (token()[1:], "jose.compact"),  # untagged: neither form
        (b"\xd1" + token()[1:], "status.mac"),
        (token()[:-2] + b"xx", "cose.signature"),
        (token() + b"\n", "cbor.form"),
    ):
        assert check(served, 0).evidence["cause"] == cause
    with pytest.raises(Malformed) as refused:
        read(token()[1:])
    assert refused.value.code == "status.tag"


def test_signers_are_those_of_jwts() -> None:
    other = ROOT.certify(OTHER.public, common="Status Issuer")
    assert read(token(signer=OTHER, x5c=(other,))).statuses == LIST
    for served, trust in (
        (token(signer=OTHER, x5c=(other,)), Anchors((root("Nobody").der,), None)),
        (token(signer=OTHER, x5c=CHAIN), UnsafeAnyone()),
        (token(signer=OTHER, x5c=()), UnsafeAnyone()),
    ):
        with pytest.raises(SsiError):
            read(served, trust=trust)


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: token()[:40] + tail))
def test_hostile_tokens_raise_only_ssi_errors(data: bytes) -> None:
    with pytest.raises(SsiError):
        read(data)


CLAIM = st.none() | st.booleans() | st.integers(-5, 2**63) | st.floats() | st.text(max_size=5) | st.binary(max_size=5)


@given(st.dictionaries(st.sampled_from([1, 2, 4, 5, 6, 65533, 65534]), CLAIM | st.just({"bits": 1, "lst": b""})))
def test_well_signed_nonsense_is_never_a_pass(claims: dict[int, Any]) -> None:
    payload = encode({2: URI, **claims})
    protected = {headers.TYP: "application/statuslist+cwt", headers.X5CHAIN: CHAIN[0]}
    assert check(sign1.sign(payload, protected=protected, signer=SIGNER), 0).outcome is not Outcome.PASS
