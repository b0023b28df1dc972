"""vc+sd-jwt: W3C credentials of the Data Model 2.0 as SD-JWTs (VC-JOSE-COSE §3.2, RFC 9901), compact form.

Claims are hidden and shown as in dc+sd-jwt; what is signed is a W3C document. The holder's key stands in `cnf` and, as
a did:key, in the subject's `id`; a presentation is the SD-JWT with a key binding, which is always required.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from ssi import jose
from ssi.encoding import Json
from ssi.errors import Refused
from ssi.formats import keybinding, sdwire, vcdocs, vcenvelope, vcjose, vpclaims
from ssi.formats.disclosures import hash_named
from ssi.formats.hiding import Random, pack
from ssi.formats.opening import Unpacked, unpack
from ssi.formats.vcenvelope import Document, Kind
from ssi.keys import PublicKey, Signer
from ssi.model import (
    Challenge,
    Check,
    ClaimPath,
    Credential,
    Disclosure,
    Draft,
    Finding,
    KeyResolver,
    Opened,
    Outcome,
    Presentation,
)

ID = "vc+sd-jwt"
MEDIA_TYPE: Final = "application/vc+sd-jwt"
_TYPES: Final[Mapping[Kind, str]] = {"vc": ID, "vp": "vp+sd-jwt"}
_READ: Final = Finding(Check.FORMAT, Outcome.PASS, "vcsdjwt.read", "The credential can be read and is complete.")

_ENVELOPE: Final = frozenset(("iss", "nbf", "exp", "cnf", "status"))
_SEALED: Final[Mapping[Kind, frozenset[str]]] = {
    "vc": _ENVELOPE | {"@context", "type", "issuer", "validFrom", "validUntil", "credentialStatus"},
    "vp": _ENVELOPE,
}
"""Members without which nobody can judge the credential, and which may therefore not be hidden (§3.2.1)."""

MECHANICS: frozenset[ClaimPath] = vcdocs.MECHANICS
meets = vcdocs.meets
asked = vcdocs.asked
within = vcdocs.within
whole = vcdocs.whole


# --- the format -------------------------------------------------------------------------------------------------------


def issue(
    draft: Draft, *, signer: Signer, holder: PublicKey | None, now: datetime, random: Random = secrets.token_bytes
) -> Credential:
    """Sign what the draft says, bound to the holder's key.

    Raises Malformed (`vc.*`, `vcdm.*`, `sdjwt.path`, `sdjwt.reserved_name`), Unsupported (`vc.status`).
    """
    document = vcdocs.write(draft, holder=holder, now=now)
    vcdocs.read(document)
    bound = {} if holder is None else {"cnf": {"jwk": holder.jwk}}
    claims = {**vcjose.claims(draft, now=now), **bound}
    hidden = _Hidden(vcdocs.prefixed(draft.disclosable), draft.decoys, random)
    header = {"typ": ID, "cty": "vc", **vcjose.naming(draft.issuer, signer)}
    return Credential(ID, _signed(document, claims, hidden, signer=signer, header=header))


def check(credential: Credential, *, keys: KeyResolver, now: datetime) -> Opened:
    """Open a credential as its holder received it: possession of the key is not asked yet.

    Raises Malformed, Unsupported.
    """
    read = _read(credential.wire)
    sdwire.refuse_key_binding(read.wire)
    signature = vcenvelope.issuers(read.secured, keys=keys, now=now)
    bound, holder = keybinding.named(read.cnf, keys=vcenvelope.vouched(signature, keys), now=now)
    return _opened(read, (signature, bound), holder, now=now)


def derive(
    credential: Credential, *, disclose: Disclosure, challenge: Challenge, holder: Signer, now: datetime
) -> Presentation:
    """Make the presentation that shows the chosen claims and no more, with key binding (RFC 9901 §4.3).

    Raises Refused (`sdjwt.no_such_claim`, `vcsdjwt.not_the_holder`, `kb.challenge`), Malformed, Unsupported.
    """
    read = _read(credential.wire)
    sdwire.refuse_key_binding(read.wire)
    _refuse_stranger(read.cnf, holder)
    texts = sdwire.chosen(read.parts.unpacked, read.wire.texts, disclose)
    sd_jwt = sdwire.joined(read.wire.token.decode("ascii"), texts)
    proof = keybinding.bind(
        sd_jwt.encode("ascii"), hash_new=hash_named(read.parts.hash), challenge=challenge, holder=holder, now=now
    )
    return Presentation(ID, sd_jwt + proof)


def open(presentation: Presentation, *, challenge: Challenge, keys: KeyResolver, now: datetime) -> Opened:
    """Open and judge a presentation against its challenge (RFC 9901 §7.3). Raises Malformed, Unsupported."""
    read = _read(presentation.wire)
    signature = vcenvelope.issuers(read.secured, keys=keys, now=now)
    wire = read.wire
    proof = keybinding.read(wire.key_binding, cnf=read.cnf, keys=vcenvelope.vouched(signature, keys), now=now)
    bound = keybinding.judge(
        proof, sd_jwt=wire.sd_jwt, hash_new=hash_named(read.parts.hash), challenge=challenge, now=now
    )
    return _opened(read, (signature, bound), proof.key, now=now, asker=challenge.audience)


def core(wire: str) -> bytes:
    """The issuer-signed token: what every showing repeats, whatever is disclosed. Raises Malformed, Unsupported."""
    return sdwire.split(wire).token


# --- plain documents --------------------------------------------------------------------------------------------------


def sign_document(
    document: Mapping[str, Json],
    *,
    signer: Signer,
    kind: Kind = "vc",
    kid: str | None = None,
    disclosable: Sequence[ClaimPath] = (),
    claims: Mapping[str, Json] | None = None,
    random: Random = secrets.token_bytes,
) -> str:
    """Secure a document as it is, with `disclosable` paths in it and the JWT `claims` given beside it (§3.2.1, §3.2.2).

    Raises Malformed (`vcdm.*`, `vcjose.*`, `sdjwt.path`).
    """
    plain, envelope = vcenvelope.divide(document)
    vcenvelope.model(plain, kind)
    header = {"typ": _TYPES[kind], "cty": kind, "kid": kid or signer.kid}
    hidden = _Hidden(tuple(disclosable), 0, random)
    return _signed(plain, {**envelope, **(claims or {})}, hidden, signer=signer, header=header)


def read_document(wire: str | bytes, *, keys: KeyResolver, kind: Kind, now: datetime) -> Document:
    """Take a document out of its envelope, with all that was disclosed, and judge signature and times.

    A key binding, if there is one, is not judged: it answers a challenge. Raises Malformed, Unsupported.
    """
    parts = _unsealed(wire, kind)
    return vcenvelope.judged(parts.signed, parts.document, keys=keys, kind=kind, now=now)


class _Hidden(NamedTuple):
    """What of a document is to be hidden, and how."""

    paths: tuple[ClaimPath, ...]
    decoys: int
    random: Random


def _signed(
    document: dict[str, Json],
    claims: Mapping[str, Json],
    hidden: _Hidden,
    *,
    signer: Signer,
    header: Mapping[str, Json],
) -> str:
    packed = pack(document, disclosable=hidden.paths, decoys=hidden.decoys, random=hidden.random)
    payload = {**claims, **packed.payload, **({"_sd_alg": "sha-256"} if packed.texts else {})}
    return sdwire.joined(jose.sign(payload, signer=signer, header=header), packed.texts)


# --- reading ----------------------------------------------------------------------------------------------------------


class _Unsealed(NamedTuple):
    """An SD-JWT taken apart, with its disclosures in their places."""

    wire: sdwire.Wire
    hash: Json
    unpacked: Unpacked
    signed: vcenvelope.Signed
    document: dict[str, Json]


def _unsealed(wire: str | bytes, kind: Kind) -> _Unsealed:
    parts = sdwire.split(wire)
    token = jose.parse(parts.token, typ=(_TYPES[kind],))
    payload = token.claims
    hash_name = payload.get("_sd_alg", "sha-256")
    unpacked = unpack(payload, parts.texts, sealed=_SEALED[kind])
    document, envelope = vcenvelope.divide(unpacked.claims)
    return _Unsealed(parts, hash_name, unpacked, vcjose.signed(token, envelope), document)


class _Read(NamedTuple):
    """A credential with what its document says."""

    parts: _Unsealed
    secured: vcenvelope.Secured

    @property
    def wire(self) -> sdwire.Wire:
        return self.parts.wire

    @property
    def cnf(self) -> Json:
        """The holder's key; where no `cnf` names it, that of the DID that the subject is (VC-JOSE-COSE §4.1.3).

        Where a further subject stays hidden, the one that is shown is not the only one, and nobody is bound.
        """
        cnf, subject = self.secured.binding
        others = any(path[:1] == (vcdocs.SUBJECT,) and len(path) == 2 for path in self.parts.unpacked.closed)
        if cnf is not None or others or subject is None or not subject.startswith("did:"):
            return cnf
        return {"kid": vpclaims.only_key(subject)}


def _read(wire: str | bytes) -> _Read:
    parts = _unsealed(wire, "vc")
    return _Read(parts, vcenvelope.secured(parts.signed, parts.document))


def _refuse_stranger(cnf: Json, holder: Signer) -> None:
    """A proof by another key than the credential's would be refused anyway; a `kid` is for the verifier to resolve."""
    if not isinstance(cnf, dict):
        raise Refused("vcsdjwt.not_the_holder", "The credential is bound to no key, so nobody can prove to hold it.")
    if "jwk" in cnf and keybinding.public_key(cnf["jwk"]) != holder.public:
        raise Refused("vcsdjwt.not_the_holder", "The credential is bound to another key.")


def _opened(
    read: _Read,
    judged: tuple[Finding, Finding],
    holder: PublicKey | None,
    *,
    now: datetime,
    asker: str | None = None,
) -> Opened:
    unpacked = read.parts.unpacked
    return replace(
        vcenvelope.opened(ID, read.secured, (_READ, *judged), holder, now=now, asker=asker),
        disclosed=tuple(unpacked.places.values()),
        hidden=unpacked.hidden,
        closed=unpacked.closed,
    )
