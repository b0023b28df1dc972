"""The catalogue: what can be had at this desk, as wallets read it in the issuer's metadata."""

from __future__ import annotations

from collections.abc import Mapping

from ssi.oid4vci import PRE_AUTHORIZED_CODE, AuthorizationServer, Configuration, Display, IssuerMetadata
from wallet.issuer import kinds
from wallet.issuer.identity import Identity


def configurations(identity: Identity) -> dict[str, Configuration]:
    """Every credential configuration by its identifier; names and claims come from the type metadata."""
    made = {kind.id: (kind, kind.signer(identity)) for kind in kinds.every()}
    return {name: kind.configuration(by.public.algorithm.name) for name, (kind, by) in made.items() if by is not None}


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
