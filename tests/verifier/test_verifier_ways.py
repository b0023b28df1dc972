"""The ways in which a wallet is asked and answers: names, modes, the browser's API, addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask.testing import FlaskClient

from ssi import dcql, jose, oid4vp
from ssi.encoding import b64url, read_json_object, unb64url
from ssi.errors import SsiError
from ssi.issuerkeys import Keys
from ssi.jose.jwe import DecryptionKey
from ssi.oid4vp import AuthorizationRequest, PageReader
from tests.verifier.forms import FORMS, show
from tests.verifier.world import BASE, PERSON, Wallet, World

HTML = {"Accept": "text/html"}
SHOP = "https://shop.test"
SD_JWT, MDOC = FORMS[0], next(form for form in FORMS if form.format == "mso_mdoc")
QUERIES: dict[str, dict[str, Any]] = {
    form.format: {"credentials": [{**form.asked("who"), "claims": [{"path": form.path("given_name")}]}]}
    for form in (SD_JWT, MDOC)
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def client(world: World) -> Iterator[FlaskClient]:
    with world.app().test_client(use_cookies=False) as made:
        yield made


def create(world: World, client: FlaskClient, **body: Any) -> dict[str, Any]:
    known = body if "dcql_query" in body else {"template": "identity", **body}
    answer = client.post("/api/requests", json=known, headers=world.authorized)
    assert answer.status_code == 201, answer.json
    made: dict[str, Any] = answer.json
    return made


def look(world: World, client: FlaskClient, made: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = client.get(f"/api/requests/{made['id']}", headers=world.authorized).json
    return told


def codes(told: dict[str, Any]) -> dict[str, str]:
    return {one["code"]: one["outcome"] for one in told["findings"]}


def reader(world: World, origin: str = BASE) -> PageReader:
    return PageReader(origin=origin, keys=Keys(world.fetch), now=world.clock())


def page_answer(world: World, offered: dict[str, Any], *, origin: str = BASE) -> dict[str, Any]:
    """What the browser's API gives a page whose request a wallet has taken; the page is at `origin`."""
    request = oid4vp.open_page_request(offered["protocol"], offered["data"], reader(world, origin)).request
    asked = request.query.credentials[0]
    form = next(form for form in FORMS if form.format == asked.format)
    shown = show(world, form, oid4vp.challenge(request), *[claim.path[len(form.root) :] for claim in asked.claims])
    return {"protocol": offered["protocol"], "data": oid4vp.respond_to_page(request, {asked.id: [shown.wire]})}


# --- who asks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        ({"client_id_prefix": "x509_san_dns"}, "x509_san_dns:localhost"),
        ({"client_id_prefix": "decentralized_identifier"}, "decentralized_identifier:did:web:localhost%3A8443"),
        ({"client_id_prefix": "decentralized_identifier", "did_method": "jwk"}, "decentralized_identifier:did:jwk:"),
        ({"client_id_prefix": "decentralized_identifier", "did_method": "key"}, "decentralized_identifier:did:key:z"),
        ({"client_id_prefix": "verifier_attestation"}, "verifier_attestation:localhost"),
        ({"client_id_prefix": "x509_hash,x509_san_dns"}, "x509_hash:"),
    ],
)
@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
def test_every_name_of_the_verifier_is_proved(world: World, settings: dict[str, str], start: str, mode: str) -> None:
    with world.app(**settings).test_client(use_cookies=False) as client:
        document = client.get("/.well-known/did.json")
        is_web = "did:web" in start
        assert document.status_code == (200 if is_web else 404)
        if is_web:
            world.pages[f"{BASE}/.well-known/did.json"] = document.get_data()
        made = create(world, client, response_mode=mode)
        wallet = Wallet(world, client)
        request = wallet.open(made["link"])
        assert request.client_id.startswith(start)
        assert wallet.post(request, wallet.answer(request)).status_code == 200
        assert look(world, client, made)["verdict"] == "verified"


def test_a_verifier_without_a_name_asks_in_the_link_itself(world: World) -> None:
    """§5.9.3 `redirect_uri`: nothing is signed, and the answer's address is the name."""
    with world.app(client_id_prefix="redirect_uri").test_client(use_cookies=False) as client:
        made = create(world, client, dcql_query=QUERIES["dc+sd-jwt"])
        link = oid4vp.parse_link(made["link"])
        assert link.request_uri is None
        assert link.request is None
        request = oid4vp.open_request(None, link=link, keys=Keys(world.fetch), now=world.clock()).request
        assert request.client_id == f"redirect_uri:{request.response_uri}"
        wallet = Wallet(world, client)
        assert wallet.post(request, wallet.answer(request)).status_code == 200
        assert look(world, client, made)["verdict"] == "verified"


def test_a_request_too_long_for_a_code_is_fetched_without_a_signature(world: World) -> None:
    with world.app(client_id_prefix="redirect_uri").test_client(use_cookies=False) as client:
        made = create(world, client)  # three forms of the card
        link = oid4vp.parse_link(made["link"])
        assert link.request_uri == made["request_uri"]
        request = Wallet(world, client).open(made["link"])
        assert request.client_id == f"redirect_uri:{request.response_uri}"
        told = client.get(made["request_uri"].removeprefix(BASE)).get_data(as_text=True)
        assert read_json_object(unb64url(told.split(".")[0]))["alg"] == "none"
        assert told.endswith(".")


@pytest.mark.parametrize("value", ["x509_hash,redirect_uri", "x509_hash,x509_hash", "", "openid_federation"])
def test_names_that_cannot_stand_together_are_refused(world: World, value: str) -> None:
    if not value:
        assert world.settings(client_id_prefix=value).prefixes == ("x509_hash",)
        return
    with pytest.raises(SsiError, match="client_id_prefix"):
        world.settings(client_id_prefix=value)


def test_an_attestation_for_another_key_ends_the_start(world: World, tmp_path: Path) -> None:
    other = World(tmp_path / "other")
    path = str(other.folder / "verifier/attestation.jwt")
    with pytest.raises(SsiError, match="verifier_attestation"):
        world.app(client_id_prefix="verifier_attestation", verifier_attestation=path)


def test_what_others_say_about_the_verifier_goes_along(world: World, tmp_path: Path) -> None:
    file = tmp_path / "info.json"
    mine = {"format": "registration_cert", "data": "eyJ.e.e"}
    about = {"format": "jwt", "data": {"a": 1}, "credential_ids": ["elsewhere"]}
    file.write_text(json.dumps([mine, about]))
    with world.app(verifier_info=str(file)).test_client(use_cookies=False) as client:
        own = {"format": "policy", "data": "x", "credential_ids": ["person"]}
        made = create(world, client, verifier_info=[own])
        token = jose.parse(client.get(made["request_uri"].removeprefix(BASE)).get_data(), typ=None)
        said = token.claims["verifier_info"]
        assert [one for one in said if "facet" not in one["format"]] == [own, mine], "not what nobody is asked for"
        wrong = client.post(
            "/api/requests",
            json={"template": "identity", "verifier_info": [{"format": "x"}]},
            headers=world.authorized,
        )
        assert (wrong.status_code, wrong.json["error"]) == (400, "oid4vp.verifier_info")
    file.write_text('{"format": "x"}')
    with pytest.raises(SsiError, match="verifier_info"):
        world.app(verifier_info=str(file))


# --- fetching by POST (§5.10) -----------------------------------------------------------------------------------------


def call(client: FlaskClient, made: dict[str, Any], metadata: dict[str, Any] | None = None, nonce: str = "n1") -> Any:
    said = {"wallet_nonce": nonce} | ({} if metadata is None else {"wallet_metadata": json.dumps(metadata)})
    return client.post(made["request_uri"].removeprefix(BASE), data=said)


def test_the_link_says_how_to_fetch_and_each_fetch_has_its_nonce(world: World) -> None:
    with world.app(request_uri_method="post").test_client(use_cookies=False) as client:
        made = create(world, client)
        assert oid4vp.parse_link(made["link"]).method == "post"
        seen = [jose.parse(call(client, made, nonce=nonce).get_data(), typ=None).claims for nonce in ("one", "two")]
        assert [claims["wallet_nonce"] for claims in seen] == ["one", "two"]
        assert seen[0]["nonce"] == seen[1]["nonce"]


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"vp_formats_supported": {"jwt_vc_json": {}}}, "oid4vp.wallet_formats"),
        ({"client_id_prefixes_supported": ["decentralized_identifier"]}, "oid4vp.wallet_prefix"),
        ({"response_modes_supported": ["fragment"]}, "oid4vp.wallet_mode"),
        ({"request_object_signing_alg_values_supported": ["RS256"]}, "oid4vp.wallet_alg"),
        ({"authorization_encryption_enc_values_supported": ["A128CBC-HS256"]}, "oid4vp.wallet_enc"),
        ({"vp_formats_supported": []}, "oid4vp.wallet_metadata"),
    ],
)
def test_a_wallet_that_cannot_answer_is_told_so(
    world: World, client: FlaskClient, metadata: dict[str, Any], code: str
) -> None:
    made = create(world, client)
    answer = call(client, made, metadata)
    assert (answer.status_code, answer.json["error"]) == (400, code)
    assert answer.json["error_description"].startswith("The wallet")
    assert look(world, client, made)["state"] == "created"
    assert call(client, made, {"vp_formats_supported": {"dc+sd-jwt": {}}}).status_code == 200


def test_a_request_is_encrypted_to_the_wallets_key(world: World, client: FlaskClient) -> None:
    made, key = create(world, client), DecryptionKey.generate()
    metadata = {"vp_formats_supported": {"dc+sd-jwt": {}}, "jwks": {"keys": [key.public_jwk]}}
    answer = call(client, made, metadata, nonce="fresh")
    assert answer.mimetype == "application/oauth-authz-req+jwt"
    token = answer.get_data(as_text=True)
    assert token.count(".") == 4
    opened = oid4vp.open_request(
        oid4vp.decrypt_request(token, keys=[key]),
        link=oid4vp.parse_link(made["link"]),
        keys=Keys(world.fetch),
        now=world.clock(),
        wallet_nonce="fresh",
    )
    wallet = Wallet(world, client)
    assert wallet.post(opened.request, wallet.answer(opened.request)).status_code == 200


# --- the browser's API (Appendix A) -----------------------------------------------------------------------------------


@pytest.mark.parametrize("format_id", QUERIES)
@pytest.mark.parametrize("mode", ["dc_api", "dc_api.jwt"])
@pytest.mark.parametrize("kind", ["signed", "unsigned", "multisigned"])
def test_a_page_of_the_callers_asks_through_the_browser(world: World, format_id: str, mode: str, kind: str) -> None:
    names = {"client_id_prefix": "x509_hash,decentralized_identifier", "did_method": "jwk", "browser_requests": kind}
    with world.app(**names).test_client(use_cookies=False) as client:
        made = create(world, client, dcql_query=QUERIES[format_id], response_mode=mode, origin=SHOP)
        (offered,) = made["digital_credentials"]["requests"]
        assert offered["protocol"] == f"openid4vp-v1-{kind}"
        posted = page_answer(world, offered, origin=SHOP)
        assert ("response" in posted["data"]) == (mode == "dc_api.jwt")
        answer = client.post(made["digital_credentials"]["response_url"].removeprefix(BASE), json=posted)
        assert (answer.status_code, answer.json) == (200, {})
        told = look(world, client, made)
        assert told["verdict"] == "verified"
        assert "Eileen" in json.dumps(told["claims"])
        again = client.post(made["digital_credentials"]["response_url"].removeprefix(BASE), json=posted)
        assert (again.status_code, again.json["error"]) == (409, "session.spent")


def test_signed_requests_name_the_pages_that_may_send_them(world: World, client: FlaskClient) -> None:
    made = create(world, client, response_mode="dc_api.jwt")
    signed, unsigned = made["digital_credentials"]["requests"]
    claims = jose.parse(signed["data"]["request"], typ=("oauth-authz-req+jwt",)).claims
    assert claims["expected_origins"] == [BASE]
    assert claims["client_metadata"]["encrypted_response_enc_values_supported"] == ["A128GCM", "A256GCM"]
    assert "state" not in claims
    assert "response_uri" not in claims
    assert {"client_id", "expected_origins", "state"}.isdisjoint(unsigned["data"])
    with pytest.raises(SsiError, match="origin"):
        oid4vp.open_page_request(signed["protocol"], signed["data"], reader(world, "https://evil.test"))


@pytest.mark.parametrize("format_id", QUERIES)
def test_an_answer_for_another_page_is_refused(world: World, client: FlaskClient, format_id: str) -> None:
    """An unsigned request could be sent by any page: the platform's origin in the answer tells which it was."""
    made = create(world, client, dcql_query=QUERIES[format_id], response_mode="dc_api.jwt")
    stolen = page_answer(world, made["digital_credentials"]["requests"][1], origin="https://evil.test")
    answer = client.post(made["digital_credentials"]["response_url"].removeprefix(BASE), json=stolen)
    assert (answer.status_code, answer.json["error"]) == (400, "session.presentation_refused")
    assert look(world, client, made)["verdict"] == "not_verified"


def test_an_answer_made_for_the_link_does_not_do_for_the_browser(world: World, client: FlaskClient) -> None:
    made = create(world, client, response_mode="dc_api")
    wallet = Wallet(world, client)
    request = wallet.open(made["link"])
    assert request.response_mode == "direct_post", "the way by code and link stays open"
    form = {"protocol": "openid4vp-v1-signed", "data": {"vp_token": json.loads(wallet.answer(request)["vp_token"])}}
    answer = client.post(made["digital_credentials"]["response_url"].removeprefix(BASE), json=form)
    assert answer.json["error"] == "session.presentation_refused"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"protocol": "openid4vp-v1-signed", "data": {"token": "fake_test_token"}}, 400, "oid4vp.not_encrypted"),
        ({"protocol": "openid4vp-v1-signed", "data": None}, 400, "oid4vp.page_response"),
        ({"protocol": "openid4vp-v1-signed", "data": {"response": "x"}}, 400, None),
        ({"protocol": "org-iso-mdoc", "data": {}}, 400, "request.protocol"),
        ({"data": {}}, 400, "request.protocol"),
        ({"protocol": "openid4vp-v1-signed", "data": {"error": "invalid_request"}}, 400, "session.wallet_error"),
        ({"protocol": "openid4vp-v1-signed", "data": {"error": "<b>"}}, 400, "session.wallet_error"),
    ],
)
def test_what_cannot_be_used_leaves_code_and_link(
    world: World, client: FlaskClient, body: dict[str, Any], status: int, code: str | None
) -> None:
    made = create(world, client, response_mode="dc_api.jwt")
    answer = client.post(made["digital_credentials"]["response_url"].removeprefix(BASE), json=body)
    assert answer.status_code == status
    assert code is None or answer.json["error"] == code
    assert "<b>" not in answer.json["error_description"]
    wallet = Wallet(world, client)
    request = wallet.open(made["link"])
    assert wallet.post(request, wallet.answer(request)).status_code == 200
    assert look(world, client, made)["verdict"] == "verified"


@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt", "fragment"])
def test_a_request_that_was_not_made_for_the_browser_takes_no_answer_from_there(
    world: World, client: FlaskClient, mode: str
) -> None:
    """Whoever has only seen the code could otherwise end the request with one word."""
    made = create(world, client, response_mode=mode, redirect_uri=f"{SHOP}/back")
    public = made["request_uri"].removeprefix(f"{BASE}/oid4vp/").removesuffix("/request")
    body = {"protocol": "openid4vp-v1-unsigned", "data": oid4vp.decline_page()}
    answer = client.post(f"/oid4vp/{public}/dc", json=body)
    assert (answer.status_code, answer.json["error"]) == (400, "session.mode")
    assert look(world, client, made)["state"] == "created"


def test_a_no_through_the_browser_counts(world: World, client: FlaskClient) -> None:
    made = create(world, client, response_mode="dc_api.jwt")
    body = {"protocol": "openid4vp-v1-unsigned", "data": oid4vp.decline_page()}
    assert client.post(made["digital_credentials"]["response_url"].removeprefix(BASE), json=body).status_code == 200
    assert look(world, client, made)["state"] == "declined"


@pytest.mark.parametrize(
    "origin", ["http://shop.test", "https://shop.test/", "https://Shop.test", "shop.test", "https://"]
)
def test_an_origin_is_written_as_browsers_write_it(world: World, client: FlaskClient, origin: str) -> None:
    body = {"template": "identity", "response_mode": "dc_api", "origin": origin}
    answer = client.post("/api/requests", json=body, headers=world.authorized)
    assert (answer.status_code, answer.json["error"]) == (400, "request.origin")


# --- the verifier's own pages -----------------------------------------------------------------------------------------


@pytest.fixture
def browser(world: World) -> Iterator[FlaskClient]:
    """The clerk's browser, which keeps cookies."""
    with world.app().test_client() as made:
        yield made


def begin(browser: FlaskClient, **form: str) -> str:
    answer = browser.post("/requests", data={"template": "identity", **form}, base_url=BASE, headers=HTML)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(urlsplit(answer.headers["Location"]).path)


def here_link(browser: FlaskClient, path: str) -> str:
    html = browser.get(path, base_url=BASE, headers=HTML).get_data(as_text=True)
    return html.split('" id="here"')[0].rsplit('href="', 1)[1].replace("&amp;", "&")


def stranger(browser: FlaskClient) -> FlaskClient:
    return browser.application.test_client()


def test_the_page_asks_through_its_own_browser(world: World, browser: FlaskClient) -> None:
    path = begin(browser)
    offered = browser.get(f"{path}/dc", base_url=BASE).json["requests"]
    assert [one["protocol"] for one in offered] == ["openid4vp-v1-signed", "openid4vp-v1-unsigned"]
    posted = page_answer(world, offered[0])
    other = stranger(browser)
    assert other.get(f"{path}/dc", base_url=BASE).status_code == 404
    assert other.post(f"{path}/dc", json=posted, base_url=BASE).status_code == 404
    crossed = browser.post(f"{path}/dc", json=posted, base_url=BASE, headers={"Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403
    answer = browser.post(f"{path}/dc", json=posted, base_url=BASE)
    assert (answer.status_code, answer.json) == (200, {"next": path})
    shown = browser.get(path, base_url=BASE, headers=HTML, follow_redirects=True).get_data(as_text=True)
    assert ">Verified<" in shown
    assert "Collins" in shown


def test_a_request_of_a_page_takes_no_relayed_answer(world: World, browser: FlaskClient) -> None:
    """Whoever photographs the code knows the request's public id, and is not the page."""
    path = begin(browser)
    posted = page_answer(world, browser.get(f"{path}/dc", base_url=BASE).json["requests"][0])
    html = browser.get(path, base_url=BASE, headers=HTML).get_data(as_text=True)
    public = html.split("%2Foid4vp%2F")[-1].split("%2F")[0]
    assert stranger(browser).post(f"/oid4vp/{public}/dc", json=posted).status_code == 404


def test_the_wallets_trouble_is_told_in_plain_words(browser: FlaskClient) -> None:
    path = begin(browser)
    for error, sentence in [
        ("vp_formats_not_supported", "The wallet holds no credential in a format that this service reads."),
        ("wallet_unavailable", "The wallet is not available now."),
    ]:
        body = {"protocol": "openid4vp-v1-signed", "data": {"error": error}}
        answer = browser.post(f"{path}/dc", json=body, base_url=BASE)
        assert answer.json == {"error": "session.wallet_error", "error_description": sentence}
    assert browser.get(f"{path}/state", base_url=BASE).json["state"] == "created"


# --- answers in an address (response mode `fragment`) -----------------------------------------------------------------


def fragment(world: World, browser: FlaskClient, link: str) -> tuple[AuthorizationRequest, str]:
    """The request behind a link, and what the wallet puts behind the `#`."""
    wallet = Wallet(world, stranger(browser))
    request = wallet.open(link)
    url = oid4vp.fragment_url(request, wallet.answer(request))
    address, _, behind = url.partition("#")
    assert address == f"{BASE}/answer"
    return request, behind


def hand_over(browser: FlaskClient, behind: str) -> Any:
    return browser.post("/answer", data=behind, content_type="application/x-www-form-urlencoded", base_url=BASE)


def test_an_answer_in_an_address_counts_in_the_browser_that_began(world: World, browser: FlaskClient) -> None:
    path = begin(browser, response_mode="fragment")
    html = browser.get(path, base_url=BASE, headers=HTML).get_data(as_text=True)
    assert 'class="qr"' not in html, "no other device can answer"
    request, behind = fragment(world, browser, here_link(browser, path))
    assert (request.response_mode, request.response_uri, request.redirect_uri) == ("fragment", None, f"{BASE}/answer")
    landing = browser.get("/answer", base_url=BASE, headers=HTML)
    assert landing.status_code == 200
    assert "answer.js" in landing.get_data(as_text=True)
    assert landing.headers["Cache-Control"] == "no-store"
    refused = hand_over(stranger(browser), behind)
    assert (refused.status_code, refused.json["error"]) == (403, "session.other_browser")
    assert browser.get(f"{path}/state", base_url=BASE).json["state"] == "scanned", "that changed nothing"
    answer = hand_over(browser, behind)
    assert (answer.status_code, answer.json) == (200, {"next": path})
    assert browser.get(f"{path}/state", base_url=BASE).json["state"] == "verified"
    assert hand_over(browser, behind).status_code == 409


def test_a_wallet_may_not_post_what_belongs_into_an_address(world: World, browser: FlaskClient) -> None:
    """Else somebody else's answer could be fetched in the browser of whoever sent the link on (§14.2)."""
    path = begin(browser, response_mode="fragment")
    link = here_link(browser, path)
    request, behind = fragment(world, browser, link)
    public = str(oid4vp.parse_link(link).request_uri).split("/")[-2]
    posted = stranger(browser).post(
        f"/oid4vp/{public}/response", data=behind, content_type="application/x-www-form-urlencoded"
    )
    assert (posted.status_code, posted.json["error"]) == (400, "session.mode")
    other = begin(browser)
    wallet = Wallet(world, stranger(browser))
    by_post = wallet.open(here_link(browser, other))
    form = urlencode({**wallet.answer(by_post), "state": str(request.state)})
    assert hand_over(browser, form).status_code == 400


@pytest.mark.parametrize("behind", ["", "state=", "state=nowhere&vp_token=%7B%7D", "%ff"])
def test_addresses_without_a_request_are_refused(browser: FlaskClient, behind: str) -> None:
    answer = hand_over(browser, behind)
    assert answer.status_code in {400, 404}
    assert answer.json["error_description"].endswith(".")


def test_a_no_in_an_address(world: World, browser: FlaskClient) -> None:
    path = begin(browser, response_mode="fragment")
    request = Wallet(world, stranger(browser)).open(here_link(browser, path))
    said = urlencode(oid4vp.decline(request, description="No."))
    assert hand_over(browser, said).json == {"next": path}
    assert browser.get(f"{path}/state", base_url=BASE).json["state"] == "declined"


def test_an_api_clients_answer_in_an_address_leads_to_its_own_page(world: World, client: FlaskClient) -> None:
    body = {"template": "identity", "response_mode": "fragment"}
    nowhere = client.post("/api/requests", json=body, headers=world.authorized)
    assert (nowhere.status_code, nowhere.json["error"]) == (400, "request.redirect_uri")
    made = create(world, client, response_mode="fragment", redirect_uri="https://shop.test/back")
    _, behind = fragment(world, client, made["same_device_link"])
    answer = hand_over(client, behind)
    assert answer.json["next"].startswith("https://shop.test/back?response_code=")
    assert look(world, client, made)["state"] == "received"
    code = parse_qs(urlsplit(answer.json["next"]).query)["response_code"][0]
    told = client.get(f"/api/requests/{made['id']}?response_code={code}", headers=world.authorized).json
    assert told["verdict"] == "verified"


# --- transactions (§8.4) ----------------------------------------------------------------------------------------------

PAYMENT = {"type": "urn:facet:transaction:payment:1", "payee": "Cedar Books", "amount": "12.50", "currency": "EUR"}

WRONG_AMOUNT = {**PAYMENT, "amount": "1,5"}
BY_MDOC = {**PAYMENT, "credential_ids": ["person_mdoc"]}


def paying(world: World, request: AuthorizationRequest, **instead: Any) -> dict[str, str]:
    """The form of a wallet that authorises what is asked, or something else `instead`."""
    challenge = oid4vp.challenge(request)
    if "transaction_data" in instead:
        challenge = type(challenge)(**{**challenge.__dict__, **instead})
    paths = [claim.path for claim in request.query.credentials[0].claims]
    return oid4vp.respond(request, {request.query.credentials[0].id: [world.present(challenge, paths).wire]})


def opened(world: World, client: FlaskClient, made: dict[str, Any]) -> AuthorizationRequest:
    link = oid4vp.parse_link(made["link"])
    token = client.get(made["request_uri"].removeprefix(BASE)).get_data(as_text=True)
    types = oid4vp.transactions.TYPES
    return oid4vp.open_request(
        token, link=link, keys=Keys(world.fetch), now=world.clock(), transaction_types=types
    ).request


@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
def test_a_payment_is_authorised(world: World, client: FlaskClient, mode: str) -> None:
    made = create(world, client, template="confirm-payment", transaction_data=[PAYMENT], response_mode=mode)
    request = opened(world, client, made)
    (raw,) = request.transaction_data
    assert read_json_object(unb64url(raw)) == {**PAYMENT, "credential_ids": ["person"]}
    assert Wallet(world, client).post(request, paying(world, request)).status_code == 200
    told = look(world, client, made)
    assert told["verdict"] == "verified"
    assert told["transactions"] == [{**PAYMENT, "credential_ids": ["person"], "authorised": True}]
    assert codes(told)["transaction.authorised"] == "pass"


@pytest.mark.parametrize(
    "instead", [(), (b64url(b'{"type":"urn:facet:transaction:payment:1","credential_ids":["person"],"amount":"1"}'),)]
)
def test_an_answer_that_authorises_nothing_or_something_else_is_not_verified(
    world: World, client: FlaskClient, instead: tuple[str, ...]
) -> None:
    made = create(world, client, template="confirm-payment", transaction_data=[PAYMENT])
    request = opened(world, client, made)
    answer = Wallet(world, client).post(request, paying(world, request, transaction_data=instead))
    assert (answer.status_code, answer.json["error"]) == (400, "session.presentation_refused")
    told = look(world, client, made)
    assert told["verdict"] == "not_verified"
    assert told["transactions"][0]["authorised"] is False
    assert codes(told)["transaction.not_authorised"] == "fail"
    assert "claims" not in told


def test_one_of_several_cards_authorises(world: World, client: FlaskClient) -> None:
    """§5.1: the wallet uses only one of the credentials that a transaction names."""
    one = QUERIES["dc+sd-jwt"]["credentials"][0]
    query = {"credentials": [{**one, "id": "first"}, {**one, "id": "second"}]}
    made = create(world, client, dcql_query=query, transaction_data=[PAYMENT], response_mode="direct_post")
    request = opened(world, client, made)
    challenges = oid4vp.assigned(request, {"first": "dc+sd-jwt", "second": "dc+sd-jwt"})
    shown = {name: [world.present(bound, [["given_name"]]).wire] for name, bound in challenges.items()}
    assert Wallet(world, client).post(request, oid4vp.respond(request, shown)).status_code == 200
    assert look(world, client, made)["verdict"] == "verified"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"template": "confirm-payment"}, "request.transaction_data"),
        ({"template": "confirm-payment", "transaction_data": []}, "request.transaction_data"),
        ({"template": "confirm-payment", "transaction_data": ["x"]}, "request.transaction_data"),
        ({"template": "confirm-payment", "transaction_data": [{"type": "other"}]}, "request.transaction_data"),
        ({"template": "confirm-payment", "transaction_data": [WRONG_AMOUNT]}, "oid4vp.transaction_data"),
        ({"template": "identity", "transaction_data": [BY_MDOC]}, "request.transaction_data"),
        ({"template": "identity", "transaction_data": [{**PAYMENT, "payee": "x" * 5000}]}, "request.transaction_data"),
    ],
)  # fmt: skip
def test_transactions_that_cannot_be_authorised_are_refused(
    world: World, client: FlaskClient, body: dict[str, Any], code: str
) -> None:
    answer = client.post("/api/requests", json=body, headers=world.authorized)
    assert (answer.status_code, answer.json["error"]) == (400, code)


def test_the_pages_show_what_is_to_be_paid(world: World, browser: FlaskClient) -> None:
    home = browser.get("/", base_url=BASE, headers=HTML).get_data(as_text=True)
    assert "/questions/confirm-payment" in home
    assert browser.get("/questions/confirm-payment", base_url=BASE, headers=HTML).status_code == 200
    said = {"template": "confirm-payment", "payee": "Cedar & Books", "amount": "12.50", "currency": "EUR"}
    wrong = browser.post("/requests", data={**said, "amount": "a lot"}, base_url=BASE, headers=HTML)
    assert wrong.status_code == 400
    assert 'value="Cedar &amp; Books"' in wrong.get_data(as_text=True)
    assert "like 12 or 12.50" in wrong.get_data(as_text=True)
    path = begin(browser, **said)
    html = browser.get(path, base_url=BASE, headers=HTML).get_data(as_text=True)
    assert "Cedar &amp; Books" in html
    assert "12.50 EUR" in html
    link = here_link(browser, path)
    request = opened(world, stranger(browser), {"link": link, "request_uri": oid4vp.parse_link(link).request_uri})
    answer = Wallet(world, stranger(browser)).post(request, paying(world, request))
    browser.get(answer.json["redirect_uri"].removeprefix(BASE), base_url=BASE, headers=HTML)
    result = browser.get(f"{path}/result", base_url=BASE, headers=HTML).get_data(as_text=True)
    assert "12.50 EUR" in result
    assert "has authorised exactly this" in result


# --- the whole query language -----------------------------------------------------------------------------------------


def test_several_cards_for_one_question(world: World, client: FlaskClient) -> None:
    query = {"credentials": [{**QUERIES["dc+sd-jwt"]["credentials"][0], "multiple": True}]}
    made = create(world, client, dcql_query=query, response_mode="direct_post")
    wallet = Wallet(world, client)
    request = wallet.open(made["link"])
    two = [world.present(oid4vp.challenge(request), [["given_name"]]).wire for _ in range(2)]
    assert wallet.post(request, oid4vp.respond(request, {"who": two})).status_code == 200
    told = look(world, client, made)
    assert told["verdict"] == "verified"
    assert told["claims"] == {"who": [{"given_name": "Eileen"}] * 2}


def test_authorities_and_the_intent_to_keep_reach_the_wallet(world: World, client: FlaskClient) -> None:
    asked = {
        **QUERIES["mso_mdoc"]["credentials"][0],
        "trusted_authorities": [{"type": "aki", "values": ["s9tIpPmhxdiuNkHMEWNpYim8S8Y"]}],
        "claims": [{"path": [PERSON, "given_name"], "intent_to_retain": True}],
    }
    made = create(world, client, dcql_query={"credentials": [asked]})
    query = Wallet(world, client).open(made["link"]).query
    assert query.json == {"credentials": [asked]}
    assert query.credentials[0].claims[0].retained
    assert query.credentials[0].authorities == (dcql.Authorities("aki", ("s9tIpPmhxdiuNkHMEWNpYim8S8Y",)),)


# --- HAIP 1.0 ---------------------------------------------------------------------------------------------------------


def test_the_profile_asks_for_its_own_formats_and_encrypted_answers_only(world: World) -> None:
    with world.app(profile="haip").test_client(use_cookies=False) as client:
        page = client.get("/", base_url=BASE).get_data(as_text=True)
        assert "encrypted" in page
        assert "not encrypted" not in page
        made = create(world, client)
        wallet = Wallet(world, client)
        request = wallet.open(made["link"])
        assert [one.format for one in request.query.credentials] == ["dc+sd-jwt", "mso_mdoc"]
        assert wallet.post(request, wallet.answer(request)).status_code == 200
        assert look(world, client, made)["verdict"] == "verified"
        card = {"id": "who", "format": "jwt_vc_json", "meta": {"type_values": [["a"]]}}
        for body, code, section in [
            ({"template": "identity", "response_mode": "direct_post"}, "haip.response_mode", "5.1"),
            ({"template": "identity", "response_mode": "fragment"}, "haip.response_mode", "5.1"),
            ({"template": "identity", "response_mode": "dc_api"}, "haip.response_mode", "5.2"),
            ({"dcql_query": {"credentials": [card]}}, "haip.format", "6"),
        ]:
            answer = client.post("/api/requests", json=body, headers=world.authorized)
            assert (answer.status_code, answer.json["error"]) == (400, code)
            assert f"section {section}" in answer.json["error_description"]


@pytest.mark.parametrize("prefix", ["x509_san_dns", "redirect_uri", "x509_hash,x509_san_dns"])
def test_the_profile_knows_one_name_for_verifiers(world: World, prefix: str) -> None:
    with pytest.raises(SsiError, match=r"haip\.client_id_prefix"):
        world.app(profile="haip", client_id_prefix=prefix)
