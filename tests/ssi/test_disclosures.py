"""Disclosures: digests open exactly one place, and what the specification rejects is rejected (RFC 9901 §4.2, §7.1)."""

from __future__ import annotations

import doctest
import hashlib
import json
import secrets
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.encoding import b64url, unb64url
from ssi.errors import Malformed, SsiError, Unsupported
from ssi.formats import disclosures, hiding, opening, paths
from ssi.formats.hiding import pack
from ssi.formats.opening import unpack
from ssi.model import ClaimPath
from tests.ssi.sdjwts import digest_of, disclosure

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4).filter(lambda name: name not in disclosures.RESERVED), inner, max_size=3)
    ),
    max_leaves=12,
)
CLAIMS = st.dictionaries(st.text(max_size=4).filter(lambda name: name not in disclosures.RESERVED), JSON, max_size=5)


def every_path(value: Any, at: ClaimPath = ()) -> list[ClaimPath]:
    """All places in a claim set."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for step, below in steps for path in ((*at, step), *every_path(below, (*at, step)))]


def refused(payload: dict[str, Any], *texts: str) -> str:
    """The code with which it is refused."""
    with pytest.raises(Malformed) as refusal:
        unpack(payload, [text.encode() for text in texts])
    return refusal.value.code


@pytest.mark.parametrize("module", [disclosures, hiding, opening, paths])
def test_examples_in_docstrings_hold(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", list(disclosures.HASHES))
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_digests_at_once_are_the_digests_one_by_one(name: str, count: int) -> None:
    hash_new = disclosures.HASHES[name]
    texts = [secrets.token_bytes(40) for _ in range(count)]
    assert disclosures.digests(texts, hash_new) == tuple(b64url(hash_new(text).digest()) for text in texts)


def test_the_specifications_spellings_of_one_claim_all_open() -> None:
    for text in (  # RFC 9901 §4.2.1: white space, escapes and newlines are the issuer's choice
        "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
        "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNXHUwMGY2Yml1cyJd",
        "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsImZhbWlseV9uYW1lIiwiTcO2Yml1cyJd",
        "WwoiXzI2YmM0TFQtYWM2cTJLSTZjQlc1ZXMiLAoiZmFtaWx5X25hbWUiLAoiTcO2Yml1cyIKXQ",
    ):
        assert unpack({"_sd": [digest_of(text)]}, [text.encode()]).claims == {"family_name": "Möbius"}


@given(st.data(), CLAIMS)
def test_what_was_hidden_comes_back_where_it_was(data: st.DataObject, claims: dict[str, Any]) -> None:
    every = every_path(claims)
    chosen = tuple(data.draw(st.lists(st.sampled_from(every), unique=True))) if every else ()
    packed = pack(claims, disclosable=chosen, decoys=data.draw(st.integers(0, 2)), random=secrets.token_bytes)
    wire = json.loads(json.dumps(packed.payload))
    unpacked = unpack(wire, packed.texts)
    assert unpacked.claims == claims
    assert set(unpacked.places.values()) == set(chosen)


@given(st.data(), CLAIMS)
def test_nothing_hidden_is_left_in_sight(data: st.DataObject, claims: dict[str, Any]) -> None:
    top = [path for path in every_path(claims) if len(path) == 1]
    packed = pack(claims, disclosable=tuple(top), decoys=0, random=secrets.token_bytes)
    assert set(packed.payload) <= {"_sd"}
    assert unpack(json.loads(json.dumps(packed.payload)), []).claims == {}


def test_issuing_does_not_change_the_draft() -> None:
    claims = {"a": {"b": [1, 2]}, "c": 1}
    pack(claims, disclosable=(("a", "b", 0), ("a", "b"), ("c",)), decoys=1, random=secrets.token_bytes)
    assert claims == {"a": {"b": [1, 2]}, "c": 1}


def test_every_salt_is_fresh_and_long_enough() -> None:
    claims = {str(number): number for number in range(40)}
    packed = pack(claims, disclosable=tuple((name,) for name in claims), decoys=0, random=secrets.token_bytes)
    salts = {json.loads(unb64url(text))[0] for text in packed.texts}
    assert len(salts) == 40
    assert all(len(salt) * 6 >= 128 for salt in salts)  # RFC 9901 §9.3


def test_digests_do_not_betray_the_order_of_claims() -> None:
    claims = {str(number): number for number in range(20)}
    packed = pack(claims, disclosable=tuple((name,) for name in claims), decoys=3, random=secrets.token_bytes)
    assert len(packed.payload["_sd"]) == 23
    assert packed.payload["_sd"] == sorted(packed.payload["_sd"])


@pytest.mark.parametrize(
    "paths_",
    [((),), (("absent",),), (("a", None),), (("a", 2),), (("a", "x"),), (("n", "x"),), (("n",), ("n",)), (("o", 0),)],
)
def test_paths_that_point_at_nothing_are_refused(paths_: tuple[ClaimPath, ...]) -> None:
    with pytest.raises(Malformed) as refusal:
        pack({"a": [1, 2], "n": 1, "o": {"x": 1}}, disclosable=paths_, decoys=0, random=secrets.token_bytes)
    assert refusal.value.code == "sdjwt.path"


@pytest.mark.parametrize("name", sorted(disclosures.RESERVED))
def test_drafts_may_not_use_reserved_names_at_any_depth(name: str) -> None:
    for claims in ({name: 1}, {"a": {name: 1}}, {"a": [[{name: 1}]]}):
        with pytest.raises(Malformed) as refusal:
            pack(claims, disclosable=(), decoys=0, random=secrets.token_bytes)
        assert refusal.value.code == "sdjwt.reserved_name"


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", 2**70, {"a": {1: 2}}])
def test_drafts_hold_only_what_json_can(value: Any) -> None:
    with pytest.raises(Malformed):
        pack({"a": value}, disclosable=(("a",),), decoys=0, random=secrets.token_bytes)


# --- RFC 9901 §7.1, step by step --------------------------------------------------------------------------------------


def test_unreferenced_disclosures_are_rejected() -> None:
    assert refused({"a": 1}, disclosure("salt", "b", 2)) == "sdjwt.disclosure_unreferenced"


def test_a_child_without_its_parent_is_rejected() -> None:
    inner = disclosure("s", "street", "Main St")
    outer = disclosure("s", "address", {"_sd": [digest_of(inner)]})
    assert unpack({"_sd": [digest_of(outer)]}, [inner.encode(), outer.encode()]).claims == {
        "address": {"street": "Main St"}
    }
    assert refused({"_sd": [digest_of(outer)]}, inner) == "sdjwt.disclosure_unreferenced"


@pytest.mark.parametrize("name", ["_sd", "...", "_sd_alg"])
def test_reserved_disclosure_names_are_rejected(name: str) -> None:
    text = disclosure("salt", name, "x")
    assert refused({"_sd": [digest_of(text)]}, text) == "sdjwt.reserved_name"
    assert refused({"o": {"_sd": [digest_of(text)]}}, text) == "sdjwt.reserved_name"


def test_a_name_that_is_already_there_is_rejected() -> None:
    first, second = disclosure("salt", "a", 2), disclosure("other", "a", 3)
    assert refused({"a": 1, "_sd": [digest_of(first)]}, first) == "sdjwt.name_repeated"
    assert refused({"_sd": [digest_of(first), digest_of(second)]}, first, second) == "sdjwt.name_repeated"


def test_the_same_digest_twice_is_rejected_wherever_it_stands() -> None:
    element, member = disclosure("salt", 1), disclosure("salt", "a", 1)
    one, two = {"...": digest_of(element)}, digest_of(member)
    decoy = digest_of("decoy")
    nested = disclosure("salt", "o", {"_sd": [two]})
    for payload, texts in (
        ({"_sd": [two, two]}, [member]),
        ({"list": [one, one]}, [element]),
        ({"list": [one], "other": [one]}, [element]),
        ({"_sd": [two], "o": {"_sd": [two]}}, [member]),
        ({"_sd": [two, digest_of(nested)]}, [member, nested]),
        ({"_sd": [decoy, decoy]}, []),
        ({"_sd": [decoy], "list": [{"...": decoy}]}, []),
    ):
        assert refused(payload, *texts) == "sdjwt.digest_repeated"


def test_the_same_disclosure_twice_is_rejected() -> None:
    text = disclosure("salt", "a", 1)
    assert refused({"_sd": [digest_of(text)]}, text, text) == "sdjwt.disclosure_repeated"


@pytest.mark.parametrize(
    "contents",
    [(), ("salt",), ("salt", "a"), ("salt", "a", 1, 2), (1, "a", 1), (None, "a", 1), ("salt", 1, 1), ("salt", None, 1),
     ("salt", ["a"], 1), ("salt", True, 1)],
)  # fmt: skip
def test_members_of_the_wrong_arity_or_kind_are_rejected(contents: tuple[Any, ...]) -> None:
    text = disclosure(*contents)
    assert refused({"_sd": [digest_of(text)]}, text) == "sdjwt.disclosure_form"


@pytest.mark.parametrize("contents", [(), ("salt",), ("salt", "a", 1), (7, "a")])
def test_elements_of_the_wrong_arity_or_kind_are_rejected(contents: tuple[Any, ...]) -> None:
    text = disclosure(*contents)
    assert refused({"list": [{"...": digest_of(text)}]}, text) == "sdjwt.disclosure_form"


@pytest.mark.parametrize(
    "raw",
    [
        b'"abc"',
        b'{"a":1}',
        b"12",
        b"null",
        b"",
        b"[",
        b"\xff",
        b'["s","a",1] 2',
        b'["s","a",NaN]',
        b'["\\ud800","a",1]',
    ],
)
def test_contents_that_are_no_json_array_are_rejected(raw: bytes) -> None:
    text = b64url(raw)
    assert refused({"_sd": [digest_of(text)]}, text) == "sdjwt.disclosure_form"


@pytest.mark.parametrize("spoil", ["=", "+", "/", " ", "\n", "!", "\x00"])
def test_what_is_not_base64url_is_rejected(spoil: str) -> None:
    for text in (disclosure("salt", "a", 1) + spoil, spoil + disclosure("salt", "a", 1)):
        assert refused({"_sd": [digest_of(text)]}, text) == "sdjwt.disclosure_form"


@pytest.mark.parametrize("digests", [None, {}, "abc", [1], [None], [["x"]], [{}], [True]])
def test_digests_that_are_no_list_of_strings_are_rejected(digests: Any) -> None:
    assert refused({"_sd": digests}) == "sdjwt.digest_form"


@pytest.mark.parametrize("element", [{"...": 1}, {"...": None}, {"...": "x", "more": 1}, {"...": ["x"]}])
def test_hidden_elements_are_nothing_but_their_digest(element: Any) -> None:
    assert refused({"list": [element]}) == "sdjwt.digest_form"


def test_the_mechanisms_names_elsewhere_are_rejected() -> None:
    assert refused({"...": "x"}) == "sdjwt.reserved_name"
    assert refused({"o": {"...": "x"}}) == "sdjwt.reserved_name"
    assert refused({"o": {"_sd_alg": "sha-256"}}) == "sdjwt.reserved_name"
    text = disclosure("salt", {"...": digest_of("x")})  # an element must not open into another digest
    assert refused({"list": [{"...": digest_of(text)}]}, text) == "sdjwt.reserved_name"


def test_nesting_is_bounded_in_the_payload_and_in_disclosures() -> None:
    deep: Any = 1
    for _ in range(40):
        deep = {"o": deep}
    assert refused(deep) == "sdjwt.depth"
    assert refused({"list": json.loads("[" * 200 + "]" * 200)}) == "sdjwt.depth"
    text = disclosure("salt", "a", json.loads("[" * 900 + "]" * 900))
    assert refused({"_sd": [digest_of(text)]}, text) == "sdjwt.depth"
    beyond = b64url(b'["s","a",' + b"[" * 5000 + b"]" * 5000 + b"]")
    assert refused({"_sd": [digest_of(beyond)]}, beyond) in {"sdjwt.depth", "sdjwt.disclosure_form"}


def test_a_chain_of_disclosures_is_bounded_too() -> None:
    texts = [disclosure("salt", "end", 1)]
    for _ in range(60):
        texts.append(disclosure("salt", "o", {"_sd": [digest_of(texts[-1])]}))
    assert refused({"_sd": [digest_of(texts[-1])]}, *texts) == "sdjwt.depth"


def test_the_number_of_disclosures_is_bounded() -> None:
    texts = [disclosure(str(number), str(number), 1) for number in range(disclosures.MAX_DISCLOSURES + 1)]
    assert refused({"_sd": [digest_of(text) for text in texts]}, *texts) == "sdjwt.too_many"


@pytest.mark.parametrize("name", ["sha-256", "sha-384", "sha-512"])
def test_the_hash_functions_of_the_allow_list_open(name: str) -> None:
    texts = [disclosure("salt", "a", 1), disclosure("salt", 2)]
    hash_new = {"sha-256": hashlib.sha256, "sha-384": hashlib.sha384, "sha-512": hashlib.sha512}[name]
    member, element = (b64url(hash_new(text.encode()).digest()) for text in texts)
    payload = {"_sd_alg": name, "_sd": [member], "list": [{"...": element}]}
    assert unpack(payload, [text.encode() for text in texts]).claims == {"a": 1, "list": [2]}


@pytest.mark.parametrize("name", ["md5", "sha-1", "SHA-256", "sha256", "sha3-256", "", None, 5, ["sha-256"]])
def test_other_hash_functions_are_not_supported(name: Any) -> None:
    with pytest.raises(Unsupported) as refusal:
        unpack({"_sd_alg": name}, [])
    assert refusal.value.code == "sdjwt.sd_alg"


def test_what_stays_hidden_is_counted_and_leaves_no_trace() -> None:
    shown = disclosure("salt", "FR")
    payload = {
        "n": ["DE", {"...": digest_of("x")}, {"...": digest_of(shown)}, "US"],
        "_sd": [digest_of("y"), digest_of("z")],
        "o": {"_sd": []},
    }
    unpacked = unpack(payload, [shown.encode()])
    assert unpacked.claims == {"n": ["DE", "FR", "US"], "o": {}}
    assert set(unpacked.places.values()) == {("n", 2)}  # its place as issued, not as it moved up
    assert unpacked.closed == {("n", 1)}
    assert unpacked.hidden == 3


HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "x" * 43]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["_sd", "...", "_sd_alg", "a", "vct"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["_sd", "...", "_sd_alg", "a", "b"]), HOSTILE), st.lists(HOSTILE, max_size=3))
def test_hostile_payloads_raise_only_ssi_error(payload: dict[str, Any], contents: list[Any]) -> None:
    texts = [b64url(json.dumps(one).encode()) for one in contents]
    payload = {**payload, "o": {"_sd": [digest_of(text) for text in texts]}}
    try:
        unpack(payload, [text.encode() for text in texts])
    except SsiError:
        return


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_hostile_disclosures_raise_only_ssi_error(texts: list[bytes]) -> None:
    payload = {"_sd": [disclosures.digest(text) for text in texts]}
    try:
        unpack(payload, texts)
    except SsiError:
        return
