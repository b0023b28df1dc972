"""Hostile inputs: what would somebody send who wants a reader to work for long, or to fill its memory?

By target of `tests.fuzz.targets`. Most are signed as an issuer of ill will would sign them, so that nothing is refused
just because a signature is false. `salt` makes each round's inputs new, so that nothing is remembered of the last.
"""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ssi import jose, suites
from ssi.bbs.keys import BbsSigner
from ssi.cose import cbor, sign1
from ssi.dids import key as did_key
from ssi.encoding import b64url
from ssi.errors import SsiError
from ssi.keys import Signer
from ssi.suites import proofs
from tests.fuzz.targets import Target
from tests.ssi import drafts, mdocs
from tests.support import NOW

Named = tuple[str, bytes]
V2 = "https://www.w3.org/ns/credentials/v2"
V1 = "https://www.w3.org/2018/credentials/v1"
MEGABYTE = 1_048_576


@dataclass(frozen=True)
class Zoo:
    """Inputs of one round."""

    salt: int

    def of(self, target: Target) -> Iterator[Named]:
        """All that is tried on a target."""
        for number, seed in enumerate(target.seeds()):
            for name, data in _changed(seed):
                yield f"{name}-{number}", data
        yield from _shapes()
        for prefix, make in _MAKERS.items():
            if target.name.startswith(prefix):
                yield from make(self, target.name)


# --- anything ---------------------------------------------------------------------------------------------------------


def _changed(seed: bytes) -> Iterator[Named]:
    for share in (1, 25, 50, 75, 99):
        yield f"cut-{share}", seed[: len(seed) * share // 100]
    yield "twice", seed * 2
    yield "megabyte-after", seed + b"A" * MEGABYTE
    yield "megabyte-before", b" " * MEGABYTE + seed
    middle = len(seed) // 2
    yield "megabyte-within", seed[:middle] + b"A" * (MEGABYTE - len(seed)) + seed[middle:]


def _shapes() -> Iterator[Named]:
    yield from (
        ("nested-arrays", b"[" * 500_000),
        ("nested-objects", b'{"a":' * 200_000),
        ("nested-32", b"[" * 32 + b"]" * 32),
        ("closed-arrays", b"[" + b"[]," * 300_000 + b"[]]"),
        ("closed-arrays-at-limit", b"[" + b"[]," * 19_998 + b"[]]"),
        ("members", b"{" + b",".join(b'"%d":0' % n for n in range(90_000)) + b"}"),
        ("numbers", b"[" + b"0," * 520_000 + b"0]"),
        ("digits", b"9" * 1_000_000),
        ("exponents", b"[" + b"1e308," * 150_000 + b"1]"),
        ("escapes", b'"' + b"\\u0000" * 170_000 + b'"'),
        ("spaces", b" " * MEGABYTE),
        ("tildes", b"~" * MEGABYTE),
        ("dots", b"." * MEGABYTE),
        ("letters", b"A" * MEGABYTE),
        ("too-large", b"A" * 3 * MEGABYTE),
        ("zeros", bytes(MEGABYTE)),
        ("base58", b"z" + b"1" * MEGABYTE),
        ("not-utf8", b"\xff" * MEGABYTE),
        ("percent", b"%41" * 350_000),
        ("query", b"openid4vp://?" + b"a=b&" * 250_000),
    )


# --- JSON-LD ----------------------------------------------------------------------------------------------------------


def _credential(salt: int, *contexts: Any, subject: Any = None, **members: Any) -> dict[str, Any]:
    """A credential about whatever the maker wants, with any further contexts."""
    return {
        "@context": [V2, {"@vocab": f"urn:hostile:{salt}:"}, *contexts],
        "type": ["VerifiableCredential"],
        "issuer": did_key.from_public(drafts.ISSUER.public),
        "credentialSubject": subject if subject is not None else {"id": f"urn:uuid:{salt}"},
        **members,
    }


def _complete(count: int, salt: int) -> list[Any]:
    """A graph in which every node knows every other one, and none has a name that lasts."""
    names = [f"_:n{salt}x{number}" for number in range(count)]
    return [{"id": name, "knows": [{"id": other} for other in names if other != name]} for name in names]


def _ring(count: int, salt: int, *, steps: tuple[int, ...] = (1,)) -> list[Any]:
    def name(number: int) -> dict[str, str]:
        return {"id": f"_:r{salt}x{number % count}"}

    return [{**name(number), "next": [name(number + step) for step in steps]} for number in range(count)]


def _nested(depth: int, end: Any) -> Any:
    for _ in range(depth):
        end = {"within": end}
    return end


def _terms(count: int, salt: int, **definition: Any) -> dict[str, Any]:
    return {f"t{salt}x{number}": {"@id": f"urn:t:{number}", **definition} for number in range(count)}


def _bombs(salt: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Documents that ask much of JSON-LD."""
    for count in (5, 8, 12, 30, 40):
        yield f"complete-{count}", _credential(salt, subject=_complete(count, salt))
    for count in (50, 100, 400, 600):
        yield f"ring-{count}", _credential(salt, subject=_ring(count, salt))
    for count, steps in ((60, (1, 2)), (100, (1, 7)), (64, (1, 2, 4)), (300, (1, 299))):
        yield f"ring-{count}-{len(steps)}", _credential(salt, subject=_ring(count, salt, steps=steps))
    pairs = [{"a": {"b": {"name": "x"}}} for _ in range(450)]
    yield "alike", _credential(salt, subject=pairs)
    yield "alike-empty", _credential(salt, subject=[{"a": {"type": "X"}} for _ in range(640)])
    yield "alike-star", _credential(salt, subject={"id": "_:hub", "to": [{"from": {"id": "_:hub"}} for _ in range(640)]})
    yield "rings-of-4", _credential(salt, subject=[n for part in range(120) for n in _ring(4, salt * 1000 + part)])
    yield "deep", _credential(salt, subject=_nested(28, "x"))
    yield "too-deep", _credential(salt, subject=_nested(300, "x"))
    yield "wide", _credential(salt, subject={f"m{salt}x{number}": "x" for number in range(1900)})
    yield "wide-numbers", _credential(salt, subject={f"m{salt}x{number}": number / 7 for number in range(1900)})
    yield "set", _credential(salt, subject={"m": [f"{salt}x{number}" for number in range(1900)]})
    yield "types", _credential(salt, subject={"type": [f"T{salt}x{number}" for number in range(1900)]})
    yield "text", _credential(salt, subject={"m": "\\\u2028\"\n" * 200_000})
    yield "texts", _credential(salt, subject={"m": [f"{number}" * 100 for number in range(1800)]})
    yield "integer", _credential(salt, subject={"m": 10**300})
    yield "ids", _credential(salt, subject=[{"id": f"urn:{salt}:{number}", "n": "x"} for number in range(900)])
    yield "id", _credential(salt, subject={"id": "urn:" + "a" * 900_000})
    listed = {"list": {"@id": "urn:list", "@container": "@list"}}
    yield "list", _credential(salt, listed, subject={"list": list(range(1900))})
    yield "lists", _credential(salt, listed, subject={"list": [[[n]] for n in range(600)]})
    literal = {"j": {"@id": "urn:j", "@type": "@json"}}
    yield "json-literal", _credential(salt, literal, subject={"j": [n / 3 for n in range(1900)]})
    yield "json-literal-keys", _credential(salt, literal, subject={"j": {chr(40_000 - n): n for n in range(1900)}})
    graph = {"g": {"@id": "urn:g", "@container": "@graph"}}
    yield "graphs", _credential(salt, graph, subject={"g": [{"n": "x"} for _ in range(900)]})
    yield from _context_bombs(salt)


def _context_bombs(salt: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Documents that bring contexts of their own, each to be processed and none to be found in a memory."""
    large = [_terms(600, salt * 100 + number) for number in range(12)]
    yield "contexts", _credential(salt, *large)
    yield "context-too-many", _credential(salt, *({f"t{n}": "urn:t"} for n in range(4000)))
    yield "context-too-large", _credential(salt, _terms(40_000, salt))
    own = [{"@context": {f"u{salt}x{number}": "urn:u"}, "n": "x"} for number in range(600)]
    yield "context-per-node", _credential(salt, _terms(600, salt), subject=own)
    scoped = _terms(400, salt, **{"@context": {"q": "urn:q"}})
    typed = [{"type": name, "q": "x"} for name in scoped]
    yield "context-per-type", _credential(salt, scoped, _terms(600, salt + 1), subject=typed)
    together = [{"type": [f"t{salt}x{n}", f"t{salt}x{n + 1}", f"t{salt}x{n + 2}"], "q": "x"} for n in range(380)]
    yield "context-per-types", _credential(salt, scoped, _terms(600, salt + 1), subject=together)
    all_types = [{"type": [*scoped], "q": "x"}] * 4
    yield "context-all-types", _credential(salt, scoped, _terms(600, salt + 1), subject=all_types)
    below = {name: {"q": "x"} for name in scoped}
    yield "context-per-property", _credential(salt, scoped, _terms(600, salt + 1), subject=below)
    inner: dict[str, Any] = {"q": "urn:q"}
    for number in range(28):
        inner = {"p": {"@id": f"urn:p:{number}", "@context": inner}}
    value: Any = "x"
    for _ in range(26):
        value = {"p": value}
    yield "context-nested", _credential(salt, inner, subject=value)
    heavy = {"p": {"@id": "urn:p", "@context": _terms(500, salt + 2)}, "T": {"@id": "urn:T", "@context": {"y": "urn:y"}}}
    yield "context-heavy-property", _credential(salt, heavy, subject=[{"type": "T", "p": {"type": "T", "y": "x"}}] * 300)
    chain = {f"c{number}": f"c{number + 1}:x" for number in range(900)} | {"c900": "urn:c"}
    yield "context-chain", _credential(salt, chain)
    urls = [{"@context": V2, "type": "X"} for _ in range(600)]
    yield "context-known-per-node", _credential(salt, subject=urls)
    languages = {"l": {"@id": "urn:l", "@container": "@language"}}
    yield "languages", _credential(salt, languages, subject={"l": {f"a-{n}": "x" for n in range(1900)}})


def _many_proofs(salt: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in ("eddsa-rdfc-2022", "ecdsa-jcs-2019", "ecdsa-rdfc-2019"):
        suite, signer = suites.by_name(name), _EDDSA if name.startswith("eddsa") else drafts.ISSUER
        for values in (20, 440):
            document = _credential(salt, subject={f"m{salt}x{number}": "x" for number in range(values)})
            for number in range(16):
                previous = f"urn:uuid:{salt}-{number - 1}" if number else None
                document = _proven(document, suite, signer, previous=previous, proof_id=f"urn:uuid:{salt}-{number}")
            yield f"{name}-16-proofs-{values}", document
    one = suites.by_name("eddsa-rdfc-2022")
    yield "eddsa-rdfc-1800", _proven(_credential(salt, subject={f"m{salt}x{n}": "x" for n in range(1800)}), one, _EDDSA)


def _selective(salt: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Base proofs and derived ones over as many statements as a suite takes."""
    for name, signer, most in (("ecdsa-sd-2023", drafts.ISSUER, 240), ("bbs-2023", _BBS, 110)):
        suite = suites.by_name(name)
        for label, subject in (
            ("flat", {f"m{salt}x{number}": "x" for number in range(most)}),
            ("nodes", [{"n": f"{number}"} for number in range(most // 2)]),
        ):
            base = _proven({**_credential(salt, subject=subject), "issuer": did_key.from_public(signer.public)}, suite, signer)
            yield f"{name}-base-{label}", base
            shown = proofs.derive(base, pointers=["/credentialSubject"])
            yield f"{name}-derived-{label}", shown
            shown = proofs.derive(base, pointers=["/credentialSubject/0" if label == "nodes" else "/type"])
            yield f"{name}-derived-little-{label}", shown
            cut = {**base, "proof": {**base["proof"], "proofValue": base["proof"]["proofValue"][:-8]}}
            yield f"{name}-cut-{label}", cut


def _proven(document: dict[str, Any], suite: Any, signer: Signer, **options: Any) -> dict[str, Any]:
    method = did_key.url(signer.public)
    return proofs.add(document, suite=suite, signer=signer, verification_method=method, created=NOW, **options)


def _unproven(document: Mapping[str, Any]) -> dict[str, Any]:
    """With a proof that is well formed, so that a reader goes as far as it does before it finds it to be false."""
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": "ecdsa-rdfc-2019",
        "verificationMethod": did_key.url(drafts.ISSUER.public),
        "proofPurpose": "assertionMethod",
        "proofValue": "z" + "5" * 88,
    }
    return {**document, "proof": proof}


def _documents(zoo: Zoo) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, document in _bombs(zoo.salt):
        yield name, _unproven(document)
        if name in ("ring-100-2", "context-per-type", "wide", "alike"):
            false = _unproven(document)["proof"]
            yield f"{name}-16-proofs", {**document, "proof": [false] * 16}
    yield from _many_proofs(zoo.salt)
    yield from _selective(zoo.salt)


def _linked_data(zoo: Zoo, name: str) -> Iterator[Named]:
    for label, document in _documents(zoo):
        if name.endswith("-presentation"):
            yield f"{label}-presented", json.dumps(_presented(document)).encode()
        else:
            yield label, json.dumps(document).encode()


def _presented(document: Mapping[str, Any]) -> dict[str, Any]:
    holder = did_key.from_public(drafts.HOLDER.public)
    whole = {"@context": [V2], "type": ["VerifiablePresentation"], "holder": holder, "verifiableCredential": [document]}
    suite, method = suites.by_name("ecdsa-jcs-2019"), did_key.url(drafts.HOLDER.public)
    asked = {"challenge": drafts.CHALLENGE.nonce, "domain": drafts.CHALLENGE.audience, "purpose": "authentication"}
    try:
        return proofs.add(whole, suite=suite, signer=drafts.HOLDER, verification_method=method, created=NOW, **asked)
    except SsiError:  # it is too much for the one who signs already
        return _unproven(whole)


# --- tokens -----------------------------------------------------------------------------------------------------------


def _payloads(salt: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Documents for envelopes, which nothing but size bounds."""
    for name, document in _bombs(salt):
        if name in ("wide", "set", "types", "text", "contexts", "context-too-many", "context-too-large", "too-deep"):
            yield name, document
    names = [f"m{salt}x{number}" for number in range(60_000)]
    yield "wide-60000", _credential(salt, subject=dict.fromkeys(names, 1))
    yield "wide-known-context", {**_credential(salt, subject=dict.fromkeys(names, 1)), "@context": [V2]}
    yield "objects-6000", _credential(salt, subject={"m": [{"n": {"o": {}}} for _ in range(6_000)]})
    yield "subjects-1000", _credential(salt, subject=[{"n": {"type": "X"}} for _ in range(1000)])
    status = {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "1",
        "statusListCredential": "https://issuer.test/status/1",
    }
    yield "statuses-1000", _credential(salt, credentialStatus=[status] * 1000)
    yield "statuses-4000", _credential(salt, credentialStatus=[status] * 4000)
    schema = {"id": "https://issuer.test/schema", "type": "JsonSchema"}
    yield "schemas-1000", _credential(salt, credentialSchema=[schema] * 1000)
    resource = {"id": V2, "digestSRI": "sha384-" + "A" * 64}
    yield "resources-1000", _credential(salt, relatedResource=[resource] * 1000)
    yield "types-1000", {**_credential(salt), "type": ["VerifiableCredential", *(f"T{n}" for n in range(990))]}
    yield "evidence-9000", _credential(salt, evidence=[{"type": "E", "e": {}} for _ in range(9000)])
    yield "languages-1000", _credential(salt, name=[{"@value": "x", "@language": "en"} for _ in range(1000)])


def _envelopes(zoo: Zoo, name: str) -> Iterator[Named]:
    kind = name.rsplit("-", 1)[0]
    for label, document in _payloads(zoo.salt):
        wire = _signed(kind, document)
        yield label, wire
        if name.endswith("presentation"):
            yield f"{label}-presented", _enveloped(kind, wire)
    for label, header in _headers():
        yield label, jose.sign(_credential(zoo.salt), signer=drafts.ISSUER, header={"typ": kind, **header}).encode()


def _signed(kind: str, document: dict[str, Any]) -> bytes:
    method, issuer = did_key.url(drafts.ISSUER.public), document["issuer"]
    if kind == "jwt_vc_json":
        old = {**document, "@context": [V1, *document["@context"][1:]], "issuanceDate": "2026-01-01T00:00:00Z"}
        payload = json.dumps({"iss": issuer, "nbf": 1_767_225_600, "vc": {**old, "issuer": issuer}}).encode()
        return jose.sign(payload, signer=drafts.ISSUER, header={"typ": "JWT", "kid": method}).encode()
    if kind == "vc+cose":
        whole = json.dumps(document).encode()
        protected = {3: "application/vc", 4: method.encode(), 16: "application/vc+cose"}
        return b64url(sign1.sign(whole, protected=protected, signer=drafts.ISSUER)).encode()
    whole = json.dumps({"iss": issuer, **document}).encode()
    token = jose.sign(whole, signer=drafts.ISSUER, header={"typ": kind, "kid": method}).encode()
    return token + b"~" if kind == "vc+sd-jwt" else token


def _enveloped(kind: str, wire: bytes) -> bytes:
    method = did_key.url(drafts.HOLDER.public)
    holder = method.partition("#")[0]
    document = {
        "@context": [V2],
        "type": ["VerifiablePresentation"],
        "holder": holder,
        "verifiableCredential": [
            {"@context": V2, "type": "EnvelopedVerifiableCredential", "id": f"data:application/{kind},{wire.decode()}"}
        ],
    }
    asked = {"iss": holder, "aud": drafts.CHALLENGE.audience, "nonce": drafts.CHALLENGE.nonce}
    header = {"typ": kind.replace("vc", "vp"), "kid": method}
    return jose.sign({**asked, **document}, signer=drafts.HOLDER, header=header).encode()


def _headers() -> Iterator[tuple[str, dict[str, Any]]]:
    der = b64url(mdocs.CERTIFICATE).replace("-", "+").replace("_", "/")
    der += "=" * (-len(der) % 4)
    yield from (
        ("x5c-8", {"x5c": [der] * 8}),
        ("x5c-1000", {"x5c": [der] * 1000}),
        ("x5c-zeros", {"x5c": ["A" * 16_000] * 3}),
        ("x5c-sequences", {"x5c": ["MIIwMIIw" * 2000] * 3}),
        ("kid-long", {"kid": "did:key:z" + "1" * 40_000}),
        ("kid-web", {"kid": "did:web:" + "a:" * 20_000 + "a"}),
        ("kid-jwk", {"kid": "did:jwk:" + "e" * 40_000}),
        ("crit", {"crit": ["a"] * 10_000}),
        ("header-members", {f"h{n}": n for n in range(5_000)}),
        ("header-nested", {"h": [[[[]]]] * 5_000}),
    )


# --- SD-JWT -----------------------------------------------------------------------------------------------------------


def _disclosed(zoo: Zoo, name: str) -> Iterator[Named]:
    """Payloads with many digests, and disclosures in every arrangement."""
    w3c = name.startswith("vc")
    plain = _credential(zoo.salt) if w3c else {"iss": "https://issuer.test", "vct": "urn:example:person:1"}
    header = {"typ": name.rsplit("-", 1)[0], "kid": did_key.url(drafts.ISSUER.public)}

    def token(payload: Mapping[str, Any], *texts: str) -> bytes:
        signed = jose.sign({**plain, **payload}, signer=drafts.ISSUER, header=header)
        return "~".join((signed, *texts, "")).encode()

    def text(*parts: Any) -> str:
        return b64url(json.dumps([f"{zoo.salt}-salt-of-a-length", *parts]).encode())

    yield from ((label, token(payload, *texts)) for label, payload, texts in _disclosures(text, zoo.salt))
    yield "bindings", token({}) + token({}) * 100
    yield "binding-large", token({}) + jose.sign({"x": "A" * 900_000}, signer=drafts.HOLDER, header={"typ": "kb+jwt"}).encode()


def _disclosures(text: Callable[..., str], salt: int) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
    from ssi.formats.disclosures import digest

    def of(texts: list[str]) -> list[str]:
        return [digest(one.encode()) for one in texts]

    flat = [text(f"c{number}", number) for number in range(1024)]
    yield "disclosures-1024", {"_sd": of(flat)}, flat
    yield "disclosures-1025", {"_sd": of(flat)}, [*flat, text("c", 1)]
    yield "disclosures-unreferenced", {}, flat
    yield "disclosures-same-name", {"_sd": of(flat)}, [text("c", number) for number in range(1024)]
    yield "disclosures-twice", {"_sd": of(flat[:512])}, flat[:512] * 2
    large = [text(f"c{number}", "A" * 600) for number in range(1000)]
    yield "disclosures-large", {"_sd": of(large)}, large
    one = text("c", [[] for _ in range(19_000)])
    yield "disclosure-of-arrays", {"_sd": of([one])}, [one]
    three = [text(f"c{number}", [[] for _ in range(19_000)]) for number in range(12)]
    yield "disclosures-of-arrays", {"_sd": of(three)}, three
    wide = text("c", {f"m{number}": number for number in range(60_000)})
    yield "disclosure-of-members", {"_sd": of([wide])}, [wide]
    deep = text("c", json.loads("[" * 300 + "]" * 300))
    yield "disclosure-deep", {"_sd": of([deep])}, [deep]
    chain, inner = [], text("c", 0)
    for _ in range(200):
        chain.append(inner)
        inner = text("c", {"_sd": of([inner])})
    yield "disclosures-chain-200", {"_sd": of([inner])}, [*chain, inner]
    decoys = [digest(f"{salt}x{number}".encode()) for number in range(15_000)]
    yield "decoys-15000", {"_sd": decoys}, []
    yield "decoys-twice", {"_sd": decoys[:7000], "a": {"_sd": decoys[:7000]}}, []
    yield "decoys-in-array", {"a": [{"...": each} for each in decoys[:14_000]]}, []
    yield "decoys-and-disclosures", {"_sd": [*decoys[:8000], *of(flat)]}, flat
    elements = [text(number) for number in range(1024)]
    yield "elements-1024", {"a": [{"...": each} for each in of(elements)]}, elements
    tree = [text(f"c{n}", {"_sd": of([text(f"d{n}", n)])}) for n in range(512)] + [text(f"d{n}", n) for n in range(512)]
    yield "tree-1024", {"_sd": of(tree[:512])}, tree
    yield "objects-with-digests", {"a": [{"_sd": [each]} for each in decoys[:9000]]}, []


# --- CBOR -------------------------------------------------------------------------------------------------------------


def _numbers(size: int) -> list[bytes]:
    """Tuples of two numbers that a dictionary finds alike: made backwards from the hash they are to have."""
    prime_1, prime_2, prime_5 = 11_400_714_785_074_694_791, 14_029_467_366_897_019_727, 2_870_177_450_012_600_261
    mask, modulus = (1 << 64) - 1, (1 << 61) - 1
    inverse_1, inverse_2 = pow(prime_1, -1, 1 << 64), pow(prime_2, -1, 1 << 64)
    wanted = 123_456_789
    found, first = list[bytes](), 1
    while len(found) < size:
        first += 1
        half = (prime_5 + first * prime_2) & mask
        half = ((half << 31 | half >> 33) & mask) * prime_1 & mask
        target = wanted * inverse_1 & mask
        target = (target >> 31 | target << 33) & mask
        second = (target - half) * inverse_2 & mask
        if second < modulus:
            found.append(cbor.encode([first, second]))
    return found


def _items(salt: int) -> Iterator[Named]:
    yield from (
        ("array-head", b"\x9b" + b"\xff" * 8),
        ("map-head", b"\xbb" + b"\xff" * 8),
        ("bytes-head", b"\x5b\x7f" + b"\xff" * 7),
        ("array-head-4g", b"\x9a\xff\xff\xff\xff" + bytes(1000)),
        ("nested-arrays-cbor", b"\x81" * 1_000_000),
        ("nested-32-cbor", b"\x81" * 32 + b"\x00"),
        ("nested-maps-cbor", b"\xa1\x00" * 500_000),
        ("tags", b"\xc1" * 1_000_000),
        ("tags-30", b"\xc1" * 30 + b"\x00"),
        ("indefinite", b"\x9f" * 10_000),
        ("zeros-array", b"\x9a" + (1_000_000).to_bytes(4, "big") + bytes(1_000_000)),
        ("zeros-array-short", b"\x99\x7f\x00" + bytes(0x7F00)),
        ("empty-maps", b"\x99\x7f\x00" + b"\xa0" * 0x7F00),
        ("empty-arrays-tagged", b"\x99\x3f\x00" + b"\xc1\x80" * 0x3F00),
        ("big-number", b"\xc2\x5a" + (900_000).to_bytes(4, "big") + b"\xff" * 900_000),
        ("big-numbers", b"\x98\x80" + (b"\xc2\x59\x10\x00" + b"\xff" * 4096) * 128),
        ("decimal", b"\xc4\x82\x1a\x7f\xff\xff\xff\x01"),
        ("big-float", b"\xc5\x82\x1a\x7f\xff\xff\xff\x01"),
        ("regular-expression", b"\xd8\x23\x78\x20" + b"(a+)+" * 6 + b"$$"),
        ("references", b"\xd8\x1c\x81\xd8\x1d\x00"),
        ("map-9900", cbor.encode({f"{salt}x{number}": number for number in range(4900)})),
        ("map-of-integers", cbor.encode(dict.fromkeys(range(4900), 0))),
        ("map-of-floats", b"\xb9\x0b\x00" + b"".join(cbor.encode(1.5 * 2.0 ** (61 * (n % 33 - 16)) * (n // 33 + 1)) + b"\x00" for n in range(0xB00))),
        ("texts", cbor.encode(["x" * 100] * 9000)),
        ("not-utf8-cbor", b"\x7a" + (900_000).to_bytes(4, "big") + b"\xff" * 900_000),
    )
    alike = _numbers(1500)
    yield "map-of-alike", b"\xb9" + len(alike).to_bytes(2, "big") + b"".join(each + b"\x00" for each in alike)


def _cbor(zoo: Zoo, name: str) -> Iterator[Named]:
    yield from _items(zoo.salt)
    for label, data in _items(zoo.salt):
        yield f"protected-{label}", sign1_of(data[:65_000], b"payload")
        yield f"payload-{label}", sign1_of(b"\xa1\x01\x26", data)


def sign1_of(protected: bytes, payload: bytes) -> bytes:
    """A message of any parts, tagged, unsigned."""
    return cbor.encode_in_order(cbor.Tag(18, [protected, {}, payload, bytes(64)]))


def _mobile(zoo: Zoo, name: str) -> Iterator[Named]:
    presents = name.endswith("presentation")

    def both(label: str, wire: str) -> Iterator[Named]:
        yield label, wire.encode()
        if presents:
            yield f"{label}-presented", mdocs.response(wire).encode()

    for label, data in _items(zoo.salt):
        yield f"whole-{label}", b64url(data).encode()
        embedded = cbor.embed(data)
        yield from both(f"item-{label}", mdocs.forged(encoded=[embedded]))
        yield from both(f"payload-{label}", mdocs.forged(auth=lambda _, e=embedded: mdocs.signed_by(e)))
        yield from both(f"spaces-{label}", _spaces(data))
    items = [mdocs.item(number, f"e{number}", "x") for number in range(512)]
    yield from both("elements-512", mdocs.forged(items))
    yield from both("elements-513", mdocs.forged([*items, mdocs.item(512, "e512")]))
    yield from both("elements-large", mdocs.forged([mdocs.item(n, f"e{n}", "A" * 1500) for n in range(500)]))
    yield from both("elements-alike", mdocs.forged([mdocs.item(0, "e", "x")] * 512))
    yield from both("elements-maps", mdocs.forged([mdocs.item(n, f"e{n}", {"a": [[]] * 15}) for n in range(500)]))
    long_form = [b"\xd8\x18\x5a" + len(raw).to_bytes(4, "big") + raw for raw in (cbor.encode(each) for each in items)]
    yield from both("elements-long-form", mdocs.forged(encoded=long_form))
    digests = {mdocs.MDL: {number: bytes(32) for number in range(4500)}}
    yield from both("digests-4500", mdocs.forged(valueDigests=digests))
    digests = {f"n{number}": {0: bytes(32)} for number in range(4000)}
    yield from both("namespaces-4000", mdocs.forged(valueDigests=digests))
    yield from both("certificates-9", mdocs.forged(auth=lambda p: mdocs.signed_by(p, certificate=[mdocs.CERTIFICATE] * 9)))
    yield from both("certificates-8", mdocs.forged(auth=lambda p: mdocs.signed_by(p, certificate=[mdocs.CERTIFICATE] * 8)))
    yield from both("certificate-zeros", mdocs.forged(auth=lambda p: mdocs.signed_by(p, certificate=bytes(900_000))))
    if presents:
        yield "documents-1000", mdocs.response(mdocs.forged(), times=1000).encode()


def _spaces(data: bytes) -> str:
    payload = cbor.embed(cbor.encode_in_order(mdocs.security_object([cbor.embed(cbor.encode(mdocs.item()))])))
    auth = cbor.encode_in_order(mdocs.signed_by(payload))
    return b64url(cbor.map_of({"nameSpaces": data, "issuerAuth": auth}))


# --- the rest ---------------------------------------------------------------------------------------------------------


def _schemas(zoo: Zoo, name: str) -> Iterator[Named]:
    def pair(schema: Any, document: Any) -> bytes:
        return json.dumps([schema, document]).encode()

    a = "a" * 20_000 + "!"
    for number, pattern in enumerate(("(a+)+$", "(a|a)*$", "(a|aa)+$", "^(a?){200}a{200}$", "a*a*a*a*a*b", "(.*a){25}", "(?=a+)a+$", "(a)\\1")):
        yield f"pattern-{number}", pair({"pattern": pattern}, a)
        yield f"pattern-short-{number}", pair({"pattern": pattern}, "a" * 40 + "!")
    yield "patterns-512", pair({"patternProperties": {f"^(a{n}|b)*$": {} for n in range(200)}}, {f"ab{n}": 1 for n in range(2000)})
    tree: Any = {"$defs": {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(25)} | {"d25": True}}
    yield "references", pair({**tree, "$ref": "#/$defs/d0"}, 1)
    yield "recursion", pair({"$ref": "#"}, 1)
    yield "recursion-properties", pair({"additionalProperties": {"$ref": "#"}}, _nested(28, 1))
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
    yield "one-of-deep", pair(_deep_schema(12), _nested(12, 1))


def _deep_schema(depth: int) -> Any:
    schema: Any = True
    for _ in range(depth):
        schema = {"oneOf": [{"properties": {"within": schema}}, {"properties": {"within": schema}}]}
        if len(json.dumps(schema)) > 30_000:
            break
    return schema


def _lists(zoo: Zoo, name: str) -> Iterator[Named]:
    for label, plain in (("zeros", bytes(400 * MEGABYTE)), ("at-limit", bytes(4 * MEGABYTE))):
        squeezed = gzip.compress(plain, 9) if name == "bitstring-list" else zlib.compress(plain, 9)
        yield from ((f"bomb-{label}", squeezed), (f"bomb-{label}-cut", squeezed[:-9]), (f"bomb-{label}-after", squeezed + b"x"))
    noise = random.Random(zoo.salt).randbytes(700_000)
    yield "noise", gzip.compress(noise) if name == "bitstring-list" else zlib.compress(noise)


def _jwe(zoo: Zoo, name: str) -> Iterator[Named]:
    from ssi.jose import jwe
    from tests.fuzz.targets import _jwe_key

    sealed = jwe.encrypt(b"A" * 700_000, jwk=_jwe_key().public_jwk, enc="A256GCM")
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


def _queries(zoo: Zoo, name: str) -> Iterator[Named]:
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
    yield "types", query([{**one(n), "format": "ldp_vc", "meta": {"type_values": [["urn:x"] * 200] * 10}} for n in range(60)])
    yield "authorities", query([one(n, trusted_authorities=[{"type": "aki", "values": ["A" * 27] * 256}] * 4) for n in range(60)])


def _identifiers(zoo: Zoo, name: str) -> Iterator[Named]:
    yield from (
        ("did-long", b"did:web:" + b"a:" * 1000 + b"a"),
        ("did-percent", b"did:web:" + b"%41" * 600),
        ("did-colons", b"did:a:" + b":" * 2000),
        ("did-fragment", b"did:key:z#" + b"a" * 100_000),
        ("multikey-digits", b"z" + b"9" * 511),
        ("multikey-ones", b"z" + b"1" * 511),
    )


def _certificates(zoo: Zoo, name: str) -> Iterator[Named]:
    yield "honest", mdocs.CERTIFICATE
    yield "nested-sequences", b"\x30\x82\x3f\x00" * 4000
    yield "zeros-16384", bytes(16_384)
    at = mdocs.CERTIFICATE.find(b"Utopia")
    yield "name-changed", mdocs.CERTIFICATE[:at] + b"\xff" * 6 + mdocs.CERTIFICATE[at + 6 :]


_EDDSA = drafts._EDDSA  # noqa: SLF001  (the sample's own issuer)
_BBS = BbsSigner.from_secret(bytes(31) + b"\x05")
_MAKERS: Mapping[str, Callable[[Zoo, str], Iterator[Named]]] = {
    "ldp_vc": _linked_data,
    "json-ld": _linked_data,
    "vcdm": _linked_data,
    "proofs": _linked_data,
    "vc+jwt": _envelopes,
    "vc+cose": _envelopes,
    "jwt_vc_json": _envelopes,
    "vc+sd-jwt": lambda zoo, name: (*_envelopes(zoo, name), *_disclosed(zoo, name)),
    "dc+sd-jwt": _disclosed,
    "cbor": _cbor,
    "cose-sign1": _cbor,
    "status-cwt": _cbor,
    "mso_mdoc": _mobile,
    "schema": _schemas,
    "bitstring-list": _lists,
    "token-list": _lists,
    "jwe": _jwe,
    "dcql": _queries,
    "did": _identifiers,
    "multikey": _identifiers,
    "certificate": _certificates,
}
