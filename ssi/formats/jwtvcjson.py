"""jwt_vc_json: credentials of the old way, a JWT with a `vc` claim (VC Data Model 1.1 §6.3.1), shown in one with `vp`.

Others still issue these; a token of theirs is accepted as nothing else, and no other kind of token as one of theirs.
Nothing in such a credential can be hidden. Neither it nor its types are processed as JSON-LD, except to compare types.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ssi import jose, vcdm
from ssi.encoding import Json, instant, seconds, text
from ssi.errors import Malformed, Unsupported
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
    Issuer,
    KeyResolver,
    Opened,
    Outcome,
    Presentation,
    ResolvedKey,
)

ID = "jwt_vc_json"
MEDIA_TYPE: Final = "application/jwt"
_READ: Final = Finding(Check.FORMAT, Outcome.PASS, "jwtvcjson.read", "The credential can be read and is complete.")

MECHANICS: frozenset[ClaimPath] = vcdocs.MECHANICS
meets = vcdocs.meets
asked = vcdocs.asked
within = vcdocs.within
whole = vcdocs.whole


# --- the format -------------------------------------------------------------------------------------------------------


def issue(draft: Draft, *, signer: Signer, holder: PublicKey | None, now: datetime) -> Credential:
    """Sign what the draft says as a credential of the Data Model 1.1, bound to the did:key of the holder's key.

    Raises Unsupported (`jwtvcjson.cannot_hide`, `vc.status`), Malformed (`vc.*`, `vcdm.*`).
    """
    if draft.disclosable:
        raise Unsupported("jwtvcjson.cannot_hide", "Claims cannot be hidden in a credential of this format.")
    vcdocs.only_bitstrings(draft.statuses)
    document = vcdocs.write(draft, holder=holder, now=now, context=vcdm.V1)
    model = vcdm.credential(document)
    header = {"typ": "JWT", **vcjose.naming(draft.issuer, signer)}
    return Credential(ID, jose.sign(_registered(model, now=now) | {"vc": document}, signer=signer, header=header))


def check(credential: Credential, *, keys: KeyResolver, now: datetime) -> Opened:
    """Open a credential as its holder received it. Raises Malformed, Unsupported."""
    read = _read(credential.wire)
    signature = vcenvelope.issuers(read, keys=keys, now=now)
    bound, holder = vpclaims.named(read.binding, keys=vcenvelope.vouched(signature, keys), now=now)
    return vcenvelope.opened(ID, read, (_READ, signature, bound), holder, now=now)


def derive(
    credential: Credential, *, disclose: Disclosure, challenge: Challenge, holder: Signer, now: datetime
) -> Presentation:
    """Make the presentation: the whole credential, in a token that its holder signs (OpenID4VP 1.0 B.1.3.1).

    Raises Refused (`vc.no_such_claim`, `vp.not_the_holder`, `kb.challenge`), Unsupported (`vp.transaction`), Malformed.
    """
    read = _read(credential.wire)
    vcdocs.refuse_missing(read.document, disclose)
    url = vpclaims.holder_url(read.binding, holder)
    claims = vpclaims.claims(url, challenge=challenge, now=now)
    document = {
        "@context": [vcdm.V1],
        "type": ["VerifiablePresentation"],
        "holder": claims["iss"],
        "verifiableCredential": [credential.wire],
    }
    return Presentation(ID, jose.sign({**claims, "vp": document}, signer=holder, header={"typ": "JWT", "kid": url}))


def open(presentation: Presentation, *, challenge: Challenge, keys: KeyResolver, now: datetime) -> Opened:
    """Open and judge a presentation of one credential against its challenge. Raises Malformed, Unsupported."""
    outer = _parse(presentation.wire)
    if "vp" not in outer.claims:
        read = _of(outer)
        signature = vcenvelope.issuers(read, keys=keys, now=now)
        return vcenvelope.opened(
            ID, read, (_READ, signature, vpclaims.MISSING), None, now=now, asker=challenge.audience
        )
    document = _presentation(outer.claims)
    wires = credentials(document)
    if len(wires) != 1:
        raise Malformed("vc.one_credential", "The presentation does not hold exactly one credential of its format.")
    read = _read(wires[0])
    signature = vcenvelope.issuers(read, keys=keys, now=now)
    signed = vcjose.signed(outer, outer.claims)
    bound, holder = vpclaims.judge(
        read.binding,
        vpclaims.Said(outer.claims, signed.kid, document.get("holder")),
        verify=signed.verify,
        challenge=challenge,
        keys=vcenvelope.vouched(signature, keys),
        now=now,
    )
    return vcenvelope.opened(ID, read, (_READ, signature, bound), holder, now=now, asker=challenge.audience)


def core(wire: str) -> bytes:
    """The token that the issuer signed, also where a presentation is around it. Raises Malformed, Unsupported."""
    outer = _parse(wire)
    if "vp" not in outer.claims:
        return wire.encode("ascii")
    wires = credentials(_presentation(outer.claims))
    if len(wires) != 1:
        raise Malformed("vc.one_credential", "The presentation does not hold exactly one credential of its format.")
    return wires[0].encode()


# --- plain documents --------------------------------------------------------------------------------------------------


def read_document(token: str | bytes, *, keys: KeyResolver, kind: Kind, now: datetime) -> Document:
    """Take a document out of its token and judge signature and times; what a presentation holds is not judged.

    `credentials` gives the tokens that a presentation holds. Raises Malformed, Unsupported.
    """
    if kind == "vc":
        read = _read(token)
        times = vcenvelope.validity(read.model, read.signed.claims, now=now)
        return Document(read.document, (vcenvelope.issuers(read, keys=keys, now=now), times))
    outer = _parse(token)
    document, signed = _presentation(outer.claims), vcjose.signed(outer, outer.claims)
    holder = vcdm.presentation(document).holder_id or text(outer.claims, "iss", what="token")

    def find() -> ResolvedKey:
        return ResolvedKey(vcenvelope.holders_key(holder, signed.kid, keys=keys, now=now), "holder")

    found = vcenvelope.other_issuer(signed, holder) or vcenvelope.signature(signed, find)
    return Document(document, (found, vcenvelope.validity(None, outer.claims, now=now)))


def credentials(document: Mapping[str, Json]) -> tuple[str, ...]:
    """The tokens that a presentation holds, as texts (Data Model 1.1) or in envelopes (2.0).

    Raises Malformed (`jwtvcjson.credential`, `vcdm.*`).
    """
    found = []
    for one in vcdm.presentation(document).credentials:
        if isinstance(one, vcdm.Envelope) and one.media_type == MEDIA_TYPE:
            found.append(one.data.decode("ascii", "replace"))
        elif isinstance(one, str):
            found.append(one)
        else:
            raise Malformed("jwtvcjson.credential", "The presentation holds a credential of another format.")
    return tuple(found)


# --- reading ----------------------------------------------------------------------------------------------------------


def _parse(wire: str | bytes) -> jose.Jws:
    """`typ` is JWT where it is there at all (VCDM 1.1 §6.3.1)."""
    token = jose.parse(wire, typ=None)
    typ = token.header.get("typ", "JWT")
    if not isinstance(typ, str) or typ.upper() != "JWT":
        raise Malformed("jose.typ", "The token is not of the type that belongs here.")
    if ("vc" in token.claims) == ("vp" in token.claims):
        raise Malformed("jwtvcjson.claim", "The token is neither a credential nor a presentation.")
    return token


def _read(wire: str | bytes) -> vcenvelope.Secured:
    return _of(_parse(wire))


def _of(token: jose.Jws) -> vcenvelope.Secured:
    document = token.claims.get("vc")
    if not isinstance(document, dict):
        raise Malformed("jwtvcjson.claim", "The token holds no credential.")
    full = _completed(document, token.claims)
    model, signed = vcdm.credential(full), vcjose.signed(token, token.claims)
    return vcenvelope.Secured(signed, full, model, Issuer(model.issuer_id, signed.kid, signed.x5c))


def _completed(document: dict[str, Json], claims: Mapping[str, Json]) -> dict[str, Json]:
    """The credential with what the token says in its place (§6.3.1, "JWT Decoding").

    Raises Malformed (`vcjose.conflict`) where both say something, and not the same.
    """
    full = dict(document)
    if "iss" in claims and "issuer" not in full:
        full["issuer"] = claims["iss"]
    if "jti" in claims:
        full.setdefault("id", claims["jti"])
    contexts = full.get("@context")
    if isinstance(contexts, list) and contexts[:1] == [vcdm.V1]:
        for claim, member in (("nbf", "issuanceDate"), ("exp", "expirationDate")):
            moment = instant(claims, claim)
            if moment is not None and member not in full:
                full[member] = vcdocs.when(moment)
    subject = full.get(vcdocs.SUBJECT)
    if "sub" in claims and isinstance(subject, dict) and "id" not in subject:
        full[vcdocs.SUBJECT] = {"id": claims["sub"], **subject}
    vcenvelope.agree(full, claims)
    return full


def _presentation(claims: Mapping[str, Json]) -> dict[str, Json]:
    document = claims.get("vp")
    if not isinstance(document, dict):
        raise Malformed("jwtvcjson.claim", "The token holds no presentation.")
    vcdm.presentation(document)
    return document


# --- writing ----------------------------------------------------------------------------------------------------------


def _registered(model: vcdm.Model, *, now: datetime) -> dict[str, Json]:
    """The registered claims that say again what the document says (§6.3.1, "JWT Encoding")."""
    subject = vcdocs.subject_id(model)
    return {
        "iss": model.issuer_id,
        "iat": seconds(now),
        "nbf": seconds(model.valid_from or now),
        **({"exp": seconds(model.valid_until)} if model.valid_until else {}),
        **({"jti": model.id} if model.id else {}),
        **({"sub": subject} if subject else {}),
    }
