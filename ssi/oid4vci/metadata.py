"""An issuer's metadata: what can it issue, where, and under which name does it show itself (OpenID4VCI 1.0 §12)?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ssi.encoding import Json, read_json_object, required_text
from ssi.errors import Malformed
from ssi.oid4vci import drafts
from ssi.oid4vci.configurations import Configuration, read_configurations
from ssi.oid4vci.display import Display, read_display
from ssi.oid4vci.encryption import RequestPolicy, ResponsePolicy
from ssi.oid4vci.reading import filled, members_of, optional_url, texts
from ssi.oid4vci.urls import web_url


@dataclass(frozen=True)
class IssuerMetadata:
    """What a Credential Issuer publishes about itself (§12.2.4).

    `batch_size` is how many keys one request may bring, 1 where the issuer takes no batches. `request_encryption` and
    `response_encryption` are None where the issuer encrypts nothing.
    """

    issuer: str
    credential_endpoint: str
    configurations: Mapping[str, Configuration]
    nonce_endpoint: str | None = None
    deferred_endpoint: str | None = None
    notification_endpoint: str | None = None
    authorization_servers: tuple[str, ...] = ()
    display: tuple[Display, ...] = ()
    batch_size: int = 1
    request_encryption: RequestPolicy | None = None
    response_encryption: ResponsePolicy | None = None

    @property
    def name(self) -> str | None:
        """The issuer's own name for itself, which nobody has verified."""
        return self.display[0].name if self.display else None

    @property
    def encryption_required(self) -> bool:
        """Does this issuer refuse requests, or give responses, that are not encrypted?"""
        return any(
            policy is not None and policy.required for policy in (self.request_encryption, self.response_encryption)
        )

    @property
    def json(self) -> dict[str, Json]:
        """The metadata document."""
        members: dict[str, Json] = {
            "credential_issuer": self.issuer,
            "authorization_servers": list(self.authorization_servers),
            "credential_endpoint": self.credential_endpoint,
            "nonce_endpoint": self.nonce_endpoint,
            "deferred_credential_endpoint": self.deferred_endpoint,
            "notification_endpoint": self.notification_endpoint,
            "credential_request_encryption": self.request_encryption and self.request_encryption.json,
            "credential_response_encryption": self.response_encryption and self.response_encryption.json,
            "batch_credential_issuance": {"batch_size": self.batch_size} if self.batch_size > 1 else None,
            "display": [item.json for item in self.display],
            "credential_configurations_supported": {name: item.json for name, item in self.configurations.items()},
        }
        return filled(members)

    @staticmethod
    def parse(body: bytes, *, issuer: str) -> IssuerMetadata:
        """Read the document found at `metadata_url(issuer)`; unknown members are ignored.

        Raises Malformed (`oid4vci.metadata`, `oid4vci.metadata_issuer` when it is another issuer's, …), Unsupported
        (`oid4vci.draft`) for metadata of a draft.
        """
        return read_metadata(read_json_object(body, what="issuer metadata"), issuer=issuer)


def read_metadata(members: Mapping[str, Json], *, issuer: str) -> IssuerMetadata:
    """The metadata of `issuer` from its document, or from the claims of signed metadata. Raises as `parse` does."""
    if required_text(members, "credential_issuer", what="issuer metadata") != issuer:
        raise Malformed("oid4vci.metadata_issuer", "The metadata found there belongs to another issuer.")
    drafts.refuse_metadata(members)
    encrypted = members.get("credential_request_encryption"), members.get("credential_response_encryption")
    return IssuerMetadata(
        issuer=issuer,
        credential_endpoint=web_url(members.get("credential_endpoint"), what="credential endpoint"),
        configurations=read_configurations(members.get("credential_configurations_supported")),
        nonce_endpoint=optional_url(members, "nonce_endpoint"),
        deferred_endpoint=optional_url(members, "deferred_credential_endpoint"),
        notification_endpoint=optional_url(members, "notification_endpoint"),
        authorization_servers=texts(members, "authorization_servers"),
        display=read_display(members),
        batch_size=_batch_size(members),
        request_encryption=None if encrypted[0] is None else RequestPolicy.parse(encrypted[0]),
        response_encryption=None if encrypted[1] is None else ResponsePolicy.parse(encrypted[1]),
    )


def _batch_size(members: Mapping[str, Json]) -> int:
    size = members_of(members.get("batch_credential_issuance", {}), "batch description").get("batch_size", 1)
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise Malformed("oid4vci.metadata", "The batch size in the issuer metadata is not a number.")
    return size
