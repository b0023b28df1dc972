"""Schemas, status lists, encrypted tokens, queries, identifiers and certificates that ask too much."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Iterator
from typing import Any

from ssi.encoding import b64url
from ssi.jose import jwe
from tests.fuzz.hostile.making import MEGABYTE, Named, nested
from tests.fuzz.targets import jwe_key
from tests.ssi import mdocs


def schemas(salt: int, name: str) -> Iterator[Named]:
    def pair(schema: Any, document: Any) -> bytes:
        return json.dumps([schema, document]).encode()

    a = "a" * 20_000 + "!"
    for number, pattern in enumerate(
        ("(a+)+$", "(a|a)*$", "(a|aa)+$", "^(a?){200}a{200}$", "a*a*a*a*a*b", "(.*a){25}", "(?=a+)a+$", "(a)\\1")
    ):
        yield f"pattern-{number}", pair({"pattern": pattern}, a)
        yield f"pattern-short-{number}", pair({"pattern": pattern}, "a" * 40 + "!")
    yield (
        "patterns-512",
        pair({"patternProperties": {f"^(a{n}|b)*$": {} for n in range(200)}}, {f"ab{n}": 1 for n in range(2000)}),
    )
    tree: Any = {"$defs": {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(25)} | {"d25": True}}
    yield "references", pair({**tree, "$ref": "#/$defs/d0"}, 1)
    yield "recursion", pair({"$ref": "#"}, 1)
    yield "recursion-properties", pair({"additionalProperties": {"$ref": "#"}}, nested(28, 1))
    yield "dynamic", pair({"$dynamicAnchor": "n", "anyOf": [{"$dynamicRef": "#n"}] * 3}, 1)
    yield "any-of-1000", pair({"anyOf": [{"const": n} for n in range(1, 900)]}, list(range(1000)))
    yield "any-of-nested", pair({"items": {"anyOf": [{"const": n} for n in range(1, 300)]}}, [0] * 5000)
    yield "enum", pair({"items": {"enum": list(range(1, 2000))}}, [0] * 5000)
    yield "unique", pair({"uniqueItems": True}, [[n] for n in range(9000)])
    yield "unique-numbers", pair({"uniqueItems": True}, list(range(100_000)))
    yield "contains", pair({"contains": {"const": 1}}, [0] * 100_000)
    yield "required", pair({"required": [f"r{n}" for n in range(4000)]}, {f"q{n}": n for n in range(40_000)})
    yield "remote", pair({"$ref": "https://issuer.test/other"}, 1)
    yield "multiple-of", pair({"multipleOf": 1e-300}, 1e300)
    yield "format-email", pair({"format": "email"}, "a@" * 300_000)
    yield "one-of-deep", pair(_deep_schema(12), nested(12, 1))


def _deep_schema(depth: int) -> Any:
    schema: Any = True
    for _ in range(depth):
        schema = {"oneOf": [{"properties": {"within": schema}}, {"properties": {"within": schema}}]}
        if len(json.dumps(schema)) > 30_000:
            break
    return schema


def lists(salt: int, name: str) -> Iterator[Named]:
    for label, plain in (("zeros", bytes(400 * MEGABYTE)), ("at-limit", bytes(4 * MEGABYTE))):
        squeezed = gzip.compress(plain, 9) if name == "bitstring-list" else zlib.compress(plain, 9)
        yield from (
            (f"bomb-{label}", squeezed),
            (f"bomb-{label}-cut", squeezed[:-9]),
            (f"bomb-{label}-after", squeezed + b"x"),
        )
    noise = random.Random(salt).randbytes(700_000)
    yield "noise", gzip.compress(noise) if name == "bitstring-list" else zlib.compress(noise)


def encrypted(salt: int, name: str) -> Iterator[Named]:
    sealed = jwe.encrypt(b"A" * 700_000, jwk=jwe_key().public_jwk, enc="A256GCM")
    yield "large", sealed.encode()
    header, *rest = sealed.split(".")
    yield "large-changed", ".".join((header, *rest[:-1], "A" * 22)).encode()
    for label, changes in (
        ("zip", {"zip": "DEF"}),
        ("pbes2", {"alg": "PBES2-HS256+A128KW", "p2c": 10_000_000, "p2s": "AAAA"}),
        ("apu", {"apu": "A" * 5000}),
        ("epk-rsa", {"epk": {"kty": "RSA", "n": "A" * 6000, "e": "AQAB"}}),
        ("epk-521", {"epk": {"kty": "EC", "crv": "P-521", "x": "A" * 88, "y": "A" * 88}}),
        ("members", {f"h{n}": 0 for n in range(500)}),
    ):
        plain = {"alg": "ECDH-ES", "enc": "A256GCM", **changes}
        yield label, ".".join((b64url(json.dumps(plain).encode()), *rest)).encode()


def queries(salt: int, name: str) -> Iterator[Named]:
    def query(credentials: list[Any], **members: Any) -> bytes:
        return json.dumps({"credentials": credentials, **members}).encode()

    def one(number: int, **members: Any) -> dict[str, Any]:
        return {"id": f"c{number}", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:example:person:1"]}, **members}

    claims = [{"id": f"i{n}", "path": ["given_name"]} for n in range(256)]
    names = [f"i{n}" for n in range(256)]
    yield "credentials-256", query([one(n) for n in range(256)])
    yield "claims", query([one(n, claims=claims) for n in range(75)])
    yield "claims-many", query([one(n, claims=[{"path": ["a", None]}] * 40) for n in range(256)])
    yield "claim-sets", query([one(0, claims=claims, claim_sets=[names] * 256)])
    missing = [{"id": f"i{n}", "path": ["nobody"] if n == 255 else ["given_name"]} for n in range(256)]
    yield "claim-sets-missing", query([one(0, claims=missing, claim_sets=[names] * 256)])
    yield "claim-sets-of-8", query([one(n, claims=missing, claim_sets=[names] * 30) for n in range(8)])
    yield "values", query([one(n, claims=[{"path": ["given_name"], "values": ["x"] * 256}] * 8) for n in range(60)])
    yield "paths", query([one(0, claims=[{"path": [None] * 32}] * 256)])
    yield "paths-long", query([one(0, claims=[{"path": ["a" * 3000]}] * 256)])
    wild = [{"path": ["nested", None, None, None, None]}] * 256
    yield "wildcards", query([one(0, claims=wild)])
    yield "wildcards-16", query([one(n, claims=wild) for n in range(16)])
    sets = [{"options": [[f"c{n}" for n in range(256)]] * 30} for _ in range(8)]
    yield "sets", query([one(n) for n in range(256)], credential_sets=sets)
    yield (
        "types",
        query([{**one(n), "format": "ldp_vc", "meta": {"type_values": [["urn:x"] * 200] * 10}} for n in range(60)]),
    )
    yield (
        "authorities",
        query([one(n, trusted_authorities=[{"type": "aki", "values": ["A" * 27] * 256}] * 4) for n in range(60)]),
    )


def identifiers(salt: int, name: str) -> Iterator[Named]:
    yield from (
        ("did-long", b"did:web:" + b"a:" * 1000 + b"a"),
        ("did-percent", b"did:web:" + b"%41" * 600),
        ("did-colons", b"did:a:" + b":" * 2000),
        ("did-fragment", b"did:key:z#" + b"a" * 100_000),
        ("multikey-digits", b"z" + b"9" * 511),
        ("multikey-ones", b"z" + b"1" * 511),
    )


def certificates(salt: int, name: str) -> Iterator[Named]:
    yield "honest", mdocs.CERTIFICATE
    yield "nested-sequences", b"\x30\x82\x3f\x00" * 4000
    yield "zeros-16384", bytes(16_384)
    at = mdocs.CERTIFICATE.find(b"Utopia")
    yield "name-changed", mdocs.CERTIFICATE[:at] + b"\xff" * 6 + mdocs.CERTIFICATE[at + 6 :]
