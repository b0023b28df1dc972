"""Disclosures and digests in every arrangement: many, alike, unreferenced, inside one another."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ssi import jose
from ssi.dids import key as did_key
from ssi.encoding import b64url
from ssi.formats.disclosures import digest
from tests.fuzz.hostile.making import Named, credential
from tests.ssi import drafts


def inputs(salt: int, name: str) -> Iterator[Named]:
    """Payloads with many digests, and disclosures in every arrangement."""
    w3c = name.startswith("vc")
    plain = credential(salt) if w3c else {"iss": "https://issuer.test", "vct": "urn:example:person:1"}
    header = {"typ": name.rsplit("-", 1)[0], "kid": did_key.url(drafts.ISSUER.public)}

    def token(payload: Mapping[str, Any], *texts: str) -> bytes:
        signed = jose.sign({**plain, **payload}, signer=drafts.ISSUER, header=header)
        return "~".join((signed, *texts, "")).encode()

    def text(*parts: Any) -> str:
        return b64url(json.dumps([f"{salt}-salt-of-a-length", *parts]).encode())

    yield from ((label, token(payload, *texts)) for label, payload, texts in _disclosures(text, salt))
    yield "bindings", token({}) + token({}) * 100
    yield (
        "binding-large",
        token({}) + jose.sign({"x": "A" * 900_000}, signer=drafts.HOLDER, header={"typ": "kb+jwt"}).encode(),
    )


def _disclosures(text: Callable[..., str], salt: int) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
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
