from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from ssi import oid4vp
from tests.verifier.world import BASE, PERSON, Wallet, World
from verifier.shown import Shown
from verifier.web import data
from verifier.web.context import Context

HTML = {"Accept": "text/html"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def browser(world: World) -> Iterator[FlaskClient]:
    """The clerk's browser, which keeps cookies."""
    with world.app().test_client() as made:
        made.get("/", base_url=BASE)
        yield made


def begin(browser: FlaskClient, template: str = "identity") -> str:
    """Press a card; the path of the request's page."""
    answer = browser.post("/requests", data={"template": template}, base_url=BASE, headers=HTML)
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def page(browser: FlaskClient, path: str) -> str:
    answer = browser.get(path, base_url=BASE, headers=HTML)
    assert answer.status_code == 200, path
    return str(answer.get_data(as_text=True))


def links(html: str) -> tuple[str, str]:
    """The same-device link and the link in the QR code."""
    here = re.search(r'href="([^"]+)" id="here"', html)
    scan = re.search(r'id="link" value="([^"]+)"', html)
    assert here
    assert scan
    return here[1].replace("&amp;", "&"), scan[1].replace("&amp;", "&")


def stranger(browser: FlaskClient) -> FlaskClient:
    return browser.application.test_client()


def test_the_clerk_sees_the_questions_and_the_code(browser: FlaskClient) -> None:
    home = page(browser, "/")
    for title in ("Over 18", "Identity", "Nationality"):
        assert title in home
    path = begin(browser, "over-18")
    shown = page(browser, path)
    assert 'role="status"' in shown
    assert "<svg" in shown
    assert "At least 18" in shown
    here, scan = links(shown)
    assert here.startswith("https://localhost:8442/authorize?client_id=x509_hash")
    assert scan.startswith("openid4vp://?client_id=x509_hash")
    assert here.split("request_uri=")[1] != scan.split("request_uri=")[1]
    secret = path.rsplit("/", 1)[1]
    assert secret not in here + scan


def test_the_cookie_is_for_this_host_only_and_out_of_scripts_reach(world: World, browser: FlaskClient) -> None:
    answer = browser.post("/requests", data={"template": "identity"}, base_url=BASE, headers=HTML)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-facet-verifier=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def test_the_live_state_moves_and_is_not_sent_twice(world: World, browser: FlaskClient) -> None:
    path = begin(browser)
    wallet = Wallet(world, stranger(browser))
    _here, scan = links(page(browser, path))
    first = browser.get(f"{path}/state", base_url=BASE)
    assert first.json["state"] == "created"
    assert "findings" not in first.json
    again = browser.get(f"{path}/state", base_url=BASE, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    request = wallet.open(scan)
    scanned = browser.get(f"{path}/state", base_url=BASE, headers={"If-None-Match": first.headers["ETag"]})
    assert scanned.json["state"] == "scanned"
    wallet.post(request, wallet.answer(request))
    done = browser.get(f"{path}/state", base_url=BASE)
    assert (done.json["state"], done.json["final"], done.json["next"]) == ("verified", True, f"{path}/result")
    assert browser.get(path, base_url=BASE, headers=HTML).headers["Location"] == f"{path}/result"


def test_the_result_page_says_the_verdict_first_then_the_claims_then_the_findings(
    world: World, browser: FlaskClient
) -> None:
    path = begin(browser)
    assert browser.get(f"{path}/result", base_url=BASE, headers=HTML).headers["Location"] == path
    wallet = Wallet(world, stranger(browser))
    request = wallet.open(links(page(browser, path))[1])
    wallet.post(request, wallet.answer(request))
    shown = page(browser, f"{path}/result")
    places = [shown.index(word) for word in (">Verified<", "Collins", "What was checked", "Not checked (")]
    assert places == sorted(places)
    assert "X1234567" not in shown
    world.clock.move(minutes=11)
    later = page(browser, f"{path}/result")
    assert "Collins" not in later
    assert "erased" in later
    assert ">Verified<" in later


def test_a_refused_answer_shows_no_claims(world: World, browser: FlaskClient) -> None:
    world.revoked.add(7)
    path = begin(browser)
    wallet = Wallet(world, stranger(browser))
    request = wallet.open(links(page(browser, path))[1])
    wallet.post(request, wallet.answer(request))
    shown = page(browser, f"{path}/result")
    assert ">Not verified<" in shown
    assert "Collins" not in shown
    assert "withdrawn" in shown.lower() or "revoked" in shown.lower()


def test_a_request_exists_only_for_the_browser_that_began_it(world: World, browser: FlaskClient) -> None:
    path = begin(browser)
    other = stranger(browser)
    other.post("/requests", data={"template": "identity"}, base_url=BASE)
    for suffix in ("", "/state", "/result"):
        assert other.get(path + suffix, base_url=BASE, headers=HTML).status_code == 404
        assert stranger(browser).get(path + suffix, base_url=BASE, headers=HTML).status_code == 404
    assert other.post(f"{path}/again", base_url=BASE).status_code == 404


def test_the_same_device_answer_counts_in_the_starting_browser_only(world: World, browser: FlaskClient) -> None:
    path = begin(browser)
    wallet = Wallet(world, stranger(browser))
    here, _scan = links(page(browser, path))
    request = wallet.open(here)
    answer = wallet.post(request, wallet.answer(request))
    back = answer.json["redirect_uri"]
    assert back.startswith(f"{BASE}/return?response_code=")
    waiting = browser.get(f"{path}/state", base_url=BASE).json
    assert (waiting["state"], waiting["awaiting_return"]) == ("received", True)
    assert browser.get(f"{path}/result", base_url=BASE, headers=HTML).status_code == 303
    target = back.removeprefix(BASE)
    arrived = browser.get(target, base_url=BASE, headers=HTML, follow_redirects=True)
    assert ">Verified<" in arrived.get_data(as_text=True)
    assert "Collins" in page(browser, f"{path}/result")


def test_an_answer_whose_wallet_came_back_to_another_browser_is_rejected(world: World, browser: FlaskClient) -> None:
    """HAIP 1.0 §5.1: also when the person goes on to the right browser afterwards."""
    path = begin(browser)
    wallet = Wallet(world, stranger(browser))
    request = wallet.open(links(page(browser, path))[0])
    target = wallet.post(request, wallet.answer(request)).json["redirect_uri"].removeprefix(BASE)
    refused = stranger(browser).get(target, base_url=BASE, headers=HTML)
    assert refused.status_code == 403
    assert "Collins" not in refused.get_data(as_text=True)
    assert browser.get(f"{path}/state", base_url=BASE).json["state"] == "not_verified"
    late = browser.get(target, base_url=BASE, headers=HTML, follow_redirects=True).get_data(as_text=True)
    assert ">Not verified<" in late
    assert "another browser" in late
    assert "Collins" not in late
    rows = sqlite3.connect(world.folder / "verifier.db").execute("SELECT claims FROM verifier_requests").fetchall()
    assert rows == [(None,)]


def test_an_answer_whose_wallet_never_came_back_is_not_used(world: World, browser: FlaskClient) -> None:
    path = begin(browser)
    wallet = Wallet(world, stranger(browser))
    request = wallet.open(links(page(browser, path))[0])
    answer = wallet.post(request, wallet.answer(request))
    world.clock.move(minutes=6)
    assert browser.get(f"{path}/state", base_url=BASE).json["state"] == "expired"
    code = parse_qs(urlsplit(answer.json["redirect_uri"]).query)["response_code"][0]
    late = browser.get(f"/return?response_code={code}", base_url=BASE, headers=HTML, follow_redirects=True)
    assert ">Expired<" in late.get_data(as_text=True)
    assert "Collins" not in late.get_data(as_text=True)
    Context.of(browser.application).sessions.sweep()
    rows = sqlite3.connect(world.folder / "verifier.db").execute("SELECT claims FROM verifier_requests").fetchall()
    assert rows == [(None,)], "what nobody can come back for is not kept"


@pytest.mark.parametrize(("how", "word"), [("decline", ">Declined<"), ("wait", ">Expired<")])
def test_what_came_to_nothing_can_be_asked_again(world: World, browser: FlaskClient, how: str, word: str) -> None:
    path = begin(browser)
    wallet = Wallet(world, stranger(browser))
    request = wallet.open(links(page(browser, path))[1])
    if how == "decline":
        wallet.post(request, oid4vp.decline(request, description="No."))
    else:
        world.clock.move(minutes=6)
    shown = page(browser, path)
    assert word in shown
    assert "Make a new request" in shown
    assert '<svg class="qr"' not in shown
    again = browser.post(f"{path}/again", base_url=BASE, headers=HTML)
    assert again.status_code == 303
    assert again.headers["Location"] != path
    assert "Identity" in page(browser, again.headers["Location"])


def test_forms_of_other_sites_and_unknown_templates_are_refused(browser: FlaskClient) -> None:
    foreign = browser.post(
        "/requests", data={"template": "identity"}, base_url=BASE, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status_code == 403
    assert browser.post("/requests", data={"template": "nope"}, base_url=BASE).status_code == 400
    assert browser.post("/requests", base_url=BASE).status_code == 400
    assert browser.get("/return", base_url=BASE, headers=HTML).status_code == 404
    assert browser.get("/return?response_code=x", base_url=BASE, headers=HTML).status_code == 404


def test_pages_are_kept_by_nobody_and_run_no_foreign_code(browser: FlaskClient) -> None:
    path = begin(browser)
    answer = browser.get(path, base_url=BASE, headers=HTML)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    html = answer.get_data(as_text=True)
    assert "style=" not in html
    assert not re.search(r"<script(?![^>]*src=)", html)


def test_a_claim_cannot_turn_or_flood_the_page() -> None:
    shown = Shown(
        "person", "dc+sd-jwt", PERSON, "Desk", None, {"given_name": "Ada\u202e\nsey", "portrait": "x" * 100_000}
    )
    (_, name), (_, portrait) = data.rows(shown)
    assert name == "Ada sey"
    assert len(portrait) == 1000
