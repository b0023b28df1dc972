"""The service's own secrets: what do all replicas of one wallet service share, and what does it protect?

One key file, never in the database: it seals the session cookies, blinds account names, and peppers passphrases, so a
stolen database is silent about who has a vault and cannot be attacked by guessing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from service.cookies import read_keys
from wallet.holder.sealing import Key


@dataclass(frozen=True)
class ServiceKey:
    """One key of the service, and the keys for single purposes derived from it. `id` names it and tells nothing."""

    id: str
    cookies: Key
    names: Key
    pepper: Key

    @staticmethod
    def of(secret: Key) -> ServiceKey:
        """Derive the purposes of a service secret."""
        cookies, names, pepper = (secret.derive(f"facet-wallet {use}") for use in ("cookies", "names", "pepper"))
        return ServiceKey(secret.blind("facet-wallet id").hex()[:16], cookies, names, pepper)


@dataclass(frozen=True)
class ServiceKeys:
    """The current key first, then retired ones that still open what they sealed (until it is sealed anew)."""

    ring: tuple[ServiceKey, ...]

    @property
    def current(self) -> ServiceKey:
        """The key that seals whatever is new."""
        return self.ring[0]

    def named(self, name: str) -> ServiceKey | None:
        """The key with this id, when it is still in the ring."""
        return next((key for key in self.ring if key.id == name), None)

    @staticmethod
    def generate() -> ServiceKeys:
        """One fresh key that lives as long as this process: for tests."""
        return ServiceKeys((ServiceKey.of(Key(os.urandom(32))),))


def read_service_keys(path: Path) -> ServiceKeys:
    """The keys in the key file, one secret to a line, the current one first.

    To rotate, put a new line on top; vaults move to it as their owners unlock them.
    Raises Unavailable (`cookie.key_missing`).
    """
    return ServiceKeys(tuple(ServiceKey.of(Key(secret)) for secret in read_keys(path)))
