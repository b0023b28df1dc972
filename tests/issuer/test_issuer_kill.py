"""A desk process that really dies (no rollback, no clean-up) in the middle of issuing; and many wallets at once."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ssi.keys import SoftwareSigner
from tests.issuer.world import World, payload

CHILD = """
import json, os, sys
from pathlib import Path
from tests.issuer.world import World
from ssi.formats import sdjwt
from wallet.issuer.web import credentials

def die(*_given, **_named):
    os._exit(9)

folder, stage = Path(sys.argv[1]), sys.argv[2]
world = World(folder)
access = world.granted()
body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [world.proof()]}}
(folder / "notes.json").write_text(json.dumps({"access": access, "key": world.holder.pkcs8().hex(), "body": body}))
if stage == "signing":
    sdjwt.issue = die
else:
    credentials.json_answer = die
world.credential(access, body)
"""


@pytest.mark.parametrize(("stage", "recorded"), [("signing", 0), ("answering", 1)])
def test_a_killed_desk_comes_back_with_all_or_nothing(tmp_path: Path, stage: str, recorded: int) -> None:
    root = str(Path(__file__).parents[2])
    child = subprocess.run([sys.executable, "-c", CHILD, str(tmp_path), stage], cwd=root, check=False, timeout=60)
    assert child.returncode == 9
    notes = json.loads((tmp_path / "notes.json").read_text())
    world = World(tmp_path, holder=SoftwareSigner.from_pkcs8(bytes.fromhex(notes["key"])))
    assert len(world.rows("credentials")) == recorded
    assert sum(row["allocated"] for row in world.rows("status_lists")) == recorded
    repeated = world.credential(notes["access"], notes["body"])  # the very same bytes again
    if recorded:
        assert repeated.json["error"] == "invalid_nonce"  # spent; the wallet fetches another and asks again
        repeated = world.credential(notes["access"])
    assert repeated.status_code == 200, repeated.text
    rows = world.rows("credentials")
    assert len(rows) == 1
    assert (
        payload(repeated.json["credentials"][0]["credential"])["status"]["status_list"]["idx"] == rows[0]["list_index"]
    )


def test_of_many_wallets_with_one_code_one_gets_a_token(world: World) -> None:
    _, uri, tx_code = world.offered()
    code = world.code(uri)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: world.redeem(code, tx_code).status_code, range(4)))
    assert sorted(answers) == [200, 400, 400, 400]


def test_of_many_requests_with_one_nonce_one_gets_a_credential(world: World) -> None:
    access, nonce = world.granted(), world.nonce()
    proofs = [world.proof(signer=SoftwareSigner.generate("ES256"), nonce=nonce) for _ in range(4)]

    def ask(proof: str) -> int:
        body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [proof]}}
        return world.credential(access, body).status_code

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, proofs))
    assert sorted(answers) == [200, 400, 400, 400]
    assert len(world.rows("credentials")) == 1


def test_one_proof_sent_many_times_is_used_once(world: World) -> None:
    access = world.granted()
    body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [world.proof()]}}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: world.credential(access, body).status_code, range(4)))
    assert sorted(answers) == [200, 400, 400, 400]
    assert len(world.rows("credentials")) == 1
