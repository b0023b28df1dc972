"""Credentials of data model 1.1: DIDKit says whether a signature matches, and nothing else is left to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssi import jsonld, legacy
from ssi.dids import jwk
from ssi.encoding import b64url, unb64url, write_json
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.keys import PublicKey, SoftwareSigner
from ssi.legacy import JWT, bounds, linked, methods, secp256k1, verdicts
from tests.ssi.legacies import OTHER, SIGNERS, TERMS, WAYS, credential, did, method
from tests.support import NOW

pytestmark = pytest.mark.skipif(not legacy.available(), reason="no didkit wheel for this platform")

ISSUER = SIGNERS["EdDSA"]
TYPE = "Ed25519Signature2018"
DAY = timedelta(days=1)


def issued(*, proof_type: str = TYPE, signer: SoftwareSigner = ISSUER, **changes: Any) -> Any:
    return legacy.issue(credential(signer, **changes), signer=signer, proof_type=proof_type, now=NOW)


def verify(found: Any, *, proof_type: str = TYPE, now: Any = NOW) -> None:
    legacy.verify(found, proof_type=proof_type, now=now)


def token(claims: dict[str, Any], header: dict[str, Any] | None = None, signer: SoftwareSigner = ISSUER) -> str:
    """A token signed by ourselves, with whatever claims."""
    head = {"alg": signer.public.algorithm.name, "kid": method(signer), **(header or {})}
    signed = f"{b64url(write_json(head))}.{b64url(write_json(claims))}"
    return f"{signed}.{b64url(signer.sign(signed.encode()))}"


def claims(signer: SoftwareSigner = ISSUER, **changes: Any) -> dict[str, Any]:
    vc = credential(signer, issuer=None, issuanceDate=None, id=None)
    members = {"iss": did(signer), "nbf": int(NOW.timestamp()) - 60, "vc": vc, **changes}
    return {name: value for name, value in members.items() if value is not None}


@pytest.mark.parametrize(("proof_type", "alg"), WAYS)
def test_what_is_issued_verifies_and_nothing_else_does(proof_type: str, alg: str) -> None:
    found = issued(proof_type=proof_type, signer=SIGNERS[alg])
    verify(found, proof_type=proof_type)
    if isinstance(found, str):
        head, _, tail = found.split(".")
        forged: Any = f"{head}.{b64url(write_json(claims(SIGNERS[alg])))}.{tail}"
    else:
        forged = {**found, "credentialSubject": {**found["credentialSubject"], "given_name": "Eve"}}
    with pytest.raises(Refused, match=r"didkit\.proof"):
        verify(forged, proof_type=proof_type)


def test_did_jwk_issues_too() -> None:
    for signer in SIGNERS.values():
        draft = credential(signer, issuer={"id": jwk.from_public(signer.public)})
        for proof_type in ("JsonWebSignature2020", JWT):
            verify(legacy.issue(draft, signer=signer, proof_type=proof_type, now=NOW), proof_type=proof_type)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, below in items:
        yield from leaves(below, (*path, name))
    if not isinstance(value, dict | list):
        yield path


def altered(document: Any, path: tuple[Any, ...]) -> Any:
    copy = json.loads(json.dumps(document))
    place = copy
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] += "x"
    return copy


def test_every_value_is_signed() -> None:
    rich = issued(
        expirationDate="2027-01-01T00:00:00Z",
        evidence=[{"id": "https://e.example/1", "type": ["VerifiableCredential"]}],
        credentialStatus={"id": "https://s.example/1", "type": "VerifiableCredential"},
    )
    verify(rich)
    paths = [path for path in leaves(rich) if path[0] != "@context"]  # where terms stand that nobody uses
    assert len(paths) > 15
    for path in paths:
        with pytest.raises(SsiError):
            verify(altered(rich, path))


LICENCE = ["VerifiableCredential", "LicensedDriver"]  # DIDKit's text of that context does not know this type
RELATIVE = [
    {"evidence": [{"id": "relative", "given_name": "unsigned"}]},
    {"credentialSubject": {"id": "relative", "given_name": "unsigned"}},
    {"credentialSubject": {"degree": {"type": "Undefined"}}},
    {"credentialSubject": {"unknown": "unsigned"}},
    {"unknown": "unsigned"},
    {"credentialSubject": {"@foo": "unsigned"}},
    {"@context": ["https://www.w3.org/2018/credentials/v1", {**TERMS, "secret": None}],
     "credentialSubject": {"given_name": "Ada", "secret": "unsigned"}},
    {"credentialSubject": {"given_name": {"@value": "x", "@language": "a b"}}},
    {"credentialSubject": {"given_name": 12345678901234567890}},
    {"@context": ["https://www.w3.org/2018/credentials/v1", "https://example.com/unknown"]},
    {"@context": ["https://www.w3.org/2018/credentials/v1", "https://w3id.org/vdl/v1"], "type": LICENCE},
    {"@context": ["https://www.w3.org/2018/credentials/v1", {"@context": "https://w3id.org/vdl/v1"}], "type": LICENCE},
    {"@context": ["https://www.w3.org/2018/credentials/v1",
                  {"degree": {"@id": "https://x.example/", "@context": "https://w3id.org/vdl/v1"}}]},
]  # fmt: skip


@pytest.mark.parametrize("changes", RELATIVE)
def test_what_would_stay_unsigned_is_refused_on_both_sides(changes: dict[str, Any]) -> None:
    with pytest.raises((Malformed, Unsupported)):
        issued(**changes)
    proof = issued()["proof"]
    with pytest.raises((Malformed, Unsupported)):
        verify({**credential(ISSUER, **changes), "proof": proof})


@pytest.mark.parametrize("context", sorted(bounds.CONTEXTS))
def test_didkit_knows_the_contexts_as_we_do(context: str) -> None:
    """Each name that our text of the context defines, used as a type, must be signed by DIDKit as well."""
    contexts = list(dict.fromkeys(["https://www.w3.org/2018/credentials/v1", context]))
    plain = credential(ISSUER, **{"@context": contexts}, credentialSubject={"id": did(ISSUER)})
    defined = jsonld.loaded(context)
    names = [name for name in defined if not name.startswith("@") and name != "VerifiableCredential"]
    assert names
    for name in names:
        draft = {**plain, "type": ["VerifiableCredential", name]}
        try:
            found = legacy.issue(draft, signer=ISSUER, proof_type=TYPE, now=NOW)
        except SsiError:
            continue  # no type
        assert isinstance(found, dict)
        with pytest.raises(Refused, match=r"didkit\.proof"):
            verify({**found, "type": ["VerifiableCredential"]})


BOMBS = [
    {"degree": [{"degree": [{}] * 9}, {"degree": [{}] * 9}]},
    {"given_name": "x" * 300_000},
    {"given_name": "\u00e9" * 150_000},
    {"given_name": ["x"] * 5000},
    json.loads('{"degree":' * 30 + "{}" + "}" * 30),
]


@pytest.mark.parametrize("subject", BOMBS)
def test_bombs_never_reach_didkit(subject: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    proof = issued()["proof"]
    monkeypatch.setattr(verdicts, "verify", lambda *_, **__: pytest.fail("DIDKit was asked"))
    with pytest.raises(Malformed):
        verify({**credential(ISSUER, credentialSubject=subject), "proof": proof})


def test_a_circle_is_refused() -> None:
    circle: dict[str, Any] = {}
    circle["degree"] = [circle, circle]
    with pytest.raises(Malformed):
        issued(credentialSubject=circle)


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("proof_type", [TYPE, JWT])
def test_a_credential_is_good_for_its_time_only(proof_type: str) -> None:
    found = issued(proof_type=proof_type, issuanceDate="2026-11-20T12:00:00Z", expirationDate="2099-11-20T12:00:00Z")
    verify(found, proof_type=proof_type)
    verify(found, proof_type=proof_type, now=NOW - timedelta(seconds=59))
    with pytest.raises(Refused, match="not_yet_valid"):
        verify(found, proof_type=proof_type, now=NOW - timedelta(seconds=61))
    with pytest.raises(Refused, match="expired"):
        verify(found, proof_type=proof_type, now=NOW.replace(year=2099))


def test_every_date_counts() -> None:
    with pytest.raises(Refused, match="not_yet_valid"):
        verify(issued(validFrom="2026-11-21T00:00:00Z"))
    with pytest.raises(Refused, match="expired"):
        verify(issued(validUntil="2026-11-19T00:00:00+01:00"))
    later = legacy.issue(credential(ISSUER), signer=ISSUER, proof_type=TYPE, now=NOW + DAY)
    with pytest.raises(Refused, match="not_yet_valid"):
        verify(later)


@pytest.mark.parametrize("date", ["2026-11-01", "2026-11-01T00:00:00", "2026-13-01T00:00:00Z", "yesterday", 5, None])
def test_dates_are_dates(date: Any) -> None:
    with pytest.raises(Malformed, match=r"didkit\.date"):
        issued(issuanceDate=date)
    with pytest.raises(Malformed, match=r"didkit\.date"):
        verify({**issued(), "expirationDate": date})


# --- who --------------------------------------------------------------------------------------------------------------


def test_the_issuer_is_the_signer() -> None:
    for proof_type in (TYPE, JWT):
        with pytest.raises(Refused, match=r"another_key"):
            legacy.issue(credential(OTHER), signer=ISSUER, proof_type=proof_type, now=NOW)
        with pytest.raises(Refused, match=r"didkit\.issuer"):
            legacy.issue(
                credential(OTHER), signer=ISSUER, proof_type=proof_type, now=NOW, verification_method=method(ISSUER)
            )
    found = issued()
    with pytest.raises(Refused, match=r"didkit\.issuer"):
        verify({**found, "issuer": did(OTHER)})
    with pytest.raises(Refused, match=r"didkit\.issuer"):
        verify(token(claims(iss=did(OTHER))), proof_type=JWT)


@pytest.mark.parametrize(
    "issuer",
    [
        "did:web:example.com",
        "did:tz:tz1abc",
        "did:ion:abc",
        "did:onion:abc",
        "did:webkey:ssh:example.com",
        "did:ethr:0x0",
    ],
)
def test_no_method_that_needs_a_network_is_asked(issuer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = issued()
    monkeypatch.setattr(methods, "_document", lambda _: pytest.fail("DIDKit was asked"))
    monkeypatch.setattr(verdicts, "verify", lambda *_, **__: pytest.fail("DIDKit was asked"))
    with pytest.raises(Unsupported, match="did_method"):
        issued(issuer=issuer)
    with pytest.raises(Unsupported, match="did_method"):
        verify({**found, "issuer": issuer, "proof": {**found["proof"], "verificationMethod": issuer + "#key"}})
    with pytest.raises(Unsupported, match="did_method"):
        verify(token(claims(iss=issuer), {"kid": issuer + "#key"}), proof_type=JWT)


def test_accounts_and_foreign_keys_have_no_key_to_compare() -> None:
    account = "did:pkh:eip155:1:0xBd81989fd7C6E114Cd8B743C73aAd78bB0c0b4c7"
    with pytest.raises(Unsupported, match=r"didkit\.key"):
        methods.public_key(account + "#blockchainAccountId", purpose="assertionMethod")
    with pytest.raises(Refused, match="no_such_key"):
        methods.public_key(did(ISSUER) + "#other", purpose="assertionMethod")
    with pytest.raises(Refused, match="no_such_key"):
        methods.public_key(method(ISSUER), purpose="keyAgreement")
    with pytest.raises(Refused, match="no_such_key"):
        methods.default(did(ISSUER), purpose="keyAgreement")
    with pytest.raises(SsiError):
        methods.public_key("did:key:zzz#zzz", purpose="assertionMethod")
    p384 = SoftwareSigner.generate("ES384")
    with pytest.raises(Unsupported, match=r"didkit\.key"):
        legacy.issue(
            credential(p384, issuer=jwk.from_public(p384.public)),
            signer=p384,
            proof_type="JsonWebSignature2020",
            now=NOW,
        )
    with pytest.raises(Unsupported, match=r"didkit\.key"):
        legacy.issue(credential(p384, issuer=jwk.from_public(p384.public)), signer=p384, proof_type=JWT, now=NOW)


def test_a_key_that_keeps_its_secret_cannot_sign() -> None:
    class Handle:
        kid, public, sign = "", ISSUER.public, ISSUER.sign

    for proof_type in (TYPE, JWT):
        with pytest.raises(Unsupported, match=r"didkit\.signer"):
            legacy.issue(credential(ISSUER), signer=Handle(), proof_type=proof_type, now=NOW)


# --- proofs -----------------------------------------------------------------------------------------------------------


def test_every_proof_must_hold() -> None:
    found = issued()
    good, bad = found["proof"], {**found["proof"], "created": "2026-11-19T00:00:00Z"}
    verify({**found, "proof": [good, good]})
    for proofs in ([bad, good], [good, bad]):
        with pytest.raises(Refused, match=r"didkit\.proof"):
            verify({**found, "proof": proofs})
    for proof in ([], [good] * 5, None, "x", [good, 5], {}):
        with pytest.raises((Malformed, Unsupported)):
            verify({**found, "proof": proof})


PROOF_CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"type": "RsaSignature2018"}, "didkit.proof_type"),
    ({"type": "EcdsaSecp256k1Signature2019"}, "didkit.proof_type"),
    ({"nonce": "x"}, "didkit.proof_member"),
    ({"domain": ["x"]}, "didkit.proof_member"),
    ({"domain": "x"}, "didkit.proof"),
    ({"created": 5}, "didkit.date"),
    ({"created": None}, "didkit.date"),
    ({"proofPurpose": "authentication"}, "didkit.purpose"),
    ({"jws": None}, "didkit.jws"),
    ({"jws": "a.b.c"}, "didkit.jws"),
    ({"jws": "e30..AAAA"}, "didkit.jws"),
    ({"jws": "..AAAA"}, "encoding.json"),
    ({"jws": "x" * 2000}, "didkit.jws"),
    ({"verificationMethod": "https://example.com/key"}, "didkit.method"),
    ({"verificationMethod": None}, "didkit.method"),
    ({"verificationMethod": method(OTHER)}, "didkit.issuer"),
    ({"@context": {"secret": None}}, "didkit.proof_context"),
]


@pytest.mark.parametrize(("changes", "code"), PROOF_CHANGES)
def test_proofs_hold_what_is_expected_of_them(changes: dict[str, Any], code: str) -> None:
    found = issued()
    proof = {name: value for name, value in {**found["proof"], **changes}.items() if value is not None}
    with pytest.raises(SsiError) as caught:
        verify({**found, "proof": proof})
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"@context": ["https://www.w3.org/ns/credentials/v2"]}, "didkit.context"),
        ({"@context": "https://www.w3.org/2018/credentials/v1"}, "didkit.context"),
        ({"type": "Thing"}, "didkit.type"),
        ({"type": ["VerifiableCredential", "VerifiablePresentation"]}, "didkit.type"),
        ({"credentialSubject": []}, "didkit.subject"),
        ({"credentialSubject": {}}, "didkit.subject"),
        ({"credentialSubject": {"id": 5}}, "didkit.subject"),
        ({"issuer": None}, "didkit.issuer"),
        ({"issuer": {"name": "x"}}, "didkit.issuer"),
        ({"proof": {}}, "didkit.context"),
    ],
)
def test_only_credentials_of_this_model_are_issued(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Malformed) as caught:
        issued(**changes)
    assert caught.value.code == code


def test_only_the_proof_type_that_is_accepted() -> None:
    found, text = issued(), issued(proof_type=JWT)
    for wrong, other in ((found, JWT), (text, TYPE), (found, "JsonWebSignature2020")):
        with pytest.raises(Unsupported, match="proof_type"):
            verify(wrong, proof_type=other)
    with pytest.raises(Unsupported, match="proof_type"):
        issued(proof_type="DataIntegrityProof")
    with pytest.raises(Unsupported, match=r"didkit\.key"):
        issued(proof_type="EcdsaSecp256k1Signature2019")


@pytest.mark.parametrize(
    "answer",
    [
        {"checks": [], "warnings": [], "errors": []},
        {"checks": ["proof"], "warnings": ["?"], "errors": []},
        {"checks": ["proof"], "warnings": [], "errors": ["no"]},
        {"checks": ["proof"], "warnings": []},
        {},
    ],
)
def test_only_a_clear_yes_is_a_yes(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Answering:
        def call(self, *_: str) -> str:
            return json.dumps(answer)

    monkeypatch.setattr(verdicts, "engine", Answering)
    with pytest.raises(Refused, match=r"didkit\.proof"):
        verify(issued_before(), proof_type=TYPE)


def test_what_didkit_cannot_read_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def call(self, *_: str) -> str:
            raise Malformed("didkit.refused", "DIDKit cannot read what it was given.")

    monkeypatch.setattr(verdicts, "engine", Refusing)
    with pytest.raises(Refused, match=r"didkit\.proof"):
        verify(issued_before())


def test_a_proof_other_than_asked_for_is_not_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Inventive:
        def call(self, *_: str) -> str:
            return json.dumps(issued_before())

    monkeypatch.setattr(linked, "engine", Inventive)
    with pytest.raises(Refused, match=r"didkit\.options"):
        issued()


def issued_before() -> Any:
    proof = {
        "type": TYPE,
        "created": "2026-11-01T00:00:00Z",
        "verificationMethod": method(ISSUER),
        "proofPurpose": "assertionMethod",
        "jws": b64url(b'{"alg":"EdDSA","crit":["b64"],"b64":false}') + "..AAAA",
    }
    return {**credential(ISSUER), "proof": proof}


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_either_form_of_a_secp256k1_signature_is_read() -> None:
    signer = SIGNERS["ES256K"]
    found = issued(proof_type="EcdsaSecp256k1Signature2019", signer=signer)
    head, _, signature = found["proof"]["jws"].split(".")
    raw = unb64url(signature)
    high = raw[:32] + (secp256k1._ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    assert secp256k1.low(high) == secp256k1.low(raw) == raw
    for other in (high, raw):
        proof = {**found["proof"], "jws": f"{head}..{b64url(other)}"}
        verify({**found, "proof": proof}, proof_type="EcdsaSecp256k1Signature2019")
    signed = token(claims(signer), signer=signer).rpartition(".")[0]
    for other in (raw, b"", b"\xff" * 64):
        with pytest.raises(Refused, match=r"didkit\.proof"):
            verify(f"{signed}.{b64url(other)}", proof_type=JWT)


@pytest.mark.parametrize("signer", list(SIGNERS.values()) * 4, ids=list(SIGNERS) * 4)
def test_a_token_made_elsewhere_is_read(signer: SoftwareSigner) -> None:
    verify(token(claims(signer), signer=signer), proof_type=JWT)
    verify(token(claims(signer, sub=did(signer), jti="urn:x:1"), {"typ": "JWT"}, signer=signer), proof_type=JWT)


TOKENS: list[tuple[Callable[[], str], str]] = [
    (lambda: "x", "didkit.jwt"),
    (lambda: "x" * 300_000, "didkit.jwt"),
    (lambda: "a.b.c", "encoding.base64url"),
    (lambda: token({}), "encoding.missing"),
    (lambda: token(claims(), {"kid": None}), "encoding.text"),
    (lambda: token(claims(), {"kid": "key-1"}), "didkit.method"),
    (lambda: token(claims(), {"typ": "vc+jwt"}), "didkit.jwt_header"),
    (lambda: token(claims(), {"alg": "none"}), "didkit.jwt_header"),
    (lambda: token(claims(), {"alg": "ES256"}), "didkit.jwt_header"),
    (lambda: token(claims(), {"jwk": {}}), "didkit.jwt_header"),
    (lambda: token(claims(vc=None)), "didkit.jwt"),
    (lambda: token(claims(vp={})), "didkit.jwt"),
    (lambda: token(claims(nbf=int(NOW.timestamp()) + 61)), "didkit.not_yet_valid"),
    (lambda: token(claims(iat=int(NOW.timestamp()) + 61)), "didkit.not_yet_valid"),
    (lambda: token(claims(exp=int(NOW.timestamp()))), "didkit.expired"),
    (lambda: token(claims(exp="soon")), "encoding.numeric_date"),
    (lambda: token(claims(nbf=None)), "didkit.date"),
    (lambda: token(claims(sub="did:example:other")), "didkit.jwt_conflict"),
    (lambda: token(claims(vc=credential(ISSUER, credentialSubject=[{"id": "did:example:1"}]), sub="did:example:1")),
     "didkit.jwt_conflict"),
    (lambda: token(claims(vc=credential(ISSUER))), "didkit.jwt_conflict"),
    (lambda: token(claims(nbf=None, vc=credential(ISSUER), jti="urn:x:other")), "didkit.jwt_conflict"),
    (lambda: token(claims(nbf=None, vc=credential(OTHER))), "didkit.jwt_conflict"),
    (lambda: token(claims(), signer=replace(OTHER, name="x")), "didkit.issuer"),
    (lambda: token(claims())[:-8] + "AAAAAAAA", "didkit.proof"),
]  # fmt: skip


@pytest.mark.parametrize(("wire", "code"), TOKENS)
def test_tokens_hold_what_is_expected_of_them(wire: Callable[[], str], code: str) -> None:
    with pytest.raises(SsiError) as caught:
        verify(wire(), proof_type=JWT)
    assert caught.value.code == code


# --- keys and fuzz ----------------------------------------------------------------------------------------------------


def test_keys_of_the_other_curve_stay_in_their_room() -> None:
    key = SIGNERS["ES256K"].public
    assert secp256k1.from_jwk(dict(key.jwk)) == key
    assert secp256k1.from_point(bytes([2 + key.y[-1] % 2]) + key.x) == key
    with pytest.raises(Unsupported):
        PublicKey.from_jwk(dict(key.jwk))
    for wrong in ({"d": "AA"}, {"use": "enc"}, {"x": None}, {"x": "AA"}, {"y": key.jwk["x"]}):
        with pytest.raises(Malformed):
            secp256k1.from_jwk({**key.jwk, **wrong})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_comes_only_ssi_errors_go(data: st.DataObject) -> None:
    found = issued_before()
    name = data.draw(st.sampled_from([*found, *found["proof"], "vc"]))
    if name in found["proof"] and name != "type":
        found["proof"][name] = data.draw(JSON)
    else:
        found[name] = data.draw(JSON)
    with pytest.raises(SsiError):
        verify(found)
    with pytest.raises(SsiError):
        verify(data.draw(st.text() | st.just(token({"iss": did(ISSUER), **found}))), proof_type=JWT)
    with pytest.raises(SsiError):
        verify(data.draw(JSON.filter(lambda value: not isinstance(value, str))))
