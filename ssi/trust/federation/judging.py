"""Federated issuers: is this one a member of the federation, and marked for what it wants to issue?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ssi.errors import Refused, SsiError, Unavailable
from ssi.keys import PublicKey
from ssi.model import Check, Finding, Issuer, KeyResolver, MethodKey, Outcome, ResolvedKey
from ssi.trust.federation.entities import Entity, Federation
from ssi.trust.federation.statements import Keys

ISSUERS: Final = ("openid_credential_issuer", "vc_issuer")
"""Entity types of those who issue credentials (OpenID Federation Wallet Architectures 1.0)."""
ASKERS: Final = ("openid_credential_verifier", "openid_relying_party")
"""Entity types of those who ask for them."""
WALLETS: Final = ("openid_wallet_provider", "wallet_provider")
"""Entity types of those who attest wallets."""


@dataclass(frozen=True)
class Federated:
    """Members of a federation may issue these types; with `marks`, only what one of their trust marks is for.

    An issuer is judged that names itself by its entity identifier and signed with a key of its resolved metadata: its
    key must have been found through `FederatedKeys` over the same federation. `types=None` means any type; so does None
    for a mark. Raises ValueError for empty sets of types or no entity type.
    """

    federation: Federation
    entity_types: tuple[str, ...]
    types: frozenset[str] | None
    marks: Mapping[str, frozenset[str] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sets = (self.types, *self.marks.values())
        if not self.entity_types or any(types is not None and not types for types in sets):
            raise ValueError("a trust policy by federation needs entity types, and sets of types that are not empty")

    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:
        """PASS `trust.federated`; UNKNOWN `trust.list_unavailable`, `trust.list_stale`.

        FAIL `trust.signed_with_certificate`, `trust.unknown_issuer`, `trust.type`, `trust.federation_*`.
        """
        found = self.member(issuer, now=now)
        if isinstance(found, Finding):
            return found
        if self.types is not None and credential_type not in self.types:
            return _no("trust.type", "The issuer is not trusted for this type of credential.", found)
        if self.marks:
            return self._marked(found, credential_type, now)
        return _yes(found)

    def member(self, issuer: Issuer, *, now: datetime) -> Entity | Finding:
        """The entity that an issuer is, or why it is none."""
        if issuer.x5c:
            return _no(
                "trust.signed_with_certificate", "The issuer signed with a certificate, not as a federation's member."
            )
        if issuer.id is None or not issuer.id.startswith("https://"):
            return _no("trust.unknown_issuer", "The issuer does not name itself as members of a federation do.")
        try:
            found = self.federation.resolve(issuer.id, now=now)
            keys = found.keys(self.entity_types)
        except Unavailable as error:
            return Finding(Check.TRUST, Outcome.UNKNOWN, error.code, error.detail, {"issuer": issuer.id})
        except SsiError as error:
            return _no(error.code, error.detail)
        return self._in_its_role(found, issuer, keys)

    def _in_its_role(self, found: Entity, issuer: Issuer, keys: Keys) -> Entity | Finding:
        if not found.is_a(self.entity_types):
            return _no("trust.federation_type", "The federation knows this member, but not in this role.", found)
        if not keys or (issuer.kid is not None and issuer.kid not in keys):
            return _no(
                "trust.federation_key", "The member signed with a key that the federation does not vouch for.", found
            )
        return found

    def _marked(self, entity: Entity, credential_type: str, now: datetime) -> Finding:
        unknown: Finding | None = None
        for kind, types in self.marks.items():
            mark = entity.marks.get(kind, Refused("trust.federation_no_mark", ""))
            if types is not None and credential_type not in types:
                continue
            if isinstance(mark, Unavailable):
                unknown = Finding(
                    Check.TRUST, Outcome.UNKNOWN, "trust.list_unavailable", mark.detail, _evidence(entity)
                )
            elif mark is None or (isinstance(mark, datetime) and now < mark):
                return _yes(entity)
        return unknown or _no(
            "trust.federation_no_mark", "The federation has not marked the issuer for this type.", entity
        )


class FederatedKeys:
    """Keys of a federation's members from their resolved metadata, all others from `beside`; a `model.KeyResolver`.

    Which of the two is asked depends on the identifier alone: for a member nobody but the federation can say its keys.
    While it cannot be said whether an issuer is a member, its key is not known either. A superior may replace its
    members' keys; so where several federations know an issuer, all must vouch for the same one, or that which is
    trusted for club cards could sign what another is trusted for.
    """

    def __init__(self, policies: tuple[Federated, ...], beside: KeyResolver) -> None:
        self._policies, self._beside = policies, beside

    def issuer_key(self, issuer: Issuer, *, alg: str, now: datetime) -> ResolvedKey:
        """The key that must have signed. Raises what `beside` raises, and `trust.federation_*`, `trust.list_*`."""
        if issuer.x5c or issuer.id is None or not issuer.id.startswith("https://"):
            return self._beside.issuer_key(issuer, alg=alg, now=now)
        found: list[PublicKey] = []
        for policy in self._policies:
            try:
                keys = policy.federation.resolve(issuer.id, now=now).keys(policy.entity_types)
            except Unavailable:
                raise
            except SsiError:
                continue  # no member: what it says of itself elsewhere is for others to judge
            found.append(_one(keys, issuer.kid, alg))
        if not found:
            return self._beside.issuer_key(issuer, alg=alg, now=now)
        if any(key != found[0] for key in found):
            raise Refused("trust.federation_key", "Two federations vouch for different keys of the issuer.")
        return ResolvedKey(found[0], "federation")

    def holder_key(self, kid: str, *, now: datetime) -> PublicKey:
        """The key of a `cnf.kid`: federations know none."""
        return self._beside.holder_key(kid, now=now)

    def method_key(self, url: str, *, relationship: str, now: datetime) -> MethodKey:
        """The key of a verification method: federations know none."""
        return self._beside.method_key(url, relationship=relationship, now=now)


def _one(keys: Keys, kid: str | None, alg: str) -> PublicKey:
    found = [key for name, key in keys.items() if kid in (None, name) and key.algorithm.name == alg]
    if len(found) != 1:
        raise Refused("trust.federation_key", "The federation vouches for no such key, or for more than one that fits.")
    return found[0]


def _evidence(entity: Entity) -> Mapping[str, str]:
    return {"issuer": entity.id, "anchor": entity.anchor}


def _yes(entity: Entity) -> Finding:
    return Finding(
        Check.TRUST,
        Outcome.PASS,
        "trust.federated",
        "The issuer is a member of a trusted federation.",
        _evidence(entity),
    )


def _no(code: str, detail: str, entity: Entity | None = None) -> Finding:
    return Finding(Check.TRUST, Outcome.FAIL, code, detail, {} if entity is None else _evidence(entity))
