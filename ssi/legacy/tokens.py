"""JWT credentials and presentations of data model 1.1 (§6.3.1): claims `vc` and `vp`, signed through DIDKit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ssi.encoding import Json, b64url, instant, read_json_object, required_text, text, unb64url, write_json
from ssi.errors import Malformed, Refused, Unsupported
from ssi.keys import Signer
from ssi.legacy import bounds, methods, secp256k1, times, verdicts
from ssi.legacy.engine import engine

JWT: Final = "jwt"
ALGORITHMS: Final = ("EdDSA", "ES256", "ES256K")


@dataclass(frozen=True)
class Token:
    """A token taken apart: `document` is its `vc` or `vp`, completed by what the registered claims say."""

    wire: str
    alg: str
    method: str
    claims: Mapping[str, Json]
    document: Mapping[str, Json]

    @property
    def issuer(self) -> str:
        """The `iss`, which is the DID of the key in the header."""
        return str(self.claims["iss"])


def sign(document: Mapping[str, Json], *, signer: Signer, method: str, call: str, challenge: Mapping[str, Json]) -> str:
    """The document as a token. Raises like `ssi.legacy.linked.prove`."""
    purpose = "assertionMethod" if call == "issue_credential" else "authentication"
    if methods.public_key(method, purpose=purpose) != signer.public:
        raise Refused("didkit.another_key", "The verification method is another key than the signer's.")
    if signer.public.algorithm.name not in ALGORITHMS:
        raise Unsupported("didkit.key", "The key is not of a kind that DIDKit signs tokens with.")
    options = {"proofFormat": JWT, "verificationMethod": method, "proofPurpose": purpose, **challenge}
    secret = write_json(methods.private_jwk(signer)).decode()
    return engine().call(call, bounds.text(document), write_json(options).decode(), secret)


def read(wire: str, *, member: str) -> Token:
    """Take a token apart, unverified; `member` is "vc" or "vp".

    Raises Malformed (`didkit.jwt`, `didkit.jwt_conflict`, `encoding.*`), Unsupported (`didkit.jwt_header`), Refused
    (`didkit.issuer`).
    """
    parts = wire.split(".") if len(wire) <= bounds.MAX_BYTES else []
    if len(parts) != 3:
        raise Malformed("didkit.jwt", "The token is too large, or not three parts divided by dots.")
    header = read_json_object(unb64url(parts[0], what="token's header"), what="token's header")
    claims = read_json_object(unb64url(parts[1], what="token's payload"), what="token's payload")
    method = required_text(header, "kid", what="token's header")
    did, _ = methods.split(method)
    if header.get("alg") not in ALGORITHMS or header.get("typ", "JWT") != "JWT" or len(header) > 2 + ("typ" in header):
        raise Unsupported("didkit.jwt_header", "The token's header says more, or something else, than is read here.")
    if required_text(claims, "iss", what="token") != did:
        raise Refused("didkit.issuer", "The token is signed by another than it names.")
    document = claims.get(member)
    if not isinstance(document, dict) or {"vc", "vp"} <= claims.keys():
        raise Malformed("didkit.jwt", f"The token does not hold a {member!r} and nothing beside it.")
    bounds.text(document)
    return Token(wire, header["alg"], method, claims, _completed(claims, document, member))


def check(token: Token, *, call: str, expected: Mapping[str, Json], now: datetime) -> None:
    """Return when the token is in force and signed by the key that its header names.

    DIDKit compares `exp` and `nbf` with its own clock as well. Raises Refused (`didkit.proof`, `didkit.expired`,
    `didkit.not_yet_valid`, `didkit.jwt_header`), Malformed, Unsupported, Unavailable.
    """
    begins = [when for name in ("nbf", "iat") if (when := instant(token.claims, name)) is not None]
    times.within(begins=max(begins, default=None), ends=instant(token.claims, "exp"), now=now)
    purpose = "assertionMethod" if call == "verify_credential" else "authentication"
    if token.alg != methods.public_key(token.method, purpose=purpose).algorithm.name:
        raise Refused("didkit.jwt_header", "The token's algorithm is not that of its key.")
    wire = token.wire
    if token.alg == secp256k1.ES256K.name:
        signed, _, signature = wire.rpartition(".")
        wire = f"{signed}.{b64url(secp256k1.low(unb64url(signature, what='signature')))}"
    verdicts.verify(call, wire, {"proofFormat": JWT, "proofPurpose": purpose, **expected}, check="JWS")


def _completed(claims: Mapping[str, Json], document: dict[str, Json], member: str) -> dict[str, Json]:
    """VCDM 1.1 §6.3.1, "JWT Decoding": registered claims are members of the document, and agree with those it has."""
    merged = dict(document)
    _agree(merged, "id", text(claims, "jti", what="token"))
    if member == "vp":
        _agree(merged, "holder", claims["iss"])
        return merged
    _agree(merged, "issuer", claims["iss"])
    for claim, name in (("nbf", "issuanceDate"), ("exp", "expirationDate")):
        when, stated = instant(claims, claim), times.moment(merged, name)
        if when is not None and stated is not None and int(when.timestamp()) != int(stated.timestamp()):
            raise Malformed("didkit.jwt_conflict", f"The token's {claim!r} and {name!r} differ.")
        if when is not None and stated is None:
            merged[name] = times.text(when)
    subject, named = merged.get("credentialSubject"), text(claims, "sub", what="token")
    if named is not None and isinstance(subject, dict):
        merged["credentialSubject"] = {**subject}
        _agree(merged["credentialSubject"], "id", named)
    elif named is not None:
        raise Malformed("didkit.jwt_conflict", "The token names one subject, but has several or none.")
    return merged


def _agree(members: dict[str, Json], name: str, value: str | None) -> None:
    stated = members.get(name)
    if value is None or stated == value or (isinstance(stated, dict) and stated.get("id") == value):
        return
    if stated is not None:
        raise Malformed("didkit.jwt_conflict", f"The token's claims and its {name!r} differ.")
    members[name] = value
