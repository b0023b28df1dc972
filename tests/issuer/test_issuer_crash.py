"""A desk that is killed at any moment loses nothing, doubles nothing, and leaves nothing half done."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
from sqlalchemy import UniqueConstraint, event

from ssi.formats import sdjwt
from ssi.keys import SoftwareSigner
from tests.issuer.world import BASE, World, error, payload
from wallet.issuer import batches
from wallet.issuer.minting import Mint
from wallet.issuer.statuses import Publisher
from wallet.issuer.store import CREDENTIALS


class Killed(BaseException):
    """The process ends here: nothing catches it."""


def place(wire: str) -> tuple[str, int]:
    reference = payload(wire)["status"]["status_list"]
    return reference["uri"], reference["idx"]


def attempt(world: World, access: str) -> None:
    with pytest.raises(Killed):
        world.credential(access)


def killing(*_given: object, **_named: object) -> None:
    raise Killed


@pytest.mark.parametrize("where", ["begin", "allocate", "record", "sign"])
def test_a_kill_before_the_commit_leaves_no_trace(world: World, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    access = world.granted()
    targets: dict[str, tuple[object, str]] = {
        "allocate": (Publisher, "allocate"),
        "begin": (batches, "begin"),
        "record": (Mint, "record"),
        "sign": (sdjwt, "issue"),
    }
    with monkeypatch.context() as patch:
        patch.setattr(*targets[where], killing)  # type: ignore[call-overload]
        attempt(world, access)
    assert world.rows("credentials") == []
    assert sum(row["allocated"] for row in world.rows("status_lists")) == 0
    assert world.rows("batches") == world.rows("nonces") == []  # the nonce of the attempt was not spent
    world.app = world.start()  # type: ignore[misc]  # the desk comes up again
    assert world.credential(access).status_code == 200
    assert len(world.rows("credentials")) == 1


def test_a_kill_during_the_commit_leaves_no_trace(world: World) -> None:
    access = world.granted()
    statements: list[str] = []

    def before(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)
        if statement.startswith("INSERT INTO credentials"):
            raise Killed

    engine = _engine(world)
    event.listen(engine, "after_cursor_execute", before)
    attempt(world, access)
    event.remove(engine, "after_cursor_execute", before)
    assert any(statement.startswith("INSERT INTO credentials") for statement in statements)
    assert world.rows("credentials") == []
    assert world.credential(access).status_code == 200


def test_a_lost_answer_is_repeated_with_the_same_place(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    access = world.granted()
    body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [world.proof()]}}
    with monkeypatch.context() as patch:  # committed, then killed on the way out
        patch.setattr("wallet.issuer.web.credentials.json_answer", killing)
        with pytest.raises(Killed):
            world.credential(access, body)
    assert len(world.rows("credentials")) == 1
    world.app = world.start()  # type: ignore[misc]
    again = world.credential(access)
    assert again.status_code == 200
    rows = world.rows("credentials")
    assert len(rows) == 1
    assert sum(row["allocated"] for row in world.rows("status_lists")) == 1
    uri, index = place(again.json["credentials"][0]["credential"])
    assert (uri, index) == (f"{BASE}/status/{rows[0]['list_id']}", rows[0]["list_index"])
    third = world.credential(access)
    assert place(third.json["credentials"][0]["credential"]) == (uri, index)


def test_another_key_gets_another_copy_and_not_the_repetition(world: World) -> None:
    access = world.granted()
    first = world.credential(access).json["credentials"][0]["credential"]
    world.holder = SoftwareSigner.generate("ES256")
    second = world.credential(access).json["credentials"][0]["credential"]
    assert place(first) != place(second)
    assert len(world.rows("credentials")) == len(world.rows("batches")) == 2


def test_a_revoked_credential_is_not_repeated(world: World) -> None:
    access = world.granted()
    assert world.credential(access).status_code == 200
    world.desk("POST", f"/desk/credentials/{world.rows('credentials')[0]['id']}/revoke")
    assert error(world.credential(access)) == (400, "credential_request_denied")


def test_a_lost_token_costs_a_new_offer_and_nothing_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    identifier, uri, tx_code = world.offered()
    code = world.code(uri)
    with monkeypatch.context() as patch:
        patch.setattr("wallet.issuer.web.tokens.json_answer", killing)
        with pytest.raises(Killed):
            world.redeem(code, tx_code)
    assert error(world.redeem(code, tx_code)) == (400, "invalid_grant")
    uri, tx_code = world.offer(identifier)
    assert world.credential(world.token(uri, tx_code).json["access_token"]).status_code == 200


def test_an_issued_application_yields_no_second_credential(world: World) -> None:
    identifier, uri, tx_code = world.offered()
    assert world.credential(world.token(uri, tx_code).json["access_token"]).status_code == 200
    answer = world.desk("POST", f"/desk/applications/{identifier}/offer")
    assert (answer.status_code, answer.json["error"]) == (409, "offer.issued")


def test_the_database_itself_forbids_a_second_credential_for_a_key_of_a_grant() -> None:
    unique = {tuple(c.columns.keys()) for c in CREDENTIALS.constraints if isinstance(c, UniqueConstraint)}
    assert unique == {("list_id", "list_index"), ("grant_id", "configuration_id", "holder")}


def _engine(world: World) -> object:
    """The running desk's own database engine."""
    view: Callable[..., object] = world.app.view_functions["protocol.credential"]
    view = inspect.unwrap(view)
    closure = dict(zip(view.__code__.co_freevars, (cell.cell_contents for cell in view.__closure__ or ()), strict=True))
    return closure["office"].store


def test_everybody_takes_the_application_before_its_offers(world: World) -> None:
    """PostgreSQL locks rows in the order in which they are asked for: two orders would be a deadlock."""
    _ = world.app
    statements: list[str] = []

    def before(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(" ".join(statement.split()))

    _, uri, tx_code = world.offered()
    access = world.token(uri, tx_code).json["access_token"]
    event.listen(_engine(world), "before_cursor_execute", before)
    assert world.credential(access).status_code == 200
    event.remove(_engine(world), "before_cursor_execute", before)
    begun = statements.index("BEGIN IMMEDIATE")
    first = next(line for line in statements[begun:] if line.startswith("SELECT"))
    assert " FROM applications JOIN grants " in first
    assert not any(" FROM grants " in line or " FROM offers " in line for line in statements[begun:])
