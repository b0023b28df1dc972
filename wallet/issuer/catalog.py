"""The catalogue: what can be had at this desk, as wallets read it in the issuer's metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from schemas import read
from ssi.encoding import Json
from ssi.formats import sdjwt
from ssi.keys import ALGORITHMS
from ssi.oid4vci import (
    PRE_AUTHORIZED_CODE,
    AuthorizationServer,
    ClaimDescription,
    Configuration,
    Display,
    IssuerMetadata,
)

VERIFIED_PERSON: Final = "VerifiedPerson"
TYPE_METADATA: Final = "vct/verified-person.json"
BINDINGS: Final = ("jwk", "did:key", "did:jwk")


def configurations(signing_alg: str) -> dict[str, Configuration]:
    """Every credential configuration by its identifier; names and claims come from the type metadata."""
    document = json.loads(read(TYPE_METADATA))
    person = Configuration(
        id=VERIFIED_PERSON,
        format=sdjwt.ID,
        vct=document["vct"],
        scope="verified_person",
        signing_algs=(signing_alg,),
        binding_methods=BINDINGS,
        proof_algs={"jwt": tuple(ALGORITHMS)},
        display=_display(document),
        claims=tuple(_claim(claim) for claim in document["claims"]),
    )
    return {person.id: person}


def issuer_metadata(base_url: str, *, name: str, offered: Mapping[str, Configuration]) -> IssuerMetadata:
    """The Credential Issuer Metadata (OpenID4VCI 1.0 §12.2.4)."""
    return IssuerMetadata(
        issuer=base_url,
        credential_endpoint=f"{base_url}/credential",
        configurations=offered,
        nonce_endpoint=f"{base_url}/nonce",
        display=(Display(name, "en"),),
    )


def authorization_server(base_url: str) -> AuthorizationServer:
    """The metadata of the authorization server that this desk is for itself (§12.3)."""
    return AuthorizationServer(
        issuer=base_url, token_endpoint=f"{base_url}/token", grant_types=(PRE_AUTHORIZED_CODE,), anonymous_access=True
    )


def _claim(claim: Mapping[str, Json]) -> ClaimDescription:
    shown = tuple(Display(item["label"], item["locale"]) for item in claim.get("display", []))
    return ClaimDescription(tuple(claim["path"]), claim.get("mandatory") is True, shown)


def _display(document: Mapping[str, Json]) -> tuple[Display, ...]:
    return tuple(_shown(item) for item in document.get("display", []))


def _shown(item: Mapping[str, Json]) -> Display:
    simple = item.get("rendering", {}).get("simple", {})
    return Display(
        name=item["name"],
        locale=item["locale"],
        description=item.get("description"),
        background_color=simple.get("background_color"),
        text_color=simple.get("text_color"),
    )
