"""The catalogue: what can be had at this desk, as wallets read it in the issuer's metadata."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files

from ssi.keys import ALGORITHMS
from ssi.oauth import AUTHORIZATION_CODE, PRE_AUTHORIZED_CODE, REFRESH_TOKEN, AuthorizationServer, clients, dpop, pkce
from ssi.oid4vci import (
    AttestationNeed,
    Configuration,
    Display,
    IssuerMetadata,
    Picture,
    RequestPolicy,
    ResponsePolicy,
    proof,
)
from wallet.issuer import kinds
from wallet.issuer.attesting import Attesting
from wallet.issuer.identity import Identity
from wallet.issuer.settings import CODE, SIGN_IN


def configurations(
    identity: Identity, attesting: Attesting, *, formats: Collection[str] | None = None
) -> dict[str, Configuration]:
    """Every credential configuration by its identifier; names and claims come from the type metadata.

    `formats` are those that a profile leaves; None: all.
    """
    allowed = [kind for kind in kinds.every() if formats is None or kind.format in formats]
    made = {kind.id: (kind, kind.signer(identity)) for kind in allowed}
    return {
        name: _attested(kind.configuration(by.public.algorithm.name), attesting)
        for name, (kind, by) in made.items()
        if by is not None
    }


@lru_cache(maxsize=1)
def _logo() -> str:
    """The house's picture as a data URI: who looks at it tells nobody. Many wallets show PNG, and few SVG."""
    png = (files("service") / "static" / "gem.png").read_bytes()
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _attested(configuration: Configuration, attesting: Attesting) -> Configuration:
    """The configuration with what this desk makes of key attestations (§12.2.4 `key_attestations_required`)."""
    if not attesting.reads:
        return configuration
    algs = {**configuration.proof_algs, proof.ATTESTATION: tuple(ALGORITHMS)}
    if not attesting.required:
        return replace(configuration, proof_algs=algs)
    able = {kind: algs[kind] for kind in (proof.JWT, proof.ATTESTATION)}
    return replace(configuration, proof_algs=able, needs={kind: AttestationNeed() for kind in able})


def issuer_metadata(
    base_url: str,
    *,
    name: str,
    offered: Mapping[str, Configuration],
    batch_size: int,
    policies: tuple[RequestPolicy | None, ResponsePolicy | None],
) -> IssuerMetadata:
    """The Credential Issuer Metadata (OpenID4VCI 1.0 §12.2.4)."""
    requests, responses = policies
    return IssuerMetadata(
        issuer=base_url,
        credential_endpoint=f"{base_url}/credential",
        configurations=offered,
        nonce_endpoint=f"{base_url}/nonce",
        deferred_endpoint=f"{base_url}/deferred_credential",
        notification_endpoint=f"{base_url}/notification",
        display=(Display(name, "en", logo=Picture(_logo(), name)),),
        batch_size=batch_size,
        request_encryption=requests,
        response_encryption=responses,
    )


def authorization_server(
    base_url: str, *, offered: Mapping[str, Configuration], ways: Collection[str], attested: bool, required: bool
) -> AuthorizationServer:
    """The metadata of the authorization server that this desk is for itself (§12.3).

    `attested`: wallet attestations are taken here; `required`: nothing else is.
    """
    methods = ((*(() if required else ("none",)), clients.METHOD)) if attested else ("none",)
    by_code, by_sign_in = CODE in ways, SIGN_IN in ways
    algs = clients.ALGORITHMS if attested else ()
    return AuthorizationServer(
        issuer=base_url,
        token_endpoint=f"{base_url}/token",
        grant_types=(
            *((AUTHORIZATION_CODE,) if by_sign_in else ()),
            *((PRE_AUTHORIZED_CODE,) if by_code else ()),
            REFRESH_TOKEN,
        ),
        anonymous_access=by_code and not required,
        authorization_endpoint=f"{base_url}/authorize" if by_sign_in else None,
        par_endpoint=f"{base_url}/par" if by_sign_in else None,
        par_required=by_sign_in,
        challenge_endpoint=f"{base_url}/challenge" if attested else None,
        auth_methods=methods,
        response_types=("code",) if by_sign_in else (),
        scopes=tuple(dict.fromkeys(each.scope for each in offered.values() if each.scope is not None)),
        pkce_methods=(pkce.METHOD,) if by_sign_in else (),
        dpop_algs=dpop.ALGORITHMS,
        attestation_algs=algs,
        attestation_pop_algs=algs,
        iss_in_response=by_sign_in,
    )
