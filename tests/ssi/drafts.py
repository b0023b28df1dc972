"""Samples for the promises that all formats keep: what to issue, what of it can be hidden, and how to read the wire.

One sample or more for each format in the table. A format that can hide nothing says so in `hides`; then what would be
hidden elsewhere is shown, and a draft that asks for hiding is refused.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ssi import dids, formats
from ssi.bbs.keys import BbsSigner
from ssi.dids import key as did_key
from ssi.keys import ALGORITHMS, PublicKey, Signer, SoftwareSigner
from ssi.model import (
    Challenge,
    ClaimPath,
    Credential,
    Disclosure,
    Draft,
    Format,
    Issuer,
    MethodKey,
    Opened,
    Presentation,
    ResolvedKey,
)
from tests.ssi import mdocs
from tests.support import NOW, InMemoryFetch

ISSUER = SoftwareSigner.generate("ES256")
HOLDER = SoftwareSigner.generate("ES256")
STRANGER = SoftwareSigner.generate("ES256")
CHALLENGE = Challenge(
    nonce="n-0S6_WzA2Mj",
    audience="x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk",
    response_uri="https://verifier.test/response",
)
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"

PERSON: Mapping[str, Any] = {
    "given_name": "Erika",
    "family_name": "Mustermann",
    "age_over_18": True,
    "document": {"type": "Passport", "number": "C01X00T478"},
}
"""What most samples say of a person."""
HIDEABLE: tuple[ClaimPath, ...] = (
    ("given_name",),
    ("family_name",),
    ("age_over_18",),
    ("document",),
    ("document", "number"),
)


@dataclass(frozen=True)
class Resolver:
    """A `KeyResolver` that knows one issuer, resolves every did:key, and may be in trouble over issuers."""

    issuer: PublicKey | None = None
    trouble: Exception | None = None

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        if self.trouble:
            raise self.trouble
        return ResolvedKey(self.issuer or _did_key(issuer.id or "", "assertionMethod"), "did")

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        return _did_key(kid, "authentication")

    def method_key(self, url: str, *, relationship: str, now: datetime) -> MethodKey:
        if self.trouble and relationship == "assertionMethod":
            raise self.trouble
        given = self.issuer if relationship == "assertionMethod" else None
        return MethodKey(given or _did_key(url, relationship), url.partition("#")[0])


def _did_key(url: str, relationship: str) -> PublicKey:
    return dids.verification_key(url, relationship=relationship, sources=dids.Sources(InMemoryFetch({})), now=NOW)


@dataclass(frozen=True)
class Sample:
    """One way in which a format issues. All paths are as a `Draft` has them; `root` is what `Opened.claims` adds.

    `shows` is one claim to show, `nested` one inside another claim, `secrets` are texts of claims beside these two.
    `plain` gives all that a wire holds, with every encoding taken off. `algorithms` are those an issuer may sign with,
    `certified` gives its certificates where the format demands them.
    """

    format: Format
    draft: Draft
    plain: Callable[[str], bytes]
    root: ClaimPath = ()
    hides: bool = True
    shows: ClaimPath = ("given_name",)
    nested: ClaimPath | None = ("document", "type")
    secrets: tuple[bytes, ...] = (b"Mustermann", b"C01X00T478")
    algorithms: tuple[str, ...] = tuple(ALGORITHMS)
    issuer: Signer = ISSUER
    make_signer: Callable[[str], Signer] = SoftwareSigner.generate
    certified: Callable[[Signer], tuple[bytes, ...]] | None = None
    name: str = ""

    @property
    def id(self) -> str:
        """The sample's name in a test's name."""
        return self.name or self.format.ID

    @property
    def keys(self) -> Resolver:
        """A resolver that knows the sample's issuer."""
        return Resolver(self.issuer.public)

    def drafted(self, signer: Signer) -> Draft:
        """The draft of another issuer: with its certificate, or its identifier where that is made of its key."""
        if self.certified is not None:
            return replace(self.draft, issuer=Issuer(None, x5c=self.certified(signer)))
        if self.draft.issuer.id is None or not self.draft.issuer.id.startswith("did:key:"):
            return self.draft
        return replace(self.draft, issuer=Issuer(did_key.from_public(signer.public)))

    def issued(self) -> Credential:
        """What the draft makes, for `HOLDER`."""
        return self.format.issue(self.draft, signer=self.issuer, holder=HOLDER.public, now=NOW)

    def shown(self, *paths: ClaimPath, challenge: Challenge = CHALLENGE) -> Presentation:
        """An honest presentation of some claims."""
        disclose = Disclosure(tuple((*self.root, *path) for path in paths))
        return self.format.derive(self.issued(), disclose=disclose, challenge=challenge, holder=HOLDER, now=NOW)

    def opened(self, presentation: Presentation, *, challenge: Challenge = CHALLENGE, keys: Any = None) -> Opened:
        """What a verifier makes of it."""
        return self.format.open(presentation, challenge=challenge, keys=keys or self.keys, now=NOW)

    def subject(self, opened: Opened) -> Any:
        """The drafted claims as they came out, and what the format adds beside them."""
        return at(opened.claims, self.root)


def at(claims: Any, path: ClaimPath) -> Any:
    """The value at a path of names."""
    for part in path:
        claims = claims[part]
    return claims


def tokens(wire: str) -> bytes:
    """All parts of signed tokens, decoded, and tokens inside them too."""
    found, todo = b"", [wire.encode()]
    while todo:
        for part in re.findall(rb"[A-Za-z0-9_-]{8,}", todo.pop()):
            decoded = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)) if len(part) % 4 != 1 else b""
            found += part + b" " + decoded + b" "
            if b"eyJ" in decoded:
                todo.append(decoded)
    return found


# --- one for each -----------------------------------------------------------------------------------------------------

SD_JWT = Sample(
    format=formats.by_id("dc+sd-jwt"),
    draft=Draft("urn:example:person:1", Issuer("https://issuer.test"), PERSON, HIDEABLE),
    plain=tokens,
)
_W3C = Draft(
    "ExamplePersonCredential",
    Issuer(did_key.from_public(ISSUER.public)),
    PERSON,
    valid_from=NOW - timedelta(days=1),
    valid_until=NOW + timedelta(days=365),
    document={"@context": [EXAMPLES], "id": "urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5"},
)
W3C_ROOT: ClaimPath = ("credentialSubject",)
VC_JWT = Sample(format=formats.by_id("vc+jwt"), draft=_W3C, plain=tokens, root=W3C_ROOT, hides=False)
VC_SD_JWT = Sample(
    format=formats.by_id("vc+sd-jwt"), draft=replace(_W3C, disclosable=HIDEABLE), plain=tokens, root=W3C_ROOT
)
JWT_VC = Sample(format=formats.by_id("jwt_vc_json"), draft=_W3C, plain=tokens, root=W3C_ROOT, hides=False)


def messages(wire: str) -> bytes:
    """A COSE message, and what is in base64 inside it."""
    raw = base64.urlsafe_b64decode(wire + "=" * (-len(wire) % 4))
    inner = re.findall(rb";base64,([A-Za-z0-9+/]+=*)", raw)
    return raw + b"".join(base64.b64decode(one) for one in inner)


VC_COSE = Sample(format=formats.by_id("vc+cose"), draft=_W3C, plain=messages, root=W3C_ROOT, hides=False)


def as_it_is(wire: str) -> bytes:
    """A wire without encodings: what its proofs hold are no claims."""
    return wire.encode()


_EDDSA = SoftwareSigner.generate("EdDSA")
LDP = Sample(
    format=formats.by_id("ldp_vc"),
    draft=replace(_W3C, issuer=Issuer(did_key.from_public(_EDDSA.public))),
    plain=as_it_is,
    root=W3C_ROOT,
    hides=False,
    issuer=_EDDSA,
    algorithms=("EdDSA", "ES256", "ES384"),
)
LDP_ECDSA_SD = replace(
    LDP,
    draft=replace(_W3C, disclosable=HIDEABLE),
    hides=True,
    issuer=ISSUER,
    algorithms=("ES256",),
    name="ldp_vc-ecdsa-sd",
)
_BBS = BbsSigner.generate(random=secrets.token_bytes)
LDP_BBS = replace(
    LDP_ECDSA_SD,
    draft=replace(_W3C, issuer=Issuer(did_key.from_public(_BBS.public)), disclosable=HIDEABLE),
    issuer=_BBS,
    algorithms=("BBS",),
    make_signer=lambda alg: BbsSigner.generate(random=secrets.token_bytes),
    name="ldp_vc-bbs",
)

MDL = "org.iso.18013.5.1"
_ELEMENTS = {"given_name": "Erika", "family_name": "Mustermann", "document_number": "C01X00T478", "age_over_18": True}
MDOC = Sample(
    format=formats.by_id("mso_mdoc"),
    draft=Draft(
        "org.iso.18013.5.1.mDL",
        Issuer(None, x5c=mdocs.chain(ISSUER)),
        {MDL: _ELEMENTS},
        tuple((MDL, element) for element in _ELEMENTS),
        valid_until=NOW + timedelta(days=300),
    ),
    plain=lambda wire: base64.urlsafe_b64decode(wire + "=" * (-len(wire) % 4)),
    shows=(MDL, "given_name"),
    nested=None,
    certified=mdocs.chain,
)

SAMPLES: tuple[Sample, ...] = (SD_JWT, VC_JWT, VC_SD_JWT, VC_COSE, JWT_VC, LDP, LDP_ECDSA_SD, LDP_BBS, MDOC)
