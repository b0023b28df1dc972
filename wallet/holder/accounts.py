"""Accounts: who may open which vault? A name finds it, a passphrase opens it, and guessing is slow.

An unknown name costs the same work and gets the same answer as a wrong passphrase.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Engine

from ssi.errors import Refused, SsiError, Unavailable
from wallet.holder import store
from wallet.holder.passphrase import DEFAULT_COST, SALT_BYTES, Cost, Derivation, account_name, require_strong
from wallet.holder.sealing import Key, Random, place
from wallet.holder.servicekeys import ServiceKey, ServiceKeys
from wallet.holder.store import VaultRow
from wallet.holder.vault import Vault, new_id

NAME_DELAYS = (0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300)
"""Seconds to wait after the n-th wrong passphrase in a row for one name."""
PEER_DELAYS = (*(0,) * 30, 2, 4, 8, 16, 32, 60)
"""The same for one network address, where many people may live."""
SIGN_UP_DELAYS = (*(0,) * 30, 60, 120, 240, 480, 900)
"""Seconds to wait after the n-th sign-up from one address; forgotten a day after the last (each costs memory)."""


class Throttled(Refused):
    """Too many failures in a row: `wait` seconds must pass."""

    def __init__(self, wait: int) -> None:
        super().__init__("account.throttled", f"Too many attempts. Wait {wait} seconds and try again.")
        self.wait = wait


@dataclass(frozen=True)
class Accounts:
    """The people's vaults in one wallet service: makes them, opens them, and ends their sessions."""

    engine: Engine
    keys: ServiceKeys = field(repr=False)
    cost: Cost = DEFAULT_COST
    random: Random = field(default=os.urandom, repr=False)

    def admit(self, *, peer: str, now: datetime) -> None:
        """Count a sign-up before it costs anything: one address makes only so many. Raises Throttled."""
        who = self.keys.current.names.blind(f"sign-up|{peer}")
        wait = store.note_attempt(self.engine, who, now=now, delay=SIGN_UP_DELAYS)
        if wait:
            raise Throttled(wait)

    def sign_up(self, name: str, passphrase: str) -> Vault:
        """Make a vault. Raises Malformed (`account.name`), Refused (`passphrase.*`, `account.taken`)."""
        plain = account_name(name)
        require_strong(passphrase, name=plain)
        if store.find_vault(self.engine, self._names(plain)) is not None:
            raise Refused("account.taken", "That name is taken in this wallet. Choose another.")
        key = Key.generate(self.random)
        row = self._wrap(new_id(self.random), plain, passphrase, key=key, epoch=1)
        store.add_vault(self.engine, row)
        return self._vault(row, key)

    def unlock(self, name: str, passphrase: str, *, peer: str, now: datetime) -> Vault:
        """Open a vault. Raises Refused (`account.wrong`), for unknown names too; Throttled."""
        plain = _lenient(name)
        who = [self.keys.current.names.blind(f"attempt|{plain}"), self.keys.current.names.blind(f"peer|{peer}")]
        for one, delays in zip(who, (NAME_DELAYS, PEER_DELAYS), strict=True):
            wait = store.note_attempt(self.engine, one, now=now, delay=delays)
            if wait:
                raise Throttled(wait)
        row = store.find_vault(self.engine, self._names(plain))
        key = self._unwrap(row or self._nobody(plain), passphrase)
        if row is None or key is None:
            raise Refused("account.wrong", "The name or the passphrase is not right.")
        store.clear_attempts(self.engine, who)
        self._renew(row, plain, passphrase, key=key)
        return self._vault(row, key)

    def reopen(self, vault: str, key: Key, *, epoch: int) -> Vault:
        """The vault of a live session. Raises Refused (`account.locked`) when its sessions have been ended since."""
        row = store.vault_by_id(self.engine, vault)
        if row is None or row.epoch != epoch:
            raise Refused("account.locked", "Your wallet is locked. Unlock it to go on.")
        return self._vault(row, key)

    def lock(self, vault: Vault) -> None:
        """End all sessions of this vault: every copy of its cookies is dead."""
        store.raise_epoch(self.engine, vault.id)

    def change_passphrase(self, vault: Vault, passphrase: str, new: str, *, now: datetime) -> Vault:
        """Wrap a vault's key under a new passphrase, and end all other sessions of it.

        Raises Refused (`account.wrong`, `passphrase.*`, `record.conflict`), Throttled.
        """
        require_strong(new, name="")
        row, key = self._confirmed(vault, passphrase, now=now)
        owner, derivation = self._owner(row), Derivation.fresh(self.cost, self.random)
        outer = derivation.key(new, pepper=owner.pepper)
        wrapped = outer.seal(key.secret, bound_to=place("vault", row.id), random=self.random)
        if not store.replace_vault(self.engine, replace(row, derivation=derivation, wrapped_key=wrapped), was=row):
            raise Refused("record.conflict", "Your passphrase was changed a moment ago in another window.")
        store.raise_epoch(self.engine, vault.id)
        return self.reopen(vault.id, key, epoch=row.epoch + 1)

    def remove(self, vault: Vault, passphrase: str, *, now: datetime) -> None:
        """Forget a vault and all that is in it. Raises Refused (`account.wrong`), Throttled."""
        self._confirmed(vault, passphrase, now=now)
        store.remove_vault(self.engine, vault.id)

    def _confirmed(self, vault: Vault, passphrase: str, *, now: datetime) -> tuple[VaultRow, Key]:
        """The vault's row and key, when whoever holds the session knows the passphrase too."""
        who = self.keys.current.names.blind(f"vault|{vault.id}")
        wait = store.note_attempt(self.engine, who, now=now, delay=NAME_DELAYS)
        if wait:
            raise Throttled(wait)
        row = store.vault_by_id(self.engine, vault.id)
        key = None if row is None else self._unwrap(row, passphrase)
        if row is None or key is None:
            raise Refused("account.wrong", "The passphrase is not right.")
        store.clear_attempts(self.engine, [who])
        return row, key

    def _vault(self, row: VaultRow, key: Key) -> Vault:
        return Vault(row.id, row.epoch, key, self.engine, self.random)

    def _names(self, plain: str) -> list[bytes]:
        return [key.names.blind(f"name|{plain}") for key in self.keys.ring]

    def _nobody(self, plain: str) -> VaultRow:
        """A vault that does not exist, the same one each time somebody asks for it."""
        salt = self.keys.current.names.blind(f"salt|{plain}")[:SALT_BYTES]
        return VaultRow("-", b"", Derivation(self.cost, salt), bytes(60), 0, self.keys.current.id)

    def _wrap(self, vault: str, plain: str, passphrase: str, *, key: Key, epoch: int) -> VaultRow:
        current, derivation = self.keys.current, Derivation.fresh(self.cost, self.random)
        outer = derivation.key(passphrase, pepper=current.pepper)
        wrapped = outer.seal(key.secret, bound_to=place("vault", vault), random=self.random)
        return VaultRow(vault, current.names.blind(f"name|{plain}"), derivation, wrapped, epoch, current.id)

    def _owner(self, row: VaultRow) -> ServiceKey:
        owner = self.keys.named(row.service_key)
        if owner is None:
            raise Unavailable("account.service_key", "This wallet service lacks a key that your wallet needs.")
        return owner

    def _unwrap(self, row: VaultRow, passphrase: str) -> Key | None:
        """The vault's key, or None. Raises Unavailable when the service key that it was wrapped under is gone."""
        outer = row.derivation.key(passphrase, pepper=self._owner(row).pepper)
        try:
            return Key(outer.open(row.wrapped_key, bound_to=place("vault", row.id)))
        except Refused:
            return None

    def _renew(self, row: VaultRow, plain: str, passphrase: str, *, key: Key) -> None:
        """Wrap again when the service key or the cost of guessing has changed since."""
        if row.service_key != self.keys.current.id or row.derivation.cost != self.cost:
            store.replace_vault(self.engine, self._wrap(row.id, plain, passphrase, key=key, epoch=row.epoch), was=row)


def _lenient(name: str) -> str:
    """The account name, or for what cannot be one, something that no account has."""
    try:
        return account_name(name)
    except SsiError:
        return ""
