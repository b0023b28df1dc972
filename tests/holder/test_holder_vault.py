"""Vaults, accounts and holder keys over a real database file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from service.store import create, engine, writing
from ssi.errors import Refused, SsiError, Unavailable
from tests.support import NOW
from wallet.holder import store
from wallet.holder.accounts import NAME_DELAYS, PEER_DELAYS, Accounts, Throttled
from wallet.holder.keystore import VaultKeys
from wallet.holder.passphrase import Cost
from wallet.holder.servicekeys import ServiceKeys
from wallet.holder.vault import Vault, changed

CHEAP = Cost(memory=64, passes=1)
PASSPHRASE = "correct horse battery"


@pytest.fixture
def database(tmp_path: Path) -> Engine:
    made = engine(f"sqlite:///{tmp_path / 'wallet.db'}")
    create(store.METADATA, made)
    return made


@pytest.fixture
def accounts(database: Engine) -> Accounts:
    return Accounts(database, ServiceKeys.generate(), CHEAP)


@pytest.fixture
def ada(accounts: Accounts) -> Vault:
    return accounts.sign_up("Ada", PASSPHRASE)


def _unlock(accounts: Accounts, name: str, passphrase: str, *, peer: str = "::1", now=NOW) -> Vault:
    return accounts.unlock(name, passphrase, peer=peer, now=now)


def test_a_vault_opens_with_its_passphrase_only(accounts: Accounts, ada: Vault) -> None:
    opened = _unlock(accounts, " ADA ", PASSPHRASE)
    assert (opened.id, opened.key, opened.epoch) == (ada.id, ada.key, ada.epoch)
    answers = set()
    for name, passphrase in (("Ada", "correct horse batterx"), ("nobody", PASSPHRASE), ("\x00", "x"), ("Ada", "")):
        with pytest.raises(Refused) as refused:
            _unlock(accounts, name, passphrase)
        answers.add((refused.value.code, refused.value.detail))
    assert len(answers) == 1


def test_an_unknown_name_costs_one_derivation_like_a_known_one(
    accounts: Accounts, ada: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = []
    original = store.Derivation.key

    def count(self, passphrase, *, pepper):
        costs.append((self.cost, len(self.salt)))
        return original(self, passphrase, pepper=pepper)

    monkeypatch.setattr(store.Derivation, "key", count)
    for name in ("Ada", "nobody"):
        with pytest.raises(Refused):
            _unlock(accounts, name, "not the passphrase")
    assert costs == [(CHEAP, 16), (CHEAP, 16)]


def test_a_name_is_given_once(accounts: Accounts, ada: Vault) -> None:
    with pytest.raises(Refused) as taken:
        accounts.sign_up("ADA", "another good passphrase")
    assert taken.value.code == "account.taken"


def test_locking_ends_every_session(accounts: Accounts, ada: Vault) -> None:
    other_window = _unlock(accounts, "Ada", PASSPHRASE)
    accounts.lock(ada)
    for vault in (ada, other_window):
        with pytest.raises(Refused) as locked:
            accounts.reopen(vault.id, vault.key, epoch=vault.epoch)
        assert locked.value.code == "account.locked"
    again = _unlock(accounts, "Ada", PASSPHRASE)
    assert accounts.reopen(again.id, again.key, epoch=again.epoch) == again


def test_guessing_gets_slower_for_a_name_whether_it_exists_or_not(accounts: Accounts, ada: Vault) -> None:
    for name in ("Ada", "nobody"):
        waits, now = [], NOW
        for _ in range(len(NAME_DELAYS) + 1):
            with pytest.raises(Refused):
                _unlock(accounts, name, "wrong", peer=name, now=now)
            try:
                _unlock(accounts, name, "wrong", peer=name, now=now)
            except Throttled as slowed:
                waits.append(slowed.wait)
                now += timedelta(seconds=slowed.wait)
            except Refused:
                pass
        assert waits[-1] == NAME_DELAYS[-1]
        assert waits == sorted(waits)


def test_a_throttled_attempt_is_refused_even_with_the_right_passphrase_and_waiting_helps(
    accounts: Accounts, ada: Vault
) -> None:
    for _ in range(6):
        with pytest.raises(Refused):
            _unlock(accounts, "Ada", "wrong")
    with pytest.raises(Throttled) as slowed:
        _unlock(accounts, "Ada", PASSPHRASE)
    _unlock(accounts, "Ada", PASSPHRASE, now=NOW + timedelta(seconds=slowed.value.wait))
    with pytest.raises(Refused) as fresh:  # success has cleared the count
        _unlock(accounts, "Ada", "wrong", now=NOW + timedelta(seconds=slowed.value.wait))
    assert fresh.value.code == "account.wrong"


def test_one_address_cannot_try_many_names_for_ever(accounts: Accounts) -> None:
    outcomes = []
    for number in range(len(PEER_DELAYS)):
        with pytest.raises(Refused) as refused:
            _unlock(accounts, f"name {number}", "wrong", peer="192.0.2.1")
        outcomes.append(refused.value.code)
    assert outcomes[0] == "account.wrong"
    assert outcomes[-1] == "account.throttled"


def test_a_new_service_key_takes_over_when_people_unlock(database: Engine, accounts: Accounts, ada: Vault) -> None:
    new = ServiceKeys.generate().current
    both = replace(accounts, keys=ServiceKeys((new, accounts.keys.current)))
    assert _unlock(both, "Ada", PASSPHRASE).key == ada.key
    only_new = replace(accounts, keys=ServiceKeys((new,)))
    assert _unlock(only_new, "Ada", PASSPHRASE).key == ada.key
    with pytest.raises(Refused):
        _unlock(accounts, "Ada", PASSPHRASE)


def test_a_vault_whose_service_key_is_gone_is_unavailable_not_wrong(
    database: Engine, accounts: Accounts, ada: Vault
) -> None:
    with writing(database) as connection:
        connection.execute(text("UPDATE vaults SET service_key = 'gone'"))
    with pytest.raises(Unavailable):
        _unlock(accounts, "Ada", PASSPHRASE)


def test_a_cheaper_vault_is_made_dearer_when_unlocked_and_its_epoch_stays(database: Engine, accounts: Accounts) -> None:
    ada = accounts.sign_up("Ada", PASSPHRASE)
    accounts.lock(ada)
    dearer = replace(accounts, cost=Cost(memory=128, passes=2))
    opened = _unlock(dearer, "Ada", PASSPHRASE)
    row = store.vault_by_id(database, ada.id)
    assert row is not None
    assert row.derivation.cost == dearer.cost
    assert opened.epoch == row.epoch == 2
    assert _unlock(dearer, "Ada", PASSPHRASE).key == ada.key


def test_a_new_passphrase_replaces_the_old_one_and_ends_other_sessions(accounts: Accounts, ada: Vault) -> None:
    card = ada.put(ada.new("card", {"n": 1}))
    for current, new, code in (
        ("not it", "another good passphrase", "account.wrong"),
        (PASSPHRASE, "short", "passphrase.short"),
    ):
        with pytest.raises(Refused) as refused:
            accounts.change_passphrase(ada, current, new, now=NOW)
        assert refused.value.code == code
    changed_vault = accounts.change_passphrase(ada, PASSPHRASE, "another good passphrase", now=NOW)
    assert changed_vault.get("card", card.id).data == {"n": 1}
    with pytest.raises(Refused):
        accounts.reopen(ada.id, ada.key, epoch=ada.epoch)
    with pytest.raises(Refused):
        _unlock(accounts, "Ada", PASSPHRASE)
    assert _unlock(accounts, "Ada", "another good passphrase").key == ada.key


def test_a_deleted_vault_leaves_nothing(database: Engine, accounts: Accounts, ada: Vault) -> None:
    grace = accounts.sign_up("Grace", "another good passphrase")
    kept = grace.put(grace.new("card", {}))
    ada.put(ada.new("card", {}))
    for _ in range(6):
        with pytest.raises(Refused):
            accounts.remove(ada, "wrong", now=NOW)
    with pytest.raises(Throttled):
        accounts.remove(ada, PASSPHRASE, now=NOW)
    accounts.remove(ada, PASSPHRASE, now=NOW + timedelta(minutes=10))
    assert store.count_vaults(database) == 1
    assert ada.all("card") == ()
    with pytest.raises(Refused):
        accounts.reopen(ada.id, ada.key, epoch=ada.epoch)
    assert grace.get("card", kept.id).data == {}
    accounts.sign_up("Ada", PASSPHRASE)


def test_records_are_kept_changed_listed_and_removed(ada: Vault) -> None:
    first = ada.put(ada.new("card", {"n": 1}, lookup="first"))
    second = ada.put(ada.new("card", {"n": 2}))
    assert (first.version, second.version) == (1, 1)
    assert [record.data["n"] for record in ada.all("card")] == [2, 1]
    found = ada.find("card", "first")
    assert found is not None
    assert found.id == first.id
    assert ada.find("card", "other") is None
    again = ada.put(changed(first, n=3))
    assert ada.get("card", first.id).data == {"n": 3}
    ada.commit(remove=(again,))
    with pytest.raises(Refused) as absent:
        ada.get("card", first.id)
    assert absent.value.code == "record.absent"


def test_a_stale_change_or_removal_loses_and_changes_nothing(ada: Vault) -> None:
    old = ada.put(ada.new("card", {"n": 1}))
    ada.put(changed(old, n=2))
    bystander = ada.new("event", {"what": "added"})
    for attempt in (lambda: ada.commit(bystander, changed(old, n=3)), lambda: ada.commit(bystander, remove=(old,))):
        with pytest.raises(Refused) as conflict:
            attempt()
        assert conflict.value.code == "record.conflict"
    assert ada.get("card", old.id).data == {"n": 2}
    assert ada.all("event") == ()


def test_one_lookup_value_names_one_record(ada: Vault) -> None:
    ada.put(ada.new("offer", {}, lookup="same"))
    with pytest.raises(Refused):
        ada.put(ada.new("offer", {}, lookup="same"))


def test_nobody_reaches_another_persons_records(accounts: Accounts, ada: Vault) -> None:
    grace = accounts.sign_up("Grace", "another good passphrase")
    record = ada.put(ada.new("card", {"n": 1}, lookup="value"))
    with pytest.raises(Refused) as absent:
        grace.get("card", record.id)
    assert absent.value.code == "record.absent"
    assert grace.find("card", "value") is None
    assert grace.all("card") == ()
    with pytest.raises(Refused):
        grace.put(changed(record, n=2))
    with pytest.raises(Refused):
        grace.commit(remove=(record,))
    thief = replace(grace, id=ada.id)  # the right vault id with the wrong key
    with pytest.raises(Refused) as altered:
        thief.get("card", record.id)
    assert altered.value.code == "sealing.altered"


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE records SET sealed = (SELECT sealed FROM records WHERE id = :b) WHERE id = :a",
        "UPDATE records SET version = 2 WHERE id = :a",
        "UPDATE records SET expires = 1 WHERE id = :a AND :b = :b",
        "UPDATE records SET lookup = zeroblob(32) WHERE id = :a",
        "UPDATE records SET sealed = zeroblob(60) WHERE id = :a",
    ],
)
def test_a_row_that_was_swapped_or_edited_does_not_open(database: Engine, ada: Vault, tampering: str) -> None:
    one, other = ada.put(ada.new("card", {"n": 1})), ada.put(ada.new("card", {"n": 2}))
    with writing(database) as connection:
        connection.execute(text(tampering), {"a": one.id, "b": other.id})
    with pytest.raises(Refused) as altered:
        ada.get("card", one.id)
    assert altered.value.code == "sealing.altered"
    assert ada.get("card", other.id).data == {"n": 2}


def test_a_row_moved_to_another_kind_does_not_open(database: Engine, ada: Vault) -> None:
    one = ada.put(ada.new("card", {"n": 1}))
    with writing(database) as connection:
        connection.execute(text("UPDATE records SET kind = 'event'"))
    with pytest.raises(Refused):
        ada.get("event", one.id)


def test_unfinished_business_is_forgotten_in_time_and_nothing_else_is(database: Engine, ada: Vault) -> None:
    offer = ada.put(ada.new("offer", {}, until=NOW + timedelta(minutes=30)))
    card = ada.put(ada.new("card", {}))
    store.forget_expired(database, now=NOW + timedelta(minutes=29))
    ada.get("offer", offer.id)
    store.forget_expired(database, now=NOW + timedelta(minutes=31))
    with pytest.raises(Refused):
        ada.get("offer", offer.id)
    ada.get("card", card.id)


def test_keys_are_handles_that_sign_and_stay_in_their_vault(accounts: Accounts, ada: Vault) -> None:
    keys = VaultKeys(ada)
    for alg in ("ES256", "EdDSA"):
        signer = keys.create(alg)
        again = keys.get(signer.kid)
        again.public.verify(b"message", again.sign(b"message"))
        assert again.public == signer.public
        assert not hasattr(again, "pkcs8")
        assert not hasattr(again, "native")
    assert keys.create("ES256").kid != keys.create("ES256").kid
    grace = VaultKeys(accounts.sign_up("Grace", "another good passphrase"))
    with pytest.raises(Refused) as unknown:
        grace.get(signer.kid)
    assert unknown.value.code == "key.unknown"
    record = keys.record(signer.kid)
    assert record is not None
    ada.commit(remove=(record,))
    with pytest.raises(Refused):
        again.sign(b"message")


def test_the_database_file_tells_nothing(database: Engine, accounts: Accounts, tmp_path: Path) -> None:
    ada = accounts.sign_up("Countess Ada", PASSPHRASE)
    ada.put(ada.new("card", {"family_name": "Lovelace", "wire": "eyJhbGciOi"}, lookup="urn:facet:lookup"))
    signer = VaultKeys(ada).create("ES256")
    pkcs8 = VaultKeys(ada).record(signer.kid)
    assert pkcs8 is not None
    with pytest.raises(Refused):
        _unlock(accounts, "Countess Ada", "a wrong passphrase", peer="192.0.2.77")
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert content.count(b"SQLite format 3") >= 1
    needles = [b"Countess", b"countess", b"Lovelace", b"family_name", b"eyJhbGciOi", b"urn:facet:lookup", b"192.0.2.77"]
    needles += [PASSPHRASE.encode(), ada.key.secret, ada.key.secret.hex().encode(), signer.kid.encode()]
    needles += [signer.public.x, str(pkcs8.data["pkcs8"]).encode()[:40], str(pkcs8.data["pkcs8"]).encode()[-40:]]
    assert [needle for needle in needles if needle in content] == []
    assert ada.id.encode() in content  # the scan can find what is there


def test_errors_of_accounts_tell_no_names(accounts: Accounts, ada: Vault) -> None:
    with pytest.raises(SsiError) as taken:
        accounts.sign_up("Ada", PASSPHRASE)
    assert "ada" not in taken.value.detail.lower()


def test_one_address_makes_only_so_many_wallets(accounts: Accounts) -> None:
    for _ in range(30):
        accounts.admit(peer="192.0.2.1", now=NOW)
    with pytest.raises(Throttled) as refusal:
        accounts.admit(peer="192.0.2.1", now=NOW)
    assert refusal.value.wait > 0
    accounts.admit(peer="192.0.2.2", now=NOW)
    accounts.admit(peer="192.0.2.1", now=NOW + timedelta(seconds=refusal.value.wait))
