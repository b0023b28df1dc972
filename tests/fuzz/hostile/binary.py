"""CBOR: counts that promise much, depth, numbers that fill the memory, keys that hash alike; and mdocs of it."""

from __future__ import annotations

from collections.abc import Iterator

from ssi.cose import cbor
from ssi.encoding import b64url
from tests.fuzz.hostile.making import Named
from tests.ssi import mdocs


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
        (
            "map-of-floats",
            b"\xb9\x0b\x00"
            + b"".join(cbor.encode(1.5 * 2.0 ** (61 * (n % 33 - 16)) * (n // 33 + 1)) + b"\x00" for n in range(0xB00)),
        ),
        ("texts", cbor.encode(["x" * 100] * 9000)),
        ("not-utf8-cbor", b"\x7a" + (900_000).to_bytes(4, "big") + b"\xff" * 900_000),
    )
    alike = _numbers(1500)
    yield "map-of-alike", b"\xb9" + len(alike).to_bytes(2, "big") + b"".join(each + b"\x00" for each in alike)


def inputs(salt: int, name: str) -> Iterator[Named]:
    yield from _items(salt)
    for label, data in _items(salt):
        yield f"protected-{label}", sign1_of(data[:65_000], b"payload")
        yield f"payload-{label}", sign1_of(b"\xa1\x01\x26", data)


def sign1_of(protected: bytes, payload: bytes) -> bytes:
    """A message of any parts, tagged, unsigned."""
    return cbor.encode_in_order(cbor.Tag(18, [protected, {}, payload, bytes(64)]))


def documents(salt: int, name: str) -> Iterator[Named]:
    presents = name.endswith("presentation")

    def both(label: str, wire: str) -> Iterator[Named]:
        yield label, wire.encode()
        if presents:
            yield f"{label}-presented", mdocs.response(wire).encode()

    for label, data in _items(salt):
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
    yield from both(
        "certificates-9", mdocs.forged(auth=lambda p: mdocs.signed_by(p, certificate=[mdocs.CERTIFICATE] * 9))
    )
    yield from both(
        "certificates-8", mdocs.forged(auth=lambda p: mdocs.signed_by(p, certificate=[mdocs.CERTIFICATE] * 8))
    )
    yield from both("certificate-zeros", mdocs.forged(auth=lambda p: mdocs.signed_by(p, certificate=bytes(900_000))))
    if presents:
        yield "documents-1000", mdocs.response(mdocs.forged(), times=1000).encode()


def _spaces(data: bytes) -> str:
    payload = cbor.embed(cbor.encode_in_order(mdocs.security_object([cbor.embed(cbor.encode(mdocs.item()))])))
    auth = cbor.encode_in_order(mdocs.signed_by(payload))
    return b64url(cbor.map_of({"nameSpaces": data, "issuerAuth": auth}))
