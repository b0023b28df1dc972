"""An issuer's metadata: what can it issue, where, and under which name does it show itself (OpenID4VCI 1.0 §12)?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ssi.encoding import Json, printable, read_json_object, required_text, text
from ssi.errors import Malformed
from ssi.model import ClaimPath
from ssi.oid4vci.offer import PRE_AUTHORIZED_CODE
from ssi.oid4vci.urls import web_url

_MAX_LISTED: Final = 512
_MAX_TEXT: Final = 300


@dataclass(frozen=True)
class Display:
    """How something is named for people in one language; None is the language of everybody else."""

    name: str
    locale: str | None = None
    description: str | None = None
    background_color: str | None = None
    text_color: str | None = None

    @property
    def json(self) -> dict[str, Json]:
        """One element of a `display` array."""
        members = {name: getattr(self, name) for name in _DISPLAY}
        return {name: value for name, value in members.items() if value is not None}


_DISPLAY: Final = ("name", "locale", "description", "background_color", "text_color")


@dataclass(frozen=True)
class ClaimDescription:
    """One claim as the issuer announces it (Appendix B.2): where it stands, whether it always comes, its names."""

    path: ClaimPath
    mandatory: bool = False
    display: tuple[Display, ...] = ()

    @property
    def json(self) -> dict[str, Json]:
        """One element of a `claims` array."""
        members: dict[str, Json] = {"path": list(self.path)}
        if self.mandatory:
            members["mandatory"] = True
        if self.display:
            members["display"] = [item.json for item in self.display]
        return members


@dataclass(frozen=True)
class Configuration:
    """One entry of `credential_configurations_supported`: a credential that can be asked for.

    `proof_algs` maps each proof type to the algorithms it may be signed with; `attested` are the proof types that
    need a key attestation. `vct`, `doctype` and `definition` say what kind of credential it is, each in formats of its
    own (Appendix A).
    """

    id: str
    format: str
    vct: str | None = None
    doctype: str | None = None
    definition: Mapping[str, Json] = field(default_factory=dict)
    scope: str | None = None
    signing_algs: tuple[str | int, ...] = ()
    binding_methods: tuple[str, ...] = ()
    proof_algs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attested: frozenset[str] = frozenset()
    display: tuple[Display, ...] = ()
    claims: tuple[ClaimDescription, ...] = ()

    @property
    def type(self) -> str | None:
        """The credential type as its format names it: `vct`, `doctype`, or the most specific of the W3C types."""
        types = self.definition.get("type")
        own = [one for one in types if one != "VerifiableCredential"] if isinstance(types, list) else []
        return self.vct or self.doctype or (own[-1] if own and isinstance(own[-1], str) else None)

    @property
    def name(self) -> str:
        """A name for people: the first one given, else the identifier."""
        return self.display[0].name if self.display else self.id

    @property
    def json(self) -> dict[str, Json]:
        """The entry's value."""
        members: dict[str, Json] = {
            "format": self.format,
            "vct": self.vct,
            "doctype": self.doctype,
            "credential_definition": dict(self.definition),
            "scope": self.scope,
            "credential_signing_alg_values_supported": list(self.signing_algs),
            "cryptographic_binding_methods_supported": list(self.binding_methods),
            "proof_types_supported": {
                name: {"proof_signing_alg_values_supported": list(algs)} for name, algs in self.proof_algs.items()
            },
            "credential_metadata": _filled(
                {"display": [item.json for item in self.display], "claims": [item.json for item in self.claims]}
            ),
        }
        return _filled(members)


@dataclass(frozen=True)
class IssuerMetadata:
    """What a Credential Issuer publishes about itself (§12.2.4).

    Unencrypted requests and single credentials are all this house sends: `encryption_required` says that this
    issuer wants more, `batch_size` how many keys one request may bring.
    """

    issuer: str
    credential_endpoint: str
    configurations: Mapping[str, Configuration]
    nonce_endpoint: str | None = None
    authorization_servers: tuple[str, ...] = ()
    display: tuple[Display, ...] = ()
    batch_size: int = 1
    encryption_required: bool = False

    @property
    def name(self) -> str | None:
        """The issuer's own name for itself, which nobody has verified."""
        return self.display[0].name if self.display else None

    @property
    def json(self) -> dict[str, Json]:
        """The metadata document."""
        members: dict[str, Json] = {
            "credential_issuer": self.issuer,
            "authorization_servers": list(self.authorization_servers),
            "credential_endpoint": self.credential_endpoint,
            "nonce_endpoint": self.nonce_endpoint,
            "display": [item.json for item in self.display],
            "credential_configurations_supported": {name: item.json for name, item in self.configurations.items()},
        }
        return _filled(members)

    @staticmethod
    def parse(body: bytes, *, issuer: str) -> IssuerMetadata:
        """Read the document found at `metadata_url(issuer)`; unknown members are ignored.

        Raises Malformed (`oid4vci.metadata`, `oid4vci.metadata_issuer` when it is another issuer's, …).
        """
        members = read_json_object(body, what="issuer metadata")
        if required_text(members, "credential_issuer", what="issuer metadata") != issuer:
            raise Malformed("oid4vci.metadata_issuer", "The metadata found there belongs to another issuer.")
        return IssuerMetadata(
            issuer=issuer,
            credential_endpoint=web_url(members.get("credential_endpoint"), what="credential endpoint"),
            configurations=_configurations(members.get("credential_configurations_supported")),
            nonce_endpoint=_optional_url(members, "nonce_endpoint"),
            authorization_servers=_texts(members, "authorization_servers"),
            display=_display(members),
            batch_size=_batch_size(members),
            encryption_required=_encryption_required(members),
        )


@dataclass(frozen=True)
class AuthorizationServer:
    """What an OAuth 2.0 authorization server publishes about itself (RFC 8414), as far as issuance needs it."""

    issuer: str
    token_endpoint: str
    grant_types: tuple[str, ...] = ("authorization_code", "implicit")
    anonymous_access: bool = False

    @property
    def supports_pre_authorized(self) -> bool:
        """Whether the pre-authorized code grant is among the supported ones."""
        return PRE_AUTHORIZED_CODE in self.grant_types

    @property
    def json(self) -> dict[str, Json]:
        """The metadata document, without `response_types_supported` (OpenID4VCI 1.0 §12.2.4 lets it be left out)."""
        return {
            "issuer": self.issuer,
            "token_endpoint": self.token_endpoint,
            "token_endpoint_auth_methods_supported": ["none"],
            "grant_types_supported": list(self.grant_types),
            "authorization_details_types_supported": ["openid_credential"],
            "pre-authorized_grant_anonymous_access_supported": self.anonymous_access,
        }

    @staticmethod
    def parse(body: bytes, *, issuer: str) -> AuthorizationServer:
        """Read the document found at `authorization_server_url(issuer)`.

        Raises Malformed (`oid4vci.metadata_issuer` when it is another server's (RFC 8414 §3.3), …).
        """
        members = read_json_object(body, what="authorization server metadata")
        if required_text(members, "issuer", what="authorization server metadata") != issuer:
            raise Malformed("oid4vci.metadata_issuer", "The metadata found there belongs to another server.")
        return AuthorizationServer(
            issuer=issuer,
            token_endpoint=web_url(members.get("token_endpoint"), what="token endpoint"),
            grant_types=_texts(members, "grant_types_supported") or ("authorization_code", "implicit"),
            anonymous_access=members.get("pre-authorized_grant_anonymous_access_supported") is True,
        )


def _filled(members: Mapping[str, Json]) -> dict[str, Json]:
    """Without the members that have nothing to say: an empty array is not allowed where the text says non-empty."""
    return {name: value for name, value in members.items() if value not in (None, [], {})}


def _configurations(value: Json) -> Mapping[str, Configuration]:
    if not isinstance(value, dict) or len(value) > _MAX_LISTED:
        raise Malformed("oid4vci.metadata", "The issuer metadata does not say which credentials it supports.")
    return {name: _configuration(name, item) for name, item in value.items()}


def _configuration(name: str, item: Json) -> Configuration:
    members = _object(item, "credential configuration")
    shown = _object(members.get("credential_metadata", {}), "credential metadata")
    proofs = _object(members.get("proof_types_supported", {}), "proof types")
    kinds = {kind: _object(value, "proof type") for kind, value in proofs.items()}
    return Configuration(
        id=name,
        format=required_text(members, "format", what="credential configuration"),
        vct=text(members, "vct", what="credential configuration"),
        doctype=text(members, "doctype", what="credential configuration"),
        definition=_object(members.get("credential_definition", {}), "credential definition"),
        scope=text(members, "scope", what="credential configuration"),
        signing_algs=_algorithms(members.get("credential_signing_alg_values_supported", [])),
        binding_methods=_texts(members, "cryptographic_binding_methods_supported"),
        proof_algs={kind: _names(value.get("proof_signing_alg_values_supported", [])) for kind, value in kinds.items()},
        attested=frozenset(kind for kind, value in kinds.items() if "key_attestations_required" in value),
        display=_display(shown),
        claims=_claims(shown.get("claims", [])),
    )


def _claims(value: Json) -> tuple[ClaimDescription, ...]:
    if not isinstance(value, list) or len(value) > _MAX_LISTED:
        raise Malformed("oid4vci.metadata", "The claims of the issuer metadata cannot be read.")
    claims = tuple(_claim(_object(item, "claim description")) for item in value)
    if len({claim.path for claim in claims}) != len(claims):  # Appendix B.3
        raise Malformed("oid4vci.metadata", "The issuer metadata describes a claim twice.")
    return claims


def _claim(members: Mapping[str, Json]) -> ClaimDescription:
    path = members.get("path")
    if not isinstance(path, list) or not path or len(path) > 32 or not all(_step(step) for step in path):
        raise Malformed("oid4vci.metadata", "A claim of the issuer metadata has no path.")
    return ClaimDescription(tuple(path), members.get("mandatory") is True, _display(members))


def _step(step: Json) -> bool:
    if isinstance(step, bool):
        return False
    return step is None or isinstance(step, str) or (isinstance(step, int) and step >= 0)


def _display(members: Mapping[str, Json]) -> tuple[Display, ...]:
    """The named elements of `display`; those that only bring a logo have nothing to show here."""
    value = members.get("display", [])
    if not isinstance(value, list) or len(value) > _MAX_LISTED:
        raise Malformed("oid4vci.metadata", "The display names of the issuer metadata cannot be read.")
    items = [_object(item, "display name") for item in value]
    return tuple(
        Display(**{name: _said(item, name) for name in _DISPLAY})  # type: ignore[arg-type]  # every member is text
        for item in items
        if item.get("name") is not None
    )


def _said(item: Mapping[str, Json], name: str) -> str | None:
    """A text for people, with nothing in it that could make it look like another."""
    value = text(item, name, what="display name")
    return None if value is None else printable(value, limit=_MAX_TEXT)


def _object(value: Json, what: str) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise Malformed("oid4vci.metadata", f"A {what} in the issuer metadata is not an object.")
    return value


def _algorithms(value: Json) -> tuple[str | int, ...]:
    """Algorithms by their names, or by the integers that COSE formats use (Appendix A.2.2)."""
    if not isinstance(value, list) or len(value) > _MAX_LISTED:
        raise Malformed("oid4vci.metadata", "A list of algorithms in the issuer metadata cannot be read.")
    return tuple(item for item in value if isinstance(item, str | int) and not isinstance(item, bool))


def _names(value: Json) -> tuple[str, ...]:
    """Algorithm names only."""
    return tuple(item for item in _algorithms(value) if isinstance(item, str))


def _texts(members: Mapping[str, Json], name: str) -> tuple[str, ...]:
    value = members.get(name, [])
    if not isinstance(value, list) or len(value) > _MAX_LISTED or not all(isinstance(item, str) for item in value):
        raise Malformed("oid4vci.metadata", f"{name!r} in the metadata is not a list of strings.")
    return tuple(value)


def _optional_url(members: Mapping[str, Json], name: str) -> str | None:
    return None if members.get(name) is None else web_url(members[name], what=name.replace("_", " "))


def _batch_size(members: Mapping[str, Json]) -> int:
    size = _object(members.get("batch_credential_issuance", {}), "batch description").get("batch_size", 1)
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise Malformed("oid4vci.metadata", "The batch size in the issuer metadata is not a number.")
    return size


def _encryption_required(members: Mapping[str, Json]) -> bool:
    names = ("credential_request_encryption", "credential_response_encryption")
    return any(_object(members.get(name, {}), "encryption policy").get("encryption_required") is True for name in names)
