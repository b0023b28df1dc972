"""Who brings this request? DPoP proofs, nonces, wallet attestations, refresh tokens: every rule with its no."""

from __future__ import annotations

import json
import ssl
from datetime import timedelta
from typing import Any

import pytest

from ssi.errors import Refused
from ssi.keys import SoftwareSigner
from ssi.model import Issuer, Outcome
from ssi.oauth import AuthorizationServer, clients, dpop
from tests.issuer.applicant import BACK, CLIENT, Applicant, Provider, listed, offered
from tests.issuer.world import BASE, World, error
from tests.ssi.certificates import root
from wallet.issuer import attesting
from wallet.issuer.office import read_attesting
from wallet.issuer.web import check

AUTHORITY = root()


@pytest.fixture
def me(world: World) -> Applicant:
    return Applicant(listed(world))


@pytest.fixture
def attested(world: World) -> Applicant:
    """A wallet with an attestation, at a desk that wants one; nobody has listed it."""
    return Applicant(wanting(world, "REQUIRE_ATTESTATION"), Provider(world, AUTHORITY))


def wanting(world: World, *flags: str) -> World:
    path = world.folder / "providers.pem"
    path.write_text(ssl.DER_cert_to_PEM_cert(AUTHORITY.der))
    world.options = {"WALLET_ANCHORS": str(path), **dict.fromkeys(flags, "true")}
    return world


def body(world: World) -> dict[str, Any]:
    return {"credential_configuration_id": "VerifiedPerson", "proofs": {"jwt": [world.proof()]}}


def pre_authorized(me: Applicant, headers: dict[str, str], **more: str) -> Any:
    _, uri, tx_code = me.world.offered()
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:pre-authorized_code",
        "pre-authorized_code": me.world.code(uri),
        "tx_code": tx_code,
    }
    return me.world.post("/token", data={**form, **more}, headers=headers)


class TestDpop:
    def test_the_token_endpoint_wants_its_nonce_and_spends_nothing_without(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        code = me.code(reference, tx_code)
        for proof in (me.proof("/token"), me.proof("/token", nonce="made-up")):
            answer = me.redeem(code, {dpop.HEADER: proof})
            assert error(answer) == (400, "use_dpop_nonce")
        nonce = answer.headers[dpop.NONCE_HEADER]
        assert me.redeem(code, {dpop.HEADER: me.proof("/token", nonce=nonce)}).status_code == 200

    def test_nonces_are_for_one_server_and_five_minutes(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        code = me.code(reference, tx_code)
        other = me.world.post("/nonce").headers[dpop.NONCE_HEADER]
        assert error(me.redeem(code, me.headers("/token", nonce=other))) == (400, "use_dpop_nonce")
        token = me.redeem(code).json["access_token"]
        mine = me.nonce()
        headers = {"Authorization": f"DPoP {token}"}
        wrong = {**headers, dpop.HEADER: me.proof("/credential", nonce=mine, access_token=token)}
        assert error(me.credential(token, body(me.world), wrong)) == (401, "use_dpop_nonce")
        late = me.nonce()
        me.world.clock.pass_time(minutes=5)
        assert error(me.refresh("x", me.headers("/token", nonce=late))) == (400, "use_dpop_nonce")

    def test_a_proof_is_good_once(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        headers = me.headers("/token", nonce=me.nonce())
        token = me.redeem(me.code(reference, tx_code), headers).json
        assert error(me.refresh(token["refresh_token"], headers)) == (400, "invalid_dpop_proof")
        nonce = me.world.post("/nonce").headers[dpop.NONCE_HEADER]
        proof = me.proof("/credential", nonce=nonce, access_token=token["access_token"])
        shown = {"Authorization": f"DPoP {token['access_token']}", dpop.HEADER: proof}
        assert me.credential(token["access_token"], body(me.world), shown).status_code == 200
        assert error(me.credential(token["access_token"], body(me.world), shown)) == (401, "invalid_dpop_proof")
        me.world.clock.pass_time(minutes=7)
        me.world.post("/nonce")
        assert me.world.rows("replays") == []  # swept

    @pytest.mark.parametrize(
        "terms",
        [
            {"method": "GET"},
            {"url": f"{BASE}/credential"},
            {"url": "https://evil.test/token"},
            {"now": -10},
            {"now": 10},
            {"jti": ""},
        ],
    )
    def test_flawed_proofs(self, me: Applicant, terms: dict[str, Any]) -> None:
        if "now" in terms:
            terms = {"now": me.world.clock() + timedelta(minutes=terms["now"])}
        answer = me.refresh("x", {dpop.HEADER: me.proof("/token", nonce=me.nonce(), **terms)})
        assert error(answer) == (400, "invalid_dpop_proof")

    def test_two_proofs_are_none(self, me: Applicant) -> None:
        proof = me.proof("/token", nonce=me.nonce())
        assert error(me.refresh("x", {dpop.HEADER: f"{proof}, {proof}"})) == (400, "invalid_request")

    def test_a_bound_token_is_nothing_without_its_key(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        token = me.redeem(me.code(reference, tx_code)).json["access_token"]
        answer = me.world.credential(token)
        assert error(answer) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer error=")
        bare = me.credential(token, body(me.world), {"Authorization": f"DPoP {token}"})
        assert error(bare) == (401, "invalid_dpop_proof")
        assert 'algs="ES256 ES384 EdDSA"' in bare.headers["WWW-Authenticate"]
        me.key = SoftwareSigner.generate("ES256")
        assert error(me.credential(token, body(me.world))) == (401, "invalid_token")

    def test_a_free_token_is_not_one_for_a_key(self, me: Applicant) -> None:
        assert error(me.credential(me.world.granted(), body(me.world))) == (401, "invalid_token")

    def test_a_proof_is_for_one_token(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        token = me.redeem(me.code(reference, tx_code)).json["access_token"]
        nonce = me.world.post("/nonce").headers[dpop.NONCE_HEADER]
        for ath in ("another", None):
            proof = me.proof("/credential", nonce=nonce, access_token=ath)
            headers = {"Authorization": f"DPoP {token}", dpop.HEADER: proof}
            assert error(me.credential(token, body(me.world), headers)) == (401, "invalid_dpop_proof")

    def test_pre_authorized_tokens_can_be_bound_too(self, me: Applicant) -> None:
        token = pre_authorized(me, me.headers("/token", nonce=me.nonce())).json
        assert token["token_type"] == "DPoP"
        assert me.credential(token["access_token"], body(me.world)).status_code == 200

    def test_a_token_in_the_address_counts_for_nothing(self, me: Applicant) -> None:
        token = me.world.granted()
        answer = me.world.post("/credential", query_string={"access_token": token}, json=body(me.world))
        assert error(answer) == (401, "invalid_token")

    def test_a_desk_may_want_keys_always(self, world: World) -> None:
        world.options = {"REQUIRE_DPOP": "true"}
        me = Applicant(world)
        assert error(pre_authorized(me, {})) == (400, "invalid_dpop_proof")
        assert pre_authorized(me, me.headers("/token", nonce=me.nonce())).status_code == 200


class TestRefresh:
    def test_it_brings_another_token_for_the_same_key(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        first = me.redeem(me.code(reference, tx_code)).json
        me.world.clock.pass_time(minutes=4)
        second = me.refresh(first["refresh_token"]).json
        assert second["access_token"] != first["access_token"]
        assert second["token_type"] == "DPoP"
        me.world.clock.pass_time(minutes=4)
        assert error(me.credential(first["access_token"], body(me.world))) == (401, "invalid_token")
        assert me.credential(second["access_token"], body(me.world)).status_code == 200
        assert me.refresh(first["refresh_token"]).status_code == 200  # not rotated: it is bound to the key

    def test_it_is_good_for_nobody_else(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        first = me.redeem(me.code(reference, tx_code)).json
        assert error(me.refresh(first["refresh_token"], {})) == (400, "invalid_grant")
        assert error(me.refresh(first["access_token"])) == (400, "invalid_grant")
        form = {
            "grant_type": "refresh_token",
            "refresh_token": first["refresh_token"],
            "client_id": "https://other.test",
        }
        answer = me.world.post("/token", data=form, headers=me.headers("/token", nonce=me.nonce()))
        assert error(answer) == (400, "invalid_grant")
        own, me.key = me.key, SoftwareSigner.generate("ES256")
        assert error(me.refresh(first["refresh_token"])) == (400, "invalid_grant")
        me.key = own
        me.world.clock.pass_time(days=31)
        assert error(me.refresh(first["refresh_token"])) == (400, "invalid_grant")

    def test_it_is_no_access_token(self, me: Applicant) -> None:
        reference, _, tx_code = offered(me.world)
        again = me.redeem(me.code(reference, tx_code)).json["refresh_token"]
        assert error(me.credential(again, body(me.world))) == (401, "invalid_token")
        assert again not in json.dumps(me.world.rows("tokens"))


class TestAttestation:
    def test_the_metadata_says_so(self, attested: Applicant) -> None:
        found = attested.world.get("/.well-known/oauth-authorization-server").data
        server = AuthorizationServer.parse(found, issuer=BASE)
        assert server.auth_methods == ("attest_jwt_client_auth",)
        assert (server.challenge_endpoint, server.anonymous_access) == (f"{BASE}/challenge", False)
        assert "ES256" in server.attestation_algs
        assert "ES256" in server.attestation_pop_algs

    def test_a_wallet_that_nobody_listed_gets_a_card(self, attested: Applicant) -> None:
        reference, _, tx_code = offered(attested.world)
        answer = attested.redeem(attested.code(reference, tx_code))
        assert answer.status_code == 200, answer.text
        assert answer.headers[clients.CHALLENGE_HEADER]
        assert attested.credential(answer.json["access_token"], body(attested.world)).status_code == 200

    @pytest.mark.parametrize(
        ("redirect_uri", "good"),
        [
            ("https://anywhere.test/cb", True),
            ("com.example.wallet:/cb", True),
            ("http://127.0.0.1:7000/cb", True),
            ("http://anywhere.test/cb", False),
            ("wallet:/cb", False),
            ("javascript:alert(1)", False),
            ("data:text/html,x", False),
            ("https://anywhere.test/cb#x", False),
            ("https://user@anywhere.test/cb", False),
            ("https://anywhere.test/cb;form-action *", False),
            ("https:///cb", False),
            ("/cb", False),
        ],
    )
    def test_it_names_its_own_way_back(self, attested: Applicant, redirect_uri: str, good: bool) -> None:
        answer = attested.push(redirect_uri=redirect_uri)
        if good:
            assert answer.status_code == 201
        else:
            assert error(answer) == (400, "invalid_request")

    def test_without_one_nothing_is_to_be_had(self, attested: Applicant) -> None:
        assert error(attested.push({})) == (401, "invalid_client")
        assert error(pre_authorized(attested, {})) == (401, "invalid_client")
        assert pre_authorized(attested, attested.attested()).status_code == 200

    def test_a_challenge_must_be_this_servers_and_fresh(self, attested: Applicant) -> None:
        answer = attested.world.post("/challenge")
        assert answer.headers["Cache-Control"] == "no-store"
        old = answer.json["attestation_challenge"]
        for challenge in (None, "made-up", attested.nonce()):
            refused = attested.push(attested.attested(challenge=challenge))
            assert error(refused) == (400, "use_attestation_challenge")
        fresh = refused.headers[clients.CHALLENGE_HEADER]
        assert attested.push(attested.attested(challenge=fresh)).status_code == 201
        attested.world.clock.pass_time(minutes=5)
        assert error(attested.push(attested.attested(challenge=old))) == (400, "use_attestation_challenge")

    def test_a_proof_of_possession_is_good_once(self, attested: Applicant) -> None:
        headers = attested.attested()
        assert attested.push(headers).status_code == 201
        assert error(attested.push(headers)) == (401, "invalid_client")

    def test_an_untrusted_provider_vouches_for_nobody(self, attested: Applicant) -> None:
        attested.provider = Provider(attested.world, root("Somebody else", alg="ES256"))
        assert error(attested.push()) == (401, "invalid_client")

    @pytest.mark.parametrize(
        "pop",
        [
            {"audience": f"{BASE}/token"},
            {"audience": "https://other.test"},
            {"signer": SoftwareSigner.generate("ES256")},
            {"jti": ""},
        ],
    )
    def test_flawed_proofs_of_possession(self, attested: Applicant, pop: dict[str, Any]) -> None:
        assert error(attested.push(attested.attested(**pop))) == (401, "invalid_client")

    def test_half_an_attestation_is_none(self, attested: Applicant) -> None:
        for name in (clients.HEADER, clients.POP_HEADER):
            headers = attested.attested()
            del headers[name]
            assert error(attested.push(headers)) == (401, "invalid_client")

    def test_the_client_is_who_is_attested(self, attested: Applicant) -> None:
        assert error(attested.push(client_id="https://other.test")) == (401, "invalid_client")

    def test_a_code_stays_with_the_attested_key(self, attested: Applicant) -> None:
        reference, _, tx_code = offered(attested.world)
        code = attested.code(reference, tx_code)
        own, attested.instance = attested.instance, SoftwareSigner.generate("ES256")
        assert error(attested.redeem(code)) == (400, "invalid_grant")
        attested.instance = own
        token = attested.redeem(code).json
        attested.instance = SoftwareSigner.generate("ES256")
        assert error(attested.refresh(token["refresh_token"])) == (400, "invalid_grant")
        attested.instance = own
        assert attested.refresh(token["refresh_token"]).status_code == 200

    def test_a_refresh_token_is_the_attested_wallets_whatever_its_dpop_key(self, attested: Applicant) -> None:
        """RFC 9449 §5 binds refresh tokens of public clients only; this one is bound to the attested key."""
        reference, _, tx_code = offered(attested.world)
        first = attested.redeem(attested.code(reference, tx_code)).json
        old, attested.key = attested.key, SoftwareSigner.generate("ES256")
        second = attested.refresh(first["refresh_token"]).json
        assert second["token_type"] == "DPoP"
        assert attested.credential(second["access_token"], body(attested.world)).status_code == 200
        assert error(attested.credential(first["access_token"], body(attested.world))) == (401, "invalid_token")
        assert error(attested.refresh(first["refresh_token"], attested.attested())) == (400, "invalid_grant")
        attested.key = old
        assert error(attested.credential(second["access_token"], body(attested.world))) == (401, "invalid_token")
        assert attested.credential(first["access_token"], body(attested.world)).status_code == 200

    def test_a_listed_wallet_keeps_to_its_list_even_when_attested(self, world: World) -> None:
        me = Applicant(listed(wanting(world)), Provider(world, AUTHORITY))
        assert error(me.push(redirect_uri="https://anywhere.test/cb")) == (400, "invalid_request")
        assert me.push(redirect_uri=BACK).status_code == 201

    def test_a_public_wallet_cannot_take_over_an_attested_ones_code(self, world: World) -> None:
        me = Applicant(listed(wanting(world)), Provider(world, AUTHORITY))
        reference, _, tx_code = offered(world)
        code = me.code(reference, tx_code)
        plain = {dpop.HEADER: me.proof("/token", nonce=me.nonce())}
        assert error(me.redeem(code, plain, client_id=CLIENT)) == (400, "invalid_grant")


def test_the_profile_wants_keys_attestations_and_scopes(world: World) -> None:
    """HAIP 1.0 §4.3, §4.4: all of it without a further flag."""
    wanting(world)
    world.options = {**world.options, "PROFILE": "haip"}
    me = Applicant(world, Provider(world, AUTHORITY))
    assert error(me.push({})) == (401, "invalid_client")
    assert error(me.push(scope=(), details=("VerifiedPerson",))) == (400, "invalid_scope")
    reference, _, tx_code = offered(world)
    code = me.code(reference, tx_code)
    assert error(me.redeem(code, me.attested())) == (400, "invalid_dpop_proof")
    assert me.redeem(code).json["token_type"] == "DPoP"


@pytest.mark.parametrize(("options", "told"), [({}, "trust."), ({"PROFILE": "haip"}, "haip.x5c")])
def test_the_profile_believes_key_attestations_with_a_certificate_only(
    world: World, options: dict[str, str], told: str
) -> None:
    """HAIP 1.0 §4.5.1: whatever else a trust declaration names."""
    wanting(world)
    world.options = {**world.options, **options}
    believed = read_attesting(world.settings, fetch=world.fetch)
    by_name = Issuer("did:web:provider.test", kid="did:web:provider.test#1")
    assert believed.trust is not None
    finding = believed.trust.judge(by_name, attesting.TYPE, now=world.clock())
    assert finding.outcome is Outcome.FAIL
    assert finding.code.startswith(told)
    assert ("4.5.1" in finding.detail) is bool(options)


class TestSettings:
    def values(self, world: World, **options: str) -> dict[str, str]:
        _ = world.settings
        usual = {"DATA": str(world.folder), "BASE_URL": BASE, **options}
        return {f"FACET_ISSUER_{name}": value for name, value in usual.items()}

    def test_the_list_of_wallets_is_read_at_the_start(self, world: World) -> None:
        for number, content in enumerate(
            (
                "nonsense",
                "{}",
                '{"clients": {"a": {}}}',
                '{"clients": {"a": {"redirect_uris": ["javascript:x"]}}}',
                '{"clients": {"a": {"name": 7, "redirect_uris": []}}}',
            )
        ):
            path = world.folder / f"wallets-{number}.json"
            path.write_text(content)
            with pytest.raises(Exception, match=r"encoding\.json|settings\.wallets"):
                check(self.values(world, WALLETS=str(path)))

    def test_attestations_cannot_be_wanted_without_knowing_whose(self, world: World) -> None:
        _ = world.settings
        (world.folder / "trust" / "wallet-provider-ca.pem").unlink(missing_ok=True)
        with pytest.raises(Refused) as caught:
            check(self.values(world, REQUIRE_ATTESTATION="true"))
        assert caught.value.code == "settings.wallet_anchors"

    def test_unknown_ways_are_refused(self, world: World) -> None:
        with pytest.raises(Exception, match=r"settings\.ways"):
            check(self.values(world, WAYS="post"))
