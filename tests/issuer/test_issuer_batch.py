"""Batches: one-time copies of one card that nobody can link, made together or not at all."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from ssi import formats
from ssi.dids import multikey
from ssi.encoding import unb64url, wire_text
from ssi.issuerkeys import Keys
from ssi.keys import SoftwareSigner
from ssi.model import Credential
from ssi.oid4vci import keyattestation, vpproof
from ssi.trust import x509
from tests.issuer.world import BASE, World, error, payload
from tests.ssi.certificates import Authority, root
from wallet.issuer import kinds

every_kind = pytest.mark.parametrize("kind", kinds.every(), ids=lambda kind: kind.id)


def holders(number: int, alg: str = "ES256") -> list[SoftwareSigner]:
    return [SoftwareSigner.generate(alg) for _ in range(number)]


def ask(world: World, access: str, signers: Sequence[SoftwareSigner], **changes: Any) -> TestResponse:
    nonce = world.nonce()
    proofs = {"jwt": [world.proof(signer=one, nonce=nonce) for one in signers]}
    return world.credential(access, {"credential_configuration_id": "VerifiedPerson", "proofs": proofs, **changes})


def wires(answer: TestResponse) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [wire_text(each["credential"]) or "" for each in answer.json["credentials"]]


def places(world: World) -> dict[str, int]:
    return {row["holder"]: row["list_index"] for row in world.rows("credentials")}


def disclosures(wire: str) -> list[Any]:
    return [json.loads(unb64url(part)) for part in wire.split("~")[1:-1]]


class TestUnlinkable:
    def test_copies_share_nothing_but_what_all_cards_of_the_day_share(self, world: World) -> None:
        signers = holders(5)
        world.clock.pass_time(minutes=3, seconds=17)
        cards = wires(ask(world, world.granted(), signers))
        bodies = [payload(card) for card in cards]
        assert [body["cnf"]["jwk"]["x"] for body in bodies] == [one.public.jwk["x"] for one in signers]
        salts = [salt for card in cards for salt, *_ in disclosures(card)]
        assert len(set(salts)) == len(salts) > 50
        assert all(len(unb64url(salt)) >= 16 for salt in salts)
        digests = [digest for body in bodies for digest in body["_sd"]]
        assert len(set(digests)) == len(digests)
        indexes = [body["status"]["status_list"]["idx"] for body in bodies]
        assert len(set(indexes)) == 5
        assert sorted(indexes) != list(range(min(indexes), min(indexes) + 5))
        assert len({body["status"]["status_list"]["uri"] for body in bodies}) == 1
        assert len({card.partition("~")[0].rpartition(".")[2] for card in cards}) == 5  # signatures
        for own in ("cnf", "status", "_sd", "document"):
            for body in bodies:
                body.pop(own, None)
        assert all(body == bodies[0] for body in bodies)  # times, issuer, type: all alike

    def test_times_are_those_of_the_day(self, world: World) -> None:
        _ = world.settings  # the desk's certificate is of the day before yesterday
        world.clock.pass_time(days=2, hours=5, minutes=7, seconds=9)
        body = payload(world.issued())
        assert body["iat"] % 86_400 == 0
        assert body["nbf"] % 86_400 == 0
        assert body["exp"] % 86_400 == 0 or body["exp"] == int(x509.leaf(world_chain(world)).not_after.timestamp())
        assert world.clock().timestamp() - body["iat"] < 86_400
        row = world.rows("credentials")[0]
        assert row["issued_at"] == int(world.clock().timestamp())  # the desk itself knows

    def test_no_card_is_older_than_the_desks_certificate(self, world: World) -> None:
        body = payload(world.issued())
        assert body["iat"] == int(x509.leaf(world_chain(world)).not_before.timestamp())

    @every_kind
    def test_every_form_comes_in_copies(self, world: World, kind: kinds.Kind) -> None:
        signers = holders(2)
        uri, tx_code = world.offer(world.apply().json["id"], kind=kind.id)
        access = world.token(uri, tx_code).json["access_token"]
        cards = wires(ask(world, access, signers, credential_configuration_id=kind.id))
        form = formats.by_id(kind.format)
        opened = [
            form.check(Credential(kind.format, card), keys=Keys(world.fetch), now=world.clock()) for card in cards
        ]
        assert [each.holder for each in opened] == [one.public for one in signers]
        assert len({each.valid_from for each in opened} | {each.issued_at for each in opened} - {None}) == 1
        assert len({each.valid_until for each in opened}) == 1
        assert len({status.index for each in opened for status in each.statuses}) == 2


def world_chain(world: World) -> tuple[bytes, ...]:
    return x509.read_certificates(world.settings.signing_cert.read_bytes())


class TestRules:
    def test_the_metadata_says_how_many(self, world: World) -> None:
        metadata = world.get("/.well-known/openid-credential-issuer").json
        assert metadata["batch_credential_issuance"] == {"batch_size": 10}

    def test_more_than_that_are_refused_and_nothing_is_issued(self, world: World) -> None:
        assert error(ask(world, world.granted(), holders(11))) == (400, "invalid_proof")
        assert world.rows("credentials") == world.rows("nonces") == []

    def test_a_desk_without_batches_says_none(self, tmp_path: Path) -> None:
        world = World(tmp_path, options={"BATCH_SIZE": "1"})
        assert "batch_credential_issuance" not in world.get("/.well-known/openid-credential-issuer").json
        assert error(ask(world, world.granted(), holders(2))) == (400, "invalid_proof")

    def test_two_proofs_for_one_key_are_refused(self, world: World) -> None:
        one = holders(1)
        assert error(ask(world, world.granted(), one * 2)) == (400, "invalid_proof")

    def test_a_nonce_serves_one_request_and_all_of_its_proofs(self, world: World) -> None:
        access, nonce = world.granted(), world.nonce()
        proofs = {"jwt": [world.proof(signer=one, nonce=nonce) for one in holders(3)]}
        body = {"credential_configuration_id": "VerifiedPerson", "proofs": proofs}
        assert world.credential(access, body).status_code == 200
        assert error(world.credential(access, body)) == (400, "invalid_nonce")
        other = {"jwt": [world.proof(signer=holders(1)[0], nonce=nonce)]}
        answer = world.credential(access, {**body, "proofs": other})
        assert error(answer) == (400, "invalid_nonce")
        assert len(world.rows("credentials")) == 3

    def test_each_nonce_must_be_fresh(self, world: World) -> None:
        access, used = world.granted(), world.nonce()
        one, two = holders(2)
        spent = {"jwt": [world.proof(signer=one, nonce=used)]}
        body = {"credential_configuration_id": "VerifiedPerson", "proofs": spent}
        assert world.credential(access, body).status_code == 200
        mixed = {"jwt": [world.proof(signer=one, nonce=world.nonce()), world.proof(signer=two, nonce=used)]}
        assert error(world.credential(access, {**body, "proofs": mixed})) == (400, "invalid_nonce")
        old = world.nonce()
        world.clock.pass_time(minutes=4, seconds=59)
        assert error(world.credential(access, {**body, "proofs": {"jwt": [world.proof(nonce=old + "x")]}})) == (
            400,
            "invalid_nonce",
        )

    def test_nonces_are_fresh_and_not_stored_by_anybody(self, world: World) -> None:
        answers = [world.post("/nonce") for _ in range(3)]
        assert len({answer.json["c_nonce"] for answer in answers}) == 3
        assert all(answer.headers["Cache-Control"] == "no-store" for answer in answers)
        assert world.rows("nonces") == []

    def test_one_bad_proof_spoils_the_batch(self, world: World) -> None:
        access, nonce = world.granted(), world.nonce()
        proofs = [world.proof(signer=one, nonce=nonce) for one in holders(2)]
        proofs[1] = proofs[1][:-4] + ("AAAA" if proofs[1][-4:] != "AAAA" else "BBBB")
        body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": proofs}}
        assert error(world.credential(access, body)) == (400, "invalid_proof")
        assert world.rows("credentials") == []


class TestLostAnswers:
    def test_the_same_keys_get_the_same_copies_again(self, world: World) -> None:
        access, signers = world.granted(), holders(3)
        first = ask(world, access, signers)
        before = places(world)
        second = ask(world, access, list(reversed(signers)))
        assert places(world) == before
        assert second.json["notification_id"] == first.json["notification_id"]
        said = [payload(card)["status"]["status_list"]["idx"] for card in wires(second)]
        assert said == [before[one.public.kid] for one in reversed(signers)]

    def test_new_keys_beside_old_ones_get_new_copies(self, world: World) -> None:
        access, signers = world.granted(), holders(3)
        ask(world, access, signers[:2])
        before = places(world)
        assert len(wires(ask(world, access, signers[1:]))) == 2
        after = places(world)
        assert {holder: after[holder] for holder in before} == before
        assert len(after) == 3

    def test_there_is_an_end_to_it(self, tmp_path: Path) -> None:
        world = World(tmp_path, options={"BATCH_SIZE": "2"})
        access = world.granted()
        for _ in range(5):
            assert len(wires(ask(world, access, holders(2)))) == 2
        assert error(ask(world, access, holders(1))) == (400, "credential_request_denied")
        assert len(world.rows("credentials")) == 10

    def test_the_person_is_forgotten_unless_copies_may_follow(self, tmp_path: Path) -> None:
        for days, minutes in (("0", 10), ("3", 3 * 24 * 60)):
            world = World(tmp_path / days, options={"COPIES_DAYS": days})
            world.issued()
            row = world.rows("applications")[0]
            assert row["erase_at"] == int((world.clock() + timedelta(minutes=minutes)).timestamp())


class TestDesk:
    def test_one_line_for_a_batch_and_one_act_for_all_of_it(self, world: World) -> None:
        ask(world, world.granted(), holders(3))
        listed = world.desk("GET", "/desk/credentials").json["credentials"]
        assert [each["copies"] for each in listed] == [3]
        answer = world.desk("POST", f"/desk/credentials/{listed[0]['id']}/suspend")
        assert answer.json["state"] == "suspended"
        assert {row["status"] for row in world.rows("credentials")} == {2}
        assert world.rows("status_lists")[0]["changes"] == 1
        world.desk("POST", f"/desk/credentials/{world.rows('credentials')[1]['id']}/revoke")
        assert {row["status"] for row in world.rows("credentials")} == {1}

    def test_a_withdrawn_card_gets_no_further_copies(self, world: World) -> None:
        access, signers = world.granted(), holders(2)
        ask(world, access, signers[:1])
        identifier = world.rows("credentials")[0]["id"]
        world.desk("POST", f"/desk/credentials/{identifier}/suspend")
        assert error(ask(world, access, signers[1:])) == (400, "credential_request_denied")
        world.desk("POST", f"/desk/credentials/{identifier}/resume")
        assert ask(world, access, signers[1:]).status_code == 200

    def test_pages_show_copies_and_what_the_wallet_said(self, world: World) -> None:
        access = world.granted()
        made = ask(world, access, holders(3)).json
        told = {"notification_id": made["notification_id"], "event": "credential_failure", "event_description": "Full."}
        headers = {"Authorization": f"Bearer {access}"}
        assert world.post("/notification", json=told, headers=headers).status_code == 204
        for path in ("/desk/credentials", f"/desk/credentials/{world.rows('credentials')[0]['id']}"):
            page = world.client().get(
                path, base_url=BASE, headers={"Authorization": f"Bearer {world.desk_token}", "Accept": "text/html"}
            )
            assert page.status_code == 200
            assert "Could not be stored" in page.text
        assert "3, each for one showing" in page.text
        assert "Full." in page.text


class TestProofTypes:
    def test_a_presentation_proves_a_key_for_linked_data(self, world: World) -> None:
        uri, tx_code = world.offer(world.apply().json["id"], kind="VerifiedPersonEcdsa")
        access = world.token(uri, tx_code).json["access_token"]
        nonce, signers = world.nonce(), holders(2)
        shown = [presented(world, one, nonce) for one in signers]
        body = {"credential_configuration_id": "VerifiedPersonEcdsa", "proofs": {"di_vp": shown}}
        assert len(wires(world.credential(access, body))) == 2
        assert error(world.credential(access, body)) == (400, "invalid_nonce")

    def test_a_presentation_cannot_send_the_desk_to_an_address(self, world: World) -> None:
        uri, tx_code = world.offer(world.apply().json["id"], kind="VerifiedPersonEcdsa")
        access = world.token(uri, tx_code).json["access_token"]
        shown = vpproof.make(
            signer=world.holder,
            verification_method="did:web:asleep.test#1",
            suite="ecdsa-rdfc-2019",
            audience=BASE,
            nonce=world.nonce(),
            now=world.clock(),
        )
        body = {"credential_configuration_id": "VerifiedPersonEcdsa", "proofs": {"di_vp": [shown]}}
        assert error(world.credential(access, body)) == (400, "invalid_proof")


def presented(world: World, signer: SoftwareSigner, nonce: str) -> dict[str, Any]:
    did = "did:key:" + multikey.encode(signer.public)
    method = f"{did}#{did.removeprefix('did:key:')}"
    terms = {"suite": "ecdsa-rdfc-2019", "audience": BASE, "nonce": nonce, "now": world.clock()}
    return vpproof.make(signer=signer, verification_method=method, **terms)


class TestKeyAttestations:
    def attest(
        self, world: World, signers: Sequence[SoftwareSigner], *, nonce: str, by: Authority | None = None
    ) -> str:
        """By a provider whom an authority certifies; without one, by one that nobody knows."""
        provider = SoftwareSigner.generate("ES256")
        return keyattestation.make(
            signer=provider,
            x5c=((by or root()).certify(provider.public),),
            keys=[one.public for one in signers],
            now=world.clock(),
            lifetime=timedelta(hours=1),
            nonce=nonce,
        )

    def world(self, folder: Path, mode: str) -> World:
        anchors = folder / "anchors.pem"
        anchors.write_text(pem(root().der))
        options = {"KEY_ATTESTATION": mode, "WALLET_ANCHORS": str(anchors)}
        return World(folder, options=options)

    def trusted(self, world: World, signers: Sequence[SoftwareSigner]) -> tuple[World, str]:
        """A desk that trusts whoever made the attestation."""
        authority = root()
        Path(world.options["WALLET_ANCHORS"]).write_text(pem(authority.der))
        return world, self.attest(world, signers, nonce=world.nonce(), by=authority)

    def test_an_attestation_alone_binds_every_attested_key(self, tmp_path: Path) -> None:
        world, attestation = self.trusted(self.world(tmp_path, "on"), signers := holders(3))
        body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"attestation": [attestation]}}
        access = world.granted()
        cards = wires(world.credential(access, body))
        assert [payload(card)["cnf"]["jwk"]["x"] for card in cards] == [one.public.jwk["x"] for one in signers]
        assert error(world.credential(access, body)) == (400, "invalid_nonce")

    def test_beside_a_proof_it_brings_the_other_keys(self, tmp_path: Path) -> None:
        world, attestation = self.trusted(self.world(tmp_path, "required"), signers := holders(3))
        configuration = world.get("/.well-known/openid-credential-issuer").json
        listed = configuration["credential_configurations_supported"]["VerifiedPerson"]["proof_types_supported"]
        assert {name: each["key_attestations_required"] for name, each in listed.items()} == {
            "jwt": {},
            "attestation": {},
        }
        access = world.granted()
        proof = world.proof(signer=signers[0], key_attestation=attestation)
        body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [proof]}}
        assert len(wires(world.credential(access, body))) == 3
        plain = {"jwt": [world.proof()]}
        assert error(world.credential(access, {**body, "proofs": plain})) == (400, "invalid_proof")

    def test_a_strangers_word_counts_for_nothing(self, tmp_path: Path) -> None:
        world = self.world(tmp_path, "on")
        stranger = self.attest(world, signers := holders(2), nonce=world.nonce())
        alone = {"credential_configuration_id": "VerifiedPerson", "proofs": {"attestation": [stranger]}}
        access = world.granted()
        assert error(world.credential(access, alone)) == (400, "invalid_proof")
        beside = {"jwt": [world.proof(signer=signers[0], key_attestation=stranger)]}
        cards = wires(world.credential(access, {**alone, "proofs": beside}))
        assert len(cards) == 1  # the key that proved itself, and no other

    def test_a_desk_that_reads_none_lists_none(self, tmp_path: Path) -> None:
        world = self.world(tmp_path, "off")
        listed = world.get("/.well-known/openid-credential-issuer").json["credential_configurations_supported"]
        assert set(listed["VerifiedPerson"]["proof_types_supported"]) == {"jwt"}
        nonce = world.nonce()
        stranger = self.attest(world, [world.holder], nonce=nonce)
        body = {"credential_configuration_id": "VerifiedPerson", "proofs": {"attestation": [stranger]}}
        assert error(world.credential(world.granted(), body)) == (400, "invalid_proof")

    def test_an_attested_key_must_be_one_that_can_be_bound(self, tmp_path: Path) -> None:
        world, attestation = self.trusted(self.world(tmp_path, "on"), holders(1, "ES512"))
        uri, tx_code = world.offer(world.apply().json["id"], kind="VerifiedPersonCredential")
        access = world.token(uri, tx_code).json["access_token"]
        body = {"credential_configuration_id": "VerifiedPersonCredential", "proofs": {"attestation": [attestation]}}
        assert error(world.credential(access, body)) == (400, "invalid_proof")


def pem(der: bytes) -> str:

    return "-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der).decode() + "-----END CERTIFICATE-----\n"
