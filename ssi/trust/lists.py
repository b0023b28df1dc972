"""Trusted lists: which services does a scheme's operator list, by which certificates, and which are in good standing?

The one model of ETSI TS 119 602 (`ssi.trust.lote`) and ETSI TS 119 612 (`ssi.trust.ts119612`).
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

from cryptography import x509 as native

from ssi.encoding import printable
from ssi.errors import Malformed, Refused, SsiError
from ssi.trust import rules, x509

GRANTED: Final = frozenset(
    (
        "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted",
        "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/recognisedatnationallevel",
        "http://uri.etsi.org/19602/PubEAAProvidersList/SvcStatus/notified",
    )
)
"""Statuses in which a listed service may be relied upon (TS 119 612 §5.5.4, TS 119 602 Annex H)."""

MAX_BYTES: Final = 16_777_216
MAX_SERVICES: Final = 20_000
MAX_SIGNERS: Final = 64
_MAX_NAME: Final = 200


@dataclass(frozen=True)
class Standing:
    """A status of a service and when it began; without one, to be listed is to be in good standing."""

    status: str | None
    since: datetime | None


@dataclass(frozen=True)
class Service:
    """One listed service: its type, its name, its certificates (DER), and its standings, the newest first."""

    type: str
    name: str
    certificates: tuple[bytes, ...]
    standings: tuple[Standing, ...]

    def status(self, now: datetime) -> Standing | None:
        """The standing at `now`: one that begins later does not count yet. None when none has begun.

        Where the current one does not say since when, it counts all the same: what was before is over.
        """
        if self.standings and self.standings[0].since is None:
            return self.standings[0]
        begun = [each for each in self.standings if each.since is None or each.since <= now]
        return max(begun, key=lambda each: each.since or _BEGINNING, default=None)


_BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class TrustedList:
    """What a list says: its type, operator, number, dates, and services. `next_update` is when it is over."""

    type: str
    operator: str
    sequence: int
    issued: datetime
    next_update: datetime
    services: tuple[Service, ...]

    def vouching(self, x5c: Sequence[bytes], *, now: datetime) -> tuple[Service, ...]:
        """The services that this chain belongs to: by the leaf itself, or by a certificate that its chain leads to.

        Raises what `x509.validate_chain` raises when there is none, Refused (`trust.self_signed`, `trust.expired`,
        `trust.not_yet_valid`) for a listed leaf, and Malformed (`trust.certificate`, `trust.chain_size`).
        """
        leaf = x509.leaf(x5c)
        if x5c[0] in self._by_certificate:
            current(leaf, now=now)
            if x509.is_self_signed(x5c[0]):
                raise Refused("trust.self_signed", "The certificate chain includes a self-signed certificate.")
            return self._by_certificate[x5c[0]]
        found, problem = [], Refused("trust.not_listed", "The list names no certificate that the issuer's leads to.")
        for der in self._by_subject.get(x509.issuer_name(x5c[-1]), ()):
            try:
                x509.validate_chain(x5c, anchors=(der,), now=now)
            except SsiError as error:
                problem = Refused(error.code, error.detail)
            else:
                found += [service for service in self._by_certificate[der] if service not in found]
        if found:
            return tuple(found)
        if x509.anchor_in_chain(x5c, anchors=tuple(self._by_certificate)):
            raise Refused("trust.anchor_in_chain", "The certificate chain includes the trust anchor itself.")
        raise problem

    @cached_property
    def _by_certificate(self) -> Mapping[bytes, tuple[Service, ...]]:
        found: dict[bytes, tuple[Service, ...]] = {}
        for service in self.services:
            for der in service.certificates:
                found[der] = (*found.get(der, ()), service)
        return found

    @cached_property
    def _by_subject(self) -> Mapping[bytes, tuple[bytes, ...]]:
        found: dict[bytes, tuple[bytes, ...]] = {}
        for der in self._by_certificate:
            name = native.load_der_x509_certificate(der).subject.public_bytes()
            found[name] = (*found.get(name, ()), der)
        return found


def current(leaf: x509.Leaf, *, now: datetime) -> None:
    """Return when a certificate is in its time. Raises Refused (`trust.expired`, `trust.not_yet_valid`)."""
    if now > leaf.not_after:
        raise Refused("trust.expired", "A certificate of the signer's chain has expired.")
    if now < leaf.not_before:
        raise Refused("trust.not_yet_valid", "A certificate of the signer's chain is not valid yet.")


def certificate(text: str | None) -> bytes | None:
    """A listed certificate from base64 with white space; None for one that cannot be read: it vouches for nobody."""
    try:
        der = binascii.a2b_base64("".join((text or "").split()), strict_mode=True)
        found = native.load_der_x509_certificate(der)
        found.subject.public_bytes()
    except rules.UNREADABLE:
        return None
    return der if 0 < len(der) <= x509.MAX_CERTIFICATE_BYTES else None


def moment(text: object, *, what: str) -> datetime:
    """A date and time of a list (ISO 8601 with an offset). Raises Malformed (`trust.list_time`)."""
    try:
        found = datetime.fromisoformat(text.strip()) if isinstance(text, str) else None
        if found is not None and found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Malformed("trust.list_time", f"The {what} of the trust list is not a time with its offset.")


def shown(text: object) -> str:
    """A name from a list as a page may show it."""
    return printable(text, limit=_MAX_NAME) if isinstance(text, str) else ""


def checked(found: TrustedList, *, before: TrustedList | None, now: datetime) -> TrustedList:
    """The list that was read, unless it is dated in the future or older than the one known before.

    Raises Refused (`trust.list_future`, `trust.list_older`), Malformed (`trust.list_time`).
    """
    if found.issued > now:
        raise Refused("trust.list_future", "The trust list is dated in the future.")
    if found.next_update <= found.issued:
        raise Malformed("trust.list_time", "The trust list is over before it begins.")
    if before is not None and (found.sequence, found.issued) < (before.sequence, before.issued):
        raise Refused("trust.list_older", "The trust list is older than the one that is known already.")
    return found
