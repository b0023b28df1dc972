"""Federations for tests: entities that say whatever a test asks for, rules broken included, and a network of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ssi.encoding import b64url, seconds, write_json
from ssi.fetch import Response
from ssi.keys import SoftwareSigner
from ssi.trust.federation import Anchor
from tests.support import NOW, InMemoryFetch

HOUR = timedelta(hours=1)


def token(
    claims: Mapping[str, Any], signer: SoftwareSigner, *, typ: str = "entity-statement+jwt", kid: str | None = None
) -> str:
    """A signed token, written here by hand and not by the code under test."""
    header = {"alg": signer.public.algorithm.name, "typ": typ, "kid": signer.kid if kid is None else kid}
    signed = f"{b64url(write_json(header))}.{b64url(write_json(claims))}"
    return f"{signed}.{b64url(signer.sign(signed.encode()))}"


def jwks(*signers: SoftwareSigner) -> dict[str, Any]:
    return {"keys": [{**each.public.jwk, "kid": each.kid} for each in signers]}


@dataclass
class Member:
    """An entity: its keys, its superiors, what it is, and what it states about others. All of it can be changed."""

    id: str
    superiors: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    signer: SoftwareSigner = field(default_factory=lambda: SoftwareSigner.generate("ES256"))
    protocol: SoftwareSigner = field(default_factory=lambda: SoftwareSigner.generate("ES256"))
    own: dict[str, Any] = field(default_factory=dict)
    about: dict[str, dict[str, Any]] = field(default_factory=dict)
    life: timedelta = HOUR

    def configuration(self, now: datetime = NOW) -> str:
        metadata = {"federation_entity": {"federation_fetch_endpoint": f"{self.id}/fetch"}, **self.metadata}
        claims = {
            **_times(now, self.life),
            "iss": self.id,
            "sub": self.id,
            "jwks": jwks(self.signer),
            "metadata": metadata,
        }
        if self.superiors:
            claims["authority_hints"] = list(self.superiors)
        return token(_without_none({**claims, **self.own}), self.signer)

    def states(self, other: Member, now: datetime = NOW) -> str:
        claims = {**_times(now, self.life), "iss": self.id, "sub": other.id, "jwks": jwks(other.signer)}
        return token(_without_none({**claims, **self.about.get(other.id, {})}), self.signer)


def issuer(identifier: str, *superiors: str, **more: Any) -> Member:
    """A credential issuer, with its protocol key in its metadata."""
    found = Member(identifier, superiors, **more)
    found.metadata["openid_credential_issuer"] = {"jwks": jwks(found.protocol), "display": [{"name": "Utopia"}]}
    return found


def world(*members: Member, now: datetime = NOW) -> InMemoryFetch:
    """A network in which every member answers for itself and for all the others."""
    by_id = {member.id: member for member in members}

    def answers(member: Member) -> Any:
        def answer(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Response:
            parts = urlsplit(url)
            if parts.path.endswith("/.well-known/openid-federation"):
                return _statement(member.configuration(now))
            asked = parse_qs(parts.query).get("sub", [""])[0]
            if parts.path.endswith("/fetch") and asked in by_id:
                return _statement(member.states(by_id[asked], now))
            return Response(404, url, {}, b'{"error":"not_found"}')

        return answer

    return InMemoryFetch({member.id: answers(member) for member in members})


def anchor(member: Member) -> Anchor:
    return Anchor(member.id, {member.signer.kid: member.signer.public})


def mark(kind: str, by: Member, of: str, *, now: datetime = NOW, **more: Any) -> dict[str, str]:
    claims = {"iss": by.id, "sub": of, "trust_mark_type": kind, **_times(now, HOUR), **more}
    return {"trust_mark_type": kind, "trust_mark": token(_without_none(claims), by.signer, typ="trust-mark+jwt")}


def _statement(signed: str) -> Response:
    return Response(200, "", {"content-type": "application/entity-statement+jwt"}, signed.encode())


def _times(now: datetime, life: timedelta) -> dict[str, int]:
    return {"iat": seconds(now - timedelta(minutes=1)), "exp": seconds(now + life)}


def _without_none(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if value is not None}
