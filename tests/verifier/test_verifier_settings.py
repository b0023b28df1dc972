from __future__ import annotations

from pathlib import Path

import pytest

from ssi.errors import SsiError
from ssi.jose import jws
from ssi.model import Issuer
from ssi.trust.policies import Anchors, AnyOf, Issuers
from tests.verifier.world import BASE, Wallet, World
from verifier import web, wiring
from verifier.web import api


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("facet"))


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("client_id_prefix", "did", "settings.client_id_prefix"),
        ("wallet_url", "javascript:alert(1)", "settings.wallet_url"),
        ("wallet_url", "http://wallet.test/", "settings.wallet_url"),
        ("wallet_link", "no scheme", "settings.wallet_link"),
        ("request_seconds", "0", "settings.request_seconds"),
        ("retention_seconds", "-1", "settings.retention_seconds"),
        ("status_seconds", "ten", "settings.status_seconds"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(world: World, name: str, value: str, code: str) -> None:
    with pytest.raises(SsiError) as caught:
        world.settings(**{name: value})
    assert caught.value.code == code


def test_missing_and_mismatched_files_end_the_start(world: World, tmp_path: Path) -> None:
    other = World(tmp_path)
    for changes, code in [
        ({"access_key": str(other.folder / "verifier/access.key")}, "settings.access_key"),
        ({"access_cert": str(tmp_path / "missing.pem")}, "settings.file"),
        ({"issuer_anchors": str(tmp_path / "missing.pem")}, "settings.file"),
        ({"issuer_anchors": str(world.folder / "verifier/access.key")}, "trust.pem"),
        ({"client_id_prefix": "x509_san_dns", "base_url": "https://other.test"}, "settings.access_cert"),
    ]:
        with pytest.raises(SsiError) as caught:
            wiring.check(world.settings(**changes))
        assert caught.value.code == code


def test_somebody_must_be_trusted(world: World) -> None:
    with pytest.raises(SsiError, match="no_trust"):
        wiring.trust(None, wiring.listed(None))
    pem, file = world.folder / "trust/issuer-ca.pem", world.folder / "listed.json"
    file.write_text('{"did:web:issuer.test": null, "did:web:club.test": ["urn:club-card"]}')
    listed = wiring.listed(file)
    assert isinstance(wiring.trust(pem, None), Anchors)
    assert isinstance(wiring.trust(None, listed), Issuers)
    both = wiring.trust(pem, listed)
    assert isinstance(both, AnyOf)
    assert both.judge(Issuer("did:web:issuer.test"), "any", now=world.clock()).outcome.value == "pass"
    assert both.judge(Issuer("did:web:other.test"), "any", now=world.clock()).outcome.value == "fail"
    assert both.judge(Issuer("did:web:club.test"), "any", now=world.clock()).outcome.value == "fail"
    file.write_text("{}")
    with pytest.raises(SsiError, match=r"trust\.issuers"):
        wiring.listed(file)
    with pytest.raises(SsiError, match=r"settings\.file"):
        wiring.listed(world.folder / "nowhere.json")


def test_a_verifier_may_go_by_its_dns_name(world: World) -> None:
    with world.app(client_id_prefix="x509_san_dns").test_client(use_cookies=False) as client:
        made = client.post("/api/requests", json={"template": "over-18"}, headers=world.authorized).json
        wallet = Wallet(world, client)
        request = wallet.open(made["link"])
        assert request.client_id == "x509_san_dns:localhost"
        assert wallet.post(request, wallet.answer(request)).status_code == 200
        told = client.get(f"/api/requests/{made['id']}", headers=world.authorized).json
        assert told["verdict"] == "verified"


def test_the_request_is_signed_by_the_access_certificate_without_its_authority(world: World) -> None:
    asker = wiring.asker(world.settings())
    (identity,) = asker.identities
    assert len(identity.x5c) == 1
    with world.app().test_client(use_cookies=False) as client:
        made = client.post("/api/requests", json={"template": "over-18"}, headers=world.authorized).json
        token = jws.parse(client.get(made["request_uri"].removeprefix(BASE)).get_data(), typ=("oauth-authz-req+jwt",))
        jws.verify(token, identity.signer.public)


def test_weak_or_unreadable_api_keys_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    for content in (b"short\n", b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(SsiError, match="api_key_file"):
            api.file_digests(path)
    path.write_text("a" * 24 + "\n" + "b" * 24 + "\n")
    assert len(api.file_digests(path)) == 2
    assert api.file_digests(None) == frozenset()


def test_worker_processes_read_the_environment_and_sweep(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACET_VERIFIER_DATA", str(world.folder))
    monkeypatch.setenv("FACET_VERIFIER_DATABASE_URL", f"sqlite:///{world.folder / 'worker.db'}")
    app = web.wsgi()
    assert app.test_client().get("/healthz").json == {"status": "ok", "role": "verifier"}
