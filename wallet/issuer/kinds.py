"""Kinds of card: in which formats can a person have what this desk verified? One entry of the table for each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import schemas
from ssi.encoding import Json
from ssi.keys import ALGORITHMS, Signer
from ssi.model import ClaimPath, Issuer
from ssi.oid4vci import ClaimDescription, Configuration, Display
from ssi.status import bitstring, token_status_list
from wallet.issuer.bitstrings import SUITES
from wallet.issuer.identity import Identity
from wallet.issuer.person import disclosable

TYPE_METADATA: Final = "vct/verified-person.json"
CONTEXT: Final = "urn:facet:context:verified-person:1"
TYPE: Final = "VerifiedPersonCredential"
NAMESPACE: Final = schemas.VERIFIED_PERSON
"""The mdoc's name space, and its document type: the same words as `vct`, for the claims are the same."""

_WITH_SUITES: Final = ("ES256", "ES384", "EdDSA")
"""The keys with which presentations of W3C documents are signed; there is no Data Integrity suite for another."""
_PRESENTED: Final[Mapping[str, tuple[str, ...]]] = {"di_vp": ("ecdsa-rdfc-2019", "eddsa-rdfc-2022")}
"""The suites of presentations that prove a key (OpenID4VCI 1.0 F.2): those that need no more than the document."""


def _as_certified(identity: Identity, _signer: Signer) -> Issuer:
    return identity.issuer


def _as_did(identity: Identity, signer: Signer) -> Issuer:
    return Issuer(identity.did, kid=identity.url_of(signer))


def _as_chain(identity: Identity, _signer: Signer) -> Issuer:
    return Issuer(None, x5c=identity.x5c)


@dataclass(frozen=True)
class Kind:
    """One format of the card: how it is announced, whose name signs it, and what a draft of it holds.

    `title` and `about` are for clerks who choose among the kinds.

    `above` is what stands above a claim in credentials of this kind, `nested` whether a draft has it, too. `hides` says
    what of the claims a holder can hide; formats that hide element by element anyway need no list. `signed_with` are
    the key algorithms that can sign it, `signature_names` what metadata calls them; `held_with` are those of holders
    who can show it, `bindings` how their keys may be named. `proof_types` are key proofs beside `jwt`, with their
    algorithms.
    """

    id: str
    format: str
    title: str
    about: str
    scope: str
    status: str
    type: str
    issuer: Callable[[Identity, Signer], Issuer]
    signed_with: tuple[str, ...] = tuple(ALGORITHMS)
    held_with: tuple[str, ...] = tuple(ALGORITHMS)
    bindings: tuple[str, ...] = ("jwk", "did:key", "did:jwk")
    proof_types: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    above: ClaimPath = ()
    hides: Callable[[Mapping[str, Json]], tuple[ClaimPath, ...]] = disclosable
    named: Mapping[str, Json] = field(default_factory=dict)
    signature_names: Mapping[str, Json] = field(default_factory=dict)
    document: Mapping[str, Json] = field(default_factory=dict)
    nested: bool = False

    def signer(self, identity: Identity) -> Signer | None:
        """The desk's key that signs this kind; None where it has none, or could not publish the kind's status lists."""
        if self.status == bitstring.KIND and identity.signer.public.algorithm.name not in SUITES:
            return None
        return next((one for one in identity.signers if one.public.algorithm.name in self.signed_with), None)

    def content(self, claims: Mapping[str, Json]) -> dict[str, Json]:
        """The claims as a draft has them: under their name space, where the format has such."""
        return {self.above[0]: dict(claims)} if self.nested and isinstance(self.above[0], str) else dict(claims)

    def configuration(self, alg: str) -> Configuration:
        """How wallets read of it in the issuer's metadata (OpenID4VCI 1.0 Appendix A)."""
        described = _type_metadata()
        return Configuration(
            id=self.id,
            format=self.format,
            vct=self.named.get("vct"),
            doctype=self.named.get("doctype"),
            definition=self.named.get("credential_definition", {}),
            scope=self.scope,
            signing_algs=(self.signature_names.get(alg, alg),),
            binding_methods=self.bindings,
            proof_algs={"jwt": self.held_with, **self.proof_types},
            display=tuple(_shown(item) for item in described.get("display", [])),
            claims=tuple(self._claim(claim) for claim in described["claims"]),
        )

    def _claim(self, claim: Mapping[str, Json]) -> ClaimDescription:
        shown = tuple(Display(item["label"], item["locale"]) for item in claim.get("display", []))
        return ClaimDescription((*self.above, *claim["path"]), claim.get("mandatory") is True, shown)


def _members(claims: Mapping[str, Json]) -> tuple[ClaimPath, ...]:
    """What can be hidden where lists are shown whole or not at all."""
    return tuple(path for path in disclosable(claims) if all(isinstance(part, str) for part in path))


_W3C: Final[Mapping[str, Json]] = {
    "credential_definition": {
        "@context": ["https://www.w3.org/ns/credentials/v2", CONTEXT],
        "type": ["VerifiableCredential", TYPE],
    }
}

_COSE: Final[Mapping[str, Json]] = {"ES256": -7, "EdDSA": -8, "ES384": -35, "ES512": -36}


def _nothing(_claims: Mapping[str, Json]) -> tuple[ClaimPath, ...]:
    """What can be hidden of a credential that is signed as a whole."""
    return ()


def _w3c(kind_id: str, format_id: str, title: str, about: str, *, scope: str, **more: Any) -> Kind:
    """A kind of the W3C data model, as they all are."""
    usual: dict[str, Any] = {"named": _W3C, "hides": _nothing, "document": {"@context": [CONTEXT]}}
    return Kind(
        id=kind_id,
        format=format_id,
        title=title,
        about=about,
        scope=scope,
        status=bitstring.KIND,
        type=TYPE,
        issuer=_as_did,
        above=("credentialSubject",),
        **{**usual, **more},
    )


_ALL: Final[tuple[Kind, ...]] = (
    Kind(
        id="VerifiedPerson",
        format="dc+sd-jwt",
        title="SD-JWT",
        about="Every detail can be hidden. What most verifiers ask for.",
        scope="verified_person",
        status=token_status_list.KIND,
        type=schemas.VERIFIED_PERSON,
        issuer=_as_certified,
        named={"vct": schemas.VERIFIED_PERSON},
    ),
    Kind(
        id="VerifiedPersonCredential",
        format="ldp_vc",
        title="W3C credential",
        about="Linked data, signed with ecdsa-sd-2023. Every detail can be hidden; a list is shown whole.",
        scope="verified_person_w3c",
        status=bitstring.KIND,
        type=TYPE,
        issuer=_as_did,
        signed_with=("ES256",),
        held_with=_WITH_SUITES,
        proof_types=_PRESENTED,
        above=("credentialSubject",),
        hides=_members,
        named=_W3C,
        signature_names={"ES256": "ecdsa-sd-2023"},
        document={"@context": [CONTEXT]},
    ),
    Kind(
        id="VerifiedPersonBbs",
        format="ldp_vc",
        title="W3C credential (BBS)",
        about="Linked data, signed with bbs-2023. Two showings of it cannot be linked by their signature.",
        scope="verified_person_bbs",
        status=bitstring.KIND,
        type=TYPE,
        issuer=_as_did,
        signed_with=("BBS",),
        held_with=_WITH_SUITES,
        proof_types=_PRESENTED,
        above=("credentialSubject",),
        hides=_members,
        named=_W3C,
        signature_names={"BBS": "bbs-2023"},
        document={"@context": [CONTEXT]},
    ),
    Kind(
        id="VerifiedPersonMdoc",
        format="mso_mdoc",
        title="Mobile document (mdoc)",
        about="For readers of ISO/IEC 18013-5. A group of details, such as the document, is shown whole or not at all.",
        scope="verified_person_mdoc",
        status=token_status_list.KIND,
        type=NAMESPACE,
        issuer=_as_chain,
        bindings=("cose_key", "jwk", "did:key", "did:jwk"),
        above=(NAMESPACE,),
        hides=_nothing,
        named={"doctype": NAMESPACE},
        signature_names=_COSE,
        nested=True,
    ),
    _w3c(
        "VerifiedPersonVcSdJwt",
        "vc+sd-jwt",
        "W3C credential as SD-JWT",
        "JSON of the W3C data model in an SD-JWT. Every detail can be hidden; a list is shown whole.",
        scope="verified_person_vc_sd_jwt",
        hides=_members,
    ),
    _w3c(
        "VerifiedPersonVcJwt",
        "vc+jwt",
        "W3C credential as JWT",
        "Signed as a whole: who shows it shows every detail.",
        scope="verified_person_vc_jwt",
    ),
    _w3c(
        "VerifiedPersonVcCose",
        "vc+cose",
        "W3C credential as COSE",
        "Signed as a whole, in a binary envelope: who shows it shows every detail.",
        scope="verified_person_vc_cose",
        signature_names=_COSE,
    ),
    _w3c(
        "VerifiedPersonJwtVcJson",
        "jwt_vc_json",
        "W3C credential 1.1 as JWT",
        "The older data model, signed as a whole: who shows it shows every detail.",
        scope="verified_person_jwt_vc_json",
        named={"credential_definition": {"type": ["VerifiableCredential", TYPE]}},
    ),
    _w3c(
        "VerifiedPersonEcdsa",
        "ldp_vc",
        "W3C credential (ECDSA)",
        "Linked data, signed as a whole with ecdsa-rdfc-2019: who shows it shows every detail.",
        scope="verified_person_ecdsa",
        signed_with=("ES256", "ES384"),
        held_with=_WITH_SUITES,
        proof_types=_PRESENTED,
        signature_names={"ES256": "ecdsa-rdfc-2019", "ES384": "ecdsa-rdfc-2019"},
    ),
    _w3c(
        "VerifiedPersonEddsa",
        "ldp_vc",
        "W3C credential (EdDSA)",
        "Linked data, signed as a whole with eddsa-rdfc-2022: who shows it shows every detail.",
        scope="verified_person_eddsa",
        signed_with=("EdDSA",),
        held_with=_WITH_SUITES,
        proof_types=_PRESENTED,
        signature_names={"EdDSA": "eddsa-rdfc-2022"},
    ),
)


def every() -> tuple[Kind, ...]:
    """All kinds; the first is what a clerk offers without choosing."""
    return _ALL


def by_id(kind_id: str) -> Kind | None:
    """The kind with this configuration identifier."""
    return next((kind for kind in _ALL if kind.id == kind_id), None)


@lru_cache(maxsize=1)
def _type_metadata() -> Mapping[str, Json]:
    found: Mapping[str, Json] = json.loads(schemas.read(TYPE_METADATA))
    return found


def _shown(item: Mapping[str, Json]) -> Display:
    simple = item.get("rendering", {}).get("simple", {})
    return Display(
        name=item["name"],
        locale=item["locale"],
        description=item.get("description"),
        background_color=simple.get("background_color"),
        text_color=simple.get("text_color"),
    )
