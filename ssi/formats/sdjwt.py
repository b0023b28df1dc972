"""dc+sd-jwt: SD-JWT Verifiable Digital Credentials (RFC 9901 and the SD-JWT VC draft), compact form.

A token that breaks a MUST of their structure cannot be read and raises; signature, times and key binding are judged and
become findings. Key binding is required of every presentation.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from datetime import datetime

from ssi import jose
from ssi.encoding import Json, instant, required_text, text
from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.formats import keybinding, registered, sdwire, unsigned
from ssi.formats.disclosures import hash_named
from ssi.formats.hiding import Random, pack
from ssi.formats.opening import unpack
from ssi.formats.paths import itself
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
)

ID = "dc+sd-jwt"
OLD_TYPE = "vc+sd-jwt"
"""The `typ` that drafts before November 2024 used."""

MECHANICS: frozenset[ClaimPath] = frozenset(
    (name,) for name in ("iss", "iat", "nbf", "exp", "cnf", "vct", "vct#integrity", "status", "aka_vcts")
)
"""`sub`, `jti` and `aud` are not among them: they say who somebody is."""

MAX_BYTES = sdwire.MAX_BYTES
_READ = Finding(Check.FORMAT, Outcome.PASS, "sdjwt.read", "The credential can be read and is complete.")


# --- the format -------------------------------------------------------------------------------------------------------


def issue(
    draft: Draft, *, signer: Signer, holder: PublicKey | None, now: datetime, random: Random = secrets.token_bytes
) -> Credential:
    """Sign what the draft says, bound to the holder's key.

    Raises Malformed (`sdjwt.reserved_claim`, `sdjwt.reserved_name`, `sdjwt.path`, `sdjwt.vct`, `encoding.json`),
    Unsupported (`sdjwt.status`).
    """
    if not registered.WRITTEN_BY_FORMAT.isdisjoint(draft.claims):
        raise Malformed("sdjwt.reserved_claim", "The draft's claims use a name that the format writes itself.")
    packed = pack(draft.claims, disclosable=draft.disclosable, decoys=draft.decoys, random=random)
    payload = registered.write(draft, holder=holder, now=now) | packed.payload
    if packed.texts:
        payload["_sd_alg"] = "sha-256"
    token = jose.sign(payload, signer=signer, header=_header(draft.issuer, signer))
    return Credential(ID, sdwire.joined(token, packed.texts))


def check(credential: Credential, *, keys: KeyResolver, now: datetime) -> Opened:
    """Open a credential as its holder received it (RFC 9901 §7.2): possession of the key is not asked yet.

    Raises Malformed, Unsupported.
    """
    wire = sdwire.split(credential.wire)
    sdwire.refuse_key_binding(wire)
    token = _parse(wire)
    issuer = _issuer(token)
    signature = _signature(token, issuer, keys=keys, now=now)
    bound = keybinding.named(token.claims.get("cnf"), keys=keys, now=now)
    return _opened(token.claims, wire.texts, issuer, (signature, *bound), now=now, audience=None)


def derive(
    credential: Credential, *, disclose: Disclosure, challenge: Challenge, holder: Signer, now: datetime
) -> Presentation:
    """Make the presentation that shows the chosen claims and no more (RFC 9901 §7.2), with key binding.

    Raises Refused (`sdjwt.no_such_claim`, `sdjwt.not_the_holder`, `kb.challenge`), Malformed, Unsupported.
    """
    wire = sdwire.split(credential.wire)
    sdwire.refuse_key_binding(wire)
    payload = _parse(wire).claims
    hash_new = hash_named(payload.get("_sd_alg", "sha-256"))
    _refuse_stranger(payload.get("cnf"), holder)
    sd_jwt = b"~".join((wire.token, *sdwire.chosen(unpack(payload, wire.texts), wire.texts, disclose), b""))
    proof = keybinding.bind(sd_jwt, hash_new=hash_new, challenge=challenge, holder=holder, now=now)
    return Presentation(ID, sd_jwt.decode("ascii") + proof)


def open(presentation: Presentation, *, challenge: Challenge, keys: KeyResolver, now: datetime) -> Opened:
    """Open and judge a presentation against its challenge (RFC 9901 §7.3). Raises Malformed, Unsupported."""
    wire = sdwire.split(presentation.wire)
    token = _parse(wire)
    payload, issuer = token.claims, _issuer(token)
    signature = _signature(token, issuer, keys=keys, now=now)
    holders = keys if signature.outcome is Outcome.PASS else keybinding.NOBODY
    proof = keybinding.read(wire.key_binding, cnf=payload.get("cnf"), keys=holders, now=now)
    hash_new = hash_named(payload.get("_sd_alg", "sha-256"))
    binding = keybinding.judge(proof, sd_jwt=wire.sd_jwt, hash_new=hash_new, challenge=challenge, now=now)
    return _opened(payload, wire.texts, issuer, (signature, binding, proof.key), now=now, audience=challenge.audience)


def core(wire: str) -> bytes:
    """The issuer-signed token: what every showing repeats, whatever is disclosed. Raises Malformed, Unsupported."""
    return sdwire.split(wire).token


def meets(meta: Mapping[str, Json], opened: Opened) -> bool:
    """Is the credential of one of the `vct_values` (OpenID4VP 1.0 B.3.5), by `vct` or by `aka_vcts`?

    An empty `meta` asks for nothing (§6.1); anything else without a list of `vct_values` is met by nothing.
    """
    wanted = asked(meta)
    return not meta or any(one in wanted for one in (opened.type, *registered.other_types(opened.claims)))


def asked(meta: Mapping[str, Json]) -> tuple[str, ...]:
    """The `vct_values` of a DCQL `meta` object (OpenID4VP 1.0 B.3.5); () when it has none that can be read."""
    named = meta.get("vct_values")
    return tuple(one for one in named if isinstance(one, str)) if isinstance(named, list | tuple) else ()


def within(path: ClaimPath) -> ClaimPath:
    """The same path: the claims of an SD-JWT VC are its subject's."""
    return path


whole = itself


# --- reading ----------------------------------------------------------------------------------------------------------


def _parse(wire: sdwire.Wire) -> jose.Jws:
    token = jose.parse(wire.token, typ=(ID, OLD_TYPE))
    if token.header["typ"] != ID and token.header["typ"].lower().endswith(OLD_TYPE):
        raise Unsupported("sdjwt.old_draft", "The credential is of an old draft (`vc+sd-jwt`), not of `dc+sd-jwt`.")
    return token


def _issuer(token: jose.Jws) -> Issuer:
    return Issuer(
        text(token.claims, "iss", what="credential"),
        text(token.header, "kid", what="credential's header"),
        jose.x5c(token.header),
    )


def _signature(token: jose.Jws, issuer: Issuer, *, keys: KeyResolver, now: datetime) -> Finding:
    try:
        found = keys.issuer_key(issuer, alg=token.alg, now=now)
        jose.verify(token, found.key)
    except SsiError as cause:
        return unsigned.finding(cause)
    evidence = {"alg": token.alg, "method": found.method}
    return Finding(Check.SIGNATURE, Outcome.PASS, "sdjwt.signed", "The credential is signed by its issuer.", evidence)


def _opened(
    payload: dict[str, Json],
    texts: list[bytes],
    issuer: Issuer,
    judged: tuple[Finding, Finding, PublicKey | None],
    *,
    now: datetime,
    audience: str | None,
) -> Opened:
    """What holder and verifier read and judge alike: disclosures, registered claims and times (RFC 9901 §7.1)."""
    kind, statuses = required_text(payload, "vct", what="credential"), registered.statuses(payload)
    registered.other_types(payload)
    unpacked = unpack(payload, texts, sealed=registered.NEVER_DISCLOSED)
    claims = unpacked.claims
    issued_at, valid_from, valid_until = instant(claims, "iat"), instant(claims, "nbf"), instant(claims, "exp")
    validity = registered.validity(issued_at, valid_from, valid_until, now=now)
    if audience is not None:
        validity = registered.audience(claims, audience) or validity
    signature, binding, holder = judged
    return Opened(
        format=ID,
        type=kind,
        issuer=issuer,
        claims=claims,
        findings=(_READ, signature, binding, validity),
        holder=holder,
        statuses=statuses,
        issued_at=issued_at,
        valid_from=valid_from,
        valid_until=valid_until,
        disclosed=tuple(unpacked.places.values()),
        hidden=unpacked.hidden,
        closed=unpacked.closed,
    )


# --- writing ----------------------------------------------------------------------------------------------------------


def _header(issuer: Issuer, signer: Signer) -> dict[str, Json]:
    if issuer.x5c:
        return {"typ": ID, "x5c": [base64.b64encode(der).decode("ascii") for der in issuer.x5c]}
    return {"typ": ID, "kid": issuer.kid or signer.kid}


def _refuse_stranger(cnf: Json, holder: Signer) -> None:
    """A proof by another key than the credential's would be refused anyway; a `kid` is for the verifier to resolve."""
    if not isinstance(cnf, dict):
        raise Refused("sdjwt.not_the_holder", "The credential is bound to no key, so nobody can prove to hold it.")
    if "jwk" in cnf and keybinding.public_key(cnf["jwk"]) != holder.public:
        raise Refused("sdjwt.not_the_holder", "The credential is bound to another key.")
