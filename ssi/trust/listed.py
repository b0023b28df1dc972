"""Listed issuers: is this one on a trusted list, as a service that may issue this type, and in good standing now?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ssi.encoding import Json
from ssi.errors import SsiError, Unavailable
from ssi.model import Check, Finding, Issuer, Outcome
from ssi.trust.lists import GRANTED, Service, TrustedList, checked
from ssi.trust.sources import Published, Source


def published(
    read: Callable[[datetime], TrustedList],
) -> Callable[[TrustedList | None, datetime], Published[TrustedList]]:
    """A reader of a list as a source loads it: never older than before, and good until its next update."""

    def load(before: TrustedList | None, now: datetime) -> Published[TrustedList]:
        found = checked(read(now), before=before, now=now)
        return Published(found, found.next_update)

    return load


@dataclass(frozen=True)
class Listed:
    """Whoever a list names as a service of one of these types, in good standing, may issue what is said beside it.

    `name` is the list's address (what a DCQL query calls it). `types` gives for each service type identifier the
    credential types, or None for any. `statuses` are those in which a service may be relied upon. Raises ValueError
    when no service type is named, or one has an empty set of credential types.
    """

    source: Source[TrustedList]
    name: str
    types: Mapping[str, frozenset[str] | None]
    statuses: frozenset[str] = GRANTED

    def __post_init__(self) -> None:
        if not self.types or any(types is not None and not types for types in self.types.values()):
            raise ValueError("a trust policy by list needs service types, and for each its credential types or None")

    def judge(self, issuer: Issuer, credential_type: str, *, now: datetime) -> Finding:
        """PASS `trust.listed_service`; UNKNOWN `trust.list_unavailable`, `trust.list_stale`.

        FAIL `trust.no_chain`, `trust.not_listed`, `trust.type`, `trust.service_withdrawn`, or the broken chain's code.
        """
        found = self._vouching(issuer, now)
        if isinstance(found, Finding):
            return found
        allowed = [service for service in found if self._may(service, credential_type)]
        if not allowed:
            return self._no("trust.type", "The issuer is listed, but not for this type of credential.", found[0])
        return self._standing(allowed, now)

    def vouches(self, issuer: Issuer, *, now: datetime) -> Finding:
        """Is the issuer on this list at all, for whatever service that is named here, and in good standing?"""
        found = self._vouching(issuer, now)
        if isinstance(found, Finding):
            return found
        named = [service for service in found if service.type in self.types]
        if not named:
            return self._no("trust.type", "The issuer is listed, but for no service that counts here.", found[0])
        return self._standing(named, now)

    def _vouching(self, issuer: Issuer, now: datetime) -> tuple[Service, ...] | Finding:
        if not issuer.x5c:
            return self._no("trust.no_chain", "The issuer has sent no certificate that a trusted list could name.")
        try:
            return self.source.current(now=now).vouching(issuer.x5c, now=now)
        except Unavailable as error:
            return Finding(Check.TRUST, Outcome.UNKNOWN, error.code, error.detail, {"list": self.name})
        except SsiError as error:
            return self._no(error.code, error.detail)

    def _may(self, service: Service, credential_type: str) -> bool:
        if service.type not in self.types:
            return False
        types = self.types[service.type]
        return types is None or credential_type in types

    def _standing(self, services: list[Service], now: datetime) -> Finding:
        for service in services:
            standing = service.status(now)
            if standing is not None and (standing.status is None or standing.status in self.statuses):
                return Finding(
                    Check.TRUST,
                    Outcome.PASS,
                    "trust.listed_service",
                    f"{service.name or 'The issuer'} is on a trusted list for this.",
                    self._evidence(service),
                )
        return self._no(
            "trust.service_withdrawn",
            "The list names the issuer, but no longer (or not yet) in good standing.",
            services[0],
        )

    def _evidence(self, service: Service) -> Mapping[str, Json]:
        return {"list": self.name, "service": service.name, "service_type": service.type}

    def _no(self, code: str, detail: str, service: Service | None = None) -> Finding:
        evidence = {"list": self.name} if service is None else self._evidence(service)
        return Finding(Check.TRUST, Outcome.FAIL, code, detail, evidence)
