"""Credential configurations: what can be asked for, in which format, bound to which keys (§12.2.4, Appendices A, B)?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ssi.encoding import Json, required_text, text
from ssi.errors import Malformed
from ssi.model import ClaimPath
from ssi.oid4vci.display import Display, read_display
from ssi.oid4vci.reading import MAX_LISTED, algorithms, filled, members_of, texts


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
class AttestationNeed:
    """`key_attestations_required`: which resistance keys and their users must be attested; empty is any (§12.2.4)."""

    key_storage: tuple[str, ...] = ()
    user_authentication: tuple[str, ...] = ()

    @property
    def json(self) -> dict[str, Json]:
        """The metadata's member; it may be empty."""
        return filled({"key_storage": list(self.key_storage), "user_authentication": list(self.user_authentication)})


@dataclass(frozen=True)
class Configuration:
    """One entry of `credential_configurations_supported`: a credential that can be asked for.

    `proof_algs` maps each proof type to the algorithms it may be signed with; `needs` are the proof types that need a
    key attestation, and of what. `vct`, `doctype` and `definition` say what kind of credential it is, each in formats
    of its own (Appendix A).
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
    needs: Mapping[str, AttestationNeed] = field(default_factory=dict)
    display: tuple[Display, ...] = ()
    claims: tuple[ClaimDescription, ...] = ()

    @property
    def attested(self) -> frozenset[str]:
        """The proof types that need a key attestation."""
        return frozenset(self.needs)

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
            "proof_types_supported": {name: self._proof_type(name) for name in self.proof_algs},
            "credential_metadata": filled(
                {"display": [item.json for item in self.display], "claims": [item.json for item in self.claims]}
            ),
        }
        return filled(members)

    def _proof_type(self, name: str) -> dict[str, Json]:
        members: dict[str, Json] = {"proof_signing_alg_values_supported": list(self.proof_algs[name])}
        need = self.needs.get(name)
        return members if need is None else {**members, "key_attestations_required": need.json}


def read_configurations(value: Json) -> Mapping[str, Configuration]:
    """All of `credential_configurations_supported`. Raises Malformed (`oid4vci.metadata`, `encoding.*`)."""
    if not isinstance(value, dict) or len(value) > MAX_LISTED:
        raise Malformed("oid4vci.metadata", "The issuer metadata does not say which credentials it supports.")
    return {name: _configuration(name, item) for name, item in value.items()}


def _configuration(name: str, item: Json) -> Configuration:
    members = members_of(item, "credential configuration")
    shown = members_of(members.get("credential_metadata", {}), "credential metadata")
    proofs = members_of(members.get("proof_types_supported", {}), "proof types")
    kinds = {kind: members_of(value, "proof type") for kind, value in proofs.items()}
    return Configuration(
        id=name,
        format=required_text(members, "format", what="credential configuration"),
        vct=text(members, "vct", what="credential configuration"),
        doctype=text(members, "doctype", what="credential configuration"),
        definition=members_of(members.get("credential_definition", {}), "credential definition"),
        scope=text(members, "scope", what="credential configuration"),
        signing_algs=algorithms(members.get("credential_signing_alg_values_supported", [])),
        binding_methods=texts(members, "cryptographic_binding_methods_supported"),
        proof_algs={kind: _names(value.get("proof_signing_alg_values_supported", [])) for kind, value in kinds.items()},
        needs={
            kind: _need(value["key_attestations_required"])
            for kind, value in kinds.items()
            if value.get("key_attestations_required") is not None
        },
        display=read_display(shown),
        claims=_claims(shown.get("claims", [])),
    )


def _need(value: Json) -> AttestationNeed:
    members = members_of(value, "key attestation's need")
    return AttestationNeed(texts(members, "key_storage"), texts(members, "user_authentication"))


def _claims(value: Json) -> tuple[ClaimDescription, ...]:
    if not isinstance(value, list) or len(value) > MAX_LISTED:
        raise Malformed("oid4vci.metadata", "The claims of the issuer metadata cannot be read.")
    claims = tuple(_claim(members_of(item, "claim description")) for item in value)
    if len({claim.path for claim in claims}) != len(claims):  # Appendix B.3
        raise Malformed("oid4vci.metadata", "The issuer metadata describes a claim twice.")
    return claims


def _claim(members: Mapping[str, Json]) -> ClaimDescription:
    path = members.get("path")
    if not isinstance(path, list) or not path or len(path) > 32 or not all(_step(step) for step in path):
        raise Malformed("oid4vci.metadata", "A claim of the issuer metadata has no path.")
    return ClaimDescription(tuple(path), members.get("mandatory") is True, read_display(members))


def _step(step: Json) -> bool:
    if isinstance(step, bool):
        return False
    return step is None or isinstance(step, str) or (isinstance(step, int) and step >= 0)


def _names(value: Json) -> tuple[str, ...]:
    """Algorithm names only."""
    return tuple(item for item in algorithms(value) if isinstance(item, str))
