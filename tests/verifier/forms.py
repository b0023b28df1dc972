"""The person's card in every form: made by the world's issuer, found on its network, shown to the verifier."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from ssi import formats, oid4vp
from ssi.bbs import BbsSigner, secret_key
from ssi.dids import multikey
from ssi.encoding import write_json
from ssi.fetch import Response
from ssi.formats import vcjwt
from ssi.keys import Signer
from ssi.model import Challenge, ClaimPath, Credential, Disclosure, Draft, Issuer, Presentation, StatusRef
from ssi.status import bitstring
from tests.support import NOW
from tests.verifier.world import BASE, CLAIMS, DISCLOSABLE, ISSUER, LIST, PERSON, World

CONTEXT = "urn:facet:context:verified-person:1"
TYPE = "VerifiedPersonCredential"
IRI = "urn:facet:vocab:person#VerifiedPersonCredential"
DID = "did:web:localhost%3A8441"
DID_DOCUMENT = f"{ISSUER}/.well-known/did.json"
BITSTRING = f"{ISSUER}/status/bits"
SUBJECT = "credentialSubject"
_SPLIT = [path for path in DISCLOSABLE if all(isinstance(part, str) for part in path)]


@dataclass(frozen=True)
class Form:
    """One form of the card. `query_id` is its name in the templates; "" where they do not ask for it."""

    name: str
    format: str
    query_id: str = ""
    root: ClaimPath = ()
    hides: tuple[ClaimPath, ...] = ()
    is_bbs: bool = False

    def asked(self, query_id: str) -> dict[str, Any]:
        """A credential query for it without claims."""
        meta: dict[str, Any] = {"type_values": [[IRI]]}
        if self.format == "dc+sd-jwt":
            meta = {"vct_values": [PERSON]}
        if self.format == "mso_mdoc":
            meta = {"doctype_value": PERSON}
        return {"id": query_id, "format": self.format, "meta": meta}

    def path(self, *path: str | int | None) -> list[Any]:
        """Where a claim stands in it."""
        whole = [*self.root, *path]
        return whole[:2] if self.format == "mso_mdoc" else whole


FORMS = (
    Form("dc+sd-jwt", "dc+sd-jwt", "person", hides=DISCLOSABLE),
    Form("ldp_vc-ecdsa-sd", "ldp_vc", "person_w3c", (SUBJECT,), tuple(_SPLIT)),
    Form("ldp_vc-bbs", "ldp_vc", "person_w3c", (SUBJECT,), tuple(_SPLIT), is_bbs=True),
    Form("ldp_vc", "ldp_vc", "person_w3c", (SUBJECT,)),
    Form("mso_mdoc", "mso_mdoc", "person_mdoc", (PERSON,)),
    Form("vc+jwt", "vc+jwt", "", (SUBJECT,)),
    Form("vc+sd-jwt", "vc+sd-jwt", "", (SUBJECT,), DISCLOSABLE),
    Form("vc+cose", "vc+cose", "", (SUBJECT,)),
    Form("jwt_vc_json", "jwt_vc_json", "", (SUBJECT,)),
)
BBS = BbsSigner.from_secret(secret_key(bytes(32) + b"a seed that is long enough"))


def connect(world: World) -> World:
    """Put the issuer's DID document and its status credential on the network."""
    methods = [
        {
            "id": f"{DID}#{signer.kid}",
            "type": "Multikey",
            "controller": DID,
            "publicKeyMultibase": multikey.encode(signer.public),
        }
        for signer in (world.issuer, BBS)
    ]
    document = {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": DID,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }
    world.pages[DID_DOCUMENT] = write_json(document)
    world.pages[BITSTRING] = lambda *_: _bits(world)
    return world


def _bits(world: World) -> Response:
    """The list of those withdrawn, as a vc+jwt by the issuer."""
    revoked = dict.fromkeys(world.revoked, 1)
    bits = bitstring.Bitstring.blank(bitstring.MIN_ENTRIES).changed(revoked)
    now = world.clock()
    document = bitstring.credential(
        bits, uri=BITSTRING, issuer=DID, purposes=["revocation"], now=now, expires=now + timedelta(hours=1),
        ttl=timedelta(seconds=60),
    )  # fmt: skip
    token = vcjwt.sign_document(document, signer=world.issuer, kid=f"{DID}#{world.issuer.kid}")
    return Response(200, BITSTRING, {"content-type": "application/vc+jwt"}, token.encode())


def signer_of(world: World, form: Form) -> Signer:
    return BBS if form.is_bbs else world.issuer


def draft(world: World, form: Form) -> Draft:
    """What the issuer says of the person in this form."""
    token = (StatusRef("token_status_list", LIST, 7),)
    if form.format == "dc+sd-jwt":
        return world.draft
    if form.format == "mso_mdoc":
        said = {PERSON: CLAIMS}
        return replace(world.draft, claims=said, disclosable=(), issuer=Issuer(None, None, world.x5c), statuses=token)
    old = form.format == "jwt_vc_json"
    return replace(
        world.draft,
        type=TYPE,
        issuer=Issuer(DID, kid=f"{DID}#{signer_of(world, form).kid}"),
        disclosable=form.hides,
        statuses=() if old else (StatusRef(bitstring.KIND, BITSTRING, 7),),
        document={"@context": [CONTEXT]},
    )


def card(world: World, form: Form, *, signer: Signer | None = None, **changes: Any) -> Credential:
    """The credential in this form, issued a while ago: its issuer's certificate is not much older."""
    made = replace(draft(world, form), **changes)
    return formats.by_id(form.format).issue(
        made, signer=signer or signer_of(world, form), holder=world.holder.public, now=NOW - timedelta(minutes=45)
    )


def show(
    world: World, form: Form, challenge: Challenge, *paths: tuple[Any, ...], credential: Credential | None = None
) -> Presentation:
    """What the person's wallet sends."""
    return formats.by_id(form.format).derive(
        credential or card(world, form),
        disclose=Disclosure(tuple(tuple(form.path(*path)) for path in paths)),
        challenge=challenge,
        holder=world.holder,
        now=world.clock(),
    )


def answer(request: oid4vp.AuthorizationRequest, query_id: str, presentation: Presentation) -> dict[str, str]:
    """The form that is posted to the verifier."""
    return oid4vp.respond(request, {query_id: [presentation.wire]})


# --- spoiling ---------------------------------------------------------------------------------------------------------


def _text(wire: str) -> str:
    """Another name in a document."""
    document = json.loads(wire)
    (credential,) = document["verifiableCredential"]
    credential[SUBJECT]["given_name"] = "Ellen"
    return write_json(document).decode()


def _token(wire: str) -> str:
    """A bit of the issuer's signature in the first token of a compact form, which may be within another."""
    head, _, rest = wire.partition("~")
    parts = head.split(".")
    if "verifiableCredential" in _decoded(parts[1]).decode("utf-8", "replace"):
        inner = json.loads(_decoded(parts[1]))
        return ".".join((parts[0], _encoded(write_json(_respelt(inner))), parts[2]))
    return ".".join((parts[0], parts[1], _flipped(parts[2]))) + (f"~{rest}" if rest else "")


def _respelt(presentation: dict[str, Any]) -> dict[str, Any]:
    presentation["holder"] = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
    return presentation


def _bytes(wire: str) -> str:
    """Another name in a binary form."""
    raw = _decoded(wire)
    assert b"Eileen" in raw or b"RWls" in raw or len(raw) > 500
    changed = raw.replace(b"fEileen", b"fAileen") if b"fEileen" in raw else raw[:-9] + bytes([raw[-9] ^ 1]) + raw[-8:]
    return _encoded(changed)


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _flipped(signature: str) -> str:
    raw = bytearray(_decoded(signature))
    raw[5] ^= 1
    return _encoded(bytes(raw))


SPOIL: Mapping[str, Callable[[str], str]] = {
    "ldp_vc": _text,
    "mso_mdoc": _bytes,
    "vc+cose": _bytes,
    "dc+sd-jwt": _token,
    "vc+sd-jwt": _token,
    "vc+jwt": _token,
    "jwt_vc_json": _token,
}
__all__ = ["BASE", "BITSTRING", "DID_DOCUMENT", "FORMS", "SPOIL", "Form", "answer", "card", "connect", "draft", "show"]
