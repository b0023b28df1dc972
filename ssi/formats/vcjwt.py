"""vc+jwt: W3C credentials of the Data Model 2.0 as signed tokens, shown in vp+jwt presentations (VC-JOSE-COSE §3.1).

Nothing in such a credential can be hidden: who shows it shows it whole. A token or document that breaks a MUST of its
structure cannot be read and raises; signatures, times and the holder's proof are judged and become findings.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ssi import jose
from ssi.encoding import Json
from ssi.errors import Unsupported
from ssi.formats import vcdocs, vcenvelope, vcjose, vpclaims
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

ID = "vc+jwt"
PRESENTATION: Final = "vp+jwt"
MEDIA_TYPE: Final = "application/vc+jwt"
_TYPES: Final[Mapping[Kind, str]] = {"vc": ID, "vp": PRESENTATION}
_READ: Final = Finding(Check.FORMAT, Outcome.PASS, "vcjwt.read", "The credential can be read and is complete.")

MECHANICS: frozenset[ClaimPath] = vcdocs.MECHANICS
meets = vcdocs.meets
asked = vcdocs.asked
within = vcdocs.within
whole = vcdocs.whole


# --- the format -------------------------------------------------------------------------------------------------------


def issue(draft: Draft, *, signer: Signer, holder: PublicKey | None, now: datetime) -> Credential:
    """Sign what the draft says, bound to the did:key of the holder's key.

    Raises Unsupported (`vcjwt.cannot_hide`, `vc.status`), Malformed (`vc.*`, `vcdm.*`).
    """
    if draft.disclosable:
        raise Unsupported("vcjwt.cannot_hide", "Claims cannot be hidden in a credential of this format.")
    document = vcdocs.write(draft, holder=holder, now=now)
    vcdocs.read(document)
    payload = {**vcjose.claims(draft, now=now), **document}
    header = {"typ": ID, "cty": "vc", **vcjose.naming(draft.issuer, signer)}
    return Credential(ID, jose.sign(payload, signer=signer, header=header))


def check(credential: Credential, *, keys: KeyResolver, now: datetime) -> Opened:
    """Open a credential as its holder received it. Raises Malformed, Unsupported."""
    read = _read(credential.wire)
    signature = vcenvelope.issuers(read, keys=keys, now=now)
    bound, holder = vpclaims.named(read.binding, keys=vcenvelope.vouched(signature, keys), now=now)
    return vcenvelope.opened(ID, read, (_READ, signature, bound), holder, now=now)


def derive(
    credential: Credential, *, disclose: Disclosure, challenge: Challenge, holder: Signer, now: datetime
) -> Presentation:
    """Make the presentation: the whole credential, in an envelope that its holder signs (§3.1.2).

    Raises Refused (`vc.no_such_claim`, `vp.not_the_holder`, `kb.challenge`), Unsupported (`vp.transaction`), Malformed.
    """
    read = _read(credential.wire)
    vcdocs.refuse_missing(read.document, disclose)
    url = vpclaims.holder_url(read.binding, holder)
    claims = vpclaims.claims(url, challenge=challenge, now=now)
    document = vcdocs.presentation(claims["iss"], credential.wire.encode("ascii"), MEDIA_TYPE)
    header = {"typ": PRESENTATION, "cty": "vp", "kid": url}
    return Presentation(ID, jose.sign({**claims, **document}, signer=holder, header=header))


def open(presentation: Presentation, *, challenge: Challenge, keys: KeyResolver, now: datetime) -> Opened:
    """Open and judge a presentation of one credential against its challenge. Raises Malformed, Unsupported."""
    outer = jose.parse(presentation.wire, typ=(PRESENTATION, ID))
    if str(outer.header["typ"]).lower().removeprefix("application/") == ID:
        vpclaims.refuse_empty(challenge)
        read = _read(presentation.wire)
        signature = vcenvelope.issuers(read, keys=keys, now=now)
        return vcenvelope.opened(
            ID, read, (_READ, signature, vpclaims.MISSING), None, now=now, asker=challenge.audience
        )
    document, envelope = vcenvelope.divide(outer.claims)
    signed = vcjose.signed(outer, envelope)
    read = _read(vcdocs.only_one(document, MEDIA_TYPE))
    signature = vcenvelope.issuers(read, keys=keys, now=now)
    bound, holder = vpclaims.judge(
        read.binding,
        vpclaims.Said(envelope, signed.kid, document.get("holder")),
        verify=signed.verify,
        challenge=challenge,
        keys=vcenvelope.vouched(signature, keys),
        now=now,
    )
    return vcenvelope.opened(ID, read, (_READ, signature, bound), holder, now=now, asker=challenge.audience)


def _read(wire: str | bytes) -> vcenvelope.Secured:
    token = jose.parse(wire, typ=(ID,))
    document, envelope = vcenvelope.divide(token.claims)
    return vcenvelope.secured(vcjose.signed(token, envelope), document)


def core(wire: str) -> bytes:
    """The token that the issuer signed, also where a presentation is around it. Raises Malformed, Unsupported."""
    outer = jose.parse(wire, typ=(PRESENTATION, ID))
    if str(outer.header["typ"]).lower().removeprefix("application/") == ID:
        return wire.encode("ascii")
    return vcdocs.only_one(vcenvelope.divide(outer.claims)[0], MEDIA_TYPE)


# --- plain documents --------------------------------------------------------------------------------------------------


def sign_document(
    document: Mapping[str, Json],
    *,
    signer: Signer,
    kind: Kind = "vc",
    kid: str | None = None,
    claims: Mapping[str, Json] | None = None,
) -> str:
    """Secure a document as it is, with the JWT `claims` that are given beside it (VC-JOSE-COSE §3.1.1, §3.1.2).

    Raises Malformed (`vcdm.*`, `vc.not_enveloped`, `vcjose.*`).
    """
    plain, envelope = vcenvelope.divide(document)
    vcenvelope.model(plain, kind)
    header = {"typ": _TYPES[kind], "cty": kind, "kid": kid or signer.kid}
    return jose.sign({**envelope, **(claims or {}), **plain}, signer=signer, header=header)


def read_document(token: str | bytes, *, keys: KeyResolver, kind: Kind, now: datetime) -> Document:
    """Take a document out of its envelope and judge signature and times; credentials inside a presentation are not.

    `OneKey` makes a resolver of one key. Raises Malformed (`jose.*`, `vcjose.*`, `vcdm.*`), Unsupported.
    """
    parsed = jose.parse(token, typ=(_TYPES[kind],))
    plain, envelope = vcenvelope.divide(parsed.claims)
    return vcenvelope.judged(vcjose.signed(parsed, envelope), plain, keys=keys, kind=kind, now=now)
