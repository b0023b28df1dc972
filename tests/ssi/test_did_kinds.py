"""Keys of every kind in did:key, did:jwk and did:peer; accounts in did:pkh; methods that only others can resolve."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from ssi import dids
from ssi.bbs import curve
from ssi.dids import Sources, Version, jwk, key, keyformats, multikey, others, peer, pkh
from ssi.dids.keyformats import Form
from ssi.encoding import b64url, base58, unb64url, write_json
from ssi.errors import Malformed, Refused, SsiError, Unavailable, Unsupported
from ssi.keys import SoftwareSigner
from ssi.legacy import secp256k1
from tests.support import NOW, InMemoryFetch

NOWHERE = Sources(InMemoryFetch({}))
SIGNS = ("authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation")
X25519 = "z6LSfHfAMAopsuBxaBzvp51GXrPf38Az13j2fmwqadbwwrzJ"
ED25519 = "z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b"
G1 = bytes.fromhex(
    "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
)  # the curve's generator
RSA = rsa.generate_private_key(65537, 2048).public_key()
PKCS1 = RSA.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)


def resolve(did: str, sources: Sources = NOWHERE) -> dids.DidDocument:
    return dids.resolve(did, sources=sources, now=NOW).document


def did_key(code: bytes, raw: bytes) -> str:
    return "did:key:z" + base58(code + raw)


# --- did:key and did:jwk ----------------------------------------------------------------------------------------------

JCS = write_json(dict(sorted(SoftwareSigner.generate("ES256").public.jwk.items())))
KINDS = [
    ("ed25519-pub", b"\xed\x01", SoftwareSigner.generate("EdDSA").public.x, True),
    ("bls12_381-g1-pub", b"\xea\x01", G1, False),
    ("bls12_381-g1g2-pub", b"\xee\x01", G1 + curve.public_octets(curve.Scalar(7)), False),
    ("bls12_381-g2-pub", b"\xeb\x01", curve.public_octets(curve.Scalar(7)), True),
    ("ed448-pub", b"\x83\x24", bytes(range(57)), False),
    ("rsa-pub", b"\x85\x24", PKCS1, False),
    ("sr25519-pub", b"\xef\x01", bytes(range(32)), False),
    ("sm2-pub", b"\x86\x24", bytes(range(33)), False),
    ("jwk_jcs-pub", b"\xd1\xd6\x03", JCS, True),
]


@pytest.mark.parametrize(("kind", "code", "raw", "verifies"), KINDS, ids=[row[0] for row in KINDS])
def test_every_kind_of_key_has_a_document(kind: str, code: bytes, raw: bytes, verifies: bool) -> None:
    did = did_key(code, raw)
    found = resolve(did)
    read = multikey.read(did[8:])
    assert (read.kind, read.raw, read.key is not None) == (kind, raw, verifies)
    assert [found.relationships[name] for name in SIGNS] == [(f"{did}#{did[8:]}",)] * 4
    assert found.relationships["keyAgreement"] == ()
    if verifies:
        assert found.key(did, relationship="assertionMethod", now=NOW) == read.key
    else:
        with pytest.raises(Unsupported):
            found.key(did, relationship="assertionMethod", now=NOW)
        with pytest.raises(Unsupported):
            multikey.decode(did[8:])


@pytest.mark.parametrize(("code", "size"), [(b"\xec\x01", 32), (b"\x84\x24", 56)], ids=["x25519", "x448"])
def test_keys_that_only_agree_sign_nothing(code: bytes, size: int) -> None:
    did = did_key(code, bytes(range(size)))
    found = resolve(did)
    assert found.relationships == {**dict.fromkeys(SIGNS, ()), "keyAgreement": (f"{did}#{did[8:]}",)}
    for relationship in (*SIGNS, "keyAgreement"):
        with pytest.raises((Refused, Unsupported)):
            found.key(did, relationship=relationship, now=NOW)
    with pytest.raises(Malformed):
        resolve(did_key(code, bytes(size - 1)))


@pytest.mark.parametrize(
    ("code", "raw"),
    [
        (b"\xea\x01", bytes(48)),
        (b"\xea\x01", G1[:-1] + b"\x00"),
        (b"\xea\x01", b"\xc0" + bytes(47)),  # the identity
        (b"\xeb\x01", b"\xa0" + bytes(95)),
        (b"\xeb\x01", b"\xc0" + bytes(95)),
        (b"\xee\x01", G1 + b"\xc0" + bytes(95)),
        (b"\x85\x24", PKCS1[:-1]),
        (b"\x85\x24", PKCS1 + b"\x00"),
        (b"\x85\x24", b"0\x80"),
        (b"\x83\x24", bytes(56)),
        (b"\xd1\xd6\x03", b"[]"),
        (b"\xd1\xd6\x03", b'{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}'),
        (b"\xd1\xd6\x03", b'{"kty":"oct","k":"AA"}'),
        (b"\xd1\xd6\x03", b"{" * 400),
    ],
)
def test_keys_that_are_none_have_no_document(code: bytes, raw: bytes) -> None:
    with pytest.raises(Malformed):
        resolve(did_key(code, raw))


def test_a_small_rsa_key_and_one_in_another_form_are_refused() -> None:
    small = rsa.generate_private_key(65537, 1024).public_key()
    for other in (
        small.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1),
        RSA.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
    ):
        with pytest.raises(Malformed):
            multikey.read("z" + base58(b"\x85\x24" + other))


def test_long_texts_are_refused_before_they_cost_anything() -> None:
    for text in ("z" + "2" * 1100, "u" + "A" * 1100, "z" * 2000):
        with pytest.raises(Malformed):
            multikey.read(text)


def test_a_key_is_written_as_a_jwk_where_its_kind_has_one() -> None:
    written = {kind: keyformats.document(did_key(code, raw), Form("JsonWebKey")) for kind, code, raw, _ in KINDS[:6:5]}
    assert written["rsa-pub"]["verificationMethod"][0]["publicKeyJwk"]["e"] == "AQAB"
    agrees = keyformats.document("did:key:" + X25519, Form("JsonWebKey2020", encryption=True))
    assert agrees["verificationMethod"][0]["publicKeyJwk"]["crv"] == "X25519"
    assert len(agrees["verificationMethod"]) == 1
    assert agrees["keyAgreement"] == [agrees["verificationMethod"][0]["id"]]
    assert keyformats.document("did:key:" + X25519, Form("X25519KeyAgreementKey2020"))["keyAgreement"]
    for did, form in (
        (did_key(b"\xef\x01", bytes(range(32))), Form("JsonWebKey")),
        ("did:key:" + X25519, Form("Ed25519VerificationKey2020")),
        ("did:key:" + ED25519, Form("X25519KeyAgreementKey2020")),
    ):
        with pytest.raises(Unsupported):
            keyformats.document(did, form)


def test_did_jwk_of_every_type() -> None:
    numbers = RSA.public_numbers()
    n = b64url(numbers.n.to_bytes(256, "big"))
    for public in ({"kty": "RSA", "n": n, "e": "AQAB"}, {"kty": "OKP", "crv": "X448", "x": b64url(bytes(56))}):
        for use, relationships in (("enc", ("keyAgreement",)), ("sig", SIGNS)):
            did = "did:jwk:" + b64url(write_json({**public, "use": use}))
            found = resolve(did)
            assert [name for name, ids in found.relationships.items() if ids] == sorted(
                relationships, key=list(found.relationships).index
            )
            with pytest.raises((Unsupported, Refused)):
                found.key(did, relationship="assertionMethod", now=NOW)
    secret = {"kty": "RSA", "n": n, "e": "AQAB", "d": "AQAB"}
    with pytest.raises(Malformed):
        resolve("did:jwk:" + b64url(write_json(secret)))
    k1 = secp256k1.generate().public
    assert resolve(jwk.from_public(k1)).key(jwk.url(k1), relationship="assertionMethod", now=NOW) == k1


# --- did:peer ---------------------------------------------------------------------------------------------------------

KEYS = [
    ("V", "z6Mkj3PUd1WjvaDhNZhhhXQdz5UnZXmS7ehtx8bsPpD47kKc"),
    ("E", "z6LSg8zQom395jKLrGiBNruB9MM6V8PWuf2FpEy4uRFiqQBR"),
]


def messaging(place: str, number: int) -> dict[str, Any]:
    return {
        "type": "DIDCommMessaging",
        "serviceEndpoint": {
            "uri": f"http://example.com/{place}",
            "accept": ["didcomm/v2"],
            "routingKeys": [f"did:example:123456789abcdefghi#key-{number}"],
        },
    }


def test_the_specifications_did_peer_2_is_made_and_read() -> None:
    services = [messaging("didcomm", 1), messaging("another", 2)]
    did = peer.of_keys(KEYS, [{**each, "type": "dm"} for each in services])
    found = resolve(did)
    assert found.json["alsoKnownAs"] == [peer.short_form(did)]
    assert found.json["service"] == [{**services[0], "id": "#service"}, {**services[1], "id": "#service-1"}]
    assert [method["id"] for method in found.json["verificationMethod"]] == ["#key-1", "#key-2"]
    assert (found.json["authentication"], found.json["keyAgreement"]) == (["#key-1"], ["#key-2"])
    assert found.key(did + "#key-1", relationship="authentication", now=NOW) == multikey.decode(KEYS[0][1])
    with pytest.raises(Refused):
        found.key(did + "#key-1", relationship="assertionMethod", now=NOW)
    assert json.loads(unb64url(did.split(".")[3][1:]))["s"]["r"], "abbreviated at every depth"


def test_the_specifications_hashes() -> None:
    did = (
        "did:peer:2.Ez6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc.Vz6MkqRYqQiSgvZQdnBytw86Qbs2ZWUkGv22od935YF4s8M7V"
        ".Vz6MkgoLTnTypo3tDRwCkZXSccTPHRLhF4ZnjhueYAFpEX6vg.SeyJ0IjoiZG0iLCJzIjoiaHR0cHM6Ly9leGFtcGxlLmNvbS9lbmRwb2ludCIs"
        "InIiOlsiZGlkOmV4YW1wbGU6c29tZW1lZGlhdG9yI3NvbWVrZXkiXSwiYSI6WyJkaWRjb21tL3YyIiwiZGlkY29tbS9haXAyO2Vudj1yZmM1ODci"
        "XX0"
    )
    short = "did:peer:3zQmS19jtYDvGtKVrJhQnRFpBQAx3pJ9omx2HpNrcXFuRCz9"
    assert peer.short_form(did) == short
    assert resolve(did).services[0].types == ("DIDCommMessaging",)
    with pytest.raises(Refused) as caught:
        resolve(short)
    assert caught.value.code == "did.not_found"
    known = resolve(short, Sources(InMemoryFetch({}), peers={short: did}))
    assert (known.id, known.also_known_as) == (short, (did,))
    assert {method.controller for method in known.methods.values()} == {short}


def test_did_peer_0_is_its_key_and_what_comes_of_it() -> None:
    did = peer.of_key(ED25519)
    assert did == f"did:peer:0{ED25519}"
    found = resolve(did)
    assert found.key(f"{did}#{ED25519}", relationship="assertionMethod", now=NOW) == multikey.decode(ED25519)
    assert found.relationships["keyAgreement"] == (f"{did}#{X25519}",)
    assert resolve(peer.of_key(X25519)).relationships["assertionMethod"] == ()


INPUT: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
    "verificationMethod": [
        {"id": "#agrees", "type": "Multikey", "publicKeyMultibase": X25519},
        {"id": "#signs", "type": "Multikey", "publicKeyMultibase": ED25519},
    ],
    "authentication": ["#signs", {"id": "#own", "type": "Multikey", "publicKeyMultibase": ED25519}],
    "keyAgreement": ["#agrees"],
}


def test_did_peer_4_in_both_forms() -> None:
    did = peer.of_document(INPUT)
    short = peer.short_form(did)
    assert did.startswith(short + ":z")
    found = resolve(did)
    assert found.also_known_as == (short,)
    assert {method.controller for method in found.methods.values()} == {did}
    for name in ("#signs", "#own"):
        assert found.key(did + name, relationship="authentication", now=NOW) == multikey.decode(ED25519)
    with pytest.raises(Refused):
        resolve(short)
    peers = {short: did}
    known = resolve(short, Sources(InMemoryFetch({}), peers=peers))
    assert (known.id, known.also_known_as) == (short, (did,))
    assert known.key(short + "#own", relationship="authentication", now=NOW) == multikey.decode(ED25519)
    other = peer.of_document({**INPUT, "keyAgreement": []})
    with pytest.raises(Refused):  # a long form that is not this short one's
        resolve(short, Sources(InMemoryFetch({}), peers={short: other}))


def four(document: object, *, prefix: bytes = b"\x80\x04", digest: str | None = None) -> str:
    encoded = "z" + base58(prefix + (document if isinstance(document, bytes) else write_json(document)))
    return f"did:peer:4{digest or peer._hash(encoded)}:{encoded}"


@pytest.mark.parametrize(
    "did",
    [
        "did:peer:",
        "did:peer:0",
        "did:peer:1zQmZMygzYqNwU6Uhmewx5Xepf2VLp5S4HLSwwgf2aiKZuwa",
        "did:peer:0u7QEbM4bT",
        "did:peer:2",
        "did:peer:2.",
        f"did:peer:2.V{ED25519}.",
        f"did:peer:2V{ED25519}",
        f"did:peer:2.X{ED25519}",
        f"did:peer:2.V{X25519}",  # cannot sign
        f"did:peer:2.Vu{ED25519[1:]}",
        "did:peer:2.S" + b64url(b"[]"),
        "did:peer:2.S" + b64url(b"{}"),
        "did:peer:2.S" + b64url(b'[{"t":"dm","s":"https://a.test"}]'),
        "did:peer:2.S" + b64url(b'{"t":"dm","type":"x","s":"https://a.test"}'),
        "did:peer:2.S" + b64url(b'{"t":"dm","s":"https://a.test","id":"did:web:other#x"}'),
        "did:peer:2.S"
        + b64url(b'{"t":"dm","s":"https://a.test","id":"#a"}') * 1
        + ".S"
        + b64url(b'{"t":"dm","s":"b:c","id":"#a"}'),
        "did:peer:2.S" + b64url(b'{"t":"dm","s":' + b"[" * 300 + b"]" * 300 + b"}"),
        "did:peer:2" + f".V{ED25519}" * 50,
        four(INPUT, digest=peer._hash("other")),
        four(INPUT, prefix=b"\x00"),
        four({**INPUT, "id": "did:web:victim.test"}),
        four({**INPUT, "alsoKnownAs": 5}),
        four([]),
        four(b"{"),
        four({**INPUT, "authentication": [{"id": "#signs", "type": "Other", "controller": "did:x:y"}]}),
        "did:peer:4zQmd8CpeFPci817KDsbSAKWcXAE2mjvCQSasRewvbSF54Bd:",
        "did:peer:4zQmd8CpeFPci817KDsbSAKWcXAE2mjvCQSasRewvbSF54Bd:z2",
    ],
)
def test_broken_did_peers_are_refused(did: str) -> None:
    with pytest.raises((Malformed, Unsupported)):
        resolve(did)


@given(
    st.sampled_from(["0", "2.", "2.V", "2.S", "4z", "4zQm:z", "3z"]),
    st.text(max_size=40) | st.from_regex(r"[A-Za-z0-9._:-]{1,60}"),
)
def test_hostile_did_peers_raise_only_ssi_errors(kind: str, rest: str) -> None:
    with pytest.raises(SsiError):
        resolve("did:peer:" + kind + rest)


# --- did:pkh and others -----------------------------------------------------------------------------------------------

SOLANA = "solana:4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZ:CKg5d12Jhpej1JqtmxLJgaFqqeYjxgPqToJ4LBdvG9Ev"
ACCOUNTS = {
    "eip155:1:0xb9c5714089478a327f09197987f16f9e5d936e8a": "EcdsaSecp256k1RecoveryMethod2020",
    "eip155:42220:0xa0ae58da58dfa46fa55c3b86545e7065f90ff011": "EcdsaSecp256k1RecoveryMethod2020",
    "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed": "EcdsaSecp256k1RecoveryMethod2020",
    "bip122:000000000019d6689c085ae165831e93:128Lkh3S7CkDTBZ8W7BbpsN3YYizJMp8p6": "EcdsaSecp256k1RecoveryMethod2020",
    "bip122:000000000019d6689c085ae165831e93:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq": (
        "EcdsaSecp256k1RecoveryMethod2020"
    ),
    "tezos:NetXdQprcVkpaWU:tz1TzrmTBSuiVHV2VfMnGRMYvTEPCP42oSM8": (
        "Ed25519PublicKeyBLAKE2BDigestSize20Base58CheckEncoded2021"
    ),
    "tezos:NetXdQprcVkpaWU:tz2BFTyPeYRzxd5aiBchbXN3WCZhx7BqbMBq": "EcdsaSecp256k1RecoveryMethod2020",
    "tezos:NetXdQprcVkpaWU:tz3agP9LGe2cXmKQyYn6T68BHKjjktDbbSWX": (
        "P256PublicKeyBLAKE2BDigestSize20Base58CheckEncoded2021"
    ),
    "arweave:7wIU:kY9RAgTJEImkBpiKgVeXrsGV02T-D4dI3ZvSpnn7HSk": "RsaVerificationKey2018",
    SOLANA: "Ed25519VerificationKey2018",
}


@pytest.mark.parametrize("account", ACCOUNTS)
def test_an_account_is_written_as_the_method_says(account: str) -> None:
    did = "did:pkh:" + account
    found = resolve(did)
    first = found.json["verificationMethod"][0]
    assert (first["type"], first["blockchainAccountId"]) == (ACCOUNTS[account], account)
    assert set(found.relationships["assertionMethod"]) == set(found.methods)
    for url in found.methods:
        if account == SOLANA:
            key_of = found.key(url, relationship="assertionMethod", now=NOW)
            assert b64url(key_of.x) == "qDkywhH-S6nNxQhA6SHKsoFW7A2gX-X0b3TtwVBMHm8"
        else:
            with pytest.raises(Unsupported):
                found.key(url, relationship="assertionMethod", now=NOW)


@pytest.mark.parametrize(
    "account",
    [
        "eip155:1",
        "eip155:1:",
        "eip155:01:0xb9c5714089478a327f09197987f16f9e5d936e8a",
        "eip155:1:0xb9c5714089478a327f09197987f16f9e5d936e8",
        "eip155:1:0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",  # checksum
        "eip155:1:b9c5714089478a327f09197987f16f9e5d936e8a",
        "eip155:1:0xb9c5714089478a327f09197987f16f9e5d936e8a:1",
        "solana:x:CKg5d12Jhpej1JqtmxLJgaFqqeYjxgPqToJ4LBdvG9Ev",
        SOLANA[:-3],
        "bip122:000000000019d6689c085ae165831e93:128Lkh3S7CkDTBZ8W7BbpsN3YYizJMp8p7",  # checksum
        "tezos:NetXdQprcVkpaWU:tz1TzrmTBSuiVHV2VfMnGRMYvTEPCP42oSM9",
        "tezos:NetXdQprcVkpaWU:tz9TzrmTBSuiVHV2VfMnGRMYvTEPCP42oSM8",
        "tezos:mainnet:tz1TzrmTBSuiVHV2VfMnGRMYvTEPCP42oSM8",
        "arweave:7wIU:short",
    ],
)
def test_what_is_no_account_is_refused(account: str) -> None:
    with pytest.raises(Malformed):
        resolve("did:pkh:" + account)


def test_a_chain_that_is_not_known_is_not_guessed() -> None:
    with pytest.raises(Unsupported) as caught:
        resolve("did:pkh:cosmos:cosmoshub-3:cosmos1t2uflqwqe0fsj0shcfkrvpukewcw40yjj6hdc0")
    assert caught.value.code == "did.pkh_network"


def test_didkit_writes_the_same_accounts_and_the_older_ones() -> None:
    pytest.importorskip("didkit")
    for account in list(ACCOUNTS)[:3]:
        theirs, ours = others.by_didkit("did:pkh:" + account), pkh.expand("did:pkh:" + account)
        assert theirs.methods == ours.methods
    older = resolve("did:pkh:eth:0xb9c5714089478a327f09197987f16f9e5d936e8a")
    assert next(iter(older.methods.values())).key is None
    with pytest.raises(Malformed):
        resolve("did:pkh:tz:nobody")


@pytest.mark.parametrize(
    "did",
    [
        "did:tz:tz1TzrmTBSuiVHV2VfMnGRMYvTEPCP42oSM8",
        "did:ion:EiClkZMDxPKqC9c-umQfTkR8vvZ9JPhl_xLDI9Nfk38w5w",
        "did:onion:a",
    ],
)
def test_who_cannot_be_asked_is_unknown_and_not_invalid(did: str) -> None:
    pytest.importorskip("didkit")
    with pytest.raises(Unavailable) as caught:
        resolve(did)
    assert caught.value.code == "did.unavailable"


def test_methods_without_a_past_say_so() -> None:
    for did in (key.from_public(SoftwareSigner.generate("ES256").public), "did:pkh:" + SOLANA, peer.of_key(ED25519)):
        with pytest.raises(Unsupported) as caught:
            dids.resolve(did, sources=NOWHERE, version=Version(id="1"), now=NOW)
        assert caught.value.code == "did.version"
        assert [each.document for each in dids.history(did, sources=NOWHERE, now=NOW)] == [resolve(did)]
